"""Trades with the last quote before them: an as-of join for each of 1,000 stocks.

A million quotes (`ROWS`) and half as many trades, each file in order of time, as such files are.
"""

import random
from pathlib import Path

TITLE = "as-of join, 1,000 keys"
ROWS, QUICK_ROWS = 1_000_000, 20_000
ORDER, SCALES = 50, True
RESULT = {"trade": "BIGINT", "stock": "BIGINT", "amount": "BIGINT", "price": "BIGINT"}
TARGET = {"original": ">= 50x", "duckdb": "<= 4x"}

STOCKS = 1_000


def generate(folder: Path, rows: int) -> None:
    source = random.Random(11)
    span = rows * 10
    with open(folder / "quotes.csv", "w", encoding="utf-8") as file:
        file.write("stock,t,price\n")
        # Times of quotes are even and those of trades odd: no two rows compete.
        for t in sorted(source.sample(range(0, span, 2), k=rows)):
            bits = source.getrandbits(32)
            file.write(f"{bits % STOCKS},{t},{t * 7 % 100_003}\n")
    with open(folder / "trades.csv", "w", encoding="utf-8") as file:
        file.write("trade,stock,t,amount\n")
        for trade, t in enumerate(sorted(source.sample(range(1, span, 2), k=rows // 2))):
            bits = source.getrandbits(48)
            file.write(f"{trade},{bits % STOCKS},{t},{(bits >> 24) % 10_000}\n")
