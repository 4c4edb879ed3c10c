//! Operations that depend on the order in which changes come, or on an order among rows.
//!
//! They differ in what they keep and when they emit it; what the plan has to know of them is the same:
//! some *controls* (expressions over the first input) and the columns that are passed on.

use std::sync::Arc;

use pathway_expr::Acceptor;

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
}

impl StatefulKind {
    /// A short name for logs and metrics.
    pub fn name(&self) -> &'static str {
        match self {
            StatefulKind::Deduplicate { .. } => "deduplicate",
            StatefulKind::Sort { .. } => "sort",
            StatefulKind::Previous { .. } => "diff",
            StatefulKind::Interpolate => "interpolate",
        }
    }

    /// True if it never emits a removal, given whether its inputs do.
    pub(crate) fn insert_only(&self, _inputs: bool) -> bool {
        match self {
            StatefulKind::Deduplicate { .. }
            | StatefulKind::Sort { .. }
            | StatefulKind::Previous { .. }
            | StatefulKind::Interpolate => false,
        }
    }

    /// A text that is equal for kinds that do the same.
    pub(crate) fn key(&self) -> String {
        match self {
            StatefulKind::Deduplicate { acceptor } => format!("deduplicate {:p}", Arc::as_ptr(acceptor)),
            other => format!("{other:?}"),
        }
    }
}
