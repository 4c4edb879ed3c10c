//! Operations that combine the rows of tables with the same columns.

use std::sync::Arc;

use pathway_expr::{ColumnRef, Expr};
use pathway_types::DType;

use super::{Table, column_at};
use crate::col::Typed;
use crate::graph::{Column, Node, NodeId, Op, Rows, State};
use crate::table::columns::resolve_all;
use crate::universe::Definition;
use crate::{Frame, PlanError};

impl Table {
    /// All rows of this table and the others, whose row ids are provably disjoint.
    ///
    /// # Errors
    /// [`PlanError::Value`] if that is not provable or the column names differ, [`PlanError::Type`]
    /// if columns have no common type.
    #[track_caller]
    pub fn concat(&self, others: &[&Table]) -> Result<Table, PlanError> {
        let frame = self.here();
        self.same_graph(others)?;
        let mut state = self.graph.lock();
        let tables: Vec<NodeId> =
            std::iter::once(self).chain(others.iter().copied()).map(|t| t.node).collect();
        // Tables that do not fit are refused for that, whatever their ids are.
        let unified = state.unify(&tables, "concat")?;
        for (i, a) in tables.iter().enumerate() {
            for b in &tables[i + 1..] {
                let (u, v) = (state.checked(*a)?.universe, state.checked(*b)?.universe);
                if !state.universes.are_disjoint(u, v) {
                    let ([a, b], tables) = state.table_names([*a, *b]);
                    return Err(PlanError::Value(format!(
                        "the universes of the arguments of concat() have to be disjoint: {a} and {b} may share row \
                         ids. Promise it with {a}.promise_universes_are_disjoint({b}) if you are sure; use \
                         concat_reindex() for new ids, or update_rows() to let one table win{tables}"
                    )));
                }
            }
        }
        let node = state.add_concat(&tables, unified, "concat", frame)?;
        Ok(self.sibling(&state, node))
    }

    /// All rows of this table and the others under new ids, made of the old id and the position of
    /// the table in the arguments.
    ///
    /// # Errors
    /// As [`Table::concat`], ids aside.
    #[track_caller]
    pub fn concat_reindex(&self, others: &[&Table]) -> Result<Table, PlanError> {
        let frame = self.here();
        self.same_graph(others)?;
        let mut state = self.graph.lock();
        let mut tables = Vec::new();
        for (i, table) in std::iter::once(self).chain(others.iter().copied()).enumerate() {
            let id = Expr::id(table.node, state.checked(table.node)?.id_dtype.clone());
            let pointer = Expr::pointer(vec![id, Expr::literal(i as i64)], false, None)?;
            let node = state.add_reindex(table.node, &pointer, frame.clone())?;
            state.relabel_ids(node, DType::ANY_POINTER, None);
            tables.push(node);
        }
        let unified = state.unify(&tables, "concat_reindex")?;
        let node = state.add_concat(&tables, unified, "concat_reindex", frame)?;
        Ok(self.sibling(&state, node))
    }

    /// The rows of both tables; on common ids the row of `other` wins.
    ///
    /// # Errors
    /// [`PlanError::Value`] if the column names differ, [`PlanError::Type`] if columns have no common
    /// type.
    #[track_caller]
    pub fn update_rows(&self, other: &Table) -> Result<Table, PlanError> {
        let frame = self.here();
        self.same_graph(&[other])?;
        let mut state = self.graph.lock();
        state.same_columns(&[self.node, other.node], "update_rows")?;
        let (u, v) = (state.node(self.node).universe, state.node(other.node).universe);
        if state.universes.is_subset(u, v) {
            state.warn(
                "update_rows() with a table that provably has all row ids of the updated one is that table",
                frame,
            );
            return Ok(other.clone());
        }
        let within = state.universes.is_subset(v, u);
        let (columns, rows) = state.unify(&[self.node, other.node], "update_rows")?;
        let [old, new] = two(rows);
        let universe = match within {
            true => u,
            false => state.universe(&Definition::Union(vec![u, v])),
        };
        let id_append_only = state.node(self.node).id_append_only && state.node(other.node).id_append_only;
        let id_dtype = state.common_id(&[self.node, other.node], "update_rows")?;
        let columns = columns.into_iter().map(|c| Column { append_only: false, ..c }).collect();
        let op = Op::UpdateRows { old, new };
        let node = state.add(Node { op, columns, id_dtype, id_append_only, universe, frame });
        Ok(self.sibling(&state, node))
    }

    /// The table with the cells that `other` has for some of its columns and ids.
    ///
    /// # Errors
    /// [`PlanError::Value`] if `other` has columns this table lacks, or if it is not provable that all
    /// its row ids are in this table; [`PlanError::Type`] if columns have no common type.
    #[track_caller]
    pub fn update_cells(&self, other: &Table) -> Result<Table, PlanError> {
        let frame = self.here();
        self.same_graph(&[other])?;
        let mut state = self.graph.lock();
        let (u, v) = (state.checked(self.node)?.universe, state.checked(other.node)?.universe);
        let (own, updates) = (state.node(self.node), state.node(other.node));
        let foreign: Vec<&str> =
            updates.columns.iter().map(|c| &*c.name).filter(|n| own.position(n).is_none()).collect();
        if !foreign.is_empty() {
            return Err(PlanError::Value(format!(
                "update_cells() got columns that the updated table does not have: [{}]",
                foreign.join(", ")
            )));
        }
        if u == v {
            state.warn("update_cells() with a table of the same universe is with_columns()", frame.clone());
            let mut all = state.columns_as_they_are(self.node, &frame)?;
            for column in &mut all {
                if let Some(position) = state.node(other.node).position(&column.name) {
                    column.value = column_at(&state, other.node, position);
                }
            }
            let node = state.add_select(self.node, all, frame)?;
            return Ok(self.sibling(&state, node));
        }
        if !state.universes.is_subset(v, u) {
            let ([own, new], tables) = state.table_names([self.node, other.node]);
            return Err(PlanError::Value(format!(
                "the universe of the argument of update_cells() has to be a subset of that of the updated table: \
                 {new} may have row ids that {own} does not have. Promise it with \
                 {new}.promise_universe_is_subset_of({own}) if you are sure{tables}"
            )));
        }
        let (mut input, mut updates) = (vec![], vec![]);
        let (mut cells, mut columns) = (vec![], vec![]);
        let own = state.node(self.node).clone();
        for (i, column) in own.columns.iter().enumerate() {
            let value = column_at(&state, self.node, i);
            let (value, cell, dtype) = match state.node(other.node).position(&column.name) {
                None => (value, None, column.dtype.clone()),
                Some(position) => {
                    let update = column_at(&state, other.node, position);
                    let dtype = common(&[&value, &update], "update_cells", &column.name)?;
                    updates.push(Expr::cast(dtype.clone(), update)?);
                    (Expr::cast(dtype.clone(), value)?, Some(updates.len() - 1), dtype)
                }
            };
            input.push(value);
            cells.push(cell);
            columns.push(Column { name: column.name.clone(), dtype, append_only: false });
        }
        let node = state.add(Node {
            op: Op::UpdateCells {
                input: Rows { table: self.node, columns: input },
                updates: Rows { table: other.node, columns: updates },
                cells,
            },
            columns,
            id_dtype: own.id_dtype,
            id_append_only: own.id_append_only,
            universe: own.universe,
            frame,
        });
        Ok(self.sibling(&state, node))
    }

    /// A table of the columns of this table and of others with provably equal universes.
    ///
    /// # Errors
    /// [`PlanError::Value`] for repeated names and unrelated universes.
    #[track_caller]
    pub fn beside(&self, others: &[&Table]) -> Result<Table, PlanError> {
        let frame = self.here();
        self.same_graph(others)?;
        let mut state = self.graph.lock();
        let own = state.checked(self.node)?.universe;
        let mut all = state.columns_as_they_are(self.node, &frame)?;
        for other in others {
            let theirs = state.checked(other.node)?.universe;
            if !state.universes.are_equal(own, theirs) {
                let ([a, b], tables) = state.table_names([self.node, other.node]);
                return Err(PlanError::Value(format!(
                    "the universes of tables put side by side have to be equal: {a} and {b} may have different row \
                     ids; use with_universe_of() if you are sure they are equal{tables}"
                )));
            }
            all.extend(state.columns_as_they_are(other.node, &frame)?);
        }
        let all = all.into_iter().map(|c| (c.name, c.value, c.frame));
        let all = resolve_all(all, &Typed, &frame)?;
        let node = state.add_select(self.node, all, frame)?;
        Ok(self.sibling(&state, node))
    }
}

fn two(rows: Vec<Rows>) -> [Rows; 2] {
    match <[Rows; 2]>::try_from(rows) {
        Ok(two) => two,
        // `unify` gives one entry per table.
        Err(_) => unreachable!("two tables were unified"),
    }
}

/// The type that all these expressions are brought to.
fn common(values: &[&Expr], operation: &str, column: &str) -> Result<DType, PlanError> {
    let mut dtypes = values.iter().map(|v| v.dtype());
    let first = dtypes.next().cloned().unwrap_or(DType::Any);
    dtypes.try_fold(first, |common, next| {
        let incompatible = || {
            PlanError::Type(format!(
                "the column {column} has the types {common} and {next} in the arguments of {operation}(), which \
                 are incompatible; cast one of them, or declare both to be ANY with update_types()"
            ))
        };
        DType::common_type(&common, next).map_err(|_| incompatible())
    })
}

impl State {
    fn same_columns(&self, tables: &[NodeId], operation: &str) -> Result<(), PlanError> {
        let first = self.checked(tables[0])?;
        for table in &tables[1..] {
            let other = self.checked(*table)?;
            let lacks = |a: &Node, b: &Node| -> Vec<String> {
                let names = a.columns.iter().map(|c| &c.name);
                names.filter(|n| b.position(n).is_none()).map(ToString::to_string).collect()
            };
            let (missing, superfluous) = (lacks(first, other), lacks(other, first));
            if !missing.is_empty() || !superfluous.is_empty() {
                return Err(PlanError::Value(format!(
                    "the columns of the arguments of {operation}() do not match. Missing columns: [{}]. \
                     Superfluous columns: [{}].",
                    missing.join(", "),
                    superfluous.join(", ")
                )));
            }
        }
        Ok(())
    }

    /// The columns of all tables under the names and in the order of the first, brought to common
    /// types.
    fn unify(&self, tables: &[NodeId], operation: &str) -> Result<(Vec<Column>, Vec<Rows>), PlanError> {
        self.same_columns(tables, operation)?;
        let mut rows: Vec<Rows> = tables.iter().map(|t| Rows { table: *t, columns: vec![] }).collect();
        let mut columns = Vec::new();
        for column in &self.node(tables[0]).columns {
            let mut values = Vec::new();
            let mut append_only = true;
            for table in tables {
                let node = self.node(*table);
                let Some(position) = node.position(&column.name) else { continue };
                append_only &= node.columns[position].append_only && node.id_append_only;
                let reference = ColumnRef { source: *table, column: position as u32 };
                values.push(Expr::column(reference, node.columns[position].dtype.clone()));
            }
            let dtype = common(&values.iter().collect::<Vec<_>>(), operation, &column.name)?;
            for (rows, value) in rows.iter_mut().zip(values) {
                rows.columns.push(Expr::cast(dtype.clone(), value)?);
            }
            columns.push(Column { name: Arc::clone(&column.name), dtype, append_only });
        }
        Ok((columns, rows))
    }

    fn common_id(&self, tables: &[NodeId], operation: &str) -> Result<DType, PlanError> {
        let mut common = self.node(tables[0]).id_dtype.clone();
        for table in &tables[1..] {
            let next = &self.node(*table).id_dtype;
            common = DType::common_type(&common, next).map_err(|_| {
                PlanError::Type(format!(
                    "the row ids of the arguments of {operation}() have the types {common} and {next}, which are \
                     incompatible; relabel one of them with update_id_type(pw.Pointer)"
                ))
            })?;
        }
        Ok(common)
    }

    fn add_concat(
        &mut self,
        tables: &[NodeId],
        (columns, inputs): (Vec<Column>, Vec<Rows>),
        operation: &str,
        frame: Option<Frame>,
    ) -> Result<NodeId, PlanError> {
        let id_dtype = self.common_id(tables, operation)?;
        let universes = tables.iter().map(|t| self.node(*t).universe).collect();
        let id_append_only = tables.iter().all(|t| self.node(*t).id_append_only);
        let columns = columns
            .into_iter()
            .map(|c| Column { append_only: c.append_only && id_append_only, ..c })
            .collect();
        let universe = self.universe(&Definition::Union(universes));
        Ok(self.add(Node { op: Op::Concat { inputs }, columns, id_dtype, id_append_only, universe, frame }))
    }
}
