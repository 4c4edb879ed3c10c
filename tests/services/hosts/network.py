"""Hosts that are network namespaces of this machine, on a network of their own. Needs root and iproute2."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)


@dataclass(frozen=True)
class Host:
    """A host with an address."""

    name: str
    address: str

    def command(self, *command: str) -> list[str]:
        """The command that runs another one there."""
        return ["ip", "netns", "exec", self.name, *command]

    def unplug(self) -> None:
        """Takes its cable out: nothing comes or goes, and nobody is told."""
        _ip("-n", self.name, "link", "set", "eth0", "down")

    def plug_in(self) -> None:
        """Puts the cable back."""
        _ip("-n", self.name, "link", "set", "eth0", "up")


@contextlib.contextmanager
def network(count: int) -> Iterator[Sequence[Host]]:
    """So many hosts that reach each other, for as long as the block lasts."""
    prefix = f"pw{os.getpid()}"
    switch = f"{prefix}-switch"
    hosts = [Host(f"{prefix}-{number}", f"10.77.0.{number + 1}") for number in range(count)]
    names = [switch, *(host.name for host in hosts)]
    try:
        for name in names:
            _ip("netns", "add", name)
        _ip("-n", switch, "link", "add", "switch", "type", "bridge")
        _ip("-n", switch, "link", "set", "switch", "up")
        for number, host in enumerate(hosts):
            port = f"port{number}"
            _ip("-n", host.name, "link", "add", "eth0", "type", "veth", "peer", "name", port, "netns", switch)
            _ip("-n", switch, "link", "set", port, "master", "switch", "up")
            _ip("-n", host.name, "address", "add", f"{host.address}/24", "dev", "eth0")
            _ip("-n", host.name, "link", "set", "eth0", "up")
            _ip("-n", host.name, "link", "set", "lo", "up")
        yield hosts
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)
