"""Schema registries: where one is, and how to be let in."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class SchemaRegistryHeader:
    """A header of every request to a schema registry.

    >>> SchemaRegistryHeader("X-Tenant", "shop").key
    'X-Tenant'
    """

    key: str
    value: str

    def __post_init__(self) -> None:
        for name in ("key", "value"):
            _check_text(f"SchemaRegistryHeader: {name}", getattr(self, name))


@dataclass(frozen=True)
class SchemaRegistrySettings:
    """A schema registry of Confluent's kind.

    Args:
        urls: its addresses, which are tried one after another.
        token_authorization: a token, in place of a name and a password.
        username: a name.
        password: its password.
        headers: of every request.
        proxy: the address of a proxy.
        timeout: how long it may take until one of them answers; 20 seconds by default.

    >>> SchemaRegistrySettings(["http://localhost:8081"]).urls
    ['http://localhost:8081']
    """

    urls: list[str]
    token_authorization: str | None = field(default=None, repr=False)
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    headers: list[SchemaRegistryHeader] | None = field(default=None, repr=False)
    proxy: str | None = None
    timeout: datetime.timedelta | None = None

    def __post_init__(self) -> None:
        what = "SchemaRegistrySettings"
        if not isinstance(self.urls, (list, tuple)):
            raise TypeError(f"{what}: urls has to be a list of addresses, not {type(self.urls).__name__}.")
        for url in self.urls:
            _check_text(f"{what}: an address in urls", url)
        if not self.urls or not all(self.urls):
            raise ValueError(f"{what}: urls needs at least one address, and none of them may be empty.")
        for name in ("token_authorization", "username", "password", "proxy"):
            if getattr(self, name) is not None:
                _check_text(f"{what}: {name}", getattr(self, name))
        if self.password is not None and self.username is None:
            raise ValueError(f"{what}: the password is there and the username is missing.")
        if self.token_authorization is not None and self.username is not None:
            raise ValueError(f"{what}: there is a token and a username; one of them lets us in.")
        if not isinstance(self.headers, (list, tuple, type(None))):
            raise TypeError(f"{what}: headers has to be a list, not {type(self.headers).__name__}.")
        for header in self.headers or ():
            if not isinstance(header, SchemaRegistryHeader):
                raise TypeError(
                    f"{what}: every header has to be a SchemaRegistryHeader, not {type(header).__name__}."
                )
        if self.timeout is not None:
            if not isinstance(self.timeout, datetime.timedelta):
                raise TypeError(f"{what}: timeout has to be a timedelta, not {type(self.timeout).__name__}.")
            if self.timeout <= datetime.timedelta(0):
                raise ValueError(f"{what}: timeout has to be longer than nothing, not {self.timeout}.")


def _check_text(what: str, value: Any) -> None:
    if not isinstance(value, str):
        raise TypeError(f"{what} has to be a str, not {type(value).__name__}.")


def engine_registry(settings: SchemaRegistrySettings | None) -> tuple[Any, ...] | None:
    """The settings as the engine takes them."""
    if settings is None:
        return None
    return (
        list(settings.urls),
        settings.token_authorization,
        settings.username,
        settings.password,
        [(header.key, header.value) for header in settings.headers or ()],
        settings.proxy,
        None if settings.timeout is None else settings.timeout.total_seconds(),
    )
