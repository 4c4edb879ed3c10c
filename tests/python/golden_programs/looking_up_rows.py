"""ix and ix_ref."""

from blocks import accepted, changes, program, rows, show, values

import pathway as pw

R = pw.reducers


def tables():
    t = pw.debug.table_from_markdown("""
      | v  | w
    1 | 10 | a
    2 | 20 | b
    3 | 30 | c
    """)
    keys = rows({"n": int | None}, (1,), (3,), (1,))
    u = keys.select(keys.k, p=keys.pointer_from(pw.unwrap(keys.n)))
    return t.update_id_type(pw.Pointer[int]), u


@program
def rows_by_pointer():
    t, u = tables()
    show(t.ix(u.p))
    show(u + t.ix(u.p))
    show(u.select(u.k, v=t.ix(u.p).v, w=t.ix(pw.this.p).w))
    show(u.select(*t.ix(u.p)))
    show(t.ix(u.p)[["w"]])
    show(u.filter(t.ix(u.p).v > 10))
    show(u.groupby(u.p).reduce(u.p, s=R.sum(t.ix(u.p).v)))
    show(t.ix(u.p, context=u).select(x=pw.this.v + 1))


@program
def pointers_that_are_refused():
    t, u = tables()
    o = u.select(q=pw.require(u.p, u.k))
    accepted(
        lambda: t.ix(u.k),
        lambda: t.ix(o.q),
        lambda: t.ix(o.q, optional=True),
        lambda: t.ix(u.select(p=u.pointer_from("x")).p),
        lambda: t.ix(u.select(p=u.pointer_from(1, 2)).p),
        lambda: t.ix(u.id),
        lambda: u.select(x=t.v),
        lambda: t.ix(u.p, context=t),
    )


@program
def missing_rows():
    t, u = tables()
    t = t.filter(t.v < 30)
    show(t.ix(u.p))
    show(t.ix(u.p).select(v=pw.fill_error(pw.this.v, -1)), terminate_on_error=False)
    show(t.ix(u.p, allow_misses=True))
    show(u.select(u.k, v=t.ix(u.p, allow_misses=True).v))


@program
def optional_pointers():
    t, _ = tables()
    keys = rows({"n": int | None}, (1,), (None,), (3,))
    u = keys.select(keys.k, p=keys.pointer_from(keys.n, optional=True))
    show(t.ix(u.p, optional=True))
    show(u.select(u.k, v=t.ix(pw.this.p, optional=True).v))
    show(t.filter(t.v < 30).ix(u.p, optional=True, allow_misses=True))
    show(u.select(u.k, v=t.ix_ref(1, optional=True).v))


@program
def rows_by_values():
    sales = rows({"shop": str, "item": str, "n": int}, ("A", "tea", 2), ("A", "nut", 5), ("B", "tea", 1))
    totals = sales.groupby(sales.shop).reduce(sales.shop, total=R.sum(sales.n))
    values(sales.select(sales.item, share=sales.n / totals.ix_ref(sales.shop).total))
    values(sales.select(sales.item, t=totals.ix_ref(pw.this.shop).total, a=totals.ix_ref("A").total))
    pairs = sales.groupby(sales.shop, sales.item).reduce(n=R.sum(sales.n))
    values(sales.select(sales.k, n=pairs.ix_ref(sales.shop, sales.item).n))
    by_instance = sales.groupby(sales.item, instance=sales.shop).reduce(n=R.sum(sales.n))
    values(sales.select(sales.k, n=by_instance.ix_ref(sales.item, instance=sales.shop).n))
    values(sales.select(x=totals.ix_ref("Z", allow_misses=True).total))
    accepted(lambda: sales.select(x=totals.ix_ref(sales.n).total), lambda: totals.ix_ref(5, context=sales))


@program
def the_single_row_of_a_reduction():
    t, _ = tables()
    top = t.reduce(m=R.max(t.v))
    values(t.select(t.w, part=t.v / top.ix_ref(context=t).m))
    values(t.select(t.w, part=t.v / top.ix_ref().m))
    none = t.filter(t.v > 100).reduce(m=R.max(pw.this.v))
    values(t.select(t.w, m=none.ix_ref(allow_misses=True).m))


@program
def lookups_change():
    t = pw.debug.table_from_markdown("""
      | v  | __time__ | __diff__
    1 | 10 | 2        | 1
    2 | 20 | 2        | 1
    1 | 10 | 6        | -1
    1 | 11 | 6        | 1
    2 | 20 | 8        | -1
    """)
    keys = pw.debug.table_from_markdown("""
       | n | __time__ | __diff__
    10 | 1 | 2        | 1
    11 | 2 | 4        | 1
    11 | 2 | 6        | -1
    11 | 1 | 6        | 1
    12 | 3 | 6        | 1
    10 | 1 | 10       | -1
    """)
    u = keys.select(keys.n, p=t.pointer_from(keys.n))
    changes(u.select(u.n, v=t.ix(u.p, allow_misses=True).v))


@program
def lookups_of_appearing_rows():
    t = pw.debug.table_from_markdown("""
      | v  | __time__ | __diff__
    1 | 10 | 4        | 1
    1 | 10 | 6        | -1
    1 | 12 | 8        | 1
    """)
    keys = pw.debug.table_from_markdown("""
       | n | __time__
    10 | 1 | 2
    """)
    changes(keys.select(v=t.ix(t.pointer_from(keys.n), allow_misses=True).v))


@program
def chains_of_lookups():
    t = rows({"next": int | None, "name": str}, (1, "a"), (2, "b"), (None, "c"))
    t = t.select(t.name, p=t.pointer_from(t.next, optional=True))
    second = t.ix(t.p, optional=True)
    show(t.select(t.name, after=second.name, later=t.ix(second.p, optional=True).name))


@program
def superset_tables_in_keys():
    t, u = tables()
    some = u.filter(u.k > 0)
    show(some.select(v=t.ix(some.p).v))
    show(some.select(some.k, v=t.ix(u.p, context=some).v))
