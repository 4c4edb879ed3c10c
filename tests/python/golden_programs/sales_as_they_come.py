"""Streams of changes: the same operations, with every change shown."""

from blocks import changes, program

import pathway as pw

T = pw.debug.table_from_markdown


def prices():
    return T("""
       | item | price | __time__ | __diff__
     1 | tea  | 3     | 2        | 1
     2 | nut  | 1     | 2        | 1
     1 | tea  | 3     | 4        | -1
     1 | tea  | 4     | 4        | 1
     3 | oil  | 12    | 6        | 1
     2 | nut  | 1     | 8        | -1
    """)


def sales():
    return T("""
       | item | n | __time__ | __diff__
     7 | tea  | 2 | 2        | 1
     8 | tea  | 5 | 4        | 1
     9 | nut  | 1 | 4        | 1
    10 | oil  | 3 | 4        | 1
     8 | tea  | 5 | 8        | -1
    11 | ink  | 9 | 8        | 1
    """)


@program
def values_of_sales():
    p, s = prices(), sales()
    j = s.join_left(p, s.item == p.item, id=s.id).select(s.item, value=pw.coalesce(p.price, 0) * s.n)
    changes(j)
    changes(
        j.groupby(j.item).reduce(j.item, total=pw.reducers.sum(j.value), largest=pw.reducers.max(j.value))
    )


@program
def prices_by_item():
    p, s = prices(), sales()
    keyed = p.groupby(p.item).reduce(p.item, price=pw.reducers.max(p.price))
    changes(s.select(s.item, s.n, price=keyed.ix_ref(s.item, allow_misses=True).price))


@program
def running_extremes():
    p = prices()
    changes(
        p.reduce(
            lo=pw.reducers.min(p.price),
            hi=pw.reducers.max(p.price),
            items=pw.reducers.sorted_tuple(p.item),
            n=pw.reducers.count(),
        )
    )
    changes(pw.utils.filtering.argmax_rows(p, what=p.price))
    s = sales()
    changes(pw.utils.filtering.argmin_rows(s, s.item, what=s.n))


@program
def sets_of_items():
    p, s = prices(), sales()
    a = p.groupby(p.item).reduce(p.item)
    b = s.groupby(s.item).reduce(s.item)
    changes(a.intersect(b))
    changes(a.difference(b))
    changes(b.difference(a))
    changes(a.update_rows(b).reduce(n=pw.reducers.count()))


@program
def halves_of_sales():
    s = sales()
    big, small = s.split(s.n >= 3)
    changes(
        big.select(big.item, kind="big")
        .concat(small.select(small.item, kind="small"))
        .groupby(pw.this.kind)
        .reduce(pw.this.kind, items=pw.reducers.sorted_tuple(pw.this.item))
    )


@program
def neighbours():
    p = prices()
    q = p + p.sort(p.price)
    changes(q.select(q.item, before=q.ix(q.prev, optional=True).item, after=q.ix(q.next, optional=True).item))
    changes(p + p.diff(p.price, p.price))


@program
def deduplicated_prices():
    p = prices()
    changes(p.deduplicate(value=p.price, instance=p.item, acceptor=lambda new, old: new > old))
    changes(p.deduplicate(value=p.price, acceptor=lambda new, old: new > old + 1))


@program
def events_of_tables():
    p = prices()
    changes(p.to_stream())
    st = p.to_stream("flag")
    back = st.stream_to_table(st.flag)
    changes(back)


@program
def words_of_lines():
    t = T("""
      | line   | __time__ | __diff__
    1 | a_b_a  | 2        | 1
    2 | b      | 4        | 1
    1 | a_b_a  | 6        | -1
    1 | c      | 6        | 1
    """)
    words = t.select(w=pw.apply_with_type(lambda s: tuple(s.split("_")), tuple[str, ...], t.line)).flatten(
        pw.this.w
    )
    counts = words.groupby(words.w).reduce(words.w, n=pw.reducers.count())
    changes(words)
    changes(counts)
    changes(counts.groupby(counts.n).reduce(counts.n, ws=pw.reducers.sorted_tuple(counts.w)))
    changes(counts.filter(counts.n > 1))
