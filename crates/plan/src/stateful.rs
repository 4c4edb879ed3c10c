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
}

impl StatefulKind {
    /// A short name for logs and metrics.
    pub fn name(&self) -> &'static str {
        match self {
            StatefulKind::Deduplicate { .. } => "deduplicate",
        }
    }

    /// True if it never emits a removal, given whether its inputs do.
    pub(crate) fn insert_only(&self, _inputs: bool) -> bool {
        match self {
            StatefulKind::Deduplicate { .. } => false,
        }
    }

    /// A text that is equal for kinds that do the same.
    pub(crate) fn key(&self) -> String {
        match self {
            StatefulKind::Deduplicate { acceptor } => format!("deduplicate {:p}", Arc::as_ptr(acceptor)),
        }
    }
}
