"""`pathway explain --url`: a run that goes on tells what it computes, and what it has counted so far."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
import xml.etree.ElementTree
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import pathway as pw
from looking import Stepwise, ask, looking
from spawning import PATIENCE

QUIET = pw.MonitoringLevel.NONE
SVG = "{http://www.w3.org/2000/svg}"
TOKEN = "PATHWAY_MONITORING_HTTP_TOKEN"


def run(look: Callable[[Stepwise], None]) -> None:
    """Runs a filter and a group-by of the numbers, while somebody looks."""
    with looking(look) as numbers:
        even = numbers.filter(pw.this.n % 2 == 0)
        sums = even.groupby(pw.this.n).reduce(pw.this.n, times=pw.reducers.count())
        pw.io.null.write(sums, name="sums")
        pw.run(monitoring_level=QUIET, with_http_server=True)


def explain(*arguments: str, token: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != TOKEN}
    if token is not None:
        environment[TOKEN] = token
    command = [sys.executable, "-m", "pathway", "explain", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, env=environment, timeout=PATIENCE, check=False
    )


def counted(plan: dict[str, Any]) -> dict[str, tuple[int, int, int]]:
    """Rows that came, rows added and rows removed, by the operator; nothing of those not counted yet."""
    return {
        each["operator"]: tuple(each["measured"][name] for name in ("rows_in", "insertions", "deletions"))
        for each in plan["after"]
        if each["measured"] is not None
    }


def until(port: int, expected: dict[str, tuple[int, int, int]]) -> dict[str, Any]:
    """The plan once that was counted."""
    deadline = time.monotonic() + PATIENCE
    while True:
        kind, text = ask(port, "/explain?format=json")
        assert kind == "application/json"
        plan: dict[str, Any] = json.loads(text)
        if counted(plan) == expected:
            return plan
        assert time.monotonic() < deadline, counted(plan)
        time.sleep(0.02)


#: What was counted when 1, 2, 4 and 2 have come.
FIRST = {
    "source": (0, 4, 0),
    "filter": (4, 3, 0),
    "groupby": (3, 2, 0),
    "output": (2, 2, 0),
}


@pytest.mark.parametrize("threads", [1, 3])
def test_a_run_tells_what_it_has_counted(port: int, threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATHWAY_THREADS", str(threads))

    def look(subject: Stepwise) -> None:
        subject.give(1, 2, 4, 2)
        plan = until(port, FIRST)
        assert [each["operator"] for each in plan["before"]] == [
            "source",
            "filter",
            "groupby",
            "select",
            "output",
        ]
        (group,) = [each for each in plan["after"] if each["operator"] == "groupby"]
        assert group["measured"]["state_bytes"] > 0
        assert group["measured"]["busy_seconds"] > 0
        assert group["place"]["file"] == __file__
        subject.give(4, 5)
        until(
            port,
            {"source": (0, 6, 0), "filter": (6, 4, 0), "groupby": (4, 3, 1), "output": (4, 3, 1)},
        )

    run(look)


def test_the_forms_that_a_run_answers_in(port: int) -> None:
    def look(subject: Stepwise) -> None:
        subject.give(1, 2, 4, 2)
        until(port, FIRST)
        kind, text = ask(port, "/explain")
        assert kind == "text/plain; charset=utf-8"
        assert text.startswith("Before rewriting: 5 operators\n")
        assert "counted  4 in, +3 -0 out, " in text
        kind, drawing = ask(port, "/explain?format=svg")
        assert kind == "image/svg+xml"
        assert len(xml.etree.ElementTree.fromstring(drawing).findall(f"{SVG}g")) == 4
        kind, drawing = ask(port, "/explain?format=svg&plan=before")
        assert len(xml.etree.ElementTree.fromstring(drawing).findall(f"{SVG}g")) == 5
        kind, dot = ask(port, "/explain?format=dot&plan=before")
        assert kind == "text/vnd.graphviz; charset=utf-8"
        assert dot.startswith("digraph before {\n")
        for query in ("format=pdf", "plan=between"):
            with pytest.raises(urllib.error.HTTPError) as refused:
                ask(port, f"/explain?{query}")
            with refused.value as answer:
                assert answer.code == 400
                assert "unknown variant" in answer.read().decode()

    run(look)


def test_the_command_asks_a_run(port: int, tmp_path: Path) -> None:
    def look(subject: Stepwise) -> None:
        subject.give(1, 2, 4, 2)
        until(port, FIRST)
        for url in (f"http://127.0.0.1:{port}", f"http://127.0.0.1:{port}/", f"127.0.0.1:{port}"):
            done = explain("--url", url)
            assert (done.returncode, done.stderr) == (0, "")
            assert "counted  4 in, +3 -0 out, " in done.stdout
        done = explain("--url", url, "--format", "json")
        (plan,) = json.loads(done.stdout)
        assert counted(plan) == FIRST
        file = tmp_path / "plan.svg"
        done = explain("--url", url, "--format", "svg", "--plan", "before", "-o", str(file))
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert len(xml.etree.ElementTree.parse(file).getroot().findall(f"{SVG}g")) == 5

    run(look)
    done = explain("--url", f"http://127.0.0.1:{port}")
    assert (done.returncode, done.stdout) == (1, "")
    assert f"http://127.0.0.1:{port} does not answer: " in done.stderr, "the run has ended"


def test_a_run_that_wants_a_token(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN, "sesame")
    url = f"http://127.0.0.1:{port}"

    def look(subject: Stepwise) -> None:
        for token in (None, "wrong"):
            done = explain("--url", url, token=token)
            assert (done.returncode, done.stdout) == (1, "")
            assert f"{url} answers 401: a token is needed" in done.stderr
        for done in (explain("--url", url, token="sesame"), explain("--token", "sesame", "--url", url)):
            assert done.returncode == 0, done.stderr
            assert "filter s1.0" in done.stdout

    run(look)


def test_mistakes_in_the_address() -> None:
    for url in ("ftp://127.0.0.1", "http://", "", "http://[half", "http://127.0.0.1:99999", "http://:1"):
        done = explain("--url", url)
        assert (done.returncode, done.stdout) == (1, ""), url
        assert "is no address of a run" in done.stderr, url
    for arguments in (
        [],
        ["--url", "http://127.0.0.1:1", __file__],
        ["--url", "http://127.0.0.1:1", "--run"],
        ["--url", "http://127.0.0.1:1", "--threads", "2"],
        ["--url", "http://127.0.0.1:1", "--number", "1"],
        ["--url", "http://127.0.0.1:1", "--set", "a=1"],
    ):
        done = explain(*arguments)
        assert (done.returncode, done.stdout) == (2, ""), arguments
