"""Deterministic input data, generated once and kept in the cache directory."""

from __future__ import annotations

import itertools
import random
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from .engines import cache_dir
from .jobs import Job


def prepare(job: Job, rows: int) -> Path:
    """The folder with the input of this job, generated if it is not there yet, and in the page cache."""
    folder = cache_dir() / "data" / f"{job.name}-{rows}-v{job.data_version}"
    ready = folder / ".ready"
    if not ready.exists():
        started = time.perf_counter()
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        job.generate(folder, rows)
        ready.touch()
        print(f"{job.name}: data for {rows:,} rows in {time.perf_counter() - started:.0f} s", file=sys.stderr)
    for path in folder.iterdir():
        with open(path, "rb") as file:
            while file.read(1 << 22):
                pass
    return folder


def vocabulary(size: int, seed: int = 7) -> list[str]:
    """Distinct lower-case words of 3 to 12 letters, the short ones first."""
    source = random.Random(seed)
    letters = "etaoinshrdlcumwfgypbvk"
    words: dict[str, None] = {}
    while len(words) < size:
        length = 3 + len(words) * 9 // size + source.randrange(2)
        words["".join(source.choices(letters, k=length))] = None
    return list(words)


def zipf_choices(items: list[str], count: int, seed: int, exponent: float = 1.0) -> Iterator[str]:
    """`count` items, the one at rank r drawn with a frequency proportional to 1 / r ** exponent."""
    source = random.Random(seed)
    weights = itertools.accumulate(1.0 / rank**exponent for rank in range(1, len(items) + 1))
    cumulative = list(weights)
    for start in range(0, count, 100_000):
        yield from source.choices(items, cum_weights=cumulative, k=min(100_000, count - start))


def readings(path: Path, rows: int, seed: int, sensors: int = 100) -> None:
    """A CSV file `sensor,t,value` of readings, ten a second, some of them up to a minute late."""
    source = random.Random(seed)
    with open(path, "w", encoding="utf-8") as file:
        file.write("sensor,t,value\n")
        for row in range(rows):
            bits = source.getrandbits(48)
            late = (bits >> 40) % 60 if bits & 7 == 0 else 0
            file.write(f"{(bits >> 3) % sensors},{row // 10 + 60 - late},{(bits >> 20) % 10_000}\n")
