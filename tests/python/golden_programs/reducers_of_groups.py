"""Reducers: values, types, None, errors, updates."""

import numpy as np
from blocks import accepted, changes, program, rows, show, values

import pathway as pw

R = pw.reducers


def stream(text):
    return pw.debug.table_from_markdown(text)


SALES = """
  | shop | item | n | price | __time__ | __diff__
1 | A    | tea  | 2 | 1.5   | 2        | 1
2 | A    | nut  | 5 | 0.25  | 2        | 1
3 | B    | tea  | 1 | 2.0   | 2        | 1
4 | A    | tea  | 7 | 1.5   | 4        | 1
2 | A    | nut  | 5 | 0.25  | 4        | -1
5 | C    | fig  | 0 | 3.0   | 6        | 1
3 | B    | tea  | 1 | 2.0   | 6        | -1
5 | C    | fig  | 0 | 3.0   | 8        | -1
5 | C    | fig  | 4 | 3.0   | 8        | 1
"""


@program
def counting():
    s = stream(SALES)
    changes(
        s.groupby(s.shop).reduce(
            s.shop, n=R.count(), m=R.count(s.n), d=R.count_distinct(s.item), e=R.count_distinct(s.item, s.n)
        )
    )
    changes(s.reduce(n=R.count()))


@program
def sums_and_averages():
    s = stream(SALES)
    changes(s.groupby(s.shop).reduce(s.shop, n=R.sum(s.n), m=R.sum(s.n * s.n), a=R.avg(s.n)))
    t = rows(
        {"g": str, "x": float, "n": int},
        ("x", 1.5, 2),
        ("y", 0.25, 5),
        ("x", -4.0, 1),
        ("x", 1e300, 0),
        ("y", 0.25, -5),
    )
    values(t.groupby(t.g).reduce(t.g, s=R.sum(t.x), a=R.avg(t.x), p=R.sum(t.x * t.n), lo=R.min(t.x)))
    values(s.groupby(s.shop).reduce(s.shop, strict=R.sum(s.price, strict=True)))


@program
def extremes():
    s = stream(SALES)
    changes(
        s.groupby(s.shop).reduce(s.shop, lo=R.min(s.n), hi=R.max(s.n), text=R.max(s.item), f=R.min(s.price))
    )
    changes(s.groupby(s.shop).reduce(s.shop, at=R.argmax(s.n), by=R.argmin(s.n), name=R.argmax(s.n, s.item)))


@program
def ties_of_extremes():
    t = rows(
        {"g": str, "v": int, "p": str},
        ("x", 1, "c"),
        ("x", 1, "a"),
        ("x", 0, "b"),
        ("y", 5, "q"),
        ("y", 5, "p"),
    )
    show(
        t.groupby(t.g).reduce(
            t.g, hi=R.argmax(t.v), lo=R.argmin(t.v), p=R.argmax(t.v, t.p), q=R.argmin(t.v, t.p)
        )
    )
    show(t.groupby(t.g).reduce(t.g, row=t.ix(R.argmax(t.v), context=pw.this).p))


@program
def collecting_values():
    s = stream(SALES)
    changes(
        s.groupby(s.shop).reduce(s.shop, t=R.tuple(s.n), s=R.sorted_tuple(s.n), items=R.sorted_tuple(s.item))
    )
    changes(s.groupby(s.shop, sort_by=s.n).reduce(s.shop, t=R.tuple(s.item), u=R.tuple(s.n)))


@program
def collecting_into_arrays():
    t = rows({"g": str, "v": int, "f": float}, ("x", 3, 0.5), ("x", 1, 1.5), ("y", 2, 2.0))
    show(
        t.groupby(t.g, sort_by=t.v).reduce(
            t.g, v=R.ndarray(t.v), f=R.ndarray(t.f), pair=R.ndarray(pw.make_tuple(t.v, t.k))
        )
    )
    o = rows({"v": int | None}, (3,), (None,), (1,))
    show(o.groupby(sort_by=o.k).reduce(v=R.ndarray(o.v, skip_nones=True)))


@program
def one_value_of_a_group():
    s = stream(SALES)
    changes(s.groupby(s.shop).reduce(s.shop, a=R.any(s.n), b=R.any(s.item)))
    changes(s.groupby(s.item).reduce(s.item, u=R.unique(s.price)), terminate_on_error=False)
    show(s.groupby(s.shop).reduce(R.any(s.shop)))
    show(s.groupby(s.shop).reduce(R.unique(s.shop), R.any(s.item)))


@program
def values_that_should_be_unique():
    t = rows({"g": str, "v": int | None}, ("x", 1), ("x", 1), ("y", None), ("y", None), ("z", 1), ("z", None))
    values(t.groupby(t.g).reduce(t.g, u=R.unique(t.v)))
    show(t.groupby(t.g).reduce(t.g, u=R.unique(t.v)))


@program
def earliest_and_latest():
    s = stream("""
      | g | v | __time__
    1 | x | 5 | 2
    2 | x | 1 | 2
    3 | y | 7 | 4
    4 | x | 9 | 4
    5 | x | 3 | 6
    """)
    changes(s.groupby(s.g).reduce(s.g, e=R.earliest(s.v), l=R.latest(s.v)))


@program
def deletions_that_latest_refuses():
    s = stream("""
      | g | v | __time__ | __diff__
    1 | x | 5 | 2        | 1
    1 | x | 5 | 4        | -1
    2 | x | 6 | 4        | 1
    """)
    changes(s.groupby(s.g).reduce(s.g, l=R.latest(s.v)))


@program
def missing_values_in_groups():
    t = rows({"g": str | None, "v": int | None}, ("x", 1), ("x", None), (None, 3), (None, None), ("z", None))
    values(
        t.groupby(t.g).reduce(
            t.g, n=R.count(), c=R.count(t.v), lo=R.min(t.v), hi=R.max(t.v), d=R.count_distinct(t.v)
        )
    )
    values(t.groupby(t.g).reduce(t.g, n=R.count(), t=R.sorted_tuple(t.v, skip_nones=True)))
    values(t.filter(t.g == "x").reduce(t=R.sorted_tuple(pw.this.v), u=R.tuple(pw.this.v, skip_nones=True)))
    values(t.groupby(t.g).reduce(s=R.sum(pw.coalesce(t.v, 0)), a=R.any(t.v).is_none()))


@program
def types_of_reducers():
    t = pw.Table.empty(
        i=int,
        f=float,
        b=bool,
        s=str,
        o=int | None,
        a=np.ndarray,
        x=tuple[int, str],
        li=list[int],
        d=pw.DateTimeNaive,
        e=pw.Duration,
        j=pw.Json,
        y=bytes,
        p=pw.Pointer,
        z=pw.internals.dtype.ANY,
    )
    for name, reducer in {
        "sum": R.sum,
        "avg": R.avg,
        "min": R.min,
        "max": R.max,
        "argmin": R.argmin,
        "unique": R.unique,
        "any": R.any,
        "tuple": R.tuple,
        "tuple skip": lambda c: R.tuple(c, skip_nones=True),
        "sorted_tuple": R.sorted_tuple,
        "ndarray": R.ndarray,
        "count": R.count,
        "count_distinct": R.count_distinct,
        "earliest": R.earliest,
        "latest": R.latest,
        "approximate": R.count_distinct_approximate,
    }.items():
        outcomes = {}
        for column in t:
            try:
                outcome = repr(t.reduce(x=reducer(column)).schema["x"].dtype)
            except Exception as error:
                outcome = type(error).__name__
            outcomes.setdefault(outcome, []).append(column.name)
        print(name, outcomes)


@program
def sums_of_arrays():
    t = rows({"n": int}, (1,), (2,), (3,))
    v = t.select(
        t.k,
        v=pw.apply_with_type(lambda n: np.array([n, 10 * n]), np.ndarray, t.n),
        w=pw.apply_with_type(lambda n: np.array([[0.5 * n]]), np.ndarray, t.n),
    )
    values(v.reduce(v=R.sum(v.v)))
    values(v.reduce(w=R.sum(v.w)))
    broadcast = t.select(
        v=pw.apply_with_type(
            lambda n: np.array([[1], [2]]) if n == 1 else np.array([[10, 20]]), np.ndarray, t.n
        )
    )
    values(broadcast.reduce(v=R.sum(broadcast.v)))


@program
def sums_of_floats_are_exact():
    s = stream("""
      | v    | __time__ | __diff__
    1 | 1e20 | 2        | 1
    2 | 1.0  | 2        | 1
    1 | 1e20 | 4        | -1
    3 | 0.1  | 6        | 1
    4 | 0.2  | 6        | 1
    3 | 0.1  | 8        | -1
    """)
    changes(s.reduce(s=R.sum(s.v)))
    changes(s.reduce(s=R.sum(s.v, strict=True)))


@program
def integer_sums_wrap():
    t = rows({"v": int}, (2**63 - 1,), (1,))
    values(t.reduce(s=R.sum(t.v)))


@program
def errors_in_reducers():
    t = rows({"g": str, "a": int}, ("x", 1), ("x", 0), ("y", 2), ("y", 3))
    q = t.select(t.g, q=6 // t.a)
    values(
        q.groupby(q.g).reduce(
            q.g, n=R.count(), c=R.count(q.q), s=R.sum(q.q), lo=R.min(q.q), t=R.sorted_tuple(q.q), a=R.avg(q.q)
        )
    )
    w = q.copy()
    values(w.groupby(w.g, _skip_errors=False).reduce(w.g, n=R.count(), s=R.sum(w.q)))
    values(
        q.groupby(q.g).reduce(
            q.g,
            f=R.sum(pw.fill_error(q.q, 0)),
            u=6 // R.count(q.q),
            e=pw.fill_error(6 // (R.count() - 2), -1),
        )
    )


@program
def expressions_around_reducers():
    s = stream(SALES)
    values(
        s.groupby(s.shop, s.item).reduce(
            s.shop,
            key=s.item + "@" + s.shop,
            mean=R.sum(s.n) / R.count(),
            c=7,
            pair=(R.min(s.n), R.max(s.n)),
            cond=pw.if_else(R.count() > 1, "many", "one"),
            e=pw.cast(float, R.sum(s.n)),
        )
    )
    values(
        s.groupby(s.shop).reduce(
            pw.this.shop, total=R.sum(pw.this.n + 1), longest=R.max(pw.this.item.str.len())
        )
    )
    values(s.groupby(s.shop).reduce())
    show(s.groupby(s.shop).reduce())


@program
def reduce_statements_that_are_refused():
    s = stream(SALES)
    other = pw.Table.empty(a=int)
    accepted(
        lambda: s.groupby(s.shop).reduce(s.item),
        lambda: s.groupby(s.shop).reduce(x=s.n + 1),
        lambda: s.groupby(s.shop).reduce(x=R.sum(other.a)),
        lambda: s.groupby(s.shop).reduce("shop"),
        lambda: s.groupby(s.shop).reduce(R.sum(s.n)),
        lambda: s.groupby(s.shop).reduce(s.shop, shop=1),
        lambda: s.groupby(s.shop).reduce(id=1),
        lambda: s.groupby(s.n + 1),
        lambda: s.groupby("shop"),
        lambda: s.groupby(s.shop, foo=1),
        lambda: s.groupby(s.shop, s.item, id=s.id),
        lambda: s.groupby(s.shop, id=s.id),
        lambda: s.reduce(x=R.sum(s.item)),
        lambda: s.reduce(x=s.n),
        lambda: R.sum(),
        lambda: R.sum("n"),
        lambda: R.count_distinct(),
    )


@program
def approximate_counts():
    t = rows({"v": int}, *[(i % 10,) for i in range(100)])
    values(t.reduce(n=R.count_distinct_approximate(t.v)))
    values(
        t.groupby(t.v)
        .reduce(t.v, n=R.count_distinct_approximate(t.k))
        .reduce(lo=R.min(pw.this.n), hi=R.max(pw.this.n))
    )


@program
def empty_groups():
    t = pw.debug.table_from_rows(pw.schema_from_types(a=int), [])
    show(t.reduce(n=R.count(), s=R.sum(t.a)))
    show(t.groupby(t.a).reduce(t.a))
    s = stream("""
      | a | __time__ | __diff__
    1 | 1 | 2        | 1
    1 | 1 | 4        | -1
    """)
    changes(s.reduce(n=R.count()))
