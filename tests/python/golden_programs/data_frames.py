"""Data frames become tables and come back: storage types, missing values, time zones, labels, schemas."""

import datetime
import typing

import numpy as np
import pandas as pd
from blocks import changes, program

import pathway as pw

D = pd.DataFrame


def frame(df, **options):
    """The table of a frame, its types and rows, and the frame that comes back."""
    try:
        t = pw.debug.table_from_pandas(df, **options)
    except Exception as e:
        print("refused at build", type(e).__name__)
        return
    print(t.schema)
    try:
        pw.debug.compute_and_print(t)
        d = pw.debug.table_to_pandas(t)
    except Exception as e:
        print("refused at run", type(e).__name__)
        return
    print({c: str(d[c].dtype) for c in d}, d.shape)
    print([[type(x).__name__ for x in d[c]] for c in d])


@program
def whole_numbers_of_frames():
    frame(D({"a": [1, 2, 3]}))
    frame(D({"a": pd.array([1, None, 3], dtype="Int64")}))
    frame(D({"a": np.array([1, 2], dtype="int8")}))
    frame(D({"a": np.array([1, 2], dtype="uint64")}))
    frame(D({"a": pd.array([1, 2], dtype="UInt8")}))
    frame(D({"a": [2**62]}))


@program
def fractions_of_frames():
    frame(D({"a": [1.5, np.nan]}))
    frame(D({"a": pd.array([1.5, None], dtype="Float64")}))
    frame(D({"a": np.array([1.5], dtype="float32")}))
    frame(D({"a": [1, None]}))
    frame(D({"a": [np.inf, -np.inf, 0.0]}))


@program
def truth_values_of_frames():
    frame(D({"a": [True, False]}))
    frame(D({"a": pd.array([True, None], dtype="boolean")}))
    frame(D({"a": [True, 1]}))


@program
def texts_of_frames():
    frame(D({"a": ["x", "y"]}))
    frame(D({"a": ["x", None]}))
    frame(D({"a": pd.array(["x", None], dtype="string")}))
    frame(D({"a": pd.array(["x", pd.NA], dtype="str")}))
    frame(D({"a": ["x", np.nan]}))
    frame(D({"a": ["x", 1, 2.5]}))


@program
def categories_of_frames():
    frame(D({"a": pd.Categorical(["x", "y", "x"])}))
    frame(D({"a": pd.Categorical(["x", None])}))
    frame(D({"a": pd.Categorical([1, 2])}))


@program
def moments_of_frames():

    frame(
        D({"a": pd.to_datetime(["2020-01-01 00:00:00", "2021-05-06 07:08:09.123456789"], format="ISO8601")})
    )
    frame(D({"a": pd.to_datetime(["2020-01-01", None])}))
    frame(D({"a": pd.to_datetime(["2020-01-01"]).tz_localize("UTC")}))
    frame(D({"a": pd.to_datetime(["2020-01-01 10:00", "2020-07-01 10:00"]).tz_localize("Europe/Warsaw")}))
    frame(D({"a": pd.to_datetime(["2020-01-01", None]).tz_localize("Asia/Tokyo")}))
    frame(D({"a": [datetime.datetime(2020, 1, 1)]}))
    frame(D({"a": [datetime.datetime(2020, 1, 1), None]}))
    frame(D({"a": pd.to_datetime(["2020-01-01"]).astype("datetime64[s]")}))


@program
def lengths_of_time_of_frames():
    frame(D({"a": pd.to_timedelta(["1h", "2 days"])}))
    frame(D({"a": pd.to_timedelta(["1h", None])}))
    frame(D({"a": [datetime.timedelta(1)]}))
    frame(D({"a": pd.to_timedelta(["1h"]).astype("timedelta64[s]")}))


@program
def containers_of_frames():
    frame(D({"a": [(1, 2), (3, 4)]}))
    frame(D({"a": [[1], [2, 3]]}))
    frame(D({"a": [{"x": 1}, {"y": [1]}]}))
    frame(D({"a": [np.array([1, 2]), np.array([3, 4])]}))
    frame(D({"a": [None, None]}))
    frame(D({"a": []}))
    frame(D({"a": [(1,), (1, 2)]}))
    frame(D({"a": [[], []]}))
    frame(D({"a": [(1, None), (2, 3)]}))


@program
def labels_of_frames():
    frame(D({"a": [1, 2]}, index=["x", "y"]))
    frame(D({"a": [1, 2]}, index=[10, 5]))
    frame(D({"a": [1, 2]}, index=pd.to_datetime(["2020-01-01", "2020-01-02"])))
    frame(D({"a": [1, 2]}, index=[1.5, 2.5]))
    frame(D({"a": [1, 2]}, index=[("a", 1), ("b", 2)]))
    frame(D({"a": [1, 2]}, index=pd.MultiIndex.from_tuples([("a", 1), ("b", 2)])))
    frame(D({"a": [1, 2]}, index=[1, 1]))
    frame(D({"a": [1, 2], "b": [3, 4]}), id_from=["a"])
    frame(D({"a": [1, 2], "b": [3, 4]}), id_from=["b", "a"])
    frame(D({"a": [1, 2]}, index=[100, 200]), unsafe_trusted_ids=True)
    frame(D({"a": [1, 1], "b": [3, 4]}), id_from=["a"])
    frame(D({"a": [1, 2]}), id_from=["zz"])
    frame(D({"a b": [1]}))


class S(pw.Schema):
    a: int
    b: str | None


class K(pw.Schema):
    a: int = pw.column_definition(primary_key=True)
    b: float = pw.column_definition(default_value=2.0)


@program
def frames_with_schemas():
    frame(D({"a": [1, 2], "b": ["x", None]}), schema=S)
    frame(D({"a": [1, 2], "b": ["x", 1]}), schema=S)
    frame(D({"a": [1, 2]}), schema=S)
    frame(D({"a": [1, 2], "b": [1, 2], "c": [1, 2]}), schema=S)
    frame(D({"a": [3, 4]}), schema=K)
    frame(D({"a": [1, 2], "b": ["x", "y"]}), schema=S, id_from=["a"])
    frame(
        D({"t": pd.to_datetime(["2020-01-01", None])}), schema=pw.schema_from_types(t=pw.DateTimeNaive | None)
    )
    frame(D({"t": [1, 2]}), schema=pw.schema_from_types(t=float))
    frame(D({"t": [1, 2]}), schema=pw.schema_from_types(t=str))
    frame(D({"t": ["1", "x"]}), schema=pw.schema_from_types(t=pw.Json))
    frame(D({"t": [{"a": 1}, None]}), schema=pw.schema_from_types(t=pw.Json))
    frame(D({"t": [{"a": 1}, None]}), schema=pw.schema_from_types(t=pw.Json | None))
    frame(D({"t": ["x", "y"]}), schema=pw.schema_from_types(t=bytes))
    frame(D({"t": [[1, 2], [3]]}), schema=pw.schema_from_types(t=list[int]))
    frame(D({"t": [1, "x", None]}), schema=pw.schema_from_types(t=typing.Any))


@program
def frames_with_times():
    d = D({"a": [1, 2, 1], "__time__": [2, 4, 6], "__diff__": [1, 1, -1]}, index=[1, 2, 1])
    changes(pw.debug.table_from_pandas(d))
    frame(D({"a": [1, 2], "_time": [2, 4], "_diff": [1, 1]}))
    changes(pw.debug.table_from_pandas(D({"a": [1, 2], "__time__": [2, 4]})))


@program
def frames_of_tables_and_their_types():
    t = pw.debug.table_from_markdown("""
      | a | b   | c   | d
    1 | 1 | x   | 1.5 | True
    2 |   | y   |     |
    """)
    for kw in ({}, {"include_id": False}):
        d = pw.debug.table_to_pandas(t, **kw)
    print(d.sort_values("b").to_string())
    print(d.dtypes.to_string())
    print(type(d.index).__name__, d.index.name)
    e = pw.debug.table_to_pandas(t.filter(t.b == "zz"))
    print(e.shape, e.dtypes.to_string(), list(e.columns))
    t2 = t.select(
        j=pw.apply_with_type(lambda b: {"b": b}, pw.Json, t.b),
        n=pw.apply_with_type(lambda b: pd.Timestamp("2020-01-01"), pw.DateTimeNaive, t.b),
        u=pw.apply_with_type(lambda b: pd.Timestamp("2020-01-01", tz="UTC"), pw.DateTimeUtc, t.b),
        d=pw.apply_with_type(lambda b: pd.Timedelta(1), pw.Duration, t.b),
        tp=pw.make_tuple(t.a, t.b),
        p=t.id,
        by=pw.apply_with_type(lambda b: b.encode(), bytes, t.b),
        on=pw.apply_with_type(
            lambda b: None if b == "x" else pd.Timestamp("2020-01-01"), pw.DateTimeNaive | None, t.b
        ),
        ob=pw.apply_with_type(lambda b: None if b == "x" else True, bool | None, t.b),
    )
    d = pw.debug.table_to_pandas(t2)
    print(d.dtypes.to_string())
