//! Reducers whose state lives in user code.

use std::sync::Arc;

use pathway_expr::node::{CustomGroup, CustomReducer};
use pathway_types::view::CellView;
use pathway_types::{Batch, Column, ColumnBuilder, DType, DataError, Diffs, ErrorKind, Value};

use super::aggregate::{Aggregate, Merge, Rows};
use super::multiset::Multiset;

/// First byte of a saved state: what user code serialised follows.
const STATE: u8 = 0;
/// First byte of the state of a group that user code failed on: the message follows.
const FAILURE: u8 = 1;

/// One user state per group, told the net changes of each time when its result is read.
pub(super) struct Custom {
    reducer: Arc<dyn CustomReducer>,
    arguments: Vec<DType>,
    groups: Vec<Option<Group>>,
}

struct Group {
    state: Box<dyn CustomGroup>,
    changes: Multiset<Vec<Value>>,
    /// User code failed to take changes: there is no state to go on with.
    failed: bool,
    /// The result after the changes so far; without a value the group has no row.
    outcome: Result<Option<Value>, DataError>,
}

impl Custom {
    pub(super) fn new(reducer: Arc<dyn CustomReducer>, arguments: Vec<DType>) -> Self {
        Custom { reducer, arguments, groups: Vec::new() }
    }

    fn group(&mut self, slot: u32) -> &mut Group {
        self.groups[slot as usize].get_or_insert_with(|| Group {
            state: self.reducer.new_group(),
            changes: Multiset::default(),
            failed: false,
            outcome: Ok(None),
        })
    }
}

impl Group {
    /// The result, after user code was told what has changed since it was last asked.
    fn settle(&mut self) -> &Result<Option<Value>, DataError> {
        let changes: Vec<(Vec<Value>, i64)> =
            self.changes.raw().map(|(row, count)| (row.clone(), count)).collect();
        if !changes.is_empty() {
            self.changes = Multiset::default();
            if !self.failed {
                self.outcome = match self.state.update(&changes) {
                    Ok(()) => self.state.result(),
                    Err(error) => {
                        self.failed = true;
                        Err(error)
                    }
                };
            }
        }
        &self.outcome
    }

    fn save(&mut self) -> Result<Vec<u8>, DataError> {
        if let (true, Err(error)) = (self.failed, &self.outcome) {
            return Ok([&[FAILURE], error.message.as_bytes()].concat());
        }
        Ok([&[STATE], &self.state.save()?[..]].concat())
    }

    fn load(&mut self, saved: &[u8]) {
        let loaded = match saved.split_first() {
            Some((&STATE, state)) => self.state.load(state),
            Some((&FAILURE, message)) => {
                Err(DataError::new(ErrorKind::Engine, String::from_utf8_lossy(message).into_owned()))
            }
            _ => Err(DataError::value("the saved state of a custom reducer is damaged")),
        };
        self.failed = loaded.is_err();
        // A result that cannot be computed says nothing of the state.
        self.outcome = loaded.and_then(|()| self.state.result());
    }
}

impl Aggregate for Custom {
    fn width(&self) -> usize {
        self.arguments.len() + 1
    }
    /// The arguments, and a column that only a saved state fills: the state's bytes.
    fn lift(&self, rows: &Rows<'_>) -> Vec<Column> {
        let mut columns: Vec<Column> = rows.arguments.iter().map(|c| (*c).clone()).collect();
        columns.push(Column::nulls(&DType::None, rows.diffs.len()));
        columns
    }
    fn grow(&mut self, groups: usize) {
        self.groups.resize_with(groups, || None);
    }
    fn merge(&mut self, merge: &Merge<'_>) {
        use arrow_array::cast::AsArray;
        let (arguments, saved) = merge.shipped.split_at(self.arguments.len());
        if let Some(states) = saved.first().and_then(|c| c.array().as_binary_opt::<i64>()) {
            merge.slots.iter().enumerate().for_each(|(row, slot)| self.group(*slot).load(states.value(row)));
            return;
        }
        let dtypes = self.arguments.clone();
        let views: Vec<CellView<'_>> =
            arguments.iter().zip(&dtypes).map(|(c, d)| CellView::new(c, d)).collect();
        for (row, slot) in merge.slots.iter().enumerate() {
            if !views.iter().any(|view| view.is_error(row)) {
                let values = views.iter().map(|view| view.value(row)).collect();
                self.group(*slot).changes.add(values, merge.diffs.get(row));
            }
        }
    }
    fn partials(&self, _groups: usize) -> Option<Vec<Column>> {
        None
    }
    fn results(&mut self, slots: &[u32], report: &mut dyn FnMut(DataError)) -> Column {
        let dtype = self.reducer.return_type().clone();
        super::ordered::results_column(&dtype, slots, report, |slot| {
            let value = self.group(slot as u32).settle().clone()?.unwrap_or(Value::None);
            if ColumnBuilder::accepts(&dtype, &value) {
                Ok(value)
            } else {
                Err(DataError::type_mismatch(&dtype, &value))
            }
        })
    }
    fn hidden(&mut self, slots: &[u32]) -> Option<Vec<bool>> {
        Some(slots.iter().map(|slot| matches!(self.group(*slot).settle(), Ok(None))).collect())
    }
    fn remembers(&self) -> bool {
        true
    }
    /// The state is there until user code says that it is not, or for good if user code failed.
    fn outlives_rows(&mut self, slot: u32, report: &mut dyn FnMut(DataError)) -> bool {
        let Some(group) = &mut self.groups[slot as usize] else { return false };
        let known = group.outcome.is_err();
        match group.settle() {
            Ok(value) => value.is_some(),
            Err(error) => {
                if !known {
                    report(error.clone());
                }
                group.failed
            }
        }
    }
    fn clear(&mut self, slot: u32) {
        self.groups[slot as usize] = None;
    }
    fn save(&mut self, slots: &[u32], keys: &[u128]) -> Result<Batch, DataError> {
        let mut states = ColumnBuilder::new(&DType::Bytes, slots.len());
        let mut owners = Vec::new();
        for slot in slots {
            if let Some(group) = &mut self.groups[*slot as usize] {
                states.push(&Value::Bytes(group.save()?.into()));
                owners.push(keys[*slot as usize]);
            }
        }
        let rows = owners.len();
        let mut columns: Vec<Column> = self.arguments.iter().map(|d| Column::nulls(d, rows)).collect();
        columns.push(states.finish());
        Ok(Batch::new(owners.into(), columns, Diffs::Ones(rows)))
    }
    fn per_group(&self) -> usize {
        size_of::<Option<Group>>()
    }
    fn keeps_rows(&self) -> bool {
        true
    }
    fn fresh(&self) -> Box<dyn Aggregate> {
        Box::new(Custom::new(self.reducer.clone(), self.arguments.clone()))
    }
}
