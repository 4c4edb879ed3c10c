"""`pathway why`: programs, recorded or not, tell at the terminal and on a page why rows are there."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

PATIENCE = 60
STREAMING = """
import sys
import pathway as pw

class Flight(pw.Schema):
    origin: str
    delay: int

class Flights(pw.io.python.ConnectorSubject):
    def run(self):
        for text in sys.argv[1:]:
            origin, delay = text.split(":")
            self.next(origin=origin, delay=int(delay))
            self.commit()

def seen(key, row, time, is_addition):
    print("seen", row["origin"], row["n"], is_addition)

flights = pw.io.python.read(Flights(), schema=Flight, name="flights", autocommit_duration_ms=None)
late = flights.filter(pw.this.delay > 0)
counts = late.groupby(pw.this.origin).reduce(pw.this.origin, n=pw.reducers.count())
first = flights.deduplicate(value=pw.this.delay, acceptor=lambda new, old: new > old)
pw.io.subscribe(counts, seen, name="counts")
pw.io.csv.write(first, "highest.csv")
pw.run(monitoring_level=pw.MonitoringLevel.NONE)
"""
STATIC = """
import pathway as pw

t = pw.io.csv.read("in", schema=pw.schema_from_types(a=int), mode="static")
doubled = t.select(b=pw.this.a * 2)
pw.io.csv.write(doubled, "out.csv")
pw.run(monitoring_level=pw.MonitoringLevel.NONE)
"""
PIPELINE = """
$folder: nowhere
t: !pw.io.csv.read
  path: $folder
  mode: static
  schema: !pw.schema_from_dict
    columns: {a: int}
out: !pw.io.csv.write
  table: $t
  filename: out.csv
"""


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "pathway", *arguments]


def environment() -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PATHWAY_")}
    return {**clean, "PYTHONUNBUFFERED": "1"}


def pathway(folder: Path, *arguments: str) -> tuple[int, str, str]:
    done = subprocess.run(
        command(*arguments),
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a program whose inputs have been recorded."""
    folder = tmp_path_factory.mktemp("recorded")
    (folder / "program.py").write_text(STREAMING)
    inputs = ["EWR:12", "JFK:-3", "EWR:70", "LGA:5"]
    code, _, errors = pathway(folder, "spawn", "--record", sys.executable, "program.py", *inputs)
    assert code == 0, errors
    (folder / "highest.csv").unlink()
    return folder


@pytest.fixture
def static(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.csv").write_text("a\n1\n2\n")
    (tmp_path / "program.py").write_text(STATIC)
    return tmp_path


def test_a_recorded_run_tells_why_a_row_is_there(recorded: Path) -> None:
    row = ["--output", "counts", "--row", "origin=EWR"]
    code, text, errors = pathway(recorded, "why", *row, "program.py")
    assert code == 0, errors
    lines = [line.strip() for line in text.splitlines()]
    assert lines[0].endswith("origin='EWR' n=2")
    assert lines[1].startswith("groupby  program.py:")
    assert sorted(line.split(" ", 1)[1] for line in lines if "delay=" in line and line[0] == "^") == [
        "origin='EWR' delay=12",
        "origin='EWR' delay=12",
        "origin='EWR' delay=70",
        "origin='EWR' delay=70",
    ]
    assert sum(line.startswith("source  program.py:") for line in lines) == 2
    # Nobody is told of rows, and nothing is written.
    assert "seen" not in text + errors
    assert not (recorded / "highest.csv").exists()
    limited = pathway(recorded, "why", "--limit", "1", *row, "program.py")[1]
    assert "and 1 more rows" in limited
    # The row can be told by its id as well, whatever the number of workers.
    by_id = ["--output", "counts", "--row", lines[0].split()[0], "--threads", "2"]
    assert pathway(recorded, "why", *by_id, "program.py")[1] == text


@pytest.mark.parametrize("mode", ["speedrun", "batch"])
def test_rows_are_given_as_they_came_or_all_at_once(recorded: Path, mode: str) -> None:
    options = ["--record-path", "record", "--mode", mode, "--output", "highest", "--row", "delay=70"]
    code, text, errors = pathway(recorded, "why", *options, "program.py")
    assert code == 0, errors
    assert "not followed further: it is one of these rows: the last that was accepted" in text


def test_what_cannot_be_told_of_a_recorded_run(recorded: Path) -> None:
    for options, message in [
        (["--row", "n=2"], "there are 2 outputs, one of which has to be chosen: counts, csv(highest.csv)"),
        (["--output", "x", "--row", "n=2"], "no output has 'x' in the name; the outputs are: counts, csv("),
        (["--output", "counts", "--row", "m=2"], "no column 'm'; its columns are: origin, n"),
        (["--output", "counts", "--row", "n=7"], "the output counts has no row with n=7 among 2"),
    ]:
        code, text, errors = pathway(recorded, "why", *options, "program.py")
        assert (code, text) == (1, "")
        assert f"Error: {message}" in errors or message in errors.splitlines()[-1]


def test_a_source_that_does_not_end_needs_a_recording(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(STREAMING)
    code, _, errors = pathway(tmp_path, "why", "--row", "n=1", "program.py")
    assert code == 1
    assert "the output counts has an input that does not end: record what its sources" in errors


def test_files_need_no_recording(static: Path) -> None:
    code, text, errors = pathway(static, "why", "--row", "b=4", "program.py")
    assert code == 0, errors
    assert text.splitlines()[0].endswith("... b=4")
    assert "source  program.py:4" in text
    assert not (static / "out.csv").exists()


def test_programs_without_a_run_and_tables_that_are_looked_at(static: Path) -> None:
    whole = STATIC.replace("pw.run(monitoring_level=pw.MonitoringLevel.NONE)\n", "")
    (static / "program.py").write_text(whole)
    code, text, errors = pathway(static, "why", "--row", "b=4", "program.py")
    assert (code, "b=4" in text) == (0, True), errors
    assert "program.py does not call pw.run(); these are the outputs" in errors
    shown = whole.replace('pw.io.csv.write(doubled, "out.csv")', "pw.debug.compute_and_print(doubled)")
    (static / "program.py").write_text(shown)
    code, text, errors = pathway(static, "why", "--output", "program.py:5", "--row", "b=4", "program.py")
    assert (code, "b=4" in text) == (0, True), errors
    (static / "program.py").write_text("import pathway as pw\n")
    assert "program.py has no outputs, and shows no table" in pathway(static, "why", "program.py")[2]
    (static / "program.py").write_text("raise ValueError('no')\n")
    code, _, errors = pathway(static, "why", "program.py")
    assert (code, errors.splitlines()[-1]) == (1, "ValueError: no")


def test_pipelines_in_yaml(static: Path) -> None:
    (static / "app.yaml").write_text(PIPELINE)
    code, text, errors = pathway(static, "why", "--row", "a=2", "--set", "folder=in", "app.yaml")
    assert code == 0, errors
    assert "source  app.yaml:" in text


def test_mistakes(static: Path) -> None:
    (static / "text.txt").touch()
    for options, message in [
        (["text.txt"], "text.txt is no .py or .yaml file"),
        (["--output", "x", "program.py"], "--output says which output a row is of: give --row, too"),
        (["--row", "x", "program.py"], "--row 'x' is neither COLUMN=CELL nor the beginning of an id"),
        (["--set", "a=1", "program.py"], "--set is for pipelines"),
        (["--record-path", "none", "program.py"], "there is no recording in none"),
    ]:
        code, _, errors = pathway(static, "why", *options)
        assert (code, message in errors) == (2, True), errors


@contextlib.contextmanager
def page(folder: Path, *options: str, **variables: str) -> Iterator[str]:
    """The address of the page of a program."""
    process = subprocess.Popen(
        command("why", "--port", "0", *options, "program.py"),
        cwd=folder,
        env={**environment(), **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line.startswith("Why rows are there: http://127.0.0.1:"), process.communicate()
        yield line.split()[-1]
    finally:
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=PATIENCE)
        assert "Traceback" not in errors


def ask(address: str, path: str, token: str | None = None, **words: Any) -> Any:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    request = urllib.request.Request(f"{address}{path}?{urllib.parse.urlencode(words)}", headers=headers)
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return json.loads(answer.read())


def test_the_page_is_told_of_rows(recorded: Path) -> None:
    with page(recorded) as address:
        about = ask(address, "api/outputs")
        assert (about["program"], about["recording"]) == ("program.py", "record")
        assert [(out["name"], out["rows"], out["columns"]) for out in about["outputs"]] == [
            ("counts", 2, ["origin", "n"]),
            ("csv(highest.csv)", 1, ["origin", "delay"]),
        ]
        rows = ask(address, "api/rows", output=0, text="ewr")
        assert (rows["total"], rows["of"]) == (1, 2)
        (row,) = rows["rows"]
        assert row["cells"] == ["'EWR'", "2"]
        reason = ask(address, "api/reason", table=about["outputs"][0]["table"], id=row["id"], limit=1)
        assert [(row["operations"], row["origins"], row["more"]) for row in reason["rows"]] == [
            (["groupby"], [1], 1),
            (["filter"], [2], 0),
            (["source"], [], 0),
        ]
        for words in (
            {"output": 9},
            {"table": 0, "id": "^X", "limit": 1},
            {"table": 99, "id": row["id"], "limit": 1},
        ):
            path = "api/rows" if "output" in words else "api/reason"
            with pytest.raises(urllib.error.HTTPError, match="404"):
                ask(address, path, **words)


def test_a_token_is_needed_if_there_is_one(recorded: Path) -> None:
    with page(recorded, PATHWAY_MONITORING_HTTP_TOKEN="sesame") as address:
        with pytest.raises(urllib.error.HTTPError, match="401"):
            ask(address, "api/outputs")
        assert ask(address, "api/outputs", token="sesame")["program"] == "program.py"


def test_an_empty_token_is_none(recorded: Path) -> None:
    with page(recorded, PATHWAY_MONITORING_HTTP_TOKEN="") as address:
        assert ask(address, "api/outputs")["program"] == "program.py"
