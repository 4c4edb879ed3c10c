//! Group-by and reduce.
//!
//! `reduce` takes expressions that mix reducers, grouping columns and constants. The reducers are
//! taken out into the group-by's node; what is left is a select on top of it.

use hashbrown::HashMap;
use pathway_expr::{ColumnRef, Expr, ExprKind, Reducer, SourceId};
use pathway_types::DType;

use super::columns::{Named, Resolved, resolve_all};
use super::{Table, column_at};
use crate::col::{Col, Scope, as_reference};
use crate::graph::{Aggregate, Column, GroupIds, Node, NodeId, Op, Reduce, State};
use crate::universe::{Definition, UniverseId};
use crate::{Frame, PlanError};

/// A table grouped by some of its columns, before its aggregates are chosen.
#[derive(Clone, Debug)]
pub struct GroupBy {
    table: Table,
    by: Vec<Expr>,
    ids: GroupIds,
    sort_by: Option<Expr>,
    row_ids: Option<Expr>,
    skip_errors: bool,
    universe: Option<UniverseId>,
    given: Option<Given>,
}

/// Columns that are the same in all rows of a group although it is not grouped by them, and the id of
/// a group.
#[derive(Clone, Debug)]
pub(super) struct Given {
    /// A column of the grouped table, and what it is outside of reducers: an expression of grouping
    /// columns and reducers.
    pub(super) columns: Vec<(Expr, Expr)>,
    /// The id, an expression of the same kind.
    pub(super) pointer: Expr,
    /// A table with one row for each group, under the group's key; its columns may be used, too.
    pub(super) groups: Option<Table>,
}

impl Table {
    /// Groups the rows by columns; without columns all rows are one group.
    ///
    /// # Errors
    /// [`PlanError::Type`] for anything but columns of this table or of tables with its universe.
    #[track_caller]
    pub fn group_by(&self, by: impl IntoIterator<Item = impl Into<Col>>) -> Result<GroupBy, PlanError> {
        let mut grouped = GroupBy {
            table: self.at(self.here()),
            by: vec![],
            ids: GroupIds::Hash,
            sort_by: None,
            row_ids: None,
            skip_errors: true,
            universe: None,
            given: None,
        };
        for column in by {
            let column = grouped.grouping(column.into(), self)?;
            grouped.by.push(column);
        }
        Ok(grouped)
    }

    /// Groups by a pointer column, whose values are the ids of the result.
    ///
    /// # Errors
    /// As [`Table::group_by`]; [`PlanError::Type`] if the column cannot hold pointers.
    #[track_caller]
    pub fn group_by_id(&self, id: impl Into<Col>) -> Result<GroupBy, PlanError> {
        let grouped = self.group_by([id])?;
        let dtype = grouped.by[0].dtype().unoptional();
        if !dtype.is_pointer() && *dtype != DType::Any {
            return Err(PlanError::Type(format!("the ids of groups must be pointers, not {dtype}")));
        }
        Ok(GroupBy { ids: GroupIds::Pointer, ..grouped })
    }

    /// One row of aggregates over all rows.
    ///
    /// # Errors
    /// As [`GroupBy::reduce`].
    #[track_caller]
    pub fn reduce(&self, columns: impl IntoIterator<Item = impl Into<Named>>) -> Result<Table, PlanError> {
        self.group_by([] as [Col; 0])?.reduce(columns)
    }
}

/// What a column outside of reducers may be: a grouping column or row id, by where it was made.
type Origin = (NodeId, Option<u32>);

impl GroupBy {
    fn grouping(&self, column: Col, scope: &dyn Scope) -> Result<Expr, PlanError> {
        let column = column.resolve(scope)?;
        if as_reference(&column).is_none() {
            return Err(PlanError::Type(
                "a table is grouped by columns, as in group_by([col(\"city\")]); add expressions as columns first"
                    .to_owned(),
            ));
        }
        if let DType::Future(_) = column.dtype() {
            return Err(PlanError::Type(format!(
                "a table cannot be grouped by a column of type {}: its values may still be pending. Use \
                 await_futures() first.",
                column.dtype()
            )));
        }
        let mut state = self.table.graph.lock();
        state.align(&column, self.table.node, self.table.frame.as_ref())
    }

    /// One more grouping column; groups with equal values of it are on one worker.
    ///
    /// # Errors
    /// As [`Table::group_by`]; [`PlanError::Value`] if ids or an instance have been given.
    pub fn instance(mut self, instance: impl Into<Col>) -> Result<GroupBy, PlanError> {
        if self.ids != GroupIds::Hash {
            return Err(PlanError::Value(
                "an instance goes with neither an id nor another instance".to_owned(),
            ));
        }
        let instance = self.grouping(instance.into(), &self.table)?;
        self.by.push(instance);
        Ok(GroupBy { ids: GroupIds::Instance, ..self })
    }

    /// The order in which values enter `tuple` and `ndarray`; ties and no order at all are by row id.
    ///
    /// # Errors
    /// Whatever the expression is refused for.
    pub fn sort_by(self, order: impl Into<Col>) -> Result<GroupBy, PlanError> {
        let order = order.into().resolve(&self.table)?;
        if let DType::Future(_) = order.dtype() {
            return Err(PlanError::Type(format!(
                "a column of type {} gives no order: its values may still be pending. Use await_futures() first.",
                order.dtype()
            )));
        }
        let order = self.table.graph.lock().align(&order, self.table.node, self.table.frame.as_ref())?;
        Ok(GroupBy { sort_by: Some(order), ..self })
    }

    /// Reducers go by these pointers and not by the ids of rows.
    pub(super) fn row_ids(self, ids: &Expr) -> Result<GroupBy, PlanError> {
        let ids = self.table.graph.lock().align(ids, self.table.node, self.table.frame.as_ref())?;
        Ok(GroupBy { row_ids: Some(ids), ..self })
    }

    /// Whether rows with an error in an argument are ignored by that reducer (the default), or make
    /// it an error.
    pub fn skip_errors(self, skip_errors: bool) -> GroupBy {
        GroupBy { skip_errors, ..self }
    }

    /// The result's universe is known to equal this one: that of another reduce of the same groups.
    pub fn universe(self, universe: Option<UniverseId>) -> GroupBy {
        GroupBy { universe, ..self }
    }

    /// The same groups under other ids.
    pub(super) fn with_ids(self, ids: GroupIds) -> GroupBy {
        GroupBy { ids, ..self }
    }

    /// Further columns that may be used outside of reducers, and other ids for the groups.
    pub(super) fn given(self, given: Given) -> GroupBy {
        GroupBy { given: Some(given), ..self }
    }

    /// The same groups; what is done next is attributed to the line of this handle of the table.
    pub(super) fn at(&self, table: &Table) -> GroupBy {
        GroupBy { table: table.clone(), ..self.clone() }
    }

    /// One row per group: expressions of reducers, grouping columns and constants.
    ///
    /// # Errors
    /// [`PlanError::Value`] for columns that are neither grouped by nor inside of a reducer, and
    /// whatever the expressions are refused for.
    #[track_caller]
    pub fn reduce(&self, columns: impl IntoIterator<Item = impl Into<Named>>) -> Result<Table, PlanError> {
        self.reduce_in(columns, &self.table)
    }

    /// As [`GroupBy::reduce`], names being looked up in `scope`.
    #[track_caller]
    pub(super) fn reduce_in(
        &self,
        columns: impl IntoIterator<Item = impl Into<Named>>,
        scope: &dyn Scope,
    ) -> Result<Table, PlanError> {
        let frame = self.table.here();
        let columns = resolve_all(columns, scope, &frame)?;
        let mut state = self.table.graph.lock();
        let node = state.add_reduce(self, columns, frame)?;
        Ok(self.table.sibling(&state, node))
    }
}

/// Stands for the group-by's node until that has been added.
const GROUPED: SourceId = SourceId(u32::MAX);

impl State {
    fn add_reduce(
        &mut self,
        grouped: &GroupBy,
        columns: Vec<Resolved>,
        frame: Option<Frame>,
    ) -> Result<NodeId, PlanError> {
        let input = grouped.table.node;
        self.checked(input)?;
        self.check_universes(grouped.universe.as_slice())?;
        let mut origins: HashMap<Origin, usize> = HashMap::new();
        for (i, column) in grouped.by.iter().enumerate() {
            if let Some(reference) = as_reference(column) {
                origins.entry(self.origin_of(reference)).or_insert(i);
            }
        }
        let mut aggregates: Vec<Aggregate> = Vec::new();
        let mut finals = Vec::new();
        let pointer = grouped.given.as_ref().map(|given| Resolved {
            name: "id".into(),
            value: given.pointer.clone(),
            frame: frame.clone(),
        });
        for column in columns.into_iter().chain(pointer) {
            let column = Resolved { value: self.put_given(&column.value, grouped), ..column };
            let value = self.take_reducers(&column, grouped, &origins, &mut aggregates)?;
            finals.push(Resolved { value, ..column });
        }
        for aggregate in &aggregates {
            self.check_append_only(aggregate, input);
        }
        let mut new: Vec<Column> = Vec::new();
        for (i, column) in grouped.by.iter().enumerate() {
            let name = format!("group{i}").into();
            new.push(Column { name, dtype: column.dtype().clone(), append_only: false });
        }
        for (i, aggregate) in aggregates.iter().enumerate() {
            let name = format!("{}{i}", aggregate.reducer.name()).into();
            new.push(Column { name, dtype: aggregate.dtype.clone(), append_only: false });
        }
        let id_dtype = match grouped.ids {
            GroupIds::Hash | GroupIds::Instance => {
                DType::pointer(grouped.by.iter().map(|c| c.dtype().clone()))
            }
            GroupIds::Pointer => match grouped.by[0].dtype().unoptional() {
                pointer @ DType::Pointer(_) => pointer.clone(),
                _ => DType::ANY_POINTER,
            },
        };
        let whole = self.node(input).universe;
        let universe = self.universe(&Definition::EmptyWith(vec![whole]));
        let beside = grouped.given.as_ref().and_then(|given| given.groups.as_ref());
        if let Some(beside) = beside {
            let beside = self.checked(beside.node)?.universe;
            self.universes.promise_equal(universe, beside);
        }
        let groups = self.add(Node {
            op: Op::Reduce(Reduce {
                input,
                group: grouped.by.clone(),
                ids: grouped.ids,
                aggregates,
                sort_by: grouped.sort_by.clone(),
                row_ids: grouped.row_ids.clone(),
                skip_errors: grouped.skip_errors,
            }),
            columns: new,
            id_dtype,
            id_append_only: false,
            universe,
            frame: frame.clone(),
        });
        let of_groups = |groups: NodeId, value: &Expr| {
            value.rewrite(&mut |e| match e.kind() {
                ExprKind::Column(ColumnRef { source: GROUPED, column }) => {
                    Some(Expr::column(ColumnRef { source: groups, column: *column }, e.dtype().clone()))
                }
                _ => None,
            })
        };
        for column in &mut finals {
            column.value = of_groups(groups, &column.value);
        }
        let mut result = self.add_select(groups, finals, frame.clone())?;
        if grouped.given.is_some() {
            // The last column is the id.
            let last = self.node(result).columns.len() - 1;
            let pointer = column_at(self, result, last);
            let reindexed = self.add_reindex(result, &pointer, frame.clone())?;
            let mut columns = self.columns_as_they_are(reindexed, &frame)?;
            columns.pop();
            result = self.add_select(reindexed, columns, frame)?;
        }
        if let Some(equal) = grouped.universe {
            let universe = self.node(result).universe;
            self.universes.promise_equal(universe, equal);
        }
        Ok(result)
    }

    /// The expression with given columns outside of reducers replaced by what they are.
    fn put_given(&self, value: &Expr, grouped: &GroupBy) -> Expr {
        let Some(given) = &grouped.given else { return value.clone() };
        let of = |column: &Expr| as_reference(column).map(|reference| self.origin_of(reference));
        let known: HashMap<Origin, &Expr> =
            given.columns.iter().filter_map(|(column, is)| Some((of(column)?, is))).collect();
        value.rewrite(&mut |e| match e.kind() {
            ExprKind::Reducer(..) => Some(e.clone()),
            ExprKind::Column(_) => Some((*known.get(&of(e)?)?).clone()),
            _ => None,
        })
    }

    /// Where a column or row id was made.
    fn origin_of(&self, (source, column): Origin) -> Origin {
        match column {
            Some(column) => {
                let origin = self.origin(ColumnRef { source, column });
                match &self.node(origin.source).op {
                    Op::Select { expressions, .. } => {
                        let made = &expressions[origin.column as usize];
                        match as_reference(made) {
                            Some((source, None)) => self.origin_of((source, None)),
                            _ => (origin.source, Some(origin.column)),
                        }
                    }
                    _ => (origin.source, Some(origin.column)),
                }
            }
            None => {
                let mut at = source;
                while let Op::Select { base, .. } = &self.node(at).op {
                    at = *base;
                }
                (at, None)
            }
        }
    }

    /// The expression over the group-by's columns, of which it may add some.
    fn take_reducers(
        &mut self,
        column: &Resolved,
        grouped: &GroupBy,
        origins: &HashMap<Origin, usize>,
        aggregates: &mut Vec<Aggregate>,
    ) -> Result<Expr, PlanError> {
        let mut error = None;
        let input = grouped.table.node;
        let expression = column.value.rewrite(&mut |e| match e.kind() {
            ExprKind::Reducer(reducer, arguments) => {
                let aligned: Result<Vec<Expr>, PlanError> =
                    arguments.iter().map(|a| self.align(a, input, column.frame.as_ref())).collect();
                match aligned {
                    Ok(arguments) => aggregates.push(Aggregate {
                        reducer: reducer.clone(),
                        arguments,
                        dtype: e.dtype().clone(),
                        frame: column.frame.clone(),
                    }),
                    Err(refused) => error = Some(refused),
                }
                let position = (grouped.by.len() + aggregates.len()).saturating_sub(1);
                let reference = ColumnRef { source: GROUPED, column: position as u32 };
                Some(Expr::column(reference, e.dtype().clone()))
            }
            ExprKind::Column(_) | ExprKind::Id(_) => match self.grouping_column(e, grouped, origins) {
                Ok(found) => Some(found),
                Err(refused) => {
                    error = Some(refused);
                    Some(e.clone())
                }
            },
            _ => None,
        });
        error.map_or(Ok(expression), Err)
    }

    /// The grouping column that a column outside of reducers is.
    fn grouping_column(
        &self,
        column: &Expr,
        grouped: &GroupBy,
        origins: &HashMap<Origin, usize>,
    ) -> Result<Expr, PlanError> {
        let Some(reference) = as_reference(column) else { return Ok(column.clone()) };
        let beside = grouped.given.as_ref().and_then(|given| given.groups.as_ref());
        if beside.is_some_and(|beside| beside.node == reference.0) {
            return Ok(column.clone());
        }
        let source = self.checked(reference.0)?;
        if reference.1.is_some_and(|c| c as usize >= source.columns.len()) {
            return Err(PlanError::Runtime("a column of another plan cannot be used".to_owned()));
        }
        let Some(position) = origins.get(&self.origin_of(reference)) else {
            let column = ColumnRef { source: reference.0, column: reference.1.unwrap_or(u32::MAX) };
            let ([table], tables) = self.table_names([reference.0]);
            let name = format!("{table}.{}", self.name_in_table(column));
            return Err(PlanError::Value(format!(
                "you cannot use {name} in this reduce statement: a group has one value of it only if the table is \
                 grouped by it. Group by it, or wrap it with a reducer, for example reducers.any({name}){tables}"
            )));
        };
        let own = grouped.by[*position].dtype();
        let reference = ColumnRef { source: GROUPED, column: *position as u32 };
        let found = Expr::column(reference, own.clone());
        Ok(if own == column.dtype() { found } else { Expr::declare_type(column.dtype().clone(), found)? })
    }

    /// Some reducers look at when a row came and cannot take one back.
    fn check_append_only(&mut self, aggregate: &Aggregate, input: NodeId) {
        let sensitive = matches!(
            aggregate.reducer,
            Reducer::Earliest | Reducer::Latest | Reducer::CountDistinctApproximate { .. }
        );
        if sensitive && !aggregate.arguments.iter().all(|a| self.is_append_only(input, a)) {
            self.warn(
                format!(
                    "the {} reducer needs an append-only input, and that this one is cannot be derived; a removal \
                     will stop the run. assert_append_only() says that there are none",
                    aggregate.reducer.name()
                ),
                aggregate.frame.clone(),
            );
        }
    }
}
