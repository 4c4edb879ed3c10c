"""The nearest item of each query with DuckDB: all pairs, then the least distance of each query."""

import os
from pathlib import Path

import duckdb


def run(inputs: Path, output: Path) -> None:
    database = duckdb.connect(config={"threads": int(os.environ["BENCH_THREADS"])})
    database.execute(f"""
        COPY (
            SELECT query, arg_min(item, array_distance(queries.v, items.v)) AS item
            FROM (SELECT query, v::DOUBLE[64] AS v FROM read_json('{inputs}/queries.jsonl')) AS queries,
                 (SELECT item, v::DOUBLE[64] AS v FROM read_json('{inputs}/items.jsonl')) AS items
            GROUP BY query
        ) TO '{output}/result.csv' (HEADER, FORMAT csv)
    """)
