"""`pathway run`: pipelines in YAML and programs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ports import free_ports

SCHEMA = "!pw.schema_from_dict {columns: {shop: str, amount: int}}"
COPY = f"""\
$folder: in
sales: !pw.io.csv.read
  path: $folder
  schema: {SCHEMA}
  mode: static
out: !pw.io.jsonlines.write
  table: $sales
  filename: out.jsonl
"""


def run(*arguments: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pathway", "run", *arguments]
    environment = {**os.environ, **variables}
    return subprocess.run(
        command, capture_output=True, text=True, cwd=cwd, env=environment, timeout=120, check=False
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, amount in (("in", 1), ("other", 2)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "sales.csv").write_text(f"shop,amount\nOslo,{amount}\n")
    return tmp_path


def amounts(folder: Path) -> list[int]:
    return [json.loads(line)["amount"] for line in (folder / "out.jsonl").read_text().splitlines()]


def test_outputs_of_a_pipeline_are_run(folder: Path) -> None:
    (folder / "app.yaml").write_text(COPY)
    done = run("app.yaml", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("Preparing 1 process (1 total worker)\n")
    assert "Warning" not in done.stderr
    assert amounts(folder) == [1]


def test_variables_are_set(folder: Path) -> None:
    (folder / "app.yml").write_text(COPY)
    done = run("app.yml", "--set", "folder=other", cwd=folder)
    assert (done.returncode, amounts(folder)) == (0, [2]), done.stderr
    (folder / "app.yml").write_text(COPY.replace("$folder: in\n", ""))
    done = run("--set", "folder=in", "app.yml", cwd=folder, folder="other")
    assert (done.returncode, amounts(folder)) == (0, [1]), done.stderr
    done = run("app.yml", cwd=folder, folder="other")
    assert (done.returncode, amounts(folder)) == (0, [2]), done.stderr


TOTALS = """\
import sys
import pathway as pw

def totals(table):
    print(sys.argv, flush=True)
    return table.groupby(pw.this.shop).reduce(pw.this.shop, amount=10 * pw.reducers.sum(pw.this.amount))
"""


def test_modules_beside_the_file_and_arguments(folder: Path) -> None:
    (folder / "apps").mkdir()
    (folder / "apps" / "steps.py").write_text(TOTALS)
    text = COPY.replace("table: $sales", "table: !steps.totals {table: $sales}")
    (folder / "apps" / "app.yaml").write_text(text)
    done = run("apps/app.yaml", "--", "--input", "x", cwd=folder)
    assert (done.returncode, amounts(folder)) == (0, [10]), done.stderr
    assert done.stdout == "['apps/app.yaml', '--input', 'x']\n"


def test_settings_of_the_run(folder: Path) -> None:
    settings = """\
pathway:
  threads: $THREADS
  processes: 2
  monitoring_level: none
  persistence_config: !pw.persistence.Config
    backend: !pw.persistence.Backend.filesystem {path: state}
"""
    (folder / "app.yaml").write_text(COPY + settings)
    ports = ["--first-port", str(free_ports(2))]
    done = run("app.yaml", *ports, "--set", "THREADS=2", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("Preparing 2 processes (4 total workers)\n")
    assert (folder / "state" / "manifests").is_dir()
    done = run("app.yaml", "-n", "1", "-t", "3", cwd=folder, THREADS="2")
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("Preparing 1 process (3 total workers)\n")


def test_the_example_of_the_handbook(folder: Path) -> None:
    (folder / "input.csv").write_text("category,amount\na,1\nb,5\na,2\n")
    (folder / "app.yaml").write_text(
        """\
# Data source
source: !pw.io.csv.read
  path: ./input.csv
  schema: $schema

# Transformations
processed: !pw.Transformations.groupby
  table: $source
  by: [category]
  reducers:
    - !pw.reducers.sum
      column: amount

# Output
output: !pw.io.csv.write
  table: $processed
  path: ./output.csv

$schema: !pw.schema_from_dict {columns: {category: str, amount: int}}
"""
    )
    command = [sys.executable, "-m", "pathway", "run", "app.yaml"]
    output = folder / "output.csv"
    deadline = time.monotonic() + 60
    with subprocess.Popen(command, cwd=folder) as process:
        try:
            # Its source is followed without end.
            while not (output.exists() and output.read_text().count("\n") >= 3):
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.05)
        finally:
            process.terminate()
    header, *rows = (line.replace('"', "").split(",") for line in output.read_text().splitlines())
    assert header[:2] == ["category", "sum_amount"]
    assert sorted(row[:2] for row in rows) == [["a", "3"], ["b", "5"]]


def test_pipelines_of_repositories(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    pytest.importorskip("git")
    (folder / "app.yaml").write_text(COPY.replace("out.jsonl", "$out"))
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", "-C", str(folder)]
    for command in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "a"]):
        subprocess.run([*git, *command], check=True)
    here = tmp_path_factory.mktemp("here")
    repository = ["--repository-url", f"file://{folder}"]
    done = run("app.yaml", *repository, "--set", f"out={here}/out.jsonl", cwd=here)
    assert (done.returncode, amounts(here)) == (0, [1]), done.stderr
    done = run("app.yaml", *repository, "--set", "typo=1", cwd=here)
    assert done.returncode == 1
    assert done.stderr.endswith("Error: nothing in app.yaml refers to $typo\n")


def test_files_that_are_read_by_functions(folder: Path) -> None:
    (folder / "other.yaml").write_text("a: 1\nb: $1\n")
    (folder / "steps.py").write_text(
        "import pathway as pw\n\ndef other():\n    pw.load_yaml(open('other.yaml'))\n"
    )
    (folder / "app.yaml").write_text("a: !steps.other {}\n")
    done = run("app.yaml", cwd=folder)
    assert done.returncode == 1
    assert done.stderr.endswith("Error: other.yaml:2:4: variable name '1' is not a valid identifier\n")


def test_programs_are_run(folder: Path) -> None:
    (folder / "program.py").write_text("import os, sys\nprint(os.environ['PATHWAY_THREADS'], sys.argv)\n")
    done = run("program.py", "-t", "2", "--", "--input", "x", cwd=folder)
    assert (done.returncode, done.stdout) == (0, "2 ['program.py', '--input', 'x']\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Missing argument 'FILE'."),
        (["nope.yaml"], "there is no file nope.yaml"),
        (["program.sh"], "program.sh is no .py or .yaml file; other programs are run by pathway spawn"),
        (["program.py", "--set", "a=1"], "--set is for pipelines in YAML"),
        (["app.yaml", "--set", "a"], "'a' is not NAME=VALUE"),
        (["app.yaml", "--set", "a-b=1"], "'a-b=1' is not NAME=VALUE"),
        (["app.yaml", "--set", "typo=1"], "nothing in app.yaml refers to $typo"),
        (["app.yaml", "--nope"], "No such option"),
        (["app.yaml", "-t", "0"], "--threads must be at least 1"),
    ],
)
def test_mistakes_on_the_command_line(arguments: list[str], message: str, folder: Path) -> None:
    (folder / "app.yaml").write_text(COPY)
    (folder / "program.py").write_text("")
    done = run(*arguments, cwd=folder)
    assert done.returncode == 2
    start = "Usage: pathway run [OPTIONS] FILE [ARGUMENTS]...\nTry 'pathway run --help' for help.\n\nError: "
    assert done.stderr.startswith(start)
    assert message in done.stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "app.yaml is empty"),
        ("a: 1", "app.yaml has no outputs, so nothing is run: write a table with !pw.io.csv.write"),
        (
            "a:\n  - [1",
            "app.yaml:2:7: while parsing a flow sequence, expected ',' or ']', but got '<stream end>'",
        ),
        ("a: 1\nb: $1", "app.yaml:2:4: variable name '1' is not a valid identifier"),
        ("a: 1\nb: {c: $nope}", "app.yaml:2:8: variable $nope is not defined"),
        ("a: $b\n$b: $a", "app.yaml:2:5: variable $a is not defined"),
        ("a:\n  !pw.io.nope {}", "app.yaml:2:3: AttributeError: module 'pathway.io' has no attribute 'nope'"),
        ("a: !pw.io.csv [1]", "app.yaml:1:4: constructor 'pw.io.csv' is not callable"),
        ("a: !pw.io.csv.read [1]", "app.yaml:1:4: expected a mapping or empty node"),
        (
            "a: !pw.io.csv.read\n  nope: 1",
            "app.yaml:1:4: TypeError: read() missing a required argument: 'path'",
        ),
        ("pathway: 1", "app.yaml:1:10: pathway is for the settings of the run, a mapping"),
        (
            "pathway:\n  thread: 1",
            "app.yaml:2:3: there is no setting 'thread'; there are threads, ",
        ),
        ("pathway: {threads: x}", "app.yaml:1:20: threads has to be a whole number, not 'x'"),
        ("pathway: {threads: $nope}", "app.yaml:1:20: variable $nope is not defined"),
        (COPY + "pathway: {debug: 3}", "app.yaml:9:10: run(): parameter debug=3 violates type hint"),
        (COPY + "pathway: {monitoring_level: x}", "app.yaml:9:29: monitoring_level is one of auto, "),
    ],
)
def test_mistakes_in_a_pipeline(text: str, message: str, folder: Path) -> None:
    (folder / "app.yaml").write_text(text)
    done = run("app.yaml", cwd=folder)
    assert done.returncode == 1
    lines = done.stderr.removeprefix("Preparing 1 process (1 total worker)\n").splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith(f"Error: {message}")


def test_code_of_the_user_that_fails_is_shown(folder: Path) -> None:
    (folder / "steps.py").write_text("def fail():\n    return 1 / 0\n")
    (folder / "app.yaml").write_text("a:\n  b: !steps.fail {}\n")
    done = run("app.yaml", cwd=folder)
    assert done.returncode == 1
    assert (
        f'Traceback (most recent call last):\n  File "{folder}/app.yaml", line 2, in !steps.fail'
        in done.stderr
    )
    assert f'File "{folder}/steps.py", line 2, in fail\n' in done.stderr
    assert done.stderr.endswith("Error: app.yaml:2:6: ZeroDivisionError: division by zero\n")


def test_errors_of_the_run_have_the_line_of_the_file(folder: Path) -> None:
    (folder / "app.yaml").write_text(COPY.replace("out.jsonl", "nowhere/out.jsonl"))
    done = run("app.yaml", cwd=folder)
    assert done.returncode == 1
    assert f"File: {folder}/app.yaml:6" in done.stderr
