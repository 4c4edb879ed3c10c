"""The loop that asks a user's acceptor, value by value.

It is in Python because a call from Python to Python costs a third of one from Rust, and nothing else is
done for a value.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

#: Values chain after chain, where each chain ends, and what was accepted last in each; gives the position
#: of what is accepted last now, if that changes, and what the acceptor raised.
Asking = Callable[[list[Any], list[int], list[Any]], tuple[list[int | None], list[Exception]]]


def asking(accepts: Callable[..., Any]) -> Asking:
    """Of this acceptor, the loop over many chains of values.

    A first value is accepted without asking; a value for which the acceptor raises is not accepted.

    >>> asking(lambda new, accepted: new >= accepted + 2)([1, 2, 3, 8, 9], [3, 5], [None, 8])
    ([2, None], [])
    >>> asking(lambda new, accepted: 1 / new)([0, 1], [2], [5])
    ([1], [ZeroDivisionError('division by zero')])
    """

    def ask(
        values: list[Any], ends: list[int], accepted: list[Any]
    ) -> tuple[list[int | None], list[Exception]]:
        rows: list[int | None] = []
        raised: list[Exception] = []
        start = 0
        for end, last in zip(ends, accepted, strict=True):
            row = None
            for at in range(start, end):
                value = values[at]
                try:
                    if last is None or accepts(value, last):
                        last, row = value, at
                except Exception as error:
                    raised.append(error)
            rows.append(row)
            start = end
        return rows, raised

    return ask
