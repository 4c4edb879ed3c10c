"""`pw.set_monitoring_config`: how runs are served, sent and logged; `pw.set_license_key`."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from pathway.internals import config
from pathway.internals.log_format import LogFormat
from pathway.internals.runtime_type_check import check_arg_types
from pathway.internals.trace import trace_user_frame

#: Seconds between two exports of metrics.
_INTERVAL = 60


@dataclass(frozen=True)
class MonitoringConfig:
    """What holds for the runs of this process from now on."""

    #: The address for `with_http_server`, and the token that is needed there.
    http_address: str
    http_token: str | None
    #: Where the metrics of runs are recorded.
    detailed_metrics_dir: str | None
    #: The collector of OpenTelemetry.
    server_endpoint: str | None
    #: How log records are written, if the program has said so.
    log_format: LogFormat | None
    #: What runs are called where they are told of, if somebody has said so.
    run_id: str | None


@dataclass(frozen=True)
class _Given:
    """What the program has said."""

    http_address: str | None = None
    http_token: str | None = None
    detailed_metrics_dir: str | None = None
    server_endpoint: str | None = None
    log_format: LogFormat | None = None
    metrics_interval: int | None = None
    run_id: str | None = None


_given: _Given | None = None


def monitoring_config() -> MonitoringConfig:
    """The configuration as it is now: that of `set_monitoring_config`, or else of the environment."""
    environment = os.environ
    given = _given or _Given()
    # Whoever configures no folder and no collector wants none, whatever the environment says.
    folder, endpoint = given.detailed_metrics_dir, given.server_endpoint
    if _given is None:
        folder = environment.get("PATHWAY_DETAILED_METRICS_DIR")
        endpoint = environment.get("PATHWAY_MONITORING_SERVER")
    return MonitoringConfig(
        http_address=given.http_address or environment.get("PATHWAY_MONITORING_HTTP_ADDRESS") or "127.0.0.1",
        http_token=given.http_token or environment.get("PATHWAY_MONITORING_HTTP_TOKEN") or None,
        detailed_metrics_dir=folder or None,
        server_endpoint=endpoint or None,
        log_format=given.log_format,
        run_id=given.run_id or environment.get("PATHWAY_RUN_ID") or None,
    )


@contextlib.contextmanager
def configured(
    *,
    server_endpoint: str | None,
    detailed_metrics_dir: str | None,
    interval: int | None,
    run_id: str | None,
) -> Iterator[None]:
    """What is given holds inside of the block, the rest is as it was."""
    global _given
    before, now = _given, monitoring_config()
    _given = _Given(
        http_address=now.http_address,
        http_token=now.http_token,
        detailed_metrics_dir=detailed_metrics_dir or now.detailed_metrics_dir,
        server_endpoint=server_endpoint or now.server_endpoint,
        log_format=now.log_format,
        metrics_interval=interval or (before or _Given()).metrics_interval,
        run_id=run_id or now.run_id,
    )
    try:
        yield
    finally:
        _given = before


def log_format() -> LogFormat:
    """How log records are written."""
    chosen = monitoring_config().log_format
    if chosen is not None:
        return chosen
    text = os.environ.get("PATHWAY_LOG_FORMAT") or "text"
    if text == "json":
        return "json"
    if text == "text":
        return "text"
    raise ValueError(f"the environment variable PATHWAY_LOG_FORMAT is {text!r}; it has to be text or json.")


def metrics_interval() -> int:
    """Seconds between two exports of metrics."""
    if _given is not None and _given.metrics_interval is not None:
        return _given.metrics_interval
    name = "PATHWAY_METRICS_READER_INTERVAL_SECONDS"
    text = os.environ.get(name) or str(_INTERVAL)
    try:
        seconds = int(text)
    except ValueError:
        seconds = 0
    if seconds < 1:
        raise ValueError(f"the environment variable {name} is {text!r}; it has to be a number of seconds.")
    return seconds


@trace_user_frame
@check_arg_types
def set_monitoring_config(
    *,
    server_endpoint: str | None = None,
    detailed_metrics_dir: str | os.PathLike[str] | None = None,
    http_address: str | None = None,
    http_token: str | None = None,
    log_format: Literal["text", "json"] | None = None,
) -> None:
    """Says how the next runs of this process are to be looked at. What is not given is as if it never was.

    Args:
        server_endpoint: metrics, traces and logs are sent there by OTLP over gRPC: `http://localhost:4317`
            (default: nothing is sent; without any call, the environment variable PATHWAY_MONITORING_SERVER).
        detailed_metrics_dir: a folder where the metrics of each run are recorded, for `pathway
            web-dashboard` and for whoever reads databases of SQLite (default, as long as this function was
            not called: the environment variable PATHWAY_DETAILED_METRICS_DIR, else none).
        http_address: the address of the dashboard and the metrics of `pw.run(with_http_server=True)`
            (default: the environment variable PATHWAY_MONITORING_HTTP_ADDRESS, else 127.0.0.1, which only
            programs of this machine reach). The port is PATHWAY_MONITORING_HTTP_PORT.
        http_token: what has to be known to look at the run there: a page of the dashboard asks for it,
            other programs send it in the header `Authorization: Bearer …` (default: the environment
            variable PATHWAY_MONITORING_HTTP_TOKEN, else whoever reaches the address sees the run).
        log_format: how a run that sets up logging writes records: as `text`, or as `json`, an object on a
            line of its own (default: the environment variable PATHWAY_LOG_FORMAT, else text).

    >>> import pathway as pw
    >>> pw.set_monitoring_config(http_address="0.0.0.0", http_token="correct horse battery staple")
    >>> pw.set_monitoring_config(log_format="json")
    >>> pw.set_monitoring_config()
    """
    global _given
    if log_format not in (None, "text", "json"):
        raise ValueError(f"log_format has to be 'text' or 'json', not {log_format!r}.")
    folder = None if detailed_metrics_dir is None else os.fspath(detailed_metrics_dir)
    _given = _Given(http_address, http_token, folder, server_endpoint, log_format)


@check_arg_types
def set_license_key(key: str | None) -> None:
    """Takes a license key of Pathway. Nothing here needs one: all there is works without.

    >>> import pathway as pw
    >>> pw.set_license_key("any")
    """
    config.set_license_key(key)


__all__ = [
    "MonitoringConfig",
    "configured",
    "log_format",
    "metrics_interval",
    "monitoring_config",
    "set_license_key",
    "set_monitoring_config",
]
