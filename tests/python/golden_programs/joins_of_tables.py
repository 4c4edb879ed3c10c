"""Joins: modes, conditions, ids, names, chains, updates."""

from blocks import accepted, changes, program, rows, show, values

import pathway as pw

R = pw.reducers


def cities():
    left = pw.debug.table_from_markdown("""
      | city | qty
    1 | Oslo | 4
    2 | Lima | 7
    3 | Rome | 1
    """)
    right = pw.debug.table_from_markdown("""
       | city  | tax
    11 | Oslo  | 2
    12 | Oslo  | 3
    13 | Cairo | 5
    """)
    return left, right


def streams():
    left = pw.debug.table_from_markdown("""
      | k | a | __time__ | __diff__
    1 | x | 1 | 2        | 1
    2 | y | 2 | 2        | 1
    3 | x | 3 | 4        | 1
    1 | x | 1 | 8        | -1
    2 | y | 2 | 10       | -1
    2 | x | 2 | 10       | 1
    """)
    right = pw.debug.table_from_markdown("""
       | k | b | __time__ | __diff__
    11 | x | 5 | 4        | 1
    12 | z | 6 | 4        | 1
    13 | y | 7 | 6        | 1
    13 | y | 7 | 8        | -1
    11 | x | 5 | 12       | -1
    """)
    return left, right


def modes(action):
    for how in pw.JoinMode:
        print(how.name, how.value)
        action(how)


@program
def rows_of_every_mode():
    left, right = cities()
    modes(
        lambda how: show(
            left.join(right, left.city == right.city, how=how).select(pw.this.city, pw.left.qty, pw.right.tax)
        )
    )
    show(
        left.join_outer(right, left.city == right.city).select(
            pw.this.city, pw.left.qty, pw.right.tax, t=pw.require(left.qty + right.tax, left.id, right.id)
        )
    )


@program
def changes_of_every_mode():
    left, right = streams()
    modes(
        lambda how: changes(left.join(right, left.k == right.k, how=how).select(pw.this.k, left.a, right.b))
    )


@program
def joins_by_other_names():
    left, right = cities()
    c = left.city == right.city
    for j in (
        left.join(right, c),
        left.join_inner(right, c),
        left.join_left(right, c),
        left.join_right(right, c),
        left.join_outer(right, c),
        pw.join(left, right, c),
        pw.join_inner(left, right, c),
        pw.join_right(left, right, c),
        pw.join_outer(left, right, c),
    ):
        print(type(j).__name__)
        values(j.select(left.qty, right.tax))


@program
def cross_products():
    left, right = cities()
    show(left.join(right).select(left.qty, right.tax))
    show(left.filter(left.qty > 100).join_left(right).select(pw.left.qty, right.tax))
    show(left.join_left(right.filter(right.tax > 100)).select(left.qty, pw.right.tax))


@program
def several_conditions():
    l = rows({"a": int, "b": str | None}, (1, "x"), (1, "y"), (2, None), (3, None))
    r = rows({"a": int, "b": str | None, "v": int}, (1, "x", 10), (1, "z", 20), (2, None, 30), (4, None, 40))
    show(l.join(r, l.a == r.a, l.b == r.b).select(l.a, l.b, r.v))
    show(
        l.join_outer(r, l.b == r.b)
        .select(pw.this.b, la=l.a, ra=r.a)
        .groupby(pw.this.b)
        .reduce(pw.this.b, n=R.count())
    )
    show(l.join(r, pw.left.a == pw.right.a, pw.left.b == pw.right.b).select(pw.left.b, pw.right.v))


@program
def ids_of_joined_rows():
    left, right = cities()
    c = left.city == right.city
    few = right.filter(right.tax != 3)
    d = left.city == few.city
    show(left.join(few, d, id=left.id).select(left.qty, few.tax))
    show(left.join_left(few, d, id=left.id).select(left.qty, few.tax))
    show(left.join_left(few, d, id=left.id).select(few.tax) + left)
    show(left.join(right, c, id=right.id).select(left.qty, right.tax))
    show(left.join_right(right, c, id=right.id).select(left.qty, right.tax))
    show(left.join(right, c).select(i=pw.this.id, l=left.id, r=right.id))
    show(left.join_outer(right, c).select(l=left.id, r=pw.right.id))
    accepted(
        lambda: left.join(right, c, id=left.qty),
        lambda: left.join_outer(right, c, id=left.id),
        lambda: left.join_left(right, c, id=right.id),
        lambda: left.join_right(right, c, id=left.id),
        lambda: left.join(right, c, id="x"),
    )


@program
def several_matches_with_ids():
    left, right = cities()
    j = left.join(right, left.city == right.city, id=left.id).select(left.qty, right.tax)
    show(j)
    show(j, terminate_on_error=False)


@program
def joins_by_pointers():
    left, right = cities()
    p = left.select(left.qty, p=left.pointer_from(11))
    right = right.update_id_type(pw.Pointer[int])
    show(p.join(right, p.p == right.id).select(p.qty, right.tax))
    show(p.join_left(right, pw.left.p == pw.right.id, id=pw.left.id).select(p.qty, right.city))
    show(left.join(left.copy(), pw.left.id == pw.right.id).select(a=pw.left.qty, b=pw.right.city))


@program
def joins_with_instances():
    l = rows({"a": int, "i": int}, (1, 0), (1, 1), (2, 0))
    r = rows({"a": int, "i": int, "v": str}, (1, 0, "p"), (1, 1, "q"), (2, 1, "r"))
    show(l.join(r, l.a == r.a, left_instance=l.i, right_instance=r.i).select(l.a, l.i, r.v))
    show(l.join_left(r, l.a == r.a, left_instance=l.i, right_instance=r.i).select(l.a, l.i, r.v))
    show(l.join(r, left_instance=l.i, right_instance=r.i).select(pw.this.i, x=l.a, y=r.v))
    accepted(lambda: l.join(r, left_instance=l.i))


@program
def conditions_that_are_refused():
    left, right = cities()
    other = left.copy()
    accepted(
        lambda: left.join(right, left.city != right.city),
        lambda: left.join(right, (left.city == right.city) & (left.qty == right.tax)),
        lambda: left.join(right, right.city == left.city),
        lambda: left.join(right, left.city == "Oslo"),
        lambda: left.join(right, left.city == right.tax),
        lambda: left.join(right, other.city == right.city),
        lambda: left.join(right, left.city == other.city),
        lambda: left.join(right, "city"),
        lambda: left.join(right, left.qty + 1 == right.tax),
        lambda: left.join(left, left.city == left.city),
        lambda: left.join(right, left.city == right.city, how="left"),
        lambda: left.join(right, left.city == right.city, how=1),
        lambda: left.join_left(right, left.city == right.city, how=pw.JoinMode.LEFT),
        lambda: left.join(right, left.city == right.city, foo=1),
        lambda: left.join(right, left.zz == right.city),
        lambda: left.join(right, left.update_types(city=str | None).city == right.city),
        lambda: left.join(right.update_types(city=str | None), left.city == pw.right.city),
        lambda: left.update_types(city=pw.internals.dtype.ANY).join(right, pw.left.city == right.city),
    )


@program
def names_of_joined_columns():
    l = rows({"a": int, "x": int, "only_l": int}, (1, 10, 100))
    r = rows({"a": int, "x": int, "only_r": int}, (1, 20, 200))
    j = l.join(r, l.a == r.a)
    print(list(j.keys()), j.a, j["only_r"], [c.name for c in j])
    show(j.select(*pw.this))
    show(j.select(pw.this.a, ax=l.x, bx=pw.right.x, c=pw.this.only_r))
    show(j.select(*pw.left, *pw.right.without("k", "a", "x")))
    show(j.select(**pw.left.with_prefix("l_"), **pw.right.with_prefix("r_")))
    accepted(
        lambda: j.select(pw.this.x),
        lambda: j.x,
        lambda: j["x"],
        lambda: j.zz,
        lambda: j["zz"],
        lambda: j.select(pw.this.zz),
        lambda: j.select(*pw.left, *pw.right),
        lambda: j.select(l.copy().x),
    )


@program
def merged_key_columns():
    l = rows({"a": int, "v": str}, (1, "p"), (2, "q"))
    r = rows({"a": int | None, "w": str}, (1, "r"), (None, "s"))
    modes(lambda how: show(l.join(r, l.a == r.a, how=how).select(pw.this.a, la=l.a, ra=r.a)))
    s = rows({"b": int, "w": str}, (1, "r"), (3, "s"))
    show(l.join_outer(s, l.a == s.b).select(pw.this.a, pw.this.b))


@program
def selections_of_one_join():
    left, right = cities()
    j = left.join(right, left.city == right.city)
    first = j.select(left.qty, tax=right.tax)
    show(first + j.select(sum=left.qty + right.tax))
    show(j.select(more=first.qty * 10 + right.tax))
    show(j.select())


@program
def filters_of_joins():
    left, right = cities()
    j = left.join_left(right, left.city == right.city)
    show(j.filter(right.tax.is_not_none()).select(left.city, double=right.tax * 2))
    show(j.filter(pw.this.qty > 3).select(left.city, right.tax))
    show(j.filter(left.qty > 3).filter(pw.right.tax != 3).select(left.city, right.tax))
    show(j.filter(left.qty > 3).groupby(left.city).reduce(left.city, n=R.count()))


@program
def branches_over_joined_sides():
    left, right = cities()
    j = left.join_left(right, left.city == right.city)
    show(j.select(left.city, total=pw.coalesce(right.tax, 0) + left.qty))
    show(j.select(left.city, total=pw.if_else(pw.right.id.is_none(), 0, right.tax + 1)))
    show(j.select(left.city, total=pw.require(left.qty * right.tax, right.id)))
    accepted(lambda: j.select(x=left.qty + right.tax))


@program
def groups_of_joins():
    left, right = cities()
    j = left.join(right, left.city == right.city)
    show(j.groupby(pw.this.city).reduce(pw.this.city, n=R.count(), s=R.sum(right.tax * left.qty)))
    show(j.groupby(left.city).reduce(left.city, s=R.sum(pw.right.tax)))
    show(j.groupby(left.city).reduce(pw.this.city, m=R.max(pw.this.tax)))
    show(j.reduce(n=R.count(), s=R.sum(pw.this.tax)))
    show(
        left.join_left(right, left.city == right.city)
        .groupby(left.city, left.qty)
        .reduce(left.city, left.qty, n=R.count(right.tax), t=R.sorted_tuple(right.tax))
    )
    accepted(lambda: j.groupby(left.city).reduce(right.tax))
    print(type(j.groupby(left.city)).__name__)


@program
def chains_of_joins():
    left, right = cities()
    lands = pw.debug.table_from_markdown("""
       | name | land
    21 | Oslo | NO
    22 | Rome | IT
    """)
    j = left.join_left(right, left.city == right.city).join_left(lands, pw.left.city == pw.right.name)
    show(j.select(left.city, right.tax, lands.land))
    show(
        left.join(right, left.city == right.city)
        .join(lands, left.city == lands.name)
        .select(pw.this.city, pw.this.tax, pw.this.land, q=pw.left.qty)
    )
    show(
        lands.join(left.join(right, left.city == right.city), lands.name == pw.right.city).select(
            lands.land, right.tax
        )
    )
    show(
        left.join(right, left.city == right.city)
        .join(lands, left.city == lands.name, id=pw.left.id)
        .select(right.tax, lands.land)
    )


@program
def chains_change():
    left, right = streams()
    third = pw.debug.table_from_markdown("""
       | k | c | __time__ | __diff__
    21 | x | 9 | 2        | 1
    21 | x | 9 | 10       | -1
    """)
    changes(
        left.join_left(right, left.k == right.k)
        .join_left(third, left.k == third.k)
        .select(left.a, right.b, third.c)
    )


@program
def indexing_from_joins():
    left, right = cities()
    lands = pw.debug.table_from_markdown("""
    name | land
    Oslo | NO
    Lima | PE
    Rome | IT
    """).with_id_from(pw.this.name)
    j = left.join(right, left.city == right.city)
    show(j.select(left.city, right.tax, land=lands.ix_ref(left.city, context=pw.this).land))
    keyed = left.select(left.qty, p=lands.pointer_from(left.city))
    show(keyed.join(right, keyed.qty == right.tax).select(keyed.qty))
    show(
        keyed.join(right.with_columns(four=4), keyed.qty == pw.right.four).select(
            keyed.qty, land=lands.ix(keyed.p, context=pw.this).land
        )
    )


@program
def self_joins():
    t = rows({"who": str, "boss": str | None}, ("ann", None), ("bob", "ann"), ("cat", "bob"), ("dan", "ann"))
    u = t.copy()
    show(t.join(u, t.boss == u.who).select(t.who, boss=u.who, above=u.boss))
    accepted(lambda: t.join(t, t.boss == t.who))


@program
def joins_exactly_once():
    left = pw.debug.table_from_markdown("""
      | k | __time__
    1 | x | 2
    2 | y | 2
    3 | x | 6
    """)
    right = pw.debug.table_from_markdown("""
       | k | v | __time__
    11 | x | 5 | 4
    12 | x | 6 | 6
    13 | y | 7 | 8
    """)
    changes(left.join(right, left.k == right.k, right_exactly_once=True).select(left.k, right.v))


@program
def joins_of_empty_tables():
    left, _ = cities()
    none = pw.debug.table_from_rows(pw.schema_from_types(city=str, tax=int), [])
    modes(lambda how: show(left.join(none, left.city == none.city, how=how).select(pw.this.city, none.tax)))


@program
def keys_of_other_kinds():
    kinds = {
        "i": int,
        "f": float,
        "p": tuple[int, str],
        "d": pw.DateTimeNaive,
        "j": pw.Json,
        "y": bytes,
        "b": bool,
    }
    one = (1, 0.5, (1, "a"), pw.DateTimeNaive("2020-01-01"), {"a": 1}, b"x", True)
    two = (2, -0.0, (2, "a"), pw.DateTimeNaive("2020-01-02"), {"a": 2}, b"", False)
    three = (3, 0.0, (1, "b"), pw.DateTimeNaive("2020-01-03"), {"a": 1, "b": 2}, b"xx", False)
    l, r = rows(kinds, one, two), rows(kinds, one, three)
    for name in kinds:
        show(l.join(r, l[name] == r[name]).select(lk=l.k, rk=r.k), ids=False)
