"""Whoever wants to know of the runs of a program, instead of them or beside them."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pathway._engine import Counts, Explanation
from pathway.internals.parse_graph import G

if TYPE_CHECKING:
    from pathway.internals.run_options import RunOptions


class Watcher:
    """Notes the plan of every run of a program.

    Args:
        runs: the program is run, and what is counted is noted too; otherwise every run ends before it begins.
    """

    def __init__(self, *, runs: bool) -> None:
        self.runs = runs
        self._plans: list[Explanation] = []
        self._counts: list[Counts] = []

    def note(self, outputs: Sequence[int] | None, options: RunOptions, *, run_all: bool) -> None:
        """Notes the plan of a run that is not begun."""
        plan = G.engine.explanation(outputs=outputs, run_all=run_all, debug=options.debug)
        self._plans.append(plan)

    def counts(self) -> Counts:
        """What a run is to be counted in."""
        self._counts.append(Counts())
        return self._counts[-1]

    def plans(self) -> list[Explanation]:
        """The plans of the runs so far; what was counted of those that have begun is in them."""
        counted = [counts.explanation() for counts in self._counts]
        return [*self._plans, *(plan for plan in counted if plan is not None)]


class _Own(threading.local):
    """Whether runs of this thread are those of the watcher itself."""

    runs = False


_watcher: Watcher | None = None
_own = _Own()


def watcher() -> Watcher | None:
    """Whoever watches the runs of this program."""
    return None if _own.runs else _watcher


def may_run() -> bool:
    """True unless somebody wants to know of runs instead of them."""
    watching = watcher()
    return watching is None or watching.runs


@contextmanager
def watched(by: Watcher) -> Iterator[None]:
    """Lets somebody watch all runs inside of the block."""
    global _watcher
    before, _watcher = _watcher, by
    try:
        yield
    finally:
        _watcher = before


@contextmanager
def unwatched() -> Iterator[None]:
    """Runs that this thread begins inside of the block are the watcher's own."""
    before, _own.runs = _own.runs, True
    try:
        yield
    finally:
        _own.runs = before
