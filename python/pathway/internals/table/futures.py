"""Operations on results that come later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pathway.internals.table.core import TableCore
from pathway.internals.trace import current_frame, trace_user_frame

if TYPE_CHECKING:
    from pathway.internals.table import Table


class FutureOperations(TableCore):
    """Waiting for results of fully asynchronous functions."""

    @trace_user_frame
    def await_futures(self) -> Table:
        """The rows in which nothing is pending any more; `Future` is taken off all types.

        >>> import pathway as pw
        >>> @pw.udf(executor=pw.udfs.fully_async_executor())
        ... async def double(x: int) -> int:
        ...     return 2 * x
        >>> t = pw.debug.table_from_markdown('''
        ... a
        ... 4
        ... ''')
        >>> doubled = t.select(b=double(t.a))
        >>> doubled.schema["b"].dtype, doubled.await_futures().schema["b"].dtype
        (Future(INT), INT)
        """
        return self._wrap(self._engine.await_futures(current_frame()))
