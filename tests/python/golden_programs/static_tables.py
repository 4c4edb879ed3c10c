"""What texts, rows and data frames become."""

import warnings

import numpy as np
import pandas as pd

import pathway as pw

warnings.simplefilter("ignore")


def show(make):
    try:
        table = make()
        print(table)
        pw.debug.compute_and_print_update_stream(table)
    except Exception as error:
        print(type(error).__name__)


TEXTS = [
    "a | b\n1 | 2",
    "  | a | b\n1 | 1 | 2\n2 | 3 | ",
    "id | a\nx | 1\ny | 2",
    "a b\n1 2\n3 4",
    "a | b\n1 | None\nNaN | x\nNA | NULL",
    "a\n1.0\n2",
    "a\n1.5\ninf",
    "a\nTrue\nfalse\nTRUE",
    "a\nTrue\n1",
    "a\n007\n8",
    "a\n007\nx",
    "a\n99999999999999999999\n1",
    "a | a\n1 | 2",
    "a | b\n1\n2 | 3",
    "a\n1 | 2\n3 | 4",
    "a | b",
    "a\nnull\nN/A",
    "a | __time__ | __diff__\n1 | 2 | 1\n2 | 4 | 1",
    "a | __time__\n1 | 3\n2 | 5",
    "a | __time__\n1 | -2",
    "a | __diff__\n1 | 2",
]
for text in TEXTS:
    print(repr(text))
    show(lambda text=text: pw.debug.table_from_markdown(text))
show(lambda: pw.debug.table_from_markdown("a b | c\nx y | z\n  p q  | ", split_on_whitespace=False))
show(lambda: pw.debug.table_from_markdown("a | b\n1 | 2\n3 | 4", id_from=["b", "a"]))
show(lambda: pw.debug.table_from_markdown("  | a\n1 | 2\n3 | 4", unsafe_trusted_ids=True))
show(lambda: pw.debug.table_from_markdown("a\n1", id_from=["z"]))
schema = pw.schema_from_types(a=int, b=str)
show(lambda: pw.debug.table_from_markdown("a | b\n1 | 2", schema=schema))
show(lambda: pw.debug.table_from_markdown("a | c\n1 | 2", schema=schema))
show(
    lambda: pw.debug.table_from_rows(
        schema, [(1, "a", 2, 1), (2, "b", 4, 1), (1, "a", 6, -1)], is_stream=True
    )
)
show(lambda: pw.debug.table_from_rows(schema, [(1,)]))
show(lambda: pw.debug.table_from_rows(pw.schema_from_types(a=float, c=bytes, d=int | None), [(1, "x", 2.0)]))
FRAMES = [
    pd.DataFrame({"a": [1, 2], "b": ["x", None]}),
    pd.DataFrame({"a": [1, None], "b": [True, False]}),
    pd.DataFrame({"a": pd.array([1, None], dtype="Int64")}),
    pd.DataFrame({"a": [{"x": 1}, {}], "b": [(1, 2), (3, 4)], "c": [[1], [2, 3]]}),
    pd.DataFrame({"a": [np.array([1, 2]), np.array([3])]}),
    pd.DataFrame({"a": [pd.Timestamp("2020-01-01"), None], "c": pd.to_timedelta([1, 2])}),
    pd.DataFrame({"a": []}),
    pd.DataFrame({"a": [None, None]}),
    pd.DataFrame({"a": [1, "x"]}),
    pd.DataFrame({"a": [1, 2]}, index=["p", "q"]),
]
for frame in FRAMES:
    show(lambda frame=frame: pw.debug.table_from_pandas(frame))
one = pw.debug.table_from_markdown("  | a\n1 | 1\n2 | 2")
show(lambda: one + pw.debug.table_from_markdown("  | b\n2 | 1\n1 | 2"))
show(lambda: one + pw.debug.table_from_markdown("  | b\n1 | 1\n3 | 2"))
show(lambda: one + pw.debug.table_from_markdown("  | b\n2 | 1\n1 | 2", _new_universe=True))
