"""The arguments of runs, which all functions that run something take."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from pathway.internals.config import current_config
from pathway.internals.lazy_import import LazyModule
from pathway.internals.memory import MemoryLimit
from pathway.internals.monitoring import MonitoringLevel, at_terminal, in_notebook
from pathway.internals.monitoring_config import log_format
from pathway.persistence import Config, check_supported, config_of_environment

if TYPE_CHECKING:
    import asyncio
else:
    asyncio = LazyModule("asyncio")

_P = ParamSpec("_P")
_A = TypeVar("_A")
_R = TypeVar("_R")


class StreamGeneratorConfig:
    """The `persistence_config` of a `pw.debug.StreamGenerator`: nothing is kept by a run that gets it."""


def _checked(config: Any) -> Config | None:
    if config is None or isinstance(config, StreamGeneratorConfig):
        return None
    if not isinstance(config, Config):
        raise TypeError(
            f"persistence_config has to be a pw.persistence.Config, not a {type(config).__qualname__}."
        )
    check_supported(config)
    return config


class RunOptions:
    """The arguments of a run, checked; what they mean is said at [`run`][]."""

    def __init__(
        self,
        *,
        debug: bool = False,
        monitoring_level: MonitoringLevel = MonitoringLevel.AUTO,
        with_http_server: bool = False,
        default_logging: bool = True,
        persistence_config: Any = None,
        runtime_typechecking: bool | None = None,
        terminate_on_error: bool | None = None,
        max_expression_batch_size: int = 1024,
        event_loop: asyncio.AbstractEventLoop | None = None,
        udf_cache_directory: str | None = None,
        memory_limit: int | str | None = None,
        spill_directory: str | os.PathLike[str] | None = None,
    ) -> None:
        config = current_config()
        if max_expression_batch_size < 1:
            raise ValueError(
                f"max_expression_batch_size has to be at least 1, not {max_expression_batch_size}."
            )
        if event_loop is not None and not event_loop.is_running():
            raise ValueError("event_loop has to be running already, in another thread.")
        self.debug = debug
        self.level = monitoring_level.effective()
        if persistence_config is None:
            persistence_config = config_of_environment(config)
        self.persistence = _checked(persistence_config)
        logs = default_logging
        if self.level is not MonitoringLevel.NONE and not at_terminal():
            # A notebook shows the log in its picture; elsewhere, lines that were asked for are to be seen.
            logs = not in_notebook()
        self.log_format = log_format() if logs else None
        self.terminate_on_error = (
            config.terminate_on_error if terminate_on_error is None else terminate_on_error
        )
        self.max_batch_size = max_expression_batch_size
        self.check_types = (
            config.runtime_typechecking if runtime_typechecking is None else runtime_typechecking
        )
        self.results_folder = udf_cache_directory
        self.memory = MemoryLimit.of(memory_limit, spill_directory)
        self.event_loop = event_loop
        self.with_http_server = with_http_server
        self.is_recorded = True
        self._default_logging = default_logging

    @classmethod
    def to_look(cls, **arguments: Any) -> RunOptions:
        """Those of a run that only looks at tables: it is not shown, and its metrics are not recorded."""
        options = cls(monitoring_level=MonitoringLevel.NONE, **arguments)
        options.is_recorded = False
        return options

    def leave_terminal(self) -> None:
        """The program goes on beside the run: the terminal, or the cell of a notebook, is its own."""
        if at_terminal() or in_notebook():
            self.level = MonitoringLevel.NONE
            self.log_format = log_format() if self._default_logging else None


def arguments_of(made: Callable[_P, _A]) -> Callable[[Callable[[_A], _R]], Callable[_P, _R]]:
    """Decorates a function of one value: it takes the arguments that the value is made of, in its place.

    >>> @arguments_of(RunOptions)
    ... def is_for_debugging(options: RunOptions) -> bool:
    ...     return options.debug
    >>> is_for_debugging(debug=True)
    True
    """

    def decorated(function: Callable[[_A], _R]) -> Callable[_P, _R]:
        @functools.wraps(function)
        def with_arguments(*args: _P.args, **kwargs: _P.kwargs) -> _R:
            return function(made(*args, **kwargs))

        result = inspect.signature(function).return_annotation
        signature = inspect.signature(made).replace(return_annotation=result)
        with_arguments.__signature__ = signature  # type: ignore[attr-defined]
        # They are text, and what it names is looked up in this module, as for `RunOptions`.
        annotations = {name: each.annotation for name, each in signature.parameters.items()}
        with_arguments.__annotations__ = {**annotations, "return": result}
        return with_arguments

    return decorated


__all__ = ["RunOptions", "StreamGeneratorConfig", "arguments_of"]
