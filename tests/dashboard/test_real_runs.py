"""The dashboard in a browser, over runs as they are: that of `flights.py`."""

from __future__ import annotations

import json
import re
import signal
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from dashboard.real import PATIENCE, Real, place, started

Visit = Callable[..., Page]
FEED, FILES, LATE = place("feed ="), place("files ="), place("pw.io.jsonlines")
SHARE = place("return known")


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Real]:
    with started(tmp_path) as run:
        yield run


def card(page: Page, title: str) -> Locator:
    return page.locator(".card", has=page.get_by_text(title, exact=True))


def row(page: Page, text: str) -> Locator:
    return page.locator("tbody tr", has_text=text)


def cell(row: Locator, title: str) -> Locator:
    return row.locator(f"[data-title='{title}']")


def test_the_plan_is_there_and_moves(run: Real, visit: Visit) -> None:
    page = visit(run.address)
    expect(page.locator("h1")).to_have_text("flights.py")
    expect(page).to_have_title(re.compile("^flights.py . Pathway$"))
    expect(page.locator(".pill.running")).to_be_visible()
    for title, start in [("join", "named ="), ("feed", "feed ="), ("late flights", "pw.io.jsonlines")]:
        expect(card(page, title)).to_contain_text(place(start))
    expect(page.locator("text.frame")).to_contain_text(["late_flights()"])
    expect(page.locator('[data-vital="in"]')).to_have_text(re.compile(r"[1-9]"))
    expect(page.locator('[data-vital="resident"]')).to_have_text(re.compile(r"\d MB"))
    expect(page.locator('[data-vital="latency"]')).to_have_text(re.compile(r"\d m?s"))
    card(page, "join").click()
    expect(page.locator(".panel pre")).to_contain_text("late.carrier == airlines.code")
    state = page.locator(".facts div").filter(has=page.get_by_text("State", exact=True)).locator("dd")
    expect(state).to_have_text(re.compile(r"\d k?B"))
    rows_in = page.locator(".facts div").filter(has=page.get_by_text("Rows in", exact=True)).locator("dd")
    before = rows_in.inner_text()
    expect(rows_in).not_to_have_text(before)
    expect(page.locator(".panel .chart.small path.line").first).to_have_attribute("d", re.compile(r"M.*L"))


def test_rows_are_counted_as_they_come(run: Real, visit: Visit) -> None:
    page = visit(f"{run.address}#/connectors")
    expect(cell(row(page, FILES), "Total")).to_have_text("0")
    run.flights("AA,10,100", "UA,20,100")
    expect(cell(row(page, FILES), "Total")).to_have_text("2")
    run.flights("WN,30,100")
    expect(cell(row(page, FILES), "Total")).to_have_text("3")
    expect(cell(row(page, FILES), "Last minibatch")).to_have_text("1")
    expect(cell(row(page, FILES), "Kind")).to_have_text("csv")
    expect(cell(row(page, LATE), "Rows")).not_to_have_text("0")


def test_it_is_known_how_much_there_is_to_read(run: Real, visit: Visit) -> None:
    """A file that is read once; a folder that is followed, and a feed, have no end."""
    page = visit(f"{run.address}#/connectors")
    expect(row(page, place("airlines ="))).to_contain_text("finished")
    with urllib.request.urlopen(f"{run.address}api/now", timeout=PATIENCE) as answer:
        connectors = json.load(answer)["snapshot"]["connectors"]
    size = (run.folder / "airlines.csv").stat().st_size
    lengths = {connector["name"]: connector["reading"] for connector in connectors}
    read = {"done": size, "all": size, "unit": "bytes"}
    assert lengths == {"feed": None, "flights": None, "airlines": read}


def test_a_source_that_stops(run: Real, visit: Visit) -> None:
    page = visit(f"{run.address}#/connectors")
    expect(row(page, place("airlines ="))).to_contain_text("finished")
    expect(row(page, FEED)).to_contain_text("reading")
    run.stop_feed()
    expect(row(page, FEED)).to_contain_text("finished")
    expect(row(page, FILES)).to_contain_text("reading")
    page.get_by_role("link", name="Pipeline").click()
    expect(card(page, "feed")).to_contain_text("finished")


def test_an_error_has_its_place_and_a_rejected_record_its_text(run: Real, visit: Visit) -> None:
    page = visit(f"{run.address}#/errors")
    expect(page.get_by_text("No row has met an error.")).to_be_visible()
    run.flights("AA,10,0", "UA,20")
    found = row(page, "division by zero")
    expect(found).to_contain_text(f"{SHARE} in late_flights")
    expect(found.locator("code")).to_have_text(
        "return known.select(*pw.this, share=pw.this.delay * 100 // pw.this.air_time)"
    )
    expect(row(page, "UA,20")).to_contain_text("(flights/1.csv, record 2)")
    expect(page.locator('[data-vital="deadLetters"]')).to_have_text("1")
    found.get_by_role("link", name="select").click()
    expect(page.locator(".panel .error")).to_contain_text("division by zero")


def test_the_log_has_what_the_engine_and_the_program_say(run: Real, visit: Visit) -> None:
    page = visit(f"{run.address}#/log")
    expect(page.get_by_text("Preparing Pathway computation")).to_have_count(1)
    expect(page.get_by_text("airlines: Closing the data source")).to_have_count(1)
    expect(page.get_by_text(f"Metrics available at {run.address.rstrip('/')}")).to_have_count(1)
    run.flights("AA,10,0")
    expect(page.get_by_text("division by zero in operator")).to_have_count(1)


def test_the_charts_have_lines(run: Real, visit: Visit) -> None:
    page = visit(f"{run.address}#/charts")
    charts = page.locator(".chart")
    for chart in range(4):
        expect(charts.nth(chart).locator("path.line").first).to_have_attribute("d", re.compile(r"M.*L"))


def test_a_run_that_is_asked_to_end_has_ended(run: Real, visit: Visit) -> None:
    page = visit(run.address)
    expect(page.locator(".pill.running")).to_be_visible()
    run.stop()
    expect(page.locator(".pill.ended")).to_be_visible()
    expect(page.locator(".notice")).to_contain_text("The run ended at")
    # Its process has gone: that is no news.
    page.wait_for_event("requestfailed")
    expect(page.locator(".notice")).not_to_contain_text("does not answer")


def test_a_run_that_is_interrupted_has_not_failed(run: Real, visit: Visit) -> None:
    page = visit(run.address)
    expect(page.locator(".pill.running")).to_be_visible()
    assert run.stop(signal.SIGINT) != 0
    expect(page.locator(".pill.interrupted")).to_have_text("interrupted")
    expect(page.locator(".notice")).to_contain_text("The run was interrupted at")
    expect(page).to_have_title(re.compile("^interrupted: flights.py"))
    # Its process has gone: that is no news.
    page.wait_for_event("requestfailed")
    expect(page.locator(".notice")).not_to_contain_text("does not answer")


def test_a_run_that_fails_says_why(tmp_path: Path, visit: Visit) -> None:
    with started(tmp_path, "--strict") as run:
        page = visit(run.address)
        expect(page.locator(".pill.running")).to_be_visible()
        run.flights("AA,10,0")
        notice = page.locator(".notice")
        expect(notice).to_contain_text("ZeroDivisionError: division by zero")
        expect(notice).to_contain_text(SHARE)
        expect(page.locator(".pill.failed")).to_be_visible()
        assert run.wait() == 1


def test_another_run_of_the_same_program(run: Real, visit: Visit) -> None:
    page = visit(f"{run.address}#/connectors")
    run.flights("AA,10,100")
    expect(cell(row(page, FILES), "Total")).to_have_text("1")
    run.stop(signal.SIGKILL)
    expect(page.locator(".notice")).to_contain_text("does not answer. What you see is from")
    expect(page.locator(".pill.away")).to_be_visible()
    run.flights("AA,20,100", "DL,5,70")
    run.start()
    expect(page.locator(".notice")).to_contain_text("started anew")
    expect(cell(row(page, FILES), "Total")).to_have_text("3")
    page.get_by_role("button", name="Got it").click()
    expect(page.locator(".notice")).to_be_hidden()


def test_a_token_is_asked_for(tmp_path: Path, visit: Visit) -> None:
    with started(tmp_path, PATHWAY_MONITORING_HTTP_TOKEN="open sesame") as run:
        page = visit(f"{run.address}?token=open%20sesame")
        expect(card(page, "join")).to_be_visible()
        assert "sesame" not in page.url
        other = visit(run.address)
        expect(other.get_by_text("A token is needed")).to_be_visible()
        other.get_by_label("Token").fill("open sesame")
        other.get_by_role("button", name="Open").click()
        expect(card(other, "join")).to_be_visible()
        assert "sesame" not in run.log()
