//! Joins.
//!
//! A join is a table of all columns of both sides (`l.<name>`, `r.<name>`) and of both row ids (named with
//! a zero byte, as no column is); what is not used of it costs nothing. [`JoinResult`] is that table together
//! with what the names of the operands mean in it.

use std::sync::Arc;

use pathway_expr::{BinaryOp, Expr};
use pathway_types::DType;

use super::columns::Named;
use super::window::{SHARED, Sides};
use super::{GroupBy, Table};
use crate::col::{Col, Operands, Scope, Side, as_reference};
use crate::graph::{Column, Join, JoinColumn, Node, NodeId, Op, State};
use crate::program::{JoinIds, JoinMode, Matching};
use crate::universe::{Definition, UniverseId};
use crate::{Frame, PlanError};

mod behavior;
mod names;
mod temporal;

use behavior::{Keeping, Rows};
use names::{Operand, Shape};
pub use temporal::InTime;
use temporal::Temporal;

/// Everything about a join but its operands and conditions.
#[derive(Clone, Debug, Default)]
pub struct JoinOptions {
    /// Which unmatched rows are kept; inner without it.
    pub mode: Option<JoinMode>,
    /// The ids of the result.
    pub ids: Option<Side>,
    /// One more equality, whose value alone decides on the worker.
    pub instance: Option<(Col, Col)>,
    /// Promise that a left row matches once at most; it is forgotten after its match.
    pub left_exactly_once: bool,
    /// The same for right rows.
    pub right_exactly_once: bool,
    /// How times decide which rows match, if they do.
    pub in_time: Option<InTime>,
}

impl JoinOptions {
    /// A join of this mode.
    pub fn mode(mode: JoinMode) -> Self {
        JoinOptions { mode: Some(mode), ..JoinOptions::default() }
    }
}

/// What a join may take as an operand: a table or a join.
pub trait Joinable {
    /// The table of its columns.
    fn as_table(&self) -> &Table;
    /// What names mean in it.
    #[doc(hidden)]
    fn operand(&self) -> OperandShape;
    #[doc(hidden)]
    fn scope(&self) -> &dyn JoinScope;
}

/// Opaque: what the names of an operand mean.
#[doc(hidden)]
pub struct OperandShape(Operand);

/// Opaque: a scope.
#[doc(hidden)]
#[allow(private_bounds)]
pub trait JoinScope: Scope {}
impl JoinScope for Table {}
impl JoinScope for JoinResult {}

impl Joinable for Table {
    fn as_table(&self) -> &Table {
        self
    }
    fn operand(&self) -> OperandShape {
        OperandShape(Operand::table(self.node, &self.about.columns))
    }
    fn scope(&self) -> &dyn JoinScope {
        self
    }
}

impl Joinable for JoinResult {
    fn as_table(&self) -> &Table {
        &self.table
    }
    fn operand(&self) -> OperandShape {
        OperandShape(Operand::Join(Box::new(self.shape.clone())))
    }
    fn scope(&self) -> &dyn JoinScope {
        self
    }
}

/// Two joined tables, before columns are chosen.
#[derive(Clone, Debug)]
pub struct JoinResult {
    table: Table,
    shape: Shape,
    /// The rows of both sides that were joined.
    rows: [Table; 2],
}

macro_rules! join_methods {
    ($of:ty) => {
        impl $of {
            /// Pairs of rows in which each pair of columns is equal (None equals None); all pairs of
            /// rows without conditions. Unmatched rows are dropped.
            ///
            /// # Errors
            /// As [`Table::join_with`].
            #[track_caller]
            pub fn join(
                &self,
                other: &impl Joinable,
                on: impl IntoIterator<Item = (impl Into<Col>, impl Into<Col>)>,
            ) -> Result<JoinResult, PlanError> {
                self.join_with(other, on, JoinOptions::default())
            }

            /// As `join`; unmatched rows of the left side are kept.
            ///
            /// # Errors
            /// As [`Table::join_with`].
            #[track_caller]
            pub fn join_left(
                &self,
                other: &impl Joinable,
                on: impl IntoIterator<Item = (impl Into<Col>, impl Into<Col>)>,
            ) -> Result<JoinResult, PlanError> {
                self.join_with(other, on, JoinOptions::mode(JoinMode::Left))
            }

            /// As `join`; unmatched rows of the right side are kept.
            ///
            /// # Errors
            /// As [`Table::join_with`].
            #[track_caller]
            pub fn join_right(
                &self,
                other: &impl Joinable,
                on: impl IntoIterator<Item = (impl Into<Col>, impl Into<Col>)>,
            ) -> Result<JoinResult, PlanError> {
                self.join_with(other, on, JoinOptions::mode(JoinMode::Right))
            }

            /// As `join`; unmatched rows of both sides are kept.
            ///
            /// # Errors
            /// As [`Table::join_with`].
            #[track_caller]
            pub fn join_outer(
                &self,
                other: &impl Joinable,
                on: impl IntoIterator<Item = (impl Into<Col>, impl Into<Col>)>,
            ) -> Result<JoinResult, PlanError> {
                self.join_with(other, on, JoinOptions::mode(JoinMode::Outer))
            }

            /// A join with all its options.
            ///
            /// # Errors
            /// [`PlanError::Value`] if a condition is not a pair of a left and a right column or the
            /// operands share a table, [`PlanError::Type`] if their types cannot be compared,
            /// [`PlanError::Key`] if the mode does not allow the ids.
            #[track_caller]
            pub fn join_with(
                &self,
                other: &impl Joinable,
                on: impl IntoIterator<Item = (impl Into<Col>, impl Into<Col>)>,
                options: JoinOptions,
            ) -> Result<JoinResult, PlanError> {
                let on = on.into_iter().map(|(l, r)| (l.into(), r.into())).collect();
                let frame = self.as_table().here();
                join(self, other, on, options, frame)
            }
        }
    };
}
join_methods!(Table);
join_methods!(JoinResult);

fn join(
    left: &impl Joinable,
    right: &impl Joinable,
    mut on: Vec<(Col, Col)>,
    options: JoinOptions,
    frame: Option<Frame>,
) -> Result<JoinResult, PlanError> {
    let (left_table, right_table) = (left.as_table(), right.as_table());
    left_table.same_graph(&[right_table])?;
    let (OperandShape(mut left_shape), OperandShape(mut right_shape)) = (left.operand(), right.operand());
    let window = options.in_time.as_ref().and_then(InTime::window);
    if window.is_none() && left_table.node == right_table.node {
        return Err(PlanError::Value(
            "a table cannot be joined with itself; use copy() for one of the operands".to_owned(),
        ));
    }
    if window.is_none() && left_shape.shares_table_with(&right_shape) {
        return Err(PlanError::Assertion(
            "the two sides of a join have a table in common; use copy() of it on one side".to_owned(),
        ));
    }
    let instance = options.instance.is_some() && window.is_none();
    on.extend(options.instance);
    let scope = Operands { left: left.scope(), right: right.scope() };
    let (mut left_on, mut right_on, mut shared) = (vec![], vec![], vec![]);
    for (l, r) in on {
        if let (Some(a), Some(b)) = (l.name(), r.name())
            && a == b
        {
            shared.push(a);
        }
        let (l, r) = (l.resolve(&scope)?, r.resolve(&scope)?);
        let (l, r) = condition(l, r, left_table.node, right_table.node)?;
        left_on.push(l);
        right_on.push(r);
    }
    let mode = options.mode.unwrap_or(JoinMode::Inner);
    let behavior = options.in_time.as_ref().and_then(InTime::behavior);
    let mut rows = [left_table, right_table].map(Rows::all);
    let mut matching = Matching::Equal;
    if let Some(in_time) = &options.in_time {
        let mut times = None;
        if let Some((left, right)) = in_time.times() {
            let left = time(left, &scope, left_table, &frame)?;
            let right = time(right, &scope, right_table, &frame)?;
            in_time.check(&left, &right, mode)?;
            let mut found = [left, right];
            if let Some(window) = window {
                let tables = [left_table, right_table].map(|table| table.at(frame.clone()));
                let [l, r] = &tables;
                let instances = [left_on.clone(), right_on.clone()];
                let windowed =
                    Sides { tables: [l, r], times: found.clone(), instances }.in_windows(window)?;
                for (name, place) in SHARED.into_iter().zip(0..) {
                    left_on.insert(place, windowed[0].column(name)?);
                    right_on.insert(place, windowed[1].column(name)?);
                    shared.push(name.into());
                }
                let [l, r] = windowed;
                (left_shape, right_shape) =
                    (left_shape.with_columns(l.columns())?, right_shape.with_columns(r.columns())?);
                rows = [Rows::made(left_table, l), Rows::made(right_table, r)];
            }
            if let Some(behavior) = behavior {
                for (side, table) in [left_table, right_table].into_iter().enumerate() {
                    let table = table.at(frame.clone());
                    (rows[side], found[side]) = Rows::behaving(&table, &found[side], behavior)?;
                }
            }
            times = Some(found);
        }
        match in_time.matching(times, mode)? {
            Temporal::Matching(found) => matching = found,
            Temporal::Equality(left, right) => {
                left_on.insert(0, left);
                right_on.insert(0, right);
            }
        }
    }
    let left_on = left_on.iter().map(|e| rows[0].moved(e)).collect();
    let right_on = right_on.iter().map(|e| rows[1].moved(e)).collect();
    let mut state = left_table.graph.lock();
    let ids = match (options.ids, mode) {
        (None, _) => JoinIds::Pair,
        (Some(Side::Left), JoinMode::Inner | JoinMode::Left) => JoinIds::Left,
        (Some(Side::Right), JoinMode::Inner | JoinMode::Right) => JoinIds::Right,
        (Some(side), mode) => {
            return Err(PlanError::Key(format!(
                "a join of mode {mode:?} cannot have the ids of its {side:?} side: unmatched rows of the other \
                 side have none"
            )));
        }
    };
    let once = options.left_exactly_once || options.right_exactly_once;
    if once && mode != JoinMode::Inner {
        state.warn(
            "left_exactly_once and right_exactly_once only help inner joins and are ignored here: a row that has \
             left the state could not be told from an unmatched one",
            frame.clone(),
        );
    }
    let once = |flag: bool| flag && mode == JoinMode::Inner;
    let mut join = Join {
        left: rows[0].table.node,
        right: rows[1].table.node,
        mode,
        left_on,
        right_on,
        instance,
        matching,
        ids,
        left_exactly_once: once(options.left_exactly_once),
        right_exactly_once: once(options.right_exactly_once),
        columns: vec![],
    };
    let keeping = Keeping::of(&state, &join, behavior, [left_table, right_table]);
    if let Matching::Interval { keeps, .. } = &mut join.matching {
        *keeps = keeping.is_by_join();
    }
    let node = state.add_join(join, frame.clone())?;
    let rows = rows.map(|rows| rows.table);
    let (left_width, right_width) = (rows[0].columns().len(), rows[1].columns().len());
    let shape = Shape::new(mode, left_shape, right_shape, (left_width, right_width), shared);
    let table = left_table.sibling(&state, node).at(frame);
    drop(state);
    Ok(JoinResult { table: keeping.apply(table)?, shape, rows })
}

/// The time of the rows of one side.
fn time(time: &Col, scope: &Operands<'_>, side: &Table, frame: &Option<Frame>) -> Result<Expr, PlanError> {
    let time = time.resolve(scope)?;
    side.graph.lock().align(&time, side.node, frame.as_ref())
}

/// The two sides of a condition, checked and brought to one type.
fn condition(l: Expr, r: Expr, left: NodeId, right: NodeId) -> Result<(Expr, Expr), PlanError> {
    let (Some((a, _)), Some((b, _))) = (as_reference(&l), as_reference(&r)) else {
        return Err(PlanError::Value(
            "a join condition must be the equality of a column of the left table and one of the right table; add \
             expressions as columns first"
                .to_owned(),
        ));
    };
    if (a, b) == (right, left) {
        return Err(PlanError::Value(
            "a join condition must name the left table's column first; the sides are swapped".to_owned(),
        ));
    }
    for (found, expected, side) in [(a, left, "left"), (b, right, "right")] {
        if found != expected {
            return Err(PlanError::Value(format!(
                "the {side} part of a join condition must be a column of the {side} table of the join itself, not \
                 of another table made from it"
            )));
        }
    }
    comparable(l, r)
}

/// Both expressions as one type, so that equal values have equal bytes.
fn comparable(l: Expr, r: Expr) -> Result<(Expr, Expr), PlanError> {
    if let Some(e) = [&l, &r].into_iter().find(|e| matches!(e.dtype(), DType::Future(_))) {
        return Err(PlanError::Type(format!(
            "rows are not joined by a column of type {}, whose values may still be pending; use \
             await_futures() on the table first",
            e.dtype()
        )));
    }
    let incompatible = |l: &Expr, r: &Expr| {
        PlanError::Type(format!(
            "incompatible types in a join condition: {} and {} are never equal; cast one of them",
            l.dtype(),
            r.dtype()
        ))
    };
    let Ok(equality) = Expr::binary(BinaryOp::Eq, l.clone(), r.clone()) else {
        return Err(incompatible(&l, &r));
    };
    // Building the comparison has brought INT and FLOAT together.
    let [a, b] = equality.children()[..] else { return Err(incompatible(&l, &r)) };
    let (s, t) = (a.dtype().unoptional(), b.dtype().unoptional());
    if s == t || s.is_pointer() && t.is_pointer() {
        return Ok((a.clone(), b.clone()));
    }
    let common = DType::common_type(a.dtype(), b.dtype()).map_err(|_| incompatible(&l, &r))?;
    Ok((Expr::cast(common.clone(), a.clone())?, Expr::cast(common, b.clone())?))
}

impl State {
    /// Adds a join of all columns of both sides.
    fn add_join(&mut self, mut join: Join, frame: Option<Frame>) -> Result<NodeId, PlanError> {
        let (left, right) = (self.checked(join.left)?.clone(), self.checked(join.right)?.clone());
        let (optional_left, optional_right) = (
            matches!(join.mode, JoinMode::Right | JoinMode::Outer),
            matches!(join.mode, JoinMode::Left | JoinMode::Outer),
        );
        let mut append_only = join.mode == JoinMode::Inner && left.id_append_only && right.id_append_only;
        for (on, table) in [(&join.left_on, join.left), (&join.right_on, join.right)] {
            append_only &= on.iter().all(|e| self.is_append_only(table, e));
        }
        if let Some([l, r]) = join.matching.times() {
            append_only &= self.is_append_only(join.left, l) && self.is_append_only(join.right, r);
        }
        // Rows change their partners.
        let is_asof = matches!(join.matching, Matching::AsOf { .. });
        append_only &= !is_asof && !matches!(join.matching, Matching::AsOfNow);
        let dtype = |dtype: &DType, optional: bool| match optional {
            true => DType::optional(dtype.clone()),
            false => dtype.clone(),
        };
        let mut columns = Vec::new();
        for (side, node, optional) in [("l", &left, optional_left), ("r", &right, optional_right)] {
            columns.extend(node.columns.iter().map(|c| Column {
                name: format!("{side}.{}", c.name).into(),
                dtype: dtype(&c.dtype, optional),
                append_only: c.append_only && append_only,
            }));
        }
        for (side, node, optional) in [("l", &left, optional_left), ("r", &right, optional_right)] {
            columns.push(Column {
                name: format!("{side}.\0id").into(),
                dtype: dtype(&node.id_dtype, optional),
                append_only,
            });
        }
        join.columns = self.all_columns(join.left).into_iter().map(JoinColumn::Left).collect();
        join.columns.extend(self.all_columns(join.right).into_iter().map(JoinColumn::Right));
        join.columns.extend([JoinColumn::LeftId, JoinColumn::RightId]);
        if let (Some([l, r]), true) = (join.matching.times(), is_asof) {
            let column = |name: &str, dtype| Column { name: name.into(), dtype, append_only: false };
            columns.push(column("time.l", dtype(l.dtype(), optional_left)));
            columns.push(column("time.r", dtype(r.dtype(), optional_right)));
            columns.push(column("side", DType::Bool));
            join.columns.extend([JoinColumn::LeftTime, JoinColumn::RightTime, JoinColumn::Side]);
        }
        let id_dtype = match join.ids {
            JoinIds::Pair => DType::ANY_POINTER,
            JoinIds::Left => left.id_dtype.clone(),
            JoinIds::Right => right.id_dtype.clone(),
        };
        let universe = self.join_universe(&join, left.universe, right.universe);
        let op = Op::Join(join);
        Ok(self.add(Node { op, columns, id_dtype, id_append_only: append_only, universe, frame }))
    }

    fn join_universe(&mut self, join: &Join, left: UniverseId, right: UniverseId) -> UniverseId {
        let definition = match (join.ids, join.mode) {
            (JoinIds::Left, JoinMode::Left) => return left,
            (JoinIds::Right, JoinMode::Right) => return right,
            (JoinIds::Left, _) => Definition::SubsetOf(left),
            (JoinIds::Right, _) => Definition::SubsetOf(right),
            (JoinIds::Pair, JoinMode::Inner) => Definition::EmptyWith(vec![left, right]),
            (JoinIds::Pair, JoinMode::Left) => Definition::EmptyWith(vec![left]),
            (JoinIds::Pair, JoinMode::Right) => Definition::EmptyWith(vec![right]),
            (JoinIds::Pair, JoinMode::Outer) => {
                // Empty only if both are, which EmptyWith says of their union.
                let both = self.universe(&Definition::Union(vec![left, right]));
                Definition::EmptyWith(vec![both])
            }
        };
        self.universe(&definition)
    }
}

impl JoinResult {
    /// The table of all columns of both sides, `l.<name>` and `r.<name>`, and both row ids.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// The rows of both sides that were joined: with windows, once for each of these, and with columns that
    /// describe them (`_pw_window_start`, …).
    pub fn rows(&self) -> &[Table; 2] {
        &self.rows
    }

    /// The same join; operations called on this handle are attributed to this line.
    pub fn at(&self, frame: Option<Frame>) -> JoinResult {
        JoinResult { table: self.table.at(frame), ..self.clone() }
    }

    /// The names that `col` knows here: left ones, then new right ones, without ambiguous ones.
    pub fn column_names(&self) -> Vec<Arc<str>> {
        self.shape.names()
    }

    /// What a name means here: a key column of both sides, or the column of the only side that has
    /// one of this name.
    ///
    /// # Errors
    /// [`PlanError::Key`] if no side or both have a column of that name.
    pub fn column(&self, name: &str) -> Result<Expr, PlanError> {
        self.shape.column(name, &|i| self.at_position(i))
    }

    /// A table of the joined rows with these columns. Expressions may use `col` (see
    /// [`JoinResult::column`]), `left`, `right`, and columns of the joined tables.
    ///
    /// # Errors
    /// As [`Table::select`].
    #[track_caller]
    pub fn select(&self, columns: impl IntoIterator<Item = impl Into<Named>>) -> Result<Table, PlanError> {
        let frame = self.table.here();
        let columns = super::columns::resolve_all(columns, self, &frame)?;
        let mut state = self.table.graph.lock();
        let node = state.add_select(self.table.node, columns, frame)?;
        Ok(self.table.sibling(&state, node))
    }

    /// The joined rows where a condition holds.
    ///
    /// # Errors
    /// As [`Table::filter`].
    #[track_caller]
    pub fn filter(&self, condition: impl Into<Col>) -> Result<JoinResult, PlanError> {
        let condition = condition.into().resolve(self)?;
        let table = self.table.filter(condition)?;
        Ok(JoinResult { table, ..self.clone() })
    }

    /// Groups the joined rows by columns.
    ///
    /// # Errors
    /// As [`Table::group_by`].
    #[track_caller]
    pub fn group_by(
        &self,
        by: impl IntoIterator<Item = impl Into<Col>>,
    ) -> Result<GroupedJoin<'_>, PlanError> {
        let by = by.into_iter().map(|c| c.into().resolve(self)).collect::<Result<Vec<_>, _>>()?;
        Ok(GroupedJoin { join: self, group: self.table.group_by(by)? })
    }

    /// One row of aggregates over all joined rows.
    ///
    /// # Errors
    /// As [`GroupBy::reduce`].
    #[track_caller]
    pub fn reduce(&self, columns: impl IntoIterator<Item = impl Into<Named>>) -> Result<Table, PlanError> {
        self.group_by([] as [Col; 0])?.reduce(columns)
    }

    /// A column of the join's table, or its row id.
    fn at_position(&self, position: Option<usize>) -> Expr {
        match position {
            None => self.table.row_id(),
            Some(i) => self.table.column_at(i),
        }
    }
}

/// A grouped join, before its aggregates are chosen.
#[derive(Clone, Debug)]
pub struct GroupedJoin<'a> {
    join: &'a JoinResult,
    group: GroupBy,
}

impl GroupedJoin<'_> {
    /// As [`GroupBy::reduce`], with the names of the join.
    ///
    /// # Errors
    /// As [`GroupBy::reduce`].
    #[track_caller]
    pub fn reduce(&self, columns: impl IntoIterator<Item = impl Into<Named>>) -> Result<Table, PlanError> {
        self.group.reduce_in(columns, self.join)
    }
}

impl Scope for JoinResult {
    fn this(&self, name: &str) -> Result<Expr, PlanError> {
        self.column(name)
    }
    fn this_id(&self) -> Result<Expr, PlanError> {
        Ok(self.table.row_id())
    }
    fn side(&self, side: Side, name: &str) -> Result<Expr, PlanError> {
        self.shape.side(side).column(name, &|i| self.at_position(i))
    }
    fn side_id(&self, side: Side) -> Result<Expr, PlanError> {
        Ok(self.at_position(self.shape.side(side).id()))
    }
    /// Columns of the joined tables become columns of the join.
    fn place(&self, expression: &Expr) -> Result<Expr, PlanError> {
        let mut error = None;
        let whole = as_reference(expression).is_some();
        let placed = expression.rewrite(&mut |e| {
            let (source, column) = as_reference(e)?;
            let position = self.shape.find(source, column)?;
            let found = self.at_position(position);
            if found.dtype() != e.dtype() && !whole {
                error = Some(PlanError::Type(format!(
                    "the expression was built for a column of type {}, which is {} after the join; build it with \
                     left(..) and right(..), or over the columns of the join",
                    e.dtype(),
                    found.dtype()
                )));
            }
            Some(found)
        });
        error.map_or(Ok(placed), Err)
    }
}
