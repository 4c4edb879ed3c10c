"""Joins of every kind, chained, filtered, grouped."""

import pathway as pw
from pathway import reducers as r

t = pw.debug.table_from_markdown("""
  | shop | item | n
1 | A    | tea  | 2
2 | A    | nut  | 5
3 | B    | tea  | 1
4 | C    | nut  |
""")
u = pw.debug.table_from_markdown("""
shop | tax
A    | 3
A    | 4
D    | 5
""")
v = pw.debug.table_from_markdown("""
tax | z
3   | q
5   | r
""")


def show(table, **options):
    print(table)
    pw.debug.compute_and_print_update_stream(table, **options)


for how in pw.JoinMode:
    joined = t.join(u, t.shop == u.shop, how=how)
    print(how, list(joined.keys()))
    show(joined.select(pw.this.shop, pw.left.item, pw.right.tax, i=pw.this.id, l=t.id, r=u.id))
inner, left = t.join(u, t.shop == u.shop), t.join_left(u, t.shop == u.shop)
show(inner.filter(pw.right.tax > 3).select(t.item, u.tax))
show(inner.groupby(pw.this.shop).reduce(pw.this.shop, c=r.count(), s=r.sum(u.tax)))
show(left.groupby(t.shop).reduce(t.shop, c=r.count()))
show(left.groupby(pw.this.shop).reduce(pw.this.shop, c=r.count()))
show(inner.reduce(c=r.count()))
show(t.join(u).select(t.item, u.tax))
show(left.select(t.item, x=pw.require(u.tax + 1, u.id), y=pw.if_else(u.id.is_none(), 0, u.tax + 1)))
show(inner.join(v, pw.left.tax == v.tax).select(t.item, u.tax, v.z, pw.left.shop))
show(inner.select(*pw.left.without("shop"), *pw.right))
show(inner.select(t.item) + inner.select(z=u.tax))
totals = t.groupby(t.shop).reduce(t.shop, n=r.count())
show(
    totals.join_left(u.filter(u.tax != 4), pw.left.shop == pw.right.shop, id=pw.left.id).select(
        pw.left.shop, pw.right.tax
    )
)
a = pw.debug.table_from_markdown("""
  | k | v | __time__ | __diff__
1 | x | 1 | 2        | 1
2 | y | 5 | 2        | 1
2 | y | 5 | 8        | -1
""")
b = pw.debug.table_from_markdown("""
  | k | w | __time__ | __diff__
1 | x | 9 | 4        | 1
1 | x | 9 | 6        | -1
""")
for how in pw.JoinMode:
    show(a.join(b, a.k == b.k, how=how).select(pw.this.k, a.v, b.w))
for wrong in [
    lambda: t.join(t, t.shop == t.shop),
    lambda: t.join(u, u.shop == t.shop),
    lambda: t.join(u, t.shop != u.shop),
    lambda: t.join(u, t.n == u.shop),
    lambda: t.join(u, t.shop == u.shop, how="left"),
    lambda: t.join(u, t.shop == u.shop, id="a"),
    lambda: t.join(u, t.shop == u.shop, id=t.shop),
    lambda: t.join(u, t.shop == u.shop, foo=1),
    lambda: t.join_outer(u, t.shop == u.shop, id=t.id),
    lambda: t.join(u, t.shop == u.shop, left_instance=t.item),
    lambda: t.join_left(u, t.shop == u.shop, how=pw.JoinMode.LEFT),
    lambda: inner.zz,
    lambda: inner["zz"],
    lambda: t.join(u, t.n == u.tax)["shop"],
    lambda: t.join(u, t.n == u.tax).select(pw.this.shop),
    lambda: inner.select(t.copy().item),
]:
    try:
        wrong()
        print("accepted")
    except Exception as error:
        print(type(error).__name__)
