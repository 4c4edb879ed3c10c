"""Columns whose values are still to come: what may be done with them and what is refused."""

import asyncio

from blocks import attempt, program

import pathway as pw


@pw.udf(executor=pw.udfs.fully_async_executor())
async def tenfold(x: int) -> int:
    return x * 10


@pw.udf(executor=pw.udfs.fully_async_executor(autocommit_duration_ms=10), propagate_none=True)
async def tenfold_or_none(x: int | None) -> int:
    return x * 10


def pending():
    t = pw.debug.table_from_markdown("a | s | o\n1 | x | \n2 | y | 3")
    return t.with_columns(y=tenfold(t.a))


@program
def types_of_pending_columns():
    t = pending()
    t = t.with_columns(n=tenfold_or_none(t.o), m=tenfold_or_none(t.a))
    print([repr(t.schema[name].dtype) for name in ("y", "n", "m")], t.typehints()["y"])


def settled(name, table):
    print(name, {column: str(hint) for column, hint in table.typehints().items()})
    print(sorted(row for row in _rows(table.await_futures())))


def _rows(table):
    _, columns = pw.debug.table_to_dicts(table)
    keys = list(next(iter(columns.values())))
    return [str([columns[name][key] for name in columns]) for key in keys]


@program
def what_may_be_done_with_pending_columns():
    u = pending()
    t = u.without(u.y)
    settled("select", u.select(u.y))
    settled("rename", u.rename(z=u.y))
    settled("look up", u.select(z=u.ix(u.id).y))
    settled("pass on", u.select(z=tenfold(u.y), n=tenfold_or_none(u.y)))
    settled("compare", u.select(z=u.y == u.y, n=u.y != u.y))
    settled("text", u.select(z=u.y.to_string()))
    settled("none", u.select(z=tenfold_or_none(u.o)))
    settled("new ids", u.concat_reindex(u))
    settled("rows", u.update_rows(u.copy()))
    settled("cells", u.update_cells(u.select(u.y)))
    settled("join", t.join(u, t.a == u.a).select(u.y))
    settled("filter", u.filter(u.a > 1))
    settled("flatten", u.with_columns(q=pw.make_tuple(1, 2)).flatten(pw.this.q))
    settled("nothing pending", t)
    print(sorted(_rows(u.await_futures().select(z=pw.this.y + 1))))


@program
def what_is_refused_for_pending_columns():
    u = pending()
    t = u.without(u.y)
    r = pw.reducers

    @pw.udf
    def plain(x) -> int:
        return x

    refused = {
        "sum": lambda: u.reduce(x=r.sum(u.y)),
        "count": lambda: u.reduce(x=r.count(u.y)),
        "tuple": lambda: u.reduce(x=r.tuple(u.y)),
        "any": lambda: u.reduce(x=r.any(u.y)),
        "earliest": lambda: u.reduce(x=r.earliest(u.y)),
        "argmin": lambda: u.reduce(x=r.argmin(u.a, u.y)),
        "stateful": lambda: u.reduce(x=r.stateful_many(lambda state, rows: 1)(u.y)),
        "apply": lambda: u.select(x=pw.apply(lambda x: x, u.y)),
        "apply_async": lambda: u.select(x=pw.apply_async(lambda x: x, u.y)),
        "function": lambda: u.select(x=plain(u.y)),
        "coalesce": lambda: u.select(x=pw.coalesce(u.y, 1)),
        "require": lambda: u.select(x=pw.require(u.a, u.y)),
        "required": lambda: u.select(x=pw.require(u.y, u.a)),
        "is_none": lambda: u.select(x=u.y.is_none()),
        "is_not_none": lambda: u.select(x=u.y.is_not_none()),
        "make_tuple": lambda: u.select(x=pw.make_tuple(u.y)),
        "pointer_from": lambda: u.select(x=u.pointer_from(u.y)),
        "unwrap": lambda: u.select(x=pw.unwrap(u.y)),
        "fill_error": lambda: u.select(x=pw.fill_error(u.y, 0)),
        "if_else": lambda: u.select(x=pw.if_else(u.a > 1, u.y, 0)),
        "condition": lambda: u.select(x=pw.if_else(u.y, 1, 0)),
        "declare_type": lambda: u.select(x=pw.declare_type(int, u.y)),
        "update_types": lambda: u.update_types(y=int),
        "plus": lambda: u.select(x=u.y + 1),
        "minus": lambda: u.select(x=-u.y),
        "less": lambda: u.select(x=u.y < 1),
        "equal": lambda: u.select(x=u.y == 1),
        "and": lambda: u.select(x=u.y & True),
        "not": lambda: u.select(x=~u.y),
        "element": lambda: u.select(x=u.y[0]),
        "method": lambda: u.select(x=u.y.num.abs()),
        "groupby": lambda: u.groupby(u.y).reduce(n=r.count()),
        "instance": lambda: u.groupby(u.a, instance=u.y).reduce(n=r.count()),
        "sort": lambda: u.sort(u.y),
        "sorted instance": lambda: u.sort(u.a, instance=u.y),
        "deduplicate": lambda: u.deduplicate(value=u.y),
        "deduplicated instance": lambda: u.deduplicate(value=u.a, instance=u.y),
        "with_id": lambda: u.with_id(u.y),
        "with_id_from": lambda: u.with_id_from(u.y),
        "filter": lambda: u.filter(u.y),
        "join": lambda: t.join(u, t.a == u.y).select(),
        "flatten": lambda: u.flatten(u.y),
        "diff": lambda: u.diff(u.a, u.y),
        "look up": lambda: t.select(x=t.ix(u.y).a),
        "window": lambda: u.windowby(u.y, window=pw.temporal.tumbling(5)).reduce(n=r.count()),
    }
    for name, action in refused.items():
        print(name)
        attempt(action)


@program
def subscribers_see_what_is_settled():
    async def doubled(x: int) -> int:
        await asyncio.sleep(0.01 * x)
        return 2 * x

    t = pw.debug.table_from_markdown("a\n1\n2")
    seen = []
    u = t.select(x=pw.udf(executor=pw.udfs.fully_async_executor())(doubled)(t.a))
    pw.io.subscribe(u, lambda key, row, time, is_addition: seen.append((row["x"], is_addition)))
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    print(sorted(seen))
