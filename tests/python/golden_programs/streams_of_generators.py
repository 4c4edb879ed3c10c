"""Generated streams: forms of tables, what is refused, rows that were there before the run."""

import warnings

import pandas as pd
from blocks import accepted, attempt, program

import pathway as pw

S = pw.schema_from_types(a=int)
ref = pw.internals.api.ref_scalar


def stream(g, t, **kw):
    attempt(
        lambda: pw.debug.compute_and_print_update_stream(
            t, short_pointers=False, persistence_config=g.persistence_config(), **kw
        )
    )


@program
def generators():
    g = pw.debug.StreamGenerator()
    print(g.persistence_config() is None)
    stream(g, g.table_from_list_of_batches([[], [{"a": 1}], []], S))
    stream(g, g.table_from_list_of_batches([], S))
    stream(g, g.table_from_list_of_batches([[{"a": 1, "extra": 2}]], S))
    accepted(
        lambda: g.table_from_list_of_batches([[{"b": 1}]], S),
        lambda: g.table_from_list_of_batches_by_workers([{0: [{"b": 1}]}], S),
    )
    stream(g, g.table_from_markdown("a | _time\n1 | 2\n2 | 6"))
    stream(g, g.table_from_markdown("a\n1\n2"))
    stream(g, g.table_from_markdown("a | _worker\n1 | 0\n2 | 0"))
    stream(g, g.table_from_markdown("  | a | _diff | _time\n7 | 1 | 1 | 2\n7 | 1 | -1 | 4"))
    stream(g, g.table_from_markdown("  | a\n7 | 1", unsafe_trusted_ids=True))
    stream(g, g.table_from_markdown("a | b\n7 | 1", id_from=["b"]))

    class K(pw.Schema):
        a: int = pw.column_definition(primary_key=True)
        b: int

    stream(g, g.table_from_markdown("a | b\n7 | 1\n8 | 2", schema=K))
    stream(g, g.table_from_pandas(pd.DataFrame({"a": [7], "b": [1]}), schema=K))
    stream(g, g.table_from_list_of_batches([[{"a": 1, "b": 2}]], K))
    stream(g, g._table_from_dict({2: {0: [(1, ref(5), [1, 2])]}}, K))
    for text in [
        "a | _time\n1 | 1\n2 | 2",
        "a | _time\n1 | -2",
        "a | _diff\n1 | 2",
        "a | _diff\n1 | 0",
        "a | _time\n1 | 0",
    ]:
        print(repr(text))
        with warnings.catch_warnings(record=True) as w:
            warnings.simplefilter("always")
            attempt(lambda: stream(g, g.table_from_markdown(text)))
            print(bool(w) and "_time\n1 | 0" not in text)
    t = g.table_from_list_of_batches([[{"a": 1}]], S)
    print(t.is_append_only, g.table_from_markdown("a\n1").is_append_only)
    a, b = g.table_from_markdown("a\n1"), g.table_from_markdown("b\n1")
    accepted(lambda: a + b)
    h = pw.debug.StreamGenerator()
    h.table_from_list_of_batches([[{"a": 5}], [{"a": 6}]], S)
    accepted(lambda: g.table_from_markdown("a\n1", id_from=["z"]))


@program
def generator_time_zero():
    def go(batches, f=lambda t: t, **kw):
        print(batches)
        with warnings.catch_warnings(record=True):
            warnings.simplefilter("always")
            g = pw.debug.StreamGenerator()
            t = f(g._table_from_dict(batches, S))
            attempt(
                lambda: pw.debug.compute_and_print_update_stream(
                    t, persistence_config=g.persistence_config(), **kw
                )
            )
            attempt(lambda: pw.debug.compute_and_print(t, persistence_config=g.persistence_config(), **kw))
            got = []
            pw.io.subscribe(t, lambda key, row, time, is_addition: got.append((row["a"], time, is_addition)))
            attempt(lambda: pw.run(persistence_config=g.persistence_config()))
            print(sorted(got))

    go({0: {0: [(1, ref(1), [1])]}, 2: {0: [(1, ref(2), [2])]}})
    pw.internals.parse_graph.G.clear()
    go(
        {
            0: {0: [(1, ref(1), [1]), (1, ref(2), [5])]},
            2: {0: [(1, ref(3), [2])]},
            4: {0: [(-1, ref(1), [1])]},
        },
        lambda t: t.reduce(a=pw.reducers.sum(t.a)),
    )
    pw.internals.parse_graph.G.clear()
    go({0: {0: [(1, ref(1), [1]), (1, ref(2), [5])]}})
    pw.internals.parse_graph.G.clear()
    go({0: {0: [(1, ref(1), [1]), (1, ref(2), [5])]}, 2: {0: [(-1, ref(1), [1])]}})
    pw.internals.parse_graph.G.clear()
    go({0: {0: []}, 2: {0: [(1, ref(1), [1])]}})
