"""The handbook's names mean the same as the canonical ones."""

from __future__ import annotations

import pathlib
from collections.abc import Iterable
from typing import Any, NamedTuple

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


def test_a_source_of_functions() -> None:
    calls: list[str] = []
    batches: list[list[object] | None] = [[{"a": 1, "b": "x"}], [], [(2, "y")], None]

    def start_callback() -> None:
        calls.append("start")

    def read_callback() -> list[object] | None:
        return batches.pop(0)

    def seek_callback(state: bytes) -> None:
        calls.append("seek")

    def stop_callback() -> None:
        calls.append("stop")

    class MySchema(pw.Schema):
        a: int
        b: str

    source = pw.io.python.connector(
        schema=MySchema,
        start_function=start_callback,
        read_function=read_callback,
        seek_function=seek_callback,
        stop_function=stop_callback,
    )
    assert rows(source) == [(1, "x"), (2, "y")]
    assert calls == ["start", "stop"]


def test_a_subject_with_its_schema_and_arguments() -> None:
    class Tweet(NamedTuple):
        id: str
        text: str
        author: str
        created_at: int

    class Service:
        def __init__(self, key: str, secret: str) -> None:
            self.tweets = [Tweet("1", key, "ann", 5), Tweet("2", secret, "bob", 6)]

        def get_new_tweets(self, since_id: str | None) -> list[Tweet]:
            return [t for t in self.tweets if since_id is None or t.id > since_id][:1]

    class TwitterSubject(pw.ConnectorSubject):
        schema: type[pw.Schema] = pw.schema_from_types(id=str, text=str, author=str, created_at=int)

        def __init__(self, api_key: str, api_secret: str, **kwargs: Any) -> None:
            self.api_key = api_key
            self.api_secret = api_secret
            super().__init__(**kwargs)

        def start(self) -> None:
            self.twitter_api = Service(self.api_key, self.api_secret)
            self.last_read_id: str | None = None

        def read(self) -> list[tuple[Any, ...]] | None:
            new_tweets = self.twitter_api.get_new_tweets(since_id=self.last_read_id)
            if not new_tweets:
                return None
            self.last_read_id = max(t.id for t in new_tweets)
            return [(t.id, t.text, t.author, t.created_at) for t in new_tweets]

    tweets = pw.io.python.read(TwitterSubject("hello", "world"))
    assert list(tweets.column_names()) == ["id", "text", "author", "created_at"]
    assert rows(tweets) == [("1", "hello", "ann", 5), ("2", "world", "bob", 6)]


def test_a_column_id_of_types() -> None:
    assert pw.schema_from_types(id=str, a=int).column_names() == ["id", "a"]
    assert pw.schema_from_types(id=None, a=int).column_names() == ["a"]
    typed = pw.schema_from_types(id=pw.Pointer[int], a=int)
    assert typed.column_names() == ["a"]
    assert str(typed.id_type) == str(pw.Pointer[int])


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


def test_transformations_by_names_of_columns() -> None:
    t = pw.debug.table_from_markdown("""
        shop | day | amount
        Oslo | 1   | 3
        Oslo | 1   | 4
        Lima | 1   | 5
    """)
    reducers: Any = [pw.reducers.avg(column="amount"), pw.reducers.count(), pw.reducers.max(column="day")]
    named = pw.Transformations.groupby(t, ["shop", "day"], reducers)  # type: ignore[attr-defined]
    assert list(named.column_names()) == ["shop", "day", "avg_amount", "count", "max_day"]
    given = pw.Transformations.groupby(t, "shop", {"n": pw.reducers.count()})  # type: ignore[attr-defined]
    assert list(given.column_names()) == ["shop", "n"]
    for wrong in ([pw.reducers.sum(t.amount + 1)], [pw.reducers.count() + 1], [pw.reducers.count()] * 2):
        with pytest.raises(ValueError, match="give a mapping, name: reducer"):
            pw.Transformations.groupby(t, "shop", wrong)  # type: ignore[attr-defined]
    with pytest.raises(TypeError, match="give one"):
        pw.io.csv.write(t, "a.csv", path="b.csv")  # type: ignore[call-arg]
