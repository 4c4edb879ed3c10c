"""Runs whose number of processes follows the load.

A run that would do better with another number of processes ends, and its processes exit with a code that says
so. `pathway spawn` starts it again.
"""

from __future__ import annotations

import logging
import os
from typing import Final

from pathway.persistence import Config

_LOGGER = logging.getLogger("pathway.runtime")

#: What processes exit with if there are to be fewer of them.
SCALE_DOWN: Final = 10
#: What processes exit with if there are to be more of them.
SCALE_UP: Final = 12
#: By what the engine wishes for.
EXIT_CODES: Final = {"fewer": SCALE_DOWN, "more": SCALE_UP}


def scaling_window(config: Config | None) -> int | None:
    """By windows of how many milliseconds the load of a run is judged; None if its number of processes stays.

    Raises:
        ValueError: nobody would start the processes again.
    """
    if config is None or not config.worker_scaling_enabled:
        return None
    if os.environ.get("PATHWAY_ADDRESSES"):
        _LOGGER.warning("the processes have fixed addresses, so their number does not follow the load")
        return None
    if "PATHWAY_RUN_ID" not in os.environ:
        raise ValueError(
            "A program with worker_scaling_enabled=True must only be executed via `pathway spawn`, which "
            "starts it again with another number of processes."
        )
    return config.workload_tracking_window_ms
