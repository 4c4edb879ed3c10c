"""Tuples, lists, arrays and Json: making, comparing, taking elements."""

import numpy as np
from blocks import accepted, program, rows, show, values

import pathway as pw


@program
def tuples_are_made():
    t = rows({"a": int, "b": str | None}, (1, "x"), (2, None))
    values(
        t.select(
            t.k, x=pw.make_tuple(t.a, t.b), y=(t.a, t.b), z=pw.make_tuple(t.a, (t.b, 2.5)), w=pw.make_tuple()
        )
    )
    values(t.select(t.k, c=(1, 2), d=(t.a, (1, (t.b,)))))


@program
def elements_of_tuples():
    t = rows(
        {"a": tuple[int, str, float], "i": int}, ((1, "x", 2.5), 0), ((2, "y", 0.5), -1), ((3, "z", 1.0), 5)
    )
    values(
        t.select(t.k, x=t.a[0], y=t.a[-1], z=t.a[t.i], g=t.a.get(1), h=t.a.get(7, "no"), m=t.a.get(t.i, "d"))
    )
    accepted(
        lambda: t.select(x=t.a[3]),
        lambda: t.select(x=t.a[-4]),
        lambda: t.select(x=t.a["a"]),
        lambda: t.select(x=t.a[True]),
        lambda: t.select(x=t.i[0]),
        lambda: t.select(x=t.a[0:1]),
    )


@program
def elements_of_lists():
    t = rows({"a": list[int], "i": int}, ([1, 2, 3], 1), ([], 0), ([4], -1), ([5, 6], -3))
    values(t.select(t.k, x=t.a[t.i], y=t.a[0], g=t.a.get(t.i), h=t.a.get(2)))
    values(t.select(t.k, s=t.a.to_string()))
    anything = rows({"a": list, "i": int}, ([1, "x", None], 1), ((2.5, (1,)), 1))
    values(anything.select(anything.k, x=anything.a[anything.i], g=anything.a.get(9, "none")))
    any_value = rows({"a": pw.internals.dtype.ANY}, ((1, 2),), ((3,),))
    values(any_value.select(any_value.k, x=any_value.a[0], g=any_value.a.get(1, -1)))


@program
def elements_of_arrays():
    t = rows({"n": int}, (2,), (3,))
    a = t.select(
        t.k,
        t.n,
        v=pw.apply_with_type(lambda n: np.arange(n) * 1.5, np.ndarray[tuple[int], np.dtype[np.float64]], t.n),
    )
    values(a.select(a.k, x=a.v[1], y=a.v[-1], z=a.v[a.n - 1], bad=a.v[a.n]))
    m = t.select(
        t.k,
        m=pw.apply_with_type(
            lambda n: np.arange(2 * n).reshape(2, n), np.ndarray[tuple[int, int], np.dtype[np.int64]], t.n
        ),
    )
    values(m.select(m.k, r=m.m[1], c=m.m[1][0], d=m.m[0][-1]))


@program
def comparing_tuples():
    t = rows(
        {"a": tuple[int, float], "b": tuple[int, int]},
        ((1, 2.0), (1, 2)),
        ((1, 2.5), (1, 2)),
        ((0, 9.0), (1, 0)),
    )
    values(
        t.select(t.k, lt=t.a < t.b, le=t.a <= t.b, eq=t.a == t.b, ne=t.a != t.b, gt=t.a > t.b, ge=t.a >= t.b)
    )
    li = rows({"a": list[int], "b": list[int]}, ([1, 2], [1, 2, 0]), ([], [0]), ([2], [1, 5]), ([3], [3]))
    values(li.select(li.k, lt=li.a < li.b, eq=li.a == li.b, ge=li.a >= li.b))
    o = rows(
        {"a": tuple[int | None, str], "b": tuple[int | None, str]},
        ((None, "x"), (None, "x")),
        ((1, "x"), (None, "x")),
        ((1, "x"), (1, "x")),
    )
    values(o.select(o.k, eq=o.a == o.b, ne=o.a != o.b))
    values(t.select(t.k, const=t.b == (1, 2), less=t.b < (1, 1)))
    accepted(
        lambda: t.select(x=t.a == (1, 2, 3)),
        lambda: t.select(x=t.a == ("x", 1.0)),
        lambda: t.select(x=t.a < 1),
    )


@program
def comparing_any_lists():
    t = rows({"a": list, "b": list}, ([1, "x"], [1, "y"]), ([1, 2], [1, "y"]), (["a"], [1]), ([1], [1.0]))
    values(t.select(t.k, lt=t.a < t.b))
    values(t.select(t.k, eq=t.a == t.b))


@program
def comparing_other_kinds():
    t = rows(
        {"a": bytes, "j": pw.Json, "q": pw.Json},
        (b"a", {"x": 1}, {"x": 1}),
        (b"b", 1, 1.0),
        (b"", None, None),
        (b"a", [1, {}], [1, {}]),
    )
    values(t.select(t.k, b=t.a == b"a", nb=t.a != b"a", j=t.j == t.q, nj=t.j != t.q))
    v = t.select(
        t.k,
        v=pw.apply_with_type(lambda k: np.array([k, 1]), np.ndarray, t.k),
        w=pw.apply_with_type(lambda k: np.array([1, 1]), np.ndarray, t.k),
    )
    values(v.select(v.k, eq=v.v == v.w, ne=v.v != v.w))
    accepted(
        lambda: t.select(x=t.a < b"a"),
        lambda: t.select(x=t.a + t.a),
        lambda: t.select(x=t.j < t.q),
        lambda: t.select(x=t.j + 1),
        lambda: v.select(x=v.v + v.w),
    )


DOCUMENTS = [
    {"a": 1, "b": {"c": [1, 2.5, "x"]}, "n": None, "t": True},
    {"a": 1.0, "b": "text", "t": "yes"},
    {"a": "7", "b": [10, [20]], "n": 5, "t": 0},
    [1, 2],
    "scalar",
    None,
    9223372036854775808,
]


def documents():
    return rows({"d": pw.Json}, *[(document,) for document in DOCUMENTS])


@program
def members_of_json():
    t = documents()
    values(
        t.select(
            t.k, a=t.d["a"], bc=t.d["b"]["c"], b1=t.d["b"][1], c2=t.d["b"]["c"][2], zero=t.d[0], neg=t.d[-1]
        )
    )
    values(
        t.select(
            t.k,
            a=t.d.get("a"),
            n=t.d.get("n"),
            deep=t.d.get("b", {})["c"],
            dflt=t.d.get("zz", {"x": 1}),
            one=t.d.get(1),
        )
    )
    names = rows({"name": str, "d": pw.Json}, ("a", {"a": 1}), ("b", {"a": 1}))
    values(names.select(names.k, x=names.d[names.name], y=names.d.get(names.name, pw.Json("none"))))
    accepted(
        lambda: t.select(x=t.d.get("a")["b"]),
        lambda: t.select(x=t.d.get("a", 1)),
        lambda: t.select(x=t.d.get("a", "x")),
        lambda: t.select(x=t.d.get("a", pw.Json(1))),
    )


@program
def wrong_indices_of_json():
    t = documents()
    values(t.select(t.k, x=t.d[1.5]))
    values(t.select(t.k, x=t.d[None]))
    values(t.select(t.k, x=t.d[True]))


@program
def numbers_of_json():
    t = documents()
    a = t.d["a"]
    values(t.select(t.k, i=a.as_int(), f=a.as_float(), s=a.as_str(), b=t.d["t"].as_bool()))
    values(
        t.select(
            t.k,
            i=a.as_int(default=0),
            f=a.as_float(default=0.5),
            s=a.as_str(default="none"),
            b=t.d["t"].as_bool(default=False),
        )
    )
    values(
        t.select(
            t.k,
            i=a.as_int(unwrap=True),
            n=t.d["n"].as_int(default=-1, unwrap=True),
            m=t.d["n"].as_int(unwrap=True),
        )
    )
    values(t.select(t.k, whole=t.d.as_int(), text=t.d.as_str(), opt=t.d.get("a").as_int()))
    accepted(
        lambda: t.select(x=t.k.as_int()),
        lambda: t.select(x=a.as_int(default="x")),
        lambda: t.select(x=a.as_str(default=1)),
        lambda: t.select(x=a.as_float(default=1.5, unwrap=True)),
    )


@program
def text_of_json():
    t = documents()
    values(t.select(t.k, s=t.d.to_string(), p=t.d))
    show(t.select(t.k, d=t.d).filter(pw.this.k < 2))


@program
def json_in_python():
    j = pw.Json({"a": [1, "ż", None], "b": 2.5})
    print(
        j,
        repr(j),
        j.value,
        j["a"],
        j["a"][1],
        len(j),
        list(j),
        list(reversed(j["a"])),
        bool(pw.Json({})),
        int(pw.Json(3)),
        float(pw.Json(2)),
    )
    print(
        pw.Json.NULL,
        pw.Json(None) == pw.Json.NULL,
        pw.Json(1) == 1,
        hash(pw.Json(1)) == hash(pw.Json(1)),
        [10, 20][pw.Json(1)],
    )
    print(pw.Json.parse('{"x": [1]}'), pw.Json.parse(b"3"), pw.Json.dumps({"a": pw.Json([1]), "ż": None}))
    print(
        pw.Json.dumps(
            [
                pw.DateTimeNaive("2020-01-01"),
                pw.DateTimeUtc("2020-01-01T01:00:00.5+02:00"),
                pw.Duration(seconds=1),
            ]
        )
    )
    print(
        pw.Json(1).as_int(),
        pw.Json(1).as_float(),
        pw.Json("x").as_str(),
        pw.Json(True).as_bool(),
        pw.Json([1]).as_list(),
        pw.Json({}).as_dict(),
    )
    print(pw.Json(pw.Json(1)) == pw.Json(1), pw.Json(pw.Json(5)).value)
    accepted(
        lambda: pw.Json.parse("{"),
        lambda: j["zz"],
        lambda: j[0],
        lambda: pw.Json(1)["a"],
        lambda: pw.Json("x").as_int(),
        lambda: pw.Json(1.5).as_int(),
        lambda: pw.Json(1).as_str(),
        lambda: hash(j),
        lambda: len(pw.Json(1)),
        lambda: int(pw.Json("x")),
    )
