"""From samples to one table, on the terminal and as JSON and Markdown under `bench/results/`."""

from __future__ import annotations

import json
import statistics
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .engines import Engine
from .jobs import SECONDS, Job, Metric
from .measure import Sample

#: one engine with a number of threads, such as `("ours", 2)`
Variant = tuple[str, int]
Samples = dict[Variant, list[Sample]]

#: above this share of the machine in use by others, a figure is marked
NOISY = 0.10


def label(variant: Variant) -> str:
    """How a variant is called: the number of threads only if it is not one."""
    name, threads = variant
    return name if threads == 1 else f"{name} x{threads}"


def median(samples: list[Sample], metric: Metric) -> float:
    """Median of one figure over the runs of a variant."""
    return statistics.median(sample.figures[metric.key] for sample in samples)


def peak(samples: list[Sample]) -> float:
    """Median peak memory in MB."""
    return statistics.median(sample.peak_mb for sample in samples)


def number(value: float | None, unit: str = "") -> str:
    """Three significant digits, thousands separated; a dash for nothing."""
    if value is None:
        return "-"
    text = f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    return f"{text} {unit}".rstrip()


def _ratio(text: float | None) -> str:
    return "-" if text is None else f"{text:.2f}x" if text < 10 else f"{text:.1f}x"


class Table:
    """Rows of text with a header."""

    HEADER = (
        "job", "rows", "ours", "original", "ours is faster", "DuckDB", "ours / DuckDB",
        "Polars", "ours / Polars", "peak ours", "peak original", "ours / original", "2 workers", "results",
    )  # fmt: skip

    def __init__(self) -> None:
        self.rows: list[tuple[str, ...]] = []

    def add_job(self, job: Job, rows: int, samples: Samples, agreement: tuple[bool, str]) -> None:
        """One row for each figure of the job."""
        for metric in job.metrics:
            value = {name: median(runs, metric) for (name, threads), runs in samples.items() if threads == 1}
            peaks = {name: peak(runs) for (name, threads), runs in samples.items() if threads == 1}
            # What a service does is not told from what others do.
            alone = job.service is None
            noisy = alone and any(run.foreign_load > NOISY for runs in samples.values() for run in runs)
            ours, twice = value.get("ours"), samples.get(("ours", 2))
            gain = None
            if ours is not None and "original" in value:
                gain = ours / value["original"] if metric.higher_is_better else value["original"] / ours

            def over(engine: str, values: dict[str, float] = value, base: float | None = ours) -> str:
                return _ratio(base / values[engine] if base is not None and engine in values else None)

            memory = peaks["ours"] / peaks["original"] if "ours" in peaks and "original" in peaks else None
            speed_up = ours / median(twice, metric) if ours is not None and twice else None
            name = job.title if metric == SECONDS else f"{job.title}: {metric.label}"
            self.rows.append((
                ("~ " if noisy else "") + name,
                f"{rows:,}" if rows else "-",
                number(ours, metric.unit),
                number(value.get("original"), metric.unit),
                _ratio(gain),
                number(value.get("duckdb"), metric.unit),
                over("duckdb"),
                number(value.get("polars"), metric.unit),
                over("polars"),
                number(peaks.get("ours"), "MB"),
                number(peaks.get("original"), "MB"),
                _ratio(memory),
                _ratio(speed_up),
                "agree" if agreement[0] else "DIFFER",
            ))  # fmt: skip

    def add_footprint(self, entry: dict[str, Any]) -> None:
        """A row for import time or a size."""
        values, unit = entry["values"], entry["unit"]
        ours, original = values.get("ours"), values.get("original")
        gain = original / ours if ours and original else None
        cells = [entry["label"], "", number(ours, unit), number(original, unit), _ratio(gain)]
        self.rows.append(tuple(cells + ["-"] * (len(self.HEADER) - len(cells) - 1) + [entry["target"]]))

    def markdown(self) -> str:
        """The table with padded columns, readable as it is; columns without any value are left out."""
        used = [
            i for i in range(len(self.HEADER)) if i == 0 or any(row[i] not in ("", "-") for row in self.rows)
        ]
        table = [[row[i] for i in used] for row in [self.HEADER, *self.rows]]
        widths = [max(len(row[i]) for row in table) for i in range(len(used))]
        lines = [
            "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
            for row in table
        ]
        lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
        return "\n".join(lines)


def write(
    folder: Path,
    stem: str,
    machine: dict[str, str],
    engines: dict[str, Engine],
    settings: dict[str, Any],
    results: list[dict[str, Any]],
    footprint: list[dict[str, Any]],
    table: Table,
) -> Path:
    """Writes `<stem>.json` and `<stem>.md`; returns the path of the latter."""
    folder.mkdir(parents=True, exist_ok=True)
    versions = {engine.name: engine.version for engine in engines.values()}
    content = {
        "machine": machine,
        "versions": versions,
        "settings": settings,
        "jobs": results,
        "footprint": footprint,
    }
    (folder / f"{stem}.json").write_text(json.dumps(content, indent=1) + "\n")
    facts = "\n".join(f"* {key}: {value}" for key, value in {**machine, **versions}.items())
    text = (
        f"# Benchmark {stem}\n\n{facts}\n\n"
        f"Medians of {settings['runs']} interleaved runs, each a fresh process pinned to as many cores "
        "as it has threads; times without the import. `~`: other processes used the machine too.\n\n"
        f"{table.markdown()}\n"
    )
    path = folder / f"{stem}.md"
    path.write_text(text)
    return path


def plain(samples: Samples) -> dict[str, list[dict[str, Any]]]:
    """Samples as JSON."""
    return {label(variant): [asdict(sample) for sample in runs] for variant, runs in samples.items()}
