"""A Kafka broker of one node: Apache Kafka in KRaft mode, from jars that `make test-services` fetches."""

from __future__ import annotations

import os
import shlex
import shutil
from pathlib import Path

from services.runner import Running, Service, ServiceError, accepts_connections, free_port

JARS = Path(os.environ.get("KAFKA_JARS", Path.home() / ".cache" / "pathway-services" / "kafka"))

_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
log.dirs={folder}/data
num.partitions=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=true
"""


def _command(port: int, folder: Path) -> list[str]:
    if not any(JARS.glob("kafka_*.jar")) or shutil.which("java") is None:
        raise ServiceError(
            f"kafka: there is no Java, or no jars in {JARS}; `make test-services` installs both"
        )
    properties = folder / "server.properties"
    properties.write_text(_PROPERTIES.format(port=port, controller=free_port(), folder=folder))
    java = f"java -cp {shlex.quote(str(JARS) + '/*')} -XX:+UseSerialGC -XX:TieredStopAtLevel=1"
    logs = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn -Dorg.slf4j.simpleLogger.log.kafka.server=info"
    # A broker may be started again where it was.
    options = f"--ignore-formatted -t AAAAAAAAAAAAAAAAAAAAAQ -c {properties}"
    format_disk = f"{java} -Xmx128m kafka.tools.StorageTool format {options}"
    return ["sh", "-c", f"{format_disk} && exec {java} {logs} -Xmx512m kafka.Kafka {properties}"]


def _ready(running: Running) -> bool:
    log = running.folder / "service.log"
    return accepts_connections(running) and "Kafka Server started" in log.read_text(errors="replace")


SERVICE = Service("kafka", _command, "default-jre-headless", ready=_ready)
