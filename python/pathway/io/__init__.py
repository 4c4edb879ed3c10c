"""`pw.io`: sources and sinks."""

from pathway.io import (
    csv,
    debezium,
    fs,
    jsonlines,
    kafka,
    minio,
    null,
    plaintext,
    postgres,
    python,
    redpanda,
    s3,
)
from pathway.io._dead_letters import dead_letters
from pathway.io._files import CsvParserSettings
from pathway.io._subscribe import (
    OnChangeCallback,
    OnChangeCallbackAsync,
    OnFinishCallback,
    subscribe,
)
from pathway.io._utils import DurationLike

__all__ = [
    "CsvParserSettings",
    "DurationLike",
    "OnChangeCallback",
    "OnChangeCallbackAsync",
    "OnFinishCallback",
    "csv",
    "dead_letters",
    "debezium",
    "fs",
    "jsonlines",
    "kafka",
    "minio",
    "null",
    "plaintext",
    "postgres",
    "python",
    "redpanda",
    "s3",
    "subscribe",
]
