"""`pw.run` and `pw.run_all`: the program that was built is executed."""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

from pathway._engine import (
    Counts,
    EngineError,
    Frame,
    OtherWorkerError,
    Persistence,
    RunHandle,
    Serving,
    StopRequested,
)
from pathway._engine import Table as EngineTable
from pathway._handbook_monitoring import PyMonitoringLevel, TelemetryConfig, monitored
from pathway.internals.active_runs import active_run
from pathway.internals.config import RunConfig, current_config
from pathway.internals.console import shown
from pathway.internals.exported import told_to_exports
from pathway.internals.lazy_import import LazyModule
from pathway.internals.live_input import given_by_live_tables
from pathway.internals.log_format import FIELDS, TOLD, set_up_logging
from pathway.internals.monitoring import MonitoringLevel
from pathway.internals.parse_graph import G
from pathway.internals.recording import recording
from pathway.internals.run_options import RunOptions, arguments_of
from pathway.internals.runtime_type_check import check_arg_types
from pathway.internals.scaling import EXIT_CODES, scaling_window
from pathway.internals.serving import served
from pathway.internals.telemetry import exported
from pathway.internals.trace import add_location_note, trace_user_frame, warn
from pathway.internals.udfs.event_loop import give_up, run_loop
from pathway.internals.watch import may_run, watcher
from pathway.persistence import Config, engine_settings

if TYPE_CHECKING:
    import asyncio
else:
    asyncio = LazyModule("asyncio")

_LOGGER = logging.getLogger("pathway_engine.run")
_PROGRESS = logging.getLogger("pathway_engine.connectors.monitoring")
#: Where each kind of what the engine has to say is logged.
_KINDS = {
    "error": (_LOGGER, logging.ERROR),
    "warning": (_LOGGER, logging.WARNING),
    "info": (_LOGGER, logging.INFO),
    "progress": (_PROGRESS, logging.INFO),
    "closing": (_PROGRESS, logging.WARNING),
}


@trace_user_frame
@check_arg_types
def run(
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
    monitoring: bool | TelemetryConfig | PyMonitoringLevel | None = None,
) -> None:
    """Computes all outputs registered so far, until their inputs end.

    Args:
        debug: print the taps of `Table.debug` too, and read `debug_data` instead of sources.
        monitoring_level: how much is shown meanwhile. `IN_OUT` shows sources and how far inputs and outputs
            are, `ALL` each operator, too: on a terminal in its place, with what is logged and printed below,
            in a notebook as a picture, and otherwise in some lines of the log every ten seconds. `AUTO` is
            `IN_OUT` and `AUTO_ALL` is `ALL` at a terminal and in notebooks, and `NONE` elsewhere.
        with_http_server: serve a dashboard while the run goes on, at `http://127.0.0.1:20000/`, and
            metrics at `/metrics`. The port is PATHWAY_MONITORING_HTTP_PORT plus the number of the process, if
            there are several; the address and a token are those of [`set_monitoring_config`][].
        default_logging: set up logging to standard error, if nobody has and the log is not shown anyway.
        persistence_config: where the state of the run is kept.
        runtime_typechecking: a None that an expression reads or gives where its type has none is a
            `TypeError`, or an error in the cell. Other values are checked without it.
        terminate_on_error: the first error in data ends the run; otherwise it stays in its cell.
        max_expression_batch_size: most rows per call of a batch function.
        event_loop: the running loop for asynchronous functions.
        udf_cache_directory: a folder for the results of functions that are not deterministic, which are
            kept as long as their rows may be removed. Large ones are then in files that have no names and are
            gone with the run; without it all are in memory.
        memory_limit: what the process may take of memory, in bytes or as text like "2GB" (default: the
            environment variable PATHWAY_MEMORY_LIMIT, else no limit). State that does not fit is in files.
        spill_directory: a local folder for these files, which have no names and are gone with the run
            (default: PATHWAY_SPILL_DIRECTORY, else the system's folder for temporary files).
        monitoring: True for the monitoring level AUTO, False for NONE; or a level of the log, or where the
            run is told of (`PyMonitoringLevel` and `TelemetryConfig` in `pathway.engine`).

    >>> import pathway as pw
    >>> t = pw.debug.table_from_markdown('''
    ... a
    ... 1
    ... ''')
    >>> pw.io.subscribe(t, on_change=lambda key, row, time, is_addition: print(row))
    >>> pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    {'a': 1}
    """
    with monitored(monitoring_level if monitoring is None else monitoring) as level:
        options = RunOptions(
            debug=debug,
            monitoring_level=level,
            with_http_server=with_http_server,
            default_logging=default_logging,
            persistence_config=persistence_config,
            runtime_typechecking=runtime_typechecking,
            terminate_on_error=terminate_on_error,
            max_expression_batch_size=max_expression_batch_size,
            event_loop=event_loop,
            udf_cache_directory=udf_cache_directory,
            memory_limit=memory_limit,
            spill_directory=spill_directory,
        )
        execute(with_taps(G.outputs, options), options)


@trace_user_frame
@check_arg_types
@arguments_of(RunOptions)
def run_all(options: RunOptions) -> None:
    """Computes all tables, whether an output needs them or not. Takes the arguments of [`run`][]."""
    execute(None, options, run_all=True)


def with_taps(outputs: Sequence[int], options: RunOptions) -> list[int]:
    """The outputs, and in runs for debugging the taps of `Table.debug`."""
    return [*outputs, *(G.taps if options.debug else ())]


def execute(
    outputs: Sequence[int] | None,
    options: RunOptions,
    *,
    tables: Sequence[EngineTable] | None = None,
    run_all: bool = False,
    counts: Counts | None = None,
) -> None:
    """Runs the given outputs, or computes the given tables; exceptions carry the line of the operator that
    failed. What is counted is told to `counts`."""
    prepare(options)
    compute(outputs, options, tables=tables, run_all=run_all, counts=counts)


def prepare(options: RunOptions) -> None:
    """What comes before a run, in the thread that asks for it: its warnings are about the user's line."""
    _check_names()
    G.mark_used()
    if not may_run():
        return
    if not options.terminate_on_error:
        warn("terminate_on_error=False mode is experimental: errors in data stay in their cells.")
    if options.log_format is not None:
        set_up_logging(options.log_format)


def compute(
    outputs: Sequence[int] | None,
    options: RunOptions,
    *,
    tables: Sequence[EngineTable] | None = None,
    run_all: bool = False,
    in_background: bool = False,
    counts: Counts | None = None,
    handle: RunHandle | None = None,
) -> None:
    """The run itself, in whichever thread."""
    watching = watcher()
    if watching is not None and not watching.runs:
        watching.note(outputs, options, run_all=run_all)
        return
    if watching is not None and counts is None:
        counts = watching.counts()
    settings, memory = RunConfig.from_environment(), options.memory
    handle = handle or RunHandle()
    serving: contextlib.AbstractContextManager[Serving | None] = contextlib.nullcontext()
    if options.with_http_server:
        serving = served(settings.http_port)
    try:
        with (
            shown(options.level) as console,
            exported(settings.first_worker) as telemetry,
            serving as serves,
            active_run(outputs, handle, in_background=in_background) as run,
            told_to_exports(outputs),
            _sigterm_as_exit(),
            _storage(options.persistence, settings.workers) as kept,
            given_by_live_tables(run, kept) as kept,
            run_loop(options.event_loop) as loop,
        ):
            if os.environ.get("PATHWAY_SKIP_START_LOG") != "1":
                logging.getLogger("pathway_engine").info("Preparing Pathway computation")
            wish = G.engine.run(
                outputs=outputs,
                tables=tables,
                run_all=run_all,
                threads=settings.threads,
                terminate_on_error=options.terminate_on_error,
                max_batch_size=options.max_batch_size,
                start_timestamp_ms=settings.start_timestamp_ms,
                on_error=_log,
                on_interrupt=functools.partial(give_up, loop),
                debug=options.debug,
                persistence=kept,
                check_types=options.check_types,
                results_folder=options.results_folder,
                memory_limit=None if memory is None else (memory.size, memory.directory),
                scaling_window_ms=scaling_window(options.persistence),
                serving=serves,
                metrics=recording() if options.is_recorded else None,
                counts=counts,
                console=console,
                telemetry=telemetry,
                handle=handle,
            )
    except OtherWorkerError:
        if current_config().suppress_other_worker_errors:
            sys.exit(1)
        raise
    except BaseException as error:
        frame: Frame | None = getattr(error, "_pathway_frame", None)
        add_location_note(error, frame)
        raise
    if wish is not None:
        # Whoever has started the processes starts another number of them, which go on from here.
        _LOGGER.warning("the run ends, to go on with %s processes", wish)
        sys.exit(EXIT_CODES[wish])


@contextlib.contextmanager
def _storage(config: Config | None, workers: int) -> Iterator[Persistence | None]:
    """Where the engine keeps its state, in a run of so many workers; if that is a directory, disk caches of
    functions are there, too."""
    if config is None:
        yield None
        return
    backend, kept = config.backend, engine_settings(config, workers)
    if backend.kind != "filesystem":
        yield kept
        return
    name = "PATHWAY_PERSISTENT_STORAGE"
    os.environ[name] = backend.path
    try:
        yield kept
    finally:
        os.environ.pop(name, None)


def _check_names() -> None:
    for name, uses in G.names.items():
        if uses > 1:
            raise ValueError(f"{uses} sources or sinks are named {name!r}: each needs a name of its own.")


def _log(kind: str, text: str, fields: dict[str, str | int]) -> None:
    """Takes what the engine has to say during a run."""
    logger, level = _KINDS[kind]
    logger.log(level, "%s", text, extra={FIELDS: fields, TOLD: True})


@contextlib.contextmanager
def _sigterm_as_exit() -> Iterator[None]:
    """SIGTERM ends the run with SystemExit, unless the program handles it itself.

    Sources stop, what they have read is processed, and outputs finish; a second signal does not wait.
    """
    in_main_thread = threading.current_thread() is threading.main_thread()
    if not in_main_thread or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return

    asked = False

    def leave(number: int, frame: FrameType | None) -> NoReturn:
        nonlocal asked
        if asked:
            raise SystemExit(128 + number)
        asked = True
        _LOGGER.warning("SIGTERM received: the run is being stopped")
        raise StopRequested

    signal.signal(signal.SIGTERM, leave)
    try:
        yield
    except StopRequested:
        raise SystemExit(128 + signal.SIGTERM) from None
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


__all__ = [
    "EngineError",
    "compute",
    "execute",
    "prepare",
    "run",
    "run_all",
    "set_up_logging",
    "with_taps",
]
