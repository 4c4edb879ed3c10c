"""Ports for processes that tests start."""

from __future__ import annotations

import contextlib
import os
import random
import socket

#: Ports that are not given to connections, a part of them for each process of pytest: what one is about to
#: use, another must not find free.
_FIRST, _PART, _PARTS = 20000, 600, 20
_part = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _PARTS
_begin = _FIRST + _part * _PART
_given: set[int] = set()


def free_ports(count: int) -> int:
    """The first of some ports in a row that are free and were not given before."""
    places = list(range(_begin, _begin + _PART - count))
    random.shuffle(places)
    for first in places:
        ports = range(first, first + count)
        with contextlib.ExitStack() as sockets:
            try:
                for port in ports:
                    sockets.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
            if _given.isdisjoint(ports):
                _given.update(ports)
                return first
    raise RuntimeError("no ports are free")
