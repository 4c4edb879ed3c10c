"""The `pathway` command: `pathway spawn --processes 2 --threads 2 python program.py`."""

from __future__ import annotations

import functools
import logging
import os
import shlex
import sys

import click

from pathway import __version__
from pathway.cli import airbyte as airbyte_files
from pathway.cli import completion as completions
from pathway.cli import explained, pipeline, rows, store, web_dashboard
from pathway.cli.options import Run, runs
from pathway.cli.program import (
    check_kind,
    check_recording,
    program_options,
    set_option,
    settings_of,
    use_threads,
)

_LOGGER = logging.getLogger("pathway.cli")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="pathway")
def main() -> None:
    """Runs programs and pipelines that compute with live data, and looks into what they keep.

    \b
    Examples:
      pathway run app.yaml
      pathway run program.py --threads 4
      pathway spawn --processes 2 python program.py --input data.csv
      pathway explain program.py
      pathway why --row city=Newark program.py
      pathway persistence inspect ./state

    pathway COMMAND --help tells of each.
    """


_RUN_SETTINGS = {"allow_interspersed_args": False, "ignore_unknown_options": False}


@main.command(context_settings=_RUN_SETTINGS, short_help="Runs a program in several processes.")
@click.option("--record", is_flag=True, help="Record what the sources with names give, for pathway replay.")
@runs
def spawn(run: Run, record: bool, record_path: str) -> None:
    """Runs PROGRAM with its ARGUMENTS in one or several processes.

    Every process runs the whole program; the workers of all of them share the rows. If one fails, all are
    stopped. The exit code is 0 if all end well, and otherwise that of the process that failed. Options of
    this command stand before PROGRAM; everything behind it is for the program.

    \b
    Examples:
      pathway spawn --processes 2 --threads 2 python program.py --input data.csv
      pathway spawn --record python program.py
      pathway spawn --addresses 10.0.0.1:9000,10.0.0.2:9000 --process-id 0 python program.py
    """
    variables = _replay_variables(run, record_path, "record", continues=True) if record else {}
    run.launch(variables)


@main.command(context_settings=_RUN_SETTINGS, short_help="Runs a program on recorded inputs.")
@click.option(
    "--mode",
    type=click.Choice(["batch", "speedrun", "realtime"], case_sensitive=False),
    default="batch",
    help="Recorded rows are given all at once (batch); in the minibatches and at the times in which they "
    "came, as fast as possible (speedrun); or the same with the pauses between them (realtime). Default: "
    "batch.",
)
@click.option(
    "--speed", type=float, default=1.0, metavar="X", help="With realtime, so many times as fast (1)."
)
@click.option("--continue", "continues", is_flag=True, help="Go on with what the sources give now.")
@runs
def replay(run: Run, mode: str, speed: float, continues: bool, record_path: str) -> None:
    """Runs PROGRAM with its ARGUMENTS on what pathway spawn --record has recorded.

    Nothing is added to the recording. Sources without names give nothing, unless the run goes on with what
    the sources give now.

    \b
    Examples:
      pathway replay --mode speedrun python program.py
      pathway replay --mode realtime --speed 10 --record-path monday python program.py
    """
    if not 0 < speed < float("inf"):
        raise click.UsageError("--speed has to be a positive number")
    check_recording(record_path)
    variables = _replay_variables(run, record_path, "replay", continues=continues)
    modes = dict.fromkeys(["PATHWAY_PERSISTENCE_MODE", "PATHWAY_REPLAY_MODE"], mode.lower())
    run.launch({**variables, **modes, "PATHWAY_REPLAY_SPEED": str(speed)})


def _replay_variables(run: Run, path: str, access: str, *, continues: bool) -> dict[str, str]:
    return {
        # A clone is thrown away.
        "PATHWAY_REPLAY_STORAGE": path if run.repository_url is None else os.path.abspath(path),
        "PATHWAY_SNAPSHOT_ACCESS": access,
        "PATHWAY_CONTINUE_AFTER_REPLAY": str(continues).lower(),
    }


@main.command("spawn-from-env", short_help="Runs what PATHWAY_SPAWN_ARGS says.")
def spawn_from_env() -> None:
    """Runs `pathway spawn` with the arguments in the variable PATHWAY_SPAWN_ARGS.

    They are separated by single spaces. Without the variable, nothing is run.

    \b
    Example:
      PATHWAY_SPAWN_ARGS='--threads 2 python program.py' pathway spawn-from-env
    """
    text = os.environ.get("PATHWAY_SPAWN_ARGS")
    if text is None:
        _LOGGER.warning("PATHWAY_SPAWN_ARGS variable is unspecified, exiting...")
        return
    arguments = [sys.executable, "-m", "pathway", "spawn", *text.split(" ")]
    _LOGGER.info("running %s", shlex.join(arguments[3:]))
    os.execv(arguments[0], arguments)


@main.command("run")
@set_option(
    "The value of a variable of a pipeline, in place of its definition at the top of the file, and of "
    "the environment. Numbers and truth values are such, all else is text. Can be given several times."
)
@click.option("--record", is_flag=True, help="Record what the sources with names give, for pathway replay.")
@functools.partial(runs, settings_of=settings_of, program="FILE")
def run_file(run: Run, variables: dict[str, str], record: bool, record_path: str) -> None:
    """Runs a pipeline in YAML, or a Python program.

    All that FILE.yaml describes is made, and the outputs among it are run. `!pw.io.csv.read` with a mapping
    calls that function, `$name: value` defines a variable, and `$name` is its value, or that of the
    environment. Under the key `pathway` are settings of the run: threads, processes, persistence_config,
    monitoring_level and the other arguments of pw.run. FILE.py is run by this Python.

    Options may stand before or behind FILE; what is for the file itself stands behind `--`.

    \b
    Examples:
      pathway run app.yaml
      pathway run app.yaml --threads 4 --set PORT=8080
      pathway run program.py -n 2 -- --input data.csv
    """
    file, *arguments = run.command
    # The Python of a clone has what its requirements name.
    python = sys.executable if run.repository_url is None else "python"
    command = [python]
    if file.endswith(pipeline.SUFFIXES):
        command += ["-m", "pathway.cli.run_pipeline"]
        command += [f"--set={name}={value}" for name, value in variables.items()]
    environment = _replay_variables(run, record_path, "record", continues=True) if record else {}
    run._replace(command=(*command, file, *arguments)).launch(environment)


@main.command(
    context_settings={"allow_interspersed_args": False}, short_help="Shows what a program runs, and how."
)
@click.option(
    "--format",
    type=click.Choice(explained.FORMATS),
    default="text",
    help="Text (the default), JSON, a graph for Graphviz, or a drawing as SVG.",
)
@click.option("-o", "--output", type=click.Path(dir_okay=False), metavar="FILE", help="Where it is written.")
@click.option(
    "--plan",
    type=click.Choice(explained.PLANS),
    default="after",
    help="Which plan a graph or drawing shows: what was built (before), or what is run (after, the default). "
    "Text and JSON have both.",
)
@click.option(
    "--number", type=click.IntRange(min=1), metavar="N", help="Only this run of the program, from 1."
)
@click.option("--run", "runs", is_flag=True, help="Run it, and show what was counted of each operator.")
@program_options(threads="Worker threads of a run (1).")
@click.option(
    "--url",
    metavar="URL",
    help="Ask a run that goes on, at the address of its metrics, with what it has counted so far.",
)
@click.option(
    "--token",
    envvar="PATHWAY_MONITORING_HTTP_TOKEN",
    metavar="TOKEN",
    help="What that run wants to know of those who ask; better in PATHWAY_MONITORING_HTTP_TOKEN.",
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False), required=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def explain(
    format: str,
    output: str | None,
    plan: str,
    number: int | None,
    runs: bool,
    threads: int | None,
    variables: dict[str, str],
    url: str | None,
    token: str | None,
    file: str | None,
    arguments: tuple[str, ...],
) -> None:
    """Shows what FILE, a Python program or a pipeline in YAML, runs: the plan as it was built, and as it is
    run. With --url, shows what a run that goes on computes, and what it has counted so far.

    The program is executed with its ARGUMENTS, but its runs end before they begin: nothing is read or
    written, and tables that it prints are empty. With --run they are run, and numbers of rows, times and
    sizes of state are those of the run. What the program prints goes to standard error. Options of this
    command stand before FILE. The exit code is that of the program.

    \b
    Examples:
      pathway explain program.py --input data.csv
      pathway explain --run --threads 4 program.py
      pathway explain --format svg --output plan.svg app.yaml
      pathway explain --url http://127.0.0.1:20000
    """
    if url is not None:
        if file is not None or runs or variables or number is not None or threads is not None:
            raise click.UsageError(
                "--url asks a run that goes on: without FILE and what is about running one"
            )
        try:
            _write(explained.asked(url, token=token, format=format, plan=plan), output)
        except explained.NothingToShow as error:
            raise click.ClickException(str(error)) from None
        return
    if file is None:
        raise click.UsageError("a FILE is needed, or --url of a run that goes on")
    check_kind(file, variables)
    use_threads(threads)
    found = explained.explained(file, arguments, variables, runs=runs)
    try:
        text = explained.written(found, file, format=format, plan=plan, number=number)
    except explained.NothingToShow as error:
        if found.code == 0 or found.plans:
            raise click.ClickException(str(error)) from None
        sys.exit(found.code)
    _write(text, output)
    sys.exit(found.code)


@main.command(
    context_settings={"allow_interspersed_args": False},
    short_help="Tells why rows of a program's outputs are there.",
)
@click.option(
    "--record-path",
    metavar="FOLDER",
    help="Where the recording is (record, if that is there; otherwise inputs are read as in a run).",
)
@click.option(
    "--mode",
    type=click.Choice(list(rows.MODES)),
    default="batch",
    help="Recorded rows are given all at once (batch, the default), or in the minibatches and at the times "
    "in which they came (speedrun).",
)
@program_options(threads="Worker threads (1).")
@click.option("--output", metavar="NAME", help="The output of --row; without it, the only one.")
@click.option(
    "--row",
    "cells",
    multiple=True,
    metavar="COLUMN=CELL",
    help="Print why the row with this cell is there. Can be given several times. The beginning of an id, "
    "^ID, will do, too.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=rows.FOLLOWED,
    metavar="N",
    help="With --row, how many rows of a group are followed (10).",
)
@click.option("--port", type=click.IntRange(0, 65535), default=8089, metavar="N", help="The port (8089).")
@click.option(
    "--address",
    default="127.0.0.1",
    metavar="ADDRESS",
    help="The address of the page; by default only this machine reaches it.",
)
@click.argument("program", type=click.Path(exists=True, dir_okay=False))
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def why(
    record_path: str | None,
    mode: str,
    threads: int | None,
    variables: dict[str, str],
    output: str | None,
    cells: tuple[str, ...],
    limit: int,
    port: int,
    address: str,
    program: str,
    arguments: tuple[str, ...],
) -> None:
    """Tells why rows of the outputs of PROGRAM, a Python program or a pipeline in YAML, are there: which rows
    of its inputs they come from, through which lines.

    The program is executed with its ARGUMENTS and with the inputs that pathway spawn --record has recorded,
    as by pathway replay; without a recording, inputs that end are read. Its outputs are not written: they and
    all rows that they come from are kept, and shown on a page in a browser, or with --row, one of them is
    told of here. What the program prints goes to standard error. Options of this command stand before
    PROGRAM.

    \b
    Examples:
      pathway spawn --record python program.py
      pathway why program.py
      pathway why --output totals --row city=Newark program.py
      pathway why --record-path monday --port 9000 program.py --input data.csv
    """
    check_kind(program, variables)
    if output is not None and not cells:
        raise click.UsageError("--output says which output a row is of: give --row, too")
    wanted, prefix = _row(cells)
    if record_path is None:
        record_path = "record" if os.path.isdir("record") else None
    else:
        check_recording(record_path)
    use_threads(threads)
    recording = None if record_path is None else os.path.abspath(record_path)
    try:
        reasons, code = rows.found(program, arguments, variables, recording=recording, mode=mode)
        if code != 0:
            sys.exit(code)
        if cells:
            click.echo(rows.told(reasons, output, wanted, prefix, limit), nl=False)
        else:
            page = rows.Page(reasons, os.path.basename(program), record_path)
            rows.serve(page, address, port)
    except (rows.NothingKnown, rows.NoSuchRow, OSError) as error:
        raise click.ClickException(str(error)) from None


def _row(texts: tuple[str, ...]) -> tuple[dict[str, str], str | None]:
    """The cells and the beginning of an id that `--row` tells."""
    cells: dict[str, str] = {}
    prefix = None
    for text in texts:
        name, equals, cell = text.partition("=")
        if text.startswith("^"):
            prefix = text
        elif equals:
            cells[name] = cell
        else:
            raise click.UsageError(f"--row {text!r} is neither COLUMN=CELL nor the beginning of an id, ^...")
    return cells, prefix


def _write(text: str, output: str | None) -> None:
    try:
        with click.open_file(output or "-", "w", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        raise click.ClickException(f"{error.filename} cannot be written: {error.strerror}") from None


@main.group()
def persistence() -> None:
    """Looks into what runs with persistence keep."""


@persistence.command(short_help="Shows the checkpoints in a folder.")
@click.argument("path")
@click.option("--json", "as_json", is_flag=True, help="All of it, as JSON.")
def inspect(path: str, as_json: bool) -> None:
    """Shows the checkpoints in the folder PATH: their times and runs, how far sources were read and outputs
    written, and how much is kept of each operator.

    Only folders can be looked into, and nothing in them is changed. A run may be using the store meanwhile.

    \b
    Examples:
      pathway persistence inspect ./state
      pathway persistence inspect ./state --json | jq '.checkpoints[0].sources'
    """
    try:
        found = store.contents(path)
    except store.NoStore as error:
        raise click.ClickException(str(error)) from None
    click.echo(found.to_json() if as_json else store.as_text(found))


@main.group()
def airbyte() -> None:
    """Prepares sources of Airbyte."""


@airbyte.command("create-source")
@click.argument("connection")
@click.option(
    "--image",
    default="airbyte/source-faker:0.1.4",
    show_default=True,
    metavar="NAME",
    help="The Docker image of the source.",
)
def create_source(connection: str, image: str) -> None:
    """Writes connections/CONNECTION.yaml, a file to fill in with the settings of a source of Airbyte.

    It is an error if there is such a file.

    \b
    Example:
      pathway airbyte create-source issues --image airbyte/source-github:1.0.0
    """
    try:
        path = airbyte_files.create_source(connection, image)
    except FileExistsError as error:
        raise click.ClickException(f"{error.filename} exists already") from None
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"The source {connection} is described in {path}: fill in what it needs")


@main.command("web-dashboard", short_help="Shows recorded runs in a browser.")
@click.option(
    "--detailed-metrics-dir",
    "folder",
    default=".",
    metavar="PATH",
    help="Where the metrics of runs are recorded (the working directory).",
)
@click.option("--port", type=click.IntRange(0, 65535), default=8088, metavar="N", help="The port (8088).")
@click.option(
    "--address", default="0.0.0.0", metavar="ADDRESS", help="The address; by default all of this machine."
)
def show_recorded(folder: str, port: int, address: str) -> None:
    """Shows the run whose metrics were recorded last, while it goes on and afterwards.

    Runs are recorded with pw.set_monitoring_config(detailed_metrics_dir=...) or the variable
    PATHWAY_DETAILED_METRICS_DIR. Whoever reaches the address sees their numbers and the lines of their
    programs.

    \b
    Examples:
      PATHWAY_DETAILED_METRICS_DIR=metrics pathway spawn python program.py
      pathway web-dashboard --detailed-metrics-dir metrics --address 127.0.0.1
    """
    try:
        web_dashboard.serve(folder, address, port)
    except OSError as error:
        raise click.ClickException(str(error)) from None


@main.command(short_help="Prints a script that completes commands in a shell.")
@click.argument("shell", type=click.Choice(completions.SHELLS))
def completion(shell: str) -> None:
    """Prints what SHELL has to read so that it completes commands, options and their values.

    \b
    Where to put it:
      bash  echo 'eval "$(pathway completion bash)"' >> ~/.bashrc
      zsh   echo 'eval "$(pathway completion zsh)"' >> ~/.zshrc     (behind compinit)
      fish  pathway completion fish > ~/.config/fish/completions/pathway.fish
    """
    try:
        click.echo(completions.source(main, shell))
    except completions.NoCompletion as error:
        raise click.ClickException(str(error)) from None
