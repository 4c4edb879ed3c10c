"""CSV -> filter, select -> CSV with Polars (lazy, streaming engine)."""

from pathlib import Path

import polars as pl

SCHEMA = {
    "order_id": pl.Int64,
    "user": pl.String,
    "country": pl.String,
    "item": pl.String,
    "quantity": pl.Int64,
    "price": pl.Float64,
    "discount": pl.Float64,
    "paid": pl.Boolean,
    "comment": pl.String,
}


def run(inputs: Path, output: Path) -> None:
    orders = pl.scan_csv(inputs / "orders.csv", schema=SCHEMA)
    total = pl.col("quantity") * pl.col("price") * (1.0 - pl.col("discount"))
    result = orders.filter(pl.col("paid") & (pl.col("quantity") > 5)).select(
        "order_id",
        "user",
        "country",
        units="quantity",
        total=total,
        large=total > 1000.0,
    )
    result.sink_csv(output / "result.csv", engine="streaming")
