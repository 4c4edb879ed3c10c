"""Log records as JSON: an object on each line."""

from __future__ import annotations

import datetime
import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import pathway as pw
from pathway.internals.log_format import FIELDS, JsonFormatter

Entry = dict[str, Any]

PROGRAM = """
import logging
import pathway as pw

class Numbers(pw.Schema):
    n: int

numbers = pw.io.jsonlines.read("in.jsonl", schema=Numbers, mode="static", name="numbers")
pw.io.null.write(numbers.select(m=1 // pw.this.n), name="quotients")

def on_change(key, row, time, is_addition):
    if row["n"] == 2:
        logging.getLogger("mine").warning("two\\nlines", extra={"customer": "c1", "level": "no"})
        try:
            raise ValueError("with \\"quotes\\"")
        except ValueError:
            logging.exception("failed")

pw.io.subscribe(numbers, on_change)
"""


def entries(folder: Path, program: str, **environment: str) -> list[Entry]:
    """What a program logs to standard error."""
    (folder / "in.jsonl").write_text('{"n": 0}\n{"n": 2}\nnothing\n')
    (folder / "program.py").write_text(PROGRAM + program)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "program.py"],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stderr.splitlines()]


def only(found: list[Entry], message: str) -> Entry:
    [entry] = [entry for entry in found if entry["message"].startswith(message)]
    return entry


@pytest.mark.parametrize("by_variable", [True, False])
def test_each_record_is_an_object(tmp_path: Path, by_variable: bool) -> None:
    run = "pw.run(terminate_on_error=False)"
    if by_variable:
        found = entries(tmp_path, run, PATHWAY_LOG_FORMAT="json")
    else:
        chosen = 'pw.set_monitoring_config(log_format="json")'
        found = entries(tmp_path, f"{chosen}\n{run}", PATHWAY_LOG_FORMAT="text")
    for entry in found:
        assert list(entry)[:4] == ["time", "level", "logger", "message"]
        time = datetime.datetime.fromisoformat(entry["time"].replace("Z", "+00:00"))
        assert time.tzinfo == datetime.timezone.utc
    assert found[0]["message"] == "Preparing Pathway computation"
    assert (found[0]["level"], found[0]["logger"]) == ("INFO", "pathway_engine")
    mine = only(found, "two")
    assert (mine["message"], mine["level"], mine["logger"]) == ("two\nlines", "WARNING", "mine")
    assert mine["customer"] == "c1"
    failed = only(found, "failed")
    assert failed["exception"].startswith("Traceback (most recent call last)")
    assert failed["exception"].endswith('ValueError: with "quotes"')


def test_what_the_engine_knows_has_fields(tmp_path: Path) -> None:
    found = entries(tmp_path, "pw.run(terminate_on_error=False)", PATHWAY_LOG_FORMAT="json")
    division = only(found, "division by zero")
    source = PROGRAM.splitlines()
    line = next(number for number, text in enumerate(source, 1) if "1 // pw.this.n" in text)
    assert division["file"].endswith("program.py")
    assert (division["line"], division["function"]) == (line, "<module>")
    assert (division["worker"], division["logger"]) == (0, "pathway_engine.run")
    assert f"in operator {division['operator']}." in division["message"]
    sent = only(found, "numbers: Closing")
    assert (sent["connector"], sent["logger"]) == ("numbers", "pathway_engine.connectors.monitoring")
    written = [entry for entry in found if entry["message"].startswith("quotients: Done writing")]
    assert {entry["connector"] for entry in written} == {"quotients"}


def test_records_that_cannot_be_parsed_have_fields(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    program = PROGRAM.replace("1 // pw.this.n", "pw.this.n")
    (tmp_path / "in.jsonl").write_text("nothing\n")
    (tmp_path / "program.py").write_text(program + "pw.run()")
    environment = {**os.environ, "PATHWAY_LOG_FORMAT": "json"}
    command = [sys.executable, "program.py"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    wrong = only([json.loads(line) for line in done.stderr.splitlines()], "Parse error: ")
    assert wrong["position"].endswith("in.jsonl, line 1")
    assert wrong["connector"]
    assert wrong["operator"] > 0
    assert wrong["file"].endswith("program.py")
    line = next(number for number, text in enumerate(program.splitlines(), 1) if "jsonlines.read" in text)
    assert wrong["line"] == line


def test_extras_do_not_hide_what_is_always_there() -> None:
    record = logging.makeLogRecord({"msg": "hello %s", "args": ("you",), "levelname": "INFO", "name": "me"})
    record.level = "no"
    record.when = datetime.date(2026, 1, 31)
    setattr(record, FIELDS, {"operator": 3})
    entry = json.loads(JsonFormatter().format(record))
    assert (entry["level"], entry["logger"], entry["message"]) == ("INFO", "me", "hello you")
    assert (entry["operator"], entry["when"]) == (3, "2026-01-31")


def test_a_format_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises((TypeError, ValueError), match="log_format"):
        pw.set_monitoring_config(log_format="xml")  # type: ignore[arg-type]
    monkeypatch.setenv("PATHWAY_LOG_FORMAT", "xml")
    pw.io.null.write(pw.debug.table_from_markdown("a\n1"))
    with pytest.raises(ValueError, match="PATHWAY_LOG_FORMAT is 'xml'"):
        pw.run()


def test_logging_that_is_set_up_keeps_its_format(tmp_path: Path) -> None:
    program = "logging.basicConfig(format='%(message)s')\npw.run(terminate_on_error=False)"
    (tmp_path / "in.jsonl").write_text('{"n": 0}\n')
    (tmp_path / "program.py").write_text(PROGRAM + program)
    environment = {**os.environ, "PATHWAY_LOG_FORMAT": "json"}
    command = [sys.executable, "-W", "ignore", "program.py"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert "numbers: Closing the data source" in done.stderr.splitlines()
    assert '"message"' not in done.stderr
