"""Limits of `pw.debug` in Pathway 0.33 that are gone here."""

from __future__ import annotations

import pathlib

import numpy as np
import pandas as pd
import pytest

import pathway as pw

key = pw.internals.api.ref_scalar


def rows(table: pw.Table) -> dict[pw.Pointer, dict[str, object]]:
    keys, columns = pw.debug.table_to_dicts(table)
    return {k: {name: cells[k] for name, cells in columns.items()} for k in keys}


def test_columns_are_found_by_name() -> None:
    class Swapped(pw.Schema):
        b: str
        a: int

    expected = {key(0): {"b": "x", "a": 1}}
    assert rows(pw.debug.table_from_markdown("a | b\n1 | x", schema=Swapped)) == expected
    frame = pd.DataFrame({"a": [1], "b": ["x"]})
    assert rows(pw.debug.table_from_pandas(frame, schema=Swapped)) == expected


@pytest.mark.parametrize("cell", [[1, 2], (1, "a"), {"a": 1}, np.array([1.5])])
def test_labels_beside_cells_of_several_values(cell: object) -> None:
    frame = pd.DataFrame({"a": pd.Series([cell, cell], index=["p", "q"])})
    table = pw.debug.table_from_pandas(frame)
    assert set(rows(table)) == {key("p"), key("q")}


def test_the_data_frame_of_the_caller_stays_as_it_is() -> None:
    frame = pd.DataFrame({"a": [1, 2], "__time__": [1, 2]})
    before = frame.copy()
    with pytest.warns(UserWarning, match="doubled"):
        table = pw.debug.table_from_pandas(frame)
    pd.testing.assert_frame_equal(frame, before)
    frame["a"] = 0
    assert [u.values for u in pw.debug.table_to_updates(table)] == [(1,), (2,)]


def test_parquet_files_take_the_options_of_data_frames(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "t.parquet"
    pw.debug.table_to_parquet(pw.debug.table_from_markdown("a | b\n1 | x\n2 | y"), path)
    assert set(rows(pw.debug.table_from_parquet(path, id_from=["b"]))) == {key("x"), key("y")}
    trusted = pw.debug.table_from_parquet(path, unsafe_trusted_ids=True)
    assert {int(pointer) for pointer in rows(trusted)} == {0, 1}


@pytest.mark.filterwarnings("ignore:terminate_on_error")
def test_data_frames_are_read_back_with_options() -> None:
    table = pw.debug.table_from_markdown("a\n1\n0").select(q=1 // pw.this.a)
    frame = pw.debug.table_to_pandas(table, terminate_on_error=False)
    assert sorted(map(str, frame["q"])) == ["1", "Error"]


def test_a_negative_number_of_rows_is_refused() -> None:
    with pytest.raises(ValueError, match="n_rows"):
        pw.debug.compute_and_print(pw.debug.table_from_markdown("a\n1"), n_rows=-1)


def test_pointers_as_labels_are_hashed_unless_they_are_trusted() -> None:
    frame = pd.DataFrame({"a": [1, 2]}, index=[key("x"), key("y")])
    assert set(rows(pw.debug.table_from_pandas(frame))) == {key(key("x")), key(key("y"))}
    assert set(rows(pw.debug.table_from_pandas(frame, unsafe_trusted_ids=True))) == {key("x"), key("y")}


def test_rows_are_read_back_in_the_order_of_times_and_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    table = pw.debug.table_from_rows(
        pw.schema_from_types(a=int), [(i, 2 * (i % 3), 1) for i in range(30)], is_stream=True
    )
    orders = []
    for threads in ("1", "2", "4"):
        monkeypatch.setenv("PATHWAY_THREADS", threads)
        orders.append(pw.debug.table_to_updates(table))
    assert orders[0] == orders[1] == orders[2]
    assert orders[0] == sorted(orders[0], key=lambda update: (update.time, int(update.key)))


def test_an_insertion_may_be_said_or_not() -> None:
    said = pw.debug.table_from_markdown("id | a | __diff__\n1 | 2 | 1")
    unsaid = pw.debug.table_from_markdown("id | b\n1 | 3")
    _, columns = pw.debug.table_to_dicts(said + unsaid)
    assert [list(column.values()) for column in columns.values()] == [[2], [3]]
