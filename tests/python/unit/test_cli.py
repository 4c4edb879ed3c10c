"""The `pathway` command: its options and what it says of mistakes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import yaml
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


def commands(group: click.Group, *names: str) -> Iterator[tuple[str, ...]]:
    yield names
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, *names, name)
        else:
            yield (*names, name)


@pytest.mark.parametrize("names", list(commands(main)), ids=" ".join)
def test_help_teaches(names: tuple[str, ...]) -> None:
    result = call(*names, "--help")
    assert result.exit_code == 0
    assert result.output.startswith(f"Usage: {' '.join(['pathway', *names])} [OPTIONS]")
    assert call(*names, "-h").output == result.output
    assert max(map(len, result.output.splitlines())) <= 110
    if names not in [("airbyte",), ("persistence",)]:
        assert "Example" in result.output or "Where to put it:" in result.output


def test_commands_and_options_that_do_not_exist() -> None:
    for arguments, usage, message in [
        (["nope"], "pathway [OPTIONS] COMMAND [ARGS]...\nTry 'pathway --help'", "No such command 'nope'."),
        (["--nope"], "pathway [OPTIONS] COMMAND [ARGS]...\nTry 'pathway --help'", "No such option"),
        (
            ["persistence", "nope"],
            "pathway persistence [OPTIONS] COMMAND [ARGS]...\nTry 'pathway persistence --help'",
            "No such command 'nope'.",
        ),
        (
            ["persistence", "inspect"],
            "pathway persistence inspect [OPTIONS] PATH\nTry 'pathway persistence inspect --help'",
            "Missing argument 'PATH'.",
        ),
    ]:
        result = call(*arguments)
        assert result.exit_code == 2
        assert result.stderr.startswith(f"Usage: {usage} for help.\n\nError: {message}")
        assert result.stdout == ""


def completed(*words: str) -> list[str]:
    """What bash offers for the last of these words."""
    variables = {
        "_PATHWAY_COMPLETE": "bash_complete",
        "COMP_WORDS": " ".join(["pathway", *words]),
        "COMP_CWORD": str(len(words)),
    }
    environment = {**os.environ, **variables}
    command = [sys.executable, "-m", "pathway"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=True)
    return [line.partition(",")[2] for line in done.stdout.splitlines()]


def test_words_are_completed() -> None:
    assert completed("sp") == ["spawn", "spawn-from-env"]
    assert completed("persistence", "") == ["inspect"]
    assert completed("replay", "--mode", "") == ["batch", "speedrun", "realtime"]
    assert "--processes" in completed("run", "--pro")
    assert completed("completion", "") == ["bash", "zsh", "fish"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_scripts_for_shells(shell: str, tmp_path: Path) -> None:
    result = call("completion", shell)
    assert result.exit_code == 0
    assert f"_PATHWAY_COMPLETE={shell}_complete" in result.output
    if (program := shutil.which(shell)) is not None:
        script = tmp_path / "script"
        script.write_text(result.output)
        subprocess.run([program, "-n", script], check=True, timeout=60)


def test_bash_completes(tmp_path: Path) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("there is no bash")
    (tmp_path / "pathway").write_text(f'#!/bin/sh\nexec {sys.executable} -m pathway "$@"\n')
    (tmp_path / "pathway").chmod(0o755)
    program = (
        'eval "$(pathway completion bash)"\n'
        "COMP_WORDS=(pathway persistence ins) COMP_CWORD=2\n"
        "_pathway_completion pathway ins persistence\n"
        'echo "${COMPREPLY[@]}"\n'
    )
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(
        [bash, "--norc", "-c", program],
        capture_output=True,
        text=True,
        env=environment,
        timeout=60,
        check=True,
    )
    assert done.stdout == "inspect\n"


def test_a_source_of_airbyte_is_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = call("airbyte", "create-source", "people")
    assert (
        result.output == "The source people is described in connections/people.yaml: fill in what it needs\n"
    )
    file = tmp_path / "connections" / "people.yaml"
    written = file.read_text()
    assert written.startswith("# The source people of Airbyte")
    assert yaml.safe_load(written) == {
        "source": {"docker_image": "airbyte/source-faker:0.1.4", "config": {"count": 1000, "seed": 0}}
    }
    again = call("airbyte", "create-source", "people", "--image", "airbyte/source-github:1.0.0")
    assert (again.exit_code, again.output) == (1, "Error: connections/people.yaml exists already\n")
    assert file.read_text() == written
    assert call("airbyte", "create-source", "issues", "--image", "airbyte/source-github:1.0.0").exit_code == 0
    other = (tmp_path / "connections" / "issues.yaml").read_text()
    assert yaml.safe_load(other) == {"source": {"docker_image": "airbyte/source-github:1.0.0", "config": {}}}
    assert "integrations/sources/github\n" in other
    for name in ("", "a/b"):
        outside = call("airbyte", "create-source", name)
        assert (outside.exit_code, outside.output) == (1, f"Error: {name!r} cannot be the name of a file\n")
    (tmp_path / "connections" / "people.yaml").unlink()
    (tmp_path / "connections" / "issues.yaml").unlink()
    (tmp_path / "connections").rmdir()
    (tmp_path / "connections").write_text("")
    assert call("airbyte", "create-source", "people").exit_code == 1
