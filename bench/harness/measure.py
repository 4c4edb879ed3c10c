"""One measurement: a fresh process, pinned to as many cores as it has threads, with its peak memory."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from .engines import Engine
from .jobs import Done, Job

CHILD = Path(__file__).resolve().parent / "child.py"


@dataclass
class Sample:
    """What one process did."""

    figures: dict[str, float]
    peak_mb: float
    cpu_seconds: float
    wall_seconds: float
    #: share of the machine that other processes used meanwhile: if high, the time is not to be trusted
    foreign_load: float


class ProgramFailed(Exception):
    """The process ended with an error or took too long; the text is the end of what it printed."""


def _busy_seconds() -> float:
    """CPU seconds spent by the whole machine since it started."""
    with open("/proc/stat") as stat:
        fields = [int(value) for value in stat.readline().split()[1:]]
    busy = sum(fields[:3]) + sum(fields[5:8])
    return busy / os.sysconf("SC_CLK_TCK")


def cores() -> list[int]:
    """Cores that this process may use."""
    return sorted(os.sched_getaffinity(0))


def run_once(
    job: Job,
    engine: Engine,
    threads: int,
    inputs: Path,
    output: Path,
    limit_s: float,
    port: int | None = None,
) -> Sample:
    """Runs the job once; `output` is emptied before. `port` is that of its service."""
    program = job.program(engine.name)
    if program is None:
        raise ProgramFailed(f"{job.name} has no program for {engine.name}")
    available = cores()
    if threads > len(available):
        raise ProgramFailed(f"{threads} threads need {threads} cores, {len(available)} are there")
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    if port is not None and job.prepare is not None:
        job.prepare(port, inputs)
    pinned = ",".join(str(core) for core in available[-threads:])
    with tempfile.TemporaryDirectory() as scratch:
        report, log = Path(scratch) / "report.json", Path(scratch) / "log"
        command = ["taskset", "-c", pinned, str(engine.python), str(CHILD)]
        command += [str(program), str(inputs), str(output), str(report)]
        environment = {**os.environ, **engine.environment(threads), "BENCH_PORT": str(port or "")}
        busy, started = _busy_seconds(), time.perf_counter()
        with open(log, "wb") as sink:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, env=environment, cwd=scratch
            )
            timer = threading.Timer(limit_s, process.send_signal, [signal.SIGKILL])
            timer.start()
            _, status, usage = os.wait4(process.pid, 0)
            timer.cancel()
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        cpu = usage.ru_utime + usage.ru_stime
        foreign = max(0.0, _busy_seconds() - busy - cpu) / (wall * (os.cpu_count() or 1))
        if process.returncode != 0 or not report.exists():
            tail = log.read_text(errors="replace")[-3000:]
            raise ProgramFailed(f"exit code {process.returncode} after {wall:.1f} s\n{tail}")
        figures = json.loads(report.read_text())
    if port is not None and job.collect is not None:
        job.collect(port, output)
    if port is not None and job.figures is not None:
        figures |= job.figures(Done(engine.name, port, inputs, output, figures))
    return Sample(figures, usage.ru_maxrss / 1024, cpu, wall, foreign)
