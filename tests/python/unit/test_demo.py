"""`pw.demo`: what is refused, what the golden programs do not say."""

from __future__ import annotations

import itertools
import pathlib
from collections.abc import Callable
from typing import Any

import pytest

import pathway as pw


@pytest.mark.parametrize("rate", [0, -1, 0.0])
def test_rates_are_positive(rate: float, tmp_path: pathlib.Path) -> None:
    schema = pw.schema_from_types(a=int)
    makers: list[Callable[[], Any]] = [
        lambda: pw.demo.generate_custom_stream({"a": int}, schema=schema, input_rate=rate),
        lambda: pw.demo.range_stream(input_rate=rate),
        lambda: pw.demo.noisy_linear_stream(input_rate=rate),
        lambda: pw.demo.replay_csv(tmp_path / "a.csv", schema=schema, input_rate=rate),
        lambda: pw.demo.replay_csv_with_time(
            tmp_path / "a.csv", schema=schema, time_column="a", speedup=rate
        ),
    ]
    for make in makers:
        with pytest.raises(ValueError, match="has to be positive"):
            make()


def test_value_generators_are_a_dict() -> None:
    with pytest.raises(TypeError, match="value_generators"):
        pw.demo.generate_custom_stream(5, schema=pw.schema_from_types(a=int))  # type: ignore[arg-type]


def test_a_stream_without_end() -> None:
    seen: list[float] = []

    def on_change(key: pw.Pointer, row: dict[str, Any], time: int, is_addition: bool) -> None:
        seen.append(row["value"])
        if len(seen) == 5:
            raise StopAsyncIteration("enough")

    numbers = pw.demo.range_stream(nb_rows=None, offset=3, input_rate=10_000, autocommit_duration_ms=5)
    pw.io.subscribe(numbers, on_change)
    with pytest.raises(StopAsyncIteration):
        pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    assert seen == [float(i) for i in range(3, 8)]


def test_the_noise_is_the_same_each_time() -> None:
    def points() -> list[float]:
        return sorted(pw.debug.table_to_pandas(pw.demo.noisy_linear_stream(5, input_rate=10_000))["y"])

    first, second = points(), points()
    assert first == second
    assert all(abs(y - x) <= 0.1 for x, y in zip(itertools.count(), first, strict=False))


def test_keys_of_replayed_rows_have_their_types(tmp_path: pathlib.Path) -> None:
    class Row(pw.Schema):
        k: int = pw.column_definition(primary_key=True)
        v: str

    path = tmp_path / "a.csv"
    path.write_text("k,v\n7,x\n8,y\n")
    keys, _ = pw.debug.table_to_dicts(pw.demo.replay_csv(path, schema=Row, input_rate=1000))
    assert set(keys) == {pw.internals.api.ref_scalar(7), pw.internals.api.ref_scalar(8)}


def test_replayed_rows_may_come_together(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a\n1\n2\n3\n")
    rows = pw.demo.replay_csv(path, schema=pw.schema_from_types(a=int), input_rate=50, autocommit_ms=100_000)
    times = []
    pw.io.subscribe(rows, lambda key, row, time, is_addition: times.append(time))
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    assert len(times) == 3
    assert len(set(times)) == 1
