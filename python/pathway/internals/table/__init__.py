"""`pw.Table` and `pw.TableLike`; the operations are split over the modules by topic."""

from pathway.internals.table.like import TableLike
from pathway.internals.table.table import Table

__all__ = ["Table", "TableLike"]
