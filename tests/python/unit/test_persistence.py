"""Runs that go on where an earlier one was."""

from __future__ import annotations

import json
import logging
import pickle
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import pathway as pw
from pathway.internals.parse_graph import G

Mode = pw.PersistenceMode
Rows = list[dict[str, Any]]


class Word(pw.Schema):
    word: str
    n: int


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    return tmp_path


def write(folder: Path, name: str, *rows: tuple[str, int]) -> None:
    lines = "".join(json.dumps({"word": word, "n": n}) + "\n" for word, n in rows)
    (folder / "in" / name).write_text(lines)


def run(
    folder: Path,
    pipeline: Callable[[pw.Table], pw.Table],
    mode: Mode = Mode.PERSISTING,
    name: str | None = None,
) -> Rows:
    """The net changes that a run over the files writes, sorted."""
    G.clear()
    words = pw.io.jsonlines.read(folder / "in", schema=Word, mode="static", name=name)
    pw.io.jsonlines.write(pipeline(words), folder / "out.jsonl")
    backend = pw.persistence.Backend.filesystem(folder / "state")
    config = pw.persistence.Config(backend, persistence_mode=mode)
    pw.run(monitoring_level=pw.MonitoringLevel.NONE, persistence_config=config)
    net: Counter[str] = Counter()
    for line in (folder / "out.jsonl").read_text().splitlines():
        cells = json.loads(line)
        del cells["time"]
        net[json.dumps({**cells, "diff": 0})] += cells["diff"]
    rows = [{**json.loads(cells), "diff": diff} for cells, diff in net.items() if diff]
    return sorted(rows, key=lambda row: (row["diff"], str(row)))


def sums(words: pw.Table) -> pw.Table:
    return words.groupby(words.word).reduce(words.word, total=pw.reducers.sum(words.n))


def row(diff: int, **cells: Any) -> dict[str, Any]:
    return {**cells, "diff": diff}


@pytest.mark.parametrize("mode", [Mode.PERSISTING, Mode.OPERATOR_PERSISTING])
def test_only_what_is_new_comes_out(folder: Path, mode: Mode) -> None:
    write(folder, "1", ("a", 1), ("b", 2), ("a", 3))
    assert run(folder, sums, mode) == [row(1, word="a", total=4), row(1, word="b", total=2)]
    assert run(folder, sums, mode) == []
    write(folder, "2", ("a", 10))
    assert run(folder, sums, mode) == [row(-1, word="a", total=4), row(1, word="a", total=14)]
    # A file that is gone takes its rows along.
    (folder / "in" / "1").unlink()
    gone = [row(-1, word="a", total=14), row(-1, word="b", total=2), row(1, word="a", total=10)]
    assert run(folder, sums, mode) == gone


def test_with_any_number_of_workers(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder, "0", *((f"w{i}", i) for i in range(50)))
    expected = {f"w{i}": i for i in range(50)}
    for number, threads in enumerate([3, 1, 4, 2], start=1):
        monkeypatch.setenv("PATHWAY_THREADS", str(threads))
        changes = run(folder, sums)
        write(folder, str(number), *((f"w{i}", 100) for i in range(0, 50, number)))
        assert all(change["total"] == expected[change["word"]] for change in changes if change["diff"] > 0)
        for i in range(0, 50, number):
            expected[f"w{i}"] += 100
    assert len(run(folder, sums)) == 2 * len(range(0, 50, 4))


def test_steps_that_are_new_see_all_rows(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(folder, "1", ("a", 1), ("b", 2), ("a", 3))
    run(folder, sums)

    def counts(words: pw.Table) -> pw.Table:
        return words.groupby(words.word).reduce(words.word, count=pw.reducers.count())

    write(folder, "2", ("a", 10))
    with caplog.at_level(logging.INFO):
        assert run(folder, counts) == [row(-1, word="a", count=2), row(1, word="a", count=3)]
    assert "computed anew, as the program has changed: groupby" in caplog.text


def test_without_rows_new_steps_are_refused(folder: Path) -> None:
    write(folder, "1", ("a", 1))
    run(folder, sums, Mode.OPERATOR_PERSISTING)
    with pytest.raises(pw.engine.EngineError, match=r"the program has changed, and groupby .* were not kept"):
        run(
            folder,
            lambda words: words.groupby(words.word).reduce(n=pw.reducers.max(words.n)),
            Mode.OPERATOR_PERSISTING,
        )


def test_sources_without_names_start_over(folder: Path) -> None:
    write(folder, "1", ("a", 1))
    assert run(folder, sums, Mode.SELECTIVE_PERSISTING) == [row(1, word="a", total=1)]
    write(folder, "2", ("a", 2))
    assert run(folder, sums, Mode.SELECTIVE_PERSISTING) == [row(1, word="a", total=3)]
    assert run(folder, sums, Mode.SELECTIVE_PERSISTING, name="words") == [row(1, word="a", total=3)]
    write(folder, "2", ("a", 3))
    changes = [row(-1, word="a", total=3), row(1, word="a", total=4)]
    assert run(folder, sums, Mode.SELECTIVE_PERSISTING, name="words") == changes


def test_outputs_that_begin_anew_show_what_named_sources_gave_before(folder: Path) -> None:
    def shown(*names: str) -> list[dict[str, Any]]:
        """What a run with these outputs has in their files."""
        G.clear()
        schema = pw.schema_from_types(n=int)
        known = pw.io.python.read(Numbers(3), schema=schema, name="known")
        anew = pw.io.python.read(Numbers(2), schema=schema)
        total = known.reduce(n=pw.reducers.sum(known.n))
        outputs = {"rows": known.concat_reindex(anew), "totals": total.concat_reindex(anew), "total": total}
        for name in names:
            pw.io.jsonlines.write(outputs[name], folder / name, name=name)
        backend = pw.persistence.Backend.filesystem(folder / "state")
        config = pw.persistence.Config(backend, persistence_mode=Mode.SELECTIVE_PERSISTING)
        pw.run(monitoring_level=pw.MonitoringLevel.NONE, persistence_config=config)
        read = [[json.loads(line) for line in (folder / name).read_text().splitlines()] for name in names]
        return [dict(Counter(row["n"] for row in rows for _ in range(row["diff"]))) for rows in read]

    rows, totals = {0: 2, 1: 2, 2: 1}, {0: 1, 1: 1, 3: 1}
    assert shown("rows", "totals", "total") == [rows, totals, {3: 1}]
    # What comes of named sources alone is known.
    assert shown("rows", "totals", "total") == [rows, totals, {}]
    assert shown("totals", "total") == [totals, {}]


def test_a_changed_schema_is_named(folder: Path) -> None:
    write(folder, "1", ("a", 1))
    run(folder, sums, name="words")

    class Other(pw.Schema):
        word: str
        n: float

    G.clear()
    words = pw.io.jsonlines.read(folder / "in", schema=Other, mode="static", name="words")
    pw.io.jsonlines.write(words, folder / "out.jsonl")
    config = pw.persistence.Config(pw.persistence.Backend.filesystem(folder / "state"))
    with pytest.raises(pw.engine.EngineError, match=r"words were of the types .STR, INT. and are now of"):
        pw.run(monitoring_level=pw.MonitoringLevel.NONE, persistence_config=config)


def test_code_is_known_by_what_it_does(folder: Path) -> None:
    def pipeline(step: int) -> Callable[[pw.Table], pw.Table]:
        @pw.udf(deterministic=True)
        def moved(n: int) -> int:
            return n + step

        return lambda words: words.reduce(total=pw.reducers.sum(moved(words.n)))

    write(folder, "1", ("a", 1), ("b", 2))
    assert run(folder, pipeline(1)) == [row(1, total=5)]
    assert run(folder, pipeline(1)) == []
    write(folder, "2", ("a", 3))
    # With another step, all sums are others; what was written before is not taken back.
    assert run(folder, pipeline(10)) == [row(-1, total=23), row(1, total=36)]


class Numbers(pw.io.python.ConnectorSubject):
    """Numbers from the last one on that was kept."""

    def __init__(self, until: int) -> None:
        super().__init__()
        self.first, self.until = 0, until
        self.calls: list[Any] = []

    def on_persisted_run(self) -> None:
        self.calls.append("persisted")

    def _seek(self, state: bytes) -> None:
        self.calls.append(state)
        self.first = pickle.loads(state)

    def run(self) -> None:
        self.calls.append("run")
        for i in range(self.first, self.until):
            self.next(n=i)
            self._report_offset(pickle.dumps(i + 1))


def test_subjects_go_on_from_their_offset(tmp_path: Path) -> None:
    def totals(until: int) -> tuple[list[Any], list[tuple[int, bool]]]:
        G.clear()
        subject = Numbers(until)
        numbers = pw.io.python.read(subject, schema=pw.schema_from_types(n=int), name="numbers")
        seen: list[tuple[int, bool]] = []
        total = numbers.reduce(total=pw.reducers.sum(numbers.n), rows=pw.reducers.count())
        pw.io.subscribe(
            total, lambda key, row, time, is_addition: seen.append((row["total"], row["rows"], is_addition))
        )
        config = pw.persistence.Config(pw.persistence.Backend.filesystem(tmp_path))
        pw.run(monitoring_level=pw.MonitoringLevel.NONE, persistence_config=config)
        return subject.calls, seen

    assert totals(3) == (["persisted", "run"], [(3, 3, True)])
    assert totals(3) == (["persisted", pickle.dumps(3), "run"], [])
    calls, seen = totals(5)
    assert calls == ["persisted", pickle.dumps(3), "run"]
    assert (seen[0], seen[-1]) == ((3, 3, False), (10, 5, True))


def test_rows_at_the_start_are_not_shown(tmp_path: Path) -> None:
    table = pw.debug.table_from_markdown(
        """
        a | __time__
        1 | 0
        2 | 2
        """
    )
    seen: list[int] = []
    pw.io.subscribe(table, lambda key, row, time, is_addition: seen.append(row["a"]))
    config = pw.persistence.Config(pw.persistence.Backend.filesystem(tmp_path))
    pw.run(monitoring_level=pw.MonitoringLevel.NONE, persistence_config=config)
    assert seen == [2]


def test_what_cannot_be_done_is_said(tmp_path: Path) -> None:
    backend = pw.persistence.Backend.filesystem(tmp_path)
    config = pw.persistence.Config(backend, worker_scaling_enabled=True)
    with pytest.raises(ValueError, match="must only be executed via `pathway spawn`"):
        pw.run(monitoring_level=pw.MonitoringLevel.NONE, persistence_config=config)
    with pytest.raises(TypeError, match=r"pw\.persistence\.Config, not a str"):
        pw.run(monitoring_level=pw.MonitoringLevel.NONE, persistence_config=str(tmp_path))
    with pytest.raises(ValueError, match="snapshot_interval_ms has to be 0 or more"):
        pw.persistence.Config(pw.persistence.Backend.filesystem(tmp_path), snapshot_interval_ms=-1)


def test_a_file_is_no_place_for_state(folder: Path) -> None:
    (folder / "state").write_text("")
    with pytest.raises(pw.engine.EngineError, match="it is a file, not a directory"):
        run(folder, sums)


def test_the_simple_configuration_is_deprecated(tmp_path: Path) -> None:
    backend = pw.persistence.Backend.filesystem(tmp_path)
    with pytest.warns(DeprecationWarning, match="use Config"):
        config = pw.persistence.Config.simple_config(backend, 5, persistence_mode=Mode.UDF_CACHING)
    assert config == pw.persistence.Config(backend, snapshot_interval_ms=5, persistence_mode=Mode.UDF_CACHING)
