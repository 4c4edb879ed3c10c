"""pw.utils: unpacking, functions over whole columns, majority, filtering by extremes, bucketing."""

import datetime

from blocks import accepted, changes, program, rows, show, values

import pathway as pw
from pathway.stdlib.utils import bucketing, col, filtering


@program
def tuples_are_unpacked():
    t = rows({"p": tuple[int, str, float], "li": list[int]}, ((1, "a", 0.5), [1, 2]), ((2, "b", 1.5), [3, 4]))
    show(col.unpack_col(t.p, "x", "y", "z"))
    show(col.unpack_col(t.p, "x", pw.this.y))
    show(col.unpack_col(t.li, "x", "y"))
    show(t + pw.utils.col.unpack_col(t.p, schema=pw.schema_from_types(x=int, y=str, z=float)))
    accepted(
        lambda: col.unpack_col(t.p),
        lambda: col.unpack_col(t.p, "x", schema=pw.schema_from_types(x=int)),
        lambda: col.unpack_col(t.p, "a", "b", "c", "d"),
        lambda: col.unpack_col(t.p, schema=pw.schema_from_types(x=str, y=str, z=float)),
    )
    show(col.unpack_col(t.li, "x", "y", "z"))


@program
def json_is_unpacked():
    j = rows({"d": pw.Json}, ([1, "x"],), ([2.5, {"a": 1}],))
    show(col.unpack_col(j.d, "a", "b"))


@program
def fields_of_json_are_unpacked():
    class Row(pw.Schema):
        i: int
        f: float
        s: str
        b: bool
        j: pw.Json
        o: int | None
        n: pw.DateTimeNaive
        u: pw.DateTimeUtc
        d: pw.Duration

    full = {
        "i": 1,
        "f": 2,
        "s": "x",
        "b": True,
        "j": [1],
        "o": None,
        "n": "2020-01-02T03:04:05.5",
        "u": "2020-01-02T03:04:05.5+0100",
        "d": 1000,
    }
    t = rows({"d": pw.Json}, (full,), ({**full, "o": 5, "f": 0.5, "extra": 1},))
    show(col.unpack_col_dict(t.d, Row))
    bad = rows({"d": pw.Json}, ({**full, "i": "no"},), ({key: full[key] for key in full if key != "s"},))
    for types in ({"i": int}, {"s": str}, {"s": str | None}):
        values(bad.select(bad.k) + col.unpack_col_dict(bad.d, pw.schema_from_types(**types)))
    accepted(
        lambda: col.unpack_col_dict(t.d, pw.schema_from_types(i=bytes)),
        lambda: col.unpack_col_dict(t.d, pw.schema_from_types(i=list[int])),
    )


@program
def functions_of_all_rows():
    t = rows({"a": int, "b": int}, (1, 10), (2, 20), (3, 30))
    show(t + col.apply_all_rows(t.a, t.b, fun=lambda a, b: [x * max(b) for x in a], result_col_name="r"))
    show(
        t.select(t.k)
        + col.multiapply_all_rows(
            t.a, t.b, fun=lambda a, b: (a, [sum(b)] * len(b)), result_col_names=["p", "q"]
        )
    )
    accepted(lambda: col.apply_all_rows(fun=len, result_col_name="r"))


@program
def functions_of_all_rows_run_again():
    t = pw.debug.table_from_markdown("""
      | a | __time__ | __diff__
    1 | 1 | 2        | 1
    2 | 2 | 2        | 1
    3 | 9 | 4        | 1
    1 | 1 | 6        | -1
    """)
    changes(col.apply_all_rows(t.a, fun=lambda a: [sum(a)] * len(a), result_col_name="r"))


@program
def majorities():
    t = rows({"g": str, "v": int}, ("x", 1), ("x", 2), ("x", 2), ("y", 5), ("z", 7), ("z", 7), ("z", 3))
    values(col.groupby_reduce_majority(t.g, t.v))


@program
def rows_with_extreme_values():
    t = rows({"g": str, "v": int}, ("x", 1), ("x", 5), ("y", 2), ("y", 2), ("z", 0))
    show(filtering.argmax_rows(t, t.g, what=t.v))
    show(filtering.argmin_rows(t, t.g, what=t.v))
    show(filtering.argmax_rows(t, what=t.v))
    show(pw.utils.filtering.argmin_rows(t, t.g, what=-t.v))
    s = pw.debug.table_from_markdown("""
      | g | v | __time__ | __diff__
    1 | x | 1 | 2        | 1
    2 | x | 3 | 4        | 1
    3 | x | 2 | 4        | 1
    2 | x | 3 | 6        | -1
    """)
    changes(filtering.argmax_rows(s, s.g, what=s.v))


@program
def times_are_truncated():
    print(bucketing.truncate_to_minutes(datetime.datetime(2020, 1, 2, 3, 4, 5, 6)))
    print(pw.utils.bucketing.truncate_to_minutes(datetime.datetime(2020, 1, 2, 3, 4)))
