"""`pw.Json`, moments, wrapped objects and pointers in Python."""

from __future__ import annotations

import copy
import json
import pickle

import pandas as pd
import pytest

import pathway as pw
from pathway.internals.api import ref_scalar, unsafe_make_pointer


def test_json_delegates_to_its_value() -> None:
    j = pw.Json({"a": [1, 2.5, True], "b": None, "c": "x"})
    assert (len(j), bool(j), [str(key) for key in j]) == (3, True, ['"a"', '"b"', '"c"'])
    assert j["b"] == pw.Json.NULL
    assert next(reversed(j["a"])).as_bool() is True
    assert (int(j["a"][0]), float(j["a"][1]), "xyz"[j["a"][0]]) == (1, 2.5, "y")
    with pytest.raises(KeyError):
        j["zz"]
    with pytest.raises(TypeError):
        j["a"]["zz"]


def test_json_equality_is_that_of_the_value() -> None:
    assert pw.Json(1) == pw.Json(1)
    assert pw.Json(1) != 1
    assert pw.Json(pw.Json(1)) != pw.Json(1)
    assert pw.Json(pw.Json(1)).value == 1
    assert hash(pw.Json("a")) == hash("a")
    with pytest.raises(TypeError):
        hash(pw.Json([]))


@pytest.mark.parametrize(
    ("value", "method"),
    [
        (1.5, "as_int"),
        (True, "as_int"),
        (True, "as_float"),
        (1, "as_str"),
        (1, "as_bool"),
        ({}, "as_list"),
        ([], "as_dict"),
    ],
)
def test_json_conversions_refuse_other_kinds(value: object, method: str) -> None:
    with pytest.raises(ValueError, match="Json"):
        getattr(pw.Json(value), method)()


def test_json_text() -> None:
    assert str(pw.Json({"ż": [1, None]})) == '{"ż": [1, null]}'
    assert repr(pw.Json("a")) == "pw.Json('a')"
    moment = pd.Timestamp("2020-01-02T03:04:05.000000006+01:00")
    assert (
        pw.Json.dumps([moment, pd.Timedelta(5), pw.Json(1)])
        == '["2020-01-02T03:04:05.000000006+01:00", 5, 1]'
    )
    assert pw.Json.parse(b"[1]") == pw.Json([1])
    with pytest.raises(json.JSONDecodeError):
        pw.Json.parse("nothing")


def test_json_is_immutable_and_copies() -> None:
    j = pw.Json([1])
    with pytest.raises(AttributeError):
        j.value = 2
    assert copy.deepcopy(j) == pickle.loads(pickle.dumps(j)) == j


def test_moments_check_the_zone() -> None:
    assert isinstance(pw.DateTimeNaive("2020-01-01"), pw.DateTimeNaive)
    assert not isinstance(pw.DateTimeNaive("2020-01-01"), pw.DateTimeUtc)
    assert isinstance(pw.Duration(days=1), pw.Duration)
    with pytest.raises(ValueError, match="time zone"):
        pw.DateTimeNaive("2020-01-01", tz="UTC")
    with pytest.raises(ValueError, match="time zone"):
        pw.DateTimeUtc("2020-01-01")
    assert pw.DateTimeNaive.fromisoformat("2020-01-01").year == 2020


def test_wrapped_objects() -> None:
    wrapped = pw.wrap_py_object({"a": 1}, serializer=json)
    assert (repr(wrapped), wrapped.value) == ("PyObjectWrapper({'a': 1})", {"a": 1})
    assert copy.copy(wrapped).value is wrapped.value
    assert copy.deepcopy(wrapped).value is not wrapped.value
    t = pw.debug.table_from_rows(pw.schema_from_types(o=pw.PyObjectWrapper), [(wrapped,)])
    _, columns = pw.debug.table_to_dicts(t)
    (value,) = columns["o"].values()
    assert value.value == {"a": 1}


def test_pointers() -> None:
    assert str(ref_scalar(1)) == "^YYY4HABTRW7T8VX2Q429ZYV70W"
    assert repr(ref_scalar()) == 'Pointer("^PWSRT420000000000000000000")'
    assert str(unsafe_make_pointer(1)) == "^04000000000000000000000000"
    assert int(unsafe_make_pointer(5)) == 5
    assert ref_scalar(None, optional=True) is None
    assert len({ref_scalar(1), ref_scalar(1.0), ref_scalar(True), ref_scalar("1")}) == 4
    assert unsafe_make_pointer(1) < unsafe_make_pointer(2)
    with pytest.raises(OverflowError):
        unsafe_make_pointer(2**128)
    with pytest.raises(OverflowError):
        unsafe_make_pointer(-1)
    assert pickle.loads(pickle.dumps(ref_scalar(1))) == ref_scalar(1)
