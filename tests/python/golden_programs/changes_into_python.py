"""Subscriptions, observers and subjects."""

import asyncio

from blocks import accepted, program, show

import pathway as pw


def stream():
    return pw.debug.table_from_markdown("""
      | a | b | __time__ | __diff__
    1 | 5 | x | 2        | 1
    2 | 6 | y | 2        | 1
    1 | 5 | x | 4        | -1
    1 | 7 | x | 4        | 1
    2 | 6 | y | 8        | -1
    """)


@program
def subscriptions():
    t = stream()
    seen = []
    pw.io.subscribe(
        t,
        on_change=lambda key, row, time, is_addition: seen.append(
            (time, is_addition, sorted(row.items()), str(key))
        ),
        on_time_end=lambda time: seen.append((time, "end of time")),
        on_end=lambda: seen.append((10**9, "end")),
    )
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    for event in sorted(seen, key=lambda event: (event[0], str(event[1:]))):
        print(event)


@program
def sorted_subscriptions():
    t = pw.debug.table_from_markdown("a | b\n3 | x\n1 | y\n2 | z\n1 | a")
    seen = []
    pw.io.subscribe(
        t,
        on_change=lambda key, row, time, is_addition: seen.append(tuple(row.values())),
        sort_by=[t.a, t.b],
        name="mine",
    )
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    print(seen)
    accepted(
        lambda: pw.io.subscribe(t, on_change=lambda **kwargs: None, sort_by=[pw.this.a]),
        lambda: pw.io.subscribe(t),
    )


@program
def asynchronous_subscriptions():
    t = stream()
    seen = []

    async def on_change(key, row, time, is_addition):
        await asyncio.sleep(0)
        seen.append((time, is_addition, row["a"]))

    pw.io.subscribe(t, on_change=on_change, on_time_end=lambda time: seen.append((time, "end")))
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    print(sorted(seen, key=str))


@program
def observers():
    class Observer(pw.io.python.ConnectorObserver):
        def __init__(self):
            self.seen = []

        def on_change(self, key, row, time, is_addition):
            self.seen.append((time, row["a"], is_addition))

        def on_time_end(self, time):
            self.seen.append((time, "end"))

        def on_end(self):
            self.seen.append((10**9, "over"))

    observer = Observer()
    pw.io.python.write(stream(), observer)
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    print(sorted(observer.seen, key=str))

    class Incomplete(pw.io.python.ConnectorObserver):
        pass

    accepted(lambda: Incomplete(), lambda: pw.io.python.write(stream(), 5))


@program
def exceptions_of_callbacks():
    def on_change(key, row, time, is_addition):
        raise KeyError("mine")

    pw.io.subscribe(stream(), on_change=on_change)
    accepted(lambda: pw.run(monitoring_level=pw.MonitoringLevel.NONE))


@program
def errors_are_not_delivered():
    t = stream()
    seen = []
    pw.io.subscribe(
        t.select(t.a, q=1 // (t.a - 6)),
        on_change=lambda key, row, time, is_addition: seen.append((time, row["a"], row["q"], is_addition)),
    )
    pw.run(monitoring_level=pw.MonitoringLevel.NONE, terminate_on_error=False)
    print(sorted(seen))


class Numbers(pw.io.python.ConnectorSubject):
    def run(self):
        for i in range(3):
            self.next(a=i, b=f"text {i}")
        self.next(a=9)


class WithDefault(pw.Schema):
    a: int = pw.column_definition(primary_key=True)
    b: str = pw.column_definition(default_value="none")


@program
def subjects():
    show(pw.io.python.read(Numbers(), schema=WithDefault))
    t = pw.io.python.read(Numbers(), schema=pw.schema_from_types(a=int, b=str | None))
    show(t.filter(t.a < 3), ids=False)
    subject = Numbers()
    pw.io.python.read(subject, schema=WithDefault)
    accepted(
        lambda: pw.io.python.read(subject, schema=WithDefault),
        lambda: pw.io.python.read(Numbers()),
        lambda: pw.io.python.read(5, schema=WithDefault),
    )


@program
def subjects_that_delete():
    class Subject(pw.io.python.ConnectorSubject):
        def run(self):
            self.next(a=1, b="x")
            self.next(a=2, b="y")
            self.commit()
            self.delete(a=1, b="x")

    t = pw.io.python.read(Subject(), schema=WithDefault)
    print(t.is_append_only)
    show(t)
    print(pw.io.python.read(Numbers(), schema=WithDefault).is_append_only)


@program
def subjects_that_replace():
    class Subject(pw.io.python.ConnectorSubject):
        def run(self):
            self.next(a=1, b="x")
            self.commit()
            self.next(a=1, b="y")
            self.next(a=2, b="z")
            self.commit()
            self.delete(a=2)
            self.delete(a=77)

    t = pw.io.python.read(Subject(session_type="upsert"), schema=WithDefault)
    show(t)
    accepted(
        lambda: Subject(session_type="nope"),
        lambda: pw.io.python.read(Subject(session_type="upsert"), schema=pw.schema_from_types(a=int)),
    )


@program
def other_forms_of_messages():
    class Texts(pw.io.python.ConnectorSubject):
        def run(self):
            self.next_json({"a": 1, "b": "x"})
            self.next_json({"a": 2})

    show(pw.io.python.read(Texts(), schema=WithDefault))

    class Raw(pw.io.python.ConnectorSubject):
        def run(self):
            self.next_str("one")
            self.next_str("two")

    show(pw.io.python.read(Raw(), format="raw"), ids=False)

    class Binary(pw.io.python.ConnectorSubject):
        def run(self):
            self.next_bytes(b"one")

    show(pw.io.python.read(Binary(), format="binary"), ids=False)


@program
def exceptions_of_subjects():
    class Subject(pw.io.python.ConnectorSubject):
        def run(self):
            self.next(a=1)
            raise RuntimeError("mine")

    show(pw.io.python.read(Subject(), schema=WithDefault))


@program
def subjects_stop():
    events = []

    class Subject(pw.io.python.ConnectorSubject):
        def run(self):
            self.next(a=1)
            events.append("run")
            self.close()
            self.next(a=2)

        def on_stop(self):
            events.append("stop")

    show(pw.io.python.read(Subject(), schema=WithDefault))
    print(events)


@program
def demonstration_streams():
    t = pw.demo.range_stream(nb_rows=4, offset=10, input_rate=1000)
    show(t, ids=False)
    t = pw.demo.noisy_linear_stream(nb_rows=3, input_rate=1000)
    show(t.select(t.x, near=pw.apply_with_type(lambda x, y: abs(x - y) <= 0.1, bool, t.x, t.y)))
    t = pw.demo.generate_custom_stream(
        {"a": lambda i: i * i, "b": lambda i: f"n{i}", "unused": lambda i: i},
        schema=WithDefault,
        nb_rows=3,
        input_rate=1000,
    )
    show(t)
    accepted(
        lambda: pw.demo.range_stream(nb_rows=-1),
        lambda: pw.demo.generate_custom_stream({}, schema=WithDefault, nb_rows=-1),
    )
