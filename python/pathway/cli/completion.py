"""Completion in shells: the scripts are those of click."""

from __future__ import annotations

import click
from click.shell_completion import BashComplete, get_completion_class

SHELLS = ("bash", "zsh", "fish")
_VARIABLE = "_PATHWAY_COMPLETE"


class NoCompletion(Exception):
    """The shell cannot do it."""


class _Bash(BashComplete):
    """Without a look at the version of bash, which need not be installed where the script is made."""

    @staticmethod
    def _check_version() -> None:
        return


def source(command: click.Command, shell: str) -> str:
    """The script that a shell has to read.

    >>> "_PATHWAY_COMPLETE=fish_complete" in source(click.Command("pathway"), "fish")
    True
    """
    kind = _Bash if shell == "bash" else get_completion_class(shell)
    if kind is None:
        raise NoCompletion(f"there is no completion for {shell}; there is for {', '.join(SHELLS)}")
    return kind(command, {}, "pathway", _VARIABLE).source()
