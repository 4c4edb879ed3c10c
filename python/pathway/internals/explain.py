"""`pw.explain` and `Table.explain`: what is computed, and how; with what was counted, if it is run."""

from __future__ import annotations

import json
from typing import Any, Literal, get_args

from pathway import _engine
from pathway.internals.parse_graph import G
from pathway.internals.run import execute
from pathway.internals.run_options import RunOptions
from pathway.internals.runtime_type_check import check_arg_types
from pathway.internals.trace import trace_user_frame
from pathway.internals.watch import may_run

#: How an explanation is written.
Format = Literal["text", "json", "dot", "svg"]
#: One of the two plans of an explanation.
Plan = Literal["before", "after"]


class Explanation:
    """A plan as it was built and as it is run, with what is known of its rows; `str()` of it is a text.

    In a notebook it is shown as a drawing of what is run.
    """

    def __init__(self, plan: _engine.Explanation, format: Format = "text") -> None:
        if format not in get_args(Format):
            raise ValueError(f"the format has to be one of {', '.join(get_args(Format))}, not {format!r}.")
        self._plan = plan
        self._format = format

    def to_text(self) -> str:
        """Both plans as trees, each output with what it is made of below it."""
        return self._plan.text()

    def to_json(self) -> str:
        """All that is known, as JSON."""
        return self._plan.json()

    def to_dict(self) -> dict[str, Any]:
        """All that is known, in dictionaries and lists: what `to_json` has."""
        plan: dict[str, Any] = json.loads(self._plan.json())
        return plan

    def to_dot(self, *, plan: Plan = "after") -> str:
        """One of the plans as a graph in the language of Graphviz."""
        return self._plan.dot(before=_is_before(plan))

    def to_svg(self, *, plan: Plan = "after") -> str:
        """One of the plans as a drawing; no other program is needed for it."""
        return self._plan.svg(before=_is_before(plan))

    def _repr_svg_(self) -> str:
        return self.to_svg()

    def __str__(self) -> str:
        if self._format == "json":
            return self.to_json()
        if self._format == "dot":
            return self.to_dot()
        if self._format == "svg":
            return self.to_svg()
        return self.to_text()

    def __repr__(self) -> str:
        return str(self)


def _is_before(plan: Plan) -> bool:
    if plan not in get_args(Plan):
        raise ValueError(f"the plan has to be one of {', '.join(get_args(Plan))}, not {plan!r}.")
    return plan == "before"


def explain_tables(tables: list[_engine.Table], *, format: Format, measure: bool) -> Explanation:
    """Explains how tables are computed; with `measure` they are."""
    with G.scoped():
        if not (measure and may_run()):
            return Explanation(G.engine.explanation(tables=tables), format)
        counts = _engine.Counts()
        execute([], RunOptions.to_look(), tables=tables, counts=counts)
    return _counted(counts, format)


@trace_user_frame
@check_arg_types
def explain(*, format: Format = "text", measure: bool = False) -> Explanation:
    """Explains what `pw.run()` computes: the plan as it was built, with the lines of the program, and as it
    is run.

    Args:
        format: how `str()` of the result is written: text, JSON, a graph for Graphviz, or SVG.
        measure: the program is run, as by `pw.run()`, until its sources end, and what was counted is in the
            explanation. Otherwise nothing is read or written.

    >>> import pathway as pw
    >>> t = pw.debug.table_from_markdown('''
    ... origin | delay
    ... EWR    | 12
    ... JFK    | -3
    ... ''')
    >>> late = t.filter(t.delay > 0)
    >>> pw.io.null.write(late.select(late.origin))
    >>> plan = pw.explain().to_dict()
    >>> [(operator["operator"], operator["estimate"]["most"]) for operator in plan["before"]]
    [('static', 2), ('filter', 2), ('select', 2), ('output', 2)]
    >>> measured = pw.explain(measure=True).to_dict()
    >>> [(operator["operator"], operator["measured"]["insertions"]) for operator in measured["after"]]
    [('static', 2), ('filter', 1), ('select', 1), ('output', 1)]
    """
    if not (measure and may_run()):
        return Explanation(G.engine.explanation(outputs=list(G.outputs)), format)
    counts = _engine.Counts()
    execute(list(G.outputs), RunOptions.to_look(), counts=counts)
    return _counted(counts, format)


def _counted(counts: _engine.Counts, format: Format) -> Explanation:
    plan = counts.explanation()
    if plan is None:
        raise RuntimeError("the run has not begun, so there is nothing to explain.")
    return Explanation(plan, format)


__all__ = ["Explanation", "Format", "Plan", "explain", "explain_tables"]
