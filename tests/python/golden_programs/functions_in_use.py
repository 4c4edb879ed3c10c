"""Functions of users in longer programs: options, classes, asynchronous calls, batches, caches."""

import asyncio

from blocks import attempt, changes, program, show

import pathway as pw

T = pw.debug.table_from_markdown
R = pw.reducers


def readings():
    return T("""
      | sensor | raw  | unit | __time__ | __diff__
    1 | a      | 12.5 | C    | 2        | 1
    2 | b      | 80   | F    | 2        | 1
    3 | a      |      | C    | 4        | 1
    2 | b      | 80   | F    | 6        | -1
    2 | b      | 82   | F    | 6        | 1
    4 | c      | 1    | K    | 8        | 1
    """)


class ToCelsius(pw.UDF):
    calls = 0

    def __init__(self, digits: int, **options):
        super().__init__(**options)
        self.digits = digits

    def __wrapped__(self, raw: float, unit: str) -> float:
        ToCelsius.calls += 1
        if unit == "F":
            raw = (raw - 32) / 1.8
        elif unit != "C":
            raise ValueError(f"unknown unit {unit}")
        return round(raw, self.digits)


@program
def units_are_converted():
    t = readings()
    convert = ToCelsius(1, propagate_none=True, deterministic=True)
    c = t.select(t.sensor, celsius=convert(t.raw, t.unit))
    print(c.schema)
    changes(c, terminate_on_error=False)
    good = c.select(c.sensor, celsius=pw.fill_error(c.celsius, None)).filter(pw.this.celsius.is_not_none())
    changes(
        good.groupby(good.sensor).reduce(good.sensor, last=R.max(good.celsius), n=R.count()),
        terminate_on_error=False,
    )


@program
def remembered_results():
    seen = []

    @pw.udf
    def tag(sensor: str, raw: float | None) -> str:
        seen.append(sensor)
        return f"{sensor}{raw}#{len(seen)}"

    t = readings()
    changes(t.filter(t.sensor == "b").select(x=tag(pw.this.sensor, pw.this.raw)))
    print(len(seen))


@program
def batches_of_readings():
    sizes = []

    @pw.udf(max_batch_size=2, deterministic=True)
    def longest(names: list[str], raws: list[float]) -> list[str]:
        sizes.append(len(names))
        return [f"{name}:{raw}" for name, raw in zip(names, raws, strict=True)]

    t = readings()
    show(t.select(x=longest(t.sensor, pw.coalesce(t.raw, 0.0))))
    print(max(sizes) <= 2)


@program
def asynchronous_lookups():
    running = 0
    most = 0

    @pw.udf(
        executor=pw.udfs.async_executor(
            capacity=2, retry_strategy=pw.udfs.FixedDelayRetryStrategy(max_retries=2, delay_ms=1)
        )
    )
    async def lookup(sensor: str) -> tuple[str, int]:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001)
        running -= 1
        return sensor.upper(), ord(sensor)

    t = readings()
    looked = t.select(t.sensor, place=lookup(t.sensor))
    show(looked.select(looked.sensor, name=looked.place[0], code=looked.place[1]))
    print(most <= 2)


@program
def results_that_come_later():
    @pw.udf(executor=pw.udfs.fully_async_executor(autocommit_duration_ms=10))
    async def double(x: float | None) -> float:
        await asyncio.sleep(0.001)
        return -1.0 if x is None else x * 2

    t = T("""
    a   | b
    1.5 | x
    2.5 | y
    """)
    later = t.select(t.b, d=double(t.a))
    print(later.schema)
    again = later.select(later.b, later.d, e=double(later.d))
    print(again.schema)
    done = again.await_futures()
    show(done)
    show(done.filter(done.e > 6).select(pw.this.b, s=pw.this.d + pw.this.e))
    attempt(lambda: later.select(x=later.d + 1))
    attempt(lambda: later.groupby(later.d).reduce(n=R.count()))
    attempt(lambda: later.select(x=pw.coalesce(later.d, 0.0)))
    attempt(lambda: later.select(x=pw.if_else(later.d > 1, 1, 2)))
    attempt(lambda: later.filter(later.d > 1))
    attempt(lambda: later.join(t, pw.left.d == pw.right.a))
    attempt(lambda: later.sort(later.d))
    attempt(lambda: later.update_types(d=float))
    attempt(lambda: later.deduplicate(value=later.d, acceptor=lambda a, b: True))


class Scores(pw.Schema):
    score: int
    note: str


@program
def transformed_rows():
    class Score(pw.AsyncTransformer, output_schema=Scores):
        def open(self):
            print("open")

        def close(self):
            print("close")

        async def invoke(self, word, weight=3):
            await asyncio.sleep(0.001)
            if word == "bad":
                raise ValueError(word)
            return {"score": len(word) * weight, "note": word[0]}

    t = T("""
      | word
    1 | apple
    2 | bad
    3 | fig
    """)
    s = Score(input_table=t)
    for table in (s.successful, s.failed, s.finished):
        print(table.schema, table.is_append_only)
    print(s.output_table.schema)
    show(s.successful)
    show(t.restrict(s.failed))
    show(
        t.restrict(s.finished).select(
            pw.this.word, ok=s.finished._async_status == "-SUCCESS-", score=s.finished.score
        )
    )
    grouped = Score(input_table=t, instance=t.word.str.len() > 3).with_options(
        capacity=1, retry_strategy=pw.udfs.NoRetryStrategy()
    )
    show(grouped.finished.select(status=pw.this["_async_status"], n=pw.coalesce(pw.this.score, 0)))
    attempt(lambda: Score(input_table=t.select(t.word, other=1)))
    attempt(lambda: Score(input_table=t.select(x=t.word)))


@program
def functions_by_other_names():
    def add(a: int, b: int = 10) -> int:
        return a + b

    t = T("""
    a | b
    1 | 2
    3 | 4
    """)
    f = pw.udf(add)
    show(t.select(x=f(t.a), y=f(t.a, b=t.b), z=f(b=t.a, a=5), w=f(t.a, 1)))
    print(f.__wrapped__(1, 2), f.__name__)
    show(
        t.select(
            x=pw.udf(str)(t.a),
            y=pw.udf(lambda a: a / 2)(t.a),
            z=pw.udf(max)(t.a, t.b),
            u=pw.apply_with_type(sum, int, (t.a, t.b)),
        )
    )
    show(
        t.select(x=pw.apply(add, t.a, t.b), y=pw.apply_async(add, t.a, 1), z=pw.apply(lambda x: [x, x], t.a))
    )
    cached = []

    @pw.udf(cache_strategy=pw.udfs.InMemoryCache(), deterministic=True)
    def slow(a: int) -> int:
        cached.append(a)
        return a * 100

    u = t.concat_reindex(t, t)
    show(u.select(x=slow(u.a)))
    print(sorted(cached))

    @pw.udf(return_type=float)
    def half(a):
        return a // 2

    show(t.select(h=half(t.b)))
    attempt(lambda: f())
    attempt(lambda: pw.udf(5))
