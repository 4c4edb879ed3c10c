"""Benchmark jobs: every folder under `bench/jobs/` is one, found by itself.

A job folder holds `job.py`, which says what the job is, and one program for each engine that can do it:

* `on_pathway.py` runs under this project and, unchanged, under the original;
* `on_duckdb.py` and `on_polars.py` (optional) do the same work with those.

Each program has a function `run(inputs: Path, output: Path)` that writes `output/result.csv`; it may return
a dictionary of further figures. Importing the module is not part of the measured time, `run` is.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

JOBS = Path(__file__).resolve().parent.parent / "jobs"


@dataclass(frozen=True)
class Metric:
    """A figure that a program yields: `seconds` is measured by the harness, others come from `run`."""

    key: str
    label: str
    unit: str
    higher_is_better: bool = False


SECONDS = Metric("seconds", "time", "s")


@dataclass(frozen=True)
class Job:
    """What is run, on how much data, and how its results are compared."""

    name: str
    folder: Path
    title: str
    rows: int
    quick_rows: int
    generate: Callable[[Path, int], None]
    #: columns of `result.csv` with their DuckDB types, for the comparison
    result: dict[str, str]
    #: also run with two workers on two cores, to see how the job scales
    scales: bool = False
    metrics: tuple[Metric, ...] = (SECONDS,)
    order: int = 100
    #: bump when `generate` changes, so that old data is not used
    data_version: int = 1
    target: dict[str, str] = field(default_factory=dict)

    def program(self, engine: str) -> Path | None:
        """The program for this engine, if the job has one."""
        kind = "pathway" if engine in ("ours", "original") else engine
        path = self.folder / f"on_{kind}.py"
        return path if path.exists() else None


def load(folder: Path) -> Job:
    """Reads `job.py` of a job folder."""
    spec = importlib.util.spec_from_file_location(f"bench_job_{folder.name}", folder / "job.py")
    if spec is None or spec.loader is None:
        raise RuntimeError(f"{folder}/job.py cannot be loaded")
    module: ModuleType = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return Job(
        name=folder.name,
        folder=folder,
        title=module.TITLE,
        rows=module.ROWS,
        quick_rows=module.QUICK_ROWS,
        generate=module.generate,
        result=module.RESULT,
        scales=getattr(module, "SCALES", False),
        metrics=tuple(getattr(module, "METRICS", (SECONDS,))),
        order=getattr(module, "ORDER", 100),
        data_version=getattr(module, "DATA_VERSION", 1),
        target=getattr(module, "TARGET", {}),
    )


def all_jobs() -> list[Job]:
    """Every job, in the order of the table."""
    jobs = [load(path.parent) for path in sorted(JOBS.glob("*/job.py"))]
    return sorted(jobs, key=lambda job: (job.order, job.name))
