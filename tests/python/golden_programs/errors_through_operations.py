"""A table with an error in a cell, and what each operation makes of it."""

from blocks import changes, program, show, values

import pathway as pw

R = pw.reducers


def table():
    return pw.debug.table_from_markdown("""
      | a  | b | s
    1 | 3  | 2 | foo
    2 | 5  | 0 | bar
    3 | -7 | 4 | 1
    """)


def failing():
    t = table()
    return t.select(t.a, q=t.a // t.b, s=t.s)


def run(table, *, ids=True):
    show(table, ids=ids, terminate_on_error=False)


@program
def expressions_over_errors():
    e = failing()
    run(e.select(x=pw.if_else(e.q > 0, 1, 2), y=pw.coalesce(e.q, 1), z=pw.require(1, e.q), n=e.q.is_none()))
    run(e.select(text=e.q.to_string(), tup=pw.make_tuple(e.q), c=pw.cast(float, e.q)))
    run(e.select(x=(e.a > 100) & (e.q > 0), y=(e.q > 0) & (e.a > 100), z=(e.a < 100) | (e.q > 0)))
    run(
        e.select(
            x=e.s.str.parse_float(optional=True), y=e.s.str.parse_bool(optional=True), z=pw.cast(int, e.s)
        )
    )
    run(e.select(x=pw.apply(lambda v: v, e.q), y=pw.apply_with_type(lambda v, w: w, int, e.a, e.q)))
    run(e.select(x=pw.fill_error(e.q, 0), y=pw.fill_error(e.q * 1.5, e.a), z=pw.fill_error(e.q, None)))


@program
def groups_over_errors():
    e = failing()
    run(e.groupby(e.q).reduce(e.q, n=R.count()))
    values(
        e.reduce(
            a=R.any(e.q), m=R.max(e.q), t=R.tuple(e.q), n=R.count(e.q), c=R.count(), u=R.count_distinct(e.q)
        )
    )
    values(
        e.reduce(average=R.avg(e.q), least=R.argmin(e.q), total=R.sum(e.q), distinct=R.count_distinct(e.a))
    )


@program
def joins_over_errors():
    e = failing()
    values(e.join(e.copy(), pw.left.q == pw.right.q).select(pw.left.a))
    values(e.join_left(e.copy(), pw.left.q == pw.right.q).select(pw.left.a, r=pw.right.a))


@program
def rows_with_errors():
    e = failing()
    run(e.remove_errors())
    run(e.select(e.a, t=pw.make_tuple(e.q, 1)).remove_errors())
    run(e.filter(e.q > 0))
    run(e.sort(e.q))
    run(e.select(x=pw.make_tuple(e.q, 1)).flatten(pw.this.x))
    run(e.with_id_from(e.q))
    run(e.concat_reindex(e))
    run(e.update_rows(e.filter(e.a > 3)))
    changes(e.deduplicate(value=e.a, acceptor=lambda new, old: True), terminate_on_error=False)


@program
def errors_are_logged_where_they_are_made():
    seen = []
    t = table()
    with pw.local_error_log() as log:
        own = t.select(t.a, d=t.a // t.b)
    other = t.select(m=t.a % t.b)
    for name, entries in (("local", log), ("global", pw.global_error_log())):
        pw.io.subscribe(
            entries,
            lambda key, row, time, is_addition, name=name: seen.append((name, row["message"], is_addition)),
        )
    pw.io.null.write(own)
    pw.io.null.write(other)
    pw.run(terminate_on_error=False, monitoring_level=pw.MonitoringLevel.NONE)
    for entry in sorted(seen):
        print(*entry)
