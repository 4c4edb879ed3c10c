"""`pathway why PROGRAM`: why rows of its outputs are there, at the terminal or in a browser."""

from __future__ import annotations

import contextlib
import copy
import itertools
import json
import os
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from pathway import __version__
from pathway._engine import RowsServer, parse_pointer
from pathway.cli import serving
from pathway.cli.explained import executed
from pathway.debug.reasons import NoSuchRow, NotBounded, Reasons
from pathway.debug.why import short, text
from pathway.internals.api import PersistenceMode, SnapshotAccess
from pathway.internals.monitoring import MonitoringLevel
from pathway.internals.parse_graph import G
from pathway.internals.run_options import RunOptions
from pathway.internals.watch import Watcher, unwatched
from pathway.persistence import Backend, Config

#: How recorded rows are given.
MODES = {"batch": PersistenceMode.BATCH, "speedrun": PersistenceMode.SPEEDRUN_REPLAY}
#: Rows of an output that are listed at once.
LISTED = 50
#: Rows that a page gets at once of what a row comes from.
UNFOLDED = 200
#: Rows of a group that are followed, unless more are asked for.
FOLLOWED = 10


class NothingKnown(Exception):
    """There is nothing that could be told; the text says why."""


class Asker(Watcher):
    """In place of every run of a program, finds out what its outputs come from."""

    def __init__(self, recording: str | None, mode: str) -> None:
        super().__init__(runs=False)
        self.recording = recording
        self.reasons = Reasons()
        self.missing: NotBounded | None = None
        self._mode = MODES[mode]
        #: Runs in the background may come at the same time.
        self._one = threading.Lock()

    def note(self, outputs: Sequence[int] | None, options: RunOptions, *, run_all: bool) -> None:
        """Runs the outputs in another way: what comes out is kept, with what it comes from."""
        numbers = list(G.outputs) if outputs is None else list(outputs)
        asked = copy.copy(options)
        asked.persistence = self._replay()
        asked.level = MonitoringLevel.NONE
        asked.with_http_server = asked.is_recorded = False
        try:
            with self._one, unwatched():
                self.reasons.add(numbers, asked, ends=self.recording is not None)
        except NotBounded as missing:
            # It is told when the program has ended.
            self.missing = missing
            raise SystemExit(1) from None

    def _replay(self) -> Config | None:
        if self.recording is None:
            return None
        return Config(
            Backend.filesystem(self.recording),
            snapshot_access=SnapshotAccess.REPLAY,
            persistence_mode=self._mode,
            continue_after_replay=False,
        )


def found(
    file: str,
    arguments: Sequence[str],
    overrides: Mapping[str, str],
    *,
    recording: str | None,
    mode: str,
) -> tuple[Reasons, int]:
    """Executes a program, in place of whose runs it is found out what their outputs come from. Gives that,
    and the code that the program has ended with.

    Raises:
        NothingKnown: a source goes on for ever, or there are no outputs.
    """
    asker = Asker(recording, mode)
    code = executed(file, arguments, overrides, asker)
    if not asker.reasons.outputs and asker.missing is None and code == 0 and G.outputs:
        print(f"{file} does not call pw.run(); these are the outputs of that", file=sys.stderr)
        with contextlib.suppress(SystemExit):
            asker.note(None, RunOptions.to_look(), run_all=False)
    if asker.missing is not None:
        raise NothingKnown(
            f"{asker.missing}: record what its sources with names give by pathway spawn --record, and say "
            "with --record-path where that is"
        )
    if not asker.reasons.outputs and code == 0:
        raise NothingKnown(f"{file} has no outputs, and shows no table")
    return asker.reasons, code


def told(
    reasons: Reasons, output: str | None, cells: Mapping[str, str], prefix: str | None, limit: int
) -> str:
    """Why a row is there, as text.

    Raises:
        NoSuchRow: there is no such output or row.
    """
    chosen = reasons.output(output)
    row = reasons.find(chosen, prefix, dict(cells))
    return f"{reasons.reason(chosen, row, limit)}\n"


class Page:
    """What the page asks for, as JSON. The answers are described in `static/pages/rows.js`."""

    def __init__(self, reasons: Reasons, program: str, recording: str | None) -> None:
        self._reasons = reasons
        self._program = program
        self._recording = recording

    def about(self) -> str:
        """The program and its outputs."""
        outputs = [
            {
                "name": output.name,
                "table": output.table,
                "rows": len(output.rows),
                "columns": output.columns,
                "file": "" if output.frame is None else output.frame.file,
                "line": 0 if output.frame is None else output.frame.line,
            }
            for output in self._reasons.outputs
        ]
        about = {"program": self._program, "version": __version__, "recording": self._recording}
        return _json({**about, "outputs": outputs})

    def rows(self, number: int, wanted: str) -> str | None:
        """The first rows of an output with a text."""
        if number >= len(self._reasons.outputs):
            return None
        output = self._reasons.outputs[number]
        matching = self._reasons.matching(output, wanted)
        listed = [
            {"id": str(key), "short": short(key), "cells": cells}
            for key, cells in itertools.islice(matching, LISTED)
        ]
        total = len(listed) + sum(1 for _ in matching)
        return _json({"total": total, "of": len(output.rows), "rows": listed})

    def reason(self, table: int, row: str, limit: int) -> str | None:
        """What a row of a table comes from."""
        try:
            rows = self._reasons.unfolded(
                table, parse_pointer(row), limit, each=FOLLOWED, most=max(UNFOLDED, limit)
            )
        except (LookupError, ValueError):
            return None
        return _json(
            {
                "rows": [
                    {
                        "table": at,
                        "id": str(reason.id),
                        "short": short(reason.id),
                        "cells": [[name, text(value)] for name, value in reason.cells.items()],
                        "operations": reason.operations,
                        "file": reason.file,
                        "line": reason.line,
                        "function": reason.function,
                        "source": reason.source,
                        "origins": origins,
                        "more": reason.more,
                        "ends": reason.ends,
                    }
                    for at, reason, origins in rows
                ]
            }
        )


def _json(document: Any) -> str:
    return json.dumps(document, ensure_ascii=False)


def serve(page: Page, address: str, port: int) -> None:
    """Serves a page until it is interrupted.

    Raises:
        OSError: the port is taken, or may not be used.
    """
    token = os.environ.get("PATHWAY_MONITORING_HTTP_TOKEN") or None
    server = RowsServer(page, address, port, token=token)
    if token is None and not server.is_loopback:
        print(
            "Warning: everybody who reaches this address sees the rows: set a token "
            "(PATHWAY_MONITORING_HTTP_TOKEN)",
            file=sys.stderr,
        )
    serving.serve(server, "Why rows are there")


__all__ = ["FOLLOWED", "MODES", "NoSuchRow", "NothingKnown", "Page", "found", "serve", "told"]
