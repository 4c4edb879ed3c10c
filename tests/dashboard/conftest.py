"""A browser for the tests of the dashboard."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from dashboard.fake import Fake

#: Milliseconds: a machine that is busy starts browsers slowly.
PATIENCE = 60_000


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    program = shutil.which("chromium")
    assert program is not None, "chromium is not installed: apt-get install chromium"
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def fake() -> Iterator[Fake]:
    """A run of ten operators."""
    with Fake().opened() as server:
        yield server


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[..., Page]]:
    """Opens pages; none of them may have broken scripts or be refused something by its policy."""
    pages: list[Page] = []
    troubles: list[str] = []

    def told(message: Any) -> None:
        # A server that is not there, or that wants a token, is told of by the browser itself.
        if message.type == "error" and "Failed to load resource" not in message.text:
            troubles.append(message.text)

    def open_page(address: str, **options: Any) -> Page:
        page: Page = browser.new_page(**{"viewport": {"width": 1280, "height": 860}, **options})
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", told)
        pages.append(page)
        page.goto(address)
        return page

    yield open_page
    for page in pages:
        page.close()
    assert troubles == []
