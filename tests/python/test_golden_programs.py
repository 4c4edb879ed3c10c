"""Programs print what they printed when their output was recorded beside them.

`python tests/python/test_golden_programs.py` records the outputs anew; read the difference before
committing it. The programs were compared with Pathway 0.33, whose output differs only where
`docs/differences.md` says so.
"""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest

FOLDER = pathlib.Path(__file__).parent / "golden_programs"
#: Files with a program, or with several of them that print a block each (`blocks.py`).
PROGRAMS = sorted(path for path in FOLDER.glob("*.py") if path.name != "blocks.py")


def output_of(program: pathlib.Path, threads: int = 1) -> str:
    """What a program prints."""
    environment = {**os.environ, "PATHWAY_THREADS": str(threads)}
    environment.pop("OUT", None)
    done = subprocess.run(
        [sys.executable, str(program)],
        capture_output=True,
        text=True,
        timeout=120,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.stem)
def test_output(program: pathlib.Path, threads: int) -> None:
    assert output_of(program, threads) == program.with_suffix(".out").read_text(encoding="utf-8")


def test_programs_run_to_their_ends() -> None:
    blocks = [line for path in PROGRAMS for line in _lines(path) if line.startswith("== ")]
    assert len(blocks) == len(set(blocks))
    assert not [line for path in PROGRAMS for line in _lines(path) if line.startswith("ends with ")]


def _lines(program: pathlib.Path) -> list[str]:
    return program.with_suffix(".out").read_text(encoding="utf-8").splitlines()


if __name__ == "__main__":
    for path in PROGRAMS:
        path.with_suffix(".out").write_text(output_of(path), encoding="utf-8")
