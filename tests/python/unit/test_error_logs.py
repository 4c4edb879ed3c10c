"""Error logs: which rows they get, with which line, in every kind of run."""

from __future__ import annotations

import inspect
import logging
import pathlib
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

import pathway as pw
from pathway.internals.parse_graph import ErrorLogSchema, G

pytestmark = pytest.mark.filterwarnings("ignore:terminate_on_error=False")

Entry = tuple[str, str]


@pytest.fixture(params=[1, 2, 4])
def workers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setenv("PATHWAY_THREADS", str(request.param))
    return int(request.param)


@pytest.fixture
def t() -> pw.Table:
    return pw.debug.table_from_markdown(
        """
        a | b
        6 | 2
        5 | 0
        7 | 0
        """
    )


def entries(log: pw.Table, *others: pw.Table) -> Counter[Entry]:
    """What a log has after a run of it and other tables: message and source line, with their number."""
    captured = pw.debug.tables_to_updates(log, *others, terminate_on_error=False)[0]
    assert all(update.diff == 1 for update in captured)
    assert len({update.key for update in captured}) == len(captured), "row ids are unique"
    rows = [dict(zip(log.column_names(), update.values, strict=True)) for update in captured]
    return Counter((row["message"], source(row["trace"])) for row in rows)


def source(trace: str) -> str:
    """The line of the program in a trace, whose form is part of the interface."""
    if not trace:
        return ""
    head, line, file, function = trace.split("\n")
    assert head == "Occurred here:"
    assert line.startswith(" \tLine: ")
    assert file.startswith(f" \tFile: {__file__}:")
    assert function.startswith(" \tFunction: ")
    return line.removeprefix(" \tLine: ")


def test_one_entry_for_each_failing_cell(t: pw.Table, workers: int) -> None:
    u = t.select(q=t.a // t.b, r=t.a % t.b)
    expected = {("division by zero", "u = t.select(q=t.a // t.b, r=t.a % t.b)"): 4}
    assert entries(pw.global_error_log(), u) == expected


def test_errors_that_pass_through_are_not_logged_again(t: pw.Table) -> None:
    u = t.select(q=t.a // t.b)
    v = u.select(x=u.q + 1, y=pw.coalesce(u.q, 0), z=u.q.to_string(), f=pw.fill_error(u.q, 0))
    assert entries(pw.global_error_log(), v) == {("division by zero", "u = t.select(q=t.a // t.b)"): 2}


def test_errors_filled_in_the_same_expression_are_not_logged(t: pw.Table) -> None:
    u = t.select(q=pw.fill_error(t.a // t.b, -1))
    assert entries(pw.global_error_log(), u) == {}


def test_what_no_output_needs_is_not_computed(t: pw.Table) -> None:
    u = t.select(q=t.a // t.b, a=t.a)
    t.select(q=t.a % t.b)
    assert entries(pw.global_error_log(), u.select(u.a)) == {}


def test_retracting_a_row_logs_again() -> None:
    t = pw.debug.table_from_markdown(
        """
        id | a | b | __time__ | __diff__
        1  | 6 | 0 | 2        | 1
        1  | 6 | 0 | 4        | -1
        """
    )
    u = t.select(q=t.a // t.b)
    assert entries(pw.global_error_log(), u) == {("division by zero", "u = t.select(q=t.a // t.b)"): 2}


def test_equal_expressions_are_logged_wherever_they_stand(t: pw.Table, workers: int) -> None:
    u = t.select(q=t.a // t.b)
    with pw.local_error_log() as log:
        v = t.select(q=t.a // t.b)
    lines = entries(pw.global_error_log(), u, v, log)
    assert lines == {("division by zero", "u = t.select(q=t.a // t.b)"): 2}
    assert entries(log, u, v) == {("division by zero", "v = t.select(q=t.a // t.b)"): 2}


def test_the_innermost_log_gets_the_errors(t: pw.Table, workers: int) -> None:
    with pw.local_error_log() as outer:
        first = t.select(q=t.a // t.b)
        with pw.local_error_log() as inner:
            second = t.select(q=t.a % t.b)
        third = t.select(q=t.b // (t.a - 6))
    fourth = t.select(q=t.b % (t.a - 6))
    tables = (first, second, third, fourth)
    counts = [sum(entries(log, *tables).values()) for log in (pw.global_error_log(), outer, inner)]
    assert counts == [1, 3, 2]


def test_a_block_that_fails_leaves_its_log(t: pw.Table) -> None:
    with pytest.raises(RuntimeError), pw.local_error_log():
        raise RuntimeError
    u = t.select(q=t.a // t.b)
    assert sum(entries(pw.global_error_log(), u).values()) == 2


def test_a_block_around_a_cleared_graph_does_not_matter_later() -> None:
    with pw.local_error_log():
        G.clear()
    t = pw.debug.table_from_markdown("a\n1")
    u = t.select(q=t.a // 0)
    assert sum(entries(pw.global_error_log(), u).values()) == 1


def test_the_log_may_be_asked_for_first(t: pw.Table) -> None:
    log = pw.global_error_log()
    u = t.select(q=t.a // t.b)
    assert sum(entries(log, u).values()) == 2


def test_operators_are_numbered_in_order_of_creation(t: pw.Table) -> None:
    u = t.select(q=t.a // t.b)
    v = u.filter(u.q > 0)
    log = pw.global_error_log()
    updates, _ = pw.debug.tables_to_updates(log, v, terminate_on_error=False)
    numbers: dict[str, set[int]] = {}
    for update in updates:
        operator_id, message, _ = update.values
        numbers.setdefault(message, set()).add(operator_id)
    [first] = numbers.pop("division by zero")
    [(_, [second])] = numbers.items()
    assert 0 < first < second


ROWS_THAT_CANNOT_BE_PLACED: dict[str, Any] = {
    "filter": lambda u, t: u.filter(u.q > 0),
    "join": lambda u, t: u.join(t, u.q == t.a).select(u.q),
    "groupby": lambda u, t: u.groupby(u.q).reduce(u.q),
    "with_id_from": lambda u, t: u.with_id_from(u.q),
}


@pytest.mark.parametrize("name", ROWS_THAT_CANNOT_BE_PLACED)
def test_rows_that_cannot_be_placed_are_logged_and_left_out(name: str, t: pw.Table, workers: int) -> None:
    u = t.select(q=t.a // t.b)
    placed = ROWS_THAT_CANNOT_BE_PLACED[name](u, t)
    log = entries(pw.global_error_log(), placed)
    del log["division by zero", "u = t.select(q=t.a // t.b)"]
    [((message, line), count)] = log.items()
    assert count == 2
    assert message.startswith("Error value encountered in ")
    assert message.endswith(", skipping the row")
    assert f'"{name}": lambda' in line
    assert not message.startswith("value error")


def test_rows_with_errors_are_not_delivered_and_logged(t: pw.Table) -> None:
    u = t.select(q=t.a // t.b)
    seen: list[Any] = []
    log: list[Any] = []
    pw.io.subscribe(u, lambda key, row, time, is_addition: seen.append(row))
    pw.io.subscribe(pw.global_error_log(), lambda key, row, time, is_addition: log.append(row))
    pw.run(terminate_on_error=False)
    assert seen == [{"q": 3}]
    lines = Counter(source(row["trace"]) for row in log)
    assert lines == {
        "u = t.select(q=t.a // t.b)": 2,
        "pw.io.subscribe(u, lambda key, row, time, is_addition: seen.append(row))": 2,
    }


def test_exceptions_of_functions_are_logged_by_class_and_text(t: pw.Table, workers: int) -> None:
    @pw.udf
    def check(a: int) -> int:
        if a > 5:
            raise ValueError(f"too big: {a}")
        return a

    u = t.select(x=check(t.a))
    assert entries(pw.global_error_log(), u) == {
        ("ValueError: too big: 6", "u = t.select(x=check(t.a))"): 1,
        ("ValueError: too big: 7", "u = t.select(x=check(t.a))"): 1,
    }


@pytest.mark.parametrize(
    ("make", "start"),
    [
        (lambda t: pw.cast(int, t.s), "parse error: "),
        (lambda t: pw.cast(float, t.s), "parse error: "),
        (lambda t: t.s.str.parse_int(), "parse error: "),
        (lambda t: t.s.str.parse_bool(), "parse error: "),
        (lambda t: t.s.dt.strptime("%Y"), "parse error: "),
        (lambda t: pw.unwrap(t.n), "value error: "),
        (lambda t: pw.apply_with_type(lambda s: s, int, t.s), "TypeError: "),
        (lambda t: pw.apply_with_type(lambda s: s[9], str, t.s), "IndexError: "),
    ],
)
def test_messages_begin_with_their_kind(make: Callable[[pw.Table], Any], start: str) -> None:
    t = pw.debug.table_from_rows(pw.schema_from_types(s=str, n=int | None), [("x", None)])
    (((message, _), count),) = entries(pw.global_error_log(), t.select(x=make(t))).items()
    assert count == 1
    assert message.startswith(start)


def test_a_function_that_gives_error_logs_nothing(t: pw.Table) -> None:
    from pathway.internals import api

    u = t.select(x=pw.apply_with_type(lambda a: api.ERROR, int, t.a))
    assert entries(pw.global_error_log(), u) == {}


def test_remembered_results_are_not_logged_again() -> None:
    t = pw.debug.table_from_markdown(
        """
        id | a | __time__ | __diff__
        1  | 6 | 2        | 1
        1  | 6 | 4        | -1
        """
    )

    @pw.udf(deterministic=False)
    def fail(a: int) -> int:
        raise ValueError("no")

    u = t.select(x=fail(t.a))
    assert entries(pw.global_error_log(), u) == {("ValueError: no", "u = t.select(x=fail(t.a))"): 1}


def test_a_run_that_ends_on_errors_logs_nothing(t: pw.Table) -> None:
    u = t.select(q=pw.fill_error(t.a // t.b, 0))
    log, _ = pw.debug.tables_to_updates(pw.global_error_log(), u)
    assert log == []
    failing = t.select(q=t.a // t.b)
    with pytest.raises(ZeroDivisionError):
        pw.debug.tables_to_updates(pw.global_error_log(), failing)


def test_the_log_is_a_table(t: pw.Table, workers: int) -> None:
    u = t.select(q=t.a // t.b)
    v = t.select(q=t.a % t.b)
    log = pw.global_error_log()
    assert log.schema.typehints() == ErrorLogSchema.typehints()
    assert log.is_append_only
    counts = log.groupby(log.operator_id, log.message).reduce(
        log.operator_id, log.message, n=pw.reducers.count()
    )
    names = pw.debug.table_from_markdown("message | kind\ndivision_by_zero | arithmetic").select(
        message=pw.this.message.str.replace("_", " "), kind=pw.this.kind
    )
    joined = counts.join(names, counts.message == names.message).select(counts.n, names.kind)
    updates, *_ = pw.debug.tables_to_updates(joined, u, v, terminate_on_error=False)
    state: Counter[Any] = Counter()
    for update in updates:
        state[update.values] += update.diff
    assert +state == {(2, "arithmetic"): 2}


def test_errors_of_what_is_computed_from_a_log_stay_out_of_logs(
    t: pw.Table, caplog: pytest.LogCaptureFixture, workers: int
) -> None:
    u = t.select(q=t.a // t.b)
    log = pw.global_error_log()
    broken = log.select(x=log.operator_id // 0)
    filtered = broken.filter(broken.x > 0)
    with caplog.at_level(logging.ERROR):
        assert sum(entries(log, u, filtered).values()) == 2
    records = [record.getMessage() for record in caplog.records]
    assert sum("broken = log.select(x=log.operator_id // 0)" in record for record in records) == 2
    assert sum("filtered = broken.filter(broken.x > 0)" in record for record in records) == 2


def test_every_entry_is_a_record_of_logging(t: pw.Table, caplog: pytest.LogCaptureFixture) -> None:
    u = t.select(q=t.a // t.b)
    line = inspect.currentframe().f_lineno - 1  # type: ignore[union-attr]
    pw.debug.tables_to_updates(u, terminate_on_error=False)
    records = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(records) == 2
    text = records[0].getMessage()
    head, trace = text.split(". ", 1)
    assert head.startswith("division by zero in operator ")
    assert trace == (
        "Occurred here:\n \tLine: u = t.select(q=t.a // t.b)\n"
        f" \tFile: {__file__}:{line}\n \tFunction: test_every_entry_is_a_record_of_logging"
    )


def test_records_that_cannot_be_parsed_are_logged(tmp_path: pathlib.Path, workers: int) -> None:
    (tmp_path / "in.csv").write_text("k,a,b\n1,2,x\n2,y,x\nz,3,x\n")

    class Keyed(pw.Schema):
        k: int = pw.column_definition(primary_key=True)
        a: int
        b: str

    t = pw.io.csv.read(tmp_path / "in.csv", schema=Keyed, mode="static")
    u = t.select(t.b)
    log = entries(pw.global_error_log(), u)
    assert log.total() == 2
    assert {line for _, line in log} == {
        't = pw.io.csv.read(tmp_path / "in.csv", schema=Keyed, mode="static")'
    }
    bad_cell, bad_key = sorted(log, key=lambda entry: "'z'" in entry[0] or '"z"' in entry[0])
    assert "y" in bad_cell[0]
    assert "record 2" in bad_cell[0]
    assert "z" in bad_key[0]
    assert "record 3" in bad_key[0]


def test_rows_of_subjects_that_do_not_fit_are_logged(workers: int) -> None:
    class Subject(pw.io.python.ConnectorSubject):
        def run(self) -> None:
            self.next(a=1)
            self.next(a="x")

    t = pw.io.python.read(Subject(), schema=pw.schema_from_types(a=int))
    [(message, line)] = entries(pw.global_error_log(), t)
    assert "'x'" in message
    assert "INT" in message
    assert "row 2" in message
    assert line == "t = pw.io.python.read(Subject(), schema=pw.schema_from_types(a=int))"


def test_entries_arrive_while_the_run_goes_on() -> None:
    seen = threading.Event()

    class Subject(pw.io.python.ConnectorSubject):
        def run(self) -> None:
            self.next(a=0)
            self.commit()
            assert seen.wait(20), "no entry while the source is open"

    t = pw.io.python.read(Subject(), schema=pw.schema_from_types(a=int))
    pw.io.null.write(t.select(q=1 // t.a))
    times: list[int] = []

    def note(key: pw.Pointer, row: dict[str, Any], time: int, is_addition: bool) -> None:
        times.append(time)
        seen.set()

    pw.io.subscribe(pw.global_error_log(), note)
    before = time.time() * 1000
    pw.run(terminate_on_error=False)
    assert before - 2 <= times[0] <= time.time() * 1000
    assert all(time % 2 == 0 for time in times)


def test_a_run_of_nothing_but_the_log_ends() -> None:
    assert entries(pw.global_error_log()) == {}


def test_a_log_that_everything_depends_on_ends(t: pw.Table, workers: int) -> None:
    u = t.select(q=t.a // t.b)
    log = pw.global_error_log()
    log = log.with_columns(a=log.operator_id + 3)
    kept = t.join(log, t.a == log.a).select(t.a, log.message)
    joined, _ = pw.debug.tables_to_updates(kept, u, terminate_on_error=False)
    assert [update.values for update in joined] == [(5, "division by zero")] * 2


def test_all_tables_may_be_run(t: pw.Table) -> None:
    log: list[Any] = []
    t.select(q=t.a // t.b)
    pw.io.subscribe(pw.global_error_log(), lambda key, row, time, is_addition: log.append(row))
    pw.run_all(terminate_on_error=False)
    assert len(log) == 2


def test_a_second_run_logs_on_its_own(t: pw.Table) -> None:
    u = t.select(q=t.a // t.b)
    first = pw.debug.tables_to_updates(pw.global_error_log(), u, terminate_on_error=False)[0]
    second = pw.debug.tables_to_updates(pw.global_error_log(), u, terminate_on_error=False)[0]
    assert len(first) == len(second) == 2
    assert not {update.key for update in first} & {update.key for update in second}


def test_an_error_history_has_its_table_computed(t: pw.Table) -> None:
    u = t.select(t.a, q=t.a // t.b, unused=t.a % t.b)
    v = u.filter(u.a > 0).select(pw.this.q)
    of_u = entries(u.error_history())  # type: ignore[attr-defined]
    of_v = entries(v.error_history())  # type: ignore[attr-defined]
    assert of_u.total() == 4
    assert of_v.total() == 2
    assert set(of_u) == {("division by zero", "u = t.select(t.a, q=t.a // t.b, unused=t.a % t.b)")}


def test_the_error_history_of_a_table(t: pw.Table) -> None:
    with pw.local_error_log():
        u = t.select(q=t.a // t.b)
    other = t.select(q=t.a % t.b)
    v = u.filter(u.q > 0)
    history = entries(v.error_history(), v, other)  # type: ignore[attr-defined]
    assert set(source for _, source in history) == {
        "u = t.select(q=t.a // t.b)",
        "v = u.filter(u.q > 0)",
    }
    assert history.total() == 4
