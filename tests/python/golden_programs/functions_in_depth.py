"""User functions: types, executors, determinism, batches, caches, retries."""

import asyncio

from blocks import accepted, changes, program, rows, show, values

import pathway as pw


def numbers():
    return rows({"a": int, "b": int | None}, (1, 10), (2, None), (3, 30))


@program
def ways_to_make_functions():
    t = numbers()

    @pw.udf
    def plain(a: int) -> int:
        return a + 1

    @pw.udf(return_type=float)
    def declared(a):
        return a * 2

    @pw.udf
    def untyped(a):
        return str(a)

    class Adder(pw.UDF):
        def __init__(self, amount, **options):
            super().__init__(**options)
            self.amount = amount

        def __wrapped__(self, a: int) -> int:
            return a + self.amount

    class Later(Adder):
        async def __wrapped__(self, a: int) -> int:
            return a + 2 * self.amount

    show(
        t.select(
            p=plain(t.a),
            d=declared(t.a),
            u=untyped(t.a),
            c=plain(5),
            n=Adder(10)(t.a),
            o=Adder(5, deterministic=True)(t.a),
            l=Later(1)(t.a),
        )
    )
    show(t.select(s=pw.udf(str)(t.a), f=pw.udf(lambda x: x)(t.a), k=plain(a=t.a), m=pw.udf(max)(t.a, 2)))
    print(plain.__wrapped__(1), plain.__name__)
    accepted(lambda: pw.udf(5), lambda: plain())


@program
def types_of_results():
    t = numbers()
    for target in (
        int,
        float,
        str,
        bool,
        int | None,
        tuple[int, ...],
        list[int],
        pw.Json,
        pw.internals.dtype.ANY,
    ):
        for function in (
            lambda a: a,
            lambda a: a * 0.5,
            lambda a: str(a),
            lambda a: None,
            lambda a: [a, a],
            lambda a: {"a": a},
        ):
            table = t.select(t.k, x=pw.apply_with_type(function, target, t.a)).filter(pw.this.k == 1)
            cell = pw.debug.table_to_dicts(table, terminate_on_error=False)[1]["x"].popitem()[1]
            print(target, cell)


@program
def missing_arguments():
    t = numbers()

    @pw.udf
    def show_none(b: int | None) -> str:
        return str(b)

    @pw.udf(propagate_none=True)
    def skip(b: int) -> int:
        return b + 1

    show(t.select(t.k, s=show_none(t.b), p=skip(t.b)))


@program
def exceptions_of_functions():
    t = numbers()

    @pw.udf
    def invert(a: int) -> float:
        return 1 / (a - 2)

    values(t.select(t.k, x=invert(t.a), y=pw.fill_error(invert(t.a), 0.0)))
    show(t.select(x=invert(t.a)))
    show(t.select(x=pw.apply(lambda a: [][a], t.a)))


@program
def functions_are_asked_once():
    calls = []

    @pw.udf
    def count(a: int) -> int:
        calls.append(a)
        return len(calls)

    s = pw.debug.table_from_markdown("""
      | a | __time__ | __diff__
    1 | 7 | 2        | 1
    1 | 7 | 4        | -1
    1 | 7 | 6        | 1
    1 | 7 | 8        | -1
    1 | 8 | 8        | 1
    """)
    changes(s.select(n=count(s.a)))
    print(calls)


@program
def deterministic_functions_are_asked_again():
    calls = []

    @pw.udf(deterministic=True)
    def double(a: int) -> int:
        calls.append(a)
        return 2 * a

    s = pw.debug.table_from_markdown("""
      | a | __time__ | __diff__
    1 | 7 | 2        | 1
    1 | 7 | 4        | -1
    """)
    changes(s.select(n=double(s.a)))
    print(sorted(set(calls)))


@program
def asynchronous_functions():
    t = numbers()

    @pw.udf
    async def slow(a: int) -> int:
        await asyncio.sleep(0.001 * (4 - a))
        return a * 10

    @pw.udf(executor=pw.udfs.async_executor(capacity=1, timeout=5.0))
    def threaded(a: int) -> int:
        return a + 1

    show(t.select(s=slow(t.a), th=threaded(t.a), ap=pw.apply_async(lambda a: a, t.a)))
    accepted(lambda: pw.udf(slow.__wrapped__, executor=pw.udfs.sync_executor()))


@program
def timeouts_and_retries():
    t = numbers().filter(pw.this.a == 1)
    attempts = []

    @pw.udf(executor=pw.udfs.async_executor(timeout=0.01))
    async def hang(a: int) -> int:
        await asyncio.sleep(5)
        return a

    @pw.udf(
        executor=pw.udfs.async_executor(
            retry_strategy=pw.udfs.FixedDelayRetryStrategy(max_retries=2, delay_ms=1)
        )
    )
    async def third_time(a: int) -> int:
        attempts.append(a)
        if len(attempts) < 3:
            raise ValueError("not yet")
        return a

    show(t.select(x=hang(t.a)))
    show(t.select(x=third_time(t.a)))
    print(len(attempts))


@program
def functions_of_batches():
    t = numbers()
    sizes = []

    @pw.udf(max_batch_size=2)
    def doubled(a: list[int], plus: list[int]) -> list[int]:
        sizes.append(len(a))
        return [x * 2 + y for x, y in zip(a, plus, strict=True)]

    show(t.select(t.k, x=doubled(t.a, 100)))
    print(sorted(sizes))

    @pw.udf(max_batch_size=10)
    def wrong(a: list[int]) -> list[int]:
        return [1]

    show(t.select(x=wrong(t.a)))

    @pw.udf(max_batch_size=10)
    def not_a_list(a: list[int]) -> int:
        return 1

    accepted(lambda: t.select(x=not_a_list(t.a)))


@program
def cached_functions():
    calls = []

    @pw.udf(cache_strategy=pw.udfs.InMemoryCache())
    def slow(a: int) -> int:
        calls.append(a)
        return a

    t = rows({"a": int}, (1,), (1,), (2,))
    show(t.select(x=slow(t.a)))
    print(sorted(calls))


@program
def functions_of_keywords_and_constants():
    t = numbers()

    def describe(a, *, suffix="s", items=()):
        return f"{a} {suffix} {items}"

    values(
        t.select(
            t.k,
            x=pw.apply(describe, t.a, suffix="z"),
            y=pw.apply(describe, t.a, items=(1, 2)),
            z=pw.apply(describe, t.a, items=(t.a, t.b)),
        )
    )


@program
def fully_asynchronous_functions():
    t = numbers()

    @pw.udf(executor=pw.udfs.fully_async_executor())
    async def later(a: int) -> int:
        await asyncio.sleep(0.001)
        return a + 1

    r = t.select(t.k, x=later(t.a))
    print(r.schema)
    show(r.await_futures())
    show(t.select(t.k, y=later(later(t.a))).await_futures())
    accepted(
        lambda: r.select(x=r.x + 1),
        lambda: r.select(x=pw.apply(str, r.x)),
        lambda: r.select(x=pw.coalesce(r.x, 1)),
        lambda: r.select(x=r.x.is_none()),
        lambda: r.groupby(r.x),
        lambda: r.reduce(s=pw.reducers.sum(r.x)),
        lambda: r.select(p=r.pointer_from(r.x)),
        lambda: r.filter(r.x > 1),
        lambda: r.select(t=pw.make_tuple(r.x)),
        lambda: r.select(r.x),
        lambda: r.await_futures().select(x=pw.this.x + 1),
        lambda: r.select(x=pw.unwrap(r.x)),
        lambda: r.select(x=pw.require(r.k, r.x)),
    )


@program
def asynchronous_transformers():
    class Out(pw.Schema):
        ret: int

    class Increment(pw.AsyncTransformer, output_schema=Out):
        async def invoke(self, value: int) -> dict:
            if value == 13:
                raise ValueError("unlucky")
            return {"ret": value + 1}

    t = rows({"value": int}, (12,), (13,), (14,)).without("k")
    result = Increment(t)
    show(result.successful)
    show(result.failed)
    show(result.finished)
    print(result.output_table.schema)
    accepted(
        lambda: Increment(t.select(other=1)),
        lambda: Increment(t.with_columns(other=1)),
        lambda: Increment(t, instance=pw.Json({})),
    )
