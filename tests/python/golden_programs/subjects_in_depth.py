"""Subjects: sessions, deletions, messages, their life, commits, values."""

import datetime
import threading
import time

import numpy as np
from blocks import accepted, attempt, program, show

import pathway as pw
from pathway.internals.parse_graph import G

Q = dict(monitoring_level=pw.MonitoringLevel.NONE)
CS = pw.io.python.ConnectorSubject


class K(pw.Schema):
    k: int = pw.column_definition(primary_key=True)
    v: str | None = pw.column_definition(default_value=None)


class N(pw.Schema):
    k: int
    v: str


def subject(run, base=CS, **attrs):
    kw = attrs.pop("init", {})
    return type("Sub", (base,), {"run": run, **attrs})(**kw)


def batches(t):
    """changes by batch with values only"""
    ev = []
    cur = []
    pw.io.subscribe(
        t,
        lambda key, row, time, is_addition: cur.append((tuple(row.values()), is_addition)),
        on_time_end=lambda time: (ev.append(sorted(cur, key=str)), cur.clear()),
    )
    attempt(lambda: pw.run(**Q), "run")
    print(ev)


@program
def native_sessions():
    def run(self):
        self.next(k=1, v="a")
        self.next(k=2)
        self.next(k=3, v="c", extra=5)
        self.commit()
        self.next(k=4, v=None)

    show(pw.io.python.read(subject(run), schema=K))
    G.clear()
    batches(pw.io.python.read(subject(run), schema=K, autocommit_duration_ms=None))

    def run(self):
        self.next(k=1, v="a")
        self.next(k=1, v="b")

    G.clear()
    show(pw.io.python.read(subject(run), schema=K))

    def run(self):
        self.next(k=1)
        self.next(k="x", v="y")
        self.next(k=None, v="y")
        self.next(v="z")
        self.next(k=2, v=5)
        self.next(k=2.0, v="q")
        self.next(k=True, v="q")
        self.next(k=7, v="ok")

    for schema in (N, K):
        G.clear()
        attempt(lambda: show(pw.io.python.read(subject(run), schema=schema), ids=False))


@program
def native_deletions():
    def run(self):
        self.next(k=1, v="a")
        self.next(k=2, v="b")
        self.commit()
        self.delete(k=1, v="a")
        self.commit()
        self.next(k=1, v="z")

    t = pw.io.python.read(subject(run), schema=K, autocommit_duration_ms=None)
    print(t.is_append_only)
    batches(t)
    G.clear()
    t = pw.io.python.read(subject(run), schema=N, autocommit_duration_ms=None)
    print(t.is_append_only)
    batches(t)

    def run(self):
        self.next(k=1, v="a")
        self.commit()
        self.delete(k=1, v="WRONG")

    G.clear()
    attempt(lambda: show(pw.io.python.read(subject(run), schema=K)))

    def run(self):
        self.next(k=1, v="a")
        self.commit()
        self.delete(k=2, v="a")

    G.clear()
    attempt(lambda: show(pw.io.python.read(subject(run), schema=K)))

    def run(self):
        self.next(k=1, v="a")
        f = getattr(self, "del" + "ete")
        f(k=1, v="a")

    G.clear()
    s = subject(run)
    t = pw.io.python.read(s, schema=K)
    print(t.is_append_only)
    attempt(lambda: show(t))
    for attrs in (
        dict(_deletions_enabled=True),
        dict(_deletions_enabled=property(lambda self: True)),
        dict(_deletions_enabled=False),
        dict(deletions_enabled=True),
    ):
        G.clear()
        t = pw.io.python.read(subject(run, **attrs), schema=K)
        print(attrs.keys(), t.is_append_only)
        attempt(lambda: show(t))

    def helper(self):
        self.delete(k=1, v="a")

    def run(self):
        self.next(k=1, v="a")
        self.helper()

    G.clear()
    t = pw.io.python.read(subject(run, helper=helper), schema=K)
    print(t.is_append_only)
    attempt(lambda: show(t))


@program
def upserts():
    def run(self):
        self.next(k=1, v="a")
        self.next(k=1, v="b")
        self.next(k=2, v="x")
        self.commit()
        self.next(k=1, v="b")
        self.commit()
        self.next(k=1, v="c")
        self.next(k=1, v="d")
        self.commit()
        self.delete(k=1)
        self.delete(k=77)
        self.commit()
        self.delete(k=2, v="irrelevant")
        self.next(k=2, v="new")

    U = dict(init=dict(session_type="upsert"))
    t = pw.io.python.read(subject(run, **U), schema=K, autocommit_duration_ms=None)
    print(t.is_append_only)
    batches(t)
    accepted(
        lambda: pw.io.python.read(subject(run, **U), schema=N),
        lambda: CS(session_type="x"),
        lambda: subject(run, init=dict(session_type="bogus")),
        lambda: subject(run, init=dict(datasource_name="n")),
        lambda: CS(),
    )

    def run(self):
        self.next(k=1, v="a")
        self.next(k=1, v="b")

    from pathway.internals.api import SessionType

    G.clear()
    t = pw.io.python.read(subject(run, _session_type=property(lambda self: SessionType.UPSERT)), schema=K)
    print(t.is_append_only)
    attempt(lambda: show(t))


@program
def encoded_messages():
    def run(self):
        self.next_json({"k": 1, "v": "a"})
        self.next_json({"k": 2})
        self.next_json({"k": "3", "v": "c"})
        self.next_json({"k": 4, "v": 4})
        self.next_json({"k": None, "v": "x"})
        self.next_json({"k": 5.0, "v": "f"})
        self.next_json({"k": 6, "v": "x", "z": 1})

    for term in (True, False):
        G.clear()
        attempt(lambda: show(pw.io.python.read(subject(run), schema=K), terminate_on_error=term))

    def run(self):
        self.next_str("a")
        self.commit()

    G.clear()
    attempt(
        lambda: show(
            pw.io.python.read(subject(run, _with_metadata=property(lambda self: True)), format="raw"),
            ids=False,
        )
    )
    ref = pw.internals.api.ref_scalar

    def run(self):
        self._add(ref(1), b'{"k":1,"v":"a"}')
        self._add(None, b'{"k":2,"v":"b"}')
        self._add_inner(ref(3), {"k": 3, "v": "c"})
        self._add_inner(None, {"k": 4, "v": "d"})
        self.commit()
        self._remove(ref(1), b'{"k":1,"v":"a"}')
        self._remove_inner(ref(3), {"k": 3, "v": "c"})

    G.clear()
    attempt(lambda: show(pw.io.python.read(subject(run), schema=K)))
    accepted(
        lambda: pw.io.python.read(subject(run), format="xml", schema=K),
        lambda: pw.io.python.read(subject(run)),
        lambda: pw.io.python.read(subject(run), schema=K, format="json"),
        lambda: pw.io.python.read(subject(run), schema=K, foo=1),
        lambda: pw.io.python.read(subject(run), K),
        lambda: pw.io.python.read(subject(run), schema=K, autocommit_duration_ms=0),
        lambda: pw.io.python.read(subject(run), schema=K, name="a"),
        lambda: pw.io.python.read(subject(run), schema=K, persistent_id="b"),
    )


@program
def lifecycle():
    ev = []

    def run(self):
        ev.append("run")
        self.next(k=1)
        self.close()
        self.next(k=2)

    show(
        pw.io.python.read(
            subject(
                run,
                on_stop=lambda self: ev.append("stop"),
                on_persisted_run=lambda self: ev.append("persisted"),
                _seek=lambda self, s: ev.append("seek"),
                end=lambda self: ev.append("end"),
                seek=lambda self, s: ev.append("seek2"),
            ),
            schema=K,
        )
    )
    print(ev)
    G.clear()
    ev.clear()

    def run(self):
        self.next(k=1)
        self.commit()
        raise ValueError("oh")

    t = pw.io.python.read(subject(run, on_stop=lambda self: ev.append("stop")), schema=K)
    pw.io.subscribe(
        t, lambda key, row, time, is_addition: ev.append(row["k"]), on_end=lambda: ev.append("end")
    )
    try:
        pw.run(**Q)
    except Exception as e:
        print(type(e).__name__, e)
    print(sorted(map(str, ev)))
    G.clear()

    def run(self):
        def later():
            for i in range(3):
                self.next(k=i)
                time.sleep(0.01)
            self.close()

        threading.Thread(target=later).start()

    show(pw.io.python.read(subject(run, _is_finite=lambda self: False), schema=K))
    G.clear()
    s = subject(lambda self: self.next(k=1))
    t = pw.io.python.read(s, schema=K)
    accepted(lambda: pw.io.python.read(s, schema=K))
    show(t)
    show(t)


@program
def commits_and_times():
    def run(self):
        for i in range(6):
            self.next(k=i)
        self._disable_commits()
        self.next(k=10)
        time.sleep(0.05)
        self.next(k=11)
        self.commit()
        self.next(k=12)
        # The batch ends here if the clock has moved.
        time.sleep(0.05)
        self._enable_commits()
        self.next(k=13)

    batches(pw.io.python.read(subject(run), schema=K, autocommit_duration_ms=None))

    G.clear()
    ev = []

    def run(self):
        self.next(k=1)
        time.sleep(0.3)
        self.commit()
        self.next(k=3)

    t = pw.io.python.read(subject(run), schema=K, autocommit_duration_ms=None)
    pw.io.subscribe(t, lambda key, row, time, is_addition: ev.append(time))
    pw.run(**Q)
    print(ev[1] - ev[0] >= 250, ev[0] % 2, ev[1] % 2)


@program
def values_of_every_type():
    S = pw.schema_from_types
    cases = [
        (int, [1, True, 1.0, "1", None, 2**70, np.int64(3)]),
        (float, [1, 1.5, "x", None, np.float32(0.5), float("nan")]),
        (str, ["a", 1, b"x", None]),
        (bytes, [b"a", "a", 1]),
        (bool, [True, 1, "true"]),
        (pw.Json, [{"a": 1}, [1], 1, "x", None, pw.Json({"b": 2})]),
        (tuple[int, str], [(1, "a"), [1, "a"], (1,), ("a", 1)]),
        (list[int], [[1, 2], (1, 2), ["a"]]),
        (np.ndarray, [np.array([1]), [1, 2]]),
        (pw.DateTimeNaive, [pw.DateTimeNaive("2020-01-01"), "2020-01-01", datetime.datetime(2020, 1, 1)]),
        (pw.DateTimeUtc, [pw.DateTimeUtc("2020-01-01T00:00Z"), datetime.datetime(2020, 1, 1)]),
        (pw.Duration, [pw.Duration(5), datetime.timedelta(1), 5]),
        (pw.Pointer, [pw.internals.api.ref_scalar(1), 1]),
        (pw.PyObjectWrapper, [pw.PyObjectWrapper(1), 1]),
        (int | None, [1, None, "x"]),
        (pw.internals.dtype.ANY, [1, "a", None, (1, 2), {"a": 1}, object()]),
    ]
    for typ, vals in cases:
        for v in vals:
            G.clear()

            def run(self):
                self.next(a=v)

            print(typ, v if type(v).__name__ != "object" else "")
            attempt(
                lambda: pw.debug.compute_and_print(
                    pw.io.python.read(subject(run), schema=S(a=typ)), include_id=False
                )
            )
