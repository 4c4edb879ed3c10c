"""Ctrl-C and SIGTERM: a run ends promptly, whatever it is doing."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator

import pytest

#: Far longer than a run may take to end, far shorter than the programs would go on by themselves.
PATIENCE = 20

PRELUDE = """
import asyncio, os, signal, sys, threading, time
import pathway as pw

def say(*words):
    # One write for one line: workers speak at the same time.
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())

class Idle(pw.io.python.ConnectorSubject):
    def run(self):
        self.next(a=1)
        self.commit()
        time.sleep(600)
    def on_stop(self):
        say("on_stop")

class Busy(Idle):
    def run(self):
        i = 0
        while True:
            self.next(a=i)
            i += 1

def read(subject):
    return pw.io.python.read(subject, schema=pw.schema_from_types(a=int), autocommit_duration_ms=20)

def show(table):
    pw.io.subscribe(
        table,
        on_change=lambda key, row, time, is_addition: say("row", row),
        on_end=lambda: say("on_end"),
    )

def run():
    try:
        pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    except BaseException as error:
        say("raised", type(error).__name__, error)
        raise
    say("returned")
"""

IDLE = "show(read(Idle())); run()"
BUSY = "show(read(Busy())); run()"
FILES = """
os.makedirs(sys.argv[1])
with open(os.path.join(sys.argv[1], "a.txt"), "w") as file:
    file.write("x\\n")
show(pw.io.plaintext.read(sys.argv[1], mode="streaming"))
run()
"""


def udf(body: str, subject: str = "Idle") -> str:
    """A program whose function does this for each row, once it has said that it runs."""
    function = "def f(a: int) -> int:\n    say('row')\n" + textwrap.indent(textwrap.dedent(body), "    ")
    return f"{function}\n    return a\nshow(read({subject}()).select(a=pw.apply(f, pw.this.a)))\nrun()\n"


SLEEPING = udf("time.sleep(600)")
SPINNING = udf("while True:\n    pass")
MANY_CALLS = udf("time.sleep(0.01)", "Busy")
ASYNC = """
async def f(a: int) -> int:
    say("row")
    await asyncio.sleep(600)
    return a
show(read(Idle()).select(a=pw.apply_async(f, pw.this.a)))
run()
"""
FULLY_ASYNC = """
@pw.udf(executor=pw.udfs.fully_async_executor())
async def f(a: int) -> int:
    say("row")
    await asyncio.sleep(600)
    return a
show(read(Idle()).select(a=f(pw.this.a)).await_futures())
run()
"""
CALLBACK = """
def on_change(key, row, time, is_addition):
    say("row")
    while True:
        pass
pw.io.subscribe(read(Idle()), on_change=on_change)
run()
"""
REDUCER = """
@pw.reducers.stateful_many
def forever(state, rows):
    say("row")
    while True:
        pass
show(read(Idle()).reduce(a=forever(pw.this.a)))
run()
"""
CASES = {
    "idle": IDLE,
    "busy": BUSY,
    "files": FILES,
    "sleeping function": SLEEPING,
    "spinning function": SPINNING,
    "many calls": MANY_CALLS,
    "async function": ASYNC,
    "fully async function": FULLY_ASYNC,
    "callback": CALLBACK,
    "reducer": REDUCER,
}


@contextlib.contextmanager
def running(program: str, folder: object = "", threads: int = 1) -> Iterator[subprocess.Popen[str]]:
    """The program, once it has processed its first row."""
    process = subprocess.Popen(
        [sys.executable, "-c", PRELUDE + program, str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PATHWAY_THREADS": str(threads)},
        # The shell may have told background processes to ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler) and None,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("row"), process.communicate(timeout=PATIENCE)[1]
        yield process
    finally:
        process.kill()
        process.communicate()


def finished(process: subprocess.Popen[str]) -> tuple[list[str], str]:
    """What the program printed, and what it wrote to standard error."""
    out, err = process.communicate(timeout=PATIENCE)
    return out.splitlines(), err


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("case", CASES)
def test_an_interrupt_raises_keyboard_interrupt(case: str, threads: int, tmp_path: object) -> None:
    with running(CASES[case], f"{tmp_path}/in", threads) as process:
        process.send_signal(signal.SIGINT)
        out, err = finished(process)
        assert "raised KeyboardInterrupt " in out, err
        assert "on_end" not in out
        assert process.returncode == -signal.SIGINT, err


def test_a_sender_is_told_of_an_interrupt() -> None:
    with running(BUSY) as process:
        process.send_signal(signal.SIGINT)
        out, _ = finished(process)
        assert "on_stop" in out


def test_sigterm_finishes_what_was_read() -> None:
    program = """
class Numbers(Idle):
    def run(self):
        for a in range(1000):
            self.next(a=a)
        say("row")
        while True:
            time.sleep(0.01)
            self.commit()
show(read(Numbers()).reduce(n=pw.reducers.count()))
run()
"""
    with running(program.replace("autocommit_duration_ms=20", "autocommit_duration_ms=None")) as process:
        process.send_signal(signal.SIGTERM)
        out, err = finished(process)
        rows = [line for line in out if line.startswith("row")]
        assert rows[-1] == "row {'n': 1000}", err
        assert {"on_stop", "on_end"} <= set(out)
        assert out[-1] == "raised SystemExit 143"
        assert process.returncode == 143
        assert "WARNING" in err


@pytest.mark.parametrize("case", ["idle", "busy", "files"])
def test_sigterm_ends_sources(case: str, tmp_path: object) -> None:
    with running(CASES[case], f"{tmp_path}/in") as process:
        process.send_signal(signal.SIGTERM)
        out, err = finished(process)
        assert "on_end" in out, err
        assert process.returncode == 143


def test_sigterm_lets_a_call_finish() -> None:
    program = udf("time.sleep(1)\nsay('called')")
    with running(program) as process:
        process.send_signal(signal.SIGTERM)
        out, err = finished(process)
        assert [line for line in out if line != "on_stop"] == [
            "called",
            "row {'a': 1}",
            "on_end",
            "raised SystemExit 143",
        ], err


def test_a_second_sigterm_does_not_wait() -> None:
    with running(SPINNING) as process:
        process.send_signal(signal.SIGTERM)
        assert process.stderr is not None
        lines = iter(process.stderr.readline, "")
        assert any("SIGTERM" in line for line in lines)
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        out, err = finished(process)
        assert time.monotonic() - started < 5
        assert "raised SystemExit 143" in out, err
        assert "on_end" not in out
        assert process.returncode == 143


def test_an_interrupt_after_sigterm_does_not_wait() -> None:
    with running(SPINNING) as process:
        process.send_signal(signal.SIGTERM)
        assert process.stderr is not None
        assert any("SIGTERM" in line for line in iter(process.stderr.readline, ""))
        process.send_signal(signal.SIGINT)
        out, err = finished(process)
        assert "raised KeyboardInterrupt " in out, err


def test_a_handler_of_the_program_is_left_alone() -> None:
    program = "signal.signal(signal.SIGTERM, lambda number, frame: say('mine'))\n" + IDLE
    with running(program) as process:
        process.send_signal(signal.SIGTERM)
        assert process.stdout is not None
        assert process.stdout.readline() == "mine\n"
        process.send_signal(signal.SIGINT)
        out, _ = finished(process)
        assert "raised KeyboardInterrupt " in out


def test_the_disposition_is_restored() -> None:
    program = """
try:
    show(read(Idle()))
    run()
except SystemExit:
    say("restored", signal.getsignal(signal.SIGTERM) is signal.SIG_DFL)
"""
    with running(program) as process:
        process.send_signal(signal.SIGTERM)
        out, _ = finished(process)
        assert out[-1] == "restored True"
        assert process.returncode == 0


def test_runs_in_other_threads_get_no_signal() -> None:
    program = """
def in_thread():
    class Short(Idle):
        def run(self):
            self.next(a=1)
            go_on.wait()
    show(read(Short()))
    run()
    done.set()
go_on, done = threading.Event(), threading.Event()
threading.Thread(target=in_thread).start()
try:
    done.wait()
except KeyboardInterrupt:
    say("main was interrupted")
    go_on.set()
    done.wait()
"""
    with running(program) as process:
        process.send_signal(signal.SIGINT)
        out, err = finished(process)
        assert out[0] == "main was interrupted", err
        assert out[-1] == "returned", err
