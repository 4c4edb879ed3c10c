"""As-of join, with Pathway."""

from pathlib import Path

import pathway as pw


class Quote(pw.Schema):
    stock: int
    t: int
    price: int


class Trade(pw.Schema):
    trade: int
    stock: int
    t: int
    amount: int


def run(inputs: Path, output: Path) -> None:
    quotes = pw.io.csv.read(inputs / "quotes.csv", schema=Quote, mode="static")
    trades = pw.io.csv.read(inputs / "trades.csv", schema=Trade, mode="static")
    result = trades.asof_join(
        quotes,
        trades.t,
        quotes.t,
        trades.stock == quotes.stock,
        how=pw.JoinMode.LEFT,
        defaults={quotes.price: 0},
    ).select(trades.trade, trades.stock, trades.amount, quotes.price)
    pw.io.csv.write(result, output / "result.csv")
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
