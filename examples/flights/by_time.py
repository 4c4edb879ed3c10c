"""The part of the pipeline that goes by time: windows, weather at departure, days of aircraft, hubs."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pathway as pw

HOUR = timedelta(hours=1)
FORMAT = "%Y-%m-%d %H:%M"


class Weather(pw.Schema):
    """What a weather station reported: miles of visibility, miles per hour of wind."""

    origin: str
    at: str
    visibility: float
    wind: float | None


@dataclass
class ByTime:
    """The results, each of them a table that follows its inputs."""

    hourly: pw.Table
    busiest: pw.Table
    by_visibility: pw.Table
    by_duty: pw.Table
    hubs: pw.Table


def by_time(flights: pw.Table, weather: pw.Table) -> ByTime:
    """All of it: see the functions below."""
    flights = flights.with_columns(scheduled=pw.this.departure.dt.strptime(FORMAT))
    weather = weather.with_columns(at=pw.this.at.dt.strptime(FORMAT))
    return ByTime(
        hourly=hourly(flights),
        busiest=busiest(flights),
        by_visibility=by_visibility(flights, weather),
        by_duty=by_duty(flights),
        hubs=hubs(flights),
    )


def hourly(flights: pw.Table) -> pw.Table:
    """Tumbling windows: departures of each airport, hour by hour."""
    return flights.windowby(
        flights.scheduled, window=pw.temporal.tumbling(HOUR), instance=flights.origin
    ).reduce(
        origin=pw.this._pw_instance,
        start=pw.this._pw_window_start,
        flights=pw.reducers.count(),
        longest=pw.reducers.max(pw.this.dep_delay),
    )


def busiest(flights: pw.Table) -> pw.Table:
    """Sliding windows: how many departures each airport had in its busiest three hours."""
    window = pw.temporal.sliding(hop=HOUR, duration=3 * HOUR)
    counts = flights.windowby(flights.scheduled, window=window, instance=flights.origin).reduce(
        origin=pw.this._pw_instance, flights=pw.reducers.count()
    )
    return counts.groupby(counts.origin).reduce(counts.origin, most=pw.reducers.max(counts.flights))


def by_visibility(flights: pw.Table, weather: pw.Table) -> pw.Table:
    """As-of join: each flight with the last weather report of its airport before the departure."""
    seen = flights.asof_join_left(
        weather, flights.scheduled, weather.at, flights.origin == weather.origin
    ).select(flights.dep_delay, miles=pw.cast(int, pw.coalesce(weather.visibility, -1.0)))
    left = seen.filter(seen.dep_delay.is_not_none())
    sums = left.groupby(left.miles).reduce(
        left.miles, flights=pw.reducers.count(), minutes=pw.reducers.sum(pw.unwrap(left.dep_delay))
    )
    return sums.select(sums.miles, sums.flights, mean_delay=sums.minutes / sums.flights)


def by_duty(flights: pw.Table) -> pw.Table:
    """Session windows: an aircraft is on duty until it does not leave New York for six hours."""
    window = pw.temporal.session(max_gap=6 * HOUR)
    duties = flights.windowby(flights.scheduled, window=window, instance=flights.tailnum).reduce(
        flights=pw.reducers.count()
    )
    return duties.groupby(duties.flights).reduce(duties.flights, duties=pw.reducers.count())


def hubs(flights: pw.Table) -> pw.Table:
    """The graph of routes: airports by their PageRank."""
    routes = flights.groupby(flights.origin, flights.dest).reduce(flights.origin, flights.dest)
    there = routes.select(u=routes.pointer_from(routes.origin), v=routes.pointer_from(routes.dest))
    back = there.select(u=there.v, v=there.u)
    ranks = pw.graphs.pagerank.pagerank(there.concat_reindex(back), steps=5)
    ends = routes.select(airport=routes.origin).concat_reindex(routes.select(airport=routes.dest))
    airports = ends.groupby(ends.airport).reduce(ends.airport)
    return airports.select(airports.airport, ranks.ix(airports.id).rank)


def write(results: ByTime, folder: Path) -> None:
    """Writes each result as the stream of its changes."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("hourly", "busiest", "by_visibility", "by_duty", "hubs"):
        pw.io.jsonlines.write(getattr(results, name), folder / f"{name}.jsonl")
