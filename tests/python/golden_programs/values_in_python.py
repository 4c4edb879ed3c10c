"""What functions, accumulators and subscribers receive: the Python form of every kind of value."""

import numpy as np
import pandas as pd
from blocks import program, show

import pathway as pw

TYPES = {
    "i": int,
    "f": float,
    "b": bool,
    "s": str,
    "y": bytes,
    "t": tuple[int, str],
    "l": list[int],
    "n": np.ndarray,
    "m": np.ndarray,
    "j": pw.Json,
    "naive": pw.DateTimeNaive,
    "utc": pw.DateTimeUtc,
    "length": pw.Duration,
    "o": int | None,
}
ROWS = [
    (
        *(1, 2.5, True, "x", b"q", (1, "u"), [1, 2], np.array([1, 2]), np.array([[1.5]])),
        *(pw.Json({"a": 1}), pw.DateTimeNaive("2020-01-02 03:04:05")),
        *(pw.DateTimeUtc("2020-01-02 03:04:05+02:00"), pw.Duration("1h"), None),
    ),
    (
        *(-1, 2.0, False, "", b"", (2, "v"), [], np.array([], dtype=np.int64), np.array(2.0)),
        *(pw.Json(None), pw.DateTimeNaive(2021, 1, 1)),
        *(pw.DateTimeUtc("2021-01-01T00:00:00.123456789Z"), pw.Duration(-1), 7),
    ),
]


def told(value) -> str:
    if isinstance(value, np.ndarray):
        return f"ndarray {value.dtype} {value.shape} {value.flags.writeable}"
    if isinstance(value, tuple):
        return f"({', '.join(map(told, value))})"
    if isinstance(value, pd.Timestamp):
        return f"{type(value).__name__} {value.tzinfo!r} {value}"
    return f"{type(value).__name__} {value}"


class Told(pw.BaseCustomAccumulator):
    def __init__(self, texts):
        self.texts = texts

    @classmethod
    def from_row(cls, row):
        return cls([told(value) for value in row])

    def update(self, other):
        self.texts = self.texts + other.texts

    def compute_result(self) -> str:
        return str(sorted(self.texts))


def table():
    return pw.debug.table_from_rows(pw.schema_from_types(**TYPES), ROWS)


@program
def what_functions_receive():
    t = table()
    show(t.select(**{name: pw.apply_with_type(told, str, t[name]) for name in TYPES}))
    show(t.select(i=pw.apply_with_type(told, str, t.id)))


@program
def what_asynchronous_functions_receive():
    async def later(value) -> str:
        return told(value)

    t = table()
    show(t.select(**{name: pw.apply_async(later, t[name]) for name in TYPES}))


@program
def what_accumulators_receive():
    @pw.reducers.stateful_many
    def many(state, rows) -> str:
        return str(sorted(told(value) for (value,), _ in rows))

    t = table()
    reducer = pw.reducers.udf_reducer(Told)
    show(t.reduce(**{name: reducer(t[name]) for name in TYPES}))
    show(t.reduce(**{name: many(t[name]) for name in TYPES}))


@program
def what_subscribers_receive():
    received = []
    pw.io.subscribe(
        table(),
        lambda key, row, time, is_addition: received.append(
            [told(key), *(f"{name}={told(value)}" for name, value in row.items()), told(time)]
        ),
    )
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    for row in sorted(received):
        print(row)


@program
def functions_may_write_into_their_arrays():
    def clear(array) -> int:
        array[...] = 0
        return int(array.sum())

    t = table()
    show(t.select(t.n, cleared=pw.apply(clear, t.n)))


@program
def functions_are_not_called_for_errors():
    calls = []

    def call(*values) -> int:
        calls.append(values)
        return len(values)

    t = pw.debug.table_from_markdown("a | b\n1 | 0\n4 | 2")
    t = t.with_columns(q=t.a // t.b)
    show(t.select(one=pw.apply(call, t.q), two=pw.apply(call, t.a, t.q)), terminate_on_error=False)
    print(sorted(calls))
