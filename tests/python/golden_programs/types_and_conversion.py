"""Annotations, types, what values columns of a type take, row keys."""

import collections
import datetime
import decimal
import enum
import typing

import numpy as np
import numpy.typing as npt
import pandas as pd
from blocks import accepted, program, rows, show

import pathway as pw
from pathway.internals import api
from pathway.internals import dtype as dt


class Colour(enum.Enum):
    RED = 1


class Level(enum.IntEnum):
    HIGH = 3


class Word(str, enum.Enum):
    HELLO = "hello"


ANNOTATIONS = {
    "int": int,
    "np.int64": np.int64,
    "np.int32": np.int32,
    "float": float,
    "np.float32": np.float32,
    "bool": bool,
    "str": str,
    "bytes": bytes,
    "None": None,
    "NoneType": type(None),
    "Any": typing.Any,
    "enum": Colour,
    "int | None": int | None,
    "Optional[str]": typing.Optional[str],
    "Pointer": pw.Pointer,
    "Pointer[int, str]": pw.Pointer[int, str],
    "tuple[int, str]": tuple[int, str],
    "Tuple": typing.Tuple[int, str],
    "tuple[int, ...]": tuple[int, ...],
    "list[int]": list[int],
    "List": typing.List[int],
    "list": list,
    "tuple": tuple,
    "ndarray": np.ndarray,
    "NDArray": npt.NDArray,
    "NDArray[float]": npt.NDArray[np.float64],
    "ndarray 2": np.ndarray[tuple[int, int], np.dtype[np.int64]],
    "Json": pw.Json,
    "dict": dict,
    "dict[str, int]": dict[str, int],
    "naive": pw.DateTimeNaive,
    "utc": pw.DateTimeUtc,
    "duration": pw.Duration,
    "wrapper": pw.PyObjectWrapper,
    "wrapper[...]": pw.PyObjectWrapper[decimal.Decimal],
    "Callable": typing.Callable,
}


@program
def annotations_and_their_types():
    for name, annotation in ANNOTATIONS.items():
        dtype = dt.wrap(annotation)
        print(name, "->", repr(dtype), "|", dtype.typehint)


@program
def annotations_that_are_refused():
    for annotation in (
        set,
        complex,
        object,
        datetime.datetime,
        datetime.timedelta,
        int | str,
        any,
        frozenset,
    ):
        try:
            print(annotation, repr(dt.wrap(annotation)))
        except Exception as error:
            print(annotation, type(error).__name__)


@program
def types_as_dictionaries():
    for name in (
        "int",
        "int | None",
        "Pointer[int, str]",
        "tuple[int, str]",
        "list[int]",
        "ndarray 2",
        "Json",
        "naive",
        "wrapper",
        "Any",
        "None",
    ):
        dtype = dt.wrap(ANNOTATIONS[name])
        print(dtype.to_dict(), repr(dt.parse_dtype_from_dict(dtype.to_dict())))
    accepted(lambda: dt.parse_dtype_from_dict({"type": "NOPE"}), lambda: dt.Callable(..., dt.INT).to_dict())


@program
def types_are_normalised():
    print(
        dt.Optional(dt.Optional(dt.INT)),
        dt.Optional(dt.ANY),
        dt.Optional(dt.NONE),
        dt.Future(dt.Future(dt.INT)),
    )
    print(dt.Tuple(dt.INT, ...), dt.Array(2, dt.Array(2, dt.INT)), dt.Optional(dt.INT) is dt.Optional(dt.INT))
    print(
        dt.ANY_TUPLE,
        dt.ANY_POINTER,
        dt.ANY_ARRAY,
        dt.INT_ARRAY,
        dt.FLOAT_ARRAY,
        dt.ANY_ARRAY_1D,
        dt.INT_ARRAY_2D,
        dt.ANY_PY_OBJECT_WRAPPER,
    )


SOME = [
    "int",
    "float",
    "bool",
    "str",
    "None",
    "Any",
    "int | None",
    "Pointer",
    "Pointer[int, str]",
    "tuple[int, str]",
    "tuple[int, ...]",
    "tuple",
    "ndarray",
    "ndarray 2",
    "Json",
    "naive",
    "wrapper",
]


@program
def subtypes():
    for left in SOME:
        print(
            left,
            "<=",
            *[
                right
                for right in SOME
                if dt.dtype_issubclass(dt.wrap(ANNOTATIONS[left]), dt.wrap(ANNOTATIONS[right]))
            ],
            sep=" ; ",
        )


@program
def common_types():
    for left in SOME:
        for right in SOME:
            found = dt.types_lca(dt.wrap(ANNOTATIONS[left]), dt.wrap(ANNOTATIONS[right]), raising=False)
            try:
                strict = dt.types_lca(dt.wrap(ANNOTATIONS[left]), dt.wrap(ANNOTATIONS[right]), raising=True)
            except TypeError:
                strict = "none"
            if left != right and SOME.index(left) < SOME.index(right) and repr(found) != "ANY":
                print(left, right, repr(found), strict)


def converted(target, *candidates):
    """For each value the cell of a column of type `target`, or Error."""
    for value in candidates:
        t = rows({"a": int}, (1,))
        table = t.select(x=pw.apply_with_type(lambda a, value=value: value, target, t.a))
        cell = pw.debug.table_to_dicts(table, terminate_on_error=False)[1]["x"].popitem()[1]
        print(type(value).__name__, str(value), "->", str(cell).replace("\n", " "))


NP = [np.int32(7), np.float64(1.5), np.bool_(True), np.array(5), np.str_("s")]


@program
def values_of_int_columns():
    converted(int, 1, True, 1.0, Level.HIGH, 2**63 - 1, "1", None, *NP)


@program
def values_of_float_columns():
    converted(
        float, 1.5, 1, True, decimal.Decimal("2.5"), float("nan"), 2**70, "1", None, pd.Timedelta(1), *NP
    )


@program
def values_of_bool_and_str_columns():
    converted(bool, True, 1, 0.0, "x", None, *NP)
    converted(str, "x", Word.HELLO, 1, b"x", None, *NP)


@program
def values_of_bytes_columns():
    converted(bytes, b"x", bytearray(b"x"), "x", None)


@program
def values_of_optional_columns():
    converted(int | None, 1, None, 1.5, True)
    converted(str | None, "x", None, 1)


@program
def values_of_time_columns():
    naive, utc = (
        datetime.datetime(2020, 1, 1, 2, 3),
        datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc),
    )
    converted(
        pw.DateTimeNaive,
        naive,
        utc,
        pd.Timestamp("2020-01-01"),
        datetime.date(2020, 1, 1),
        "2020-01-01",
        None,
    )
    converted(pw.DateTimeUtc, naive, utc, pd.Timestamp("2020-01-01", tz="Europe/Warsaw"), None)
    converted(pw.Duration, datetime.timedelta(1), pd.Timedelta(5), np.timedelta64(5, "s"), pd.NaT, 5)


@program
def values_of_json_columns():
    converted(
        pw.Json,
        1,
        1.5,
        True,
        None,
        "x",
        [1, (2, {"a": None})],
        {"a": pw.Json([1])},
        {1: 2},
        pw.Json(3),
        b"x",
        {1},
        np.array([1]),
        pd.Timestamp("2020-01-01"),
    )
    converted(pw.Json | None, 1, None, pw.Json(None))


@program
def values_of_sequence_columns():
    Pair = collections.namedtuple("Pair", "a b")
    converted(tuple[int, str], (1, "a"), [1, "a"], Pair(1, "a"), (1,), (1, 2), "ab", 5)
    converted(tuple[int, int], range(2), np.array([1, 2]), (True, 2), (1.5, 2))
    converted(
        list[int],
        [1, 2],
        (),
        range(3),
        b"ab",
        np.array([1, 2]),
        pd.Series([1, 2]),
        pw.Json([1, 2]),
        ["x"],
        5,
        None,
    )
    converted(list[float], [1, 2.5], (np.float64(1),))


@program
def values_of_array_columns():
    converted(
        np.ndarray,
        np.array([1, 2]),
        np.array([1.5]),
        np.array([[1]]),
        np.array([True]),
        np.array(["x"]),
        [1, 2],
        5,
    )
    converted(npt.NDArray[np.int64], np.array([1, 2]), np.array([1.5]))
    converted(npt.NDArray[np.float64], np.array([1, 2]), np.array([1.5], dtype=np.float32))
    converted(np.ndarray[tuple[int, int], np.dtype[np.int64]], np.array([[1]]), np.array([1]))


@program
def values_of_any_columns():
    converted(
        typing.Any,
        1,
        1.5,
        True,
        None,
        "x",
        b"x",
        (1, "a"),
        [1],
        {"a": 1},
        pw.Json([1]),
        np.array([1]),
        range(2),
        bytearray(b"a"),
        pd.Series([1]),
        np.array([True]),
        Level.HIGH,
        Word.HELLO,
        decimal.Decimal("1.5"),
        datetime.datetime(2020, 1, 1),
        datetime.timedelta(1),
        pw.PyObjectWrapper("o"),
        {1},
        datetime.date(2020, 1, 1),
        Colour.RED,
        pd.NaT,
        pd.NA,
    )


@program
def values_of_object_columns():
    converted(pw.PyObjectWrapper, pw.PyObjectWrapper(1), "plain", {1}, None)
    print(pw.PyObjectWrapper([1]), repr(pw.PyObjectWrapper("x")), pw.PyObjectWrapper(5).value)


@program
def values_that_functions_receive():
    t = rows(
        {
            "i": int,
            "x": float,
            "s": str,
            "y": bytes,
            "t": tuple[int, str],
            "li": list[int],
            "j": pw.Json,
            "d": pw.DateTimeNaive,
            "u": pw.DateTimeUtc,
            "e": pw.Duration,
            "o": int | None,
        },
        (
            1,
            1.5,
            "x",
            b"y",
            (1, "a"),
            [1],
            {"a": 1},
            pw.DateTimeNaive("2020-01-01"),
            pw.DateTimeUtc("2020-01-01T00:00Z"),
            pw.Duration(1),
            None,
        ),
    )
    for name in list(t.column_names())[1:]:
        show(t.select(kind=pw.apply_with_type(lambda v: f"{type(v).__name__} {v}", str, t[name])), ids=False)
    show(t.select(kind=pw.apply_with_type(lambda p: type(p).__name__, str, t.id)), ids=False)
    show(t.select(kind=pw.apply_with_type(lambda u: str(u.tzinfo is None), str, t.d)), ids=False)


@program
def keys_of_values():
    p = api.ref_scalar
    for arguments in [
        (),
        (0,),
        (1,),
        (-1,),
        (1.0,),
        (-0.0,),
        (0.0,),
        (True,),
        (None,),
        ("a",),
        ("ż",),
        (b"a",),
        (1, 2),
        ((1, 2),),
        ([1, 2],),
        (p(1),),
        ("x", None, 2.5),
        (pw.Json({"b": [1, None], "a": 1.0}),),
    ]:
        print(arguments, p(*arguments))
    print(
        p(np.array([[1, 2]])),
        p(np.array([0.5])),
        p(pd.Timestamp("2020-01-01")),
        p(pd.Timestamp("2020-01-01", tz="UTC")),
        p(pd.Timedelta(5)),
        p(float("nan")),
    )
    print(
        p(1, None, optional=True),
        p(1, optional=True) == p(1),
        api.unsafe_make_pointer(5),
        int(api.unsafe_make_pointer(2**100)),
        repr(p(1)),
    )
    print(
        p(1) == p(1),
        p(1) < p(2),
        sorted([p(3), p(1), p(2)]),
        hash(p(1)) == hash(p(1)),
        isinstance(p(1), pw.Pointer),
    )
    accepted(
        lambda: api.unsafe_make_pointer(-1), lambda: api.unsafe_make_pointer(2**128), lambda: pw.Pointer()
    )


@program
def keys_of_rows():
    t = rows({"a": int, "b": str | None, "i": int}, (1, "x", 7), (2, None, 7))
    show(
        t.select(
            x=t.pointer_from(t.a),
            y=t.pointer_from(t.a, t.b),
            z=t.pointer_from((t.a, t.b)),
            n=t.pointer_from(),
        )
    )
    show(
        t.select(
            t.i,
            o=t.pointer_from(t.a, t.b, optional=True),
            n=t.pointer_from(t.a, instance=t.i),
            j=t.pointer_from(instance=t.i),
        )
    )
    show(t.with_id_from(t.a, t.b))
    show(t.with_id_from(t.a, instance=t.i))
    show(t.select(ok=pw.this.id == pw.this.pointer_from(pw.this.k)))
    show(t.select(const=t.pointer_from("x", 1, None)))


@program
def pointers_of_different_types():
    t = rows({"a": int, "b": str}, (1, "x"))
    p = t.select(
        p=t.pointer_from(t.a),
        q=t.pointer_from(t.b),
        r=t.pointer_from(t.a, t.b),
        f=t.pointer_from(0.5),
        i=t.id,
    )
    accepted(
        lambda: p.select(x=p.p == p.q),
        lambda: p.select(x=p.p == p.r),
        lambda: p.select(x=p.p == p.f),
        lambda: p.select(x=p.p == p.i),
        lambda: p.select(x=p.p < p.q),
        lambda: p.select(x=p.p < p.i),
        lambda: t.with_id_from(t.a).ix(p.q),
        lambda: t.with_id_from(t.a).ix(p.p),
        lambda: t.with_id_from(t.a).ix(p.i),
        lambda: t.ix(t.a),
        lambda: p.with_id(p.p),
        lambda: t.with_id(t.a),
        lambda: t.with_id(t.a + 1),
    )


@program
def order_of_values_of_every_kind():
    cells = [
        None,
        True,
        False,
        5,
        -1,
        2.5,
        float("inf"),
        "b",
        "a",
        b"x",
        (1, 2),
        (1,),
        pd.Timestamp("2020-01-01"),
        pd.Timedelta(1),
        "",
        0,
    ]
    t = rows({"v": typing.Any}, *[(cell,) for cell in cells])
    print(*pw.debug.table_to_dicts(t.reduce(s=pw.reducers.sorted_tuple(t.v)))[1]["s"].values())
    show(t.reduce(lo=pw.reducers.min(t.v), hi=pw.reducers.max(t.v)), ids=False)
    print(
        *pw.debug.table_to_dicts(t.groupby(t.v).reduce(n=pw.reducers.count()).reduce(n=pw.reducers.count()))[
            1
        ]["n"].values()
    )


@program
def groups_of_equal_values():
    texts = ["nan", "nan", "0", "-0", "1", "inf", "inf"]
    t = rows({"s": str}, *[(text,) for text in texts]).select(x=pw.this.s.str.parse_float())
    show(t.groupby(t.x).reduce(n=pw.reducers.count(), t=pw.reducers.any(t.x).to_string()))
    mixed = rows({"v": typing.Any}, (1,), (1.0,), (True,), ("1",), (1,))
    show(mixed.groupby(mixed.v).reduce(n=pw.reducers.count()))
    listed = rows(
        {"v": typing.Any}, ((1, 2),), ([1, 2],), (np.array([1, 2]),), (pw.Json([1, 2]),), (pw.Json([1, 2]),)
    )
    show(listed.groupby(listed.v).reduce(n=pw.reducers.count()))
