"""`.str`: functions of text, with the semantics of Python's `str`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pathway.internals.expression.expression import ColumnExpression
from pathway.internals.expression.nodes import MethodCall

_TRUE_VALUES = ("on", "true", "yes", "1")
_FALSE_VALUES = ("off", "false", "no", "0")


class StringNamespace:
    """Functions of STR columns, reached as `column.str`.

    >>> import pathway as pw
    >>> t = pw.debug.table_from_markdown('''
    ... name
    ... Alice
    ... Bob
    ... ''')
    >>> pw.debug.compute_and_print(t.select(n=t.name.str.lower(), k=t.name.str.len()), include_id=False)
    n     | k
    alice | 5
    bob   | 3
    """

    __slots__ = ("_expression",)

    def __init__(self, expression: ColumnExpression) -> None:
        self._expression = expression

    def lower(self) -> ColumnExpression:
        """All letters in lower case."""
        return MethodCall("str.lower", self._expression)

    def upper(self) -> ColumnExpression:
        """All letters in upper case."""
        return MethodCall("str.upper", self._expression)

    def title(self) -> ColumnExpression:
        """Each word with a capital first letter."""
        return MethodCall("str.title", self._expression)

    def swapcase(self) -> ColumnExpression:
        """Lower case to upper case and the reverse."""
        return MethodCall("str.swap_case", self._expression)

    def reversed(self) -> ColumnExpression:
        """The characters in reverse order."""
        return MethodCall("str.reverse", self._expression)

    def len(self) -> ColumnExpression:
        """The number of characters."""
        return MethodCall("str.len", self._expression)

    def replace(self, old_value: Any, new_value: Any, count: Any = -1, /) -> ColumnExpression:
        """The first `count` occurrences of `old_value` (all if negative) replaced by `new_value`."""
        return MethodCall("str.replace", self._expression, old_value, new_value, count)

    def startswith(self, prefix: Any) -> ColumnExpression:
        """True if the text starts with `prefix`."""
        return MethodCall("str.starts_with", self._expression, prefix)

    def endswith(self, suffix: Any) -> ColumnExpression:
        """True if the text ends with `suffix`."""
        return MethodCall("str.ends_with", self._expression, suffix)

    def strip(self, chars: Any = None) -> ColumnExpression:
        """Without the characters in `chars` (white space if None) at both ends."""
        return MethodCall("str.strip", self._expression, chars)

    def count(self, sub: Any, start: Any = None, end: Any = None) -> ColumnExpression:
        """How often `sub` occurs, without overlap, in the slice from `start` to `end`."""
        return MethodCall("str.count", self._expression, sub, start, end)

    def find(self, sub: Any, start: Any = None, end: Any = None) -> ColumnExpression:
        """The first position of `sub` in the slice from `start` to `end`; -1 if it is not there."""
        return MethodCall("str.find", self._expression, sub, start, end)

    def rfind(self, sub: Any, start: Any = None, end: Any = None) -> ColumnExpression:
        """The last position of `sub` in the slice from `start` to `end`; -1 if it is not there."""
        return MethodCall("str.rfind", self._expression, sub, start, end)

    def removeprefix(self, prefix: Any, /) -> ColumnExpression:
        """Without `prefix`, if the text starts with it."""
        return MethodCall("str.remove_prefix", self._expression, prefix)

    def removesuffix(self, suffix: Any, /) -> ColumnExpression:
        """Without `suffix`, if the text ends with it."""
        return MethodCall("str.remove_suffix", self._expression, suffix)

    def slice(self, start: Any, end: Any, /) -> ColumnExpression:
        """The characters from `start` up to `end`, as in `text[start:end]`."""
        return MethodCall("str.slice", self._expression, start, end)

    def parse_int(self, optional: bool = False) -> ColumnExpression:
        """The integer that the text is; what is not one is an error, or None if `optional`.

        >>> import pathway as pw
        >>> t = pw.debug.table_from_rows(pw.schema_from_types(s=str), [("7",), ("x",)])
        >>> pw.debug.compute_and_print(t.select(n=t.s.str.parse_int(optional=True)), include_id=False)
        n
        None
        7
        """
        return MethodCall("str.parse_int", self._expression, optional, shown=())

    def parse_float(self, optional: bool = False) -> ColumnExpression:
        """The number that the text is; what is not one is an error, or None if `optional`."""
        return MethodCall("str.parse_float", self._expression, optional, shown=())

    def parse_bool(
        self,
        true_values: Iterable[str] = _TRUE_VALUES,
        false_values: Iterable[str] = _FALSE_VALUES,
        optional: bool = False,
    ) -> ColumnExpression:
        """True or false by the lists of words, whatever their case; else an error, or None."""
        words = [_words("true_values", true_values), _words("false_values", false_values)]
        return MethodCall("str.parse_bool", self._expression, *words, optional, shown=())


def _words(parameter: str, words: Iterable[str]) -> list[str]:
    if isinstance(words, str) or not isinstance(words, Iterable):
        raise TypeError(f"parse_bool(): {parameter}={words!r} is no list of words.")
    return list(words)
