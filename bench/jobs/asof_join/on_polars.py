"""As-of join, with Polars."""

from pathlib import Path

import polars as pl

TRADE = {"trade": pl.Int64, "stock": pl.Int64, "t": pl.Int64, "amount": pl.Int64}
QUOTE = {"stock": pl.Int64, "t": pl.Int64, "price": pl.Int64}


def run(inputs: Path, output: Path) -> None:
    trades = pl.scan_csv(inputs / "trades.csv", schema=TRADE).set_sorted("t")
    quotes = pl.scan_csv(inputs / "quotes.csv", schema=QUOTE).set_sorted("t")
    result = trades.join_asof(quotes, on="t", by="stock", strategy="backward").select(
        "trade", "stock", "amount", pl.col("price").fill_null(0)
    )
    result.collect().write_csv(output / "result.csv")
