"""Views of tables in JupyterLab, looked at with a browser: what is there, follows a run, and is left of it.

Run by `make test-notebooks`, which installs JupyterLab, panel, playwright and Chromium.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from playwright.sync_api import Page, expect, sync_playwright

from services.runner import free_port

#: Milliseconds: a machine that is busy starts kernels and browsers slowly.
PATIENCE = 120_000

#: Resources are part of the page: there is no network.
START = """
import pathlib, time
import panel as pn
pn.extension("tabulator", inline=True)
import pathway as pw
"""
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


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    program = shutil.which("chromium")
    assert program is not None, "chromium is not installed: apt-get install chromium"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@contextlib.contextmanager
def lab(folder: Path) -> Iterator[str]:
    """JupyterLab over a folder: its address."""
    port = free_port()
    options = {
        "ip": "127.0.0.1",
        "port": port,
        "IdentityProvider.token": "",
        "ServerApp.password": "",
        "ServerApp.root_dir": folder,
        "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
        "LabApp.news_url": "",
    }
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    command += [f"--{name}={value}" for name, value in options.items()]
    with open(folder / "lab.log", "w") as log:
        server = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=folder)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(60)


@contextlib.contextmanager
def notebook(browser: Any, folder: Path, cells: list[str]) -> Iterator[Page]:
    """A notebook of these cells, open and not yet run."""
    cells = [cell.strip() for cell in cells]
    forms: Any = nbformat.v4
    content = forms.new_notebook(
        cells=[forms.new_code_cell(cell) for cell in cells],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    (folder / "views.ipynb").write_text(forms.writes(content))
    with lab(folder) as address:
        page = browser.new_page(viewport={"width": 1200, "height": 1600})
        page.set_default_timeout(PATIENCE)
        for _ in range(600):
            with contextlib.suppress(Exception):
                page.goto(f"{address}/lab/tree/views.ipynb", wait_until="domcontentloaded")
                break
            page.wait_for_timeout(200)
        page.wait_for_selector(".jp-Notebook .jp-Cell")
        page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status=idle]", state="attached")
        yield page
        page.close()


def wait_for_kernel(page: Page) -> None:
    """Selects the first cell when cells can be run: before that they are passed over without a word."""
    expect(page.get_by_text("| Idle")).to_be_visible(timeout=PATIENCE)
    first = page.locator(".jp-Notebook .jp-Cell").first
    prompt = first.locator(".jp-InputPrompt")
    for _ in range(60):
        first.click()
        page.keyboard.press("Control+Enter")
        with contextlib.suppress(AssertionError):
            expect(prompt).not_to_have_text("[ ]:", timeout=PATIENCE / 60)
            break
    expect(prompt).to_have_text("[1]:", timeout=PATIENCE)


def run_cells(page: Page, count: int) -> None:
    """Runs the first cells, one after another, and selects the next one."""
    wait_for_kernel(page)
    for number in range(2, count + 2):
        page.keyboard.press("Shift+Enter")
        prompt = page.locator(".jp-InputPrompt", has_text=f"[{number}]:")
        expect(prompt).to_be_visible(timeout=PATIENCE)


def expect_cell(page: Page, text: str) -> None:
    expect(page.locator(".tabulator-cell", has_text=text).first).to_be_visible(timeout=PATIENCE)


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
