"""What a run tells of itself over HTTP while it goes on."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

import pathway as pw
from looking import Numbers, Stepwise, ask, looking
from pathway.internals.log_format import RecordHandler
from ports import free_ports
from spawning import PATIENCE, spawned

QUIET = pw.MonitoringLevel.NONE
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"

#: Values by name and labels, without the label that repeats what an operator is.
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def samples(port: int) -> Samples:
    """The metrics as a scraper sees them."""
    kind, text = ask(port, "/metrics", OPENMETRICS)
    assert kind == OPENMETRICS
    if not text:
        return {}
    found: Samples = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = tuple(sorted((name, value) for name, value in sample.labels.items() if name != "label"))
            assert (sample.name, labels) not in found
            found[sample.name, labels] = sample.value
    return found


def until(port: int, holds: Callable[[Samples], bool]) -> Samples:
    """The metrics once they are so."""
    deadline = time.monotonic() + PATIENCE
    while True:
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            now = samples(port)
            if holds(now):
                return now
        assert time.monotonic() < deadline, now
        time.sleep(0.02)


def total(found: Samples, name: str, **labels: str) -> float:
    """The sum over workers, and whatever else is not named."""
    of_name = ((of, value) for (other, of), value in found.items() if other == name)
    return sum(value for of, value in of_name if labels.items() <= set(of))


def operators(port: int) -> dict[str, dict[str, str]]:
    """What is told of each operator, by its line of the program; what has no line is left out."""
    _, text = ask(port, "/metrics", OPENMETRICS)
    families = text_string_to_metric_families(text)
    infos = next(family for family in families if family.name == "pathway_operator_info")
    named = (sample.labels for sample in infos.samples if "line" in sample.labels)
    return {f"{labels['label']}:{labels['line']}": labels for labels in named}


@pytest.fixture(params=[1, 3])
def workers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    count: int = request.param
    monkeypatch.setenv("PATHWAY_THREADS", str(count))
    return count


def test_rows_are_counted_by_operator_and_worker(port: int, workers: int) -> None:
    def look(subject: Stepwise) -> None:
        subject.give(*range(20))
        found = until(port, lambda now: total(now, "pathway_sink_rows_total", sink="sums") == 2)
        assert total(found, "pathway_connector_messages_total", connector="numbers") == 20
        assert total(found, "pathway_connector_last_minibatch_messages", connector="numbers") == 20
        assert total(found, "pathway_connector_last_minute_messages", connector="numbers") == 20
        assert total(found, "pathway_connector_finished", connector="numbers") == 0
        of = {name.split(":")[0]: labels["operator"] for name, labels in operators(port).items()}
        filtered, reduced = of["filter"], of["_reduce"]
        assert total(found, "pathway_operator_rows_in_total", operator=filtered) == 20
        assert total(found, "pathway_operator_insertions_total", operator=filtered) == 10
        assert total(found, "pathway_operator_rows_in_total", operator=reduced) == 10
        assert total(found, "pathway_operator_insertions_total", operator=reduced) == 2
        assert total(found, "pathway_operator_deletions_total", operator=reduced) == 0
        assert total(found, "pathway_operator_busy_seconds_total", operator=reduced) > 0
        assert total(found, "pathway_operator_state_bytes", operator=reduced) > 0
        assert total(found, "pathway_operator_spilled_bytes", operator=reduced) == 0
        names = {dict(labels).get("worker") for _, labels in found} - {None}
        assert names == {str(worker) for worker in range(workers)}
        subject.give(20, 22)
        found = until(port, lambda now: total(now, "pathway_sink_rows_total", sink="sums") == 5)
        assert total(found, "pathway_operator_insertions_total", operator=reduced) == 4
        assert total(found, "pathway_operator_deletions_total", operator=reduced) == 1
        assert total(found, "pathway_connector_messages_total", connector="numbers") == 22
        assert total(found, "pathway_connector_last_minibatch_messages", connector="numbers") == 2

    with looking(look) as numbers:
        even = numbers.filter(pw.this.n % 2 == 0).select(
            pw.this.n, third=pw.this.n % 4 * (pw.this.n // 20 + 1)
        )
        sums = even.groupby(pw.this.third).reduce(pw.this.third, n=pw.reducers.count())
        pw.io.subscribe(sums, lambda key, row, time, is_addition: None, name="sums")
        pw.run(monitoring_level=QUIET, with_http_server=True)
    with pytest.raises(urllib.error.URLError):
        ask(port, "/status")


def test_names_and_types_are_those_of_the_original(port: int, caplog: pytest.LogCaptureFixture) -> None:
    def look(subject: Stepwise) -> None:
        subject.give(1, 2, 3)
        until(port, lambda now: total(now, "pathway_sink_rows_total") == 3)
        kind, text = ask(port, "/metrics")
        assert kind == OPENMETRICS
        [selected] = [labels for name, labels in operators(port).items() if name.startswith("select")]
        number = selected["operator"]
        lines = text.splitlines()
        for name, help in [
            ("input_latency_ms", "A latency of input in milliseconds (-1 when finished)."),
            ("output_latency_ms", "A latency of output in milliseconds (-1 when finished)."),
            (f"{number}_rows_positive", f"Number of positive updates in operator {number}."),
            (f"{number}_rows_negative", f"Number of negative updates in operator {number}."),
            (
                f"{number}_latency_ms",
                f"A latency of operator {number} in milliseconds (-1 when finished).",
            ),
        ]:
            at = lines.index(f"# HELP {name} {help}")
            assert lines[at + 1] == f"# TYPE {name} gauge"
            given, value = lines[at + 2].split(" ")
            assert (given, int(value) >= 0) == (name, True), "it goes on"
        assert f"{number}_rows_positive 3" in lines
        assert f"{number}_rows_negative 0" in lines
        assert text.endswith("\n# EOF\n")
        kind, status = ask(port, "/status")
        assert kind == "application/json"
        assert f"{number}_rows_positive 3" in status.splitlines()
        for path in ("/metrics/", "/api", "/other"):
            with pytest.raises(urllib.error.HTTPError) as refused:
                ask(port, path)
            assert refused.value.code == 404
            refused.value.close()

    with looking(look) as numbers, caplog.at_level(logging.INFO):
        pw.io.subscribe(numbers.select(m=pw.this.n + 1), lambda key, row, time, is_addition: None)
        pw.run(monitoring_level=QUIET, with_http_server=True)
    assert f"Metrics available at http://127.0.0.1:{port}" in caplog.messages


def test_what_has_ended_has_no_latency(port: int, tmp_path: Path) -> None:
    (tmp_path / "words.csv").write_text("n\n1\n2\n")

    def look(subject: Stepwise) -> None:
        found = until(port, lambda now: total(now, "pathway_connector_finished", connector="words") == 1)
        assert total(found, "pathway_connector_finished", connector="numbers") == 0
        found = until(port, lambda now: total(now, "pathway_sink_latency_ms", sink="words out") == -1)
        assert total(found, "pathway_connector_latency_ms", connector="words") == -1
        assert total(found, "input_latency_ms") >= 0, "another source goes on"

    with looking(look) as numbers:
        pw.io.null.write(numbers)
        words = pw.io.csv.read(tmp_path / "words.csv", schema=Numbers, mode="static", name="words")
        pw.io.jsonlines.write(words, tmp_path / "out.jsonl", name="words out")
        pw.run(monitoring_level=QUIET, with_http_server=True)


def test_errors_and_dead_letters_are_counted(port: int, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"n": 0}\n{"n": 2}\nnothing\n{"n": "x"}\n')

    def look(subject: Stepwise) -> None:
        found = until(port, lambda now: total(now, "pathway_connector_errors_total", connector="in") == 2)
        # A record in which one cell is wrong is a row with an error.
        assert total(found, "pathway_connector_dead_letters_total", connector="in") == 1
        until(port, lambda now: total(now, "pathway_operator_errors_total") == 5)
        _, text = ask(port, "/metrics", OPENMETRICS)
        families = text_string_to_metric_families(text)
        errors = next(family for family in families if family.name == "pathway_operator_errors")
        found_in = {sample.labels["label"]: sample.value for sample in errors.samples}
        # The row with an error from the file meets none in the division, but both are no rows of the output.
        assert found_in == {"input(json)": 2, "select": 1, "output(null)": 2}

    with looking(look) as numbers:
        pw.io.null.write(numbers)
        table = pw.io.jsonlines.read(tmp_path / "in.jsonl", schema=Numbers, mode="static", name="in")
        pw.io.null.write(table.select(m=1 // pw.this.n))
        with pytest.warns(UserWarning, match="terminate_on_error"):
            pw.run(monitoring_level=QUIET, with_http_server=True, terminate_on_error=False)


def test_loops_are_counted_as_a_whole(port: int) -> None:
    def half(t: pw.Table) -> pw.Table:
        return t.select(n=pw.if_else(pw.this.n > 1, pw.this.n // 2, pw.this.n))

    def look(subject: Stepwise) -> None:
        subject.give(4, 8, 100)
        until(port, lambda now: total(now, "pathway_sink_rows_total", sink="out") == 3)
        of = {name.split(":")[0]: labels["operator"] for name, labels in operators(port).items()}
        found = samples(port)
        assert total(found, "pathway_operator_rows_in_total", operator=of["iterate"]) == 3
        assert total(found, "pathway_operator_insertions_total", operator=of["iterate"]) == 3

    with looking(look) as numbers:
        halved = pw.iterate(half, t=numbers)
        pw.io.subscribe(halved, lambda key, row, time, is_addition: None, name="out")
        pw.run(monitoring_level=QUIET, with_http_server=True)


def test_a_port_that_is_taken_is_named(port: int) -> None:
    pw.io.null.write(pw.debug.table_from_markdown("a\n1"))
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        with pytest.raises(OSError, match=f"metrics cannot be served on 127.0.0.1:{port}: "):
            pw.run(monitoring_level=QUIET, with_http_server=True)
    pw.run(monitoring_level=QUIET, with_http_server=True)


def test_each_process_tells_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = free_ports(2)
    monkeypatch.setenv("PATHWAY_MONITORING_HTTP_PORT", str(first))
    (tmp_path / "in").mkdir()
    program = """
        words = pw.io.jsonlines.read("in", schema=Words, autocommit_duration_ms=20, name="words")
        counts = words.groupby(words.word).reduce(words.word, n=pw.reducers.sum(words.n))
        pw.io.jsonlines.write(counts, "out.jsonl", name="out")
        run(with_http_server=True)
    """
    with spawned(tmp_path, program, 2, "--threads", "2"):
        for file in range(4):
            rows = [{"word": f"w{i}", "n": file} for i in range(30)]
            (tmp_path / "in" / f"{file}.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
        ports = [first, first + 1]

        def read() -> list[Samples]:
            return [until(port, lambda now: bool(now)) for port in ports]

        deadline = time.monotonic() + PATIENCE
        while sum(total(now, "pathway_connector_messages_total") for now in read()) < 120:
            assert time.monotonic() < deadline, read()
            time.sleep(0.02)
        until(first, lambda now: total(now, "pathway_sink_rows_total", sink="out") >= 30)
        own, other = read()
        assert total(other, "pathway_sink_rows_total") == 0, "the first process writes"
        for workers, now in (({"0", "1"}, own), ({"2", "3"}, other)):
            assert {dict(labels).get("worker") for _, labels in now} - {None} == workers
        reduced = {
            labels["operator"] for name, labels in operators(first + 1).items() if name.startswith("_reduce")
        }
        states = [
            sum(total(now, "pathway_operator_state_bytes", operator=of) for of in reduced) for now in read()
        ]
        assert all(state > 0 for state in states), "each has groups of its own"


def of_dashboard(port: int, path: str, token: str | None = None) -> Any:
    kind, text = ask(port, f"/api/{path}", token=token)
    assert kind == "application/json"
    return json.loads(text)


def test_the_dashboard_is_told_of_the_run(port: int, workers: int, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"n": 0}\nnothing\n{"n": 3}\n')

    def until_so(path: str, holds: Callable[[Any], bool]) -> Any:
        deadline = time.monotonic() + PATIENCE
        while not holds(answer := of_dashboard(port, path)):
            assert time.monotonic() < deadline, answer
            time.sleep(0.02)
        return answer

    def look(subject: Stepwise) -> None:
        kind, page = ask(port, "/")
        assert kind == "text/html; charset=utf-8"
        assert "main.js" in page
        logging.getLogger("of the program").warning("something %s", "odd")
        try:
            raise ValueError("no")
        except ValueError:
            logging.exception("with a cause", stack_info=True)
        subject.give(1, 2)
        now = until_so("now", lambda now: now["errors"] == 2 and now["dead_letters"] == 1)
        run = of_dashboard(port, "run")
        assert run["id"] == now["run"]
        assert (run["state"], run["ended"], run["message"]) == ("running", None, None)
        assert run["process"] == {"number": 0, "count": 1, "pid": os.getpid(), "workers": workers}
        lines = {node["id"]: node["line"] for node in run["outline"]["nodes"]}
        # The record is an error, too, where errors do not end the run.
        errors = {error["message"].split(" (")[0]: error for error in of_dashboard(port, "errors")["errors"]}
        assert set(errors) == {"division by zero", "a value is expected"}
        error = errors["division by zero"]
        assert error["source"] == "quotients = table.select(m=6 // pw.this.n)"
        assert (error["file"], error["function"]) == (__file__, "test_the_dashboard_is_told_of_the_run")
        assert lines[error["operator"]]["line"] == error["line"]
        [letter] = of_dashboard(port, "dead_letters")["dead_letters"]
        assert (letter["source"], letter["payload"]) == ("in", "nothing")
        assert "line 2" in letter["reason"]
        said = [(line["level"], line["text"]) for line in of_dashboard(port, "log?after=0")["lines"]]
        for once in [
            ("WARNING", "something odd"),
            ("INFO", f"Metrics available at http://127.0.0.1:{port}"),
            ("INFO", f"Dashboard available at http://127.0.0.1:{port}/"),
        ]:
            assert said.count(once) == 1, said
        assert any(level == "ERROR" and text.startswith("division by zero in") for level, text in said)
        [(level, cause)] = [(level, text) for level, text in said if text.startswith("with a cause")]
        assert level == "ERROR"
        assert "\nStack (most recent call last):\n" in cause
        assert cause.endswith("\nValueError: no")
        history = until_so("history?after=0", lambda history: len(history["at"]) > 0)
        assert {len(column) for name, column in history.items() if name != "run"} == {len(history["at"])}
        assert history["resident_bytes"][-1] > 1e6

    with looking(look) as numbers:
        pw.io.null.write(numbers)
        table = pw.io.jsonlines.read(tmp_path / "in.jsonl", schema=Numbers, mode="static", name="in")
        quotients = table.select(m=6 // pw.this.n)
        pw.io.null.write(quotients.select(m=pw.fill_error(pw.this.m, 0)))
        with pytest.warns(UserWarning, match="terminate_on_error"):
            pw.run(monitoring_level=QUIET, with_http_server=True, terminate_on_error=False)
    assert not any(isinstance(handler, RecordHandler) for handler in logging.getLogger().handlers)


@pytest.mark.parametrize("by_variable", [False, True])
def test_a_token_is_needed(port: int, monkeypatch: pytest.MonkeyPatch, by_variable: bool) -> None:
    def look(subject: Stepwise) -> None:
        for path in ("/api/run", "/metrics", "/status"):
            for token in (None, "wrong"):
                with pytest.raises(urllib.error.HTTPError) as refused:
                    ask(port, path, token=token)
                assert refused.value.code == 401
                refused.value.close()
            ask(port, path, token="sesame")
        assert of_dashboard(port, "run", "sesame")["state"] == "running"
        ask(port, "/")

    if by_variable:
        monkeypatch.setenv("PATHWAY_MONITORING_HTTP_TOKEN", "sesame")
    else:
        pw.set_monitoring_config(http_token="sesame")
    try:
        with looking(look) as numbers:
            pw.io.null.write(numbers)
            pw.run(monitoring_level=QUIET, with_http_server=True)
    finally:
        pw.set_monitoring_config()


def test_another_address(port: int, caplog: pytest.LogCaptureFixture) -> None:
    def look(subject: Stepwise) -> None:
        with contextlib.closing(socket.create_connection(("127.0.0.2", port), PATIENCE)):
            pass
        ask(port, "/status")

    pw.set_monitoring_config(http_address="0.0.0.0")
    try:
        with looking(look) as numbers, caplog.at_level(logging.INFO):
            pw.io.null.write(numbers)
            pw.run(monitoring_level=QUIET, with_http_server=True)
        assert any("set a token" in message for message in caplog.messages)
        pw.set_monitoring_config(http_address="no address")
        with pytest.raises(OSError, match='metrics cannot be served on "no address"'):
            pw.run(monitoring_level=QUIET, with_http_server=True)
    finally:
        pw.set_monitoring_config()
