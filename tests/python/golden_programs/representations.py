"""The text of expressions and tables."""

from blocks import program

import pathway as pw


def tables():
    t = pw.Table.empty(
        a=int,
        b=bool,
        s=str,
        x=float,
        d=pw.DateTimeNaive,
        e=pw.Duration,
        j=pw.Json,
        t=tuple[int, str],
        o=int | None,
    )
    return t, pw.Table.empty(a=int, k=str)


T, U = tables()
R = pw.reducers


def each(*expressions):
    for expression in expressions:
        print(repr(expression))


@program
def texts_of_columns():
    each(T.a, T["a"], T.C.a, T.id, pw.this.a, pw.left.a, pw.right.a, pw.this["x y"], pw.this.id)


@program
def texts_of_operators():
    each(
        T.a + 1,
        1 + T.a,
        T.a - T.x,
        T.a * 2,
        T.a / 2,
        T.a // 2,
        T.a % 2,
        T.a**2,
        T.a << 1,
        T.a >> 1,
        T.t @ T.t,
        T.a & 1,
        T.a | 1,
        T.a ^ 1,
    )
    each(
        T.a == 1,
        T.a != None,
        T.a < 1,
        T.a <= T.x,
        T.a > 1,
        T.a >= 1,
        1 < T.a,
        -T.a,
        ~T.b,
        ~~T.b,
        T.a + U.a * T.a,
        U.a + T.a,
    )
    each(T.a == "text", T.a + 1.5, T.s + "'", T.a == (1, T.a), (T.a + 1) * (T.a - 1), abs(T.a))


@program
def texts_of_functions():
    each(
        pw.cast(int, T.x),
        pw.cast(str | None, T.s),
        pw.declare_type(float, T.a),
        T.j.as_int(),
        T.j.as_float(default=1.0),
        T.j["a"].as_str(unwrap=True),
        T.j.as_bool(),
    )
    each(
        pw.coalesce(T.a, 1),
        pw.require(T.a, T.o, T.b),
        pw.if_else(T.b, T.a, 1),
        pw.make_tuple(T.a, "x"),
        pw.unwrap(T.o),
        pw.fill_error(T.a, 0),
        pw.make_tuple(),
    )
    each(T.t[1], T.t.get(1), T.t.get(1, "d"), T.j["a"]["b"], T.j.get("a"), T.a.to_string(), T.t[T.a])
    each(
        T.pointer_from(T.a, 1),
        T.pointer_from(T.a, instance=T.s),
        T.pointer_from(T.a, optional=True),
        T.pointer_from(),
    )


def double(v):
    return 2 * v


@program
def texts_of_applied_functions():
    each(
        pw.apply(double, T.a),
        pw.apply_with_type(double, int, T.a),
        pw.apply_async(double, T.a),
        pw.apply(double, v=T.a),
        pw.apply(lambda a: a, T.a),
    )
    f = pw.udf(double)
    each(f(T.a), f(T.a + 1))
    g = pw.udf(double, executor=pw.udfs.fully_async_executor())
    each(g(T.a))


@program
def texts_of_methods():
    s = T.s.str
    each(
        s.lower(),
        s.len(),
        s.reversed(),
        s.startswith("a"),
        s.endswith("b"),
        s.swapcase(),
        s.title(),
        s.upper(),
        s.removeprefix("a"),
        s.removesuffix("b"),
    )
    each(
        s.replace("a", "b"),
        s.replace("a", "b", 1),
        s.strip(),
        s.strip("x"),
        s.count("a"),
        s.count("a", 1, 2),
        s.find("a"),
        s.rfind("a", 1),
        s.slice(0, 1),
    )
    each(
        s.parse_int(),
        s.parse_int(optional=True),
        s.parse_float(),
        s.parse_bool(true_values=["y"]),
        T.x.num.fill_na(0),
        T.x.num.round(),
        T.x.num.round(2),
        T.a.num.abs(),
    )
    d = T.d.dt
    each(
        d.year(),
        d.month(),
        d.weekday(),
        d.nanosecond(),
        d.strftime("%Y"),
        d.round("1h"),
        d.floor("15min"),
        d.to_utc("UTC"),
        d.to_utc("UTC").dt.to_naive_in_timezone("UTC"),
    )
    each(
        T.e.dt.hours(),
        T.e.dt.nanoseconds(),
        T.a.dt.to_duration("s"),
        d.timestamp(unit="s"),
        T.a.dt.from_timestamp("s"),
        T.s.dt.strptime("%Y"),
    )


@program
def texts_of_reducers():
    each(
        R.sum(T.a),
        R.count(),
        R.count(T.a),
        R.min(T.a),
        R.max(T.a + 1),
        R.argmin(T.a),
        R.argmax(T.a, T.id),
        R.unique(T.a),
        R.any(T.a),
        R.earliest(T.a),
        R.latest(T.a),
    )
    each(
        R.tuple(T.a),
        R.tuple(T.a, skip_nones=True),
        R.sorted_tuple(T.a),
        R.avg(T.a),
        R.ndarray(T.a),
        R.count_distinct(T.a),
        R.sum(T.a) / R.count(),
    )
    each(R.stateful_single(lambda state, a: a)(T.a), R.stateful_many(lambda state, rows: 1)(T.a))


@program
def texts_of_tables():
    T, U = tables()
    each(
        T,
        U,
        T.select(T.a),
        U.with_id_from(U.a),
        U.groupby(U.k).reduce(U.k),
        pw.Table.empty(),
        T.slice[["a", "b"]],
    )
    print(T.a.name, T.a.table is T, pw.this.a.name, T.id.name)


@program
def expressions_are_no_booleans():
    for action in (
        lambda: bool(T.a),
        lambda: T.a and T.b,
        lambda: not T.a,
        lambda: 1 < T.a < 3,
        lambda: T.a in [T.x],
        lambda: iter(T.a),
        lambda: list(T.t),
        lambda: len(T.t),
        lambda: float(T.x),
        lambda: round(T.x),
        lambda: divmod(T.a, 2),
        lambda: +T.a,
        lambda: hash(T.a) and None,
    ):
        try:
            action()
            print("accepted")
        except Exception as error:
            print(type(error).__name__)
