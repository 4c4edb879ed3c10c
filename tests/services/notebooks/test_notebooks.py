"""Views of tables in JupyterLab, looked at with a browser: what is there, follows a run, and is left of it.

Run by `make test-notebooks`, which installs JupyterLab, panel, playwright and Chromium.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import expect

from services.notebooks.lab import PATIENCE, START, expect_cell, notebook, run_cells, wait_for_kernel

STATIC = """
t = pw.debug.table_from_markdown('''
  | name  | v
1 | alpha | 1
2 | beta  | 3
''')
t
"""
LIVE = """
class Rows(pw.Schema):
    k: int
    v: int
class Subject(pw.io.python.ConnectorSubject):
    def run(self):
        self.next(k=1, v=100)
        self.next(k=2, v=200)
        self.commit()
        while not pathlib.Path("go").exists():
            time.sleep(0.05)
        self.next(k=1, v=777)
sent = pw.io.python.read(Subject(), schema=Rows)
live = sent.groupby(sent.k).reduce(sent.k, v=pw.reducers.max(sent.v))
live.show(include_id=False)
"""
PLOT = """
import bokeh.plotting
def figure(source):
    plot = bokeh.plotting.figure(height=200, width=300, title="values by k")
    plot.line("k", "v", source=source)
    return plot
live.plot(figure, sorting_col="k")
"""
RUN = "pw.run(monitoring_level=pw.MonitoringLevel.NONE)\nprint('the run is over'.upper())"


def test_a_view_follows_the_run(browser: Any, tmp_path: Path) -> None:
    with notebook(browser, tmp_path, [START, STATIC, LIVE, PLOT, RUN]) as page:
        run_cells(page, 4)
        for text in ("alpha", "beta", "^YYY4HAB..."):
            expect_cell(page, text)
        expect(page.locator(".tabulator")).to_have_count(2, timeout=PATIENCE)
        expect(page.locator(".bk-Figure")).to_have_count(1, timeout=PATIENCE)
        page.keyboard.press("Shift+Enter")
        for text in ("100", "200"):
            expect_cell(page, text)
        (tmp_path / "go").touch()
        expect_cell(page, "777")
        expect(page.locator(".tabulator-cell", has_text="100")).to_have_count(0, timeout=PATIENCE)


def test_cells_that_are_run_all_at_once(browser: Any, tmp_path: Path) -> None:
    """The notebook hears of its views when the run is over; what is left is shown then."""
    (tmp_path / "go").touch()
    with notebook(browser, tmp_path, [START, LIVE, RUN]) as page:
        wait_for_kernel(page)
        page.click("text=Run >> nth=0")
        page.click("text=Run All Cells >> nth=0")
        expect(page.get_by_text("THE RUN IS OVER")).to_be_visible(timeout=PATIENCE)
        expect_cell(page, "777")
