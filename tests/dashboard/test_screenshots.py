"""Pictures of all pages, light and dark, wide and narrow, for people; nothing may stick out of a page.

They are in the folder that `PATHWAY_SCREENSHOTS` names, else where pytest keeps the files of tests.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from dashboard.fake import Fake
from dashboard.real import Real, started

#: A page, and what is there when it has been drawn.
PAGES = {
    "pipeline": ".ranking li >> nth=0",
    "pipeline-operator": ".panel .charts figure:first-child path.line[d*=L]",
    "plan": ".node >> nth=8",
    "charts": ".chart path.line[d*=L] >> nth=4",
    "connectors": "tbody tr >> nth=3",
    "errors": "tbody tr >> nth=2",
    "log": ".lines li >> nth=3",
}


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    with started(tmp_path_factory.mktemp("real")) as run:
        run.flights("AA,12,150", "UA,7,0", "WN,9,0", "DL,45")
        yield run


def pictures(
    page: Page, address: str, kind: str, operator: int, folder: Path, pages: dict[str, str] = PAGES
) -> None:
    width = page.viewport_size["width"] if page.viewport_size else 0
    theme = "dark" if page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") else "light"
    for name, sign in pages.items():
        page.goto(f"{address}#/{name.replace('-operator', f'/{operator}')}")
        expect(page.locator(sign)).to_be_attached()
        expect(page.locator('[data-vital="in"]')).to_have_text(re.compile(r"\d"))
        page.screenshot(path=folder / f"{name}-{kind}-{theme}-{width}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        if width > 800:
            assert page.evaluate("document.documentElement.scrollHeight") <= 860, name


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(os.environ.get("PATHWAY_SCREENSHOTS", tmp_path))


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pictures(real: Real, visit: Callable[..., Page], folder: Path, theme: str, width: int) -> None:
    page = visit(real.address, viewport={"width": width, "height": 860}, color_scheme=theme)
    join = page.locator(".card", has=page.get_by_text("join", exact=True))
    number = int((join.get_attribute("id") or "").removeprefix("operator-"))
    pictures(page, real.address, "real", number, folder)


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pictures_of_hundreds_of_operators(
    visit: Callable[..., Page], folder: Path, theme: str, width: int
) -> None:
    with Fake(500).opened() as fake:
        fake.run.error(4, "division by zero")
        fake.run.error(4, "division by zero")
        fake.run.lengths[1] = (519_000_000, 1_234_000_000, "bytes")
        fake.run.reject(1, "EWR,2013-01-01,abc,UA,1545", "parse error: cannot parse 'abc' as int")
        page = visit(fake.address, viewport={"width": width, "height": 860}, color_scheme=theme)
        pages = {name: sign for name, sign in PAGES.items() if name != "plan"}
        pictures(page, fake.address, "500", 5, folder, pages)


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pictures_of_a_moment(visit: Callable[..., Page], folder: Path, theme: str, width: int) -> None:
    with Fake(recorded=True).opened() as fake:
        fake.run.end()
        page = visit(fake.address, viewport={"width": width, "height": 860}, color_scheme=theme)
        slider = page.get_by_role("slider", name="Moment")
        slider.focus()
        for key in ("Home", *["PageUp"] * 20):
            page.keyboard.press(key)
        expect(page.locator(".timeline .hint")).to_have_text("20 min 00 s after the start")
        pages = {name: sign for name, sign in PAGES.items() if name not in ("plan", "errors", "log")}
        pictures(page, fake.address, "recorded", 5, folder, pages)
