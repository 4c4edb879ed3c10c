"""How good predictions are."""

from __future__ import annotations

from typing import Any

import pathway.internals as pw
from pathway.internals.trace import trace_user_frame
from pathway.universes import promise_is_subset_of

__all__ = ["classifier_accuracy"]


@trace_user_frame
def classifier_accuracy(predicted_labels: pw.Table[Any], exact_labels: pw.Table[Any]) -> pw.Table[Any]:
    """How many predictions are right and how many are wrong.

    Args:
        predicted_labels: with the column `predicted_label`; its ids are among those of `exact_labels`.
        exact_labels: with the column `label`.

    Returns:
        A table with the columns `cnt` and `value`: the number of right ones (True) and of wrong ones (False).

    >>> import pathway as pw
    >>> exact = pw.debug.table_from_markdown('''
    ...   | label
    ... 1 | a
    ... 2 | b
    ... 3 | b
    ... ''')
    >>> predicted = exact.select(predicted_label="b")
    >>> accuracy = pw.ml.utils.classifier_accuracy(predicted, exact)
    >>> pw.debug.compute_and_print(accuracy, include_id=False)
    cnt | value
    1   | False
    2   | True
    """
    promise_is_subset_of(predicted_labels, exact_labels)
    compared = predicted_labels.select(value=predicted_labels.predicted_label == exact_labels.label)
    return compared.groupby(compared.value).reduce(cnt=pw.reducers.count(), value=compared.value)
