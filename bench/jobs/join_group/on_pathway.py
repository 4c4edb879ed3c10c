"""Join, then group by, with Pathway."""

from pathlib import Path

import pathway as pw


class Customer(pw.Schema):
    customer: int
    name: str
    city: str
    segment: str


class Order(pw.Schema):
    order_id: int
    buyer: int
    item: str
    amount: int


def run(inputs: Path, output: Path) -> None:
    customers = pw.io.csv.read(inputs / "customers.csv", schema=Customer, mode="static")
    orders = pw.io.csv.read(inputs / "orders.csv", schema=Order, mode="static")
    sold = orders.join(customers, orders.buyer == customers.customer).select(
        customers.city, customers.segment, orders.amount
    )
    result = sold.groupby(sold.city, sold.segment).reduce(
        sold.city,
        sold.segment,
        orders=pw.reducers.count(),
        total=pw.reducers.sum(sold.amount),
        largest=pw.reducers.max(sold.amount),
    )
    pw.io.csv.write(result, output / "result.csv")
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
