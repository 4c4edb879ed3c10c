"""Runs: their arguments, what they compute, how they fail, taps."""

import asyncio
import threading

from blocks import accepted, program

import pathway as pw
from pathway.internals.parse_graph import G

Q = dict(monitoring_level=pw.MonitoringLevel.NONE)
M = pw.debug.table_from_markdown


@program
def arguments_of_runs():
    t = M("a\n1")
    ev = []
    pw.io.subscribe(t, lambda **k: ev.append(1))
    for f in (pw.run, pw.run_all):
        accepted(
            *[
                (lambda kw=kw: f(**{**Q, **kw}))
                for kw in (
                    dict(debug=False),
                    dict(debug=True),
                    dict(default_logging=False),
                    dict(terminate_on_error=True),
                    dict(terminate_on_error=None),
                    dict(persistence_config=None),
                    dict(runtime_typechecking=True),
                    dict(runtime_typechecking=False),
                    dict(runtime_typechecking=None),
                    dict(max_expression_batch_size=1),
                    dict(event_loop=None),
                    dict(udf_cache_directory=None),
                    dict(with_http_server=False),
                )
            ]
        )
        accepted(
            lambda: f(1),
            lambda: f(debug="x"),
            lambda: f(monitoring_level=3),
            lambda: f(default_logging="n"),
            lambda: f(terminate_on_error=1),
            lambda: f(max_expression_batch_size="1"),
            lambda: f(event_loop=5),
            lambda: f(foo=1),
            lambda: f(udf_cache_directory=5),
            lambda: f(with_http_server=1),
            lambda: f(runtime_typechecking="y"),
        )
    print(len(ev), f(**Q))


@program
def levels():
    print([(l.name, l.value) for l in pw.MonitoringLevel])


@program
def outputs_and_needs():
    t = M("a\n1\n0")
    ev = []
    bad = t.select(q=1 // t.a, ok=t.a)
    pw.io.subscribe(bad.select(pw.this.ok), lambda key, row, time, is_addition: ev.append(row["ok"]))
    accepted(lambda: pw.run(**Q), lambda: pw.run_all(**Q))
    print(sorted(ev[:2]))


@program
def nothing():
    accepted(lambda: pw.run(**Q), lambda: pw.run_all(**Q))


@program
def again_and_more():
    t = M("a\n1")
    ev = []
    pw.io.subscribe(t, lambda **k: ev.append("t"))
    pw.run(**Q)
    u = t.select(b=t.a + 1)
    pw.io.subscribe(u, lambda **k: ev.append("u"))
    pw.run(**Q)
    print(sorted(ev))


@program
def exceptions_of_runs():
    t = M("a | s\n0 | x")

    def f(x):
        raise KeyError("mine")

    class E(Exception):
        pass

    def g(x):
        raise E("own")

    cases = [
        lambda: t.select(x=1 // t.a),
        lambda: t.select(x=pw.apply(f, t.a)),
        lambda: t.select(x=pw.apply(g, t.a)),
        lambda: t.select(x=pw.cast(int, t.s)),
        lambda: t.select(x=pw.unwrap(pw.if_else(t.a == 1, t.a, None))),
        lambda: t.select(x=pw.make_tuple(t.a)[5]),
        lambda: t.with_id_from(1).concat(t.with_id_from(2)),
        lambda: t.select(x=pw.apply_with_type(lambda a: "x", int, t.a)),
        lambda: t.select(x=t.s.str.parse_int()),
        lambda: t.select(x=pw.make_tuple(t.a).get(5)),
        lambda: t.select(x=(t.a * 0.0) / t.a),
        lambda: t.select(x=1 % t.a),
        lambda: t.reduce(x=pw.reducers.unique(t.a)),
        lambda: t.select(x=t.s.dt.strptime("%Y")) if hasattr(t.s, "dt") else 0,
    ]
    for i, c in enumerate(cases):
        try:
            pw.debug.compute_and_print(c())
            print(i, "fine")
        except Exception as e:
            n = [x.replace("\n", " ") for x in getattr(e, "__notes__", [])]
            print(i, type(e).__name__, [x.split("File")[0].strip()[:50] for x in n])


@program
def batch_sizes():
    t = M("a\n" + "\n".join(map(str, range(10))))
    sizes = []

    @pw.udf(max_batch_size=4, deterministic=True)
    def f(a: list[int]) -> list[int]:
        sizes.append(len(a))
        return a

    u = t.select(r=f(t.a))
    for n in (1024, 3, 1):
        sizes.clear()
        pw.debug.table_to_dicts(u, max_expression_batch_size=n)
        print(max(sizes) <= min(4, n), sum(sizes))


@program
def loops_of_events():
    loop = asyncio.new_event_loop()
    th = threading.Thread(target=loop.run_forever, daemon=True)
    th.start()
    names = set()

    @pw.udf
    async def f(a: int) -> int:
        names.add(threading.current_thread() is th)
        return a

    t = M("a\n1")
    u = t.select(r=f(t.a))
    pw.debug.compute_and_print(u, include_id=False, event_loop=loop)
    print(names)
    names.clear()
    pw.debug.compute_and_print(u, include_id=False)
    print(names)
    loop.call_soon_threadsafe(loop.stop)


@program
def debug_taps():
    t = M("  | a\n2 | 1").debug("x")
    pw.io.subscribe(t, lambda **k: None)
    pw.run(**Q)
    pw.run(debug=True, **Q)
    accepted(lambda: t.debug())
    u = M("a\n1")
    print(u.debug("n") is u)


@program
def debug_values():
    cells = {
        "a": (int, 1),
        "b": (float, 1.0),
        "c": (str, 'q"\n'),
        "d": (bool, True),
        "e": (int | None, None),
        "f": (tuple[int, str], (1, "x")),
        "h": (bytes, b"\x00a"),
        "l": (pw.Pointer, pw.internals.api.ref_scalar(1)),
        "o": (list[float], [1.5, float("inf")]),
    }
    for name, (dtype, value) in cells.items():
        G.clear()
        t = pw.debug.table_from_rows(pw.schema_from_types(**{name: dtype}), [(value,)])
        pw.debug.table_to_dicts(t.debug(name))
    G.clear()
    t = M("a\n1")
    t.select(x=1 // (t.a - 1)).debug("err")
    pw.debug.table_to_dicts(t, terminate_on_error=False)
