"""Where operators are drawn: no card is on another one, and groups are around what belongs to them only."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page

from dashboard.fake import Fake

SCRIPT = Path(__file__).with_name("layouts.js")


def test_random_plans(fake: Fake, visit: Callable[..., Page]) -> None:
    page = visit(fake.address)
    assert page.evaluate(f"(async () => {{ {SCRIPT.read_text()} }})()") == []
