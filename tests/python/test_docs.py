"""The prose is kept true: snippets run, printed outputs are compared, links and paths exist.

A fenced block marked `python` is a program of its own; `python continued` goes on where the blocks before it
in the same document ended; anything else (`python sketch`) is not run. A block marked `output` right after a
program is what it prints. `sh run` is a script with the `pathway` command. Files that a program reads are in
comments before it, which the page does not show, or in blocks marked with their names (`yaml app.yaml`,
`python prog.py`):

    <!-- file: folder/name.csv
    a,b
    1,2
    -->
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent

DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "bench/*.md", "examples/**/*.md", "tests/**/README.md")
    for path in ROOT.glob(pattern)
)

_FENCE = re.compile(r"^```(.*)$")
_LINK = re.compile(r"\[[^\]]+\]\(([^)#\s]+)(?:#[^)]*)?\)")
_PATH = re.compile(r"`((?:crates|python|tests|bench|docs|examples)/[\w./-]+)`")


@dataclass
class Program:
    document: Path
    line: int
    text: str
    files: dict[str, str] = field(default_factory=dict)
    output: str | None = None
    is_script: bool = False

    @property
    def name(self) -> str:
        return f"{self.document.relative_to(ROOT)}:{self.line}"


def programs(document: Path) -> list[Program]:
    """The programs of a document."""
    lines = document.read_text(encoding="utf-8").splitlines()
    found: list[Program] = []
    files: dict[str, str] = {}
    position, last_end = 0, -10
    while position < len(lines):
        line = lines[position]
        if match := re.match(r"^<!-- file: (\S+)$", line):
            end = lines.index("-->", position)
            files[match[1]] = "\n".join(lines[position + 1 : end]) + "\n"
            position = end
        elif match := _FENCE.match(line):
            end = lines.index("```", position + 1)
            body, info = "\n".join(lines[position + 1 : end]) + "\n", match[1].strip()
            if info in ("python", "python continued"):
                before = found[-1].text + "\n" if info == "python continued" and found else ""
                found.append(Program(document, position + 1, before + body, dict(files)))
            elif info == "sh run":
                found.append(Program(document, position + 1, body, dict(files), is_script=True))
            elif match := re.match(r"^(?:yaml|python) (\S+\.\w+)$", info):
                files[match[1]] = body
            elif info == "output" and found and position - last_end <= 3:
                found[-1].output = body
            position = last_end = end
        position += 1
    return found


PROGRAMS = [program for document in DOCUMENTS for program in programs(document)]


@pytest.mark.parametrize("program", PROGRAMS, ids=[program.name for program in PROGRAMS])
def test_snippet_runs(program: Program, tmp_path: Path) -> None:
    for name, content in program.files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content, encoding="utf-8")
    command, environment = [sys.executable, "snippet.py"], dict(os.environ)
    if program.is_script:
        command = ["sh", "-e", "snippet.py"]
        (tmp_path / ".bin").mkdir()
        (tmp_path / ".bin" / "pathway").write_text(f'#!/bin/sh\nexec {sys.executable} -m pathway "$@"\n')
        (tmp_path / ".bin" / "pathway").chmod(0o755)
        paths = [str(tmp_path / ".bin"), os.path.dirname(sys.executable), environment["PATH"]]
        environment["PATH"] = os.pathsep.join(paths)
    (tmp_path / "snippet.py").write_text(program.text, encoding="utf-8")
    done = subprocess.run(
        command,
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, f"{program.name}\n{done.stderr}"
    if program.output is not None:
        assert done.stdout == program.output, program.name


@pytest.mark.parametrize("document", DOCUMENTS, ids=[str(path.relative_to(ROOT)) for path in DOCUMENTS])
def test_links_and_paths_exist(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    missing = [
        target
        for target in _LINK.findall(text)
        if "://" not in target and not (document.parent / target).exists()
    ]
    missing += [
        target
        for target in _PATH.findall(text)
        if not (ROOT / target).exists() and not target.endswith(("/data", "/data/", "/out", "/out/"))
    ]
    assert not missing, f"{document.relative_to(ROOT)} names what is not there: {missing}"


def test_there_are_documents_and_programs() -> None:
    names = {str(path.relative_to(ROOT)) for path in DOCUMENTS}
    assert {"README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "docs/differences.md"} <= names
    assert any(program.document.name == "README.md" for program in PROGRAMS)
