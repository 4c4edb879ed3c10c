"""Inner classes of transformers and their members."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ClassVar, overload

from pathway._engine import DType, Pointer, ref_scalar
from pathway.internals import dtype as dt
from pathway.internals.schema import Schema
from pathway.internals.trace import trace_user_frame
from pathway.internals.transformers.evaluate import Key, Row, Rows
from pathway.internals.udfs.annotations import return_annotation


class Member:
    """Something of an inner class that the transformer knows of."""

    name: str

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name


class InputAttribute(Member):
    """A column of the input table."""

    def __init__(self, type: Any = float) -> None:
        self.type = type

    def __get__(self, instance: ClassArg | None, owner: type) -> Any:
        if instance is None:
            return self
        return instance._pw_rows.computation.read_input(instance._pw_row, self.name)


class InputMethod(Member):
    """A column of methods of the rows of another transformer."""

    def __init__(self, type: Any = float) -> None:
        self.type = type

    def __get__(self, instance: ClassArg | None, owner: type) -> Any:
        if instance is None:
            return self
        rows = instance._pw_rows
        row_id = rows.computation.read_input(instance._pw_row, self.name)
        if row_id is None:
            raise TypeError(f"{self.name} is None in the row {instance.id}: there is no method to be called")
        target, method = rows.methods[self.name]
        return getattr(reference(target, row_id), method)


class Computed(Member):
    """An attribute that a function computes, once for each row and version of what it reads."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self.function = function
        functools.update_wrapper(self, function)  # type: ignore[arg-type]

    def __get__(self, instance: ClassArg | None, owner: type) -> Any:
        return self if instance is None else self.value(instance)

    def value(self, instance: ClassArg, *, is_output: bool = False) -> Any:
        """The value for a row."""
        compute = functools.partial(self.function, instance)
        computation = instance._pw_rows.computation
        # A subclass may have another function of this name, which calls this one.
        key = self.name, self.function
        return computation.read_computed(instance._pw_row, key, compute, is_output=is_output)


class Output(Member):
    """Mixin of members that are columns of the output table."""

    output_name: str | None

    def column(self) -> tuple[str, DType]:
        """The name and the dtype in the output table."""
        raise NotImplementedError


class OutputAttribute(Computed, Output):
    """A computed attribute that is a column of the output table."""

    def __init__(self, function: Callable[[Any], Any], output_name: str | None = None) -> None:
        super().__init__(function)
        self.output_name = output_name

    def column(self) -> tuple[str, DType]:
        return self.output_name or self.name, _result_type(self.function)


class Method(Output):
    """A function of a row and arguments, which can be called from outside."""

    def __init__(self, function: Callable[..., Any], output_name: str | None = None) -> None:
        self.function = function
        self.output_name = output_name
        functools.update_wrapper(self, function)  # type: ignore[arg-type]

    def column(self) -> tuple[str, DType]:
        return self.output_name or self.name, DType.callable(None, self.result_type())

    def result_type(self) -> DType:
        """The dtype of what a call gives."""
        return _result_type(self.function)

    def __get__(self, instance: ClassArg | None, owner: type) -> Any:
        return self if instance is None else functools.partial(self._call, instance)

    def _call(self, instance: ClassArg, *args: Any, **kwargs: Any) -> Any:
        call = functools.partial(self.function, instance, *args, **kwargs)
        key = _key(self.name, self.function, args, kwargs)
        if key is None:
            return call()
        return instance._pw_rows.computation.read_computed(instance._pw_row, key, call)


def _key(
    name: str, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Key | None:
    """What tells a call from others of the same method; None if arguments cannot be hashed."""
    parts = [(type(value), value) for value in args]
    key = name, function, tuple(parts), tuple((k, type(value), value) for k, value in kwargs.items())
    try:
        hash(key)
    except TypeError:
        return None
    return key


def _result_type(function: Callable[..., Any]) -> DType:
    annotation = return_annotation(function)
    return dt.ANY if annotation is ... else dt.wrap(annotation)


class ClassArgMeta(type):
    """The class of inner classes: calling one gives a row of it."""

    def __call__(cls, ref: Any, ptr: Any) -> Any:
        """The row `ptr` of this inner class, where `ref` is a row of the same transformer."""
        for rows in ref._pw_rows.siblings.values():
            if rows.cls is cls:
                return reference(rows, ptr)
        raise ValueError(
            f"creating a reference to a class_arg table defined for another transformer: {cls.__qualname__} "
            f"is not one of {', '.join(ref._pw_rows.siblings)}."
        )


class ClassArg(metaclass=ClassArgMeta):
    """Base of the inner classes of a transformer: one for each table.

    In its functions, `self` is a row.
    """

    _pw_rows: Rows
    _pw_id: Pointer
    _pw_output_schema: ClassVar[type[Schema] | None] = None

    @trace_user_frame
    def __init_subclass__(
        cls, /, input: type[Schema] | None = None, output: type[Schema] | None = None, **kwargs: Any
    ) -> None:
        super().__init_subclass__(**kwargs)
        for schema in (input, output):
            if schema is not None and not (isinstance(schema, type) and issubclass(schema, Schema)):
                raise TypeError(f"input and output of {cls.__name__} have to be schemas, found {schema!r}.")
        if output is not None:
            _check_output(cls, output)

    @property
    def _pw_row(self) -> Row:
        return self._pw_rows.row(self._pw_id)

    @property
    def id(self) -> Pointer:
        """The id of the row."""
        return self._pw_id

    @property
    def transformer(self) -> TransformerReference:
        """The tables of the transformer, by the names of their inner classes."""
        return TransformerReference(self._pw_rows.siblings)

    def pointer_from(self, *args: Any, optional: bool = False) -> Pointer | None:
        """The row id made of these values; with `optional`, None if one of them is None."""
        if optional and any(value is None for value in args):
            return None
        pointer: Pointer = ref_scalar(*args)
        return pointer


class TransformerReference:
    """The tables of a transformer."""

    def __init__(self, tables: dict[str, Rows]) -> None:
        self._tables = tables

    def __getattr__(self, name: str) -> TableReference:
        if name not in self._tables:
            raise AttributeError(
                f"transformer has no attribute {name}; its inner classes are {', '.join(self._tables)}"
            )
        return TableReference(self._tables[name])


class TableReference:
    """A table of a transformer: rows by their ids."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def __getitem__(self, row_id: Pointer) -> Any:
        return reference(self._rows, row_id)


def reference(rows: Rows, row_id: Any) -> Any:
    """The row of an id, as functions see it."""
    if not isinstance(row_id, Pointer):
        raise TypeError(f"rows of {rows.name} are looked up by pointers, not by {row_id!r}.")
    instance = object.__new__(rows.cls)
    instance._pw_rows = rows
    instance._pw_id = row_id
    return instance


def members(cls: type[ClassArg]) -> dict[str, Member]:
    """The members of an inner class in alphabetical order."""
    names = {name for base in cls.__mro__ for name, value in vars(base).items() if isinstance(value, Member)}
    found = {name: getattr(cls, name) for name in sorted(names)}
    return {name: member for name, member in found.items() if isinstance(member, Member)}


def outputs(cls: type[ClassArg]) -> list[Output]:
    """What the output table of an inner class has as columns."""
    return [member for member in members(cls).values() if isinstance(member, Output)]


def _check_output(cls: type[ClassArg], schema: type[Schema]) -> None:
    computed = dict(output.column() for output in outputs(cls))
    declared = {name: column.dtype for name, column in schema.columns().items()}
    if computed.keys() != declared.keys():
        raise TypeError(
            f"the output schema of {cls.__name__} has the columns {list(declared)}, but the class computes "
            f"{list(computed)}."
        )
    for name, dtype in computed.items():
        if not dt.dtype_issubclass(dtype, declared[name]):
            raise TypeError(
                f"the output schema of {cls.__name__} declares {name} as {declared[name]}, but it is "
                f"computed as {dtype}."
            )


def input_attribute(type: Any = float) -> Any:
    """A column of the input table of this name."""
    return InputAttribute(type)


def input_method(type: Any = float) -> Any:
    """A column of methods, which another transformer made."""
    return InputMethod(type)


def attribute(function: Any = None, **options: Any) -> Any:
    """Decorates a function of a row: it is read like an attribute, and computed once."""
    if options:
        raise TypeError(f"attribute() takes no options, found {', '.join(options)}.")
    return attribute if function is None else Computed(function)


@overload
def output_attribute(function: Callable[[Any], Any], /) -> Any: ...


@overload
def output_attribute(*, output_name: str | None = None) -> Callable[[Callable[[Any], Any]], Any]: ...


def output_attribute(function: Any = None, /, *, output_name: str | None = None) -> Any:
    """Decorates a function of a row: a column of the output table, of its name or `output_name`."""
    if function is None:
        return functools.partial(OutputAttribute, output_name=output_name)
    return OutputAttribute(function, output_name)


@overload
def method(function: Callable[..., Any], /) -> Any: ...


@overload
def method(*, output_name: str | None = None) -> Callable[[Callable[..., Any]], Any]: ...


def method(function: Any = None, /, *, output_name: str | None = None) -> Any:
    """Decorates a function of a row and arguments: a column of functions of the output table."""
    return (
        functools.partial(Method, output_name=output_name)
        if function is None
        else Method(function, output_name)
    )
