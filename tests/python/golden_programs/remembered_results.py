"""Functions whose results are remembered, so that a deletion takes back what was there."""

from blocks import attempt, changes, program

import pathway as pw

STREAM = """
id | a | b | __time__ | __diff__
1  | 1 | 1 | 2        | 1
2  | 5 | 1 | 2        | 1
1  | 1 | 1 | 4        | -1
1  | 1 | 1 | 6        | 1
2  | 5 | 1 | 8        | -1
2  | 5 | 2 | 8        | 1
"""


def counting(**options):
    """A function that gives how often it was called; and these calls."""
    calls = []

    @pw.udf(**options)
    def count(x: int) -> int:
        calls.append(x)
        return len(calls) * 100

    return count, calls


@program
def a_row_that_comes_back_is_computed_again():
    t = pw.debug.table_from_markdown(
        "id | a | __time__ | __diff__\n1 | 1 | 2 | 1\n1 | 1 | 4 | -1\n1 | 1 | 6 | 1"
    )
    count, calls = counting()
    changes(t.select(x=count(t.a)))
    print(len(calls))


@program
def an_update_with_equal_arguments_is_a_new_call():
    t = pw.debug.table_from_markdown(
        "id | a | b | __time__ | __diff__\n1 | 1 | 1 | 2 | 1\n1 | 1 | 1 | 4 | -1\n1 | 1 | 2 | 4 | 1"
    )
    count, calls = counting()
    changes(t.select(t.b, x=count(t.a)))
    print(len(calls))


@program
def how_often_functions_are_called():
    t = pw.debug.table_from_markdown(STREAM)
    for options in ({}, {"deterministic": True}):
        for name, use in {
            "select": lambda f, t=t: t.select(t.b, x=f(t.a)),
            "expression": lambda f, t=t: t.select(t.b, x=f(t.a) * 0 + t.a),
            "two columns": lambda f, t=t: t.select(t.b, x=f(t.a), y=f(t.a)),
            "nested": lambda f, t=t: t.select(t.b, x=f(f(t.a))),
            "filter": lambda f, t=t: t.filter(f(t.a) > 0),
        }.items():
            if options and name in ("select", "two columns", "nested"):
                # Functions that keep the promise only.
                continue
            count, calls = counting(**options)
            pw.debug.table_to_dicts(use(count))
            print(name, options, len(calls))


@program
def append_only_arguments_are_computed_once():
    few = pw.debug.table_from_markdown("id | a\n1 | 1")
    t = pw.debug.table_from_markdown(
        "id | b | __time__ | __diff__\n1 | 5 | 2 | 1\n1 | 5 | 4 | -1\n1 | 5 | 6 | 1\n1 | 5 | 8 | -1"
    )
    count, calls = counting()
    joined = t.select(t.b, a=few.ix(t.id).a)
    changes(joined.select(joined.b, x=count(joined.a)))
    print(len(calls))


@program
def what_cancels_at_one_time_is_not_computed():
    t = pw.debug.table_from_markdown(
        "id | a | __time__ | __diff__\n1 | 1 | 2 | 1\n1 | 1 | 2 | -1\n2 | 2 | 2 | 1"
    )
    count, calls = counting()
    changes(t.select(x=count(t.a)))
    print(calls)


@program
def a_second_insertion_is_refused():
    t = pw.debug.table_from_markdown(
        "id | a | __time__ | __diff__\n1 | 1 | 2 | 1\n1 | 2 | 4 | 1\n3 | 3 | 4 | 1\n3 | 3 | 6 | -1"
    )
    count, _ = counting()
    attempt(lambda: pw.debug.compute_and_print(t.select(x=count(t.a))), "run")
