"""How runs take in what live tables have: all that has happened to them, at its times, and what follows."""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Iterator
from typing import Any

from pathway._engine import Persistence, Pointer
from pathway.internals.active_runs import ActiveRun
from pathway.internals.history import PATIENCE, History
from pathway.internals.parse_graph import G

_numbers = itertools.count(1)
#: Told when a run has got all of a table.
_sent = threading.Condition()


class LiveInput:
    """A live table as the input of other runs."""

    def __init__(self, history: History, *, is_bounded: bool) -> None:
        self.history = history
        self.is_bounded = is_bounded
        #: Names the source; of one program each live table has its own.
        self.name = f"live table {next(_numbers)}"
        #: How many changes the run has been given that begins to follow.
        self.given = 0
        #: The run that follows the table, until it has got all of it.
        self.run: ActiveRun | None = None

    @contextlib.contextmanager
    def followed_by(self, run: ActiveRun) -> Iterator[None]:
        """A run that follows the table, from before its beginning to its end.

        Raises:
            RuntimeError: another one does, and the table still changes.
        """
        if self.is_bounded:
            # Then all of it comes at its times.
            self.history.wait_for_end()
        with _sent:
            while self.run is not None:
                if not self.history.is_over():
                    raise RuntimeError(
                        f"{self.name} still changes, and another run follows it: only one can. Stop that "
                        "one, or compute both results in one run."
                    )
                _sent.wait(PATIENCE)
            self.run = run
            self.given = len(self.history.changes())
        try:
            yield
        finally:
            self.has_sent(run)

    def has_sent(self, run: ActiveRun | None) -> None:
        """A run has got all that it gets of the table: another one may follow."""
        with _sent:
            if self.run is run:
                self.run = None
                _sent.notify_all()

    def past(self) -> tuple[str, list[Pointer], list[Any], list[int], list[int]]:
        """What is given to the run: name, ids, columns, times and diffs."""
        changes = self.history.changes()[: self.given]
        times, keys, rows, additions = zip(*changes, strict=True)
        columns = [list(column) for column in zip(*rows, strict=True)]
        # Times of sources are even, and those below 2 are of what there was before a run.
        even = [max(2, time + time % 2) for time in times]
        return self.name, list(keys), columns, even, [1 if added else -1 for added in additions]


@contextlib.contextmanager
def given_by_live_tables(run: ActiveRun, kept: Persistence | None) -> Iterator[Persistence | None]:
    """The storage of a run. If it needs live tables, their changes so far are replayed like a recording.

    Raises:
        ValueError: the run has a storage, and what live tables have is gone with this process.
        RuntimeError: a live table is followed by another run.
    """
    inputs: list[LiveInput] = []
    if G.live:
        read = set(G.engine.sources(outputs=run.outputs))
        inputs = [one for one in G.live if one.name in read]
    if not inputs:
        yield kept
        return
    if kept is not None:
        raise ValueError(
            "the run depends on a live table, which is gone when this process ends: it cannot have a "
            "persistence_config."
        )
    with contextlib.ExitStack() as following:
        for one in inputs:
            following.enter_context(one.followed_by(run))
        given = [one.past() for one in inputs if one.given > 0]
        yield Persistence(
            None, access="replay", logs="named", pace="speedrun_replay", continues=True, given=given
        )
