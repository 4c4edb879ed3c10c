//! Tables that come from outside of the plan.

use std::sync::Arc;
use std::time::Duration;

use pathway_io::Source;
use pathway_types::{Batch, ColumnBuilder, DType, Key, Keys, Schema, Timestamp, Value};

use super::Table;
use crate::graph::{Column, ExternalRows, Graph, Node, Op, StaticRows};
use crate::universe::{Definition, UniverseId};
use crate::{Frame, PlanError};

/// What may be said of a static table.
#[derive(Clone, Debug, Default)]
pub struct StaticOptions {
    /// The worker of each row, one list per batch.
    pub shards: Option<Vec<Vec<u64>>>,
    /// The universe, shared with tables that are known to have the same row ids.
    pub universe: Option<UniverseId>,
    /// The dtype of row ids, where it is not that of the primary key.
    pub id_dtype: Option<DType>,
    /// The table is empty on purpose.
    pub empty: bool,
    /// The rows of time 0 were there before the run: outputs are not told of what comes of them.
    pub known_at_start: bool,
    /// The user's line.
    pub frame: Option<Frame>,
}

/// How a source is read.
#[derive(Clone, Debug, Default)]
pub struct SourceOptions {
    /// The name under which its state persists.
    pub name: Option<String>,
    /// Longest time between two commits.
    pub autocommit: Option<Duration>,
    /// Most rows in flight.
    pub max_backlog: Option<usize>,
    /// The dtype of row ids, where it is not that of the primary key.
    pub id_dtype: Option<DType>,
    /// Rows are never removed, if that is said of the schema as a whole.
    pub append_only: bool,
    /// The user's line.
    pub frame: Option<Frame>,
}

/// The dtype of row ids that a schema gives.
fn id_dtype(schema: &Schema, given: Option<DType>) -> DType {
    let key = schema.primary_key();
    match given {
        Some(given) => given,
        None if key.is_empty() => DType::ANY_POINTER,
        None => DType::pointer(key.iter().map(|i| schema.fields[*i].dtype.clone())),
    }
}

impl Graph {
    /// A table of rows given with the plan: changes with their times, in ascending order of time,
    /// the columns laid out as the schema says.
    ///
    /// # Errors
    /// [`PlanError::Value`] if times are out of order or batches do not fit the schema.
    #[track_caller]
    pub fn static_table(
        &self,
        schema: &Schema,
        batches: Vec<(Timestamp, Batch)>,
        options: StaticOptions,
    ) -> Result<Table, PlanError> {
        let frame = match options.frame {
            Some(frame) => Some(frame),
            None => Some(Frame::of_caller()),
        };
        check_names(schema)?;
        if !batches.is_sorted_by_key(|(time, _)| *time) {
            return Err(PlanError::Value(
                "the batches of a static table must be in order of time".to_owned(),
            ));
        }
        if let Some((_, batch)) = batches.iter().find(|(_, b)| b.columns.len() != schema.fields.len()) {
            return Err(PlanError::Value(format!(
                "a batch of {} columns does not fit a schema of {}",
                batch.columns.len(),
                schema.fields.len()
            )));
        }
        let lengths = || batches.iter().map(|(_, b)| b.len());
        if options.shards.as_ref().is_some_and(|s| !s.iter().map(Vec::len).eq(lengths())) {
            return Err(PlanError::Value("one shard per row of a static table is needed".to_owned()));
        }
        let append_only = batches.iter().all(|(_, b)| b.diffs.iter().all(|d| d > 0));
        let mut state = self.lock();
        let universe = match options.universe {
            Some(universe) => {
                state.check_universes(&[universe])?;
                universe
            }
            None if options.empty => state.universe(&Definition::Empty),
            None => state.universe(&Definition::Unrelated),
        };
        let columns = schema.fields.iter().map(|f| Column {
            name: Arc::from(&*f.name),
            dtype: f.dtype.clone(),
            append_only,
        });
        let node = Node {
            op: Op::Static(StaticRows {
                batches: Arc::new(batches),
                shards: options.shards.map(Arc::new),
                known_at_start: options.known_at_start,
            }),
            columns: columns.collect(),
            id_dtype: id_dtype(schema, options.id_dtype),
            id_append_only: append_only,
            universe,
            frame,
        };
        let node = state.add(node);
        Ok(Table::new(self, &state, node))
    }

    /// A table of rows given with the plan, all present from the start. Row ids are made from the
    /// primary key, or from the position of a row if the schema has none.
    ///
    /// # Errors
    /// [`PlanError::Value`] if a row has more or fewer values than the schema has columns,
    /// [`PlanError::Type`] if a value is not of its column's dtype.
    #[track_caller]
    pub fn table_from_rows(
        &self,
        schema: &Schema,
        rows: impl IntoIterator<Item = Vec<Value>>,
    ) -> Result<Table, PlanError> {
        let primary_key = schema.primary_key();
        let mut builders: Vec<ColumnBuilder> =
            schema.fields.iter().map(|f| ColumnBuilder::new(&f.dtype, 0)).collect();
        let mut keys: Vec<u128> = Vec::new();
        for (number, row) in rows.into_iter().enumerate() {
            if row.len() != schema.fields.len() {
                return Err(PlanError::Value(format!(
                    "row {number} has {} values for {} columns",
                    row.len(),
                    schema.fields.len()
                )));
            }
            for ((value, field), builder) in row.iter().zip(&schema.fields).zip(&mut builders) {
                if !ColumnBuilder::accepts(&field.dtype, value) {
                    return Err(PlanError::Type(format!(
                        "row {number}: {value} is not a value of the column {} of type {}",
                        field.name, field.dtype
                    )));
                }
                builder.push(value);
            }
            let values: Vec<Value> = match primary_key.is_empty() {
                true => vec![Value::Int(number as i64)],
                false => primary_key.iter().map(|i| row[*i].clone()).collect(),
            };
            let key = Key::of(&values)
                .ok_or_else(|| PlanError::Value(format!("row {number} has an error in its primary key")))?;
            keys.push(key.0);
        }
        let diffs = pathway_types::Diffs::Ones(keys.len());
        let columns = builders.iter_mut().map(ColumnBuilder::finish).collect();
        let batch = Batch::new(Keys::from(keys), columns, diffs);
        let options = StaticOptions { frame: Some(Frame::of_caller()), ..StaticOptions::default() };
        self.static_table(schema, vec![(0, batch)], options)
    }

    /// The table of an external source.
    ///
    /// # Errors
    /// [`PlanError::Value`] if the schema has unusable column names.
    #[track_caller]
    pub fn source(&self, source: Arc<dyn Source>, options: SourceOptions) -> Result<Table, PlanError> {
        let frame = match options.frame {
            Some(frame) => Some(frame),
            None => Some(Frame::of_caller()),
        };
        let schema = source.schema();
        check_names(schema)?;
        let columns: Vec<Column> = schema
            .fields
            .iter()
            .map(|f| Column { name: Arc::from(&*f.name), dtype: f.dtype.clone(), append_only: f.append_only })
            .collect();
        let id_append_only = options.append_only || columns.iter().any(|c| c.append_only);
        let id_dtype = id_dtype(schema, options.id_dtype);
        let mut state = self.lock();
        let universe = state.universe(&Definition::Unrelated);
        let node = state.add(Node {
            op: Op::Source(ExternalRows {
                source,
                name: options.name,
                autocommit: options.autocommit,
                max_backlog: options.max_backlog,
            }),
            columns,
            id_dtype,
            id_append_only,
            universe,
            frame,
        });
        Ok(Table::new(self, &state, node))
    }
}

impl Table {
    /// The records of this source that could not become rows: `raw`, `position` and `reason`.
    ///
    /// # Errors
    /// [`PlanError::Value`] if this is not the table of a source.
    #[track_caller]
    pub fn dead_letters(&self) -> Result<Table, PlanError> {
        let frame = self.here();
        let mut state = self.graph.lock();
        if !matches!(state.checked(self.node)?.op, Op::Source(_)) {
            return Err(PlanError::Value(format!(
                "only the table of a source has dead letters, {} is made by {}",
                state.table_name(self.node),
                state.node(self.node).op.name()
            )));
        }
        let column = |name: &str, dtype| Column { name: Arc::from(name), dtype, append_only: true };
        let universe = state.universe(&Definition::Unrelated);
        let node = state.add(Node {
            op: Op::DeadLetters { source: self.node },
            columns: vec![
                column("raw", DType::Bytes),
                column("position", DType::Str),
                column("reason", DType::Str),
            ],
            id_dtype: DType::ANY_POINTER,
            id_append_only: true,
            universe,
            frame,
        });
        Ok(self.sibling(&state, node))
    }
}

fn check_names(schema: &Schema) -> Result<(), PlanError> {
    let mut seen = hashbrown::HashSet::new();
    for name in schema.names() {
        if !seen.insert(name) {
            return Err(PlanError::Value(format!("two columns are named {name}")));
        }
    }
    Ok(())
}
