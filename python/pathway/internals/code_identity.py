"""What tells user code apart from one run to the next.

The state of a run that is gone on with was computed by the functions of the program as it was. A function
that computes something else now must be known by it, and one that only moved must not.
"""

from __future__ import annotations

import functools
import hashlib
import types
from collections.abc import Iterator
from typing import Any

#: Values that are what they print.
_CONSTANTS = (int, float, complex, str, bytes, bool, types.NoneType, types.EllipsisType)
#: Objects inside of objects are looked into so many times.
_DEPTH = 12


def identity_of(value: Any) -> str:
    """A text of 32 hexadecimal digits: equal in two runs for code that is the same.

    Looked at are a function's code, defaults and closure, the functions and constants of its own module
    that it names, and so on for the parts of other objects; not where it stands, and nothing of other
    modules.

    >>> def made(step):
    ...     return lambda x: x + step
    >>> identity_of(made(1)) == identity_of(made(1)), identity_of(made(1)) == identity_of(made(2))
    (True, False)
    """
    digest = hashlib.sha256()
    for text in _described(value, set(), _DEPTH):
        digest.update(text.encode("utf-8", "surrogatepass") + b"\0")
    return digest.hexdigest()[:32]


def _described(value: Any, seen: set[int], depth: int) -> Iterator[str]:
    if isinstance(value, _CONSTANTS):
        yield f"{type(value).__name__} {value!r}"
        return
    if id(value) in seen or depth == 0:
        # What it is has been said, or is far away.
        yield f"again {_name(type(value))}"
        return
    seen.add(id(value))
    yield _name(type(value))
    for part in _parts(value):
        yield from _described(part, seen, depth - 1)


def _parts(value: Any) -> Iterator[Any]:
    """What an object is made of."""
    if isinstance(value, types.CodeType):
        yield from (value.co_code, value.co_names, value.co_varnames, value.co_freevars)
        yield from value.co_consts
    elif isinstance(value, types.FunctionType):
        yield from (value.__module__, value.__qualname__, value.__code__)
        yield from (value.__defaults__, value.__kwdefaults__)
        yield from (_content(cell) for cell in value.__closure__ or ())
        yield from _named(value)
    elif isinstance(value, types.MethodType):
        yield from (value.__func__, value.__self__)
    elif isinstance(value, functools.partial):
        yield from (value.func, value.args, value.keywords)
    elif isinstance(value, (tuple, list)):
        yield from value
    elif isinstance(value, dict):
        for key in sorted(value, key=repr):
            yield from (key, value[key])
    elif isinstance(value, (set, frozenset)):
        yield from sorted(value, key=repr)
    elif isinstance(value, types.ModuleType):
        yield value.__name__
    elif isinstance(value, type):
        yield _name(value)
        if value.__module__.split(".")[0] not in ("builtins", "pathway"):
            members = vars(value)
            yield from (members[name] for name in sorted(members) if callable(members[name]))
    elif isinstance(value, (staticmethod, classmethod)):
        yield value.__func__
    elif isinstance(value, types.BuiltinFunctionType):
        yield from (value.__module__, value.__qualname__)
    else:
        yield type(value)
        yield vars(value) if hasattr(value, "__dict__") else None


def _named(function: types.FunctionType) -> Iterator[Any]:
    """Functions and constants of its module that a function names."""
    for name in function.__code__.co_names:
        value = function.__globals__.get(name)
        own = isinstance(value, types.FunctionType) and value.__module__ == function.__module__
        if own or (isinstance(value, _CONSTANTS) and value is not None):
            yield from (name, value)


def _content(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return None


def _name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
