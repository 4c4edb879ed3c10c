"""Many forms of reduce, join and ix over small tables, and which of them are refused."""

from blocks import accepted, program, show, values

import pathway as pw

R = pw.reducers


def things():
    return pw.debug.table_from_markdown("""
      | k | a | b    | s
    1 | x | 3 | 1.5  | foo
    2 | x | 5 | 2.5  | bar
    3 | y | 7 | -1   | foo
    4 | z | 3 | 0.25 | qux
    """)


def left():
    return pw.debug.table_from_markdown("""
      | k | v
    1 | x | 3
    2 | y | 5
    3 | z | 7
    """)


def right():
    return pw.debug.table_from_markdown("""
      | k | w
    1 | x | 30
    5 | x | 50
    3 | w | 70
    """)


@program
def reducers_in_expressions():
    t = things()
    show(t.groupby(t.k, t.s).reduce(t.k, n=R.count(), m=R.max(t.a) - R.min(t.a), twice=R.avg(t.b) * 2))
    show(t.reduce(c=R.min(pw.make_tuple(t.s, t.a)), d=R.max(pw.make_tuple(t.b, t.s)), e=R.max(t.a > 4)))
    show(t.groupby(t.k).reduce(t.k, by_text=R.argmin(t.a, t.s), same=R.any(t.id) == R.argmin(t.a)))
    p = t.with_columns(odd=t.a % 2)
    show(p.groupby(p.odd).reduce(p.odd, n=R.count(), z=pw.if_else(R.count() > 1, "many", "one")))
    o = t.with_columns(o=pw.if_else(t.a > 3, t.a, None))
    show(
        o.groupby(o.k).reduce(
            o.k,
            some=R.tuple(o.o, skip_nones=True),
            all=R.sorted_tuple(o.o),
            least=R.min(o.o),
            array=R.ndarray(o.o, skip_nones=True),
        )
    )


@program
def columns_of_groups():
    t = things()
    show(t.groupby(t.k, t.s).reduce(*pw.this[["k", "s"]], n=R.count()))
    show(t.groupby(t.k, t.s).reduce(*pw.this.without("a", "b"), n=R.count()))
    show(t.groupby(t.k).reduce(t.k, n=R.count()).filter(pw.this.n > 1))
    accepted(
        lambda: t.groupby(t.k).reduce(t.a),
        lambda: t.groupby(t.k).reduce(x=t.a + R.sum(t.a)),
        lambda: t.groupby(t.k).reduce(t.k, k=R.count()),
        lambda: t.groupby(t.k).reduce(*pw.this),
        lambda: t.groupby(t.a % 2).reduce(n=R.count()),
        lambda: t.reduce(pw.this.a),
        lambda: t.reduce(x=R.sum(t.s)),
    )


@program
def joins_in_many_forms():
    a, b = left(), right()
    values(a.join(b).select(x=a.v * b.w))
    show(a.join(b, a.k == b.k, id=b.id).select(a.v, b.w))
    ten = a.with_columns(u=a.v * 10)
    values(ten.join(b, ten.k == b.k, ten.u == b.w).select(ten.v))
    values(ten.join(b, ten.u == b.w, left_instance=ten.k, right_instance=b.k).select(ten.v, b.w))
    values(a.join(b, a.k == b.k).select(*pw.left.without("k"), *pw.right))
    values(a.join_left(b, a.k == b.k).select(a.k, missing=b.w.is_none(), whose=b.id))
    values(a.join_left(b, a.k == b.k).reduce(n=R.count(), s=R.sum(pw.coalesce(pw.this.w, 0))))
    joined = a.join(b, a.k == b.k)
    values(joined.groupby(a.k).reduce(a.k, n=R.count(), s=R.sum(a.v * b.w)))
    values(joined.join(a.copy(), pw.left.v == pw.right.v).select(pw.left.w, q=pw.right.k))
    values(joined.filter(b.w > 40).select(a.v, b.w))


@program
def joins_that_are_refused():
    a, b = left(), right()
    accepted(
        lambda: a.join(b, a.k != b.k).select(a.v),
        lambda: a.join(b, a.v * 10 == b.w).select(a.v),
        lambda: a.join(b, b.k == a.k).select(a.v),
        lambda: a.groupby(a.k, sort_by=-a.v),
        lambda: a.join(b, a.v > b.w).select(a.v),
        lambda: a.join(b, a.k == "x").select(a.v),
        lambda: a.join(b, a.k == b.w).select(a.v),
        lambda: a.join(a, a.k == a.k).select(a.v),
        lambda: a.join(b, a.k == b.k, how="outer").select(a.v),
        lambda: a.concat_reindex(b),
        lambda: a + b,
        lambda: a.concat(b.select(b.k, v=b.w)),
        lambda: a.flatten(a.k + "ab"),
    )


@program
def keys_that_may_be_none():
    a, b = left(), right()
    some = a.select(o=pw.if_else(a.v > 3, a.k, None), v=a.v)
    others = b.select(o=pw.if_else(b.w > 50, None, b.k), w=b.w)
    values(some.join_left(others, pw.left.o == pw.right.o).select(pw.left.v, pw.right.w))
    named = a.with_id_from(a.k)
    values(b.select(b.k, s=named.ix_ref(b.k, allow_misses=True).v))
    pointers = b.select(p=pw.if_else(b.w > 60, None, a.pointer_from("x")))
    values(pointers.select(s=named.ix(pointers.p, optional=True).v))
    values(b.select(b.k, total=a.groupby(a.k).reduce(a.k, s=R.sum(a.v)).ix_ref("x", context=b).s))


@program
def rows_put_together():
    a, b = left(), right()
    show(a.update_rows(b.select(b.k, v=b.w)))
    show(a << b.select(v=b.w).intersect(a))
    show(a.concat_reindex(b.select(b.k, v=b.w * 1.5)))
    show(pw.Table.concat_reindex(a, b.select(v=b.w, k=b.k)))
    show(a + a.select(z=a.v + 1))
    show(
        a.select(q=pw.apply_with_type(lambda x: tuple(range(x // 3)), tuple[int, ...], a.v)).flatten(
            pw.this.q
        )
    )
    show(a.with_columns(s=a.k + "ab").flatten(pw.this.s, origin_id="o"))
