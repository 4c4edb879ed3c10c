"""Outlines of programs that are not there: ten operators as in the flights example, and hundreds."""

from __future__ import annotations

from typing import Any

Node = dict[str, Any]


class Outline:
    """The nodes of a program, in the form in which the engine gives them."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.nodes: list[Node] = []

    def add(
        self,
        label: str,
        inputs: list[int],
        line: int,
        source: str,
        *,
        function: str = "<module>",
        kind: str = "operator",
        name: str | None = None,
    ) -> int:
        number = len(self.nodes) + 1
        place = {"function": function, "file": self.file, "line": line, "source": source}
        node: Node = {"id": number, "step": number - 1, "stage": None, "label": label, "kind": kind}
        self.nodes.append({**node, "name": name, "inputs": inputs, "line": place})
        return number


def flights() -> Outline:
    """Ten operators."""
    outline = Outline("/home/ada/flights/flights.py")
    add = outline.add
    read = 'flights = pw.io.csv.read("data/flights", schema=Flight, mode="streaming", name="flights")'
    flights = add("input(csv)", [], 14, read, kind="input", name="flights")
    read = 'airlines = pw.io.csv.read("data/airlines.csv", schema=Airline, mode="static", name="airlines")'
    airlines = add("input(csv)", [], 15, read, kind="input", name="airlines")
    source = "known = flights.filter(pw.this.delay.is_not_none())"
    known = add("filter", [flights], 22, source, function="late_flights")
    source = "return known.select(*pw.this, share=pw.this.delay / pw.this.air_time)"
    late = add("select", [known], 23, source, function="late_flights")
    source = (
        "named = late.join(airlines, late.carrier == airlines.code).select(*pw.left, airline=airlines.name)"
    )
    joined = add("join", [late, airlines], 31, source)
    named = add("select", [joined], 31, source)
    source = (
        "by_airline = named.groupby(named.airline).reduce(named.airline, delay=pw.reducers.avg(named.delay))"
    )
    grouped = add("_reduce", [named], 34, source)
    source = "worst = by_airline.filter(pw.this.delay > 20)"
    worst = add("filter", [grouped], 37, source)
    write = 'pw.io.csv.write(worst, "out/worst.csv", name="worst airlines")'
    add("output(csv)", [worst], 40, write, kind="output", name="worst airlines")
    write = 'pw.io.jsonlines.write(named, "out/late.jsonl", name="late flights")'
    add("output(jsonlines)", [named], 41, write, kind="output", name="late flights")
    return outline


def plant(operators: int) -> Outline:
    """A program of about this many operators: the same functions are called for machine after machine."""
    outline = Outline("/srv/plant/monitor.py")
    add = outline.add
    limits = add(
        "input(postgres)", [], 9, "limits = pw.io.postgres.read(…)", kind="input", name="limits of machines"
    )
    wholes: list[int] = []
    machine = 0
    while len(outline.nodes) < operators - 12:
        machine += 1
        name = f"machine {machine}"
        read = "pw.io.kafka.read(settings, topic=name, schema=Reading, name=name)"
        readings = add("input(kafka)", [], 60, read, kind="input", name=name)
        rows = add("filter", [readings], 18, "good = readings.filter(pw.this.value > 0)", function="clean")
        rows = add(
            "select", [rows], 19, "good.select(*pw.this, hour=pw.this.at.dt.round('1h'))", function="clean"
        )
        rows = add("deduplicate", [rows], 20, "return hourly.deduplicate(value=pw.this.at)", function="clean")
        joined = add("join", [rows, limits], 27, "rows.join(limits, pw.left.machine == pw.right.machine)")
        above = add("select", [joined], 27, "rows.join(limits, pw.left.machine == pw.right.machine)")
        source = "windows = rows.windowby(rows.at, window=pw.temporal.sliding(hop, length))"
        windows = add("windowby", [above], 34, source, function="statistics")
        means = add(
            "_reduce", [windows], 35, "return windows.reduce(mean=pw.reducers.avg(…))", function="statistics"
        )
        wholes.append(means)
        if machine % 3 == 0:
            write = 'pw.io.kafka.write(alarms, settings, topic="alarms", name=name)'
            alarms = add(
                "filter", [means], 44, "alarms = means.filter(pw.this.mean > limit)", function="alarms"
            )
            add("output(kafka)", [alarms], 45, write, kind="output", name=f"alarms of machine {machine}")
    every = add("concat", wholes, 70, "everything = pw.Table.concat_reindex(*means)")
    total = add("_reduce", [every], 71, "everything.groupby(pw.this.hour).reduce(…)")
    write = 'pw.io.deltalake.write(total, "s3://plant/hours")'
    add("output(deltalake)", [total], 72, write, kind="output", name="hours")
    return outline
