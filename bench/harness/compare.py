"""Do the engines agree? A time means nothing if the result is wrong."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from .jobs import Job

DIGEST = Path(__file__).resolve().parent / "digest.py"


def digest(job: Job, output: Path, peers_python: Path) -> str:
    """Row count and digest of the result that a program left in `output`."""
    command = [str(peers_python), str(DIGEST), str(output / "result.csv"), json.dumps(job.result)]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        return f"unreadable: {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else 'no result'}"
    answer = json.loads(done.stdout)
    return f"{answer['rows']} rows, {answer['digest']}"


def verdict(digests: dict[str, str]) -> tuple[bool, str]:
    """True if all digests are the same; the text says who differs from the majority."""
    if not digests:
        return False, "nothing ran"
    counted: dict[str, list[str]] = {}
    for variant, value in digests.items():
        counted.setdefault(value, []).append(variant)
    if len(counted) == 1:
        value = next(iter(counted))
        return not value.startswith("unreadable"), f"all agree: {value}"
    parts = [f"{', '.join(variants)}: {value}" for value, variants in counted.items()]
    return False, "DIFFERENT: " + " | ".join(parts)
