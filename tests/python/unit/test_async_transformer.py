"""`pw.AsyncTransformer`: results that come later, consistent within instances."""

from __future__ import annotations

import asyncio
import logging
import pathlib
import threading
from collections import Counter
from typing import Any

import pytest

import pathway as pw
from contents import rows, updates


class Out(pw.Schema):
    ret: int


class Inc(pw.AsyncTransformer, output_schema=Out):
    async def invoke(self, value: int) -> dict[str, Any]:
        await asyncio.sleep(0)
        if value < 0:
            raise ValueError("negative")
        return {"ret": value + 1}


@pytest.fixture
def t() -> pw.Table:
    return pw.debug.table_from_markdown("value\n1\n-2\n3")


def test_result_tables(t: pw.Table, caplog: pytest.LogCaptureFixture) -> None:
    result = Inc(t)
    assert rows(result.successful) == [(2,), (4,)]
    assert rows(result.failed) == [(None,)]
    assert rows(result.finished) == [("-FAILURE-", None), ("-SUCCESS-", 2), ("-SUCCESS-", 4)]
    assert rows(result.output_table.await_futures()) == rows(result.finished)
    assert result.finished is result.finished
    assert result.successful.typehints() == {"ret": int}
    assert result.failed.typehints() == {"ret": int | None}
    assert result.finished.typehints() == {"_async_status": str, "ret": int | None}
    futures = {"_async_status": asyncio.Future[str], "ret": asyncio.Future[int | None]}
    assert result.output_table.typehints() == futures
    assert [result.finished.is_append_only, result.output_table.is_append_only] == [True, False]
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "Exception in AsyncTransformer:" in errors[0].getMessage()
    assert errors[0].exc_info is not None
    assert "negative" in str(errors[0].exc_info[1])


def test_ids_are_those_of_the_input(t: pw.Table) -> None:
    result = Inc(t).successful
    inputs = t.restrict(result)
    assert rows(inputs.select(inputs.value, result.ret)) == [(1, 2), (3, 4)]


def test_pending_rows_are_shown_and_resolved() -> None:
    t = pw.debug.table_from_markdown("value | __time__\n1 | 2\n2 | 4")
    stream = pw.debug.table_to_pandas(Inc(t).output_table)
    assert sorted(stream["ret"]) == [2, 3]
    result = Inc(t).output_table
    seen: list[tuple[Any, int]] = []

    def on_change(key: Any, row: dict[str, Any], time: int, is_addition: bool) -> None:
        seen.append((row["ret"], time))

    pw.io.subscribe(result, on_change)
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    # Subscribers are told of what is there only.
    assert sorted(value for value, _ in seen) == [2, 3]
    assert all(time > 4 for _, time in seen)


def test_deletion_and_update() -> None:
    t = pw.debug.table_from_markdown(
        """
        id | value | __time__ | __diff__
        1  | 1     | 2        | 1
        2  | 5     | 2        | 1
        1  | 1     | 4        | -1
        1  | 7     | 4        | 1
        2  | 5     | 6        | -1
        """
    )
    found = updates(Inc(t).successful)
    per_row = [(row["ret"], added) for row, _, added in found]
    assert [change for change in per_row if change[0] in (2, 8)] == [(2, True), (2, False), (8, True)]
    assert [change for change in per_row if change[0] == 6] == [(6, True), (6, False)]
    times = [time for _, time, _ in found]
    assert times == sorted(times)


def test_unchanged_arguments_are_not_called_again() -> None:
    calls: Counter[int] = Counter()

    class Count(pw.AsyncTransformer, output_schema=Out):
        async def invoke(self, value: int) -> dict[str, Any]:
            calls[value] += 1
            return {"ret": value}

    t = pw.debug.table_from_markdown(
        """
        id | value | other | __time__ | __diff__
        1  | 1     | 1     | 2        | 1
        1  | 1     | 1     | 4        | -1
        1  | 1     | 2     | 4        | 1
        """
    )
    assert rows(Count(t.select(t.value)).successful) == [(1,)]
    assert calls == {1: 1}


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_rows_of_an_instance_come_together(workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATHWAY_THREADS", str(workers))

    class Slow(pw.AsyncTransformer, output_schema=Out):
        async def invoke(self, group: int, value: int) -> dict[str, Any]:
            await asyncio.sleep(0.001 * ((value * 7) % 5))
            return {"ret": 100 * group + value}

    lines = ["group | value | __time__"]
    lines += [f"{group} | {value} | {2 + 2 * (value // 3)}" for group in range(5) for value in range(9)]
    t = pw.debug.table_from_markdown("\n".join(lines))
    found = updates(Slow(t, instance=t.group).successful)
    assert len(found) == 45
    batches: dict[tuple[int, int], set[int]] = {}
    for row, time, added in found:
        assert added
        group, value = divmod(row["ret"], 100)
        batches.setdefault((group, value // 3), set()).add(time)
    assert all(len(times) == 1 for times in batches.values())
    for group in range(5):
        order = [min(batches[group, number]) for number in range(3)]
        assert order == sorted(order)
        assert len(set(order)) == 3


def test_a_failure_takes_what_waits_with_it() -> None:
    release = threading.Event()

    class Gate(pw.AsyncTransformer, output_schema=Out):
        async def invoke(self, value: int) -> dict[str, Any]:
            if value == 1:
                # Answers last, so that everything of its instance waits.
                while not release.is_set():
                    await asyncio.sleep(0.001)
            if value == 2:
                raise ValueError("two")
            if value == 9:
                release.set()
            return {"ret": value}

    t = pw.debug.table_from_markdown(
        """
        group | value | __time__
        a     | 1     | 2
        a     | 2     | 4
        a     | 3     | 6
        b     | 9     | 6
        """
    )
    result = Gate(t.select(t.value), instance=t.group).finished
    inputs = t.restrict(result)
    statuses = rows(inputs.select(inputs.value, result._async_status))
    assert statuses == [(1, "-SUCCESS-"), (2, "-FAILURE-"), (3, "-FAILURE-"), (9, "-SUCCESS-")]


def test_open_and_close_surround_the_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATHWAY_THREADS", "2")
    log: list[str] = []

    class Traced(pw.AsyncTransformer, output_schema=Out):
        def open(self) -> None:
            log.append("open")

        def close(self) -> None:
            log.append("close")

        async def invoke(self, value: int) -> dict[str, Any]:
            log.append("invoke")
            return {"ret": value}

    t = pw.debug.table_from_markdown("value\n1\n2\n3")
    result = Traced(t).successful
    for _ in range(2):  # a second run starts afresh
        log.clear()
        assert rows(result) == [(1,), (2,), (3,)]
        assert log == ["open", "invoke", "invoke", "invoke", "close"]


def test_exceptions_of_open_and_close_end_the_run(t: pw.Table) -> None:
    class Broken(Inc, output_schema=Out):
        def open(self) -> None:
            raise OSError("closed for today")

    with pytest.raises(OSError, match="closed for today"):
        rows(Broken(t).finished)

    class Stuck(Inc, output_schema=Out):
        def close(self) -> None:
            raise OSError("does not close")

    with pytest.raises(OSError, match="does not close"):
        rows(Stuck(t).finished)


def test_options(t: pw.Table) -> None:
    running, most, attempts = 0, 0, Counter[int]()

    class Flaky(pw.AsyncTransformer, output_schema=Out):
        async def invoke(self, value: int) -> dict[str, Any]:
            nonlocal running, most
            attempts[value] += 1
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.001)
            running -= 1
            if attempts[value] < 2:
                raise OSError("not yet")
            return {"ret": value}

    transformer = Flaky(t)
    table = transformer.successful
    # Options count until the run starts, also for tables that were taken before.
    retries = pw.udfs.FixedDelayRetryStrategy(1, 1)
    assert transformer.with_options(capacity=2, retry_strategy=retries) is transformer
    assert rows(table) == [(-2,), (1,), (3,)]
    assert most == 2
    assert set(attempts.values()) == {2}
    # All options are replaced at once.
    attempts.clear()
    transformer.with_options(timeout=5)
    assert rows(transformer.failed) == [(None,)] * 3
    with pytest.raises(TypeError, match="capacity"):
        transformer.with_options(capacity="2")  # type: ignore[arg-type]


def test_timeout() -> None:
    class Late(pw.AsyncTransformer, output_schema=Out):
        async def invoke(self, value: int) -> dict[str, Any]:
            await asyncio.sleep(0 if value < 2 else 60)
            return {"ret": value}

    t = pw.debug.table_from_markdown("value\n1\n2")
    assert rows(Late(t).with_options(timeout=0.05).finished) == [("-FAILURE-", None), ("-SUCCESS-", 1)]


def test_results_are_kept_on_disk(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    class Costly(pw.AsyncTransformer, output_schema=Out):
        def __init__(self, table: pw.Table, factor: int) -> None:
            super().__init__(table)
            self.factor = factor

        async def invoke(self, value: int) -> dict[str, Any]:
            calls.append(value)
            return {"ret": self.factor * value}

    t = pw.debug.table_from_markdown("value\n1\n2")
    assert rows(Costly(t, 2).successful) == rows(Costly(t, 2).successful)
    assert len(calls) == 4  # no place to keep them
    calls.clear()
    monkeypatch.setenv("PATHWAY_PERSISTENT_STORAGE", str(tmp_path))
    doubled = Costly(t, 2).successful
    for _ in range(2):
        assert rows(doubled) == [(2,), (4,)]
    assert sorted(calls) == [1, 2]
    # Options without a cache keep this one; another transformer in the same run has its own.
    twice = Costly(t, 2).with_options(capacity=1).successful
    thrice = Costly(t, 3).successful
    both = twice.join(thrice, twice.id == thrice.id).select(twice.ret, thrice=thrice.ret)
    assert rows(both) == [(2, 3), (4, 6)]
    assert sorted(calls) == [1, 1, 2, 2]


def test_memory_cache(t: pw.Table) -> None:
    calls: list[int] = []

    class Counted(pw.AsyncTransformer, output_schema=Out):
        async def invoke(self, value: int) -> dict[str, Any]:
            calls.append(value)
            return {"ret": value}

    same = pw.debug.table_from_markdown("  | value\n1 | 5\n2 | 5\n3 | 5")
    cache = pw.udfs.InMemoryCache()
    assert rows(Counted(same).with_options(cache_strategy=cache).successful) == [(5,)] * 3
    assert calls == [5]
    with pytest.raises(TypeError, match="cache_strategy"):
        Counted(same).with_options(cache_strategy="memory")  # type: ignore[arg-type]


def test_wrong_results_are_failures(t: pw.Table, caplog: pytest.LogCaptureFixture) -> None:
    class Odd(pw.AsyncTransformer, output_schema=Out):
        async def invoke(self, value: int) -> Any:
            return {1: {"ret": "text"}, -2: {"other": 1}, 3: 7}[value]

    assert rows(Odd(t).failed) == [(None,)] * 3
    texts = "\n".join(str(record.exc_info[1]) for record in caplog.records if record.exc_info)
    assert "INT cannot hold 'text'" in texts
    assert "missing are ['ret'], too many are ['other']" in texts
    assert "has to return a dict" in texts

    class Nothing(pw.AsyncTransformer, output_schema=Out):
        async def invoke(self, value: int) -> Any:
            return {"ret": None}

    assert rows(Nothing(t).failed) == [(None,)] * 3


def test_defaults_fill_gaps() -> None:
    class WithDefault(pw.Schema):
        a: int
        b: str = pw.column_definition(default_value="none")

    class Partial(pw.AsyncTransformer, output_schema=WithDefault):
        async def invoke(self, value: int) -> dict[str, Any]:
            return {"a": value} if value < 2 else {"a": value, "b": "some"}

    t = pw.debug.table_from_markdown("value\n1\n2")
    assert rows(Partial(t).successful) == [(1, "none"), (2, "some")]


def test_parameters_are_checked(t: pw.Table) -> None:
    wide = t.select(value=t.value, b=t.value)
    with pytest.raises(TypeError, match="Input table has a column 'b'") as error:
        Inc(wide)
    assert "test_async_transformer.py" in error.value.__notes__[0]
    with pytest.raises(TypeError, match="Column 'value' is present on the argument list"):
        Inc(t.select(b=t.value).without("b"))
    with pytest.raises(TypeError, match="takes a table"):
        Inc("t")  # type: ignore[arg-type]

    class Free(pw.AsyncTransformer, output_schema=Out):
        async def invoke(self, value: int, factor: int = 10, **others: int) -> dict[str, Any]:
            return {"ret": value * factor + sum(others.values())}

    assert rows(Free(wide).successful) == [(-22,), (11,), (33,)]


def test_a_plain_invoke_runs_in_threads() -> None:
    barrier = threading.Barrier(3, timeout=10)

    class Plain(pw.AsyncTransformer, output_schema=Out):
        def invoke(self, value: int) -> dict[str, Any]:  # type: ignore[override]
            barrier.wait()
            return {"ret": value}

    t = pw.debug.table_from_markdown("value\n1\n2\n3")
    assert rows(Plain(t).successful) == [(1,), (2,), (3,)]


def test_output_schema_is_needed(t: pw.Table) -> None:
    with pytest.raises(TypeError, match="output_schema"):

        class Nothing(pw.AsyncTransformer):
            async def invoke(self, value: int) -> dict[str, Any]:
                return {}

    with pytest.raises(TypeError, match="has to be a schema"):

        class Number(pw.AsyncTransformer, output_schema=5):  # type: ignore[arg-type]
            async def invoke(self, value: int) -> dict[str, Any]:
                return {}

    class Inherits(Inc):
        pass

    assert rows(Inherits(t).successful) == [(2,), (4,)]


@pytest.mark.parametrize("kind", [pw.Json, tuple, Any, "array"])
def test_instances_have_to_be_hashable(t: pw.Table, kind: Any) -> None:
    import numpy as np

    dtype = np.ndarray if kind == "array" else kind
    with pytest.raises(ValueError, match="unhashable"):
        Inc(t, instance=pw.apply_with_type(lambda x: x, dtype, t.value))


def test_rows_with_errors_are_left_out() -> None:
    t = pw.debug.table_from_markdown("value | d\n1 | 1\n2 | 0")
    with pytest.warns(UserWarning, match="experimental"):
        _, columns = pw.debug.table_to_dicts(
            Inc(t.select(value=t.value // t.d)).output_table.await_futures(), terminate_on_error=False
        )
    assert list(columns["ret"].values()) == [2]


def test_pending_arguments_are_waited_for(t: pw.Table) -> None:
    @pw.udf(executor=pw.udfs.fully_async_executor())
    async def double(x: int) -> int:
        await asyncio.sleep(0.001)
        return 2 * x

    assert rows(Inc(t.select(value=double(t.value))).successful) == [(3,), (7,)]


def test_results_do_not_wait_for_the_source() -> None:
    """A source that sends its next row when it has seen the result of the last one, and never commits
    in between but by itself."""
    seen: dict[int, threading.Event] = {value: threading.Event() for value in range(1, 6)}

    class Source(pw.io.python.ConnectorSubject):
        def run(self) -> None:
            for value, event in seen.items():
                self.next(value=value)
                self.commit()
                # A row that is not committed holds the source's time.
                self.next(value=100 + value)
                assert event.wait(10), f"no result for {value}"

    class In(pw.Schema):
        value: int

    t = pw.io.python.read(Source(), schema=In, autocommit_duration_ms=None)

    def on_change(key: Any, row: dict[str, Any], time: int, is_addition: bool) -> None:
        if row["ret"] - 1 in seen:
            seen[row["ret"] - 1].set()

    pw.io.subscribe(Inc(t).successful, on_change)
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    assert all(event.is_set() for event in seen.values())


def test_pending_rows_do_not_hold_back_other_data() -> None:
    release = threading.Event()

    class Waits(pw.AsyncTransformer, output_schema=Out):
        async def invoke(self, value: int) -> dict[str, Any]:
            while not release.is_set():
                await asyncio.sleep(0.001)
            return {"ret": value}

    class Source(pw.io.python.ConnectorSubject):
        def run(self) -> None:
            self.next(value=1)
            self.commit()
            assert release.wait(10)

    class In(pw.Schema):
        value: int

    t = pw.io.python.read(Source(), schema=In, autocommit_duration_ms=10)
    result = Waits(t)
    log: list[tuple[str, Any]] = []

    def on_started(key: Any, row: dict[str, Any], time: int, is_addition: bool) -> None:
        log.append(("started", row["value"]))
        release.set()

    # Joined with pending rows: what is not pending is there at once.
    started = t.restrict(result.output_table)
    pw.io.subscribe(started, on_started)
    pw.io.subscribe(result.successful, lambda key, row, time, is_addition: log.append(("done", row["ret"])))
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    assert log == [("started", 1), ("done", 1)]
