"""What a person sees of a run at a terminal, in a notebook, and elsewhere."""

from __future__ import annotations

import logging
import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

import pathway as pw
from ports import free_ports
from terminal import Terminal, at_terminal

#: Sources wait for files, so that a test decides how far they are.
PRELUDE = """
import logging, os, sys, time
import pathway as pw

def wait_for(file):
    while not os.path.exists(file):
        time.sleep(0.01)

class Numbers(pw.io.python.ConnectorSubject):
    def run(self):
        for i in range(20):
            self.next(n=i)
        self.commit()
        wait_for("more")
        for i in (20, 22):
            self.next(n=i)
        self.commit()
        wait_for("end")

class Names(pw.io.python.ConnectorSubject):
    def run(self):
        for name in "abc":
            self.next(name=name)

numbers = pw.io.python.read(
    Numbers(), schema=pw.schema_from_types(n=int), autocommit_duration_ms=None, name="numbers"
)
names = pw.io.python.read(Names(), schema=pw.schema_from_types(name=str), name="names")
"""
SUMS = (
    PRELUDE
    + """
even = numbers.filter(pw.this.n % 2 == 0)
thirds = even.select(third=pw.this.n % 4 * (pw.this.n // 20 + 1))
sums = thirds.groupby(pw.this.third).reduce(pw.this.third, n=pw.reducers.count())
pw.io.null.write(names)
"""
)
ALL = SUMS + "pw.io.null.write(sums)\npw.run(monitoring_level=pw.MonitoringLevel.ALL)\n"
#: What switches to the second screen of a terminal and back, and hides and shows the cursor.
ENTER, LEAVE, HIDE, SHOW = b"\x1b[?1049h", b"\x1b[?1049l", b"\x1b[?25l", b"\x1b[?25h"


def cells(line: str) -> list[str]:
    """The words of a line without borders."""
    return line.replace("│", " ").split()


def is_restored(terminal: Terminal) -> None:
    written = terminal.written
    assert written.count(ENTER) == written.count(LEAVE) == 1
    assert written.index(ENTER) < written.index(LEAVE)
    assert written.rindex(HIDE) < written.rindex(SHOW)
    assert not terminal.screen.cursor.hidden


def goes_on(folder: Path) -> None:
    (folder / "more").touch()
    (folder / "end").touch()


def test_the_view_follows_the_run(tmp_path: Path) -> None:
    with at_terminal(tmp_path, ALL) as terminal:
        terminal.until(lambda: terminal.has("_reduce", "  2  ") and terminal.has("names", "finished"))
        assert "PATHWAY PROGRESS DASHBOARD" in terminal.lines()[0]
        assert terminal.has("LOGS")
        assert terminal.has("INFO", "Preparing Pathway computation")
        assert cells(terminal.line("numbers"))[:4] == ["numbers", "20", "20", "20"]
        assert cells(terminal.line("names"))[:4] == ["names", "finished", "3", "3"]
        for label, numbers in [("filter", ["10", "10"]), ("select", ["10", "10"]), ("_reduce", ["2", "2"])]:
            line = cells(terminal.line(label, "program.py:"))
            assert line[-2:] == numbers
            assert line[-4].isdigit(), "latency"
        # The line of the user's program stands beside what the operator does.
        assert f"program.py:{ALL.splitlines().index(SUM_LINE) + 1}" in terminal.line("_reduce")
        (tmp_path / "more").touch()
        terminal.until(lambda: terminal.has("numbers", "22"))
        terminal.until(lambda: cells(terminal.line("_reduce"))[-2:] == ["5", "3"])
        assert cells(terminal.line("numbers"))[:4] == ["numbers", "2", "22", "22"]
        (tmp_path / "end").touch()
        assert terminal.end() == 0
        is_restored(terminal)
        # The last state stays.
        assert terminal.has("PATHWAY PROGRESS DASHBOARD")
        assert cells(terminal.line("│ numbers"))[:4] == ["numbers", "finished", "22", "22"]
        assert cells(terminal.line("_reduce"))[-4:] == ["finished", "finished", "5", "3"]
        assert cells(terminal.line("output"))[-3:] == ["finished", "finished", "8"]


SUM_LINE = "sums = thirds.groupby(pw.this.third).reduce(pw.this.third, n=pw.reducers.count())"


@pytest.mark.parametrize(
    ("level", "operators"), [("AUTO", False), ("IN_OUT", False), ("AUTO_ALL", True), ("ALL", True)]
)
def test_automatic_levels(tmp_path: Path, level: str, operators: bool) -> None:
    program = SUMS + f"pw.io.null.write(sums)\npw.run(monitoring_level=pw.MonitoringLevel.{level})\n"
    goes_on(tmp_path)
    with at_terminal(tmp_path, program) as terminal:
        assert terminal.end() == 0
        assert terminal.has("PATHWAY PROGRESS DASHBOARD")
        assert terminal.has("_reduce") is operators
        assert terminal.has("output", "finished")


def test_without_a_level_nothing_is_drawn(tmp_path: Path) -> None:
    program = SUMS + "pw.io.null.write(sums)\npw.run(monitoring_level=pw.MonitoringLevel.NONE)\n"
    goes_on(tmp_path)
    with at_terminal(tmp_path, program) as terminal:
        assert terminal.end() == 0
        assert ENTER not in terminal.written
        assert b"DASHBOARD" not in terminal.written
        assert re.search(rb"\]:INFO:Preparing Pathway computation", terminal.written)


def test_what_is_logged_and_printed_has_its_place(tmp_path: Path) -> None:
    program = (
        PRELUDE
        + """
logging.basicConfig(format="beside the view: %(message)s")
def on_change(key, row, time, is_addition):
    if row["n"] == 3:
        print("printed", row["n"])
        sys.stdout.buffer.write(b"some bytes\\n")
        logging.getLogger("mine").warning("two\\nlines of %s", "log")
        try:
            1 / 0
        except ZeroDivisionError:
            logging.exception("failed")
pw.io.subscribe(numbers, on_change)
pw.run()
print("after")
logging.warning("the end")
"""
    )
    with at_terminal(tmp_path, program) as terminal:
        terminal.until(lambda: terminal.has("ZeroDivisionError: division by zero"))
        assert terminal.has("printed 3")
        assert terminal.has("some bytes")
        assert "WARNING" in terminal.line("two")
        assert terminal.has("lines of log")
        assert "ERROR" in terminal.line("failed")
        assert b"beside the view" not in terminal.written
        goes_on(tmp_path)
        assert terminal.end() == 0
        is_restored(terminal)
        after = written_after(terminal)
        # It is there for good, and printing and logging are as they were.
        lines = ["printed 3", "some bytes", "beside the view: two", "lines of log", "beside the view: failed"]
        assert "\n".join([*lines, "Traceback (most recent call last)"]) in after
        assert after.index("numbers: Closing the data source") < after.index("DASHBOARD")
        assert after.endswith("after\nbeside the view: the end\n")
        assert "LOGS" not in after


def written_after(terminal: Terminal) -> str:
    """What was written when the view was gone."""
    return terminal.written[terminal.written.index(LEAVE) :].decode().replace("\r\n", "\n")


def test_nothing_that_would_be_at_the_terminal_is_lost(tmp_path: Path) -> None:
    program = (
        PRELUDE
        + """
import threading
mine = logging.getLogger("mine")
mine.propagate = False
mine.addHandler(logging.StreamHandler())

def speak(thread):
    for line in range(300):
        sys.stdout.write(f"thread {thread} line {line}\\n")

def on_change(key, row, time, is_addition):
    global held
    if row["n"] == 3:
        threads = [threading.Thread(target=speak, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        held = sys.stdout
        mine.warning("of a logger of its own")
        sys.stderr.write("10 %\\r100 %\\n")
        sys.stdout.write("without an end")
pw.io.subscribe(numbers, on_change)
pw.run()
held.write("held on to\\n")
"""
    )
    goes_on(tmp_path)
    with at_terminal(tmp_path, program) as terminal:
        assert terminal.end() == 0
        after = written_after(terminal)
        said = [line for line in after.splitlines() if line.startswith("thread")]
        assert sorted(said) == sorted(
            f"thread {thread} line {line}" for thread in range(8) for line in range(300)
        )
        assert "of a logger of its own\n10 %\r100 %\n" in after
        assert re.search("^without an end", after, re.MULTILINE)
        assert re.search(r"\]:INFO:numbers: \d+ entries", after)
        assert after.endswith("held on to\n")


def test_the_last_of_many_lines_are_kept(tmp_path: Path) -> None:
    program = """
    import pathway as pw
    numbers = pw.debug.table_from_markdown("n\\n1")
    def on_change(key, row, time, is_addition):
        for number in range(10_100):
            print("number", number)
    pw.io.subscribe(numbers, on_change)
    pw.run(default_logging=False)
    """
    with at_terminal(tmp_path, program) as terminal:
        assert terminal.end() == 0
        after = written_after(terminal)
        assert "... (100 lines before these are left out)\nnumber 100\nnumber 101\n" in after
        assert "number 10099\n" in after


def test_a_terminal_may_change_its_size(tmp_path: Path) -> None:
    with at_terminal(tmp_path, ALL) as terminal:
        terminal.until(lambda: terminal.has("_reduce", "  2  "))
        assert "connector" in terminal.line("operator"), "beside each other"
        terminal.resize(34, 80)
        terminal.until(lambda: terminal.has("LOGS") and terminal.has("_reduce") and terminal.has("numbers"))
        terminal.until(lambda: len(terminal.lines()) == 34 and terminal.lines()[-1].startswith("└"))
        assert "connector" not in terminal.line("operator"), "below each other"
        terminal.resize(14, 140)
        terminal.until(lambda: terminal.has("LOGS") and terminal.has(" ... ") and terminal.has("output"))
        assert not terminal.has("_reduce")
        goes_on(tmp_path)
        assert terminal.end() == 0
        is_restored(terminal)


@pytest.mark.parametrize(
    ("failing", "error"),
    [
        ("pw.io.null.write(numbers.select(m=1 // (pw.this.n - 3)))", "ZeroDivisionError"),
        ("pw.io.subscribe(numbers, lambda key, row, time, is_addition: [][1])", "IndexError"),
    ],
)
def test_a_failure_leaves_the_terminal_as_it_was(tmp_path: Path, failing: str, error: str) -> None:
    with at_terminal(tmp_path, f"{PRELUDE}\n{failing}\npw.run()\n", rows=60) as terminal:
        assert terminal.end() == 1
        is_restored(terminal)
        assert terminal.has("PATHWAY PROGRESS DASHBOARD")
        after = written_after(terminal)
        assert "Traceback (most recent call last)" in after
        assert error in after


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_leaves_the_terminal_as_it_was(tmp_path: Path, number: signal.Signals) -> None:
    with at_terminal(tmp_path, ALL) as terminal:
        terminal.until(lambda: terminal.has("_reduce", "  2  "))
        if number == signal.SIGINT:
            # The key works as always.
            terminal.type("\x03")
        else:
            os.kill(terminal.process.pid, number)
        code = terminal.end()
        assert code in ((143,) if number == signal.SIGTERM else (130, 1, -2))
        is_restored(terminal)
        assert terminal.has("PATHWAY PROGRESS DASHBOARD")


def test_what_is_typed_does_not_disturb_the_view(tmp_path: Path) -> None:
    with at_terminal(tmp_path, ALL) as terminal:
        terminal.until(lambda: terminal.has("_reduce", "  2  "))
        assert not terminal.echoes()
        terminal.type("typed\n\n\n")
        (tmp_path / "more").touch()
        terminal.until(lambda: terminal.has("numbers", "22"))
        assert "PATHWAY PROGRESS DASHBOARD" in terminal.lines()[0]
        assert b"typed" not in terminal.written
        (tmp_path / "end").touch()
        assert terminal.end() == 0
        assert terminal.echoes()


def test_a_program_that_was_stopped_draws_anew(tmp_path: Path) -> None:
    with at_terminal(tmp_path, ALL) as terminal:
        terminal.until(lambda: terminal.has("_reduce", "  2  "))
        os.kill(terminal.process.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, terminal.process.pid, os.WSTOPPED)
        terminal.disturb("\x1b[5;1Hthe prompt of a shell\x1b[?25h")
        # Longer than the view lets a terminal wait.
        time.sleep(2.5)
        assert terminal.has("the prompt of a shell")
        os.kill(terminal.process.pid, signal.SIGCONT)
        terminal.until(lambda: not terminal.has("the prompt of a shell") and terminal.has("_reduce"))
        assert terminal.screen.cursor.hidden
        goes_on(tmp_path)
        assert terminal.end() == 0
        is_restored(terminal)


@pytest.mark.parametrize(
    ("command", "variables"),
    [
        # The shell has the terminal.
        ('set -m; "$0" program.py & wait $!', {}),
        # It cannot move the cursor.
        ('exec "$0" program.py', {"TERM": "dumb"}),
        ('"$0" program.py | cat', {}),
    ],
)
def test_terminals_that_cannot_have_the_view(tmp_path: Path, command: str, variables: dict[str, str]) -> None:
    goes_on(tmp_path)
    with at_terminal(tmp_path, SUMS + "pw.io.null.write(sums)\npw.run()\n", command, **variables) as terminal:
        assert terminal.end() == 0
        assert b"DASHBOARD" not in terminal.written
        assert b"\x1b" not in terminal.written
        assert re.search(rb"\]:INFO:Preparing Pathway computation", terminal.written)


@pytest.mark.parametrize("colored", [True, False])
def test_colors(tmp_path: Path, colored: bool) -> None:
    with at_terminal(tmp_path, ALL, NO_COLOR="" if colored else "1") as terminal:
        terminal.until(lambda: terminal.has("names: Closing the data source"))
        line = terminal.lines().index(terminal.line("names: Closing the data source"))
        column = terminal.lines()[line].index("WARNING")
        assert (terminal.screen.buffer[line][column].fg != "default") is colored
        assert terminal.screen.buffer[0][terminal.lines()[0].index("PROGRESS")].bold
        goes_on(tmp_path)
        assert terminal.end() == 0


def test_a_run_that_does_not_begin_has_no_view(tmp_path: Path) -> None:
    program = PRELUDE + "pw.io.null.write(numbers)\npw.run(with_http_server=True)\n"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        with at_terminal(tmp_path, program, PATHWAY_MONITORING_HTTP_PORT=port) as terminal:
            assert terminal.end() == 1
            assert b"DASHBOARD" not in terminal.written
            assert b"OSError" in terminal.written
            assert terminal.written.count(b"Preparing Pathway computation") == 1


def test_other_processes_are_silent(tmp_path: Path) -> None:
    program = (
        PRELUDE
        + """
def shout(n):
    os.write(1, b"SHOUTED\\n")
    return n
if os.environ["PATHWAY_PROCESS_ID"] == "1":
    logging.basicConfig(level=logging.INFO, format="OTHER %(message)s")
pw.io.null.write(numbers.select(m=pw.this.n + 1))
pw.run()
if os.environ["PATHWAY_PROCESS_ID"] == "1":
    print("it speaks again")
"""
    )
    (tmp_path / "child.py").write_text(program)
    starter = f"""
import sys
from pathway.cli import main
main(["spawn", "--processes", "2", "--first-port", "{free_ports(2)}", sys.executable, "child.py"])
"""
    with at_terminal(tmp_path, starter) as terminal:
        terminal.until(lambda: terminal.has("numbers", "20"))
        goes_on(tmp_path)
        assert terminal.end() == 0
        assert b"OTHER" not in terminal.written
        assert b"it speaks again" in terminal.written
        assert terminal.written.count(ENTER) == 1


def run(folder: Path, options: str) -> subprocess.CompletedProcess[str]:
    goes_on(folder)
    (folder / "program.py").write_text(f"{SUMS}\npw.io.null.write(sums)\npw.run({options})\n")
    command = [sys.executable, "program.py"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)


@pytest.mark.parametrize("level", ["AUTO", "AUTO_ALL"])
def test_without_a_terminal_automatic_is_none(tmp_path: Path, level: str) -> None:
    done = run(tmp_path, f"monitoring_level=pw.MonitoringLevel.{level}")
    assert done.stdout == ""
    assert "latency" not in done.stderr
    assert "INFO:Preparing Pathway computation" in done.stderr
    assert "INFO" not in run(tmp_path, "default_logging=False").stderr


def test_without_a_terminal_there_are_lines(tmp_path: Path) -> None:
    done = run(tmp_path, "monitoring_level=pw.MonitoringLevel.ALL")
    assert done.stdout == ""
    line = ALL.splitlines().index(SUM_LINE) + 1
    for text in [
        "INFO:numbers: 22 messages, 22 in the last minute, finished",
        "INFO:names: 3 messages, 3 in the last minute, finished",
        f"INFO:_reduce (program.py:{line}): latency finished, 5 rows, 3 rows now",
        "INFO:output: latency finished, 8 rows",
    ]:
        assert text in done.stderr
    assert "\x1b" not in done.stderr
    some = run(tmp_path, "monitoring_level=pw.MonitoringLevel.IN_OUT").stderr
    assert "INFO:output: latency finished, 8 rows" in some
    assert "_reduce" not in some


def test_errors_of_standard_error_that_is_a_file_are_there(tmp_path: Path) -> None:
    program = "import sys\nsys.stderr = open('log', 'w', buffering=1)\n" + textwrap.dedent(ALL)
    with at_terminal(tmp_path, program) as terminal:
        terminal.until(lambda: terminal.has("INFO", "Preparing Pathway computation"))
        goes_on(tmp_path)
        assert terminal.end() == 0
        assert "Preparing Pathway computation" not in written_after(terminal)
    assert "INFO:Preparing Pathway computation" in (tmp_path / "log").read_text()


def test_notebooks_have_a_picture(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    pictures: list[str] = []

    class Handle:
        def update(self, picture: dict[str, str], raw: bool) -> None:
            assert raw
            pictures.append(picture["text/plain"])

    def display(picture: dict[str, str], raw: bool, display_id: bool) -> Handle:
        assert raw
        assert display_id
        pictures.append(picture["text/plain"])
        return Handle()

    ipython: Any = ModuleType("IPython")
    ipython.get_ipython = lambda: SimpleNamespace(kernel=object())
    ipython.display = SimpleNamespace(display=display)
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    t = pw.debug.table_from_markdown("a\n1\n2")
    pw.io.null.write(t.groupby(t.a).reduce(t.a))
    with caplog.at_level(logging.INFO):
        pw.run(monitoring_level=pw.MonitoringLevel.AUTO_ALL)
    assert "initializing" in pictures[0]
    assert all("PATHWAY PROGRESS DASHBOARD" in picture for picture in pictures)
    last = pictures[-1].splitlines()
    reduced = next(line for line in last if "_reduce" in line)
    assert cells(reduced)[-4:] == ["finished", "finished", "2", "2"]
    assert any("Preparing Pathway computation" in line for line in last)
