"""CSV -> filter, select -> CSV with DuckDB."""

import os
from pathlib import Path

import duckdb


def run(inputs: Path, output: Path) -> None:
    database = duckdb.connect(config={"threads": int(os.environ["BENCH_THREADS"])})
    database.execute(f"""
        COPY (
            SELECT order_id, "user", country, quantity AS units,
                   quantity * price * (1.0::DOUBLE - discount) AS total,
                   quantity * price * (1.0::DOUBLE - discount) > 1000.0 AS large
            FROM read_csv('{inputs}/orders.csv', header = true, quote = '"', escape = '"', columns = {{
                order_id: 'BIGINT', "user": 'VARCHAR', country: 'VARCHAR', item: 'VARCHAR',
                quantity: 'BIGINT', price: 'DOUBLE', discount: 'DOUBLE', paid: 'BOOLEAN',
                comment: 'VARCHAR'}})
            WHERE paid AND quantity > 5
        ) TO '{output}/result.csv' (HEADER, FORMAT csv)
    """)
