"""Reading tables back: dicts, data frames, files, inconsistent streams, options."""

import os
import tempfile
import warnings

import pandas as pd
from blocks import accepted, attempt, program, show

import pathway as pw

M = pw.debug.table_from_markdown
P = pw.debug.table_from_pandas
S = pw.schema_from_types


@program
def shared_universes():
    def same(a, b):
        try:
            a + b
            print("same")
        except Exception as e:
            print(type(e).__name__)

    a = M("  | x\n1 | 5\n2 | 6")
    same(a, M("  | y\n1 | 5\n2 | 6"))
    same(a, M("  | y\n1 | 5\n2 | 6\n2 | 6"))
    same(a, M("  | y\n1 | 5\n2 | 6", unsafe_trusted_ids=True))
    same(M("  | x\n1 | 5", unsafe_trusted_ids=True), M("  | y\n1 | 5", unsafe_trusted_ids=True))
    same(a, M("  | y | __shard__\n1 | 5 | 1\n2 | 6 | 1"))
    same(M("  | x | __time__\n1 | 5 | 2\n2 | 6 | 4"), M("  | y | __time__\n2 | 5 | 4\n1 | 6 | 2"))
    same(M("  | x | __time__\n1 | 5 | 2\n2 | 6 | 4"), M("  | y | __time__\n1 | 5 | 4\n2 | 6 | 2"))
    same(M("x\n1\n2"), M("y\n1\n2"))
    same(M("x\n1\n2"), M("  | y\n0 | 5\n1 | 6"))
    same(M("x\n1\n2"), M("y\n1"))
    same(M("k | x\n1 | 5", id_from=["k"]), M("k | y\n1 | 5", id_from=["k"]))
    same(M("k | x\n1 | 5", id_from=["k"]), M("l | y\n1 | 5", id_from=["l"]))
    same(M("k | x\n1 | 5", id_from=["k"]), M("  | y\n1 | 5"))
    same(P(pd.DataFrame({"a": [1]})), pw.debug.table_from_rows(S(b=int), [(1,)]))
    same(pw.debug.table_from_rows(S(a=int), [(1,)]), pw.debug.table_from_rows(S(b=int), [(2,)]))

    class K(pw.Schema):
        k: int = pw.column_definition(primary_key=True)

    class L(pw.Schema):
        k: int = pw.column_definition(primary_key=True)
        v: int

    same(pw.debug.table_from_rows(K, [(1,)]).select(x=1), pw.debug.table_from_rows(L, [(1, 2)]))
    same(M("k | x\n1 | 5", id_from=["k"]).select(z=1), pw.debug.table_from_rows(L, [(1, 2)]))
    same(a, P(pd.DataFrame({"y": [1, 2]}, index=[2, 1])))
    same(M("x"), M("y"))
    same(M("  | x\na | 1"), P(pd.DataFrame({"y": [1]}, index=["a"])))
    same(a, M("  | y\n1 | 5\n2 | 6", _new_universe=True))


@program
def dicts_and_frames():
    t = M("  | a | b | c\n1 | 1 | x | 1.5\n2 | | y | 2\n3 | 3 | | 2.5")
    print(
        sorted(
            (str(k), {n: c[k] for n, c in pw.debug.table_to_dicts(t)[1].items()})
            for k in pw.debug.table_to_dicts(t)[0]
        )
    )
    f = pw.debug.table_to_pandas(t)
    print(
        f.dtypes.astype(str).to_dict(),
        sorted(map(str, f.index)),
        f.index.name,
        type(f.index).__name__,
        f.columns.tolist(),
    )
    f = pw.debug.table_to_pandas(t, include_id=False)
    print(sorted(f.index), type(f.index).__name__)
    e = t.filter(t.c > 100)
    f = pw.debug.table_to_pandas(e)
    print(f.dtypes.astype(str).to_dict(), f.shape)
    print(pw.debug.table_to_dicts(e))
    f = pw.debug.table_to_pandas(t.select())
    print(f.shape, f.columns.tolist())
    kinds = P(
        pd.DataFrame(
            dict(
                b=[True, False],
                s=["x", None],
                d=pd.to_datetime(["2020-01-01", "2020-01-02"]),
                u=pd.to_datetime(["2020-01-01", "2020-01-02"], utc=True),
                td=pd.to_timedelta([1, 2], unit="s"),
                t=[(1, 2), (3, 4)],
                f=[1.0, None],
                ob=pd.array([True, None], dtype="boolean"),
            )
        )
    )
    print(pw.debug.table_to_pandas(kinds, include_id=False).dtypes.astype(str).to_dict())
    print(pw.debug.table_to_pandas(kinds, include_id=False).sort_values("f").to_dict("list"))
    accepted(
        lambda: pw.debug.table_to_pandas(t, False),
        lambda: pw.debug.table_to_pandas(5),
        lambda: pw.debug.table_to_dicts(5),
        lambda: pw.debug.table_to_dicts(t, debug=True),
        lambda: pw.debug.table_to_dicts(t, monitoring_level=pw.MonitoringLevel.NONE),
        lambda: pw.debug.compute_and_print(t, nonsense=1),
        lambda: pw.debug.compute_and_print(t, 5),
        lambda: pw.debug.compute_and_print(t, n_rows=-1),
        lambda: pw.debug.compute_and_print(t, n_rows=0),
        lambda: pw.debug.compute_and_print(t, n_rows=100),
    )
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "x.parquet")
        pw.debug.table_to_parquet(t, path)
        print(sorted(pd.read_parquet(path).columns.tolist()))
        u = pw.debug.table_from_parquet(path)
        show(u.groupby(u.b).reduce(u.b, c=pw.reducers.sum(u.c)), ids=False)
        print(u.schema)
        show(pw.debug.table_from_parquet(path, None, False).filter(pw.this.c > 2), ids=False)


@program
def options_of_reading():
    t = M("a\n1\n0")
    q = t.select(q=1 // t.a)
    for kw in [
        dict(terminate_on_error=False),
        dict(terminate_on_error=True),
        dict(default_logging=True),
        dict(persistence_config=None),
        dict(with_http_server=False),
        dict(runtime_typechecking=False),
        dict(max_expression_batch_size=1),
        dict(event_loop=None),
        dict(udf_cache_directory=None),
        dict(ignore_asserts=False),
        dict(ignore_asserts=True),
        dict(runtime_typechecking=True),
    ]:
        print(kw)
        attempt(lambda: pw.debug.compute_and_print(q, include_id=False, **kw))
        attempt(lambda: pw.debug.table_to_dicts(t, **kw))
    print(
        pw.debug.table_to_dicts(q, terminate_on_error=False)[1]["q"].values()
        and sorted(map(str, pw.debug.table_to_dicts(q, terminate_on_error=False)[1]["q"].values()))
    )


@program
def squashing():
    def go(text, **kw):
        print(repr(text))
        with warnings.catch_warnings(record=True) as w:
            warnings.simplefilter("always")
            attempt(lambda: pw.debug.compute_and_print(M(text), **kw))
            print(any("experimental" not in str(x.message) for x in w))

    for kw in ({}, dict(terminate_on_error=False)):
        go("  | a\n1 | 1\n1 | 2", **kw)
        go("  | a\n1 | 1\n1 | 1", **kw)
        go("  | a | __time__\n1 | 1 | 2\n1 | 2 | 4", **kw)
        go("  | a | __time__ | __diff__\n1 | 1 | 4 | 1\n1 | 1 | 2 | -1", **kw)
        go("  | a | __time__ | __diff__\n1 | 1 | 2 | 1\n1 | 1 | 2 | -1", **kw)
        go("  | a | __time__ | __diff__\n1 | 1 | 2 | 1\n1 | 1 | 4 | -1\n1 | 2 | 4 | 1", **kw)
        go("  | a | __diff__\n1 | 1 | 1\n1 | 1 | 1\n1 | 1 | -1", **kw)
    u = M("  | a | __time__\n1 | 1 | 2\n1 | 1 | 2\n1 | 2 | 4")
    attempt(lambda: pw.debug.compute_and_print_update_stream(u))
    u = M("  | a | __time__ | __diff__\n1 | 1 | 2 | -1\n1 | 1 | 2 | -1")
    attempt(lambda: pw.debug.compute_and_print_update_stream(u))
