"""The slider over the time of a recorded run: of one that is not there, and of a real one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from dashboard.fake import Fake
from dashboard.real import PATIENCE, started
from ports import free_ports

Visit = Callable[..., Page]
#: A number with its rate.
RATED = re.compile(r"^[\d,]+ +\([\d.]+k?/s\)$")


@pytest.fixture
def recorded() -> Iterator[Fake]:
    """A run that is recorded at this moment."""
    with Fake(recorded=True).opened() as server:
        yield server


def slider(page: Page) -> Locator:
    return page.get_by_role("slider", name="Moment")


def fact(page: Page, name: str) -> Locator:
    return page.locator(".facts div").filter(has=page.get_by_text(name, exact=True)).locator("dd")


def number(text: str) -> int:
    """The first number of a text as the page writes it."""
    found = re.match(r"[\d,]+", text)
    assert found is not None, text
    return int(found[0].replace(",", ""))


def drag(page: Page, share: float) -> None:
    """Moves the slider to a share of its way, with the mouse."""
    box = slider(page).bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 8 + share * (box["width"] - 16), box["y"] + box["height"] / 2)


def test_a_run_that_goes_on_has_no_slider(fake: Fake, visit: Visit) -> None:
    page = visit(fake.address)
    expect(page.locator(".card")).to_have_count(10)
    expect(page.locator(".timeline")).to_be_hidden()
    expect(page.get_by_role("link", name="Log")).to_be_visible()


def test_the_slider_shows_the_numbers_of_its_moment(recorded: Fake, visit: Visit) -> None:
    recorded.run.end()
    page = visit(f"{recorded.address}#/pipeline/5")
    rows = fact(page, "Rows in")
    # What has ended has rates, too: its last two moments are known.
    expect(rows).to_have_text(RATED)
    last = number(rows.inner_text())
    expect(slider(page)).to_have_attribute("aria-valuetext", re.compile("^latest, "))
    expect(page.get_by_role("button", name="Latest")).to_have_attribute("aria-pressed", "true")
    drag(page, 0.5)
    expect(page.locator(".notice")).to_contain_text("These are its numbers of ")
    expect(page.get_by_role("button", name="Latest")).to_have_attribute("aria-pressed", "false")
    shown = page.locator(".timeline time").inner_text()
    assert re.fullmatch(r"\d+ \w+ \d{4}, \d\d:\d\d:\d\d", shown), shown
    expect(page.locator(".notice")).to_contain_text(shown)
    expect(rows).to_have_text(RATED)
    half = number(rows.inner_text())
    assert 0.4 * last < half < 0.6 * last
    expect(page.locator(".ranking li")).not_to_have_count(0)
    # The minutes before were recorded as well.
    line = page.locator(".panel .chart.small path.line").first
    expect(line).to_have_attribute("d", re.compile(r"^M(?:[^L]*L){100}"))
    page.get_by_role("link", name="Connectors").click()
    total = page.locator("tbody tr", has_text="late flights").locator("[data-title='Rows']")
    then = number(total.inner_text())
    page.get_by_role("button", name="Latest").click()
    expect(total).not_to_have_text(f"{then:,}")
    assert number(total.inner_text()) > then
    page.get_by_role("link", name="Pipeline").click()
    page.locator("#operator-5").click()
    expect(rows).to_have_text(re.compile(f"^{last:,} "))
    expect(page.locator(".notice")).to_contain_text("These are its last numbers.")


def test_it_is_moved_with_the_keyboard(recorded: Fake, visit: Visit) -> None:
    recorded.run.end()
    page = visit(f"{recorded.address}#/pipeline/5")
    times = [second * 1000 for second in recorded.run.seconds(0)]
    when = page.locator(".timeline time")
    expect(when).to_have_text(re.compile(r"\d"))

    def shows(time: int) -> None:
        text = page.evaluate(f"import('./format.js').then(({{ moment }}) => moment({time}))")
        expect(when).to_have_text(text)
        expect(slider(page)).to_have_attribute("aria-valuetext", re.compile(f"{text}$"))

    slider(page).focus()
    shows(times[-1])
    for key, place in [("ArrowLeft", -2), ("ArrowDown", -3), ("ArrowRight", -2), ("PageDown", -62)]:
        page.keyboard.press(key)
        shows(times[place])
    page.keyboard.press("Home")
    shows(times[0])
    # Nothing was before it that rates could be made of.
    expect(fact(page, "Rows in")).to_have_text(re.compile(r"\(\u2013\)$"))
    page.get_by_role("button", name="Later").click()
    shows(times[1])
    expect(fact(page, "Rows in")).to_have_text(RATED)
    page.get_by_role("button", name="Earlier").click()
    shows(times[0])
    slider(page).focus()
    page.keyboard.press("End")
    shows(times[-1])
    expect(page.get_by_role("button", name="Latest")).to_have_attribute("aria-pressed", "true")


def test_the_latest_moment_moves_on_and_one_that_was_chosen_stays(recorded: Fake, visit: Visit) -> None:
    page = visit(f"{recorded.address}#/pipeline/5")
    rows = fact(page, "Rows in")
    expect(rows).to_have_text(RATED)
    before = rows.inner_text()
    expect(rows).not_to_have_text(before)
    drag(page, 0.25)
    expect(page.get_by_role("button", name="Latest")).to_have_attribute("aria-pressed", "false")
    shown = page.locator(".timeline time").inner_text()
    end = float(slider(page).get_attribute("max") or 0)
    expect(slider(page)).not_to_have_attribute("max", str(int(end)))
    expect(page.locator(".timeline time")).to_have_text(shown)
    before = rows.inner_text()
    recorded.run.end()
    expect(page.locator(".pill.ended")).to_be_visible()
    expect(rows).to_have_text(before)
    page.get_by_role("button", name="Latest").click()
    expect(rows).not_to_have_text(before)


def test_charts_mark_the_moment(recorded: Fake, visit: Visit) -> None:
    recorded.run.end()
    page = visit(f"{recorded.address}#/charts")
    charts = page.locator(".chart")
    expect(charts.first.locator("path.line").first).to_have_attribute("d", re.compile(r"M.*L"))
    expect(page.locator(".chart .choice.shown")).to_have_count(0)
    page.get_by_role("button", name="All").click()
    drag(page, 0.25)
    mark = charts.nth(1).locator(".choice.shown")
    expect(mark).to_be_attached()
    box = charts.nth(1).locator("svg").bounding_box()
    assert box is not None
    share = (float(mark.get_attribute("x1") or 0) - 52) / (box["width"] - 62)
    assert 0.2 < share < 0.3
    # It is in the middle of what is shown of a longer time.
    page.get_by_role("button", name="1 min").click()
    share = (float(mark.get_attribute("x1") or 0) - 52) / (box["width"] - 62)
    assert 0.45 < share < 0.55
    expect(charts.nth(1).locator("time")).to_have_text(page.locator(".timeline time").inner_text()[-8:])
    page.get_by_role("button", name="Latest").click()
    expect(page.locator(".chart .choice.shown")).to_have_count(0)


def test_pages_of_what_is_not_recorded_are_left_out(recorded: Fake, visit: Visit) -> None:
    page = visit(f"{recorded.address}#/errors")
    expect(page.locator(".card")).to_have_count(10)
    expect(page.locator("nav a:visible")).to_have_text(["Pipeline", "Charts", "Connectors"])
    expect(page.locator('[data-vital="errors"]')).to_be_hidden()


def test_another_run_begins_at_its_latest_moment(recorded: Fake, visit: Visit) -> None:
    page = visit(recorded.address)
    drag(page, 0.5)
    expect(page.get_by_role("button", name="Latest")).to_have_attribute("aria-pressed", "false")
    recorded.restart()
    expect(page.locator(".notice")).to_contain_text("started anew")
    expect(page.get_by_role("button", name="Latest")).to_have_attribute("aria-pressed", "true")


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[str]:
    """`pathway web-dashboard` over the record of a run of `flights.py` that has ended, of some seconds."""
    with started(tmp_path, PATHWAY_DETAILED_METRICS_DIR="metrics") as run:
        run.flights("AA,12,150", "UA,7,100")
        port = free_ports(1)
        command = [sys.executable, "-m", "pathway", "web-dashboard", "--detailed-metrics-dir", "metrics"]
        command += ["--port", str(port), "--address", "127.0.0.1"]
        with (tmp_path / "dashboard.log").open("w") as log:
            process = subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=log, env={**os.environ})
        try:
            address = f"http://127.0.0.1:{port}/"
            deadline = time.monotonic() + PATIENCE
            while True:
                try:
                    with urllib.request.urlopen(f"{address}api/times", timeout=PATIENCE) as answer:
                        if answer.read().count(b",") > 3:
                            break
                except (urllib.error.URLError, ConnectionError):
                    assert process.poll() is None, (tmp_path / "dashboard.log").read_text()
                assert time.monotonic() < deadline, (tmp_path / "dashboard.log").read_text()
                time.sleep(0.1)
            run.stop()
            yield address
        finally:
            process.kill()
            process.wait()


def test_a_record_of_a_real_run(archive: str, visit: Visit) -> None:
    page = visit(archive)
    page.locator(".card", has=page.get_by_text("join", exact=True)).click()
    rows = fact(page, "Rows in")
    expect(rows).to_have_text(re.compile(r"\d"))
    last = number(rows.inner_text())
    slider(page).focus()
    page.keyboard.press("Home")
    expect(rows).not_to_have_text(re.compile(f"^{last:,} "))
    first = number(rows.inner_text())
    page.keyboard.press("ArrowRight")
    expect(rows).to_have_text(RATED)
    assert first < number(rows.inner_text()) < last
    page.get_by_role("button", name="Latest").click()
    expect(rows).to_have_text(re.compile(f"^{last:,} "))
