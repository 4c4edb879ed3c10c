"""Computations over whole tables: iterations, code over rows and data frames, states of groups."""

import pandas as pd
from blocks import changes, program, show

import pathway as pw
from pathway.internals import ClassArg, attribute, input_attribute, output_attribute, transformer

T = pw.debug.table_from_markdown
R = pw.reducers


@program
def reachable_places():
    roads = T("""
    a | b
    1 | 2
    2 | 3
    4 | 5
    """)
    start = T("""
    n
    1
    """)

    def step(reached, roads):
        new = reached.join(roads, reached.n == roads.a).select(n=roads.b)
        both = pw.Table.concat_reindex(reached, new)
        return dict(reached=both.groupby(both.n).reduce(both.n))

    first = start.groupby(start.n).reduce(start.n)
    show(pw.iterate(step, reached=pw.iterate_universe(first), roads=roads).reached)


@program
def reachable_places_follow_the_roads():
    roads = T("""
      | a | b | __time__ | __diff__
    1 | 1 | 2 | 2        | 1
    2 | 2 | 3 | 2        | 1
    3 | 3 | 1 | 4        | 1
    2 | 2 | 3 | 6        | -1
    4 | 1 | 9 | 6        | 1
    """)

    def step(pairs, roads):
        more = pairs.join(roads, pairs.y == roads.a).select(pairs.x, y=roads.b)
        both = pw.Table.concat_reindex(pairs, more)
        return both.groupby(both.x, both.y).reduce(both.x, both.y)

    first = roads.groupby(roads.a, roads.b).reduce(x=roads.a, y=roads.b)
    pairs = pw.iterate(
        lambda pairs, roads: dict(pairs=step(pairs, roads)), pairs=pw.iterate_universe(first), roads=roads
    ).pairs
    changes(pairs.groupby(pairs.x).reduce(pairs.x, ys=R.sorted_tuple(pairs.y)))


@program
def collatz():
    t = T("""
    n
    6
    7
    1
    """).with_columns(at=pw.this.n, steps=0)

    def step(t):
        going = t.at != 1
        return t.with_columns(
            at=pw.if_else(going, pw.if_else(t.at % 2 == 0, t.at // 2, 3 * t.at + 1), t.at),
            steps=pw.if_else(going, t.steps + 1, t.steps),
        )

    show(pw.iterate(step, t=t))
    show(pw.iterate(step, iteration_limit=3, t=t))


@program
def parts_of_machines():
    parts = T("""
    name   | kg
    engine | 120
    car    | 800
    piston | 2
    """)
    parts = parts.with_id_from(pw.this.name)
    above = T("""
    name   | inside
    engine | car
    piston | engine
    """)
    above = above.select(above.name, parent=parts.pointer_from(above.inside)).with_id_from(pw.this.name)
    parts = parts.select(
        parts.name, parts.kg, parent=above.ix(parts.id, context=parts, allow_misses=True).parent
    )

    @transformer
    class weights:
        class parts(ClassArg):
            name = input_attribute()
            kg = input_attribute()
            parent = input_attribute()

            @attribute
            def prefix(self):
                return "" if self.parent is None else self.transformer.parts[self.parent].path + "/"

            @output_attribute
            def path(self) -> str:
                return self.prefix + self.name

            @output_attribute
            def depth(self) -> int:
                return 0 if self.parent is None else 1 + self.transformer.parts[self.parent].depth

    result = weights(parts=parts).parts
    show(parts.select(parts.name) + result)


@program
def frames_of_tables():
    t = T("""
      | k | v
    1 | a | 1
    2 | b | 5
    3 | a | 7
    """)

    class Out(pw.Schema):
        k: str
        share: float

    @pw.pandas_transformer(output_schema=Out, output_universe=0)
    def shares(df: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame(
            {"k": df["k"], "share": df["v"] / df.groupby("k")["v"].transform("sum")}, index=df.index
        )

    s = shares(t)
    show(s)
    show(t.select(t.v, s.share))

    class Total(pw.Schema):
        total: int

    @pw.pandas_transformer(output_schema=Total)
    def best(df: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
        return df[df["v"] >= other["v"].max()][["v"]]

    show(best(t, t.filter(t.k == "a")))


@program
def states_of_groups():
    t = T("""
      | user | amount | __time__ | __diff__
    1 | ann  | 5      | 2        | 1
    2 | bob  | 1      | 2        | 1
    3 | ann  | -2     | 4        | 1
    4 | bob  | 9      | 6        | 1
    1 | ann  | 5      | 8        | -1
    """)

    @R.stateful_many
    def balance(state, rows):
        state = state or 0
        for (amount,), count in rows:
            state += amount * count
        return state

    changes(t.groupby(t.user).reduce(t.user, balance=balance(t.amount), n=R.count()))

    added = t.filter(t.user == "bob")

    @R.stateful_single
    def history(state, amount):
        return (state or "") + f"[{amount}]"

    changes(added.reduce(h=history(added.amount)))


class Spread(pw.BaseCustomAccumulator):
    def __init__(self, lo, hi, n):
        self.lo, self.hi, self.n = lo, hi, n

    @classmethod
    def from_row(cls, row):
        value, weight = row
        return cls(value, value, weight)

    def update(self, other):
        self.lo = min(self.lo, other.lo)
        self.hi = max(self.hi, other.hi)
        self.n += other.n

    def compute_result(self) -> tuple[float, float, int]:
        return (self.lo, self.hi, self.n)


spread = R.udf_reducer(Spread)


@program
def spreads_of_sensors():
    t = T("""
      | sensor | value | w | __time__ | __diff__
    1 | s1     | 1.5   | 1 | 2        | 1
    2 | s1     | 0.5   | 2 | 2        | 1
    3 | s2     | 7.0   | 1 | 4        | 1
    2 | s1     | 0.5   | 2 | 6        | -1
    """)
    r = t.groupby(t.sensor).reduce(t.sensor, s=spread(t.value, t.w))
    changes(r)
    show(r.select(r.sensor, width=r.s[1] - r.s[0], n=r.s[2]))


@program
def gaps_are_filled():
    t = T("""
      | t | v
    1 | 1 | 1
    2 | 2 |
    3 | 3 | 5
    4 | 6 |
    """)
    show(t.interpolate(t.t, t.v))
    show(t + t.diff(t.t, t.t))
    s = t.sort(t.t)
    v = t + s
    show(
        v.select(
            v.t, before=v.ix(v.prev, optional=True).t, after=pw.coalesce(v.ix(v.next, optional=True).t, -1)
        )
    )


@program
def majorities_and_whole_columns():
    t = T("""
    team | vote
    x    | yes
    x    | no
    x    | yes
    y    | no
    """)
    show(pw.utils.col.groupby_reduce_majority(t.team, t.vote))
    ranked = pw.utils.col.apply_all_rows(
        t.team, t.vote, fun=lambda a, b: [len(set(b))] * len(a), result_col_name="kinds"
    )
    show(t.select(t.team) + ranked)
    m = pw.utils.col.multiapply_all_rows(
        t.vote, fun=lambda v: ([x.upper() for x in v], list(map(len, v))), result_col_names=["up", "n"]
    )
    show(t + m)
