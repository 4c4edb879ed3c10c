"""The page that tells why rows are there, in a browser, over recorded flights."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Request, expect

Visit = Callable[..., Page]
PATIENCE = 60
PROGRAM = '''
import pathway as pw

class Flight(pw.Schema):
    number: int
    carrier: str
    delay: int

class Airline(pw.Schema):
    code: str
    name: str

class Feed(pw.io.python.ConnectorSubject):
    """Flights of three airlines, every third of them late."""

    def run(self):
        for number in range(180):
            self.next(number=number, carrier=["AA", "UA", "WN"][number % 3], delay=number * 7 % 60 - 20)
            if number % 20 == 0:
                self.commit()

def late_flights(flights):
    late = flights.filter(pw.this.delay > 0)
    return late.select(*pw.this, hours=pw.this.delay / 60)

flights = pw.io.python.read(Feed(), schema=Flight, name="flights")
airlines = pw.io.csv.read("airlines.csv", schema=Airline, mode="static", name="airlines")
late = late_flights(flights)
counts = late.groupby(pw.this.carrier).reduce(pw.this.carrier, flights=pw.reducers.count())
named = counts.join(airlines, counts.carrier == airlines.code).select(airlines.name, counts.flights)
pairs = late.join(counts, pw.left.carrier == pw.right.carrier).select(
    pw.left.number, pw.left.hours, of=pw.right.flights
)
last = flights.deduplicate(value=pw.this.number, acceptor=lambda new, old: new > old)
pw.io.csv.write(named, "named.csv", name="late flights by airline")
pw.io.csv.write(pairs, "pairs.csv", name="late flights")
pw.io.csv.write(last, "last.csv", name="last flight")
pw.io.csv.write(flights.filter(pw.this.delay > 1000), "none.csv", name="nothing")
pw.run(monitoring_level=pw.MonitoringLevel.NONE)
'''


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "pathway", *arguments]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the page of the recorded program is."""
    folder = tmp_path_factory.mktemp("rows")
    long_name = "United " + "and other airlines of a long name " * 4
    (folder / "airlines.csv").write_text(f"code,name\nAA,American\nUA,{long_name}\nWN,<b>Southwest</b>\n")
    (folder / "program.py").write_text(PROGRAM)
    recording = command("spawn", "--record", sys.executable, "program.py")
    subprocess.run(recording, cwd=folder, check=True, timeout=PATIENCE, capture_output=True)
    page = command("why", "--port", "0", "program.py")
    with (folder / "log").open("w") as log:
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        process = subprocess.Popen(
            page, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=log, text=True
        )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line.startswith("Why rows are there: http://127.0.0.1:"), (folder / "log").read_text()
        yield line.split()[-1]
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE)


def row(page: Page, text: str) -> Locator:
    return page.locator(".outputs tbody tr", has_text=text)


def reason(page: Page, text: str) -> Locator:
    """The head of a row of the tree."""
    return page.locator(".tree summary", has_text=text)


def test_a_row_is_chosen_and_its_reasons_are_there(address: str, visit: Visit) -> None:
    page = visit(address)
    expect(page.locator("h1")).to_have_text("program.py")
    expect(page).to_have_title(re.compile("^Rows of program.py . Pathway$"))
    expect(page.locator(".facts-of-run")).to_contain_text("inputs as recorded in record")
    expect(page.get_by_label("Output")).to_contain_text(re.compile("late flights by airline . 3 rows"))
    expect(page.locator(".hits")).to_have_text("3 rows")
    row(page, "'American'").click()
    expect(page.locator(".tree summary").first).to_contain_text("name 'American'")
    made = page.locator(".tree .made")
    expect(made.nth(0)).to_contain_text("named = counts.join(airlines")
    expect(made.filter(has_text="groupby")).to_contain_text(re.compile(r"program\.py:\d+"))
    expect(made.filter(has_text="late_flights").first).to_be_visible()
    expect(reason(page, "'American'").last).to_contain_text("code 'AA'")
    # What comes from a run is text.
    row(page, "Southwest").click()
    expect(page.locator(".tree summary").first).to_contain_text("'<b>Southwest</b>'")


def test_large_groups_are_capped(address: str, visit: Visit) -> None:
    page = visit(address)
    row(page, "'American'").click()
    more = page.locator(".tree .more")
    expect(more).to_contain_text(re.compile(r"and \d\d more rows"))
    rest = int(re.findall(r"\d+", more.inner_text())[0])
    flights = page.locator(".tree .made", has_text="filter")
    expect(flights).to_have_count(10)
    more.get_by_role("button").click()
    expect(flights).to_have_count(10 + rest)
    expect(more).to_have_count(0)


def test_what_is_not_answered_is_asked_for_again(address: str, visit: Visit) -> None:
    page = visit(address)
    row(page, "'American'").click()
    flights = page.locator(".tree .made", has_text="filter")
    expect(flights).to_have_count(10)
    page.route("**/api/reason?*", lambda route: route.abort())
    page.locator(".tree .more button").click()
    refusal = page.get_by_role("alert")
    expect(refusal).to_contain_text("The server does not answer")
    refusal.get_by_role("button", name="Ask again").click()
    expect(refusal).to_have_count(1)
    expect(flights).to_have_count(10)
    page.unroute("**/api/reason?*")
    refusal.get_by_role("button", name="Ask again").click()
    expect(refusal).to_have_count(0)
    expect(page.locator(".tree .more")).to_have_count(0)
    assert flights.count() > 10


def test_rows_are_folded_and_unfolded(address: str, visit: Visit) -> None:
    page = visit(address)
    row(page, "'American'").click()
    source = page.locator(".tree .made", has_text="csv.read")
    expect(source).to_be_visible()
    page.get_by_role("button", name="Fold all", exact=True).click()
    expect(source).not_to_be_visible()
    # By the keyboard, too.
    page.locator(".tree summary").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".tree .made").first).to_be_visible()
    page.get_by_role("button", name="Unfold all", exact=True).click()
    expect(source).to_be_visible()


def test_rows_that_several_come_from_are_shown_once(address: str, visit: Visit) -> None:
    page = visit(f"{address}#/1")
    row(page, "^").first.click()
    page.locator(".tree .more button").first.click()
    again = page.locator(".tree .again a")
    expect(again.first).to_contain_text("shown already")
    page.get_by_role("button", name="Fold all", exact=True).click()
    page.evaluate("document.querySelector('.tree .again a').click()")
    shown = page.locator(".tree summary:focus")
    expect(shown).to_be_visible()
    expect(shown.locator(".id")).to_have_text(again.first.locator(".id").text_content() or "")


def test_rows_are_searched(address: str, visit: Visit) -> None:
    page = visit(address)
    page.get_by_label("Output").select_option("1")
    expect(page.locator(".hits")).to_contain_text("the first 50 of them here")
    expect(page.locator(".outputs tbody tr")).to_have_count(50)
    page.get_by_label("Rows with").fill("0.01666")
    expect(page.locator(".hits")).to_have_text(re.compile(r"^3 of \d+ rows$"))
    expect(page.locator(".outputs tbody tr")).to_have_count(3)
    page.get_by_label("Rows with").fill("nowhere")
    expect(page.locator(".outputs .empty")).to_have_text("No row has “nowhere” in a cell.")
    page.get_by_label("Output").select_option("3")
    expect(page.locator(".outputs .empty")).to_have_text("The output has no rows.")
    expect(page.locator(".why")).to_contain_text("Choose a row")


def test_there_is_one_search_at_a_time(address: str, visit: Visit) -> None:
    """Each looks at all rows; the last text is found all the same."""
    page = visit(address)
    page.get_by_label("Output").select_option("1")
    expect(page.locator(".outputs tbody tr")).to_have_count(50)
    begun: list[str] = []
    most = under_way = 0

    def begins(request: Request) -> None:
        nonlocal most, under_way
        if "api/rows" in request.url:
            begun.append(request.url)
            under_way += 1
            most = max(most, under_way)

    def ends(request: Request) -> None:
        nonlocal under_way
        under_way -= "api/rows" in request.url

    page.on("request", begins)
    page.on("requestfinished", ends)
    page.get_by_label("Rows with").press_sequentially("0.01666")
    expect(page.locator(".hits")).to_have_text(re.compile(r"^3 of \d+ rows$"))
    assert (most, under_way) == (1, 0)
    assert begun[-1].endswith("text=0.01666")


def test_addresses_name_rows(address: str, visit: Visit) -> None:
    page = visit(address)
    row(page, "'American'").click()
    expect(page).to_have_url(re.compile(r"#/0/%5E"))
    expect(row(page, "'American'").locator("a")).to_have_attribute("aria-current", "true")
    page.reload()
    expect(page.locator(".tree summary").first).to_contain_text("name 'American'")
    page.get_by_label("Output").select_option("2")
    expect(page.locator(".outputs tbody tr")).to_have_count(1)
    expect(page.locator(".tree")).to_have_count(0)
    row(page, "179").click()
    expect(page.locator(".tree .ends")).to_contain_text("the last that was accepted")
    page.go_back()
    page.go_back()
    expect(page.locator(".tree summary").first).to_contain_text("name 'American'")
    page.goto(f"{address}#/0/%5EZZZ")
    expect(page.locator(".why .empty")).to_have_text("The output has no row ^ZZZ.")
    # Nothing that a browser can read.
    page.goto(f"{address}#/0/%")
    expect(page.locator(".why .empty")).to_have_text("The output has no row %.")


def test_rows_are_chosen_by_the_keyboard(address: str, visit: Visit) -> None:
    page = visit(address)
    expect(page.locator(".outputs tbody tr")).to_have_count(3)
    page.get_by_label("Rows with").focus()
    for _ in range(2):
        page.keyboard.press("Tab")
    expect(page.locator(".outputs tbody a:focus")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator(".tree")).to_be_visible()


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pictures(address: str, visit: Visit, tmp_path: Path, theme: str, width: int) -> None:
    folder = Path(os.environ.get("PATHWAY_SCREENSHOTS", tmp_path))
    page = visit(address, viewport={"width": width, "height": 860}, color_scheme=theme)
    for name, number, text in [("rows", 0, "United"), ("rows-once", 1, "^"), ("rows-ends", 2, "179")]:
        page.goto(f"{address}#/{number}")
        row(page, text).first.click()
        expect(page.locator(".tree summary").first).to_contain_text(text)
        page.screenshot(path=folder / f"{name}-{theme}-{width}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        if width > 800:
            assert page.evaluate("document.documentElement.scrollHeight") <= 860, name
