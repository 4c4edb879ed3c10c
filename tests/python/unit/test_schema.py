"""Schemas beyond what the golden program shows."""

from __future__ import annotations

import pathlib

import pytest

import pathway as pw


class Base(pw.Schema, append_only=True):
    key: int = pw.column_definition(primary_key=True)
    text: str = pw.column_definition(default_value="-", name="some text")


def test_inheritance_keeps_definitions_also_of_renamed_columns() -> None:
    class Derived(Base):
        more: float

    assert Derived.column_names() == ["key", "some text", "more"]
    assert Derived.primary_key_columns() == ["key"]
    assert Derived.default_values() == {"some text": "-"}
    assert [c.append_only for c in Derived.columns().values()] == [True, True, False]


def test_columns_of_bases_come_in_reversed_resolution_order() -> None:
    class A(pw.Schema):
        a: int

    class D(pw.Schema):
        d: int

    class E(A, D):
        e: int

    assert E.column_names() == ["d", "a", "e"]
    assert (A | D).column_names() == ["d", "a"]
    assert (A | D).__name__ == "A_D"


def test_union_keeps_inherited_definitions() -> None:
    class Derived(Base):
        pass

    class Other(pw.Schema):
        x: int

    joined = Derived | Other
    assert joined.primary_key_columns() == ["key"]
    assert joined["some text"].default_value == "-"
    assert joined["key"].append_only


def test_reannotation() -> None:
    class Same(Base):
        key: int

    assert Same.primary_key_columns() == ["key"]

    class Replaced(Base):
        key: str = pw.column_definition()

    assert Replaced.primary_key_columns() is None

    class Changed(Base):
        key: str

    assert Changed.primary_key_columns() == ["key"]
    assert Changed["key"].typehint is str


def test_ids() -> None:
    class Given(pw.Schema, id_dtype=pw.Pointer[str], id_append_only=True):
        a: int

    assert Given.id_type == pw.Pointer[str]
    assert Given.universe_properties.append_only
    assert Base.without("key").id_type is pw.Pointer
    assert Base.with_id_type(pw.Pointer).id_type is pw.Pointer
    with pytest.raises(AssertionError):

        class Conflict(pw.Schema, id_dtype=pw.Pointer[str]):
            a: int = pw.column_definition(primary_key=True)


def test_names_that_are_no_identifiers_survive_generation() -> None:
    schema = pw.schema_builder(
        {"first name": pw.column_definition(dtype=str), "class": pw.column_definition(dtype=int)}
    )
    scope: dict[str, object] = {"pw": pw}
    exec(schema.generate_class("Made"), scope)
    assert scope["Made"] == schema


def test_generated_file(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "made.py"
    Base.generate_class_to_file(path, generate_imports=True)
    scope: dict[str, object] = {}
    exec(path.read_text(), scope)
    assert scope["Base"] == Base
    with pytest.warns(UserWarning, match="CustomSchema"):
        assert pw.schema_from_types(a=int).generate_class().startswith("class CustomSchema(pw.Schema):")


@pytest.mark.parametrize("default", [None, 1, 1.5, "x", b"ab", (1, "a"), pw.Json({"a": [1]}), True])
def test_defaults_survive_serialization(default: object) -> None:
    schema = pw.schema_builder({"a": pw.column_definition(default_value=default, example=default)})
    assert pw.schema_from_dict(**schema.to_json_serializable_dict()) == schema


def test_from_dict() -> None:
    given = {"a": {"dtype": "int", "default_value": 3}, "b": {"type": "LIST", "wrapped": {"type": "INT"}}}
    schema = pw.schema_from_dict(given)
    assert given["a"] == {"dtype": "int", "default_value": 3}
    assert str(schema["b"].dtype) == "List(INT)"
    with pytest.raises(ValueError, match="no type named"):
        pw.schema_from_dict({"a": "integer"})


def test_from_csv(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("# comment\na;b;c;d\n1;1.5;x;1_0\n\n2;inf;'y;z';3\n")
    schema = pw.schema_from_csv(path, delimiter=";", quote="'", comment_character="#")
    assert {name: str(column.dtype) for name, column in schema.columns().items()} == {
        "a": "INT",
        "b": "FLOAT",
        "c": "STR",
        "d": "INT",
    }
    none = pw.schema_from_csv(path, delimiter=";", comment_character="#", num_parsed_rows=0)
    assert str(none["a"].dtype) == "ANY"
    path.write_text("")
    with pytest.raises(ValueError, match="empty"):
        pw.schema_from_csv(path)


def test_comparison_reports_the_first_reason() -> None:
    schema = pw.schema_from_types(a=int, b=str)
    schema.assert_matches_schema(pw.schema_from_types(a=float))
    for other, options in [
        (pw.schema_from_types(a=float), {"allow_subtype": False}),
        (pw.schema_from_types(a=int), {"allow_superset": False}),
        (pw.schema_from_types(z=int), {}),
        (schema.update_properties(primary_key=True), {"ignore_primary_keys": False}),
        (schema.update_properties(append_only=True), {"ignore_properties": False}),
    ]:
        with pytest.raises(AssertionError):
            schema.assert_matches_schema(other, **options)


def test_equality_and_hash() -> None:
    same = pw.schema_from_types(a=int)
    assert same == pw.schema_builder({"a": pw.column_definition(dtype=int)})
    assert hash(same) == hash(pw.schema_from_types(a=int))
    assert same != pw.schema_from_types(a=int, b=int)


def test_texts_are_annotations_where_they_are_written() -> None:
    class Here:
        pass

    schema = pw.schema_from_types(
        a="int | None", b="pw.Json", c="list[str]", d=float, e="pw.PyObjectWrapper[Here]"
    )
    kinds = [repr(schema[name].dtype) for name in "abcd"]
    assert kinds == ["Optional(INT)", "Json", "List(STR)", "FLOAT"]
    assert repr(pw.Table.empty(a="str").schema["a"].dtype) == "STR"
    with pytest.raises(NameError, match="unheard_of"):
        pw.schema_from_types(a="unheard_of")
