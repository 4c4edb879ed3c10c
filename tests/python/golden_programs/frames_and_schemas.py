"""Tables from data frames, with and without schemas, and from rows."""

import datetime
from typing import Any, Optional

import numpy as np
import pandas as pd
from blocks import accepted, attempt, changes, program, show

import pathway as pw

M = pw.debug.table_from_markdown
P = pw.debug.table_from_pandas
S = pw.schema_from_types


@program
def frames_inferred():
    cols = dict(
        i=[1, 2],
        b=[True, False],
        n=[None, None],
        f=[1.5, None],
        o=[1, None],
        nan=[float("nan"), 1.0],
        mixed=[1, "x"],
        js=[{"a": 1}, {"b": 2}],
        t1=[(1, 2), (3, 4)],
        t2=[[1, 2], [3, 4]],
        t3=[(1, "a"), (2, "b")],
        t4=[(1,), (2, 3)],
        t5=[(1, None), (2, 3)],
        t6=[(1.5, 2), (3, 4)],
        t7=[(), ()],
        t8=[[], [1]],
        t9=[(1, (2, 3)), (1, (2, 4))],
        a3=[np.array([1]), np.array([1.0])],
        d=[datetime.datetime(2020, 1, 1), datetime.datetime(2021, 1, 1)],
        dn=[datetime.datetime(2020, 1, 1), None],
        td=[datetime.timedelta(1), datetime.timedelta(2)],
        ts=[pd.Timestamp("2020-01-01"), pd.NaT],
        np8=np.array([1, 2], dtype="int8"),
        nu8=np.array([1, 2], dtype="uint64"),
        f32=np.array([1, 2], dtype="float32"),
        nb=np.array([True, False]),
        I64=pd.array([1, None], dtype="Int64"),
        F64=pd.array([1.5, None], dtype="Float64"),
        st=pd.array(["x", None], dtype="string"),
        big=[2**70, 1],
        cat=pd.Categorical(["x", "y"]),
        npint=np.array([np.int64(1), np.int64(2)], dtype=object),
        mixnum=[1, 2.5],
        objint=np.array([1, 2], dtype=object),
        objfl=np.array([1.5, 2.5], dtype=object),
        objmix=np.array([1, 2.5], dtype=object),
        s2=["x", None],
        sint=pd.array([1, 2], dtype="Int32"),
    )
    for name, values in cols.items():
        print("--", name)

        def go():
            t = P(pd.DataFrame({name: values}))
            print(t.schema)
            pw.debug.compute_and_print(t, include_id=False)
            _, c = pw.debug.table_to_dicts(t)
            print(sorted(type(v).__name__ for v in c[name].values()))

        attempt(go)


@program
def index_kinds():
    for labels in [
        ["a", "b"],
        [1.5, 2.5],
        [True, False],
        pd.to_datetime(["2020-01-01", "2020-01-02"]),
        [(1, 2), (3, 4)],
        pd.MultiIndex.from_tuples([(1, "x"), (2, "y")]),
        np.array([1, 2], dtype="uint8"),
        [1, 1],
        pd.RangeIndex(5, 7),
        [pw.internals.api.ref_scalar(1), pw.internals.api.ref_scalar(2)],
        [b"x", b"y"],
        pd.Index([1, "x"], dtype=object),
    ]:
        print("--", list(labels))
        attempt(lambda labels=labels: show(P(pd.DataFrame({"a": [1, 2]}, index=labels))))
    trusted = pd.DataFrame({"a": [1, 2]}, index=[5, 6])
    show(P(trusted, unsafe_trusted_ids=True))
    changed = P(trusted)
    trusted["a"] = 0
    show(changed)


@program
def schemas_of_texts():
    class Def(pw.Schema):
        a: int
        b: str = pw.column_definition(default_value="x")

    for text, schema in [
        ("a | b\n1 | 2", S(a=int, b=str)),
        ("a | b\n1 | 2", S(a=float, b=float)),
        ("a\n1.0", S(a=int)),
        ("a\nx", S(a=bytes)),
        ("a\n1\n\n", S(a=Optional[int])),
        ("a\n1\nNone", S(a=Optional[int])),
        ("a\n1\nNone", S(a=Optional[float])),
        ("a\nTrue", S(a=str)),
        ("a\n1.5", S(a=str)),
        ("a\n1.0", S(a=str)),
        ("a\n1\nNone", S(a=Optional[str])),
        ("a\ntrue\nNone", S(a=Optional[bool])),
        ("a\n1", S(a=Any)),
        ("a\n1\nx", S(a=Any)),
        ("a\n1.5\nNone", S(a=Any)),
        ("a\n1", S(a=pw.Json)),
        ("a\nx", S(a=pw.Json)),
        ("a\n1", Def),
        ("a | b | c\n1 | 2 | 3", Def),
        ("a | b\n1 | 2", Def),
        ("a", S(a=int)),
        ("a\n1\n2.5", S(a=str)),
        ("a\n1\n2.5", S(a=float)),
        ("a\ntrue\nx", S(a=str)),
        ("a\n007\n8", S(a=str)),
        ("a\n1e3", S(a=str)),
    ]:
        print(repr(text), schema.typehints())
        attempt(lambda: show(M(text, schema=schema)))

    class K(pw.Schema):
        a: int
        k: str = pw.column_definition(primary_key=True)
        l: int = pw.column_definition(primary_key=True)

    show(M("  | a | k | l\n9 | 5 | x | 1\n8 | 6 | y | 2", schema=K))
    show(pw.debug.table_from_rows(K, [(5, "x", 1), (6, "y", 2)]))
    accepted(
        lambda: M("a\n1", schema=S(a=int), id_from=[]),
        lambda: P(pd.DataFrame({"a": [1]}), schema=S(a=int), id_from=["a"]),
        lambda: P(pd.DataFrame({"a": [1]}), id_from="a"),
        lambda: P(pd.DataFrame({"a": [1]}), id_from=["b"]),
        lambda: pw.debug.table_from_rows(5, []),
        lambda: pw.debug.table_from_rows(S(a=int), [[1]]),
        lambda: pw.debug.table_from_rows(S(a=int), ((1,),)),
    )
    accepted(
        lambda: M("a\n1", None, True, None, True),
        lambda: M("a\n1", ["a"], False, None),
        lambda: P(pd.DataFrame({"a": [1]}), None, False, None),
        lambda: M(table_def="a\n1"),
        lambda: P(df=pd.DataFrame({"a": [1]})),
    )


@program
def schema_values_from_frames():
    def go(values, typ):
        print(repr(values), typ)

        def f():
            t = P(pd.DataFrame({"a": values}), schema=S(a=typ))
            show(t, ids=False)
            print(sorted(type(v).__name__ for v in pw.debug.table_to_dicts(t)[1]["a"].values()))

        attempt(f)

    for v, t in [
        ([1, 2], str),
        ([1.5, 2.0], str),
        ([True], str),
        ([b"x"], str),
        (["x"], bytes),
        ([1], float),
        ([1.0, None], Optional[int]),
        ([None, None], Optional[int]),
        ([(1, 2)], tuple),
        ([(1, 2)], tuple[int, int]),
        ([[1, 2]], list[int]),
        ([(1, 2)], list[int]),
        ([[1, 2]], tuple[int, int]),
        ([{"a": 1}], pw.Json),
        ([1], pw.Json),
        (["x"], pw.Json),
        ([[1]], pw.Json),
        ([None], Optional[pw.Json]),
        ([float("nan"), 1.0], Optional[float]),
        ([datetime.datetime(2020, 1, 1)], pw.DateTimeNaive),
        ([pd.Timestamp("2020-01-01", tz="UTC")], pw.DateTimeUtc),
        ([datetime.timedelta(1)], pw.Duration),
        ([datetime.datetime(2020, 1, 1), None], Optional[pw.DateTimeNaive]),
        ([np.array([1])], np.ndarray),
        ([pw.internals.api.ref_scalar(1)], pw.Pointer),
        ([1], pw.PyObjectWrapper),
        ([pw.PyObjectWrapper(1)], pw.PyObjectWrapper),
    ]:
        go(v, t)


@program
def rows_with_times():
    A = S(a=int, b=str)
    for r, kw in [
        ([(1, "x"), (2,)], {}),
        ([(1, "x", 3)], {}),
        ([(1, "x", 3, 1, 9)], dict(is_stream=True)),
        ([(1, "x", 3)], dict(is_stream=True)),
        ([(1, "x", 4, 1), (2, "y", 2, 1)], dict(is_stream=True)),
        ([(1, "x", 3, 1), (2, "y", 2, 1)], dict(is_stream=True)),
        ([(1, "x", -2, 1)], dict(is_stream=True)),
        ([(1, "x", 2, 2)], dict(is_stream=True)),
        ([(1, "x"), (2, "y")], dict(unsafe_trusted_ids=True)),
        ([], {}),
        ([(1, 2)], {}),
    ]:
        print(r, kw)
        attempt(lambda: changes(pw.debug.table_from_rows(A, r, **kw)))
    print(
        pw.debug.table_from_rows(A, [(1, "x", 2, 1)], is_stream=True).is_append_only,
        pw.debug.table_from_rows(A, [(1, "x", 2, 1), (1, "x", 2, -1)], is_stream=True).is_append_only,
    )
