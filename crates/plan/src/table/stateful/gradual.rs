//! A value that all rows know roughly.

use pathway_expr::{ColumnRef, Expr};
use pathway_types::DType;

use super::{Made, refuse_future};
use crate::PlanError;
use crate::col::Col;
use crate::graph::{Rows, Stateful};
use crate::stateful::StatefulKind;
use crate::table::Table;

/// The name of the column that is added.
const APPROXIMATE: &str = "apx_value";

impl Table {
    /// The rows with a column `apx_value`: one of the numbers `[lower, value, upper]` around the value, of the
    /// one row of `thresholds`. The nearer the value is to the upper one, the more rows have that. When the
    /// value moves, only as many rows change as it moves a part of the way. Without a row of thresholds there
    /// are no rows; of several the least counts.
    ///
    /// # Errors
    /// [`PlanError::Type`] if they are no numbers, [`PlanError::Value`] for tables of other plans, or columns of
    /// tables with other row ids.
    #[track_caller]
    pub fn gradual_broadcast(&self, thresholds: &Table, numbers: [Col; 3]) -> Result<Table, PlanError> {
        let frame = self.here();
        self.same_graph(&[thresholds])?;
        let numbers: Vec<Expr> =
            numbers.into_iter().map(|number| number.resolve(thresholds)).collect::<Result<_, _>>()?;
        let mut state = self.graph.lock();
        state.checked(self.node)?;
        let mut floats = Vec::new();
        for (what, number) in ["lower", "value", "upper"].into_iter().zip(&numbers) {
            let number = state.align(number, thresholds.node, frame.as_ref())?;
            refuse_future("gradual_broadcast", what, &number)?;
            floats.push(match number.dtype() {
                DType::Float => number,
                DType::Int => Expr::cast(DType::Float, number)?,
                other => {
                    let message = format!("gradual_broadcast: {what} is a number, not of type {other}");
                    return Err(PlanError::Type(message));
                }
            });
        }
        let columns = state.all_columns(self.node).into_iter();
        let is_other = |c: &ColumnRef| *state.node(c.source).columns[c.column as usize].name != *APPROXIMATE;
        let columns = columns.filter(is_other).collect();
        let stateful = Stateful {
            kind: StatefulKind::Gradual,
            inputs: vec![
                Rows { table: self.node, columns: vec![] },
                Rows { table: thresholds.node, columns: floats },
            ],
            columns,
            prunable: true,
            name: None,
        };
        let made = Made { universe: self.universe(), id_dtype: None, append_only: false };
        let node = state.add_stateful(stateful, vec![(APPROXIMATE, DType::Float)], made, frame);
        Ok(self.sibling(&state, node))
    }
}
