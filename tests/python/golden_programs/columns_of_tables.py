"""References, placeholders, slices, and operations on columns."""

import numpy as np
from blocks import accepted, changes, program, show, values

import pathway as pw


def table():
    return pw.debug.table_from_markdown("""
      | shop | item | n
    1 | A    | tea  | 2
    2 | A    | nut  | 5
    3 | B    | tea  |
    """)


@program
def forms_of_references():
    t = table()
    show(t.select(t.shop, t["item"], t.C.n, x=t.C["n"], y=pw.this.n, z=pw.this["n"], w=pw.this.C.n))
    show(t[["n", t.shop, pw.this.item]])
    show(t.select(x=t.id, y=pw.this.id, z=t["id"]))
    print(
        t.shop.name,
        t[pw.this.n].name,
        t[t.n].name,
        list(t.keys()),
        list(t.column_names()),
        [c.name for c in t],
        list(dict(t)),
    )
    other = table()
    accepted(
        lambda: t.zz,
        lambda: t["zz"],
        lambda: t.C.zz,
        lambda: t.C["zz"],
        lambda: t[other.n],
        lambda: t[["n", "n"]],
        lambda: t[5],
        lambda: t.select(pw.this.zz),
        lambda: pw.this.select,
        lambda: pw.this.join,
        lambda: len(t),
        lambda: t == t.copy(),
    )
    print(t == t.copy(), t == t, hash(t) == hash(t))


@program
def columns_named_like_methods():
    t = pw.debug.table_from_rows(
        pw.schema_from_types(**{"select": int, "C": int, "_x": int, "a b": str, "join": int}),
        [(1, 2, 3, "x", 4)],
    )
    show(t.select(a=t["select"], b=t.C.C, c=t.C.select, d=t["_x"], e=t["a b"], f=pw.this["join"]))
    show(t.select(t["a b"], **{"new name": t["_x"]}))
    accepted(lambda: t.select(id=t["_x"]), lambda: t.rename_columns(q="select"), lambda: t.select(t.id))


@program
def arguments_of_select():
    t = table()
    show(t.select())
    show(t.select(t.n, k=1, s="x", none=None, tup=(1, t.n), li=[1, 2], d={"a": 1}, c=(1, 2)))
    show(
        t.select(
            t.shop,
            t.item,
            a=np.array([1, 2]),
            p=pw.engine.ref_scalar(1),
            u=pw.DateTimeUtc("2020-01-01T00:00Z"),
        )
    )
    accepted(
        lambda: t.select("n"),
        lambda: t.select(t.n + 1),
        lambda: t.select(1),
        lambda: t.select(t.n, n=1),
        lambda: t.select(t.n, t.n),
        lambda: t.select(x=t),
        lambda: t.select(t),
        lambda: t.select(x=len),
        lambda: t.select(x={1, 2}),
        lambda: t.select(*t, *t),
    )


@program
def columns_are_added_and_replaced():
    t = table()
    show(t.with_columns(n=t.shop, k=t.n, shop=t.item + "!"))
    show(t.with_columns(t.select(q=1).q, z=pw.this.n))
    show(t.with_columns())
    accepted(lambda: t.with_columns(id=1), lambda: t.with_columns(t.n + 1))


@program
def columns_are_dropped():
    t = table()
    show(t.without("n"))
    show(t.without(t.n, pw.this.shop))
    show(t.without("n", "shop", "item"))
    accepted(lambda: t.without("zz"), lambda: t.without("n", "n"), lambda: t.without(pw.this.zz))


@program
def columns_are_renamed():
    t = table()
    show(t.rename_columns(q="n"))
    show(t.rename_columns(q=t.n, w=pw.this.shop))
    show(t.rename_columns(shop="item", item="shop"))
    show(t.rename_columns(item="shop"))
    show(t.rename_by_dict({"n": "q", t.shop: "w", pw.this.item: "e"}))
    show(t.rename({"n": "q"}))
    show(t.rename(q=t.n))
    show(t.with_prefix("a_"))
    show(t.with_suffix("_z"))
    accepted(
        lambda: t.rename_columns(q="zz"),
        lambda: t.rename_by_dict({"zz": "q"}),
        lambda: t.rename_by_dict({"n": 5}),
        lambda: t.with_prefix(5),
    )


@program
def tables_side_by_side():
    t = table()
    show(t[["n"]] + t.select(k=t.n).select(pw.this.k))
    show(t.without("n") + t.select(x=1) + t.select(y=2))
    other = pw.debug.table_from_markdown("""
      | v
    1 | x
    2 | y
    3 | z
    """)
    show(t + other)
    show(t.select(t.n, other.v))
    accepted(lambda: t + t, lambda: t + t.filter(t.n > 0).select(x=1))
    t += other
    print(list(t.keys()))


@program
def tables_from_columns():
    t = table()
    u = t.select(k=1)
    show(pw.Table.from_columns(t.n, u.k, q=t.shop))
    accepted(
        lambda: pw.Table.from_columns(),
        lambda: pw.Table.from_columns("n"),
        lambda: pw.Table.from_columns(t.n, n=u.k),
        lambda: pw.Table.from_columns(t.n, t.copy().n),
        lambda: pw.Table.from_columns(t.n, pw.Table.empty(a=int).a),
    )


@program
def empty_tables():
    e = pw.Table.empty(a=int, b=str | None)
    show(e)
    show(e.select(x=e.a + 1))
    print(e.is_append_only, repr(e), pw.Table.empty().schema)
    accepted(lambda: pw.Table.empty(a=5))


@program
def placeholders_and_unpacking():
    t = table()
    show(t.select(*pw.this))
    show(t.select(*pw.this.without("n"), k=pw.this.n))
    show(t.select(**pw.this.with_prefix("a_")))
    show(t.select(*pw.this.with_prefix("a_")))
    show(t.select(a=5, **pw.this))
    show(t.select(shop=5, **pw.this))
    show(t.select(**pw.this[["n"]].rename({"n": "q"}), **pw.this[["shop"]].with_suffix("_s")))
    show(t.select(*t.slice.without(t.n), q=t.slice.n))
    show(t.with_columns(**pw.this[["n"]].with_suffix("2")))
    show(t.select(x=pw.this.without("n").shop, y=pw.this.rename({"n": "m"}).m, z=pw.this.slice.n))
    show(t.without(*pw.this[["n"]]))
    show(t.groupby(*pw.this[["shop"]]).reduce(*pw.this[["shop"]], n=pw.reducers.count()))
    accepted(
        lambda: t.select(*pw.this, n=1),
        lambda: t.select(x=pw.this.without("n").n),
        lambda: pw.this(),
        lambda: t.select(pw.left.n),
        lambda: t.select(x=pw.right.n),
        lambda: t.select(x=pw.make_tuple(*pw.this)),
        lambda: t.select(x=pw.apply(len, *pw.this)),
        lambda: list(pw.this.n),
    )


@program
def slices_of_tables():
    t = table()
    s = t.slice
    print(s, list(s.keys()), [c.name for c in s], s["n"], s.shop, s[t.n], s.slice.keys() == s.keys())
    print(
        s[["n", t.shop]],
        s.without("n"),
        s.without(t.n, pw.this.shop),
        s.rename({"n": "q", t.shop: "w"}),
        s.rename({"n": "shop", "shop": "n"}),
    )
    print(s.with_prefix("a_"), s.with_suffix("_z"), s.rename({"n": pw.this.q}))
    other = table()
    accepted(
        lambda: s["zz"],
        lambda: s.zz,
        lambda: s.select,
        lambda: s.without("zz"),
        lambda: s[other.n],
        lambda: s.without(other.n),
        lambda: s.without(pw.left.n),
        lambda: s.rename({"zz": "q"}),
        lambda: s[["n", "zz"]],
    )
    show(t.select(*s, **s.with_prefix("x_")))
    show(other.select(*t.slice.ix(other.id).without("n")))
    show(other.select(**t.slice.ix_ref(1, context=other)))


@program
def rows_as_arguments():
    t = table()
    values(t.select(r=pw.apply(lambda *row: str(row), *t), m=pw.make_tuple(*t)))
    accepted(
        lambda: t.select(r=pw.apply(str, t)),
        lambda: t.select(r=pw.apply(str, pw.this)),
        lambda: pw.apply(str),
    )


@program
def changes_of_columns_that_are_left_out():
    s = pw.debug.table_from_markdown("""
      | a | b | __time__ | __diff__
    1 | 1 | x | 2        | 1
    1 | 1 | x | 4        | -1
    1 | 2 | x | 4        | 1
    1 | 2 | x | 6        | -1
    1 | 2 | y | 6        | 1
    """)
    changes(s.select(s.b))
    changes(s.select(z=s.a * 0))
    changes(s.select())
    changes(s)


@program
def append_only_tables():
    t = table()
    d = pw.debug.table_from_markdown("""
      | a | __time__ | __diff__
    1 | 1 | 2        | 1
    1 | 1 | 4        | -1
    """)
    R = pw.reducers
    for name, u in {
        "static": t,
        "deletes": d,
        "select": t.select(t.n),
        "filter": t.filter(t.n.is_none()),
        "without": t.without("n"),
        "reduce": t.reduce(n=R.count()),
        "group": t.groupby(t.shop).reduce(t.shop),
        "flatten": t.flatten(t.shop),
        "with_id_from": t.with_id_from(t.n),
        "concat": t.concat_reindex(t),
        "mixed": t.select(a=1).concat_reindex(d),
        "inner": t.join(t.copy(), t.n == pw.right.n).select(t.n),
        "left": t.join_left(t.copy(), t.n == pw.right.n).select(t.n),
        "ix": t.ix(t.id),
        "ix misses": t.ix(t.id, allow_misses=True),
        "difference": t.difference(t.filter(t.n == 2)),
        "intersect": t.intersect(t.filter(t.n == 2)),
        "update_rows": t.update_rows(t.with_id_from(t.n)),
        "update_cells": t.update_cells(t.filter(t.n == 2).select(n=1)),
        "restrict": t.restrict(t.filter(t.n == 2)),
        "empty": pw.Table.empty(a=int),
        "no columns": t.select(),
        "no columns of deletes": d.select(),
        "update_types": t.update_types(n=pw.internals.dtype.ANY),
        "remove_errors": t.remove_errors(),
        "copy": d.copy(),
        "constant": d.select(c=1),
        "udf": t.select(x=pw.apply(len, t.shop)),
    }.items():
        print(name, u.is_append_only, [c.append_only for c in u.schema.columns().values()])
