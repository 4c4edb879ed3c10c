"""Functions of whole columns, and annotations checked against the types of columns."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

import pathway as pw

pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")


class Row(pw.Schema):
    i: int
    f: float
    b: bool
    s: str
    oi: int | None
    of: float | None
    n: pw.DateTimeNaive
    u: pw.DateTimeUtc
    d: pw.Duration
    j: pw.Json


NAIVE = [pd.Timestamp(2024, 1, day) for day in (1, 2, 3)]
UTC = [time.tz_localize("UTC") for time in NAIVE]
DAYS = [pd.Timedelta(days=days) for days in (1, 2, 3)]
ROWS = [
    (i + 1, i + 0.5, i == 1, "xyz"[i], None if i == 1 else i, None if i == 1 else i / 2, *times, {"k": i})
    for i, times in enumerate(zip(NAIVE, UTC, DAYS, strict=True))
]


@pytest.fixture
def t() -> pw.Table:
    return pw.debug.table_from_rows(Row, ROWS)


def values(table: pw.Table, **options: Any) -> list[Any]:
    _, columns = pw.debug.table_to_dicts(table, **options)
    (column,) = columns.values()
    return [column[key] for key in sorted(column, key=str)]


def original(t: pw.Table, name: str) -> list[Any]:
    return values(t.select(x=t[name]))


@pytest.mark.parametrize("kind", ["arrow", "numpy", "polars"])
def test_columns_come_back_as_they_went(t: pw.Table, kind: str) -> None:
    for name, field in Row.columns().items():

        @pw.udf(batched=kind, return_type=field.dtype)
        def same(column: Any) -> Any:
            assert len(column) == 3
            return column

        assert values(t.select(x=same(t[name]))) == original(t, name), name


def test_numpy_arrays_are_views(t: pw.Table) -> None:
    seen: dict[str, Any] = {}

    @pw.udf(batched="numpy", return_type=int)
    def look(*columns: Any, **named: Any) -> Any:
        seen.update(zip("if", columns, strict=True), **named)
        return np.zeros(len(columns[0]), dtype=np.int8)

    assert values(t.select(x=look(t.i, t.f, oi=t.oi, of=t.of, b=t.b, n=t.n, u=t.u, d=t.d, s=t.s))) == [
        0,
        0,
        0,
    ]
    dtypes = {name: array.dtype.str for name, array in seen.items()}
    assert dtypes == {
        **{"i": "<i8", "f": "<f8", "oi": "<i8", "of": "<f8", "b": "|b1", "s": "|O"},
        **{"n": "<M8[ns]", "u": "<M8[ns]", "d": "<m8[ns]"},
    }
    for name in "ifnud":
        assert not seen[name].flags.writeable
        assert not seen[name].flags.owndata
        assert type(seen[name]) is np.ndarray
    assert isinstance(seen["oi"], np.ma.MaskedArray)
    assert sorted(seen["oi"].tolist(), key=str) == [0, 2, None]


def test_numpy_results(t: pw.Table) -> None:
    def result_of(make: Any, return_type: Any, *columns: Any) -> list[Any]:
        function = pw.udf(batched="numpy", return_type=return_type)(make)
        return values(t.select(x=function(*columns)))

    i = original(t, "i")
    assert result_of(lambda a: a * 2, int, t.i) == [2 * v for v in i]
    assert result_of(lambda a: a.astype(np.int16), float, t.i) == [float(v) for v in i]
    assert result_of(lambda a: a > 1, bool, t.i) == [v > 1 for v in i]
    assert result_of(lambda a: a > 1, int, t.i) == [int(v > 1) for v in i]
    assert result_of(lambda a: a.astype(str), str, t.i) == [str(v) for v in i]
    assert result_of(lambda a: a.astype(np.float32), float, t.f) == original(t, "f")
    assert result_of(lambda a: [str(v) for v in a], str, t.i) == [str(v) for v in i]
    assert result_of(lambda a: np.stack([a, a], axis=1), np.ndarray, t.i)[0].tolist() == [i[0], i[0]]
    assert result_of(lambda a: np.stack([a, a], axis=1), tuple[int, int], t.i) == [(v, v) for v in i]
    assert result_of(lambda a: np.where(a > 1, a, None), int | None, t.i) == [v if v > 1 else None for v in i]
    masked = result_of(lambda a: np.ma.masked_less(a, 2), int | None, t.i)
    assert masked == [v if v > 1 else None for v in i]
    assert result_of(lambda a: a + 1, int | None, t.oi) == [
        None if v is None else v + 1 for v in original(t, "oi")
    ]
    dates = result_of(lambda a: a.astype("M8[D]"), pw.DateTimeNaive, t.n)
    assert dates == original(t, "n")
    nat = np.datetime64("NaT")
    assert result_of(lambda a: np.where(a > a[0], a, nat), pw.DateTimeNaive | None, t.n).count(None) >= 1
    assert result_of(lambda a: a.astype(object), Any, t.i) == i
    assert np.isnan(result_of(lambda a: a * np.nan, float, t.f)).all()


def test_annotations_of_arrays_tell_the_type(t: pw.Table) -> None:
    @pw.udf(batched="numpy")
    def double(a: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        return a * 2.0

    @pw.udf(batched="numpy")
    def texts(a: npt.NDArray[np.int64]) -> list[str]:
        return [str(value) for value in a]

    assert t.select(x=double(t.i), y=texts(t.i)).typehints() == {"x": float, "y": str}
    untold = pw.udf(batched="arrow")(lambda a: a)
    with pytest.raises(TypeError, match="say the type of one result") as error:
        t.select(x=untold(t.i))
    assert "untold(t.i)" in error.value.__notes__[0]


def test_arrow_and_polars_compute(t: pw.Table) -> None:
    import pyarrow.compute as pc

    @pw.udf(batched="arrow", return_type=float)
    def product(a: Any, b: Any) -> Any:
        return pc.multiply(a, b)

    @pw.udf(batched="polars", return_type=str)
    def shout(s: Any, suffix: Any) -> Any:
        return s.str.to_uppercase() + suffix

    expected = [i * f for i, f in zip(original(t, "i"), original(t, "f"), strict=True)]
    assert values(t.select(x=product(t.i, t.f))) == expected
    assert values(t.select(x=shout(t.s, "!"))) == [s.upper() + "!" for s in original(t, "s")]


def test_none_and_errors(t: pw.Table) -> None:
    sizes: list[int] = []

    @pw.udf(batched="numpy", return_type=int, propagate_none=True)
    def double(a: Any) -> Any:
        sizes.append(len(a))
        return a * 2

    r = t.select(x=double(t.oi))
    assert r.typehints() == {"x": int | None}
    assert sorted(values(r), key=str) == [0, 4, None]
    assert sizes == [2]
    failing = t.select(x=pw.fill_error(double(t.i // (t.i - 1)), -1))
    with pytest.warns(UserWarning, match="experimental"):
        assert sorted(values(failing, terminate_on_error=False)) == [-1, 2, 4]


def test_batches_have_a_size() -> None:
    t = pw.debug.table_from_rows(pw.schema_from_types(a=int), [(i,) for i in range(10)])
    sizes: list[int] = []

    @pw.udf(batched="numpy", return_type=int, max_batch_size=4)
    def same(a: Any) -> Any:
        sizes.append(len(a))
        return a

    assert sorted(values(t.select(x=same(t.a)))) == list(range(10))
    assert sorted(sizes) == [2, 4, 4]


@pytest.mark.parametrize(
    ("kind", "result", "return_type", "error", "match"),
    [
        ("numpy", lambda a: a[:-1], int, ValueError, "given 3 rows and returned 2"),
        ("numpy", lambda a: 7, int, ValueError, "one result per row"),
        ("numpy", lambda a: a + 0.5, int, TypeError, "array of Float64"),
        ("numpy", lambda a: a.astype(str), int, TypeError, "INT cannot hold"),
        ("numpy", lambda a: np.ma.masked_less(a, 2), int, TypeError, "cannot hold None"),
        ("numpy", lambda a: a.astype(np.uint64) + 2**63, int, ValueError, "do not fit"),
        ("numpy", lambda a: a, bool, TypeError, "BOOL cannot hold"),
        ("arrow", lambda a: pa.array([1, 2]), int, ValueError, "given 3 rows and returned 2"),
        ("arrow", lambda a: pa.array(["a", "b", "c"]), int, TypeError, "array of Utf8"),
        ("arrow", lambda a: 7, int, TypeError, "is no array"),
        ("polars", lambda s: s.cast(pl.String), int, TypeError, "needs Int64"),
        ("polars", lambda s: s.head(1), int, ValueError, "given 3 rows and returned 1"),
        ("polars", lambda s: s.shift(1), int, TypeError, "cannot hold None"),
        ("numpy", lambda a: 1 // 0, int, ZeroDivisionError, "by zero"),
    ],
)
def test_what_does_not_fit(
    t: pw.Table, kind: str, result: Any, return_type: Any, error: type[Exception], match: str
) -> None:
    function = pw.udf(batched=kind, return_type=return_type)(result)
    with pytest.raises(error, match=match) as caught:
        values(t.select(x=function(t.i)))
    assert "x=function(t.i)" in caught.value.__notes__[0]


def test_results_may_be_buffers_that_are_used_again() -> None:
    t = pw.debug.table_from_rows(pw.schema_from_types(a=int), [(i,) for i in range(8)])
    buffer = np.zeros(2, dtype=np.int64)

    @pw.udf(batched="numpy", return_type=int, max_batch_size=2)
    def same(a: Any) -> Any:
        buffer[:] = a
        return buffer

    assert sorted(values(t.select(x=same(t.a)))) == list(range(8))


def test_removals_repeat_the_value_of_the_insertion() -> None:
    t = pw.debug.table_from_markdown(
        "id | a | __time__ | __diff__\n1 | 1 | 2 | 1\n1 | 1 | 4 | -1\n1 | 1 | 6 | 1"
    )
    calls = 0

    @pw.udf(batched="numpy", return_type=int)
    def count(a: Any) -> Any:
        nonlocal calls
        calls += 1
        return np.full(len(a), calls)

    changes: list[tuple[int, bool]] = []
    r = t.select(n=count(t.a))
    pw.io.subscribe(r, lambda key, row, time, is_addition: changes.append((row["n"], is_addition)))
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    assert changes == [(1, True), (1, False), (2, True)]


def test_options_are_checked(t: pw.Table) -> None:
    with pytest.raises(ValueError, match="batched has to be one of"):
        pw.udf(batched="pandas")
    with pytest.raises(TypeError, match="batched"):
        pw.udf(batched=True)  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="called synchronously"):
        pw.udf(batched="numpy", executor=pw.udfs.async_executor())(lambda a: a)
    with pytest.raises(ValueError, match="called synchronously"):

        @pw.udf(batched="numpy", return_type=int)
        async def coroutine(a: Any) -> Any:
            return a

    with pytest.raises(ValueError, match="cannot be kept in a cache"):
        pw.udf(batched="numpy", cache_strategy=pw.udfs.InMemoryCache())(lambda a: a)
    anything = t.select(x=pw.declare_type(Any, t.i))
    with pytest.raises(TypeError, match="which have no type ANY"):
        anything.select(x=pw.udf(batched="polars", return_type=int)(lambda s: s)(anything.x))
    objects = pw.udf(batched="numpy", return_type=int)(lambda a: a)
    assert values(anything.select(x=objects(anything.x))) == original(t, "i")


def test_classes_with_options(t: pw.Table) -> None:
    class Scale(pw.UDF):
        def __init__(self, factor: float) -> None:
            super().__init__(batched="numpy", return_type=float, deterministic=True)
            self.factor = factor

        def __wrapped__(self, a: Any) -> Any:
            return a * self.factor

    assert values(t.select(x=Scale(0.5)(t.i))) == [v / 2 for v in original(t, "i")]


# --- annotations ------------------------------------------------------------------------------------


def _text(x: str) -> str:
    return str(x)


def _number(x: int | None, y: float = 1.0) -> float:
    return float(x or 0) * y


def _times(at: datetime.datetime, delay: pw.Duration) -> int:
    return 1


def _many(*xs: int, **named: bytes) -> int:
    return 1


def test_annotations_that_contradict_are_refused(t: pw.Table) -> None:
    expected = "the parameter x of the function _text is annotated with str, the argument is of type INT"
    with pytest.raises(TypeError, match=expected) as error:
        t.select(r=pw.apply(_text, t.i))
    assert "pw.apply(_text, t.i)" in error.value.__notes__[0]
    assert "<table1>.i" in str(error.value)

    refused: list[Any] = [
        (pw.udf(_text), (t.n,), {}),
        (pw.udf(_text), (t.oi,), {}),
        (pw.udf(_number), (t.s,), {}),
        (pw.udf(_number), (t.i, t.s), {}),
        (pw.udf(_number), (t.i,), {"y": t.s}),
        (pw.udf(_times), (t.i, t.d), {}),
        (pw.udf(_times), (t.n, t.n), {}),
        (pw.udf(_many), (t.i, t.s), {}),
        (pw.udf(_many), (t.i,), {"z": t.s}),
    ]
    for function, args, kwargs in refused:
        with pytest.raises(TypeError, match="is annotated with"):
            t.select(r=function(*args, **kwargs))


def test_annotations_are_not_taken_further_than_certain(t: pw.Table) -> None:
    accepted: list[Any] = [
        (pw.udf(_number), (t.oi,)),
        (pw.udf(_number), (t.f, t.b)),
        (pw.udf(_times), (t.u, t.d)),
        (pw.udf(_many), (t.b, t.f)),
    ]
    for function, args in accepted:
        t.select(r=function(*args))

    @pw.udf
    def loose(a: dict, b: list, c: NotThere, d: object, e: str | dict) -> int:  # type: ignore # noqa: F821
        return 1

    t.select(r=loose(t.j, pw.make_tuple(t.i), t.i, t.s, t.j))

    @pw.udf(max_batch_size=2)
    def batch(x: list[str]) -> list[int]:
        return [1 for _ in x]

    with pytest.raises(TypeError, match="is annotated with str"):
        t.select(r=batch(t.i))
    # Other parameters are for the call itself to tell.
    with pytest.raises(TypeError, match="positional argument"):
        values(t.select(r=pw.apply(_text, t.s, t.s)))
