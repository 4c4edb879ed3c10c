"""`pw.schema`: schemas made by functions."""

from pathway.internals.schema import schema_builder

__all__ = ["schema_builder"]
