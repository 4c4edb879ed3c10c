"""Iterations follow their inputs: whatever the history, the result is that of a static run."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

import pathway as pw

from .check import check_incremental, property_settings, settle, updates_of
from .histories import History, flag, histories, letter, maybe_int, numbers, reference, small_int

PREFIX = st.integers(0, 4)
Table = pw.Table[Any]

FAR = 1000


def _edges(edges: Table, vertices: Table) -> Table:
    """Edges between vertices that are there."""
    ends = edges.select(u=vertices.pointer_from(edges.a), v=vertices.pointer_from(edges.b), w=edges.w)
    from_there = ends.join(vertices, ends.u == vertices.id, id=ends.id).select(*ends)
    return from_there.join(vertices, from_there.v == vertices.id, id=from_there.id).select(*from_there)


EDGES = histories(a=reference, b=reference, w=(int, st.integers(0, 3)))


@property_settings
@given(histories(n=small_int), EDGES, PREFIX)
def test_components(vertices: History, edges: History, prefix: int) -> None:
    def program(vertices: Table, edges: Table) -> Table:
        edges = _edges(edges, vertices)

        def step(c: Table) -> Table:
            there = edges.select(end=edges.v, n=c.ix(edges.u).n)
            back = edges.select(end=edges.u, n=c.ix(edges.v).n)
            own = c.select(c.n, end=c.id)
            offers = there.concat_reindex(back, own)
            return offers.groupby(id=offers.end).reduce(n=pw.reducers.min(offers.n)).with_universe_of(c)

        return pw.iterate(step, c=vertices.select(n=vertices.k))

    check_incremental(program, vertices, edges, prefix=prefix)


@property_settings
@given(histories(source=flag), EDGES, PREFIX)
def test_shortest_paths(vertices: History, edges: History, prefix: int) -> None:
    def program(vertices: Table, edges: Table) -> Table:
        edges = _edges(edges, vertices)
        start = vertices.select(d=pw.if_else(vertices.source, 0, FAR))

        def step(d: Table) -> Table:
            known = d.filter(d.d < FAR)
            offers = known.join(edges, known.id == edges.u).select(end=edges.v, d=known.d + edges.w + 1)
            best = offers.groupby(id=offers.end).reduce(d=pw.reducers.min(offers.d))
            offered = best.promise_universe_is_subset_of(d)
            before = start.restrict(offered)
            return start << offered.select(d=pw.if_else(before.d < offered.d, before.d, offered.d))

        return pw.iterate(step, d=start)

    check_incremental(program, vertices, edges, prefix=prefix)


@property_settings
@given(histories(x=small_int), histories(a=reference, b=reference), PREFIX)
def test_rows_that_come_and_go(start: History, links: History, prefix: int) -> None:
    """Everything that can be reached; what is only reached through a row goes with it."""

    def program(start: Table, links: Table) -> Table:
        def step(reached: Table) -> Table:
            new = reached.join(links, reached.k == links.a).select(k=links.b)
            new = new.groupby(new.k).reduce(new.k, via=pw.reducers.count())
            return reached.update_rows(new.select(new.k))

        return pw.iterate(step, reached=pw.iterate_universe(start.select(start.k)))

    check_incremental(program, start, links, prefix=prefix)


@property_settings
@given(histories(p=reference, a=small_int), histories(x=maybe_int, s=letter), PREFIX)
def test_lookups_joins_and_updates(t: History, u: History, prefix: int) -> None:
    """All kinds of matching in one step, with misses."""

    def program(t: Table, u: Table) -> Table:
        t = t.select(t.a, t.p, s="")

        def step(t: Table) -> Table:
            found = u.ix(t.pointer_from(t.p), allow_misses=True, context=t)
            raised = t.select(t.p, t.s, a=pw.if_else(t.a < 6, t.a + 1 + pw.coalesce(found.x, 1) ** 2, t.a))
            named = raised.join_left(u, raised.a == u.k, id=raised.id).select(
                raised.a, raised.p, s=pw.coalesce(u.s, raised.s)
            )
            kept = named.intersect(u).promise_universe_is_subset_of(t)
            return t << kept.select(kept.a, kept.p, kept.s) << raised.difference(u)

        return pw.iterate(step, iteration_limit=4, t=t)

    check_incremental(program, t, u, prefix=prefix)


@property_settings
@given(histories(a=small_int, g=letter), histories(x=small_int), PREFIX)
def test_outer_joins(t: History, u: History, prefix: int) -> None:
    def program(t: Table, u: Table) -> Table:
        def step(t: Table) -> Table:
            both = t.join_outer(u, t.a == u.x).select(
                a=pw.if_else(pw.coalesce(t.a, u.x, 0) > 3, 4, pw.coalesce(t.a, u.x, 0) + 1),
                g=pw.coalesce(t.g, "new"),
            )
            return both.groupby(both.a, both.g).reduce(both.a, both.g)

        return pw.iterate(step, iteration_limit=5, t=pw.iterate_universe(t.select(t.a, t.g)))

    check_incremental(program, t, u, prefix=prefix)


MODES = st.sampled_from([pw.JoinMode.INNER, pw.JoinMode.LEFT, pw.JoinMode.RIGHT, pw.JoinMode.OUTER])
BOUNDS = st.sampled_from([(-1, 1), (0, 0), (-2, 0), (1, 3), (-0.5, 1.5)])


def _near(t: Table, u: Table, bounds: tuple[float, float], mode: pw.JoinMode) -> Table:
    near = t.interval_join(u, t.a, u.x, pw.temporal.interval(*bounds), t.g == u.g, how=mode)
    return near.select(a=pw.coalesce(t.a, 9), g=pw.coalesce(t.g, "new"), x=u.x)


@property_settings
@given(histories(a=small_int, g=letter), histories(x=small_int, g=letter), BOUNDS, MODES)
def test_an_interval_join_is_the_same_in_a_step(
    t: History, u: History, bounds: tuple[float, float], mode: pw.JoinMode
) -> None:
    def outside() -> Table:
        return _near(t.as_stream(), u.as_stream(), bounds, mode).select(pw.this.a, pw.this.g)

    def inside() -> Table:
        def step(t: Table, u: Table) -> dict[str, Table]:
            return {"t": _near(t, u, bounds, mode).select(pw.this.a, pw.this.g)}

        start = t.as_stream()
        start = pw.iterate_universe(start.select(start.a, start.g))
        return pw.iterate(step, iteration_limit=1, t=start, u=u.as_stream()).t

    for workers in (1, 2):
        assert settle(updates_of(inside, workers)) == settle(updates_of(outside, workers))


@property_settings
@given(histories(a=small_int, g=letter), histories(x=small_int, g=letter), BOUNDS, MODES, PREFIX)
def test_interval_joins(
    t: History, u: History, bounds: tuple[float, float], mode: pw.JoinMode, prefix: int
) -> None:
    def program(t: Table, u: Table) -> Table:
        def step(t: Table) -> Table:
            near = _near(t, u, bounds, mode)
            next_ = near.select(near.g, a=pw.if_else(near.a > 3, near.a, near.a + 1))
            return next_.groupby(next_.a, next_.g).reduce(next_.a, next_.g)

        return pw.iterate(step, iteration_limit=4, t=pw.iterate_universe(t.select(t.a, t.g)))

    check_incremental(program, t, u, prefix=prefix)


@property_settings
@given(histories(g=letter, a=small_int, s=letter), PREFIX)
def test_reducers(t: History, prefix: int) -> None:
    """Every reducer that has a meaning inside of an iteration."""

    def longest(state: Any, rows: Any) -> Any:
        return max([state or 0, *(len(row[0]) for row, count in rows if count > 0)])

    def program(t: Table) -> Table:
        def step(t: Table) -> Table:
            r = pw.reducers
            of_group = t.groupby(t.g, sort_by=t.s).reduce(
                t.g,
                low=r.min(t.a),
                high=r.max(t.a),
                sum=r.sum(t.a),
                mean=r.avg(t.a),
                count=r.count(),
                distinct=r.count_distinct(t.a),
                first=r.argmin(t.a),
                last=r.argmax(t.a),
                some=r.any(t.a),
                all=r.tuple(t.a),
                sorted=r.sorted_tuple(t.a),
                longest=r.stateful_many(longest)(t.s),
            )
            found = of_group.ix_ref(t.g)
            text = (
                found.low.to_string()
                + found.high.to_string()
                + found.sum.to_string()
                + found.mean.to_string()
                + found.count.to_string()
                + found.distinct.to_string()
                + (found.first == t.id).to_string()
                + (found.last == t.id).to_string()
                + found.some.to_string()
                + found.all.to_string()
                + found.sorted.to_string()
                + found.longest.to_string()
            )
            return t.select(t.g, s=text, a=pw.if_else(t.a < found.high, t.a + 1, t.a))

        return pw.iterate(step, iteration_limit=4, t=t.select(t.g, t.a, t.s))

    check_incremental(program, t, prefix=prefix)


@property_settings
@given(histories(l=numbers), PREFIX)
def test_flatten(t: History, prefix: int) -> None:
    def program(t: Table) -> Table:
        def step(t: Table) -> Table:
            parts = t.flatten(t.l).select(n=pw.this.l)
            longer = parts.filter(parts.n > 0).select(
                l=pw.apply_with_type(lambda n: tuple(range(n)), list[int], pw.this.n)
            )
            return longer.update_rows(t.filter(pw.apply_with_type(len, int, t.l) < 2))

        return pw.iterate(step, t=pw.iterate_universe(t.select(t.l)))

    check_incremental(program, t, prefix=prefix)


@property_settings
@given(histories(a=small_int), histories(x=small_int), PREFIX)
def test_loops_in_loops_and_tables_around(t: History, u: History, prefix: int) -> None:
    def program(t: Table, u: Table) -> Table:
        most = u.reduce(most=pw.reducers.max(u.x))

        def outer(t: Table) -> Table:
            def inner(s: Table) -> Table:
                limit = most.ix_ref(optional=True, allow_misses=True, context=s).most
                return s.select(a=pw.if_else(s.a < pw.coalesce(limit, 0) * 2, s.a + t.a**2 + 1, s.a))

            up = pw.iterate(inner, s=t)
            return t.select(a=pw.if_else(up.a > 4, up.a - 3, up.a))

        return pw.iterate(outer, iteration_limit=6, t=t.select(t.a))

    check_incremental(program, t, u, prefix=prefix)
