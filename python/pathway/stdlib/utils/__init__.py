"""`pw.utils`: helpers around columns, rows and times."""

from pathway.stdlib.utils import async_transformer, bucketing, col, filtering, pandas_transformer

__all__ = ["async_transformer", "bucketing", "col", "filtering", "pandas_transformer"]
