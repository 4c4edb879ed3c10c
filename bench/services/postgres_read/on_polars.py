"""From a table to a file, with Polars and Arrow's driver for PostgreSQL, which copies in binary form."""

import os
from pathlib import Path

import polars as pl


def run(inputs: Path, output: Path) -> None:
    address = f"postgresql://postgres@127.0.0.1:{os.environ['BENCH_PORT']}/postgres"
    orders = pl.read_database_uri("SELECT * FROM orders", address, engine="adbc")
    orders.write_csv(output / "result.csv")
