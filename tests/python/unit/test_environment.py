"""What variables of the environment say to processes: most are read when the package is imported."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

PRELUDE = """
import pathway as pw

class One(pw.io.python.ConnectorSubject):
    def run(self):
        self.next(n=1)

def show(table):
    pw.io.subscribe(table, lambda key, row, time, is_addition: print(row["n"], time))

def run():
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
"""
ERRORS = """
t = pw.debug.table_from_rows(pw.schema_from_types(n=int), [(0,), (1,)])
show(t.select(n=6 // pw.this.n))
run()
"""
NONE_FOR_A_NUMBER = """
t = pw.debug.table_from_rows(pw.schema_from_types(n=int | None), [(None,)])
show(t.select(n=pw.coalesce(pw.declare_type(int, pw.this.n), 5)))
run()
"""
START = """
show(pw.io.python.read(One(), schema=pw.schema_from_types(n=int)))
run()
"""


def result(program: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs a program with these variables."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PATHWAY_")}
    return subprocess.run(
        [sys.executable, "-c", PRELUDE + textwrap.dedent(program)],
        env={**environment, **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("value", ["0", "no", "False"])
def test_errors_end_runs_unless_it_is_said_otherwise(value: str) -> None:
    ended = result(ERRORS)
    assert ended.returncode == 1
    assert "ZeroDivisionError" in ended.stderr
    going_on = result(ERRORS, PATHWAY_TERMINATE_ON_ERROR=value)
    assert (going_on.returncode, going_on.stdout) == (0, "6 0\n")


def test_types_are_checked_on_request() -> None:
    assert result(NONE_FOR_A_NUMBER).stdout == "5 0\n"
    checked = result(NONE_FOR_A_NUMBER, PATHWAY_RUNTIME_TYPECHECKING="yes")
    assert checked.returncode == 1
    assert "TypeError" in checked.stderr


def test_promises_are_taken_in_both_ways() -> None:
    assert result(START, PATHWAY_IGNORE_ASSERTS="1").returncode == 0


@pytest.mark.parametrize(
    "name",
    [
        "PATHWAY_TERMINATE_ON_ERROR",
        "PATHWAY_RUNTIME_TYPECHECKING",
        "PATHWAY_IGNORE_ASSERTS",
        "PATHWAY_SUPPRESS_OTHER_WORKER_ERRORS",
        "PATHWAY_CONTINUE_AFTER_REPLAY",
    ],
)
def test_truth_values_are_such(name: str) -> None:
    ended = result("", **{name: "maybe"})
    assert ended.returncode == 1
    assert f"the environment variable {name} is 'maybe'" in ended.stderr


def test_all_processes_start_at_one_time() -> None:
    assert result(START, PATHWAY_START_TIMESTAMP_MS="100001").stdout == "1 100000\n"
    refused = result(START, PATHWAY_START_TIMESTAMP_MS="now")
    assert "PATHWAY_START_TIMESTAMP_MS is 'now', which is no number" in refused.stderr


def test_the_first_line_of_the_log() -> None:
    assert "Preparing Pathway computation" in result(START).stderr
    assert "Preparing" not in result(START, PATHWAY_SKIP_START_LOG="1").stderr


@pytest.mark.parametrize(
    ("variables", "text"),
    [
        ({"PATHWAY_THREADS": "0"}, "PATHWAY_THREADS has to be at least 1"),
        ({"PATHWAY_THREADS": "many"}, "PATHWAY_THREADS is 'many', which is no number"),
        ({"PATHWAY_PROCESSES": "0"}, "can't run with no processes"),
        ({"PATHWAY_PROCESSES": "2"}, 'environment variable "PATHWAY_PROCESS_ID" is not set'),
        ({"PATHWAY_PROCESSES": "2", "PATHWAY_PROCESS_ID": "2"}, "invalid process ID 2"),
        (
            {"PATHWAY_PROCESSES": "2", "PATHWAY_PROCESS_ID": "0"},
            'environment variable "PATHWAY_FIRST_PORT" is not set',
        ),
        (
            {"PATHWAY_PROCESSES": "2", "PATHWAY_PROCESS_ID": "0", "PATHWAY_FIRST_PORT": "65535"},
            "invalid PATHWAY_FIRST_PORT",
        ),
        (
            {"PATHWAY_PROCESSES": "2", "PATHWAY_PROCESS_ID": "0", "PATHWAY_ADDRESSES": "here:1"},
            "invalid PATHWAY_ADDRESSES: 1 addresses for 2 processes",
        ),
        (
            {
                "PATHWAY_PROCESSES": "2",
                "PATHWAY_PROCESS_ID": "0",
                "PATHWAY_FIRST_PORT": "7000",
                "PATHWAY_CLUSTER_PATIENCE_MS": "-1",
            },
            "PATHWAY_CLUSTER_PATIENCE_MS is a positive number of milliseconds",
        ),
    ],
)
def test_workers_and_processes_that_make_no_sense(variables: dict[str, str], text: str) -> None:
    ended = result(START, **variables)
    assert ended.returncode == 1
    assert text in ended.stderr
