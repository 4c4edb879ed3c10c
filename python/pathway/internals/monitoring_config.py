"""`pw.set_monitoring_config`: where runs are served, and where their metrics go."""

from __future__ import annotations

import os
from dataclasses import dataclass

from pathway.internals.runtime_type_check import check_arg_types
from pathway.internals.trace import trace_user_frame, warn


@dataclass(frozen=True)
class MonitoringConfig:
    """What holds for the runs of this process from now on."""

    #: The address for `with_http_server`, and the token that is needed there.
    http_address: str
    http_token: str | None
    #: Where the metrics of runs are recorded.
    detailed_metrics_dir: str | None


#: What `set_monitoring_config` was called with.
_given: dict[str, str | None] = {}


def monitoring_config() -> MonitoringConfig:
    """The configuration as it is now: that of `set_monitoring_config`, or else of the environment."""
    environment = os.environ
    return MonitoringConfig(
        http_address=_given.get("http_address")
        or environment.get("PATHWAY_MONITORING_HTTP_ADDRESS")
        or "127.0.0.1",
        http_token=_given.get("http_token") or environment.get("PATHWAY_MONITORING_HTTP_TOKEN") or None,
        # Whoever configures no folder wants none, whatever the environment says.
        detailed_metrics_dir=_given.get(
            "detailed_metrics_dir", environment.get("PATHWAY_DETAILED_METRICS_DIR")
        )
        or None,
    )


@trace_user_frame
@check_arg_types
def set_monitoring_config(
    *,
    server_endpoint: str | None = None,
    detailed_metrics_dir: str | os.PathLike[str] | None = None,
    http_address: str | None = None,
    http_token: str | None = None,
) -> None:
    """Says how the next runs of this process are to be looked at. What is not given is as if it never was.

    Args:
        server_endpoint: where metrics are to be sent with OpenTelemetry. That is not done yet: there
            is a warning.
        detailed_metrics_dir: a folder where the metrics of each run are recorded, for `pathway
            web-dashboard` and for whoever reads databases of SQLite (default, as long as this function was
            not called: the environment variable PATHWAY_DETAILED_METRICS_DIR, else none).
        http_address: the address of the dashboard and the metrics of `pw.run(with_http_server=True)`
            (default: the environment variable PATHWAY_MONITORING_HTTP_ADDRESS, else 127.0.0.1, which only
            programs of this machine reach). The port is PATHWAY_MONITORING_HTTP_PORT.
        http_token: what has to be known to look at the run there: a page of the dashboard asks for it,
            other programs send it in the header `Authorization: Bearer …` (default: the environment
            variable PATHWAY_MONITORING_HTTP_TOKEN, else whoever reaches the address sees the run).

    >>> import pathway as pw
    >>> pw.set_monitoring_config(http_address="0.0.0.0", http_token="correct horse battery staple")
    >>> pw.set_monitoring_config()
    """
    if server_endpoint is not None:
        warn("metrics are not sent with OpenTelemetry yet: server_endpoint has no effect.")
    folder = None if detailed_metrics_dir is None else os.fspath(detailed_metrics_dir)
    _given.update(http_address=http_address, http_token=http_token, detailed_metrics_dir=folder)


__all__ = ["MonitoringConfig", "monitoring_config", "set_monitoring_config"]
