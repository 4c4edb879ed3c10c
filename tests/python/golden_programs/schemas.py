"""Schemas: class syntax, constructors, text, derived schemas."""

import pathway as pw


class Order(pw.Schema, append_only=True):
    order_id: int = pw.column_definition(primary_key=True)
    note: str | None = pw.column_definition(default_value=None)
    amount: float


class Priced(Order):
    price: "float"


class Extra(pw.Schema):
    tag: str = pw.column_definition(name="a tag", description="what for", example="x")


for schema in (
    Order,
    Priced,
    Extra,
    Order.with_types(amount=int),
    Order.without("note"),
    Extra.update_properties(append_only=True),
    pw.schema_from_types(
        a=pw.Json, b=pw.Pointer[int], c=list[int], d=pw.DateTimeUtc, e=pw.PyObjectWrapper[int]
    ),
    pw.schema_builder({"a": pw.column_definition(dtype=int), "b": pw.column_definition(name="q")}),
    pw.schema_from_dict({"a": int, "b": "str", "c": {"dtype": "float", "primary_key": True}}),
):
    print(schema)
    print(repr(schema))
    print(
        schema.column_names(),
        schema.primary_key_columns(),
        schema.default_values(),
        schema.universe_properties,
    )
    for column in schema.columns().values():
        print(column)
print(Order.generate_class(), Extra | Order, Order == Priced.without("price"))
restored = pw.schema_from_dict(**Order.to_json_serializable_dict())
print(restored == Order)


def untyped():
    class Wrong(pw.Schema):
        a = 1


def no_definition():
    class Wrong(pw.Schema):
        a: int = 1


def conflict():
    class Wrong(pw.Schema):
        a: int = pw.column_definition(dtype=str)


def ambiguous():
    class Wrong(pw.Schema, append_only=True):
        a: int = pw.column_definition(append_only=False)


for wrong in [
    untyped,
    no_definition,
    conflict,
    ambiguous,
    lambda: Order(),
    lambda: Order["zz"],
    lambda: Order.with_types(zz=int),
    lambda: Order.without("zz"),
    lambda: Order | Priced,
    lambda: Order.assert_matches_schema(Extra),
    lambda: pw.schema_from_types(a=set),
    lambda: pw.schema_from_dict({"a": {"dtype": int, "foo": 1}}),
]:
    try:
        wrong()
        print("accepted")
    except Exception as error:
        print(type(error).__name__)
