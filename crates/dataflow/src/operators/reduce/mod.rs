//! Group-by.
//!
//! *State*: per group with rows (or with a custom state that outlives them) its key, its grouping cells, the number of its rows, and one aggregate
//! per reducer. *Cost*: a hash lookup per row (per distinct group of a batch where all aggregates
//! merge, since those are summed up in each batch before rows leave the worker); an ordered
//! aggregate adds a logarithm. *Changes*: at the end of a time, the old and the new result of each
//! touched group, where they differ.
//!
//! Rows travel in *shipped* form: key = group key, then the grouping cells, the net number of rows,
//! and for each reducer the number of ignored rows (cells that are errors) and what its aggregate
//! [lifts](aggregate::Aggregate::lift).

pub mod aggregate;
mod custom;
mod estimate;
mod exact_sum;
mod extreme;
mod linear;
mod multiset;
mod ordered;
mod panes;
mod prepare;
mod sequence;
mod variance;

use std::ops::Range;

use arrow_array::Int64Array;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_buffer::BooleanBufferBuilder;
use std::sync::Arc;

use pathway_plan::program::ReduceStep;
use pathway_types::key::SHARD_MASK;
use pathway_types::view::CellView;
use pathway_types::{Batch, Column, DType, DataError, Diffs, Keys};

use crate::context::{Context, Site};
use crate::operator::{Emitter, Keyed, Operator, Progress, State, WrongState};
use crate::store::{KeyMap, RowId, RowStore, new_key_map};
use aggregate::{Aggregate, Merge, aggregate_for};

pub use panes::PaneSums;
pub use prepare::Prepare;
pub(crate) use prepare::lift_all;

/// Rows per emitted batch.
const EMIT_ROWS: usize = 64 * 1024;

/// One reducer: its aggregate and the rows it ignored.
struct Slot {
    aggregate: Box<dyn Aggregate>,
    /// Per group: rows whose argument was an error. Absent until there is one.
    ignored: Option<Vec<i64>>,
    /// Bytes of the rows that it keeps.
    kept: f64,
    /// Number of shipped columns, without the one of ignored rows.
    width: usize,
    dtype: DType,
    site: Site,
}

/// The group-by operator. Feed it with what [`Prepare`] makes, routed by key.
pub struct Reduce {
    context: Context,
    group_dtypes: Vec<DType>,
    reducers: Vec<Slot>,
    skip_errors: bool,
    groups: KeyMap<u32>,
    keys: Vec<u128>,
    rows: Vec<i64>,
    cells: Vec<RowId>,
    cell_store: RowStore,
    free: Vec<u32>,
    time: TimeState,
}

/// What is remembered of the open time.
#[derive(Default)]
struct TimeState {
    /// Groups touched, in order of first touch.
    touched: Vec<u32>,
    is_touched: Vec<bool>,
    /// Groups that had a result before the time, and those results.
    old_groups: Vec<u32>,
    old_results: Vec<Vec<Column>>,
    /// Bytes of these results.
    bytes: usize,
    /// Where a group with a result is among those; `NOWHERE` for all groups between times.
    place: Vec<u32>,
}

const NOWHERE: u32 = u32::MAX;

impl Reduce {
    /// An operator for the step; `inputs` are the dtypes of the step's input.
    pub fn new(
        step: &ReduceStep,
        inputs: &[DType],
        insert_only: bool,
        context: Context,
        site: &Site,
    ) -> Self {
        let reducers = step.reducers.iter().map(|column| {
            let aggregate = aggregate_for(column, inputs, step.sort_by, insert_only);
            Slot {
                width: aggregate.width(),
                aggregate,
                ignored: None,
                kept: 0.0,
                dtype: column.dtype.clone(),
                site: site.at(&column.frame),
            }
        });
        Reduce {
            reducers: reducers.collect(),
            context,
            group_dtypes: step.group_columns.iter().map(|c| inputs[*c].clone()).collect(),
            skip_errors: step.skip_errors,
            groups: new_key_map(),
            keys: Vec::new(),
            rows: Vec::new(),
            cells: Vec::new(),
            cell_store: RowStore::default(),
            free: Vec::new(),
            time: TimeState::default(),
        }
    }

    /// The group of each row; new groups are created, without their grouping cells.
    fn locate(&mut self, batch: &Batch) -> Vec<u32> {
        let mut fresh: Vec<u32> = Vec::new();
        let mut slots = Vec::with_capacity(batch.len());
        for (row, key) in batch.keys.as_slice().iter().enumerate() {
            let slot = *self.groups.entry(*key).or_insert_with(|| {
                fresh.push(row as u32);
                self.free.pop().unwrap_or_else(|| {
                    self.keys.push(0);
                    self.rows.push(0);
                    self.cells.push(RowId { chunk: 0, row: 0 });
                    self.time.is_touched.push(false);
                    (self.keys.len() - 1) as u32
                })
            });
            slots.push(slot);
        }
        if !fresh.is_empty() {
            let groups = self.keys.len();
            for reducer in &mut self.reducers {
                reducer.aggregate.grow(groups);
                if let Some(ignored) = &mut reducer.ignored {
                    ignored.resize(groups, 0);
                }
            }
            let taken = batch.project(&(0..self.group_dtypes.len()).collect::<Vec<_>>()).take(&fresh);
            let anchors: Vec<u128> = fresh.iter().map(|row| u128::from(slots[*row as usize])).collect();
            let chunk = self.cell_store.insert(taken.keys.clone(), taken.columns, anchors.into());
            for (i, row) in fresh.iter().enumerate() {
                let slot = slots[*row as usize] as usize;
                self.keys[slot] = batch.keys.as_slice()[*row as usize];
                self.cells[slot] = RowId { chunk, row: i as u32 };
            }
        }
        slots
    }

    /// Remembers the results of groups that are touched for the first time in this time.
    fn touch(&mut self, slots: &[u32]) {
        let mut old = Vec::new();
        for slot in slots {
            let touched = &mut self.time.is_touched[*slot as usize];
            if !*touched {
                *touched = true;
                self.time.touched.push(*slot);
                if self.rows[*slot as usize] > 0 {
                    old.push(*slot);
                }
            }
        }
        self.drop_hidden(&mut old);
        if !old.is_empty() {
            let results = self.results(&old, false);
            self.time.bytes += results.iter().map(Column::memory_size).sum::<usize>();
            self.time.old_results.push(results);
            self.time.old_groups.extend(old);
        }
    }

    /// Leaves out groups whose row some reducer hides.
    fn drop_hidden(&mut self, slots: &mut Vec<u32>) {
        for reducer in &mut self.reducers {
            if let Some(hidden) = reducer.aggregate.hidden(slots) {
                let mut hidden = hidden.into_iter();
                slots.retain(|_| hidden.next() != Some(true));
            }
        }
    }

    /// True if a reducer keeps its state of a group without rows.
    fn outlives_rows(&mut self, slot: u32) -> bool {
        let context = &self.context;
        self.reducers.iter_mut().fold(false, |kept, reducer| {
            let site = &reducer.site;
            kept | reducer.aggregate.outlives_rows(slot, &mut |error| context.data_error(site, &error))
        })
    }

    /// The results of all reducers for these groups.
    fn results(&mut self, slots: &[u32], report: bool) -> Vec<Column> {
        let (rows, context, skip_errors) = (&self.rows, &self.context, self.skip_errors);
        let results = self.reducers.iter_mut().map(|reducer| {
            let site = &reducer.site;
            let column = reducer.aggregate.results(slots, &mut |error| {
                if report {
                    context.data_error(site, &error);
                }
            });
            let Some(ignored) = &reducer.ignored else { return column };
            let remembers = reducer.aggregate.remembers();
            let failed = |slot: &u32| match ignored[*slot as usize] {
                ignored if skip_errors => !remembers && ignored >= rows[*slot as usize],
                ignored => ignored > 0,
            };
            with_errors(column, &reducer.dtype, slots.iter().map(failed))
        });
        results.collect()
    }

    fn emit(&self, slots: &[u32], results: Vec<Column>, diff: i64, out: &mut Emitter) {
        for start in (0..slots.len()).step_by(EMIT_ROWS) {
            let len = EMIT_ROWS.min(slots.len() - start);
            let slots = &slots[start..start + len];
            let keys: Vec<u128> = slots.iter().map(|slot| self.keys[*slot as usize]).collect();
            let cells: Vec<RowId> = slots.iter().map(|slot| self.cells[*slot as usize]).collect();
            let mut columns: Vec<Column> = (0..self.group_dtypes.len())
                .filter_map(|column| self.cell_store.gather(&cells, column))
                .collect();
            columns.extend(results.iter().map(|column| column.slice(start, len)));
            let diffs = if diff == 1 { Diffs::Ones(len) } else { Diffs::from(vec![diff; len]) };
            out.emit(Batch::new(keys.into(), columns, diffs));
        }
    }
}

/// The column with further error cells.
pub(crate) fn with_errors(column: Column, dtype: &DType, failed: impl Iterator<Item = bool>) -> Column {
    let failed: Vec<bool> = failed.collect();
    if !failed.contains(&true) {
        return column;
    }
    let errors = Column::all_errors(dtype, 1);
    let places: Vec<(usize, usize)> =
        failed.iter().enumerate().map(|(row, failed)| if *failed { (1, 0) } else { (0, row) }).collect();
    Column::interleave(&[&column, &errors], &places)
}

impl Operator for Reduce {
    fn apply(&mut self, _input: usize, batch: Batch, progress: &Progress, _out: &mut Emitter) {
        let slots = self.locate(&batch);
        self.touch(&slots);
        let mut column = self.group_dtypes.len();
        let net = batch.columns[column].array().as_primitive::<Int64Type>();
        for (slot, net) in slots.iter().zip(net.values()) {
            self.rows[*slot as usize] += net;
        }
        column += 1;
        for reducer in &mut self.reducers {
            let ignored = &batch.columns[column];
            if let Some(counts) = ignored.array().as_primitive_opt::<Int64Type>() {
                let total = reducer.ignored.get_or_insert_with(|| vec![0; self.keys.len()]);
                for (slot, count) in slots.iter().zip(counts.values()) {
                    total[*slot as usize] += count;
                }
            }
            let shipped = &batch.columns[column + 1..column + 1 + reducer.width];
            reducer.merge(&Merge { slots: &slots, shipped, diffs: &batch.diffs, time: progress.time });
            column += 1 + reducer.width;
        }
    }

    fn flush(&mut self, _progress: &Progress, out: &mut Emitter) {
        let touched = std::mem::take(&mut self.time.touched);
        let old_groups = std::mem::take(&mut self.time.old_groups);
        self.time.bytes = 0;
        let old_results = concat_results(std::mem::take(&mut self.time.old_results));
        let mut live: Vec<u32> = touched.iter().copied().filter(|s| self.rows[*s as usize] > 0).collect();
        self.drop_hidden(&mut live);
        let new_results = self.results(&live, true);
        if old_groups.is_empty() {
            self.emit(&live, new_results, 1, out);
        } else {
            // Groups whose result is what it was are left out on both sides.
            let mut place = std::mem::take(&mut self.time.place);
            place.resize(self.keys.len(), NOWHERE);
            live.iter().enumerate().for_each(|(i, slot)| place[*slot as usize] = i as u32);
            let views = |columns: &[Column]| -> Vec<(Column, DType)> {
                columns.iter().cloned().zip(self.reducers.iter().map(|r| r.dtype.clone())).collect()
            };
            let (old_cells, new_cells) = (views(&old_results), views(&new_results));
            let (old_views, new_views): (Vec<_>, Vec<_>) = old_cells
                .iter()
                .zip(&new_cells)
                .map(|((o, od), (n, nd))| (CellView::new(o, od), CellView::new(n, nd)))
                .unzip();
            let mut old_keep = BooleanBufferBuilder::new(old_groups.len());
            let mut new_keep = vec![true; live.len()];
            for (i, slot) in old_groups.iter().enumerate() {
                let at = place[*slot as usize];
                let same =
                    at != NOWHERE && old_views.iter().zip(&new_views).all(|(o, n)| o.eq(i, n, at as usize));
                old_keep.append(!same);
                if same {
                    new_keep[at as usize] = false;
                }
            }
            live.iter().for_each(|slot| place[*slot as usize] = NOWHERE);
            self.time.place = place;
            let old_keep = old_keep.finish();
            let new_keep = arrow_buffer::BooleanBuffer::from(new_keep);
            let keep = |slots: &[u32], mask: &arrow_buffer::BooleanBuffer| -> Vec<u32> {
                mask.set_indices().map(|i| slots[i]).collect()
            };
            let filter = |columns: Vec<Column>, mask: &arrow_buffer::BooleanBuffer| -> Vec<Column> {
                columns.iter().map(|c| c.filter(mask)).collect()
            };
            self.emit(&keep(&old_groups, &old_keep), filter(old_results, &old_keep), -1, out);
            self.emit(&keep(&live, &new_keep), filter(new_results, &new_keep), 1, out);
        }
        for slot in &touched {
            let at = *slot as usize;
            self.time.is_touched[at] = false;
            if self.rows[at] == 0 && !self.outlives_rows(*slot) {
                self.groups.remove(&self.keys[at]);
                self.cell_store.forget(self.cells[at]);
                self.cells[at] = RowId { chunk: u32::MAX, row: u32::MAX };
                self.free.push(*slot);
                for reducer in &mut self.reducers {
                    reducer.aggregate.clear(*slot);
                    if let Some(ignored) = &mut reducer.ignored {
                        ignored[at] = 0;
                    }
                }
            }
        }
        let cells = &mut self.cells;
        self.cell_store.tidy(|slot, from, to| {
            let cell = &mut cells[slot as usize];
            let known = *cell == from;
            if known {
                *cell = to;
            }
            known
        });
    }

    fn wants(&self, _input: usize, _progress: &Progress) -> bool {
        true
    }

    /// The groups in shipped form: loading is merging.
    fn save(&mut self, shards: Range<u32>) -> Result<State, DataError> {
        let slots: Vec<u32> = self
            .groups
            .iter()
            .filter(|(key, _)| shards.contains(&((**key & SHARD_MASK) as u32)))
            .map(|(_, slot)| *slot)
            .collect();
        let mut tables = Vec::new();
        let cells: Vec<RowId> = slots.iter().map(|slot| self.cells[*slot as usize]).collect();
        let keys: Vec<u128> = slots.iter().map(|slot| self.keys[*slot as usize]).collect();
        let count = |values: &[i64]| -> Column {
            Column::new(Arc::new(slots.iter().map(|s| values[*s as usize]).collect::<Int64Array>()))
        };
        let cell = |(column, dtype)| {
            self.cell_store.gather(&cells, column).unwrap_or_else(|| Column::nulls(dtype, 0))
        };
        let mut columns: Vec<Column> = self.group_dtypes.iter().enumerate().map(cell).collect();
        columns.push(count(&self.rows));
        for reducer in &self.reducers {
            columns.push(match &reducer.ignored {
                Some(ignored) => count(ignored),
                None => Column::new(Arc::new(Int64Array::from(vec![0; slots.len()]))),
            });
        }
        tables.push(("groups", Batch::new(Keys::from(keys), columns, Diffs::Ones(slots.len()))));
        for reducer in &mut self.reducers {
            tables.push(("aggregate", reducer.aggregate.save(&slots, &self.keys)?));
        }
        Ok(State::of_tables(tables))
    }

    fn load(&mut self, state: State) -> Result<(), WrongState> {
        let mut tables = state.tables.into_iter();
        let Some(("groups", groups)) = tables.next() else {
            return Err(WrongState("the table of groups is missing".into()));
        };
        let width = self.group_dtypes.len();
        if groups.columns.len() != width + 1 + self.reducers.len() {
            return Err(WrongState("the number of reducers or grouping columns differs".into()));
        }
        let slots = self.locate(&groups);
        let counts = groups.columns[width].array().as_primitive::<Int64Type>();
        slots.iter().zip(counts.values()).for_each(|(s, n)| self.rows[*s as usize] += n);
        for (i, reducer) in self.reducers.iter_mut().enumerate() {
            let counts = groups.columns[width + 1 + i].array().as_primitive_opt::<Int64Type>();
            if let Some(counts) = counts.filter(|counts| counts.values().iter().any(|count| *count != 0)) {
                let total = reducer.ignored.get_or_insert_with(|| vec![0; self.keys.len()]);
                slots.iter().zip(counts.values()).for_each(|(s, n)| total[*s as usize] += n);
            }
            let Some(("aggregate", saved)) = tables.next() else {
                return Err(WrongState("the table of an aggregate is missing".into()));
            };
            let slots = saved.keys.as_slice().iter().map(|key| self.groups.get(key).copied());
            let slots = slots.collect::<Option<Vec<u32>>>();
            let slots = slots.ok_or_else(|| WrongState("an aggregate names an unknown group".into()))?;
            if saved.columns.len() != reducer.width {
                return Err(WrongState("an aggregate has another layout".into()));
            }
            reducer.merge(&Merge { slots: &slots, shipped: &saved.columns, diffs: &saved.diffs, time: 0 });
        }
        Ok(())
    }

    fn memory(&self) -> usize {
        let groups = self.keys.capacity();
        let own = size_of::<(u128, i64, RowId, bool, u32)>() * groups + self.groups.allocation_size();
        let reducers = self.reducers.iter().map(|reducer| reducer.memory(groups));
        own + reducers.sum::<usize>() + self.cell_store.memory() + self.time.bytes
    }

    fn keyed(&mut self) -> Option<&mut dyn Keyed> {
        Some(self)
    }
}

impl Keyed for Reduce {
    fn holds(&self, key: u128) -> bool {
        self.groups.contains_key(&key)
    }

    fn clear(&mut self) {
        self.groups = new_key_map();
        (self.keys, self.rows, self.cells, self.free) = Default::default();
        (self.cell_store, self.time) = Default::default();
        for reducer in &mut self.reducers {
            reducer.aggregate = reducer.aggregate.fresh();
            (reducer.ignored, reducer.kept) = (None, 0.0);
        }
    }
}

impl Slot {
    fn merge(&mut self, merge: &Merge<'_>) {
        if self.aggregate.keeps_rows() && !merge.slots.is_empty() {
            let bytes: usize = merge.shipped.iter().map(Column::cells_size).sum();
            let net: i64 = merge.diffs.iter().sum();
            let of_row = bytes as f64 / merge.slots.len() as f64 + OF_VALUE;
            self.kept = (self.kept + net as f64 * of_row).max(0.0);
        }
        self.aggregate.merge(merge);
    }

    /// About how many bytes it takes for so many groups.
    fn memory(&self, groups: usize) -> usize {
        let ignored = if self.ignored.is_some() { size_of::<i64>() } else { 0 };
        groups * (self.aggregate.per_group() + ignored) + self.kept as usize
    }
}

/// About how many bytes a value takes in an ordered aggregate, besides its own.
const OF_VALUE: f64 = 64.0;

fn concat_results(chunks: Vec<Vec<Column>>) -> Vec<Column> {
    let width = chunks.first().map_or(0, Vec::len);
    (0..width).map(|i| Column::concat(&chunks.iter().map(|c| &c[i]).collect::<Vec<_>>())).collect()
}
