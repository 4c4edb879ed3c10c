"""What happens outside of the program: orders are sent, products change; and what has to come of it."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from typing import Any

from services.crash.program import WINDOW
from services.kafka.client import Topic
from services.postgres.database import Database

CATEGORIES = ("bread", "cheese", "fruit", "tea")
#: Numbers that products may have.
PRODUCTS = 20
PARTITIONS = 2

#: A window of a category, its number of orders and their value.
Total = tuple[str, int, int, int]


class World:
    """Orders in a topic and products in a table; a thread adds to them until it is told to stop."""

    def __init__(self, orders: Topic, db: Database, seed: int) -> None:
        self.db = db
        self.orders: list[tuple[int, int, int]] = []
        self._topic = orders
        self._chance = random.Random(seed)
        self._is_over = threading.Event()
        self._failure: BaseException | None = None
        db.run(
            "CREATE TABLE products "
            "(product bigint PRIMARY KEY, category text NOT NULL, price bigint NOT NULL)",
            "CREATE PUBLICATION products FOR TABLE products",
        )
        self._connection = db.connect()
        for product in range(0, PRODUCTS, 2):
            self._set(product)
        self.send(20)
        self._thread = threading.Thread(target=self._go_on, name="world")
        self._thread.start()

    def stop(self) -> None:
        """Nothing happens any more; raises what has gone wrong meanwhile."""
        self._is_over.set()
        self._thread.join()
        self._connection.close()
        if self._failure is not None:
            raise self._failure

    def check(self) -> None:
        """Raises what has gone wrong."""
        if self._failure is not None:
            raise self._failure

    def send(self, count: int) -> None:
        """Sends orders, some of them for products that are not there, some of them late."""
        by_partition: list[list[str]] = [[] for _ in range(PARTITIONS)]
        for _ in range(count):
            number = len(self.orders)
            late = self._chance.randrange(2 * WINDOW) if self._chance.random() < 0.1 else 0
            product, at = self._chance.randrange(PRODUCTS), max(0, number - late)
            amount = self._chance.randint(1, 9)
            self.orders.append((product, at, amount))
            order = {"number": number, "product": product, "at": at, "amount": amount}
            by_partition[self._chance.randrange(PARTITIONS)].append(json.dumps(order))
        for partition, messages in enumerate(by_partition):
            self._topic.send(*messages, partition=partition)

    def expected(self) -> list[Total]:
        """What the outputs hold when all of it has arrived."""
        products = {product: rest for product, *rest in self.db.rows("SELECT * FROM products")}
        counts: Counter[tuple[str, int]] = Counter()
        values: Counter[tuple[str, int]] = Counter()
        for product, at, amount in self.orders:
            if product in products:
                category, price = products[product]
                window = (category, at // WINDOW * WINDOW)
                counts[window] += 1
                values[window] += amount * price
        return sorted((*window, count, values[window]) for window, count in counts.items())

    def _go_on(self) -> None:
        try:
            while not self._is_over.is_set():
                self.send(self._chance.randint(1, 4))
                if self._chance.random() < 0.1:
                    self._change_products()
                time.sleep(self._chance.uniform(0.0, 0.04))
        except BaseException as failure:
            self._failure = failure

    def _change_products(self) -> None:
        with self._connection.transaction():
            if self._chance.random() < 0.1:
                self._connection.execute("TRUNCATE products")
                for product in range(0, PRODUCTS, 2):
                    self._set(product)
            for _ in range(self._chance.choice((1, 1, 1, 5))):
                product = self._chance.randrange(PRODUCTS)
                what = self._chance.random()
                if what < 0.2:
                    self._connection.execute("DELETE FROM products WHERE product = %s", [product])
                elif what < 0.3:
                    other = self._chance.randrange(PRODUCTS)
                    self._connection.execute(
                        "DELETE FROM products WHERE product = %s AND product <> %s", [other, product]
                    )
                    self._connection.execute(
                        "UPDATE products SET product = %s WHERE product = %s", [other, product]
                    )
                else:
                    self._set(product)

    def _set(self, product: int) -> None:
        row: list[Any] = [product, self._chance.choice(CATEGORIES), self._chance.randint(1, 99)]
        self._connection.execute(
            "INSERT INTO products VALUES (%s, %s, %s) ON CONFLICT (product) DO UPDATE "
            "SET category = excluded.category, price = excluded.price",
            row,
        )
