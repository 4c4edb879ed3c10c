"""The dashboard in a browser, over a run that is not there.

It has hundreds of operators, an hour of history and hostile texts; what real runs show is tested in
`test_real_runs.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from dashboard.fake import Fake

Visit = Callable[..., Page]


def card(page: Page, operator: int) -> Locator:
    return page.locator(f"#operator-{operator}")


def row(page: Page, text: str) -> Locator:
    return page.locator("tbody tr", has_text=text)


def fact(page: Page, name: str) -> Locator:
    """A number in the panel of an operator."""
    return page.locator(".facts div").filter(has=page.get_by_text(name, exact=True)).locator("dd")


def test_the_slowest_operator_is_found_and_opened(fake: Fake, visit: Visit) -> None:
    page = visit(fake.address)
    page.locator(".ranking a").first.click()
    expect(page.locator(".panel h2")).to_have_text("join")
    expect(page.locator(".panel pre")).to_contain_text("late.carrier == airlines.code")
    expect(page.locator(".panel figcaption").first).to_have_text("/home/ada/flights/flights.py:31")
    expect(fact(page, "State")).to_have_text(re.compile(r"\d MB"))
    before = fact(page, "Rows in").inner_text()
    expect(fact(page, "Rows in")).not_to_have_text(before)
    expect(page.locator(".panel .chart.small path.line").first).to_have_attribute("d", re.compile(r"M.*L"))
    expect(page.locator(".panel tbody tr")).to_have_count(2)
    page.get_by_role("link", name="Close").click()
    expect(page.get_by_text("Slowest operators")).to_be_visible()


def test_it_is_used_with_the_keyboard(fake: Fake, visit: Visit) -> None:
    page = visit(fake.address)
    expect(page.locator(".card")).to_have_count(10)
    page.locator("svg.graph").focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    expect(page.locator(".panel h2")).to_have_text("select")
    expect(card(page, 4)).to_have_class(re.compile("chosen"))
    page.keyboard.press("Escape")
    expect(page.locator(".panel")).to_be_hidden()
    before = page.locator("svg.graph > g").get_attribute("transform")
    page.keyboard.press("+")
    assert page.locator("svg.graph > g").get_attribute("transform") != before


def test_search(fake: Fake, visit: Visit) -> None:
    page = visit(fake.address)
    page.get_by_label("Find operators").fill("late_flights filter")
    expect(page.locator(".hits").first).to_have_text("1 of 10")
    expect(page.locator(".card.found")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator(".panel h2")).to_have_text("filter")


def test_the_slowest_operators_are_those_of_the_last_minute(fake: Fake, visit: Visit) -> None:
    page = visit(fake.address)
    page.locator(".ranking a").first.click()
    expect(fact(page, "Busy")).to_have_text(re.compile(r"[1-9]"))
    fake.run.rest()
    expect(fact(page, "Busy")).to_have_text("0 %")
    page.locator(".panel").get_by_role("link", name="Close").click()
    expect(page.locator(".ranking a").first).to_contain_text("join")


def test_hundreds_of_operators_are_shown_by_their_lines(visit: Visit) -> None:
    with Fake(500).opened() as fake:
        page = visit(fake.address)
        count = len(fake.run.nodes)
        assert count > 480
        expect(page.locator(".card")).to_have_count(14)
        page.locator(".card", has_text=re.compile("join .")).click()
        expect(page.locator(".panel h2")).to_have_text(re.compile(r"^join . \d+$"))
        page.locator(".panel .ranking a").first.click()
        expect(page.locator(".panel h2")).to_have_text("join")
        page.get_by_role("button", name="Operators", exact=True).click()
        expect(page.locator(".card")).to_have_count(count)
        expect(page.locator(".card.chosen")).to_have_count(1)
        expect(page.locator(".card.chosen")).to_be_in_viewport()


def test_what_a_run_says_is_text(fake: Fake, visit: Visit) -> None:
    page = visit(f"{fake.address}#/errors")
    fake.run.error(4, "<img src=x onerror=alert(1)>")
    fake.run.reject(1, "<script>alert(1)</script>", "<b>no</b>")
    expect(page.get_by_text("<img src=x onerror=alert(1)>")).to_be_visible()
    expect(page.get_by_text("<script>alert(1)</script>")).to_be_visible()
    assert page.locator("main img, main script").count() == 0


def test_a_source_whose_length_is_known_has_a_bar(fake: Fake, visit: Visit) -> None:
    page = visit(f"{fake.address}#/connectors")
    state = row(page, "flights.py:14").locator("[data-title='State']")
    expect(state).to_have_text("reading")
    fake.run.lengths[1] = (519_000_000, 1_234_000_000, "bytes")
    expect(state).to_have_text("reading 42 %")
    bar = state.get_by_role("progressbar", name="read of flights")
    expect(bar).to_have_js_property("position", 519 / 1234)
    expect(state.get_by_title("519 MB of 1.2 GB")).to_be_visible()
    fake.run.lengths[1] = (1_233_999_999, 1_234_000_000, "bytes")
    expect(state).to_have_text("reading 99 %")
    fake.run.stop_source(1)
    expect(state).to_have_text("finished")
    fake.run.stopped.clear()
    fake.run.lengths[1] = (12_500, 40_000, "rows")
    expect(state).to_have_text("reading 31 %")
    page.goto(f"{fake.address}#/pipeline/1")
    expect(fact(page, "Read")).to_have_text("12,500 of 40,000 rows")


def test_charts(fake: Fake, visit: Visit) -> None:
    page = visit(f"{fake.address}#/charts")
    charts = page.locator(".chart")
    expect(charts).to_have_count(4)
    for place in range(4):
        expect(charts.nth(place).locator("path.line").first).to_have_attribute("d", re.compile(r"M.*L"))
    line = charts.nth(1).locator("path.line")
    # For a minute nothing was known: the line of an hour has pieces.
    page.get_by_role("button", name="1 h").click()
    expect(line).to_have_attribute("d", re.compile(r"M.*M"))
    charts.first.locator("svg").hover()
    expect(charts.nth(3).locator("time")).to_have_text(re.compile(r"\d\d:\d\d:\d\d"))


def test_the_log(fake: Fake, visit: Visit) -> None:
    page = visit(f"{fake.address}#/log")
    lines = page.locator(".lines li:visible")
    expect(lines).to_have_count(1)
    fake.run.log("WARNING", "the disk is nearly full")
    for number in range(200):
        fake.run.log("INFO", f"line {number}")
    expect(page.get_by_text("line 199")).to_be_in_viewport()
    page.get_by_role("button", name="Warning").click()
    expect(lines).to_have_count(1)
    page.get_by_role("button", name="All").click()
    page.get_by_label("Lines with").fill("operator 3")
    expect(lines).to_have_count(1)
    page.get_by_label("Lines with").fill("")
    page.get_by_label("Follow").uncheck()
    page.locator(".lines").evaluate("lines => { lines.scrollTop = 0; }")
    fake.run.log("INFO", "one more")
    expect(page.get_by_text("one more")).to_be_attached()
    expect(page.get_by_text("one more")).not_to_be_in_viewport()


def test_a_run_that_does_not_answer_for_a_while(fake: Fake, visit: Visit) -> None:
    page = visit(f"{fake.address}#/pipeline/5")
    expect(page.locator(".panel h2")).to_have_text("join")
    fake.close()
    expect(page.locator(".notice")).to_contain_text("does not answer. What you see is from")
    expect(page.locator(".pill.away")).to_be_visible()
    fake.open()
    expect(page.locator(".notice")).to_be_hidden()
    expect(page.locator(".panel h2")).to_have_text("join")


def test_a_dataflow_that_is_not_built_yet(fake: Fake, visit: Visit) -> None:
    fake.run.built = False
    page = visit(fake.address)
    expect(page.get_by_text("The dataflow has not been built yet.")).to_be_visible()
    fake.run.built = True
    expect(page.locator(".card")).to_have_count(10)


def test_light_and_dark(fake: Fake, visit: Visit) -> None:
    page = visit(fake.address, color_scheme="dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(ground) == "rgb(15, 19, 26)"
    page.get_by_role("button", name="Theme: auto").click()
    assert page.evaluate(ground) == "rgb(244, 245, 247)"
    page.reload()
    expect(page.get_by_role("button", name="Theme: light")).to_be_visible()
    assert page.evaluate(ground) == "rgb(244, 245, 247)"
