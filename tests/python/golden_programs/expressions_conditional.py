"""None, conditions, Json, tuples and constants."""

import typing

import numpy as np

import pathway as pw

t = pw.debug.table_from_rows(
    pw.schema_from_types(
        a=int,
        b=int | None,
        f=float,
        g=float | None,
        p=bool,
        j=pw.Json,
        x=tuple[int, str],
        l=list[int],
        o=typing.Any,
    ),
    [
        (7, None, 1.5, None, True, {"a": [1, {"b": None}], "c": "x"}, (1, "q"), [1, 2], 3),
        (-7, 3, -0.5, 2.0, False, {"a": []}, (2, "r"), [], "str"),
    ],
)


def show(table):
    print(table)
    pw.debug.compute_and_print(table, include_id=False)


show(t.select(a=pw.if_else(t.p, t.a, t.f), b=pw.coalesce(t.b, 0), c=pw.coalesce(t.b, t.g, 1)))
show(t.select(d=pw.require(t.a, t.b), e=pw.if_else(t.b.is_none(), 0, t.b + 1), f=pw.require(t.b + 1, t.b)))
show(t.filter(t.b.is_not_none()).select(b=pw.this.b + 1))
show(t.select(a=t.j["a"], b=t.j.get("c"), c=t.j["a"][0], d=t.j["c"].as_str(), e=t.j.get("zz", {"q": 1})))
show(t.select(a=t.x[0], b=t.x[1], c=t.l.get(0), e=t.x.get(5, "z")))
show(t.select(a=pw.make_tuple(t.a, t.b, None), b=(t.a, 1), c=(1, 2), d=[1, 2], e=None, f={"a": 1}))
show(t.select(g=pw.DateTimeNaive("2020-01-01"), h=pw.Duration(1), i=np.array([1, 2]), j=pw.Json(1)))
show(t.select(**{column.name: column.to_string() for column in t}))
show(t.select(g=t.g.num.fill_na(0), b=t.b.num.fill_na(0), r=t.f.num.round(), o=t.o))
show(t.select(q=pw.fill_error(t.a // (t.a - 7), -1)))
for failing in [t.a // 0, t.l[5], t.j["c"].as_int(), pw.unwrap(t.b), t.x[0] % 0]:
    try:
        pw.debug.compute_and_print(t.select(x=failing))
    except Exception as error:
        print(type(error).__name__)
