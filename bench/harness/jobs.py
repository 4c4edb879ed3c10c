"""Benchmark jobs: every folder under `bench/jobs/` is one, found by itself.

Those under `bench/services/` are jobs, too, which need a service.

A job folder holds `job.py`, which says what the job is, and one program for each engine that can do it:

* `on_pathway.py` runs under this project and, unchanged, under the original;
* `on_duckdb.py` and `on_polars.py` (optional) do the same work with those.

Each program has a function `run(inputs: Path, output: Path)` that writes `output/result.csv`; it may return
a dictionary of further figures. Importing the module is not part of the measured time, `run` is.

A job with a service names it (`SERVICE`, a folder of `tests/services`). Its programs find its port in the
variable `BENCH_PORT`. `job.py` may have `prepare(port, inputs)`, called before each run, and
`collect(port, output)`, called after it, which writes `result.csv` in place of the program; or
`figures(done)`, which does so, too, and gives further figures.

Jobs that have the programs of another one name its folder (`PROGRAMS`).
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

BENCH = Path(__file__).resolve().parent.parent
#: Where jobs are that need nothing, and those that need a service.
JOBS, SERVICES = BENCH / "jobs", BENCH / "services"


@dataclass(frozen=True)
class Metric:
    """A figure that a program yields: `seconds` is measured by the harness, others come from `run`."""

    key: str
    label: str
    unit: str
    higher_is_better: bool = False


SECONDS = Metric("seconds", "time", "s")


@dataclass(frozen=True)
class Done:
    """A run of a job with a service that has ended."""

    engine: str
    port: int
    inputs: Path
    output: Path
    #: what the program has measured
    figures: dict[str, float]


@dataclass(frozen=True)
class Job:
    """What is run, on how much data, and how its results are compared."""

    name: str
    folder: Path
    title: str
    #: how many; 0 if that is found out while it runs
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
    #: what it talks to: the name of a folder in `tests/services`
    service: str | None = None
    prepare: Callable[[int, Path], None] | None = None
    collect: Callable[[int, Path], None] | None = None
    figures: Callable[[Done], dict[str, float]] | None = None
    #: the folder of the programs, if it is that of another job
    programs: Path | None = None
    #: engines that cannot do it although there is a program
    without: tuple[str, ...] = ()

    def program(self, engine: str) -> Path | None:
        """The program for this engine, if the job has one."""
        kind = "pathway" if engine in ("ours", "original") else engine
        path = (self.programs or self.folder) / f"on_{kind}.py"
        return path if path.exists() and engine not in self.without else None

    def load_program(self, engine: str) -> ModuleType:
        """The program for this engine, loaded here: for tests."""
        path = self.program(engine)
        if path is None:
            raise LookupError(f"{self.name} has no program for {engine}")
        return _module(f"bench_program_{self.name}", path)


def _module(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise RuntimeError(f"{path} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def load(folder: Path) -> Job:
    """Reads `job.py` of a job folder."""
    module = _module(f"bench_job_{folder.name}", folder / "job.py")
    programs = getattr(module, "PROGRAMS", None)
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
        service=getattr(module, "SERVICE", None),
        prepare=getattr(module, "prepare", None),
        collect=getattr(module, "collect", None),
        figures=getattr(module, "figures", None),
        programs=folder.parent / programs if programs else None,
        without=tuple(getattr(module, "WITHOUT", ())),
    )


def all_jobs(folder: Path = JOBS) -> list[Job]:
    """Every job of a folder, in the order of the table."""
    jobs = [load(path.parent) for path in sorted(folder.glob("*/job.py"))]
    return sorted(jobs, key=lambda job: (job.order, job.name))
