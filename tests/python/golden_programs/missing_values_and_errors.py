"""None, branches, and errors in cells."""

from blocks import accepted, changes, one, program, rows, show, values

import pathway as pw


def numbers():
    return rows(
        {"a": int | None, "b": int | None, "c": int}, (1, 2, 1), (None, 3, 0), (4, None, 2), (None, None, 0)
    )


@program
def tests_for_none():
    t = numbers()
    values(
        t.select(
            t.k, n=t.a.is_none(), nn=t.a.is_not_none(), eq=t.a == None, ne=t.a != None, inv=~t.a.is_none()
        )
    )
    values(
        t.select(
            t.k, c=t.c.is_none(), both=t.a == t.b, differ=t.a != t.b, with_int=t.a == t.c, const=t.a == 4
        )
    )
    j = rows({"j": pw.Json, "o": pw.Json | None}, (None, None), ({}, [1]))
    values(j.select(j.k, j=j.j.is_none(), o=j.o.is_none()))


@program
def branches():
    t = numbers()
    values(
        t.select(t.k, r=pw.if_else(t.a.is_not_none(), t.a + 1, 0), s=pw.if_else(t.a.is_none(), -1, t.a * 2))
    )
    values(t.select(t.k, r=pw.if_else(~t.a.is_none(), t.a + 1, 0.5), m=pw.if_else(t.c > 0, t.c, 1.5)))
    values(
        t.select(
            t.k,
            n=pw.if_else(t.c > 0, None, "x"),
            o=pw.if_else(t.c > 0, t.a, t.b),
            j=pw.if_else(t.c > 0, t.a, 0.5),
        )
    )
    accepted(
        lambda: t.select(x=pw.if_else(t.a != None, t.a + 1, 0)),
        lambda: t.select(x=pw.if_else(t.a.is_not_none() & (t.c > 0), t.a + 1, 0)),
        lambda: t.select(x=pw.if_else(t.c > 0, t.c, "x")),
        lambda: t.select(x=pw.if_else(t.c, 1, 2)),
        lambda: t.select(x=pw.if_else(t.c > 0, True, 1)),
    )


@program
def first_value_that_is_not_none():
    t = numbers()
    values(
        t.select(
            t.k,
            a=pw.coalesce(t.a, t.b),
            b=pw.coalesce(t.a, t.b, 0),
            c=pw.coalesce(t.a, 0.5),
            d=pw.coalesce(t.c, t.a),
        )
    )
    values(t.select(t.k, a=pw.coalesce(None, t.a), b=pw.coalesce(t.a, None, 7), c=pw.coalesce(t.c)))
    j = rows({"j": pw.Json | None}, (None,), (pw.Json(None),), ({"a": 1},))
    values(j.select(j.k, j=pw.coalesce(j.j, pw.Json({}))))
    accepted(lambda: pw.coalesce(), lambda: t.select(x=pw.coalesce(t.a, "x")))


@program
def values_that_require_others():
    t = numbers()
    values(
        t.select(
            t.k,
            r=pw.require(t.a + 1, t.a),
            s=pw.require(t.a + t.b, t.a, t.b),
            q=pw.require(t.c, t.a),
            n=pw.require(1),
        )
    )
    values(t.select(t.k, nested=pw.require(pw.require(t.c, t.a), t.b), text=pw.require("x", t.a)))
    accepted(
        lambda: t.select(x=pw.require(t.a + t.b, t.a)), lambda: t.select(x=pw.require(t.a + 1, t.a == t.b))
    )


@program
def unwrapping():
    t = numbers()
    values(t.select(t.k, u=pw.unwrap(t.a), v=pw.unwrap(t.a) + 1, c=pw.unwrap(t.c)))
    show(t.select(u=pw.unwrap(t.a)))


@program
def replacing_errors():
    t = numbers()
    q = t.select(t.k, q=6 // t.c)
    values(q)
    values(
        q.select(
            q.k,
            f=pw.fill_error(q.q, -1),
            g=pw.fill_error(q.q, 0.5),
            n=pw.fill_error(q.q, None),
            h=pw.fill_error(q.q + 1, q.k),
        )
    )
    show(t.select(t.k, inside=pw.fill_error(6 // t.c, -1)))
    values(t.select(t.k, none=pw.fill_error(t.a, 0), again=pw.fill_error(1 // t.c, 2 // t.c)))


@program
def errors_spread():
    t = numbers()
    q = t.select(t.k, t.c, q=6 // t.c)
    values(q.select(q.k, add=q.q + 1, eq=q.q == 1, none=q.q.is_none(), eqn=q.q == None, text=q.q.to_string()))
    values(
        q.select(
            q.k,
            tup=pw.make_tuple(q.k, q.q),
            co=pw.coalesce(q.q, 1),
            req=pw.require(1, q.q),
            key=q.pointer_from(q.q).is_none(),
        )
    )
    values(
        q.select(
            q.k,
            cond=pw.if_else(q.q > 1, 1, 2),
            cast=pw.cast(str, q.q),
            app=pw.apply(lambda x: x, q.q),
            un=pw.unwrap(q.q),
            neg=-q.q,
        )
    )
    values(q.select(q.k, idx=pw.make_tuple(1, 2)[q.q], get=pw.make_tuple(1, 2).get(q.k, q.q)))


@program
def branches_that_are_not_taken():
    t = numbers()
    values(
        t.select(
            t.k,
            safe=pw.if_else(t.c == 0, 0, 6 // t.c),
            co=pw.coalesce(t.a, 6 // t.c),
            req=pw.require(6 // t.c, t.a),
        )
    )
    bad = 6 // t.c > 0
    values(
        t.select(
            t.k,
            conj=(t.c > 0) & bad,
            disj=(t.c == 0) | bad,
            bad_conj=bad & (t.c > 0),
            bad_disj=bad | (t.c == 0),
        )
    )
    values(t.select(t.k, exor=(t.c > 0) ^ bad, conj_false=bad & False, disj_true=bad | True))


@program
def functions_of_branches_that_are_not_taken():
    calls = []

    def note(x):
        calls.append(x)
        return x

    t = rows({"a": int}, (1,), (2,), (3,))
    values(t.select(t.k, a=pw.if_else(t.a > 1, pw.apply_with_type(note, int, t.a), 0)))
    print(sorted(calls))
    calls.clear()
    values(t.select(t.k, a=pw.coalesce(t.a, pw.apply_with_type(note, int, t.a))))
    print(sorted(calls))
    values(t.select(t.k, a=(t.a > 2) & (pw.apply_with_type(note, int, t.a) > 0)))
    print(sorted(calls))


@program
def the_first_error_ends_the_run():
    t = numbers()
    for table in (
        t.select(x=1 // t.c),
        t.select(x=1 % t.c),
        t.select(x=pw.unwrap(t.a)),
        t.select(x=pw.make_tuple(1, 2)[t.c]),
        t.select(x=pw.apply(lambda c: [1, 2][c], t.c)),
        t.select(x=pw.cast(int, t.c.to_string() + "x")),
        t.select(x=t.c.to_string().str.parse_bool(true_values=["x"], false_values=["y"])),
        t.select(x=pw.cast(float, t.a)),
        t.select(x=pw.apply_with_type(lambda c: "text", int, t.c)),
    ):
        show(table)


@program
def rows_with_errors_are_removed():
    t = numbers()
    q = t.select(t.k, q=6 // t.c, w=1 // (t.c - 1))
    changes(q.remove_errors(), terminate_on_error=False)
    changes(q.select(q.k, q.q).remove_errors(), terminate_on_error=False)
    changes(q[["k"]].remove_errors(), terminate_on_error=False)


@program
def operators_that_meet_errors():
    t = numbers()
    q = t.select(t.k, t.c, q=6 // t.c)
    r = pw.reducers
    values(q.filter(q.q > 0))
    values(q.filter(q.c >= 0))
    values(q.groupby(q.q).reduce(q.q, n=r.count()))
    values(q.reduce(n=r.count(), m=r.count(q.q), s=r.sum(q.q), mn=r.min(q.q)))
    values(q.groupby(q.c).reduce(q.c, n=r.count()))
    values(q.with_id_from(q.q))
    other = rows({"v": int}, (6,), (3,), (7,))
    values(q.join(other, q.q == other.v).select(q.k, other.v))
    values(q.join_outer(other, q.q == other.v).select(q=pw.fill_error(q.q, -1), v=other.v))
    positive, rest = q.split(q.q > 3)
    values(positive)
    values(rest)


@program
def constants_of_every_kind():
    values(one(i=1, f=1.5, b=True, s="x", y=b"x", n=None, d={"a": 1}, t=(1, "a"), li=[1, 2]))
    values(
        one(d=pw.DateTimeNaive("2020-01-01"), u=pw.DateTimeUtc("2020-01-01T00:00Z"), p=pw.Duration(hours=1))
    )
    import datetime

    import numpy as np
    import pandas as pd

    values(
        one(
            a=np.int64(3),
            b=np.float32(0.5),
            c=datetime.datetime(2020, 1, 1),
            d=datetime.timedelta(1),
            e=pd.Timestamp("2020-01-01", tz="UTC"),
            f=np.array([1, 2]),
        )
    )
    accepted(
        lambda: one(a={1, 2}), lambda: one(a=object()), lambda: one(a=pw.engine.ERROR), lambda: one(a=len)
    )
