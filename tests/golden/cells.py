"""Types and cells of the tables in golden scenarios (the notation is described in README.md).

Every cell is turned into a Python value of the declared type, and every expected value into the text that
`pw.debug.compute_and_print_update_stream` prints for it, which is what scenarios are compared by.
"""

from __future__ import annotations

import ast
import json
from dataclasses import dataclass
from typing import Any

import pathway as pw
from pathway.internals import api

_BASE: dict[str, Any] = {
    "int": int,
    "float": float,
    "str": str,
    "bool": bool,
    "bytes": bytes,
    "any": Any,
    "json": pw.Json,
    "pointer": pw.Pointer,
    "naive": pw.DateTimeNaive,
    "utc": pw.DateTimeUtc,
    "duration": pw.Duration,
    "none": None,
}


class NotationError(ValueError):
    """A scenario that cannot be read."""


@dataclass(frozen=True)
class Type:
    """`int`, `str?`, `list[int]`, `tuple[int, str]`, …"""

    name: str
    args: tuple[Type, ...] = ()
    optional: bool = False

    def annotation(self) -> Any:
        """The Python annotation that a schema takes."""
        if self.name == "list":
            base: Any = list[self.args[0].annotation()]  # type: ignore[misc]
        elif self.name == "tuple":
            base = tuple[tuple(arg.annotation() for arg in self.args)]  # type: ignore[misc]
        else:
            base = _BASE[self.name]
        return base | None if self.optional and base is not Any else base

    def __str__(self) -> str:
        inner = f"[{', '.join(str(arg) for arg in self.args)}]" if self.args else ""
        return f"{self.name}{inner}{'?' if self.optional else ''}"


def parse_type(text: str) -> Type:
    """Reads a type in the notation of the header cells."""
    kind, rest = _parse_type(text.strip())
    if rest:
        raise NotationError(f"type {text!r}: {rest!r} is left over")
    return kind


def _parse_type(text: str) -> tuple[Type, str]:
    end = 0
    while end < len(text) and text[end].isalpha():
        end += 1
    name, rest = text[:end], text[end:].lstrip()
    args: list[Type] = []
    if name in ("list", "tuple"):
        if not rest.startswith("["):
            raise NotationError(f"{name} needs its members in brackets")
        rest = rest[1:].lstrip()
        while not rest.startswith("]"):
            arg, rest = _parse_type(rest.lstrip(", "))
            args.append(arg)
            rest = rest.lstrip()
        rest = rest[1:]
    elif name not in _BASE:
        raise NotationError(f"unknown type {name!r}; there are {', '.join([*_BASE, 'list', 'tuple'])}")
    optional = rest.startswith("?")
    return Type(name, tuple(args), optional), rest[1:] if optional else rest


def parse_cell(text: str, kind: Type) -> Any:
    """The Python value of an input cell."""
    if text == "None":
        if not (kind.optional or kind.name in ("any", "none")):
            raise NotationError(f"None in a column of type {kind}")
        return None
    if kind.name == "str" or (kind.name == "any" and text.startswith('"')):
        return json.loads(text) if text.startswith('"') else text
    if kind.name == "int":
        return int(text)
    if kind.name == "float":
        return float(text)
    if kind.name == "bool":
        return {"True": True, "False": False}[text]
    if kind.name == "bytes":
        return bytes.fromhex(text.removeprefix("0x"))
    if kind.name == "json":
        return pw.Json(json.loads(text))
    if kind.name == "pointer":
        return parse_pointer(text)
    if kind.name == "naive":
        return pw.DateTimeNaive(text)
    if kind.name == "utc":
        return pw.DateTimeUtc(text)
    if kind.name == "duration":
        return pw.Duration(text)
    if kind.name in ("list", "tuple"):
        return _members(json.loads(text), kind)
    return json.loads(text)


def _members(value: Any, kind: Type) -> Any:
    if kind.name not in ("list", "tuple") or value is None:
        if kind.name == "float" and value is not None:
            return float(value)
        return pw.Json(value) if kind.name == "json" else value
    members = kind.args * len(value) if kind.name == "list" else kind.args
    if len(members) != len(value):
        raise NotationError(f"{value} has not as many members as {kind}")
    return tuple(_members(item, member) for item, member in zip(value, members, strict=True))


def parse_pointer(text: str) -> Any:
    """A row id: a label (`7`, `Oslo`), `key(…)` of values, `shard(key, key)`, or the printed form `^…`."""
    if text.startswith("^"):
        return api.unsafe_make_pointer(_from_base32(text[1:]))
    if "(" not in text:
        try:
            return api.ref_scalar(int(text))
        except ValueError:
            return api.ref_scalar(json.loads(text) if text.startswith('"') else text)
    return _pointer(ast.parse(text, mode="eval").body)


def _from_base32(text: str) -> int:
    bits = "".join(f"{'0123456789ABCDEFGHJKMNPQRSTVWXYZ'.index(digit):05b}" for digit in text)
    return int.from_bytes(int(bits[:128], 2).to_bytes(16, "big"), "little")


def _pointer(node: ast.expr) -> Any:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        values = [_pointer(arg) for arg in node.args]
        if node.func.id == "key":
            return api.ref_scalar(*values)
        if node.func.id == "shard":
            row, place = (int(value) for value in values)
            return api.unsafe_make_pointer((row & ~0xFFFF) | (place & 0xFFFF))
        raise NotationError(f"unknown function {node.func.id} in a pointer; there are key and shard")
    return ast.literal_eval(node)


def printed(text: str, kind: Type) -> str:
    """How the debug printer shows the value of an expected cell."""
    if text == "Error":
        return text
    value = parse_cell(text, kind)
    return "" if value is None else str(value)


def from_print(text: str, kind: Type) -> str:
    """The cell for a printed value: the inverse of `printed`, used to fill in expectations."""
    if text == "Error":
        return text
    if (kind.optional or kind.name == "none") and text in ("", "None"):
        return "None"
    if kind.name in ("list", "tuple"):
        return json.dumps(ast.literal_eval(text), ensure_ascii=False)
    if kind.name == "pointer":
        labels = {str(api.ref_scalar(label)): str(label) for label in range(100)}
        return labels.get(text, text)
    if kind.name == "str":
        plain = (
            text
            and text == text.strip()
            and text[0] != '"'
            and text not in ("None", "Error")
            and "|" not in text
        )
        return text if plain else json.dumps(text, ensure_ascii=False).replace("|", "\\u007c")
    return text
