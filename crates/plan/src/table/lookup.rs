//! `ix`: rows that pointers name.

use pathway_types::DType;

use super::Table;
use crate::PlanError;
use crate::col::Col;
use crate::graph::{Column, Lookup, Node, Op};

impl Table {
    /// For each row of `asking`, the row of this table that a pointer (an expression over `asking`)
    /// names, under the asking row's id. With `optional`, a None pointer gives a row of None; with
    /// `allow_misses`, so does a pointer to a row that does not exist. Otherwise both are errors.
    ///
    /// # Errors
    /// [`PlanError::Type`] if the expression is no pointer, may be None without `optional`, or points
    /// into a table with another primary key.
    #[track_caller]
    pub fn ix(
        &self,
        pointer: impl Into<Col>,
        asking: &Table,
        optional: bool,
        allow_misses: bool,
    ) -> Result<Table, PlanError> {
        let frame = self.here();
        self.same_graph(&[asking])?;
        let pointer = pointer.into().resolve(asking)?;
        let mut state = self.graph.lock();
        let pointer = state.align(&pointer, asking.node, frame.as_ref())?;
        let dtype = pointer.dtype();
        let fits = dtype.is_pointer() || optional && dtype.unoptional().is_pointer();
        if !fits {
            let hint = match dtype {
                DType::Optional(inner) if inner.is_pointer() => "; use optional=True to get None for None",
                _ => "; pointer_from() makes pointers of values",
            };
            return Err(PlanError::Type(format!(
                "a table is indexed with values of type POINTER, not {dtype}{hint}"
            )));
        }
        let target = state.checked(self.node)?;
        if !compatible(dtype.unoptional(), &target.id_dtype) {
            return Err(PlanError::Type(format!(
                "a table whose row ids are of type {} is indexed with a {}: the pointer was probably made from \
                 other columns than the primary key. update_id_type() makes any pointer fit",
                target.id_dtype,
                dtype.unoptional()
            )));
        }
        let nullable = allow_misses || optional && dtype.is_optional();
        let control = state.is_append_only(asking.node, &pointer) && target.id_append_only && !allow_misses;
        let columns = target
            .columns
            .iter()
            .map(|c| Column {
                name: c.name.clone(),
                dtype: if nullable { DType::optional(c.dtype.clone()) } else { c.dtype.clone() },
                append_only: c.append_only && control,
            })
            .collect();
        let (asks, target) = (state.node(asking.node), self.node);
        let (id_dtype, universe) = (asks.id_dtype.clone(), asks.universe);
        let id_append_only = if allow_misses { asks.id_append_only } else { control };
        let fetched = state.all_columns(target);
        let node = state.add(Node {
            op: Op::Lookup(Lookup {
                asking: asking.node,
                pointer,
                target,
                optional,
                allow_misses,
                columns: fetched,
            }),
            columns,
            id_dtype,
            id_append_only,
            universe,
            frame,
        });
        Ok(self.sibling(&state, node))
    }
}

/// True if a pointer of one type can name rows whose ids are of the other.
fn compatible(pointer: &DType, ids: &DType) -> bool {
    DType::common_type(pointer, ids).is_ok()
}
