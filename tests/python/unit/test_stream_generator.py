"""`pw.debug.StreamGenerator`: what the golden programs do not say."""

from __future__ import annotations

import pathlib
from typing import Any

import pandas as pd
import pytest

import pathway as pw

KEY, OTHER = pw.internals.api.ref_scalar(1), pw.internals.api.ref_scalar(2)


class Item(pw.Schema):
    a: int


@pytest.fixture
def generator() -> pw.debug.StreamGenerator:
    return pw.debug.StreamGenerator()


@pytest.mark.parametrize(
    ("time", "worker", "diff", "message"),
    [(-2, 0, 1, "times"), (2, -1, 1, "worker numbers"), (2, 0, 2, "diffs"), (2, 0, 0, "diffs")],
)
def test_what_is_refused(
    generator: pw.debug.StreamGenerator, time: int, worker: int, diff: int, message: str
) -> None:
    with pytest.raises(ValueError, match=f"the {message} of a stream"):
        generator._table_from_dict({time: {worker: [(diff, KEY, [1])]}}, Item)
    assert generator.persistence_config() is None


def test_rows_need_all_columns(generator: pw.debug.StreamGenerator) -> None:
    with pytest.raises(KeyError, match="no column a in the row"):
        generator.table_from_list_of_batches([[{"b": 1}]], Item)
    with pytest.raises(ValueError, match="has 2 values"):
        generator._table_from_dict({2: {0: [(1, KEY, [1, 2])]}}, Item)


@pytest.mark.parametrize("threads", ["1", "2", "4"])
def test_rows_of_workers_that_do_not_exist_are_taken_in_by_others(
    generator: pw.debug.StreamGenerator, threads: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATHWAY_THREADS", threads)
    t = generator.table_from_list_of_batches_by_workers(
        [{0: [{"a": 1}], 3: [{"a": 2}]}, {5: [{"a": 4}]}], Item
    )
    total = t.reduce(a=pw.reducers.sum(t.a))
    updates = [(u.values, u.time, u.diff) for u in pw.debug.table_to_updates(total)]
    assert updates == [((3,), 2, 1), ((3,), 4, -1), ((7,), 4, 1)]


def test_rows_come_with_and_without_the_configuration(generator: pw.debug.StreamGenerator) -> None:
    t = generator.table_from_list_of_batches([[{"a": 1}], [{"a": 2}]], Item)
    got: list[Any] = []
    pw.io.subscribe(t, lambda key, row, time, is_addition: got.append((row, time)))
    for config in (generator.persistence_config(), None):
        pw.run(persistence_config=config, monitoring_level=pw.MonitoringLevel.NONE)
    assert got == [({"a": 1}, 2), ({"a": 2}, 4)] * 2


def test_rows_at_time_zero_were_there_before_the_run(
    generator: pw.debug.StreamGenerator, tmp_path: pathlib.Path
) -> None:
    with pytest.warns(UserWarning, match="time 0"):
        t = generator._table_from_dict({0: {0: [(1, KEY, [1])]}, 2: {0: [(1, OTHER, [2])]}}, Item)
    total = t.reduce(a=pw.reducers.sum(t.a))
    others = pw.debug.table_from_markdown("a\n7")
    got: list[Any] = []
    for table in (t, total, others):
        pw.io.subscribe(table, lambda key, row, time, is_addition: got.append((row["a"], time, is_addition)))
    pw.io.jsonlines.write(total, tmp_path / "total.jsonl")
    pw.run(persistence_config=generator.persistence_config(), monitoring_level=pw.MonitoringLevel.NONE)
    assert sorted(got) == [(1, 2, False), (2, 2, True), (3, 2, True), (7, 0, True)]
    written = (tmp_path / "total.jsonl").read_text()
    assert written == '{"a":1,"diff":-1,"time":2}\n{"a":3,"diff":1,"time":2}\n'
    assert [u.time for u in pw.debug.table_to_updates(total)] == [0, 2, 2]


def test_odd_times_are_doubled_and_the_frame_stays_as_it_is(generator: pw.debug.StreamGenerator) -> None:
    frame = pd.DataFrame({"a": [1, 2], "_time": [1, 2]})
    before = frame.copy()
    with pytest.warns(UserWarning, match="doubled"):
        t = generator.table_from_pandas(frame)
    assert [u.time for u in pw.debug.table_to_updates(t)] == [2, 4]
    pd.testing.assert_frame_equal(frame, before)


def test_no_rows(generator: pw.debug.StreamGenerator) -> None:
    for t in generator.table_from_list_of_batches([[], []], Item), generator._table_from_dict({}, Item):
        assert pw.debug.table_to_updates(t) == []
    assert generator.persistence_config() is not None
