"""What a collector of OpenTelemetry is told of a run."""

from __future__ import annotations

import json
import logging
import platform
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import pathway as pw
from collector import Collector, attributes, collector
from looking import Stepwise, numbers_of
from pathway.internals.config import PathwayConfig, current_config, local_pathway_config

QUIET = pw.MonitoringLevel.NONE


@pytest.fixture
def here() -> Iterator[Collector]:
    with collector() as found:
        yield found
    pw.set_monitoring_config()


@pytest.fixture
def told(here: Collector) -> Collector:
    """A collector that runs tell."""
    pw.set_monitoring_config(server_endpoint=here.endpoint)
    return here


def numbers(look: Callable[[Stepwise], None] = lambda subject: None) -> pw.Table:
    def steps(subject: Stepwise) -> None:
        subject.give(*range(10))
        look(subject)

    return numbers_of(steps)


def sums(t: pw.Table) -> pw.Table:
    even = t.filter(pw.this.n % 2 == 0)
    rests = even.select(rest=pw.this.n % 4)
    return rests.groupby(rests.rest).reduce(n=pw.reducers.count())


def points(metric: Any) -> list[Any]:
    return list(getattr(metric, metric.WhichOneof("data")).data_points)


def test_metrics(told: Collector) -> None:
    pw.io.null.write(sums(numbers()), name="out")
    pw.run(monitoring_level=QUIET)
    found = told.metrics()
    scope = told.requests["metrics"][0].resource_metrics[0].scope_metrics[0].scope
    assert scope.name == "pathway-stats"
    for name, unit in [
        ("process.memory.usage", "byte"),
        ("process.cpu.utime", "s"),
        ("process.cpu.stime", "s"),
        ("latency.input", "ms"),
        ("latency.output", "ms"),
    ]:
        metric = found[name]
        assert (metric.unit, metric.WhichOneof("data")) == (unit, "gauge")
        [point] = points(metric)
        assert point.time_unix_nano > 0
    assert points(found["process.memory.usage"])[0].as_int > 1 << 20
    assert points(found["process.cpu.utime"])[0].as_double > 0
    assert points(found["latency.input"])[0].as_int == -1, "it has ended"
    of = {attributes(point)["operator.label"]: point for point in points(found["operator.insertions"])}
    assert {label: of[label].as_int for label in ("filter", "_reduce")} == {"filter": 5, "_reduce": 2}
    known = attributes(of["filter"])
    assert known["code.file.path"] == __file__
    line = Path(__file__).read_text().splitlines()[known["code.line.number"] - 1]
    assert "filter(" in line
    assert known["code.function.name"] == "sums"
    assert known["worker.id"] == 0
    assert found["operator.insertions"].sum.is_monotonic
    assert points(found["operator.insertions"])[0].start_time_unix_nano > 0
    [point] = points(found["connector.messages"])
    assert (attributes(point)["connector"], point.as_int) == ("numbers", 10)
    [point] = points(found["sink.rows"])
    assert (attributes(point)["sink"], point.as_int) == ("out", 2)
    for name in [
        "operator.latency",
        "operator.lag",
        "operator.rows_in",
        "operator.deletions",
        "operator.busy",
        "operator.state",
        "operator.spilled",
        "connector.minibatches",
        "connector.errors",
        "connector.dead_letters",
        "connector.latency",
        "sink.busy",
        "sink.latency",
    ]:
        assert points(found[name]), name


def test_metrics_come_again_and_again(told: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATHWAY_METRICS_READER_INTERVAL_SECONDS", "1")
    went_on = []

    def look(subject: Stepwise) -> None:
        told.until(lambda: len(told.requests["metrics"]) >= 2)
        went_on.append(points(told.metrics()["latency.input"])[0].as_int >= 0)

    pw.io.null.write(numbers(look))
    pw.run(monitoring_level=QUIET)
    assert went_on == [True]


def test_errors_are_counted(told: Collector) -> None:
    pw.io.null.write(numbers().select(m=1 // pw.this.n))
    with pytest.warns(UserWarning, match="terminate_on_error"):
        pw.run(monitoring_level=QUIET, terminate_on_error=False)
    errors = points(told.metrics()["operator.errors"])
    assert {attributes(point)["operator.label"]: point.as_int for point in errors}["select"] == 1


def test_a_run_is_a_span(told: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATHWAY_THREADS", "3")
    pw.io.null.write(sums(numbers()))
    pw.run(monitoring_level=QUIET)
    [run, *built] = told.spans()
    assert run.name == "graph_runner.run"
    assert (len(run.trace_id), len(run.span_id)) == (16, 8)
    assert run.status.code == run.status.STATUS_CODE_OK
    assert len(built) == 3
    assert len({span.span_id for span in [run, *built]}) == 4
    for span in built:
        assert span.name == "graph_runner.build"
        assert (span.trace_id, span.parent_span_id) == (run.trace_id, run.span_id)
        assert run.start_time_unix_nano <= span.start_time_unix_nano <= span.end_time_unix_nano
        assert span.end_time_unix_nano <= run.end_time_unix_nano
        known = attributes(span)
        assert known["worker_count"] == 3
        statistics = json.loads(known["graph_statistics"])
        assert (statistics["filter"], statistics["_reduce"]) == (1, 1)
        assert known["xpacks_used"] == []
    assert {attributes(span)["worker_id"] for span in built} == {0, 1, 2}
    [resource] = told.resources("metrics")
    assert resource["root.trace.id"] == run.trace_id.hex()


def test_a_run_that_fails_says_why(told: Collector) -> None:
    pw.io.null.write(numbers().select(m=1 // pw.this.n))
    with pytest.raises(ZeroDivisionError):
        pw.run(monitoring_level=QUIET)
    [run] = [span for span in told.spans() if span.name == "graph_runner.run"]
    assert run.status.code == run.status.STATUS_CODE_ERROR
    assert run.status.message.startswith("ZeroDivisionError: ")


def test_log_records_are_sent(told: Collector, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    def look(subject: Stepwise) -> None:
        logging.getLogger("mine").warning("hello %s", "you", extra={"customer": "c1"})
        try:
            raise ValueError("no")
        except ValueError:
            logging.exception("failed")
        # They are sent while the run goes on.
        told.until(lambda: any(record.body.string_value == "failed" for _, record in told.records()))

    pw.io.null.write(numbers(look))
    pw.run(monitoring_level=QUIET)
    records = {record.body.string_value: (name, record) for name, record in told.records()}
    name, hello = records["hello you"]
    assert (name, hello.severity_text, hello.severity_number) == ("mine", "WARNING", 13)
    assert attributes(hello)["customer"] == "c1"
    assert abs(hello.time_unix_nano / 1e9 - time.time()) < 600
    _, failed = records["failed"]
    known = attributes(failed)
    assert (known["exception.type"], known["exception.message"]) == ("ValueError", "no")
    assert "Traceback" in known["exception.stacktrace"]
    name, closing = records["numbers: Closing the data source"]
    assert (name, attributes(closing)["connector"]) == ("pathway_engine.connectors.monitoring", "numbers")
    [run] = [span for span in told.spans() if span.name == "graph_runner.run"]
    assert (hello.trace_id, hello.span_id) == (run.trace_id, run.span_id)
    after = len(told.records())
    logging.getLogger("mine").warning("nobody is told")
    assert len(told.records()) == after


def test_resources(told: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATHWAY_RUN_ID", "run 1")
    monkeypatch.setenv("PATHWAY_SERVICE_INSTANCE_ID", "mine-local-dev")
    pw.io.null.write(numbers())
    logging.getLogger("mine").warning("before the run")
    with local_pathway_config(license_key="secret-secret"):
        pw.run(monitoring_level=QUIET)
    for kind in ("metrics", "traces"):
        [resource] = told.resources(kind)
        assert resource["service.name"] == "pathway"
        assert resource["service.version"] == pw.__version__
        assert resource["service.namespace"] == "local-dev"
        assert resource["service.instance.id"] == "mine-local-dev"
        assert resource["run.id"] == "run 1"
        assert resource["license.key"] == "secr..."
        if kind == "metrics":
            assert resource["worker.id"] == "0"
            assert len(resource["root.trace.id"]) == 32
        else:
            assert resource["python.version"] == platform.python_version()


def test_variables_name_the_collector(here: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pathway.internals.monitoring_config._given", None)
    monkeypatch.setenv("PATHWAY_MONITORING_SERVER", here.endpoint)
    monkeypatch.setenv("PATHWAY_SERVICE_NAMESPACE", "mine")
    pw.io.null.write(numbers())
    pw.run(monitoring_level=QUIET)
    [resource] = here.resources("traces")
    assert resource["service.namespace"] == "mine"
    # What is said by the program counts, and nothing is nobody.
    pw.set_monitoring_config()
    pw.run(monitoring_level=QUIET)
    assert len(here.spans()) == 2
    monkeypatch.setattr("pathway.internals.monitoring_config._given", None)
    monkeypatch.setenv("PATHWAY_MONITORING_SERVER", "")
    pw.run(monitoring_level=QUIET)
    assert len(here.spans()) == 2


def test_an_interval_that_is_no_number(told: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATHWAY_METRICS_READER_INTERVAL_SECONDS", "often")
    pw.io.null.write(numbers())
    with pytest.raises(ValueError, match="PATHWAY_METRICS_READER_INTERVAL_SECONDS is 'often'"):
        pw.run(monitoring_level=QUIET)


@pytest.mark.parametrize(
    ("endpoint", "message"),
    [
        ("localhost:4317", "such as http://localhost:4317, not 'localhost:4317'"),
        ("http://no address", 'telemetry cannot be sent to "http://no address": '),
    ],
)
def test_an_address_that_makes_no_sense(endpoint: str, message: str) -> None:
    pw.set_monitoring_config(server_endpoint=endpoint)
    pw.io.null.write(numbers())
    try:
        with pytest.raises(ValueError, match=message):
            pw.run(monitoring_level=QUIET)
    finally:
        pw.set_monitoring_config()


def test_license_keys_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    before = current_config().license_key
    assert before is None
    try:
        pw.set_license_key("any key")
        assert current_config().license_key == "any key"
    finally:
        pw.set_license_key(before)
    monkeypatch.setenv("PATHWAY_LICENSE_KEY", "another")
    assert PathwayConfig().license_key == "another"


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [text for text in caplog.messages if text.startswith("telemetry does not reach")]


def test_nobody_who_listens_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket() as other:
        # A port that nobody listens at.
        other.bind(("127.0.0.1", 0))
        pw.set_monitoring_config(server_endpoint=f"http://127.0.0.1:{other.getsockname()[1]}")
        t = numbers()
        given: list[int] = []
        pw.io.subscribe(t, lambda key, row, time, is_addition: given.append(row["n"]))
        try:
            pw.run(monitoring_level=QUIET)
        finally:
            pw.set_monitoring_config()
    assert sorted(given) == list(range(10))
    assert len(warnings_of(caplog)) == 1


def test_a_collector_that_does_not_answer_delays_the_end_only(
    told: Collector, caplog: pytest.LogCaptureFixture
) -> None:
    told.hold.clear()
    given: list[int] = []

    def look(subject: Stepwise) -> None:
        logging.getLogger("mine").warning("hello")
        # The rows pass, whoever does not answer.
        told.until(lambda: len(given) == 10)

    pw.io.subscribe(numbers(look), lambda key, row, time, is_addition: given.append(row["n"]))
    pw.run(monitoring_level=QUIET)
    assert len(given) == 10
    [warning] = warnings_of(caplog)
    assert "no answer within 3 s" in warning


def test_the_last_words_of_a_program_that_is_stopped(here: Collector, tmp_path: Path) -> None:
    program = f"""
import time
import pathway as pw

class Idle(pw.io.python.ConnectorSubject):
    def run(self):
        self.next(n=1)
        self.commit()
        print("ready", flush=True)
        time.sleep(600)

pw.set_monitoring_config(server_endpoint={here.endpoint!r})
t = pw.io.python.read(Idle(), schema=pw.schema_from_types(n=int))
pw.io.null.write(t)
pw.run()
"""
    command = [sys.executable, "-c", program]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.terminate()
        assert process.wait(60) == 143
    [run] = [span for span in here.spans() if span.name == "graph_runner.run"]
    assert run.status.message.startswith(("SystemExit", "StopRequested"))
    assert any("SIGTERM received" in record.body.string_value for _, record in here.records())
