"""pw.debug: markdown, data frames, rows; special columns; reading tables back."""

import numpy as np
import pandas as pd
from blocks import accepted, changes, program, rows, show

import pathway as pw

M = pw.debug.table_from_markdown


@program
def cells_of_markdown():
    show(
        M("""
    a | b | c   | d     | e    | f
    1 | x | 1.5 | True  | 007  | 1.0
    2 |   | 2   | False | x    | 1e3
      | y | inf | TRUE  | None | 3
    """)
    )
    show(
        M("""
    a    | b
    NaN  | null
    NA   | N/A
    NULL | nan
    None | ok
    """)
    )
    show(M("a b\n1 2\n3 4\n"))
    show(M("a | b\none word | x\n'q' | y", split_on_whitespace=False))
    show(M("a\n99999999999999999999\n1"))
    show(M("a | b\nTrue | True\n1 | False"))


@program
def labels_of_markdown():
    show(
        M("""
      | a
    7 | 1
    8 | 2
    """)
    )
    show(
        M("""
    id | a
    x  | 1
    y  | 2
    """)
    )
    show(
        M(
            """
      | a
    1 | 5
    2 | 6
    """,
            unsafe_trusted_ids=True,
        )
    )
    show(M("a | b\n1 | x\n2 | y", id_from=["a"]))
    show(M("a | b\n1 | x\n2 | y", id_from=["b", "a"]))
    accepted(
        lambda: M("a\n1", id_from="a"),
        lambda: M("a\n1", id_from=["zz"]),
        lambda: M("a\n1", id_from=["a"], schema=pw.schema_from_types(a=int)),
    )
    show(M("a | b"))


@program
def schemas_of_markdown():
    class S(pw.Schema):
        a: float
        b: str = pw.column_definition(primary_key=True)

    show(M("a | b\n1 | x\n2 | 3", schema=S))
    accepted(lambda: M("a\n1", schema=S), lambda: M("a|b|c\n1|1|1", schema=S))


@program
def times_of_static_tables():
    changes(
        M("""
    a | __time__ | __diff__
    1 | 2        | 1
    2 | 2        | 1
    1 | 6        | 1
    """)
    )
    changes(
        M("""
      | a | __time__ | __diff__
    1 | 1 | 1        | 1
    1 | 1 | 3        | -1
    1 | 2 | 3        | 1
    """)
    )
    accepted(
        lambda: M("a | __time__\n1 | -2"),
        lambda: M("a | __time__\n1 | x"),
        lambda: M("a | __diff__\n1 | 2"),
        lambda: M("a | __diff__\n1 | 0.5"),
    )
    changes(M("a | __diff__\n1 | 1"))


@program
def types_of_data_frames():
    f = pd.DataFrame(
        {
            "i": [1, 2],
            "f": [1.5, 2.0],
            "b": [True, False],
            "s": ["x", "y"],
            "d": pd.to_datetime(["2020-01-01", "2020-01-02"]),
            "u": pd.to_datetime(["2020-01-01", "2020-01-02"], utc=True),
            "e": pd.to_timedelta([1, 2], unit="s"),
            "j": [{"a": 1}, {}],
            "t": [(1, "a"), (2, "b")],
            "li": [[1], [1, 2]],
            "n": [None, None],
            "o": [1, None],
            "oi": pd.array([1, None], dtype="Int64"),
            "v": [np.array([1, 2]), np.array([3, 4])],
        }
    )
    t = pw.debug.table_from_pandas(f)
    print(t.schema)
    for name in t.column_names():
        show(t.select(first=t.i, value=t[name]))
    show(pw.debug.table_from_pandas(pd.DataFrame({"a": [1, 2]}, index=["p", "q"])))
    show(pw.debug.table_from_pandas(pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}), id_from=["b"]))
    show(pw.debug.table_from_pandas(pd.DataFrame({"a": [5, 6]}, index=[1, 2]), unsafe_trusted_ids=True))
    show(pw.debug.table_from_pandas(pd.DataFrame({"a": []})))


@program
def tables_from_rows():
    S = pw.schema_from_types(a=int, b=str)
    show(pw.debug.table_from_rows(S, [(1, "x"), (2, "y")]))
    changes(pw.debug.table_from_rows(S, [(1, "x", 2, 1), (1, "x", 4, -1), (2, "y", 4, 1)], is_stream=True))

    class Keyed(pw.Schema):
        a: int = pw.column_definition(primary_key=True)
        b: str

    changes(
        pw.debug.table_from_rows(Keyed, [(1, "x", 2, 1), (1, "x", 4, -1), (1, "y", 4, 1)], is_stream=True)
    )
    show(pw.debug.table_from_rows(S, [(1, "x", "extra")]))
    accepted(lambda: pw.debug.table_from_rows(S, [(1,)]))


@program
def tables_are_read_back():
    t = M("""
      | a | b
    1 | 1 | x
    2 |   | y
    """)
    keys, columns = pw.debug.table_to_dicts(t)
    print(sorted(keys), {name: dict(sorted(cells.items())) for name, cells in columns.items()})
    frame = pw.debug.table_to_pandas(t).sort_values("b")
    print(frame.dtypes.to_dict()["a"], list(frame.index), frame["a"].tolist(), frame["b"].tolist())
    print(list(pw.debug.table_to_pandas(t, include_id=False).sort_values("b").index) in ([0, 1], [1, 0]))
    kinds = rows(
        {
            "i": int,
            "f": float,
            "s": str,
            "y": bytes,
            "t": tuple[int, str],
            "li": list[int],
            "j": pw.Json,
            "d": pw.DateTimeNaive,
            "u": pw.DateTimeUtc,
            "e": pw.Duration,
        },
        (
            1,
            1.5,
            "x",
            b"y",
            (1, "a"),
            [1],
            {"a": 1},
            pw.DateTimeNaive("2020-01-01"),
            pw.DateTimeUtc("2020-01-01T00:00Z"),
            pw.Duration(1),
        ),
    )
    _, columns = pw.debug.table_to_dicts(kinds)
    for name, cells in columns.items():
        (cell,) = cells.values()
        print(
            name, isinstance(cell, (int, float, str, bytes, tuple, pw.Json, pd.Timestamp, pd.Timedelta)), cell
        )


@program
def inconsistent_tables():
    twice = M("""
      | a
    1 | 1
    1 | 2
    """)
    show(twice)
    same = M("""
      | a
    1 | 1
    1 | 1
    """)
    show(same)
    gone = M("""
      | a | __diff__
    1 | 1 | -1
    """)
    show(gone)
    other = M("""
      | a | __time__ | __diff__
    1 | 1 | 2        | 1
    1 | 2 | 4        | -1
    """)
    show(other)
    show(twice.select(), terminate_on_error=False)


@program
def printed_tables():
    t = M("""
      | a  | b
    1 | 10 | x
    2 | 9  | yy
    3 |    | a
    """)
    out = pw.debug.compute_and_print
    out(t)
    out(t, include_id=False)
    out(t, short_pointers=False, n_rows=2)
    out(t.select(t.a), include_id=False)
    out(t.select(t.b, p=t.id))
    out(t.select(t.b, p=pw.make_tuple(t.id)), include_id=False)
    out(t.select())
    out(t.select(), include_id=False)
    out(t, t.select(t.b), include_id=False)
    out(t.filter(t.b == ""))
    out(t.filter(t.b == ""), include_id=False)
    out()
    pw.debug.compute_and_print_update_stream(t, n_rows=1)
    accepted(lambda: out(5), lambda: out(t, n_rows="x"), lambda: out(t, debug=True))


@program
def printed_values():
    t = rows(
        {"v": pw.internals.dtype.ANY},
        (1,),
        ("two words",),
        (None,),
        (1.0,),
        (True,),
        (b"x",),
        ((1, "a"),),
        (pw.Json({"a": None}),),
    )
    for i in range(8):
        pw.debug.compute_and_print(t.filter(t.k == i).without("k"), include_id=False)
    pw.debug.compute_and_print(
        M("a | b\n1 | x\n2 | y").select(t="line\nbreak", j=pw.Json("text"), n=pw.Json(None)), include_id=False
    )


@program
def static_tables_share_universes():
    a = M("  | x\n1 | 5\n2 | 6")
    b = M("  | y\n2 | 7\n1 | 8")
    c = M("  | z\n1 | 5\n3 | 6")
    show(a + b)
    d = pw.debug.table_from_pandas(pd.DataFrame({"w": [1, 2]}, index=[1, 2]))
    show(a.select(a.x, d.w))
    accepted(
        lambda: a + c,
        lambda: a + M("  | y\n1 | 7\n2 | 8", _new_universe=True),
        lambda: a + M("  | y | __time__\n1 | 7 | 2\n2 | 8 | 2"),
    )
    e, f = M("k | x\n1 | 5\n2 | 6", id_from=["k"]), M("k | y\n2 | 5\n1 | 6", id_from=["k"])
    show(e.select(e.x, f.y))


@program
def taps_of_tables():
    t = M("""
      | a | b   | __time__ | __diff__
    2 | 1 | x   | 2        | 1
    2 | 1 | x   | 4        | -1
    """)
    changes(t.debug("tap").select(t.a))
    changes(
        t.select(f=t.a * 0.5, n=None, t=pw.make_tuple(t.a, t.b), o=t.a == 1).debug("kinds").select(pw.this.f)
    )
