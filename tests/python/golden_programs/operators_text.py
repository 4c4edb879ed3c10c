"""Text: operators, the namespace `.str`, parsing."""

from blocks import accepted, program, rows, values

import pathway as pw


def words():
    return rows(
        {"s": str, "u": str},
        ("abc", "b"),
        ("Żółw ŻÓŁW", "ż"),
        ("", ""),
        ("straße ǆ", "s"),
        ("a\tb\nc", "\t"),
        ("aaaa", "aa"),
    )


def quoted(table):
    """Text as its representation, so that blanks and line breaks can be seen."""
    values(
        table.select(
            table.k, **{name: pw.apply(repr, table[name]) for name in list(table.column_names())[1:]}
        )
    )


@program
def joining_and_repeating_text():
    t = words()
    quoted(
        t.select(
            t.k,
            add=t.s + t.u,
            left="<" + t.s,
            right=t.s + ">",
            twice=t.u * 2,
            none=t.u * 0,
            minus=-1 * t.u,
            by=t.u * t.k,
        )
    )


@program
def comparing_text():
    t = rows(
        {"a": str, "b": str},
        ("a", "b"),
        ("Z", "a"),
        ("ab", "a"),
        ("é", "z"),
        ("", "a"),
        ("x", "x"),
        ("\U0001f600", "\uffff"),
    )
    values(
        t.select(t.k, lt=t.a < t.b, le=t.a <= t.b, gt=t.a > t.b, ge=t.a >= t.b, eq=t.a == t.b, ne=t.a != t.b)
    )
    values(t.select(t.k, const=t.a == "x", reflected="x" < t.a))


@program
def case_and_length():
    t = words()
    quoted(
        t.select(
            t.k,
            low=t.s.str.lower(),
            up=t.s.str.upper(),
            title=t.s.str.title(),
            swap=t.s.str.swapcase(),
            back=t.s.str.reversed(),
        )
    )
    values(t.select(t.k, n=t.s.str.len()))


@program
def replacing_parts():
    t = words()
    quoted(
        t.select(
            t.k,
            all=t.s.str.replace("a", "-"),
            some=t.s.str.replace("a", "-", 2),
            none=t.s.str.replace("a", "-", 0),
            neg=t.s.str.replace("a", "-", -5),
            by=t.s.str.replace(t.u, "+"),
            per_row=t.s.str.replace("a", t.u, t.k),
            empty=t.s.str.replace("", "."),
        )
    )


@program
def looking_for_parts():
    t = words()
    values(t.select(t.k, find=t.s.str.find(t.u), rfind=t.s.str.rfind(t.u), count=t.s.str.count(t.u)))
    values(
        t.select(
            t.k, find=t.s.str.find("a", 1), rfind=t.s.str.rfind("a", 0, 2), count=t.s.str.count("a", 1, 3)
        )
    )
    values(
        t.select(
            t.k, find=t.s.str.find("a", -2), rfind=t.s.str.rfind("a", None, -1), count=t.s.str.count("", -2)
        )
    )
    values(t.select(t.k, out=t.s.str.find("", 10), cross=t.s.str.count("a", 3, 1), by=t.s.str.find("a", t.k)))


@program
def starts_and_ends():
    t = words()
    values(
        t.select(
            t.k,
            a=t.s.str.startswith("a"),
            b=t.s.str.endswith(t.u),
            c=t.s.str.startswith(""),
            d=t.u.str.endswith("b"),
        )
    )
    quoted(
        t.select(
            t.k,
            a=t.s.str.removeprefix("a"),
            b=t.s.str.removesuffix("a"),
            c=t.s.str.removeprefix(t.u),
            d=t.s.str.removesuffix(""),
        )
    )


@program
def stripping():
    t = rows(
        {"s": str, "c": str | None},
        ("  x  ", None),
        ("\t\n x\u00a0", " "),
        ("xxyxx", "x"),
        ("abcba", "ab"),
        ("", "x"),
        ("ßaß", "ß"),
    )
    quoted(t.select(t.k, a=t.s.str.strip(), b=t.s.str.strip("x"), c=t.s.str.strip(t.c), d=t.s.str.strip("")))


@program
def slices_of_text():
    t = words()
    quoted(
        t.select(
            t.k,
            a=t.s.str.slice(0, 2),
            b=t.s.str.slice(1, -1),
            c=t.s.str.slice(-3, 100),
            d=t.s.str.slice(2, 1),
            e=t.s.str.slice(t.k, 4),
        )
    )


@program
def parsing_integers():
    texts = [
        "1",
        " -12 ",
        "+7",
        "",
        "a",
        "1.0",
        "0x1",
        "9223372036854775807",
        "9223372036854775808",
        "- 1",
        "1_0",
        "٣",
        "\t5\n",
    ]
    t = rows({"s": str}, *[(text,) for text in texts])
    values(t.select(t.k, a=t.s.str.parse_int(optional=True), b=t.s.str.parse_int(), c=pw.cast(int, t.s)))


@program
def parsing_floats():
    texts = [
        "1",
        " -1.5 ",
        ".5",
        "5.",
        "1e3",
        "1E-3",
        "inf",
        "-Infinity",
        "nan",
        "NaN",
        "1e999",
        "",
        "x",
        "1_0.0",
        "0x1p3",
        "+.5e1",
        "infinit",
    ]
    t = rows({"s": str}, *[(text,) for text in texts])
    values(
        t.select(t.k, a=t.s.str.parse_float(optional=True), b=t.s.str.parse_float(), c=pw.cast(float, t.s))
    )


@program
def parsing_booleans():
    texts = ["on", "TRUE", " yes ", "1", "off", "False", "no", "0", "y", "", "t"]
    t = rows({"s": str}, *[(text,) for text in texts])
    values(t.select(t.k, a=t.s.str.parse_bool(optional=True), b=t.s.str.parse_bool(), c=pw.cast(bool, t.s)))
    values(
        t.select(
            t.k,
            mine=t.s.str.parse_bool(true_values=["y", "1"], false_values=["N", ""], optional=True),
            both=t.s.str.parse_bool(true_values=["no"], optional=True),
        )
    )


@program
def text_methods_check_their_arguments():
    t = words()
    accepted(
        lambda: t.select(x=t.s.str.count(5)),
        lambda: t.select(x=t.s.str.replace("a", 1)),
        lambda: t.select(x=t.s.str.slice("a", 1)),
        lambda: t.select(x=t.s.str.slice(None, 1)),
        lambda: t.select(x=t.s.str.startswith(t.k)),
        lambda: t.select(x=t.s.str.find("a", 1.5)),
        lambda: t.select(x=t.s.str.replace(old_value="a", new_value="b")),
        lambda: t.select(x=t.s.str.strip(1)),
        lambda: t.select(x=t.k.str.len()),
        lambda: t.s.str.foo,
        lambda: t.select(x=t.s + 1),
        lambda: t.select(x=t.s - t.u),
        lambda: t.select(x=-t.s),
        lambda: "%s" % t.s,
    )


@program
def text_of_every_kind_of_value():
    """The function `to_string`; other forms of text are those of casting and of printing."""
    t = rows(
        {
            "i": int,
            "x": float,
            "b": bool,
            "s": str,
            "y": bytes,
            "o": int | None,
            "j": pw.Json,
            "d": pw.DateTimeNaive,
            "u": pw.DateTimeUtc,
        },
        (
            -5,
            1.0,
            True,
            "a b",
            b"ab\xff",
            None,
            {"a": [1, None], "b": "ż", "c": 1.0, "d": 1e20},
            pw.DateTimeNaive("2020-01-02 03:04:05.000000006"),
            pw.DateTimeUtc("2020-01-02T03:04:05+02:00"),
        ),
        (
            2**62,
            0.1,
            False,
            '"',
            b"",
            3,
            "text",
            pw.DateTimeNaive("1969-12-31 23:59:59"),
            pw.DateTimeUtc("2262-01-01T00:00:00Z"),
        ),
        (
            0,
            -0.0,
            True,
            "",
            b"\x00",
            -1,
            [1.5, True, {}],
            pw.DateTimeNaive("1700-01-01"),
            pw.DateTimeUtc("1970-01-01T00:00:00.5Z"),
        ),
    )
    for name in list(t.column_names())[1:]:
        values(t.select(t.k, **{name: t[name].to_string()}))


@program
def text_of_floats():
    texts = [
        "1",
        "0.1",
        "1e15",
        "123456789012345680",
        "1e16",
        "1.2345678901234567e16",
        "1e-4",
        "1e-5",
        "0.00012345",
        "nan",
        "inf",
        "-inf",
        "-0",
        "1e300",
        "5e-324",
        "100000.5",
        "3.0000000000000004",
    ]
    t = rows({"s": str}, *[(text,) for text in texts]).select(pw.this.k, x=pw.this.s.str.parse_float())
    values(t.select(t.k, t.x, text=t.x.to_string(), cast=pw.cast(str, t.x)))


@program
def text_of_durations():
    parts = [
        0,
        1,
        -1,
        1000,
        10**9,
        -(10**9),
        86400 * 10**9,
        -(51 * 3600) * 10**9,
        90061 * 10**9 + 7,
        400 * 86400 * 10**9 + 6007008,
        60 * 10**9,
        3600 * 10**9 - 1,
    ]
    t = rows({"n": int}, *[(part,) for part in parts])
    quoted(t.select(t.k, text=t.n.dt.to_duration("ns").to_string()))
    values(t.select(t.k, printed=t.n.dt.to_duration("ns")))


@program
def text_of_tuples_and_arrays():
    t = rows({"a": int, "s": str}, (1, "q"), (2, 'x"\\\n'))
    quoted(
        t.select(
            t.k,
            t0=pw.make_tuple(t.a, None, 2.0, (True, b"a"), t.s).to_string(),
            t1=pw.make_tuple(t.a).to_string(),
        )
    )
    import numpy as np

    quoted(t.select(t.k, v=pw.apply_with_type(lambda a: np.arange(a), np.ndarray, t.a).to_string()))
    quoted(
        t.select(
            t.k, m=pw.apply_with_type(lambda a: np.array([[1.0, 2.5], [3, a]]), np.ndarray, t.a).to_string()
        )
    )
    quoted(
        t.select(
            t.k, e=pw.apply_with_type(lambda a: (), tuple, t.a).to_string(), p=t.pointer_from(t.a).to_string()
        )
    )
    quoted(
        t.select(t.k, d=pw.make_tuple(pw.DateTimeNaive("2020-01-01"), pw.Duration(nanoseconds=1)).to_string())
    )


@program
def casts_to_text_and_back():
    t = rows({"i": int, "x": float, "b": bool}, (5, 2.5, True), (-(2**63), -1e16, False), (0, 1e-7, True))
    values(t.select(t.k, i=pw.cast(str, t.i), x=pw.cast(str, t.x), b=pw.cast(str, t.b)))
    values(
        t.select(t.k, i=pw.cast(float, t.i), x=pw.cast(int, t.x), b=pw.cast(int, t.b), f=pw.cast(float, t.b))
    )
    values(t.select(t.k, i=pw.cast(bool, t.i), x=pw.cast(bool, t.x), s=pw.cast(bool, pw.cast(str, t.b))))
    big = rows({"s": str}, ("1e30",), ("-1e30",), ("nan",), ("-2.9",), ("2.9",))
    values(
        big.select(big.k, n=pw.cast(int, big.s.str.parse_float()), b=pw.cast(bool, big.s.str.parse_float()))
    )
    o = rows({"i": int | None, "x": float | None}, (1, 2.5), (None, None))
    values(o.select(o.k, i=pw.cast(float | None, o.i), x=pw.cast(int | None, o.x)))
    values(o.select(o.k, i=pw.cast(float, o.i), x=pw.cast(int, o.x), s=pw.cast(str, o.i)))
