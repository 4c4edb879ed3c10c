"""Whether tables of one schema can stand for tables of another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pathway.internals import dtype as dt

if TYPE_CHECKING:
    from pathway.internals.schema.schema import Schema


def assert_matches_schema(
    schema: type[Schema],
    other: type[Schema],
    *,
    allow_superset: bool,
    ignore_primary_keys: bool,
    allow_subtype: bool,
    ignore_properties: bool,
) -> None:
    """Raises AssertionError with the first reason why `schema` does not match `other`."""
    ours, theirs = schema.columns(), other.columns()
    missing = [name for name in theirs if name not in ours]
    if missing:
        raise AssertionError(
            f"the columns {_names(missing)} are missing; there are {', '.join(ours) or 'no columns'}"
        )
    for name, expected in theirs.items():
        found = ours[name]
        fits = found.dtype is expected.dtype or (
            allow_subtype and dt.dtype_issubclass(found.dtype, expected.dtype)
        )
        if not fits:
            raise AssertionError(
                f"column {name} is of type {found.dtype} in {_name(schema)}, but {other.__name__} wants "
                f"{expected.dtype}"
            )
        if not ignore_properties and found.append_only != expected.append_only:
            raise AssertionError(
                f"append_only of column {name} does not match: it is {found.append_only} in "
                f"{_name(schema)} and {expected.append_only} in {other.__name__}"
            )
    extra = [name for name in ours if name not in theirs]
    if extra and not allow_superset:
        raise AssertionError(f"the columns {_names(extra)} are not in the schema {other.__name__}")
    if not ignore_primary_keys and schema.primary_key_columns() != other.primary_key_columns():
        raise AssertionError(
            f"primary keys do not match: {schema.primary_key_columns()} in {_name(schema)} and "
            f"{other.primary_key_columns()} in {other.__name__}"
        )


def _name(schema: type[Schema]) -> str:
    """How messages call a schema; those of tables have no name of the user's."""
    return "the table" if schema.__name__.startswith("schema_from_") else schema.__name__


def _names(names: list[str]) -> str:
    return "{" + ", ".join(map(repr, names)) + "}"
