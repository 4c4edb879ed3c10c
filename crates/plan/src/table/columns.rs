//! Operations on columns: same rows, same ids, other columns.

use std::sync::Arc;

use hashbrown::HashSet;
use pathway_expr::Expr;
use pathway_types::DType;

use super::{Table, column_at};
use crate::col::{Col, Scope};
use crate::graph::{Column, Node, NodeId, Op, State};
use crate::{Frame, PlanError};

/// An output column: a name and what it holds. Made from `(name, expression)`,
/// `(name, expression, frame)`, or a column, which keeps its name.
#[derive(Clone, Debug)]
pub struct Named {
    pub(super) name: Option<Arc<str>>,
    pub(super) value: Col,
    pub(super) frame: Option<Frame>,
}

impl<N: Into<Arc<str>>, C: Into<Col>> From<(N, C)> for Named {
    fn from((name, value): (N, C)) -> Self {
        Named { name: Some(name.into()), value: value.into(), frame: None }
    }
}

impl<N: Into<Arc<str>>, C: Into<Col>> From<(N, C, Option<Frame>)> for Named {
    fn from((name, value, frame): (N, C, Option<Frame>)) -> Self {
        Named { name: Some(name.into()), value: value.into(), frame }
    }
}

impl From<Col> for Named {
    fn from(value: Col) -> Self {
        Named { name: None, value, frame: None }
    }
}

impl From<&Col> for Named {
    fn from(value: &Col) -> Self {
        value.clone().into()
    }
}

/// An output column whose expression has been typed.
pub(super) struct Resolved {
    pub(super) name: Arc<str>,
    pub(super) value: Expr,
    pub(super) frame: Option<Frame>,
}

/// Types the expressions in a scope and checks the names.
pub(super) fn resolve_all(
    columns: impl IntoIterator<Item = impl Into<Named>>,
    scope: &dyn Scope,
    frame: &Option<Frame>,
) -> Result<Vec<Resolved>, PlanError> {
    let mut seen = HashSet::new();
    let mut resolved = Vec::new();
    for column in columns {
        let Named { name, value, frame: own } = column.into();
        let Some(name) = name.or_else(|| value.name()) else {
            return Err(PlanError::Value(
                "an expression that is not just a column needs a name, as in (\"total\", a + b)".to_owned(),
            ));
        };
        if !seen.insert(name.clone()) {
            return Err(PlanError::Value(format!("two columns of the result are named {name}")));
        }
        let value = value.resolve(scope)?;
        resolved.push(Resolved { name, value, frame: own.or_else(|| frame.clone()) });
    }
    Ok(resolved)
}

impl Table {
    /// A table of the same rows with exactly these columns.
    ///
    /// # Errors
    /// [`PlanError::Value`] for repeated names and for columns of tables with other row ids, and
    /// whatever the expressions are refused for.
    #[track_caller]
    pub fn select(&self, columns: impl IntoIterator<Item = impl Into<Named>>) -> Result<Table, PlanError> {
        let frame = self.here();
        let columns = resolve_all(columns, self, &frame)?;
        let mut state = self.graph.lock();
        let node = state.add_select(self.node, columns, frame)?;
        Ok(self.sibling(&state, node))
    }

    /// The table with these columns added, or replaced where a name exists. All expressions see the
    /// columns as they were.
    ///
    /// # Errors
    /// As [`Table::select`].
    #[track_caller]
    pub fn with_columns(
        &self,
        columns: impl IntoIterator<Item = impl Into<Named>>,
    ) -> Result<Table, PlanError> {
        let frame = self.here();
        let new = resolve_all(columns, self, &frame)?;
        let mut state = self.graph.lock();
        let mut all = state.columns_as_they_are(self.node, &frame)?;
        for column in new {
            match all.iter_mut().find(|c| c.name == column.name) {
                Some(old) => *old = column,
                None => all.push(column),
            }
        }
        let node = state.add_select(self.node, all, frame)?;
        Ok(self.sibling(&state, node))
    }

    /// The table without these columns.
    ///
    /// # Errors
    /// [`PlanError::Key`] if one does not exist.
    #[track_caller]
    pub fn without<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Result<Table, PlanError> {
        let frame = self.here();
        let mut state = self.graph.lock();
        let mut all = state.columns_as_they_are(self.node, &frame)?;
        for name in names {
            self.about.require(name)?;
            all.retain(|c| &*c.name != name);
        }
        let node = state.add_select(self.node, all, frame)?;
        Ok(self.sibling(&state, node))
    }

    /// The table with columns renamed, each in its place: pairs of old and new name.
    ///
    /// # Errors
    /// [`PlanError::Key`] if an old name does not exist, [`PlanError::Value`] if two columns would
    /// have one name.
    #[track_caller]
    pub fn rename<'a>(
        &self,
        names: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Table, PlanError> {
        let frame = self.here();
        let mut state = self.graph.lock();
        let mut all = state.columns_as_they_are(self.node, &frame)?;
        for (old, new) in names {
            all[self.about.require(old)?].name = Arc::from(new);
        }
        let all = all.into_iter().map(|c| (c.name, c.value, c.frame));
        let all = resolve_all(all, &crate::col::Typed, &frame)?;
        let node = state.add_select(self.node, all, frame)?;
        Ok(self.sibling(&state, node))
    }

    /// A table with the same rows and columns that is another table: needed to join a table with
    /// itself.
    ///
    /// # Errors
    /// [`PlanError::Runtime`] if the plan was cleared.
    #[track_caller]
    pub fn copy(&self) -> Result<Table, PlanError> {
        self.without([])
    }

    /// The table with other declared dtypes of some columns; the values stay what they are. One of
    /// the old and the new dtype must be a special case of the other.
    ///
    /// # Errors
    /// [`PlanError::Value`] for unknown columns, [`PlanError::Type`] for unrelated dtypes.
    #[track_caller]
    pub fn update_types<'a>(
        &self,
        dtypes: impl IntoIterator<Item = (&'a str, DType)>,
    ) -> Result<Table, PlanError> {
        let frame = self.here();
        let mut state = self.graph.lock();
        let mut all = state.columns_as_they_are(self.node, &frame)?;
        for (name, dtype) in dtypes {
            let Some(column) = all.iter_mut().find(|c| &*c.name == name) else {
                return Err(PlanError::Value(format!(
                    "update_types() got the name {name}, which is not a column of the table"
                )));
            };
            column.value = declare(dtype, &column.value)?;
        }
        let flags: Vec<bool> = state.node(self.node).columns.iter().map(|c| c.append_only).collect();
        let node = state.add_select_flagged(self.node, all, Some(&flags), frame)?;
        Ok(self.sibling(&state, node))
    }

    /// The table with another declared dtype of its row ids, a pointer; nothing happens at run time.
    ///
    /// # Errors
    /// [`PlanError::Assertion`] if the dtype is no pointer.
    #[track_caller]
    pub fn update_id_type(&self, dtype: DType, append_only: Option<bool>) -> Result<Table, PlanError> {
        let frame = self.here();
        if !dtype.is_pointer() {
            return Err(PlanError::Assertion(format!(
                "row ids are pointers, they cannot be declared {dtype}"
            )));
        }
        let mut state = self.graph.lock();
        let all = state.columns_as_they_are(self.node, &frame)?;
        let flags: Vec<bool> = state.node(self.node).columns.iter().map(|c| c.append_only).collect();
        let node = state.add_select_flagged(self.node, all, Some(&flags), frame)?;
        state.relabel_ids(node, dtype, append_only);
        Ok(self.sibling(&state, node))
    }
}

/// Relabels a column, from ANY to everything.
fn declare(dtype: DType, column: &Expr) -> Result<Expr, PlanError> {
    Ok(Expr::declare_type(dtype, column.clone())?)
}

impl State {
    /// All columns of a table, as a select of nothing but them.
    pub(super) fn columns_as_they_are(
        &self,
        table: NodeId,
        frame: &Option<Frame>,
    ) -> Result<Vec<Resolved>, PlanError> {
        let node = self.checked(table)?;
        let column = |(i, c): (usize, &Column)| Resolved {
            name: c.name.clone(),
            value: column_at(self, table, i),
            frame: frame.clone(),
        };
        Ok(node.columns.iter().enumerate().map(column).collect())
    }

    pub(super) fn add_select(
        &mut self,
        base: NodeId,
        columns: Vec<Resolved>,
        frame: Option<Frame>,
    ) -> Result<NodeId, PlanError> {
        self.add_select_flagged(base, columns, None, frame)
    }

    /// A select whose append-only flags may be given.
    fn add_select_flagged(
        &mut self,
        base: NodeId,
        columns: Vec<Resolved>,
        flags: Option<&[bool]>,
        frame: Option<Frame>,
    ) -> Result<NodeId, PlanError> {
        let mut new = Vec::with_capacity(columns.len());
        let (mut expressions, mut frames) = (Vec::with_capacity(columns.len()), Vec::new());
        for (i, column) in columns.into_iter().enumerate() {
            let value = self.align(&column.value, base, frame.as_ref())?;
            let append_only = match flags {
                Some(flags) => flags[i],
                None => self.is_append_only(base, &value),
            };
            new.push(Column { name: column.name, dtype: value.dtype().clone(), append_only });
            expressions.push(value);
            frames.push(column.frame);
        }
        let node = self.checked(base)?;
        let node = Node {
            op: Op::Select { base, expressions, frames },
            columns: new,
            id_dtype: node.id_dtype.clone(),
            id_append_only: node.id_append_only,
            universe: node.universe,
            frame,
        };
        Ok(self.add(node))
    }
}
