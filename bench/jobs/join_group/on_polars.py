"""Join, then group by, with Polars (lazy, streaming engine)."""

from pathlib import Path

import polars as pl

CUSTOMER = {"customer": pl.Int64, "name": pl.String, "city": pl.String, "segment": pl.String}
ORDER = {"order_id": pl.Int64, "buyer": pl.Int64, "item": pl.String, "amount": pl.Int64}


def run(inputs: Path, output: Path) -> None:
    customers = pl.scan_csv(inputs / "customers.csv", schema=CUSTOMER)
    orders = pl.scan_csv(inputs / "orders.csv", schema=ORDER)
    result = (
        orders.join(customers, left_on="buyer", right_on="customer")
        .group_by("city", "segment")
        .agg(
            pl.len().alias("orders"),
            pl.col("amount").sum().alias("total"),
            pl.col("amount").max().alias("largest"),
        )
    )
    result.sink_csv(output / "result.csv", engine="streaming")
