"""Views of tables in notebooks; they are functions of `pw.viz`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from pathway.internals.table.core import TableCore
from pathway.internals.trace import trace_user_frame

if TYPE_CHECKING:
    from pathway.internals.table import Table


class ViewOperations(TableCore):
    """`show`, `plot`, and what notebooks display."""

    @trace_user_frame
    def show(self, *args: Any, **kwargs: Any) -> Any:
        """See [`pathway.viz.show`][]."""
        from pathway.stdlib import viz

        return viz.show(cast("Table", self), *args, **kwargs)

    @trace_user_frame
    def plot(self, *args: Any, **kwargs: Any) -> Any:
        """See [`pathway.viz.plot`][]."""
        from pathway.stdlib import viz

        return viz.plot(cast("Table", self), *args, **kwargs)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        from pathway.stdlib import viz

        return viz._repr_mimebundle_(cast("Table", self), include, exclude)

    def _repr_html_(self) -> str:
        from pathway.stdlib import viz

        return viz._repr_html_(cast("Table", self))
