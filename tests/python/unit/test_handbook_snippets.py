"""The handbook's snippets on tables, expressions, schemas, reducers and debugging, as they stand there.

Each is run with the tables that it takes for granted, and what it leaves behind is looked at.
"""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from typing import Any

import pytest

import pathway as pw
from contents import rows
from pathway.stdlib import tools

Names = dict[str, Any]


def markdown(text: str) -> pw.Table:
    return pw.debug.table_from_markdown(text)


def run(snippet: str, names: Names) -> Names:
    names = {"pw": pw, "tools": tools, **names}
    exec(compile(snippet, "<handbook>", "exec", dont_inherit=True), names)
    return names


def sales() -> pw.Table:
    return markdown("""
      | value | category | amount
    1 | 2     | tea      | 4
    2 | 5     | nut      | 6
    3 | 6     | tea      | 8
    """)


def with_ids(schema: type[pw.Schema], *values: tuple[Any, ...]) -> pw.Table:
    return pw.debug.table_from_rows(schema, list(values))


def test_column_definitions() -> None:
    names = run(
        """
class DocumentSchema(pw.Schema):
    id = pw.column_definition(type_=pw.Type.STRING)
    content = pw.column_definition(type_=pw.Type.STRING)
    timestamp = pw.column_definition(type_=pw.Type.DATETIME)
    embedding = pw.column_definition(type_=pw.Type.FLOAT_ARRAY)
""",
        {},
    )
    assert names["DocumentSchema"].column_names() == ["id", "content", "timestamp", "embedding"]


def test_primary_keys() -> None:
    names = run(
        """
class InputSchema(pw.Schema):
    doc_id = pw.column_definition(type_=pw.Type.STRING)
    content = pw.column_definition(type_=pw.Type.STRING)
    
    @staticmethod
    def primary_key():
        return InputSchema.doc_id
""",
        {},
    )
    assert names["InputSchema"].primary_key_columns() == ["doc_id"]


def test_schemas_of_annotations() -> None:
    names = run(
        """
import pathway as pw

class InputSchema(pw.Schema):
    id: int
    name: str
    timestamp: pw.DateTimeUtc
    metadata: dict
""",
        {},
    )
    assert [str(column.dtype) for column in names["InputSchema"].columns().values()] == [
        "INT",
        "STR",
        "DATE_TIME_UTC",
        "Json",
    ]


def test_a_source_with_a_column_id(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "input_data").mkdir()
    (tmp_path / "input_data" / "a.csv").write_text("id,name,value\n1,x,0.5\n2,y,1.5\n")
    names = run(
        """
import pathway as pw

# Basic CSV reading
table = pw.io.csv.read(
    path="./input_data/",
    schema=pw.Schema(
        id=pw.ColumnDefinition(type=pw.Type.INT),
        name=pw.ColumnDefinition(type=pw.Type.STR),
        value=pw.ColumnDefinition(type=pw.Type.FLOAT)
    ),
    mode=pw.ConnectorMode.STATIC
)
""",
        {},
    )
    assert rows(names["table"]) == [(1, "x", 0.5), (2, "y", 1.5)]


def test_filter() -> None:
    names = run(
        "filtered_table = source_table.filter(source_table.column > threshold)",
        {"source_table": markdown("column\n1\n5"), "threshold": 3},
    )
    assert rows(names["filtered_table"]) == [(5,)]


def test_columns() -> None:
    class Row(pw.Schema):
        id: int
        value: int
        rate: int
        old_name: str
        other: str

    names = run(
        """
# Add computed column
result = table.select(
    table.id,
    table.value,
    total=table.value * table.rate
)

# Rename columns
renamed = table.select(
    new_name=table.old_name,
    another=table.other
)
""",
        {"table": with_ids(Row, (7, 2, 3, "a", "b"), (8, 5, 7, "c", "d"))},
    )
    assert list(names["result"].column_names()) == ["id", "value", "total"]
    assert rows(names["result"]) == [(7, 2, 6), (8, 5, 35)]
    assert rows(names["renamed"]) == [("a", "b"), ("c", "d")]


def test_joins() -> None:
    names = run(
        """
result = left_table.join(
    right_table,
    left_table.key == right_table.key
).select(
    left_table.star,
    right_table.data
)
""",
        {"left_table": markdown("key | v\na | 1"), "right_table": markdown("key | data\na | 2\nb | 3")},
    )
    assert rows(names["result"]) == [("a", 1, 2)]


def test_group_by() -> None:
    names = run("grouped = table.groupby(table.category)", {"table": sales()})
    assert rows(names["grouped"].reduce(pw.this.category)) == [("nut",), ("tea",)]


@pytest.mark.parametrize(
    ("reducer", "expected"),
    [
        ("t.groupby(k).reduce(count=pw.reducers.count())", [(1,), (2,)]),
        ("t.groupby(k).reduce(total=pw.reducers.sum(t.val))", [(4,), (8,)]),
        ("t.groupby(k).reduce(avg=pw.reducers.avg(t.val))", [(4.0,), (4.0,)]),
        ("t.groupby(k).reduce(min=pw.reducers.min(t.val))", [(2,), (4,)]),
        ("t.groupby(k).reduce(max=pw.reducers.max(t.val))", [(4,), (6,)]),
        ("t.groupby(k).reduce(all=pw.reducers.collect(t.val))", [((2, 6), (6, 2)), ((4,),)]),
    ],
)
def test_reducers(reducer: str, expected: list[Any]) -> None:
    t = markdown("g | val\nx | 2\nx | 6\ny | 4")
    found = rows(run(f"result = {reducer}", {"t": t, "k": t.g})["result"])
    if "collect" in reducer:
        assert sorted(sorted(values) for (values,) in found) == [[2, 6], [4]]
    else:
        assert found == expected


def test_custom_reducers() -> None:
    longest = pw.reducers.stateful_single(lambda state, v: max(state or "", v, key=len))
    names = run(
        """
result = table.groupby(table.key).reduce(
    key=table.key,
    custom_agg=custom_reducer(table.values)
)
""",
        {"table": markdown("key | values\nx | ab\nx | abc\ny | d"), "custom_reducer": longest},
    )
    assert rows(names["result"]) == [("x", "abc"), ("y", "d")]


def test_functions_of_rows_and_groups() -> None:
    names = run(
        """
# Works identically in both modes
result = (
    input_table
    .filter(lambda row: row.value > threshold)
    .groupby(lambda row: row.category)
    .reduce(lambda key, rows: (key, sum(r.value for r in rows)))
)
""",
        {"input_table": sales(), "threshold": 1},
    )
    assert rows(names["result"]) == [(("nut", 5),), (("tea", 8),)]


def test_functions_of_groups_follow_updates_and_take_several_columns() -> None:
    t = markdown("""
      | g | h | v | __time__ | __diff__
    1 | x | 1 | 4 | 2        | 1
    2 | x | 1 | 6 | 4        | 1
    1 | x | 1 | 4 | 6        | -1
    """)
    result = t.groupby(t.g, t.h).reduce(lambda key, rows: (*key, [row.v for row in rows]))
    assert rows(result) == [(("x", 1, (6,)),)]
    total = t.reduce(lambda key, rows: (key, len(rows)))
    assert rows(total) == [(((), 1),)]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("tools.count()", 3),
        ("tools.count(distinct=True, by=table.category)", 2),
        ("tools.sum(table.amount)", 18),
        ("tools.avg(table.amount)", 6.0),
        ("tools.aggregate.avg(table.amount)", 6.0),
        ("tools.max(table.value)", 6),
        ("tools.min(table.value)", 2),
        ("tools.var_pop(table.amount)", pytest.approx(8 / 3)),
        ("tools.stddev(table.amount)", pytest.approx((8 / 3) ** 0.5)),
    ],
)
def test_tools(expression: str, expected: Any) -> None:
    names = run(
        f"from pathway.stdlib import tools\nresult = table.reduce(x={expression})", {"table": sales()}
    )
    assert rows(names["result"]) == [(expected,)]
    collected = run("result = table.reduce(x=tools.collect(table.value))", {"table": sales()})
    ((values,),) = rows(collected["result"])
    assert sorted(values) == [2, 5, 6]


def test_a_whole_pipeline(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "input").mkdir()
    (tmp_path / "input" / "a.csv").write_text("key\nx\nx\n")
    run(
        """
import pathway as pw

# Define pipeline
table = pw.io.fs.read("./input", schema=Schema, mode="static")
result = table.groupby(table.key).reduce(count=pw.reducers.count())

# Configure output
pw.io.json_lines.write(result, "./output")

# Execute
pw.run()
""",
        {"Schema": pw.schema_from_types(key=str)},
    )
    assert (tmp_path / "output").read_text().startswith('{"count":2,"diff":1,"time":')


def test_error_history(capsys: pytest.CaptureFixture[str]) -> None:
    table = markdown("a\n0").select(b=10 // pw.this.a)
    names = run("# Access error information\nerror_log = table.error_history()", {"table": table})
    with pytest.warns(UserWarning, match="experimental"):
        pw.debug.compute_and_print(
            names["error_log"].select(pw.this.message), table, include_id=False, terminate_on_error=False
        )
    assert "division" in capsys.readouterr().out


def test_monitoring() -> None:
    seen: list[Any] = []
    pw.io.subscribe(sales(), lambda key, row, time, is_addition: seen.append(row))
    run("pw.run(monitoring=True)", {})
    assert len(seen) == 3


# --- a column that is named id ----------------------------------------------------------------------------


class WithId(pw.Schema):
    id: int
    data: str


KEPT: list[tuple[Callable[[pw.Table], pw.Table], list[str], list[tuple[Any, ...]]]] = [
    (lambda t: t.filter(t.data == "x"), ["id", "data"], [(1, "x")]),
    (lambda t: t.copy(), ["id", "data"], [(1, "x"), (2, "y")]),
    (lambda t: t.select(*pw.this), ["id", "data"], [(1, "x"), (2, "y")]),
    (lambda t: t.select(*t), ["id", "data"], [(1, "x"), (2, "y")]),
    (lambda t: t.select(**t.slice), ["id", "data"], [(1, "x"), (2, "y")]),
    (lambda t: t.select(t.data, t.id), ["data", "id"], [("x", 1), ("y", 2)]),
    (lambda t: t[["id"]], ["id"], [(1,), (2,)]),
    (lambda t: t.with_columns(n=1), ["id", "data", "n"], [(1, "x", 1), (2, "y", 1)]),
    (lambda t: t.rename({"id": "number"}), ["data", "number"], [("x", 1), ("y", 2)]),
    (lambda t: t.rename_columns(number=pw.this.id), ["data", "number"], [("x", 1), ("y", 2)]),
    (lambda t: t.with_prefix("my_"), ["my_id", "my_data"], [(1, "x"), (2, "y")]),
    (lambda t: t.without("id"), ["data"], [("x",), ("y",)]),
    (lambda t: t.without(pw.this.id), ["data"], [("x",), ("y",)]),
    (lambda t: t.with_id_from(t.data), ["id", "data"], [(1, "x"), (2, "y")]),
    (lambda t: t.concat_reindex(t.copy()), ["id", "data"], [(1, "x"), (1, "x"), (2, "y"), (2, "y")]),
    (lambda t: t.update_types(data=Any), ["id", "data"], [(1, "x"), (2, "y")]),
    (lambda t: t.groupby(t.id).reduce(n=pw.reducers.count()), ["n"], [(1,), (1,)]),
    (lambda t: t.select(same=t.id == t["id"]), ["same"], [(True,), (True,)]),
    (
        lambda t: t.join(t.copy(), pw.left.data == pw.right.data).select(*pw.left, other=pw.right.id),
        ["id", "data", "other"],
        [],
    ),
]


@pytest.mark.parametrize(("operation", "names", "expected"), KEPT)
def test_a_column_may_be_named_id(
    operation: Callable[[pw.Table], pw.Table], names: list[str], expected: list[tuple[Any, ...]]
) -> None:
    t = with_ids(WithId, (1, "x"), (2, "y"))
    result = operation(t)
    assert list(result.column_names()) == names
    if expected:
        assert rows(result) == expected
    else:
        assert [row[:2] for row in rows(result)] == [(1, "x"), (2, "y")]
        assert all(isinstance(row[2], pw.Pointer) for row in rows(result))


def test_outputs_get_a_column_named_id(tmp_path: pathlib.Path) -> None:
    pw.io.jsonlines.write(with_ids(WithId, (1, "x")), tmp_path / "out.jsonl")
    pw.run()
    assert (tmp_path / "out.jsonl").read_text() == '{"id":1,"data":"x","diff":1,"time":0}\n'


def test_row_ids_are_no_column_named_id() -> None:
    t = markdown("data\nx")
    for build in (
        lambda: t.select(t.id),
        lambda: t.select(id=t.data),
        lambda: with_ids(WithId, (1, "x")).select(id=pw.this.data),
        lambda: t.rename({"data": "id"}),
    ):
        with pytest.raises(ValueError, match="id"):
            build()
