"""Several small programs in one file: each prints a block of its own.

A program is a function marked with `@program`. It runs at once, over an empty graph, and what it prints
stands under its name. Exceptions are printed by their class, because messages are not part of the contract.
"""

from __future__ import annotations

import logging
import os
import traceback
import warnings
from collections.abc import Callable
from typing import Any

import pathway as pw
from pathway.internals.parse_graph import G

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)


def program(function: Callable[[], None]) -> None:
    """Runs a program and prints its block."""
    print(f"== {function.__name__.replace('_', ' ')}")
    G.clear()
    try:
        function()
    except Exception as error:
        print(f"ends with {type(error).__name__}")
        if os.environ.get("TRACE"):
            traceback.print_exc()


def show(table: pw.Table, *, ids: bool = True, **options: Any) -> None:
    """The types of a table and its final rows."""
    print(table.schema)
    attempt(lambda: pw.debug.compute_and_print(table, include_id=ids, short_pointers=False, **options), "run")


def changes(table: pw.Table, *, ids: bool = True, **options: Any) -> None:
    """The types of a table and all its changes."""
    print(table.schema)
    attempt(
        lambda: pw.debug.compute_and_print_update_stream(
            table, include_id=ids, short_pointers=False, **options
        ),
        "run",
    )


def values(table: pw.Table, **options: Any) -> None:
    """The rows of a table without ids; errors are cells."""
    show(table, ids=False, terminate_on_error=False, **options)


def attempt(action: Callable[[], Any], moment: str = "build") -> None:
    """Does something; if it is refused, prints how."""
    try:
        action()
    except Exception as error:
        print(f"refused at {moment}: {type(error).__name__}")


def accepted(*actions: Callable[[], Any]) -> None:
    """For each of the actions whether it is accepted."""
    for action in actions:
        try:
            result = action()
            print("accepted", type(result).__name__)
        except Exception as error:
            print(f"refused: {type(error).__name__}")


def one(**columns: Any) -> pw.Table:
    """A table with one row for each expression `name=expression of constants`."""
    return pw.debug.table_from_markdown("k\n1").select(**columns)


def rows(types: dict[str, Any], *cells: tuple[Any, ...]) -> pw.Table:
    """A static table with a leading column `k` that numbers the rows."""
    return pw.debug.table_from_rows(
        pw.schema_from_types(k=int, **types), [(i, *cell) for i, cell in enumerate(cells)]
    )
