"""Tables written as text, and how tables are printed, where the golden programs do not say it."""

from __future__ import annotations

import typing

import numpy as np
import pandas as pd
import pytest

import pathway as pw

PLAIN = """
  | a | b
1 | x | 1
2 | y |
"""
FORMS = {
    "outer pipes": "|   | a | b |\n| 1 | x | 1 |\n| 2 | y |   |",
    "dashes": "  | a | b\n--- | --- | ---\n1 | x | 1\n2 | y |",
    "both, aligned": "|   | a | b |\n|---|:--|--:|\n| 1 | x | 1 |\n| 2 | y |   |",
}


@pytest.mark.parametrize("form", FORMS)
def test_markdown_as_it_is_written_elsewhere(form: str) -> None:
    table, plain = pw.debug.table_from_markdown(FORMS[form]), pw.debug.table_from_markdown(PLAIN)
    assert table.schema == plain.schema
    assert pw.debug.table_to_dicts(table) == pw.debug.table_to_dicts(plain)


def test_dashes_in_other_lines_are_cells() -> None:
    table = pw.debug.table_from_markdown("a\nx\n---")
    assert sorted(pw.debug.table_to_pandas(table)["a"]) == ["---", "x"]


def test_extra_cells_are_a_label_of_several_values() -> None:
    table = pw.debug.table_from_markdown("a | b\n1 | x | 3 | 4\n2 | y | 5 | 6")
    keys, _ = pw.debug.table_to_dicts(table)
    assert set(keys) == {pw.internals.api.ref_scalar((1, "x")), pw.internals.api.ref_scalar((2, "y"))}


@pytest.mark.parametrize("threads", ["1", "2", "4"])
def test_rows_that_cannot_be_compared_are_in_the_order_of_ids(
    threads: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATHWAY_THREADS", threads)
    frame = pd.DataFrame({"a": [np.array([3 - i % 3, i]) for i in range(9)], "b": range(9)})
    pw.debug.compute_and_print(pw.debug.table_from_pandas(frame), include_id=False, n_rows=4)
    assert capsys.readouterr().out == "a     | b\n[2 1] | 1\n[1 2] | 2\n[3 0] | 0\n[3 3] | 3\n"


@pytest.mark.parametrize(
    ("dtype", "value"), [(int, "x"), (int, None), (float, None), (bool, 1), (pw.DateTimeNaive, "2020-01-01")]
)
def test_values_that_do_not_fit_the_schema_are_refused_at_once(dtype: type, value: object) -> None:
    good = {int: 1, float: 1.0, bool: True}.get(dtype, pd.Timestamp("2020-01-01"))
    with pytest.raises((TypeError, ValueError), match="column a, row 1"):
        pw.debug.table_from_rows(pw.schema_from_types(a=dtype), [(good,), (value,)])


def test_frames_without_rows_have_columns_of_objects() -> None:
    table = pw.debug.table_from_markdown("a | b\n1 | x")
    assert set(pw.debug.table_to_pandas(table.filter(table.a > 1).without("a")).dtypes) == {np.dtype(object)}


def test_cells_of_any_type_stay_what_they_are() -> None:
    frame = pd.DataFrame({"a": [1, "x", None, 2.5]})
    table = pw.debug.table_from_pandas(frame, schema=pw.schema_from_types(a=typing.Any))
    assert sorted(pw.debug.table_to_dicts(table)[1]["a"].values(), key=str) == [1, 2.5, None, "x"]


@pytest.mark.parametrize(
    ("cells", "dtype"),
    [
        ([b"a", None], bytes | None),
        ([True, None], bool | None),
        ([pd.Timestamp(2020, 1, 2), None], pw.DateTimeNaive | None),
        ([pw.engine.ref_scalar(1), None], pw.Pointer | None),
        ([{"a": 1}, None], pw.Json | None),
        ([(1, "x"), None], tuple[int, str] | None),
        ([[1], None], tuple[int] | None),
    ],
    ids=str,
)
def test_objects_beside_missing_ones_keep_their_type(cells: list[object], dtype: object) -> None:
    table = pw.debug.table_from_pandas(pd.DataFrame({"a": pd.Series(cells, dtype=object)}))
    assert table.typehints() == {"a": dtype}
    values = list(pw.debug.table_to_dicts(table)[1]["a"].values())
    assert None in values
    assert type(next(value for value in values if value is not None)) is not str
