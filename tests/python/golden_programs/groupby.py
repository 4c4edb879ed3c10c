"""groupby and reduce, static and with changes."""

import pathway as pw
from pathway import reducers as r

t = pw.debug.table_from_markdown("""
  | shop | item | n | w
1 | A    | tea  | 2 | 1.5
2 | A    | nut  | 5 |
3 | B    | tea  | 1 | 2.0
4 | C    | nut  |   | 0.5
""")
known = t.filter(t.n.is_not_none())


def show(table):
    print(table)
    pw.debug.compute_and_print_update_stream(table)


show(known.groupby(pw.this.shop).reduce(pw.this.shop, s=r.sum(pw.this.n), c=r.count(), a=r.avg(pw.this.n)))
show(
    t.groupby(t.shop).reduce(
        t.shop, mn=r.min(t.n), mx=r.max(t.w), un=r.unique(t.shop), cd=r.count_distinct(t.item)
    )
)
show(
    t.groupby(t.shop, sort_by=t.item).reduce(
        t.shop, items=r.tuple(t.item), ns=r.sorted_tuple(t.n, skip_nones=True)
    )
)
show(t.groupby(t.shop, t.item).reduce(t.item, t.shop))
show(t.groupby(t.item, instance=t.shop).reduce(t.item, t.shop, c=r.count()))
show(t.groupby(id=t.id).reduce(c=r.count()))
show(t.groupby(t.shop).reduce(t.shop, k=r.count() * 2 + 1, z=t.shop + "!", c=7))
show(t.reduce(c=r.count(), x=r.sum(pw.coalesce(t.n, 0)), first=r.argmin(t.w)))
show(t.reduce(r.any(t.shop)))
show(t.groupby(t.shop).reduce())
show(t.groupby(t.shop).reduce(t.shop, best=pw.this.ix(r.argmax(pw.this.n)).item))
show(t.groupby(t.shop).reduce(t.shop, least=t.ix(r.argmin(t.n), context=pw.this).item))
renamed = t.select(q=t.shop)
show(t.groupby(renamed.q).reduce(t.shop))
show(pw.Table.empty(a=int).reduce(c=r.count()))
changes = pw.debug.table_from_markdown("""
  | g | v | __time__ | __diff__
1 | x | 1 | 2        | 1
2 | x | 5 | 2        | 1
3 | y | 3 | 4        | 1
1 | x | 1 | 6        | -1
1 | x | 4 | 6        | 1
2 | x | 5 | 8        | -1
3 | y | 3 | 8        | -1
""")
g, v = changes.g, changes.v
grouped = changes.groupby(g)
show(
    grouped.reduce(g, c=r.count(), s=r.sum(v), mx=r.max(v), mn=r.min(v), t=r.tuple(v), a=r.any(v), m=r.avg(v))
)
show(changes.reduce(c=r.count()))
for wrong in [
    lambda: t.groupby(t.shop).reduce(t.item),
    lambda: t.groupby(t.n + 1),
    lambda: t.groupby("shop"),
    lambda: t.groupby(t.shop, foo=1),
    lambda: t.groupby(t.shop, t.item, id=t.id),
    lambda: t.reduce(r.sum(t.n)),
    lambda: t.reduce(x=r.sum(t.shop)),
    lambda: t.groupby(t.shop).foo,
]:
    try:
        wrong()
    except Exception as error:
        print(type(error).__name__)
