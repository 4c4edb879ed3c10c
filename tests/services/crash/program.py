"""Orders of a topic, joined with a table that changes, added up by window, to a topic and to two tables.

    program.py SETTINGS

The settings are JSON: `server`, `orders` and `totals` (topics), `postgres`, `state` and `interval`.
"""

from __future__ import annotations

import json
import sys

import pathway as pw

#: How long a window is.
WINDOW = 500


class Order(pw.Schema):
    number: int
    product: int
    at: int
    amount: int


class Product(pw.Schema):
    product: int = pw.column_definition(primary_key=True)
    category: str
    price: int


def main() -> None:
    settings = json.loads(sys.argv[1])
    kafka = {
        "bootstrap.servers": settings["server"],
        "group.id": settings["orders"],
        "auto.offset.reset": "earliest",
    }
    orders = pw.io.kafka.read(
        kafka, settings["orders"], format="json", schema=Order, autocommit_duration_ms=5, name="orders"
    )
    products = pw.io.postgres.read(
        settings["postgres"],
        "products",
        Product,
        publication_name="products",
        autocommit_duration_ms=5,
        name="products",
    )
    sold = orders.join(products, orders.product == products.product).select(
        products.category, orders.at, value=orders.amount * products.price
    )
    totals = sold.windowby(
        sold.at, window=pw.temporal.tumbling(duration=WINDOW), instance=sold.category
    ).reduce(
        category=pw.this._pw_instance,
        start=pw.this._pw_window_start,
        count=pw.reducers.count(),
        total=pw.reducers.sum(pw.this.value),
    )
    pw.io.kafka.write(totals, kafka, settings["totals"], name="to Kafka")
    pw.io.postgres.write(
        totals, settings["postgres"], "changes", init_mode="create_if_not_exists", name="changes"
    )
    pw.io.postgres.write(
        totals,
        settings["postgres"],
        "totals",
        init_mode="create_if_not_exists",
        output_table_type="snapshot",
        primary_key=[totals.category, totals.start],
        name="totals",
    )
    backend = pw.persistence.Backend.filesystem(settings["state"])
    pw.run(
        monitoring_level=pw.MonitoringLevel.NONE,
        persistence_config=pw.persistence.Config(backend, snapshot_interval_ms=settings["interval"]),
    )


if __name__ == "__main__":
    main()
