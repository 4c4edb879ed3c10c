"""Tables written as text: cells, labels, special columns."""

import warnings

from blocks import attempt, changes, program, show

import pathway as pw

M = pw.debug.table_from_markdown


@program
def markdown_edge_cells():
    for text in [
        "\n\n  a | b  \n\n  1 | 2\n\n  3 | 4  ",
        "a|b\n1|2",
        "a   b\n1   2",
        "a | b\n1",
        "a | b\n1 | ",
        "a | a | a\n1 | 2 | 3",
        "a | b\n+1 | -2\n3 | 4",
        "a\n1.0\n2",
        "a\n1e3\n2.5",
        "a\n-inf\n1",
        "a\nTRUE\nfalse",
        "a\nTrue\n1",
        "a\ntrue\nFalse\n",
        "a\n007\n8",
        "a\n007\nx",
        "a\n\"q\"\n'r'",
        "a\nnull\nN/A",
        "a\nNone\nNone",
        "a\n9223372036854775807\n1",
        "a\n1_000\n2",
        "a\n0x10\n2",
        "a\n.5\n2",
        "a\n5.\n2",
        "a\n1.5\nnan",
        "a | b\n2020-01-01 | x",
        "id\n1\n2",
        " | a\n1 | 1\n1 | 1",
        "a\n-0\n0",
        "a\n1e400\n1",
        "a | id\n5 | 1\n6 | 2",
        "ID | a\n5 | 1",
        "a\t| b\n1\t| 2",
    ]:
        print(repr(text))
        attempt(lambda: show(M(text)))


@program
def markdown_not_split_on_whitespace():
    for text in [
        "a b | c\n1 2 | x y\n3 | z",
        "   | a | b\n 1 | x y |  z \n 2 | | w",
        "a\nx y",
        "a | b\n 1 | 2 | 3",
    ]:
        print(repr(text))
        attempt(lambda: show(M(text, split_on_whitespace=False)))


@program
def labels_of_every_kind():
    for text, kw in [
        ("  | a\nx | 1\n2 | 2", {}),
        ("  | a\n1.5 | 1\n2 | 2", {}),
        ("  | a\nTrue | 1\nFalse | 2", {}),
        ("  | a\n1.0 | 1\n2.0 | 2", {}),
        ("  | a\n1 | 1\n2 | 2", dict(unsafe_trusted_ids=True)),
        ("a\n1\n2", dict(unsafe_trusted_ids=True)),
        ("  | a\n1e3 | 1\n2 | 2", {}),
        ("  | a\nNone | 1\nx | 2", {}),
        ("a | b\n1 | 2 | 3\n2.0 | 4 | 5", {}),
        ("  | a | b\n7 | 1 | x\n8 | 2 | y", dict(id_from=["a"])),
        ("  | a | b\n7 | 1 | x\n8 | 2 | y", dict(id_from=[])),
        ("  | a | b\n7 | 1 | x\n8 | 1 | x", dict(id_from=["a"])),
    ]:
        print(repr(text), kw)
        attempt(lambda: show(M(text, **kw)))
    t = M("a | b\n1 | x", id_from=["b"])
    print(t.schema.primary_key_columns(), t.schema.id_type if hasattr(t.schema, "id_type") else None)


@program
def special_columns_of_static_tables():
    for text in [
        "a | __time__\n1 | 1\n2 | 2",
        "a | __time__\n1 | 1.5",
        "a | __diff__\n1 | 0",
        "a | __diff__\n1 | -1",
        "a | __shard__\n1 | 0\n2 | 1",
        "a | __shard__\n1 | 7",
        "a | __shard__ | __time__ | __diff__\n1 | 0 | 4 | 1",
        "__time__\n2\n4",
        "a | __time__\n1 | 0\n1 | 2",
    ]:
        print(repr(text))
        attempt(lambda: changes(M(text)))
    for text in ["a | __diff__\n1 | 1\n2 | 1", "a | __diff__\n1 | 1\n1 | -1", "a | __time__\n1 | 4", "a"]:
        print(M(text).is_append_only)
    with warnings.catch_warnings(record=True) as w:
        warnings.simplefilter("always")
        M("a | __time__\n1 | 1\n2 | 2")
        print([x.category.__name__ for x in w])
