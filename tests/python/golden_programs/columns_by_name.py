"""Columns by name: slices, placeholders, unpacking, schemas and universes in longer programs."""

from blocks import accepted, attempt, program, show

import pathway as pw

T = pw.debug.table_from_markdown
R = pw.reducers


def people():
    return T("""
      | name | age | city | boss
    1 | ann  | 30  | Oslo |
    2 | bob  | 41  | Lima | 1
    3 | cid  | 25  | Oslo | 2
    4 | dan  | 41  | Rome | 1
    """)


def with_bosses():
    p = people()
    return p.with_columns(boss=pw.require(p.pointer_from(pw.unwrap(p.boss)), p.boss))


@program
def bosses():
    p = with_bosses()
    print(p.schema)
    b = p.ix(p.boss, optional=True)
    show(p.select(p.name, boss=b.name, second=p.ix(b.boss, optional=True).name))
    grand = p.filter(p.boss.is_not_none())
    show(grand.select(grand.name, older=p.ix(grand.boss).age > grand.age))
    grand = p.select(p.name, p.age, boss=pw.coalesce(p.boss, p.id)).filter(pw.this.boss != p.id)
    teams = grand.groupby(grand.boss).reduce(
        grand.boss, names=R.sorted_tuple(grand.name), oldest=R.max(grand.age)
    )
    show(teams.select(*pw.this.without(pw.this.boss), leader=p.ix(teams.boss).name))
    show(grand.groupby(id=grand.boss).reduce(n=R.count()).select(pw.this.n, leader=p.ix(pw.this.id).name))


@program
def columns_by_slices():
    p = people()
    show(p.select(**p.slice.without("age", p.boss).with_prefix("p_")))
    show(p.select(*p.slice[["city", "name"]], **p.slice[["age"]].rename({"age": "years"})))
    show(p.select(*pw.this.without("boss"), next=pw.this.age + 1))
    show(p.select(**pw.this[["name", "age"]].with_suffix("_x")))
    show(p.with_columns(**{c: p[c].to_string() for c in ("age", "city")}))
    print(p.slice.keys(), p.column_names(), list(dict(p)))
    show(p[["name", p.city]].rename({"name": "who"}).with_suffix("2"))
    show(p.rename_columns(age="boss", boss=p.age))


@program
def names_on_both_sides():
    p, q = people(), people().select(pw.this.name, pw.this.city, score=pw.this.age * 2)
    j = p.join(q, p.city == q.city)
    show(j.select(p.name, pw.this.city, other=q.name))
    show(j.select(*pw.left.without("boss"), **pw.right[["name", "score"]].with_prefix("q_")))
    show(j.filter(pw.left.name < pw.right.name).select(a=pw.left.name, b=pw.right.name))
    r = j.groupby(pw.this.city).reduce(
        pw.this.city, n=R.count(), best=R.argmax(pw.right.score, pw.right.name)
    )
    show(r)
    o = p.join_outer(q.filter(q.score > 70), p.name == pw.right.name).select(
        pw.this.name, l=p.age, r=pw.right.score, both=pw.left.id.is_not_none() & pw.right.id.is_not_none()
    )
    show(o)


@program
def three_tables_in_a_row():
    p = people()
    c = T("""
    city | land
    Oslo | no
    Lima | pe
    Bern | ch
    """)
    l = T("""
    land | euro
    no   | False
    pe   | False
    it   | True
    """)
    chain = p.join_left(c, p.city == c.city).join_left(l, pw.left.land == pw.right.land)
    show(chain.select(p.name, c.land, l.euro))
    show(
        chain.select(p.name, euro=pw.coalesce(pw.right.euro, True))
        .groupby(pw.this.euro)
        .reduce(pw.this.euro, n=R.count())
    )
    ids = p.join_left(c.with_id_from(c.city), p.city == pw.right.city, id=p.id).select(land=pw.right.land)
    show(p.select(p.name, ids.land))
    show(
        p.join(c, p.city == c.city, id=p.id)
        .select(*pw.left[["name"]], pw.right.land)
        .intersect(p.filter(p.age > 26))
    )


@program
def promises_made():
    p = people()
    old = p.filter(p.age > 26)
    young = p.difference(old)
    show(
        old.select(old.name, kind="old")
        .concat(young.select(young.name, kind="young"))
        .with_universe_of(p)
        .select(pw.this.kind, p.age)
    )
    named = T("""
      | nick
    1 | a
    2 | b
    3 | c
    4 | d
    """)
    show(p.select(p.name, named.nick))
    more = T("""
      | nick
    1 | a
    4 | d
    9 | z
    """)
    accepted(
        lambda: p.select(more.nick),
        lambda: p.update_cells(more.select(name=more.nick)),
        lambda: p.restrict(more),
    )
    known = more.intersect(p)
    show(p.update_cells(known.select(name=known.nick)))
    show(p.restrict(known).select(pw.this.name, known.nick))
    pw.universes.promise_is_subset_of(known, old)
    show(old.restrict(known).select(pw.this.age))
    extra = T("""
      | name | age | city | boss
    7 | eve  | 5   | Bonn | 2
    """)
    pw.universes.promise_are_pairwise_disjoint(p, extra)
    show(p.concat(extra).reduce(n=R.count(), ages=R.sorted_tuple(pw.this.age)))
    show(p.update_rows(extra.with_columns(age=6)).filter(pw.this.age < 26))


class Typed(pw.Schema, append_only=True):
    name: str = pw.column_definition(primary_key=True)
    age: float
    city: str | None = pw.column_definition(default_value="?")


@program
def checked_transformers():
    @pw.table_transformer(allow_superset={"t": True, "return": False})
    def ages(
        t: pw.Table[pw.schema_from_types(name=str, age=float)],
    ) -> pw.Table[pw.schema_from_types(age=float)]:
        return t.select(age=pw.cast(float, t.age))

    show(ages(people()))
    attempt(lambda: ages(people().without("age")))
    pw.assert_table_has_schema(people(), Typed, ignore_primary_keys=True, allow_subtype=True)
    attempt(lambda: pw.assert_table_has_schema(people(), Typed, allow_subtype=False))
    attempt(lambda: pw.assert_table_has_schema(people(), Typed, allow_superset=False))
    attempt(lambda: pw.assert_table_has_schema(people(), Typed, ignore_primary_keys=False))
    print(Typed.generate_class("Again"))
    print(Typed.with_types(age=int).update_properties(append_only=False).without("city"))
    t = pw.debug.table_from_rows(Typed, [("ann", 1.5, None), ("bob", 2, "Lima")])
    print(
        t.is_append_only, t.select(t.age).is_append_only, t.groupby(t.city).reduce(n=R.count()).is_append_only
    )
    show(t.with_columns(who=t.id == t.pointer_from(t.name)))


@program
def buckets_and_top_rows():
    p = people()
    top = pw.utils.filtering.argmax_rows(p, p.city, what=p.age)
    show(top.select(top.city, top.name))
    show(pw.utils.filtering.argmin_rows(p, what=p.age).select(pw.this.name))
    b = p.with_columns(decade=p.age // 10 * 10)
    h = b.groupby(b.decade).reduce(
        b.decade, n=R.count(), who=R.tuple(b.name), any=R.any(b.city), first=R.argmin(b.age)
    )
    show(h.select(*pw.this.without("first"), first=p.ix(h.first).name))
    show(
        h.filter(h.n > 1).flatten(pw.this.who, origin_id="group").select(pw.this.who, n=h.ix(pw.this.group).n)
    )
    show(pw.utils.col.unpack_col(p.select(x=pw.make_tuple(p.name, p.age, p.city)).x, "a", "b", "c"))
