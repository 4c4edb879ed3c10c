"""`pw.Schema`: the class syntax and what every schema class can tell."""

from __future__ import annotations

import dataclasses
import sys
import typing
from collections.abc import Callable, KeysView, Mapping
from types import MappingProxyType, SimpleNamespace
from typing import Any, NoReturn

from pathway._engine import DType
from pathway.internals import dtype as dt
from pathway.internals.schema.column import (
    ColumnDefinition,
    ColumnProperties,
    ColumnSchema,
    SchemaProperties,
    column_schema,
)
from pathway.internals.schema.compare import assert_matches_schema
from pathway.internals.schema.source_text import generate_class
from pathway.internals.trace import trace_user_frame

_OWN_NAMES = frozenset(("__module__", "__qualname__", "__doc__", "__annotations__", "__annotate__"))


class SchemaMetaclass(type):
    """The type of schema classes: their methods are used on the class, `MySchema.column_names()`."""

    __fields: dict[str, ColumnSchema]  # by attribute of the class body
    __late_key: Callable[[], Any] | None
    __given_id: DType | None
    __id_append_only: bool | None
    __properties: SchemaProperties

    @trace_user_frame
    def __init__(
        cls,
        name: str,
        bases: tuple[type, ...],
        namespace: dict[str, Any],
        *,
        append_only: bool | None = None,
        id_dtype: Any = None,
        id_append_only: bool | None = None,
        _columns: Mapping[str, ColumnSchema] | None = None,
    ) -> None:
        super().__init__(name, bases, namespace)
        cls.__properties = SchemaProperties(append_only=append_only)
        cls.__given_id = None if id_dtype is None else _id_dtype(id_dtype)
        cls.__id_append_only = id_append_only
        cls.__late_key = None
        if _columns is not None:
            cls.__fields = dict(_columns)
            return
        cls.__fields = cls.__inherited()
        cls.__read_body(namespace)
        if cls.__late_key is None:
            cls.__check_id()

    def __new__(
        metacls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **kwargs: Any
    ) -> SchemaMetaclass:
        return super().__new__(metacls, name, bases, namespace)

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        if cls.__name__ == "Schema" and kwargs and not args:
            from pathway.internals.schema.build import schema_builder

            if all(isinstance(value, ColumnDefinition) for value in kwargs.values()):
                return schema_builder(kwargs)
        raise TypeError("A schema is a class and cannot be called: write table.schema, not table.schema().")

    # --- reading the class body -------------------------------------------------------------

    def __inherited(cls) -> dict[str, ColumnSchema]:
        fields: dict[str, ColumnSchema] = {}
        for base in reversed(cls.__mro__[1:]):
            if isinstance(base, SchemaMetaclass):
                fields.update(base.__fields)
                cls.__late_key = base.__late_key or cls.__late_key
                if base.__given_id is not None and cls.__given_id is None:
                    cls.__given_id = base.__given_id
        return fields

    def __read_body(cls, namespace: dict[str, Any]) -> None:
        hints = cls.__own_hints()
        body = {key: value for key, value in namespace.items() if not _is_machinery(key)}
        late_key = body.get("primary_key")
        if "primary_key" not in hints and callable(getattr(late_key, "__func__", late_key)) and late_key:
            cls.__late_key = getattr(late_key, "__func__", late_key)
            del body["primary_key"]
        untyped = [
            key
            for key, value in body.items()
            if key not in hints and not (isinstance(value, ColumnDefinition) and value.dtype is not None)
        ]
        if untyped:
            raise ValueError(
                f"no type is given for {', '.join(untyped)}: in the class body of a schema every "
                "attribute is a "
                "column, written as `name: type`."
            )
        names = list(hints)
        names += [key for key in body if key not in hints]
        if not all(key in hints for key in body):  # then the order of the body is the order of columns
            names = [key for key in body] + [key for key in hints if key not in body]
        for name in names:
            cls.__fields[name] = cls.__field(name, hints.get(name), body)

    def __field(cls, name: str, hint: Any, body: dict[str, Any]) -> ColumnSchema:
        definition = body.get(name)
        if name not in body:
            inherited = cls.__fields.get(name)
            dtype = dt.wrap(hint)
            if inherited is not None:
                return dataclasses.replace(inherited, dtype=dtype)
            return column_schema(dtype, name, ColumnDefinition(), cls.__properties)
        if not isinstance(definition, ColumnDefinition):
            raise ValueError(
                f"column {name} is given {definition!r}, which is no column definition. A default value is "
                f"written as {name}: ... = pw.column_definition(default_value={definition!r})."
            )
        if hint is None and definition.dtype is not None:
            dtype = definition.dtype
        else:
            dtype = dt.wrap(hint)
            if definition.dtype is not None and definition.dtype is not dtype:
                raise _conflict(name, dtype, definition.dtype)
        return column_schema(dtype, name, definition, cls.__properties)

    def __own_hints(cls) -> dict[str, Any]:
        own = typing.cast("dict[str, Any]", _own_annotations(cls))
        holder = SimpleNamespace(__annotations__=own)
        module = sys.modules.get(cls.__module__)
        scope = {} if module is None else vars(module)
        return typing.get_type_hints(holder, globalns=scope, localns={cls.__name__: cls}, include_extras=True)

    def __check_id(cls) -> None:
        keyed = _key_dtype(cls.__fields.values())
        given = cls.__given_id
        if keyed is not None and given is not None and given is not keyed:
            raise AssertionError(
                f"schema {cls.__name__}: the primary key makes row ids of type {keyed}, but id_dtype is "
                f"{given}. Leave out id_dtype."
            )

    def __apply_late_key(cls) -> None:
        """A `primary_key()` in the class body names columns of the finished class."""
        import dataclasses

        late_key, cls.__late_key = cls.__late_key, None
        if late_key is None:
            return
        named = late_key()
        chosen = list(named) if isinstance(named, (tuple, list)) else [named]
        definitions = {
            id(value): key for key, value in vars(cls).items() if isinstance(value, ColumnDefinition)
        }
        for choice in chosen:
            key = choice if isinstance(choice, str) else definitions.get(id(choice))
            if key not in cls.__fields:
                raise ValueError(
                    f"primary_key() of schema {cls.__name__} returned {choice!r}, which is none of its "
                    f"columns: {', '.join(cls.__fields)}."
                )
            cls.__fields[key] = dataclasses.replace(cls.__fields[key], primary_key=True)

    # --- facts ------------------------------------------------------------------------------

    @property
    def __pathway_id_dtype__(cls) -> DType:
        cls.__apply_late_key()
        if cls.__given_id is not None:
            return cls.__given_id
        return _key_dtype(cls.__fields.values()) or DType.ANY_POINTER

    def columns(cls) -> Mapping[str, ColumnSchema]:
        """The columns by name, in order."""
        cls.__apply_late_key()
        return MappingProxyType({column.name: column for column in cls.__fields.values()})

    def column_names(cls) -> list[str]:
        """The names of the columns, in order."""
        return [column.name for column in cls.__fields.values()]

    def keys(cls) -> KeysView[str]:
        """The names of the columns, in order."""
        return dict.fromkeys(cls.column_names()).keys()

    def __getitem__(cls, name: str) -> ColumnSchema:
        return cls.columns()[name]

    def typehints(cls) -> Mapping[str, Any]:
        """The types of the columns as Python annotations."""
        return MappingProxyType({name: column.typehint for name, column in cls.columns().items()})

    def _dtypes(cls) -> Mapping[str, DType]:
        return MappingProxyType({name: column.dtype for name, column in cls.columns().items()})

    def primary_key_columns(cls) -> list[str] | None:
        """The columns that row ids are made of; None if there are none."""
        keys = [name for name, column in cls.columns().items() if column.primary_key]
        return keys or None

    def default_values(cls) -> dict[str, Any]:
        """The defaults of the columns that have one."""
        return {
            name: column.default_value for name, column in cls.columns().items() if column.has_default_value()
        }

    @property
    def id_type(cls) -> Any:
        """The type of row ids as a Python annotation."""
        return dt.typehint(cls.__pathway_id_dtype__)

    @property
    def universe_properties(cls) -> ColumnProperties:
        """Type and append-only-ness of the row ids."""
        columns = cls.columns()
        append_only = cls.__id_append_only
        if append_only is None:
            append_only = (
                any(column.append_only for column in columns.values())
                if columns
                else bool(cls.__properties.append_only)
            )
        return ColumnProperties(dtype=cls.__pathway_id_dtype__, append_only=append_only)

    @property
    def id(cls) -> ColumnProperties:
        """Type and append-only-ness of the row ids."""
        return cls.universe_properties

    def column_properties(cls, name: str) -> ColumnProperties:
        """Type and append-only-ness of a column."""
        column = cls[name]
        return ColumnProperties(dtype=column.dtype, append_only=column.append_only)

    # --- derived schemas ----------------------------------------------------------------------

    def __or__(cls, other: Any) -> Any:
        if not isinstance(other, SchemaMetaclass):
            return super().__or__(other)
        common = [name for name in cls.column_names() if name in other.columns()]
        if common:
            raise AssertionError(
                f"schemas {cls.__name__} and {other.__name__} both have the columns {', '.join(common)}; "
                "rename or drop them in one of the two before combining."
            )
        columns = {**other.columns(), **cls.columns()}
        return make_schema(f"{cls.__name__}_{other.__name__}", columns)

    @trace_user_frame
    def with_types(cls, **kwargs: Any) -> type[Schema]:
        """The schema with other types for the named columns.

        >>> import pathway as pw
        >>> pw.schema_from_types(a=int, b=str).with_types(a=float)["a"].dtype
        FLOAT
        """
        import dataclasses

        columns = dict(cls.columns())
        for name, annotation in kwargs.items():
            if name not in columns:
                raise ValueError(
                    f"schema {cls.__name__} has no column {name}; its columns are {', '.join(columns)}."
                )
            columns[name] = dataclasses.replace(columns[name], dtype=dt.wrap(annotation))
        return cls.__derive(columns)

    @trace_user_frame
    def without(cls, *columns: Any) -> type[Schema]:
        """The schema without the named columns (names or column references).

        Without one of the primary key columns nothing is known about the ids.
        """
        remaining = dict(cls.columns())
        for column in columns:
            name = column if isinstance(column, str) else getattr(column, "name", None)
            if not isinstance(name, str):
                raise AttributeError(f"without() takes names and references of columns, found {column!r}.")
            if name not in remaining:
                raise ValueError(
                    f"schema {cls.__name__} has no column {name}; its columns are "
                    f"{', '.join(cls.column_names())}."
                )
            del remaining[name]
        keeps_key = all(name in remaining for name in cls.primary_key_columns() or ())
        return cls.__derive(remaining, id_dtype=cls.__pathway_id_dtype__ if keeps_key else None)

    @trace_user_frame
    def with_id_type(cls, type: Any, *, append_only: bool | None = None) -> type[Schema]:
        """The schema with another type of row ids."""
        kept = cls.__id_append_only if append_only is None else append_only
        return cls.__derive(cls.columns(), id_dtype=_id_dtype(type), id_append_only=kept)

    @trace_user_frame
    def update_properties(cls, **kwargs: Any) -> type[Schema]:
        """The schema with the given fields in every column definition.

        >>> import pathway as pw
        >>> pw.schema_from_types(a=int).update_properties(append_only=True)["a"].append_only
        True
        """
        import dataclasses

        known = [field.name for field in dataclasses.fields(ColumnSchema)]
        for name in kwargs:
            if name not in known:
                raise TypeError(f"columns have no property {name}; their properties are {', '.join(known)}.")
        columns = {name: dataclasses.replace(column, **kwargs) for name, column in cls.columns().items()}
        return cls.__derive(columns, name=cls.__name__)

    def __derive(
        cls,
        columns: Mapping[str, ColumnSchema],
        *,
        name: str | None = None,
        id_dtype: DType | None = None,
        id_append_only: bool | None = None,
    ) -> type[Schema]:
        return make_schema(
            name or f"custom_schema({list(columns)})",
            columns,
            properties=cls.__properties,
            id_dtype=cls.__given_id if id_dtype is None else id_dtype,
            id_append_only=cls.__id_append_only if id_append_only is None else id_append_only,
        )

    # --- comparison and text --------------------------------------------------------------------

    def assert_matches_schema(
        cls,
        other: type[Schema],
        *,
        allow_superset: bool = True,
        ignore_primary_keys: bool = True,
        allow_subtype: bool = True,
        ignore_properties: bool = True,
    ) -> None:
        """Raises AssertionError unless tables of this schema can stand for tables of `other`."""
        assert_matches_schema(
            typing.cast("type[Schema]", cls),
            other,
            allow_superset=allow_superset,
            ignore_primary_keys=ignore_primary_keys,
            allow_subtype=allow_subtype,
            ignore_properties=ignore_properties,
        )

    def generate_class(cls, class_name: str | None = None, generate_imports: bool = False) -> str:
        """Source text of a class that equals this schema."""
        return generate_class(typing.cast("type[Schema]", cls), class_name, generate_imports)

    def generate_class_to_file(
        cls, path: Any, class_name: str | None = None, generate_imports: bool = False
    ) -> None:
        """Writes the source text of a class that equals this schema to a file."""
        text = cls.generate_class(class_name, generate_imports)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def to_json_serializable_dict(cls) -> dict[str, Any]:
        """The schema as a dict that JSON can hold; `pw.schema_from_dict(**d)` restores it."""
        from pathway.internals.schema.serialization import schema_to_dict

        return schema_to_dict(typing.cast("type[Schema]", cls))

    def __eq__(cls, other: object) -> bool:
        if not isinstance(other, SchemaMetaclass):
            return NotImplemented
        return list(cls.columns().items()) == list(other.columns().items())

    def __hash__(cls) -> int:
        return hash(tuple((name, column.dtype) for name, column in cls.columns().items()))

    def __repr__(cls) -> str:
        return f"<pathway.Schema types={dict(cls.typehints())}, id_type={cls.id_type!r}>"

    def __str__(cls) -> str:
        cells = [("id", str(cls.__pathway_id_dtype__))]
        cells += [(name, str(column.dtype)) for name, column in cls.columns().items()]
        widths = [max(len(name), len(dtype)) for name, dtype in cells]
        lines = [" | ".join(row[i].ljust(w) for row, w in zip(cells, widths, strict=True)) for i in (0, 1)]
        # Programs see the second line padded, and the first not.
        return f"{lines[0].rstrip()}\n{lines[1]}"


def make_schema(
    name: str,
    columns: Mapping[str, ColumnSchema],
    *,
    properties: SchemaProperties | None = None,
    id_dtype: DType | None = None,
    id_append_only: bool | None = None,
) -> type[Schema]:
    """A schema class with exactly these columns."""
    schema = SchemaMetaclass(
        name,
        (Schema,),
        {"__module__": __name__},
        append_only=None if properties is None else properties.append_only,
        id_dtype=id_dtype,
        id_append_only=id_append_only,
        _columns=columns,
    )
    return typing.cast("type[Schema]", schema)


def _id_dtype(annotation: Any) -> DType:
    dtype = dt.wrap(annotation)
    if dtype.kind != "pointer":
        raise AssertionError(f"row ids are pointers, but the given id type is {dtype}; use pw.Pointer[...].")
    return dtype


def _key_dtype(columns: typing.Iterable[ColumnSchema]) -> DType | None:
    keys = [column.dtype for column in columns if column.primary_key]
    return DType.pointer(*keys) if keys else None


def _is_machinery(name: str) -> bool:
    return name in _OWN_NAMES or (name.startswith("__") and name.endswith("__"))


def _conflict(name: str, annotation: DType, definition: DType) -> NoReturn:
    raise TypeError(f"column {name} is annotated as {annotation}, but its definition says {definition}.")


def _own_annotations(cls: type) -> Mapping[str, Any]:
    if sys.version_info >= (3, 14):
        import annotationlib

        return annotationlib.get_annotations(cls)
    own: dict[str, Any] = vars(cls).get("__annotations__", {})
    return own


class Schema(metaclass=SchemaMetaclass):
    """Names and types of the columns of a table: subclass it and annotate one attribute per column.

    >>> import pathway as pw
    >>> class Order(pw.Schema):
    ...     shop: str
    ...     cost: float
    >>> print(Order)
    id          | shop | cost
    ANY_POINTER | STR  | FLOAT
    """

    def __init_subclass__(cls, /, **kwargs: Any) -> None:
        super().__init_subclass__()
