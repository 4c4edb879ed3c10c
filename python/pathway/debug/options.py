"""The options of runs by functions of `pw.debug`."""

from __future__ import annotations

from typing import Any

from pathway.internals.run_options import RunOptions


def debug_options(*, ignore_asserts: bool | None = None, **arguments: Any) -> RunOptions:
    """Those of a run by a function of `pw.debug` that was given these arguments.

    Args:
        ignore_asserts: the handbook's; there are no assertions that could be left out.
        arguments: all of a run but those that are the same in all of these functions.
    """
    for name in ("debug", "monitoring_level"):
        if name in arguments:
            raise TypeError(f"{name} cannot be given here: it is fixed in the functions of pw.debug.")
    try:
        return RunOptions.to_look(debug=True, **arguments)
    except TypeError as error:
        raise TypeError(str(error).replace("RunOptions.__init__()", "the run")) from None


__all__ = ["debug_options"]
