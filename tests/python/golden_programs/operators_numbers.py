"""Operators on numbers and booleans: values and types."""

import math

import numpy as np
from blocks import program, rows, values

import pathway as pw

PAIRS = [(7, 2), (-7, 2), (7, -2), (-7, -2), (0, 5), (5, 0), (2**62, 2), (-(2**63), 1), (3, 64), (1, -1)]


def ints():
    return rows({"a": int, "b": int}, *PAIRS)


def floats():
    pairs = ["7.5 2", "-7.5 2", "7.5 -2", "-7.5 0.5", "0 -1", "1 0", "inf 2", "nan 1", "-0 3"]
    t = rows({"x": str, "y": str}, *[tuple(pair.split()) for pair in pairs])
    return t.select(t.k, x=t.x.str.parse_float(), y=t.y.str.parse_float())


@program
def integer_arithmetic():
    t = ints()
    values(t.select(t.k, add=t.a + t.b, sub=t.a - t.b, mul=t.a * t.b))
    values(t.select(t.k, div=t.a / t.b, floor=t.a // t.b, mod=t.a % t.b))


@program
def integer_powers():
    t = rows({"a": int, "b": int}, (2, 10), (0, 0), (-3, 3), (2, -1), (10, 18), (2, 64), (3, 41), (1, -5))
    values(t.select(t.k, p=t.a**t.b, q=2**t.b, r=t.a**2))


@program
def integers_wrap():
    big = 2**63 - 1
    t = rows({"a": int}, (big,), (-big - 1,), (-big,))
    values(t.select(t.k, plus=t.a + 1, minus=t.a - 1, neg=-t.a, double=t.a * 2, abs=abs(t.a)))


@program
def shifts():
    t = rows({"a": int, "b": int}, (1, 3), (-8, 1), (1, 64), (1, 65), (1, -1), (-1, 63), (5, 0))
    values(t.select(t.k, left=t.a << t.b, right=t.a >> t.b, konst=1 << t.b, reflected=-16 >> t.b))


@program
def bitwise_operators():
    t = rows({"a": int, "b": int}, (12, 10), (-1, 7), (0, -5))
    values(t.select(t.k, conj=t.a & t.b, disj=t.a | t.b, exor=t.a ^ t.b, mask=0xFF & t.a))


@program
def float_arithmetic():
    t = floats()
    values(t.select(t.k, add=t.x + t.y, sub=t.x - t.y, mul=t.x * t.y, div=t.x / t.y))
    values(t.select(t.k, floor=t.x // t.y, mod=t.x % t.y, neg=-t.x, abs=abs(t.x)))


@program
def float_powers():
    t = rows(
        {"x": float, "y": float}, (2.0, 0.5), (-7.5, 0.5), (0.0, -1.0), (0.0, 0.0), (10.0, 400.0), (-2.0, 3.0)
    )
    values(t.select(t.k, p=t.x**t.y, q=t.x**2, r=2**t.y))


@program
def integers_with_floats():
    t = rows({"a": int, "x": float}, (3, 1.5), (-3, 2.0), (2**53 + 1, 2.0**53), (0, -0.0))
    values(t.select(t.k, add=t.a + t.x, sub=t.x - t.a, mul=t.a * t.x, pow=t.x**t.a))
    values(t.select(t.k, eq=t.a == t.x, ne=t.a != t.x, lt=t.a < t.x, ge=t.a >= t.x))
    values(t.select(t.k, div=t.a / t.x, floor=t.a // t.x, mod=t.a % t.x))


@program
def comparisons_of_numbers():
    t = ints()
    values(
        t.select(t.k, lt=t.a < t.b, le=t.a <= t.b, gt=t.a > t.b, ge=t.a >= t.b, eq=t.a == t.b, ne=t.a != t.b)
    )
    t = floats()
    values(
        t.select(t.k, lt=t.x < t.y, le=t.x <= t.y, gt=t.x > t.y, ge=t.x >= t.y, eq=t.x == t.y, ne=t.x != t.y)
    )
    values(t.select(t.k, same=t.x == t.x, other=t.x != t.x))


@program
def constants_on_the_left():
    t = ints()
    values(t.select(t.k, a=10 - t.b, b=100 // t.b, c=100 % t.b, d=1 / t.b, e=10 > t.a, f=10 == t.a))
    values(t.select(t.k, a=np.int64(3) + t.a, c=0.5 - t.a))


@program
def boolean_logic():
    t = rows({"p": bool, "q": bool}, (True, True), (True, False), (False, True), (False, False))
    values(t.select(t.k, conj=t.p & t.q, disj=t.p | t.q, exor=t.p ^ t.q, neg=~t.p, twice=~~t.p))
    values(t.select(t.k, eq=t.p == t.q, lt=t.p < t.q, ge=t.p >= t.q, konst=True & t.p, other=t.q | False))


@program
def rounding_of_numbers():
    t = rows(
        {"a": int, "x": float, "n": int},
        (15, 0.5, 0),
        (25, 1.5, 1),
        (-15, 2.675, 2),
        (149, -0.5, -1),
        (0, 1234.5678, -2),
    )
    values(
        t.select(
            t.k,
            r=t.x.num.round(),
            r1=t.x.num.round(1),
            rn=t.x.num.round(t.n),
            ar=t.a.num.round(-1),
            an=t.a.num.round(t.n),
        )
    )
    values(t.select(t.k, a=t.a.num.abs(), x=t.x.num.abs()))


@program
def filling_missing_numbers():
    t = rows(
        {"i": int, "x": str, "oi": int | None, "ox": float | None},
        (1, "nan", None, None),
        (2, "1.5", 3, -math.inf),
        (3, "-inf", 0, 2.5),
    ).with_columns(x=pw.this.x.str.parse_float())
    values(
        t.select(
            t.k, i=t.i.num.fill_na(9), x=t.x.num.fill_na(9), oi=t.oi.num.fill_na(9), ox=t.ox.num.fill_na(9.5)
        )
    )
    values(t.select(t.k, oi=t.oi.num.fill_na(9.0), x=t.x.num.fill_na(0)))


@program
def products_of_arrays():
    t = pw.debug.table_from_rows(
        pw.schema_from_types(k=int),
        [(1,)],
    ).select(
        m=np.array([[1, 2], [3, 4]]),
        v=np.array([5, 6]),
        f=np.array([[0.5, 0.0], [0.0, 2.0]]),
        w=np.array([1.0, 2.0]),
    )
    values(t.select(a=t.m @ t.m))
    values(t.select(b=t.m @ t.v, c=t.v @ t.m))
    values(t.select(d=t.f @ t.f, e=t.f @ t.w))
    values(t.select(bad=t.m @ t.f))
    values(t.select(bad=t.m @ np.array([1, 2, 3])))
