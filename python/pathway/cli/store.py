"""What is in the store of a run with persistence, as far as its manifests say: `pathway persistence inspect`.

Only manifests are read, and whether the packs that they name are there. Whether their content is what was
written is found out by the run that reads it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

#: The form of manifests that is known here.
_FORM = 1
#: The logical time of a run that has come to its end.
_END = 2**64 - 1


class NoStore(Exception):
    """There is no store, or none that can be read."""


@dataclass(frozen=True)
class Operator:
    """What is kept of an operator."""

    id: str
    name: str
    #: The rows that a source gave, and not a state.
    log: bool
    rows: int
    bytes: int


@dataclass(frozen=True)
class Checkpoint:
    """What a manifest says."""

    number: int
    run: int
    #: None: the run had come to its end.
    time: int | None
    #: The latest time of anything in it.
    last: int
    finished: bool
    workers: int
    steps: int
    rows: int
    bytes: int
    #: How far sources were read, by name and part.
    sources: Mapping[str, Mapping[str, Any]]
    #: How far outputs were written, by name.
    sinks: Mapping[str, Any]
    operators: list[Operator]
    #: Changes that outputs have not taken yet, by name.
    outboxes: Mapping[str, int]
    #: Packs that it names and that are not there.
    missing: list[str]


@dataclass(frozen=True)
class Contents:
    """What is in a store."""

    path: str
    #: The last one first.
    checkpoints: list[Checkpoint]
    #: Manifests that cannot be read, and why.
    damaged: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> str:
        """All of it."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False)


def contents(path: str) -> Contents:
    """Reads the manifests of a store in a folder.

    Raises:
        NoStore: there is none.
    """
    if "://" in path:
        raise NoStore(f"{path} is not a folder, and only stores in folders can be looked into: copy it first")
    folder = Path(path)
    if not folder.exists():
        raise NoStore(f"{path} does not exist")
    if not folder.is_dir():
        raise NoStore(f"{path} is a file, and stores are folders")
    manifests = folder / "manifests"
    if not manifests.is_dir():
        raise NoStore(f"{path} is no store of a run with persistence: it has no folder manifests")
    checkpoints, damaged = [], {}
    for file in sorted(manifests.glob("*.json"), reverse=True):
        try:
            checkpoints.append(_checkpoint(folder, file))
        except FileNotFoundError:
            # A run that goes on has written a later one.
            continue
        except OSError as error:
            damaged[file.name] = error.strerror or str(error)
        except _Later:
            raise NoStore(f"{file} was written by a later release of pathway") from None
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            damaged[file.name] = f"it cannot be read: {error}"
    if not checkpoints and not damaged:
        raise NoStore(f"{path} has no checkpoint yet")
    return Contents(path, checkpoints, damaged)


class _Later(Exception):
    """Somebody else knows how to read it."""


def _checkpoint(folder: Path, file: Path) -> Checkpoint:
    envelope = json.loads(file.read_text(encoding="utf-8"))
    if envelope["form"] > _FORM:
        raise _Later
    manifest = json.loads(envelope["manifest"])
    operators = [_operator(name, kept) for name, kept in sorted(manifest["operators"].items())]
    outboxes = {
        name: sum(section["rows"] for section in sections)
        for name, sections in manifest.get("outboxes", {}).items()
    }
    time: int = manifest["time"]
    return Checkpoint(
        number=manifest["sequence"],
        run=manifest["run"],
        time=None if time == _END else time,
        last=manifest["last"],
        finished=manifest["finished"],
        workers=manifest["workers"],
        steps=len(manifest["steps"]),
        rows=sum(operator.rows for operator in operators),
        bytes=sum(operator.bytes for operator in operators),
        sources={
            name: {part: position(saved["value"]) for part, saved in parts.items()}
            for name, parts in manifest["sources"].items()
        },
        sinks={name: position(saved["value"]) for name, saved in manifest["sinks"].items()},
        operators=operators,
        outboxes=outboxes,
        missing=sorted({name for name in _packs(manifest) if not (folder / name).is_file()}),
    )


def _operator(name: str, kept: Mapping[str, Any]) -> Operator:
    sections = list(_sections(kept))
    return Operator(
        id=name,
        name=kept["name"],
        log=kept.get("is_log", False),
        rows=sum(section["rows"] for section in sections),
        bytes=sum(section["length"] for section in sections),
    )


def _sections(kept: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Where what an operator keeps is in packs."""
    for state in kept["states"]:
        for _, section in [*state["tables"], *state["common"]]:
            yield section
    for notes in kept["notes"]:
        yield notes["rows"]


def _packs(manifest: Mapping[str, Any]) -> Iterator[str]:
    for kept in manifest["operators"].values():
        for section in _sections(kept):
            yield section["pack"]
    for sections in manifest.get("outboxes", {}).values():
        for section in sections:
            yield section["pack"]


def position(text: str) -> Any:
    """A position as people read it: JSON, a number of eight bytes, text, or else the Base64 that it was.

    >>> position("LgAAAAAAAAA="), position("eyJhIjoxfQ=="), position("YWJj"), position("/w==")
    (46, {'a': 1}, 'abc', '/w==')
    """
    value = base64.b64decode(text, validate=True)
    # Text of eight characters would be a number beyond all that is counted.
    if len(value) == 8 and value[7] == 0:
        return int.from_bytes(value, "little")
    try:
        return json.loads(value)
    except ValueError:
        pass
    try:
        decoded = value.decode()
    except UnicodeDecodeError:
        return text
    return decoded if decoded.isprintable() else text


# --- as text --------------------------------------------------------------------------------------------


def as_text(found: Contents) -> str:
    """All of it for people."""
    blocks = [_checkpoint_text(checkpoint) for checkpoint in found.checkpoints]
    blocks += [f"manifests/{name}: {cause}" for name, cause in found.damaged.items()]
    return "\n\n".join(blocks)


def _checkpoint_text(checkpoint: Checkpoint) -> str:
    end = "the end" if checkpoint.time is None else str(checkpoint.time)
    state = "finished" if checkpoint.finished else "not finished"
    lines = [
        f"checkpoint {checkpoint.number} of run {checkpoint.run}",
        f"  time      {end}, {state}; the last rows are of {_moment(checkpoint.last)}",
        f"  workers   {checkpoint.workers}",
        f"  state     {_count(checkpoint.rows, 'row')}, {_count(checkpoint.bytes, 'byte')}",
    ]
    if checkpoint.missing:
        lines.append(f"  damaged   missing: {', '.join(checkpoint.missing)}")
    if checkpoint.sources:
        lines.append("  sources")
        for name, parts in checkpoint.sources.items():
            lines.append(f"    {name}" if parts else f"    {name}: no position")
            lines += [f"      {part}: {_how_far(saved)}" for part, saved in parts.items()]
    if checkpoint.sinks:
        lines.append("  outputs")
        lines += [f"    {name}: {_how_far(saved)}" for name, saved in checkpoint.sinks.items()]
        lines += [f"    {name}: {_count(n, 'row')} to be written" for name, n in checkpoint.outboxes.items()]
    if checkpoint.operators:
        lines.append("  operators")
        names = [f"rows of {each.name}" if each.log else each.name for each in checkpoint.operators]
        width = max(len(name) for name in names)
        lines += [
            f"    {name:{width}}  {_count(each.rows, 'row')}, {_count(each.bytes, 'byte')}"
            for name, each in zip(names, checkpoint.operators, strict=True)
        ]
    return "\n".join(lines)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _moment(time: int) -> str:
    """A logical time, and when that was, if it is of the clock."""
    # Times of static runs are small numbers.
    if not 10**12 < time < 10**13:
        return str(time)
    moment = datetime.fromtimestamp(time / 1000, tz=timezone.utc)
    return f"{time} ({moment:%Y-%m-%d %H:%M:%S} UTC)"


def _how_far(saved: Any) -> str:
    if isinstance(saved, dict) and isinstance(tail := saved.get("tail"), dict) and "offset" in tail:
        size = (saved.get("fingerprint") or {}).get("size")
        of = "" if size is None else f" of {size}"
        return f"{tail['offset']}{of} bytes"
    if isinstance(saved, str):
        return saved
    return json.dumps(saved, ensure_ascii=False)
