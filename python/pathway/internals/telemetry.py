"""What is sent to a collector of OpenTelemetry while a run goes on."""

from __future__ import annotations

import contextlib
import logging
import os
import platform
import sys
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pathway._engine import build_info
from pathway.internals.config import current_config
from pathway.internals.log_format import RecordHandler
from pathway.internals.monitoring_config import MonitoringConfig, metrics_interval, monitoring_config

if TYPE_CHECKING:
    from pathway._engine import Telemetry

_LOGGER = logging.getLogger("pathway_engine.telemetry")
#: What is told of a license key.
_SHOWN = 4


@contextlib.contextmanager
def exported(first_worker: int) -> Iterator[Telemetry | None]:
    """Sends what is known of the run inside of the block, if somebody is to be told; with the log records."""
    config = monitoring_config()
    endpoint = config.server_endpoint
    if endpoint is None:
        yield None
        return
    if "://" not in endpoint:
        raise ValueError(
            f"the monitoring server has to be an address such as http://localhost:4317, not {endpoint!r}."
        )
    # The engine may be built without.
    from pathway._engine import Telemetry

    telemetry = Telemetry(
        endpoint,
        interval=metrics_interval(),
        resource=_resource(config),
        of_metrics=[("worker.id", str(first_worker))],
        of_traces=[("python.version", platform.python_version())],
        packages=_packages(),
        warn=_warn,
    )
    with RecordHandler(telemetry.log).attached():
        try:
            yield telemetry
        except BaseException as error:
            text = f"{type(error).__name__}: {error}"
            telemetry.close(text.removesuffix(": "))
            raise
        else:
            telemetry.close()


def _warn(text: str) -> None:
    _LOGGER.warning("%s", text)


def _resource(config: MonitoringConfig) -> list[tuple[str, str]]:
    instance = os.environ.get("PATHWAY_SERVICE_INSTANCE_ID") or str(uuid.uuid4())
    of_instance = "local-dev" if instance.endswith("local-dev") else f"external-{uuid.uuid4()}"
    resource = [
        ("service.name", "pathway"),
        ("service.version", build_info()["version"]),
        ("service.namespace", os.environ.get("PATHWAY_SERVICE_NAMESPACE") or of_instance),
        ("service.instance.id", instance),
        ("run.id", config.run_id or str(uuid.uuid4())),
    ]
    key = current_config().license_key
    if key:
        resource.append(("license.key", f"{key[:_SHOWN]}..."))
    return resource


def _packages() -> list[str]:
    """The extension packages that were imported."""
    prefix = "pathway.xpacks."
    names = (name.removeprefix(prefix) for name in sys.modules if name.startswith(prefix))
    return sorted({name.split(".")[0] for name in names})
