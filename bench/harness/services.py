"""The services that jobs talk to: those of the tests."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent.parent / "tests"


def start(names: Iterable[str], until: contextlib.ExitStack) -> dict[str, int]:
    """Starts services, which end with `until`; gives their ports."""
    names = sorted(names)
    if not names:
        return {}
    if str(TESTS) not in sys.path:
        sys.path.insert(0, str(TESTS))
    from services.runner import all_services, running

    known = {service.name: service for service in all_services()}
    return {name: until.enter_context(running(known[name])).port for name in names}
