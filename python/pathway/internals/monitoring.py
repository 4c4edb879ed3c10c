"""`pw.MonitoringLevel`: how much of a run is shown."""

from __future__ import annotations

import enum
import os
import sys


class MonitoringLevel(enum.Enum):
    """How much of a run is shown while it is going on."""

    #: `IN_OUT` at a terminal and in a notebook, else `NONE`.
    AUTO = 0
    #: `ALL` at a terminal and in a notebook, else `NONE`.
    AUTO_ALL = 1
    #: Nothing.
    NONE = 2
    #: Sources, and inputs and outputs as a whole.
    IN_OUT = 3
    #: Sources and each operator.
    ALL = 4

    def effective(self) -> MonitoringLevel:
        """The level where the program runs: never an automatic one."""
        automatic = {
            MonitoringLevel.AUTO: MonitoringLevel.IN_OUT,
            MonitoringLevel.AUTO_ALL: MonitoringLevel.ALL,
        }
        if self not in automatic:
            return self
        return automatic[self] if at_terminal() or in_notebook() else MonitoringLevel.NONE


def at_terminal() -> bool:
    """True if standard output is a terminal that can be drawn on, and that is not another program's now."""
    return is_terminal(sys.stdout) and os.environ.get("TERM") != "dumb" and _in_front()


def _in_front() -> bool:
    """False for what a shell has started in the background."""
    try:
        return os.tcgetpgrp(sys.stdout.fileno()) == os.getpgrp()
    except (OSError, ValueError):
        # Nobody shares the terminal with others, as there is no shell that does so.
        return True


def is_terminal(stream: object) -> bool:
    """True for an open stream to a terminal."""
    try:
        return bool(stream.isatty())  # type: ignore[attr-defined]
    except (AttributeError, ValueError):
        # No stream at all, or one that is closed.
        return False


def in_notebook() -> bool:
    """True in a cell of a notebook."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return getattr(shell, "kernel", None) is not None
