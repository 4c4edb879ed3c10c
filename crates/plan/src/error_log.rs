//! Error logs: tables of what goes wrong in a run that does not end on errors.
//!
//! Each operator reports to one log: the innermost that was open when it was built, or the global one.

use std::collections::BTreeSet;
use std::sync::Arc;

use pathway_types::DType;

use crate::frame::Built;
use crate::graph::{Column, Graph, Node, NodeId, Op};
use crate::rewrite::needed;
use crate::table::Table;
use crate::universe::Definition;
use crate::{Frame, PlanError};

/// The number of an error log in its plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ErrorLogId(pub u32);

impl ErrorLogId {
    /// Takes what no other log takes.
    pub const GLOBAL: ErrorLogId = ErrorLogId(0);
}

/// What an error log shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Logged {
    /// The errors of all operators that report to this log.
    To(ErrorLogId),
    /// The errors of the operators that a table is computed by, whatever they report to.
    By {
        /// The table. It is computed, whether an output needs it or not.
        table: NodeId,
        /// The numbers of the operators.
        operators: Arc<BTreeSet<u32>>,
    },
}

impl Logged {
    /// True if it shows the errors of what was built there.
    pub fn shows(&self, frame: &Frame) -> bool {
        match self {
            Logged::To(log) => frame.built.as_ref().map_or(ErrorLogId::GLOBAL, |built| built.log) == *log,
            Logged::By { operators, .. } => operators.contains(&frame.operator()),
        }
    }
}

impl std::fmt::Display for Logged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Logged::To(ErrorLogId::GLOBAL) => f.write_str("global"),
            Logged::To(ErrorLogId(number)) => write!(f, "local {number}"),
            Logged::By { operators, .. } => write!(f, "of operators {operators:?}"),
        }
    }
}

/// The columns of an error log.
pub const COLUMNS: [(&str, DType); 3] =
    [("operator_id", DType::Int), ("message", DType::Str), ("trace", DType::Str)];

/// The logs of a plan under construction, and the numbers of its operators.
#[derive(Debug, Default)]
pub(crate) struct Logs {
    /// Local logs so far.
    count: u32,
    current: ErrorLogId,
    global: Option<NodeId>,
    operators: u32,
}

impl Logs {
    /// Notes in everything that has a line which operator it belongs to and where that reports.
    pub(crate) fn mark(&mut self, node: &mut Node) {
        let built = Some(self.next());
        let own = node.frame.get_or_insert_with(Frame::unknown);
        own.built.clone_from(&built);
        let mut parts: Vec<&mut Option<Frame>> = match &mut node.op {
            Op::Select { frames, .. } => frames.iter_mut().collect(),
            Op::Reduce(reduce) => reduce.aggregates.iter_mut().map(|a| &mut a.frame).collect(),
            _ => vec![],
        };
        for part in &mut parts {
            part.get_or_insert_with(|| own.clone()).built.clone_from(&built);
        }
    }

    /// The line of an output, marked likewise.
    pub(crate) fn marked(&mut self, frame: Option<Frame>) -> Frame {
        Frame { built: Some(self.next()), ..frame.unwrap_or_else(Frame::unknown) }
    }

    fn next(&mut self) -> Arc<Built> {
        self.operators += 1;
        Arc::new(Built { operator: self.operators, log: self.current, again: vec![] })
    }
}

impl Graph {
    /// The log of all operators that have no other.
    #[track_caller]
    pub fn global_error_log(&self, frame: Option<Frame>) -> Table {
        let known = self.lock().logs.global;
        match known {
            Some(node) => Table::new(self, &self.lock(), node),
            None => {
                let table = self.error_log(Logged::To(ErrorLogId::GLOBAL), frame);
                self.lock().logs.global = Some(table.node());
                table
            }
        }
    }

    /// A new log. Operators report to it that are built while [`Graph::log_to`] names it.
    #[track_caller]
    pub fn local_error_log(&self, frame: Option<Frame>) -> (ErrorLogId, Table) {
        let log = {
            let logs = &mut self.lock().logs;
            logs.count += 1;
            ErrorLogId(logs.count)
        };
        (log, self.error_log(Logged::To(log), frame))
    }

    /// Lets operators built from now on report to this log; gives the one before. A log of a plan
    /// that has been cleared since is not taken.
    pub fn log_to(&self, log: ErrorLogId) -> ErrorLogId {
        let logs = &mut self.lock().logs;
        let before = logs.current;
        if log.0 <= logs.count {
            logs.current = log;
        }
        before
    }

    #[track_caller]
    fn error_log(&self, logged: Logged, frame: Option<Frame>) -> Table {
        let frame = match frame {
            Some(frame) => Some(frame),
            None => Some(Frame::of_caller()),
        };
        let mut state = self.lock();
        let universe = state.universe(&Definition::Unrelated);
        let column = |(name, dtype)| Column { name: Arc::from(name), dtype, append_only: true };
        let node = state.add(Node {
            op: Op::ErrorLog(logged),
            columns: COLUMNS.map(column).into(),
            id_dtype: DType::ANY_POINTER,
            id_append_only: true,
            universe,
            frame,
        });
        Table::new(self, &state, node)
    }
}

impl Table {
    /// What went wrong in the operators that this table is computed by, up to its inputs. Whoever asks
    /// for it has the table computed, with all its columns.
    ///
    /// # Errors
    /// If the plan of the table has been cleared.
    #[track_caller]
    pub fn error_history(&self) -> Result<Table, PlanError> {
        let frame = self.here();
        let operators = {
            let state = self.graph.lock();
            state.checked(self.node)?;
            let needed = needed([self.node], &state);
            needed.into_iter().filter_map(|id| Some(state.node(id).frame.as_ref()?.operator())).collect()
        };
        Ok(self.graph.error_log(Logged::By { table: self.node, operators: Arc::new(operators) }, frame))
    }
}

#[cfg(test)]
mod tests;
