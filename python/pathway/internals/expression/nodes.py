"""The kinds of nodes behind operators and methods of expressions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pathway._engine import DType, Expr
from pathway.internals import dtype as dt
from pathway.internals.expression.expression import ColumnExpression
from pathway.internals.trace import warn

if TYPE_CHECKING:
    from pathway.internals.table import Table

_SYMBOLS = {
    "add": "+",
    "sub": "-",
    "mul": "*",
    "truediv": "/",
    "floordiv": "//",
    "mod": "%",
    "pow": "**",
    "and_": "&",
    "or_": "|",
    "xor": "^",
    "eq": "==",
    "ne": "!=",
    "lt": "<",
    "le": "<=",
    "gt": ">",
    "ge": ">=",
}


class Constant(ColumnExpression):
    """The same value in every row."""

    __slots__ = ("_dtype", "_value")

    def __init__(self, value: Any) -> None:
        super().__init__()
        self._value = value
        self._dtype = dt.of_constant(value)

    def _lower(self, operands: Sequence[Expr]) -> Expr:
        value = tuple(self._value) if isinstance(self._value, list) else self._value
        return Expr.constant(value, self._dtype)

    def _text(self, operands: Sequence[str]) -> str:
        return repr(self._value)


def operand(value: Any) -> ColumnExpression:
    """The expression that an operand or an argument of a function stands for.

    >>> operand((1, 2))
    pathway.make_tuple(1, 2)
    """
    if isinstance(value, ColumnExpression):
        return value
    if isinstance(value, tuple) and type(value) is tuple:
        return MakeTuple(*map(operand, value))
    return Constant(value)


def column_value(value: Any) -> ColumnExpression:
    """The expression that a value given for a column stands for: a tuple is one if it holds expressions."""
    if isinstance(value, tuple) and not _holds_expression(value):
        return Constant(value)
    return operand(value)


def _holds_expression(value: Any) -> bool:
    if isinstance(value, tuple):
        return any(map(_holds_expression, value))
    return isinstance(value, ColumnExpression)


class Binary(ColumnExpression):
    """`left op right`; `op` is a name of the `operator` module."""

    __slots__ = ("_op",)

    def __init__(self, op: str, left: ColumnExpression, right: ColumnExpression) -> None:
        super().__init__(left, right)
        self._op = op

    def _lower(self, operands: Sequence[Expr]) -> Expr:
        return Expr.binary(self._op, operands[0], operands[1])

    def _text(self, operands: Sequence[str]) -> str:
        return f"({operands[0]} {_SYMBOLS.get(self._op, self._op)} {operands[1]})"


class Unary(ColumnExpression):
    """`neg` or `invert`."""

    __slots__ = ("_op",)

    def __init__(self, op: str, operand: ColumnExpression) -> None:
        super().__init__(operand)
        self._op = op

    def _lower(self, operands: Sequence[Expr]) -> Expr:
        return Expr.unary(self._op, operands[0])

    def _text(self, operands: Sequence[str]) -> str:
        return f"({'-' if self._op == 'neg' else '~'}{operands[0]})"


def invert(expression: ColumnExpression) -> ColumnExpression:
    """`~expression`, without double negations."""
    if isinstance(expression, Unary) and expression._op == "invert":
        return expression._operands[0]
    if isinstance(expression, NoneTest):
        return NoneTest(expression._operands[0], not expression._for_none)
    return Unary("invert", expression)


class NoneTest(ColumnExpression):
    """`is_none()` or `is_not_none()`."""

    __slots__ = ("_for_none",)

    def __init__(self, operand: ColumnExpression, for_none: bool) -> None:
        super().__init__(operand)
        self._for_none = for_none

    def _lower(self, operands: Sequence[Expr]) -> Expr:
        return operands[0].is_none() if self._for_none else operands[0].is_not_none()

    def _text(self, operands: Sequence[str]) -> str:
        return f"{operands[0]}.{'is_none' if self._for_none else 'is_not_none'}()"


class MakeTuple(ColumnExpression):
    """A tuple of the operands."""

    __slots__ = ()

    def _lower(self, operands: Sequence[Expr]) -> Expr:
        return Expr.make_tuple(operands)

    def _text(self, operands: Sequence[str]) -> str:
        return f"pathway.make_tuple({', '.join(operands)})"


class GetItem(ColumnExpression):
    """`object[index]`."""

    __slots__ = ()

    def _lower(self, operands: Sequence[Expr]) -> Expr:
        return operands[0].get_item(operands[1])

    def _text(self, operands: Sequence[str]) -> str:
        return f"({operands[0]})[{operands[1]}]"


class Get(ColumnExpression):
    """`object.get(index, default)`."""

    __slots__ = ()

    def _lower(self, operands: Sequence[Expr]) -> Expr:
        if operands[0].dtype.kind == "tuple":
            self._warn_of_no_member(len(operands[0].dtype.args or ()))
        return operands[0].get(operands[1], operands[2])

    def _text(self, operands: Sequence[str]) -> str:
        return f"({operands[0]}).get({operands[1]}, {operands[2]})"

    def _warn_of_no_member(self, members: int) -> None:
        index = self._operands[1]
        if isinstance(index, Constant) and index._value not in range(-members, members):
            warn(
                f"{self!r} is always the default, because the tuples have {members} elements. "
                "Consider writing the default in its place."
            )


class ToString(ColumnExpression):
    """The engine's text form of a value."""

    __slots__ = ()

    def _lower(self, operands: Sequence[Expr]) -> Expr:
        return operands[0].to_string()

    def _text(self, operands: Sequence[str]) -> str:
        return f"({operands[0]}).to_string()"


_JSON_TARGETS = {"int": DType.INT, "float": DType.FLOAT, "str": DType.STR, "bool": DType.BOOL}


class FromJson(ColumnExpression):
    """`as_int`, `as_float`, `as_str`, `as_bool`."""

    __slots__ = ("_target", "_unwrap")

    def __init__(self, target: str, value: ColumnExpression, default: Any, unwrap: bool) -> None:
        defaults = () if default is None else (operand(default),)
        super().__init__(value, *defaults)
        self._target = target
        self._unwrap = unwrap

    def _lower(self, operands: Sequence[Expr]) -> Expr:
        default = operands[1] if len(operands) > 1 else None
        return operands[0].from_json(_JSON_TARGETS[self._target], default, self._unwrap)

    def _text(self, operands: Sequence[str]) -> str:
        return f"pathway.as_{self._target}({operands[0]})"


class MethodCall(ColumnExpression):
    """A built-in function by its internal name; `_shown` operands appear in the text."""

    __slots__ = ("_method", "_shown")

    def __init__(
        self,
        method: str,
        receiver: ColumnExpression,
        *arguments: Any,
        shown: Sequence[Any] | None = None,
    ) -> None:
        super().__init__(receiver, *map(operand, arguments))
        self._method = method
        self._shown = None if shown is None else tuple(map(operand, shown))

    def _lower(self, operands: Sequence[Expr]) -> Expr:
        return Expr.method(self._method, operands)

    def _text(self, operands: Sequence[str]) -> str:
        arguments = operands[1:] if self._shown is None else map(repr, self._shown)
        return f"({operands[0]}).{self._method}({', '.join(arguments)})"


class PointerFrom(ColumnExpression):
    """`pointer_from(...)`: the key of the arguments."""

    __slots__ = ("_has_instance", "_optional", "_table")

    def __init__(self, table: Any, arguments: Sequence[Any], optional: bool, instance: Any) -> None:
        instances = () if instance is None else (operand(instance),)
        super().__init__(*map(operand, arguments), *instances)
        self._table: Table | Any = table
        self._optional = optional
        self._has_instance = instance is not None

    def _lower(self, operands: Sequence[Expr]) -> Expr:
        if self._has_instance:
            return Expr.pointer(operands[:-1], self._optional, operands[-1])
        return Expr.pointer(operands, self._optional, None)

    def _text(self, operands: Sequence[str]) -> str:
        table, *texts = operands
        if self._has_instance:
            texts[-1] = f"instance={texts[-1]}"
        if self._optional:
            texts.append("optional=True")
        return f"{table}.pointer_from({', '.join(texts)})"
