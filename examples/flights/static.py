"""The pipeline over finished files: read, compute, write, end."""

import time

import by_time
import pathway as pw
from pipeline import DATA, OUT, Airline, Airport, Flight, delays, write


def main() -> None:
    started = time.perf_counter()
    flights = pw.io.csv.read(DATA / "flights.csv", schema=Flight, mode="static")
    airlines = pw.io.csv.read(DATA / "airlines.csv", schema=Airline, mode="static")
    airports = pw.io.jsonlines.read(DATA / "airports.jsonl", schema=Airport, mode="static")
    write(delays(flights, airlines, airports), OUT / "static")
    weather = pw.io.jsonlines.read(DATA / "weather.jsonl", schema=by_time.Weather, mode="static")
    by_time.write(by_time.by_time(flights, weather), OUT / "static")
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    print(f"static: done in {time.perf_counter() - started:.1f} s, results in {OUT / 'static'}")


if __name__ == "__main__":
    main()
