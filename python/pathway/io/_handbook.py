"""The handbook's way to name a database: keywords beside the others, in place of a dict of settings."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

#: What these keywords are called in the settings.
_CONNECTION = {
    "host": "host",
    "port": "port",
    "database": "dbname",
    "dbname": "dbname",
    "user": "user",
    "password": "password",
    "sslmode": "sslmode",
    "sslrootcert": "sslrootcert",
}


def connection_keywords(**reading: Any) -> Callable[[F], F]:
    """Lets a function of `pw.io.postgres` take `host=`, `database=` and so on for `postgres_settings`.

    It is then called with `reading`, too.
    """

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def with_keywords(*args: Any, **kwargs: Any) -> Any:
            given = {name: kwargs.pop(name) for name in list(kwargs) if name in _CONNECTION}
            if "upsert" in kwargs and function.__name__ == "write":
                kwargs.update(_upsert(kwargs))
            if not given:
                return function(*args, **kwargs)
            if "postgres_settings" in kwargs or any(isinstance(argument, dict) for argument in args):
                raise TypeError(
                    f"pw.io.postgres.{function.__name__}(): {', '.join(given)} belong into "
                    "postgres_settings, if these are given."
                )
            if {"database", "dbname"} <= given.keys():
                raise TypeError(
                    f"pw.io.postgres.{function.__name__}(): database and dbname are the same; give one."
                )
            settings = {_CONNECTION[name]: value for name, value in given.items()}
            return function(*args, **{**reading, **kwargs, "postgres_settings": settings})

        return with_keywords  # type: ignore[return-value]

    return decorate


def _upsert(kwargs: dict[str, Any]) -> dict[str, Any]:
    """What `upsert=` means."""
    if not kwargs.pop("upsert"):
        return {}
    if kwargs.get("output_table_type", "snapshot") != "snapshot":
        raise ValueError(
            "pw.io.postgres.write(): upsert=True keeps the current rows: output_table_type='snapshot'."
        )
    own_key = {} if kwargs.get("primary_key") else {"_key_of_target": True}
    return {"output_table_type": "snapshot", **own_key}
