"""Plans, sinks and runs through the native module."""

from __future__ import annotations

import _thread
import json
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from engine_tools import Script, apply, capture, rows, static, subscribe

from pathway._engine import (
    ERROR,
    CallbackSink,
    CaptureSink,
    DType,
    EngineError,
    Expr,
    Field,
    FileSink,
    FileSource,
    Frame,
    Graph,
    NullSink,
    RunHandle,
    StopRequested,
    Table,
    Universe,
    build_info,
    ref_scalar,
)

AB = {"a": DType.INT, "b": DType.STR}
THREE = [(1, "x"), (2, "y"), (3, "x")]


def column(table: Table, name: str) -> Expr:
    return Expr.column(table, name)


def constant(value: Any, dtype: DType) -> Expr:
    return Expr.constant(value, dtype)


# --- tables ---------------------------------------------------------------------------------


def test_properties_of_a_table() -> None:
    graph = Graph()
    fields = [Field("a", DType.INT, primary_key=True), Field("b", DType.optional(DType.STR))]
    table = graph.static_table(fields, [ref_scalar(1)], [[1], [None]])
    assert table.graph is graph
    assert table.column_names() == ["a", "b"]
    assert table.column_dtype("b") is DType.optional(DType.STR)
    assert table.id_dtype is DType.pointer(DType.INT)
    assert table.id_append_only
    assert table.column_append_only("a")
    assert "a" in repr(table)
    with pytest.raises(KeyError, match="c"):
        table.column_dtype("c")
    with pytest.raises(KeyError, match="a, b"):
        table.column_append_only("c")


def test_operations_end_to_end() -> None:
    graph = Graph()
    table = static(graph, AB, THREE)
    plus = Expr.binary("add", column(table, "a"), constant(10, DType.INT))
    assert sorted(rows(table.select([("c", plus, None)]))) == [(11,), (12,), (13,)]
    odd = Expr.binary(
        "eq", Expr.binary("mod", column(table, "a"), constant(2, DType.INT)), constant(1, DType.INT)
    )
    assert sorted(rows(table.filter(odd))) == [(1, "x"), (3, "x")]
    yes, no = table.split(odd)
    assert (len(rows(yes)), len(rows(no))) == (2, 1)
    assert yes.universe.is_disjoint_from(no.universe)
    total = Expr.reducer("sum", [column(table, "a")], {"strict": False})
    grouped = table.group_reduce([column(table, "b")], [("b", column(table, "b"), None), ("s", total, None)])
    assert sorted(rows(grouped)) == [("x", 4), ("y", 2)]
    joined = table.join(grouped, [(column(table, "b"), column(grouped, "b"))], how="inner").table
    assert set(joined.column_names()) >= {"l.a", "l.b", "r.b", "r.s", "l.\0id", "r.\0id"}
    pairs = joined.select([("a", column(joined, "l.a"), None), ("s", column(joined, "r.s"), None)])
    assert sorted(rows(pairs)) == [(1, 4), (2, 2), (3, 4)]
    both = table.concat_reindex([table.copy()])
    assert len(rows(both)) == 6
    tags = static(graph, {"t": DType.list(DType.INT)}, [([1, 2],), ([],)])
    assert sorted(v for v, *_ in rows(tags.flatten("t"))) == [1, 2]
    renamed = table.update_types({"a": DType.FLOAT})
    assert renamed.column_dtype("a") is DType.FLOAT


def test_lookups() -> None:
    graph = Graph()
    table = static(graph, AB, THREE)
    pointers = graph.static_table(
        [Field("p", DType.optional(DType.ANY_POINTER))],
        [ref_scalar(7), ref_scalar(8)],
        [[ref_scalar(1), None]],
    )
    found = table.ix(column(pointers, "p"), pointers, optional=True, allow_misses=False)
    assert sorted(rows(found), key=repr) == [(2, "y"), (None, None)]


def test_custom_reducers() -> None:
    class Longest:
        def __init__(self) -> None:
            self.values: list[str] = []

        def update(self, rows: list[tuple[list[Any], int]]) -> None:
            for [value], diff in rows:
                self.values.extend([value] * diff)

        def result(self) -> tuple[str] | None:
            return (max(self.values, key=len),) if self.values else None

    table = static(Graph(), AB, [(1, "x"), (1, "yy"), (2, "z")])
    longest = Expr.custom_reducer("longest", DType.STR, Longest, [column(table, "b")])
    grouped = table.group_reduce(
        [column(table, "a")], [("a", column(table, "a"), None), ("b", longest, None)]
    )
    assert sorted(rows(grouped)) == [(1, "yy"), (2, "z")]


def test_build_errors_have_the_right_class() -> None:
    table = static(Graph(), AB, THREE)
    with pytest.raises(TypeError, match="add"):
        Expr.binary("add", column(table, "a"), column(table, "b"))
    with pytest.raises(AttributeError, match=r"str\.lower"):
        Expr.method("str.lower", [column(table, "a")])
    with pytest.raises(IndexError):
        Expr.make_tuple([column(table, "a")]).get_item(constant(3, DType.INT))
    with pytest.raises(TypeError):
        table.filter(column(table, "a"))
    with pytest.raises(KeyError, match="nope"):
        column(table, "nope")
    with pytest.raises(ValueError, match="diagonal"):
        table.join(table.copy(), [], how="diagonal")
    with pytest.raises(ValueError, match="power"):
        Expr.binary("power", column(table, "a"), column(table, "a"))
    with pytest.raises(TypeError, match="STR"):
        constant(1, DType.STR)


def test_universes() -> None:
    graph = Graph()
    one, two = static(graph, AB, THREE), static(graph, AB, THREE)
    assert one.universe == one.copy().universe
    assert hash(one.universe) == hash(one.copy().universe)
    assert one.universe != two.universe
    assert not one.universe.is_subset_of(two.universe)
    one.universe.promise_subset_of(two.universe)
    assert one.universe.is_subset_of(two.universe)
    two.universe.promise_subset_of(one.universe)
    assert one.universe.is_equal_to(two.universe)
    three = static(graph, AB, THREE)
    Universe.promise_disjoint([one.universe, three.universe])
    assert two.universe.is_disjoint_from(three.universe)
    assert static(graph, AB, []).universe.is_empty()
    with pytest.raises(ValueError, match="different plans"):
        one.universe.is_subset_of(static(Graph(), AB, []).universe)


def test_tables_of_a_cleared_plan() -> None:
    graph = Graph()
    table = static(graph, AB, THREE)
    graph.clear()
    assert table.column_names() == ["a", "b"]  # what it was is still known
    with pytest.raises(RuntimeError, match="cleared"):
        table.copy()


# --- static tables --------------------------------------------------------------------------


def test_times_and_diffs() -> None:
    keys = [ref_scalar(0), ref_scalar(1), ref_scalar(0)]
    table = Graph().static_table(
        [Field("a", DType.INT)], keys, [[1, 2, 1]], times=[4, 2, 6], diffs=[1, 1, -1]
    )
    assert [(row, time, diff) for _, row, time, diff in capture(table)] == [
        ((2,), 2, 1),
        ((1,), 4, 1),
        ((1,), 6, -1),
    ]
    assert not table.id_append_only


@pytest.mark.parametrize(
    ("columns", "options", "error", "text"),
    [
        ([[1, "a"]], {}, TypeError, "column a, row 1"),
        ([[1]], {}, ValueError, "1 values for 2 rows"),
        ([[1, 2], [1, 2]], {}, ValueError, "1 columns"),
        ([[1, 2]], {"times": [1]}, ValueError, "times"),
        ([[1, 2]], {"diffs": [1, 0]}, ValueError, "diff"),
    ],
)
def test_static_tables_that_make_no_sense(
    columns: list[list[Any]], options: dict[str, Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        Graph().static_table([Field("a", DType.INT)], [ref_scalar(0), ref_scalar(1)], columns, **options)


def test_defaults_of_fields_are_checked() -> None:
    with pytest.raises(TypeError, match="the default of column a"):
        Field("a", DType.INT, has_default=True, default="x")
    assert repr(Field("a", DType.INT)) == "Field(a: INT)"


# --- sinks ----------------------------------------------------------------------------------


def test_callbacks() -> None:
    keys = [ref_scalar(0), ref_scalar(0), ref_scalar(0)]
    table = Graph().static_table(
        [Field("a", DType.INT)], keys, [[5, 5, 4]], times=[2, 4, 4], diffs=[1, -1, 1]
    )
    log: list[Any] = []
    subscribe(
        table,
        lambda key, row, time, is_addition: log.append((key, row, time, is_addition)),
        on_time_end=lambda time: log.append(time),
        on_end=lambda: log.append("end"),
    )
    table.graph.run()
    key = ref_scalar(0)
    assert log == [
        (key, {"a": 5}, 2, True),
        2,
        (key, {"a": 5}, 4, False),
        (key, {"a": 4}, 4, True),
        4,
        "end",
    ]


class Observer:
    def __init__(self) -> None:
        self.log: list[Any] = []

    def method(self, row: Any, key: Any, is_addition: bool, time: int) -> None:
        self.log.append((row["a"], is_addition, time, key))

    @staticmethod
    def plain(key: Any, row: Any, time: int, is_addition: bool) -> None:
        raise AssertionError("not this one")

    def __call__(self, **change: Any) -> None:
        self.method(**change)

    def more(self, key: Any, row: Any, time: int, is_addition: bool, extra: int = 1) -> None:
        self.method(row, key, is_addition, time)


@pytest.mark.parametrize("way", ["method", "__call__", "more", "object", "lambda", "wrapped"])
def test_arguments_go_by_name_whatever_the_function(way: str) -> None:
    observer = Observer()
    function: Any = {
        "object": observer,
        "lambda": lambda **change: observer(**change),
        "wrapped": lambda time, key, row, is_addition: observer.method(row, key, is_addition, time),
    }.get(way) or getattr(observer, way)
    table = static(Graph(), AB, [(1, "x"), (2, "y")])
    subscribe(table, function)
    table.graph.run()
    expected = [(1, True, 0, ref_scalar(0)), (2, True, 0, ref_scalar(1))]
    assert sorted(observer.log, key=lambda entry: entry[0]) == expected


def test_parameters_of_other_names_are_refused_by_python() -> None:
    table = static(Graph(), AB, THREE)
    subscribe(table, lambda k, r, t, a: None)
    with pytest.raises(TypeError, match="key"):
        table.graph.run()


@pytest.mark.parametrize("where", ["on_change", "on_time_end", "on_end"])
def test_exceptions_of_callbacks_end_the_run(where: str) -> None:
    raised = RuntimeError("boom")

    def fail(*_args: Any, **_kwargs: Any) -> None:
        raise raised

    table = static(Graph(), AB, THREE)
    functions: dict[str, Any] = {"on_change": lambda key, row, time, is_addition: None, where: fail}
    subscribe(table, functions.pop("on_change"), **functions)
    with pytest.raises(RuntimeError) as caught:
        table.graph.run()
    assert caught.value is raised


def test_rows_with_errors_are_not_delivered() -> None:
    table = static(Graph(), AB, THREE)
    failing = apply(table, lambda a: 6 // (a - 2), DType.INT, "a")
    seen: list[int] = []
    subscribe(failing, lambda key, row, time, is_addition: seen.append(row["r"]))
    kinds: list[str] = []
    failing.graph.run(terminate_on_error=False, on_error=lambda kind, text, fields: kinds.append(kind))
    assert sorted(seen) == [-6, 6]
    # The division, and the row that is not written.
    assert [kind for kind in kinds if kind != "progress"] == ["error", "error"]


def test_captures_run_on_demand_only() -> None:
    table = static(Graph(), AB, THREE)
    calls: list[int] = []
    noted = apply(table, lambda a: calls.append(a), DType.NONE, "a")
    sink = CaptureSink([DType.NONE])
    output = table.graph.output(noted, sink)
    table.graph.run()
    assert calls == []
    table.graph.run(outputs=[output])
    assert sorted(calls) == [1, 2, 3]
    assert len(sink.updates()) == 3
    table.graph.run(outputs=[output])
    assert len(sink.updates()) == 3  # of the last run
    sink.clear()
    assert sink.updates() == []


def test_files(tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_text("a;b\n1;x\n2;y\n")
    graph = Graph()
    fields = [Field("a", DType.INT), Field("b", DType.STR)]
    table = graph.read(FileSource(str(source), "csv", fields, mode="static", csv_settings={"delimiter": ";"}))
    graph.output(table, FileSink(str(tmp_path / "out.csv"), "csv", ["a", "b"], [DType.INT, DType.STR]))
    graph.output(table, FileSink(str(tmp_path / "out.jsonl"), "json", ["a", "b"], [DType.INT, DType.STR]))
    graph.output(table, NullSink())
    graph.run()
    written = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert sorted((row["a"], row["b"], row["diff"]) for row in written) == [(1, "x", 1), (2, "y", 1)]
    header, *lines = (tmp_path / "out.csv").read_text().splitlines()
    assert header.replace('"', "") == "a,b,time,diff"
    assert len(lines) == 2


def test_file_settings_are_checked(tmp_path: Path) -> None:
    fields = [Field("a", DType.INT)]
    with pytest.raises(ValueError, match="mode"):
        FileSource("x", "csv", fields, mode="sometimes")
    with pytest.raises(ValueError, match="format"):
        FileSource("x", "xml", fields, mode="static")
    with pytest.raises(TypeError, match="colour"):
        FileSource("x", "csv", fields, mode="static", csv_settings={"colour": 1})
    with pytest.raises(ValueError, match="delimiter"):
        FileSource("x", "csv", fields, mode="static", csv_settings={"delimiter": "\n"})
    with pytest.raises(ValueError, match="format"):
        FileSink("x", "xml", [], [])


def test_a_missing_directory_is_an_os_error(tmp_path: Path) -> None:
    table = static(Graph(), AB, THREE)
    path = str(tmp_path / "no" / "out.csv")
    table.graph.output(table, FileSink(path, "csv", ["a", "b"], [DType.INT, DType.STR]))
    with pytest.raises(OSError, match=r"out\.csv"):
        table.graph.run()


def test_sources_and_sinks_are_told_apart() -> None:
    graph = Graph()
    with pytest.raises(TypeError, match="a source is needed"):
        graph.read(NullSink())  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="a sink is needed"):
        graph.output(static(graph, AB, THREE), object())  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="as many"):
        CallbackSink(["a"], [], on_change=print, on_time_end=None, on_end=None)


# --- errors of runs -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (
            lambda t: Expr.binary("floordiv", column(t, "a"), constant(0, DType.INT)),
            ZeroDivisionError,
            "zero",
        ),
        (lambda t: Expr.method("str.parse_int", [column(t, "b")]), ValueError, "parse error: "),
        (lambda t: column(t, "o").unwrap(), ValueError, "value error: "),
        (lambda t: column(t, "l").get_item(constant(5, DType.INT)), IndexError, "index"),
    ],
)
def test_data_errors(make: Any, error: type[Exception], text: str) -> None:
    dtypes = {"a": DType.INT, "b": DType.STR, "o": DType.optional(DType.INT), "l": DType.list(DType.INT)}
    table = static(Graph(), dtypes, [(1, "x", None, [1])])
    frame = Frame("user.py", 3, "<module>", "t.select(r=…)")
    failing = table.select([("r", make(table), frame)])
    with pytest.raises(error, match=text) as caught:
        rows(failing)
    assert type(caught.value) is error
    assert caught.value._pathway_frame.line == 3  # type: ignore[attr-defined]
    log: list[tuple[str, str]] = []
    got = rows(
        failing, terminate_on_error=False, on_error=lambda kind, text, fields: log.append((kind, text))
    )
    assert got == [(ERROR,)]
    [(kind, logged)] = log
    assert kind == "error"
    assert logged.startswith(f"{caught.value} in operator ")
    assert "\tFile: user.py:3\n" in logged


def test_pointers_to_nothing_are_key_errors() -> None:
    graph = Graph()
    table = static(graph, AB, THREE)
    pointers = static(graph, {"p": DType.ANY_POINTER}, [(ref_scalar(99),)])
    with pytest.raises(KeyError):
        rows(table.ix(column(pointers, "p"), pointers, optional=False, allow_misses=False))


def test_settings_of_runs_are_checked() -> None:
    graph = Graph()
    with pytest.raises(ValueError, match="at least 1"):
        graph.run(threads=0)
    with pytest.raises(ValueError, match="at least 1"):
        graph.run(max_batch_size=0)
    with pytest.raises(ValueError, match="output"):
        graph.run(outputs=[3])
    graph.run()


def test_several_workers() -> None:
    table = static(Graph(), AB, [(i, str(i % 7)) for i in range(1000)])
    total = Expr.reducer("sum", [column(table, "a")], {})
    grouped = table.group_reduce([column(table, "b")], [("s", total, None)])
    assert sorted(rows(grouped, threads=3)) == sorted(rows(grouped))


def test_the_interpreter_is_free_during_a_run() -> None:
    ticks = 0
    done = threading.Event()

    def tick() -> None:
        nonlocal ticks
        while not done.wait(0.002):
            ticks += 1

    thread = threading.Thread(target=tick)
    thread.start()
    graph = Graph()
    table = graph.read(Script(lambda s: time.sleep(0.3)).source(AB))
    rows(table)
    done.set()
    thread.join()
    assert ticks > 20


def test_an_interrupt_stops_the_run() -> None:
    release = threading.Event()
    graph = Graph()
    table = graph.read(Script(lambda s: [release.wait(20), None][1]).source(AB))
    subscribe(table, lambda key, row, time, is_addition: None)
    timer = threading.Timer(0.2, _thread.interrupt_main)
    # Where tests run in the background, interrupts may be ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer.start()
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        graph.run()
    assert time.monotonic() - started < 5
    signal.signal(signal.SIGINT, before)
    release.set()


def test_runs_may_be_nested_in_callbacks() -> None:
    inner = static(Graph(), AB, THREE)
    outer = static(Graph(), AB, [(1, "x")])
    seen: list[Any] = []
    subscribe(outer, lambda key, row, time, is_addition: seen.extend(rows(inner)))
    outer.graph.run()
    assert sorted(seen) == THREE


@pytest.mark.parametrize("stops_before", [False, True])
def test_another_thread_stops_a_run(stops_before: bool) -> None:
    graph, handle, release = Graph(), RunHandle(), threading.Event()
    table = graph.read(Script(lambda s: [release.wait(60), None][1]).source(AB))
    ended: list[bool] = []
    subscribe(table, lambda key, row, time, is_addition: None, on_end=lambda: ended.append(True))
    assert not handle.has_begun()
    if stops_before:
        handle.stop()
    raised: list[BaseException] = []

    def run() -> None:
        try:
            graph.run(handle=handle)
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    if not stops_before:
        assert handle.has_begun(timeout=60)
        handle.stop()
    thread.join(60)
    release.set()
    assert not thread.is_alive()
    assert [type(error) for error in raised] == [StopRequested]
    assert not ended
    handle.stop()


def test_a_run_that_cannot_begin_has_not_begun(tmp_path: Path) -> None:
    graph, handle = Graph(), RunHandle()
    (tmp_path / "file").touch()
    sink = FileSink(str(tmp_path / "file" / "out.csv"), "csv", list(AB), list(AB.values()))
    graph.output(static(graph, AB, THREE), sink)
    with pytest.raises(OSError, match=r"out\.csv"):
        graph.run(handle=handle)
    assert not handle.has_begun()
    with pytest.raises(ValueError, match="timeout"):
        handle.has_begun(-1.0)


def test_exceptions_of_the_log_do_not_end_the_run(recwarn: pytest.WarningsRecorder) -> None:
    table = static(Graph(), AB, THREE)
    failing = apply(table, lambda a: 1 // 0, DType.INT, "a")
    unraisable: list[Any] = []

    def fail(kind: str, text: str, fields: dict[str, Any]) -> None:
        raise RuntimeError("in the log")

    import sys

    before, sys.unraisablehook = sys.unraisablehook, unraisable.append
    try:
        assert rows(failing, terminate_on_error=False, on_error=fail) == [(ERROR,)] * 3
    finally:
        sys.unraisablehook = before
    assert [str(entry.exc_value) for entry in unraisable] == ["in the log"] * 3


def test_engine_errors_are_exceptions() -> None:
    assert issubclass(EngineError, Exception)
    assert set(build_info()) == {"version", "profile", "target"}


def test_explanations() -> None:
    graph = Graph()
    table = static(graph, AB, THREE)
    doubled = Expr.binary("mul", column(table, "a"), constant(2, DType.INT))
    graph.output(table.select([("c", doubled, None)]), NullSink())
    assert "mul" in graph.explain() or "*" in graph.explain()
    program = graph.explain(rewritten=True)
    assert "static" in program.lower()
    assert graph.explain(rewritten=True, outputs=[]) != program
