"""The page with the plan of a run, in a browser: of one that is not there, and of `flights.py`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from dashboard.fake import Fake
from dashboard.real import Real, place, started

Visit = Callable[..., Page]

DRAWING = """<svg xmlns="http://www.w3.org/2000/svg" width="220" height="80" viewBox="0 0 220 80">
<rect class="ground" width="100%" height="100%" fill="#fff"/>
<g id="{id}"><title>filter #{id}\nwhere: (delay &gt; 0)\nline: a.py:1: f(&quot;: &quot;)\nreads: #1</title>
<rect class="step" x="12" y="12" width="190" height="50" rx="4" fill="#e9f0fa"/>
<text x="20" y="32" xml:space="preserve" font-weight="bold">filter #{id} &lt;b&gt;</text>
<script>alert(1)</script><a href="http://evil.example"><text>no</text></a></g>
<foreignObject><body xmlns="http://www.w3.org/1999/xhtml"><img src="x"/></body></foreignObject>
</svg>
"""


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    with started(tmp_path_factory.mktemp("real")) as run:
        run.flights("AA,12,150", "UA,7,100")
        yield run


def test_a_plan_that_is_not_known_yet_and_what_is_taken_of_it(fake: Fake, visit: Visit) -> None:
    page = visit(f"{fake.address}#/plan")
    expect(page.get_by_text("The plan is not known yet.")).to_be_visible()
    fake.run.plans = {("svg", "after"): DRAWING.format(id=3), ("svg", "before"): DRAWING.format(id=5)}
    expect(page.locator(".node")).to_have_count(1)
    expect(page.get_by_text("The plan is not known yet.")).to_be_hidden()
    expect(page.locator(".node")).to_have_text("filter #3 <b>")
    assert page.locator("main :is(script, a, img, foreignObject)").count() == 0
    page.locator(".node").click()
    expect(page.locator(".panel h2")).to_have_text("filter #3")
    expect(page.locator(".panel dd")).to_have_text(["(delay > 0)", 'a.py:1: f(": ")', "#1"])
    page.get_by_role("button", name="Before rewriting").click()
    expect(page.locator(".node")).to_have_text("filter #5 <b>")
    expect(page.locator(".panel h2")).to_be_hidden()
    page.locator(".node").click()
    page.get_by_role("link", name="In the pipeline").click()
    expect(page.locator(".panel h2")).to_have_text("join")


def test_a_run_that_does_not_answer_keeps_its_plan(fake: Fake, visit: Visit) -> None:
    fake.run.plans = {("svg", "after"): DRAWING.format(id=3)}
    page = visit(f"{fake.address}#/plan")
    expect(page.locator(".node")).to_have_count(1)
    fake.close()
    page.get_by_role("button", name="Refresh").click()
    expect(page.get_by_text("only a run that goes on tells its plan")).to_be_visible()
    expect(page.locator(".node")).to_be_visible()
    fake.open()


def test_the_plan_before_and_after_rewriting(real: Real, visit: Visit) -> None:
    page = visit(f"{real.address}#/plan")
    join = page.locator(".node", has=page.get_by_text(re.compile(r"^join s\d")))
    expect(join).to_contain_text(place("named ="))
    expect(join).to_contain_text(re.compile(r"\d+ in, \+\d+ -\d+ out"))
    join.click()
    panel = page.locator(".panel dl")
    for word in ["columns", "rows", "counted", "made of", "line", "reads"]:
        expect(panel.get_by_text(word, exact=True).first).to_be_visible()
    expect(panel).to_contain_text("late.carrier == airlines.code")
    counted = panel.locator("div").filter(has=page.get_by_text("counted", exact=True)).locator("dd")
    before = counted.inner_text()
    page.get_by_role("button", name="Refresh").click()
    expect(counted).not_to_have_text(before)
    expect(join).to_have_class(re.compile("chosen"))
    page.get_by_role("button", name="Before rewriting").click()
    join = page.locator(".node", has=page.get_by_text(re.compile(r"^join #\d")))
    join.click()
    expect(panel.get_by_text("ids", exact=True)).to_be_visible()
    expect(panel).to_contain_text(re.compile(r"\[u\d+\]"))
    expect(page.locator(".node", has_text=re.compile(r" s\d"))).to_have_count(0)
    page.get_by_role("link", name="In the pipeline").click()
    expect(page.locator(".panel h2")).to_have_text("join")


def test_it_is_zoomed_and_used_with_the_keyboard(real: Real, visit: Visit) -> None:
    page = visit(f"{real.address}#/plan")
    expect(page.locator(".node").nth(3)).to_be_attached()
    content = page.locator("svg.graph > g")
    before = content.get_attribute("transform")
    page.get_by_role("button", name="Zoom in").click()
    assert content.get_attribute("transform") != before
    page.get_by_role("button", name="Fit all").click()
    assert content.get_attribute("transform") == before
    page.locator("svg.graph").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".panel h2")).to_have_text(re.compile(r" s\d"))
    expect(page.locator(".node:focus")).to_be_in_viewport()
    page.keyboard.press("Escape")
    expect(page.locator(".panel h2")).to_be_hidden()


def test_its_colours_are_those_of_the_page(real: Real, visit: Visit) -> None:
    fill = "getComputedStyle(document.querySelector('.node rect.step')).fill"
    ink = "getComputedStyle(document.querySelector('.node text')).fill"
    for scheme, ground, letters in [
        ("light", "rgb(255, 255, 255)", "rgb(26, 33, 48)"),
        ("dark", "rgb(24, 30, 39)", "rgb(229, 233, 240)"),
    ]:
        page = visit(f"{real.address}#/plan", color_scheme=scheme)
        expect(page.locator(".node rect.step").first).to_be_attached()
        assert (page.evaluate(fill), page.evaluate(ink)) == (ground, letters)


def test_the_text_is_copied(real: Real, visit: Visit) -> None:
    page = visit(f"{real.address}#/plan")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Text", exact=True).click()
    text = page.get_by_label("The plan as text")
    expect(text).to_contain_text("Before rewriting: ")
    expect(text).to_contain_text("After rewriting: ")
    expect(text).to_contain_text(re.compile(r"counted +\d+ in"))
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == text.evaluate("element => element.textContent")


def test_a_plan_needs_the_token(tmp_path: Path, visit: Visit) -> None:
    with started(tmp_path, PATHWAY_MONITORING_HTTP_TOKEN="open sesame") as run:
        page = visit(f"{run.address}?token=open%20sesame#/plan")
        expect(page.locator(".node").nth(3)).to_be_attached()
