"""Types of the native module: everything here is implemented in Rust (`crates/python`)."""

import builtins
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Generic, Literal, final

from typing_extensions import TypeVarTuple, Unpack

from pathway.internals.log_format import Logged

_Ts = TypeVarTuple("_Ts", default=Unpack[tuple[Any, ...]])

# --- values ---------------------------------------------------------------------------------

@final
class Pointer(Generic[Unpack[_Ts]]):
    """A row id: comparable, hashable, `int(p)` is the 128-bit value, `str(p)` is `^…`. Not constructible."""

    def __int__(self) -> int: ...
    def __lt__(self, other: Pointer) -> bool: ...
    def __le__(self, other: Pointer) -> bool: ...
    def __gt__(self, other: Pointer) -> bool: ...
    def __ge__(self, other: Pointer) -> bool: ...

@final
class _ErrorType: ...

@final
class _PendingType: ...

ERROR: _ErrorType
PENDING: _PendingType

class EngineError(Exception): ...
class OtherWorkerError(EngineError): ...
class StopRequested(BaseException): ...

def ref_scalar(*values: Any, optional: bool = False) -> Any: ...
def ref_scalar_with_instance(*values: Any, instance: Any, optional: bool = False) -> Any: ...
def unsafe_make_pointer(value: int) -> Pointer: ...
def parse_pointer(text: str) -> Pointer: ...

# --- dtypes ---------------------------------------------------------------------------------

@final
class DType:
    """Interned: equal dtypes are one object."""

    INT: ClassVar[DType]
    FLOAT: ClassVar[DType]
    BOOL: ClassVar[DType]
    STR: ClassVar[DType]
    BYTES: ClassVar[DType]
    NONE: ClassVar[DType]
    ANY: ClassVar[DType]
    JSON: ClassVar[DType]
    ANY_POINTER: ClassVar[DType]
    DATE_TIME_NAIVE: ClassVar[DType]
    DATE_TIME_UTC: ClassVar[DType]
    DURATION: ClassVar[DType]
    @staticmethod
    def optional(wrapped: DType) -> DType: ...
    @staticmethod
    def future(wrapped: DType) -> DType: ...
    @staticmethod
    def pointer(*args: DType) -> DType: ...
    @staticmethod
    def tuple(*members: DType) -> DType: ...
    @staticmethod
    def list(member: DType) -> DType: ...
    @staticmethod
    def array(n_dim: int | None, wrapped: DType) -> DType: ...
    @staticmethod
    def py_object(class_name: str) -> DType: ...
    @staticmethod
    def callable(args: Sequence[DType] | None, result: DType) -> DType: ...
    @property
    def kind(self) -> str:
        """`int float bool str bytes none any optional pointer tuple list array json date_time_naive
        date_time_utc duration py_object future callable`."""
    @property
    def args(self) -> builtins.tuple[DType, ...] | None:
        """Members of tuple; arguments of pointer (None if any); the one wrapped type of the others."""
    @property
    def n_dim(self) -> int | None: ...
    @property
    def class_name(self) -> str | None: ...
    def is_subtype_of(self, other: DType, int_float_compatible: bool = True) -> bool: ...
    @staticmethod
    def common_type(left: DType, right: DType) -> DType:
        """Raises TypeError if there is none."""
    @staticmethod
    def common_type_or_any(left: DType, right: DType) -> DType: ...
    def to_dict(self) -> dict[str, Any]: ...
    @staticmethod
    def from_dict(notation: Mapping[str, Any]) -> DType: ...
    def accepts(self, value: Any) -> bool:
        """True if the engine can convert the Python value to this dtype."""
    def is_value_compatible(self, value: Any) -> bool:
        """See `pathway.internals.dtype.is_value_compatible`, which adds it."""
    @property
    def typehint(self) -> Any:
        """The annotation that stands for the dtype (added by `pathway.internals.dtype_annotation`)."""

# --- plan -----------------------------------------------------------------------------------

@final
class Frame:
    """A line of the user's program."""

    def __init__(self, file: str, line: int, function: str, source: str) -> None: ...
    file: str
    line: int
    function: str
    source: str

@final
class Expr:
    """A typed expression. Constructors raise TypeError, AttributeError, IndexError or ValueError."""

    @property
    def dtype(self) -> DType: ...
    def with_frame(self, frame: Frame | None) -> Expr: ...
    @staticmethod
    def column(table: Table, name: str) -> Expr: ...
    @staticmethod
    def id(table: Table) -> Expr: ...
    @staticmethod
    def constant(value: Any, dtype: DType) -> Expr: ...
    @staticmethod
    def binary(op: str, left: Expr, right: Expr) -> Expr:
        """`op` is the name in Python's `operator` module: `add`, `and_`, `floordiv`, …"""
    @staticmethod
    def unary(op: str, operand: Expr) -> Expr:
        """`neg` or `invert`."""
    def is_none(self) -> Expr: ...
    def is_not_none(self) -> Expr: ...
    @staticmethod
    def if_else(condition: Expr, then: Expr, otherwise: Expr) -> Expr: ...
    @staticmethod
    def coalesce(args: Sequence[Expr]) -> Expr: ...
    @staticmethod
    def require(value: Expr, deps: Sequence[Expr]) -> Expr: ...
    def unwrap(self) -> Expr: ...
    def fill_error(self, replacement: Expr) -> Expr: ...
    @staticmethod
    def make_tuple(args: Sequence[Expr]) -> Expr: ...
    def cast(self, target: DType) -> Expr: ...
    def declare_type(self, target: DType) -> Expr: ...
    def narrow(self) -> Expr:
        """The same column under its non-Optional dtype (type narrowing), unchecked."""
    @staticmethod
    def pointer(args: Sequence[Expr], optional: bool, instance: Expr | None) -> Expr: ...
    def get_item(self, index: Expr) -> Expr: ...
    def get(self, index: Expr, default: Expr) -> Expr: ...
    def from_json(self, target: DType, default: Expr | None, unwrap: bool) -> Expr: ...
    def to_string(self) -> Expr: ...
    @staticmethod
    def method(name: str, args: Sequence[Expr]) -> Expr:
        """Built-in function by internal name: `str.lower`, `num.round`, `dt.year`, …"""
    @staticmethod
    def udf(udf: Udf, args: Sequence[Expr]) -> Expr: ...
    @staticmethod
    def reducer(name: str, args: Sequence[Expr], options: Mapping[str, Any]) -> Expr:
        """`count sum avg min max argmin argmax unique any tuple sorted_tuple ndarray count_distinct
        count_distinct_approximate earliest latest`; options `strict skip_nones precision`."""
    @staticmethod
    def custom_reducer(
        name: str, return_type: DType, new_group: Callable[[], Any], args: Sequence[Expr]
    ) -> Expr:
        """`new_group()` gives an object with `update(rows: list[tuple[list, int]])`, `result()` (a tuple
        of the value, or None to remove the group), `save() -> bytes`, `load(bytes)`."""

@final
class Udf:
    """A user function. Row mode: `fn(*args) -> value` per row. Batch mode: `fn(*columns: list) -> sequence`;
    an element that is an exception is the failure of that row. Arrow mode: `fn(*columns)` with an
    [`ArrowColumn`][] each, returning one, an object that offers `__arrow_c_array__` or `__arrow_c_stream__`,
    or a list with an object per row."""

    def __init__(
        self,
        fn: Callable[..., Any],
        name: str,
        return_type: DType,
        *,
        deterministic: bool,
        propagate_none: bool,
        mode: str = "row",
        max_batch_size: int | None = None,
        callee: Callee | None = None,
    ) -> None: ...
    @property
    def name(self) -> str: ...

@final
class ArrowColumn:
    """A column as other libraries read it: by the PyCapsule interface of Arrow, by numpy's array interface
    (integers, floats, times and durations), or as Python objects."""

    def __len__(self) -> int: ...
    @property
    def dtype(self) -> DType: ...
    @property
    def __array_interface__(self) -> dict[str, Any]: ...
    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]: ...
    def __arrow_c_schema__(self) -> object: ...
    def nulls(self) -> bytes | None:
        """One byte for each row, 1 where it is None; nothing if no row is."""
    def flags(self) -> bytes:
        """One byte for each row of a column of booleans."""
    def to_list(self) -> list[Any]: ...
    @staticmethod
    def plain(kind: str, values: bytes, nulls: bytes | None = None) -> ArrowColumn:
        """A column of values of 8 bytes (`i8`, `f8`, `M8[ns]`, `M8[ns, UTC]`, `m8[ns]`), or of one (`b1`)."""

@final
class Search:
    """How rows are searched: the metric is `l2sq`, `cos` or `ip`. With `lenient`, a filter that is wrong
    finds nothing, and a warning says so; otherwise it is an error."""

    def __init__(
        self, metric: str, dimensions: int, *, as_of_now: bool, collapsed: bool, lenient: bool
    ) -> None: ...

def filter_metadata(filter: str, metadata: Sequence[str]) -> list[bool]:
    """Which of these metadata, as JSON, pass a filter. ValueError if it is wrong or cannot be applied."""

@final
class Acceptor:
    """Decides by chains of values: `ask` gets the values of all chains, the end of each chain and what was
    accepted last in it; it gives the position of what is accepted last now, if that changes, and what was
    raised for others."""

    def __init__(
        self,
        ask: Callable[[list[Any], list[int], list[Any]], tuple[list[int | None], list[Exception]]],
        name: str,
    ) -> None: ...

@final
class Transformer:
    """Code over whole tables. Each run calls `open()` for an object with `step(changes)`, `save(start, end)`
    and `load(state)`. `parts` are the tables it makes: the number of the input with its row ids, and its
    columns."""

    def __init__(
        self,
        open: Callable[[], Any],
        name: str,
        parts: Sequence[tuple[int, Sequence[tuple[str, DType]]]],
    ) -> None: ...

@final
class Callee:
    """A function that answers later. Each run calls `open()` for an object that makes its calls:
    `start(answers, first, columns)` starts calls numbered from `first` with one list per argument, and
    returns without waiting; `close()` ends it. With `report_failures`, failed rows have None for results
    and the run goes on; otherwise their results are errors."""

    def __init__(
        self,
        open: Callable[[], Any],
        name: str,
        results: Sequence[DType],
        *,
        propagate_none: bool = False,
        report_failures: bool = False,
    ) -> None: ...

@final
class Answers:
    """Where the answers of calls go, from any thread; exactly one for each call."""

    def done(self, call: int, values: tuple[Any, ...]) -> None:
        """The values of the results; raises if they do not fit, and then nothing was answered."""
    def failed(self, call: int, error: BaseException) -> None: ...

@final
class Universe:
    """Compared by identity of the key set object."""

    def __eq__(self, other: object) -> bool: ...
    def __hash__(self) -> int: ...
    def is_subset_of(self, other: Universe) -> bool: ...
    def is_equal_to(self, other: Universe) -> bool: ...
    def is_disjoint_from(self, other: Universe) -> bool: ...
    def is_empty(self) -> bool: ...
    def promise_subset_of(self, other: Universe) -> None: ...
    def promise_equal_to(self, other: Universe) -> None: ...
    @staticmethod
    def promise_disjoint(universes: Sequence[Universe]) -> None: ...

#: output name, expression, the user's line
NamedExpr = tuple[str, Expr, Frame | None]

@final
class Graph:
    """The plan under construction. One global instance lives in `pathway.internals.parse_graph`."""

    def __init__(self) -> None: ...
    def clear(self) -> None: ...
    def static_table(
        self,
        schema: Sequence[Field],
        keys: Keys | Sequence[Pointer],
        columns: Sequence[Sequence[Any]],
        *,
        times: Sequence[int] | None = None,
        diffs: Sequence[int] | None = None,
        shards: Sequence[int] | None = None,
        universe: Universe | None = None,
        id_dtype: DType | None = None,
        known_at_start: bool = False,
        frame: Frame | None = None,
    ) -> Table:
        """With `known_at_start`, outputs are not told of what comes of the rows of time 0."""
    def read(
        self,
        source: FileSource | KafkaSource | PostgresSource | SubjectSource,
        *,
        name: str | None = None,
        autocommit_ms: int | None = 1500,
        max_backlog: int | None = None,
        id_dtype: DType | None = None,
        append_only: bool = False,
        frame: Frame | None = None,
    ) -> Table: ...
    def debug_as(self, source: Table, rows: Table) -> None:
        """Lets the rows of a static table stand for a source in debugging runs."""
    def passed_from(self, expr: Expr) -> tuple[int, str] | None:
        """The node and the name of the column that is passed on until it is this expression."""
    def transform(
        self,
        transformer: Transformer,
        inputs: Sequence[tuple[Table, Sequence[Expr]]],
        frame: Frame | None = None,
    ) -> list[Table]: ...
    def output(
        self,
        table: Table,
        sink: FileSink | KafkaSink | PostgresSink | NullSink | CallbackSink | CaptureSink,
        *,
        name: str | None = None,
        sort_by: Sequence[Expr] | None = None,
        keep_errors: bool = False,
        frame: Frame | None = None,
    ) -> int:
        """Registers a sink; the number names it in `run(outputs=...)`."""
    def output_at(self, number: int) -> tuple[str | None, str, Frame | None, Table]:
        """The name of an output, its sink, its line and its table."""
    def origins_of_all(
        self, tables: Sequence[Table]
    ) -> tuple[list[tuple[str, Frame | None, Table, list[tuple[int, Table | None]], str | None]], list[int]]:
        """The same as `Table.origins` for all rows of some tables, with their numbers among the tables on the
        way."""
    def global_error_log(self) -> Table: ...
    def local_error_log(self, frame: Frame | None = None) -> tuple[int, Table]:
        """A new error log: its number and its table."""
    def log_to(self, log: int) -> int:
        """Lets operators built from now on report to this log; gives the one before."""
    def take_warnings(self) -> list[tuple[str, Frame | None]]: ...
    def explain(self, *, rewritten: bool = False, outputs: Sequence[int] | None = None) -> str:
        """The plan as it was built, or the program that runs for these outputs (default: those that `run`
        takes)."""
    def explanation(
        self,
        *,
        outputs: Sequence[int] | None = None,
        tables: Sequence[Table] | None = None,
        run_all: bool = False,
        debug: bool = False,
    ) -> Explanation:
        """The plan before and after rewriting, for these outputs (default: those that `run` takes), or for
        these tables."""
    def sources(self, *, outputs: Sequence[int] | None = None) -> list[str]:
        """The names of the sources that a run of the given outputs would read."""

    def run(
        self,
        *,
        outputs: Sequence[int] | None = None,
        tables: Sequence[Table] | None = None,
        run_all: bool = False,
        threads: int = 1,
        terminate_on_error: bool = True,
        max_batch_size: int = 1024,
        start_timestamp_ms: int | None = None,
        on_error: Callable[[str, str, dict[str, str | int]], None] | None = None,
        on_interrupt: Callable[[], None] | None = None,
        debug: bool = False,
        check_types: bool = False,
        results_folder: str | None = None,
        memory_limit: tuple[int, str] | None = None,
        persistence: Persistence | None = None,
        scaling_window_ms: int | None = None,
        serving: Serving | None = None,
        metrics: tuple[str, str] | None = None,
        counts: Counts | None = None,
        console: Console | None = None,
        telemetry: Telemetry | None = None,
        handle: RunHandle | None = None,
    ) -> Literal["more", "fewer"] | None:
        """Runs the given outputs (default: all registered ones that are not captures) or computes the given
        tables until their inputs end. Releases the GIL, checks signals, re-raises user exceptions as they
        were. Exceptions of the run carry the attribute `_pathway_frame: Frame | None`.
        `on_error(kind, text, fields)` gets what is logged: kind is `error`, `warning`, `info`, or `progress`
        and `closing` of sources and sinks; fields are what is known besides, as the connector, the operator,
        and the user's line. A signal handler that raises `StopRequested` lets the run finish what
        its sources have read; any other exception of one ends it at once, after `on_interrupt()`, which gives
        up what Python code of the run waits for. With `check_types` a None in an expression whose type has
        none is an error; `results_folder` is where results that have to be repeated are kept; `memory_limit`
        has the bytes that the process may take and the folder for state that does not fit; `serving` says
        where the run is looked at over HTTP; `metrics` has the folder where its numbers are recorded, and
        what the run is called there; `counts` tells what is run and what was counted; by `handle` another
        thread stops it, which raises `StopRequested`."""

@final
class Serving:
    """Where a run is served over HTTP, and for whom."""

    def __init__(
        self, address: str, port: int, *, token: str | None = None, program: str, log: LogTail
    ) -> None:
        """OSError if `address` is neither an address nor the name of one. Without a token everybody who
        reaches the address is answered. `program` is what people call the program; what the engine has to
        say is added to `log`."""

@final
class Archive:
    """The web dashboard of the newest run that is recorded in a folder."""

    def __init__(self, folder: str, address: str, port: int) -> None:
        """Listens; OSError if that cannot be done."""
    @property
    def address(self) -> str: ...
    def has_a_run(self) -> bool: ...
    def serve(self) -> None:
        """Serves until the process ends. Releases the GIL."""

@final
class RowsServer:
    """The server of the page that tells why rows are there.

    It asks an object: `about()`, `rows(output, text)` and `reason(table, id, limit)` give JSON, or None.
    """

    def __init__(self, reasons: object, address: str, port: int, *, token: str | None = None) -> None:
        """Listens; OSError if that cannot be done."""
    @property
    def address(self) -> str: ...
    @property
    def is_loopback(self) -> bool: ...
    def serve(self) -> None:
        """Serves until the process ends. Releases the GIL."""

@final
class Explanation:
    """A plan before and after rewriting."""

    def text(self) -> str: ...
    def json(self) -> str: ...
    def dot(self, *, before: bool = False) -> str: ...
    def svg(self, *, before: bool = False) -> str: ...
    def is_empty(self) -> bool:
        """True if nothing is run."""

@final
class Counts:
    """What a run counts."""

    def __init__(self) -> None: ...
    def explanation(self) -> Explanation | None:
        """The plan of the run with what has been counted so far; None before a run has begun."""

@final
class RunHandle:
    """One run, for threads other than the one that runs it."""

    def __init__(self) -> None: ...
    def stop(self) -> None:
        """Breaks the run off, or has it end when it begins: its sources stop, and what they have read is
        processed, in 8 seconds at most. Outputs are not told that it has ended."""

    @property
    def run(self) -> int | None:
        """The number of the run; None before its plan is made."""

    def has_begun(self, timeout: float = 0.0) -> bool:
        """Whether its workers work and its sources are read; waits so many seconds for that at most."""

@final
class Field:
    def __init__(
        self,
        name: str,
        dtype: DType,
        *,
        primary_key: bool = False,
        has_default: bool = False,
        default: Any = None,
        append_only: bool = False,
    ) -> None: ...

@final
class Iteration:
    """An iteration whose step is being built: what is made of its tables belongs to the step."""

    def __init__(
        self,
        graph: Graph,
        arguments: Sequence[tuple[str, Table, bool]],
        limit: int | None = None,
        frame: Frame | None = None,
    ) -> None: ...
    def tables(self) -> list[Table]: ...
    def finish(self, results: Sequence[Table | None]) -> list[Table | None]: ...
    def close(self) -> None: ...

class Table:
    """A handle to a table of the plan; immutable. All methods raise at build time as the reference says."""

    @property
    def graph(self) -> Graph: ...
    @property
    def node(self) -> int: ...
    @property
    def universe(self) -> Universe: ...
    def column_names(self) -> list[str]: ...
    def column_dtype(self, name: str) -> DType: ...
    @property
    def is_bounded(self) -> bool:
        """No source that it depends on goes on watching for more."""
    @property
    def frame(self) -> Frame | None:
        """The line that made it."""
    @property
    def is_bounded_in_debug(self) -> bool:
        """The same in debugging runs, in which other rows may stand for those of sources."""
    def column_append_only(self, name: str) -> bool: ...
    @property
    def id_dtype(self) -> DType: ...
    @property
    def id_append_only(self) -> bool: ...
    def origins(
        self, ids: Sequence[Pointer]
    ) -> list[tuple[str, Frame | None, Table, list[tuple[int, Table | None]], str | None]]:
        """For each table on the way, this one first: what makes it, its line, the rows that those with these
        ids come from, the numbers of the tables that these come from (with pairs of ids in the columns `row`
        and `origin`, or by the same id), and why that is not all."""
    def select(self, columns: Sequence[NamedExpr], frame: Frame | None = None) -> Table: ...
    def filter(self, condition: Expr, narrowed: Sequence[str] = (), frame: Frame | None = None) -> Table: ...
    def split(
        self, condition: Expr, narrowed: Sequence[str] = (), frame: Frame | None = None
    ) -> tuple[Table, Table]: ...
    def flatten(self, column: str, origin_id: str | None = None, frame: Frame | None = None) -> Table: ...
    def with_id(self, pointer: Expr, frame: Frame | None = None) -> Table: ...
    def concat(self, others: Sequence[Table], frame: Frame | None = None) -> Table: ...
    def concat_reindex(self, others: Sequence[Table], frame: Frame | None = None) -> Table: ...
    def group_reduce(
        self,
        grouping: Sequence[Expr],
        columns: Sequence[NamedExpr],
        *,
        id: Expr | None = None,
        instance: Expr | None = None,
        sort_by: Expr | None = None,
        skip_errors: bool = True,
        universe: Universe | None = None,
        frame: Frame | None = None,
    ) -> Table: ...
    def join(
        self,
        other: Table,
        on: Sequence[tuple[Expr, Expr]],
        *,
        how: str,
        id: str | None = None,
        left_instance: Expr | None = None,
        right_instance: Expr | None = None,
        left_exactly_once: bool = False,
        right_exactly_once: bool = False,
        in_time: InTime | None = None,
        frame: Frame | None = None,
    ) -> Joined:
        """`how`: inner, left, right, outer; `id`: left or right."""
    def ix(
        self, pointer: Expr, context: Table, *, optional: bool, allow_misses: bool, frame: Frame | None = None
    ) -> Table:
        """Rows of `self` that `pointer`, an expression over `context`, names; universe of `context`."""
    def update_rows(self, other: Table, frame: Frame | None = None) -> Table: ...
    def update_cells(self, other: Table, frame: Frame | None = None) -> Table: ...
    def intersect(self, others: Sequence[Table], frame: Frame | None = None) -> Table: ...
    def difference(self, other: Table, frame: Frame | None = None) -> Table: ...
    def restrict(self, other: Table, frame: Frame | None = None) -> Table: ...
    def with_universe_of(self, other: Table, frame: Frame | None = None) -> Table: ...
    def copy(self, frame: Frame | None = None) -> Table: ...
    def update_types(self, dtypes: Mapping[str, DType], frame: Frame | None = None) -> Table: ...
    def update_id_dtype(
        self, dtype: DType, append_only: bool | None = None, frame: Frame | None = None
    ) -> Table: ...
    def call_later(
        self,
        callee: Callee,
        arguments: Sequence[Expr],
        instance: Expr | None,
        names: Sequence[str],
        frame: Frame | None = None,
    ) -> tuple[Table, Table]:
        """The answered rows, and these with the pending ones. `names` are those of the status and of the
        results."""
    def await_futures(self, frame: Frame | None = None) -> Table: ...
    def deduplicate(
        self,
        value: Expr,
        instance: Expr | None,
        acceptor: Acceptor,
        name: str | None = None,
        frame: Frame | None = None,
    ) -> Table:
        """Of each instance the row that was accepted last. Its id is the key of the instance, or of None."""
    def search(
        self,
        data: Table,
        asked: tuple[Expr, Expr, Expr | None],
        indexed: tuple[Expr, Expr | None, Sequence[tuple[str, Expr]]],
        how: Search,
        frame: Frame | None = None,
    ) -> Table:
        """The nearest rows of `data` for each row: asked for by vector, number and filter, over their vectors
        and metadata, with these columns. See `pathway_plan::Table::search` for the columns of the result."""
    def gradual_broadcast(
        self, thresholds: Table, lower: Expr, value: Expr, upper: Expr, frame: Frame | None = None
    ) -> Table:
        """The rows, with a column `apx_value` near to the value of the one row of thresholds."""
    def sort(self, key: Expr, instance: Expr | None = None, frame: Frame | None = None) -> Table:
        """Columns `prev` and `next`: the ids of the neighbours in the order of `key`."""
    def diff(
        self,
        timestamp: Expr,
        values: Sequence[str],
        instance: Expr | None = None,
        frame: Frame | None = None,
    ) -> Table:
        """Columns `diff_...`: the difference to the row before."""
    def interpolate(self, timestamp: str, values: Sequence[str], frame: Frame | None = None) -> Table:
        """The table with missing values of some columns filled in."""
    def freeze(
        self, threshold: Expr, time: Expr, instance: Expr | None = None, frame: Frame | None = None
    ) -> Table:
        """Without rows whose threshold was reached before they came."""
    def buffer(
        self, threshold: Expr, time: Expr, instance: Expr | None = None, frame: Frame | None = None
    ) -> Table:
        """Rows from when their threshold is reached."""
    def forget(
        self,
        threshold: Expr,
        time: Expr,
        marks: bool,
        instance: Expr | None = None,
        frame: Frame | None = None,
    ) -> Table:
        """Rows until their threshold is reached."""
    def forget_immediately(self, frame: Frame | None = None) -> Table: ...
    def filter_out_results_of_forgetting(self, consistent: bool, frame: Frame | None = None) -> Table: ...
    def to_stream(self, flag: str, frame: Frame | None = None) -> Table: ...
    def stream_to_table(self, is_upsert: Expr, frame: Frame | None = None) -> Table: ...
    def stream_with_deletions(self, deletions: Table, frame: Frame | None = None) -> Table: ...
    def assert_append_only(self, frame: Frame | None = None) -> Table: ...
    def keep_insertions(self, frame: Frame | None = None) -> Table: ...
    def unpack_snapshots(self, frame: Frame | None = None) -> Table: ...
    def remove_errors(self, frame: Frame | None = None) -> Table: ...
    def dead_letters(self, frame: Frame | None = None) -> Table:
        """Of a source table: columns `raw: bytes`, `position: str`, `reason: str`."""
    def error_history(self, frame: Frame | None = None) -> Table:
        """What went wrong in the operators that the table is computed by."""

@final
class InTime:
    """How times decide which rows of a join match."""

    @staticmethod
    def interval(left: Expr, right: Expr, lower: Expr, upper: Expr, *, behavior: Behavior | None) -> InTime:
        """Rows of which the right time minus the left one is at least `lower` and at most `upper`."""
    @staticmethod
    def asof(left: Expr, right: Expr, direction: str, *, behavior: Behavior | None) -> InTime:
        """Each row with the nearest one of the other side: `backward`, `forward` or `nearest`. The join has
        the columns `time.l`, `time.r` and `side`, which is True if a right row is given a partner."""
    @staticmethod
    def sliding(
        left: Expr, right: Expr, *, hop: Expr, duration: Expr | None, ratio: int | None, origin: Expr | None
    ) -> InTime:
        """Rows that are in one tumbling or sliding window."""
    @staticmethod
    def session(
        left: Expr, right: Expr, *, predicate: Callable[[Any, Any], bool] | None, max_gap: Expr | None
    ) -> InTime:
        """Rows that are in one session of the rows of both sides."""
    @staticmethod
    def asof_now() -> InTime:
        """Each left row with the right rows that are there at the end of the time at which it comes."""

@final
class Joined:
    """A join before its columns are chosen. Itself usable as a table of all columns of both sides."""

    @property
    def table(self) -> Table:
        """A table whose columns are `l.<name>` for each left column and `r.<name>` for each right column
        (dtypes already Optional where that side can be missing), plus `l.id` and `r.id`. Its row ids are
        those of the join. Selecting, filtering and grouping a join is done on it; unused columns cost
        nothing."""
    @property
    def rows(self) -> tuple[Table, Table]:
        """The rows of both sides that were joined: with windows, once for each of these, and with columns
        that describe them."""

@final
class Behavior:
    """When results of windows and of joins in time are shown and closed; its distances are constants."""

    @staticmethod
    def common(delay: Expr | None, cutoff: Expr | None, keep_results: bool) -> Behavior: ...
    @staticmethod
    def exactly_once(shift: Expr | None) -> Behavior: ...

@final
class WindowBy:
    """A table grouped by windows, before its aggregates are chosen."""

    @staticmethod
    def sliding(
        table: Table,
        time: Expr,
        *,
        hop: Expr,
        duration: Expr | None,
        ratio: int | None,
        origin: Expr | None,
        behavior: Behavior | None,
        instance: Expr | None,
        frame: Frame | None = None,
    ) -> WindowBy: ...
    @staticmethod
    def session(
        table: Table,
        time: Expr,
        *,
        predicate: Callable[[Any, Any], Any] | None,
        max_gap: Expr | None,
        behavior: Behavior | None,
        instance: Expr | None,
        frame: Frame | None = None,
    ) -> WindowBy: ...
    @staticmethod
    def intervals_over(
        table: Table,
        time: Expr,
        *,
        probes: Table,
        at: Expr,
        lower_bound: Expr,
        upper_bound: Expr,
        is_outer: bool,
        behavior: Behavior | None,
        instance: Expr | None,
        frame: Frame | None = None,
    ) -> WindowBy: ...
    @property
    def rows(self) -> Table:
        """What reducers see. The columns `_pw_window`, `_pw_window_start`, `_pw_window_end` and
        `_pw_instance` can be used outside of reducers; `_pw_original_id` is the id of the row."""
    def reduce(self, columns: Sequence[NamedExpr], frame: Frame | None = None) -> Table: ...

# --- sources and sinks ----------------------------------------------------------------------

@final
class FileSource:
    def __init__(
        self,
        path: str,
        format: str,
        schema: Sequence[Field],
        *,
        mode: str,
        object_pattern: str = "*",
        with_metadata: bool = False,
        csv_settings: Mapping[str, Any] | None = None,
        json_field_paths: Mapping[str, str] | None = None,
    ) -> None:
        """`format`: csv, json, plaintext, plaintext_by_file, binary, only_metadata (only the first two look
        at `schema`); `mode`: static, streaming; `csv_settings`: `delimiter quote escape
        enable_double_quote_escapes enable_quoting comment_character`."""

@final
class KafkaSource:
    def __init__(
        self,
        settings: Sequence[tuple[str, str]],
        topic: str,
        format: str,
        schema: Sequence[Field] | None,
        *,
        mode: str,
        in_key: Sequence[str] = (),
        json_field_paths: Mapping[str, str] | None = None,
        with_metadata: bool = False,
        ids_from_keys: bool = False,
        start_from_timestamp_ms: int | None = None,
        parallel_readers: int | None = None,
        registry: tuple[Any, ...] | None = None,
    ) -> None:
        """`format`: raw, plaintext, json, avro (which need a schema; columns `in_key` are read from message
        keys); `mode`: static, streaming. Only there if it was built with the feature `kafka`."""

@final
class PostgresSource:
    def __init__(
        self,
        settings: Sequence[tuple[str, str]],
        schema_name: str,
        table_name: str,
        schema: Sequence[Field],
        *,
        follow: bool = False,
        publication: str | None = None,
        append_only: bool = False,
        password: Callable[[], str] | None = None,
        name: str | None = None,
    ) -> None:
        """With `follow`, changes come by the publication, or by one that is found or made. `password()` is
        asked before each connection. Only there if it was built with the feature `postgres`."""

class SubjectBase:
    """Native base of `pw.io.python.ConnectorSubject`: the sending half. Thread-safe; calls block when the
    backlog is full."""

    def next(self, **values: Any) -> None: ...
    def next_json(self, message: Mapping[str, Any]) -> None: ...
    def next_str(self, message: str) -> None: ...
    def next_bytes(self, message: bytes) -> None: ...
    def delete(self, **values: Any) -> None: ...
    def commit(self) -> None: ...
    def close(self) -> None: ...
    def _add_inner(self, key: Pointer | None, values: Mapping[str, Any]) -> None: ...
    def _remove_inner(self, key: Pointer | None, values: Mapping[str, Any]) -> None: ...
    def _disable_commits(self) -> None: ...
    def _enable_commits(self) -> None: ...
    def _report_offset(self, offset: bytes) -> None: ...

@final
class SubjectSource:
    """A source fed by a subject. `start(run)` is called in a thread of its own when the run of this number
    starts; its return ends the source (unless `finite()` is False, then `close()` does), its exception the
    run. Rows sent before the run wait for it. When a run ends early, the next call of the subject raises an
    exception that is not an `Exception`, so that endless subjects end. `resume(position)` is called before
    the start of a run that may be gone on with, with the position that an earlier run reported last."""

    def __init__(
        self,
        subject: SubjectBase,
        schema: Sequence[Field],
        *,
        session: str,
        deletions: bool,
        start: Callable[[int | None], None],
        finite: Callable[[], bool],
        resume: Callable[[bytes | None], None],
        description: str,
        format: str = "values",
    ) -> None:
        """`session`: native or upsert; `format`: values, json, raw, binary."""

@final
class LogTail:
    """The last records that were logged."""

    def __new__(cls) -> LogTail: ...
    def push(self, record: Logged) -> None:
        """Another one."""

class Console:
    """A view of one run with these log records: on a terminal, a descriptor that it takes over; in lines,
    told every so many seconds and at the end; or as text, for whoever asks. `operators`: a row for each, not
    only for input and output."""

    def __new__(
        cls,
        tail: LogTail,
        *,
        operators: bool,
        terminal: int | None = None,
        lines: tuple[float, Callable[[str], None]] | None = None,
    ) -> Console: ...
    def has_begun(self) -> bool:
        """True if there is, or was, a run to show."""
    def text(self, width: int, logs: int = 10) -> str:
        """The whole view as text of this width, with at most so many lines of the log, or none of it."""

class Telemetry:
    """Sends what is known of a run to a collector of OpenTelemetry. Resource attributes are those of all that
    is sent, and more of metrics, and of traces and logs; packages are told in traces, the first failure to
    `warn`."""

    def __new__(
        cls,
        endpoint: str,
        *,
        interval: int,
        resource: list[tuple[str, str]],
        of_metrics: list[tuple[str, str]],
        of_traces: list[tuple[str, str]],
        packages: list[str],
        warn: Callable[[str], None],
    ) -> Telemetry: ...
    def log(self, record: Logged) -> None:
        """Something was logged."""

    def close(self, failure: str | None = None) -> None:
        """Sends the rest, and what the run has failed with, which takes three seconds at most."""

class Persistence:
    """A directory, or with options a URL, where the state of runs is kept; without a place, what lasts as
    long as the run. `logs` says which sources keep their rows: `all`, `named` or `none`. `access`, `pace`
    and `given` are those of `pathway.persistence`: what is read and written, how recorded rows are given
    once more, and by the name of a source the ids, columns, times and diffs of rows that are given in place
    of recorded ones."""

    def __init__(
        self,
        place: str | None,
        *,
        options: Sequence[tuple[str, str]] | None = None,
        interval_ms: int = 0,
        logs: str = "all",
        access: str = "full",
        pace: str | None = None,
        speed: float = 1.0,
        continues: bool = True,
        given: Sequence[tuple[str, Sequence[Pointer], Sequence[Sequence[Any]], Sequence[int], Sequence[int]]]
        | None = None,
    ) -> None: ...

@final
class FileSink:
    def __init__(
        self, path: str, format: str, column_names: Sequence[str], dtypes: Sequence[DType]
    ) -> None: ...

@final
class KafkaSink:
    def __init__(
        self,
        settings: Sequence[tuple[str, str]],
        format: str,
        column_names: Sequence[str],
        dtypes: Sequence[DType],
        *,
        topic: str | None = None,
        topic_column: int | None = None,
        key: int | None = None,
        value: int | None = None,
        headers: Sequence[tuple[str, int]] = (),
        delimiter: str = ",",
        registry: tuple[tuple[Any, ...], str | None] | None = None,
        exactly_once: bool = True,
    ) -> None:
        """`format`: json, avro, dsv, raw, plaintext (the last two write column `value`); columns are told by
        place. Only there if it was built with the feature `kafka`."""

@final
class PostgresSink:
    def __init__(
        self,
        settings: Sequence[tuple[str, str]],
        schema_name: str,
        table_name: str,
        column_names: Sequence[str],
        dtypes: Sequence[DType],
        *,
        content: str,
        init_mode: str,
        key: Sequence[int] = (),
        diff: int | None = None,
        max_batch_size: int | None = None,
        password: Callable[[], str] | None = None,
        name: str | None = None,
        exactly_once: bool = True,
    ) -> None:
        """`content`: changes, or snapshot, snapshot_with_changes (both with a `key`); `init_mode`: default,
        create_if_not_exists, replace. Only there if it was built with the feature `postgres`."""

@final
class NullSink:
    def __init__(self) -> None: ...

@final
class CallbackSink:
    """Calls `on_change(key=, row=, time=, is_addition=)` per change, `on_time_end(time)`, `on_end()`."""

    def __init__(
        self,
        column_names: Sequence[str],
        dtypes: Sequence[DType],
        *,
        on_change: Callable[..., Any],
        on_time_end: Callable[[int], Any] | None,
        on_end: Callable[[], Any] | None,
        skip_pending: bool = True,
    ) -> None: ...

@final
class Keys:
    """The ids of rows, in order."""

    def __init__(self, pointers: Sequence[Pointer]) -> None: ...
    @staticmethod
    def of_columns(columns: Sequence[list[Any]]) -> Keys:
        """`ref_scalar` of each row of some columns."""
    def digest(
        self, times: Sequence[int] | None, diffs: Sequence[int] | None, shards: Sequence[int] | None
    ) -> int:
        """A number that is equal for equal changes of rows, in whatever order they come."""
    def __len__(self) -> int: ...

@final
class CaptureSink:
    """Keeps the update stream of a table in memory, or only the rows that remain."""

    def __init__(self, dtypes: Sequence[DType], *, only_last: bool = False) -> None: ...
    def updates(self) -> list[tuple[Pointer, tuple[Any, ...], int, int]]:
        """Key, values, time, diff, in order of arrival (times ascending); of rows that remain, all at the
        last time."""
    def clear(self) -> None: ...

def build_info() -> dict[str, str]: ...
def as_value(object: Any) -> Any:
    """The object as it comes from a cell of any type: a list as a tuple, a dict as `pw.Json`.

    Raises TypeError if no cell can hold it."""

def _round_trip(values: Sequence[Any], dtype: DType) -> builtins.tuple[list[Any], list[Exception | None]]:
    """For tests: the values as a column of the dtype and back, and why each was refused, if it was."""
