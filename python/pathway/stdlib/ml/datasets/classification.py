"""Handwritten digits."""

from __future__ import annotations

from typing import Any

import pathway.internals as pw
from pathway.debug import table_from_rows
from pathway.internals import dtype as dt
from pathway.internals.lazy_import import optional_module
from pathway.internals.trace import trace_user_frame

__all__ = ["load_mnist_sample", "load_mnist_stream"]

Table = pw.Table[Any]


@trace_user_frame
def load_mnist_sample(sample_size: int = 70000) -> tuple[Table, Table, Table, Table]:
    """The first of the 70,000 pictures of digits known as MNIST: six of seven to learn from, one to test.

    scikit-learn downloads them from openml.org, and keeps them in its own folder of data.

    Args:
        sample_size: how many pictures.

    Returns:
        Four tables: `data` to learn from (arrays of 784 numbers from 0 to 1), their `label` (text), and
        the same to test with. Rows of data and labels have the same ids.

    Raises:
        ImportError: without scikit-learn: `pip install "pathway[datasets]"`.
        ConnectionError: if openml.org cannot be reached.
        ValueError: for a size that is not from 7 to 70,000.
    """
    if not 7 <= sample_size <= 70000:
        raise ValueError(f"load_mnist_sample: there are 7 to 70,000 pictures to have, not {sample_size}.")
    sklearn = optional_module("sklearn.datasets", "load_mnist_sample", "datasets")
    try:
        pixels, labels = sklearn.fetch_openml("mnist_784", version=1, return_X_y=True, as_frame=False)
    except OSError as error:
        raise ConnectionError(f"load_mnist_sample: openml.org did not give the pictures: {error}") from error
    pictures = pixels[:sample_size] / 255
    names = [str(label) for label in labels[:sample_size]]
    split = sample_size * 6 // 7
    return (
        *_tables(pictures[:split], names[:split], first=0),
        *_tables(pictures[split:], names[split:], first=split),
    )


#: The same under the name of older programs.
load_mnist_stream = load_mnist_sample


def _tables(pictures: Any, labels: list[str], first: int) -> tuple[Table, Table]:
    schema = pw.schema_builder(
        {
            "number": pw.column_definition(dtype=int, primary_key=True),
            "data": pw.column_definition(dtype=dt.FLOAT_ARRAY_1D),
            "label": pw.column_definition(dtype=str),
        }
    )
    rows = [(first + n, *row) for n, row in enumerate(zip(pictures, labels, strict=True))]
    table = table_from_rows(schema, rows)
    return table.select(table.data), table.select(table.label)
