//! The plan after rewriting: what the engine runs.
//!
//! A [`Program`] is a list of [`Step`]s in topological order. Every column reference is a position
//! in the output of the step's input, unused columns are gone, neighbouring stateless steps are one
//! [`StepOp::Stateless`], equal sub-plans are one step, and columns of several tables over one
//! universe have been brought together (by position where one was computed from the other, by
//! [`StepOp::Zip`] otherwise). Nothing here knows of names, universes or Python.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use pathway_expr::{Callee, Expr, OnFailure, Reducer, Transformer};
use pathway_io::{Sink, Source};
use pathway_types::{Batch, DType, Timestamp};

use crate::Frame;
use crate::error_log::Logged;
pub use crate::graph::LoopId;
use crate::stateful::StatefulKind;

/// The position of a step in its program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StepId(pub usize);

/// The steps of a run in topological order: inputs come before their consumers.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// The steps. Those inside of a loop follow each other.
    pub steps: Vec<Step>,
    /// The loops that steps are inside of.
    pub loops: BTreeMap<LoopId, Loop>,
}

impl Step {
    /// The names of its output columns, as far as they have one.
    pub(crate) fn output_names(&self) -> Vec<Arc<str>> {
        self.names.last().cloned().unwrap_or_default()
    }
}

impl Program {
    /// The name of a source or sink for people: the one that the program gave it, or what it is.
    pub fn label(&self, step: usize) -> String {
        let given = |op: &StepOp| match op {
            StepOp::Source(source) => source.name.clone(),
            StepOp::Output(output) => output.name.clone(),
            _ => None,
        };
        let Step { op, name, .. } = &self.steps[step];
        given(op).unwrap_or_else(|| match op {
            // There are many of them, and nothing else tells them apart.
            StepOp::Output(_) if name == "subscribe" => {
                let before = self.steps[..step].iter();
                let before = before.filter(|other| other.name == *name && given(&other.op).is_none());
                format!("subscribe-{}", before.count())
            }
            _ => name.clone(),
        })
    }

    /// The outermost loop that a step is inside of.
    fn outermost(&self, step: usize) -> Option<LoopId> {
        let mut id = self.steps[step].inside?;
        while let Some(parent) = self.loops[&id].parent {
            id = parent;
        }
        Some(id)
    }

    /// True if both steps are inside of one loop, or of loops in it.
    pub fn in_same_loop(&self, step: usize, other: usize) -> bool {
        let outermost = self.outermost(step);
        outermost.is_some() && outermost == self.outermost(other)
    }

    /// By step: it is one of these, or computed from one.
    pub fn reached(&self, from: impl Fn(usize) -> bool) -> Vec<bool> {
        let mut reached: Vec<bool> = Vec::with_capacity(self.steps.len());
        for (number, step) in self.steps.iter().enumerate() {
            let derived = step.inputs.iter().any(|input| input.0 < number && reached[input.0]);
            reached.push(derived || from(number));
        }
        // What a loop makes of it goes around to all of the loop; what leaves it comes later.
        for number in 0..self.steps.len() {
            if reached[number] && self.steps[number].inside.is_some() {
                let members = (0..self.steps.len()).filter(|other| self.in_same_loop(number, *other));
                members.for_each(|member| reached[member] = true);
            }
            let inputs = &self.steps[number].inputs;
            reached[number] |= inputs.iter().any(|input| input.0 < number && reached[input.0]);
        }
        reached
    }
}

/// So many loops can be inside of each other.
pub const MOST_LEVELS: usize = 4;

/// A part of a program that is repeated until nothing changes any more.
#[derive(Clone, Debug)]
pub struct Loop {
    /// The loop that it is inside of.
    pub parent: Option<LoopId>,
    /// How many loops it is inside of, itself included.
    pub level: usize,
    /// It is repeated at most so many times.
    pub limit: Option<u32>,
    /// The user's line.
    pub frame: Option<Frame>,
}

/// One step: an operator, its inputs, and the layout of its output.
#[derive(Clone, Debug)]
pub struct Step {
    /// What it does.
    pub op: StepOp,
    /// The steps it reads.
    pub inputs: Vec<StepId>,
    /// The dtypes of its output columns.
    pub columns: Vec<DType>,
    /// True if it never emits a removal, whatever comes.
    pub insert_only: bool,
    /// Short name for logs and metrics: `select`, `groupby`, `csv(a.csv)`.
    pub name: String,
    /// The names of the columns, for people: of a row-wise step after each of its stages, else of its output.
    pub names: Vec<Vec<Arc<str>>>,
    /// The user's line.
    pub frame: Option<Frame>,
    /// The loop that it is inside of.
    pub inside: Option<LoopId>,
}

/// What a step does.
#[derive(Clone, Debug)]
pub enum StepOp {
    /// Rows that are part of the program, with their times.
    Static {
        /// Changes in ascending order of time.
        batches: Arc<Vec<(Timestamp, Batch)>>,
        /// The worker of a row where it is not decided by the key: one number per row, as `batches`.
        shards: Option<Arc<Vec<Vec<u64>>>>,
        /// The rows of time 0 were there before the run: outputs are not told of what comes of them.
        known_at_start: bool,
    },
    /// The rows of an external source.
    Source(SourceStep),
    /// The records that a source of this program could not turn into rows: columns `raw: BYTES`,
    /// `position: STR`, `reason: STR`. The input is the source's step.
    DeadLetters,
    /// The second table of the stateful step that is the input.
    Beside,
    /// What goes wrong in this run and is logged here: columns `operator_id: INT`, `message: STR`,
    /// `trace: STR`.
    ErrorLog(Logged),
    /// Row-wise stages, applied in order.
    Stateless(Vec<Stage>),
    /// The columns of all inputs side by side, matched by key. The inputs have equal key sets at
    /// every time.
    Zip,
    /// All rows of all inputs (same layout).
    Concat,
    /// Group-by.
    Reduce(ReduceStep),
    /// Join of two inputs.
    Join(JoinStep),
    /// Columns of the rows of input 1 that pointers in input 0 name (`ix`).
    Lookup(LookupStep),
    /// Rows of both inputs (same layout); on common keys those of input 1.
    UpdateRows,
    /// Rows of input 0, with some cells from the rows of input 1 that have the same key.
    UpdateCells {
        /// Output column `.0` is taken from column `.1` of input 1.
        cells: Vec<(usize, usize)>,
    },
    /// Rows of input 0 whose keys are in all other inputs.
    Intersect,
    /// Rows of input 0 whose keys are not in input 1.
    Difference,
    /// Rows of input 0 for exactly the keys of input 1, which must all be there.
    Restrict {
        /// Keys of input 0 that input 1 lacks are errors too (`with_universe_of`).
        exact: bool,
    },
    /// Events of calls that are answered later, as the engine's operator of that name defines them.
    Calls(CallsStep),
    /// The table that the events of input 0 make. With an input 1, which is the input of the calls,
    /// also of the rows without an answer, as pending.
    Answers(OnFailure),
    /// What user code makes of whole tables.
    Transform(Arc<dyn Transformer>),
    /// What depends on the order of changes or of rows.
    Stateful(StatefulStep),
    /// A table that a loop develops, inside of it. It starts with the rows of the input.
    Variable(LoopId),
    /// The rows of input 0 become those of the variable at input 1 for the next round.
    Feedback(LoopId),
    /// The rows of the input as they are when the loop has ended, outside of it.
    Leave(LoopId),
    /// A sink.
    Output(OutputStep),
}

/// Calls of a user function that answers later. The columns of its input are the arguments and, if
/// rows have an instance, a pointer to it.
#[derive(Clone, Debug)]
pub struct CallsStep {
    /// What is called.
    pub callee: Arc<dyn Callee>,
    /// How many columns are arguments.
    pub arguments: usize,
}

/// A stateful operation. The columns of its first input are its controls and then those that it passes
/// on; its output has the latter and then its own.
#[derive(Clone, Debug)]
pub struct StatefulStep {
    /// What it does.
    pub kind: StatefulKind,
    /// How many columns of the first input are controls.
    pub controls: usize,
    /// The name under which its state persists.
    pub name: Option<String>,
}

/// A row-wise stage. Its input columns are the output columns of the stage before.
#[derive(Clone, Debug)]
pub enum Stage {
    /// One output column per bound expression.
    Map {
        /// The expressions.
        expressions: Vec<Expr>,
        /// The user's line of each expression.
        frames: Vec<Option<Frame>>,
    },
    /// Keeps rows where the condition is true; rows where it is an error are dropped and logged.
    Filter {
        /// A bound expression of dtype BOOL.
        condition: Expr,
        /// The user's line.
        frame: Option<Frame>,
    },
    /// New row ids from a pointer column; rows where it is an error are dropped and logged.
    Reindex {
        /// The pointer column's position.
        column: usize,
        /// The user's line.
        frame: Option<Frame>,
    },
    /// One row per element of a sequence; the element replaces the column.
    Flatten {
        /// The sequence's position.
        column: usize,
        /// The sequence's dtype.
        sequence: DType,
        /// The element's dtype.
        element: DType,
        /// Append the source row's id as a last column.
        origin_id: bool,
        /// The user's line.
        frame: Option<Frame>,
    },
}

/// A source and how its minibatches are cut.
#[derive(Clone, Debug)]
pub struct SourceStep {
    /// The source, already projected to the columns of the step.
    pub source: Arc<dyn Source>,
    /// The name under which its state persists.
    pub name: Option<String>,
    /// Longest time between two commits.
    pub autocommit: Option<Duration>,
    /// Most rows in flight.
    pub max_backlog: Option<usize>,
}

/// A group-by.
#[derive(Clone, Debug)]
pub struct ReduceStep {
    /// How the key of a group comes about.
    pub key: GroupKey,
    /// Input columns that are constant in a group and lead the output.
    pub group_columns: Vec<usize>,
    /// One output column each, after the group columns.
    pub reducers: Vec<ReduceColumn>,
    /// The order of `tuple` and `ndarray`; by row id without it.
    pub sort_by: Option<usize>,
    /// A column of pointers that stand for the ids of rows where reducers go by these: in the order of values,
    /// and in the choice of one. As arguments, ids are what they are.
    pub row_ids: Option<usize>,
    /// Rows with an error in an argument are ignored by that reducer; otherwise they make it an error.
    pub skip_errors: bool,
    /// Groups are windows that rows are not assigned to one by one.
    pub panes: Option<Panes>,
}

/// Windows that overlap are made of panes, which do not. Rows come with the number of their pane, and are
/// grouped by the numbers of the windows that the pane is part of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panes {
    /// The input column with the number of the pane, one of the columns of the key. In results the
    /// number of the window is in its place.
    pub column: usize,
    /// Panes from the start of a window to that of the next: window `k` starts with pane `hop * k + offset`.
    pub hop: i64,
    /// The first pane of window 0.
    pub offset: i64,
    /// Panes in a window.
    pub length: i64,
    /// The numbers of the first and the last window that there is.
    pub windows: (i64, i64),
}

impl Panes {
    /// The first and the last window that a pane is part of; the first is greater if there is none.
    pub fn windows(&self, pane: i64) -> (i64, i64) {
        // Of windows that there are numbers have 64 bits, in whatever way they are found.
        let started = |distance: i128| {
            let number = distance.div_euclid(i128::from(self.hop));
            number.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
        };
        let near =
            pane.checked_sub(self.offset).and_then(|pane| Some((pane, pane.checked_sub(self.length)?)));
        let (first, last) = match near {
            Some((pane, before)) => (before.div_euclid(self.hop) + 1, pane.div_euclid(self.hop)),
            None => {
                let pane = i128::from(pane) - i128::from(self.offset);
                (started(pane - i128::from(self.length) + i128::from(self.hop)), started(pane))
            }
        };
        (first.max(self.windows.0), last.min(self.windows.1))
    }

    /// The first pane of a window.
    pub fn start(&self, window: i64) -> i64 {
        let first = i128::from(window) * i128::from(self.hop) + i128::from(self.offset);
        first.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
    }
}

/// The key of a group.
#[derive(Clone, Debug)]
pub enum GroupKey {
    /// `key(columns…)`, with the last column as instance if so marked.
    Hash {
        /// Input columns.
        columns: Vec<usize>,
        /// The last of them is the instance.
        instance: bool,
    },
    /// The pointer in this input column.
    Pointer(usize),
}

/// One reducer of a group-by.
#[derive(Clone, Debug)]
pub struct ReduceColumn {
    /// The aggregate.
    pub reducer: Reducer,
    /// Input columns it reads. `ARGUMENT_ID` stands for the row id.
    pub arguments: Vec<usize>,
    /// The dtype of the result.
    pub dtype: DType,
    /// The user's line.
    pub frame: Option<Frame>,
}

/// In [`ReduceColumn::arguments`]: the row id instead of a column.
pub const ARGUMENT_ID: usize = usize::MAX;

/// Which unmatched rows a join keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum JoinMode {
    Inner,
    Left,
    Right,
    Outer,
}

/// The ids of joined rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JoinIds {
    /// `key(left id, right id)` (None for a missing side) on the shard of the join key. In an interval
    /// join on the shard of the key of the left time's bucket (as wide as the interval, from zero or the
    /// start of 1973) and the join key; unless it is inner, `key(that, 0)` for pairs, `key(left id, 1)`
    /// for unmatched left rows, `key(right id, n)` for unmatched right ones (n is 2 in an outer join,
    /// else 1). In an as-of join `key(left id, 0)` for left rows, `key(right id, 1)` for right rows.
    Pair,
    /// The left row's id; at most one match per left row.
    Left,
    /// The right row's id; at most one match per right row.
    Right,
}

/// Which rows with equal keys a join matches. `T` says where a row's time comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Matching<T> {
    /// All.
    Equal,
    /// Those whose times are so far apart.
    Interval {
        /// The times of both sides, of one dtype.
        times: [T; 2],
        /// Right minus left time: at least, and more than that at most.
        bounds: Bounds,
        /// Rows that are removed at odd times are forgotten: they match nothing any more, but what they have
        /// given stays, and rows that they matched are not unmatched.
        keeps: bool,
    },
    /// Each row of the sides that the mode keeps with the nearest one of the other side. There is one
    /// sequence of the rows of both sides, ordered by time, then with left rows before right ones (right
    /// before left where left rows look backward or right rows look forward), then by row id.
    AsOf {
        /// The times of both sides, of one dtype.
        times: [T; 2],
        /// Where it is.
        direction: Direction,
    },
    /// Each left row, when it comes, with the right rows that are there at the end of that time. Later
    /// changes of the right rows change nothing.
    AsOfNow,
}

/// Where the partner of a row of an as-of join is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Before the row.
    Backward,
    /// After it.
    Forward,
    /// Before or after it, whichever is nearer in time; after it, if both are equally near.
    Nearest,
}

/// How far two times are apart: at least, and at most.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bounds {
    /// For integers, and in nanoseconds for datetimes.
    Int(i64, i64),
    /// For floats.
    Float(f64, f64),
}

impl<T> Matching<T> {
    /// The times of the two sides, if they matter.
    pub fn times(&self) -> Option<&[T; 2]> {
        match self {
            Matching::Equal | Matching::AsOfNow => None,
            Matching::Interval { times, .. } | Matching::AsOf { times, .. } => Some(times),
        }
    }

    /// The same with the times of the two sides replaced.
    pub fn map<U>(&self, mut time: impl FnMut(usize, &T) -> U) -> Matching<U> {
        let mut both = |[left, right]: &[T; 2]| [time(0, left), time(1, right)];
        match self {
            Matching::Equal => Matching::Equal,
            Matching::AsOfNow => Matching::AsOfNow,
            Matching::Interval { times, bounds, keeps } => {
                Matching::Interval { times: both(times), bounds: *bounds, keeps: *keeps }
            }
            Matching::AsOf { times, direction } => {
                Matching::AsOf { times: both(times), direction: *direction }
            }
        }
    }
}

/// A join. Output columns: `left_columns` of input 0, then `right_columns` of input 1, then, if
/// asked for, the ids of the two rows (Optional where that side can be missing) and the side.
#[derive(Clone, Debug)]
pub struct JoinStep {
    /// The mode.
    pub mode: JoinMode,
    /// Key columns of input 0, matched in order with `right_on`; none for a cross join.
    pub left_on: Vec<usize>,
    /// Key columns of input 1 (same dtypes as `left_on` up to Optional).
    pub right_on: Vec<usize>,
    /// The last key column is the instance, which alone gives the shard.
    pub instance: bool,
    /// Which rows with equal keys match.
    pub matching: Matching<usize>,
    /// The ids of the result.
    pub ids: JoinIds,
    /// Columns of input 0 in the output.
    pub left_columns: Vec<usize>,
    /// Columns of input 1 in the output.
    pub right_columns: Vec<usize>,
    /// Append the left row's id.
    pub left_id: bool,
    /// Append the right row's id.
    pub right_id: bool,
    /// Append, in an as-of join, whether it is a right row that is given a partner.
    pub side: bool,
    /// A left row leaves the state after its first match.
    pub left_exactly_once: bool,
    /// A right row leaves the state after its first match.
    pub right_exactly_once: bool,
}

/// An `ix`. Output: `keep` columns of input 0, then `fetch` columns of input 1; keys of input 0.
#[derive(Clone, Debug)]
pub struct LookupStep {
    /// The pointer column of input 0.
    pub pointer: usize,
    /// A None pointer gives a row of None; otherwise it is an error.
    pub optional: bool,
    /// A pointer to no row gives a row of None; otherwise it is an error.
    pub allow_misses: bool,
    /// Columns of input 0 that are passed through.
    pub keep: Vec<usize>,
    /// Columns of input 1.
    pub fetch: Vec<usize>,
}

/// A sink and how it wants its changes.
#[derive(Clone, Debug)]
pub struct OutputStep {
    /// The sink.
    pub sink: Arc<dyn Sink>,
    /// Its unique name.
    pub name: Option<String>,
    /// Order changes of one time by these columns instead of removals first.
    pub sort_by: Option<Vec<usize>>,
    /// Also deliver rows with error or pending cells (debugging).
    pub keep_errors: bool,
}
