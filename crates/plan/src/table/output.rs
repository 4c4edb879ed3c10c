//! Tables that leave the plan.

use std::sync::Arc;

use pathway_io::Sink;

use super::Table;
use crate::PlanError;
use crate::col::{Col, as_reference};
use crate::graph::{Output, OutputId};

/// How a sink wants its changes.
#[derive(Clone, Debug, Default)]
pub struct OutputOptions {
    /// Its unique name.
    pub name: Option<String>,
    /// Changes of one time in the order of these columns, instead of removals first.
    pub sort_by: Option<Vec<Col>>,
    /// Rows with error or pending cells are delivered too.
    pub keep_errors: bool,
}

impl Table {
    /// Feeds a sink with the changes of this table.
    ///
    /// # Errors
    /// [`PlanError::Value`] if `sort_by` names anything but columns of this table.
    #[track_caller]
    pub fn output(&self, sink: Arc<dyn Sink>, options: OutputOptions) -> Result<OutputId, PlanError> {
        let frame = self.here();
        let mut sort_by = None;
        if let Some(columns) = options.sort_by {
            let mut positions = Vec::new();
            for column in columns {
                let column = column.resolve(self)?;
                match as_reference(&column) {
                    Some((node, Some(position))) if node == self.node => positions.push(position as usize),
                    _ => {
                        return Err(PlanError::Value(
                            "an output can be sorted by columns of the table it writes only".to_owned(),
                        ));
                    }
                }
            }
            sort_by = Some(positions);
        }
        let mut state = self.graph.lock();
        state.checked(self.node)?;
        state.check_outside(self.node)?;
        let id = OutputId(state.outputs.len() as u32);
        let frame = Some(state.logs.marked(frame));
        state.outputs.push(Output {
            table: self.node,
            sink,
            name: options.name,
            sort_by,
            keep_errors: options.keep_errors,
            frame,
        });
        Ok(id)
    }
}
