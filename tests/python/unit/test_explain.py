"""`pw.explain`, `Table.explain` and `pathway explain`: plans, and what was counted."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
import xml.etree.ElementTree
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import pathway as pw

Table = pw.Table[Any]
SVG = "{http://www.w3.org/2000/svg}"

FLIGHTS = """
id | origin | delay
1  | EWR    | 12
2  | JFK    | -3
3  | EWR    | 70
4  | LGA    | 5
"""


def flights() -> Table:
    return pw.debug.table_from_markdown(FLIGHTS)


def late() -> Table:
    rows = flights()
    return rows.filter(rows.delay > 0)


def groups() -> Table:
    rows = late()
    return rows.groupby(rows.origin).reduce(
        rows.origin, n=pw.reducers.count(), worst=pw.reducers.max(rows.delay)
    )


def joined() -> Table:
    rows, counts = late(), groups()
    return rows.join(counts, rows.origin == counts.origin).select(rows.delay, counts.n)


def shared() -> Table:
    rows = late()
    return pw.Table.concat_reindex(
        rows.select(rows.origin), rows.select(rows.origin), rows.select(rows.origin)
    )


def windows() -> Table:
    rows = flights()
    window = pw.temporal.sliding(hop=10, duration=30)
    return rows.windowby(rows.delay, window=window).reduce(
        start=pw.this._pw_window_start, n=pw.reducers.count()
    )


def iterated() -> Table:
    def step(rows: Table) -> dict[str, Table]:
        return {
            "rows": rows.select(rows.origin, delay=pw.if_else(rows.delay < 50, rows.delay + 10, rows.delay))
        }

    result: Table = pw.iterate(step, rows=flights()).rows
    return result


def looked_up() -> Table:
    rows = flights()
    others = rows.select(other=rows.pointer_from(rows.delay))
    return others.select(origin=rows.ix(others.id).origin)


PROGRAMS: list[Callable[[], Table]] = [flights, late, groups, joined, shared, windows, iterated, looked_up]


def operators(plan: list[dict[str, Any]]) -> list[str]:
    return [operator["operator"] for operator in plan]


def one(plan: list[dict[str, Any]], operator: str) -> dict[str, Any]:
    (found,) = [each for each in plan if each["operator"] == operator]
    return found


def test_what_a_plan_says() -> None:
    line = inspect.getsourcelines(late)[1] + 2
    plan = late().explain().to_dict()
    assert plan["version"] == 1
    found = one(plan["before"], "filter")
    assert found["details"] == [{"label": "where", "text": "(delay > 0)"}]
    assert found["place"] == {
        "file": __file__,
        "line": line,
        "function": "late",
        "source": "return rows.filter(rows.delay > 0)",
    }
    assert found["estimate"] == {"least": 0, "most": 4, "how": "not more than its input"}
    assert [(column["name"], column["dtype"]) for column in found["columns"]] == [
        ("origin", "STR"),
        ("delay", "INT"),
    ]
    assert found["universe"] != one(plan["before"], "static")["universe"]
    after = one(plan["after"], "filter")
    assert found["counterparts"] == [after["id"]]
    assert after["counterparts"] == [found["id"]]
    assert after["details"] == found["details"]
    assert after["place"] == found["place"]
    assert after["measured"] is None


def test_names_of_columns_after_rewriting() -> None:
    plan = joined().explain().to_dict()
    join = one(plan["after"], "join")
    assert {"label": "on", "text": "left origin == right origin"} in join["details"]
    group = one(plan["after"], "groupby")
    assert group["ids"] == "hash(origin)"
    assert [column["value"] for column in group["columns"]] == [None, "count()"], "worst is not needed"


def test_equal_parts_are_one_with_all_lines() -> None:
    plan = shared().explain().to_dict()
    assert operators(plan["after"]).count("filter") == 1


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_form_has_every_operator(program: Callable[[], Table]) -> None:
    explanation = program().explain()
    plan = explanation.to_dict()
    assert json.loads(explanation.to_json()) == plan
    text = str(explanation)
    for which in ("before", "after"):
        drawing = explanation.to_svg(plan=which)  # type: ignore[arg-type]
        root = xml.etree.ElementTree.fromstring(drawing)
        drawn = {group.attrib["id"]: group for group in root.findall(f"{SVG}g")}
        dot = explanation.to_dot(plan=which)  # type: ignore[arg-type]
        assert set(drawn) == {operator["id"] for operator in plan[which]}
        for operator in plan[which]:
            mark = "#" if which == "before" else ""
            heading = f"{operator['operator']} {mark}{operator['id']}"
            assert heading in text
            assert f'"{operator["id"]}" [label="{heading}' in dot
            title = drawn[operator["id"]].findtext(f"{SVG}title") or ""
            assert title.startswith(heading)
            for source in operator["inputs"]:
                assert f'"{source}" -> "{operator["id"]}";' in dot


def test_loops() -> None:
    plan = iterated().explain().to_dict()
    assert [loop["id"] for loop in plan["loops"]] == ["loop 1"]
    inside = [operator for operator in plan["after"] if operator["inside"] == "loop 1"]
    assert {"iterated_table", "feedback"} <= {operator["operator"] for operator in inside}
    variable = one(plan["after"], "iterated_table")
    assert one(plan["after"], "feedback")["id"] in variable["inputs"]
    measured = iterated().explain(measure=True).to_dict()
    assert measured["loops"][0]["measured"]["rows_in"] == 4
    assert measured["loops"][0]["measured"]["insertions"] == 4


def test_windows_are_put_together_of_panes() -> None:
    plan = windows().explain().to_dict()
    (details,) = [
        each["text"] for each in one(plan["after"], "groupby")["details"] if each["label"] == "windows"
    ]
    assert "of 3 panes" in details
    assert "every 1" in details
    assert one(plan["after"], "groupby")["estimate"]["most"] == 12, "4 rows, each in 3 windows"


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("program", PROGRAMS)
def test_what_is_counted(program: Callable[[], Table], threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATHWAY_THREADS", str(threads))
    table = program()
    rows = len(pw.debug.table_to_pandas(table))
    plan = table.explain(measure=True).to_dict()
    counted = {operator["id"]: operator["measured"] for operator in plan["after"]}
    last = plan["after"][-1]
    assert counted[last["id"]]["insertions"] - counted[last["id"]]["deletions"] == rows
    for operator in plan["after"]:
        measured, estimate = operator["measured"], operator["estimate"]
        if operator["inside"] is not None:
            assert measured is None
            continue
        assert measured["busy_seconds"] >= 0
        assert measured["errors"] == 0
        there = measured["insertions"] - measured["deletions"]
        assert estimate["least"] <= there
        assert estimate["most"] is None or there <= estimate["most"], operator
        given = [counted[source] for source in operator["inputs"]]
        if given and all(given):
            sent = sum(each["insertions"] + each["deletions"] for each in given)
            assert measured["rows_in"] == sent, operator


def test_groups_are_counted_exactly() -> None:
    plan = groups().explain(measure=True).to_dict()
    found = {
        each["operator"]: (
            each["measured"]["rows_in"],
            each["measured"]["insertions"],
            each["measured"]["deletions"],
        )
        for each in plan["after"]
    }
    assert found == {"static": (0, 4, 0), "filter": (4, 3, 0), "groupby": (3, 2, 0)}
    assert one(plan["after"], "groupby")["measured"]["state_bytes"] > 0


def test_what_is_explained_is_not_run(tmp_path: Path) -> None:
    calls = []

    def call(row: int) -> int:
        calls.append(row)
        return row

    rows = flights()
    out = tmp_path / "out.csv"
    pw.io.csv.write(rows.select(x=pw.apply(call, rows.delay)), out)
    plan = pw.explain().to_dict()
    assert operators(plan["before"]) == ["static", "select", "output"]
    assert not calls
    assert not out.exists()
    measured = pw.explain(measure=True).to_dict()
    assert sorted(calls) == [-3, 5, 12, 70]
    assert out.exists()
    assert one(measured["after"], "output")["measured"]["rows_in"] == 4


def test_several_outputs() -> None:
    rows = late()
    pw.io.null.write(rows, name="one")
    pw.io.null.write(rows.select(rows.delay), name="other")
    rows.select(unused=rows.delay * 2)
    plan = pw.explain().to_dict()
    outputs = [operator for operator in plan["before"] if operator["operator"] == "output"]
    assert [operator["name"] for operator in outputs] == ["one", "other"]
    assert plan["left_out"] == 1
    assert str(pw.explain()).count("filter #2, see above") == 1


def test_sources_are_not_guessed_at(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("a\n1\n2\n")
    rows = pw.io.csv.read(tmp_path / "in.csv", schema=pw.schema_from_types(a=int), mode="static")
    estimate = rows.filter(rows.a > 1).explain().to_dict()["before"][-1]["estimate"]
    assert (estimate["least"], estimate["most"]) == (0, None)
    assert "not known" in str(rows.explain())


def test_tables_with_the_same_row_ids_have_equally_many() -> None:
    rows = flights()
    some = rows.filter(rows.delay > 0)
    back = some.promise_universe_is_equal_to(rows)
    assert back is not None
    estimate = one(some.explain().to_dict()["before"], "filter")["estimate"]
    assert estimate["most"] == 4


def test_forms(monkeypatch: pytest.MonkeyPatch) -> None:
    table = late()
    assert str(table.explain(format="json")) == table.explain().to_json()
    assert str(table.explain(format="dot")) == table.explain().to_dot()
    assert str(table.explain(format="svg")) == table.explain().to_svg() == table.explain()._repr_svg_()
    assert repr(table.explain()) == table.explain().to_text()
    with pytest.raises(Exception, match="format"):
        table.explain(format="pdf")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="before, after"):
        table.explain().to_dot(plan="between")  # type: ignore[arg-type]


# --- the command ----------------------------------------------------------------------------------------

PROGRAM = """\
import sys

import pathway as pw

print("arguments", sys.argv[1:])
rows = pw.io.csv.read("in.csv", schema=pw.schema_from_types(a=int), mode="static")
pw.io.csv.write(rows.filter(rows.a > 1), "out.csv")
pw.run(monitoring_level=pw.MonitoringLevel.NONE)
"""


def explain(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pathway", "explain", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=120, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in.csv").write_text("a\n1\n2\n3\n")
    (tmp_path / "prog.py").write_text(PROGRAM)
    return tmp_path


def test_a_program_is_explained(folder: Path) -> None:
    done = explain("prog.py", "--fast", "x", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "arguments ['--fast', 'x']\n"
    assert "where    (a > 1)" in done.stdout
    assert "prog.py:7" in done.stdout
    assert not (folder / "out.csv").exists()


def test_a_program_is_run_and_counted(folder: Path) -> None:
    done = explain("--run", "--threads", "2", "--format", "json", "prog.py", cwd=folder)
    assert done.returncode == 0, done.stderr
    (plan,) = json.loads(done.stdout)
    counted = [
        (each["operator"], each["measured"]["rows_in"], each["measured"]["insertions"])
        for each in plan["after"]
    ]
    assert counted == [("source", 0, 3), ("filter", 3, 2), ("output", 2, 2)]
    assert (folder / "out.csv").read_text().count("\n") == 3


def test_it_is_written_to_a_file(folder: Path) -> None:
    done = explain("--format", "svg", "--plan", "before", "-o", "plan.svg", "prog.py", cwd=folder)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    root = xml.etree.ElementTree.parse(folder / "plan.svg").getroot()
    assert len(root.findall(f"{SVG}g")) == 3
    done = explain("-o", "nowhere/plan.txt", "prog.py", cwd=folder)
    assert done.returncode == 1
    assert "nowhere/plan.txt cannot be written" in done.stderr


def test_a_program_that_fails(folder: Path) -> None:
    (folder / "prog.py").write_text(PROGRAM + "raise RuntimeError('broken')\n")
    done = explain("prog.py", cwd=folder)
    assert done.returncode == 1
    assert done.stderr.rstrip().endswith("RuntimeError: broken")
    assert "runpy" not in done.stderr
    assert "where    (a > 1)" in done.stdout, "what was to be run before is explained"
    (folder / "prog.py").write_text("raise SystemExit(7)\n")
    assert explain("prog.py", cwd=folder).returncode == 7


def test_a_program_without_outputs(folder: Path) -> None:
    (folder / "prog.py").write_text("import pathway as pw\n")
    done = explain("prog.py", cwd=folder)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "Error: prog.py runs nothing: it has no outputs, and shows no table\n"


def test_a_program_that_does_not_run(folder: Path) -> None:
    (folder / "prog.py").write_text("\n".join(PROGRAM.splitlines()[:-1]))
    done = explain("prog.py", cwd=folder)
    assert done.returncode == 0
    assert "where    (a > 1)" in done.stdout
    assert "prog.py does not call pw.run(); this is what that would run" in done.stderr


def test_several_runs(folder: Path) -> None:
    (folder / "prog.py").write_text(
        "import pathway as pw\n"
        "t = pw.debug.table_from_markdown('a\\n1')\n"
        "pw.debug.compute_and_print(t.select(b=t.a + 1))\n"
        "pw.debug.compute_and_print(t.select(c=t.a + 2))\n"
    )
    done = explain("prog.py", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Run 1 of 2\n")
    assert "\nRun 2 of 2\n" in done.stdout
    done = explain("--format", "json", "--number", "2", "prog.py", cwd=folder)
    (plan,) = json.loads(done.stdout)
    assert "(a + 2)" in json.dumps(plan)
    done = explain("--format", "svg", "prog.py", cwd=folder)
    assert done.returncode == 1
    assert "--number" in done.stderr
    done = explain("--number", "3", "prog.py", cwd=folder)
    assert done.returncode == 1
    assert "there is no number 3" in done.stderr


def test_a_pipeline_is_explained(folder: Path) -> None:
    (folder / "app.yaml").write_text(
        "$from: in.csv\n"
        "rows: !pw.io.csv.read\n"
        "  path: $from\n"
        "  schema: !pw.schema_from_dict {columns: {a: int}}\n"
        "  mode: static\n"
        "out: !pw.io.csv.write {table: $rows, filename: out.csv}\n"
    )
    (folder / "other.csv").write_text("a\n1\n")
    done = explain("app.yaml", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "in.csv" in done.stdout
    assert not (folder / "out.csv").exists()
    done = explain("--run", "--set", "from=other.csv", "--format", "json", "app.yaml", cwd=folder)
    (plan,) = json.loads(done.stdout)
    assert one(plan["after"], "output")["measured"]["rows_in"] == 1
    done = explain("--set", "nothing=1", "app.yaml", cwd=folder)
    assert done.returncode == 1
    assert "$nothing" in done.stderr


def test_mistakes_on_the_command_line(folder: Path) -> None:
    for arguments in (
        ["missing.py"],
        ["in.csv"],
        ["--set", "a=1", "prog.py"],
        ["--format", "pdf", "prog.py"],
    ):
        done = explain(*arguments, cwd=folder)
        assert (done.returncode, done.stdout) == (2, ""), arguments
