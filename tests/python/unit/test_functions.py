"""User functions: executors, caches, retries, binding."""

from __future__ import annotations

import asyncio
import pathlib
import threading
import time

import pytest

import pathway as pw
from contents import values


@pytest.fixture
def t() -> pw.Table:
    return pw.debug.table_from_markdown("a\n1\n2\n3\n4")


def test_capacity_limits_concurrent_calls(t: pw.Table) -> None:
    running, most = 0, 0

    @pw.udf(executor=pw.udfs.async_executor(capacity=2))
    async def slow(x: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.02)
        running -= 1
        return x

    assert values(t.select(x=slow(t.a))) == [1, 2, 3, 4]
    assert most == 2
    assert values(t.select(x=slow(t.a))) == [1, 2, 3, 4]  # another run has another loop


def test_plain_functions_run_in_threads(t: pw.Table) -> None:
    barrier = threading.Barrier(4, timeout=10)

    @pw.udf(executor=pw.udfs.async_executor())
    def together(x: int) -> int:
        barrier.wait()
        return x

    assert values(t.select(x=together(t.a))) == [1, 2, 3, 4]


def test_timeout_accepts_ints(t: pw.Table) -> None:
    @pw.udf(executor=pw.udfs.async_executor(timeout=1))
    async def quick(x: int) -> int:
        return x

    assert values(t.select(x=quick(t.a))) == [1, 2, 3, 4]

    @pw.udf(executor=pw.udfs.async_executor(timeout=0.01))
    async def late(x: int) -> int:
        await asyncio.sleep(5)
        return x

    with pytest.raises(TimeoutError):
        values(t.select(x=late(t.a)))


def test_retries(t: pw.Table) -> None:
    attempts: dict[int, int] = {}

    @pw.udf(executor=pw.udfs.async_executor(retry_strategy=pw.udfs.FixedDelayRetryStrategy(2, 1)))
    async def flaky(x: int) -> int:
        attempts[x] = attempts.get(x, 0) + 1
        if attempts[x] < 3:
            raise OSError("not yet")
        return x

    assert values(t.select(x=flaky(t.a))) == [1, 2, 3, 4]
    assert attempts == {1: 3, 2: 3, 3: 3, 4: 3}
    with pytest.raises(ValueError, match="max_retries"):
        pw.udfs.ExponentialBackoffRetryStrategy(max_retries=-1)


def test_failure_of_one_row_does_not_touch_the_others(t: pw.Table) -> None:
    @pw.udf
    async def picky(x: int) -> int:
        if x == 2:
            raise ValueError("two")
        return x

    with pytest.warns(UserWarning, match="experimental"):
        assert values(t.select(x=pw.fill_error(picky(t.a), -1)), terminate_on_error=False) == [-1, 1, 3, 4]
    with pytest.raises(ValueError, match="two"):
        values(t.select(x=picky(t.a)))


def test_async_batches(t: pw.Table) -> None:
    sizes: list[int] = []

    @pw.udf(max_batch_size=3)
    async def batch(x: list[int]) -> list[int]:
        sizes.append(len(x))
        return [2 * value for value in x]

    assert values(t.select(x=batch(t.a))) == [2, 4, 6, 8]
    assert sorted(sizes) == [1, 3]


def test_memory_cache_shares_concurrent_calls() -> None:
    t = pw.debug.table_from_markdown("  | a\n1 | 5\n2 | 5\n3 | 5")
    calls: list[int] = []

    @pw.udf(cache_strategy=pw.udfs.InMemoryCache())
    async def cached(x: int) -> int:
        calls.append(x)
        await asyncio.sleep(0.01)
        return x

    assert values(t.select(x=cached(t.a))) == [5, 5, 5]
    assert calls == [5]


def test_disk_cache_survives(t: pw.Table, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATHWAY_PERSISTENT_STORAGE", str(tmp_path))
    calls: list[int] = []

    def counted(x: int) -> int:
        calls.append(x)
        return x

    for name in ("first", "second"):
        function = pw.udf(cache_strategy=pw.udfs.DiskCache(name))(counted)
        for _ in range(2):
            assert values(t.select(x=function(t.a))) == [1, 2, 3, 4]
    assert len(calls) == 8  # two names, two caches
    with pytest.raises(ValueError, match="'first' is used more than once"):
        pw.udfs.DiskCache("first")
    assert (tmp_path / "runtime_calls" / "first").is_dir()
    # Caches of one function share what they keep; functions without a name are told apart.
    for _ in range(2):
        function = pw.udf(cache_strategy=pw.udfs.DefaultCache())(counted)
        assert values(t.select(x=function(t.a))) == [1, 2, 3, 4]
    assert len(calls) == 12
    for factor, function in ((2, lambda x: 2 * x), (3, lambda x: 3 * x)):
        cached = pw.udf(cache_strategy=pw.udfs.DiskCache(), return_type=int)(function)
        assert set(values(t.select(x=cached(t.a)))) == {factor * a for a in (1, 2, 3, 4)}
    # A cache goes where the storage is.
    elsewhere = tmp_path / "elsewhere"
    monkeypatch.setenv("PATHWAY_PERSISTENT_STORAGE", str(elsewhere))
    assert set(values(t.select(x=cached(t.a)))) == {3, 6, 9, 12}
    assert elsewhere.is_dir()
    monkeypatch.delenv("PATHWAY_PERSISTENT_STORAGE")
    with pytest.raises(RuntimeError, match="PATHWAY_PERSISTENT_STORAGE"):
        values(t.select(x=cached(t.a)))


def test_equal_calls_at_one_time_share_a_disk_cache(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATHWAY_PERSISTENT_STORAGE", str(tmp_path))
    calls: list[int] = []

    @pw.udf(cache_strategy=pw.udfs.DiskCache())
    async def counted(x: int) -> int:
        calls.append(x)
        await asyncio.sleep(0.01)
        return x

    t = pw.debug.table_from_markdown("a\n1\n1\n2\n1")
    assert values(t.select(x=counted(t.a))) == [1, 1, 1, 2]
    assert sorted(calls) == [1, 2]


def test_disk_cache_evicts_the_oldest(tmp_path: pathlib.Path) -> None:
    from pathway.internals.udfs.disk_store import DiskStore

    store = DiskStore(str(tmp_path), size_limit=250)
    for key in "abc":
        store.put(key, b"x" * 100)
    assert [store.get(key)[0] for key in "abc"] == [False, True, True]
    again = DiskStore(str(tmp_path), size_limit=250)
    assert again.get("c") == (True, b"x" * 100)


def test_a_result_too_large_for_a_disk_cache_is_not_kept(
    t: pw.Table, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATHWAY_PERSISTENT_STORAGE", str(tmp_path))
    calls: list[int] = []

    @pw.udf(cache_strategy=pw.udfs.DiskCache(size_limit=1))
    def counted(a: int) -> int:
        calls.append(a)
        return a * 2

    first = values(t.select(x=counted(t.a)))
    assert values(t.select(x=counted(t.a))) == first
    assert len(calls) == 2 * len(first)


def test_a_broken_disk_cache_is_named_and_replaced(
    t: pw.Table, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("PATHWAY_PERSISTENT_STORAGE", str(tmp_path))
    file = tmp_path / "runtime_calls" / "broken" / "calls.sqlite"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"this is no database" * 100)
    calls: list[int] = []

    def counted(x: int) -> int:
        calls.append(x)
        return x

    function = pw.udf(cache_strategy=pw.udfs.DiskCache("broken"))(counted)
    for _ in range(2):
        assert values(t.select(x=function(t.a))) == [1, 2, 3, 4]
    assert len(calls) == 4
    (message,) = [r.getMessage() for r in caplog.records if r.name == "pathway_engine.udf_cache"]
    assert str(file) in message
    assert file.with_name("calls.sqlite.broken").read_bytes().startswith(b"this is no database")


def test_a_file_that_breaks_while_it_is_open(
    tmp_path: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    from pathway.internals.udfs.disk_store import DiskStore

    store = DiskStore(str(tmp_path), size_limit=2**20)
    for key in range(500):
        store.put(str(key), b"x" * 100)
    del store
    # The first page, which says what tables there are, stays; the values do not.
    file = tmp_path / "calls.sqlite"
    content = file.read_bytes()
    file.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))
    store = DiskStore(str(tmp_path), size_limit=2**20)
    assert store.get("7") == (False, None)
    store.put("7", "a value")
    assert store.get("7") == (True, "a value")
    assert (tmp_path / "calls.sqlite.broken").exists()
    assert str(file) in caplog.text


def test_a_result_that_cannot_be_read_is_computed_anew(
    tmp_path: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    import sqlite3

    from pathway.internals.udfs.disk_store import DiskStore

    store = DiskStore(str(tmp_path), size_limit=2**20)
    store.put("key", "a value")
    with sqlite3.connect(tmp_path / "calls.sqlite") as other:
        other.execute("UPDATE calls SET value = ?", (b"no pickle",))
    other.close()
    assert store.get("key") == (False, None)
    assert f"{tmp_path / 'calls.sqlite'}: a result cannot be read" in caplog.text
    store.put("key", "a value")
    assert store.get("key") == (True, "a value")


def test_disk_cache_needs_a_folder(t: pw.Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PATHWAY_PERSISTENT_STORAGE", raising=False)
    cached = pw.udf(cache_strategy=pw.udfs.DiskCache())(lambda x: x)
    with pytest.raises(RuntimeError, match="PATHWAY_PERSISTENT_STORAGE"):
        values(t.select(x=cached(t.a)))
    default = pw.udf(cache_strategy=pw.udfs.DefaultCache())(lambda x: x)
    assert values(t.select(x=default(t.a))) == [1, 2, 3, 4]


def test_methods_are_bound(t: pw.Table) -> None:
    class Adder:
        def __init__(self, step: int) -> None:
            self.step = step

        @pw.udf
        def add(self, x: int) -> int:
            return x + self.step

        @staticmethod
        @pw.udf
        def double(x: int) -> int:
            return 2 * x

        plain = pw.udf(lambda x: x)

    adder = Adder(10)
    assert values(t.select(x=adder.add(t.a))) == [11, 12, 13, 14]
    assert values(t.select(x=adder.double(t.a))) == [2, 4, 6, 8]
    assert values(t.select(x=adder.plain(t.a))) == [1, 2, 3, 4]


def test_forgotten_super_init(t: pw.Table) -> None:
    class Forgetful(pw.UDF):
        def __init__(self) -> None:
            pass

        def __wrapped__(self, x: int) -> int:
            return x

    with pytest.raises(TypeError, match="super"):
        Forgetful()(t.a)


def test_return_type_that_contradicts_the_annotation(t: pw.Table) -> None:
    @pw.udf(return_type=str)
    def number(x: int) -> int:
        return x

    with pytest.warns(UserWarning, match="annotated as returning"):
        number(t.a)


def test_event_loop_of_the_user(t: pw.Table) -> None:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    seen: list[object] = []

    @pw.udf
    async def where(x: int) -> int:
        seen.append(asyncio.get_running_loop())
        return x

    try:
        assert values(t.select(x=where(t.a)), event_loop=loop) == [1, 2, 3, 4]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
    assert set(map(id, seen)) == {id(loop)}
    with pytest.raises(ValueError, match="running"):
        values(t.select(x=where(t.a)), event_loop=loop)
    loop.close()


def test_decorators_of_functions() -> None:
    calls: list[float] = []

    @pw.udfs.async_options(capacity=1, retry_strategy=pw.udfs.FixedDelayRetryStrategy(1, 1))
    def unlucky(x: int) -> int:
        calls.append(time.monotonic())
        if len(calls) == 1:
            raise OSError("first")
        return x

    assert asyncio.run(unlucky(3)) == 3
    assert len(calls) == 2
