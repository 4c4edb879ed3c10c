"""Ports for processes that tests start."""

from __future__ import annotations

import contextlib
import os
import socket


def free_ports(count: int) -> int:
    """The first of some ports in a row that are free, outside of those given to connections."""
    for first in range(20000 + os.getpid() % 4000, 32000, count):
        with contextlib.ExitStack() as sockets:
            try:
                for port in range(first, first + count):
                    sockets.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
            return first
    raise RuntimeError("no ports are free")
