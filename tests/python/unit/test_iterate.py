"""What `pw.iterate` takes, gives and refuses; streams are in `tests/golden/iterate.md`."""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from typing import Any, NamedTuple

import pytest

import pathway as pw
from pathway.internals import ClassArg, input_attribute, output_attribute, transformer

Table = pw.Table[Any]


def numbers(*values: int) -> Table:
    return pw.debug.table_from_rows(pw.schema_from_types(a=int), [(v,) for v in values])


def values(table: Table, column: str = "a") -> list[Any]:
    _, columns = pw.debug.table_to_dicts(table)
    return sorted(columns[column].values())


def up_to(t: Table, end: int) -> Table:
    return t.select(a=pw.if_else(t.a < end, t.a + 1, t.a))


def test_the_result_has_the_form_that_the_step_returns() -> None:
    t, u = numbers(1, 2), numbers(5, 6)

    class Pair(NamedTuple):
        first: Table
        second: Table

    @dataclasses.dataclass
    class Only:
        u: Table

    single = pw.iterate(lambda t: up_to(t, 4), t=t)
    assert isinstance(single, pw.Table)
    assert values(single) == [4, 4]
    listed = pw.iterate(lambda t, u: [up_to(t, 4)], t=t, u=u)
    assert isinstance(listed, tuple)
    assert len(listed) == 1
    pair = pw.iterate(lambda t, u: Pair(up_to(t, 3), up_to(u, 9)), t=t, u=u)
    assert isinstance(pair, Pair)
    assert (values(pair.first), values(pair.second)) == ([3, 3], [9, 9])
    named = pw.iterate(lambda t, u: {"u": up_to(u, 7), "t": up_to(t, 4)}, t=t, u=u)
    assert list(named.keys()) == ["t", "u"]
    assert len(named) == 2
    assert [table is named[name] for name, table in named.items()] == [True, True]
    assert list(named) == list(named.values()) == [named.t, named.u]
    assert (values(named.t), values(named["u"])) == ([4, 4], [7, 7])
    with pytest.raises(AttributeError, match="gives no table v; it gives t, u"):
        _ = named.v
    with pytest.raises(KeyError):
        named["v"]
    only = pw.iterate(lambda t, u: Only(u=up_to(u, 8)), t=t, u=u)
    assert values(only.u) == [8, 8]


def test_own_parameters_of_the_step_keep_their_defaults() -> None:
    def step(t: Table, end: int = 3) -> Table:
        return up_to(t, end)

    assert values(pw.iterate(step, t=numbers(1))) == [3]


def test_the_order_of_columns_is_that_of_the_argument() -> None:
    t = pw.debug.table_from_rows(pw.schema_from_types(a=int, b=str), [(1, "x")])
    result = pw.iterate(lambda t: t.select(b=t.b, a=pw.if_else(t.a < 3, t.a + 1, t.a)), t=t)
    assert list(result.keys()) == ["a", "b"]


def test_the_result_can_be_used_with_the_argument() -> None:
    t = numbers(1, 5)
    both = t.select(both=t.a * 10 + pw.iterate(lambda t: up_to(t, 4), t=t).a)
    assert values(both, "both") == [14, 55]


def test_tables_around_stay_as_they_are() -> None:
    t = pw.debug.table_from_rows(pw.schema_from_types(a=int, step=int), [(1, 2), (2, 3)])
    bound = numbers(9).reduce(end=pw.reducers.max(pw.this.a))

    def step(s: Table) -> Table:
        end = bound.ix_ref(context=s).end
        return s.select(a=pw.if_else(s.a < end, s.a + t.step, s.a))

    assert values(pw.iterate(step, s=t.select(t.a))) == [9, 11]


def test_loops_in_loops() -> None:
    def nested(t: Table, depth: int) -> Table:
        if depth == 0:
            return up_to(t, 5)
        return pw.iterate(lambda t: nested(t, depth - 1), t=t)

    assert values(nested(numbers(1, 7), 4)) == [5, 7]
    with pytest.raises(ValueError, match="nested at most 4 deep"):
        nested(numbers(1), 5)


def test_a_limit_counts_for_inner_loops_in_each_round() -> None:
    def outer(t: Table) -> Table:
        return pw.iterate(lambda t: up_to(t, 100), iteration_limit=3, t=t)

    assert values(pw.iterate(outer, iteration_limit=4, t=numbers(1, 95, 200))) == [13, 100, 200]


@pytest.mark.parametrize("limit", [1.5, "3", True])
def test_a_limit_is_an_integer(limit: Any) -> None:
    with pytest.raises(TypeError, match="iteration_limit has to be an integer"):
        pw.iterate(lambda t: t, iteration_limit=limit, t=numbers(1))


def test_what_is_refused() -> None:
    t = numbers(1)
    with pytest.raises(TypeError, match="the argument t of iterate"):
        pw.iterate(lambda t: t, t=3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="has to return a table"):
        pw.iterate(lambda t: 3, t=t)
    with pytest.raises(AssertionError, match="returns 2 tables but has only the arguments t"):
        pw.iterate(lambda t: (t, t), t=t)
    with pytest.raises(ValueError, match="needs a table"):
        pw.iterate(lambda: ())
    with pytest.raises(TypeError, match="iterate_universe takes a table"):
        pw.iterate_universe(3)  # type: ignore[arg-type]


@pytest.mark.filterwarnings("ignore:the earliest reducer")
def test_what_depends_on_time_is_named_with_its_line() -> None:
    def step(t: Table) -> Table:
        first = t.groupby(t.a).reduce(t.a, b=pw.reducers.earliest(t.a))
        return t.select(a=first.ix_ref(t.a).b)

    with pytest.raises(ValueError, match=r"the reducer earliest \(.*test_iterate.py:\d+\) depends on when"):
        pw.iterate(step, t=numbers(1))

    async def later(a: int) -> int:
        return a

    waits = pw.udf(executor=pw.udfs.fully_async_executor())(later)

    def answered(t: Table) -> Table:
        return t.update_rows(t.select(a=waits(t.a)).await_futures())

    with pytest.raises(ValueError, match="a function whose answers come later"):
        pw.iterate(answered, t=numbers(1))


def test_computing_with_whole_tables_is_refused_with_its_line() -> None:
    @transformer
    class doubled:
        class rows(ClassArg):
            a = input_attribute()

            @output_attribute
            def b(self) -> int:
                return int(self.a * 2)

    def step(t: Table) -> Table:
        return doubled(rows=t).rows.select(a=pw.this.b)

    with pytest.raises(ValueError, match=r"\(.*test_iterate.py:\d+\).* inside of an iteration"):
        pw.iterate(step, t=numbers(1))


def test_frames_go_around() -> None:
    @pw.pandas_transformer(output_schema=pw.schema_from_types(a=int), output_universe=0)
    def step(frame: Any) -> Any:
        return frame.assign(a=(frame["a"] + 1).clip(upper=5))

    assert values(pw.iterate(lambda t: step(t), t=numbers(1, 4))) == [5, 5]


def test_tables_of_a_step_exist_there_only() -> None:
    kept = []

    def step(t: Table) -> Table:
        kept.append(up_to(t, 3))
        return kept[0]

    pw.iterate(step, t=numbers(1))
    with pytest.raises(RuntimeError, match="inside of an iteration"):
        kept[0].select(kept[0].a)
    with pytest.raises(ValueError, match="cannot be written or shown"):
        pw.iterate(lambda t: (pw.io.null.write(t), t)[1], t=numbers(1))


def test_a_failing_step_leaves_nothing_open() -> None:
    def fails(t: Table) -> Table:
        raise ZeroDivisionError

    for _ in range(6):
        with pytest.raises(ZeroDivisionError):
            pw.iterate(fails, t=numbers(1))
    assert values(pw.iterate(lambda t: up_to(t, 3), t=numbers(1))) == [3]


@pytest.mark.filterwarnings("ignore:terminate_on_error")
def test_errors_of_cells() -> None:
    t = numbers(1, 2, 3)
    result = pw.iterate(
        lambda t: t.select(a=pw.if_else(t.a < 9, 12 // (t.a - 2) + t.a, t.a)), iteration_limit=2, t=t
    )
    filled = result.select(a=pw.fill_error(result.a, -1))
    _, columns = pw.debug.table_to_dicts(filled, terminate_on_error=False)
    # 2 divides by zero at once; 1 becomes -11, then -12; 3 becomes 15.
    assert sorted(columns["a"].values()) == [-12, -1, 15]
    with pytest.raises(ZeroDivisionError):
        pw.debug.compute_and_print(result)


def test_functions_without_reproducible_results_are_remembered() -> None:
    """What a row got is taken back as it was given, however often it is needed."""
    numbered = itertools.count()

    @pw.udf(deterministic=False)
    def ticket(a: int) -> int:
        return next(numbered)

    stream = pw.debug.table_from_markdown(
        """
          | a | __time__ | __diff__
        1 | 1 | 2        | 1
        2 | 2 | 2        | 1
        1 | 1 | 4        | -1
        1 | 3 | 4        | 1
        2 | 2 | 6        | -1
        3 | 7 | 6        | 1
        """
    ).with_columns(b=0)

    def step(t: Table) -> Table:
        drawn = t.select(t.a, b=t.b + 0 * ticket(t.a))
        tickets = t.select(ticket=ticket(t.a))
        return drawn.select(a=pw.if_else(drawn.a < 5, drawn.a + 1, drawn.a), b=tickets.ticket)

    there: Counter[Any] = Counter()

    def on_change(key: Any, row: dict[str, Any], time: int, is_addition: bool) -> None:
        there[(key, *row.values())] += 1 if is_addition else -1

    result = pw.iterate(step, iteration_limit=4, t=stream)
    pw.io.subscribe(result, on_change)
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    assert sorted(a for (_, a, _), count in there.items() if count) == [5, 7]
    assert all(count in (0, 1) for count in there.values()), there


def steps_made(history: list[tuple[int, int, int, int]], length: int) -> int:
    """How many rows pass through the step that follows the edges of a history, from vertex 0."""
    passed = 0

    @pw.udf(deterministic=True)
    def one_more(d: int) -> int:
        nonlocal passed
        passed += 1
        return d + 1

    pw.internals.parse_graph.G.clear()
    edges = pw.debug.table_from_rows(pw.schema_from_types(a=int, b=int), history, is_stream=True)
    start = numbers(*range(length)).with_id_from(pw.this.a)
    start = start.select(d=pw.if_else(start.a == 0, 0, length))
    edges = edges.select(u=start.pointer_from(edges.a), v=start.pointer_from(edges.b))

    def step(far: Table) -> Table:
        known = far.filter(far.d < length)
        offers = known.join(edges, known.id == edges.u).select(edges.v, d=one_more(known.d))
        best = offers.groupby(id=offers.v).reduce(d=pw.reducers.min(offers.d))
        return start << best.promise_universe_is_subset_of(start)

    far = pw.iterate(step, far=start)
    assert values(far.filter(far.d < length), "d")[0] == 0
    return passed


def test_a_change_costs_what_it_changes() -> None:
    """Rows that pass through the step: for a change near the end of a chain, a few, however long it is."""
    length = 300
    chain = [(n, n + 1, 2, 1) for n in range(length - 1)]
    batch = steps_made(chain, length)
    assert batch < 4 * length
    for changed in (1, 10, 40):
        cut = length - 1 - changed
        shortened = steps_made([*chain, (cut - 1, cut, 4, -1), (cut - 2, cut, 4, 1)], length)
        # Each row after the cut is taken back and offered anew, in the rounds of old and new distances.
        assert changed <= shortened - batch <= 6 * (changed + 3), (changed, shortened - batch)
    beside = steps_made([*chain, (length - 1, length - 3, 4, 1)], length)
    assert beside - batch <= 4
