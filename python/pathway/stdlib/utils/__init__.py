"""`pw.utils`: helpers around columns, rows and times."""

from pathway.stdlib.utils import bucketing, col, filtering

__all__ = ["bucketing", "col", "filtering"]
