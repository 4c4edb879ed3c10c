"""Which operators exist for which types, and the types of their results."""

import operator

import numpy as np
from blocks import program, rows

import pathway as pw

TYPES = {
    "int": int,
    "float": float,
    "bool": bool,
    "str": str,
    "bytes": bytes,
    "none": None,
    "any": pw.internals.dtype.ANY,
    "json": pw.Json,
    "naive": pw.DateTimeNaive,
    "utc": pw.DateTimeUtc,
    "duration": pw.Duration,
    "pointer": pw.Pointer,
    "pointer_int": pw.Pointer[int],
    "pointer_str": pw.Pointer[str],
    "array": np.ndarray,
    "opt_int": int | None,
    "opt_float": float | None,
    "opt_bool": bool | None,
    "opt_str": str | None,
    "opt_naive": pw.DateTimeNaive | None,
    "tuple_int": tuple[int, int],
    "tuple_mixed": tuple[int, str],
    "list_int": list[int],
    "list_any": list,
    "wrapped": pw.PyObjectWrapper,
}
EMPTY = pw.Table.empty(**TYPES)
FEW = ["int", "none", "any", "opt_str", "pointer_int"]


def matrix(name):
    function = getattr(operator, name)
    for left in TYPES:
        results = []
        for right in TYPES:
            try:
                dtype = EMPTY.eval_type(function(EMPTY[left], EMPTY[right]))
            except TypeError:
                continue
            results.append(f"{right} -> {dtype!r}")
        if results:
            print(f"{left} {name} {'; '.join(results)}")


def binary(name):
    def run():
        matrix(name)

    run.__name__ = f"types of {name}"
    program(run)


for operator_name in [
    "add",
    "sub",
    "mul",
    "truediv",
    "floordiv",
    "mod",
    "pow",
    "matmul",
    "lshift",
    "rshift",
    "and_",
    "or_",
    "xor",
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
]:
    binary(operator_name)


def types_of(function):
    """One line for each outcome: a type or an exception, and the types that lead to it."""
    outcomes = {}
    for name in TYPES:
        try:
            outcome = repr(EMPTY.eval_type(function(EMPTY[name])))
        except Exception as error:
            outcome = type(error).__name__
        outcomes.setdefault(outcome, []).append(name)
    for outcome, names in outcomes.items():
        print(f"  {outcome}: {' '.join(names)}")


@program
def types_of_unary_operators():
    for name in ("neg", "invert", "abs"):
        print(name)
        types_of(getattr(operator, name))


@program
def types_of_tests_for_none():
    types_of(lambda column: column.is_none())
    types_of(lambda column: column.is_not_none())


@program
def types_of_unwrap_and_make_tuple():
    types_of(pw.unwrap)
    types_of(lambda column: pw.make_tuple(column, 1))


@program
def types_of_conversions_from_json():
    for name in ("as_int", "as_float", "as_str", "as_bool"):
        print(name)
        types_of(lambda column, name=name: getattr(column, name)())
        types_of(lambda column, name=name: getattr(column, name)(unwrap=True))


@program
def types_of_to_string():
    types_of(lambda column: column.to_string())


@program
def types_of_indexing():
    types_of(lambda column: column[0])
    types_of(lambda column: column[1])
    types_of(lambda column: column.get(0))
    types_of(lambda column: column.get(5, default=None))
    types_of(lambda column: column["x"])
    types_of(lambda column: column.get("x"))


def pairs(function, names=tuple(TYPES)):
    def run():
        for left in names:
            results = []
            for right in names:
                try:
                    dtype = EMPTY.eval_type(function(EMPTY[left], EMPTY[right]))
                except TypeError:
                    continue
                results.append(f"{right} -> {dtype!r}")
            print(f"{left}: {'; '.join(results)}")

    return run


@program
def types_of_if_else():
    pairs(
        lambda left, right: pw.if_else(EMPTY.bool, left, right), [name for name in TYPES if name != "any"]
    )()


@program
def types_of_coalesce():
    pairs(pw.coalesce, [name for name in TYPES if name != "none"])()


@program
def types_of_require():
    pairs(pw.require)()


@program
def types_of_fill_error():
    pairs(pw.fill_error)()


@program
def types_of_pointer_from():
    types_of(EMPTY.pointer_from)
    pairs(lambda left, right: EMPTY.pointer_from(left, right), FEW)()
    few = [name for name in FEW if name != "none"]
    pairs(lambda left, right: EMPTY.pointer_from(left, right, optional=True), few)()


@program
def types_that_declare_type_accepts():
    empty = pw.Table.empty(**TYPES)
    for source in TYPES:
        targets = []
        for target, annotation in TYPES.items():
            try:
                empty.select(x=pw.declare_type(annotation, empty[source]))
            except TypeError:
                continue
            targets.append(target)
        print(source, "->", *targets)


@program
def conditions_have_to_be_booleans():
    types_of(lambda column: pw.if_else(column, 1, 2))
    empty = pw.Table.empty(**TYPES)
    for name in TYPES:
        try:
            empty.filter(empty[name])
            print("filter accepts", name)
        except TypeError:
            pass


@program
def types_of_string_methods():
    calls = {
        "lower": lambda c: c.str.lower(),
        "len": lambda c: c.str.len(),
        "startswith": lambda c: c.str.startswith("a"),
        "strip": lambda c: c.str.strip(),
        "replace": lambda c: c.str.replace("a", "b"),
        "count": lambda c: c.str.count("a", None, 3),
        "slice": lambda c: c.str.slice(0, 1),
        "parse_int": lambda c: c.str.parse_int(),
        "parse_float optional": lambda c: c.str.parse_float(optional=True),
        "parse_bool": lambda c: c.str.parse_bool(),
    }
    for name, call in calls.items():
        print(name)
        types_of(call)


@program
def types_of_number_methods():
    for name, call in {
        "abs": lambda c: c.num.abs(),
        "round": lambda c: c.num.round(1),
        "fill_na": lambda c: c.num.fill_na(0),
    }.items():
        print(name)
        types_of(call)


@program
def types_of_time_methods():
    for name, call in {
        "year": lambda c: c.dt.year(),
        "timestamp": lambda c: c.dt.timestamp("s"),
        "strftime": lambda c: c.dt.strftime("%Y"),
        "strptime": lambda c: c.dt.strptime("%Y"),
        "strptime utc": lambda c: c.dt.strptime("%Y %z"),
        "to_utc": lambda c: c.dt.to_utc("UTC"),
        "to_naive_in_timezone": lambda c: c.dt.to_naive_in_timezone("UTC"),
        "round": lambda c: c.dt.round("1h"),
        "hours": lambda c: c.dt.hours(),
        "to_duration": lambda c: c.dt.to_duration("s"),
        "from_timestamp": lambda c: c.dt.from_timestamp("s"),
        "utc_from_timestamp": lambda c: c.dt.utc_from_timestamp("s"),
        "weekday": lambda c: c.dt.weekday(),
    }.items():
        print(name)
        types_of(call)


@program
def casts_found_when_they_run():
    samples = rows(
        {
            "int": int,
            "float": float,
            "bool": bool,
            "str": str,
            "opt_int": int | None,
            "opt_float": float | None,
            "opt_str": str | None,
            "naive": pw.DateTimeNaive,
            "json": pw.Json,
            "bytes": bytes,
        },
        (1, 1.5, True, "1", 2, 2.5, "3", pw.DateTimeNaive("2020-01-01"), pw.Json(1), b"1"),
    )
    for source in list(samples.column_names())[1:]:
        targets = (int, float, bool, str, int | None, float | None, str | None, pw.Json, bytes)
        for target in targets[:4] + targets[7:] if source.startswith("opt_") else targets:
            try:
                table = samples.select(x=pw.cast(target, samples[source]))
                print(
                    source,
                    target,
                    table.typehints()["x"],
                    pw.debug.table_to_dicts(table)[1]["x"].popitem()[1],
                )
            except Exception as error:
                print(source, target, type(error).__name__)
