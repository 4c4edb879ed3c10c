"""Subjects: what they may do, and what is found out about them."""

from __future__ import annotations

import collections
import pathlib
import threading

import pandas as pd
import pytest

import pathway as pw
from contents import rows
from pathway.debug.capture import capture
from pathway.io.python.deletions import may_delete

SCHEMA = pw.schema_from_types(k=int, v=str)


class Adding(pw.io.python.ConnectorSubject):
    def run(self) -> None:
        self.next(k=1, v="a")


class Deleting(Adding):
    def run(self) -> None:
        super().run()
        self.forget()

    def forget(self) -> None:
        this = self
        this.delete(k=1, v="a")


class Cleaning(Adding):
    def run(self) -> None:
        files = {"delete": 1}
        files.pop("delete")
        self.next(k=1, v="delete")


class Secretive(Adding):
    @property
    def secret(self) -> str:
        raise AssertionError("properties are not evaluated")

    def run(self) -> None:
        if hasattr(self, "nothing"):
            print(self.secret)


@pytest.mark.parametrize(
    ("subject", "deletes"), [(Adding, False), (Deleting, True), (Cleaning, False), (Secretive, False)]
)
def test_deletions_are_found_in_the_source(
    subject: type[pw.io.python.ConnectorSubject], deletes: bool
) -> None:
    assert may_delete(subject) is deletes


def test_undeclared_deletions_are_refused() -> None:
    class Sneaky(Adding):
        _deletions_enabled = False

        def run(self) -> None:
            self.next(k=1, v="a")
            self.delete(k=1, v="a")

    with pytest.raises(ValueError, match="delet"):
        rows(pw.io.python.read(Sneaky(), schema=SCHEMA))


def test_a_subject_needs_run() -> None:
    with pytest.raises(TypeError, match="run"):
        pw.io.python.ConnectorSubject()

    class Nothing(pw.io.python.ConnectorSubject):
        pass

    with pytest.raises(TypeError, match="run"):
        Nothing()


def test_other_threads_may_send() -> None:
    class Threads(pw.io.python.ConnectorSubject):
        def run(self) -> None:
            threads = [threading.Thread(target=self.send, args=(i,)) for i in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

        def send(self, number: int) -> None:
            for _ in range(100):
                self.next(k=number, v="x")

    t = pw.io.python.read(Threads(), schema=SCHEMA)
    counts = t.groupby(t.k).reduce(t.k, n=pw.reducers.count())
    assert rows(counts) == [(0, 100), (1, 100), (2, 100), (3, 100)]


def test_a_subject_may_go_on_after_run() -> None:
    class Later(pw.io.python.ConnectorSubject):
        def run(self) -> None:
            threading.Timer(0.05, self.finish).start()

        def finish(self) -> None:
            self.next(k=1, v="late")
            self.close()

        def _is_finite(self) -> bool:
            return False

    assert rows(pw.io.python.read(Later(), schema=SCHEMA)) == [(1, "late")]


def test_sending_waits_while_too_many_rows_are_under_way() -> None:
    class Many(pw.io.python.ConnectorSubject):
        def run(self) -> None:
            for i in range(1000):
                self.next(k=i, v="x")

    t = pw.io.python.read(Many(), schema=SCHEMA, max_backlog_size=10)
    assert rows(t.reduce(n=pw.reducers.count())) == [(1000,)]


def test_rows_leave_in_minibatches_of_the_limit(tmp_path: pathlib.Path) -> None:
    class Ten(pw.io.python.ConnectorSubject):
        def run(self) -> None:
            for i in range(10):
                self.next(k=i, v="x")

    def minibatches(t: pw.Table) -> list[int]:
        (found,) = capture(t)
        return list(collections.Counter(time for *_, time, _ in found.updates).values())

    sent = pw.io.python.read(Ten(), schema=SCHEMA, max_backlog_size=3, autocommit_duration_ms=None)
    assert minibatches(sent) == [3, 3, 3, 1]
    (tmp_path / "ten.txt").write_text("x\n" * 10)
    read = pw.io.plaintext.read(tmp_path, mode="static", max_backlog_size=3)
    assert minibatches(read) == [10]


def test_rows_that_do_not_fit_are_dead_letters() -> None:
    class Bad(pw.io.python.ConnectorSubject):
        def run(self) -> None:
            self.next(k="x", v="a")
            self.next(k=1, v="b")
            self.next(v="c")

    t = pw.io.python.read(Bad(), schema=SCHEMA)
    bad = pw.io.dead_letters(t)
    good_rows, bad_rows = capture(t, bad)
    assert [row for _, row, _, _ in good_rows.updates] == [(1, "b")]
    assert len(bad_rows.updates) == 2
    assert list(bad.column_names()) == ["raw", "position", "reason"]
    with pytest.raises(ValueError, match="source"):
        pw.io.dead_letters(t.select(t.k))


def test_names_and_unknown_arguments() -> None:
    with pytest.warns(DeprecationWarning, match="persistent_id"):
        pw.io.python.read(Adding(), schema=SCHEMA, persistent_id="p")
    with pytest.raises(ValueError, match="persistent_id"):
        pw.io.python.read(Adding(), schema=SCHEMA, name="n", persistent_id="p")
    with pytest.warns(UserWarning, match="unknown keyword"):
        pw.io.python.read(Adding(), schema=SCHEMA, foo=1)


def test_data_for_debugging_stands_for_a_source(tmp_path: pathlib.Path) -> None:
    class Sending(pw.io.python.ConnectorSubject):
        def run(self) -> None:
            self.next(a=1, b="sent")

    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,sent\n")
    data = pd.DataFrame({"b": ["x", "y"], "a": [5, 6]})[["a", "b"]]
    schema = pw.schema_from_types(a=int, b=str)
    for table in (
        pw.io.python.read(Sending(), schema=schema, debug_data=data),
        pw.io.csv.read(path, schema=schema, mode="static", debug_data=data),
        pw.io.csv.read(path, schema=schema, mode="streaming", debug_data=data),
    ):
        total = table.groupby(table.b).reduce(table.b, a=pw.reducers.sum(table.a))
        assert sorted(pw.debug.table_to_pandas(total)["a"]) == [5, 6]
    seen: list[tuple[int, str]] = []
    table = pw.io.python.read(Sending(), schema=schema, debug_data=data)
    bad = pw.io.csv.read(path, schema=schema, mode="static", debug_data=data)
    for each in (table, bad):
        pw.io.subscribe(each, lambda key, row, time, is_addition: seen.append((row["a"], row["b"])))
    for debug, expected in ((False, [(1, "sent")]), (True, [(5, "x"), (6, "y")])):
        seen.clear()
        pw.run(debug=debug, monitoring_level=pw.MonitoringLevel.NONE)
        assert sorted(seen) == sorted(expected * 2)


def test_data_for_debugging_has_the_schema_of_its_source() -> None:
    schema = pw.schema_from_types(a=int)
    for wrong in (pd.DataFrame({"a": ["x"]}), pd.DataFrame({"b": [1]}), pd.DataFrame({"a": [1], "b": [1]})):
        with pytest.raises(ValueError, match="wrong schema of debug data"):
            pw.io.python.read(Adding(), schema=schema, debug_data=wrong)
    with pytest.raises(TypeError, match="data frame"):
        pw.io.python.read(Adding(), schema=schema, debug_data=[1])


def test_formats() -> None:
    class Raw(pw.io.python.ConnectorSubject):
        def run(self) -> None:
            self.next_str("abc")
            self._add(None, b"def")

    with pytest.warns(DeprecationWarning, match="format"):
        t = pw.io.python.read(Raw(), format="raw")
    assert rows(t) == [("abc",), ("def",)]

    class Messages(pw.io.python.ConnectorSubject):
        def run(self) -> None:
            self._add(None, '{"k": 1, "v": "x"}')
            self._add(None, {"k": 2, "v": "y"})

    assert rows(pw.io.python.read(Messages(), schema=SCHEMA)) == [(1, "x"), (2, "y")]


def test_durations() -> None:
    import datetime

    from pathway.io._utils import as_duration_seconds

    assert as_duration_seconds(2, "wait") == 2.0
    assert as_duration_seconds(datetime.timedelta(milliseconds=5), "wait") == 0.005
    for wrong, error in [("1", TypeError), (True, TypeError), (float("nan"), ValueError), (-1, ValueError)]:
        with pytest.raises(error, match="wait"):
            as_duration_seconds(wrong, "wait")
