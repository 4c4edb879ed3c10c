"""The handbook's names mean the same as the canonical ones."""

from __future__ import annotations

import pathlib
from collections.abc import Iterable

import pytest

import pathway as pw
from contents import rows


def test_schemas() -> None:
    class Document(pw.Schema):
        doc_id = pw.column_definition(type_=pw.Type.STRING)
        vector = pw.column_definition(type_=pw.Type.FLOAT_ARRAY)
        when = pw.column_definition(type_=pw.Type.DATETIME)
        extra = pw.column_definition(type_=pw.Type.DICT)

        @staticmethod
        def primary_key() -> object:
            return Document.doc_id

    assert Document.primary_key_columns() == ["doc_id"]
    assert [str(c.dtype) for c in Document.columns().values()] == [
        "STR",
        "List(FLOAT)",
        "DATE_TIME_NAIVE",
        "Json",
    ]
    assert str(Document.universe_properties.dtype) == "Pointer(STR)"

    @pw.schema_class
    class Plain(pw.Schema):
        a: int

    assert Plain.column_names() == ["a"]


def test_files(tmp_path: pathlib.Path) -> None:
    (tmp_path / "a.csv").write_text("id,name\n1,x\n")
    schema = pw.Schema(
        number=pw.ColumnDefinition(type=pw.Type.INT, name="id2"),
    )
    assert schema.column_names() == ["id2"]
    named = pw.Schema(name=pw.ColumnDefinition(type=pw.Type.STR))
    mode = pw.ConnectorMode.STATIC
    assert rows(pw.io.csv.read(path=tmp_path, schema=named, mode=mode)) == [("x",)]
    assert rows(pw.io.filesystem.read(tmp_path / "a.csv", schema=named, mode=mode)) == [("x",)]
    t = pw.debug.table_from_markdown("a\n1")
    pw.io.json_lines.write(table=t, path=tmp_path / "out.jsonl")
    pw.run(monitoring=True)
    assert (tmp_path / "out.jsonl").read_text() == '{"a":1,"diff":1,"time":0}\n'


def test_subject_with_callbacks() -> None:
    events: list[str] = []

    class Numbers(pw.ConnectorSubject):
        schema = pw.schema_from_types(a=int, b=str)

        def __init__(self) -> None:  # without super().__init__()
            self.left = 3

        def start(self) -> None:
            events.append("start")

        def read(self) -> Iterable[object] | None:
            self.left -= 1
            return [(self.left, "x"), {"a": -1, "b": "y"}] if self.left else None

        def end(self) -> None:
            events.append("end")

    assert rows(pw.io.python.read(Numbers())) == [(-1, "y"), (-1, "y"), (1, "x"), (2, "x")]
    assert events == ["start", "end"]


def test_functions_of_rows() -> None:
    t = pw.debug.table_from_markdown("a | b\n1 | x\n2 | x\n3 | y")
    assert rows(t.filter(lambda row: row.a > 2)) == [(3, "y")]
    assert rows(t.groupby(lambda row: row.b).reduce(t.b, n=pw.reducers.count())) == [("x", 2), ("y", 1)]
    with pytest.raises(TypeError):
        t.filter(len)


def test_reducers_and_star() -> None:
    t = pw.debug.table_from_markdown("a | b\n1 | x\n3 | x")
    reduced = t.reduce(
        all=pw.reducers.collect(t.a),
        variance=pw.reducers.var_pop(t.a),
        deviation=pw.reducers.stddev(t.a),
    )
    ((everything, variance, deviation),) = rows(reduced)
    assert sorted(everything) == [1, 3]
    assert (variance, deviation) == (1.0, 1.0)
    u = pw.debug.table_from_markdown("b2 | c\nx | 5")
    assert rows(t.join(u, t.b == u.b2).select(t.star, u.c)) == [(1, "x", 5), (3, "x", 5)]
    own = pw.debug.table_from_markdown("star\n7")
    assert rows(own.select(own.star)) == [(7,)]


def test_documented_names_exist() -> None:
    page = pathlib.Path(__file__).parents[3] / "docs" / "handbook-names.md"
    text = page.read_text()
    for name in ("ColumnDefinition", "ConnectorMode", "schema_class", "ConnectorSubject"):
        assert f"pw.{name}" in text or name in text
        assert hasattr(pw, name)
