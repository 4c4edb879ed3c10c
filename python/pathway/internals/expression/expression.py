"""`pw.ColumnExpression`: an immutable description of a value per row.

An expression is a tree of nodes. A node knows its operands, how to build the engine's expression
from theirs ([`ColumnExpression._lower`][]) and its text ([`ColumnExpression._text`][]); walking the
tree is done in one place (`walk`), and what a column means in `resolve`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from pathway._engine import Expr, Table
from pathway.internals.trace import trace_user_frame, user_location

if TYPE_CHECKING:
    from pathway.internals.expression.date_time import DateTimeNamespace
    from pathway.internals.expression.numerical import NumericalNamespace
    from pathway.internals.expression.string import StringNamespace
    from pathway.internals.resolve import Narrowed, Scope


class ColumnExpression:
    """A value per row, computed from columns and constants.

    >>> import pathway as pw
    >>> pw.this.price * 2 + 1
    ((pathway.this.price * 2) + 1)
    """

    __slots__ = ("_location", "_operands")
    __array_ufunc__ = None  # numpy leaves `np.int64(1) + expression` to us

    _operands: tuple[ColumnExpression, ...]

    def __init__(self, *operands: ColumnExpression) -> None:
        self._operands = operands
        self._location = user_location()

    # --- what a kind of node defines ------------------------------------------------------------

    def _lower(self, operands: Sequence[Expr]) -> Expr:
        """The engine's expression over these operands."""
        raise NotImplementedError

    def _lower_over(self, base: Table, operands: Sequence[Expr]) -> Expr:
        """The same, for nodes that are made for the rows of a table."""
        return self._lower(operands)

    def _text(self, operands: Sequence[str]) -> str:
        """The text over these texts of the operands."""
        raise NotImplementedError

    def _narrowed_operands(self, scope: Scope, narrowed: Narrowed) -> Sequence[Narrowed] | None:
        """For each operand the columns known not to be None there; None: the same as here."""
        return None

    # --- operators ------------------------------------------------------------------------------

    def __add__(self, other: Any) -> ColumnExpression:
        return nodes.Binary("add", self, nodes.operand(other))

    def __radd__(self, other: Any) -> ColumnExpression:
        return nodes.Binary("add", nodes.operand(other), self)

    def __sub__(self, other: Any) -> ColumnExpression:
        return nodes.Binary("sub", self, nodes.operand(other))

    def __rsub__(self, other: Any) -> ColumnExpression:
        return nodes.Binary("sub", nodes.operand(other), self)

    def __mul__(self, other: Any) -> ColumnExpression:
        return nodes.Binary("mul", self, nodes.operand(other))

    def __rmul__(self, other: Any) -> ColumnExpression:
        return nodes.Binary("mul", nodes.operand(other), self)

    def __truediv__(self, other: Any) -> ColumnExpression:
        return nodes.Binary("truediv", self, nodes.operand(other))

    def __rtruediv__(self, other: Any) -> ColumnExpression:
        return nodes.Binary("truediv", nodes.operand(other), self)

    def __floordiv__(self, other: Any) -> ColumnExpression:
        return nodes.Binary("floordiv", self, nodes.operand(other))

    def __rfloordiv__(self, other: Any) -> ColumnExpression:
        return nodes.Binary("floordiv", nodes.operand(other), self)

    def __mod__(self, other: Any) -> ColumnExpression:
        return nodes.Binary("mod", self, nodes.operand(other))

    def __rmod__(self, other: Any) -> ColumnExpression:
        return nodes.Binary("mod", nodes.operand(other), self)

    def __pow__(self, other: Any) -> ColumnExpression:
        return nodes.Binary("pow", self, nodes.operand(other))

    def __rpow__(self, other: Any) -> ColumnExpression:
        return nodes.Binary("pow", nodes.operand(other), self)

    def __matmul__(self, other: Any) -> ColumnExpression:
        return nodes.Binary("matmul", self, nodes.operand(other))

    def __rmatmul__(self, other: Any) -> ColumnExpression:
        return nodes.Binary("matmul", nodes.operand(other), self)

    def __lshift__(self, other: Any) -> ColumnExpression:
        return nodes.Binary("lshift", self, nodes.operand(other))

    def __rlshift__(self, other: Any) -> ColumnExpression:
        return nodes.Binary("lshift", nodes.operand(other), self)

    def __rshift__(self, other: Any) -> ColumnExpression:
        return nodes.Binary("rshift", self, nodes.operand(other))

    def __rrshift__(self, other: Any) -> ColumnExpression:
        return nodes.Binary("rshift", nodes.operand(other), self)

    def __and__(self, other: Any) -> ColumnExpression:
        return nodes.Binary("and_", self, nodes.operand(other))

    def __rand__(self, other: Any) -> ColumnExpression:
        return nodes.Binary("and_", nodes.operand(other), self)

    def __or__(self, other: Any) -> ColumnExpression:
        return nodes.Binary("or_", self, nodes.operand(other))

    def __ror__(self, other: Any) -> ColumnExpression:
        return nodes.Binary("or_", nodes.operand(other), self)

    def __xor__(self, other: Any) -> ColumnExpression:
        return nodes.Binary("xor", self, nodes.operand(other))

    def __rxor__(self, other: Any) -> ColumnExpression:
        return nodes.Binary("xor", nodes.operand(other), self)

    def __eq__(self, other: Any) -> ColumnExpression:  # type: ignore[override]
        return nodes.Binary("eq", self, nodes.operand(other))

    def __ne__(self, other: Any) -> ColumnExpression:  # type: ignore[override]
        return nodes.Binary("ne", self, nodes.operand(other))

    def __lt__(self, other: Any) -> ColumnExpression:
        return nodes.Binary("lt", self, nodes.operand(other))

    def __le__(self, other: Any) -> ColumnExpression:
        return nodes.Binary("le", self, nodes.operand(other))

    def __gt__(self, other: Any) -> ColumnExpression:
        return nodes.Binary("gt", self, nodes.operand(other))

    def __ge__(self, other: Any) -> ColumnExpression:
        return nodes.Binary("ge", self, nodes.operand(other))

    def __neg__(self) -> ColumnExpression:
        return nodes.Unary("neg", self)

    def __invert__(self) -> ColumnExpression:
        return nodes.invert(self)

    def __abs__(self) -> ColumnExpression:
        return self.num.abs()

    def __hash__(self) -> int:
        return id(self)

    @trace_user_frame
    def __bool__(self) -> NoReturn:
        raise RuntimeError(
            f"{self!r} is a value per row, so it is neither true nor false here. Use & for and, | for or, "
            "~ for not, pw.if_else for if, and put comparisons in parentheses."
        )

    @trace_user_frame
    def __iter__(self) -> Iterator[Any]:
        raise TypeError(
            f"{type(self).__name__} is not iterable: {self!r} is a value per row. Take elements with "
            "[index], "
            "or use pw.apply with a function that iterates."
        )

    def __repr__(self) -> str:
        from pathway.internals.expression.printing import expression_text

        return expression_text(self)

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"the expression {self!r} is part of a computation and cannot be pickled")

    # --- methods --------------------------------------------------------------------------------

    def __getitem__(self, index: Any) -> ColumnExpression:
        """Element of a tuple, list, array or Json; a missing one is an error (Json: null)."""
        return nodes.GetItem(self, nodes.operand(index))

    def get(self, index: Any, default: Any = None) -> ColumnExpression:
        """Element of a tuple, list, array or Json, or the default where it is missing.

        >>> import pathway as pw
        >>> t = pw.debug.table_from_rows(pw.schema_from_types(xs=list[int]), [([1, 2],), ([3],)])
        >>> pw.debug.compute_and_print(t.select(y=t.xs.get(1, 0)), include_id=False)
        y
        0
        2
        """
        return nodes.Get(self, nodes.operand(index), nodes.operand(default))

    def is_none(self) -> ColumnExpression:
        """True where the value is None."""
        return nodes.NoneTest(self, True)

    def is_not_none(self) -> ColumnExpression:
        """True where the value is not None; filtering by it makes a column non-Optional."""
        return nodes.NoneTest(self, False)

    def to_string(self) -> ColumnExpression:
        """The value as text, whatever its type."""
        return nodes.ToString(self)

    def as_int(self, default: Any = None, unwrap: bool = False) -> ColumnExpression:
        """The integer in a Json value; None and null give the default.

        >>> import pathway as pw
        >>> t = pw.debug.table_from_rows(pw.schema_from_types(d=pw.Json), [({"n": 3},)])
        >>> pw.debug.compute_and_print(t.select(n=t.d["n"].as_int()), include_id=False)
        n
        3
        """
        return nodes.FromJson("int", self, default, unwrap)

    def as_float(self, default: Any = None, unwrap: bool = False) -> ColumnExpression:
        """The number in a Json value; None and null give the default."""
        return nodes.FromJson("float", self, default, unwrap)

    def as_str(self, default: Any = None, unwrap: bool = False) -> ColumnExpression:
        """The string in a Json value; None and null give the default."""
        return nodes.FromJson("str", self, default, unwrap)

    def as_bool(self, default: Any = None, unwrap: bool = False) -> ColumnExpression:
        """The boolean in a Json value; None and null give the default."""
        return nodes.FromJson("bool", self, default, unwrap)

    @property
    def dt(self) -> DateTimeNamespace:
        """Functions of dates, times and durations."""
        from pathway.internals.expression.date_time import DateTimeNamespace

        return DateTimeNamespace(self)

    @property
    def num(self) -> NumericalNamespace:
        """Functions of numbers."""
        from pathway.internals.expression.numerical import NumericalNamespace

        return NumericalNamespace(self)

    @property
    def str(self) -> StringNamespace:
        """Functions of text."""
        from pathway.internals.expression.string import StringNamespace

        return StringNamespace(self)


# The nodes are subclasses, so their module can only be imported once the class is there.
from pathway.internals.expression import nodes  # noqa: E402
