"""Streams to try things out with."""

import os
import tempfile

from blocks import accepted, attempt, program, show

import pathway as pw

D = pw.demo
R = dict(input_rate=1000)


class KV(pw.Schema):
    k: int = pw.column_definition(primary_key=True)
    v: str = pw.column_definition(default_value="dflt")


def final(t, ids=True):
    attempt(lambda: show(t, ids=ids))


@program
def custom_streams():
    final(D.generate_custom_stream({"k": lambda i: i, "v": lambda i: str(i)}, schema=KV, nb_rows=3, **R))
    final(D.generate_custom_stream({"k": lambda i: i}, schema=KV, nb_rows=3, **R))
    final(D.generate_custom_stream({"v": lambda i: "x"}, schema=KV, nb_rows=3, **R))
    final(D.generate_custom_stream({"k": lambda i: i}, schema=KV, nb_rows=0, **R))
    S = pw.schema_from_types
    for typ, f in [
        (int, lambda i: i * 2),
        (float, lambda i: i),
        (float, lambda i: i / 2),
        (str, lambda i: f"a{i}"),
        (bool, lambda i: i % 2 == 0),
        (pw.Json, lambda i: {"a": [i, None]}),
        (list[int], lambda i: [i, i + 1]),
        (tuple[int, str], lambda i: (i, "x")),
        (int | None, lambda i: None if i else 1),
        (pw.DateTimeNaive, lambda i: "2020-01-01T00:00:00"),
        (bytes, lambda i: "abc"),
        (int, lambda i: "5"),
        (int, lambda i: 1.0),
        (str, lambda i: 5),
        (float, lambda i: float("nan")),
        (pw.Duration, lambda i: 5),
        (int, lambda i: True),
    ]:
        print(typ)
        final(D.generate_custom_stream({"a": f}, schema=S(a=typ), nb_rows=2, **R), ids=False)
    for f in (lambda i: b"x", lambda i: object(), lambda i: {1, 2}, lambda i: 1 // 0):
        final(D.generate_custom_stream({"a": f}, schema=S(a=pw.Json), nb_rows=1, **R), ids=False)
    t = D.generate_custom_stream(
        {"k": lambda i: i}, schema=KV, nb_rows=2, name="nm", autocommit_duration_ms=10, **R
    )
    print(t.is_append_only, t.schema.primary_key_columns())
    accepted(
        lambda: D.generate_custom_stream({"k": lambda i: i}, schema=KV, nb_rows=-1),
        lambda: D.generate_custom_stream({"k": lambda i: i}, KV),
        lambda: D.generate_custom_stream({"k": lambda i: i}),
        lambda: D.range_stream(nb_rows=-1),
        lambda: D.noisy_linear_stream(nb_rows=-1),
        lambda: D.range_stream(nb_rows=0),
        lambda: D.noisy_linear_stream(nb_rows=0),
        lambda: D.range_stream(1, 2, 3.0, 4),
        lambda: D.noisy_linear_stream(1, 5.0),
    )


@program
def ranges_and_lines():
    t = D.range_stream(nb_rows=3, offset=-1, **R)
    final(t, ids=False)
    print(t.is_append_only, t.schema.primary_key_columns())
    final(D.range_stream(nb_rows=3, offset=2, **R).reduce(s=pw.reducers.sum(pw.this.value)), ids=False)
    t = D.noisy_linear_stream(nb_rows=3, **R)
    print(t.is_append_only, t.schema.primary_key_columns(), t.schema)
    final(t.select(t.x))
    final(D.range_stream(nb_rows=0, **R))


@program
def replays():
    d = tempfile.mkdtemp()
    p = os.path.join(d, "a.csv")
    open(p, "w").write('k,v,t\n1,"x, ""q""",0\n2,y,1\n3,,2\n')
    S = pw.schema_from_types
    final(D.replay_csv(p, schema=S(k=int, v=str), **R), ids=False)
    final(D.replay_csv(p, schema=S(v=str, k=float), **R), ids=False)
    final(D.replay_csv(p, schema=S(k=str), **R), ids=False)

    class KS(pw.Schema):
        v: str = pw.column_definition(primary_key=True)
        k: int

    final(D.replay_csv(p, schema=KS, **R))
    t = D.replay_csv(p, schema=S(k=int), **R)
    print(t.is_append_only, t.schema)
    final(D.replay_csv(p, schema=S(zz=int), **R))
    final(D.replay_csv(os.path.join(d, "none.csv"), schema=S(k=int), **R))
    final(D.replay_csv(p, schema=S(v=int), **R))
    final(D.replay_csv(p, schema=S(k=bool), **R), ids=False)
    final(D.replay_csv(p, schema=S(k=int | None), **R), ids=False)
    final(D.replay_csv_with_time(p, schema=S(k=int, t=int), time_column="t", unit="ms"), ids=False)
    final(D.replay_csv_with_time(p, schema=S(k=int, t=float), time_column="t", unit="us"), ids=False)
    final(
        D.replay_csv_with_time(
            p, schema=S(k=int, t=int), time_column="t", unit="s", speedup=100, autocommit_ms=10
        ),
        ids=False,
    )
    accepted(
        lambda: D.replay_csv_with_time(p, schema=S(k=int, t=str), time_column="t"),
        lambda: D.replay_csv_with_time(p, schema=S(k=int), time_column="t"),
        lambda: D.replay_csv_with_time(p, schema=S(t=int), time_column="t", unit="m"),
        lambda: D.replay_csv_with_time(p, schema=S(t=int | None), time_column="t"),
        lambda: D.replay_csv(p, S(k=int)),
        lambda: D.replay_csv(p),
    )
    q = os.path.join(d, "b.csv")
    open(q, "w").write("k;t\n1;0\n")
    final(D.replay_csv(q, schema=S(k=int), **R))
    q = os.path.join(d, "c.csv")
    open(q, "w").write("k,t\n1\n2,3,4\n\n5,6\n")
    final(D.replay_csv(q, schema=S(k=int, t=str), **R), ids=False)
    q = os.path.join(d, "d.csv")
    open(q, "w").write("t,k\n100,1\n90,2\n100,3\n")
    final(D.replay_csv_with_time(q, schema=S(k=int, t=int), time_column="t", unit="ms"), ids=False)
    q = os.path.join(d, "e.csv")
    open(q, "w").write("t,k\nx,1\n90,2\n")
    final(D.replay_csv_with_time(q, schema=S(k=int, t=int), time_column="t", unit="ms"), ids=False)
