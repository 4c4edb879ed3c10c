"""Columns of schemas: what users define and what a schema knows of each."""

from __future__ import annotations

import dataclasses
from typing import Any

from pathway._engine import DType, Field
from pathway.internals import dtype as dt


class _Undefined:
    """The absence of a default value: not the same as a default of None."""

    def __repr__(self) -> str:
        return "undefined"

    def __copy__(self) -> _Undefined:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> _Undefined:
        return self

    def __reduce__(self) -> str:
        return "undefined"


undefined = _Undefined()


@dataclasses.dataclass(frozen=True)
class SchemaProperties:
    """Properties of all columns of a schema."""

    append_only: bool | None = None


@dataclasses.dataclass(frozen=True)
class ColumnProperties:
    """Type and append-only-ness of a column or of the row ids."""

    dtype: DType
    append_only: bool


@dataclasses.dataclass(frozen=True)
class ColumnDefinition:
    """What the class body of a schema says about a column; made by `pw.column_definition`."""

    primary_key: bool = False
    default_value: Any = undefined
    dtype: DType | None = None
    name: str | None = None
    append_only: bool | None = None
    description: str | None = None
    example: Any = None
    source_component: str = "payload"


@dataclasses.dataclass(frozen=True)
class ColumnSchema:
    """A column of a schema."""

    dtype: DType
    name: str
    primary_key: bool = False
    default_value: Any = undefined
    append_only: bool = False
    description: str | None = None
    example: Any = None
    source_component: str = "payload"

    @property
    def __pathway_dtype__(self) -> DType:
        return self.dtype

    @property
    def typehint(self) -> Any:
        """The annotation that stands for the dtype."""
        return dt.typehint(self.dtype)

    def has_default_value(self) -> bool:
        """True if there is a default, None included."""
        return self.default_value is not undefined

    def to_definition(self) -> ColumnDefinition:
        """The definition that gives this column."""
        return ColumnDefinition(
            primary_key=self.primary_key,
            default_value=self.default_value,
            dtype=self.dtype,
            name=self.name,
            append_only=self.append_only,
            description=self.description,
            example=self.example,
            source_component=self.source_component,
        )

    def to_field(self) -> Field:
        """The column as the engine's sources know it."""
        return Field(
            self.name,
            self.dtype,
            primary_key=self.primary_key,
            has_default=self.has_default_value(),
            default=self.default_value if self.has_default_value() else None,
            append_only=self.append_only,
        )


def column_definition(
    *,
    primary_key: bool = False,
    default_value: Any = undefined,
    dtype: Any = None,
    name: str | None = None,
    append_only: bool | None = None,
    description: str | None = None,
    example: Any = None,
    source_component: str = "payload",
    type_: Any = None,
    _serialized_default_value: str | None = None,
    _serialized_example: str | None = None,
) -> Any:
    """Defines a column of a schema beyond its type.

    Args:
        primary_key: the column is part of the row id.
        default_value: what sources put where the field is absent or blank.
        dtype: the type, for schemas built without annotations; `type_` is a synonym.
        name: the name of the column where it is not that of the attribute.
        append_only: the promise that values of this column are never deleted or changed.
        description: text for generated API descriptions.
        example: sample for generated API descriptions.
        source_component: `payload` or `key`, the part of a message that holds the field.

    >>> import pathway as pw
    >>> class Order(pw.Schema):
    ...     order_id: int = pw.column_definition(primary_key=True)
    ...     note: str | None = pw.column_definition(default_value=None)
    >>> Order.primary_key_columns(), Order.default_values()
    (['order_id'], {'note': None})
    """
    from pathway.internals.schema.serialization import deserialize_value

    if dtype is not None and type_ is not None:
        raise TypeError("column_definition(): dtype and type_ mean the same; give one of them.")
    annotation = dtype if type_ is None else type_
    if _serialized_default_value is not None:
        default_value = deserialize_value(_serialized_default_value)
    if _serialized_example is not None:
        example = deserialize_value(_serialized_example)
    return ColumnDefinition(
        primary_key=primary_key,
        default_value=default_value,
        dtype=None if annotation is None else dt.wrap(annotation),
        name=name,
        append_only=append_only,
        description=description,
        example=example,
        source_component=source_component,
    )


def column_schema(
    dtype: DType, name: str, definition: ColumnDefinition, properties: SchemaProperties
) -> ColumnSchema:
    """The column that a definition gives in a schema with these properties."""
    append_only = definition.append_only
    if append_only is None:
        append_only = properties.append_only
    elif properties.append_only is not None and properties.append_only != append_only:
        raise ValueError(
            f"the schema says append_only={properties.append_only}, the definition of its column {name} says "
            f"append_only={append_only}. Remove one of them."
        )
    return ColumnSchema(
        dtype=dtype,
        name=definition.name if definition.name is not None else name,
        primary_key=definition.primary_key,
        default_value=definition.default_value,
        append_only=bool(append_only),
        description=definition.description,
        example=definition.example,
        source_component=definition.source_component,
    )
