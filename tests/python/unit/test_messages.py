"""What a program is told that is refused: the class of the exception, names, types, the line, and what to do."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

import pytest

import pathway as pw

R = pw.reducers


def tables() -> tuple[pw.Table, pw.Table]:
    """Two tables whose rows have nothing in common."""
    t = pw.debug.table_from_markdown("""
      | shop | n | o
    1 | A    | 2 | 1
    2 | B    | 5 |
    """)
    other = pw.debug.table_from_markdown("""
      | v
    7 | 1
    """)
    return t, other


Refused = Callable[[pw.Table, pw.Table], Any]

#: What is refused, by which exception, and what its message has to say: names, types, a way out.
REFUSALS: list[tuple[str, Refused, type[Exception], list[str]]] = [
    ("attribute", lambda t, u: t.shopp, AttributeError, ["shopp", "shop, n, o"]),
    ("item", lambda t, u: t["shopp"], KeyError, ["shopp", "shop, n, o"]),
    ("this", lambda t, u: t.select(pw.this.shopp), KeyError, ["shopp", "shop, n, o"]),
    ("without", lambda t, u: t.without("zz"), KeyError, ["zz"]),
    ("rename", lambda t, u: t.rename_columns(q="zz"), ValueError, ["zz"]),
    ("renamed twice", lambda t, u: t.rename_columns(q="n", w="n"), KeyError, ["n", "q", "w"]),
    ("method name", lambda t, u: pw.this.join, ValueError, ["join", "this['join']"]),
    ("text as a time", lambda t, u: t.windowby("n", window=pw.temporal.tumbling(1)), TypeError, ["pw.this.n"]),
    ("text as a time to forget", lambda t, u: t.forget("n", 1), TypeError, ["pw.this.n"]),
    ("window as a function", lambda t, u: t.windowby(t.n, window=pw.temporal.tumbling), TypeError, ["tumbling(...)"]),
    ("shard", lambda t, u: t.windowby(t.n, window=pw.temporal.tumbling(1), shard=t.o), ValueError, ["instance="]),
    ("groups printed", lambda t, u: pw.debug.compute_and_print(t.groupby(t.n)), TypeError, ["reduce()"]),
    ("join printed", lambda t, u: pw.debug.compute_and_print(t.join(u, t.n == u.v)), TypeError, ["select()"]),
    ("iterated by place", lambda t, u: pw.iterate(lambda t: t, t), TypeError, ["by name"]),
    ("defaults as a list", lambda t, u: t.asof_join_left(u, t.n, u.v, defaults=[u.v]), TypeError, ["table.price: 0"]),
    ("fuzzy match", lambda t, u: pw.ml.smart_table_ops.fuzzy_match_tables(t, 5), TypeError, ["two tables", "5"]),
    ("silence", lambda t, u: t.inactivity_detection(pw.Duration(seconds=-1)), ValueError, ["cannot be negative"]),
    ("string in select", lambda t, u: t.select("n"), ValueError, ["'n'", "pw.this.n"]),
    ("expression in select", lambda t, u: t.select(t.n + 1), ValueError, ["(<table1>.n + 1)", "select(name=...)"]),
    ("expression in reduce", lambda t, u: t.reduce(R.sum(t.n)), ValueError, ["reduce(name=...)"]),
    ("duplicate name", lambda t, u: t.select(t.n, n=1), ValueError, ["n", "another name"]),
    ("id as a name", lambda t, u: t.select(id=t.n), ValueError, ["id"]),
    ("types of operators", lambda t, u: t.select(x=t.n + t.shop), TypeError, ["add", "INT", "STR"]),
    ("optional operand", lambda t, u: t.select(x=t.o + "a"), TypeError, ["Optional(INT)", "STR"]),
    ("optional condition", lambda t, u: t.filter(t.o > 1), TypeError, ["Optional(BOOL)", "coalesce"]),
    ("condition", lambda t, u: t.filter(t.n), TypeError, ["INT", "filter"]),
    ("if_else", lambda t, u: t.select(x=pw.if_else(t.n, 1, 2)), TypeError, ["BOOL", "INT"]),
    ("branches", lambda t, u: t.select(x=pw.if_else(t.n > 1, 1, "a")), TypeError, ["INT", "STR"]),
    ("coalesce", lambda t, u: t.select(x=pw.coalesce(t.o, "a")), TypeError, ["Optional(INT)", "STR"]),
    ("method of another type", lambda t, u: t.select(x=t.n.str.lower()), AttributeError, ["INT", "str.lower"]),
    ("json conversion", lambda t, u: t.select(x=t.n.as_int()), TypeError, ["as_int", "INT", "Json"]),
    ("index", lambda t, u: t.select(x=t.n[0]), TypeError, ["INT", "tuples, lists and arrays"]),
    ("update_types", lambda t, u: t.update_types(n=str), TypeError, ["INT", "STR"]),
    ("unknown type", lambda t, u: t.select(x={1, 2}), TypeError, ["set"]),
    ("no key", lambda t, u: t.pointer_from(object()), TypeError, ["object"]),
    ("no key of this", lambda t, u: pw.this.pointer_from(object()), TypeError, ["object"]),
    ("types before ids", lambda t, u: u.concat(t.select(v=t.shop)), TypeError, ["INT", "STR", "concat"]),
    ("table in select", lambda t, u: t.select(t), ValueError, ["select()", "*table"]),
    ("this in reduce", lambda t, u: t.reduce(pw.this), ValueError, ["reduce()", "*table", "pathway.this"]),
    ("table as a value", lambda t, u: t.select(x=u), TypeError, ["Unsupported type", "pw.make_tuple(*table)"]),
    ("this as a value", lambda t, u: t.select(x=pw.this), TypeError, ["Unsupported type", "pw.make_tuple(*table)"]),
    ("columns of this", lambda t, u: pw.make_tuple(*pw.this), TypeError, ["*pathway.this", "write *table"]),
    ("function as a value", lambda t, u: t.select(x=len), TypeError, ["builtin_function", "pw.apply", "pw.udf"]),
    ("flag of ix", lambda t, u: t.ix(t.id, optional=1), TypeError, ["Table.ix()", "optional=1", "bool"]),
    ("no pointer", lambda t, u: t.ix(), TypeError, ["Table.ix()", "'expression'"]),
    ("flag of ix_ref", lambda t, u: t.ix_ref(t.n, allow_misses="y"), TypeError, ["Table.ix_ref()", "allow_misses='y'"]),
    ("flag of pointer_from", lambda t, u: t.pointer_from(t.n, optional=1), TypeError, ["optional=1", "bool"]),
    ("flag of a join", lambda t, u: t.join(u, left_exactly_once=1), TypeError, ["left_exactly_once=1", "bool"]),
    ("instance of deduplicate", lambda t, u: t.deduplicate(value=t.n, instance=5, acceptor=max), TypeError, ["instance=5"]),
    ("no table to print", lambda t, u: pw.debug.compute_and_print(t.groupby(t.n)), TypeError, ["Table", "GroupedTable", "reduce()"]),
    ("number of rows", lambda t, u: pw.debug.compute_and_print(t, n_rows="2"), TypeError, ["n_rows='2'", "int"]),
    ("arguments of a method", lambda t, u: t.copy(5), TypeError, ["Table.copy()"]),
    ("no rows to compare", lambda t, u: pw.utils.filtering.argmax_rows(5, what=t.n), AttributeError, ["a table", "5 is none"]),  # type: ignore[arg-type]
    ("no column of groups", lambda t, u: pw.utils.col.groupby_reduce_majority("shop", t.n), TypeError, ["column_group='shop'"]),  # type: ignore[arg-type]
    ("difference of no table", lambda t, u: pw.ordered.diff(5, t.n), TypeError, ["table=5"]),  # type: ignore[arg-type]
    ("series of no table", lambda t, u: pw.statistical.interpolate(5, t.n), TypeError, ["table=5"]),  # type: ignore[arg-type]
    ("groups of no table", lambda t, u: pw.groupby(5), AttributeError, ["groupby()", "5 is no table"]),
    ("join of no table", lambda t, u: pw.join(5, t), AttributeError, ["join()", "5 is no table"]),  # type: ignore[arg-type]
    ("promise about no table", lambda t, u: pw.universes.promise_are_equal(t, 5), AttributeError, ["5", "tables"]),
    ("schema of no table", lambda t, u: pw.assert_table_has_schema(5, pw.Schema), AttributeError, ["a table", "5 is none"]),  # type: ignore[arg-type]
    ("no schema", lambda t, u: pw.assert_table_has_schema(t, 5), AttributeError, ["5 is no schema"]),  # type: ignore[arg-type]
    ("no definitions", lambda t, u: pw.schema_builder(5), AttributeError, ["schema_builder()", "not 5"]),  # type: ignore[arg-type]
    ("no name in a schema", lambda t, u: t.schema.without(5), AttributeError, ["names", "5"]),
    ("no property", lambda t, u: t.schema.update_properties(foo=1), TypeError, ["foo", "primary_key"]),
    ("no step", lambda t, u: pw.iterate(5, t=t), TypeError, ["iterate()", "function", "5"]),  # type: ignore[arg-type]
    ("flag of a reducer", lambda t, u: R.sum(t.n, strict=1), TypeError, ["sum()", "strict=1", "bool"]),  # type: ignore[arg-type]
    ("flag of tuples", lambda t, u: R.tuple(t.n, skip_nones=1), TypeError, ["skip_nones=1", "bool"]),  # type: ignore[arg-type]
    ("unit of a column", lambda t, u: t.n.dt.from_timestamp(t.shop), RuntimeError, ["<table1>.shop", "s, ms, us, ns"]),
    ("length of a stream", lambda t, u: pw.demo.range_stream("x"), TypeError, ["nb_rows='x'"]),  # type: ignore[arg-type]
    ("foreign universe", lambda t, u: t.select(u.v), ValueError, ["<table1>.v", "with_universe_of", "join", ".ix("]),
    ("foreign universe in filter", lambda t, u: t.filter(u.v > 0), ValueError, ["<table1>.v", "with_universe_of"]),
    ("subset in select", lambda t, u: t.select(t.filter(t.n > 2).n), ValueError, ["<table1>.n", "with_universe_of"]),
    ("sum of tables", lambda t, u: t + u, ValueError, ["universe"]),
    ("concat", lambda t, u: t.concat(t), ValueError, ["disjoint"]),
    ("concat of other columns", lambda t, u: t.concat_reindex(u), ValueError, ["shop", "v"]),
    ("update_cells", lambda t, u: t.update_cells(u.select(n=1)), ValueError, ["subset"]),
    ("restrict", lambda t, u: t.restrict(u), ValueError, ["promise_universe_is_subset_of"]),
    ("grouping", lambda t, u: t.groupby(t.shop).reduce(t.n), ValueError, [".n", "reducers"]),
    ("groupby of an expression", lambda t, u: t.groupby(t.n + 1), TypeError, ["with_columns"]),
    ("reducer of a type", lambda t, u: t.reduce(x=R.sum(t.shop)), TypeError, ["sum", "STR"]),
    ("optional in a reducer", lambda t, u: t.reduce(x=R.sum(t.o)), TypeError, ["sum", "Optional(INT)", "coalesce"]),
    ("reducer outside of reduce", lambda t, u: t.select(x=R.sum(t.n)), ValueError, ["reduce"]),
    ("pointer", lambda t, u: t.ix(u.v), TypeError, ["INT"]),
    ("with_id", lambda t, u: t.with_id(t.n), TypeError, ["INT"]),
    ("flatten", lambda t, u: t.flatten(t.n), TypeError, ["INT"]),
    ("join of other types", lambda t, u: t.join(u, t.shop == u.v), TypeError, ["STR", "INT"]),
    ("join condition", lambda t, u: t.join(u, t.n != u.v), ValueError, ["=="]),
    ("join sides", lambda t, u: t.join(u, u.v == t.n), ValueError, ["left side", "left.n == right.v"]),
    ("join with itself", lambda t, u: t.join(t, t.n == t.n), ValueError, ["copy()"]),
    ("ambiguous column", lambda t, u: t.join(t.copy()).select(pw.this.n), KeyError, ["pw.left.n", "pw.right.n"]),
    ("optional after a join", lambda t, u: t.join_left(u, t.n == u.v).filter(u.v > 1), TypeError, ["Optional(BOOL)"]),
    ("kind of argument", lambda t, u: t.concat(5), TypeError, ["others", "5", "int"]),
    ("this is no table", lambda t, u: pw.this(), TypeError, ["this"]),
    ("bool of an expression", lambda t, u: bool(t.n), RuntimeError, ["&"]),
    ("iteration", lambda t, u: list(t.n), TypeError, ["apply"]),
    ("cast", lambda t, u: t.select(x=pw.cast(pw.Json, t.n)), TypeError, ["INT", "Json"]),
    ("schema", lambda t, u: pw.assert_table_has_schema(t, pw.schema_from_types(n=str)), AssertionError, ["n", "STR"]),
]  # fmt: skip


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal[0])
def test_what_is_refused_and_how(refusal: tuple[str, Refused, type[Exception], list[str]]) -> None:
    _, action, expected, said = refusal
    t, other = tables()
    with pytest.raises(expected) as caught:
        action(t, other)
    assert type(caught.value) is expected
    for part in said:
        assert part in str(caught.value), str(caught.value)


#: Refusals in which no function of the package runs that could know the line.
WITHOUT_NOTE = {"method name", "this is no table", "bool of an expression", "iteration", "attribute"}


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal[0])
def test_every_refusal_names_the_line(refusal: tuple[str, Refused, type[Exception], list[str]]) -> None:
    name, action, _, _ = refusal
    t, other = tables()
    with pytest.raises(Exception) as caught:  # noqa: PT011
        action(t, other)
    notes = getattr(caught.value, "__notes__", [])
    if name in WITHOUT_NOTE and not notes:
        return
    (note,) = notes
    line = inspect.getsourcelines(action)[1]
    assert re.fullmatch(rf"Occurred here:\n    Line: .*\n    File: {re.escape(__file__)}:{line}", note), note
    assert caught.value._pathway_trace_note == note  # type: ignore[attr-defined]


def test_operators_tell_expression_and_tables() -> None:
    t, _ = tables()
    u = t.select(k=t.shop)
    with pytest.raises(TypeError) as caught:
        t.select(x=(t.n * 2) - u.k)
    lines = str(caught.value).splitlines()
    assert lines[1:3] == ["It refers to the following expression:", "\t((<table1>.n * 2) - <table2>.k)"]
    assert re.fullmatch(rf"called in {re.escape(__file__)}:\d+", lines[3])
    assert lines[4] == "with tables:"
    assert [line.split(" created in ")[0] for line in lines[5:]] == ["\t<table1>", "\t<table2>"]


@pytest.mark.parametrize(
    ("refused", "expected", "said"),
    [
        (lambda: pw.wrap_py_object(1, serializer=5), AttributeError, ["5", "dumps"]),
        (lambda: pw.udfs.FixedDelayRetryStrategy("x"), TypeError, ["max_retries='x'", "number"]),
        (lambda: pw.this.a.str.parse_bool(true_values="yes"), TypeError, ["true_values='yes'", "words"]),
    ],
)
def test_arguments_that_are_read_later(
    refused: Callable[[], Any], expected: type[Exception], said: list[str]
) -> None:
    with pytest.raises(expected) as caught:
        refused()
    assert all(part in str(caught.value) for part in said), str(caught.value)


@pytest.mark.parametrize(
    ("refused", "names"),
    [
        (lambda t, u: t.restrict(u), "tu"),
        (lambda t, u: t.concat(u.select(shop="", n=1, o=1)), "t-"),
        (lambda t, u: t << u.select(n=1), "t-"),
        (lambda t, u: t.groupby(t.shop).reduce(t.n), "t"),
    ],
)
def test_refusals_about_rows_tell_where_the_tables_were_made(refused: Refused, names: str) -> None:
    t = pw.debug.table_from_rows(pw.schema_from_types(shop=str, n=int, o=int), [("A", 2, 1)])
    u = pw.debug.table_from_rows(pw.schema_from_types(v=int), [(1,), (2,)])
    first = inspect.currentframe().f_lineno - 2  # type: ignore[union-attr]
    lines = {"t": first, "u": first + 1, "-": inspect.getsourcelines(refused)[1]}
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        refused(t, u)
    told = str(caught.value).split("with tables:\n")[1].splitlines()
    places = [f"\t<table{i}> created in {__file__}:{lines[name]}" for i, name in enumerate(names, 1)]
    assert told == places


def test_errors_of_a_run_name_the_line_that_built_them() -> None:
    t, _ = tables()
    built = inspect.currentframe().f_lineno + 1  # type: ignore[union-attr]
    bad = t.select(q=1 // (t.n - 2))
    with pytest.raises(ZeroDivisionError) as caught:
        pw.debug.table_to_dicts(bad)
    assert f"{__file__}:{built}" in caught.value.__notes__[0]
