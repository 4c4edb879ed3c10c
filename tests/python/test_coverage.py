"""The list in `tests/coverage.md`: every part of the contract is there, and every test it names exists."""

from __future__ import annotations

import ast
import importlib
import inspect
import pathlib
import re
from collections.abc import Callable
from typing import Any

import pytest

import pathway as pw
from pathway import cli

TESTS = pathlib.Path(__file__).parent.parent
LIST = TESTS / "coverage.md"

#: The parts of the contract, by area.
CONTRACT = {
    "Types, schemas and column expressions": [
        "Values and dtypes: the dtypes",
        "Annotation to dtype",
        "Types of constants",
        "What Python code receives",
        "Python value to engine value for a declared dtype",
        "Text forms",
        "Ordering, equality, hashing",
        "Subtyping",
        "Lowest common ancestor",
        "pw.Type",
        "Python-side helper types",
        "Inference from pandas",
        "Schemas: class syntax",
        "pw.column_definition",
        "Derived facts of schemas",
        "Inheritance and combination",
        "Other constructors of schemas",
        "Methods and properties of a schema class",
        "Types on tables",
        "The key function",
        "Where ids come from",
        "table.pointer_from",
        "Pointer type checks",
        "Column expressions: kinds and general rules",
        "Binary operators: type rules",
        "Binary operators: values",
        "None tests and conditionals",
        "pw.cast",
        "pw.declare_type",
        "Indexing and get",
        "Json conversion and to_string",
        "The apply family",
        "Futures",
        "Method calls and Optional",
        "Schema assertions",
        ".dt: fields of a datetime",
        ".dt: parsing and formatting",
        ".dt: time zones",
        ".dt: rounding",
        ".dt: durations and timestamps",
        ".str",
        ".num",
        "Errors: termination mode",
        "The Error value in expressions",
        "Operators that meet an Error cell",
        "Error logs",
        "Exceptions raised from a run",
        "Examples of errors",
        "repr of expressions",
        "Expression info in type errors",
        "The note of where it occurred",
        "Frequent build-time messages",
        "Reducers: list",
        "None, Error, empty groups, updates",
        "The row chosen by any",
        "Custom reducers",
        "Example of reducers",
    ],
    "Table operations": [
        "Vocabulary",
        "Default streaming contract",
        "Errors at build time",
        "Run-time error messages used by several operations",
        "Two different notions of same",
        "Universe of each result",
        "Checks made with the solver",
        "Promises",
        "Always-empty universes",
        "Append-only property",
        "Forms of a column reference",
        "pw.this, pw.left, pw.right",
        "pw.TableSlice",
        "Argument rules",
        "Creating and inspecting tables",
        "Column-wise operations",
        "filter and split",
        "intersect, difference, restrict",
        "with_universe_of",
        "How ids arise",
        "Methods that change ids",
        "concat and concat_reindex",
        "update_cells",
        "update_rows",
        "groupby and reduce",
        "deduplicate",
        "ix and ix_ref",
        "flatten",
        "remove_errors and await_futures",
        "Tables and streams of changes",
        "forget, buffer, ignore_late, filter_out_results_of_forgetting",
        "Joins: signatures",
        "Joins: conditions",
        "Joins: result rows, ids, types",
        "Names on a join result",
        "Methods of JoinResult",
        "pw.iterate",
        "table_transformer, schema assertion, functions of rows",
        "Transformer classes",
        "pw.utils.col",
        "Filtering and bucketing",
        "pandas_transformer",
        "AsyncTransformer",
        "Nearest neighbours",
        "Graphs",
        "Fuzzy matches",
        "Hidden Markov models",
        "Views in notebooks",
        "Gradual broadcast",
        "Data sets",
        "Operation matrix",
        "Inventory of public names",
    ],
    "Limits of types and expressions": [
        "Unions, Annotated, Literal, scalars of NumPy and Callable as annotations",
        "Dates and moments of other libraries as annotations",
        "Texts as annotations, unknown names of types",
        "Dimensions in hints of arrays",
        "Types of products of matrices, products of two vectors",
        "Classes of wrapped objects",
        "Copies of pointers",
        "Integers of more than 64 bits",
        "Cells of static tables that do not fit",
        "Moments as instances of their classes",
        "Unions of schemas",
        "Inheriting a renamed column",
        "Other types and ids for keyed schemas",
        "Missing and extra columns of a schema",
        "Types of inherited columns",
        "Blank lines and short rows below a CSV header",
        "Dictionaries that schemas are made of",
        "Generated classes and names that are no identifiers",
        "Arithmetic of arrays",
        "Arithmetic and order of Optional operands",
        "Arithmetic and order of Any",
        "Arithmetic and order of Json",
        "Impossible casts, reducers outside of reduce, order of tuples with None",
        "Common types of tuples and lists",
        "Casts between Optional types",
        "Texts as truth values",
        "Text of no time at all, texts of None tests",
        "coalesce of None, branches of type Any",
        "The least integer divided by -1",
        "Types of defaults of get and as_float",
        "The instance of a pointer, lookups by an error",
        "Order of Json and of arrays",
        "Negative indices of Json",
        "Truth values as numbers of Json, lengths of time in Json",
        "Deep and shared expressions",
        "Columns of a superset",
        "A column as the default of fill_na",
        "Receivers that may be None",
        "Formats that do not apply, roundings to nothing",
        "Dates out of range",
        "Zones, hours and incomplete dates that are parsed",
        "Spellings of weeks",
        "Removals that earliest and approximate counts meet",
        "Sums of mixed arrays, sums after an infinity",
        "A group whose rows are errors for one reducer",
        "Averages of arrays",
        "Sums, averages and arrays of Optional columns",
        "Messages of unique and of stateful_single",
        "Errors read back, errors inside of tuples",
        "The line of an output that meets an error",
        "Products of stacks of matrices",
        "Limits of values that stay",
    ],
    "Limits of table operations": [
        "Grouping by the same columns again",
        "Restrictions to deduplicated rows",
        "Integers and floats as join keys",
        "Rows that match once, in other joins than inner ones",
        "Order of collapsed answers, removed queries",
        "Ids in the view of a static table",
        "Edges of contracted graphs",
        "Columns of equal universes, columns of supersets",
        "Removals that come too late",
        "Iterations in iterations, tables around them",
        "Sources with edges into them, equal times of interpolation",
        "Several rows under one id",
        "Instances of pointers",
        "Errors and None as keys",
        "Joins as restrictions and universes",
        "Assertions without text",
        "Renaming",
        "Column sets that are not nested",
        "The id that a lookup misses",
        "Arguments of wrong kinds",
        "Differences to a row with None",
        "Indices and arguments of pandas_transformer",
        "The total of an empty table",
        "update_rows with several rows under one id",
        "Lookups in lookups, lookups of groups",
        "What joins offer",
        "Subscriptions of live tables",
        "Append-only tables that are iterated",
        "All names of the package at once",
        "Circles and exceptions in transformer classes",
    ],
    "Running, debugging, functions": [
        "pw.run and pw.run_all",
        "Logging",
        "terminate_on_error=True",
        "terminate_on_error=False",
        "Error log tables",
        "pw.debug: overview",
        "Static tables: ids, times, special columns",
        "Value conversion and type inference",
        "Shared universes",
        "Reading tables back",
        "Exact output format of the printing functions",
        "StreamGenerator",
        "Table.debug",
        "pw.demo",
        "UDFs: creating",
        "UDFs: parameters",
        "UDFs: executors",
        "Fully asynchronous UDFs",
        "Determinism and memoization",
        "Batch UDFs",
        "Cache strategies",
        "Retry strategies",
        "Function decorators in pw.udfs",
        "AsyncTransformer: result tables",
        "AsyncTransformer: order and consistency",
        "pw.io.subscribe, pw.io.python.write",
        "ConnectorSubject and pw.io.python.read",
        "Graph bookkeeping and warnings",
        "Workers, processes, machines",
        "Environment variables",
        "pathway spawn, pathway spawn-from-env",
        "pathway replay",
        "pathway explain, pw.explain, Table.explain",
        "pathway why",
        "pathway run",
        "pathway persistence inspect",
        "pathway airbyte create-source",
        "Help, versions, completion, mistakes on the command line",
        "pw.load_yaml: tags",
        "pw.load_yaml: variables and the environment",
        "Persistence: API and modes",
        "Persistence: checkpoints and recovery",
        "Persistence: changes between runs",
        "Persistence: names",
        "Persistence: functions",
        "Persistence: Python sources",
        "Persistence: mock events",
        "Dynamic scaling",
        "Exported tables",
        "Interactive mode, live tables, imported tables",
        "Runs in the background",
        "Runs step by step",
    ],
    "Limits of debugging, demonstrations and functions": [
        "Columns of another order than those of a schema",
        "Frames with labels of their own",
        "The data frame of the caller",
        "Objects and missing ones in data frames",
        "Options of Parquet files",
        "Markdown as it is written elsewhere",
        "Options of runs for data frames, a negative number of rows",
        "Generators: time 0, missing workers, no configuration",
        "Rows that cannot be compared",
        "Replayed files: keys, commits",
        "Demonstrations without end, and the same each time",
        "Whole seconds as timeouts, capacities in a second run",
        "Functions that are methods, functions without arguments, forgotten constructors",
        "Pending cells: casts, files",
        "Exceptions of functions that answer later, of asynchronous subscribers",
        "Equal calls at one time",
        "Transformers: wrong results, defaults, caches",
        "Transformers: several workers, append-only results",
    ],
    "Windows and order": [
        "Window definitions: tumbling and sliding",
        "Window definitions: session",
        "Window definitions: intervals_over",
        "windowby: columns",
        "windowby: result ids",
        "windowby: updates",
        "Behaviors: tumbling and sliding windows",
        "Behaviors: other windows",
        "Time operators on tables",
        "Times that are errors",
        "Table.sort",
        "Table.diff",
        "Table.interpolate",
        "Repeated ids and sessions",
        "time_utils: utc_now",
        "time_utils: inactivity_detection",
        "time_utils: add_update_timestamp_utc",
        "Limits: operations by time",
    ],
    "Joins in time": [
        "Interval joins",
        "As-of joins",
        "Behaviors of joins",
        "Window joins",
        "As-of-now joins",
    ],
    "Kafka": [
        "Common arguments of sources and sinks",
        "Identity of rows",
        "Columns, metadata first",
        "Records that cannot be read",
        "What writers emit",
        "Positions and restarts",
        "Payload formats: raw and plaintext",
        "JSON in messages, keys and tombstones",
        "Where reading begins",
        "Parallel readers and new partitions",
        "Failures of the broker and of settings",
        "Writer: formats",
        "Writer: keys, headers, topics by column",
        "Writer: what is refused",
        "Writer: full queues and failures",
        "Redpanda",
        "Debezium",
        "Schema registry: Avro",
        "Schema registry",
    ],
    "PostgreSQL": [
        "Common arguments",
        "Kinds of output tables",
        "init_mode",
        "Checks when the program is built",
        "Checks of the target",
        "Connection settings",
        "Types both ways",
        "write_snapshot",
        "Writing and persistence",
        "Static reads",
        "Streams: rows, then changes",
        "Streams: keys",
        "Streams: is_append_only",
        "Lost connections",
        "Names of the handbook",
        "Streams: slots, persistence",
    ],
}


#: What users say in the environment to the runtime.
VARIABLES = [
    "PATHWAY_THREADS",
    "PATHWAY_PROCESSES",
    "PATHWAY_PROCESS_ID",
    "PATHWAY_FIRST_PORT",
    "PATHWAY_ADDRESSES",
    "PATHWAY_RUN_ID",
    "PATHWAY_START_TIMESTAMP_MS",
    "PATHWAY_SUPPRESS_OTHER_WORKER_ERRORS",
    "PATHWAY_SPAWN_ARGS",
    "PATHWAY_IGNORE_ASSERTS",
    "PATHWAY_RUNTIME_TYPECHECKING",
    "PATHWAY_TERMINATE_ON_ERROR",
    "PATHWAY_REPLAY_STORAGE",
    "PATHWAY_SNAPSHOT_ACCESS",
    "PATHWAY_PERSISTENCE_MODE",
    "PATHWAY_REPLAY_MODE",
    "PATHWAY_REPLAY_SPEED",
    "PATHWAY_CONTINUE_AFTER_REPLAY",
    "PATHWAY_PERSISTENT_STORAGE",
    "PATHWAY_SKIP_START_LOG",
    "PATHWAY_MEMORY_LIMIT",
    "PATHWAY_CLUSTER_SECRET",
    "PATHWAY_CLUSTER_PATIENCE_MS",
    "PATHWAY_CLUSTER_SILENCE_MS",
    "PATHWAY_LICENSE_KEY",
    "PATHWAY_MONITORING_SERVER",
    "PATHWAY_METRICS_READER_INTERVAL_SECONDS",
    "PATHWAY_MONITORING_HTTP_PORT",
    "PATHWAY_SERVICE_INSTANCE_ID",
    "PATHWAY_SERVICE_NAMESPACE",
    "PATHWAY_LOG_FORMAT",
]
#: Functions each of whose options is listed, and those that just pass theirs on.
FUNCTIONS: dict[str, Callable[..., Any] | None] = {
    "pw.run": pw.run,
    "pw.run_all": None,
    "pw.set_monitoring_config": pw.set_monitoring_config,
    "pw.persistence.Config": pw.persistence.Config,
    "pw.persistence.Backend.filesystem": pw.persistence.Backend.filesystem,
    "pw.persistence.Backend.s3": pw.persistence.Backend.s3,
    "pw.persistence.Backend.azure": pw.persistence.Backend.azure,
    "pw.persistence.Backend.gcs": pw.persistence.Backend.gcs,
    "pw.persistence.Backend.mock": pw.persistence.Backend.mock,
    "pw.io.kafka.read": pw.io.kafka.read,
    "pw.io.kafka.simple_read": pw.io.kafka.simple_read,
    "pw.io.kafka.write": pw.io.kafka.write,
    "pw.io.kafka.SchemaRegistrySettings": pw.io.kafka.SchemaRegistrySettings,
    "pw.io.redpanda.read": None,
    "pw.io.redpanda.write": None,
    "pw.io.debezium.read": pw.io.debezium.read,
    "pw.io.postgres.read": pw.io.postgres.read,
    "pw.io.postgres.write": pw.io.postgres.write,
    "pw.io.postgres.write_snapshot": pw.io.postgres.write_snapshot,
    "pw.io.python.read": pw.io.python.read,
}
#: What only other modules of the package say.
INTERNAL = {"_own_publication", "_key_of_target"}


def options() -> list[str]:
    """Every option of runs, of what keeps their state and of their two systems, as signatures have it."""
    parts = []
    for name, function in FUNCTIONS.items():
        if function is None:
            parts.append(f"{name}: every option")
            continue
        for option in inspect.signature(function).parameters.values():
            if option.kind is not option.VAR_KEYWORD and option.name not in INTERNAL:
                parts.append(f"{name}: {option.name}")
    commands = [cli.spawn, cli.replay, cli.run_file, cli.inspect, cli.create_source]
    flags = [option.opts for command in commands for option in command.params]
    longest = [max(names, key=len) for names in flags]
    parts += [f"pathway: {name}" for name in dict.fromkeys(longest) if name.startswith("--")]
    return parts + [f"environment: {name}" for name in VARIABLES]


CONTRACT["Looking at a run"] = [
    "Metrics over HTTP",
    "Dashboard: what it is told",
    "Dashboard: pages",
    "Dashboard: a run that ends, fails, begins anew",
    "Dashboard: tokens, other names of the address",
    "Detailed metrics: tables, view, names",
    "Detailed metrics: several runs and processes, a database that breaks",
    "pathway web-dashboard: routes and pages",
    "Dashboard: hundreds of operators, narrow screens, dark and light",
    "The view: titles, tables and counts",
    "The view: log and what is printed",
    "The view: terminals that are low, narrow or change",
    "The view: the terminal afterwards",
    "The view: other processes",
    "The view: notebooks",
    "Levels: AUTO and AUTO_ALL",
    "Levels: NONE",
    "Levels: IN_OUT and ALL",
    "Log records as JSON",
    "Log records as JSON: fields",
    "OpenTelemetry: spans",
    "OpenTelemetry: log records",
    "OpenTelemetry: resource attributes",
    "OpenTelemetry: collectors that are not there",
    "OpenTelemetry: the end of a run",
    "OpenTelemetry: process.memory.usage",
    "OpenTelemetry: process.cpu.utime",
    "OpenTelemetry: process.cpu.stime",
    "OpenTelemetry: latency.input",
    "OpenTelemetry: latency.output",
    "OpenTelemetry: operator.latency",
    "OpenTelemetry: operator.lag",
    "OpenTelemetry: operator.rows_in",
    "OpenTelemetry: operator.insertions",
    "OpenTelemetry: operator.deletions",
    "OpenTelemetry: operator.busy",
    "OpenTelemetry: operator.state",
    "OpenTelemetry: operator.spilled",
    "OpenTelemetry: operator.errors",
    "OpenTelemetry: connector.messages",
    "OpenTelemetry: connector.minibatches",
    "OpenTelemetry: connector.errors",
    "OpenTelemetry: connector.dead_letters",
    "OpenTelemetry: connector.latency",
    "OpenTelemetry: sink.rows",
    "OpenTelemetry: sink.busy",
    "OpenTelemetry: sink.latency",
]
CONTRACT["Options of runs, persistence and connectors"] = options()


def listed() -> dict[str, dict[str, list[str]]]:
    """The tests of each part, by area."""
    areas: dict[str, dict[str, list[str]]] = {}
    parts: dict[str, list[str]] = {}
    for line in LIST.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            parts = areas.setdefault(line.removeprefix("## "), {})
        elif line.startswith("| ") and not line.startswith("| part "):
            part, tests = line.strip("| ").split(" | ")
            assert part not in parts, part
            parts[part] = re.findall(r"`([^`]+)`", tests)
    return areas


NAMED = sorted({test for parts in listed().values() for tests in parts.values() for test in tests})


def test_no_part_is_left_out() -> None:
    assert {area: list(parts) for area, parts in listed().items()} == CONTRACT
    for parts in listed().values():
        for part, tests in parts.items():
            assert tests, part


@pytest.mark.parametrize("name", NAMED)
def test_exists(name: str) -> None:
    if name.startswith("open: "):
        module, _, attribute = name.removeprefix("open: ").rpartition(".")
        assert not hasattr(importlib.import_module(module), attribute), f"{name}: it is there now"
    elif "::" in name:
        file, _, function = name.partition("::")
        folder = TESTS if file.startswith(("services/", "dashboard/")) else TESTS / "python"
        tree = ast.parse((folder / file).read_text(encoding="utf-8"))
        assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    elif ": " in name:
        file, _, block = name.partition(": ")
        if file.startswith("golden/"):
            assert f"## {block}" in (TESTS / file).read_text(encoding="utf-8").splitlines()
        else:
            out = (TESTS / "python" / file).with_suffix(".out").read_text(encoding="utf-8")
            assert f"== {block}" in out.splitlines()
    else:
        folder = TESTS if name.startswith(("services/", "dashboard/")) else TESTS / "python"
        assert (folder / name).is_file()
