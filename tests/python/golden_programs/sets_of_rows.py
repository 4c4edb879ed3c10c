"""Filters, set operations, universes, ids, combining tables."""

from blocks import accepted, changes, program, rows, show

import pathway as pw


def table():
    return pw.debug.table_from_markdown("""
      | a | b
    1 | 1 | x
    2 | 2 | y
    3 | 3 | z
    """)


def left_stream():
    return pw.debug.table_from_markdown("""
      | a | __time__ | __diff__
    1 | 1 | 2        | 1
    2 | 2 | 2        | 1
    3 | 3 | 4        | 1
    2 | 2 | 6        | -1
    2 | 9 | 6        | 1
    1 | 1 | 8        | -1
    """)


def right_stream():
    return pw.debug.table_from_markdown("""
      | b | __time__ | __diff__
    2 | p | 2        | 1
    3 | q | 2        | 1
    2 | p | 4        | -1
    4 | s | 4        | 1
    2 | r | 8        | 1
    """)


@program
def filters():
    t = left_stream()
    changes(t.filter(t.a > 1))
    changes(t.filter(pw.this.a % 2 == 1).filter(pw.this.a > 1))
    accepted(
        lambda: t.filter(t.a),
        lambda: t.filter(5),
        lambda: t.filter(t.a > 1, t.a > 2),
        lambda: t.filter(right_stream().b == "x"),
        lambda: t.filter(True),
    )


@program
def filters_that_narrow_types():
    t = rows({"a": int | None, "b": int | None}, (1, None), (None, 2), (3, 4))
    show(t.filter(t.a.is_not_none()))
    show(t.filter(~pw.this.a.is_none()))
    show(t.filter(t.a != None))
    show(t.filter(t.a.is_not_none() & t.b.is_not_none()))
    show(t.filter(t.a.is_not_none()).filter(pw.this.b.is_not_none()).select(s=pw.this.a + pw.this.b))
    accepted(lambda: t.filter(t.a > 1))


@program
def splits():
    t = left_stream()
    big, small = t.split(t.a > 1)
    changes(big)
    changes(small)
    changes(big.concat(small))
    show(big.concat(small).with_universe_of(t) + t.select(k=t.a * 2))


@program
def intersections():
    t, u = left_stream(), right_stream()
    changes(t.intersect(u))
    changes(u.intersect(t, t))
    show(t.intersect())
    show(t.intersect(t.filter(t.a > 1)))
    accepted(lambda: t.intersect(5))


@program
def differences():
    t, u = left_stream(), right_stream()
    changes(t.difference(u))
    changes(u.difference(t))
    d, i = t.difference(t.filter(t.a > 1)), t.intersect(t.filter(t.a > 1))
    accepted(
        lambda: d.concat(i),
        lambda: d.concat(i).with_universe_of(t) + t.select(x=1),
        lambda: t.intersect(u).concat(t.difference(u)),
        lambda: t.concat(t.difference(u)),
    )


@program
def restrictions():
    t = table()
    some = t.filter(t.a > 1).select(k=pw.this.a * 10)
    show(t.restrict(some))
    show(some + t.restrict(some))
    show(t.restrict(t))
    accepted(lambda: t.restrict(right_stream()), lambda: some.restrict(t), lambda: t.restrict(5))


@program
def missing_rows_of_restrictions():
    t = table()
    more = pw.debug.table_from_markdown("""
      | k
    1 | 5
    7 | 6
    """)
    pw.universes.promise_is_subset_of(more, t)
    show(t.restrict(more))
    show(t.restrict(more).select(a=pw.fill_error(pw.this.a, -1)), terminate_on_error=False)
    show(more.select(more.k, b=pw.fill_error(t.restrict(more).b, "none")), terminate_on_error=False)


@program
def tables_take_universes_of_others():
    t = table()
    u = pw.debug.table_from_markdown(
        """
      | v
    1 | 10
    2 | 20
    3 | 30
    """,
        _new_universe=True,
    )
    accepted(lambda: t + u)
    show(t + u.with_universe_of(t))
    show(t.select(t.a, u.with_universe_of(t).v))
    show(t.with_universe_of(t))


@program
def universes_that_are_not_equal():
    t = table()
    u = pw.debug.table_from_markdown("""
      | v
    1 | 10
    2 | 20
    8 | 30
    """)
    show(u.with_universe_of(t))
    show(u.with_universe_of(t).select(v=pw.fill_error(pw.this.v, -1)), terminate_on_error=False)
    s = left_stream()
    w = pw.debug.table_from_markdown("""
      | v | __time__
    1 | 5 | 2
    2 | 6 | 4
    3 | 7 | 4
    """)
    changes(w.with_universe_of(s).select(text=pw.fill_error(pw.this.v, -1)), terminate_on_error=False)


@program
def promises():
    t = table()
    u = pw.debug.table_from_markdown("""
      | a | b
    7 | 5 | q
    8 | 6 | r
    """)
    accepted(lambda: t.concat(u))
    print(pw.universes.promise_are_pairwise_disjoint(t, u), t.promise_universes_are_disjoint(u) is t)
    show(t.concat(u))
    some = pw.debug.table_from_markdown("""
      | b
    1 | new
    """)
    accepted(lambda: t.update_cells(some))
    print(some.promise_universe_is_subset_of(t) is some)
    show(t.update_cells(some))
    same = t.filter(t.a > 0)
    accepted(lambda: t.restrict(same), lambda: same.restrict(t))
    print(pw.universes.promise_are_equal(same, t), same.promise_universe_is_equal_to(t) is same)
    show(same.restrict(t))
    accepted(
        lambda: t.promise_universes_are_disjoint(5),
        lambda: pw.universes.promise_are_equal(t),
        lambda: pw.universes.promise_is_subset_of(t, 5),
    )


@program
def what_can_be_proved():
    t, u = table(), right_stream()
    f = t.filter(t.a > 1)
    g = f.filter(pw.this.a > 2)
    accepted(
        lambda: t.restrict(g),
        lambda: g.restrict(t),
        lambda: t.intersect(f).restrict(g),
        lambda: f.intersect(t).restrict(g),
        lambda: t.update_cells(g.select(pw.this.a)),
        lambda: t.restrict(f.update_rows(g)),
        lambda: t.restrict(t.difference(f)),
        lambda: f.concat(t.difference(f)),
        lambda: f.concat(g),
        lambda: t.update_rows(g).restrict(t),
        lambda: t.intersect(u).restrict(u.intersect(t)),
        lambda: u.intersect(t).with_columns(x=1).restrict(t.intersect(u)),
        lambda: t.concat(u.difference(t).select(a=1, b="")),
    )


@program
def ids_from_columns():
    t = rows({"a": int, "b": str}, (1, "x"), (2, "y"))
    show(t.with_id_from(t.a))
    show(t.with_id_from(t.a, t.b))
    show(t.with_id_from(pw.this.b, instance=pw.this.a))
    show(t.with_id_from(t.a + 1, "const"))
    show(t.select(t.a, p=t.pointer_from(t.b)).with_id(pw.this.p))
    accepted(
        lambda: t.with_id(t.a),
        lambda: t.with_id(t.pointer_from(t.a)),
        lambda: t.with_id_from(),
        lambda: t.with_id("a"),
        lambda: t.select(p=t.pointer_from(t.a, optional=True)).with_id(pw.this.p),
    )
    changes(left_stream().with_id_from(pw.this.a))


@program
def ids_that_are_not_unique():
    t = rows({"a": int, "b": str}, (1, "x"), (1, "y"))
    show(t.with_id_from(t.a))
    show(t.with_id_from(t.a).select(pw.this.b), terminate_on_error=False)
    show(t.with_id_from(t.a).reduce(n=pw.reducers.count()))


@program
def concatenation():
    t = table()
    u = rows({"b": str | None, "a": float}, (None, 0.5)).without("k").with_id_from("other")
    pw.universes.promise_are_pairwise_disjoint(t, u)
    show(t.concat(u))
    show(t.concat())
    show(pw.Table.concat(t, u))
    accepted(
        lambda: t.concat(t),
        lambda: t.concat(u.select(pw.this.a)),
        lambda: t.concat(u.with_columns(z=1)),
        lambda: t.concat_reindex(t.select(a="x", b="y")),
        lambda: t.concat(5),
    )
    anything = {"a": pw.internals.dtype.ANY}
    show(
        t[["b", "a"]]
        .update_types(**anything)
        .concat_reindex(t.select(a="x", b=t.b + "2").update_types(**anything))
    )


@program
def concatenation_with_new_ids():
    t = table()
    show(t.concat_reindex(t))
    show(t.concat_reindex())
    show(pw.Table.concat_reindex(t, t.select(b="q", a=pw.this.a * 0.5)))
    changes(left_stream().concat_reindex(left_stream().filter(pw.this.a > 2)))


@program
def updated_cells():
    t, u = left_stream(), right_stream()
    t = t.select(t.a, b="none")
    changes(t.update_cells(u.promise_universe_is_subset_of(t)), terminate_on_error=False)
    s = table()
    f = s.filter(s.a > 1)
    show(s << f.select(b=None))
    show(s.update_cells(f.select(a=pw.this.a * 0.5)))
    show(s.update_cells(s.select(b=5)))
    accepted(
        lambda: s.update_cells(f.select(c=1)),
        lambda: s.update_cells(f.select(a="x")),
        lambda: f.update_cells(s),
        lambda: s << 5,
    )


@program
def updated_rows():
    t, u = left_stream(), right_stream().select(a=pw.this.b.str.len() * 100)
    changes(t.update_rows(u))
    s = table()
    f = s.filter(s.a > 1).select(a=pw.this.a * 10, b="new")
    show(s.update_rows(f))
    show(f.update_rows(s))
    show(s.update_rows(f) + s.select(k=0))
    show(s.update_rows(f.with_columns(a=0.5, b=None)))
    accepted(
        lambda: s.update_rows(f.select(pw.this.a)),
        lambda: s.update_rows(f.with_columns(c=1)),
        lambda: s.update_rows(f.with_columns(a="x")),
    )


@program
def flattened_columns():
    t = rows(
        {"s": str, "li": list[int], "tu": tuple[float, float], "j": pw.Json},
        ("ab", [1, 2], (1.0, 2.5), [1, "x"]),
        ("", [], (3.0, 4.5), []),
        ("ż", [7], (5.0, 6.0), [None]),
    )
    for name in ("s", "li", "tu", "j"):
        show(t.select(t.k, t[name]).flatten(pw.this[name]))
    show(t.select(t.k, t.s).flatten(t.s, origin_id="from"))
    show(t.flatten(t.li).select(pw.this.li, pw.this.s))
    accepted(
        lambda: t.flatten(t.k),
        lambda: t.flatten("s"),
        lambda: t.select(o=pw.require(t.s, t.k)).flatten(pw.this.o),
        lambda: t.flatten(t.zz),
    )


@program
def flattened_columns_change():
    t = pw.debug.table_from_markdown("""
      | w    | n | __time__ | __diff__
    1 | abca | 1 | 2        | 1
    2 | x    | 2 | 2        | 1
    1 | abca | 1 | 4        | -1
    1 | abd  | 1 | 4        | 1
    2 | x    | 2 | 6        | -1
    2 | x    | 3 | 6        | 1
    """)
    changes(t.flatten(t.w))
    changes(t.select(t.w).flatten(t.w))


@program
def flattened_values_of_any_type():
    t = rows({"v": pw.internals.dtype.ANY, "j": pw.Json}, ((1, "x"), {"a": 1}), (5, [2]), (None, None))
    show(t.flatten(t.v), terminate_on_error=False)
    show(t.select(t.k, t.j).flatten(t.j), terminate_on_error=False)
    show(t.flatten(t.v))
