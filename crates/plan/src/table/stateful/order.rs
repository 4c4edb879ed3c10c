//! Rows in an order: sort, diff, interpolate.

use pathway_expr::{BinaryOp, Expr};
use pathway_types::DType;

use super::{Made, refuse_future};
use crate::col::Col;
use crate::graph::{NodeId, Rows, State, Stateful};
use crate::stateful::StatefulKind;
use crate::table::{Table, column_at};
use crate::{Frame, PlanError};

impl Table {
    /// The ids of the rows before and after each row in the order of `key` (of row ids where it is
    /// equal), within equal values of `instance`: columns `prev` and `next`.
    ///
    /// # Errors
    /// [`PlanError::Type`] if the key comes later, [`PlanError::Value`] for columns of tables with other
    /// row ids.
    #[track_caller]
    pub fn sort(&self, key: impl Into<Col>, instance: Option<Col>) -> Result<Table, PlanError> {
        let frame = self.here();
        let key = key.into().resolve(self)?;
        let instance = instance.map(|instance| instance.resolve(self)).transpose()?;
        let mut state = self.graph.lock();
        let pointer = DType::optional(self.id_dtype().clone());
        let controls = state.order("sort", self.node, &key, instance.as_ref(), &frame)?;
        let kind = StatefulKind::Sort { instance: instance.is_some() };
        let own = vec![("prev", pointer.clone()), ("next", pointer)];
        let node = state.add_ordered(self.node, kind, controls, own, &frame);
        Ok(self.sibling(&state, node))
    }

    /// The difference of these columns to the row before in the order of `timestamp`: columns `diff_…`.
    /// It is None in the first row, and where one of the two values is.
    ///
    /// # Errors
    /// As [`Table::sort`]; [`PlanError::Key`] for unknown columns, [`PlanError::Type`] for columns that
    /// cannot be subtracted.
    #[track_caller]
    pub fn diff<'a>(
        &self,
        timestamp: impl Into<Col>,
        values: impl IntoIterator<Item = &'a str>,
        instance: Option<Col>,
    ) -> Result<Table, PlanError> {
        let frame = self.here();
        let timestamp = timestamp.into().resolve(self)?;
        let instance = instance.map(|instance| instance.resolve(self)).transpose()?;
        let names: Vec<&str> = values.into_iter().collect();
        let values: Vec<Expr> = names.iter().map(|name| self.column(name)).collect::<Result<_, _>>()?;
        let mut state = self.graph.lock();
        let mut controls = state.order("diff", self.node, &timestamp, instance.as_ref(), &frame)?;
        controls.extend(values.iter().cloned());
        let dtype = |value: &Expr| value.dtype().clone();
        let own = values.iter().map(|value| ("value", dtype(value)));
        let before = values.iter().map(|value| ("previous", DType::optional(dtype(value))));
        let own = own.chain(before).collect();
        let kind = StatefulKind::Previous { instance: instance.is_some() };
        let node = state.add_ordered(self.node, kind, controls, own, &frame);
        let pairs = self.sibling(&state, node);
        drop(state);
        let difference = |(i, name): (usize, &&str)| {
            let (now, before) = (pairs.column_at(i), pairs.column_at(names.len() + i));
            let both = Expr::binary(BinaryOp::Sub, Expr::narrow(now.clone()), Expr::narrow(before.clone()))?;
            Ok((format!("diff_{name}"), Expr::require(both, vec![now, before])?, frame.clone()))
        };
        let columns = names.iter().enumerate().map(difference).collect::<Result<Vec<_>, PlanError>>()?;
        pairs.at(frame.clone()).select(columns)
    }

    /// The table with missing values in some columns filled in: on the line between the values before
    /// and after in the order of `timestamp`, or as the nearest value where there is only one. The columns
    /// become FLOAT.
    ///
    /// # Errors
    /// [`PlanError::Key`] for unknown columns, [`PlanError::Type`] for values that are no numbers, and
    /// timestamps that are neither numbers nor moments.
    #[track_caller]
    pub fn interpolate(&self, timestamp: &str, values: &[&str]) -> Result<Table, PlanError> {
        let frame = self.here();
        let time = self.column(timestamp)?;
        if !matches!(
            time.dtype().unoptional(),
            DType::Int | DType::Float | DType::DateTimeNaive | DType::DateTimeUtc | DType::Duration
        ) {
            return Err(PlanError::Type(format!(
                "interpolate: the column {timestamp} of type {} is no time; possible are INT, FLOAT, datetimes \
                 and durations",
                time.dtype()
            )));
        }
        let mut controls = vec![time];
        for name in values {
            let value = self.column(name)?;
            let dtype = match value.dtype() {
                DType::Int | DType::Float => DType::Float,
                DType::None => DType::optional(DType::Float),
                other if matches!(other.unoptional(), DType::Int | DType::Float) => {
                    DType::optional(DType::Float)
                }
                other => {
                    return Err(PlanError::Type(format!(
                        "interpolate: the column {name} of type {other} has no numbers; possible are INT and \
                         FLOAT, Optional or not"
                    )));
                }
            };
            controls.push(Expr::cast(dtype, value)?);
        }
        let own = values.iter().zip(&controls[1..]).map(|(name, value)| (*name, value.dtype().clone()));
        let own = own.collect();
        let mut state = self.graph.lock();
        state.checked(self.node)?;
        let node = state.add_ordered(self.node, StatefulKind::Interpolate, controls, own, &frame);
        drop(state);
        let columns = self.columns().iter().enumerate().map(|(i, column)| {
            let filled = values.iter().position(|name| *name == &*column.name);
            let value = match filled {
                Some(own) => column_at(&self.graph.lock(), node, own),
                None => self.column_at(i),
            };
            (column.name.to_string(), value, frame.clone())
        });
        let columns: Vec<_> = columns.collect();
        self.at(frame.clone()).select(columns)
    }
}

impl State {
    /// What controls an order of rows.
    fn order(
        &mut self,
        operation: &str,
        table: NodeId,
        key: &Expr,
        instance: Option<&Expr>,
        frame: &Option<Frame>,
    ) -> Result<Vec<Expr>, PlanError> {
        let key = self.align(key, table, frame.as_ref())?;
        refuse_future(operation, "key", &key)?;
        let mut controls = vec![key];
        if let Some(instance) = instance {
            let instance = self.align(instance, table, frame.as_ref())?;
            controls.push(Expr::pointer(vec![instance], false, None)?);
        }
        Ok(controls)
    }

    /// Adds an operation over the order of the rows of a table: same rows, own columns.
    fn add_ordered(
        &mut self,
        table: NodeId,
        kind: StatefulKind,
        controls: Vec<Expr>,
        own: Vec<(&str, DType)>,
        frame: &Option<Frame>,
    ) -> NodeId {
        let input = self.node(table);
        let (universe, id_append_only) = (input.universe, input.id_append_only);
        let stateful = Stateful {
            kind,
            inputs: vec![Rows { table, columns: controls }],
            columns: vec![],
            prunable: true,
            name: None,
        };
        let made = Made { universe, id_dtype: None, append_only: false };
        let node = self.add_stateful(stateful, own, made, frame.clone());
        let id_dtype = self.node(node).id_dtype.clone();
        self.relabel_ids(node, id_dtype, Some(id_append_only));
        node
    }
}
