"""The rules of user functions that do not need a stream: creation, options, conversion of results, batches,
caches. Streams are in tests/golden/functions.md."""

from __future__ import annotations

import asyncio
import decimal
import enum
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import pathway as pw
from contents import values

SYNC, ASYNC = pw.udfs.sync_executor(), pw.udfs.async_executor()


@pytest.fixture
def t() -> pw.Table:
    return pw.debug.table_from_rows(pw.schema_from_types(a=int, b=int), [(1, 2), (3, 4), (5, 6)])


@pytest.fixture
def one() -> pw.Table:
    return pw.debug.table_from_rows(pw.schema_from_types(a=int), [(1,)])


def returned(one: pw.Table, dtype: Any, value: Any) -> Any:
    (result,) = values(one.select(x=pw.apply_with_type(lambda _: value, dtype, one.a)))
    return result


class Level(enum.IntEnum):
    LOW = 3


class Color(str, enum.Enum):
    RED = "red"


@pytest.mark.parametrize(
    ("dtype", "value", "expected"),
    [
        (int, True, 1),
        (int, np.uint8(200), 200),
        (int, np.array(7), 7),
        (int, Level.LOW, 3),
        (float, 1, 1.0),
        (float, 2**70, float(2**70)),
        (float, np.float32(1.5), 1.5),
        (float, np.bool_(True), 1.0),
        (float, decimal.Decimal("2.5"), 2.5),
        (float, pw.Json(1.5), 1.5),
        (bool, np.bool_(True), True),
        (str, np.str_("q"), "q"),
        (str, Color.RED, "red"),
        (int | None, None, None),
        (pw.Json, None, pw.Json.NULL),
        (pw.Json | None, None, None),
        (pw.Json, {1: [1.5, "x", None]}, pw.Json({"1": [1.5, "x", None]})),
        (pw.Json, (1, 2), pw.Json([1, 2])),
        (tuple[int, str], [1, "a"], (1, "a")),
        (tuple[int, int], np.array([1, 2]), (1, 2)),
        (tuple[int, float], range(1, 3), (1, 2.0)),
        (list[float], (1, 2), (1.0, 2.0)),
        (list[int], b"ab", (97, 98)),
        (list[int], pd.Series([1, 2]), (1, 2)),
        (list[int], pw.Json([1, 2]), (1, 2)),
        (Any, Level.LOW, 3),
        (Any, Color.RED, "red"),
        (Any, decimal.Decimal("2.5"), 2.5),
        (Any, [1, ["a", None]], (1, ("a", None))),
        (Any, {"a": 1}, pw.Json({"a": 1})),
        (Any, bytearray(b"ab"), (97, 98)),
        (Any, range(3), (0, 1, 2)),
        (Any, np.array([True, False]), (True, False)),
        (Any, np.array(["x", "y"]), ("x", "y")),
    ],
)
def test_results_become_values_of_the_type(one: pw.Table, dtype: Any, value: Any, expected: Any) -> None:
    result = returned(one, dtype, value)
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize(
    ("dtype", "value"),
    [
        (int, 1.0),
        (int, np.bool_(True)),
        (int, "1"),
        (int, None),
        (int, 2**63),
        (float, "1.0"),
        (float, pd.Timedelta(1)),
        (float, None),
        (bool, 1),
        (str, b"x"),
        (bytes, "x"),
        (bytes, bytearray(b"x")),
        (bytes, memoryview(b"x")),
        (tuple[int, int], (1, 2, 3)),
        (tuple[str, str], "ab"),
        (tuple[int, int], 5),
        (list[int], {1, 2}),
        (pw.Json, {1, 2}),
        (pw.Json, b"x"),
        (pw.Json, np.array([1])),
        (pw.Duration, np.timedelta64(1, "s")),
        (pw.Duration, pd.NaT),
        (pw.Pointer, 5),
        (np.ndarray, [1, 2]),
        (Any, {1, 2}),
        (Any, 1 + 2j),
        (Any, object()),
        (Any, len),
        (Any, pd.NaT),
        (Any, pd.NA),
    ],
)
def test_results_that_are_no_values_of_the_type(one: pw.Table, dtype: Any, value: Any) -> None:
    with pytest.raises(TypeError):
        returned(one, dtype, value)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_floats_that_json_has_not(one: pw.Table, value: float) -> None:
    with pytest.raises((TypeError, ValueError)):
        returned(one, pw.Json, value)


@pytest.mark.parametrize(
    ("constant", "seen"),
    [
        ([1, 2], "(1, 2)"),
        ((1, "q"), "(1, 'q')"),
        ([1, (2,)], "(1, (2,))"),
        ({"k": 1}, "pw.Json({'k': 1})"),
        (None, "None"),
        (np.array([1, 2]), "array([1, 2])"),
        (pw.wrap_py_object({1: 2}), "PyObjectWrapper({1: 2})"),
    ],
)
def test_constants_are_passed_as_values(one: pw.Table, constant: Any, seen: str) -> None:
    @pw.udf
    def shown(a: int, constant) -> str:  # type: ignore[no-untyped-def]
        return repr(constant)

    assert values(one.select(x=shown(one.a, constant))) == [seen]


@pytest.mark.parametrize("constant", [object(), len, {1, 2}])
def test_constants_that_are_no_values(one: pw.Table, constant: Any) -> None:
    with pytest.raises(TypeError):
        one.select(x=pw.apply(lambda a, c: a, one.a, constant))


def test_columns_and_constants_in_tuples(t: pw.Table) -> None:
    shown = pw.udf(return_type=str)(repr)
    assert values(t.select(x=shown((t.a, (1, t.b))))) == ["(1, (1, 2))", "(3, (1, 4))", "(5, (1, 6))"]
    with pytest.raises(TypeError):
        t.select(x=shown([t.a, t.b]))


def test_positional_and_keyword_arguments(t: pw.Table) -> None:
    @pw.udf
    def shown(*args: int, **kwargs: int) -> str:
        return f"{args} {kwargs}"

    first = t.filter(t.a == 1)
    assert values(first.select(x=shown(first.a, 7))) == ["(1, 7) {}"]
    assert values(first.select(x=shown(first.a, z=first.b, y=0))) == ["(1,) {'z': 2, 'y': 0}"]
    assert values(first.select(x=shown(*first, c=pw.this.b))) == ["(1, 2) {'c': 2}"]

    @pw.udf
    def total(a: int, b: int = 10, *, c: int = 5) -> int:
        return a + b + c

    assert values(first.select(x=total(first.a))) == [16]
    assert values(first.select(x=total(b=first.b, a=first.a, c=1))) == [4]


@pytest.mark.parametrize(
    "call",
    [lambda t, f: f(t.a, t.b), lambda t, f: f(t.a, q=t.b), lambda t, f: f(q=t.a)],
    ids=["one too many", "unknown keyword", "missing"],
)
def test_calls_that_do_not_fit_the_signature(t: pw.Table, call: Callable[..., Any]) -> None:
    table = t.select(x=call(t, pw.udf(lambda a: a)))
    with pytest.raises(TypeError):
        values(table)


def test_names_and_documentation_are_those_of_the_function() -> None:
    @pw.udf
    def doubled(x: int) -> int:
        "Twice."
        return 2 * x

    assert (doubled.__name__, doubled.__doc__, doubled.__wrapped__(3)) == ("doubled", "Twice.", 6)
    assert doubled.__module__ == __name__
    assert isinstance(doubled, pw.UDF)


def test_any_callable_is_a_function(t: pw.Table) -> None:
    result = t.select(s=pw.udf(str)(t.a), m=pw.udf(max)(t.a, 4), f=pw.udf(float)(t.a), a=pw.udf(abs)(t.a))
    assert result.typehints() == {"s": str, "m": Any, "f": float, "a": Any}
    with pytest.raises(TypeError):
        pw.udf(5)  # type: ignore[call-overload]


def test_static_methods_and_subclasses(t: pw.Table) -> None:
    class Functions:
        @staticmethod
        @pw.udf
        def plus_one(a: int) -> int:
            return a + 1

    class Plus(pw.UDF):
        def __init__(self, number: int, **options: Any) -> None:
            super().__init__(**options)
            self.number = number

        def __wrapped__(self, a: int) -> int:
            return a + self.number

    class Later(Plus):
        async def __wrapped__(self, a: int) -> int:
            await asyncio.sleep(0)
            return a - self.number

    assert values(t.select(x=Functions.plus_one(t.a) + Functions().plus_one(t.a))) == [12, 4, 8]
    assert values(t.select(x=Plus(3, deterministic=True, return_type=float)(t.a))) == [4.0, 6.0, 8.0]
    assert values(t.select(x=Later(1)(t.a))) == [0, 2, 4]


@pytest.mark.parametrize(
    "options",
    [
        {"deterministic": 1},
        {"deterministic": None},
        {"propagate_none": "x"},
        {"executor": 3},
        {"cache_strategy": 3},
        {"max_batch_size": "2"},
        {"max_batch_size": True},
        {"append_only": True},
        {"unknown": 1},
    ],
)
def test_wrong_options(options: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        pw.udf(**options)


@pytest.mark.parametrize("size", [0, -1])
def test_batches_have_a_row_at_least(size: int) -> None:
    with pytest.raises(ValueError, match="max_batch_size"):
        pw.udf(max_batch_size=size)


@pytest.mark.parametrize("executor", [pw.udfs.async_executor, pw.udfs.fully_async_executor])
def test_options_of_executors(executor: Any) -> None:
    for wrong in ({"capacity": "a"}, {"capacity": 1.5}, {"timeout": "a"}, {"retry_strategy": 1}):
        with pytest.raises(TypeError):
            executor(**wrong)
    for impossible in ({"capacity": 0}, {"capacity": -1}, {"timeout": -1}):
        with pytest.raises(ValueError, match="at least"):
            executor(**impossible)
    with pytest.raises(ValueError, match="sync"):
        pw.udf(executor=pw.udfs.sync_executor())(executor_of)


async def executor_of(a: int) -> int:
    return a


@pytest.mark.parametrize("abstract", [pw.udfs.AsyncRetryStrategy, pw.udfs.CacheStrategy])
def test_abstract_classes(abstract: Any) -> None:
    with pytest.raises(TypeError):
        abstract()


def test_return_type_and_annotation(t: pw.Table) -> None:
    def number(a: int) -> int:
        return a

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert t.select(x=pw.udf(return_type=float)(number)(t.a)).typehints() == {"x": float}
        contradicting = pw.udf(return_type=str)(number)
    with pytest.warns(UserWarning, match="number"):
        assert t.select(x=contradicting(t.a)).typehints() == {"x": str}
    assert t.select(x=pw.udf(lambda a: a)(t.a)).typehints() == {"x": Any}


@pytest.mark.parametrize("helper", [pw.apply, pw.apply_async])
def test_keyword_arguments_of_apply_are_deprecated(t: pw.Table, helper: Any) -> None:
    with pytest.warns(DeprecationWarning, match="keyword"):
        product = helper(lambda a, b: a * b, t.a, b=t.b)
    assert values(t.select(x=product)) == [12, 2, 30]


# --- batches ----------------------------------------------------------------------------------------------


def same(a):  # type: ignore[no-untyped-def]
    return a


def annotated(annotation: Any) -> Callable[..., Any]:
    def function(a):  # type: ignore[no-untyped-def]
        return a

    function.__annotations__["return"] = annotation
    return function


@pytest.mark.parametrize(
    ("function", "options", "dtype"),
    [
        (annotated(list[int]), {}, int),
        (annotated(tuple[int, ...]), {}, int),
        (annotated(list), {}, Any),
        (annotated(list[int]), {"return_type": float}, float),
        (annotated(int), {"return_type": float}, float),
        (same, {"return_type": int}, int),
    ],
)
def test_types_of_batches(t: pw.Table, function: Any, options: Any, dtype: Any) -> None:
    batch = pw.udf(max_batch_size=2, **options)(function)
    result = t.select(x=batch(t.a))
    assert result.typehints() == {"x": dtype}
    assert values(result) == [1, 3, 5]


@pytest.mark.parametrize("function", [same, annotated(int), annotated(str), annotated(tuple[int, str])])
def test_batches_that_do_not_say_the_type(t: pw.Table, function: Any) -> None:
    batch = pw.udf(max_batch_size=2)(function)
    with pytest.raises(ValueError, match="list"):
        batch(t.a)


@pytest.mark.parametrize("executor", [SYNC, ASYNC])
def test_constants_and_keywords_of_batches_are_lists_too(t: pw.Table, executor: Any) -> None:
    seen = []

    @pw.udf(max_batch_size=2, executor=executor)
    def batch(a: list[int], c: list[int], *, d: list[int]) -> list[int]:
        seen.append((c, [y - x for x, y in zip(a, d, strict=True)]))
        return a

    assert values(t.select(x=batch(t.a, 10, d=t.b))) == [1, 3, 5]
    assert sorted(seen) == [([10], [1]), ([10, 10], [1, 1])]


@pytest.mark.parametrize("executor", [SYNC, ASYNC])
@pytest.mark.parametrize("result", [[1], [1, 2, 3, 4], np.array([1])], ids=str)
def test_batches_of_a_wrong_length(t: pw.Table, executor: Any, result: Any) -> None:
    batch = pw.udf(max_batch_size=5, return_type=int, executor=executor)(lambda a: result)
    with pytest.raises(ValueError, match="3 rows"):
        values(t.select(x=batch(t.a)))


@pytest.mark.parametrize("executor", [SYNC, ASYNC])
def test_an_exception_concerns_its_batch(t: pw.Table, executor: Any) -> None:
    batch = pw.udf(max_batch_size=5, return_type=int, executor=executor)(lambda a: [1 // (x - 3) for x in a])
    result = t.select(x=pw.fill_error(batch(t.a), -7))
    with pytest.warns(UserWarning, match="experimental"):
        assert values(result, terminate_on_error=False) == [-7, -7, -7]


# --- caches -----------------------------------------------------------------------------------------------


@pytest.fixture(params=["sync", "async"])
def counted(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Makes a user function that notes the arguments of its calls."""

    def make(function: Callable[..., Any], calls: list[Any], **options: Any) -> Any:
        def noted(*args, **kwargs):  # type: ignore[no-untyped-def]
            calls.append((args, kwargs))
            return function(*args, **kwargs)

        async def awaited(*args, **kwargs):  # type: ignore[no-untyped-def]
            return noted(*args, **kwargs)

        plain = request.param == "sync"
        return pw.udf(deterministic=True, **{"return_type": Any, **options})(noted if plain else awaited)

    return make


def test_a_memory_cache_is_kept_between_runs(counted: Any) -> None:
    calls: list[Any] = []
    f = counted(lambda a: a, calls, cache_strategy=pw.udfs.InMemoryCache())
    t = pw.debug.table_from_markdown("a\n1\n1\n2")
    for _ in range(2):
        assert values(t.select(x=f(t.a))) == [1, 1, 2]
    assert len(calls) == 2


def test_no_cache_and_small_caches(counted: Any) -> None:
    for size, expected in ((0, 4), (1, 4), (2, 2)):
        calls: list[Any] = []
        f = counted(lambda a: a, calls, cache_strategy=pw.udfs.InMemoryCache(max_size=size))
        for a in (1, 2, 1, 2):
            values(pw.debug.table_from_rows(pw.schema_from_types(a=int), [(a,)]).select(x=f(pw.this.a)))
        assert len(calls) == expected


def test_keys_of_a_memory_cache(counted: Any, one: pw.Table) -> None:
    calls: list[Any] = []
    f = counted(repr, calls, cache_strategy=pw.udfs.InMemoryCache())
    result = one.select(x=f(one.a), y=f(pw.cast(float, one.a)), z=f(one.a == 1), again=f(one.a))
    _, columns = pw.debug.table_to_dicts(result)
    assert {n: list(c.values()) for n, c in columns.items()} == {
        "x": ["1"],
        "y": ["1.0"],
        "z": ["True"],
        "again": ["1"],
    }
    assert len(calls) == 3
    named = counted(lambda a: a, calls, return_type=int, cache_strategy=pw.udfs.InMemoryCache())
    calls.clear()
    values(one.select(x=named(one.a) + named(a=one.a)))
    assert sorted(calls, key=str) == [((), {"a": 1}), ((1,), {})]


def test_exceptions_are_not_cached(counted: Any) -> None:
    calls: list[Any] = []
    f = counted(lambda a: 1 // 0, calls, cache_strategy=pw.udfs.InMemoryCache())
    t = pw.debug.table_from_rows(pw.schema_from_types(a=int), [(1,)])
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            values(t.select(x=f(t.a)))
    assert len(calls) == 2


def test_arguments_of_a_memory_cache_are_hashable(counted: Any, one: pw.Table) -> None:
    f = counted(lambda a: 1, [], cache_strategy=pw.udfs.InMemoryCache())
    arrays = one.select(x=pw.apply_with_type(lambda a: np.array([a]), np.ndarray, one.a))
    with pytest.raises(TypeError, match="unhashable"):
        values(arrays.select(x=f(arrays.x)))


def test_a_cache_of_the_user(counted: Any, one: pw.Table) -> None:
    kept: dict[Any, Any] = {}

    class Cache(pw.udfs.CacheStrategy):
        def wrap_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
            def cached(*args: Any, **kwargs: Any) -> Any:
                key = (args, tuple(kwargs.items()))
                if key not in kept:
                    kept[key] = func(*args, **kwargs)
                return kept[key]

            return cached

        def wrap_async(self, func: Callable[..., Any]) -> Callable[..., Any]:
            async def cached(*args: Any, **kwargs: Any) -> Any:
                key = (args, tuple(kwargs.items()))
                if key not in kept:
                    kept[key] = await func(*args, **kwargs)
                return kept[key]

            return cached

    calls: list[Any] = []
    f = counted(lambda a, b: a + b, calls, cache_strategy=Cache())
    for _ in range(2):
        assert values(one.select(x=f(one.a, b=3))) == [4]
    assert kept == {((1,), (("b", 3),)): 4}
    assert len(calls) == 1


def test_names_of_disk_caches_are_used_once() -> None:
    pw.udfs.DiskCache("a name of its own")
    with pytest.raises(ValueError, match="a name of its own"):
        pw.udfs.DiskCache("a name of its own")


def test_a_retry_strategy_of_the_user(one: pw.Table) -> None:
    log = []

    class Twice(pw.udfs.AsyncRetryStrategy):
        async def invoke(self, func: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
            log.append((args, kwargs))
            await func(*args, **kwargs)
            return await func(*args, **kwargs)

    calls = []

    @pw.udf(executor=pw.udfs.async_executor(retry_strategy=Twice()))
    async def f(a: int, b: int) -> int:
        calls.append(a)
        return a + b

    assert values(one.select(x=f(one.a, b=3))) == [4]
    assert (log, calls) == ([((1,), {"b": 3})], [1, 1])


def test_time_out_concerns_an_attempt_and_capacity_holds_during_delays(t: pw.Table) -> None:
    attempts: list[int] = []
    strategy = pw.udfs.FixedDelayRetryStrategy(max_retries=2, delay_ms=1)

    @pw.udf(executor=pw.udfs.async_executor(capacity=1, timeout=0.05, retry_strategy=strategy))
    async def slow_at_first(a: int) -> int:
        attempts.append(a)
        if attempts.count(a) == 1:
            await asyncio.sleep(5)
        return a

    assert values(t.select(x=slow_at_first(t.a))) == [1, 3, 5]
    # With one slot the attempts for a row are not mixed with those for another.
    assert attempts[::2] == attempts[1::2]
    assert sorted(attempts[::2]) == [1, 3, 5]


def test_delays_between_attempts_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    delays: list[float] = []

    async def sleep(seconds: float) -> None:
        delays.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)

    async def fail() -> None:
        raise OSError(f"attempt {len(delays)}")

    grow = pw.udfs.ExponentialBackoffRetryStrategy(3, initial_delay=100, backoff_factor=3, jitter_ms=0)
    for strategy, expected in (
        (grow, [0.1, 0.3, 0.9]),
        (pw.udfs.FixedDelayRetryStrategy(2, delay_ms=50), [0.05, 0.05]),
        (pw.udfs.NoRetryStrategy(), []),
    ):
        delays.clear()
        with pytest.raises(OSError, match=f"attempt {len(expected)}"):
            asyncio.run(strategy.invoke(fail))
        assert delays == pytest.approx(expected)


def test_what_nothing_reads_calls_no_function() -> None:
    t = pw.debug.table_from_markdown(
        "id | a | b | __time__ | __diff__\n1 | 5 | 1 | 2 | 1\n1 | 5 | 1 | 4 | -1\n1 | 5 | 2 | 4 | 1"
    )
    calls: list[int] = []

    @pw.udf
    def counted(a: int) -> int:
        calls.append(a)
        return len(calls)

    assert values(t.select(x=counted(t.a))) == [1]
    assert calls == [5]


@pytest.mark.parametrize("executor", [SYNC, ASYNC])
def test_the_log_names_the_class_of_a_wrong_result(one: pw.Table, executor: Any, caplog: Any) -> None:
    wrong = pw.udf(executor=executor, return_type=str)(lambda a: a)
    with pytest.warns(UserWarning, match="experimental"):
        values(one.select(x=wrong(one.a)), terminate_on_error=False)
    assert any("TypeError: STR cannot hold 1" in record.getMessage() for record in caplog.records)
    with pytest.raises(TypeError, match=r"^STR cannot hold 1"):
        values(one.select(x=wrong(one.a)))
