"""Every operator and method: types in, type out, values, None, Error.

Each row of the table in `expression_cases.py` is checked in one run: the values over its cells; an error in
each of its operands, which is an error in the result except where the row says that it is not looked at;
and what happens where the first operand may be None.
"""

from __future__ import annotations

import math
import warnings
from typing import Any, Optional

import numpy as np
import pytest
from expression_cases import BINARY, CASES, ERROR, KINDS, MAYBE_NONE, SYMBOLS, Case

import pathway as pw


def fail(_):  # without annotation: it stands for every type
    raise ValueError("an error in a cell")


def same(found: Any, expected: Any) -> bool:
    """Equal values of one type; NaN equals NaN, arrays compare by their elements."""
    if isinstance(expected, np.ndarray):
        return isinstance(found, np.ndarray) and found.tolist() == expected.tolist()
    if isinstance(expected, float) and math.isnan(expected):
        return isinstance(found, float) and math.isnan(found)
    if expected is ERROR or expected is None:
        return found is expected
    if isinstance(expected, (bool, int, float)):
        return type(found) is type(expected) and found == expected
    return bool(found == expected)


def table_of(case: Case) -> pw.Table:
    types = {f"c{i}": kind for i, kind in enumerate(case.types)}
    cells = [(row, *values) for row, values in enumerate(case.cells)]
    return pw.debug.table_from_rows(pw.schema_from_types(row=int, **types), cells)


@pytest.mark.filterwarnings("ignore:pathway.cast.BOOL")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_values_none_and_errors(case: Case) -> None:
    t = table_of(case)
    operands = [t[f"c{i}"] for i in range(len(case.types))]
    result = case.function(*operands)
    assert repr(t.eval_type(result)) == case.dtype

    columns = {"result": result}
    for i, kind in enumerate(case.types):
        failing = [*operands]
        failing[i] = pw.apply_with_type(fail, kind, t.row)
        columns[f"error_{i}"] = case.function(*failing)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _, found = pw.debug.table_to_dicts(t.select(t.row, **columns), terminate_on_error=False)
    rows = {found["row"][key]: key for key in found["row"]}
    for row, key in sorted(rows.items()):
        value = found["result"][key]
        assert same(value, case.values[row]), f"row {row}: {value!r}, not {case.values[row]!r}"
        for i in range(len(case.types)):
            expected = case.ignores[i][row] if i in case.ignores else ERROR
            value = found[f"error_{i}"][key]
            assert same(value, expected), f"error in operand {i}, row {row}: {value!r}, not {expected!r}"


@pytest.mark.filterwarnings("ignore:pathway.cast.BOOL")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_optional_operand(case: Case) -> None:
    types = {f"c{i}": kind for i, kind in enumerate(case.types)}
    first = types["c0"]
    types["c0"] = Optional[first]  # noqa: UP045 - Any has no operators in Python 3.10
    t = pw.Table.empty(**types)
    operands = [t[f"c{i}"] for i in range(len(case.types))]
    expected = case.optional
    if expected == MAYBE_NONE:
        may_be_none = case.dtype == "ANY" or case.dtype.startswith("Optional(")
        expected = case.dtype if may_be_none else f"Optional({case.dtype})"
    if isinstance(expected, str):
        assert repr(t.eval_type(case.function(*operands))) == expected
    else:
        with pytest.raises(expected):
            t.eval_type(case.function(*operands))


def told_by_values(left: str, symbol: str, right: str, known: set[str]) -> str | None:
    """The type of arithmetic and order of Any and Json; None if no value there would do."""
    held = {"json": ["int", "float", "str", "bool"]}
    held["any"] = [*held["json"], "duration", "naive", "utc", "pointer", "array"]
    kinds = {left, right}
    if symbol not in ("<", "<=", ">", ">=", "+", "-", "*", "/", "//", "%", "**") or not kinds & set(held):
        return None
    if not any(
        f"{a} {symbol} {b}" in known for a in held.get(left, [left]) for b in held.get(right, [right])
    ):
        return None
    if symbol in ("<", "<=", ">", ">="):
        return "Optional(BOOL)"
    return "ANY" if kinds & {"any", "array"} else "Json"


def test_operators_take_no_other_types() -> None:
    t = pw.Table.empty(**KINDS)
    known = {case.name for case in BINARY}
    for symbol, function in SYMBOLS.items():
        for left in KINDS:
            for right in KINDS:
                if f"{left} {symbol} {right}" in known:
                    continue
                expected = told_by_values(left, symbol, right, known)
                if expected is not None:
                    assert repr(t.eval_type(function(t[left], t[right]))) == expected, (left, symbol, right)
                    continue
                with pytest.raises(TypeError):
                    t.eval_type(function(t[left], t[right]))


def test_every_method_has_a_case() -> None:
    """The methods of the namespaces and of expressions that compute something."""
    column = pw.Table.empty(a=int).a
    names = {case.name.split()[0].removeprefix("num.") for case in CASES}
    for namespace in (column.str, column.dt, column.num):
        for method in dir(namespace):
            if not method.startswith("_"):
                assert method in names, f"{type(namespace).__name__}.{method}"
    for method in ("is_none", "is_not_none", "as_int", "as_float", "as_str", "as_bool", "to_string"):
        assert method in names
