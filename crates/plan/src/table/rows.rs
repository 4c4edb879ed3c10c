//! Operations that choose rows and keep their ids, and `flatten`.

use std::sync::Arc;

use pathway_expr::{Expr, ExprKind, UnaryOp, condition_advice};
use pathway_types::DType;

use super::{Derived, Table};
use crate::col::{Col, as_reference};
use crate::graph::{Column, Flatten, FlattenColumn, Node, NodeId, Op, State};
use crate::universe::Definition;
use crate::{Frame, PlanError};

impl Table {
    /// The rows where a BOOL condition holds.
    ///
    /// # Errors
    /// [`PlanError::Type`] if the condition is not exactly BOOL.
    #[track_caller]
    pub fn filter(&self, condition: impl Into<Col>) -> Result<Table, PlanError> {
        self.filter_narrowing(condition, [])
    }

    /// As [`Table::filter`], where the condition implies that these columns are not None in the
    /// result: their dtypes lose Optional. A condition that is nothing but `is_not_none` of a column
    /// of this table is recognised by itself.
    ///
    /// # Errors
    /// As [`Table::filter`]; [`PlanError::Key`] for unknown columns.
    #[track_caller]
    pub fn filter_narrowing<'a>(
        &self,
        condition: impl Into<Col>,
        narrowed: impl IntoIterator<Item = &'a str>,
    ) -> Result<Table, PlanError> {
        let frame = self.here();
        let condition = condition.into().resolve(self)?;
        let narrowed = narrowed.into_iter().map(|n| self.about.require(n)).collect::<Result<_, _>>()?;
        let mut state = self.graph.lock();
        let universe = Definition::SubsetOf(self.universe());
        let node = state.add_filter(self.node, &condition, narrowed, universe, frame)?;
        Ok(self.sibling(&state, node))
    }

    /// The rows where the condition holds, and those where it does not. The two are known to be
    /// disjoint and to be the table together.
    ///
    /// # Errors
    /// As [`Table::filter`].
    #[track_caller]
    pub fn split(&self, condition: impl Into<Col>) -> Result<(Table, Table), PlanError> {
        self.split_narrowing(condition, [])
    }

    /// As [`Table::split`], where the condition implies that these columns are not None in the
    /// first half.
    ///
    /// # Errors
    /// As [`Table::filter_narrowing`].
    #[track_caller]
    pub fn split_narrowing<'a>(
        &'a self,
        condition: impl Into<Col>,
        narrowed: impl IntoIterator<Item = &'a str>,
    ) -> Result<(Table, Table), PlanError> {
        let frame = self.here();
        let condition = condition.into().resolve(self)?;
        let mut narrowed =
            narrowed.into_iter().map(|n| self.about.require(n)).collect::<Result<Vec<_>, _>>()?;
        narrowed.extend(implied_not_none(self.node, &condition));
        // Computed once, so that each row is in one half whatever the condition calls.
        let condition = match as_reference(&condition) {
            Some(_) => condition,
            None => {
                let computed = self.at(frame.clone()).select([("condition", condition, frame.clone())])?;
                computed.column("condition")?
            }
        };
        let negated = Expr::unary(UnaryOp::Not, condition.clone())?;
        let mut state = self.graph.lock();
        let whole = self.universe();
        let positive =
            state.add_filter(self.node, &condition, narrowed, Definition::SubsetOf(whole), frame.clone())?;
        let rest = Definition::Difference(whole, state.node(positive).universe);
        let negative = state.add_filter(self.node, &negated, vec![], rest, frame)?;
        Ok((self.sibling(&state, positive), self.sibling(&state, negative)))
    }

    /// One row per element of the sequence in a column. The element's column comes first; with
    /// `origin_id`, a last column of that name holds the id of the row it came from.
    ///
    /// # Errors
    /// [`PlanError::Key`] for an unknown column, [`PlanError::Type`] if its dtype has no elements,
    /// [`PlanError::Value`] if a column is named like `origin_id`.
    #[track_caller]
    pub fn flatten(&self, column: &str, origin_id: Option<&str>) -> Result<Table, PlanError> {
        let frame = self.here();
        let mut state = self.graph.lock();
        state.checked(self.node)?;
        let sequence = self.column(column)?;
        let Some(element) = element_of(sequence.dtype()) else {
            return Err(PlanError::Type(format!(
                "the column {column} of type {} cannot be flattened; possible are tuples, lists, STR, arrays \
                 and Json, none of them Optional",
                sequence.dtype()
            )));
        };
        let node = state.node(self.node);
        if origin_id.is_some_and(|name| node.position(name).is_some() || name == "id") {
            return Err(PlanError::Value(format!(
                "origin_id={:?} is already the name of a column",
                origin_id.unwrap_or_default()
            )));
        }
        let append_only = state.is_append_only(self.node, &sequence);
        let node = state.node(self.node);
        let mut columns = vec![Column { name: Arc::from(column), dtype: element.clone(), append_only }];
        let mut passed = vec![FlattenColumn::Element];
        for (reference, c) in state.all_columns(self.node).into_iter().zip(&node.columns) {
            if &*c.name != column {
                columns.push(Column { append_only: c.append_only && append_only, ..c.clone() });
                passed.push(FlattenColumn::Passed(reference));
            }
        }
        if let Some(name) = origin_id {
            columns.push(Column { name: Arc::from(name), dtype: node.id_dtype.clone(), append_only });
            passed.push(FlattenColumn::Origin);
        }
        let whole = node.universe;
        let universe = state.universe(&Definition::EmptyWith(vec![whole]));
        let node = state.add(Node {
            op: Op::Flatten(Flatten { input: self.node, sequence, element, columns: passed }),
            columns,
            id_dtype: DType::ANY_POINTER,
            id_append_only: append_only,
            universe,
            frame,
        });
        Ok(self.sibling(&state, node))
    }

    /// The rows whose ids are in all other tables too.
    ///
    /// # Errors
    /// [`PlanError::Value`] for tables of other plans.
    #[track_caller]
    pub fn intersect(&self, others: &[&Table]) -> Result<Table, PlanError> {
        let frame = self.here();
        self.same_graph(others)?;
        let mut state = self.graph.lock();
        let own = state.checked(self.node)?.universe;
        if others.is_empty() {
            state.warn("intersect() without arguments is the table itself", frame);
            return Ok(self.clone());
        }
        let (mut all, mut append_only) = (vec![own], state.node(self.node).id_append_only);
        for other in others {
            let node = state.checked(other.node)?;
            all.push(node.universe);
            append_only &= node.id_append_only;
        }
        let universe = Definition::Intersection(all.clone());
        let op = Op::Intersect {
            input: self.node,
            others: others.iter().map(|t| t.node).collect(),
            columns: state.all_columns(self.node),
        };
        let node = state.add_derived(op, Derived { of: self.node, universe, append_only, frame: &frame });
        let result = state.node(node).universe;
        if state.universes.are_equal(result, own) {
            state.warn(
                "this intersect() keeps all rows: the other tables have all row ids of the table",
                frame,
            );
        } else if all[1..].iter().any(|other| state.universes.are_equal(result, *other)) {
            state.warn(
                "this intersect() gives exactly the rows of an argument; restrict() says so and is cheaper",
                frame,
            );
        }
        Ok(self.sibling(&state, node))
    }

    /// The rows whose ids are not in the other table.
    ///
    /// # Errors
    /// [`PlanError::Value`] for a table of another plan.
    #[track_caller]
    pub fn difference(&self, other: &Table) -> Result<Table, PlanError> {
        let frame = self.here();
        self.same_graph(&[other])?;
        let mut state = self.graph.lock();
        let (own, without) = (state.checked(self.node)?.universe, state.checked(other.node)?.universe);
        let op =
            Op::Difference { input: self.node, other: other.node, columns: state.all_columns(self.node) };
        let universe = Definition::Difference(own, without);
        let node =
            state.add_derived(op, Derived { of: self.node, universe, append_only: false, frame: &frame });
        Ok(self.sibling(&state, node))
    }

    /// The rows for the ids of another table, all of which this one provably has.
    ///
    /// # Errors
    /// [`PlanError::Value`] if it is not provable.
    #[track_caller]
    pub fn restrict(&self, other: &Table) -> Result<Table, PlanError> {
        let frame = self.here();
        self.same_graph(&[other])?;
        let mut state = self.graph.lock();
        let (own, to) = (state.checked(self.node)?.universe, state.checked(other.node)?.universe);
        if own == to {
            state.warn("restrict() to a table with the same universe is the table itself", frame);
            return Ok(self.clone());
        }
        if !state.universes.is_subset(to, own) {
            let ([a, b], tables) = state.table_names([self.node, other.node]);
            return Err(PlanError::Value(format!(
                "{a}.restrict({b}): it is not known that {a} has all row ids of {b}; use \
                 {b}.promise_universe_is_subset_of({a}) if you are sure, or intersect() otherwise{tables}"
            )));
        }
        if state.universes.is_subset(own, to) {
            state.warn(
                "restrict() to a table with equal row ids; with_universe_of() says so and checks it",
                frame.clone(),
            );
        }
        let node = state.add_restrict(self.node, other.node, false, frame);
        Ok(self.sibling(&state, node))
    }

    /// The same rows under the universe of another table, whose row ids are the same: this is a
    /// promise, checked at run time.
    ///
    /// # Errors
    /// [`PlanError::Value`] for a table of another plan.
    #[track_caller]
    pub fn with_universe_of(&self, other: &Table) -> Result<Table, PlanError> {
        let frame = self.here();
        self.same_graph(&[other])?;
        let mut state = self.graph.lock();
        let (own, to) = (state.checked(self.node)?, state.checked(other.node)?);
        let (own, to, differ) = (own.universe, to.universe, own.id_append_only != to.id_append_only);
        if own == to {
            drop(state);
            return self.at(frame).copy();
        }
        if differ {
            state.warn(
                "with_universe_of() between tables of which only one has append-only row ids; the result is \
                 taken to have them",
                frame.clone(),
            );
        }
        state.universes.promise_equal(own, to);
        let node = state.add_restrict(self.node, other.node, true, frame);
        Ok(self.sibling(&state, node))
    }
}

/// The column of a table that a condition implies not to be None, being nothing but that test.
fn implied_not_none(table: NodeId, condition: &Expr) -> Option<usize> {
    let ExprKind::IsNotNone(tested) = condition.kind() else { return None };
    match as_reference(tested)? {
        (tested, Some(column)) if tested == table => Some(column as usize),
        _ => None,
    }
}

impl State {
    /// Adds the rows of a table where a condition holds; columns at these positions are never None.
    pub(in crate::table) fn add_filter(
        &mut self,
        input: NodeId,
        condition: &Expr,
        mut narrowed: Vec<usize>,
        universe: Definition,
        frame: Option<Frame>,
    ) -> Result<NodeId, PlanError> {
        let condition = self.align(condition, input, frame.as_ref())?;
        if *condition.dtype() != DType::Bool {
            return Err(PlanError::Type(format!(
                "the condition of a filter must be BOOL, it is {}{}",
                condition.dtype(),
                condition_advice(condition.dtype())
            )));
        }
        narrowed.extend(implied_not_none(input, &condition));
        let append_only = self.is_append_only(input, &condition);
        let columns = self.all_columns(input);
        let op = Op::Filter { input, condition, columns };
        let node = self.add_derived(op, Derived { of: input, universe, append_only, frame: &frame });
        narrowed.into_iter().for_each(|column| self.narrow(node, column));
        Ok(node)
    }
}

/// The dtype of the elements of a sequence; `None` if it has none.
fn element_of(sequence: &DType) -> Option<DType> {
    Some(match sequence {
        DType::List(element) => (**element).clone(),
        DType::Tuple(members) => match members.split_first() {
            None => DType::Any,
            Some((first, rest)) => {
                rest.iter().fold(first.clone(), |common, member| DType::common_type_or_any(&common, member))
            }
        },
        DType::Str => DType::Str,
        DType::Json => DType::Json,
        DType::Any => DType::Any,
        DType::Array { n_dim: None, element } => DType::array(None, (**element).clone()),
        DType::Array { n_dim: Some(0 | 1), element } => (**element).clone(),
        DType::Array { n_dim: Some(n), element } => DType::array(Some(n - 1), (**element).clone()),
        _ => return None,
    })
}
