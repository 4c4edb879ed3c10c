"""CSV in, filter and select, CSV out: parsing, arithmetic on columns and writing; no state at all.

Nine columns of four types; 80 % of the rows pass the filter on `paid`, half of those the one on `quantity`.
"""

import random
from pathlib import Path

TITLE = "CSV -> filter, select -> CSV"
ROWS, QUICK_ROWS = 5_000_000, 50_000
ORDER, SCALES = 20, True
RESULT = {
    "order_id": "BIGINT",
    "user": "VARCHAR",
    "country": "VARCHAR",
    "units": "BIGINT",
    "total": "DOUBLE",
    "large": "BOOLEAN",
}
TARGET = {"original": ">= 6x", "duckdb": "<= 2x"}

COUNTRIES = ["DE", "FR", "PL", "US", "BR", "IN", "JP", "KE", "NO", "CL"]
ITEMS = ["lamp", "chair", "desk", "shelf, white", "sofa", "rug 2x3", 'frame "A4"', "mirror", "clock", "vase"]


def generate(folder: Path, rows: int) -> None:
    source = random.Random(2)
    quoted = ['"' + item.replace('"', '""') + '"' if set(item) & set(',"') else item for item in ITEMS]
    with open(folder / "orders.csv", "w", encoding="utf-8") as file:
        file.write("order_id,user,country,item,quantity,price,discount,paid,comment\n")
        for order in range(rows):
            bits = source.getrandbits(64)
            user = bits % 1_000_003
            quantity = 1 + (bits >> 20) % 10
            cents = 100 + (bits >> 24) % 99_900
            discount = (bits >> 41) % 30
            paid = "true" if (bits >> 46) % 10 < 8 else "false"
            file.write(
                f"{order},user{user},{COUNTRIES[(bits >> 50) % 10]},{quoted[(bits >> 54) % 10]},{quantity},"
                f"{cents // 100}.{cents % 100:02d},0.{discount:02d},{paid},no remarks for {user % 977}\n"
            )
