"""Runs that are looked at in between, and what they answer over HTTP."""

from __future__ import annotations

import contextlib
import urllib.request
from collections.abc import Callable, Iterator

import pathway as pw
from spawning import PATIENCE


class Numbers(pw.Schema):
    n: int


class Stepwise(pw.io.python.ConnectorSubject):
    """Gives numbers, and lets somebody look at the run in between."""

    def __init__(self, look: Callable[[Stepwise], None]) -> None:
        super().__init__()
        self._look = look

    def give(self, *numbers: int) -> None:
        """Gives numbers in a minibatch of their own."""
        for n in numbers:
            self.next(n=n)
        self.commit()

    def run(self) -> None:
        self._look(self)


def numbers_of(look: Callable[[Stepwise], None]) -> pw.Table:
    """A table of the numbers that are given while somebody looks."""
    return pw.io.python.read(Stepwise(look), schema=Numbers, autocommit_duration_ms=None, name="numbers")


@contextlib.contextmanager
def looking(look: Callable[[Stepwise], None]) -> Iterator[pw.Table]:
    """The same, where what looking raises ends the source and is raised after the run."""
    raised: list[BaseException] = []

    def guarded(subject: Stepwise) -> None:
        try:
            look(subject)
        except BaseException as error:
            raised.append(error)

    yield numbers_of(guarded)
    if raised:
        raise raised[0]


def ask(port: int, path: str, accept: str = "*/*", *, token: str | None = None) -> tuple[str, str]:
    """The content type and the body of what a run answers."""
    headers = {"Accept": accept} | ({} if token is None else {"Authorization": f"Bearer {token}"})
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return answer.headers["Content-Type"], answer.read().decode()
