"""Where the metrics of a run are recorded, and under what name."""

from __future__ import annotations

import itertools
import uuid

from pathway.internals.monitoring_config import monitoring_config

#: The processes of a run make the same runs, one after another.
_RUNS = itertools.count(1)


def recording() -> tuple[str, str] | None:
    """The folder, and what a run that begins now is called there, if its metrics are recorded.

    All processes that were started together call it the same.
    """
    config = monitoring_config()
    folder, name = config.detailed_metrics_dir, config.run_id
    if folder is None:
        return None
    number = next(_RUNS)
    if name is None:
        return folder, str(uuid.uuid4())
    return folder, name if number == 1 else f"{name}-{number}"


__all__ = ["recording"]
