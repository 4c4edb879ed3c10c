"""Walking expression trees: operands first, without recursion, each shared node once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from pathway.internals.expression.expression import ColumnExpression

_T = TypeVar("_T")


def fold(root: ColumnExpression, combine: Callable[[ColumnExpression, Sequence[_T]], _T]) -> _T:
    """The result of `combine(node, results of its operands)` for the root."""
    done: dict[int, _T] = {}
    stack = [root]
    while stack:
        node = stack[-1]
        if id(node) in done:
            stack.pop()
            continue
        waiting = [operand for operand in node._operands if id(operand) not in done]
        if waiting:
            stack.extend(reversed(waiting))
            continue
        stack.pop()
        done[id(node)] = combine(node, [done[id(operand)] for operand in node._operands])
    return done[id(root)]


def nodes_of(
    root: ColumnExpression, into: Callable[[ColumnExpression], bool] = lambda node: True
) -> Iterator[ColumnExpression]:
    """Each distinct node once; the operands of a node only where `into` says so."""
    seen: set[int] = set()
    stack = [root]
    while stack:
        node = stack.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        yield node
        if into(node):
            stack.extend(reversed(node._operands))
