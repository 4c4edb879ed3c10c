"""What sources have given is recorded, and given once more to a program."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import pathway as pw
from pathway.internals.api import SnapshotAccess, SnapshotEvent, ref_scalar
from pathway.internals.config import local_pathway_config
from pathway.internals.parse_graph import G
from ports import free_ports

Mode = pw.PersistenceMode
REPLAYS = [Mode.BATCH, Mode.SPEEDRUN_REPLAY, Mode.REALTIME_REPLAY]
#: The numbers of each time.
Times = list[list[tuple[int, bool]]]


class Number(pw.Schema):
    number: int


class Numbers(pw.io.python.ConnectorSubject):
    """Gives numbers, each in a minibatch of its own."""

    def __init__(self, numbers: list[int], *, with_positions: bool = False) -> None:
        super().__init__()
        self.numbers = numbers
        self.with_positions = with_positions
        self.begin = 0
        self.told: list[str] = []

    def run(self) -> None:
        for position, number in enumerate(self.numbers[self.begin :], self.begin + 1):
            self.next(number=number)
            if self.with_positions:
                self._report_offset(str(position).encode())
            self.commit()

    def on_persisted_run(self) -> None:
        self.told.append("persisted")

    def _seek(self, state: bytes) -> None:
        self.told.append(f"seek {state.decode()}")
        self.begin = int(state)


def read(subject: Numbers, name: str | None = "numbers") -> pw.Table:
    return pw.io.python.read(subject, schema=Number, name=name, autocommit_duration_ms=None)


def outcome(table: pw.Table, config: pw.persistence.Config | None, column: str = "number") -> Times:
    """What a run delivers at each of its times."""
    changes: dict[int, list[tuple[int, bool]]] = {}

    def on_change(key: pw.Pointer, row: dict[str, Any], time: int, is_addition: bool) -> None:
        changes.setdefault(time, []).append((row[column], is_addition))

    pw.io.subscribe(table, on_change)
    pw.run(monitoring_level=pw.MonitoringLevel.NONE, persistence_config=config)
    G.clear()
    return [sorted(changes[time]) for time in sorted(changes)]


def run(folder: Path, numbers: list[int], mode: Mode, access: SnapshotAccess, **settings: Any) -> Times:
    G.clear()
    backend = pw.persistence.Backend.filesystem(folder)
    config = pw.persistence.Config(
        backend, persistence_mode=mode, snapshot_access=access, **{"replay_speed": 1e6, **settings}
    )
    return outcome(read(Numbers(numbers)), config)


def added(*times: list[int]) -> Times:
    return [[(number, True) for number in numbers] for numbers in times]


@pytest.mark.parametrize("mode", REPLAYS)
def test_rows_are_recorded_and_given_once_more(tmp_path: Path, mode: Mode) -> None:
    Access = SnapshotAccess
    together = mode is Mode.BATCH

    def only(numbers: list[int]) -> Times:
        return added(numbers) if together else added(*([number] for number in numbers))

    assert run(tmp_path, [1, 2, 3], mode, Access.RECORD) == added([1], [2], [3])
    assert run(tmp_path, [7], mode, Access.REPLAY, continue_after_replay=False) == only([1, 2, 3])
    both = added([1, 2, 3, 7], [8]) if together else added([1], [2], [3], [7], [8])
    assert run(tmp_path, [7, 8], mode, Access.REPLAY) == both
    # What has been recorded stays, and what is new comes behind it.
    assert run(tmp_path, [4], mode, Access.RECORD) == added([4])
    assert run(tmp_path, [], mode, Access.REPLAY) == only([1, 2, 3, 4])
    # With everything, what is recorded is given, and what is new is recorded.
    assert run(tmp_path, [9], mode, Access.FULL) == [*only([1, 2, 3, 4]), *added([9])]
    assert run(tmp_path, [], mode, Access.FULL, continue_after_replay=False) == only([1, 2, 3, 4, 9])
    both = added([1, 2, 3, 4, 9, 10]) if together else added([1], [2], [3], [4], [9], [10])
    assert run(tmp_path, [10], mode, Access.OFFSETS_ONLY) == both
    assert run(tmp_path, [], mode, Access.REPLAY) == only([1, 2, 3, 4, 9])


@pytest.mark.parametrize("mode", [Mode.PERSISTING, Mode.SELECTIVE_PERSISTING])
def test_access_of_runs_that_go_on(tmp_path: Path, mode: Mode) -> None:
    Access = SnapshotAccess

    def count(numbers: list[int], access: SnapshotAccess, **settings: Any) -> Times:
        G.clear()
        counts = read(Numbers(numbers)).reduce(count=pw.reducers.count())
        backend = pw.persistence.Backend.filesystem(tmp_path)
        config = pw.persistence.Config(backend, persistence_mode=mode, snapshot_access=access, **settings)
        return outcome(counts, config, "count")

    def changes(*counts: int) -> Times:
        return [[(count, False), (count + 1, True)] for count in counts]

    assert count([1, 2, 3], Access.FULL) == [*added([1]), *changes(1, 2)]
    assert count([4], Access.REPLAY) == changes(3)
    assert count([4], Access.REPLAY, continue_after_replay=False) == []
    assert count([5], Access.OFFSETS_ONLY) == changes(3)
    assert count([6], Access.FULL) == changes(3)
    assert count([7], Access.FULL) == changes(4)
    # A recording begins anew; the run after it knows the rows of all.
    assert count([8, 9], Access.RECORD) == [*added([1]), *changes(1)]
    assert count([10], Access.FULL) == changes(7)


@pytest.mark.parametrize("mode", REPLAYS)
def test_sources_go_on_where_the_recording_ends(tmp_path: Path, mode: Mode) -> None:
    backend = pw.persistence.Backend.filesystem(tmp_path)
    told = []
    for access in (SnapshotAccess.RECORD, SnapshotAccess.REPLAY):
        subject = Numbers([1, 2], with_positions=True)
        config = pw.persistence.Config(backend, persistence_mode=mode, snapshot_access=access)
        times = outcome(read(subject), config)
        assert sorted(change for time in times for change in time) == [(1, True), (2, True)]
        told.append(subject.told)
    assert told == [[], ["persisted", "seek 2"]]


def test_sources_without_names_are_not_recorded(tmp_path: Path) -> None:
    def both(access: SnapshotAccess, other: list[int], **settings: Any) -> list[int]:
        tables = [read(Numbers([1, 2])), read(Numbers(other), name=None)]
        config = pw.persistence.Config(
            pw.persistence.Backend.filesystem(tmp_path),
            persistence_mode=Mode.SPEEDRUN_REPLAY,
            snapshot_access=access,
            **settings,
        )
        changes = outcome(pw.Table.concat_reindex(*tables), config)
        return sorted(number for time in changes for number, _ in time)

    assert both(SnapshotAccess.RECORD, [11]) == [1, 2, 11]
    assert both(SnapshotAccess.REPLAY, [12], continue_after_replay=False) == [1, 2]
    assert both(SnapshotAccess.REPLAY, [12]) == [1, 1, 2, 2, 12]


EVENTS = [
    SnapshotEvent.insert(ref_scalar(0), [10]),
    SnapshotEvent.advance_time(2),
    SnapshotEvent.insert(ref_scalar(1), [11]),
    SnapshotEvent.insert(ref_scalar(2), [12]),
    SnapshotEvent.advance_time(5),
    SnapshotEvent.delete(ref_scalar(1), [11]),
    SnapshotEvent.insert(ref_scalar(3), [13]),
    SnapshotEvent.FINISHED,
    SnapshotEvent.insert(ref_scalar(4), [14]),
]


def mocked(events: dict[tuple[str, int], list[SnapshotEvent]], mode: Mode) -> pw.persistence.Config:
    return pw.persistence.Config(
        pw.persistence.Backend.mock(events),
        persistence_mode=mode,
        snapshot_access=SnapshotAccess.REPLAY,
        continue_after_replay=False,
    )


def test_events_can_be_made_up() -> None:
    # Rows of time 0 were there before, and worker 7 does not exist.
    events = {("numbers", 0): EVENTS, ("numbers", 7): EVENTS, ("others", 0): EVENTS}
    times: list[tuple[int, int, bool]] = []
    table = read(Numbers([]))
    pw.io.subscribe(
        table,
        on_change=lambda key, row, time, is_addition: times.append((time, row["number"], is_addition)),
    )
    config = mocked(events, Mode.SPEEDRUN_REPLAY)
    pw.run(monitoring_level=pw.MonitoringLevel.NONE, persistence_config=config)
    G.clear()
    assert sorted(times) == [(2, 11, True), (2, 12, True), (4, 11, False), (4, 13, True)]

    counts = read(Numbers([])).reduce(count=pw.reducers.count())
    assert outcome(counts, mocked(events, Mode.SPEEDRUN_REPLAY), "count") == [
        [(1, False), (3, True)],
    ]
    assert outcome(read(Numbers([])), mocked(events, Mode.BATCH)) == added([10, 12, 13])


def test_made_up_events_have_to_fit_the_columns() -> None:
    events = {("numbers", 0): [SnapshotEvent.insert(ref_scalar(0), ["text"])]}
    with pytest.raises(TypeError, match="column number"):
        outcome(read(Numbers([])), mocked(events, Mode.BATCH))
    G.clear()


def test_made_up_events_are_only_replayed() -> None:
    backend = pw.persistence.Backend.mock({})
    for settings in ({}, {"persistence_mode": Mode.BATCH}, {"snapshot_access": SnapshotAccess.REPLAY}):
        with pytest.raises(ValueError, match=r"Backend\.mock has only what is replayed"):
            pw.run(persistence_config=pw.persistence.Config(backend, **settings))


@pytest.mark.parametrize("speed", [0.0, -1.0, float("inf"), float("nan")])
def test_the_speed_is_positive(speed: float) -> None:
    backend = pw.persistence.Backend.filesystem("x")
    with pytest.raises(ValueError, match="replay_speed has to be a positive number"):
        pw.persistence.Config(backend, replay_speed=speed)


def test_columns_of_a_recording_stay_what_they_are(tmp_path: Path) -> None:
    class Text(pw.Schema):
        number: str

    run(tmp_path, [1], Mode.BATCH, SnapshotAccess.RECORD)
    table = pw.io.python.read(Numbers([]), schema=Text, name="numbers")
    config = pw.persistence.Config(
        pw.persistence.Backend.filesystem(tmp_path),
        persistence_mode=Mode.BATCH,
        snapshot_access=SnapshotAccess.REPLAY,
    )
    with pytest.raises(pw.engine.EngineError, match=r"source numbers were of the types \(INT\)"):
        outcome(table, config)
    G.clear()


def test_the_environment_says_what_is_replayed(tmp_path: Path) -> None:
    place = str(tmp_path / "recording")
    with local_pathway_config(replay_storage=place, snapshot_access="Record", continue_after_replay=True):
        assert outcome(read(Numbers([1, 2])), None) == added([1], [2])
    with local_pathway_config(replay_storage=place, snapshot_access="replay"):
        assert outcome(read(Numbers([3])), None) == added([1, 2])
        with local_pathway_config(replay_mode="speedrun"):
            assert outcome(read(Numbers([3])), None) == added([1], [2])
    with (
        local_pathway_config(replay_storage=place),
        pytest.raises(ValueError, match="PATHWAY_SNAPSHOT_ACCESS has to be record or replay, not None"),
    ):
        pw.run()
    with (
        local_pathway_config(replay_storage=place, snapshot_access="replay", replay_speed="fast"),
        pytest.raises(ValueError, match="PATHWAY_REPLAY_SPEED is 'fast', which is no number"),
    ):
        pw.run()


PROGRAM = """
import sys
import pathway as pw

class Number(pw.Schema):
    number: int

class Numbers(pw.io.python.ConnectorSubject):
    def run(self):
        for number in sys.argv[1:]:
            self.next(number=int(number))
            self.commit()

last = None
def on_change(key, row, time, is_addition):
    global last
    if last not in (None, time):
        print("|", end=" ")
    last = time
    print(row["number"], end=" ")

table = pw.io.python.read(Numbers(), schema=Number, name="numbers", autocommit_duration_ms=None)
pw.io.subscribe(table, on_change)
pw.run(monitoring_level=pw.MonitoringLevel.NONE)
"""


def test_the_command_records_and_replays(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)

    def pathway(*arguments: str) -> str:
        command, *numbers = arguments[-1].split()
        options = [*arguments[:-1], sys.executable, command, *numbers]
        done = subprocess.run(
            [sys.executable, "-m", "pathway", *options],
            cwd=tmp_path,
            env={name: value for name, value in os.environ.items() if not name.startswith("PATHWAY_")},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    assert pathway("spawn", "--record", "program.py 1 2 3") == "1 | 2 | 3"
    assert (tmp_path / "record").is_dir()
    assert pathway("replay", "--mode", "batch", "program.py 7 8") == "1 2 3"
    assert pathway("replay", "--mode", "Speedrun", "program.py 7 8") == "1 | 2 | 3"
    assert pathway("replay", "--mode", "speedrun", "--continue", "program.py 7 8") == "1 | 2 | 3 | 7 | 8"
    assert pathway("replay", "--mode", "realtime", "--speed", "1000", "program.py 7 8") == "1 | 2 | 3"
    assert pathway("spawn", "--record", "-t", "2", "program.py 4") == "4"
    processes = ["-n", "2", "--first-port", str(free_ports(2))]
    assert pathway("replay", "--mode", "speedrun", *processes, "program.py") == "1 | 2 | 3 | 4"
