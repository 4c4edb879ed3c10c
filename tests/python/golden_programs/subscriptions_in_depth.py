"""Callbacks: their order, their parameters, exceptions, sorting, coroutines, observers."""

import asyncio
import functools
import threading

from blocks import accepted, program

import pathway as pw
from pathway.internals.parse_graph import G

Q = dict(monitoring_level=pw.MonitoringLevel.NONE)
M = pw.debug.table_from_markdown


def st():
    return M("""
      | a | b | __time__ | __diff__
    1 | 5 | x | 2        | 1
    2 | 6 | y | 2        | 1
    1 | 5 | x | 4        | -1
    1 | 7 | x | 4        | 1
    2 | 6 | y | 8        | -1
    """)


@program
def order_of_callbacks():
    ev = []
    pw.io.subscribe(
        st(),
        lambda key, row, time, is_addition: ev.append(("c", time, is_addition)),
        lambda: ev.append("end"),
        lambda time: ev.append(("te", time)),
    )
    pw.run(**Q)
    print(ev)
    ev.clear()
    pw.run(**Q)
    print(ev)


@program
def row_dicts_and_types():
    t = M("b | a\n1 | x")

    def f(key, row, time, is_addition):
        print(type(key).__name__, list(row.items()), type(time).__name__, type(is_addition).__name__)

    pw.io.subscribe(t, f)
    pw.run(**Q)


@program
def parameter_names():
    for f in (
        lambda k, r, t, i: None,
        lambda row, key, is_addition, time: print(row),
        lambda key, row, time, is_addition, extra=1: print(extra),
        lambda **kw: print(sorted(kw)),
        lambda key, row, time: None,
        lambda key, *, row, time, is_addition: print("kwonly"),
        lambda *a, **k: print(len(a), sorted(k)),
    ):
        G.clear()
        pw.io.subscribe(M("a\n1"), f)
        accepted(lambda: pw.run(**Q))

    class C:
        def __call__(self, key, row, time, is_addition):
            print("called", row)

        def m(self, key, row, time, is_addition):
            print("method", row)

        @staticmethod
        def s(key, row, time, is_addition):
            print("static", row)

        @classmethod
        def c(cls, key, row, time, is_addition):
            print("class", row)

    for f in (
        C(),
        C().m,
        C.s,
        C().c,
        functools.partial(lambda z, key, row, time, is_addition: print("partial", z), 5),
        print,
    ):
        G.clear()
        pw.io.subscribe(M("a\n1"), f)
        accepted(lambda: pw.run(**Q))


@program
def time_end_only_with_changes():
    ev = []
    t = st()
    pw.io.subscribe(
        t.filter(t.b == "y"),
        lambda key, row, time, is_addition: ev.append(("c", time, is_addition)),
        on_time_end=lambda time: ev.append(("te", time)),
        on_end=lambda: ev.append("end"),
    )
    pw.io.subscribe(
        t.filter(t.b == "zz"),
        lambda key, row, time, is_addition: ev.append("never"),
        on_time_end=lambda time: ev.append("never te"),
        on_end=lambda: ev.append("end2"),
    )
    pw.run(**Q)
    print(sorted(map(str, ev)))


@program
def errors_in_subscriptions():
    ev = []
    t = st()
    pw.io.subscribe(
        t.select(t.a, q=1 // (t.a - 6)),
        lambda key, row, time, is_addition: ev.append((row["a"], time, is_addition)),
        on_time_end=lambda time: ev.append(time),
    )
    accepted(lambda: pw.run(terminate_on_error=False, **Q))
    print(ev)
    G.clear()
    ev.clear()
    t = st()
    pw.io.subscribe(
        t.select(t.a, q=1 // (t.a - 6)),
        lambda key, row, time, is_addition: ev.append((row["a"], time, is_addition)),
        on_end=lambda: ev.append("end"),
    )
    accepted(lambda: pw.run(**Q))
    print("end" in ev)


@program
def exceptions_anywhere():
    class E(Exception):
        pass

    def boom(*a, **k):
        raise E("x")

    for kw in (
        dict(on_change=boom),
        dict(on_change=lambda **k: None, on_time_end=boom),
        dict(on_change=lambda **k: None, on_end=boom),
        dict(on_change=lambda **k: None, on_time_end=lambda: 1),
        dict(on_change=lambda **k: None, on_end=lambda x: 1),
    ):
        for term in (True, False):
            G.clear()
            ends = []
            pw.io.subscribe(st(), lambda **k: None, on_end=lambda: ends.append(1))
            pw.io.subscribe(st(), **kw)
            accepted(lambda: pw.run(terminate_on_error=term, **Q))
    G.clear()

    def stop(**k):
        raise SystemExit(3)

    pw.io.subscribe(st(), stop)
    try:
        pw.run(**Q)
    except BaseException as e:
        print(type(e).__name__, getattr(e, "code", None))
    G.clear()

    def stop(**k):
        raise KeyboardInterrupt()

    pw.io.subscribe(st(), stop)
    try:
        pw.run(**Q)
    except BaseException as e:
        print(type(e).__name__)


@program
def sorted_by():
    t = M("""
      | a | b | __time__ | __diff__
    1 | 5 | x | 2        | 1
    2 | 1 | y | 2        | 1
    3 | 5 | w | 2        | 1
    1 | 5 | x | 4        | -1
    1 | 7 | x | 4        | 1
    2 | 1 | y | 4 | -1
    2 | 9 | a | 4 | 1
    """)
    events = {}
    for by in ([t.a, t.b], [t.b], [t.b, t.a]):
        name = "+".join(column.name for column in by)
        events[name] = []
        pw.io.subscribe(
            t,
            lambda key, row, time, is_addition, name=name: events[name].append(
                (time, *row.values(), is_addition)
            ),
            sort_by=by,
            on_time_end=lambda time, name=name: events[name].append(time),
        )
    pw.run(**Q)
    print(events)


@program
def asynchronous_changes():
    ev = []
    running = [0, 0]

    async def f(key, row, time, is_addition):
        running[0] += 1
        running[1] = max(running)
        await asyncio.sleep(0.02)
        running[0] -= 1
        ev.append((time, row["a"], is_addition))

    pw.io.subscribe(
        st(), f, on_time_end=lambda time: ev.append(("te", time)), on_end=lambda: ev.append("end")
    )
    pw.run(**Q)
    print([sorted(map(str, ev[:2])), ev[2:3], sorted(map(str, ev[3:5])), ev[5:]], running[1])


@program
def observers_again():
    class A(pw.io.python.AsyncConnectorObserver):
        async def on_change(self, key, row, time, is_addition):
            await asyncio.sleep(0)
            print(time, row["a"], is_addition)

        def on_end(self):
            print("end")

        def on_time_end(self, time):
            print("te", time)

    t = M("a\n1")
    pw.io.python.write(t, A())
    pw.run(**Q)

    class B(pw.io.python.ConnectorObserver):
        def on_change(self, key, row, time, is_addition):
            print(row)

    G.clear()
    t = M("a\n3\n1\n2")
    pw.io.python.write(t, B(), name="x", sort_by=[t.a])
    pw.run(**Q)

    class N(pw.io.python.ConnectorObserver):
        pass

    class NA(pw.io.python.AsyncConnectorObserver):
        pass

    class Duck:
        def on_change(self, key, row, time, is_addition):
            pass

        def on_time_end(self, time):
            pass

        def on_end(self):
            pass

    accepted(
        N,
        NA,
        lambda: pw.io.python.write(t, Duck()),
        lambda: pw.io.python.write(t, B),
        lambda: pw.io.python.write(t, lambda **k: None),
        lambda: pw.io.python.write(t),
        lambda: pw.io.python.write(t, B(), sort_by=[pw.this.a]),
        lambda: pw.io.python.write(t, B(), "name"),
    )


@program
def where_callbacks_run():
    names = set()
    pw.io.subscribe(
        st(),
        lambda **k: names.add(threading.current_thread() is threading.main_thread()),
        on_end=lambda: names.add(threading.current_thread() is threading.main_thread()),
    )
    pw.run(**Q)
    print(len(names))


@program
def names_of_subscriptions():
    t = M("a\n1")
    pw.io.subscribe(t, lambda **k: None, name="n")
    accepted(lambda: pw.io.subscribe(t, lambda **k: None, name="n"), lambda: pw.run(**Q))
