"""Text and date expressions with DuckDB."""

import os
from pathlib import Path

import duckdb


def run(inputs: Path, output: Path) -> None:
    database = duckdb.connect(config={"threads": int(os.environ["BENCH_THREADS"])})
    database.execute(f"""
        COPY (
            WITH parsed AS (
                SELECT strptime("at", '%Y-%m-%d %H:%M:%S') AS stamp,
                       replace(lower(trim(message)), 'example.', '') AS text
                FROM read_csv('{inputs}/log.csv', header = true,
                              columns = {{'at': 'VARCHAR', message: 'VARCHAR'}})
            ), told AS (
                SELECT strftime(stamp, '%Y-%m') AS month,
                       CASE WHEN starts_with(text, 'error') THEN 'error' ELSE 'other' END AS kind,
                       length(text) + strpos(text, 'on') - 1 AS letters,
                       hour(stamp) + date_diff('minute', date_trunc('day', stamp), stamp) // 60 AS hours
                FROM parsed
            )
            SELECT month, kind, count(*) AS n, sum(letters) AS letters, sum(hours) AS hours
            FROM told GROUP BY month, kind
        ) TO '{output}/result.csv' (HEADER, FORMAT csv)
    """)
