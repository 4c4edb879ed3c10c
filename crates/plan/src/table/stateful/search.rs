//! What is nearest to each row among the rows of another table.

use pathway_expr::Expr;
use pathway_types::DType;

use super::{Made, refuse_future};
use crate::PlanError;
use crate::col::Col;
use crate::graph::{Rows, Stateful};
use crate::stateful::{Search, StatefulKind};
use crate::table::Table;
use crate::universe::Definition;

/// What rows ask, by expressions over them.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The vector.
    pub vector: Col,
    /// How many answers are wanted, INT.
    pub limit: Col,
    /// Which metadata answers have, STR or Optional(STR).
    pub filter: Option<Col>,
}

/// What is searched, by expressions over its rows.
#[derive(Clone, Debug)]
pub struct Indexed {
    /// The vector.
    pub vector: Col,
    /// The metadata, Json, if there are filters.
    pub metadata: Option<Col>,
    /// What answers have of the rows, by name.
    pub columns: Vec<(String, Col)>,
}

/// The names of the columns before those that are asked for.
const COLLAPSED: [&str; 2] = ["_pw_ids", "_pw_distances"];
const FLAT: [&str; 3] = ["_pw_query_id", "_pw_id", "_pw_distance"];

impl Table {
    /// The rows of `data` that are nearest to each row, as [`Search`] says. Columns: `_pw_ids` and
    /// `_pw_distances`, or `_pw_query_id`, `_pw_id` and `_pw_distance` if they are not collapsed, and then
    /// those asked for.
    ///
    /// # Errors
    /// [`PlanError::Type`] for vectors, numbers, filters or metadata of other types; [`PlanError::Value`]
    /// for a filter without metadata, tables of other plans, or columns of tables with other row ids.
    #[track_caller]
    pub fn search(
        &self,
        data: &Table,
        asked: Asked,
        indexed: Indexed,
        how: Search,
    ) -> Result<Table, PlanError> {
        let frame = self.here();
        self.same_graph(&[data])?;
        let how = Search { filtered: asked.filter.is_some(), ..how };
        if how.filtered && indexed.metadata.is_none() {
            let message = "a metadata filter needs metadata: the index was made without a metadata column";
            return Err(PlanError::Value(message.to_owned()));
        }
        let asked: Vec<Expr> = [Some(asked.vector), Some(asked.limit), asked.filter]
            .into_iter()
            .flatten()
            .map(|column| column.resolve(self))
            .collect::<Result<_, _>>()?;
        let metadata = indexed.metadata.filter(|_| how.filtered);
        let controls = usize::from(how.filtered) + 1;
        let (names, columns): (Vec<String>, Vec<Col>) = indexed.columns.into_iter().unzip();
        let indexed: Vec<Expr> = std::iter::once(indexed.vector)
            .chain(metadata)
            .chain(columns)
            .map(|column| column.resolve(data))
            .collect::<Result<_, _>>()?;
        let mut state = self.graph.lock();
        let mut align = |all: &[Expr], table: &Table| {
            all.iter().map(|e| state.align(e, table.node, frame.as_ref())).collect::<Result<Vec<_>, _>>()
        };
        let (asked, indexed) = (align(&asked, self)?, align(&indexed, data)?);
        for (what, expression) in
            [("query vector", &asked[0]), ("number of matches", &asked[1]), ("data vector", &indexed[0])]
        {
            refuse_future("search", what, expression)?;
        }
        for expression in &indexed[controls..] {
            refuse_future("search", "data column", expression)?;
        }
        check("data vector", &indexed[0], is_vector, "an array or a list of numbers")?;
        check("query vector", &asked[0], is_vector, "an array or a list of numbers")?;
        check("number of matches", &asked[1], |dtype| *dtype == DType::Int, "INT")?;
        if how.filtered {
            let is_text = |dtype: &DType| *dtype.unoptional() == DType::Str || *dtype == DType::None;
            check("metadata filter", &asked[2], is_text, "Optional(STR)")?;
            let is_json = |dtype: &DType| *dtype.unoptional() == DType::Json;
            check("metadata column", &indexed[1], is_json, "Json")?;
        }
        let id = |table: &Table| state.node(table.node).id_dtype.clone();
        let mut own: Vec<(&str, DType)> = if how.collapsed {
            let dtypes = [DType::list(id(data)), DType::list(DType::Float)];
            COLLAPSED.into_iter().zip(dtypes).collect()
        } else {
            let dtypes = [id(self), DType::optional(id(data)), DType::optional(DType::Float)];
            FLAT.into_iter().zip(dtypes).collect()
        };
        for (name, column) in names.iter().zip(&indexed[controls..]) {
            let dtype = column.dtype().clone();
            own.push((name, if how.collapsed { DType::list(dtype) } else { DType::optional(dtype) }));
        }
        let universe = if how.collapsed {
            self.universe()
        } else {
            state.universe(&Definition::EmptyWith(vec![self.universe()]))
        };
        let append_only = how.as_of_now && asked.iter().all(|e| state.is_append_only(self.node, e));
        let made = Made { universe, id_dtype: (!how.collapsed).then_some(DType::ANY_POINTER), append_only };
        let stateful = Stateful {
            kind: StatefulKind::Search(how),
            inputs: vec![
                Rows { table: self.node, columns: asked },
                Rows { table: data.node, columns: indexed },
            ],
            columns: vec![],
            prunable: true,
            name: None,
        };
        let node = state.add_stateful(stateful, own, made, frame);
        Ok(self.sibling(&state, node))
    }
}

/// True for what numbers can be read from; of ANY, each cell decides.
fn is_vector(dtype: &DType) -> bool {
    let is_number = |member: &DType| matches!(member, DType::Int | DType::Float | DType::Any);
    match dtype {
        DType::Any | DType::Array { .. } => true,
        DType::List(member) => is_number(member),
        DType::Tuple(members) => members.iter().all(is_number),
        _ => false,
    }
}

fn check(what: &str, given: &Expr, fits: impl Fn(&DType) -> bool, expected: &str) -> Result<(), PlanError> {
    if fits(given.dtype()) {
        return Ok(());
    }
    Err(PlanError::Type(format!("the {what} has to be {expected}, but is of type {}", given.dtype())))
}
