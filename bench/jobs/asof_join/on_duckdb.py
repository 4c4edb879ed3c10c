"""As-of join, with DuckDB."""

import os
from pathlib import Path

import duckdb


def run(inputs: Path, output: Path) -> None:
    database = duckdb.connect(config={"threads": int(os.environ["BENCH_THREADS"])})
    database.execute(f"""
        COPY (
            SELECT trade, trades.stock AS stock, amount, coalesce(price, 0) AS price
            FROM read_csv('{inputs}/trades.csv', header = true, columns = {{
                trade: 'BIGINT', stock: 'BIGINT', t: 'BIGINT', amount: 'BIGINT'}}) AS trades
            ASOF LEFT JOIN read_csv('{inputs}/quotes.csv', header = true, columns = {{
                stock: 'BIGINT', t: 'BIGINT', price: 'BIGINT'}}) AS quotes
              ON trades.stock = quotes.stock AND trades.t >= quotes.t
        ) TO '{output}/result.csv' (HEADER, FORMAT csv)
    """)
