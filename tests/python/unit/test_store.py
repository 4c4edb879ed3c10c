"""`pathway persistence inspect`: what is in the store of a run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from pathway.cli import main

PROGRAM = """\
import pathway as pw

class Sales(pw.Schema):
    shop: str
    amount: int

sales = pw.io.csv.read("sales", schema=Sales, mode="static", name="sales")
totals = sales.groupby(sales.shop).reduce(sales.shop, total=pw.reducers.sum(sales.amount))
pw.io.jsonlines.write(totals, "totals.jsonl", name="totals")
backend = pw.persistence.Backend.filesystem("state")
pw.run(persistence_config=pw.persistence.Config(backend), monitoring_level=pw.MonitoringLevel.NONE)
"""


def inspect(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["persistence", "inspect", *arguments], prog_name="pathway")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """That of a run over a file, and of one with another file."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "sales").mkdir()
    (folder / "program.py").write_text(PROGRAM)
    for name, rows in (("monday", "Oslo,1\nLima,2\n"), ("tuesday", "Oslo,4\n")):
        (folder / "sales" / f"{name}.csv").write_text("shop,amount\n" + rows)
        subprocess.run([sys.executable, "program.py"], cwd=folder, check=True, timeout=60)
    return folder / "state"


def as_json(store: Path) -> Any:
    result = inspect(str(store), "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_all_of_it_as_json(store: Path) -> None:
    found = as_json(store)
    assert found["path"] == str(store)
    assert found["damaged"] == {}
    last, before = found["checkpoints"]
    # The second run may have written both.
    assert last["run"] == 2
    assert before["run"] in (1, 2)
    assert last["number"] == before["number"] + 1
    assert last["finished"]
    assert last["time"] is None
    assert last["last"] >= before["last"]
    assert last["workers"] == 1
    assert last["missing"] == []
    parts = last["sources"]["sales"]
    assert {part.rpartition("/")[2]: saved["tail"] for part, saved in parts.items()} == {
        "monday.csv": {"offset": 26, "ordinal": 2},
        "tuesday.csv": {"offset": 19, "ordinal": 1},
    }
    assert last["sinks"] == {"totals": (store.parent / "totals.jsonl").stat().st_size}
    state, log = last["operators"]
    assert (state["name"], state["log"]) == ("groupby", False)
    assert state["rows"] > 0
    assert (log["name"], log["log"], log["rows"]) == ("csv(sales)", True, 3)
    assert last["rows"] == state["rows"] + 3
    assert last["bytes"] == sum(each["bytes"] for each in last["operators"])


def test_text_for_people(store: Path) -> None:
    last, before = as_json(store)["checkpoints"]
    result = inspect(str(store))
    assert result.exit_code == 0
    text, other = result.stdout.split("\n\n")
    assert other.startswith(f"checkpoint {before['number']} of run {before['run']}\n")
    lines = text.splitlines()
    assert lines[0] == f"checkpoint {last['number']} of run 2"
    assert lines[1].startswith(f"  time      the end, finished; the last rows are of {last['last']} (20")
    assert lines[2:] == [
        "  workers   1",
        f"  state     {last['rows']} rows, {last['bytes']} bytes",
        "  sources",
        "    sales",
        "      sales/monday.csv: 26 of 26 bytes",
        "      sales/tuesday.csv: 19 of 19 bytes",
        "  outputs",
        f"    totals: {last['sinks']['totals']}",
        "  operators",
        f"    groupby             {last['operators'][0]['rows']} rows, {last['operators'][0]['bytes']} bytes",
        f"    rows of csv(sales)  3 rows, {last['operators'][1]['bytes']} bytes",
    ]


def copied(store: Path, to: Path) -> Path:
    (to / "manifests").mkdir()
    for file in (store / "manifests").iterdir():
        (to / "manifests" / file.name).write_bytes(file.read_bytes())
    return to


def test_what_is_missing_and_damaged(store: Path, tmp_path: Path) -> None:
    copy = copied(store, tmp_path)
    before, last = sorted((copy / "manifests").iterdir())
    last.write_text(last.read_text()[:-40])
    numbers = [each["number"] for each in as_json(store)["checkpoints"]]
    found = as_json(copy)
    assert [each["number"] for each in found["checkpoints"]] == numbers[1:]
    assert list(found["damaged"]) == [last.name]
    assert all(name.startswith("packs/") for name in found["checkpoints"][0]["missing"])
    assert found["checkpoints"][0]["missing"]
    text = inspect(str(copy)).stdout
    assert "  damaged   missing: packs/" in text
    assert f"manifests/{last.name}: it cannot be read: " in text
    before.write_text(json.dumps({**json.loads(before.read_text()), "form": 2}))
    result = inspect(str(copy))
    assert result.exit_code == 1
    assert result.stderr == f"Error: {before} was written by a later release of pathway\n"


def test_what_is_no_store(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    (tmp_path / "new" / "manifests").mkdir(parents=True)
    for path, message in [
        (tmp_path / "nope", "does not exist"),
        (file, "is a file, and stores are folders"),
        (tmp_path, "is no store of a run with persistence: it has no folder manifests"),
        (tmp_path / "new", "has no checkpoint yet"),
    ]:
        result = inspect(str(path))
        assert (result.exit_code, result.stderr) == (1, f"Error: {path} {message}\n")
    result = inspect("s3://bucket/state")
    assert result.exit_code == 1
    assert "s3://bucket/state is not a folder, and only stores in folders can be looked into" in result.stderr
