"""`pathway web-dashboard`: recorded runs in a browser."""

from __future__ import annotations

import sys
import threading

from pathway._engine import Archive

#: Seconds between two looks for a run while there is none.
_BETWEEN_LOOKS = 10


def serve(folder: str, address: str, port: int) -> None:
    """Serves the web dashboard of the newest run that is recorded in a folder, until it is interrupted."""
    archive = Archive(folder, address, port)
    host, _, number = archive.address.rpartition(":")
    shown = "127.0.0.1" if host == "0.0.0.0" else host
    print(f"Web dashboard of the runs in {folder}: http://{shown}:{number}/", flush=True)
    failures: list[BaseException] = []

    def serves() -> None:
        try:
            archive.serve()
        except BaseException as failure:
            failures.append(failure)

    # The thread ends with the process.
    thread = threading.Thread(target=serves, daemon=True)
    thread.start()
    seen = False
    while thread.is_alive():
        if not seen and not (seen := archive.has_a_run()):
            print("No metrics database found. Retrying in 10s...", file=sys.stderr, flush=True)
        thread.join(_BETWEEN_LOOKS)
    raise failures[0]


__all__ = ["serve"]
