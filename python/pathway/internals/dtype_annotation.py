"""From a Python annotation to a dtype and back."""

from __future__ import annotations

import enum
import sys
import types
import typing
from collections.abc import Callable
from typing import Any

from pathway._engine import DType, Pointer

#: `PyObjectWrapper[X]`: dtypes know the class by name only; here the engine finds it.
PY_OBJECT_CLASSES: dict[str, type] = {}

_SIMPLE: dict[object, DType] = {
    int: DType.INT,
    float: DType.FLOAT,
    bool: DType.BOOL,
    str: DType.STR,
    bytes: DType.BYTES,
    type(None): DType.NONE,
    Pointer: DType.ANY_POINTER,
    dict: DType.JSON,
    list: DType.list(DType.ANY),
    tuple: DType.list(DType.ANY),
}


def name_of_py_object(cls: type) -> str:
    """The text that stands for a class in the dtype of its wrapper."""
    name = cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"
    PY_OBJECT_CLASSES[name] = cls
    return name


def class_of_py_object(dtype: DType) -> type:
    """The class that a `PyObjectWrapper` dtype names; `object` if this process has not seen it."""
    return PY_OBJECT_CLASSES.get(dtype.class_name or "object", object)


def wrap(annotation: Any) -> DType:
    """The dtype that an annotation stands for.

    >>> import pathway as pw
    >>> wrap(int), wrap(list[str]), wrap(tuple[int, float | None]), wrap(pw.Json)
    (INT, List(STR), Tuple(INT, Optional(FLOAT)), Json)
    """
    if isinstance(annotation, DType):
        return annotation
    origin = typing.get_origin(annotation)
    if origin is not None:
        return _wrap_generic(annotation, origin, typing.get_args(annotation))
    if type(annotation).__name__ == "TypeAliasType":  # type Alias = ...
        return wrap(annotation.__value__)
    own = getattr(annotation, "__pathway_dtype__", None)  # columns of schemas, pw.Type, classes of values
    if isinstance(own, DType):
        return own
    if annotation is None:
        return DType.NONE
    if annotation is Any:
        return DType.ANY
    if isinstance(annotation, str):
        from pathway.internals.trace import warn

        warn(f"The text {annotation!r} is no type: it stands for any value. Write the type itself.")
        return DType.ANY
    try:
        simple = _SIMPLE.get(annotation)
    except TypeError:  # not hashable
        simple = None
    if simple is not None:
        return simple
    if annotation is Callable:
        return DType.callable(None, DType.ANY)
    if isinstance(annotation, type):
        return _wrap_class(annotation)
    raise _unsupported(annotation)


def _wrap_generic(annotation: Any, origin: Any, args: tuple[Any, ...]) -> DType:
    if type(origin).__name__ == "TypeAliasType":  # type Alias[T] = ...
        return wrap(origin.__value__[args])
    if origin is typing.Union or origin is types.UnionType:
        return _wrap_union(annotation, args)
    if origin is Pointer:
        return _wrap_pointer(args)
    if origin is dict:
        return DType.JSON
    if origin is list:
        return DType.list(wrap(args[0]) if args else DType.ANY)
    if origin is tuple:
        if len(args) == 2 and args[1] is ...:
            return DType.list(wrap(args[0]))
        return DType.tuple(*map(wrap, args))
    if origin is Callable:
        return _wrap_callable(args)
    if origin is typing.Annotated:
        return wrap(args[0])
    if origin is typing.Literal:
        return _common(annotation, [wrap(type(value)) for value in args])
    name = f"{getattr(origin, '__module__', '')}.{getattr(origin, '__qualname__', '')}"
    if name == "pathway.engine.PyObjectWrapper":
        return DType.py_object(name_of_py_object(args[0] if isinstance(args[0], type) else object))
    if name == "_asyncio.Future" or name == "asyncio.futures.Future":
        return DType.future(wrap(args[0]))
    if name == "numpy.ndarray":
        return _wrap_array(args)
    raise _unsupported(annotation)


def _wrap_union(annotation: Any, args: tuple[Any, ...]) -> DType:
    members = [wrap(arg) for arg in args if arg is not type(None) and arg is not None]
    wrapped = _common(annotation, members)
    return DType.optional(wrapped) if len(members) < len(args) else wrapped


def _common(annotation: Any, members: list[DType]) -> DType:
    common = members[0]
    for member in members[1:]:
        try:
            common = DType.common_type(common, member)
        except TypeError as error:
            raise TypeError(
                f"Unsupported type {annotation!r}: its members have no common type ({error}). "
                "Use typing.Any for a column of mixed values."
            ) from None
    return common


def _wrap_pointer(args: tuple[Any, ...]) -> DType:
    if len(args) == 1 and isinstance(args[0], type):
        id_dtype = getattr(args[0], "__pathway_id_dtype__", None)  # Pointer[SomeSchema]
        if isinstance(id_dtype, DType):
            return id_dtype
    return DType.pointer(*map(wrap, args))


def _wrap_callable(args: tuple[Any, ...]) -> DType:
    if not args:
        return DType.callable(None, DType.ANY)
    parameters, result = args
    known = None if parameters is ... else [wrap(parameter) for parameter in parameters]
    return DType.callable(known, wrap(result))


def _wrap_array(args: tuple[Any, ...]) -> DType:
    shape, element = args if len(args) == 2 else (Any, Any)
    if typing.get_origin(element) is not None:  # np.dtype[T]
        element = typing.get_args(element)[0]
    if type(element).__name__ == "TypeVar":
        element = Any
    wrapped = DType.ANY if element is Any else wrap(element)
    sizes = typing.get_args(shape)
    if shape is Any or type(shape).__name__ in ("TypeVar", "TypeAliasType") or (sizes and sizes[-1] is ...):
        return DType.array(None, wrapped)
    return DType.array(len(sizes), wrapped)


def _wrap_class(annotation: type) -> DType:
    if issubclass(annotation, enum.Enum):
        return DType.ANY
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        if issubclass(annotation, numpy.ndarray):
            return DType.array(None, DType.ANY)
        if issubclass(annotation, numpy.bool_):
            return DType.BOOL
        if issubclass(annotation, numpy.integer) and not issubclass(annotation, numpy.timedelta64):
            return DType.INT
        if issubclass(annotation, numpy.floating):
            return DType.FLOAT
    module, name = annotation.__module__, annotation.__qualname__
    if (module, name) in (("asyncio.futures", "Future"), ("_asyncio", "Future")):
        return DType.future(DType.ANY)
    if (module, name) in (("datetime", "datetime"), ("datetime", "date"), ("pandas", "Timestamp")):
        raise _unsupported(annotation, "use pw.DateTimeUtc or pw.DateTimeNaive")
    if (module, name) in (("datetime", "timedelta"), ("pandas", "Timedelta")):
        raise _unsupported(annotation, "use pw.Duration")
    raise _unsupported(annotation)


def _unsupported(annotation: Any, advice: str = "") -> TypeError:
    return TypeError(f"Unsupported type {annotation!r}" + (f": {advice}." if advice else "."))


def typehint(dtype: DType) -> Any:
    """The Python annotation that stands for a dtype.

    >>> typehint(DType.optional(DType.INT)), typehint(DType.list(DType.STR))
    (int | None, list[str])
    """
    kind, args = dtype.kind, dtype.args or ()
    if kind in _TYPEHINTS:
        return _TYPEHINTS[kind]
    if kind == "optional":
        return typehint(args[0]) | None
    if kind == "pointer":
        return Pointer if dtype.args is None else Pointer[tuple(map(typehint, args))]  # type: ignore[misc]
    if kind == "tuple":
        return tuple[tuple(map(typehint, args))]  # type: ignore[misc]
    if kind == "list":
        return list[typehint(args[0])]  # type: ignore[misc]
    if kind == "callable":
        return typing.Callable[..., typehint(args[0])]
    return _rare_typehint(dtype, kind, args)


_TYPEHINTS: dict[str, Any] = {
    "int": int,
    "float": float,
    "bool": bool,
    "str": str,
    "bytes": bytes,
    "none": None,
    "any": Any,
}


def _rare_typehint(dtype: DType, kind: str, args: tuple[DType, ...]) -> Any:
    if kind == "json":
        from pathway.internals.json import Json

        return Json
    if kind in ("date_time_naive", "date_time_utc", "duration"):
        from pathway.internals import datetime_types

        return datetime_types.CLASS_OF_KIND[kind]
    if kind == "array":
        import numpy as np

        sizes = (int, ...) if dtype.n_dim is None else (int,) * dtype.n_dim
        return np.ndarray[tuple[sizes], np.dtype[typehint(args[0])]]  # type: ignore[misc,valid-type]
    if kind == "future":
        import asyncio

        return asyncio.Future[typehint(args[0])]  # type: ignore[misc]
    from pathway.internals.py_object import PyObjectWrapper

    return PyObjectWrapper[class_of_py_object(dtype)]  # type: ignore[misc]


# The engine knows nothing of Python annotations; its dtypes offer them all the same.
DType.typehint = property(typehint)  # type: ignore[assignment]
