"""Byte-exact printing of tables and update streams."""

import typing

import pathway as pw

t = pw.debug.table_from_markdown("""
  | a | b
1 | x | 1
2 | y |
""")
pw.debug.compute_and_print(t)
pw.debug.compute_and_print(t, include_id=False)
pw.debug.compute_and_print(t, short_pointers=False)
pw.debug.compute_and_print(t.select(t.b), include_id=False)
pw.debug.compute_and_print(t.filter(t.a == "z"))
pw.debug.compute_and_print(t.filter(t.a == "z"), include_id=False)
pw.debug.compute_and_print(t.select())
pw.debug.compute_and_print(t.select(), include_id=False)
for n_rows in (0, 1, 5):
    pw.debug.compute_and_print(t, n_rows=n_rows)
    pw.debug.compute_and_print_update_stream(t, n_rows=n_rows)
pw.debug.compute_and_print(t.select(p=t.pointer_from(t.b), q=(t.id, 1)), t, include_id=False)
pw.debug.compute_and_print()
stream = pw.debug.table_from_markdown("""
  | a | __time__ | __diff__
1 | 5 | 2        | 1
2 | 3 | 2        | 1
1 | 5 | 4        | -1
1 | 4 | 4        | 1
""")
pw.debug.compute_and_print_update_stream(stream)
pw.debug.compute_and_print_update_stream(stream, include_id=False)
pw.debug.compute_and_print(stream)
values = pw.debug.table_from_rows(
    pw.schema_from_types(a=typing.Any, j=pw.Json, b=bytes, d=pw.Duration),
    [((1, "q", None), {"ż": [1, None]}, b"ab", pw.Duration(days=1, nanoseconds=3))],
)
pw.debug.compute_and_print(values)
twice = t.with_id_from(1)
try:
    pw.debug.compute_and_print(twice)
except KeyError:
    print("KeyError")
# Equal rows with one id are one change; the removal of a row that is not there is shown as it is.
stream = pw.debug.table_from_markdown("""
  | a | __time__ | __diff__
1 | 1 | 2 | 1
1 | 1 | 2 | 1
1 | 1 | 2 | 1
1 | 2 | 4 | 1
1 | 2 | 4 | 1
1 | 2 | 4 | -1
1 | 3 | 6 | -1
1 | 1 | 6 | -1
1 | 1 | 6 | -1
""")
pw.debug.compute_and_print_update_stream(stream)
pw.debug.compute_and_print(stream, terminate_on_error=False)
more = pw.debug.table_from_markdown("""
  | a
1 | 1
2 | 2
""")
pw.universes.promise_are_pairwise_disjoint(stream, more)
pw.debug.compute_and_print_update_stream(stream.concat(more))
for wrong in (stream, stream.concat(more)):
    try:
        pw.debug.table_to_dicts(wrong)
    except KeyError:
        print("KeyError")
