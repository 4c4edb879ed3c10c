"""CSV -> filter, select -> CSV with Pathway."""

from pathlib import Path

import pathway as pw


class Order(pw.Schema):
    order_id: int
    user: str
    country: str
    item: str
    quantity: int
    price: float
    discount: float
    paid: bool
    comment: str


def run(inputs: Path, output: Path) -> None:
    orders = pw.io.csv.read(inputs / "orders.csv", schema=Order, mode="static")
    kept = orders.filter(orders.paid & (orders.quantity > 5))
    total = kept.quantity * kept.price * (1.0 - kept.discount)
    result = kept.select(
        kept.order_id,
        kept.user,
        kept.country,
        units=kept.quantity,
        total=total,
        large=total > 1000.0,
    )
    pw.io.csv.write(result, output / "result.csv")
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
