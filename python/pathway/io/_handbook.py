"""The handbook's way to name a database or brokers: keywords, in place of a dict of settings."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Offset:
    """Where a consumer group begins that has read nothing of a topic so far."""

    reset: str

    @classmethod
    def earliest(cls) -> Offset:
        """At the first message."""
        return cls("earliest")

    @classmethod
    def latest(cls) -> Offset:
        """With what comes from now on."""
        return cls("latest")


@dataclass(frozen=True)
class KafkaReadSettings:
    """How a topic is read; in `rdkafka_settings` these are `group.id` and `auto.offset.reset`.

    Args:
        consumer_group: the name of the group of consumers.
        offset: where it begins; by default, where the client library does.
    """

    consumer_group: str
    offset: Offset | None = None


def broker_keywords(function: F) -> F:
    """Lets a function of `pw.io.kafka` take `brokers=` for `rdkafka_settings`.

    With that, `read` takes `kafka_settings=`, and `write` takes `topic=` and `key_column=`.
    """
    name = f"pw.io.kafka.{function.__name__}"

    @functools.wraps(function)
    def with_keywords(*args: Any, **kwargs: Any) -> Any:
        brokers = kwargs.pop("brokers", None)
        if brokers is None:
            return function(*args, **kwargs)
        if "rdkafka_settings" in kwargs or any(isinstance(argument, dict) for argument in args):
            raise TypeError(f"{name}(): brokers are named in rdkafka_settings, if these are given.")
        addresses = [brokers] if isinstance(brokers, str) else list(brokers)
        settings: dict[str, Any] = {"bootstrap.servers": ",".join(addresses)}
        if function.__name__ == "read":
            settings.update(_reading(name, kwargs))
        else:
            _written(name, args, kwargs)
        return function(*args, **{**kwargs, "rdkafka_settings": settings})

    return with_keywords  # type: ignore[return-value]


def _reading(name: str, kwargs: dict[str, Any]) -> dict[str, str]:
    """What `kafka_settings=` means."""
    given = kwargs.pop("kafka_settings", None)
    if not isinstance(given, KafkaReadSettings):
        raise TypeError(f"{name}(): brokers= needs kafka_settings=pw.io.kafka.KafkaReadSettings(...).")
    settings = {"group.id": given.consumer_group}
    if given.offset is not None:
        settings["auto.offset.reset"] = given.offset.reset
    return settings


def _written(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """What `topic=` and `key_column=` mean."""
    if "topic" in kwargs:
        kwargs["topic_name"] = kwargs.pop("topic")
    key = kwargs.pop("key_column", None)
    if key is not None:
        if kwargs.get("key") is not None:
            raise TypeError(f"{name}(): key and key_column are the same; give one.")
        table = kwargs["table"] if "table" in kwargs else args[0]
        kwargs["key"] = table[key]
