"""The `pathway` command: `pathway spawn --processes 2 --threads 2 python program.py`."""

from __future__ import annotations

import functools
import logging
import os
import shlex
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple, NoReturn

import click

from pathway import __version__
from pathway.cli.launch import Launch, NotStarted, launch
from pathway.cli.repository import NoRepository, checked_out

_LOGGER = logging.getLogger("pathway.cli")
_HIGHEST_PORT = 65535


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="pathway")
def main() -> None:
    """Runs programs that compute with live data."""


class _Run(NamedTuple):
    """What is run, and in which processes."""

    plan: Launch
    repository_url: str | None
    branch: str | None
    command: tuple[str, ...]

    def launch(self, variables: Mapping[str, str]) -> NoReturn:
        """Runs it with these variables in the environment, and exits as it does."""
        program, *arguments = self.command
        try:
            with checked_out(self.repository_url, self.branch) as checkout:
                command = [checkout.program(program), *arguments]
                sys.exit(launch(self.plan, command, folder=checkout.folder, variables=variables))
        except (NotStarted, NoRepository) as error:
            _LOGGER.error("%s", error)
            sys.exit(1)


_RUN_OPTIONS = (
    click.option(
        "-t", "--threads", type=int, default=1, metavar="N", help="Worker threads of each process (1)."
    ),
    click.option(
        "-n", "--processes", type=int, default=None, metavar="N", help="Processes on this machine (1)."
    ),
    click.option(
        "--first-port",
        type=int,
        default=10000,
        metavar="PORT",
        help="Processes on this machine talk through this port and those that follow (10000).",
    ),
    click.option(
        "--addresses",
        metavar="HOST:PORT,HOST:PORT,...",
        help="Where all processes of the run listen, on any machines. One of them is started here; give "
        "all the same PATHWAY_CLUSTER_SECRET.",
    ),
    click.option(
        "-pi",
        "--process-id",
        type=int,
        metavar="N",
        help="Which of --addresses is the process here; the first is 0.",
    ),
    click.option(
        "--max-processes",
        type=int,
        metavar="N",
        help="The most processes that there may be where their number follows the load.",
    ),
    click.option("--repository-url", metavar="URL", help="Clone this Git repository and run there."),
    click.option("--branch", metavar="NAME", help="The branch of the repository."),
    click.option(
        "--record-path", metavar="FOLDER", default="record", help="Where the recording is kept (record)."
    ),
    click.argument("program"),
    click.argument("arguments", nargs=-1, type=click.UNPROCESSED),
)


def _runs(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command the options of whatever runs a program; it takes a `run`, and the `record_path`."""

    @functools.wraps(command)
    def with_run(
        threads: int,
        processes: int | None,
        first_port: int,
        addresses: str | None,
        process_id: int | None,
        max_processes: int | None,
        repository_url: str | None,
        branch: str | None,
        program: str,
        arguments: tuple[str, ...],
        **others: Any,
    ) -> None:
        plan = _plan(threads, processes, first_port, addresses, process_id)
        if max_processes is not None:
            if addresses is not None or max_processes < plan.processes:
                raise click.UsageError(
                    "--max-processes must be at least --processes, and goes without --addresses"
                )
            plan = replace(plan, most=max_processes)
        if branch is not None and repository_url is None:
            raise click.UsageError("--branch requires --repository-url")
        command(run=_Run(plan, repository_url, branch, (program, *arguments)), **others)

    for option in reversed(_RUN_OPTIONS):
        with_run = option(with_run)
    return with_run


_RUN_SETTINGS = {"allow_interspersed_args": False, "ignore_unknown_options": False}


@main.command(context_settings=_RUN_SETTINGS)
@click.option("--record", is_flag=True, help="Record what the sources with names give, for pathway replay.")
@_runs
def spawn(run: _Run, record: bool, record_path: str) -> None:
    """Runs PROGRAM with its ARGUMENTS in one or several processes.

    Every process runs the whole program; the workers of all of them share the rows. If one fails, all are
    stopped. The exit code is 0 if all end well, and otherwise that of the process that failed.

        pathway spawn --processes 2 --threads 2 python program.py --input data.csv

        pathway spawn --record python program.py
    """
    variables = _replay_variables(run, record_path, "record", continues=True) if record else {}
    run.launch(variables)


@main.command(context_settings=_RUN_SETTINGS)
@click.option(
    "--mode",
    type=click.Choice(["batch", "speedrun", "realtime"], case_sensitive=False),
    default="batch",
    help="Recorded rows are given all at once (batch); in the minibatches and at the times in which they "
    "came, as fast as possible (speedrun); or the same with the pauses between them (realtime).",
)
@click.option(
    "--speed", type=float, default=1.0, metavar="X", help="With realtime, so many times as fast (1)."
)
@click.option("--continue", "continues", is_flag=True, help="Go on with what the sources give now.")
@_runs
def replay(run: _Run, mode: str, speed: float, continues: bool, record_path: str) -> None:
    """Runs PROGRAM with its ARGUMENTS on what pathway spawn --record has recorded.

    Nothing is added to the recording. Sources without names give nothing, unless the run goes on with what
    the sources give now.

        pathway replay --mode speedrun python program.py
    """
    if not 0 < speed < float("inf"):
        raise click.UsageError("--speed has to be a positive number")
    if not os.path.isdir(record_path):
        raise click.UsageError(
            f"there is no recording in {record_path}: make one with pathway spawn --record"
        )
    variables = _replay_variables(run, record_path, "replay", continues=continues)
    modes = dict.fromkeys(["PATHWAY_PERSISTENCE_MODE", "PATHWAY_REPLAY_MODE"], mode.lower())
    run.launch({**variables, **modes, "PATHWAY_REPLAY_SPEED": str(speed)})


def _replay_variables(run: _Run, path: str, access: str, *, continues: bool) -> dict[str, str]:
    return {
        # A clone is thrown away.
        "PATHWAY_REPLAY_STORAGE": path if run.repository_url is None else os.path.abspath(path),
        "PATHWAY_SNAPSHOT_ACCESS": access,
        "PATHWAY_CONTINUE_AFTER_REPLAY": str(continues).lower(),
    }


@main.command("spawn-from-env")
def spawn_from_env() -> None:
    """Runs `pathway spawn` with the arguments in the variable PATHWAY_SPAWN_ARGS.

    PATHWAY_SPAWN_ARGS='--threads 2 python program.py' pathway spawn-from-env
    """
    text = os.environ.get("PATHWAY_SPAWN_ARGS")
    if text is None:
        _LOGGER.warning("PATHWAY_SPAWN_ARGS variable is unspecified, exiting...")
        return
    arguments = [sys.executable, "-m", "pathway", "spawn", *text.split(" ")]
    _LOGGER.info("running %s", shlex.join(arguments[3:]))
    os.execv(arguments[0], arguments)


def _plan(
    threads: int,
    processes: int | None,
    first_port: int,
    addresses: str | None,
    process_id: int | None,
) -> Launch:
    """The processes to be started; `click.UsageError` if the options make no sense."""
    if threads < 1:
        raise click.UsageError("--threads must be at least 1")
    if processes is not None and processes < 1:
        raise click.UsageError("--processes must be at least 1")
    if addresses is None:
        if process_id is not None:
            raise click.UsageError("--process-id requires --addresses")
        count = processes or 1
        last = first_port + count - 1
        if first_port < 1:
            raise click.UsageError(f"invalid port {first_port} of --first-port: must be in range 1..65535")
        if last > _HIGHEST_PORT:
            raise click.UsageError(
                f"--first-port {first_port} with --processes {count} requires port {last}, "
                f"which exceeds the maximum of {_HIGHEST_PORT}"
            )
        return Launch(threads=threads, processes=count, first_port=first_port)
    if processes is not None:
        raise click.UsageError(
            "--processes and --addresses are mutually exclusive: each address is a process"
        )
    if process_id is None:
        raise click.UsageError("--process-id is required when --addresses is set")
    all_addresses = _checked_addresses(addresses)
    if not 0 <= process_id < len(all_addresses):
        last = len(all_addresses) - 1
        raise click.UsageError(f"--process-id {process_id} is out of range: --addresses has 0 to {last}")
    return Launch(threads=threads, addresses=all_addresses, process_id=process_id)


def _checked_addresses(text: str) -> tuple[str, ...]:
    addresses = tuple(address.strip() for address in text.split(","))
    for address in addresses:
        host, colon, port = address.rpartition(":")
        if not (host and colon and port.isascii() and port.lstrip("-").isdigit()):
            raise click.UsageError(f"invalid address {address!r} in --addresses: expected host:port format")
        if not 1 <= int(port) <= _HIGHEST_PORT:
            raise click.UsageError(
                f"invalid port {port} of {address!r} in --addresses: must be in range 1..{_HIGHEST_PORT}"
            )
    if len(set(addresses)) < len(addresses):
        raise click.UsageError("--addresses contains duplicate entries")
    return addresses
