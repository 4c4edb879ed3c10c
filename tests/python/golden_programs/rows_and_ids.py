"""Row sets, ids, combining, looking up, flattening."""

import warnings

import pathway as pw
from pathway import reducers as r

warnings.simplefilter("ignore")
t = pw.debug.table_from_markdown("""
  | shop | item | n
1 | A    | tea  | 2
2 | A    | nut  | 5
3 | B    | tea  | 1
4 | C    | nut  |
""")


def show(table):
    print(table)
    pw.debug.compute_and_print_update_stream(table)


missing, known = t.split(t.n.is_none())
for table in (
    missing,
    known,
    known.concat(missing),
    t.difference(missing),
    t.intersect(known),
    t.restrict(known),
):
    show(table)
show(known.concat(missing).with_universe_of(t) + t.select(k=1))
show(t.with_id_from(t.shop, t.item))
show(t.with_id_from(t.item, instance=t.shop))
show(t.select(p=t.pointer_from(t.shop, t.item)).with_id(pw.this.p))
show(t.select(a=t.pointer_from(t.n, optional=True), c=t.pointer_from()))
show(t.concat_reindex(t))
new = pw.debug.table_from_markdown("""
  | shop | item | n
1 | Z    | tea  | 2
9 | Z    | nut  | 5
""")
show(t.update_rows(new))
cells = pw.debug.table_from_markdown("""
  | n
1 | 77
""")
show(t.update_cells(cells.promise_universe_is_subset_of(t)))
show(t << t.select(n=1.5))
show(t.flatten(t.item, origin_id="from"))
lists = pw.debug.table_from_rows(
    pw.schema_from_types(a=list[int], b=str), [([1, 2], "x"), ([], "y"), ([3], "z")]
)
show(lists.flatten(lists.a))
totals = known.groupby(known.shop).reduce(known.shop, total=r.sum(known.n))
show(known.select(known.item, share=known.n / totals.ix_ref(known.shop).total))
show(t.select(t.item, m=t.reduce(m=r.max(t.n)).ix_ref(context=t).m))
show(t.select(x=totals.ix_ref(t.shop, allow_misses=True).total))
pointers = pw.debug.table_from_rows(
    pw.schema_from_types(p=pw.Pointer | None), [(pw.engine.ref_scalar(1),), (None,)]
)
show(pointers.select(x=t.ix(pointers.p, optional=True).item))
show(pointers + t.ix(pointers.p, optional=True)[["item"]])
show(pointers.select(x=t.ix(pw.this.p, optional=True).item))
show(t.cast_to_types(n=float | None))
show(t.rename(q=t.shop).rename_columns(q="item", item="q").with_prefix("x_"))
show(t[["n", pw.this.shop]].without("n").with_columns(a=1, shop=pw.this.shop + "!"))
show(t.select(**pw.this.without("n").with_suffix("_s"), k=pw.this.rename({"n": "m"}).m))
show(pw.Table.from_columns(t.n, q=t.shop))
other = pw.debug.table_from_markdown("""
  | k
1 | 1
7 | 2
""")
for wrong in [
    lambda: t.select(other.k),
    lambda: t + other,
    lambda: t.concat(t),
    lambda: t.concat(other),
    lambda: t.update_cells(other),
    lambda: t.update_rows(other),
    lambda: t.restrict(other),
    lambda: t.with_id(t.n),
    lambda: t.ix(t.n),
    lambda: t.flatten(t.n),
    lambda: t.filter(t.n),
    lambda: t.filter(5),
    lambda: t.select("n"),
    lambda: t.select(t.n + 1),
    lambda: t.select(t.n, n=3),
    lambda: t.select(id=t.n),
    lambda: t.select(pw.this.zz),
    lambda: t.select(pw.left.n),
    lambda: t.select(x=t),
    lambda: t.without("zz"),
    lambda: t.rename_columns(q="zz"),
    lambda: t.rename_by_dict({"zz": "q"}),
    lambda: t.update_types(n=str),
    lambda: t.cast_to_types(zz=int),
    lambda: pw.this.select,
    lambda: pw.this(),
    lambda: bool(t.n),
    lambda: list(t.n),
    lambda: t.zz,
    lambda: t["zz"],
]:
    try:
        wrong()
        print("accepted")
    except Exception as error:
        print(type(error).__name__)
