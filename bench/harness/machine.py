"""What machine the figures come from."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path


def _first(path: str, key: str) -> str:
    for line in Path(path).read_text().splitlines():
        if line.startswith(key):
            return line.split(":", 1)[1].strip()
    return "unknown"


def describe() -> dict[str, str]:
    """Processor, memory, kernel, interpreter, and the commit that was measured."""
    memory_gb = int(_first("/proc/meminfo", "MemTotal").split()[0]) / 1024**2
    git = ["git", "-C", str(Path(__file__).resolve().parent), "describe", "--always", "--dirty"]
    commit = subprocess.run(git, capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout.strip()
    return {
        "processor": _first("/proc/cpuinfo", "model name"),
        "cores": str(os.cpu_count()),
        "memory": f"{memory_gb:.0f} GB",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "commit": commit or "unknown",
    }
