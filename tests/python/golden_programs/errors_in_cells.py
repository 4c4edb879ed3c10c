"""Errors that stay in their cells, and notes on exceptions."""

import logging
import warnings

import pathway as pw
from pathway import reducers as r

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)
t = pw.debug.table_from_markdown("""
a | b
6 | 2
5 | 0
4 | 4
""")
u = t.with_columns(q=t.a // t.b)


def show(table):
    pw.debug.compute_and_print(table, terminate_on_error=False)


show(u)
show(u.select(q=pw.fill_error(u.q, -1)))
show(u.remove_errors())
show(u.filter(u.q > 0))
show(u.reduce(n=r.count(), m=r.count(u.q), s=r.sum(u.q)))
show(u.groupby(u.q).reduce(u.q, c=r.count()))
show(u.join(t, u.q == t.b).select(u.a, t.b))
show(u.join_left(t, u.q == t.b).select(u.a, t.b))
show(u.with_id_from(u.q))
show(
    u.select(x=pw.if_else(u.a == 5, 0, u.q), y=pw.coalesce(u.q, 1), z=u.q.is_none(), w=(u.a > 0) | (u.q > 0))
)
show(t.with_id_from(1))


def first():
    x = t.select(
        q=t.a // t.b,
        z=1,
    )
    pw.debug.compute_and_print(x)


def second():
    t.select(pw.this.zz)


def third():
    def fail(x):
        raise KeyError("z")

    y = t.select(q=pw.apply(fail, t.a))
    pw.debug.compute_and_print(y)


for function in (first, second, third):
    try:
        function()
    except Exception as error:
        note = error.__notes__[0].replace(__file__, "FILE")
        print(type(error).__name__, note, len(error.__notes__))
