"""Running: options, names, errors of outputs."""

from __future__ import annotations

import inspect
import pathlib
import subprocess
import sys
import threading
from typing import Any

import numpy as np
import pytest

import pathway as pw
from pathway.internals.parse_graph import G

ERROR = pw.engine.ERROR
QUIET = pw.MonitoringLevel.NONE


@pytest.fixture
def t() -> pw.Table:
    return pw.debug.table_from_markdown("a\n1\n2")


def test_a_persistence_config_of_another_type_is_refused(t: pw.Table) -> None:
    pw.io.null.write(t)
    with pytest.raises(TypeError, match=r"pw\.persistence\.Config"):
        pw.run(persistence_config=object())


@pytest.mark.parametrize(
    "options",
    [{"debug": 5}, {"monitoring_level": 3}, {"foo": 1}, {"terminate_on_error": "yes"}, {"event_loop": 1}],
)
def test_options_of_the_wrong_kind(options: dict[str, object]) -> None:
    with pytest.raises(TypeError):
        pw.run(**options)
    with pytest.raises(TypeError):
        pw.run(True)


def test_batch_size_has_to_be_positive(t: pw.Table) -> None:
    with pytest.raises(ValueError, match="max_expression_batch_size"):
        pw.run(max_expression_batch_size=0)


def test_names_are_unique(t: pw.Table) -> None:
    pw.io.null.write(t, name="one")
    pw.io.subscribe(t, lambda key, row, time, is_addition: None, name="one")
    with pytest.raises(ValueError, match="'one'"):
        pw.run(monitoring_level=QUIET)


def test_runs_can_be_repeated(t: pw.Table) -> None:
    seen: list[int] = []
    pw.io.subscribe(t, lambda key, row, time, is_addition: seen.append(row["a"]))
    pw.run(monitoring_level=QUIET)
    pw.run(monitoring_level=QUIET)
    assert sorted(seen) == [1, 1, 2, 2]


def test_unused_columns_are_not_computed_except_by_run_all(t: pw.Table) -> None:
    failing = t.select(x=t.a // 0)
    pw.io.null.write(pw.debug.table_from_markdown("b\n1"))
    pw.run(monitoring_level=QUIET)
    with pytest.raises(ZeroDivisionError):
        pw.run_all(monitoring_level=QUIET)
    assert list(failing.column_names()) == ["x"]


def test_nothing_to_run() -> None:
    pw.run(monitoring_level=QUIET)


@pytest.mark.parametrize("threads", ["0", "two"])
def test_threads_from_the_environment(t: pw.Table, monkeypatch: pytest.MonkeyPatch, threads: str) -> None:
    monkeypatch.setenv("PATHWAY_THREADS", threads)
    pw.io.null.write(t)
    with pytest.raises(pw.engine.EngineError, match="PATHWAY_THREADS"):
        pw.run(monitoring_level=QUIET)


def test_exceptions_of_callbacks_end_the_run(t: pw.Table) -> None:
    def fail(key: pw.Pointer, row: dict[str, int], time: int, is_addition: bool) -> None:
        raise LookupError("mine")

    async def fail_too(key: pw.Pointer, row: dict[str, int], time: int, is_addition: bool) -> None:
        raise LookupError("mine")

    for callback in (fail, fail_too):
        G.clear()
        table = pw.debug.table_from_markdown("a\n1")
        pw.io.subscribe(table, callback)
        with pytest.raises(LookupError, match="mine"):
            pw.run(monitoring_level=QUIET)


def test_unused_tables_are_reported_at_the_end() -> None:
    program = "import pathway as pw; pw.debug.table_from_markdown('a\\n1')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "UserWarning" in done.stderr
    assert "pw.run()" in done.stderr
    used = program + "; pw.run(monitoring_level=pw.MonitoringLevel.NONE)"
    done = subprocess.run([sys.executable, "-c", used], capture_output=True, text=True, check=True)
    assert "UserWarning" not in done.stderr


@pytest.mark.parametrize(
    ("program", "reported"),
    [
        ("u = t.select(b=t.a)", True),
        ("pw.debug.compute_and_print(t)", False),
        ("pw.debug.compute_and_print(t); u = t.select(b=t.a)", True),
        ("u = t.select(b=t.a); pw.debug.compute_and_print(t)", False),
        ("G.clear()", False),
    ],
)
def test_when_unused_tables_are_reported(program: str, reported: bool) -> None:
    start = "import pathway as pw; from pathway.internals.parse_graph import G; "
    start += "t = pw.debug.table_from_markdown('a\\n1'); "
    done = subprocess.run([sys.executable, "-c", start + program], capture_output=True, text=True, check=True)
    assert ("UserWarning" in done.stderr) == reported


def test_runs_in_other_threads(t: pw.Table) -> None:
    seen: list[int] = []
    pw.io.subscribe(t, lambda key, row, time, is_addition: seen.append(row["a"]))
    thread = threading.Thread(target=lambda: pw.run(monitoring_level=QUIET))
    thread.start()
    thread.join()
    assert sorted(seen) == [1, 2]


def test_an_exception_of_an_asynchronous_subscriber_ends_the_run(t: pw.Table) -> None:
    ended: list[bool] = []

    async def fails(key: pw.Pointer, row: dict[str, Any], time: int, is_addition: bool) -> None:
        raise LookupError(f"no place for {row['a']}")

    pw.io.subscribe(t, fails, on_end=lambda: ended.append(True))
    with pytest.raises(LookupError, match="no place for"):
        pw.run(monitoring_level=QUIET)
    assert not ended


def test_taps(t: pw.Table, capsys: pytest.CaptureFixture[str]) -> None:
    values = pw.debug.table_from_rows(
        pw.schema_from_types(a=float, b=str, c=bool, d=int | None, e=tuple, f=bytes),
        [(1.5, 'x"y\n', True, None, (1, "q", None), b"ab")],
    )
    assert values.debug("tap") is values
    pw.io.null.write(values)
    pw.run(monitoring_level=QUIET)
    assert capsys.readouterr().out == ""
    pw.run(debug=True, monitoring_level=QUIET)
    assert capsys.readouterr().out == (
        '[0][tap] @Timestamp(0) +1 id=^X1MXHYYG4YM0DB900V28XN5T4W, a=Float(1.5), b=String("x\\"y\\n"), '
        'c=Bool(true), d=None, e=Tuple([Int(1), String("q"), None]), f=Bytes([97, 98])\n'
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1e30, "1e30"),
        (-1e-7, "-1e-7"),
        (1.0, "1.0"),
        (0.0001, "0.0001"),
        (float("inf"), "inf"),
        (float("nan"), "NaN"),
    ],
)
def test_floats_of_taps(value: float, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    t = pw.debug.table_from_rows(pw.schema_from_types(a=float), [(1.0,)]).select(a=value)
    pw.debug.table_to_dicts(t.debug("tap"))
    assert capsys.readouterr().out.endswith(f", a=Float({text})\n")


@pytest.mark.parametrize("threads", ["1", "2", "4"])
def test_taps_name_the_worker_of_a_row(
    threads: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATHWAY_THREADS", threads)
    t = pw.debug.table_from_markdown("a\n1\n2\n3\n4")
    t.debug("tap")
    _, columns = pw.debug.table_to_dicts(t)
    lines = sorted(capsys.readouterr().out.splitlines(), key=lambda line: line[-3:])
    by_value = {value: key for key, value in columns["a"].items()}
    workers = [int(by_value[a]) % 2**16 % int(threads) for a in (1, 2, 3, 4)]
    assert [int(line[1]) for line in lines] == workers


def test_options_without_effect_are_accepted(t: pw.Table) -> None:
    pw.io.null.write(t)
    pw.run(runtime_typechecking=True, monitoring_level=QUIET)
    assert len(pw.debug.table_to_pandas(t, ignore_asserts=True)) == 2


def test_values_are_checked_against_the_types_of_columns(t: pw.Table) -> None:
    anything = t.select(r=pw.apply_with_type(lambda a: a, pw.internals.dtype.ANY, t.a))
    wrong = anything.update_types(r=str)
    for check in (True, False, None):
        with pytest.raises(TypeError):
            pw.debug.table_to_dicts(wrong, runtime_typechecking=check)


@pytest.mark.filterwarnings("ignore:terminate_on_error")
@pytest.mark.parametrize(
    ("compute", "checked"),
    [
        (lambda t: t.o, [3, None]),  # what is only passed on is nobody's result
        (lambda t: pw.declare_type(int, t.m).to_string(), ["3", ERROR]),
        (lambda t: t.o.to_string(), ["3", ERROR]),
        (lambda t: pw.coalesce(t.o, 5), [3, ERROR]),
        (lambda t: t.o.is_none(), [False, ERROR]),
        (lambda t: pw.fill_error(t.o.is_none(), True), [False, True]),
        (lambda t: pw.if_else(t.m.is_none(), 0, t.m + 1), [4, 0]),
        (lambda t: pw.require(t.m + 1, t.m), [4, None]),
        (lambda t: t.v.get(1), [8, ERROR]),
        (lambda t: t.v.get(1, -1), [8, -1]),
    ],
)
def test_none_where_the_type_has_none(compute: Any, checked: list[Any]) -> None:
    class S(pw.Schema):
        m: int | None
        v: np.ndarray[tuple[int], np.dtype[np.int64]]

    rows = [(3, np.array([7, 8])), (None, np.array([7]))]
    t = pw.debug.table_from_rows(S, rows).with_columns(o=pw.this.m).update_types(o=int)
    result = t.select(t.m, x=compute(t))

    def cells(**options: Any) -> list[Any]:
        _, columns = pw.debug.table_to_dicts(result, **options)
        by_m = {columns["m"][key]: columns["x"][key] for key in columns["m"]}
        return [by_m[3], by_m[None]]

    assert ERROR not in cells()
    assert cells(runtime_typechecking=True, terminate_on_error=False) == checked
    if ERROR in checked:
        with pytest.raises(TypeError, match="Value None is not of type"):
            cells(runtime_typechecking=True)
    else:
        assert cells(runtime_typechecking=True) == checked


def test_results_of_functions_in_a_folder(tmp_path: pathlib.Path) -> None:
    folder = tmp_path / "made" / "when needed"
    shown, mapped = threading.Event(), []
    calls = iter(range(10**6))
    texts: list[str] = []

    class Twice(pw.io.python.ConnectorSubject):
        def run(self) -> None:
            for _ in range(2):
                for key in range(500):
                    self.next(key=key)
                self.commit()
                shown.wait(60)

    @pw.udf
    def long(key: int) -> str:
        return f"{next(calls):>10000}"

    def change(key: Any, row: Any, time: int, is_addition: bool) -> None:
        if is_addition:
            texts.append(row["x"])
        else:
            texts.remove(row["x"])  # the very result, which no function would give again
        if len(texts) == 500 and not shown.is_set():
            mapped.append(
                sys.platform != "linux" or str(folder) in pathlib.Path("/proc/self/maps").read_text()
            )
            shown.set()

    sent = pw.io.python.read(Twice(), schema=pw.schema_from_types(key=int), autocommit_duration_ms=None)
    counts = sent.groupby(sent.key).reduce(sent.key, n=pw.reducers.count())
    pw.io.subscribe(counts.select(counts.n, x=long(counts.key)), change)
    pw.run(udf_cache_directory=str(folder), monitoring_level=QUIET)
    assert mapped == [True]
    assert sorted(map(int, texts)) == list(range(500, 1000))
    assert list(folder.iterdir()) == []


def test_a_folder_for_results_that_cannot_be_made(t: pw.Table, tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").write_text("no folder")
    changing = pw.debug.table_from_markdown("a | __diff__\n1 | 1\n1 | -1")
    with pytest.raises(pw.engine.EngineError, match="file/sub"):
        pw.debug.compute_and_print(
            changing.select(x=pw.apply(repr, changing.a)), udf_cache_directory=str(tmp_path / "file" / "sub")
        )
    # Where nothing has to be remembered there is no folder.
    pw.debug.table_to_dicts(t.select(x=pw.apply(repr, t.a)), udf_cache_directory=str(tmp_path / "unused"))
    assert not (tmp_path / "unused").exists()


def test_notes_name_the_line_of_the_operator(t: pw.Table) -> None:
    failing = t.select(x=t.a // 0)
    with pytest.raises(ZeroDivisionError) as caught:
        pw.debug.compute_and_print(failing)
    (note,) = caught.value.__notes__
    assert note == caught.value._pathway_trace_note
    assert note.startswith("Occurred here:\n    Line: failing = t.select(x=t.a // 0)\n    File: ")


def test_warnings_point_at_the_user() -> None:
    t = pw.debug.table_from_markdown("a\n1")
    with pytest.warns(UserWarning, match="count") as caught:
        t.reduce(c=pw.reducers.count(t.id))
    assert caught[0].filename == __file__


def test_equal_rows_under_one_id_are_all_delivered(t: pw.Table, tmp_path: pathlib.Path) -> None:
    twice = t.with_id_from(1).select(a=1)
    rows: list[tuple[object, ...]] = []
    pw.io.subscribe(twice, lambda key, row, time, is_addition: rows.append((row["a"], time, is_addition)))
    pw.io.jsonlines.write(twice, tmp_path / "rows.jsonl")
    pw.run(monitoring_level=QUIET)
    assert rows == [(1, 0, True)] * 2
    assert (tmp_path / "rows.jsonl").read_text() == '{"a":1,"diff":1,"time":0}\n' * 2


def test_run_all_takes_the_options_of_run() -> None:
    options = dict(inspect.signature(pw.run).parameters)
    # The handbook's name.
    del options["monitoring"]
    for function, result in [(pw.run_all, "None"), (pw.run_in_background, "BackgroundRun")]:
        signature = inspect.signature(function)
        assert dict(signature.parameters) == options
        assert signature.return_annotation == result
