"""`pw.temporal`: rows grouped and joined by time."""

from pathway.stdlib.temporal._window import Window, sliding, tumbling
from pathway.stdlib.temporal._windowby import windowby

__all__ = [
    "Window",
    "sliding",
    "tumbling",
    "windowby",
]
