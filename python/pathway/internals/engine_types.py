"""`pw.Type`: the types of the engine, for interfaces that take a type as a value."""

from __future__ import annotations

from typing import ClassVar

from pathway._engine import DType


class PathwayType:
    """A type of the engine.

    >>> PathwayType.optional(PathwayType.INT) == PathwayType.optional(PathwayType.INT)
    True
    """

    __slots__ = ("__pathway_dtype__",)

    ANY: ClassVar[PathwayType]
    STRING: ClassVar[PathwayType]
    INT: ClassVar[PathwayType]
    BOOL: ClassVar[PathwayType]
    FLOAT: ClassVar[PathwayType]
    POINTER: ClassVar[PathwayType]
    DATE_TIME_NAIVE: ClassVar[PathwayType]
    DATE_TIME_UTC: ClassVar[PathwayType]
    DURATION: ClassVar[PathwayType]
    JSON: ClassVar[PathwayType]
    BYTES: ClassVar[PathwayType]
    PY_OBJECT_WRAPPER: ClassVar[PathwayType]

    def __init__(self, dtype: DType) -> None:
        self.__pathway_dtype__ = dtype

    @staticmethod
    def array(dim: int | None, wrapped: PathwayType) -> PathwayType:
        """Arrays with `dim` dimensions."""
        return PathwayType(DType.array(dim, _dtype_of(wrapped)))

    @staticmethod
    def tuple(*types: PathwayType) -> PathwayType:
        """Tuples of exactly these members."""
        return PathwayType(DType.tuple(*map(_dtype_of, types)))

    @staticmethod
    def list(type: PathwayType) -> PathwayType:
        """Sequences of any length."""
        return PathwayType(DType.list(_dtype_of(type)))

    @staticmethod
    def optional(type: PathwayType) -> PathwayType:
        """None or a value of the type."""
        return PathwayType(DType.optional(_dtype_of(type)))

    @staticmethod
    def future(type: PathwayType) -> PathwayType:
        """A value of the type, or one that is still to come."""
        return PathwayType(DType.future(_dtype_of(type)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PathwayType):
            return NotImplemented
        return self.__pathway_dtype__ is other.__pathway_dtype__

    def __hash__(self) -> int:
        return hash(self.__pathway_dtype__)

    def __repr__(self) -> str:
        return f"pw.Type({self.__pathway_dtype__})"


def _dtype_of(type: PathwayType) -> DType:
    if not isinstance(type, PathwayType):
        raise TypeError(f"types of the engine are made of such types, as pw.Type.INT; found {type!r}.")
    return type.__pathway_dtype__


for _name, _dtype in {
    "ANY": DType.ANY,
    "STRING": DType.STR,
    "INT": DType.INT,
    "BOOL": DType.BOOL,
    "FLOAT": DType.FLOAT,
    "POINTER": DType.ANY_POINTER,
    "DATE_TIME_NAIVE": DType.DATE_TIME_NAIVE,
    "DATE_TIME_UTC": DType.DATE_TIME_UTC,
    "DURATION": DType.DURATION,
    "JSON": DType.JSON,
    "BYTES": DType.BYTES,
    "PY_OBJECT_WRAPPER": DType.py_object("object"),
}.items():
    setattr(PathwayType, _name, PathwayType(_dtype))


def to_engine(dtype: DType) -> PathwayType:
    """The engine's type of a dtype; what the engine does not store is ANY."""
    return PathwayType(DType.ANY if dtype.kind in ("none", "callable") else dtype)


# Dtypes offer it as a method, as programs use it.
DType.to_engine = to_engine  # type: ignore[attr-defined]
