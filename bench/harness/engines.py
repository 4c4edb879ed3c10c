"""The engines that are compared, each in an environment of its own that is set up on first use.

* `ours`: the wheel of this project, built in release mode, with its base dependencies only;
* `original`: `pathway==0.33.0` from PyPI;
* `duckdb`, `polars`: their newest releases, for the jobs that are batch jobs.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ORIGINAL_VERSION = "0.33.0"
ENGINES = ("ours", "original", "duckdb", "polars")


def cache_dir() -> Path:
    """Where environments and generated data live, outside the repository."""
    root = os.environ.get("PATHWAY_BENCH_CACHE")
    return Path(root) if root else Path.home() / ".cache" / "pathway-bench"


@dataclass(frozen=True)
class Engine:
    """An engine that is ready to run."""

    name: str
    python: Path
    version: str

    def environment(self, threads: int) -> dict[str, str]:
        """Variables that make this engine use `threads` threads."""
        return {
            "PATHWAY_THREADS": str(threads),
            "PATHWAY_SKIP_START_LOG": "1",
            "POLARS_MAX_THREADS": str(threads),
            "BENCH_THREADS": str(threads),
            "PYTHONDONTWRITEBYTECODE": "",
        }


def _run(*command: str | Path) -> None:
    subprocess.run([str(part) for part in command], check=True, stdin=subprocess.DEVNULL)


def _venv(folder: Path, requirements: list[str], stamp: str) -> Path:
    """Creates the environment unless its stamp says that it is there already."""
    python = folder / "bin" / "python"
    ready = folder / ".ready"
    if ready.exists() and ready.read_text() == stamp and python.exists():
        return python
    print(f"setting up {folder}", file=sys.stderr, flush=True)
    _run(sys.executable, "-m", "venv", "--clear", folder)
    _run(python, "-m", "pip", "install", "--quiet", *requirements)
    ready.write_text(stamp)
    return python


def version_of(python: Path, package: str) -> str:
    """Version of an installed package in another environment."""
    code = "import importlib.metadata, sys; print(importlib.metadata.version(sys.argv[1]))"
    done = subprocess.run([python, "-c", code, package], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def peers_python() -> Path:
    """The environment of DuckDB and Polars, with a driver for databases; DuckDB also compares results."""
    requirements = ["duckdb", "polars", "pyarrow", "adbc-driver-postgresql"]
    return _venv(cache_dir() / "peers", requirements, "duckdb polars adbc 1")


def original_python() -> Path:
    """The environment of the original. `BENCH_ORIGINAL_PYTHON` names one that exists already."""
    given = os.environ.get("BENCH_ORIGINAL_PYTHON")
    if given:
        return Path(given)
    requirement = f"pathway=={ORIGINAL_VERSION}"
    return _venv(cache_dir() / "original", [requirement], requirement)


def our_python(wheel: Path | None) -> Path:
    """An environment with our wheel and what it needs alone. `BENCH_OURS_PYTHON` names another one."""
    given = os.environ.get("BENCH_OURS_PYTHON")
    if given:
        return Path(given)
    if wheel is None:
        raise FileNotFoundError("there is no wheel of ours")
    details = wheel.stat()
    return _venv(cache_dir() / "ours", [str(wheel)], f"{wheel} {details.st_mtime_ns} {details.st_size}")


def set_up(names: list[str], wheel: Path | None) -> dict[str, Engine]:
    """The engines asked for; ours is left out when there is no wheel."""
    engines: dict[str, Engine] = {}
    for name in names:
        if name == "ours":
            python, package = our_python(wheel), "pathway"
        elif name == "original":
            python, package = original_python(), "pathway"
        else:
            python, package = peers_python(), name
        engines[name] = Engine(name, python, version_of(python, package))
    return engines
