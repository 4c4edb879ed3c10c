"""The same pipeline over a feed that is still going on: the results follow every day and every correction."""

import argparse
import time

import by_time
import pathway as pw
from feed import FlightFeed
from pipeline import DATA, OUT, Airline, Airport, Flight, delays, write
from view import LiveTable


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=15.0, help="how long the year should take")
    options = parser.parse_args()
    started = time.perf_counter()

    feed = FlightFeed(DATA / "flights.csv", options.seconds)
    flights = pw.io.python.read(feed, schema=Flight, autocommit_duration_ms=None)
    airlines = pw.io.csv.read(DATA / "airlines.csv", schema=Airline, mode="static")
    airports = pw.io.jsonlines.read(DATA / "airports.jsonl", schema=Airport, mode="static")
    results = delays(flights, airlines, airports)
    write(results, OUT / "live")
    weather = pw.io.jsonlines.read(DATA / "weather.jsonl", schema=by_time.Weather, mode="static")
    by_time.write(by_time.by_time(flights, weather), OUT / "live")

    table = LiveTable(
        {"airline": 28, "flights": 9, "lost": 7, "mean_delay": 11, "longest": 9}, order_by="mean_delay"
    )
    pw.io.subscribe(results.by_carrier, table.on_change, on_time_end=lambda time: table.draw())
    progress = flights.reduce(flights=pw.reducers.count(), day=pw.reducers.max(flights.date))

    def on_progress(key: pw.Pointer, row: dict, time: int, is_addition: bool) -> None:
        if is_addition:
            so_far = f"{row['flights']:,} flights, {feed.corrections:,} corrections"
            table.caption = f"{row['day']}: {so_far}"

    pw.io.subscribe(progress, on_progress)
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    table.draw(force=True)
    print(
        f"live: feed over after {time.perf_counter() - started:.1f} s, "
        f"{table.changes:,} changes of the table by carrier, results in {OUT / 'live'}",
        flush=True,
    )


if __name__ == "__main__":
    main()
