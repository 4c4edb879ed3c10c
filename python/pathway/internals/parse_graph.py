"""The global graph: what the program has built so far, and what was run of it."""

from __future__ import annotations

import atexit
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from pathway import _engine
from pathway.internals.trace import warn

_UNUSED = (
    "The program ends without having run the tables it built: call pw.run() to compute its outputs, or "
    "pw.debug.compute_and_print() to look at a table."
)


class ParseGraph:
    """The plan under construction with the registered outputs; one per process: [`G`][]."""

    def __init__(self) -> None:
        self.engine = _engine.Graph()
        #: Numbers of the outputs that `pw.run` computes.
        self.outputs: list[int] = []
        #: Numbers of the taps of `Table.debug`, computed in runs with `debug=True`.
        self.taps: list[int] = []
        #: Unique names of sources and sinks, with how often each was given.
        self.names: dict[str, int] = {}
        #: Names of caches of functions.
        self.caches: set[str] = set()
        #: Columns of methods of transformers, by the node and name where they were made.
        self.methods: dict[tuple[int, str], Any] = {}
        #: Universes of static tables, by the identity of their rows: equal rows share one.
        self.static_universes: dict[tuple[object, ...], _engine.Universe] = {}
        #: Tables of the present time, by how often they tell it.
        self.clocks: dict[tuple[timedelta, timedelta], Any] = {}
        #: Tables that the program looks at itself, by their identity.
        self.exported: dict[int, Any] = {}
        #: Live tables, in the order in which they were made.
        self.live: list[Any] = []
        self._unused = False

    def clear(self) -> None:
        """Forgets all tables, outputs and facts about universes."""
        self.engine.clear()
        self.outputs.clear()
        self.taps.clear()
        self.names.clear()
        self.caches.clear()
        self.methods.clear()
        self.static_universes.clear()
        self.clocks.clear()
        self.exported.clear()
        self.live.clear()
        self._unused = False

    def add_output(self, number: int) -> None:
        """Notes an output, so that `pw.run` computes it."""
        self.outputs.append(number)
        self.touch()

    def touch(self) -> None:
        """Notes that an operator was added, and shows the engine's warnings about it."""
        self._unused = True
        for message, frame in self.engine.take_warnings():
            warn(message, location=frame)

    def register_name(self, name: str | None) -> str | None:
        """Notes the unique name of a source or sink; a run refuses names given twice."""
        if name is not None:
            self.names[name] = self.names.get(name, 0) + 1
        return name

    def register_cache(self, name: str) -> None:
        """Notes the name of a cache of a function; ValueError if there is one."""
        if name in self.caches:
            raise ValueError(f"the cache name {name!r} is used more than once; each cache needs its own.")
        self.caches.add(name)

    def is_empty(self) -> bool:
        """True if nothing has been built."""
        return not self.engine.explain()

    def mark_used(self) -> None:
        """Notes that a run was started: what has been built is not forgotten."""
        self._unused = False

    def has_unused_operators(self) -> bool:
        """True if operators were added since the last run."""
        return self._unused

    @contextmanager
    def scoped(self) -> Iterator[None]:
        """Restores the mark of unused operators after the block."""
        before = self._unused
        try:
            yield
        finally:
            self._unused = before


G = ParseGraph()


def warn_if_some_operators_unused() -> None:
    """The warning at the end of a program that built tables and never ran them."""
    if G.has_unused_operators():
        warn(_UNUSED)


def __getattr__(name: str) -> Any:
    if name == "ErrorLogSchema":
        from pathway.internals.error_log import ErrorLogSchema

        return ErrorLogSchema
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


atexit.register(warn_if_some_operators_unused)
