"""Modules that take long to import and that most programs never use."""

from __future__ import annotations

import importlib
from typing import Any


class LazyModule:
    """Stands for a module and imports it when one of its names is used.

    >>> LazyModule("math").sqrt(4)
    2.0
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(importlib.import_module(self._name), attribute)


def optional_module(name: str, what: str, extra: str) -> Any:
    """A module that is not installed with the package, for what needs it.

    >>> optional_module("no_such_module", "Table.plot", "viz")
    Traceback (most recent call last):
    ...
    ImportError: Table.plot needs the module no_such_module: pip install "pathway[viz]"
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not (name == error.name or name.startswith(error.name + ".")):
            raise
        raise ImportError(f'{what} needs the module {name}: pip install "pathway[{extra}]"') from error
