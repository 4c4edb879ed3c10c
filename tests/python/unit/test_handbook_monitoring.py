"""The handbook's names for seeing a run."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

import pathway as pw
from collector import collector
from pathway.engine import PyMonitoringLevel, TelemetryConfig, Trace
from pathway.internals.log_format import JsonFormatter, fields_of
from pathway.internals.monitoring_config import metrics_interval, monitoring_config


def one_row() -> list[Any]:
    seen: list[Any] = []
    t = pw.debug.table_from_rows(pw.schema_from_types(a=int), [(1,)])
    pw.io.subscribe(t, lambda key, row, time, is_addition: seen.append(row))
    return seen


def test_one_run_is_told_of_and_recorded(tmp_path: Path) -> None:
    seen = one_row()
    before = monitoring_config()
    with collector() as here:
        config = TelemetryConfig.create(
            run_id="nightly",
            monitoring_server=here.endpoint,
            detailed_metrics_dir=str(tmp_path),
            metrics_reader_interval_secs=7,
        )
        pw.run(monitoring=config)
        [resource] = here.resources("traces")
        assert resource["run.id"] == "nightly"
        pw.run(monitoring_level=pw.MonitoringLevel.NONE)
        assert len(here.spans()) == 2
    assert seen == [{"a": 1}, {"a": 1}]
    assert [path.name for path in tmp_path.glob("*.db")] == ["metrics_nightly.db"]
    assert monitoring_config() == before


def test_each_run_is_recorded_under_its_name(tmp_path: Path) -> None:
    one_row()
    for name in ["first", "second", "first"]:
        pw.run(monitoring=TelemetryConfig.create(run_id=name, detailed_metrics_dir=str(tmp_path)))
    names = ["metrics_first-2.db", "metrics_first.db", "metrics_second.db"]
    assert sorted(path.name for path in tmp_path.glob("*.db")) == names


def test_what_is_not_given_is_as_it_was() -> None:
    pw.set_monitoring_config(http_token="secret", detailed_metrics_dir="metrics", log_format="json")
    try:
        from pathway._handbook_monitoring import monitored

        with monitored(TelemetryConfig.create(metrics_reader_interval_secs=7)) as level:
            assert level is pw.MonitoringLevel.AUTO
            assert metrics_interval() == 7
            now = monitoring_config()
            assert (now.http_token, now.detailed_metrics_dir, now.log_format) == ("secret", "metrics", "json")
        assert metrics_interval() == 60
    finally:
        pw.set_monitoring_config()
    with pytest.raises(ValueError, match="metrics_reader_interval_secs has to be at least 1, not 0"):
        TelemetryConfig.create(metrics_reader_interval_secs=0)


@pytest.mark.parametrize(
    ("level", "levels"),
    [
        (PyMonitoringLevel.OFF, set()),
        (PyMonitoringLevel.WARN, {"WARNING"}),
        (PyMonitoringLevel.INFO, {"INFO", "WARNING"}),
    ],
)
def test_levels_of_the_log(
    level: PyMonitoringLevel, levels: set[str], caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    (tmp_path / "in.csv").write_text("a\n1\n")
    t = pw.io.csv.read(tmp_path / "in.csv", schema=pw.schema_from_types(a=int), mode="static")
    pw.io.null.write(t)
    caplog.set_level(logging.INFO)
    before = logging.getLogger("pathway_engine").level
    pw.run(monitoring=level)
    told = {record.levelname for record in caplog.records if record.name.startswith("pathway_engine")}
    assert told == levels
    assert logging.getLogger("pathway_engine").level == before


def test_traces_log_with_their_context(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="pathway")
    Trace.log("info", "100 % loaded", {"rows": 3, "message": "kept apart"})
    Trace.log(logging.WARNING, "slow")
    assert Trace.span("sum", lambda: 1 + 2) == 3
    with pytest.raises(ZeroDivisionError):
        Trace.span("ratio", lambda: 1 / 0)
    loaded, slow, summed, ratio = caplog.records
    assert (loaded.levelname, loaded.getMessage(), slow.levelname) == ("INFO", "100 % loaded", "WARNING")
    entry = json.loads(JsonFormatter().format(loaded))
    assert (entry["rows"], entry["message"]) == (3, "100 % loaded")
    assert (summed.levelname, fields_of(summed)["span"]) == ("INFO", "sum")
    assert 0 <= fields_of(summed)["milliseconds"] < 60_000
    assert (ratio.levelname, ratio.getMessage()) == ("ERROR", "ratio has failed")
    assert ratio.exc_info is not None
    with pytest.raises(ValueError, match="there is no level 'LOUD'"):
        Trace.log("LOUD", "x")
