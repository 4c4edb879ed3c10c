"""The table of operators and methods that `test_expression_table.py` checks: one row for each."""

from __future__ import annotations

import datetime
import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import pathway as pw
from pathway.internals.api import ref_scalar_with_instance

ERROR = pw.engine.ERROR
N, U, D, J = pw.DateTimeNaive, pw.DateTimeUtc, pw.Duration, pw.Json
#: The result may be None where an operand may.
MAYBE_NONE = "Optional"
INF, NAN = math.inf, math.nan
HOUR = D(hours=1)


@dataclass(frozen=True)
class Case:
    """One row: `function` over columns of `types`; for each row of `cells`, `values`."""

    name: str
    function: Callable[..., Any]
    types: Sequence[Any]
    cells: Sequence[Sequence[Any]]
    dtype: str
    values: Sequence[Any]
    #: What happens where the first operand may be None: an exception class, or the dtype of the result, or
    #: just `MAYBE_NONE`.
    optional: Any = TypeError
    #: Operands whose error is not the result's, and what the result is instead.
    ignores: dict[int, Sequence[Any]] = field(default_factory=dict)


def over(kind: Any, *cells: Any) -> tuple[list[Any], list[tuple[Any, ...]]]:
    """The types and cells of a case with one operand."""
    return [kind], [(cell,) for cell in cells]


def both(kind: Any, *cells: tuple[Any, Any], right: Any = None) -> tuple[list[Any], list[tuple[Any, ...]]]:
    """The types and cells of a case with two operands."""
    return [kind, kind if right is None else right], list(cells)


NUMBERS = ((7, 2), (-7, 2), (7, -2), (0, 5))
FLOATS = ((7.5, 2.0), (-7.5, 2.0), (7.5, -2.0), (0.0, 5.0))
DAYS = ((D(10), D(3)), (D(-10), D(3)))
NOON, EVE = N("2024-02-29 12:00:00.123456789"), N("1969-12-31 23:59:59.5")
UTC = U("2024-02-29T12:00:00Z")

#: The types that `test_expression_table.py` combines, by the names that cases of operators have.
KINDS: dict[str, Any] = {
    "int": int, "float": float, "bool": bool, "str": str, "bytes": bytes, "json": J, "naive": N, "utc": U,
    "duration": D, "pointer": pw.Pointer, "array": np.ndarray, "any": Any, "wrapper": pw.PyObjectWrapper,
}  # fmt: skip
SYMBOLS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "//": operator.floordiv,
    "%": operator.mod, "**": operator.pow, "<<": operator.lshift, ">>": operator.rshift, "&": operator.and_,
    "|": operator.or_, "^": operator.xor, "@": operator.matmul, "==": operator.eq, "!=": operator.ne,
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


def op(name: str, cells: Sequence[tuple[Any, Any]], dtype: str, values: Sequence[Any]) -> Case:
    """A case of a binary operator between two of the kinds, as its name says."""
    left, symbol, right = name.split()
    return Case(
        name,
        SYMBOLS[symbol],
        [KINDS[left], KINDS[right]],
        cells,
        dtype,
        values,
        optional="BOOL" if symbol in ("==", "!=") else MAYBE_NONE,
    )


ONE, TWO = pw.engine.unsafe_make_pointer(1), pw.engine.unsafe_make_pointer(2)
#: Two different values of each kind that has an order, the lesser first.
ORDERED: dict[str, tuple[Any, Any]] = {
    "int": (-1, 1), "float": (-INF, 0.5), "bool": (False, True), "str": ("Z", "a"), "naive": (EVE, NOON),
    "utc": (UTC, U("2024-02-29T12:00:00-01:00")), "duration": (D(-1), D(1)), "pointer": (ONE, TWO),
}  # fmt: skip
#: And of each that has none.
UNORDERED: dict[str, tuple[Any, Any]] = {
    "bytes": (b"a", b"b"), "json": (J({"a": [1]}), J({"a": [2]})), "array": (np.array([1, 2]), np.array([1, 3])),
    "any": (1, "a"), "wrapper": (pw.PyObjectWrapper("a"), pw.PyObjectWrapper("b")),
}  # fmt: skip


def comparisons(kinds: tuple[str, str], same: Any, less: Any, ordered: bool = True) -> list[Case]:
    """All comparisons of two equal values, and of two of which the first is less, or just another."""
    outcomes = {"==": [True, False], "!=": [False, True]}
    if ordered:
        outcomes |= {"<": [False, True], "<=": [True, True], ">": [False, False], ">=": [True, False]}
    return [
        op(f"{kinds[0]} {symbol} {kinds[1]}", [same, less], "BOOL", values)
        for symbol, values in outcomes.items()
    ]


VECTOR, MATRIX = np.array([1, 2]), np.array([[1, 2], [3, 4]])
MIXED = ((7, 2.0), (-7, 2.0))
TURNED = ((7.0, 2), (-7.0, 2))

#: Each operator between each two types that it takes; there are no others.
BINARY = [
    op("int + int", [*NUMBERS, (2**63 - 1, 1)], "INT", [9, -5, 5, 5, -(2**63)]),
    op("int + float", [(1, 0.5)], "FLOAT", [1.5]),
    op("float + int", [(0.5, 1)], "FLOAT", [1.5]),
    op("float + float", [(1.5, 1.0), (INF, -1.0)], "FLOAT", [2.5, INF]),
    op("str + str", [("a", "ż"), ("", "")], "STR", ["aż", ""]),
    op("duration + duration", DAYS, "DURATION", [D(13), D(-7)]),
    op("naive + duration", [(NOON, HOUR), (NOON, D(days=100_000))], "DATE_TIME_NAIVE", [N("2024-02-29 13:00:00.123456789"), ERROR]),
    op("duration + naive", [(HOUR, EVE)], "DATE_TIME_NAIVE", [N("1970-01-01 00:59:59.5")]),
    op("utc + duration", [(UTC, -HOUR)], "DATE_TIME_UTC", [U("2024-02-29T11:00Z")]),
    op("duration + utc", [(HOUR, UTC)], "DATE_TIME_UTC", [U("2024-02-29T13:00Z")]),
    op("int - int", NUMBERS, "INT", [5, -9, 9, -5]),
    op("int - float", [(1, 0.5)], "FLOAT", [0.5]),
    op("float - int", [(0.5, 1)], "FLOAT", [-0.5]),
    op("float - float", [(0.5, 1.0), (INF, INF)], "FLOAT", [-0.5, NAN]),
    op("naive - naive", [(NOON, NOON), (EVE, N("1970-01-01"))], "DURATION", [D(0), D(milliseconds=-500)]),
    op("naive - duration", [(EVE, HOUR)], "DATE_TIME_NAIVE", [N("1969-12-31 22:59:59.5")]),
    op("utc - utc", [(UTC, U("2024-02-29T12:00:00+01:00"))], "DURATION", [HOUR]),
    op("utc - duration", [(UTC, HOUR), (UTC, D(days=-100_000))], "DATE_TIME_UTC", [U("2024-02-29T11:00Z"), ERROR]),
    op("duration - duration", DAYS, "DURATION", [D(7), D(-13)]),
    op("int * int", [*NUMBERS, (2**62, 2)], "INT", [14, -14, -14, 0, -(2**63)]),
    op("int * float", MIXED, "FLOAT", [14.0, -14.0]),
    op("float * int", TURNED, "FLOAT", [14.0, -14.0]),
    op("float * float", [(1e308, 10.0)], "FLOAT", [INF]),
    op("str * int", [("ab", 2), ("ab", 0), ("ab", -1)], "STR", ["abab", "", ""]),
    op("int * str", [(2, "ab")], "STR", ["abab"]),
    op("duration * int", [(D(10), -3), (HOUR, 2**40)], "DURATION", [D(-30), ERROR]),
    op("int * duration", [(-3, D(10))], "DURATION", [D(-30)]),
    op("duration * float", [(D(10), 0.19), (D(10), NAN), (D(-10), 0.19)], "DURATION", [D(1), D(0), D(-1)]),
    op("float * duration", [(0.19, D(10))], "DURATION", [D(1)]),
    op("int / int", [*NUMBERS, (1, 0)], "FLOAT", [3.5, -3.5, -3.5, 0.0, ERROR]),
    op("int / float", [*MIXED, (1, 0.0)], "FLOAT", [3.5, -3.5, ERROR]),
    op("float / int", [*TURNED, (1.0, 0)], "FLOAT", [3.5, -3.5, ERROR]),
    op("float / float", [*FLOATS, (1.0, 0.0)], "FLOAT", [3.75, -3.75, -3.75, 0.0, ERROR]),
    op("duration / duration", [*DAYS, (D(1), D(0))], "FLOAT", [10 / 3, -10 / 3, ERROR]),
    op("duration / int", [(D(-10), 3), (D(1), 0)], "DURATION", [D(-3), ERROR]),
    op("duration / float", [(D(10), 2.5), (D(1), 0.0)], "DURATION", [D(4), ERROR]),
    op("int // int", [*NUMBERS, (1, 0)], "INT", [3, -4, -4, 0, ERROR]),
    op("int // float", [*MIXED, (1, 0.0)], "FLOAT", [3.0, -4.0, ERROR]),
    op("float // int", TURNED, "FLOAT", [3.0, -4.0]),
    op("float // float", [*FLOATS, (1.0, 0.0)], "FLOAT", [3.0, -4.0, -4.0, 0.0, ERROR]),
    op("duration // duration", [*DAYS, (D(1), D(0))], "INT", [3, -4, ERROR]),
    op("duration // int", [(D(-10), 3), (D(1), 0)], "DURATION", [D(-4), ERROR]),
    op("int % int", [*NUMBERS, (1, 0)], "INT", [1, 1, -1, 0, ERROR]),
    op("int % float", [*MIXED, (1, 0.0)], "FLOAT", [1.0, 1.0, ERROR]),
    op("float % int", TURNED, "FLOAT", [1.0, 1.0]),
    op("float % float", [*FLOATS, (1.0, 0.0)], "FLOAT", [1.5, 0.5, -0.5, 0.0, ERROR]),
    op("duration % duration", [*DAYS, (D(1), D(0))], "DURATION", [D(1), D(2), ERROR]),
    op("int ** int", [(2, 10), (0, 0), (2, -1), (2, 64)], "INT", [1024, 1, 0, 0]),
    op("int ** float", [(2, 0.5)], "FLOAT", [2**0.5]),
    op("float ** int", [(0.5, -2)], "FLOAT", [4.0]),
    op("float ** float", [(2.0, 0.5), (0.0, -1.0), (-7.5, 0.5)], "FLOAT", [2**0.5, INF, NAN]),
    op("int << int", [(1, 3), (1, 64), (1, -1)], "INT", [8, 1, -(2**63)]),
    op("int >> int", [(-8, 1), (5, 1), (5, 65)], "INT", [-4, 2, 2]),
    op("int & int", [(12, 10)], "INT", [8]),
    op("int | int", [(12, 10)], "INT", [14]),
    op("int ^ int", [(12, 10)], "INT", [6]),
    op("bool & bool", [(True, True), (True, False)], "BOOL", [True, False]),
    op("bool | bool", [(False, True), (False, False)], "BOOL", [True, False]),
    op("bool ^ bool", [(False, True), (True, True)], "BOOL", [True, False]),
    op("array @ array", [(np.array([[1, 2], [3, 4]]), np.array([5, 6])), (np.array([1, 2]), np.array([[3], [4]])), (np.array([1]), np.array([2, 3]))], "Array", [np.array([17, 39]), np.array([11]), ERROR]),
    op("array + array", [(VECTOR, VECTOR), (MATRIX, VECTOR), (VECTOR, np.array([0.5, 0.5])), (VECTOR, np.array([1, 2, 3]))], "Array", [np.array([2, 4]), np.array([[2, 4], [4, 6]]), np.array([1.5, 2.5]), ERROR]),
    op("array - array", [(VECTOR, VECTOR), (np.array([[1], [2]]), VECTOR)], "Array", [np.array([0, 0]), np.array([[0, -1], [1, 0]])]),
    op("array * array", [(MATRIX, MATRIX), (VECTOR, np.array([[0.5]]))], "Array", [np.array([[1, 4], [9, 16]]), np.array([[0.5, 1.0]])]),
    op("array / array", [(VECTOR, np.array([2, 0]))], "Array(FLOAT)", [np.array([0.5, INF])]),
    op("array // array", [(VECTOR, np.array([2, -2])), (VECTOR, np.array([0, 1]))], "Array", [np.array([0, -1]), ERROR]),
    op("array % array", [(np.array([7, -7]), np.array([3, 3])), (np.array([7.5]), np.array([-2]))], "Array", [np.array([1, 2]), np.array([-0.5])]),
    op("array ** array", [(VECTOR, np.array([3, 2])), (VECTOR, np.array([-1, 1])), (VECTOR, np.array([-1.0, 1.0]))], "Array", [np.array([1, 4]), ERROR, np.array([1.0, 2.0])]),
    op("array // int", [(np.array([7, -7]), 2), (VECTOR, 0)], "Array", [np.array([3, -4]), ERROR]),
    op("int // array", [(7, np.array([2, -2]))], "Array", [np.array([3, -4])]),
    op("array // float", [(VECTOR, 0.75)], "Array(FLOAT)", [np.array([1.0, 2.0])]),
    op("float // array", [(7.5, VECTOR)], "Array(FLOAT)", [np.array([7.0, 3.0])]),
    op("array % int", [(np.array([7, -7]), 3), (VECTOR, 0)], "Array", [np.array([1, 2]), ERROR]),
    op("int % array", [(7, np.array([4, -4]))], "Array", [np.array([3, -1])]),
    op("array % float", [(VECTOR, 0.75)], "Array(FLOAT)", [np.array([0.25, 0.5])]),
    op("float % array", [(7.5, VECTOR)], "Array(FLOAT)", [np.array([0.5, 1.5])]),
    op("array ** int", [(VECTOR, 3), (VECTOR, -1)], "Array", [np.array([1, 8]), ERROR]),
    op("int ** array", [(2, VECTOR)], "Array", [np.array([2, 4])]),
    op("array ** float", [(np.array([4, 9]), 0.5)], "Array(FLOAT)", [np.array([2.0, 3.0])]),
    op("float ** array", [(0.5, VECTOR)], "Array(FLOAT)", [np.array([0.5, 0.25])]),
    op("array + int", [(MATRIX, 1)], "Array", [np.array([[2, 3], [4, 5]])]),
    op("int + array", [(1, VECTOR)], "Array", [np.array([2, 3])]),
    op("array - int", [(VECTOR, 1)], "Array", [np.array([0, 1])]),
    op("int - array", [(1, VECTOR)], "Array", [np.array([0, -1])]),
    op("array * int", [(VECTOR, 3)], "Array", [np.array([3, 6])]),
    op("int * array", [(3, np.array(2))], "Array", [np.array(6)]),
    op("array / int", [(VECTOR, 2)], "Array(FLOAT)", [np.array([0.5, 1.0])]),
    op("int / array", [(2, VECTOR)], "Array(FLOAT)", [np.array([2.0, 1.0])]),
    op("array + float", [(VECTOR, 0.5)], "Array(FLOAT)", [np.array([1.5, 2.5])]),
    op("float + array", [(0.5, VECTOR)], "Array(FLOAT)", [np.array([1.5, 2.5])]),
    op("array - float", [(VECTOR, 0.5)], "Array(FLOAT)", [np.array([0.5, 1.5])]),
    op("float - array", [(0.5, VECTOR)], "Array(FLOAT)", [np.array([-0.5, -1.5])]),
    op("array * float", [(VECTOR, 0.5)], "Array(FLOAT)", [np.array([0.5, 1.0])]),
    op("float * array", [(0.5, VECTOR)], "Array(FLOAT)", [np.array([0.5, 1.0])]),
    op("array / float", [(VECTOR, 0.5)], "Array(FLOAT)", [np.array([2.0, 4.0])]),
    op("float / array", [(0.5, VECTOR)], "Array(FLOAT)", [np.array([0.5, 0.25])]),
    *[case for kind, (less, more) in ORDERED.items() for case in comparisons((kind, kind), (less, less), (less, more))],
    *[case for kind, pair in UNORDERED.items() for case in comparisons((kind, kind), (pair[0], pair[0]), pair, ordered=False)],
    *comparisons(("int", "float"), (1, 1.0), (1, 1.5)),
    *comparisons(("float", "int"), (1.0, 1), (-INF, 1)),
]  # fmt: skip

OPERATORS = [
    *BINARY,
    Case("int == float, as floats", lambda a, b: a == b, *both(int, (2**53 + 1, 2.0**53), right=float), "BOOL", [True], "BOOL"),
    Case("float == float, zeros", lambda a, b: a == b, *both(float, (0.0, -0.0), (1.0, INF)), "BOOL", [True, False], "BOOL"),
    Case("json == json, kinds", lambda a, b: a == b, *both(J, (J(1), J(1.0)), (J(None), J(None))), "BOOL", [False, True], "BOOL"),
    Case("str < str, prefix", lambda a, b: a < b, *both(str, ("a", "ab"), ("a", "a"), ("ż", "z")), "BOOL", [True, False, False], MAYBE_NONE),
    Case("False & bool", lambda a, b: a & b, *both(bool, (False, True)), "BOOL", [False], MAYBE_NONE, ignores={1: [False]}),
    Case("True | bool", lambda a, b: a | b, *both(bool, (True, True)), "BOOL", [True], MAYBE_NONE, ignores={1: [True]}),
    Case("-int", lambda a: -a, *over(int, 5, -(2**63)), "INT", [-5, -(2**63)], MAYBE_NONE),
    Case("-float", lambda a: -a, *over(float, 5.5), "FLOAT", [-5.5], MAYBE_NONE),
    Case("-array", lambda a: -a, *over(np.ndarray, VECTOR, np.array([[0.5]])), "Array", [np.array([-1, -2]), np.array([[-0.5]])], MAYBE_NONE),
    Case("-any", lambda a: -a, *over(Any, 5, None, "a", J(2)), "ANY", [-5, None, ERROR, -2], MAYBE_NONE),
    Case("-json", lambda a: -a, *over(J, 5, 0.5, None, "a"), "Json", [J(-5), J(-0.5), J(None), ERROR], MAYBE_NONE),
    Case("-duration", lambda a: -a, *over(D, D(5)), "DURATION", [D(-5)], MAYBE_NONE),
    Case("~bool", lambda a: ~a, *over(bool, True, False), "BOOL", [False, True], MAYBE_NONE),
    Case("abs(int)", abs, *over(int, -5, 5), "INT", [5, 5], MAYBE_NONE),
    Case("tuple == tuple", lambda a, b: a == b, *both(tuple[int, str], ((1, "a"), (1, "a")), ((1, "a"), (2, "a"))), "BOOL", [True, False], "BOOL"),
    Case("int == None", lambda a: a == None, *over(int, 1), "BOOL", [False], "BOOL"),
    Case("list < list", lambda a, b: a < b, *both(list[int], ([1], [1, 0]), ([2], [1, 5])), "BOOL", [True, False], MAYBE_NONE),
    Case("tuple < tuple", lambda a, b: a < b, *both(tuple[int, str], ((1, "a"), (1, "b")), ((2, "a"), (1, "b"))), "BOOL", [True, False], MAYBE_NONE),
    Case("tuple >= tuple", lambda a, b: a >= b, [tuple[int, str], tuple[float, str]], [((1, "b"), (1.0, "a")), ((1, "a"), (1.5, "a"))], "BOOL", [True, False], MAYBE_NONE),
    Case("list == list", lambda a, b: a == b, *both(list[int | None], ([1, None], [1, None]), ([1], [1, 0])), "BOOL", [True, False], "BOOL"),
    Case("list != list", lambda a, b: a != b, *both(list[int], ([1], [1]), ([1], [1, 0])), "BOOL", [False, True], "BOOL"),
    Case("optional == optional", lambda a, b: a == b, *both(int | None, (None, None), (None, 1), (1, 1)), "BOOL", [True, False, True], "BOOL"),
    Case("optional != float", lambda a, b: a != b, [int | None, float], [(None, 1.0), (1, 1.0)], "BOOL", [True, False], "BOOL"),
    Case("any == None", lambda a: a == None, *over(Any, None, 1), "BOOL", [True, False], "BOOL"),
    Case("json != None", lambda a: a != None, *over(J, J(None), J(1)), "BOOL", [True, True], "BOOL"),
]  # fmt: skip

FUNCTIONS = [
    Case("is_none", lambda a: a.is_none(), *over(int | None, 1, None), "BOOL", [False, True], "BOOL"),
    Case("is_not_none", lambda a: a.is_not_none(), *over(int | None, 1, None), "BOOL", [True, False], "BOOL"),
    Case("if_else then", lambda c, a, b: pw.if_else(c, a, b), [bool, int, float], [(True, 1, 2.5)], "FLOAT", [1.0], ignores={2: [1.0]}),
    Case("if_else otherwise", lambda c, a, b: pw.if_else(c, a, b), [bool, int, float], [(False, 1, 2.5)], "FLOAT", [2.5], ignores={1: [2.5]}),
    Case("coalesce", lambda a, b: pw.coalesce(a, b), [int | None, int], [(None, 2)], "INT", [2], "INT"),
    Case("coalesce, first", lambda a, b: pw.coalesce(a, b), [int | None, float], [(1, 2.5)], "FLOAT", [1.0], "FLOAT", {1: [1.0]}),
    Case("require", lambda a, b: pw.require(a, b), [int, int | None], [(1, 2)], "Optional(INT)", [1], "Optional(INT)"),
    Case("require, missing", lambda a, b: pw.require(a, b), [int, int | None], [(1, None)], "Optional(INT)", [None], "Optional(INT)", {0: [None]}),
    Case("unwrap", pw.unwrap, *over(int | None, 1, None), "INT", [1, ERROR], "INT"),
    Case("unwrap of what is never None", pw.unwrap, *over(int, 1), "INT", [1], "INT"),
    Case("coalesce of three", lambda a, b, c: pw.coalesce(a, b, c), [int | None, float | None, int], [(None, None, 2), (None, 0.5, 2)], "FLOAT", [2.0, 0.5], "FLOAT", {2: [ERROR, 0.5]}),
    Case("if_else of None", lambda c, a: pw.if_else(c, a, None), [bool, int], [(True, 1), (False, 1)], "Optional(INT)", [1, None], TypeError, {1: [ERROR, None]}),
    Case("make_tuple of nothing but None", lambda a: pw.make_tuple(a), *over(int | None, None), "Tuple(Optional(INT))", [(None,)], "Tuple(Optional(INT))"),
    Case("fill_error", lambda a, b: pw.fill_error(1 // a, b), [int, int], [(1, 5), (0, 5)], "INT", [1, 5], "Optional(INT)", {0: [5, 5], 1: [1, ERROR]}),
    Case("make_tuple", lambda a, b: pw.make_tuple(a, b), [int, str | None], [(1, None)], "Tuple(INT, Optional(STR))", [(1, None)], "Tuple(Optional(INT), Optional(STR))"),
    Case("declare_type", lambda a: pw.declare_type(int | None, a), *over(int, 1), "Optional(INT)", [1], "Optional(INT)"),
    Case("pointer_from", lambda a: pw.Table.empty().pointer_from(a), *over(int, 1), "Pointer(INT)", [pw.engine.ref_scalar(1)], "Pointer(Optional(INT))"),
    Case("pointer_from with instance", lambda a, i: pw.Table.empty().pointer_from(a, instance=i), *both(int, (1, 2)), "Pointer(INT, INT)", [ref_scalar_with_instance(1, instance=2)], "Pointer(Optional(INT), INT)"),
    Case("pointer_from nothing", lambda a: pw.if_else(a, pw.Table.empty().pointer_from(), pw.Table.empty().pointer_from()), *over(bool, True), "Pointer()", [pw.engine.ref_scalar()], TypeError),
    Case("pointer_from optional", lambda a: pw.Table.empty().pointer_from(a, optional=True), *over(int | None, 1, None), "Optional(Pointer(INT))", [pw.engine.ref_scalar(1), None], "Optional(Pointer(INT))"),
    Case("apply", lambda a: pw.apply_with_type(lambda v: v + 1, int, a), *over(int, 1), "INT", [2], "INT"),
    Case("apply, wrong type", lambda a: pw.apply_with_type(lambda v: str(v), int, a), *over(int, 1), "INT", [ERROR], "INT"),
    Case("cast int to float", lambda a: pw.cast(float, a), *over(int, 5), "FLOAT", [5.0], "FLOAT"),
    Case("cast int to bool", lambda a: pw.cast(bool, a), *over(int, 5, 0), "BOOL", [True, False], "BOOL"),
    Case("cast int to str", lambda a: pw.cast(str, a), *over(int, -5), "STR", ["-5"], "STR"),
    Case("cast float to int", lambda a: pw.cast(int, a), *over(float, -2.9, 1e30, 2.9), "INT", [-2, 2**63 - 1, 2], "INT"),
    Case("cast float to bool", lambda a: pw.cast(bool, a), *over(float, 0.0, 0.5), "BOOL", [False, True], "BOOL"),
    Case("cast float to str", lambda a: pw.cast(str, a), *over(float, 1.0, 1e16, 1e-7), "STR", ["1", "10000000000000000", "0.0000001"], "STR"),
    Case("cast bool to int", lambda a: pw.cast(int, a), *over(bool, True, False), "INT", [1, 0], "INT"),
    Case("cast bool to float", lambda a: pw.cast(float, a), *over(bool, True), "FLOAT", [1.0], "FLOAT"),
    Case("cast bool to str", lambda a: pw.cast(str, a), *over(bool, True), "STR", ["True"], "STR"),
    Case("cast str to int", lambda a: pw.cast(int, a), *over(str, " -12 ", "x", "1.0"), "INT", [-12, ERROR, ERROR], "INT"),
    Case("cast str to float", lambda a: pw.cast(float, a), *over(str, ".5", "1e999", "x"), "FLOAT", [0.5, INF, ERROR], "FLOAT"),
    Case("cast str to bool", lambda a: pw.cast(bool, a), *over(str, "", "False"), "BOOL", [False, True], "BOOL"),
    Case("cast optional int to float", lambda a: pw.cast(float | None, a), *over(int | None, 1, None), "Optional(FLOAT)", [1.0, None], "Optional(FLOAT)"),
    Case("cast int to int", lambda a: pw.cast(int, a), *over(int, 5), "INT", [5]),
    Case("cast to the optional of it", lambda a: pw.cast(int | None, a), *over(int, 5), "Optional(INT)", [5], "Optional(INT)"),
    Case("cast bool to bool", lambda a: pw.cast(bool, a), *over(bool, True), "BOOL", [True]),
    Case("cast float to float", lambda a: pw.cast(float, a), *over(float, 1.5), "FLOAT", [1.5]),
    Case("cast str to str", lambda a: pw.cast(str, a), *over(str, "a"), "STR", ["a"]),
    Case("cast to any", lambda a: pw.cast(Any, a), *over(int, 5), "ANY", [5], "ANY"),
    Case("cast float to int, limits", lambda a: pw.cast(int, a), *over(float, NAN, -INF), "INT", [0, -(2**63)], "INT"),
    Case("cast float to bool, nan", lambda a: pw.cast(bool, a), *over(float, NAN, -0.0), "BOOL", [True, False], "BOOL"),
    Case("cast float to str, nan", lambda a: pw.cast(str, a), *over(float, NAN, -INF, -0.0), "STR", ["NaN", "-inf", "-0"], "STR"),
    Case("cast optional int to int", lambda a: pw.cast(float, a), *over(int | None, 1, None), "FLOAT", [1.0, ERROR], "FLOAT"),
    Case("cast optional float to int", lambda a: pw.cast(int | None, a), *over(float | None, 1.9, None), "Optional(INT)", [1, None], "Optional(INT)"),
    Case("tuple[1]", lambda a: a[1], *over(tuple[int, str], (1, "a")), "STR", ["a"]),
    Case("tuple[int]", lambda a, i: a[i], [tuple[int, int], int], [((1, 2), -1), ((1, 2), 5)], "INT", [2, ERROR]),
    Case("tuple.get", lambda a, d: a.get(1, d), [tuple[int, str], str], [((1, "a"), "d")], "STR", ["a"]),
    Case("list[int]", lambda a, i: a[i], [list[int], int], [([1, 2], 1), ([], 0)], "INT", [2, ERROR]),
    Case("list.get", lambda a, i: a.get(i), [list[int], int], [([1, 2], 1), ([], 0)], "Optional(INT)", [2, None]),
    Case("tuple.get int", lambda a, i: a.get(i, 5), [tuple[int, int], int], [((1, 2), -2), ((1, 2), 2)], "INT", [1, 5]),
    Case("list.get with default", lambda a, i, d: a.get(i, d), [list[int], int, int], [([1, 2], 1, 7), ([], 0, 7)], "INT", [2, 7]),
    Case("any[int]", lambda a, i: a[i], [Any, int], [((1, "a"), 1), ((1,), 1)], "ANY", ["a", ERROR], "ANY"),
    Case("any.get", lambda a, i: a.get(i, "d"), [Any, int], [((1, "a"), 1), ((1,), 1)], "ANY", ["a", "d"], "ANY"),
    Case("matrix[int]", lambda a, i: a[i], [np.ndarray[tuple[int, int], np.dtype[np.int64]], int], [(np.array([[1, 2], [3, 4]]), -1), (np.array([[1]]), 1)], "Array(1, INT)", [np.array([3, 4]), ERROR]),
    Case("array.get", lambda a, i: a.get(i), [np.ndarray[tuple[int], np.dtype[np.int64]], int], [(np.array([5, 6]), 1), (np.array([5]), 1)], "INT", [6, None]),
    Case("array.get with default", lambda a, i, d: a.get(i, d), [np.ndarray[tuple[int], np.dtype[np.int64]], int, int], [(np.array([5, 6]), 1, 7), (np.array([5]), 1, 7)], "INT", [6, 7]),
    Case("array[int]", lambda a, i: a[i], [np.ndarray[tuple[int], np.dtype[np.float64]], int], [(np.array([0.5, 1.5]), 1)], "FLOAT", [1.5]),
    Case("json[str]", lambda a, i: a[i], [J, str], [(J({"a": 1}), "a"), (J({}), "a"), (J([1]), "a")], "Json", [J(1), J(None), J(None)]),
    Case("json[int]", lambda a, i: a[i], [J, int], [(J([1, 2]), 1), (J([1, 2]), -1), (J([1]), 1)], "Json", [J(2), J(2), J(None)]),
    Case("json.get", lambda a, i: a.get(i), [J, str], [(J({"a": None}), "a"), (J({}), "a")], "Optional(Json)", [J(None), None]),
    Case("json.get with default", lambda a, d: a.get("a", d), [J, J], [(J({}), J([]))], "Json", [J([])]),
    Case("as_int", lambda a: a.as_int(), *over(J, J(1), J(None), J("1"), J(1.0)), "Optional(INT)", [1, None, ERROR, ERROR], "Optional(INT)"),
    Case("as_int with default", lambda a, d: a.as_int(default=d), [J, int], [(J(None), 5)], "INT", [5], "INT"),
    Case("as_int unwrapped", lambda a: a.as_int(unwrap=True), *over(J, J(1), J(None)), "INT", [1, ERROR], "INT"),
    Case("as_int of optional", lambda a: a.as_int(), *over(J | None, None, J(2)), "Optional(INT)", [None, 2], "Optional(INT)"),
    Case("as_float with default", lambda a, d: a.as_float(default=d), [J, float], [(J(None), 0.5), (J(2), 0.5)], "FLOAT", [0.5, 2.0], "FLOAT"),
    Case("as_str with default", lambda a, d: a.as_str(default=d), [J, str], [(J(None), "d")], "STR", ["d"], "STR"),
    Case("as_bool unwrapped", lambda a: a.as_bool(unwrap=True), *over(J, J(False), J(None)), "BOOL", [False, ERROR], "BOOL"),
    Case("as_float", lambda a: a.as_float(), *over(J, J(1), J(1.5), J(True)), "Optional(FLOAT)", [1.0, 1.5, ERROR], "Optional(FLOAT)"),
    Case("as_str", lambda a: a.as_str(), *over(J, J("x"), J(1)), "Optional(STR)", ["x", ERROR], "Optional(STR)"),
    Case("as_bool", lambda a: a.as_bool(), *over(J, J(True), J(0)), "Optional(BOOL)", [True, ERROR], "Optional(BOOL)"),
    Case("to_string of int", lambda a: a.to_string(), *over(int, -5), "STR", ["-5"], "STR"),
    Case("to_string of float", lambda a: a.to_string(), *over(float, 1.0, 1e16, 1e-5), "STR", ["1.0", "1e16", "1e-5"], "STR"),
    Case("to_string of bool", lambda a: a.to_string(), *over(bool, True, False), "STR", ["True", "False"], "STR"),
    Case("to_string of str", lambda a: a.to_string(), *over(str, 'a"b', ""), "STR", ['a"b', ""], "STR"),
    Case("to_string of bytes", lambda a: a.to_string(), *over(bytes, b"ab\xff", b""), "STR", ["[97, 98, 255]", "[]"], "STR"),
    Case("to_string of naive", lambda a: a.to_string(), *over(N, N("2020-01-02 03:04:05.000000006")), "STR", ["2020-01-02T03:04:05.000000006"], "STR"),
    Case("to_string of utc", lambda a: a.to_string(), *over(U, U("2020-01-02T03:04:05+02:00")), "STR", ["2020-01-02T01:04:05.000000000+0000"], "STR"),
    Case("to_string of json", lambda a: a.to_string(), *over(J, J({"a": [1, None]}), J(1.0), J(1e20)), "STR", ['{"a":[1,null]}', "1.0", "1e+20"], "STR"),
    Case("to_string of pointer", lambda a: a.to_string(), *over(pw.Pointer, pw.engine.ref_scalar(1)), "STR", ["^YYY4HABTRW7T8VX2Q429ZYV70W"], "STR"),
    Case("to_string of lists", lambda a: a.to_string(), *over(list[int], [1, 2], [1], []), "STR", ["(1, 2)", "(1)", "()"], "STR"),
    Case("to_string of arrays", lambda a: a.to_string(), *over(np.ndarray, np.array([1, 2]), np.array([[1, 2.5], [3, 4]])), "STR", ["[1, 2]", "[[1, 2.5],\n [3, 4]]"], "STR"),
    Case("to_string of wrapper", lambda a: a.to_string(), *over(pw.PyObjectWrapper, pw.PyObjectWrapper({"a": 1})), "STR", ["PyObjectWrapper({'a': 1})"], "STR"),
    Case("to_string of None", lambda a: a.to_string(), *over(str | None, None, "x"), "STR", ["None", "x"], "STR"),
    Case("to_string of tuples", lambda a: a.to_string(), *over(tuple[int, str], (1, 'a"')), "STR", ['(1, "a\\"")'], "STR"),
    Case("to_string of durations", lambda a: a.to_string(), *over(D, D(hours=-51), D(1000)), "STR", ["-2d -3h", "1000ns"], "STR"),
]  # fmt: skip

TEXT = [
    Case("lower", lambda a: a.str.lower(), *over(str, "AŻ"), "STR", ["aż"], MAYBE_NONE),
    Case("upper", lambda a: a.str.upper(), *over(str, "aß"), "STR", ["ASS"], MAYBE_NONE),
    Case("title", lambda a: a.str.title(), *over(str, "one two"), "STR", ["One Two"], MAYBE_NONE),
    Case("swapcase", lambda a: a.str.swapcase(), *over(str, "aB"), "STR", ["Ab"], MAYBE_NONE),
    Case("reversed", lambda a: a.str.reversed(), *over(str, "aż"), "STR", ["ża"], MAYBE_NONE),
    Case("len", lambda a: a.str.len(), *over(str, "aż", ""), "INT", [2, 0], MAYBE_NONE),
    Case("replace", lambda a, b: a.str.replace("a", b, 1), [str, str], [("aa", "b")], "STR", ["ba"], MAYBE_NONE),
    Case("startswith", lambda a, b: a.str.startswith(b), [str, str], [("ab", "a"), ("b", "a")], "BOOL", [True, False], MAYBE_NONE),
    Case("endswith", lambda a, b: a.str.endswith(b), [str, str], [("ab", "b")], "BOOL", [True], MAYBE_NONE),
    Case("strip", lambda a: a.str.strip(), *over(str, " a\t"), "STR", ["a"], MAYBE_NONE),
    Case("strip of characters", lambda a, b: a.str.strip(b), [str, str | None], [("xax", "x"), (" a", None)], "STR", ["a", "a"], MAYBE_NONE),
    Case("count", lambda a, b: a.str.count(b, 1, None), [str, str], [("aaaa", "a")], "INT", [3], MAYBE_NONE),
    Case("find", lambda a, b: a.str.find(b), [str, str], [("abab", "b"), ("a", "z")], "INT", [1, -1], MAYBE_NONE),
    Case("rfind", lambda a, b: a.str.rfind(b), [str, str], [("abab", "b")], "INT", [3], MAYBE_NONE),
    Case("removeprefix", lambda a, b: a.str.removeprefix(b), [str, str], [("ab", "a")], "STR", ["b"], MAYBE_NONE),
    Case("removesuffix", lambda a, b: a.str.removesuffix(b), [str, str], [("ab", "b")], "STR", ["a"], MAYBE_NONE),
    Case("slice", lambda a, i: a.str.slice(i, -1), [str, int], [("abcd", 1)], "STR", ["bc"], MAYBE_NONE),
    Case("parse_int", lambda a: a.str.parse_int(), *over(str, " 7 ", "x"), "INT", [7, ERROR], MAYBE_NONE),
    Case("parse_int optional", lambda a: a.str.parse_int(optional=True), *over(str, "7", "x"), "Optional(INT)", [7, None], MAYBE_NONE),
    Case("parse_float", lambda a: a.str.parse_float(), *over(str, "1e3", "x"), "FLOAT", [1000.0, ERROR], MAYBE_NONE),
    Case("parse_bool", lambda a: a.str.parse_bool(), *over(str, "YES", "off", "x"), "BOOL", [True, False, ERROR], MAYBE_NONE),
    Case("parse_bool of own words", lambda a: a.str.parse_bool(["y"], ["n"], optional=True), *over(str, "y", "on"), "Optional(BOOL)", [True, None], MAYBE_NONE),
]  # fmt: skip

FIELDS = {"year": 2024, "month": 2, "day": 29, "hour": 12, "minute": 0, "second": 0, "millisecond": 123, "microsecond": 123456, "nanosecond": 123456789, "weekday": 3}  # fmt: skip
EARLIER = {"year": 1969, "month": 12, "day": 31, "hour": 23, "minute": 59, "second": 59, "millisecond": 500, "microsecond": 500000, "nanosecond": 500000000, "weekday": 2}  # fmt: skip
LENGTHS = {"nanoseconds": -90061000000001, "microseconds": -90061000000, "milliseconds": -90061000, "seconds": -90061, "minutes": -1501, "hours": -25, "days": -1, "weeks": 0}  # fmt: skip
LONG = D(days=-1, seconds=-3661, nanoseconds=-1)
WARSAW = "Europe/Warsaw"

TIME = [
    *[
        Case(name, lambda a, name=name: getattr(a.dt, name)(), *over(N, NOON, EVE), "INT", [FIELDS[name], EARLIER[name]], MAYBE_NONE)
        for name in FIELDS
    ],
    *[
        Case(name, lambda a, name=name: getattr(a.dt, name)(), *over(D, LONG), "INT", [value], MAYBE_NONE)
        for name, value in LENGTHS.items()
    ],
    Case("timestamp", lambda a: a.dt.timestamp("ms"), *over(N, EVE), "FLOAT", [-500.0], MAYBE_NONE),
    Case("timestamp of utc", lambda a: a.dt.timestamp(unit="s"), *over(U, U("1970-01-01T01:00:00+00:00")), "FLOAT", [3600.0], MAYBE_NONE),
    Case("strptime", lambda a: a.dt.strptime("%Y-%m-%d %H:%M"), *over(str, "2024-02-29 12:30", "x"), "DATE_TIME_NAIVE", [N("2024-02-29 12:30"), ERROR], MAYBE_NONE),
    Case("strptime by column", lambda a, f: a.dt.strptime(f, contains_timezone=False), [str, str], [("2024", "x"), ("29.02.2024", "%d.%m.%Y")], "DATE_TIME_NAIVE", [ERROR, N("2024-02-29")], MAYBE_NONE),
    Case("strptime with zone", lambda a: a.dt.strptime("%Y-%m-%dT%H:%M:%S.%f%z"), *over(str, "2024-02-29T12:00:00+0100"), "DATE_TIME_UTC", [U("2024-02-29T11:00Z")], MAYBE_NONE),
    Case("strftime", lambda a, f: a.dt.strftime(f), [N, str], [(NOON, "%d.%m.%y %f")], "STR", ["29.02.24 123456789"], MAYBE_NONE),
    Case("to_utc", lambda a: a.dt.to_utc(WARSAW), *over(N, N("2023-03-26 02:30"), N("2023-10-29 02:30")), "DATE_TIME_UTC", [U("2023-03-26T01:00Z"), U("2023-10-29T01:30Z")], MAYBE_NONE),
    Case("to_naive_in_timezone", lambda a, z: a.dt.to_naive_in_timezone(z), [U, str], [(UTC, WARSAW), (UTC, "Mars")], "DATE_TIME_NAIVE", [N("2024-02-29 13:00"), ERROR], MAYBE_NONE),
    Case("add_duration_in_timezone", lambda a, d: a.dt.add_duration_in_timezone(d, WARSAW), [N, D], [(N("2023-03-26 01:23"), D(hours=2))], "DATE_TIME_NAIVE", [N("2023-03-26 04:23")], MAYBE_NONE),
    Case("subtract_duration_in_timezone", lambda a, d: a.dt.subtract_duration_in_timezone(d, WARSAW), [N, D], [(N("2023-03-26 03:23"), D(hours=2))], "DATE_TIME_NAIVE", [N("2023-03-26 00:23")], MAYBE_NONE),
    Case("subtract_date_time_in_timezone", lambda a, b: a.dt.subtract_date_time_in_timezone(b, WARSAW), [N, N], [(N("2023-03-26 03:23"), N("2023-03-26 01:23"))], "DURATION", [HOUR], MAYBE_NONE),
    Case("round", lambda a: a.dt.round("1h"), *over(N, N("2023-05-15 10:30"), N("1969-12-31 23:30")), "DATE_TIME_NAIVE", [N("2023-05-15 11:00"), N("1970-01-01")], MAYBE_NONE),
    Case("floor", lambda a, d: a.dt.floor(d), [U, D], [(U("2023-05-15T10:59Z"), HOUR)], "DATE_TIME_UTC", [U("2023-05-15T10:00Z")], MAYBE_NONE),
    Case("floor by timedelta", lambda a: a.dt.floor(datetime.timedelta(days=7)), *over(N, N("2023-05-15")), "DATE_TIME_NAIVE", [N("2023-05-11")], MAYBE_NONE),
    Case("to_duration", lambda a, u: a.dt.to_duration(u), [int, str], [(2, "W"), (2, "weeks"), (-3, "hours"), (1, "fortnight"), (2**60, "s")], "DURATION", [D(days=14), D(days=14), D(hours=-3), ERROR, ERROR], MAYBE_NONE),
    Case("from_timestamp", lambda a: a.dt.from_timestamp("s"), *over(float, 0.5), "DATE_TIME_NAIVE", [N("1970-01-01 00:00:00.5")], MAYBE_NONE),
    Case("from_timestamp of int", lambda a: a.dt.from_timestamp("ms"), *over(int, -500, 2**50), "DATE_TIME_NAIVE", [EVE, ERROR], MAYBE_NONE),
    Case("utc_from_timestamp", lambda a: a.dt.utc_from_timestamp("s"), *over(int, 3600), "DATE_TIME_UTC", [U("1970-01-01T01:00Z")], MAYBE_NONE),
]  # fmt: skip

NUMERIC = [
    Case("num.abs", lambda a: a.num.abs(), *over(float, -0.5), "FLOAT", [0.5], MAYBE_NONE),
    Case("num.round", lambda a, n: a.num.round(n), [float, int], [(2.675, 2), (0.5, 0), (15.0, -1)], "FLOAT", [2.67, 0.0, 20.0], MAYBE_NONE),
    Case("num.round of int", lambda a: a.num.round(-1), *over(int, 25, 26), "INT", [20, 30], MAYBE_NONE),
    Case("num.fill_na", lambda a: a.num.fill_na(5), *over(int, 1), "INT", [1], "INT"),
    Case("num.fill_na of optional", lambda a: a.num.fill_na(0), *over(float | None, None, 1.5), "FLOAT", [0.0, 1.5], "FLOAT"),
]  # fmt: skip

CASES = [*OPERATORS, *FUNCTIONS, *TEXT, *TIME, *NUMERIC]
