"""Exceptions and texts that several modules share."""

from __future__ import annotations

from collections.abc import Iterable


def no_such_column(name: str, names: Iterable[str], what: str = "the table") -> str:
    """The text for a column that is not there: names the good ones and guesses the one meant.

    >>> no_such_column("prise", ["price", "shop"])
    'there is no column prise in the table. Did you mean price? Its columns are: price, shop.'
    """
    import difflib

    known = list(names)
    close = difflib.get_close_matches(name, known, n=1)
    hint = f" Did you mean {close[0]}?" if close else ""
    columns = f" Its columns are: {', '.join(known)}." if known else " It has no columns."
    return f"there is no column {name} in {what}.{hint}{columns}"


class NotYetSupportedError(NotImplementedError):
    """A feature that the interface names but this version does not have."""
