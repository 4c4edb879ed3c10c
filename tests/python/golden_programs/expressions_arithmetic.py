"""Operators on every numeric type: results and dtypes."""

import pathway as pw

t = pw.debug.table_from_rows(
    pw.schema_from_types(a=int, b=int | None, f=float, s=str, p=bool, d=pw.Duration),
    [
        (7, None, 1.5, "abc", True, pw.Duration(hours=30)),
        (-7, 3, -0.5, "Żółw", False, pw.Duration(-5, "ns")),
    ],
)


def show(**columns):
    result = t.select(**columns)
    print(result)
    pw.debug.compute_and_print(result, include_id=False)


show(add=t.a + 1, sub=t.a - t.f, mul=t.a * 2, div=t.a / 2, fdiv=t.a // 2, mod=t.a % 3, pow=t.a**2, neg=-t.a)
show(add=t.f + 1, mul=t.f * 2, div=t.f / 2, fdiv=t.f // 2, mod=t.f % 3, pow=t.f**2, neg=-t.f, abs=abs(t.f))
show(and_=t.a & 3, or_=t.a | 8, xor=t.a ^ 1, left=t.a << 2, right=t.a >> 1)
show(and_=t.p & True, or_=t.p | False, xor=t.p ^ True, not_=~t.p)
show(eq=t.a == 7, opt=t.b == 3, none=t.b == None, ne=t.b != 3, lt=t.a < t.f, text=t.s >= "b")
show(tuples=pw.make_tuple(t.a, t.s) < (7, "b"), same=(t.a, 1) == pw.make_tuple(7, 1))
show(cat=t.s + "z", times=t.s * 2, rtimes=2 * t.s)
show(sum=t.d + t.d, twice=t.d * 2, third=t.d / 3, count=t.d // pw.Duration(hours=7), hours=t.d.dt.hours())
show(
    float=pw.cast(float, t.a),
    text=pw.cast(str, t.f),
    int=pw.cast(int, t.f),
    bool=pw.cast(bool, t.a),
    opt=pw.cast(float | None, t.b),
)
for wrong in [
    lambda: t.s + t.a,
    lambda: t.b + 1,
    lambda: t.p + 1,
    lambda: ~t.a,
    lambda: t.a < t.s,
    lambda: pw.if_else(t.a, 1, 2),
    lambda: pw.if_else(t.p, 1, "a"),
    lambda: pw.coalesce(t.a, "x"),
    lambda: pw.declare_type(str, t.a),
    lambda: t.a.str.len(),
]:
    try:
        t.select(x=wrong())
    except (TypeError, AttributeError) as error:
        print(type(error).__name__)
