"""Word count with DuckDB."""

import os
from pathlib import Path

import duckdb


def run(inputs: Path, output: Path) -> None:
    database = duckdb.connect(config={"threads": int(os.environ["BENCH_THREADS"])})
    database.execute(f"""
        COPY (
            SELECT word, count(*) AS count
            FROM read_json(
                '{inputs}/words.jsonl', format = 'newline_delimited', columns = {{word: 'VARCHAR'}})
            GROUP BY word
        ) TO '{output}/result.csv' (HEADER, FORMAT csv)
    """)
