"""Tables in notebooks: as a table of cells and as a plot, that follow their changes while a program runs."""

from pathway.stdlib.viz._html import _repr_html_
from pathway.stdlib.viz.plotting import plot
from pathway.stdlib.viz.table_viz import _repr_mimebundle_, show

__all__ = ["_repr_html_", "_repr_mimebundle_", "plot", "show"]
