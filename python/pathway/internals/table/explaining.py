"""`Table.explain`: how a table is computed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pathway.internals.runtime_type_check import check_arg_types
from pathway.internals.table.core import TableCore
from pathway.internals.trace import trace_user_frame

if TYPE_CHECKING:
    from pathway.internals.explain import Explanation


class ExplainOperations(TableCore):
    """Looking at how a table is computed."""

    @trace_user_frame
    @check_arg_types
    def explain(
        self, *, format: Literal["text", "json", "dot", "svg"] = "text", measure: bool = False
    ) -> Explanation:
        """Explains how the table is computed: the plan as it was built, with the lines of the program, and as
        it is run.

        Args:
            format: how `str()` of the result is written: text, JSON, a graph for Graphviz, or SVG.
            measure: the table is computed, until its sources end, and what was counted is in the explanation.
                Otherwise nothing is read.

        >>> import pathway as pw
        >>> t = pw.debug.table_from_markdown('''
        ... origin | delay
        ... EWR    | 12
        ... JFK    | -3
        ... EWR    | 70
        ... ''')
        >>> late = t.filter(t.delay > 0)
        >>> counts = late.groupby(late.origin).reduce(late.origin, n=pw.reducers.count())
        >>> before = counts.explain().to_dict()["before"]
        >>> [operator["operator"] for operator in before]
        ['static', 'filter', 'groupby', 'select']
        >>> before[1]["details"], before[1]["estimate"]["most"]
        ([{'label': 'where', 'text': '(delay > 0)'}], 3)
        >>> after = counts.explain(measure=True).to_dict()["after"]
        >>> [(o["operator"], o["measured"]["rows_in"], o["measured"]["insertions"]) for o in after]
        [('static', 0, 3), ('filter', 3, 2), ('select', 2, 2), ('groupby', 2, 1)]
        """
        from pathway.internals.explain import explain_tables

        return explain_tables([self._engine], format=format, measure=measure)
