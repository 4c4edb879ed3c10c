"""Rows that are inserted, replaced and removed, and what operations make of it, change by change."""

from blocks import changes, program

import pathway as pw

R = pw.reducers


def parts():
    return pw.debug.table_from_markdown("""
      | k | a | __time__ | __diff__
    1 | x | 3 | 2        | 1
    2 | x | 5 | 2        | 1
    3 | y | 7 | 4        | 1
    1 | x | 3 | 4        | -1
    1 | x | 9 | 4        | 1
    2 | x | 5 | 6        | -1
    4 | z | 1 | 6        | 1
    3 | y | 7 | 8        | -1
    3 | w | 7 | 8        | 1
    """)


def prices():
    return pw.debug.table_from_markdown("""
      | k | b  | __time__ | __diff__
    1 | x | 10 | 2        | 1
    3 | y | 20 | 4        | 1
    1 | x | 10 | 6        | -1
    4 | w | 30 | 6        | 1
    4 | w | 30 | 10       | -1
    4 | w | 31 | 10       | 1
    """)


@program
def groups_of_changing_rows():
    t = parts()
    changes(t.groupby(t.k).reduce(t.k, s=R.sum(t.a), m=R.min(t.a), n=R.sorted_tuple(t.a), best=R.argmax(t.a)))
    changes(t.reduce(s=R.sum(t.a), n=R.count(), average=R.avg(t.a)))
    changes(t.groupby(t.k).reduce(t.k, distinct=R.count_distinct(t.a), one=R.any(t.a), same=R.unique(t.k)))
    changes(t.groupby(t.k, sort_by=t.a).reduce(t.k, q=R.tuple(t.a), array=R.ndarray(t.a)))
    changes(t.groupby(t.a, instance=t.k).reduce(t.a, t.k, n=R.count()))
    changes(t.groupby(id=t.id).reduce(a=R.sum(t.a), n=R.count()))


@program
def joins_of_changing_rows():
    t, u = parts(), prices()
    changes(t.join(u, t.k == u.k).select(t.k, t.a, u.b))
    changes(t.join_left(u, t.k == u.k).select(t.k, t.a, u.b))
    changes(t.join_outer(u, t.k == u.k).select(k=pw.coalesce(t.k, u.k), a=t.a, b=u.b))
    changes(t.join_left(u, t.id == u.id, id=t.id).select(t.k, t.a, u.b))
    changes(t.join(u, t.k == u.k).reduce(n=R.count(), total=R.sum(t.a * u.b)))


@program
def rows_looked_up_as_they_change():
    t, u = parts(), prices()
    changes(t.select(t.k, b=u.ix(t.id, allow_misses=True).b))
    changes(t.select(t.k, b=u.with_id_from(u.k).ix_ref(t.k, allow_misses=True).b))


@program
def sets_of_changing_rows():
    t, u = parts(), prices()
    changes(t.intersect(u))
    changes(t.difference(u))
    changes(t.select(t.k, v=t.a).update_rows(u.select(u.k, v=u.b)))
    changes(t.select(t.k, v=t.a).concat_reindex(u.select(u.k, v=u.b)))
    changes(t.with_id_from(t.k, t.a))
    changes(t.filter(t.a > 4))
    changes(t.select(q=pw.make_tuple(t.a, t.a + 1), k=t.k).flatten(pw.this.q))


@program
def order_of_changing_rows():
    t = parts()
    changes(t.sort(t.a))
    changes(t.select(t.a) + t.sort(t.a, instance=t.k))
    changes(t.diff(t.a, t.a))
    changes(t.deduplicate(value=pw.this.a, acceptor=lambda new, old: new > old, instance=pw.this.k))


@program
def streams_of_changing_rows():
    t = parts()
    changes(t.to_stream())
    changes(t.to_stream("up").stream_to_table(pw.this.up))


@program
def errors_that_come_and_go():
    t = parts()
    q = t.select(t.k, q=10 // (t.a - 9))
    changes(q, terminate_on_error=False)
    changes(q.select(q.k, q=pw.fill_error(q.q, 0)))
    changes(q.remove_errors())
