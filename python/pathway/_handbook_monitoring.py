"""The handbook's names for seeing a run: telemetry configurations, levels, and `Trace`."""

from __future__ import annotations

import contextlib
import enum
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pathway.internals import config
from pathway.internals.log_format import FIELDS
from pathway.internals.monitoring import MonitoringLevel
from pathway.internals.monitoring_config import configured

_T = TypeVar("_T")

_ENGINE = logging.getLogger("pathway_engine")
_LOGGER = logging.getLogger("pathway")


@dataclass(frozen=True)
class TelemetryConfig:
    """How one run is told of: `pw.run(monitoring=config)`. Made by [`create`][]."""

    run_id: str | None
    license_key: str | None
    monitoring_server: str | None
    detailed_metrics_dir: str | None
    metrics_reader_interval_secs: int | None
    graph: str | None

    @staticmethod
    def create(
        *,
        run_id: str | None = None,
        license_key: str | None = None,
        monitoring_server: str | None = None,
        detailed_metrics_dir: str | None = None,
        metrics_reader_interval_secs: int | None = None,
        graph: str | None = None,
    ) -> TelemetryConfig:
        """A configuration; what is not given is as without a configuration.

        Args:
            run_id: what the run is called where it is told of.
            license_key: a license key of Pathway, which nothing here needs.
            monitoring_server: a collector of OpenTelemetry: `http://localhost:4317`.
            detailed_metrics_dir: a folder where the metrics of the run are recorded.
            metrics_reader_interval_secs: seconds between two exports of metrics.
            graph: a description of the plan. That of the run is recorded in its place.

        >>> from pathway.engine import TelemetryConfig
        >>> config = TelemetryConfig.create(run_id="nightly", monitoring_server="http://localhost:4317")
        >>> config.run_id, config.detailed_metrics_dir
        ('nightly', None)
        """
        if metrics_reader_interval_secs is not None and metrics_reader_interval_secs < 1:
            raise ValueError(
                f"metrics_reader_interval_secs has to be at least 1, not {metrics_reader_interval_secs}."
            )
        return TelemetryConfig(
            run_id,
            license_key,
            monitoring_server,
            detailed_metrics_dir,
            metrics_reader_interval_secs,
            graph,
        )


class PyMonitoringLevel(enum.Enum):
    """What the engine logs of a run that is not shown otherwise: `pw.run(monitoring=level)`."""

    OFF = logging.CRITICAL + 1
    ERROR = logging.ERROR
    WARN = logging.WARNING
    INFO = logging.INFO
    DEBUG = logging.DEBUG


@contextlib.contextmanager
def monitored(by: MonitoringLevel | bool | TelemetryConfig | PyMonitoringLevel) -> Iterator[MonitoringLevel]:
    """How much of a run inside of the block is shown, for `monitoring=` of `pw.run`."""
    if isinstance(by, TelemetryConfig):
        if by.license_key is not None:
            config.set_license_key(by.license_key)
        with configured(
            server_endpoint=by.monitoring_server,
            detailed_metrics_dir=by.detailed_metrics_dir,
            interval=by.metrics_reader_interval_secs,
            run_id=by.run_id,
        ):
            yield MonitoringLevel.AUTO
    elif isinstance(by, PyMonitoringLevel):
        before = _ENGINE.level
        _ENGINE.setLevel(by.value)
        try:
            yield MonitoringLevel.NONE
        finally:
            _ENGINE.setLevel(before)
    elif isinstance(by, MonitoringLevel):
        yield by
    else:
        yield MonitoringLevel.AUTO if by else MonitoringLevel.NONE


@dataclass(frozen=True)
class Trace:
    """A line of a program.

    >>> from pathway.engine import Trace
    >>> Trace("t.filter(t.a > 1)", "app.py", 12, "main").line_number
    12
    """

    line: str
    file_name: str
    line_number: int
    function: str

    @staticmethod
    def log(level: int | str, message: str, context: Mapping[str, Any] | None = None) -> None:
        """Logs a message by the logger `pathway`, with what is to be told besides.

        Logs in JSON and collectors of OpenTelemetry get the context as fields of the record.

        Args:
            level: a level of `logging` or its name, such as `"INFO"`.
            message: the text.
            context: names and values.
        """
        _LOGGER.log(_level(level), "%s", message, extra={FIELDS: dict(context or {})})

    @staticmethod
    def span(name: str, fn: Callable[[], _T]) -> _T:
        """What `fn()` gives. How long it took is logged, with the fields `span` and `milliseconds`; so is
        what it has failed with.

        >>> from pathway.engine import Trace
        >>> Trace.span("sum", lambda: 1 + 2)
        3
        """
        started = time.perf_counter()

        def fields() -> dict[str, Any]:
            return {"span": name, "milliseconds": round((time.perf_counter() - started) * 1000, 3)}

        try:
            result = fn()
        except Exception:
            _LOGGER.error("%s has failed", name, exc_info=True, extra={FIELDS: fields()})
            raise
        known = fields()
        _LOGGER.info("%s took %s ms", name, known["milliseconds"], extra={FIELDS: known})
        return result


def _level(level: int | str) -> int:
    if isinstance(level, int):
        return level
    number = logging.getLevelName(level.upper())
    if not isinstance(number, int):
        raise ValueError(f"there is no level {level!r}: DEBUG, INFO, WARNING, ERROR or CRITICAL.")
    return number


__all__ = ["PyMonitoringLevel", "TelemetryConfig", "Trace", "monitored"]
