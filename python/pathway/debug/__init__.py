"""`pw.debug`: small static tables, and computing tables to look at them."""

from pathway.debug.capture import Update
from pathway.debug.compute import (
    compute_and_print,
    compute_and_print_update_stream,
    table_to_dicts,
    table_to_pandas,
    table_to_parquet,
    table_to_updates,
    tables_to_updates,
)
from pathway.debug.step import Step, SteppedRun, step
from pathway.debug.stream_generator import StreamGenerator
from pathway.debug.tables import (
    table_from_markdown,
    table_from_pandas,
    table_from_parquet,
    table_from_rows,
)

__all__ = [
    "Step",
    "SteppedRun",
    "StreamGenerator",
    "Update",
    "compute_and_print",
    "compute_and_print_update_stream",
    "step",
    "table_from_markdown",
    "table_from_pandas",
    "table_from_parquet",
    "table_from_rows",
    "table_to_dicts",
    "table_to_pandas",
    "table_to_parquet",
    "table_to_updates",
    "tables_to_updates",
]
