"""What the tests of the dashboard look at: late flights by airline, of files that come and of a feed.

It runs in a folder with `airlines.csv` and a folder `flights`; the feed gives flights until there is a file
`stop`. With `--strict` it ends on the first error in data.
"""

import os
import random
import sys
import time

import pathway as pw


class Flight(pw.Schema):
    carrier: str
    delay: int
    air_time: int


class Airline(pw.Schema):
    code: str
    name: str


class Feed(pw.io.python.ConnectorSubject):
    def run(self) -> None:
        chance = random.Random(1)
        while not os.path.exists("stop"):
            carrier = chance.choice(["AA", "DL", "UA", "WN"])
            self.next(carrier=carrier, delay=chance.randrange(-10, 60), air_time=chance.randrange(40, 300))
            time.sleep(0.005)


def late_flights(flights: pw.Table) -> pw.Table:
    known = flights.filter(pw.this.delay > 0)
    return known.select(*pw.this, share=pw.this.delay * 100 // pw.this.air_time)


feed = pw.io.python.read(Feed(), schema=Flight, name="feed")
files = pw.io.csv.read("flights", schema=Flight, mode="streaming", name="flights")
airlines = pw.io.csv.read("airlines.csv", schema=Airline, mode="static", name="airlines")
late = late_flights(feed.concat_reindex(files))
named = late.join(airlines, late.carrier == airlines.code).select(*pw.left, airline=airlines.name)
by_airline = named.groupby(named.airline).reduce(named.airline, delay=pw.reducers.avg(named.delay))
worst = by_airline.filter(pw.this.delay > 20)
pw.io.csv.write(worst, "worst.csv", name="worst airlines")
pw.io.jsonlines.write(named, "late.jsonl", name="late flights")
pw.run(with_http_server=True, terminate_on_error="--strict" in sys.argv)
