"""The `pathway` command: its options and what it says of mistakes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import pathway as pw
from pathway.cli import main


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, prog_name="pathway")


def test_the_version_is_that_of_the_package() -> None:
    assert call("--version").output == f"pathway, version {pw.__version__}\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "Missing argument 'PROGRAM'"),
        (["--threads", "0", "x"], "--threads must be at least 1"),
        (["--processes", "0", "x"], "--processes must be at least 1"),
        (["--threads", "two", "x"], "'two' is not a valid integer"),
        (["-n", "2", "--addresses", "a:1,b:2", "x"], "--processes and --addresses are mutually exclusive"),
        (["--addresses", "a:1,b:2", "x"], "--process-id is required when --addresses is set"),
        (["--process-id", "0", "x"], "--process-id requires --addresses"),
        (["--addresses", "a:1,b", "-pi", "0", "x"], "invalid address 'b' in --addresses: expected host:port"),
        (["--addresses", "a:1,:2", "-pi", "0", "x"], "invalid address ':2'"),
        (["--addresses", "a:1,b:0", "-pi", "0", "x"], "invalid port 0 of 'b:0'"),
        (["--addresses", "a:1,b:65536", "-pi", "0", "x"], "must be in range 1..65535"),
        (["--addresses", "a:1,a:1", "-pi", "0", "x"], "--addresses contains duplicate entries"),
        (["--addresses", "a:1,b:2", "-pi", "2", "x"], "--process-id 2 is out of range"),
        (["--addresses", "a:1,b:2", "-pi", "-1", "x"], "--process-id -1 is out of range"),
        (
            ["--first-port", "65535", "-n", "2", "x"],
            "requires port 65536, which exceeds the maximum of 65535",
        ),
        (["--first-port", "0", "x"], "must be in range 1..65535"),
        (["--branch", "main", "x"], "--branch requires --repository-url"),
        (["--nonsense", "x"], "--nonsense"),
    ],
)
def test_mistakes_are_usage_errors(options: list[str], message: str) -> None:
    result = call("spawn", *options)
    assert result.exit_code == 2
    assert result.output.startswith("Usage: pathway spawn [OPTIONS] PROGRAM [ARGUMENTS]...\nTry ")
    assert "\nError: " in result.output
    assert message in result.output


def spawn(*arguments: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pathway", *arguments]
    environment = {**os.environ, **variables}
    return subprocess.run(
        command, capture_output=True, text=True, cwd=cwd, env=environment, timeout=60, check=False
    )


SHOW = """
import os, sys
names = ["THREADS", "PROCESSES", "PROCESS_ID", "FIRST_PORT", "ADDRESSES", "SUPPRESS_OTHER_WORKER_ERRORS"]
values = [os.environ.get("PATHWAY_" + name, "-") for name in names]
others = ("RUN_ID", "START_TIMESTAMP_MS", "CLUSTER_SECRET")
given = [name for name in others if os.environ.get("PATHWAY_" + name)]
# One write for one line: all processes speak at the same time.
os.write(1, (" ".join([*values, *given, *sys.argv[1:]]) + chr(10)).encode())
"""


def test_a_program_is_told_its_place_and_gets_its_arguments(tmp_path: Path) -> None:
    (tmp_path / "show.py").write_text(SHOW)
    python = [sys.executable, "show.py", "--threads", "x"]
    run = spawn("spawn", "-t", "3", "-n", "2", "--first-port", "12345", *python, cwd=tmp_path)
    assert run.returncode == 0
    assert run.stderr == "Preparing 2 processes (6 total workers)\n"
    rest = "12345 - 1 RUN_ID START_TIMESTAMP_MS CLUSTER_SECRET --threads x"
    assert sorted(run.stdout.splitlines()) == [f"3 2 0 {rest}", f"3 2 1 {rest}"]


def test_with_addresses_one_process_is_started(tmp_path: Path) -> None:
    (tmp_path / "show.py").write_text(SHOW)
    options = ["--addresses", "a:1,b:2,c:3", "-pi", "1"]
    variables = {"PATHWAY_FIRST_PORT": "9", "PATHWAY_CLUSTER_SECRET": "s"}
    run = spawn("spawn", *options, sys.executable, "show.py", cwd=tmp_path, **variables)
    assert run.stderr == "Preparing 3 processes (3 total workers)\n"
    assert run.stdout == "1 3 1 - a:1,b:2,c:3 1 RUN_ID START_TIMESTAMP_MS CLUSTER_SECRET\n"


def test_one_process_is_one(tmp_path: Path) -> None:
    run = spawn("spawn", sys.executable, "-c", "pass", cwd=tmp_path)
    assert (run.returncode, run.stderr) == (0, "Preparing 1 process (1 total worker)\n")


def test_the_exit_code_is_that_of_the_process_that_failed(tmp_path: Path) -> None:
    (tmp_path / "fail.py").write_text(
        "import os, sys, time\nif os.environ['PATHWAY_PROCESS_ID'] == '1': sys.exit(7)\ntime.sleep(600)\n"
    )
    assert spawn("spawn", "-n", "3", sys.executable, "fail.py", cwd=tmp_path).returncode == 7


def test_processes_are_told_once_to_end(tmp_path: Path) -> None:
    # It blocks SIGTERM, so that each one is taken by itself; a second would come long before the half second.
    (tmp_path / "told.py").write_text(
        "import signal\n"
        "term = {signal.SIGTERM}\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, term)\n"
        "print('ready', flush=True)\n"
        "signal.sigwait(term)\n"
        "raise SystemExit(6 if signal.sigtimedwait(term, 0.5) else 5)\n"
    )
    command = [sys.executable, "-m", "pathway", "spawn", sys.executable, "told.py"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == b"ready\n"
        run.send_signal(signal.SIGTERM)
        assert run.wait(60) == 5


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    run = spawn("spawn", "-n", "2", "no-such-program", cwd=tmp_path)
    assert run.returncode == 1
    assert "no-such-program cannot be executed: No such file or directory" in run.stderr


def test_arguments_from_the_environment(tmp_path: Path) -> None:
    arguments = f"--threads 2 {sys.executable} show.py a b"
    (tmp_path / "show.py").write_text(SHOW)
    run = spawn("spawn-from-env", cwd=tmp_path, PATHWAY_SPAWN_ARGS=arguments)
    assert run.returncode == 0
    assert run.stdout.startswith("2 1 0 10000 ")
    assert run.stdout.endswith(" a b\n")
    nothing = spawn("spawn-from-env", cwd=tmp_path)
    assert nothing.returncode == 0
    assert "PATHWAY_SPAWN_ARGS" in nothing.stderr


def test_a_repository_is_cloned_and_run_in(tmp_path: Path) -> None:
    pytest.importorskip("git")
    repository, here = tmp_path / "repository", tmp_path / "here"
    repository.mkdir()
    here.mkdir()
    (repository / "main.py").write_text(
        "import os, pathway\nprint(os.path.basename(os.getcwd()), open('x').read())\n"
    )
    (repository / "x").write_text("first")
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", "-C", str(repository)]
    for command in (
        ["init", "-q", "-b", "main"],
        ["add", "."],
        ["commit", "-q", "-m", "a"],
        ["checkout", "-q", "-b", "other"],
    ):
        subprocess.run([*git, *command], check=True)
    (repository / "x").write_text("second")
    subprocess.run([*git, "commit", "-q", "-a", "-m", "b"], check=True)
    url = f"file://{repository}"
    for branch, content in [("main", "first"), ("other", "second")]:
        run = spawn("spawn", "--repository-url", url, "--branch", branch, "python", "main.py", cwd=here)
        assert (run.returncode, run.stdout) == (0, f"repository {content}\n"), run.stderr
    missing = spawn("spawn", "--repository-url", url + "-not", "python", "main.py", cwd=here)
    assert missing.returncode == 1
    assert "cannot be cloned" in missing.stderr
