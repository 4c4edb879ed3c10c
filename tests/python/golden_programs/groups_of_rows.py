"""groupby: keys, ids, instances, order, joins of groups."""

from blocks import accepted, changes, program, rows, show, values

import pathway as pw

R = pw.reducers


def sales():
    return pw.debug.table_from_markdown("""
      | shop | item | n
    1 | A    | tea  | 2
    2 | A    | nut  | 5
    3 | B    | tea  | 1
    4 | A    | tea  | 4
    """)


@program
def ids_of_groups():
    s = sales()
    show(s.groupby(s.shop).reduce(s.shop, n=R.count()))
    show(s.groupby(s.shop, s.item).reduce(s.shop, s.item, n=R.sum(s.n)))
    show(s.groupby(s.item, s.shop).reduce(s.shop, s.item, n=R.sum(s.n)))
    show(s.reduce(n=R.sum(s.n)))
    show(s.groupby().reduce(n=R.sum(s.n)))


@program
def groups_with_instances():
    s = sales()
    show(s.groupby(s.item, instance=s.shop).reduce(s.shop, s.item, n=R.sum(s.n)))
    show(s.groupby(instance=s.shop).reduce(s.shop, n=R.sum(s.n)))


@program
def groups_whose_ids_are_given():
    s = sales()
    p = s.select(s.n, p=s.pointer_from(s.shop))
    show(p.groupby(id=p.p).reduce(n=R.sum(p.n)))
    show(p.groupby(p.p, id=p.p).reduce(p.p, n=R.sum(p.n)))
    show(p.groupby(id=p.id).reduce(n=R.sum(p.n)))
    totals = s.groupby(s.shop).reduce(s.shop)
    accepted(lambda: p.groupby(p.n, id=p.p).reduce(x=R.count()))
    show(totals + p.groupby(id=p.p).reduce(n=R.sum(p.n)).with_universe_of(totals))


@program
def order_inside_groups():
    s = sales()
    show(s.groupby(s.shop, sort_by=s.n).reduce(s.shop, t=R.tuple(s.item), n=R.tuple(s.n)))
    t = rows({"g": str, "a": int, "v": str}, ("x", 2, "b"), ("x", 1, "c"), ("x", 2, "a"), ("y", 0, "z"))
    show(t.groupby(t.g, sort_by=t.a).reduce(t.g, v=R.tuple(t.v)))
    show(t.groupby(t.g, sort_by=t.id).reduce(t.g, v=R.tuple(t.v)))


@program
def grouping_columns_by_origin():
    s = sales()
    u = s.select(q=s.shop, w=s.n)
    show(s.groupby(u.q).reduce(s.shop, n=R.count()))
    show(s.groupby(u.q).reduce(u.q, n=R.sum(u.w)))
    show(s.copy().groupby(pw.this.shop).reduce(pw.this.shop, n=R.sum(pw.this.n)))
    accepted(lambda: s.groupby(u.q).reduce(pw.this.q))
    show(pw.groupby(s, s.item).reduce(s.item, m=R.max(s.n)))


@program
def columns_of_grouped_tables():
    s = sales()
    g = s.groupby(s.shop)
    print(type(g).__name__, list(g.keys()), g["n"], g.n, [c.name for c in g])
    first, second = g.reduce(s.shop), g.reduce(n=R.count())
    show(first + second.with_universe_of(first))


@program
def looking_up_rows_in_groups():
    s = sales()
    prices = pw.debug.table_from_markdown("""
    item | price
    tea  | 10
    nut  | 20
    """).with_id_from(pw.this.item)
    show(s.groupby(s.shop).reduce(s.shop, best=pw.this.ix(R.argmax(pw.this.n)).item))
    show(s.groupby(s.item).reduce(s.item, price=prices.ix_ref(pw.this.item).price, n=R.sum(s.n)))
    show(s.groupby(s.shop).reduce(s.shop, worth=R.sum(prices.ix_ref(s.item).price * s.n)))
    show(s.groupby(s.shop).reduce(s.shop, p=prices.ix(s.pointer_from("tea"), context=pw.this).price))


@program
def groups_change_with_their_rows():
    s = pw.debug.table_from_markdown("""
      | g | v | __time__ | __diff__
    1 | x | 1 | 2        | 1
    2 | x | 2 | 2        | 1
    3 | y | 3 | 4        | 1
    1 | x | 1 | 4        | -1
    1 | y | 1 | 4        | 1
    2 | x | 2 | 6        | -1
    3 | y | 3 | 8        | -1
    3 | y | 3 | 8        | 1
    4 | y | 0 | 10       | 1
    """)
    changes(s.groupby(s.g).reduce(s.g, n=R.count(), m=R.max(s.v), t=R.sorted_tuple(s.v)))
    changes(s.groupby(s.g).reduce(s.g, m=R.max(s.v)))
    changes(s.groupby(s.g).reduce(s.g).reduce(n=R.count()))


@program
def missing_group_values():
    t = rows(
        {"a": str | None, "b": int | None, "v": int},
        ("x", 1, 1),
        (None, 1, 2),
        (None, None, 3),
        ("x", None, 4),
        (None, None, 5),
    )
    show(t.groupby(t.a, t.b).reduce(t.a, t.b, s=R.sum(t.v)))
    values(t.groupby(t.a).reduce(t.a, s=R.sum(t.v)))


@program
def groups_of_other_kinds_of_values():
    t = rows(
        {"p": tuple[int, str], "d": pw.DateTimeNaive, "j": pw.Json, "y": bytes, "b": bool},
        ((1, "a"), pw.DateTimeNaive("2020-01-01"), {"a": 1}, b"x", True),
        ((1, "a"), pw.DateTimeNaive("2020-01-01"), {"a": 1}, b"x", True),
        ((1, "b"), pw.DateTimeNaive("2020-01-02"), {"a": 2}, b"", False),
    )
    for name in ("p", "d", "j", "y", "b"):
        show(t.groupby(t[name]).reduce(x=t[name], n=R.count()))
    show(t.groupby(t.p, t.b).reduce(t.p, t.b, n=R.count()))


@program
def filters_of_groups():
    s = sales()
    totals = s.groupby(s.shop).reduce(s.shop, n=R.sum(s.n))
    values(totals.filter(totals.n > 5))
    values(s.filter(s.n > totals.ix_ref(s.shop).n / 3))
    values(s.join(totals, s.shop == totals.shop).select(s.item, share=s.n / totals.n))
