"""Error logs: what is in them, where it goes, what it is not."""

import warnings

from blocks import accepted, attempt, program, values

import pathway as pw
from pathway.internals.parse_graph import G

Q = dict(monitoring_level=pw.MonitoringLevel.NONE)
M = pw.debug.table_from_markdown
T = dict(terminate_on_error=False)


def entries(lg, *others):
    cs = []
    pw.io.subscribe(
        lg,
        lambda key, row, time, is_addition: cs.append(
            (
                row["message"],
                row["trace"].replace("\t", " ").split("File")[0].strip()
                if "output" not in row["message"]
                else "",
                type(row["operator_id"]).__name__,
                is_addition,
            )
        ),
    )
    for o in others:
        pw.io.subscribe(o, lambda **k: None)
    pw.run(**T, **Q)
    for c in sorted(cs):
        print(c)


@program
def global_log():
    t = M("a | b\n1 | 0\n2 | 1\n3 | 0")
    q = t.select(q=t.a // t.b, r=t.a % t.b)
    print(pw.global_error_log().schema, pw.global_error_log().is_append_only)
    entries(pw.global_error_log(), q)


@program
def errors_of_errors():
    t = M("a | b\n1 | 0\n2 | 1\n3 | 0")
    q = t.select(q=t.a // t.b)
    r = q.select(r=q.q + 1)
    s = r.select(s=pw.apply(lambda x: x, r.r), f=pw.fill_error(r.r, -1))
    entries(pw.global_error_log(), s)


@program
def local_logs():
    def build():
        G.clear()
        t = M("a | b\n1 | 0\n2 | 1\n3 | 0")
        with pw.local_error_log() as one:
            q = t.select(q=t.a // t.b)
            with pw.local_error_log() as two:
                r = t.select(r=t.a % t.b)
            s = t.select(s=pw.apply(lambda x: 1 / 0, t.a))
        u = t.select(u=pw.apply_with_type(lambda x: int("x"), int, t.a))
        return (one, two, pw.global_error_log()), (q, r, s, u)

    for i in range(3):
        logs, tables = build()
        print("--")
        entries(logs[i], *tables)
    print(logs[0].schema, logs[0].is_append_only)


@program
def rows_that_cannot_be_placed():
    cases = [
        ("filter", lambda t, q: q.filter(q.q > 0)),
        ("join", lambda t, q: t.join(q, t.a == q.q).select(t.a)),
        ("left", lambda t, q: q.join_left(t, q.q == t.a).select(q.k, t.a)),
        ("group", lambda t, q: q.groupby(q.q).reduce(q.q)),
        ("id", lambda t, q: q.with_id_from(q.q)),
        ("dedup", lambda t, q: q.deduplicate(value=q.k, instance=q.q, acceptor=lambda n, o: True)),
        ("out", lambda t, q: q),
    ]
    for name, make in cases:
        G.clear()
        t = M("k | a | b\n1 | 1 | 0\n2 | 2 | 1\n3 | 3 | 0")
        q = t.select(t.k, q=t.a // t.b)
        print("==", name)
        out = make(t, q)
        log = pw.global_error_log()
        cs = []
        lg = []
        pw.io.subscribe(out, lambda key, row, time, is_addition: cs.append(sorted(row.items())))
        pw.io.subscribe(log, lambda key, row, time, is_addition: lg.append(row["message"]))
        attempt(lambda: pw.run(**T, **Q))
        print(sorted(map(str, cs)), sorted(lg))


@program
def functions_and_errors():
    calls = []

    @pw.udf
    def f(x: int) -> int:
        calls.append(x)
        return x

    t = M("a | b\n1 | 0\n2 | 1")
    q = t.select(q=t.a // t.b)
    values(q.select(r=f(q.q)))
    print(calls)

    @pw.udf
    def g(x: int) -> int:
        raise KeyError("missing " + str(x))

    h = t.select(r=g(t.a))
    log = pw.global_error_log()
    entries(log, h)


@program
def retractions_in_logs():
    t = M("  | a | b | __time__ | __diff__\n1 | 1 | 0 | 2 | 1\n1 | 1 | 0 | 4 | -1\n2 | 1 | 0 | 6 | 1")
    q = t.select(q=t.a // t.b)
    entries(pw.global_error_log(), q)


@program
def logs_of_logs():
    t = M("a | b\n1 | 0\n2 | 1")
    q = t.select(q=t.a // t.b)
    l = pw.global_error_log()
    d = l.select(z=l.operator_id // 0, m=l.message)
    entries(l, q, d)


@program
def logs_of_runs_that_end_on_errors():
    t = M("a | b\n1 | 0\n2 | 1")
    q = t.select(q=t.a // t.b)
    cs = []
    pw.io.subscribe(pw.global_error_log(), lambda **k: cs.append(k))
    pw.io.subscribe(q, lambda **k: None)
    for kw in (dict(), dict(terminate_on_error=True), dict(terminate_on_error=None)):
        accepted(lambda: pw.run(**kw, **Q))
        print(len(cs))
    with warnings.catch_warnings(record=True) as w:
        warnings.simplefilter("always")
        accepted(lambda: pw.run(**T, **Q))
        print([x.category.__name__ for x in w], len(cs))


@program
def records_that_cannot_be_parsed():
    class Sub(pw.io.python.ConnectorSubject):
        def run(self):
            self.next(a="x", b=1)
            self.next(a=1, b=2)
            self.next(b=3)

    class S1(pw.Schema):
        a: int
        b: int

    class S2(pw.Schema):
        a: int = pw.column_definition(primary_key=True)
        b: int

    for S in (S1, S2):
        for term in (True, False):
            G.clear()
            t = pw.io.python.read(Sub(), schema=S)
            cs = []
            lg = []
            pw.io.subscribe(
                t.select(x=pw.fill_error(t.a, -1), y=t.b),
                lambda key, row, time, is_addition: cs.append(tuple(row.values())),
            )
            pw.io.subscribe(
                pw.global_error_log(), lambda key, row, time, is_addition: lg.append(row["message"])
            )
            attempt(lambda: pw.run(terminate_on_error=term, **Q))
            print(sorted(cs), [m.partition(":")[0] if "key" in m else "" for m in lg])
