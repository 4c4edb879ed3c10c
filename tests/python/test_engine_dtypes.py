"""`DType`: one object per dtype, parts, order of generality, other forms."""

from __future__ import annotations

import copy
import pickle
from types import MappingProxyType

import pytest

from pathway._engine import DType

ALL = [
    DType.INT,
    DType.FLOAT,
    DType.BOOL,
    DType.STR,
    DType.BYTES,
    DType.NONE,
    DType.ANY,
    DType.JSON,
    DType.ANY_POINTER,
    DType.DATE_TIME_NAIVE,
    DType.DATE_TIME_UTC,
    DType.DURATION,
    DType.optional(DType.INT),
    DType.future(DType.optional(DType.STR)),
    DType.pointer(),
    DType.pointer(DType.INT, DType.STR),
    DType.tuple(),
    DType.tuple(DType.INT, DType.tuple(DType.FLOAT)),
    DType.list(DType.ANY),
    DType.list(DType.optional(DType.INT)),
    DType.array(None, DType.ANY),
    DType.array(2, DType.FLOAT),
    DType.py_object("object"),
    DType.py_object("module.Class"),
    DType.callable(None, DType.ANY),
    DType.callable([DType.INT, DType.STR], DType.BOOL),
]


def test_equal_dtypes_are_one_object() -> None:
    assert DType.tuple(DType.optional(DType.INT)) is DType.tuple(DType.optional(DType.INT))
    assert DType.array(2, DType.INT) is not DType.array(1, DType.INT)
    assert len({id(dtype) for dtype in ALL}) == len(ALL)
    assert len(set(ALL)) == len(ALL)


@pytest.mark.parametrize("dtype", ALL, ids=repr)
def test_copies_and_pickles_are_the_same_object(dtype: DType) -> None:
    assert pickle.loads(pickle.dumps(dtype)) is dtype
    assert copy.copy(dtype) is dtype
    assert copy.deepcopy([dtype])[0] is dtype


@pytest.mark.parametrize("dtype", [d for d in ALL if d.kind != "callable"], ids=repr)
def test_dictionary_form(dtype: DType) -> None:
    again = DType.from_dict(MappingProxyType(dtype.to_dict()))
    assert again.kind == dtype.kind
    if dtype.kind not in ("pointer", "py_object"):  # their arguments are not part of the form
        assert again is dtype


def test_callable_has_no_dictionary_form() -> None:
    with pytest.raises(RuntimeError, match="Callable"):
        DType.callable(None, DType.ANY).to_dict()


@pytest.mark.parametrize("notation", [{}, {"type": "NUMBER"}, {"type": "OPTIONAL"}, {"type": 1}])
def test_other_dictionaries_are_refused(notation: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="dtype"):
        DType.from_dict(notation)


def test_normalisation() -> None:
    assert DType.optional(DType.optional(DType.INT)) is DType.optional(DType.INT)
    assert DType.optional(DType.ANY) is DType.ANY
    assert DType.optional(DType.NONE) is DType.NONE
    assert DType.future(DType.future(DType.INT)) is DType.future(DType.INT)
    assert DType.array(2, DType.array(2, DType.INT)) is DType.array(4, DType.INT)


def test_parts() -> None:
    assert DType.INT.args == ()
    assert DType.ANY_POINTER.args is None
    assert DType.pointer(DType.INT).args == (DType.INT,)
    assert DType.tuple(DType.INT, DType.STR).args == (DType.INT, DType.STR)
    assert DType.list(DType.STR).args == (DType.STR,)
    assert DType.optional(DType.STR).args == (DType.STR,)
    array = DType.array(3, DType.FLOAT)
    assert (array.kind, array.n_dim, array.args) == ("array", 3, (DType.FLOAT,))
    assert DType.py_object("a.B").class_name == "a.B"
    assert (DType.INT.n_dim, DType.INT.class_name) == (None, None)


def test_generality() -> None:
    assert DType.INT.is_subtype_of(DType.FLOAT)
    assert not DType.INT.is_subtype_of(DType.FLOAT, int_float_compatible=False)
    assert DType.common_type(DType.NONE, DType.INT) is DType.optional(DType.INT)
    assert DType.common_type_or_any(DType.STR, DType.INT) is DType.ANY
    with pytest.raises(TypeError, match=r"STR.*INT"):
        DType.common_type(DType.STR, DType.INT)
