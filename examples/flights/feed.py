"""A feed of flights as it could come from an airport: day after day, with mistakes that are put right later.

Of the flights of a day some are announced wrongly: without their arrival, with a wrong delay, under the code
of another carrier; some never existed. A few days later the feed sends the right version (`next` with the
same primary key replaces the row) or takes the flight back (`delete`). When the year is over, so is the feed.
"""

import csv
import itertools
import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pathway as pw

Row = dict[str, Any]

#: one flight in so many is announced wrongly
ONE_IN = 40
#: and put right after so many days
CORRECTED_AFTER = 3
#: ids of flights that never existed start here
GHOSTS = 10_000_000


class FlightFeed(pw.io.python.ConnectorSubject):
    """Plays a file of flights, one day as one batch, within about `seconds`; `on_day` is told each day."""

    def __init__(self, path: Path, seconds: float, on_day: Callable[[str], None] = lambda date: None) -> None:
        super().__init__(datasource_name="flights", session_type="upsert")
        self.path = path
        self.seconds = seconds
        self.on_day = on_day
        self.corrections = 0
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Ends the feed after the present day; what is not corrected by then stays wrong."""
        self._stopped.set()

    def run(self) -> None:
        chance = random.Random(2013)
        days = [list(rows) for _, rows in itertools.groupby(read(self.path), key=lambda row: row["date"])]
        due: defaultdict[int, list[Row]] = defaultdict(list)
        started = time.perf_counter()
        for number, flights in enumerate(days):
            for flight in flights:
                if chance.randrange(ONE_IN) == 0:
                    self.next(**mistaken(flight, chance))
                    due[number + CORRECTED_AFTER].append(flight)
                else:
                    self.next(**flight)
            ghost = {**flights[0], "flight_id": GHOSTS + number, "arr_delay": 2000}
            self.next(**ghost)
            due[number + CORRECTED_AFTER].append(ghost)
            self.correct(due.pop(number, []))
            self.commit()
            self.on_day(flights[0]["date"])
            if self._stopped.wait(
                max(0.0, started + self.seconds * (number + 1) / len(days) - time.perf_counter())
            ):
                return
        for number in sorted(due):
            self.correct(due[number])
            self.commit()

    def correct(self, flights: list[Row]) -> None:
        """Sends what is now known about earlier flights."""
        for flight in flights:
            if flight["flight_id"] >= GHOSTS:
                self.delete(**flight)
            else:
                self.next(**flight)
            self.corrections += 1


def mistaken(flight: Row, chance: random.Random) -> Row:
    """A wrong version of the flight."""
    kind = chance.randrange(3)
    if kind == 0:
        return {**flight, "dep_delay": None, "arr_delay": None}
    if kind == 1:
        return {**flight, "arr_delay": 900 + chance.randrange(900)}
    return {
        **flight,
        "carrier": chance.choice([code for code in ("AA", "UA", "B6") if code != flight["carrier"]]),
    }


def read(path: Path) -> Iterator[Row]:
    """The flights of the file with values of their types."""
    with open(path, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            numbers = {name: int(row[name]) for name in ("flight_id", "flight", "distance")}
            maybe = {name: int(row[name]) if row[name] else None for name in ("dep_delay", "arr_delay")}
            yield {**row, **numbers, **maybe}
