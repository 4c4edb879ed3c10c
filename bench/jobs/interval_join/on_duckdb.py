"""Interval join, with DuckDB."""

import os
from pathlib import Path

import duckdb


def run(inputs: Path, output: Path) -> None:
    database = duckdb.connect(config={"threads": int(os.environ["BENCH_THREADS"])})
    database.execute(f"""
        COPY (
            SELECT event, events.device AS device, value, measured.t - events.t AS apart
            FROM read_csv('{inputs}/events.csv', header = true, columns = {{
                event: 'BIGINT', device: 'BIGINT', t: 'BIGINT'}}) AS events
            JOIN read_csv('{inputs}/measured.csv', header = true, columns = {{
                device: 'BIGINT', t: 'BIGINT', value: 'BIGINT'}}) AS measured
              ON events.device = measured.device
             AND measured.t BETWEEN events.t - 150000 AND events.t + 150000
        ) TO '{output}/result.csv' (HEADER, FORMAT csv)
    """)
