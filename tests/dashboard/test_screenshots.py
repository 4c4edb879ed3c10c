"""Pictures of all pages, light and dark, wide and narrow, for people; nothing may stick out of a page.

They are in the folder that `PATHWAY_SCREENSHOTS` names, else where pytest keeps the files of tests.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from dashboard.fake import Fake

#: A page, and what is there when it has been drawn.
PAGES = {
    "pipeline": ".ranking li >> nth=0",
    "pipeline/5": ".panel .charts figure:first-child path.line[d*=L]",
    "charts": ".chart path.line[d*=L] >> nth=4",
    "connectors": "tbody tr >> nth=3",
    "errors": "tbody tr >> nth=2",
    "log": ".lines li >> nth=3",
}


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("operators", [10, 500])
def test_pictures(visit: Callable[..., Page], tmp_path: Path, operators: int, theme: str, width: int) -> None:
    folder = Path(os.environ.get("PATHWAY_SCREENSHOTS", tmp_path))
    with Fake(operators).opened() as fake:
        fake.run.error(4, "division by zero")
        fake.run.error(4, "division by zero")
        fake.run.reject(
            1, "EWR,2013-01-01,abc,UA,1545", "parse error: cannot parse 'abc' as int in column delay"
        )
        page = visit(fake.address, viewport={"width": width, "height": 860}, color_scheme=theme)
        for name, sign in PAGES.items():
            page.goto(f"{fake.address}#/{name}")
            expect(page.locator(sign)).to_be_attached()
            expect(page.locator('[data-vital="in"]')).to_have_text(re.compile(r"\d"))
            file = f"{name.replace('/', '-')}-{operators}-{theme}-{width}.png"
            page.screenshot(path=folder / file, full_page=True)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name
            if width > 800:
                assert page.evaluate("document.documentElement.scrollHeight") <= 860, name
