"""The pipeline: what is computed from flights, airlines and airports, wherever the rows come from.

`static.py` gives it finished files, `live.py` a feed that grows day by day and corrects itself. The function
is the same, and so are the results once the feed has ended.
"""

from dataclasses import dataclass
from pathlib import Path

import pathway as pw

DATA = Path(__file__).resolve().parent / "data"
OUT = Path(__file__).resolve().parent / "out"


class Flight(pw.Schema):
    """A scheduled departure; delays are minutes, and None if the flight did not leave or arrive."""

    flight_id: int = pw.column_definition(primary_key=True)
    date: str
    departure: str
    carrier: str
    flight: int
    tailnum: str
    origin: str
    dest: str
    dep_delay: int | None
    arr_delay: int | None
    distance: int


class Airline(pw.Schema):
    carrier: str
    name: str


class Airport(pw.Schema):
    faa: str
    name: str


@dataclass
class Delays:
    """The results, each of them a table that follows its inputs."""

    by_carrier: pw.Table
    by_route: pw.Table
    by_day: pw.Table
    worst: pw.Table


def delays(flights: pw.Table, airlines: pw.Table, airports: pw.Table) -> Delays:
    """Delays by carrier, by route and by day, and the most delayed flight of each carrier."""
    named = flights.join(airlines, flights.carrier == airlines.carrier, id=flights.id).select(
        *pw.left, airline=pw.right.name
    )
    # Not every destination is in the list of airports: a left join keeps those flights.
    origins, destinations = airports, airports.copy()
    placed = (
        named.join_left(origins, named.origin == origins.faa, id=named.id)
        .select(*pw.left, origin_name=pw.coalesce(pw.right.name, pw.left.origin))
        .join_left(destinations, pw.left.dest == pw.right.faa)
        .select(*pw.left, dest_name=pw.coalesce(pw.right.name, pw.left.dest))
    )
    worst = (
        named.filter(named.arr_delay.is_not_none())
        .groupby(pw.this.airline)
        .reduce(pw.this.airline, flight_ptr=pw.reducers.argmax(pw.this.arr_delay))
    )
    found = named.ix(worst.flight_ptr)
    return Delays(
        by_carrier=summary(named.groupby(named.airline), named.airline),
        by_route=summary(
            placed.groupby(placed.origin_name, placed.dest_name), placed.origin_name, placed.dest_name
        ),
        by_day=summary(named.groupby(named.date), named.date),
        worst=worst.select(
            worst.airline, found.date, found.carrier, found.flight, found.tailnum,
            found.origin, found.dest, found.dep_delay, found.arr_delay,
        ),
    )  # fmt: skip


def summary(grouped: pw.GroupedTable, *keys: pw.ColumnReference) -> pw.Table:
    """Counts, mean and maximum of the arrival delay, and how many flights never arrived."""
    totals = grouped.reduce(
        *keys,
        flights=pw.reducers.count(),
        arrived=pw.reducers.sum(pw.if_else(pw.this.arr_delay.is_none(), 0, 1)),
        minutes=pw.reducers.sum(pw.coalesce(pw.this.arr_delay, 0)),
        longest=pw.reducers.max(pw.this.arr_delay),
        miles=pw.reducers.sum(pw.this.distance),
    )
    return totals.select(
        *pw.this.without(pw.this.minutes, pw.this.arrived),
        lost=totals.flights - totals.arrived,
        mean_delay=pw.if_else(totals.arrived > 0, totals.minutes / totals.arrived, None),
    )


def write(results: Delays, folder: Path) -> None:
    """Writes each result as the stream of its changes, as CSV or as JSON lines."""
    folder.mkdir(parents=True, exist_ok=True)
    pw.io.csv.write(results.by_carrier, folder / "by_carrier.csv")
    pw.io.csv.write(results.by_route, folder / "by_route.csv")
    pw.io.jsonlines.write(results.by_day, folder / "by_day.jsonl")
    pw.io.jsonlines.write(results.worst, folder / "worst.jsonl")
