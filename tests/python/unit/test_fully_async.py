"""Fully asynchronous functions: columns that are pending for a while."""

from __future__ import annotations

import asyncio
import pathlib
import threading
from typing import Any

import pytest

import pathway as pw


@pw.udf(executor=pw.udfs.fully_async_executor())
async def double(x: int) -> int:
    await asyncio.sleep(0.001 * (x % 3))
    if x < 0:
        raise ValueError("negative")
    return 2 * x


@pytest.fixture
def t() -> pw.Table:
    return pw.debug.table_from_markdown("a\n1\n2\n3")


def column(table: pw.Table, name: str, **options: Any) -> list[Any]:
    _, columns = pw.debug.table_to_dicts(table, **options)
    return sorted(columns[name].values(), key=lambda value: (value is None, value))


def test_types(t: pw.Table) -> None:
    r = t.select(t.a, b=double(t.a))
    assert r.typehints() == {"a": int, "b": asyncio.Future[int]}
    assert [r.schema["a"].append_only, r.schema["b"].append_only] == [True, False]
    assert r.await_futures().typehints() == {"a": int, "b": int}

    @pw.udf(executor=pw.udfs.fully_async_executor(), propagate_none=True)
    async def known(x: int) -> int:
        return x

    optional = pw.debug.table_from_rows(pw.schema_from_types(a=int | None), [(1,), (None,)])
    result = optional.select(b=known(optional.a))
    assert result.typehints() == {"b": asyncio.Future[int | None]}
    assert column(result.await_futures(), "b") == [1, None]


def test_results_replace_pending_cells(t: pw.Table, capsys: pytest.CaptureFixture[str]) -> None:
    r = t.select(t.a, b=double(t.a))
    assert column(r, "b") == [2, 4, 6]
    assert column(r.await_futures(), "b") == [2, 4, 6]
    pw.debug.compute_and_print_update_stream(r, include_id=False)
    lines = [line.split("|") for line in capsys.readouterr().out.splitlines()[1:]]
    changes = [(int(line[0]), line[1].strip(), int(line[3])) for line in lines]
    for a in (1, 2, 3):
        mine = [change[1:] for change in changes if change[0] == a]
        assert mine == [("Pending", 1), ("Pending", -1), (str(2 * a), 1)]
    times = [int(line[2]) for line in lines]
    assert times[:3] == [0, 0, 0]
    assert min(times[3:]) > 10**12


def test_plain_functions_run_in_threads(t: pw.Table) -> None:
    barrier = threading.Barrier(3, timeout=10)

    @pw.udf(executor=pw.udfs.fully_async_executor())
    def together(x: int) -> int:
        barrier.wait()
        return x

    assert column(t.select(b=together(t.a)).await_futures(), "b") == [1, 2, 3]


def test_deletion_and_update_while_pending() -> None:
    started, release = threading.Event(), threading.Event()

    @pw.udf(executor=pw.udfs.fully_async_executor())
    async def held(x: int) -> int:
        while not release.is_set():
            await asyncio.sleep(0.001)
        return 10 * x

    class Source(pw.io.python.ConnectorSubject):
        def run(self) -> None:
            self.next(key=1, value=1)
            self.next(key=2, value=2)
            self.commit()
            assert started.wait(10)
            self._remove(pw.engine.ref_scalar(1), {"key": 1, "value": 1})
            self._remove(pw.engine.ref_scalar(2), {"key": 2, "value": 2})
            self.next(key=2, value=3)
            self.commit()
            # The changes have been seen when their time has passed through the outputs.
            assert changed.wait(10)
            release.set()

    changed = threading.Event()

    class In(pw.Schema):
        key: int = pw.column_definition(primary_key=True)
        value: int

    t = pw.io.python.read(Source(), schema=In, autocommit_duration_ms=10)
    r = t.select(t.value, b=held(t.value))
    values: list[tuple[int, bool]] = []

    def on_input(key: Any, row: dict[str, Any], time: int, is_addition: bool) -> None:
        started.set()
        if row["value"] == 3:
            changed.set()

    pw.io.subscribe(t, on_input)
    pw.io.subscribe(r, lambda key, row, time, is_addition: values.append((row["b"], is_addition)))
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    assert values == [(30, True)]


def test_what_can_be_done_with_futures(t: pw.Table) -> None:
    r = t.select(t.a, b=double(t.a))
    assert column(r.select(c=double(r.b)).await_futures(), "c") == [4, 8, 12]
    assert column(r.rename(c=r.b).filter(pw.this.a > 1).await_futures(), "c") == [4, 6]
    assert column(r.select(c=r.b.to_string()), "c") == ["2", "4", "6"]
    assert column(r.select(c=r.b == r.b), "c") == [True, True, True]
    assert column(r.concat_reindex(r).await_futures(), "b") == [2, 2, 4, 4, 6, 6]
    assert column(t.select(c=double(double(t.a))).await_futures(), "c") == [4, 8, 12]
    by_id = t.select(p=t.id)
    assert column(r.ix(by_id.p).await_futures(), "b") == [2, 4, 6]
    assert column(t.await_futures(), "a") == [1, 2, 3]


@pytest.mark.parametrize(
    "use",
    [
        lambda r: r.select(x=r.b + 1),
        lambda r: r.select(x=r.b < 2),
        lambda r: r.select(x=pw.apply(str, r.b)),
        lambda r: r.select(x=pw.apply_async(str, r.b)),
        lambda r: r.select(x=pw.coalesce(r.b, 1)),
        lambda r: r.select(x=pw.require(r.a, r.b)),
        lambda r: r.select(x=pw.make_tuple(r.b)),
        lambda r: r.select(x=r.b.is_none()),
        lambda r: r.select(x=r.b.is_not_none()),
        lambda r: r.select(x=pw.unwrap(r.b)),
        lambda r: r.select(x=r.pointer_from(r.b)),
        lambda r: r.select(x=pw.cast(float, r.b)),
        lambda r: r.select(x=pw.if_else(r.a > 1, r.b, 1)),
        lambda r: r.select(x=pw.fill_error(r.b, 1)),
        lambda r: r.groupby(r.b).reduce(n=pw.reducers.count()),
        lambda r: r.reduce(n=pw.reducers.sum(r.b)),
        lambda r: r.reduce(n=pw.reducers.count(r.b)),
        lambda r: r.with_id(r.b),
        lambda r: r.with_id_from(r.b),
        lambda r: r.update_types(b=int),
        lambda r: r.flatten(r.b),
        lambda r: r.join(r.copy(), r.b == pw.right.b),
    ],
)
def test_what_cannot_be_done_with_futures(t: pw.Table, use: Any) -> None:
    r = t.select(t.a, b=double(t.a))
    with pytest.raises(TypeError):
        use(r)


def test_failures(t: pw.Table, caplog: pytest.LogCaptureFixture) -> None:
    bad = pw.debug.table_from_markdown("a\n1\n-2\n3")
    r = bad.select(bad.a, b=double(bad.a))
    with pytest.raises(pw.engine.EngineError, match="double failed with ValueError: negative") as error:
        column(r, "b")
    # The exception of the function is not lost.
    assert isinstance(error.value.__cause__, ValueError)
    assert "b=double(bad.a)" in error.value.__notes__[0]
    assert "Exception in fully_async_udf:" in caplog.text
    ready = r.await_futures()
    good = ready.select(b=pw.fill_error(ready.b, -1))
    with pytest.warns(UserWarning, match="experimental"):
        assert column(good, "b", terminate_on_error=False) == [-1, 2, 6]


def test_results_of_a_wrong_type_are_failures(t: pw.Table) -> None:
    @pw.udf(executor=pw.udfs.fully_async_executor())
    async def text(x: int) -> int:
        return str(x)  # type: ignore[return-value]

    with pytest.raises(pw.engine.EngineError, match=r"INT cannot hold '.'"):
        column(t.select(b=text(t.a)), "b")


def test_error_and_none_arguments() -> None:
    t = pw.debug.table_from_markdown("a | d\n4 | 2\n4 | 0")
    r = t.select(b=double(t.a // t.d))
    ready = r.await_futures()
    filled = ready.select(b=pw.fill_error(ready.b, -1))
    with pytest.warns(UserWarning, match="experimental"):
        assert column(filled, "b", terminate_on_error=False) == [-1, 4]

    @pw.udf(executor=pw.udfs.fully_async_executor())
    async def describe(x: int | None) -> str:
        return f"<{x}>"

    optional = pw.debug.table_from_rows(pw.schema_from_types(a=int | None), [(1,), (None,)])
    assert column(optional.select(b=describe(optional.a)).await_futures(), "b") == ["<1>", "<None>"]


def test_options() -> None:
    with pytest.raises(ValueError, match="Batching is not supported for fully asynchronous UDFs"):

        @pw.udf(executor=pw.udfs.fully_async_executor(), max_batch_size=2)
        async def batch(x: list[int]) -> list[int]:
            return x

    with pytest.raises(TypeError, match="autocommit_duration_ms"):
        pw.udfs.fully_async_executor(autocommit_duration_ms="1")  # type: ignore[arg-type]
    attempts: dict[int, int] = {}

    @pw.udf(
        executor=pw.udfs.fully_async_executor(
            capacity=1, timeout=5, retry_strategy=pw.udfs.FixedDelayRetryStrategy(2, 1)
        )
    )
    async def flaky(x: int) -> int:
        attempts[x] = attempts.get(x, 0) + 1
        if attempts[x] < 2:
            raise OSError("not yet")
        return x

    t = pw.debug.table_from_markdown("a\n1\n2")
    assert column(t.select(b=flaky(t.a)).await_futures(), "b") == [1, 2]


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_many_rows_and_workers(workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATHWAY_THREADS", str(workers))
    rows = [(i,) for i in range(500)]
    t = pw.debug.table_from_rows(pw.schema_from_types(a=int), rows)
    r = t.select(t.a, b=double(t.a)).await_futures()
    assert sorted(column(r, "b")) == [2 * i for i in range(500)]
    groups = r.with_columns(g=r.a % 7)
    sums = groups.groupby(groups.g).reduce(s=pw.reducers.sum(groups.b))
    assert sum(column(sums, "s")) == sum(2 * i for i in range(500))


def test_interrupted_runs_do_not_wait_for_calls() -> None:
    started = threading.Event()

    @pw.udf(executor=pw.udfs.fully_async_executor())
    async def forever(x: int) -> int:
        started.set()
        await asyncio.Event().wait()
        return x

    class Source(pw.io.python.ConnectorSubject):
        def run(self) -> None:
            self.next(a=1)
            self.commit()
            assert started.wait(10)
            raise OSError("enough")

    t = pw.io.python.read(Source(), schema=pw.schema_from_types(a=int))
    pw.io.subscribe(t.select(b=forever(t.a)), lambda key, row, time, is_addition: None)
    with pytest.raises(OSError, match="enough"):
        pw.run(monitoring_level=pw.MonitoringLevel.NONE)


def test_running_loop_of_the_user(t: pw.Table) -> None:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    threads: set[int | None] = set()

    @pw.udf(executor=pw.udfs.fully_async_executor())
    async def where(x: int) -> int:
        threads.add(threading.current_thread().ident)
        return x

    try:
        values: list[int] = []
        r = t.select(b=where(t.a))
        pw.io.subscribe(r, lambda key, row, time, is_addition: values.append(row["b"]))
        pw.run(monitoring_level=pw.MonitoringLevel.NONE, event_loop=loop)
        assert sorted(values) == [1, 2, 3]
        assert threads == {thread.ident}
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.mark.parametrize("write", [pw.io.csv.write, pw.io.jsonlines.write])
def test_files_get_results_only(t: pw.Table, write: Any, tmp_path: pathlib.Path) -> None:
    write(t.select(t.a, b=double(t.a)), tmp_path / "out")
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    text = (tmp_path / "out").read_text()
    assert "ending" not in text
    rows = [line for line in text.splitlines() if not line.startswith('"a"')]
    assert len(rows) == 3
    assert all("-1" not in row for row in rows)
