"""`pw.Table`; its operations are split over the modules by topic."""

from pathway.internals.table.table import Table

__all__ = ["Table"]
