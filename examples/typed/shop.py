"""A fully typed program: every public class of the table API in an annotation, checked by `mypy --strict`."""

from __future__ import annotations

from typing import Any

import pathway as pw


class Sale(pw.Schema):
    """One line of a receipt."""

    shop: str
    item: str
    amount: int = pw.column_definition(default_value=1)
    price: float
    extra: pw.Json
    sold: pw.DateTimeNaive


class Price(pw.Schema):
    """The least price of an item."""

    item: str = pw.column_definition(primary_key=True)
    least: float | None


class Total(pw.Schema):
    """What a shop has earned."""

    shop: str
    total: float


class Basket:
    """A value that only Python understands."""

    def __init__(self, items: list[str]) -> None:
        self.items = items


class Discount(pw.UDF):
    """A price with so many percent off."""

    def __init__(self, percent: int) -> None:
        super().__init__(deterministic=True)
        self.percent = percent

    def __wrapped__(self, price: float) -> float:
        return price * (100 - self.percent) / 100


class Longest(pw.BaseCustomAccumulator):
    """The longest text of a group."""

    def __init__(self, text: str) -> None:
        self.text = text

    @classmethod
    def from_row(cls, row: list[Any]) -> Longest:
        return cls(str(row[0]))

    def update(self, other: Longest) -> None:
        self.text = max(self.text, other.text, key=len)

    def compute_result(self) -> str:
        return self.text


class Tagged(pw.Schema):
    """What the transformer answers."""

    tag: str


class Tagger(pw.AsyncTransformer, output_schema=Tagged):
    """Asks an outside service, so to speak."""

    async def invoke(self, item: str) -> dict[str, Any]:
        return {"tag": f"#{item}"}


@pw.udf
def shout(text: str) -> str:
    """Louder."""
    return text.upper()


def sales() -> pw.Table[Sale]:
    """Some receipts."""
    day = pw.DateTimeNaive("2024-05-01")
    rows = [
        ("A", "tea", 2, 1.5, pw.Json({"gift": True}), day),
        ("A", "nut", 1, 4.0, pw.Json({}), day),
        ("B", "tea", 5, 1.0, pw.Json({"gift": False}), day + pw.Duration(days=1)),
    ]
    return pw.debug.table_from_rows(Sale, rows)


@pw.table_transformer
def totals(lines: pw.Table[Sale]) -> pw.Table[Total]:
    """Earnings by shop."""
    worth: pw.ColumnExpression = lines.amount * lines.price
    grouped: pw.GroupedTable = lines.groupby(lines.shop)
    return grouped.reduce(lines.shop, total=pw.reducers.sum(worth))


def with_prices(lines: pw.Table[Sale]) -> pw.Table:
    """Each line beside the least price of its item."""
    least = lines.groupby(lines.item).reduce(lines.item, least=pw.reducers.min(lines.price))
    item: pw.ColumnReference = lines.item
    joined: pw.JoinResult = lines.join(least, item == least.item, how=pw.JoinMode.LEFT)
    by_shop: pw.GroupedJoinResult = joined.groupby(lines.shop)
    counts = by_shop.reduce(lines.shop, n=pw.reducers.count())
    sides: list[pw.Joinable] = [lines, joined, counts]
    assert all(isinstance(side, pw.TableLike) for side in sides)
    return joined.select(*pw.left, cheap=lines.price <= pw.coalesce(least.least, 0.0))


def report(lines: pw.Table[Sale]) -> pw.Table:
    """Many small things about each line."""
    chosen: pw.TableSlice = lines.slice.without("extra").rename({"item": "what"})
    pointer: pw.ColumnExpression = lines.pointer_from(lines.shop, lines.item)
    basket = pw.apply_with_type(
        lambda what: pw.PyObjectWrapper(Basket([what])), pw.PyObjectWrapper[Basket], lines.item
    )
    zone: pw.ColumnExpression = lines.sold.dt.to_utc("UTC")
    return lines.select(
        **chosen,
        gift=lines.extra.get("gift", pw.Json(False)).as_bool(),
        less=Discount(10)(lines.price),
        loud=shout(lines.item),
        key=pointer,
        basket=basket,
        age=pw.DateTimeUtc("2024-05-03T00:00:00Z") - zone,
    )


def main() -> None:
    """Prints the tables."""
    lines = sales()
    longest = pw.reducers.udf_reducer(Longest)
    tagged = Tagger(lines.select(lines.item)).successful
    keyed: pw.Pointer = pw.engine.ref_scalar("tea")
    settings = pw.SchemaProperties(append_only=True)
    kinds = {name: pw.Type.STRING for name in ("shop", "item")}
    print(keyed, settings, sorted(kinds))
    pw.debug.compute_and_print(totals(lines), include_id=False)
    pw.debug.compute_and_print(with_prices(lines).select(pw.this.item, pw.this.cheap), include_id=False)
    pw.debug.compute_and_print(report(lines).without("key", "basket", "sold"), include_id=False)
    pw.debug.compute_and_print(lines.reduce(longest=longest(lines.item)), include_id=False)
    pw.debug.compute_and_print(tagged, include_id=False)
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)


if __name__ == "__main__":
    main()
