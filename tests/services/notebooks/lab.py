"""Notebooks in JupyterLab, looked at with a browser."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from playwright.sync_api import Page, expect

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
