"""`pw.Joinable`: the methods by which tables and joins are joined."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pathway.internals.join_mode import JoinMode
from pathway.internals.table_like import TableLike
from pathway.internals.trace import trace_user_frame

if TYPE_CHECKING:
    from pathway.internals.joins import JoinResult


class Joinable(TableLike):
    """What can stand on either side of a join."""

    @trace_user_frame
    def join(
        self,
        other: Joinable,
        *on: Any,
        id: Any = None,
        how: JoinMode = JoinMode.INNER,
        left_instance: Any = None,
        right_instance: Any = None,
        left_exactly_once: bool = False,
        right_exactly_once: bool = False,
        **kwargs: Any,
    ) -> JoinResult:
        """Pairs of rows that fulfil all conditions `left.column == right.column`.

        Args:
            other: the right side.
            on: conditions; none gives all pairs.
            id: `left.id` or `right.id`, to keep the ids of that side.
            how: which unmatched rows to keep.
            left_instance: one more column to be equal with `right_instance`; computed together.
            right_instance: see `left_instance`.
            left_exactly_once: the promise that each left row has at most one match.
            right_exactly_once: the promise that each right row has at most one match.

        >>> import pathway as pw
        >>> ages = pw.debug.table_from_markdown('''
        ... name  | age
        ... Alice | 30
        ... Bob   | 25
        ... ''')
        >>> pets = pw.debug.table_from_markdown('''
        ... owner | pet
        ... Alice | cat
        ... Alice | dog
        ... ''')
        >>> joined = ages.join(pets, ages.name == pets.owner).select(ages.name, pets.pet)
        >>> pw.debug.compute_and_print(joined, include_id=False)
        name  | pet
        Alice | cat
        Alice | dog
        >>> all_ages = ages.join_left(pets, ages.name == pets.owner).select(ages.name, pets.pet)
        >>> pw.debug.compute_and_print(all_ages, include_id=False)
        name  | pet
        Alice | cat
        Alice | dog
        Bob   |
        """
        from pathway.internals.join_condition import make_join

        if kwargs:
            raise ValueError(
                f"join() has no parameters {', '.join(kwargs)}; output columns are computed by select: "
                "left.join(right, ...).select(name=...)."
            )
        return make_join(
            self,
            other,
            on,
            id=id,
            how=how,
            instances=(left_instance, right_instance),
            exactly_once=(left_exactly_once, right_exactly_once),
        )

    def _join_how(
        self, how: JoinMode, other: Joinable, on: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> JoinResult:
        if "how" in kwargs:
            raise ValueError(
                "the name of the method says which join it is; choose it by how= with join(..., how=...)."
            )
        return self.join(other, *on, how=how, **kwargs)

    @trace_user_frame
    def join_inner(self, other: Joinable, *on: Any, **kwargs: Any) -> JoinResult:
        """[`join`][] that keeps matched rows only."""
        return self._join_how(JoinMode.INNER, other, on, kwargs)

    @trace_user_frame
    def join_left(self, other: Joinable, *on: Any, **kwargs: Any) -> JoinResult:
        """[`join`][] that keeps all left rows; columns of the right are None where nothing matches."""
        return self._join_how(JoinMode.LEFT, other, on, kwargs)

    @trace_user_frame
    def join_right(self, other: Joinable, *on: Any, **kwargs: Any) -> JoinResult:
        """[`join`][] that keeps all right rows; columns of the left are None where nothing matches."""
        return self._join_how(JoinMode.RIGHT, other, on, kwargs)

    @trace_user_frame
    def join_outer(self, other: Joinable, *on: Any, **kwargs: Any) -> JoinResult:
        """[`join`][] that keeps all rows of both sides."""
        return self._join_how(JoinMode.OUTER, other, on, kwargs)
