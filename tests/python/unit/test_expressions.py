"""Expression trees: text, sharing, depth, placeholders."""

from __future__ import annotations

import datetime
import functools
import typing

import pandas as pd
import pytest

import pathway as pw


@pytest.fixture
def t() -> pw.Table:
    return pw.debug.table_from_markdown("a | s | b\n1 | x | True\n2 | y | False")


class Doubled(pw.UDF):
    def __wrapped__(self, a: int) -> int:
        return 2 * a


class Shift:
    def __call__(self, a: int) -> int:
        return a + 1


def cells(table: pw.Table) -> list[object]:
    _, columns = pw.debug.table_to_dicts(table)
    (column,) = columns.values()
    return sorted(column.values(), key=str)


def test_text(t: pw.Table) -> None:
    u = t.copy()
    texts: dict[str, typing.Any] = {
        "(<table1>.a + 1)": t.a + 1,
        "(1 - <table1>.a)": 1 - t.a,
        "(<table1>.a lshift 1)": t.a << 1,
        "(-<table1>.a)": -t.a,
        "(~<table1>.b)": ~t.b,
        "<table1>.a.is_not_none()": ~t.a.is_none(),
        "pathway.cast(FLOAT, <table1>.a)": pw.cast(float, t.a),
        "(<table1>.s).str.starts_with('x')": t.s.str.startswith("x"),
        "pathway.this.pointer_from(pathway.this.a)": pw.this.pointer_from(pw.this.a),
        "<table1>.pointer_from(<table2>.a)": t.pointer_from(u.a),
        "(<table1>.a).dt.utc_from_timestamp('s')": t.a.dt.utc_from_timestamp("s"),
        "pathway.apply(max, <table1>.a)": pw.apply(functools.partial(functools.partial(max, 1), 2), t.a),
        "pathway.apply(Doubled, <table1>.a)": Doubled()(t.a),
        "pathway.apply(Shift, <table1>.a)": pw.apply(Shift(), t.a),
        "(<table1>.s).str.parse_int()": t.s.str.parse_int(optional=True),
        "(<table1>.a + <table2>.a)": t.a + u.a,
        "<table1>.pointer_from(<table1>.a, 1, instance=<table1>.s, optional=True)": t.pointer_from(
            t.a, 1, optional=True, instance=t.s
        ),
        "(pathway.make_tuple(<table1>.a)).get(0, None)": pw.make_tuple(t.a).get(0),
        "pathway.apply(len, <table1>.s)": pw.apply(len, t.s),
        "(pathway.reducers.sum(<table1>.a) / pathway.reducers.count(<table1>.a))": pw.reducers.avg(t.a),
        "pathway.reducers.argmin(<table1>.a, pathway.this.id)": pw.reducers.argmin(t.a),
        "(pathway.left.a == pathway.right.b)": pw.left.a == pw.right.b,
    }
    assert {repr(expression) for expression in texts.values()} == set(texts)


def test_double_negation_disappears(t: pw.Table) -> None:
    assert repr(~~t.b) == "<table1>.b"


def test_very_deep_expressions(t: pw.Table) -> None:
    expression: pw.ColumnExpression = t.a
    for _ in range(3000):
        expression = expression + 1
    assert repr(expression).count("+") == 3000
    assert str(t.eval_type(expression)) == "INT"


def test_shared_parts_are_built_once(t: pw.Table) -> None:
    expression: pw.ColumnExpression = t.a
    for _ in range(60):  # 2**60 nodes, were they not shared
        expression = expression + expression
    assert str(t.eval_type(expression)) == "INT"


def test_deep_expressions_run(t: pw.Table) -> None:
    expression: pw.ColumnExpression = t.a
    for _ in range(500):
        expression = expression + 1
    assert cells(t.select(x=expression)) == [501, 502]


def test_reflected_operators_of_other_libraries(t: pw.Table) -> None:
    import numpy as np

    assert cells(t.select(x=np.int64(1) + t.a)) == [2, 3]
    assert cells(t.select(x=pd.Timedelta(1) * t.a)) == [pd.Timedelta(1), pd.Timedelta(2)]
    assert cells(t.select(x=datetime.timedelta(seconds=1) * t.a)) == [pd.Timedelta("1s"), pd.Timedelta("2s")]


def test_expressions_are_not_values(t: pw.Table) -> None:
    for misuse in (lambda: bool(t.a), lambda: t.a and t.b, lambda: 1 < t.a < 3, lambda: t.a in [t.s]):
        with pytest.raises(RuntimeError):
            misuse()
    for wrong in (lambda: list(t.a), lambda: len(t.a), lambda: float(t.a)):
        with pytest.raises(TypeError):
            wrong()


def test_type_errors_show_expression_and_tables(t: pw.Table) -> None:
    expression = t.a + t.s
    with pytest.raises(TypeError) as caught:
        t.select(x=expression)
    text = str(caught.value)
    assert "(<table1>.a + <table1>.s)" in text
    assert f"called in {__file__}" in text
    assert f"<table1> created in {__file__}" in text


def test_unknown_columns_name_the_good_ones(t: pw.Table) -> None:
    with pytest.raises(AttributeError, match=r"no column aa .* Did you mean a\? Its columns are: a, s, b"):
        t.aa  # noqa: B018
    with pytest.raises(KeyError, match="Its columns are: a, s, b"):
        t.select(pw.this.zz)


def test_arguments_of_the_wrong_kind(t: pw.Table) -> None:
    with pytest.raises(TypeError, match=r"Table.difference\(\): parameter other=5 violates type hint"):
        t.difference(5)


def test_nested_lookups_of_placeholders(t: pw.Table) -> None:
    chain = pw.debug.table_from_markdown("  | n\n1 | 2\n2 | 3\n3 | 3").select(
        p=pw.this.pointer_from(pw.this.n)
    )
    numbered = chain.with_columns(v=pw.this.p.to_string())
    two_steps = numbered.select(v=numbered.ix(numbered.ix(pw.this.p).p).v)
    assert len(cells(two_steps)) == 3


def test_slices(t: pw.Table) -> None:
    assert list(t.select(*pw.this.with_prefix("x_")).column_names()) == ["a", "s", "b"]
    assert list(t.select(**pw.this.with_prefix("x_")).column_names()) == ["x_a", "x_s", "x_b"]
    assert list(t.select(a=5, **pw.this).column_names()) == ["a", "s", "b"]
    assert str(t.select(a=5.5, **pw.this).eval_type(pw.this.a)) == "INT"
    assert list(t.select(*pw.this[["s", pw.this.a]]).column_names()) == ["s", "a"]
    assert list(t.select(**pw.this.rename({"a": "q", "s": pw.this.a})).column_names()) == ["b", "q", "a"]
    with pytest.raises(KeyError):
        t.select(pw.this.without("a").a)
    with pytest.raises(TypeError):
        pw.make_tuple(*pw.this)


def test_columns_named_like_methods() -> None:
    t = pw.debug.table_from_markdown("select | id2\n1 | 2")
    assert cells(t.select(x=pw.this["select"] + t.C.select)) == [2]
    with pytest.raises(ValueError, match="method"):
        pw.this.select  # noqa: B018
