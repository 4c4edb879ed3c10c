"""The walk through a run that the example of flights invites to, with a few flights of its own."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from ports import free_ports

EXAMPLE = Path(__file__).parents[2] / "examples" / "flights"
PATIENCE = 60
DAYS = [date(2013, 1, 1) + timedelta(days=number) for number in range(600)]
AIRPORTS = ("EWR", "JFK", "LGA", "BOS", "ORD")


def make_data(folder: Path) -> None:
    """The files that `data.py` makes of a package, with 20 flights and 240 reports of the weather a day."""
    folder.mkdir()
    (folder / "airlines.csv").write_text("carrier,name\nAA,American\nB6,JetBlue\nUA,United\n")
    airports = [json.dumps({"faa": code, "name": f"Airport of {code}"}) for code in AIRPORTS]
    (folder / "airports.jsonl").write_text("\n".join(airports) + "\n")
    reports = [
        {"origin": origin, "at": f"{day} {hour:02}:{minute}", "visibility": 10.0, "wind": 5.0}
        for day in DAYS
        for origin in AIRPORTS
        for hour in range(24)
        for minute in ("00", "30")
    ]
    (folder / "weather.jsonl").write_text("".join(json.dumps(report) + "\n" for report in reports))
    with open(folder / "flights.csv", "w", newline="") as file:
        rows = csv.writer(file)
        columns = "flight_id date departure carrier flight tailnum origin dest dep_delay arr_delay distance"
        rows.writerow(columns.split())
        for number in range(20 * len(DAYS)):
            day, hour = DAYS[number // 20], 5 + number % 18
            carrier = ("AA", "B6", "UA")[number % 3]
            origin, to = AIRPORTS[number % 3], AIRPORTS[3 + number % 2]
            departure = f"{day} {hour:02}:00"
            rows.writerow(
                (
                    number,
                    day,
                    departure,
                    carrier,
                    number % 90,
                    f"N{number % 7}",
                    origin,
                    to,
                    3,
                    number % 50,
                    700,
                )
            )


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The address of the dashboard of `watch.py`, and the program."""
    folder = tmp_path / "flights"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("data", "out", "__pycache__"))
    make_data(folder / "data")
    port = free_ports(1)
    with open(tmp_path / "log", "w+") as log:
        program = subprocess.Popen(
            [sys.executable, "watch.py", "--seconds", "600"],
            cwd=folder,
            env={**os.environ, "PATHWAY_MONITORING_HTTP_PORT": str(port)},
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            text=True,
        )
        address = f"http://127.0.0.1:{port}/"
        try:
            deadline = time.monotonic() + PATIENCE
            while True:
                with contextlib.suppress(urllib.error.URLError, ConnectionError):
                    urllib.request.urlopen(address, timeout=PATIENCE).close()
                    break
                log.seek(0)
                assert program.poll() is None, log.read()
                assert time.monotonic() < deadline, log.read()
                time.sleep(0.02)
            yield address, program
        finally:
            program.kill()
            program.communicate()


def test_a_new_user_finds_what_there_is(
    watched: tuple[str, subprocess.Popen[str]], visit: Callable[..., Page]
) -> None:
    address, program = watched
    assert program.stdin is not None
    page = visit(address)
    pages = page.get_by_role("navigation", name="Pages")

    def connector(name: str) -> Locator:
        return page.locator("tbody tr", has=page.get_by_text(name, exact=True))

    # The slowest operator, with the line that made it.
    page.locator(".ranking a").first.click()
    expect(page.locator(".panel pre")).not_to_be_empty()
    expect(page.locator(".panel figcaption").first).to_have_text(re.compile(r"/flights/\w+\.py:\d+ in \w+$"))

    # The records that could not be read, with their place.
    pages.get_by_role("link", name="Errors").click()
    garbled = page.locator("tbody tr", has_text="visibility")
    expect(garbled).to_contain_text(["weather/2013-01-01.jsonl, line 200"])
    expect(garbled).to_contain_text(["fog"])

    # A source that is stopped, while the others go on.
    pages.get_by_role("link", name="Connectors").click()
    expect(connector("flights")).to_contain_text("reading")
    program.stdin.write("stop\n")
    program.stdin.flush()
    expect(connector("flights")).to_contain_text("finished")
    expect(connector("weather")).to_contain_text("reading")
