//! Aggregates over the multiset of values of a group: minimum, maximum and their rows, the common
//! value, sorted tuple, number of distinct values, sums of arrays.
//!
//! A removal costs a logarithm in the number of distinct values of the group; a result costs what it
//! reads (one end of the multiset, or all of it for tuples and array sums).

use std::sync::Arc;

use pathway_types::batch::hash_rows;
use pathway_types::view::CellView;
use pathway_types::{Batch, Column, ColumnBuilder, DType, DataError, ErrorKind, NdArray, Value};

use super::aggregate::{Aggregate, Merge, Rows};
use super::multiset::Multiset;

/// What is read from the sorted values of a group.
#[derive(Clone, Copy)]
pub(super) enum SortedKind {
    Min,
    Max,
    Unique,
    Tuple { skip_nones: bool },
    SumArrays,
}

/// All values of each group, in order.
pub(super) struct Sorted {
    argument: DType,
    result: DType,
    kind: SortedKind,
    groups: Vec<Multiset<Value>>,
}

impl Sorted {
    pub(super) fn new(argument: DType, result: DType, kind: SortedKind) -> Self {
        Sorted { argument, result, kind, groups: Vec::new() }
    }

    fn result(&self, slot: usize) -> Result<Value, DataError> {
        let group = &self.groups[slot];
        Ok(match self.kind {
            SortedKind::Min => group.first().cloned().unwrap_or(Value::Error),
            SortedKind::Max => group.last().cloned().unwrap_or(Value::Error),
            SortedKind::Unique => {
                let mut values = group.iter();
                match (values.next(), values.next()) {
                    (Some((value, _)), None) => value.clone(),
                    (Some((first, _)), Some((second, _))) => {
                        return Err(DataError::new(
                            ErrorKind::Engine,
                            format!(
                                "the rows of a group must agree on a unique value, but have {} and {}",
                                plain(first),
                                plain(second)
                            ),
                        ));
                    }
                    _ => Value::Error,
                }
            }
            SortedKind::Tuple { skip_nones } => {
                let values = group.iter().filter(|(v, _)| !(skip_nones && v.is_none()));
                Value::tuple(values.flat_map(|(v, n)| std::iter::repeat_n(v.clone(), n as usize)))
            }
            SortedKind::SumArrays => {
                let values = group.iter().flat_map(|(v, n)| std::iter::repeat_n(v, n as usize));
                let mut sum: Option<Value> = None;
                for value in values {
                    sum = Some(match sum {
                        None => value.clone(),
                        Some(sum) => add_arrays(&sum, value)?,
                    });
                }
                sum.unwrap_or(Value::Error)
            }
        })
    }
}

/// Element-wise sum with broadcasting: dimensions are matched from the last, and one of length 1
/// (or a missing one) stretches.
fn add_arrays(left: &Value, right: &Value) -> Result<Value, DataError> {
    match (left, right) {
        (Value::IntArray(a), Value::IntArray(b)) => {
            broadcast(a, b, |x, y| x.wrapping_add(*y)).map(|a| Value::IntArray(Arc::new(a)))
        }
        (Value::FloatArray(a), Value::FloatArray(b)) => {
            broadcast(a, b, |x, y| x + y).map(|a| Value::FloatArray(Arc::new(a)))
        }
        (Value::IntArray(a), Value::FloatArray(b)) => {
            broadcast(a, b, |x, y| *x as f64 + y).map(|a| Value::FloatArray(Arc::new(a)))
        }
        (Value::FloatArray(a), Value::IntArray(b)) => {
            broadcast(a, b, |x, y| x + *y as f64).map(|a| Value::FloatArray(Arc::new(a)))
        }
        _ => Err(DataError::type_mismatch("an array", format!("{left} and {right}"))),
    }
}

fn broadcast<A, B, C>(
    left: &NdArray<A>,
    right: &NdArray<B>,
    add: impl Fn(&A, &B) -> C,
) -> Result<NdArray<C>, DataError> {
    let fail = || {
        DataError::value(format!(
            "arrays of shapes {:?} and {:?} cannot be added",
            left.shape(),
            right.shape()
        ))
    };
    let rank = left.shape().len().max(right.shape().len());
    let dim = |shape: &[usize], i: usize| {
        let missing = rank - shape.len();
        if i < missing { 1 } else { shape[i - missing] }
    };
    let mut shape = Vec::with_capacity(rank);
    for i in 0..rank {
        shape.push(match (dim(left.shape(), i), dim(right.shape(), i)) {
            (a, b) if a == b => a,
            (1, b) => b,
            (a, 1) => a,
            _ => return Err(fail()),
        });
    }
    let size: usize = shape.iter().product();
    let position = |of: &[usize], mut flat: usize| {
        let (mut at, mut stride) = (0, 1);
        for i in (0..rank).rev() {
            let index = flat % shape[i];
            flat /= shape[i];
            let len = dim(of, i);
            at += if len == 1 { 0 } else { index * stride };
            stride *= len;
        }
        at
    };
    let elements: Vec<C> = (0..size)
        .map(|flat| {
            add(
                &left.elements()[position(left.shape(), flat)],
                &right.elements()[position(right.shape(), flat)],
            )
        })
        .collect();
    NdArray::new(shape, elements).ok_or_else(fail)
}

/// Builds a result column, turning failures into error cells.
pub(super) fn results_column(
    dtype: &DType,
    slots: &[u32],
    report: &mut dyn FnMut(DataError),
    mut result: impl FnMut(usize) -> Result<Value, DataError>,
) -> Column {
    let mut builder = ColumnBuilder::new(dtype, slots.len());
    for slot in slots {
        match result(*slot as usize) {
            Ok(value) => builder.push(&value),
            Err(error) => {
                report(error);
                builder.push_error();
            }
        }
    }
    builder.finish()
}

impl Aggregate for Sorted {
    fn width(&self) -> usize {
        1
    }
    fn lift(&self, rows: &Rows<'_>) -> Vec<Column> {
        vec![rows.arguments[0].clone()]
    }
    fn grow(&mut self, groups: usize) {
        self.groups.resize_with(groups, Multiset::default);
    }
    fn merge(&mut self, merge: &Merge<'_>) {
        let column = &merge.shipped[0];
        let view = CellView::new(column, &self.argument);
        for (row, slot) in merge.slots.iter().enumerate() {
            if !column.is_error(row) && !column.is_pending(row) {
                self.groups[*slot as usize].add(view.value(row), merge.diffs.get(row));
            }
        }
    }
    fn partials(&self, _groups: usize) -> Option<Vec<Column>> {
        None
    }
    fn results(&mut self, slots: &[u32], report: &mut dyn FnMut(DataError)) -> Column {
        results_column(&self.result, slots, report, |slot| self.result(slot))
    }
    fn clear(&mut self, slot: u32) {
        self.groups[slot as usize] = Multiset::default();
    }
    fn save(&mut self, slots: &[u32], keys: &[u128]) -> Result<Batch, DataError> {
        save_multisets(&self.groups, slots, keys, std::slice::from_ref(&self.argument), |value, columns| {
            columns[0].push(value);
        })
    }
    fn per_group(&self) -> usize {
        size_of::<Multiset<Value>>()
    }
    fn keeps_rows(&self) -> bool {
        true
    }
    fn fresh(&self) -> Box<dyn Aggregate> {
        Box::new(Sorted::new(self.argument.clone(), self.result.clone(), self.kind))
    }
}

/// One row per distinct member, with its multiplicity as diff.
pub(super) fn save_multisets<K: Ord>(
    groups: &[Multiset<K>],
    slots: &[u32],
    keys: &[u128],
    dtypes: &[DType],
    mut push: impl FnMut(&K, &mut [ColumnBuilder]),
) -> Result<Batch, DataError> {
    let mut columns: Vec<ColumnBuilder> = dtypes.iter().map(|d| ColumnBuilder::new(d, 0)).collect();
    let (mut owners, mut diffs) = (Vec::new(), Vec::new());
    for slot in slots {
        for (member, count) in groups[*slot as usize].raw() {
            push(member, &mut columns);
            owners.push(keys[*slot as usize]);
            diffs.push(count);
        }
    }
    let columns = columns.iter_mut().map(ColumnBuilder::finish).collect();
    Ok(Batch::new(owners.into(), columns, diffs.into()))
}

/// The second argument of the row with the least or greatest first argument; among equals the least
/// second argument.
pub(super) struct ArgExtreme {
    arguments: Vec<DType>,
    greatest: bool,
    groups: Vec<Multiset<(Value, Value)>>,
}

impl ArgExtreme {
    pub(super) fn new(arguments: Vec<DType>, greatest: bool) -> Self {
        ArgExtreme { arguments, greatest, groups: Vec::new() }
    }

    fn result(&self, slot: usize) -> Option<&Value> {
        let group = &self.groups[slot];
        if !self.greatest {
            return group.first().map(|(_, id)| id);
        }
        let (best, _) = group.last()?;
        // Walk back over the rows that share the greatest value; usually there is one.
        group.iter().rev().take_while(|((value, _), _)| value == best).last().map(|((_, id), _)| id)
    }
}

impl Aggregate for ArgExtreme {
    fn width(&self) -> usize {
        2
    }
    fn lift(&self, rows: &Rows<'_>) -> Vec<Column> {
        rows.arguments.iter().map(|c| (*c).clone()).collect()
    }
    fn grow(&mut self, groups: usize) {
        self.groups.resize_with(groups, Multiset::default);
    }
    fn merge(&mut self, merge: &Merge<'_>) {
        let [values, ids] = merge.shipped else { return };
        let views = (CellView::new(values, &self.arguments[0]), CellView::new(ids, &self.arguments[1]));
        for (row, slot) in merge.slots.iter().enumerate() {
            if !views.0.is_error(row) && !views.1.is_error(row) {
                let member = (views.0.value(row), views.1.value(row));
                self.groups[*slot as usize].add(member, merge.diffs.get(row));
            }
        }
    }
    fn partials(&self, _groups: usize) -> Option<Vec<Column>> {
        None
    }
    fn results(&mut self, slots: &[u32], report: &mut dyn FnMut(DataError)) -> Column {
        results_column(&self.arguments[1], slots, report, |slot| {
            Ok(self.result(slot).cloned().unwrap_or(Value::Error))
        })
    }
    fn clear(&mut self, slot: u32) {
        self.groups[slot as usize] = Multiset::default();
    }
    fn save(&mut self, slots: &[u32], keys: &[u128]) -> Result<Batch, DataError> {
        save_multisets(&self.groups, slots, keys, &self.arguments, |(value, id), columns| {
            columns[0].push(value);
            columns[1].push(id);
        })
    }
    fn per_group(&self) -> usize {
        size_of::<Multiset<Value>>()
    }
    fn keeps_rows(&self) -> bool {
        true
    }
    fn fresh(&self) -> Box<dyn Aggregate> {
        Box::new(ArgExtreme::new(self.arguments.clone(), self.greatest))
    }
}

/// Number of distinct argument combinations, by their keys.
pub(super) struct CountDistinct {
    arguments: Vec<DType>,
    groups: Vec<Multiset<u128>>,
}

impl CountDistinct {
    pub(super) fn new(arguments: Vec<DType>) -> Self {
        CountDistinct { arguments, groups: Vec::new() }
    }
}

impl Aggregate for CountDistinct {
    fn width(&self) -> usize {
        1
    }
    fn lift(&self, rows: &Rows<'_>) -> Vec<Column> {
        let columns: Vec<(&Column, &DType)> = rows.arguments.iter().copied().zip(&self.arguments).collect();
        let hashed = hash_rows(&columns, None, rows.diffs.len());
        let keys = hashed.keys.to_column();
        match hashed.errors {
            None => vec![keys],
            Some(errors) => {
                let failed = Column::all_errors(&DType::ANY_POINTER, 1);
                let places: Vec<(usize, usize)> =
                    (0..keys.len()).map(|row| if errors.value(row) { (1, 0) } else { (0, row) }).collect();
                vec![Column::interleave(&[&keys, &failed], &places)]
            }
        }
    }
    fn grow(&mut self, groups: usize) {
        self.groups.resize_with(groups, Multiset::default);
    }
    fn merge(&mut self, merge: &Merge<'_>) {
        let keys = pathway_types::Keys::of_column(&merge.shipped[0]);
        for (row, slot) in merge.slots.iter().enumerate() {
            if !merge.shipped[0].is_error(row) {
                self.groups[*slot as usize].add(keys.as_slice()[row], merge.diffs.get(row));
            }
        }
    }
    fn partials(&self, _groups: usize) -> Option<Vec<Column>> {
        None
    }
    fn results(&mut self, slots: &[u32], report: &mut dyn FnMut(DataError)) -> Column {
        results_column(&DType::Int, slots, report, |slot| {
            Ok(Value::Int(self.groups[slot].iter().count() as i64))
        })
    }
    fn clear(&mut self, slot: u32) {
        self.groups[slot as usize] = Multiset::default();
    }
    fn save(&mut self, slots: &[u32], keys: &[u128]) -> Result<Batch, DataError> {
        save_multisets(&self.groups, slots, keys, &[DType::ANY_POINTER], |key, columns| {
            columns[0].push(&Value::Pointer(pathway_types::Key(*key)));
        })
    }
    fn per_group(&self) -> usize {
        size_of::<Multiset<Value>>()
    }
    fn keeps_rows(&self) -> bool {
        true
    }
    fn fresh(&self) -> Box<dyn Aggregate> {
        Box::new(CountDistinct::new(self.arguments.clone()))
    }
}

/// The value as a user writes it, for messages.
fn plain(value: &Value) -> String {
    match value {
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Int(v) => v.to_string(),
        Value::Float(v) => format!("{v:?}"),
        Value::Pointer(v) => v.to_string(),
        Value::Str(v) => format!("{v:?}"),
        Value::Json(v) => v.as_str().to_owned(),
        other => other.to_string(),
    }
}
