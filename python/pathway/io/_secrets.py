"""Secrets that do not show: what they are is asked for where it is used."""

from __future__ import annotations

import os
from pathlib import Path


class Secret:
    """A text that is in a variable of the environment, or in a file, and is shown nowhere.

    It is read each time it is needed, so that it may change while a program runs.

    Args:
        name: the variable of the environment.
        file: a file that has the text, in place of a variable; a line end behind it does not belong to it.

    Raises:
        ValueError: neither or both are given; when it is used: there is no such variable.
        OSError: when it is used: the file cannot be read.

    >>> import pathway as pw, os
    >>> os.environ["PG_PASSWORD"] = "abc"
    >>> password = pw.io.postgres.PasswordSecret("PG_PASSWORD")
    >>> password
    PasswordSecret('PG_PASSWORD')
    >>> password()
    'abc'
    """

    __slots__ = ("_file", "_name")

    def __init__(self, name: str | None = None, *, file: str | os.PathLike[str] | None = None) -> None:
        if (name is None) == (file is None):
            raise ValueError(
                f"{type(self).__name__}() takes the name of a variable of the environment, or "
                "file=, the path of a file with the secret."
            )
        self._name = name
        self._file = None if file is None else Path(file)

    def __call__(self) -> str:
        """The secret as it is now."""
        if self._file is not None:
            return self._file.read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
        secret = os.environ.get(self._name or "")
        if secret is None:
            raise ValueError(
                f"the secret is missing: there is no variable {self._name!r} in the environment."
            )
        return secret

    def __repr__(self) -> str:
        where = repr(self._name) if self._file is None else f"file={str(self._file)!r}"
        return f"{type(self).__name__}({where})"


class PasswordSecret(Secret):
    """The password of a database. See `Secret`."""

    __slots__ = ()
