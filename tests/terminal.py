"""Programs at a terminal, and what is seen on its screen."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyte

#: Far longer than anything may take.
PATIENCE = 40
#: What switches to the second screen and back, and how long that is.
_SCREENS = re.compile(rb"(\x1b\[\?1049[hl])")
_LENGTH = 8


class Terminal:
    """A program that runs at a terminal of its own."""

    def __init__(
        self, command: list[str], folder: Path, rows: int, columns: int, variables: dict[str, str]
    ) -> None:
        #: That which is shown now.
        self.screen = pyte.Screen(columns, rows)
        self._screens = [self.screen]
        self._stream = pyte.ByteStream(self.screen)
        self._rest = b""
        #: All that was written there.
        self.written = b""
        self._end, other = os.openpty()
        fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        # The first terminal that a session opens is the one whose keys send signals to it.
        opened = ["/bin/sh", "-c", f'exec "$@" <>{os.ttyname(other)} >&0 2>&1', "sh", *command]
        environment = {**os.environ, "TERM": "xterm-256color", "PYTHONUNBUFFERED": "1", **variables}
        self.process = subprocess.Popen(opened, cwd=folder, env=environment, start_new_session=True)
        self._other: int | None = other

    def lines(self) -> list[str]:
        return [line.rstrip() for line in self.screen.display]

    def text(self) -> str:
        return "\n".join(self.lines())

    def line(self, *words: str) -> str:
        """The first line with all of these words."""
        for line in self.lines():
            if all(word in line for word in words):
                return line
        raise AssertionError(f"no line with {words}:\n{self.text()}")

    def has(self, *words: str) -> bool:
        return any(all(word in line for word in words) for line in self.lines())

    def read(self) -> bool:
        """Takes what was written, waiting a little for it; False at the end."""
        if not select.select([self._end], [], [], 0.05)[0]:
            self._release()
            return True
        try:
            data = os.read(self._end, 1 << 16)
        except OSError:
            # Nobody has the terminal any more.
            data = b""
        self.written += data
        self._show(data)
        return bool(data)

    def _show(self, data: bytes) -> None:
        """Draws what was written, on the screen that it is for: the library knows only one."""
        *texts, self._rest = _SCREENS.split(self._rest + data)
        for text in texts:
            if not _SCREENS.fullmatch(text):
                self._stream.feed(text)
                continue
            if text.endswith(b"h"):
                self._screens.append(pyte.Screen(self.screen.columns, self.screen.lines))
            else:
                self._screens.pop()
            self.screen = self._screens[-1]
            self._stream = pyte.ByteStream(self.screen)
        # The beginning of a sequence waits for its end.
        end = self._rest.rfind(b"\x1b")
        end = end if end >= 0 and len(self._rest) - end < _LENGTH else len(self._rest)
        self._stream.feed(self._rest[:end])
        self._rest = self._rest[end:]

    def until(self, holds: Callable[[], bool]) -> None:
        """Goes on until the screen is so."""
        deadline = time.monotonic() + PATIENCE
        while not holds():
            assert self.read(), f"the program has ended:\n{self.text()}"
            assert time.monotonic() < deadline, self.text()

    def type(self, text: str) -> None:
        os.write(self._end, text.encode())

    def echoes(self) -> bool:
        """True if what is typed appears on the screen."""
        modes: int = termios.tcgetattr(self._end)[3]
        return bool(modes & termios.ECHO)

    def disturb(self, text: str) -> None:
        """Another program writes to the screen."""
        self._stream.feed(text.encode())

    def resize(self, rows: int, columns: int) -> None:
        for screen in self._screens:
            screen.resize(rows, columns)
            screen.reset()
        fcntl.ioctl(self._end, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def end(self) -> int:
        """Waits for the end of the program; its exit code, negative for a signal."""
        deadline = time.monotonic() + PATIENCE
        while self.read():
            assert time.monotonic() < deadline, self.text()
        return self.process.wait(PATIENCE)

    def close(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._release(now=True)
        os.close(self._end)

    def _release(self, now: bool = False) -> None:
        """Lets go of the end of the program, once it has that itself: then the terminal has an end."""
        if self._other is not None and (now or self.written or self.process.poll() is not None):
            os.close(self._other)
            self._other = None


@contextlib.contextmanager
def at_terminal(
    folder: Path,
    program: str,
    command: str = 'exec "$0" program.py',
    rows: int = 40,
    columns: int = 140,
    **variables: str,
) -> Iterator[Terminal]:
    """Runs a Python program at a terminal, by a command of the shell, with variables of the environment."""
    (folder / "program.py").write_text(textwrap.dedent(program))
    terminal = Terminal(["/bin/sh", "-c", command, sys.executable], folder, rows, columns, variables)
    try:
        yield terminal
    finally:
        terminal.close()
