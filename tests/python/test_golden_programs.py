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
PROGRAMS = sorted(FOLDER.glob("*.py"))


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


if __name__ == "__main__":
    for path in PROGRAMS:
        path.with_suffix(".out").write_text(output_of(path), encoding="utf-8")
