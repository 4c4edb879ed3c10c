"""Join, then group by, with DuckDB."""

import os
from pathlib import Path

import duckdb


def run(inputs: Path, output: Path) -> None:
    database = duckdb.connect(config={"threads": int(os.environ["BENCH_THREADS"])})
    database.execute(f"""
        COPY (
            SELECT city, segment, count(*) AS orders, sum(amount)::BIGINT AS total, max(amount) AS largest
            FROM read_csv('{inputs}/orders.csv', header = true, columns = {{
                order_id: 'BIGINT', buyer: 'BIGINT', item: 'VARCHAR', amount: 'BIGINT'}})
            JOIN read_csv('{inputs}/customers.csv', header = true, columns = {{
                customer: 'BIGINT', name: 'VARCHAR', city: 'VARCHAR', segment: 'VARCHAR'}})
              ON buyer = customer
            GROUP BY city, segment
        ) TO '{output}/result.csv' (HEADER, FORMAT csv)
    """)
