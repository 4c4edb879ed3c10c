"""What a run logs: its start, the progress of sources and sinks, what cannot be parsed."""

from __future__ import annotations

import logging
import pathlib
import re
import subprocess
import sys

import pytest

import pathway as pw

QUIET = pw.MonitoringLevel.NONE
CONNECTORS = "pathway_engine.connectors.monitoring"


class Numbers(pw.io.python.ConnectorSubject):
    """Sends `count` rows and commits after each."""

    def __init__(self, count: int, name: str = "python") -> None:
        super().__init__(datasource_name=name)
        self.count = count

    def run(self) -> None:
        for i in range(self.count):
            self.next(a=i)
            self.commit()


def read(count: int, name: str = "python", **options: object) -> pw.Table:
    return pw.io.python.read(Numbers(count, name), schema=pw.schema_from_types(a=int), **options)  # type: ignore[arg-type]


def ignore(key: pw.Pointer, row: dict[str, object], time: int, is_addition: bool) -> None:
    """Does nothing."""


def progress(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    return [(r.levelname, r.getMessage()) for r in caplog.records if r.name == CONNECTORS]


def entries(messages: list[tuple[str, str]], name: str) -> int:
    """The entries that the messages about a source or sink speak of."""
    found = [re.search(r"(\d+) entries", text) for _, text in messages if text.startswith(f"{name}: ")]
    return sum(int(match[1]) for match in found if match)


def test_sources_tell_what_they_have_sent(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    pw.io.null.write(read(5))
    pw.io.null.write(read(3, name="mine", autocommit_duration_ms=None))
    pw.io.null.write(read(0))
    pw.run(monitoring_level=QUIET)
    messages = progress(caplog)
    assert entries(messages, "PythonReader") == 5
    assert entries(messages, "python(mine)") == 3
    closed = [text for level, text in messages if level == "WARNING"]
    assert sorted(closed) == [
        "PythonReader: Closing the data source",
        "PythonReader: Closing the data source",
        "python(mine): Closing the data source",
    ]
    text = next(text for _, text in messages if "python(mine): 3" in text or "python(mine): 1" in text)
    assert re.fullmatch(
        r"python\(mine\): \d entries \(\d minibatch\(es\)\) have been sent to the engine", text
    )


def test_sinks_tell_what_they_have_written(caplog: pytest.LogCaptureFixture, tmp_path: pathlib.Path) -> None:
    caplog.set_level(logging.INFO)
    t = pw.debug.table_from_markdown("a | b\n1 | x\n2 | y\n3 | x")
    pw.io.subscribe(t, ignore)
    pw.io.subscribe(t, ignore)
    pw.io.subscribe(t.groupby(t.b).reduce(t.b), ignore, name="groups")
    pw.io.csv.write(t, tmp_path / "t.csv")
    pw.run(monitoring_level=QUIET)
    messages = progress(caplog)
    names = {"subscribe-0": 3, "subscribe-1": 3, "groups": 2, f"csv({tmp_path / 't.csv'})": 3}
    assert {name: entries(messages, name) for name in names} == names
    for name in names:
        last = [text for _, text in messages if text.startswith(f"{name}: ")][-1]
        assert "entries, closing data sink. Current batch writes took: " in last
    assert re.search(
        r"Done writing 3 entries, time 0\. Current .* took: \d+ ms\. All .*: \d+ ms\.", messages[0][1]
    )


def test_tables_that_are_only_looked_at_are_no_sinks(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    pw.debug.compute_and_print(pw.debug.table_from_markdown("a\n1"))
    assert progress(caplog) == []
    assert "Preparing Pathway computation" in [r.getMessage() for r in caplog.records]


def test_most_records_that_cannot_be_parsed_are_counted_only(caplog: pytest.LogCaptureFixture) -> None:
    class Texts(pw.io.python.ConnectorSubject):
        def run(self) -> None:
            for i in range(1000):
                self.next(a=f"no number {i}")
            self.next(a=5)

    t = pw.io.python.read(Texts(), schema=pw.schema_from_types(a=int))
    assert list(pw.debug.table_to_pandas(t)["a"]) == [5]
    texts = [r.getMessage() for r in caplog.records]
    assert len([text for text in texts if text.startswith("Parse error: ")]) == 128
    left_out = [text for text in texts if "PythonReader: " in text and "parsed" in text]
    assert [text.partition(" more records")[0] for text in left_out][1:] == ["PythonReader: 872"]


def test_few_records_that_cannot_be_parsed_are_all_reported(caplog: pytest.LogCaptureFixture) -> None:
    class Texts(pw.io.python.ConnectorSubject):
        def run(self) -> None:
            for i in range(3000):
                self.next(a=i if i % 20 else "no number")

    t = pw.io.python.read(Texts(), schema=pw.schema_from_types(a=int))
    assert len(pw.debug.table_to_pandas(t)) == 2850
    texts = [r.getMessage() for r in caplog.records]
    assert len([text for text in texts if text.startswith("Parse error: ")]) == 150


def stderr_of(options: str, before: str = "") -> str:
    program = f"""
import logging
import pathway as pw
{before}
t = pw.debug.table_from_markdown("a\\n1")
pw.io.subscribe(t, lambda key, row, time, is_addition: None, name="mine")
pw.run({options})
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return done.stderr


LINE = r"\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\]:INFO:"


@pytest.mark.parametrize("options", ["", "default_logging=False, monitoring_level=pw.MonitoringLevel.ALL"])
def test_lines_on_standard_error(options: str) -> None:
    lines = stderr_of(options).splitlines()
    assert re.fullmatch(LINE + "Preparing Pathway computation", lines[0])
    assert re.match(LINE + "mine: Done writing 1 entries, ", lines[1])


def test_without_default_logging_nothing_is_shown() -> None:
    assert stderr_of("default_logging=False") == ""


def test_logging_that_is_set_up_already_is_left_alone() -> None:
    text = stderr_of("", before="logging.basicConfig(format='%(name)s', level=logging.WARNING)")
    assert text == ""


def test_connectors_tell_what_is_strange(caplog: pytest.LogCaptureFixture, tmp_path: pathlib.Path) -> None:
    pw.io.null.write(pw.io.plaintext.read(tmp_path, mode="static"))
    pw.run(monitoring_level=QUIET)
    told = [r.getMessage() for r in caplog.records if r.name == "pathway_engine.connectors"]
    assert len(told) == 1
    assert told[0].endswith("there is no file to read")
