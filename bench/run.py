"""Runs the benchmarks and prints one table.

    python3 bench/run.py [--quick] [--job NAME]... [--runs N] [--engines ours,original,duckdb,polars]
                         [--threads N] [--wheel FILE] [--save STEM] [--list] [--services]

`make bench` builds the wheel and calls this; `make bench-services` does so for the jobs that need a
service. See bench/README.md.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from pathlib import Path

BENCH = Path(__file__).resolve().parent
sys.path.insert(0, str(BENCH))

from harness import compare, data, engines, footprint, jobs, machine, measure, report, services  # noqa: E402


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Benchmarks against the original, DuckDB and Polars.")
    parser.add_argument("--quick", action="store_true", help="small inputs: a check that everything works")
    parser.add_argument("--job", action="append", metavar="NAME", help="only this job (may be repeated)")
    parser.add_argument("--runs", type=int, default=3, help="runs of each program; medians are reported")
    parser.add_argument("--engines", default=",".join(engines.ENGINES), help="comma-separated")
    parser.add_argument("--threads", type=int, default=1, help="worker threads, and cores, of every engine")
    parser.add_argument(
        "--no-scaling", action="store_true", help="skip the runs with two workers on two cores"
    )
    parser.add_argument("--wheel", type=Path, help="our wheel; default: the newest in dist/")
    parser.add_argument("--limit", type=float, default=900, help="seconds that one process may take")
    parser.add_argument("--save", metavar="STEM", help="write bench/results/STEM.json and .md")
    parser.add_argument(
        "--services", action="store_true", help="the jobs of bench/services, which need a service"
    )
    parser.add_argument("--list", action="store_true", help="list the jobs and stop")
    return parser.parse_args()


def newest_wheel() -> Path | None:
    """The wheel that `make wheel` built last."""
    wheels = sorted((BENCH.parent / "dist").glob("pathway-*.whl"), key=lambda path: path.stat().st_mtime)
    return wheels[-1] if wheels else None


def chosen(names: list[str] | None, folder: Path) -> list[jobs.Job]:
    """The jobs asked for; `footprint` is not a job with rows and is handled apart."""
    everything = jobs.all_jobs(folder)
    if names is None:
        return everything
    known = {job.name: job for job in everything}
    unknown = [name for name in names if name not in known and name != "footprint"]
    if unknown:
        raise SystemExit(f"unknown job {unknown[0]!r}; there are: {', '.join([*known, 'footprint'])}")
    return [known[name] for name in names if name in known]


def variants_of(
    job: jobs.Job, ready: dict[str, engines.Engine], options: argparse.Namespace
) -> list[report.Variant]:
    """Which engines run the job, with how many threads."""
    variants = [(name, options.threads) for name in ready if job.program(name) is not None]
    two = job.scales and "ours" in ready and options.threads == 1 and len(measure.cores()) >= 2
    if two and not options.no_scaling:
        variants.append(("ours", 2))
    return variants


def run_job(
    job: jobs.Job,
    rows: int,
    ready: dict[str, engines.Engine],
    options: argparse.Namespace,
    port: int | None,
) -> tuple[report.Samples, dict[str, str], list[str]]:
    """Runs every variant `--runs` times, in turns; returns samples, digests of the results, and failures."""
    inputs = data.prepare(job, rows)
    samples: report.Samples = {}
    digests: dict[str, str] = {}
    failures: list[str] = []
    variants = variants_of(job, ready, options)
    for turn in range(options.runs):
        for variant in list(variants):
            name, threads = variant
            output = engines.cache_dir() / "out" / job.name / report.label(variant).replace(" ", "-")
            try:
                sample = measure.run_once(job, ready[name], threads, inputs, output, options.limit, port)
            except measure.ProgramFailed as failure:
                failures.append(f"{job.name}, {report.label(variant)}: {failure}")
                print(f"  {failures[-1]}", file=sys.stderr, flush=True)
                variants.remove(variant)
                continue
            samples.setdefault(variant, []).append(sample)
            if turn == 0:
                digests[report.label(variant)] = compare.digest(job, output, engines.peers_python())
            figures = ", ".join(f"{key} {value:,.2f}" for key, value in sample.figures.items())
            print(
                f"  {job.name} {report.label(variant)} run {turn + 1}: {figures}, "
                f"cpu {sample.cpu_seconds:.2f} s, peak {sample.peak_mb:.0f} MB, "
                f"others' load {sample.foreign_load:.0%}",
                file=sys.stderr,
                flush=True,
            )
    return samples, digests, failures


def main() -> int:
    options = arguments()
    selected = chosen(options.job, jobs.SERVICES if options.services else jobs.JOBS)
    if options.list:
        for job in selected:
            print(f"{job.name:20} {job.title} ({job.rows:,} rows)")
        return 0
    names = [name.strip() for name in options.engines.split(",") if name.strip()]
    unknown = [name for name in names if name not in engines.ENGINES]
    if unknown:
        raise SystemExit(f"unknown engine {unknown[0]!r}; there are: {', '.join(engines.ENGINES)}")
    wheel = options.wheel or newest_wheel()
    if "ours" in names and wheel is None and "BENCH_OURS_PYTHON" not in os.environ:
        raise SystemExit(
            "there is no wheel in dist/: run `make wheel` first, or leave out `ours` with --engines"
        )
    ready = engines.set_up(names, wheel)
    table, results, failures = report.Table(), [], []
    started = contextlib.ExitStack()
    ports = services.start({job.service for job in selected if job.service}, started)
    for job in selected:
        rows = job.quick_rows if options.quick else job.rows
        port = ports[job.service] if job.service else None
        samples, digests, failed = run_job(job, rows, ready, options, port)
        failures += failed
        agreement = compare.verdict(digests)
        if not agreement[0]:
            failures.append(f"{job.name}: {agreement[1]}")
        table.add_job(
            job,
            rows,
            {(name, 1 if n == options.threads else n): s for (name, n), s in samples.items()},
            agreement,
        )
        results.append(
            {
                "job": job.name,
                "rows": rows,
                "target": job.target,
                "agreement": agreement[1],
                "samples": report.plain(samples),
            }
        )
    started.close()
    sizes = []
    if "footprint" in (options.job or ([] if options.services else ["footprint"])):
        sizes = footprint.measure(ready, wheel, options.runs)
        for entry in sizes:
            table.add_footprint(entry)
    print(table.markdown())
    if options.save:
        settings = {"runs": options.runs, "quick": options.quick, "threads": options.threads}
        path = report.write(
            BENCH / "results", options.save, machine.describe(), ready, settings, results, sizes, table
        )
        print(f"\nwritten to {path}", file=sys.stderr)
    for failure in failures:
        print(f"\nFAILED {failure}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
