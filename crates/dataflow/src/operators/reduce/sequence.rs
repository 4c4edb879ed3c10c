//! Aggregates that look at row ids, times or an order: tuples, arrays, the chosen row, the earliest
//! and latest row.

use std::sync::Arc;

use pathway_types::view::CellView;
use pathway_types::{
    Batch, Column, ColumnBuilder, DType, DataError, Diffs, ErrorKind, Key, NdArray, Timestamp, Value,
};

use super::aggregate::{Aggregate, Merge, Rows};
use super::multiset::Multiset;
use super::ordered::{results_column, save_multisets};

/// All values of a group, ordered by the group-by's order and then by row id, as a tuple or array.
pub(super) struct Sequence {
    argument: DType,
    order: Option<DType>,
    result: DType,
    skip_nones: bool,
    groups: Vec<Multiset<(Value, u128, Value)>>,
}

impl Sequence {
    pub(super) fn new(argument: DType, order: Option<DType>, result: DType, skip_nones: bool) -> Self {
        Sequence { argument, order, result, skip_nones, groups: Vec::new() }
    }

    fn order_dtype(&self) -> DType {
        self.order.clone().unwrap_or(DType::None)
    }

    fn result(&self, slot: usize) -> Result<Value, DataError> {
        let members = self.groups[slot].iter().filter(|((_, _, v), _)| !(self.skip_nones && v.is_none()));
        let values = members.flat_map(|((_, _, v), n)| std::iter::repeat_n(v.clone(), n as usize));
        match self.result.unoptional() {
            DType::Array { .. } => stack(&values.collect::<Vec<_>>()),
            _ => Ok(Value::tuple(values)),
        }
    }
}

/// The array whose rows are `values`: numbers, arrays or tuples of one shape.
fn stack(values: &[Value]) -> Result<Value, DataError> {
    let mut shape: Option<Vec<usize>> = None;
    let (mut ints, mut floats, mut all_ints) = (Vec::new(), Vec::new(), true);
    for value in values {
        let mut dims = Vec::new();
        flatten_into(value, 0, &mut dims, &mut ints, &mut floats, &mut all_ints)?;
        match &shape {
            None => shape = Some(dims),
            Some(shape) if *shape == dims => {}
            Some(shape) => {
                return Err(DataError::value(format!(
                    "values of shapes {shape:?} and {dims:?} do not form an array"
                )));
            }
        }
    }
    let mut full = vec![values.len()];
    full.extend(shape.unwrap_or_default());
    let broken = || DataError::value("the values do not form an array");
    if all_ints && !values.is_empty() {
        NdArray::new(full, ints).map(|a| Value::IntArray(Arc::new(a))).ok_or_else(broken)
    } else {
        NdArray::new(full, floats).map(|a| Value::FloatArray(Arc::new(a))).ok_or_else(broken)
    }
}

fn flatten_into(
    value: &Value,
    depth: usize,
    dims: &mut Vec<usize>,
    ints: &mut Vec<i64>,
    floats: &mut Vec<f64>,
    all_ints: &mut bool,
) -> Result<(), DataError> {
    let mut dimension = |len: usize| match dims.get(depth) {
        None => {
            dims.push(len);
            Ok(())
        }
        Some(known) if *known == len => Ok(()),
        Some(known) => {
            Err(DataError::value(format!("members of lengths {known} and {len} do not form an array")))
        }
    };
    match value {
        Value::Int(v) => {
            ints.push(*v);
            floats.push(*v as f64);
        }
        Value::Float(v) => {
            *all_ints = false;
            floats.push(*v);
        }
        Value::Tuple(members) => {
            dimension(members.len())?;
            for member in members.iter() {
                flatten_into(member, depth + 1, dims, ints, floats, all_ints)?;
            }
        }
        Value::IntArray(array) => {
            dims.extend(array.shape());
            ints.extend(array.elements());
            floats.extend(array.elements().iter().map(|v| *v as f64));
        }
        Value::FloatArray(array) => {
            *all_ints = false;
            dims.extend(array.shape());
            floats.extend(array.elements());
        }
        other => return Err(DataError::type_mismatch("a number, an array or a tuple", other)),
    }
    Ok(())
}

impl Aggregate for Sequence {
    fn width(&self) -> usize {
        3
    }
    fn lift(&self, rows: &Rows<'_>) -> Vec<Column> {
        let order = rows.order.cloned().unwrap_or_else(|| Column::nulls(&DType::None, rows.diffs.len()));
        vec![rows.arguments[0].clone(), rows.ids.clone(), order]
    }
    fn grow(&mut self, groups: usize) {
        self.groups.resize_with(groups, Multiset::default);
    }
    fn merge(&mut self, merge: &Merge<'_>) {
        let [values, ids, orders] = merge.shipped else { return };
        let order_dtype = self.order_dtype();
        let (view, order) = (CellView::new(values, &self.argument), CellView::new(orders, &order_dtype));
        let ids = pathway_types::Keys::of_column(ids);
        for (row, slot) in merge.slots.iter().enumerate() {
            if !view.is_error(row) {
                let member = (order.value(row), ids.as_slice()[row], view.value(row));
                self.groups[*slot as usize].add(member, merge.diffs.get(row));
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
        let dtypes = [self.argument.clone(), DType::ANY_POINTER, self.order_dtype()];
        save_multisets(&self.groups, slots, keys, &dtypes, |(order, id, value), columns| {
            columns[0].push(value);
            columns[1].push(&Value::Pointer(Key(*id)));
            columns[2].push(order);
        })
    }
    fn per_group(&self) -> usize {
        size_of::<Multiset<Value>>()
    }
    fn keeps_rows(&self) -> bool {
        true
    }
    fn fresh(&self) -> Box<dyn Aggregate> {
        let (argument, order) = (self.argument.clone(), self.order.clone());
        Box::new(Sequence::new(argument, order, self.result.clone(), self.skip_nones))
    }
}

/// Decides which row `any` takes: the one whose id XOR this is the greatest.
const ANY_PATTERN: u128 = 0x2152_4110_2152_4110_2152_4110_2152_4110;

/// The value of one row of the group, the same row for every `any` of the group.
pub(super) struct AnyRow {
    argument: DType,
    groups: Vec<Multiset<(u128, Value)>>,
}

impl AnyRow {
    pub(super) fn new(argument: DType) -> Self {
        AnyRow { argument, groups: Vec::new() }
    }
}

impl Aggregate for AnyRow {
    fn width(&self) -> usize {
        2
    }
    fn lift(&self, rows: &Rows<'_>) -> Vec<Column> {
        vec![rows.arguments[0].clone(), rows.ids.clone()]
    }
    fn grow(&mut self, groups: usize) {
        self.groups.resize_with(groups, Multiset::default);
    }
    fn merge(&mut self, merge: &Merge<'_>) {
        let [values, ids] = merge.shipped else { return };
        let view = CellView::new(values, &self.argument);
        let ids = pathway_types::Keys::of_column(ids);
        for (row, slot) in merge.slots.iter().enumerate() {
            if !view.is_error(row) {
                let member = (ids.as_slice()[row] ^ ANY_PATTERN, view.value(row));
                self.groups[*slot as usize].add(member, merge.diffs.get(row));
            }
        }
    }
    fn partials(&self, _groups: usize) -> Option<Vec<Column>> {
        None
    }
    fn results(&mut self, slots: &[u32], report: &mut dyn FnMut(DataError)) -> Column {
        results_column(&self.argument, slots, report, |slot| {
            Ok(self.groups[slot].last().map_or(Value::Error, |(_, value)| value.clone()))
        })
    }
    fn clear(&mut self, slot: u32) {
        self.groups[slot as usize] = Multiset::default();
    }
    fn save(&mut self, slots: &[u32], keys: &[u128]) -> Result<Batch, DataError> {
        let dtypes = [self.argument.clone(), DType::ANY_POINTER];
        save_multisets(&self.groups, slots, keys, &dtypes, |(id, value), columns| {
            columns[0].push(value);
            columns[1].push(&Value::Pointer(Key(*id ^ ANY_PATTERN)));
        })
    }
    fn per_group(&self) -> usize {
        size_of::<Multiset<Value>>()
    }
    fn keeps_rows(&self) -> bool {
        true
    }
    fn fresh(&self) -> Box<dyn Aggregate> {
        Box::new(AnyRow::new(self.argument.clone()))
    }
}

/// The value of the row with the lowest or highest processing time (then id); rows are only added.
pub(super) struct ByTime {
    argument: DType,
    latest: bool,
    groups: Vec<Option<(Timestamp, u128, Value)>>,
    removed: Vec<bool>,
}

impl ByTime {
    pub(super) fn new(argument: DType, latest: bool) -> Self {
        ByTime { argument, latest, groups: Vec::new(), removed: Vec::new() }
    }
}

impl Aggregate for ByTime {
    fn width(&self) -> usize {
        3
    }
    /// The time is known when rows are merged; a saved state carries it.
    fn lift(&self, rows: &Rows<'_>) -> Vec<Column> {
        vec![rows.arguments[0].clone(), rows.ids.clone(), Column::nulls(&DType::None, rows.diffs.len())]
    }
    fn grow(&mut self, groups: usize) {
        self.groups.resize(groups, None);
        self.removed.resize(groups, false);
    }
    fn merge(&mut self, merge: &Merge<'_>) {
        use arrow_array::cast::AsArray;
        let [values, ids, times] = merge.shipped else { return };
        let view = CellView::new(values, &self.argument);
        let ids = pathway_types::Keys::of_column(ids);
        let times = times.array().as_primitive_opt::<arrow_array::types::Int64Type>();
        for (row, slot) in merge.slots.iter().enumerate() {
            if view.is_error(row) {
                continue;
            }
            if merge.diffs.get(row) < 0 {
                self.removed[*slot as usize] = true;
                continue;
            }
            let time = times.map_or(merge.time, |times| times.value(row) as Timestamp);
            let rank = (time, ids.as_slice()[row]);
            let best = &mut self.groups[*slot as usize];
            let better = best
                .as_ref()
                .is_none_or(|(t, id, _)| if self.latest { rank > (*t, *id) } else { rank < (*t, *id) });
            if better {
                *best = Some((rank.0, rank.1, view.value(row)));
            }
        }
    }
    fn partials(&self, _groups: usize) -> Option<Vec<Column>> {
        None
    }
    fn results(&mut self, slots: &[u32], report: &mut dyn FnMut(DataError)) -> Column {
        let name = if self.latest { "latest" } else { "earliest" };
        results_column(&self.argument, slots, report, |slot| {
            if self.removed[slot] {
                return Err(DataError::new(
                    ErrorKind::Engine,
                    format!(
                        "the {name} reducer needs input from which no row is removed, but a row was removed"
                    ),
                ));
            }
            Ok(self.groups[slot].as_ref().map_or(Value::Error, |(_, _, value)| value.clone()))
        })
    }
    fn clear(&mut self, slot: u32) {
        self.groups[slot as usize] = None;
        self.removed[slot as usize] = false;
    }
    fn save(&mut self, slots: &[u32], keys: &[u128]) -> Result<Batch, DataError> {
        let dtypes = [self.argument.clone(), DType::ANY_POINTER, DType::Int];
        let mut columns: Vec<ColumnBuilder> = dtypes.iter().map(|d| ColumnBuilder::new(d, 0)).collect();
        let mut owners = Vec::new();
        for slot in slots {
            if let Some((time, id, value)) = &self.groups[*slot as usize] {
                owners.push(keys[*slot as usize]);
                columns[0].push(value);
                columns[1].push(&Value::Pointer(Key(*id)));
                columns[2].push(&Value::Int(*time as i64));
            }
        }
        let rows = owners.len();
        let columns = columns.iter_mut().map(ColumnBuilder::finish).collect();
        Ok(Batch::new(owners.into(), columns, Diffs::Ones(rows)))
    }
    fn per_group(&self) -> usize {
        size_of::<Option<(Timestamp, u128, Value)>>()
    }
    fn fresh(&self) -> Box<dyn Aggregate> {
        Box::new(ByTime::new(self.argument.clone(), self.latest))
    }
}
