"""User functions: rows, batches, Arrow arrays, and what they raise."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from engine_tools import apply, capture, rows, static

from pathway._engine import ERROR, DType, Expr, Field, Frame, Graph, Udf, ref_scalar
from pathway.internals.json import Json

THREE = [(1, "a"), (2, "b"), (3, "c")]
AB = {"a": DType.INT, "b": DType.STR}


def values(table: Any, **options: Any) -> list[Any]:
    return [row[0] for row in sorted(rows(table, **options), key=repr)]


def test_one_call_per_row() -> None:
    table = static(Graph(), AB, THREE)
    assert values(apply(table, lambda a, b: f"{b}{a}", DType.STR, "a", "b")) == ["a1", "b2", "c3"]


def test_more_rows_than_become_python_objects_at_once() -> None:
    table = static(Graph(), {"a": DType.INT}, [(i,) for i in range(10_000)])
    doubled = apply(table, lambda a: 2 * a, DType.INT, "a")
    assert sorted(v for (v,) in rows(doubled)) == [2 * i for i in range(10_000)]


def test_arguments_are_what_python_code_expects() -> None:
    dtypes = {
        "array": DType.array(1, DType.FLOAT),
        "json": DType.JSON,
        "pair": DType.tuple(DType.INT, DType.STR),
        "items": DType.list(DType.INT),
        "nothing": DType.optional(DType.INT),
    }
    seen: list[Any] = []
    table = static(Graph(), dtypes, [(np.array([1.5]), {"k": [1]}, (1, "x"), [1, 2], None)])
    values(apply(table, lambda *args: seen.extend(args), DType.NONE, *dtypes))
    array, value, pair, items, nothing = seen
    assert isinstance(array, np.ndarray)
    assert array.tolist() == [1.5]
    assert (value, pair, items, nothing) == (Json({"k": [1]}), (1, "x"), (1, 2), None)


def test_results_are_converted_to_the_declared_type() -> None:
    table = static(Graph(), AB, THREE)
    assert values(apply(table, lambda a: a, DType.FLOAT, "a")) == [1.0, 2.0, 3.0]
    assert values(apply(table, lambda a: [a, a], DType.list(DType.INT), "a")) == [(1, 1), (2, 2), (3, 3)]
    assert values(apply(table, lambda a: {"v": a}, DType.JSON, "a")) == [Json({"v": i}) for i in (1, 2, 3)]


def test_a_result_of_the_wrong_type() -> None:
    table = static(Graph(), AB, THREE)
    wrong = apply(table, lambda a: "x" if a == 2 else a, DType.INT, "a")
    with pytest.raises(TypeError, match="'x'"):
        rows(wrong)
    log: list[Any] = []
    got = values(
        wrong, terminate_on_error=False, on_error=lambda kind, text, fields: log.append((kind, text))
    )
    assert sorted(got, key=repr) == [1, 3, ERROR]
    [(kind, text)] = log
    assert kind == "error"
    assert "'x'" in text


class Special(Exception):
    def __init__(self, payload: object) -> None:
        super().__init__("special")
        self.payload = payload


def test_the_very_exception_is_raised() -> None:
    payload = object()
    raised = Special(payload)

    def fail(a: int) -> int:
        if a == 2:
            raise raised
        return a

    table = static(Graph(), AB, THREE)
    udf = Udf(fail, "fail", DType.INT, deterministic=True, propagate_none=False)
    frame = Frame("user.py", 7, "main", "t.select(r=fail(t.a))")
    failing = table.select([("r", Expr.udf(udf, [Expr.column(table, "a")]), frame)])
    with pytest.raises(Special) as caught:
        rows(failing)
    assert caught.value is raised
    assert caught.value.payload is payload
    assert caught.traceback[-1].name == "fail"
    where = caught.value._pathway_frame  # type: ignore[attr-defined]
    assert (where.file, where.line, where.source) == ("user.py", 7, "t.select(r=fail(t.a))")


def test_exceptions_in_cells_are_logged_by_class_and_text() -> None:
    def fail(a: int) -> int:
        return 6 // (a - 2)

    table = static(Graph(), AB, THREE)
    log: list[tuple[str, str]] = []
    got = values(
        apply(table, fail, DType.INT, "a"),
        terminate_on_error=False,
        on_error=lambda kind, text, fields: log.append((kind, text)),
    )
    assert sorted(got, key=repr) == [-6, 6, ERROR]
    [(kind, text)] = log
    assert kind == "error"
    assert text.startswith("ZeroDivisionError: integer division or modulo by zero in operator ")


def test_stop_iteration_is_an_exception_like_any_other() -> None:
    def stop(a: int) -> int:
        if a == 2:
            raise StopIteration
        return a

    table = static(Graph(), AB, THREE)
    with pytest.raises(StopIteration):
        rows(apply(table, stop, DType.INT, "a"))
    got = values(apply(table, stop, DType.INT, "a"), terminate_on_error=False)
    assert sorted(got, key=repr) == [1, 3, ERROR]


def test_a_function_may_return_the_error_value_silently() -> None:
    table = static(Graph(), AB, THREE)
    log: list[Any] = []
    silent = apply(table, lambda a: ERROR if a == 1 else a, DType.INT, "a")
    got = values(silent, on_error=lambda kind, text, fields: log.append((kind, text)))
    assert sorted(got, key=repr) == [2, 3, ERROR]
    assert log == []


def test_none_is_not_passed_where_it_propagates() -> None:
    table = static(Graph(), {"a": DType.optional(DType.INT)}, [(1,), (None,)])
    seen: list[Any] = []

    def note(a: Any) -> int:
        seen.append(a)
        return 5

    assert sorted(values(apply(table, note, DType.INT, "a", propagate_none=True)), key=repr) == [5, None]
    assert seen == [1]


def test_functions_run_outside_of_the_calling_thread() -> None:
    table = static(Graph(), AB, THREE)
    threads = set()
    values(apply(table, lambda a: threads.add(threading.get_ident()), DType.NONE, "a"))
    assert threads
    assert threading.get_ident() not in threads


# --- batches --------------------------------------------------------------------------------


def test_batches_are_lists_of_at_most_the_given_size() -> None:
    table = static(Graph(), {"a": DType.INT}, [(i,) for i in range(7)])
    sizes: list[int] = []

    def double(a: list[int]) -> list[int]:
        assert type(a) is list
        sizes.append(len(a))
        return [2 * v for v in a]

    got = values(apply(table, double, DType.INT, "a", mode="batch", max_batch_size=3))
    assert sorted(got) == [0, 2, 4, 6, 8, 10, 12]
    assert max(sizes) == 3
    assert sum(sizes) == 7


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (lambda a: np.array(a) * 2, [2, 4, 6]),
        (lambda a: tuple(a), [1, 2, 3]),
        (lambda a: (v for v in a), [1, 2, 3]),
    ],
)
def test_batch_results_may_be_any_sequence(result: Any, expected: list[int]) -> None:
    table = static(Graph(), AB, THREE)
    assert values(apply(table, result, DType.INT, "a", mode="batch")) == expected


def test_rows_of_a_two_dimensional_result_are_arrays() -> None:
    table = static(Graph(), AB, THREE)
    stacked = apply(
        table, lambda a: np.array([[v, 0.5] for v in a]), DType.array(1, DType.FLOAT), "a", mode="batch"
    )
    assert sorted(v.tolist() for (v,) in rows(stacked)) == [[1.0, 0.5], [2.0, 0.5], [3.0, 0.5]]


@pytest.mark.parametrize(
    ("result", "error", "text"),
    [
        (lambda a: a[1:], ValueError, "given 3 rows and returned 2"),
        (lambda a: 5, TypeError, "one result per row"),
        (lambda a: "abc", TypeError, "one result per row"),
    ],
)
def test_batch_results_that_do_not_fit(result: Any, error: type[Exception], text: str) -> None:
    table = static(Graph(), AB, THREE)
    with pytest.raises(error, match=text):
        rows(apply(table, result, DType.INT, "a", mode="batch"))


def test_an_exception_is_that_of_the_whole_batch() -> None:
    def fail(a: list[int]) -> list[int]:
        raise KeyError("nothing")

    table = static(Graph(), AB, THREE)
    got = values(apply(table, fail, DType.INT, "a", mode="batch"), terminate_on_error=False)
    assert got == [ERROR] * 3


def test_an_exception_in_place_of_a_result_is_that_of_its_row() -> None:
    problem = OSError("disk")
    table = static(Graph(), AB, THREE)
    mixed = apply(table, lambda a: [problem if v == 2 else v for v in a], DType.INT, "a", mode="batch")
    assert sorted(values(mixed, terminate_on_error=False), key=repr) == [1, 3, ERROR]
    with pytest.raises(OSError, match="disk") as caught:
        rows(mixed)
    assert caught.value is problem


# --- Arrow ----------------------------------------------------------------------------------


def test_arrow_arrays_in_and_out() -> None:
    import pyarrow.compute as pc

    def add(a: Any, b: Any) -> Any:
        number, text = pa.array(a), pa.array(b)
        assert number.type == pa.int64()
        assert text.type == pa.large_utf8()
        return pc.add(number, pc.cast(pc.utf8_length(text), pa.int64()))

    table = static(Graph(), AB, THREE)
    assert values(apply(table, add, DType.INT, "a", "b", mode="arrow")) == [2, 3, 4]


@pytest.mark.parametrize(
    ("dtype", "result", "expected"),
    [
        (DType.INT, pa.array([1, 2, 3], pa.int8()), [1, 2, 3]),
        (DType.FLOAT, pa.array([1, 2, 3], pa.int32()), [1.0, 2.0, 3.0]),
        (DType.STR, pa.array(["x", "y", "z"], pa.string_view()), ["x", "y", "z"]),
        (DType.BYTES, pa.array([b"x", b"y", b"z"], pa.binary()), [b"x", b"y", b"z"]),
        (DType.list(DType.INT), pa.array([[1], [], [2, 3]], pa.list_(pa.int16())), [(), (1,), (2, 3)]),
        (DType.optional(DType.INT), pa.array([1, None, 3]), [1, 3, None]),
        (DType.optional(DType.STR), pa.nulls(3), [None, None, None]),
        (DType.INT, pa.chunked_array([[1, 2], [3]]), [1, 2, 3]),
        (DType.INT, [1, 2, 3], [1, 2, 3]),
    ],
)
def test_arrow_results_are_converted_to_the_layout(dtype: DType, result: Any, expected: list[Any]) -> None:
    table = static(Graph(), AB, THREE)
    assert values(apply(table, lambda a: result, dtype, "a", mode="arrow")) == expected


@pytest.mark.parametrize(
    ("dtype", "result", "error"),
    [
        (DType.INT, pa.array([1.5, 2.5, 3.5]), TypeError),
        (DType.INT, pa.array(["1", "2", "3"]), TypeError),
        (DType.INT, pa.array([1, 2]), ValueError),
        (DType.INT, pa.array([1, None, 3]), TypeError),
        (DType.INT, pa.array([2**64 - 1, 1, 1], pa.uint64()), ValueError),
        (DType.INT, [1, 2, "3"], TypeError),
        (DType.INT, [1, 2], ValueError),
        (DType.INT, 7, TypeError),
        (DType.DATE_TIME_UTC, pa.array([1, 2, 3], pa.timestamp("ns")), TypeError),
    ],
)
def test_arrow_results_that_do_not_fit(dtype: DType, result: Any, error: type[Exception]) -> None:
    table = static(Graph(), AB, THREE)
    with pytest.raises(error):
        rows(apply(table, lambda a: result, dtype, "a", mode="arrow"))


def test_arrow_columns_have_a_length_and_a_schema() -> None:
    seen: list[Any] = []

    def look(a: Any) -> Any:
        seen.append((len(a), pa.DataType._import_from_c_capsule(a.__arrow_c_schema__())))
        return a

    table = static(Graph(), AB, THREE)
    assert values(apply(table, look, DType.INT, "a", mode="arrow")) == [1, 2, 3]
    assert seen == [(3, pa.int64())]


# --- settings -------------------------------------------------------------------------------


def test_settings_are_checked() -> None:
    def make(**options: Any) -> Udf:
        return Udf(len, "len", DType.INT, deterministic=True, propagate_none=False, **options)

    with pytest.raises(ValueError, match="mode"):
        make(mode="columns")
    with pytest.raises(ValueError, match="max_batch_size"):
        make(max_batch_size=0)
    assert repr(make()) == "Udf(len -> INT)"


def test_results_of_nondeterministic_functions_are_remembered() -> None:
    calls = iter(range(100))
    keys = [ref_scalar(0), ref_scalar(0)]
    table = Graph().static_table([Field("a", DType.INT)], keys, [[1, 1]], times=[2, 4], diffs=[1, -1])
    numbered = apply(table, lambda a: next(calls), DType.INT, "a", deterministic=False)
    assert [(row, time, diff) for _, row, time, diff in capture(numbered)] == [((0,), 2, 1), ((0,), 4, -1)]
