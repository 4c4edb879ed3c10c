"""Where the metrics of a run are recorded, and under what name."""

from __future__ import annotations

import uuid
from collections import Counter

from pathway.internals.monitoring_config import monitoring_config

#: How many runs have been called so. The processes of a run make the same runs, one after another.
_RUNS: Counter[str] = Counter()


def recording() -> tuple[str, str] | None:
    """The folder, and what a run that begins now is called there, if its metrics are recorded.

    All processes that were started together call it the same.
    """
    config = monitoring_config()
    folder, name = config.detailed_metrics_dir, config.run_id
    if folder is None:
        return None
    if name is None:
        return folder, str(uuid.uuid4())
    _RUNS[name] += 1
    return folder, name if _RUNS[name] == 1 else f"{name}-{_RUNS[name]}"


__all__ = ["recording"]
