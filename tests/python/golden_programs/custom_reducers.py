"""Reducers in Python over changes."""

import pathway as pw

s = pw.debug.table_from_markdown("""
  | g | v | __time__ | __diff__
1 | x | 1 | 2        | 1
2 | x | 5 | 2        | 1
3 | y | 3 | 4        | 1
1 | x | 1 | 6        | -1
1 | x | 4 | 6        | 1
2 | x | 5 | 8        | -1
3 | y | 3 | 8        | -1
""")


def combine(state, rows):
    return (state or 0) + sum(row[0] * count for row, count in rows)


class Values(pw.BaseCustomAccumulator):
    def __init__(self, values):
        self.values = values

    @classmethod
    def from_row(cls, row):
        return cls([row[0]])

    def update(self, other):
        self.values = self.values + other.values

    def compute_result(self) -> str:
        return str(sorted(self.values))


class Retracting(Values):
    @classmethod
    def neutral(cls):
        return cls([])

    def retract(self, other):
        for value in other.values:
            self.values.remove(value)


for reducer in (
    pw.reducers.stateful_many(combine),
    pw.reducers.udf_reducer(Values),
    pw.reducers.udf_reducer(Retracting),
):
    result = s.groupby(s.g).reduce(s.g, c=reducer(s.v))
    print(result)
    pw.debug.compute_and_print_update_stream(result, include_id=False)
total = pw.reducers.stateful_single(lambda state, v: (state or 0) + v)
plain = pw.debug.table_from_markdown("v\n1\n2")
pw.debug.compute_and_print(plain.reduce(c=total(plain.v)))
