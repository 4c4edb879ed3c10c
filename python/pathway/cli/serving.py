"""Pages that commands serve until they are interrupted."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

#: Where servers of all addresses of a machine are found from there.
_LOOPBACK = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}


class Server(Protocol):
    """A server that listens."""

    @property
    def address(self) -> str: ...

    def serve(self) -> None:
        """Serves until the process ends."""


def serve(
    server: Server, title: str, *, look: Callable[[], None] = lambda: None, every: float | None = None
) -> None:
    """Tells where the pages are, and serves them until it is interrupted.

    Args:
        server: it listens already.
        title: what is to be seen there.
        look: is called at the beginning, and then so often.
        every: seconds between two calls.
    """
    host, _, number = server.address.rpartition(":")
    shown = _LOOPBACK.get(host, host)
    print(f"{title}: http://{shown}:{number}/", flush=True)
    failures: list[BaseException] = []

    def serves() -> None:
        try:
            server.serve()
        except BaseException as failure:
            failures.append(failure)

    # The thread ends with the process.
    thread = threading.Thread(target=serves, daemon=True)
    thread.start()
    while thread.is_alive():
        look()
        thread.join(every)
    raise failures[0]


__all__ = ["serve"]
