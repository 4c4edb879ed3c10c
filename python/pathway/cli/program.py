"""What commands take besides a program or a pipeline, and whether the file and the recording make sense."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from pathway.cli import pipeline

_C = TypeVar("_C", bound=Callable[..., Any])


def set_option(help: str) -> Callable[[_C], _C]:
    """Gives a command `--set NAME=VALUE`, as `variables`."""
    return click.option(
        "--set", "variables", multiple=True, metavar="NAME=VALUE", callback=_assignments, help=help
    )


def program_options(*, threads: str) -> Callable[[_C], _C]:
    """Gives a command that executes a program itself the options `--threads`, with this help, and `--set`."""

    def with_options(command: _C) -> _C:
        command = set_option("The value of a variable of a pipeline, as of pathway run.")(command)
        count = click.IntRange(min=1)
        return click.option("-t", "--threads", type=count, metavar="N", help=threads)(command)

    return with_options


def _assignments(
    context: click.Context, parameter: click.Parameter, texts: tuple[str, ...]
) -> dict[str, str]:
    """The variables of `--set NAME=VALUE`."""
    values = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.isidentifier():
            raise click.BadParameter(f"{text!r} is not NAME=VALUE")
        values[name] = value
    return values


def use_threads(threads: int | None) -> None:
    """Runs of this process have so many worker threads, if the command line says it."""
    if threads is not None:
        os.environ["PATHWAY_THREADS"] = str(threads)


def check_kind(file: str, variables: Mapping[str, str], *, others: str = "") -> None:
    """click.UsageError if a file is neither a program nor a pipeline, or a program that is given variables.

    Args:
        file: its name. It need not be there.
        variables: those of `--set`, which only pipelines have.
        others: what the message says besides of files that are neither.
    """
    if not file.endswith((".py", *pipeline.SUFFIXES)):
        raise click.UsageError(f"{file} is no .py or .yaml file{others}")
    if variables and not file.endswith(pipeline.SUFFIXES):
        raise click.UsageError("--set is for pipelines in YAML; give a program arguments, or the environment")


def check_recording(folder: str) -> None:
    """click.UsageError if there is no recording."""
    if not os.path.isdir(folder):
        raise click.UsageError(f"there is no recording in {folder}: make one with pathway spawn --record")


def settings_of(
    program: str, *, repository_url: str | None, variables: dict[str, str], **others: Any
) -> Mapping[str, int]:
    """What the file says of its processes, if it can be known before they are there."""
    check_kind(program, variables, others="; other programs are run by pathway spawn")
    if repository_url is not None:
        return {}
    if not os.path.isfile(program):
        raise click.UsageError(f"there is no file {program}")
    if not program.endswith(pipeline.SUFFIXES):
        return {}
    try:
        return pipeline.process_settings(program, variables)
    except pipeline.NoSuchVariable as mistake:
        raise click.BadParameter(str(mistake), param_hint="--set") from None
    except pipeline.Mistake as mistake:
        raise click.ClickException(str(mistake)) from None


__all__ = ["check_kind", "check_recording", "program_options", "set_option", "settings_of", "use_threads"]
