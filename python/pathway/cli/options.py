"""The options of the commands that run programs, and what they come to."""

from __future__ import annotations

import functools
import logging
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple, NoReturn

import click
from click.core import ParameterSource

from pathway.cli.launch import Launch, NotStarted, launch
from pathway.cli.repository import NoRepository, checked_out

_LOGGER = logging.getLogger("pathway.cli")
_HIGHEST_PORT = 65535


class Run(NamedTuple):
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


_OPTIONS = (
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
)
#: What a program may say itself of the processes it wants.
PROCESS_SETTINGS = ("threads", "processes", "first_port", "max_processes")


def runs(
    command: Callable[..., None],
    *,
    program: str = "PROGRAM",
    settings_of: Callable[..., Mapping[str, int]] | None = None,
) -> Callable[..., None]:
    """Gives a command the options of whatever runs a program; it takes a `run`, and the `record_path`.

    Args:
        command: the command.
        program: what help calls the program.
        settings_of: gives what a program wants where the command line does not say it, from the program
            and the other options.
    """

    name = program

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
        if settings_of is not None:
            wanted = settings_of(program, repository_url=repository_url, **others)
            threads = _told("threads", threads, wanted)
            first_port = _told("first_port", first_port, wanted)
            max_processes = _told("max_processes", max_processes, wanted)
            if addresses is None:
                processes = _told("processes", processes, wanted)
        plan = _plan(threads, processes, first_port, addresses, process_id)
        if max_processes is not None:
            if addresses is not None or max_processes < plan.processes:
                raise click.UsageError(
                    "--max-processes must be at least --processes, and goes without --addresses"
                )
            plan = replace(plan, most=max_processes)
        if branch is not None and repository_url is None:
            raise click.UsageError("--branch requires --repository-url")
        command(run=Run(plan, repository_url, branch, (program, *arguments)), **others)

    arguments_of_it = (
        click.argument("program", metavar=name, type=click.Path()),
        click.argument("arguments", nargs=-1, type=click.UNPROCESSED),
    )
    for option in reversed((*_OPTIONS, *arguments_of_it)):
        with_run = option(with_run)
    return with_run


def _told(name: str, value: Any, wanted: Mapping[str, int]) -> Any:
    """What the command line says, or else what the program wants, or else the default."""
    source = click.get_current_context().get_parameter_source(name)
    return wanted.get(name, value) if source is ParameterSource.DEFAULT else value


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
