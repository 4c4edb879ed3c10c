"""What goes on in the background of a notebook, looked at with a browser: live tables, runs, interrupts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from services.notebooks.lab import PATIENCE, START, expect_cell, notebook, run_cells

#: Sends one row, others as files come, and never ends.
SUBJECT = """
import warnings
warnings.filterwarnings("ignore", "live tables are an experimental feature")
class Rows(pw.Schema):
    k: int
    v: int
class Subject(pw.io.python.ConnectorSubject):
    def run(self):
        self.next(k=1, v=100)
        self.commit()
        for name, v in (("first", 777), ("second", 888)):
            while not pathlib.Path(name).exists():
                time.sleep(0.05)
            self.next(k=1, v=v)
            self.commit()
        while True:
            time.sleep(0.05)
sent = pw.io.python.read(Subject(), schema=Rows, autocommit_duration_ms=20)
greatest = sent.groupby(sent.k).reduce(sent.k, v=pw.reducers.max(sent.v))
"""


def expect_output(page: Page, text: str) -> None:
    """A cell has printed this line, or shows it as its value."""
    line = page.locator(".jp-OutputArea-output pre", has_text=text).first
    expect(line).to_be_visible(timeout=PATIENCE)


def run_next(page: Page, number: int) -> None:
    """Runs the selected cell until it has this number."""
    page.keyboard.press("Shift+Enter")
    expect(page.locator(".jp-InputPrompt", has_text=f"[{number}]:")).to_be_visible(timeout=PATIENCE)


def test_a_live_table_updates_in_place(browser: Any, tmp_path: Path) -> None:
    """Its view changes while no cell runs; then it is stopped, and the notebook goes on."""
    cells = [
        START,
        SUBJECT,
        "live = greatest.live()",
        "live",
        "print(live.stop(), 'it has stopped'.upper(), [v for _, v in live.snapshot().data])",
    ]
    with notebook(browser, tmp_path, cells) as page:
        run_cells(page, 4)
        expect(page.get_by_text("Live table: k: int, v: int")).to_be_visible(timeout=PATIENCE)
        expect_cell(page, "100")
        (tmp_path / "first").touch()
        expect_cell(page, "777")
        expect(page.locator(".tabulator-cell", has_text="100")).to_have_count(0, timeout=PATIENCE)
        (tmp_path / "second").touch()
        expect_cell(page, "888")
        expect(page.locator(".tabulator")).to_have_count(1, timeout=PATIENCE)
        run_next(page, 5)
        expect_output(page, "True IT HAS STOPPED [[1, 888]]")


def test_columns_types_and_rows_without_panel(browser: Any, tmp_path: Path) -> None:
    cells = [
        "import sys, pathlib, time\nsys.modules['panel'] = None\nimport pathway as pw",
        SUBJECT,
        "pw.debug.table_from_rows(pw.schema_from_types(name=str, size=float), [('alpha', 1.5)])",
        "greatest",
        "live = greatest.live()\nwhile not live.snapshot().data: time.sleep(0.01)\nlive",
    ]
    with notebook(browser, tmp_path, cells) as page:
        run_cells(page, 5)
        tables = page.locator(".jp-OutputArea-output table")
        expect(tables).to_have_count(3, timeout=PATIENCE)
        expect(tables.nth(0)).to_contain_text("1 row")
        for text in ("name", "str", "size", "float", "alpha", "1.5"):
            expect(tables.nth(0)).to_contain_text(text)
        expect(tables.nth(1)).to_contain_text("pw.run(), or table.live()")
        for text in ("snapshot at time", "1 row", "100"):
            expect(tables.nth(2)).to_contain_text(text)


def test_an_interrupted_run_can_be_run_again(browser: Any, tmp_path: Path) -> None:
    cells = [
        START,
        SUBJECT,
        "def show(key, row, time, is_addition):\n    print(row, is_addition)\n"
        "pw.io.subscribe(greatest, show)",
        "pw.run(monitoring_level=pw.MonitoringLevel.NONE)",
        "print('the notebook goes on'.upper())",
        "run = pw.run_in_background(monitoring_level=pw.MonitoringLevel.NONE)\nrun",
        "print(run.stop(), run)",
    ]
    with notebook(browser, tmp_path, cells) as page:
        run_cells(page, 3)
        page.keyboard.press("Shift+Enter")
        expect_output(page, "{'k': 1, 'v': 100} True")
        (tmp_path / "first").touch()
        expect_output(page, "{'k': 1, 'v': 777} True")
        page.click("text=Kernel >> nth=0")
        page.click("text=Interrupt Kernel >> nth=0")
        expect_output(page, "KeyboardInterrupt")
        page.locator(".jp-Notebook .jp-Cell").nth(4).click()
        run_next(page, 5)
        expect_output(page, "THE NOTEBOOK GOES ON")
        page.locator(".jp-Notebook .jp-Cell").nth(5).click()
        run_next(page, 6)
        expect_output(page, "<pathway.BackgroundRun: the run in the background goes on>")
        # What it prints from its threads comes below the cell that has begun it.
        (tmp_path / "second").touch()
        below = page.locator(".jp-Notebook .jp-Cell").nth(5)
        expect(below).to_contain_text("{'k': 1, 'v': 888} True", timeout=PATIENCE)
        page.locator(".jp-Notebook .jp-Cell").nth(6).click()
        run_next(page, 7)
        expect_output(page, "True <pathway.BackgroundRun: the run in the background was stopped>")
