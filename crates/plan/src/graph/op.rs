//! What a node of the plan does.
//!
//! Operations that pass columns on unchanged (filter, join, `ix`, …) list the columns they pass, by
//! reference to where they were made; a rewrite may therefore make one operation pass columns of
//! several tables over the same row set.

use std::sync::Arc;
use std::time::Duration;

use pathway_expr::{Callee, ColumnRef, Expr, OnFailure, Reducer, Transformer};
use pathway_io::Source;
use pathway_types::{Batch, DType, Timestamp};

use super::{LoopId, NodeId};
use crate::Frame;
use crate::error_log::Logged;
use crate::program::{JoinIds, JoinMode, Matching};
use crate::stateful::StatefulKind;

/// The operation of a node.
#[derive(Clone, Debug)]
pub enum Op {
    /// Rows that are part of the plan.
    Static(StaticRows),
    /// Rows of an external source.
    Source(ExternalRows),
    /// The records that a source could not turn into rows.
    DeadLetters {
        /// The source's node.
        source: NodeId,
    },
    /// What goes wrong in a run.
    ErrorLog(Logged),
    /// One column per expression over the rows of `base`; the expressions may use columns of all
    /// tables that share its universe.
    Select {
        /// The table whose rows these are.
        base: NodeId,
        /// One per column.
        expressions: Vec<Expr>,
        /// The user's line of each.
        frames: Vec<Option<Frame>>,
    },
    /// Rows where the condition is true.
    Filter {
        /// The filtered table.
        input: NodeId,
        /// A BOOL expression over the input's rows.
        condition: Expr,
        /// The columns passed on.
        columns: Vec<ColumnRef>,
    },
    /// The same rows under other ids.
    Reindex {
        /// The table.
        input: NodeId,
        /// The new id of a row.
        pointer: Expr,
        /// The columns passed on.
        columns: Vec<ColumnRef>,
    },
    /// One row per element of a sequence.
    Flatten(Flatten),
    /// All rows of all inputs; column `i` of the result is column `i` of each.
    Concat {
        /// The inputs.
        inputs: Vec<Rows>,
    },
    /// Group-by: the columns of `group`, then one per aggregate.
    Reduce(Reduce),
    /// Join.
    Join(Join),
    /// Columns of the rows that a pointer names.
    Lookup(Lookup),
    /// Rows of both; on common ids those of `new`.
    UpdateRows {
        /// The updated rows.
        old: Rows,
        /// The rows that win.
        new: Rows,
    },
    /// Rows of `input` with some cells taken from the rows of `updates` that have the same id.
    UpdateCells {
        /// The updated rows.
        input: Rows,
        /// Rows with new cells.
        updates: Rows,
        /// Which column of `updates` replaces each column of `input`.
        cells: Vec<Option<usize>>,
    },
    /// Rows of `input` whose ids are in all `others`.
    Intersect {
        /// The table whose rows these are.
        input: NodeId,
        /// The other tables.
        others: Vec<NodeId>,
        /// The columns passed on.
        columns: Vec<ColumnRef>,
    },
    /// Rows of `input` whose ids are not in `other`.
    Difference {
        /// The table whose rows these are.
        input: NodeId,
        /// The other table.
        other: NodeId,
        /// The columns passed on.
        columns: Vec<ColumnRef>,
    },
    /// Rows of `input` for the ids of `to`, which are all there.
    Restrict {
        /// The table whose rows these are.
        input: NodeId,
        /// The table with the ids.
        to: NodeId,
        /// Ids of `input` that `to` lacks are an error.
        exact: bool,
        /// The columns passed on.
        columns: Vec<ColumnRef>,
    },
    /// Events of calls that are answered later.
    Calls(Calls),
    /// The table that such events make.
    Answers(Answers),
    /// What user code makes of whole tables.
    Transform(Transform),
    /// What depends on the order of changes or of rows.
    Stateful(Stateful),
    /// A table that an iteration develops, inside of it: at first the rows of a table around it, then
    /// what the step before made of them.
    Variable(Variable),
    /// What an iteration has made of one of its tables when it ends, outside of it.
    Iterated(Iterated),
    /// The second table that a stateful operation makes.
    Beside {
        /// The operation's node.
        of: NodeId,
    },
}

/// See [`Op::Stateful`]. The columns of the result are those passed on and then those that the kind
/// makes.
#[derive(Clone, Debug)]
pub struct Stateful {
    /// What it does.
    pub kind: StatefulKind,
    /// The tables it reads; the columns are what controls it.
    pub inputs: Vec<Rows>,
    /// The columns of the first input that it passes on.
    pub columns: Vec<ColumnRef>,
    /// Columns that nobody wants need not be passed: it makes no difference to the others.
    pub prunable: bool,
    /// The name under which its state persists.
    pub name: Option<String>,
}

/// See [`Op::Variable`].
#[derive(Clone, Debug)]
pub struct Variable {
    /// The iteration.
    pub of: LoopId,
    /// Which of its tables it is.
    pub number: usize,
    /// The rows at first.
    pub start: Rows,
}

/// See [`Op::Iterated`].
#[derive(Clone, Debug)]
pub struct Iterated {
    /// The iteration.
    pub of: LoopId,
    /// The table as it is inside.
    pub variable: NodeId,
    /// What a step makes of it.
    pub result: Rows,
}

/// See [`Op::Transform`].
#[derive(Clone, Debug)]
pub struct Transform {
    /// The tables.
    pub inputs: Vec<Rows>,
    /// The code.
    pub transformer: Arc<dyn Transformer>,
}

/// See [`Op::Calls`].
#[derive(Clone, Debug)]
pub struct Calls {
    /// The table whose rows are called for.
    pub input: NodeId,
    /// What is called.
    pub callee: Arc<dyn Callee>,
    /// What it takes, over the rows of the input.
    pub arguments: Vec<Expr>,
    /// A pointer; rows for which it is equal get their results together and in order.
    pub instance: Option<Expr>,
}

/// See [`Op::Answers`].
#[derive(Clone, Debug)]
pub struct Answers {
    /// The calls.
    pub calls: NodeId,
    /// What the calls take, if rows without an answer are wanted too, as pending.
    pub rows: Option<Rows>,
    /// What becomes of failed calls.
    pub on_failure: OnFailure,
}

/// Rows of a table with these columns.
#[derive(Clone, Debug)]
pub struct Rows {
    /// The table whose rows these are.
    pub table: NodeId,
    /// The columns, expressions over it.
    pub columns: Vec<Expr>,
}

/// The contents of a static table.
#[derive(Clone, Debug)]
pub struct StaticRows {
    /// Changes in ascending order of time.
    pub batches: Arc<Vec<(Timestamp, Batch)>>,
    /// The worker of each row, where the key does not decide it.
    pub shards: Option<Arc<Vec<Vec<u64>>>>,
    /// The rows of time 0 were there before the run.
    pub known_at_start: bool,
}

/// A source and how it is read.
#[derive(Clone, Debug)]
pub struct ExternalRows {
    /// The source.
    pub source: Arc<dyn Source>,
    /// The name under which its state persists.
    pub name: Option<String>,
    /// Longest time between two commits.
    pub autocommit: Option<Duration>,
    /// Most rows in flight.
    pub max_backlog: Option<usize>,
}

/// See [`Op::Flatten`].
#[derive(Clone, Debug)]
pub struct Flatten {
    /// The table.
    pub input: NodeId,
    /// The sequence.
    pub sequence: Expr,
    /// The dtype of its elements.
    pub element: DType,
    /// The columns of the result.
    pub columns: Vec<FlattenColumn>,
}

/// A column of a flattened table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FlattenColumn {
    /// The element.
    Element,
    /// A column of the source row.
    Passed(ColumnRef),
    /// The source row's id.
    Origin,
}

/// See [`Op::Reduce`].
#[derive(Clone, Debug)]
pub struct Reduce {
    /// The grouped table.
    pub input: NodeId,
    /// The grouping columns; with an instance, it is the last.
    pub group: Vec<Expr>,
    /// How the id of a group comes about.
    pub ids: GroupIds,
    /// The aggregates.
    pub aggregates: Vec<Aggregate>,
    /// The order in which values enter ordered reducers.
    pub sort_by: Option<Expr>,
    /// Pointers that stand for the ids of rows where reducers go by these.
    pub row_ids: Option<Expr>,
    /// Rows with an error in an argument are ignored by that reducer.
    pub skip_errors: bool,
}

impl Reduce {
    /// What stands for the ids of rows, if some of these aggregates goes by ids.
    pub fn row_ids_for(&self, mut aggregates: impl Iterator<Item = usize>) -> Option<&Expr> {
        let row_ids = self.row_ids.as_ref()?;
        aggregates.any(|i| self.aggregates[i].reducer.goes_by_ids()).then_some(row_ids)
    }
}

/// The id of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GroupIds {
    /// The key of the grouping columns.
    Hash,
    /// The key of the grouping columns, the last of which is the instance.
    Instance,
    /// The first grouping column is a pointer and gives the id; others are the same in its rows.
    Pointer,
}

/// One aggregate of a group-by.
#[derive(Clone, Debug)]
pub struct Aggregate {
    /// The reducer.
    pub reducer: Reducer,
    /// What it takes, over the rows of the input.
    pub arguments: Vec<Expr>,
    /// The dtype of the result.
    pub dtype: DType,
    /// The user's line.
    pub frame: Option<Frame>,
}

/// See [`Op::Join`].
#[derive(Clone, Debug)]
pub struct Join {
    /// One operand.
    pub left: NodeId,
    /// The other.
    pub right: NodeId,
    /// The mode.
    pub mode: JoinMode,
    /// Expressions over the left rows, equal in pairs to those of `right_on`.
    pub left_on: Vec<Expr>,
    /// Expressions over the right rows.
    pub right_on: Vec<Expr>,
    /// The last pair is the instance.
    pub instance: bool,
    /// Which rows with equal keys match; times are expressions over the rows of each side.
    pub matching: Matching<Expr>,
    /// The ids of the result.
    pub ids: JoinIds,
    /// A left row leaves the state after its first match.
    pub left_exactly_once: bool,
    /// A right row leaves the state after its first match.
    pub right_exactly_once: bool,
    /// The columns of the result.
    pub columns: Vec<JoinColumn>,
}

/// A column of a join.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JoinColumn {
    /// A column of the left row.
    Left(ColumnRef),
    /// A column of the right row.
    Right(ColumnRef),
    /// The id of the left row.
    LeftId,
    /// The id of the right row.
    RightId,
    /// The time of the left row.
    LeftTime,
    /// The time of the right row.
    RightTime,
    /// Whether it is a right row that an as-of join gives a partner.
    Side,
}

/// See [`Op::Lookup`].
#[derive(Clone, Debug)]
pub struct Lookup {
    /// The table whose rows ask.
    pub asking: NodeId,
    /// The pointer, over its rows.
    pub pointer: Expr,
    /// The table that is looked into.
    pub target: NodeId,
    /// None gives a row of None.
    pub optional: bool,
    /// A pointer to no row gives a row of None.
    pub allow_misses: bool,
    /// The columns of the target that are fetched.
    pub columns: Vec<ColumnRef>,
}

impl Op {
    /// A short name for logs and metrics.
    pub fn name(&self) -> &'static str {
        match self {
            Op::Static(_) => "static",
            Op::Source(_) => "source",
            Op::DeadLetters { .. } => "dead_letters",
            Op::ErrorLog(_) => "error_log",
            Op::Select { .. } => "select",
            Op::Filter { .. } => "filter",
            Op::Reindex { .. } => "with_id",
            Op::Flatten(_) => "flatten",
            Op::Concat { .. } => "concat",
            Op::Reduce(_) => "groupby",
            Op::Join(join) => match join.matching {
                Matching::Equal => "join",
                Matching::Interval { .. } => "interval_join",
                Matching::AsOf { .. } => "asof_join",
                Matching::AsOfNow => "asof_now_join",
            },
            Op::Lookup(_) => "ix",
            Op::UpdateRows { .. } => "update_rows",
            Op::UpdateCells { .. } => "update_cells",
            Op::Intersect { .. } => "intersect",
            Op::Difference { .. } => "difference",
            Op::Restrict { exact: false, .. } => "restrict",
            Op::Restrict { exact: true, .. } => "with_universe_of",
            Op::Calls(_) => "call_later",
            Op::Answers(Answers { rows: None, .. }) => "answers",
            Op::Answers(Answers { rows: Some(_), .. }) => "answers_or_pending",
            Op::Transform(_) => "transform",
            Op::Stateful(stateful) => stateful.kind.name(),
            Op::Variable(_) => "iterated_table",
            Op::Iterated(_) => "iterate",
            Op::Beside { .. } => "beside",
        }
    }

    /// The tables whose rows it reads, in the order of its ports.
    pub fn inputs(&self) -> Vec<NodeId> {
        match self {
            Op::Static(_) | Op::Source(_) | Op::ErrorLog(_) => vec![],
            Op::DeadLetters { source } => vec![*source],
            Op::Beside { of } => vec![*of],
            Op::Select { base, .. } => vec![*base],
            Op::Filter { input, .. } | Op::Reindex { input, .. } => vec![*input],
            Op::Flatten(flatten) => vec![flatten.input],
            Op::Concat { inputs } => inputs.iter().map(|rows| rows.table).collect(),
            Op::Reduce(reduce) => vec![reduce.input],
            Op::Join(join) => vec![join.left, join.right],
            Op::Lookup(lookup) => vec![lookup.asking, lookup.target],
            Op::UpdateRows { old, new } => vec![old.table, new.table],
            Op::UpdateCells { input, updates, .. } => vec![input.table, updates.table],
            Op::Intersect { input, others, .. } => {
                std::iter::once(*input).chain(others.iter().copied()).collect()
            }
            Op::Difference { input, other, .. } => vec![*input, *other],
            Op::Restrict { input, to, .. } => vec![*input, *to],
            Op::Transform(transform) => transform.inputs.iter().map(|rows| rows.table).collect(),
            Op::Stateful(stateful) => stateful.inputs.iter().map(|rows| rows.table).collect(),
            Op::Variable(variable) => vec![variable.start.table],
            Op::Iterated(iterated) => vec![iterated.result.table],
            Op::Calls(calls) => vec![calls.input],
            Op::Answers(answers) => {
                std::iter::once(answers.calls).chain(answers.rows.iter().map(|rows| rows.table)).collect()
            }
        }
    }

    /// What of this operation depends on when changes come, if anything does: it has no meaning inside
    /// of an iteration, where rows come and go with every step.
    pub(crate) fn bound_to_time(&self) -> Option<&'static str> {
        match self {
            Op::Calls(_) | Op::Answers(_) => Some("a function whose answers come later"),
            Op::Reduce(reduce) => reduce.aggregates.iter().find_map(|aggregate| match &aggregate.reducer {
                Reducer::Earliest => Some("the reducer earliest"),
                Reducer::Latest => Some("the reducer latest"),
                _ => None,
            }),
            Op::Stateful(stateful) => Some(stateful.kind.name()),
            Op::Join(Join { matching: Matching::AsOf { .. }, .. }) => Some("an as-of join"),
            Op::Join(Join { matching: Matching::AsOfNow, .. }) => Some("a join with what is there now"),
            Op::Static(_)
            | Op::Source(_)
            | Op::DeadLetters { .. }
            | Op::ErrorLog(_)
            | Op::Select { .. }
            | Op::Filter { .. }
            | Op::Reindex { .. }
            | Op::Flatten(_)
            | Op::Concat { .. }
            | Op::Join(_)
            | Op::Lookup(_)
            | Op::UpdateRows { .. }
            | Op::UpdateCells { .. }
            | Op::Intersect { .. }
            | Op::Difference { .. }
            | Op::Restrict { .. }
            | Op::Transform(_)
            // What it is beside of has its own answer.
            | Op::Beside { .. }
            | Op::Variable(_)
            | Op::Iterated(_) => None,
        }
    }
}
