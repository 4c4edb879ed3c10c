"""Schemas: classes, definitions, combination, functions that make them, text."""

import os
import tempfile
import typing

from blocks import accepted, program, show

import pathway as pw


class Order(pw.Schema, append_only=True):
    order_id: int = pw.column_definition(primary_key=True)
    note: str | None = pw.column_definition(default_value=None)
    amount: float


class Named(pw.Schema):
    plain: str
    other: int = pw.column_definition(name="not an identifier", default_value=3)


def describe(schema):
    print(schema)
    print(repr(schema))
    for name, column in schema.columns().items():
        print(
            " ",
            name,
            repr(column.dtype),
            column.primary_key,
            column.append_only,
            column.has_default_value(),
            column.description,
            column.example,
            column.source_component,
            column.typehint,
            column.name,
        )
    print(
        " ",
        schema.column_names(),
        list(schema.keys()),
        schema.primary_key_columns(),
        schema.default_values(),
        schema.id_type,
        dict(schema.typehints()),
    )


@program
def members_of_a_schema():
    describe(Order)
    describe(Named)
    print(Order.universe_properties, Order.column_properties("amount"), Order["note"].dtype, Order.id)
    accepted(lambda: Order["zz"], lambda: Order(), lambda: Order.columns().update(x=1))


@program
def schemas_that_are_refused():
    def no_annotation():
        class S(pw.Schema):
            a = 1
            b: int

            def c(self): ...

    def default_is_no_definition():
        class S(pw.Schema):
            a: int = 5

    def two_types():
        class S(pw.Schema):
            a: int = pw.column_definition(dtype=str)

    def two_append_only():
        class S(pw.Schema, append_only=True):
            a: int = pw.column_definition(append_only=False)

    def bad_annotation():
        class S(pw.Schema):
            a: set

    accepted(
        no_annotation,
        default_is_no_definition,
        two_types,
        two_append_only,
        bad_annotation,
        lambda: pw.column_definition(int),
        lambda: pw.column_definition(foo=1),
    )


@program
def append_only_of_schemas():
    class All(pw.Schema, append_only=True):
        a: int
        b: int

    class Some(pw.Schema):
        a: int = pw.column_definition(append_only=True)
        b: int

    class Ids(pw.Schema, id_append_only=True):
        a: int

    class Empty(pw.Schema, append_only=True):
        pass

    for schema in (All, Some, Ids, Empty):
        print(schema.universe_properties.append_only, [c.append_only for c in schema.columns().values()])
        table = pw.Table.empty(**{name: int for name in schema.column_names()})
        print(table.is_append_only)


@program
def inheritance_of_schemas():
    class A(pw.Schema):
        a: int = pw.column_definition(primary_key=True)
        b: str = pw.column_definition(default_value="x")

    class D(pw.Schema):
        d: float

    class E(A, D):
        e: bool

    class Again(A):
        b: str

    class Replaced(A):
        a: int = pw.column_definition(default_value=1)

    for schema in (E, Again, Replaced):
        describe(schema)

    def other_type():
        class Other(A):
            b: int

    accepted(other_type)


@program
def appending_bases():
    class Base(pw.Schema, append_only=True):
        a: int

    class Child(Base):
        b: int

    print([c.append_only for c in Child.columns().values()], Child.universe_properties.append_only)


@program
def union_of_schemas():
    class A(pw.Schema):
        a: int = pw.column_definition(primary_key=True)
        b: str = pw.column_definition(default_value="x")

    class D(pw.Schema):
        d: float

    both = A | D
    describe(both)
    print(both.__name__)
    accepted(lambda: (A | A).column_names())


@program
def schemas_from_types():
    describe(pw.schema_from_types(a=int, b=str | None))
    print(pw.schema_from_types(a=int).__name__, pw.schema_from_types(_name="Mine", a=int).__name__)
    print(pw.schema_from_types(id=pw.internals.dtype.Pointer(pw.internals.dtype.INT), a=int))


@program
def schemas_from_builders():
    made = pw.schema_builder(
        {
            "a b": pw.column_definition(dtype=int, primary_key=True),
            "c": pw.column_definition(),
            "d": pw.column_definition(dtype=str, default_value=None, description="text", example="x"),
        }
    )
    describe(made)
    print(made.__name__, pw.schema_builder({"a": pw.column_definition()}, name="Mine").__name__)
    print(
        pw.schema_builder(
            {"a": pw.column_definition(dtype=int)}, properties=pw.SchemaProperties(append_only=True)
        ).universe_properties
    )
    print(
        pw.schema_builder({"x": pw.column_definition(dtype=int, name="y")}).column_names(),
        pw.SchemaProperties(),
    )


@program
def schemas_from_dictionaries():
    describe(
        pw.schema_from_dict(
            {
                "a": int,
                "b": "str",
                "c": "typing.Any",
                "j": "pathway.Json",
                "d": {"dtype": "int", "primary_key": True},
                "e": {"dtype": {"type": "LIST", "wrapped": {"type": "INT"}}},
                "f": {"default_value": 3},
                "g": {"dtype": float, "default_value": 0.5},
            },
            name="FromDict",
        )
    )
    print(pw.schema_from_dict({"a": int}, properties={"append_only": True}).universe_properties)
    accepted(lambda: pw.schema_from_dict({"a": {"dtype": int, "nope": 1}}))


@program
def schemas_from_files():
    folder = tempfile.mkdtemp()

    def of(text, **options):
        path = os.path.join(folder, "x.csv")
        with open(path, "w") as file:
            file.write(text)
        try:
            print({name: str(hint) for name, hint in pw.schema_from_csv(path, **options).typehints().items()})
        except Exception as error:
            print(type(error).__name__)

    of("a,b,c,d\n1,1.5,x,inf\n2,2,y,1_0\n")
    of("a;b\n1;'x;y'\n", delimiter=";", quote="'")
    of("# note\na,b\n  # more\n1,2\n", comment_character="#")
    of("a,b\n1,x\n2.5,y\nz,w\n", num_parsed_rows=2)
    of("a,b\n", name="X")
    of("a,b\n1,2\n", num_parsed_rows=0)
    of("")
    of('a,b\n"1","say ""hi"""\n')
    of('a,b\n"1","say \\"hi\\""\n', double_quote_escapes=False, escape="\\")


@program
def changed_schemas():
    describe(Order.with_types(amount=int, note=str))
    describe(Order.without("note"))
    describe(Order.update_properties(append_only=False, primary_key=False))
    print(Named.with_id_type(pw.Pointer[int]).id_type)
    accepted(lambda: Order.with_types(zz=int), lambda: Order.without("zz"))


@program
def equal_schemas():
    first, second = pw.schema_from_types(a=int, b=str), pw.schema_from_types(b=str, a=int)
    third = pw.schema_from_types(_name="other", a=int, b=str)
    print(first == second, first == third, hash(first) == hash(third), first != second, first == 5)
    print(
        first
        == pw.schema_builder(
            {"a": pw.column_definition(dtype=int, primary_key=True), "b": pw.column_definition(dtype=str)}
        )
    )


@program
def text_of_schemas():
    print(Order.generate_class())
    print(Order.generate_class(class_name="Again", generate_imports=True).strip())
    print(
        pw.schema_from_types(
            a=list[int], t=tuple[int, str], p=pw.Pointer, d=pw.DateTimeNaive, j=pw.Json, x=typing.Any
        )
        .generate_class("Many", generate_imports=True)
        .strip()
    )
    names = {}
    exec(Order.generate_class(generate_imports=True), names)
    print(names["Order"] == Order)
    print(pw.schema_from_types(a=int).generate_class("not a name"))


@program
def schemas_as_json():
    d = pw.schema_from_types(a=int, b=str | None).to_json_serializable_dict()
    print(d)
    back = pw.schema_from_dict(**Order.to_json_serializable_dict())
    print(back == Order, back.default_values())


@program
def schemas_are_asserted():
    t = pw.Table.empty(a=int, b=str)
    S, wide = pw.schema_from_types(a=int), pw.schema_from_types(a=float, b=str)
    keyed = pw.schema_builder({"a": pw.column_definition(dtype=int, primary_key=True)})
    accepted(
        lambda: pw.assert_table_has_schema(t, S),
        lambda: pw.assert_table_has_schema(t, S, allow_superset=False),
        lambda: pw.assert_table_has_schema(t, wide),
        lambda: pw.assert_table_has_schema(t, wide, allow_subtype=False),
        lambda: pw.assert_table_has_schema(t, pw.schema_from_types(a=str)),
        lambda: pw.assert_table_has_schema(t, pw.schema_from_types(a=int, b=str, c=int)),
        lambda: pw.assert_table_has_schema(t, keyed),
        lambda: pw.assert_table_has_schema(t, keyed, ignore_primary_keys=False),
        lambda: t.schema.assert_matches_schema(S),
        lambda: t.schema.assert_matches_schema(S, allow_superset=False),
    )


@program
def transformers_of_tables():
    class In(pw.Schema):
        a: int

    class Out(pw.Schema):
        b: float

    @pw.table_transformer
    def good(t: pw.Table[In]) -> pw.Table[Out]:
        return t.select(b=t.a * 0.5)

    @pw.table_transformer(allow_superset={"t": False, "return": False})
    def exact(t: pw.Table[In]) -> pw.Table[Out]:
        return t.select(b=t.a * 0.5)

    @pw.table_transformer(allow_subtype={"return": False})
    def typed(t: pw.Table[In], n: int = 1) -> pw.Table[Out]:
        return t.select(b=t.a * n)

    @pw.table_transformer()
    def wrong(t: pw.Table[In]) -> pw.Table[Out]:
        return t.select(t.a, c=1)[["c"]].select(b="text")

    t = pw.debug.table_from_markdown("a\n1")
    more = t.with_columns(c="x")
    show(good(t))
    show(good(more))
    accepted(
        lambda: exact(more),
        lambda: exact(t),
        lambda: typed(t, n=2),
        lambda: typed(more),
        lambda: wrong(t),
        lambda: good(),
    )


@program
def ids_of_keyed_tables():
    class Keyed(pw.Schema):
        a: int = pw.column_definition(primary_key=True)
        b: str = pw.column_definition(primary_key=True)
        c: float

    t = pw.debug.table_from_rows(Keyed, [(1, "x", 1.5), (2, "y", 2.5)])
    show(t)
    show(t.select(ok=t.id == t.pointer_from(t.a, t.b)))
    print(repr(t), t.schema.id_type, t.typehints(), t.is_append_only)


@program
def types_of_columns_change():
    t = pw.debug.table_from_markdown("a | b\n1 | x")
    for types in ({"a": int | None}, {"a": typing.Any}, {"b": str | None}):
        show(t.update_types(**types))
    accepted(
        lambda: t.update_types(a=str),
        lambda: t.update_types(zz=int),
        lambda: t.update_types(b=int),
        lambda: t.update_id_type(int),
        lambda: t.update_id_type(pw.Pointer[int]),
    )
    show(t.update_types(a=typing.Any).update_types(a=int))
    show(t.cast_to_types(a=float, b=str))
    accepted(lambda: t.cast_to_types(zz=int))
    print(t.eval_type(t.a + 1), t.eval_type(t.b), t.eval_type(t.a * 0.5))
