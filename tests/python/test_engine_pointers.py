"""Row ids: keys of values, text, order, copies."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

from pathway._engine import (
    ERROR,
    PENDING,
    Pointer,
    parse_pointer,
    ref_scalar,
    ref_scalar_with_instance,
    unsafe_make_pointer,
)
from pathway.internals.json import Json


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ((), "^PWSRT420000000000000000000"),
        ((0,), "^X1MXHYYG4YM0DB900V28XN5T4W"),
        ((1,), "^YYY4HABTRW7T8VX2Q429ZYV70W"),
        ((1.0,), "^3JXCTR0GZP3HQH3X2XKYZY67D8"),
        (("a",), "^HJRW9JY0344TH26PV6EJDH04GG"),
        ((b"x",), "^R6CYYEE284MTS3RT00864B7SA4"),
        ((None,), "^VFP4W1ZMVX5W8TGF02996QPDMR"),
        ((True,), "^YDJPH9YPG06GF880V9NBV375A0"),
        ((1, 2), "^KYCVNKFHRBR1AMJ84KCPKQMPG4"),
        (((1, 2),), "^7VN5M7QQ7727NTH46BJV1DNMKG"),
        (([1, 2],), "^7VN5M7QQ7727NTH46BJV1DNMKG"),
        (({"a": 1.0, "b": 1e20, "c": None},), "^NJECHDN99SKMJCTHYB9A5DS820"),
        ((Json({"a": [1]}),), "^AKSM1C6NT8QE10T52ZZ2MXKMBM"),
        ((np.array([1, 2]),), "^43DA666H1JFY28CXXDVWYNMBK8"),
        ((np.int8(3),), "^3CZ78B48PASGNT231ZECWPER90"),
    ],
)
def test_keys_of_values(values: tuple[Any, ...], text: str) -> None:
    assert str(ref_scalar(*values)) == text


def test_keys_of_keys_and_of_instances() -> None:
    assert str(ref_scalar(ref_scalar(1))) == "^YKEYQ3JGZYEAB1HA274PGGXKFM"
    assert str(ref_scalar_with_instance("x", instance=1)) == "^YYY2QK6YXCKNXR4GFGZNDGXE3G"
    assert ref_scalar_with_instance(instance=1) == ref_scalar(1)


def test_optional_keys() -> None:
    assert ref_scalar(1, None, optional=True) is None
    assert ref_scalar_with_instance(1, instance=None, optional=True) is None
    assert ref_scalar(1, optional=True) == ref_scalar(1)


@pytest.mark.parametrize(
    ("value", "error"), [(2**63, TypeError), ({1}, TypeError), (ERROR, ValueError), (PENDING, ValueError)]
)
def test_what_has_no_key(value: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        ref_scalar(value)


def test_integers_and_text() -> None:
    for number in (0, 1, 2**64, 2**128 - 1):
        pointer = unsafe_make_pointer(number)
        assert int(pointer) == number
        assert parse_pointer(str(pointer)) == pointer
        assert repr(pointer) == f'Pointer("{pointer}")'
    for bad in (-1, 2**128):
        with pytest.raises(OverflowError):
            unsafe_make_pointer(bad)
    for text in ("", "^", "PWSRT420000000000000000000", "^PWSRT42000000000000000000U"):
        with pytest.raises(ValueError, match="pointer"):
            parse_pointer(text)


def test_order_and_hash() -> None:
    one, two, big = map(unsafe_make_pointer, (1, 2, 2**127))
    assert one < two < big
    assert big >= two >= two
    assert one != two
    assert one == unsafe_make_pointer(1)
    assert hash(one) == hash(unsafe_make_pointer(1))
    assert one != object()
    assert sorted([big, one, two]) == [one, two, big]
    with pytest.raises(TypeError):
        _ = one < 1  # type: ignore[operator]


def test_copies_and_pickles() -> None:
    pointer = ref_scalar("x")
    assert pickle.loads(pickle.dumps(pointer)) == pointer
    assert copy.deepcopy({"a": [pointer]}) == {"a": [pointer]}
    assert copy.copy(pointer) is pointer


def test_annotations() -> None:
    alias: Any = Pointer[int, str]
    assert alias.__origin__ is Pointer
    assert alias.__args__ == (int, str)
    assert repr(Pointer[int]) == "pathway.engine.Pointer[int]"


def test_users_do_not_make_pointers() -> None:
    with pytest.raises(TypeError):
        Pointer()
