"""`Table.debug`: prints every change of a table in debugging runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from pathway._engine import CallbackSink, DType, Pointer
from pathway.internals.config import RunConfig
from pathway.internals.parse_graph import G
from pathway.internals.runtime_type_check import check_arg_types
from pathway.internals.table.core import TableCore
from pathway.internals.trace import current_frame, trace_user_frame

if TYPE_CHECKING:
    from pathway.internals.table import Table


class TapOperations(TableCore):
    """Looking at the changes of a table."""

    @trace_user_frame
    @check_arg_types
    def debug(self, name: str) -> Table:
        """Prints every change of the table in runs with `debug=True`, and returns the table.

        A line names the worker that the row belongs to, and the time of the change.

        >>> import pathway as pw
        >>> t = pw.debug.table_from_markdown('''
        ... a
        ... 1
        ... ''').debug("in")
        >>> pw.debug.compute_and_print(t, include_id=False)
        [0][in] @Timestamp(0) +1 id=^X1MXHYYG4YM0DB900V28XN5T4W, a=Int(1)
        a
        1
        """
        dtypes = self._dtypes()

        def on_change(key: Pointer, row: dict[str, Any], time: int, is_addition: bool) -> None:
            worker = int(key) % _SHARDS % RunConfig.from_environment().threads
            cells = [f"id={key}"]
            cells += [f"{column}={engine_text(value, dtypes[column])}" for column, value in row.items()]
            print(f"[{worker}][{name}] @Timestamp({time}) {'+1' if is_addition else '-1'} {', '.join(cells)}")

        sink = CallbackSink(
            list(dtypes),
            list(dtypes.values()),
            on_change=on_change,
            on_time_end=None,
            on_end=None,
            skip_pending=False,
        )
        G.taps.append(G.engine.output(self._engine, sink, keep_errors=True, frame=current_frame()))
        return cast("Table", self)

    def to(self, sink: Any) -> None:
        """Hands the table to an output: an object with a method `attach(table)`."""
        sink.attach(self)


#: Rows are spread over this many shards, by their ids, and these over the workers.
_SHARDS = 2**16


def _float_text(value: float) -> str:
    """Exponents without sign and zeros in front: `1e30`, `1e-7`."""
    digits, e, exponent = repr(value).partition("e")
    return f"{digits}e{int(exponent)}" if e else "NaN" if value != value else digits


def engine_text(value: Any, dtype: DType) -> str:
    """A value with its kind: `Int(1)`, `String("x")`, `Tuple([Int(1)])`.

    >>> engine_text((1, "a", None), DType.ANY)
    'Tuple([Int(1), String("a"), None])'
    """
    import datetime
    import json

    if value is None:
        return "None"
    if isinstance(value, bool):
        return f"Bool({str(value).lower()})"
    if isinstance(value, int):
        return f"Int({value})"
    if isinstance(value, float):
        return f"Float({_float_text(value)})"
    if isinstance(value, str):
        return f"String({json.dumps(value, ensure_ascii=False)})"
    if isinstance(value, bytes):
        return f"Bytes({list(value)})"
    if isinstance(value, tuple):
        return f"Tuple([{', '.join(engine_text(item, DType.ANY) for item in value)}])"
    if isinstance(value, Pointer):
        return f"Pointer({value})"
    if isinstance(value, datetime.datetime):
        kind = "DateTimeNaive" if value.tzinfo is None else "DateTimeUtc"
        return f"{kind}({value})"
    if isinstance(value, datetime.timedelta):
        return f"Duration({value})"
    name = type(value).__name__
    return str(value) if name in ("PyObjectWrapper", "_ErrorType", "_PendingType") else f"{name}({value})"
