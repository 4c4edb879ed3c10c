"""`pw.pandas_transformer`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import pathway as pw
from pathway.engine import ref_scalar as key


class Out(pw.Schema):
    x: int


def values(table: pw.Table, name: str = "x", **options: Any) -> dict[Any, Any]:
    _, columns = pw.debug.table_to_dicts(table, **options)
    return columns[name]


@pytest.fixture
def t() -> pw.Table:
    return pw.debug.table_from_markdown("id | a | b\n1 | 10 | 100\n2 | 20 | 200\n3 | 30 | 300")


@pytest.fixture
def u() -> pw.Table:
    return pw.debug.table_from_markdown("id | c\n1 | 5\n4 | 6")


def test_frames_have_ids_columns_and_types(t: pw.Table) -> None:
    seen: list[pd.DataFrame] = []

    @pw.pandas_transformer(output_schema=Out, output_universe="numbers")
    def total(numbers: pd.DataFrame) -> pd.Series:
        seen.append(numbers)
        return numbers.sum(axis="columns")

    result = total(t)
    assert result.typehints() == {"x": int}
    assert values(result) == {key(1): 110, key(2): 220, key(3): 330}
    # The rows are those of the argument.
    assert values(t.select(x=t.a + result.x)) == {key(1): 120, key(2): 240, key(3): 360}
    frame = seen[0]
    assert list(frame.columns) == ["a", "b"]
    assert [str(dtype) for dtype in frame.dtypes] == ["int64", "int64"]
    assert list(frame.index) == sorted([key(1), key(2), key(3)])


def test_rows_with_errors_are_left_out(t: pw.Table) -> None:
    @pw.pandas_transformer(output_schema=Out)
    def total(numbers: pd.DataFrame) -> pd.Series:
        return numbers.sum(axis="columns")

    result = total(t.select(t.a, b=t.b // (t.a - 10)))
    with pytest.warns(UserWarning, match="experimental"):
        assert values(result, terminate_on_error=False) == {key(2): 40, key(3): 45}


def test_a_result_in_another_order_has_the_universe(t: pw.Table) -> None:
    @pw.pandas_transformer(output_schema=Out, output_universe=0)
    def backwards(numbers: pd.DataFrame) -> pd.DataFrame:
        return numbers[["a"]][::-1]

    assert values(backwards(t)) == {key(1): 10, key(2): 20, key(3): 30}


def test_changes_recompute_everything() -> None:
    t = pw.debug.table_from_markdown(
        """
        id | a | __time__ | __diff__
        1  | 1 | 2        | 1
        2  | 2 | 4        | 1
        1  | 1 | 6        | -1
        2  | 2 | 8        | -1
        """
    )
    calls: list[int] = []

    @pw.pandas_transformer(output_schema=Out)
    def ranks(frame: pd.DataFrame) -> pd.DataFrame:
        calls.append(len(frame))
        return frame.rank(ascending=False).astype(int)

    changes: list[tuple[Any, int, int, bool]] = []
    pw.io.subscribe(
        ranks(t), lambda key, row, time, is_addition: changes.append((key, row["x"], time, is_addition))
    )
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    assert sorted(changes, key=lambda change: (change[2], change[3], change[1])) == [
        (key(1), 1, 2, True),
        (key(1), 1, 4, False),
        (key(2), 1, 4, True),
        (key(1), 2, 4, True),
        (key(1), 2, 6, False),
        (key(2), 1, 8, False),
    ]
    # Not called for an empty table.
    assert calls == [1, 2, 1]


def test_several_tables_and_the_universe_of_one(t: pw.Table, u: pw.Table) -> None:
    @pw.pandas_transformer(output_schema=Out, output_universe=1)
    def add(left: pd.DataFrame, right: pd.DataFrame) -> pd.DataFrame:
        return right[["c"]] + int(left["a"].sum())

    assert values(add(t, u)) == {key(1): 65, key(4): 66}
    assert values(add(t, u.filter(u.c > 9))) == {}


def test_an_index_of_other_values_makes_keys(t: pw.Table) -> None:
    @pw.pandas_transformer(output_schema=Out)
    def numbered(frame: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"x": [1, 2]})

    @pw.pandas_transformer(output_schema=Out)
    def grouped(frame: pd.DataFrame) -> pd.Series:
        return frame.assign(g="g", h=frame["a"] > 10).groupby(["g", "h"])["b"].sum()

    assert values(numbered(t)) == {key(0): 1, key(1): 2}
    assert values(grouped(t)) == {key("g", False): 100, key("g", True): 500}


def test_a_function_without_arguments_is_a_static_table() -> None:
    @pw.pandas_transformer(output_schema=Out)
    def constant() -> pd.DataFrame:
        return pd.DataFrame({"y": [1, 2]}, index=["one", "two"])

    result = constant()
    assert result.is_append_only
    assert values(result) == {key("one"): 1, key("two"): 2}


def test_values_of_many_types() -> None:
    class Many(pw.Schema):
        i: int | None
        f: float
        s: str | None
        at: pw.DateTimeNaive | None
        items: list[int]
        anything: Any

    t = pw.debug.table_from_markdown("id | a\n1 | 1\n2 | 2")

    @pw.pandas_transformer(output_schema=Many)
    def many(frame: pd.DataFrame) -> pd.DataFrame:
        first = frame.index[frame["a"] == 1]
        result = pd.DataFrame(index=frame.index)
        result["i"] = frame["a"].where(frame["a"] == 1)  # floats, one of them missing
        result["f"] = frame["a"].where(frame["a"] == 1) / 2
        result["s"] = pd.Series(["one"], index=first)
        result["at"] = pd.Series([pd.Timestamp(2024, 1, 1)], index=first)
        result["items"] = [[int(a)] for a in frame["a"]]
        result["anything"] = [np.int64(a) for a in frame["a"]]
        return result

    _, columns = pw.debug.table_to_dicts(many(t))
    rows = {name: [column[key(1)], column[key(2)]] for name, column in columns.items()}
    assert rows.pop("f")[0] == 0.5
    assert rows == {
        "i": [1, None],
        "s": ["one", None],
        "at": [pd.Timestamp(2024, 1, 1), None],
        "items": [(1,), (2,)],
        "anything": [1, 2],
    }
    assert np.isnan(columns["f"][key(2)])


@pytest.mark.parametrize(
    ("result", "error", "match"),
    [
        (lambda f: f, ValueError, "returned 2 columns"),
        (lambda f: 5, TypeError, "DataFrame or a Series"),
        (lambda f: f[["a"]].astype(str), TypeError, "INT cannot hold"),
        (lambda f: f[["a"]] + 0.5, TypeError, "INT cannot hold"),
        (lambda f: f[["a"]].where(f["a"] > 10), TypeError, "INT cannot hold None"),
        (lambda f: pd.DataFrame({"x": [1, 1]}, index=[f.index[0]] * 2), ValueError, "must be unique"),
        (lambda f: f[["a"]].head(1), ValueError, "resulting universe does not match"),
        (lambda f: f["nothing"], KeyError, "nothing"),
    ],
)
def test_wrong_results_end_the_run(t: pw.Table, result: Any, error: type[Exception], match: str) -> None:
    def transform(frame: pd.DataFrame) -> Any:
        return result(frame)

    transformed = pw.pandas_transformer(output_schema=Out, output_universe=0)(transform)(t)
    with pytest.raises(error, match=match) as caught:
        values(transformed)
    assert "(transform)(t)" in caught.value.__notes__[0]


def test_arguments_are_checked_when_it_is_called(t: pw.Table) -> None:
    def first(a: pd.DataFrame, b: pd.DataFrame) -> pd.DataFrame:
        return a

    for universe, match in [("c", "No argument of name: c"), (2, "Index out of range"), (-1, "out of range")]:
        with pytest.raises(ValueError, match=match):
            pw.pandas_transformer(output_schema=Out, output_universe=universe)(first)(t, t)
    function = pw.pandas_transformer(output_schema=Out)(first)
    with pytest.raises(TypeError, match="missing a required argument: 'b'") as error:
        function(t)
    assert "function(t)" in error.value.__notes__[0]
    with pytest.raises(TypeError, match="takes tables"):
        function(t, 5)  # type: ignore[arg-type]
    assert function.__name__ == "first"
