"""Tumbling windows, with DuckDB."""

import os
from pathlib import Path

import duckdb


def run(inputs: Path, output: Path) -> None:
    database = duckdb.connect(config={"threads": int(os.environ["BENCH_THREADS"])})
    database.execute(f"""
        COPY (
            SELECT sensor, t - t % 600 AS start, count(*) AS rows, sum(value)::BIGINT AS total,
                   max(value) AS largest
            FROM read_csv('{inputs}/readings.csv', header = true, columns = {{
                sensor: 'BIGINT', t: 'BIGINT', value: 'BIGINT'}})
            GROUP BY ALL
        ) TO '{output}/result.csv' (HEADER, FORMAT csv)
    """)
