//! Operations that depend on the order in which changes come, or on an order among rows.
//!
//! They differ in what they keep and when they emit it; what the plan has to know of them is the same:
//! some *controls* (expressions over the first input) and the columns that are passed on.

use std::sync::Arc;

use pathway_expr::{Acceptor, Togetherness};
use pathway_index::Metric;
use pathway_types::Value;

/// What a stateful operation does.
#[derive(Clone, Debug)]
pub enum StatefulKind {
    /// Of each instance the row that was accepted last. Controls: the value that is offered, and the
    /// pointer that is the id of the result. Passes rows.
    Deduplicate {
        /// Decides.
        acceptor: Arc<dyn Acceptor>,
    },
    /// The ids of the rows before and after in an order. Controls: what rows are ordered by, and, if
    /// there are instances, a pointer to the row's.
    Sort {
        /// Rows are neighbours only within an instance.
        instance: bool,
    },
    /// The cells of each row and those of the row before it. Controls: as for `Sort`, then the cells.
    Previous {
        /// Rows are neighbours only within an instance.
        instance: bool,
    },
    /// Missing values filled in. Controls: the time, then the values, FLOAT or Optional(FLOAT).
    Interpolate,
    /// Rows are dropped that are late: their threshold was reached before their time. Controls of this and
    /// the next two: the time, the threshold, and, if there are instances, a pointer to the row's. They
    /// pass rows.
    Freeze {
        /// Each instance has its own clock.
        instance: bool,
        /// The clock goes by the rows of a second input, with the same controls, and not by those that pass.
        apart: bool,
        /// A row whose removal was late is removed when another row with its id passes.
        replaces: bool,
    },
    /// Rows are held back until their threshold is reached.
    Buffer {
        /// Each instance has its own clock.
        instance: bool,
        /// As in `Freeze`.
        apart: bool,
    },
    /// Rows are removed when their threshold is reached.
    Forget {
        /// Each instance has its own clock.
        instance: bool,
        /// As in `Freeze`.
        apart: bool,
        /// When they are removed.
        when: Forgetting,
    },
    /// Changes are taken back at the odd time after theirs. Passes rows.
    ForgetImmediately,
    /// Without the changes of odd times. Passes rows.
    DropForgetting {
        /// Insertions and removals are made to fit what is there.
        consistent: bool,
    },
    /// Without removals. Passes rows.
    KeepInsertions,
    /// An event for each changed id. Passes rows; a last column says whether the id has a row.
    ToStream,
    /// The table that events make. Controls: whether the event sets a row. Passes rows.
    FromStream,
    /// The table that events of two streams make: the first sets rows, the second removes them. Passes rows
    /// of the first.
    FromStreams,
    /// Removals end the run. Passes rows.
    AppendOnly,
    /// All rows with new ids whenever some change. Passes rows.
    Snapshots,
    /// Rows with the session they are in, a pointer that is the last column. Controls: the time, and the
    /// pointer of the instance. Passes rows. The sessions themselves are a second table: under that
    /// pointer the times of the first and the last row, and the last row's id.
    Sessions {
        /// Which rows are in one.
        gap: SessionGap,
        /// When sessions are shown, and when they are over.
        behavior: Option<SessionBehavior>,
    },
    /// For each row of the first input what is nearest to it among the rows of the second. Controls of the
    /// first: the vector, how many are wanted, and, if there are filters, the filter. Controls of the second:
    /// the vector, the metadata if there are filters, and the columns that answers have.
    Search(Search),
    /// Rows with the lower or the upper of two numbers around a value, FLOAT, which is the last column: which one
    /// depends on where the value is and on the row's id. Controls of the second input: lower, value, upper,
    /// FLOAT. Passes rows.
    Gradual,
}

/// When rows are removed whose threshold was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forgetting {
    /// With the next rows.
    Later,
    /// With the next rows, at the odd time that follows.
    LaterMarked,
    /// At the odd time after the rows by which it was reached.
    Marked,
}

/// How rows are searched for, and what is said of them.
#[derive(Clone, Debug)]
pub struct Search {
    /// How far vectors are apart.
    pub metric: Metric,
    /// The length of all vectors.
    pub dimensions: usize,
    /// Answers have to pass a filter.
    pub filtered: bool,
    /// A filter that is wrong has no answers, and a warning says so; otherwise it is an error.
    pub lenient: bool,
    /// An answer is given when its query comes, and never changes.
    pub as_of_now: bool,
    /// One row for each query: lists, nearest first, of ids, of distances, and of the cells of each column.
    /// Otherwise a row for each answer, and one of None for a query without: the query's id, the answer's
    /// id, the distance, the cells.
    pub collapsed: bool,
}

impl Search {
    /// Where the columns of the items begin, in the result and among the controls of the items. They need not
    /// be there if nobody wants them.
    pub(crate) fn first_cells(&self) -> (usize, usize) {
        (if self.collapsed { 2 } else { 3 }, 1 + usize::from(self.filtered))
    }
}

/// Which neighbours, in the order of time, are in one session.
#[derive(Clone, Debug)]
pub enum SessionGap {
    /// Those that are less than this apart.
    LessThan(Value),
    /// Those of which user code says so.
    Asked(Arc<dyn Togetherness>),
}

/// When sessions are shown and when they are over, by the clock: the largest time of a row so far. What was
/// over before a time takes no rows of it, and is dropped when the next rows come.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionBehavior {
    /// Shown from their first time and so much on, and when they are over; at once without it.
    pub delay: Option<Value>,
    /// Shown when they are over, and not before.
    pub once: bool,
    /// Over from their last time and so much on; never without it.
    pub over: Option<Value>,
    /// What was shown of them stays when they are dropped: their rows are removed at odd times.
    pub keeps: bool,
}

impl StatefulKind {
    /// A short name for logs and metrics.
    pub fn name(&self) -> &'static str {
        match self {
            StatefulKind::Deduplicate { .. } => "deduplicate",
            StatefulKind::Sort { .. } => "sort",
            StatefulKind::Previous { .. } => "diff",
            StatefulKind::Interpolate => "interpolate",
            StatefulKind::Freeze { .. } => "ignore_late",
            StatefulKind::Buffer { .. } => "buffer",
            StatefulKind::Forget { .. } => "forget",
            StatefulKind::ForgetImmediately => "forget_immediately",
            StatefulKind::DropForgetting { .. } => "filter_out_results_of_forgetting",
            StatefulKind::KeepInsertions => "remove_retractions",
            StatefulKind::ToStream => "to_stream",
            StatefulKind::FromStream => "stream_to_table",
            StatefulKind::FromStreams => "from_streams",
            StatefulKind::AppendOnly => "assert_append_only",
            StatefulKind::Snapshots => "unpack_snapshots",
            StatefulKind::Sessions { .. } => "sessions",
            StatefulKind::Search(_) => "search",
            StatefulKind::Gradual => "gradual_broadcast",
        }
    }

    /// True if it never emits a removal, given of each of its inputs whether it does not.
    pub(crate) fn insert_only(&self, of_inputs: &[bool]) -> bool {
        let inputs = of_inputs.iter().all(|insert_only| *insert_only);
        match self {
            StatefulKind::Search(search) => search.as_of_now && of_inputs[0],
            StatefulKind::Deduplicate { .. }
            | StatefulKind::Sort { .. }
            | StatefulKind::Previous { .. }
            | StatefulKind::Interpolate
            | StatefulKind::Forget { .. }
            | StatefulKind::ForgetImmediately
            | StatefulKind::FromStream
            | StatefulKind::FromStreams
            | StatefulKind::Gradual
            | StatefulKind::Sessions { .. } => false,
            StatefulKind::Freeze { .. }
            | StatefulKind::Buffer { .. }
            | StatefulKind::DropForgetting { .. } => inputs,
            StatefulKind::KeepInsertions
            | StatefulKind::ToStream
            | StatefulKind::AppendOnly
            | StatefulKind::Snapshots => true,
        }
    }

    /// A text that is equal for kinds that do the same.
    pub(crate) fn key(&self) -> String {
        match self {
            StatefulKind::Deduplicate { acceptor } => format!("deduplicate {:p}", Arc::as_ptr(acceptor)),
            StatefulKind::Sessions { gap: SessionGap::Asked(asked), .. } => {
                format!("sessions {:p}", Arc::as_ptr(asked))
            }
            other => format!("{other:?}"),
        }
    }
}
