"""Tables of generated rows with times."""

import pandas as pd
from blocks import program

import pathway as pw


class Item(pw.Schema):
    a: int
    b: str


class Keyed(pw.Schema):
    k: int = pw.column_definition(primary_key=True)
    a: int


def stream(generator: pw.debug.StreamGenerator, table: pw.Table) -> None:
    config = generator.persistence_config()
    pw.debug.compute_and_print_update_stream(table, short_pointers=False, persistence_config=config)


@program
def batches_come_one_after_another() -> None:
    g = pw.debug.StreamGenerator()
    print(g.persistence_config())
    one, two, three = ({"a": a, "b": b} for a, b in [(1, "x"), (2, "y"), (3, "x")])
    t = g.table_from_list_of_batches([[one], [], [three, two]], Item)
    print(t.schema, g.persistence_config() is None)
    stream(g, t)
    stream(g, t.groupby(t.b).reduce(t.b, total=pw.reducers.sum(t.a)))
    stream(g, g.table_from_list_of_batches_by_workers([{0: [two]}, {0: [one], 1: []}], Item))
    try:
        g.table_from_list_of_batches([[{"a": 1}]], Item)
    except KeyError:
        print("a column is missing")


@program
def changes_with_times() -> None:
    g = pw.debug.StreamGenerator()
    t = g.table_from_markdown("""
      | a | b | _time | _diff
    1 | 5 | x | 2     | 1
    2 | 6 |   | 4     | 1
    1 | 5 | x | 6     | -1
    1 | 7 | x | 6     | 1
    """)
    stream(g, t)
    stream(g, t.filter(t.a > 5).select(pw.this.b, c=pw.this.a * 2))
    key = pw.internals.api.ref_scalar
    explicit = {2: {0: [(1, key(7), [1, "p"])]}, 6: {0: [(-1, key(7), [1, "p"]), (1, key(8), [2, "q"])]}}
    stream(g, g._table_from_dict(explicit, Item))
    stream(g, g._table_from_dict({1: {0: [(1, key(7), [1, "p"])]}, 2: {0: [(1, key(8), [1, "p"])]}}, Item))
    for wrong in (-2, 1), (2, 2):
        try:
            g._table_from_dict({wrong[0]: {0: [(wrong[1], key(7), [1, "p"])]}}, Item)
        except ValueError:
            print("refused")


@program
def ids_of_generated_rows() -> None:
    g = pw.debug.StreamGenerator()
    stream(g, g.table_from_list_of_batches([[{"k": 5, "a": 1}, {"k": 6, "a": 2}]], Keyed))
    frame = pd.DataFrame({"k": [7, 8], "a": [3, 4], "_time": [4, 2]})
    stream(g, g.table_from_pandas(frame))
    stream(g, g.table_from_pandas(frame, id_from=["k"]))
    stream(g, g.table_from_pandas(frame, unsafe_trusted_ids=True))
    print(list(frame.columns[:2]))
    stream(g, g.table_from_pandas(frame.assign(_time=[3, 2]), schema=Keyed))
    one, other = (g.table_from_pandas(frame[["a"]]) for _ in range(2))
    try:
        one.select(other.a)
    except ValueError:
        print("other rows")
