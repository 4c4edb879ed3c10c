"""Live data pipelines: describe tables and transformations once, run them over files or streams.

>>> import pathway as pw
>>> orders = pw.debug.table_from_markdown('''
... shop | amount
... A    | 3
... B    | 5
... A    | 4
... ''')
>>> totals = orders.groupby(pw.this.shop).reduce(pw.this.shop, total=pw.reducers.sum(pw.this.amount))
>>> pw.debug.compute_and_print(totals, include_id=False)
shop | total
A    | 7
B    | 5
"""

from pathway import (
    debug,
    demo,
    engine,
    handbook,
    internals,
    io,
    persistence,
    reducers,
    schema,
    stdlib,
    udfs,
    universes,
    utils,
)
from pathway._engine import build_info
from pathway.internals import *  # noqa: F403
from pathway.internals import __all__ as _public
from pathway.stdlib import graphs, ml, ordered, stateful, statistical, temporal, viz
from pathway.stdlib.utils.async_transformer import AsyncTransformer
from pathway.stdlib.utils.pandas_transformer import pandas_transformer

__version__ = build_info()["version"]

__all__ = [
    *_public,
    "AsyncTransformer",
    "__version__",
    "debug",
    "demo",
    "graphs",
    "io",
    "ml",
    "ordered",
    "pandas_transformer",
    "persistence",
    "reducers",
    "stateful",
    "statistical",
    "temporal",
    "udfs",
    "universes",
    "utils",
    "viz",
]

# Reached as attributes, but not part of `from pathway import *`.
_MODULES = (engine, internals, schema, stdlib)

handbook.install()
