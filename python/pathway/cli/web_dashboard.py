"""`pathway web-dashboard`: recorded runs in a browser."""

from __future__ import annotations

import sys

from pathway._engine import Archive
from pathway.cli import serving

#: Seconds between two looks for a run while there is none.
_BETWEEN_LOOKS = 10


def serve(folder: str, address: str, port: int) -> None:
    """Serves the web dashboard of the newest run that is recorded in a folder, until it is interrupted."""
    archive = Archive(folder, address, port)
    seen = False

    def look() -> None:
        nonlocal seen
        if not seen and not (seen := archive.has_a_run()):
            print("No metrics database found. Retrying in 10s...", file=sys.stderr, flush=True)

    serving.serve(archive, f"Web dashboard of the runs in {folder}", look=look, every=_BETWEEN_LOOKS)


__all__ = ["serve"]
