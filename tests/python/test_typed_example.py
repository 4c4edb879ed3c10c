"""The typed example passes mypy in strict mode, runs, and leaves no public class out."""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys

PROGRAM = pathlib.Path(__file__).parent.parent.parent / "examples" / "typed" / "shop.py"
CLASSES = """
AsyncTransformer BaseCustomAccumulator ColumnExpression ColumnReference DateTimeNaive DateTimeUtc Duration
GroupedJoinResult GroupedTable Joinable JoinResult JoinMode Json MonitoringLevel Pointer PyObjectWrapper
Schema SchemaProperties Table TableLike TableSlice Type UDF
"""


def test_it_names_every_public_class() -> None:
    text = PROGRAM.read_text(encoding="utf-8")
    assert set(CLASSES.split()) <= set(re.findall(r"\bpw\.(\w+)", text))


def test_it_is_typed() -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", str(PROGRAM)],
        capture_output=True,
        text=True,
        check=False,
        cwd=PROGRAM.parent.parent.parent,
    )
    assert checked.returncode == 0, checked.stdout


def test_it_runs() -> None:
    done = subprocess.run([sys.executable, str(PROGRAM)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "A    | 7.0" in done.stdout
    assert done.stdout.splitlines()[-3:] == ["#nut", "#tea", "#tea"]
