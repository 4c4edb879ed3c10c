//! Answers as rows.

use std::sync::Arc;

use arrow_array::{Array, Float64Array, LargeListArray};
use arrow_buffer::{BooleanBuffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::DataType;
use pathway_index::Match;
use pathway_types::storage::{is_encoded, list_item};
use pathway_types::{Batch, CellView, Column, ColumnBuilder, DType, Diffs, Key, KeyHasher, Keys, Value};

use crate::store::{MultiMap, RowId};

/// The answer to a query: items, or that there is none because something is wrong with the query.
pub(super) type Answer<'a> = Option<&'a [Match]>;

/// Makes rows of answers, with the columns of the items.
pub(super) struct Rows<'a> {
    /// The items' columns, by the items' keys.
    pub(super) cells: &'a MultiMap,
    /// The dtypes of these columns.
    pub(super) dtypes: &'a [DType],
    /// The dtypes of the columns of the result.
    pub(super) outputs: &'a [DType],
}

impl Rows<'_> {
    fn places(&self, answers: &[(u128, Answer<'_>)]) -> Vec<RowId> {
        let matches = answers.iter().flat_map(|(_, answer)| answer.unwrap_or_default());
        // Every item of the index has its row.
        matches.filter_map(|found| self.cells.get(found.key).first()).map(|entry| entry.row).collect()
    }

    fn gather(&self, places: &[RowId], column: usize) -> Column {
        let gathered = self.cells.rows().gather(places, column);
        gathered.unwrap_or_else(|| ColumnBuilder::new(&self.dtypes[column], 0).finish())
    }

    /// One row for each query, under its id: lists of ids, distances and cells. Also the query of each row.
    pub(super) fn collapsed(&self, answers: &[(u128, Answer<'_>)]) -> (Keys, Batch) {
        let lengths = answers.iter().map(|(_, answer)| answer.map_or(0, <[Match]>::len));
        let offsets = OffsetBuffer::<i64>::from_lengths(lengths);
        let failed: BooleanBuffer = answers.iter().map(|(_, answer)| answer.is_none()).collect();
        let matches = || answers.iter().flat_map(|(_, answer)| answer.unwrap_or_default());
        let ids = Keys::from(matches().map(|found| found.key).collect::<Vec<_>>()).to_column();
        let distances = matches().map(|found| found.distance).collect::<Vec<_>>();
        let distances = Column::new(Arc::new(Float64Array::from(distances)));
        let places = self.places(answers);
        let cells = (0..self.dtypes.len()).map(|column| self.gather(&places, column));
        let members = [ids, distances].into_iter().chain(cells);
        let columns = members.zip(self.outputs).map(|(members, dtype)| {
            let DType::List(member) = dtype else { return Column::all_errors(dtype, answers.len()) };
            lists(&members, member, dtype, &offsets, &failed)
        });
        let keys: Keys = answers.iter().map(|(key, _)| *key).collect::<Vec<_>>().into();
        let batch = Batch::new(keys.clone(), columns.collect(), Diffs::Ones(answers.len()));
        (keys, batch)
    }

    /// A row for each item of each answer, and one for each query without. Also the query of each row.
    pub(super) fn flat(&self, answers: &[(u128, Answer<'_>)]) -> (Keys, Batch) {
        let (mut queries, mut ids, mut found, mut failed) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut hasher = KeyHasher::default();
        let mut row = |query: u128, item: Option<Match>, wrong: bool| {
            hasher.clear();
            hasher.pointer(Key(query));
            match item {
                Some(item) => hasher.pointer(Key(item.key)),
                None => hasher.none(),
            }
            ids.push(hasher.finish().0);
            queries.push(query);
            found.push(item);
            failed.push(wrong);
        };
        for (query, answer) in answers {
            match answer {
                Some([]) => row(*query, None, false),
                Some(items) => items.iter().for_each(|item| row(*query, Some(*item), false)),
                None => row(*query, None, true),
            }
        }
        let failed = BooleanBuffer::from(failed);
        let broken = |column: Column| {
            let errors = match column.errors() {
                Some(errors) => errors | &failed,
                None => failed.clone(),
            };
            Column::with_errors(column.array().clone(), Some(errors))
        };
        let queries = Keys::from(queries);
        let mut columns = vec![queries.to_column()];
        let (mut pointers, mut distances) =
            (ColumnBuilder::new(&self.outputs[1], found.len()), Vec::with_capacity(found.len()));
        for item in &found {
            pointers.push(&item.map_or(Value::None, |item| Value::Pointer(Key(item.key))));
            distances.push(item.map(|item| item.distance));
        }
        columns.push(broken(pointers.finish()));
        columns.push(broken(Column::new(Arc::new(Float64Array::from(distances)))));
        let place = |item: &Option<Match>| Some(self.cells.get(item.as_ref()?.key).first()?.row);
        let places: Vec<Option<RowId>> = found.iter().map(place).collect();
        for (column, dtype) in self.dtypes.iter().enumerate() {
            columns.push(broken(self.cells.rows().gather_or_none(&places, column, dtype)));
        }
        (queries, Batch::new(Keys::from(ids), columns, Diffs::Ones(places.len())))
    }
}

/// Lists of members; a list with an error among them is one.
fn lists(
    members: &Column,
    member: &DType,
    dtype: &DType,
    offsets: &OffsetBuffer<i64>,
    failed: &BooleanBuffer,
) -> Column {
    let ranges = || offsets.windows(2).map(|ends| ends[0] as usize..ends[1] as usize);
    let errors = match members.errors() {
        None => failed.clone(),
        Some(_) => {
            let broken =
                ranges().zip(failed).map(|(mut range, failed)| failed || range.any(|i| members.is_error(i)));
            broken.collect()
        }
    };
    if is_encoded(dtype) {
        let (view, mut lists) = (CellView::new(members, member), ColumnBuilder::new(dtype, errors.len()));
        for (range, error) in ranges().zip(&errors) {
            let list = || Value::from(range.map(|i| view.value(i)).collect::<Arc<[_]>>());
            lists.push(&if error { Value::Error } else { list() });
        }
        return lists.finish();
    }
    let nulls = (errors.count_set_bits() > 0).then(|| NullBuffer::new(!&errors));
    let item: DataType = members.array().data_type().clone();
    let offsets = OffsetBuffer::new(ScalarBuffer::clone(offsets.inner()));
    let array = LargeListArray::new(list_item(item), offsets, members.array().clone(), nulls);
    Column::with_errors(Arc::new(array), Some(errors))
}
