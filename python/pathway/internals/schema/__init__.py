"""Schemas: names, types and further properties of the columns of a table."""

from pathway.internals.schema.build import schema_builder, schema_from_dict, schema_from_types
from pathway.internals.schema.column import (
    ColumnDefinition,
    ColumnProperties,
    ColumnSchema,
    SchemaProperties,
    column_definition,
)
from pathway.internals.schema.from_csv import schema_from_csv
from pathway.internals.schema.schema import Schema, SchemaMetaclass, make_schema

__all__ = [
    "ColumnDefinition",
    "ColumnProperties",
    "ColumnSchema",
    "Schema",
    "SchemaMetaclass",
    "SchemaProperties",
    "column_definition",
    "make_schema",
    "schema_builder",
    "schema_from_csv",
    "schema_from_dict",
    "schema_from_types",
]
