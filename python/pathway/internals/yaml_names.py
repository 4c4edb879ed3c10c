"""Python objects that YAML names, and where in a document something is."""

from __future__ import annotations

import builtins
import importlib
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pathway.internals import trace
from pathway.internals.lazy_import import LazyModule

if TYPE_CHECKING:
    import yaml
else:
    yaml = LazyModule("yaml")


def named_object(name: str) -> Any:
    """What a tag names, without its exclamation mark.

    Raises:
        AttributeError: there is nothing of this name.
        ImportError: a module cannot be imported.

    >>> named_object("os.path.sep") == named_object("os.path:sep") == os.sep
    True
    >>> named_object("int")
    <class 'int'>
    """
    if name.startswith(("pw.", "pw:")):
        name = "pathway" + name[2:]
    module_name, colon, path = name.partition(":")
    if colon:
        found: Any = importlib.import_module(module_name) if module_name else builtins
        attributes = path.split(".") if path else []
    else:
        found, attributes = _longest_module(name)
    for attribute in attributes:
        found = getattr(found, attribute)
    return found


def _longest_module(name: str) -> tuple[Any, list[str]]:
    """The module with the longest name with which a dotted one begins, and what follows."""
    parts = name.split(".")
    module: Any = builtins
    count = 0
    while count < len(parts) and parts[count]:
        prefix = ".".join(parts[: count + 1])
        try:
            module = importlib.import_module(prefix)
        except ModuleNotFoundError as error:
            # Another module may be missing that this one needs.
            if error.name is None or not (error.name == prefix or prefix.startswith(error.name + ".")):
                raise
            break
        count += 1
    return module, parts[count:]


def full_name(named: Any, name: str) -> str:
    """The dotted name of an object that `name` names, for `!!python/name:`."""
    module = getattr(named, "__module__", None)
    qualified = getattr(named, "__qualname__", None)
    if not module or not qualified:
        return name.replace(":", ".")
    return f"{module}.{qualified}"


def marked(node: yaml.Node, problem: str) -> yaml.MarkedYAMLError:
    """What is wrong with a node."""
    return yaml.MarkedYAMLError(None, None, problem, node.start_mark)


@contextmanager
def told_where(node: yaml.Node) -> Iterator[None]:
    """Exceptions that leave the block know where in the document that is."""
    try:
        yield
    except Exception as error:
        if mark_of(error) is None:
            try:
                error._pathway_yaml_mark = node.start_mark  # type: ignore[attr-defined]
                notes = list(getattr(error, "__notes__", ()))
                error.__notes__ = [*notes, str(node.start_mark).strip()]
            except AttributeError:  # an exception with __slots__
                pass
        raise


def mark_of(error: BaseException) -> yaml.Mark | None:
    """Where in a document the reason of an exception is, as far as it is known."""
    mark = getattr(error, "_pathway_yaml_mark", None) or getattr(error, "problem_mark", None)
    return mark or getattr(error, "context_mark", None)


def _is_file(mark: yaml.Mark) -> bool:
    return os.path.isfile(mark.name)


def warn_at(node: yaml.Node, message: str, category: type[Warning]) -> None:
    """A warning that points at a line of the document if that is a file, and else at the user's."""
    mark = node.start_mark
    if _is_file(mark):
        warnings.warn_explicit(message, category, mark.name, mark.line + 1)
    else:
        trace.warn(message, category)


def call_at(function: Callable[..., Any], arguments: dict[str, Any], node: yaml.Node) -> Any:
    """Calls a function as if the call stood in the document, if that is a file: tables know the line where
    they were made."""
    mark = node.start_mark
    if not _is_file(mark):
        return function(**arguments)
    code = compile("\n" * mark.line + "function(**arguments)", os.path.abspath(mark.name), "eval")
    return eval(code.replace(co_name=node.tag), {"function": function, "arguments": arguments})
