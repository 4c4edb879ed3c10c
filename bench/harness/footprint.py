"""Import time, size of the wheel, and size of an installation: what a user pays before the first row."""

from __future__ import annotations

import json
import statistics
import subprocess
import time
from pathlib import Path
from typing import Any

from .engines import ORIGINAL_VERSION, Engine, cache_dir, original_python

_SIZES = """
import importlib.metadata as metadata, json, os
sizes = {}
for distribution in metadata.distributions():
    name = distribution.metadata["Name"].lower()
    paths = {os.path.realpath(distribution.locate_file(file)) for file in distribution.files or ()}
    kept = [path for path in paths if os.path.isfile(path) and not path.endswith(".pyc")]
    sizes[name] = sum(os.path.getsize(path) for path in kept)
print(json.dumps(sum(size for name, size in sizes.items() if name not in ("pip", "setuptools"))))
"""


def import_seconds(engine: Engine, runs: int) -> float:
    """Median time of `import pathway` in a fresh process on one core, less that of an empty program."""

    def once(program: str) -> float:
        started = time.perf_counter()
        command = ["taskset", "-c", "0", str(engine.python), "-c", program]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
        return time.perf_counter() - started

    once("import pathway")
    pairs = [(once("import pathway"), once("pass")) for _ in range(max(runs, 5))]
    return statistics.median(full - empty for full, empty in pairs)


def installed_mb(engine: Engine) -> float:
    """Size of every package in the environment, without the installer and without compiled caches."""
    done = subprocess.run([engine.python, "-c", _SIZES], check=True, capture_output=True, text=True)
    return float(json.loads(done.stdout)) / 1e6


def original_wheel() -> Path:
    """The original's wheel, downloaded once for its size."""
    folder = cache_dir() / "wheels"
    found = list(folder.glob("pathway-*.whl"))
    if not found:
        command = [
            str(original_python()),
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--dest",
            str(folder),
        ]
        subprocess.run([*command, f"pathway=={ORIGINAL_VERSION}"], check=True, stdin=subprocess.DEVNULL)
        found = list(folder.glob("pathway-*.whl"))
    return found[0]


def measure(engines: dict[str, Engine], wheel: Path | None, runs: int) -> list[dict[str, Any]]:
    """Rows of the table for the engines that are Pathway."""
    names = [name for name in ("ours", "original") if name in engines]
    imports = {name: import_seconds(engines[name], runs) for name in names}
    installed = {name: installed_mb(engines[name]) for name in names}
    wheels = {}
    if "original" in names:
        wheels["original"] = original_wheel().stat().st_size / 1e6
    if "ours" in names and wheel is not None:
        wheels["ours"] = wheel.stat().st_size / 1e6
    return [
        {"label": "import time", "unit": "s", "values": imports, "target": "<= 0.3 s"},
        {"label": "size of the wheel", "unit": "MB", "values": wheels, "target": "<= 60 MB"},
        {"label": "installed, with dependencies", "unit": "MB", "values": installed, "target": "<= 150 MB"},
    ]
