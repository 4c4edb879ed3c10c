"""User functions: rows, batches, coroutines, caches, classes."""

import asyncio
import logging
import warnings

import pathway as pw

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)
t = pw.debug.table_from_markdown("""
a | b
6 | 2
5 | 0
4 | 4
""")
s = pw.debug.table_from_markdown("""
  | v | __time__ | __diff__
1 | 1 | 2        | 1
2 | 5 | 2        | 1
1 | 1 | 6        | -1
1 | 4 | 6        | 1
2 | 5 | 8        | -1
""")


def show(table):
    print(table)
    pw.debug.compute_and_print_update_stream(table)


calls = []


@pw.udf
def remembered(x: int) -> int:
    calls.append(x)
    return x


show(s.select(y=remembered(s.v)))
print(sorted(calls))


@pw.udf(deterministic=True, propagate_none=True)
def text(x: int) -> str:
    return str(x)


show(pw.debug.table_from_markdown("a\n1\nNone").select(y=text(pw.this.a)))


@pw.udf(max_batch_size=2)
def batch(x: list[int], y: list[int]) -> list[int]:
    assert len(x) <= 2
    return [a + b for a, b in zip(x, y, strict=True)]


show(t.select(z=batch(t.a, 10)))


@pw.udf
async def product(x: int, y: int = 3) -> int:
    await asyncio.sleep(0.01)
    return x * y


show(t.select(z=product(t.a), w=product(t.a, y=t.b)))
computed = []


@pw.udf(cache_strategy=pw.udfs.InMemoryCache())
def cached(x: int) -> int:
    computed.append(x)
    return x


show(pw.debug.table_from_markdown("a\n1\n1\n2").select(z=cached(pw.this.a)))
print(sorted(computed))


class Times(pw.UDF):
    def __init__(self, factor):
        super().__init__(deterministic=True)
        self.factor = factor

    def __wrapped__(self, x: int) -> int:
        return x * self.factor


show(t.select(z=Times(3)(t.a), s=pw.udf(str)(t.a), l=pw.apply(lambda x: x, t.a)))
show(t.select(x=pw.apply_with_type(lambda x: [x, "q"], tuple[int, str], t.a)))
show(
    t.select(
        x=pw.apply_with_type(lambda x: {"a": x}, pw.Json, t.a), n=pw.apply_with_type(len, int, (t.a, t.b))
    )
)
print(repr(remembered(t.a)), repr(product(t.a, y=3)), remembered.__name__)


def wrong_type(x) -> int:
    return "a"


def divide(x) -> float:
    return 1 / (x - 5)


for failing in (wrong_type, divide):
    try:
        pw.debug.compute_and_print(t.select(x=pw.apply(failing, t.a)))
    except Exception as error:
        print(type(error).__name__)
for wrong in [
    lambda: pw.udf(5),
    lambda: remembered(),
    lambda: pw.udf(executor=pw.udfs.sync_executor())(product.__wrapped__),
    lambda: pw.apply(5, t.a),
    lambda: t.select(x=pw.apply(divide, t)),
    lambda: pw.udf(max_batch_size=2)(divide)(t.a),
]:
    try:
        wrong()
        print("accepted")
    except Exception as error:
        print(type(error).__name__)
