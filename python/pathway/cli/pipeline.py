"""Pipelines in YAML: what `pathway run FILE.yaml` runs in each process.

All of the file is constructed, which makes its sources, tables and outputs; then the outputs are run. The key
`pathway` of the outermost mapping is for settings of the run: those of `pw.run`, and how many processes and
threads there are.
"""

from __future__ import annotations

import inspect
import os
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

import yaml

from pathway.cli.options import PROCESS_SETTINGS
from pathway.internals.monitoring import MonitoringLevel
from pathway.internals.parse_graph import G
from pathway.internals.run import run
from pathway.internals.yaml_loader import Document
from pathway.internals.yaml_names import mark_of

SUFFIXES = (".yaml", ".yml")
#: The key of the settings.
SETTINGS = "pathway"
_RUN_SETTINGS = tuple(name for name in inspect.signature(run).parameters if name != "event_loop")


class Mistake(Exception):
    """A pipeline that cannot be run; the text says where and why."""


class NoSuchVariable(Mistake):
    """An override of what does not occur."""


@contextmanager
def _opened(path: str, overrides: Mapping[str, str], *, checks_tags: bool) -> Iterator[Document]:
    """The document in a file; whatever is wrong with it or with what it describes is a `Mistake`."""
    with ExitStack() as stack:
        try:
            file = stack.enter_context(open(path, "rb"))
        except OSError as error:
            raise Mistake(f"{path} cannot be read: {error.strerror}") from None
        try:
            document = Document(file, overrides=overrides, keys_are_variables=True, checks_tags=checks_tags)
            for name in overrides:
                if name not in document.references:
                    raise NoSuchVariable(f"nothing in {path} refers to ${name}")
            _check_settings(path, document)
            yield document
        except yaml.YAMLError as error:
            raise Mistake(described(path, error)) from error
        except Exception as error:
            if mark_of(error) is None:
                raise
            _show_where_it_failed(error)
            raise Mistake(described(path, error)) from error


def process_settings(path: str, overrides: Mapping[str, str]) -> dict[str, int]:
    """What a pipeline says of processes and threads. Nothing else of it is constructed or imported.

    Raises:
        Mistake: it is no YAML, or what it says makes no sense.
    """
    settings = {}
    with _opened(path, overrides, checks_tags=False) as document:
        for name in PROCESS_SETTINGS:
            node = document.node_at(SETTINGS, name)
            if node is None:
                continue
            value = document.value_at(SETTINGS, name)
            if not isinstance(value, int) or isinstance(value, bool):
                mark = _place(path, node)
                raise Mistake(f"{mark}: {name} has to be a whole number, not {value!r}")
            settings[name] = value
    return settings


def run_pipeline(path: str, overrides: Mapping[str, str]) -> None:
    """Runs what a file describes.

    Raises:
        Mistake: it cannot be constructed.
    """
    with _opened(path, overrides, checks_tags=True) as document:
        content = document.construct()
    settings = content.get(SETTINGS) if isinstance(content, dict) else None
    if not G.outputs:
        raise Mistake(f"{path} has no outputs, so nothing is run: write a table with !pw.io.csv.write")
    options = {name: value for name, value in (settings or {}).items() if name not in PROCESS_SETTINGS}
    if isinstance(level := options.get("monitoring_level"), str):
        options["monitoring_level"] = _level(path, document, level)
    try:
        inspect.signature(run).bind(**options)
        run(**options)
    except (TypeError, ValueError) as error:
        if not _is_of_arguments(error):
            raise
        node = document.node_at(SETTINGS)
        raise Mistake(f"{_place(path, node)}: {_text(error)}") from error


def _level(path: str, document: Document, name: str) -> MonitoringLevel:
    level = MonitoringLevel.__members__.get(name.upper())
    if level is None:
        node = document.node_at(SETTINGS, "monitoring_level")
        known = ", ".join(each.lower() for each in MonitoringLevel.__members__)
        mark = _place(path, node)
        raise Mistake(f"{mark}: monitoring_level is one of {known}, not {name!r}")
    return level


def _is_of_arguments(error: BaseException) -> bool:
    """Whether it was raised before anything was run, for an argument that makes no sense."""
    frames = [frame.f_code.co_name for frame, _ in traceback.walk_tb(error.__traceback__)]
    return "execute" not in frames


def _check_settings(path: str, document: Document) -> None:
    node = document.node_at(SETTINGS)
    if document.root is None:
        raise Mistake(f"{path} is empty")
    if node is None:
        return
    if not isinstance(node, yaml.MappingNode) or node.tag.startswith("!"):
        raise Mistake(f"{_place(path, node)}: {SETTINGS} is for the settings of the run, a mapping")
    known = (*PROCESS_SETTINGS, *_RUN_SETTINGS)
    for key, _ in node.value:
        if key.value not in known:
            names = ", ".join(known)
            raise Mistake(
                f"{_place(path, key.start_mark)}: there is no setting {key.value!r}; there are {names}"
            )


# --- what is said of mistakes ---------------------------------------------------------------------------


def _place(path: str, where: yaml.Node | yaml.Mark | None) -> str:
    """File, line and column, as editors and compilers have them.

    >>> _place("app.yaml", None)
    'app.yaml'
    """
    mark = where.start_mark if isinstance(where, yaml.Node) else where
    # A function that is called may read another file.
    return path if mark is None else f"{mark.name}:{mark.line + 1}:{mark.column + 1}"


def _text(error: BaseException) -> str:
    # The text of a KeyError is the repr of what it is about.
    text = error.args[0] if isinstance(error, KeyError) and error.args else str(error)
    return str(text).partition("\n")[0] or type(error).__name__


def described(path: str, error: Exception) -> str:
    """An exception with its place in a file, in one line."""
    if not isinstance(error, yaml.YAMLError):
        kind = "" if isinstance(error, KeyError) else f"{type(error).__name__}: "
        return f"{_place(path, mark_of(error))}: {kind}{_text(error)}"
    if not isinstance(error, yaml.MarkedYAMLError):
        return f"{path}: {' '.join(str(error).split())}"
    parts = [text for text in (error.context, error.problem) if text]
    return f"{_place(path, mark_of(error))}: {', '.join(parts)}"


def _show_where_it_failed(error: Exception) -> None:
    """The traceback from the file on, if code of the user that it calls is in it."""
    frames = traceback.extract_tb(error.__traceback__)
    calls = [at for at, frame in enumerate(frames) if frame.filename.endswith(SUFFIXES)]
    library = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
    if calls and not all(frame.filename.startswith(library) for frame in frames[calls[-1] + 1 :]):
        shown = ["Traceback (most recent call last):\n", *traceback.format_list(frames[calls[-1] :])]
        print("".join([*shown, *traceback.format_exception_only(error)]), end="", file=sys.stderr)
