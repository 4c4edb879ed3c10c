"""`pw.io.python.ConnectorSubject`: rows that Python code sends."""

from __future__ import annotations

import json
from typing import Any, Literal

from pathway._engine import Pointer, SubjectBase
from pathway.internals.active_runs import SubjectThread
from pathway.internals.api import SessionType
from pathway.internals.trace import warn
from pathway.io.python.deletions import may_delete


class ConnectorSubject(SubjectBase):
    """Base of sources in Python: subclass it and define `run`, which sends rows with `next`.

    Args:
        datasource_name: names the source in logs.
        session_type: `native` (each row is added) or `upsert` (the newest row of a key replaces the others).

    >>> import pathway as pw
    >>> class Numbers(pw.io.python.ConnectorSubject):
    ...     def run(self):
    ...         for i in range(3):
    ...             self.next(i=i)
    >>> t = pw.io.python.read(Numbers(), schema=pw.schema_from_types(i=int))
    >>> pw.debug.compute_and_print(t, include_id=False)
    i
    0
    1
    2
    """

    # Class attributes, so that a subclass may forget super().__init__().
    _datasource_name: str = "python"
    _session_name: str = "native"
    _format: str = "json"
    _already_used: bool = False
    #: Where its code runs, or has run last.
    _pathway_thread: SubjectThread | None = None

    def __init__(
        self, datasource_name: str = "python", *, session_type: Literal["native", "upsert"] = "native"
    ) -> None:
        super().__init__()
        if type(self).run is ConnectorSubject.run and not hasattr(self, "read"):
            raise TypeError(f"{type(self).__name__} has to define run(), which sends the rows.")
        if session_type not in ("native", "upsert"):
            raise ValueError(f"session_type has to be 'native' or 'upsert', not {session_type!r}.")
        self._datasource_name = datasource_name
        self._session_name = session_type

    # --- to be overridden -------------------------------------------------------------------------

    def run(self) -> None:
        """Sends the rows; called in a thread of its own. Its return ends the source."""
        raise NotImplementedError(f"{type(self).__name__} has to define run(), which sends the rows")

    def on_stop(self) -> None:
        """Called after `run` returned or raised."""

    def on_persisted_run(self) -> None:
        """Called before `run`, in a run with persistence."""

    def _seek(self, state: bytes) -> None:
        """Called before `run`, with the external offset that was persisted."""

    def _is_finite(self) -> bool:
        """False: `run` returns early, and another thread goes on sending until `close()`."""
        return True

    @property
    def _session_type(self) -> SessionType:
        return SessionType(self._session_name)

    @property
    def _deletions_enabled(self) -> bool:
        return self._session_type is SessionType.UPSERT or may_delete(type(self))

    @property
    def _with_metadata(self) -> bool:
        return False

    # --- called by the framework --------------------------------------------------------------------

    def start(self) -> None:
        """Runs the subject; not for users."""
        try:
            self.run()
        finally:
            self.on_stop()
            if self._is_finite():
                self.end()

    def end(self) -> None:
        """Called when the source has ended; not for users."""

    def seek(self, state: bytes) -> None:
        """Called before the start with a persisted offset; not for users."""
        self._seek(state)

    # --- sending encoded messages -------------------------------------------------------------------

    def next_json(self, message: Any) -> None:
        """Adds the row of a JSON object."""
        self._check_format("json", "next_json")
        super().next_json(message)

    def next_str(self, message: str) -> None:
        """Adds the row of a text."""
        self._check_format("raw", "next_str")
        super().next_str(message)

    def next_bytes(self, message: bytes) -> None:
        """Adds the row of a byte string."""
        self._check_format("binary", "next_bytes")
        super().next_bytes(message)

    def _check_format(self, expected: str, method: str) -> None:
        if self._format != expected:
            warn(
                f"{method}() is meant for the format {expected!r}; this subject is read as {self._format!r}. "
                "Use next(column=value).",
                DeprecationWarning,
            )

    def _add(self, key: Pointer | None, message: Any, metadata: Any = None) -> None:
        """Adds the row of an encoded message under an explicit id."""
        self._add_inner(key, self._decoded(message, metadata))

    def _remove(self, key: Pointer | None, message: Any, metadata: Any = None) -> None:
        """Removes the row of an encoded message under an explicit id."""
        self._remove_inner(key, self._decoded(message, metadata))

    def _decoded(self, message: Any, metadata: Any) -> dict[str, Any]:
        if self._format == "json":
            return dict(message) if isinstance(message, dict) else dict(json.loads(message))
        if self._format == "raw" and isinstance(message, bytes):
            message = message.decode()
        values = {"data": message}
        if self._with_metadata:
            values["_metadata"] = json.loads(metadata) if isinstance(metadata, (str, bytes)) else metadata
        return values
