"""Transformer classes: whatever the history, the result is that of a static run."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

import pathway as pw
from pathway.internals import (
    ClassArg,
    attribute,
    input_attribute,
    input_method,
    method,
    output_attribute,
    transformer,
)

from .check import check_incremental, property_settings
from .histories import History, histories, letter, small_int

PREFIX = st.integers(0, 4)
Table = pw.Table[Any]


@transformer
class tree:
    """Rows hang below the row whose key is smaller by `d`, if there is one."""

    class nodes(ClassArg):
        k = input_attribute()
        d = input_attribute()
        w = input_attribute()

        @attribute
        def parent(self) -> Any:
            distance = abs(self.d) % 3 + 1
            return self.transformer.nodes[self.pointer_from(self.k - distance)]

        @output_attribute
        def total(self) -> int:
            try:
                return self.w + self.parent.total
            except KeyError:
                return self.w

        @output_attribute
        def is_heavy(self) -> bool:
            return self.total > 5

        @output_attribute
        def heavy_above(self) -> int:
            try:
                return self.parent.is_heavy + self.parent.heavy_above
            except KeyError:
                return 0

        @method
        def plus(self, x: int) -> int:
            return self.total + x


@property_settings
@given(histories(d=small_int, w=small_int), PREFIX)
def test_rows_that_depend_on_rows(t: History, prefix: int) -> None:
    def program(t: Table) -> Table:
        nodes = tree(nodes=t).nodes
        return nodes.select(nodes.total, nodes.is_heavy, nodes.heavy_above, t.w)

    check_incremental(program, t, prefix=prefix)


@property_settings
@given(histories(d=small_int, w=small_int), PREFIX)
def test_methods_in_expressions(t: History, prefix: int) -> None:
    def program(t: Table) -> Table:
        nodes = tree(nodes=t).nodes
        return nodes.filter(nodes.plus(1) > 2).select(x=pw.this.plus(pw.this.total))

    check_incremental(program, t, prefix=prefix)


@transformer
class ask:
    """Each row calls the method of another transformer's row, and reads rows of a second table."""

    class asking(ClassArg):
        plus = input_method(int)
        g = input_attribute()

        @output_attribute
        def answer(self) -> int:
            try:
                extra = self.transformer.extras[self.pointer_from(self.g)].e
            except KeyError:
                extra = 0
            return self.plus(extra)

    class extras(ClassArg):
        e = input_attribute()

        @output_attribute
        def twice(self) -> int:
            return 2 * self.e


@property_settings
@given(histories(d=small_int, w=small_int, s=letter), histories(e=small_int), PREFIX)
def test_methods_of_other_transformers(t: History, u: History, prefix: int) -> None:
    def program(t: Table, u: Table) -> Table:
        nodes = tree(nodes=t).nodes
        asking = nodes.select(nodes.plus, g=t.d)
        result = ask(asking=asking, extras=u)
        return result.asking.select(result.asking.answer, t.s)

    check_incremental(program, t, u, prefix=prefix)


@property_settings
@given(histories(d=small_int, w=small_int), PREFIX)
def test_missing_rows_take_the_rows_that_need_them(t: History, prefix: int) -> None:
    @transformer
    class strict:
        class nodes(ClassArg):
            k = input_attribute()
            d = input_attribute()
            w = input_attribute()

            @output_attribute
            def total(self) -> int:
                if self.d == 0:
                    return self.w
                return self.w + self.transformer.nodes[self.pointer_from(self.k - abs(self.d))].total

    check_incremental(lambda t: strict(nodes=t).nodes, t, prefix=prefix, terminate_on_error=False)
