//! Sums up the rows of a time by panes, and makes windows of these.
//!
//! *State*: none between times; in the open one an aggregate for each pane with rows. *Cost*: a hash lookup
//! per row; then, whatever the number of rows, for each pane and each window a merge for every doubling of
//! the panes in a window. *Changes*: at the end of a time, what it adds to each window, in the form in which
//! [`Reduce`](super::Reduce) takes rows. Every worker does this for the rows that it has.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Int64Array, UInt32Array};

use pathway_plan::program::{GroupKey, Panes, ReduceStep};
use pathway_types::batch::hash_rows;
use pathway_types::{Batch, Column, DType, DataError, Diffs};

use super::aggregate::{Aggregate, Merge};
use super::linear::Count;
use super::prepare::{Prepare, lift_all};
use crate::context::{Context, Site};
use crate::operator::{Emitter, Operator, Progress, State, WrongState};
use crate::store::{KeyMap, new_key_map};

/// Rows per emitted batch.
const EMIT_ROWS: usize = 64 * 1024;

/// The operator.
pub struct PaneSums {
    panes: Panes,
    prepare: Prepare,
    context: Context,
    /// The columns of the key, and which of them is the pane.
    key: Vec<usize>,
    pane: usize,
    instance: bool,
    slots: KeyMap<u32>,
    /// Of each pane in the order of slots, the columns of the key.
    cells: Vec<Batch>,
    /// The net number of rows.
    rows: Count,
    /// For each reducer the ignored rows, if there are any, and the rest.
    sums: Vec<(Option<Count>, Box<dyn Aggregate>)>,
}

/// A window, and which of the panes, in order, it is made of.
struct Window {
    number: i64,
    panes: Range<u32>,
}

impl PaneSums {
    /// For the step, which has panes; `inputs` are the dtypes of its input, which `insert_only` promises to
    /// only grow.
    pub fn new(
        step: &ReduceStep,
        panes: &Panes,
        inputs: &[DType],
        insert_only: bool,
        context: Context,
        site: Site,
    ) -> Self {
        let (key, instance) = match &step.key {
            GroupKey::Hash { columns, instance } => (columns.clone(), *instance),
            GroupKey::Pointer(column) => (vec![*column], false),
        };
        let pane = key.iter().position(|column| *column == panes.column).unwrap_or(0);
        let prepare = Prepare::new(step.clone(), inputs, insert_only, context.clone(), site);
        let sums = prepare.aggregates.iter().map(|aggregate| (None, aggregate.fresh())).collect();
        PaneSums {
            panes: panes.clone(),
            prepare,
            context,
            key,
            pane,
            instance,
            slots: new_key_map(),
            cells: Vec::new(),
            rows: Count::default(),
            sums,
        }
    }

    /// The windows with panes of this time, and these in order: windows are made of neighbours.
    fn windows(&self, cells: &Batch) -> (Vec<Window>, Vec<u32>) {
        let pair = |(i, column): (usize, &usize)| (&cells.columns[i], &self.prepare.inputs[*column]);
        let others = self.key.iter().enumerate().filter(|(i, _)| *i != self.pane).map(pair);
        let owners = hash_rows(&others.collect::<Vec<_>>(), None, cells.len()).keys;
        let owners = owners.as_slice();
        let numbers = cells.columns[self.pane].array().as_primitive::<Int64Type>().values();
        let mut order: Vec<u32> = (0..cells.len() as u32).collect();
        order.sort_unstable_by_key(|slot| (owners[*slot as usize], numbers[*slot as usize]));
        let number = |at: usize| numbers[order[at] as usize];
        let mut windows = Vec::new();
        let mut start = 0;
        for run in order.chunk_by(|a, b| owners[*a as usize] == owners[*b as usize]) {
            let end = start + run.len();
            let (mut from, mut to) = (start, start);
            let mut next = i64::MIN;
            for at in start..end {
                let (first, last) = self.panes.windows(number(at));
                for window in first.max(next)..=last {
                    let begin = self.panes.start(window);
                    while number(from) < begin {
                        from += 1;
                    }
                    let beyond = begin.saturating_add(self.panes.length);
                    while to < end && number(to) < beyond {
                        to += 1;
                    }
                    windows.push(Window { number: window, panes: from as u32..to as u32 });
                    next = window + 1;
                }
            }
            start = end;
        }
        (windows, order)
    }

    /// What windows are, or `None` if that cannot be said in one row for each.
    fn put_together(&self, windows: &[Window], order: &[u32]) -> Option<Vec<Column>> {
        let blocks = Blocks::of(windows, order.len());
        let mut columns = blocks.merge(&self.rows, order)?;
        for (ignored, sum) in &self.sums {
            columns.extend(match ignored {
                Some(ignored) => blocks.merge(ignored, order)?,
                None => vec![Column::nulls(&DType::None, windows.len())],
            });
            columns.extend(blocks.merge(&**sum, order)?);
        }
        Some(columns)
    }

    /// Emits rows that add to windows; `slots` gives for each a pane with the other columns of its key.
    fn emit(
        &self,
        numbers: Vec<i64>,
        slots: Vec<u32>,
        cells: &Batch,
        sums: Vec<Column>,
        diffs: Diffs,
        out: &mut Emitter,
    ) {
        let mut key = cells.take(&slots).columns;
        key[self.pane] = Column::new(Arc::new(Int64Array::from(numbers)));
        let mut pairs: Vec<(&Column, &DType)> =
            key.iter().zip(&self.key).map(|(cells, column)| (cells, &self.prepare.inputs[*column])).collect();
        let last = if self.instance { pairs.pop() } else { None };
        let keys = hash_rows(&pairs, last, slots.len()).keys;
        let group = self.prepare.step.group_columns.iter();
        let place = |column: &usize| self.key.iter().position(|other| other == column).unwrap_or(self.pane);
        let mut columns: Vec<Column> = group.map(|column| key[place(column)].clone()).collect();
        columns.extend(sums);
        let batch = Batch::new(keys, columns, diffs);
        for start in (0..batch.len()).step_by(EMIT_ROWS) {
            out.emit(batch.slice(start, EMIT_ROWS.min(batch.len() - start)));
        }
    }

    /// Emits what each pane adds to each of its windows. A pane may need several rows to say a sum.
    fn emit_each(&mut self, cells: &Batch, out: &mut Emitter) -> Result<(), DataError> {
        let panes = cells.len();
        let slots: Vec<u32> = (0..panes as u32).collect();
        let names: Vec<u128> = (0..panes as u128).collect();
        let nothing = |sum: &dyn Aggregate, rows: usize| {
            let mut fresh = sum.fresh();
            fresh.grow(rows);
            fresh.partials(rows).unwrap_or_default()
        };
        // The columns of all but the reducers in which a pane is several rows, and then of each of these.
        for turn in 0..=self.sums.len() {
            let (rows, own) = match turn.checked_sub(1) {
                None => (Batch::new(names.clone().into(), vec![], Diffs::Ones(panes)), None),
                Some(reducer) if self.sums[reducer].1.partials(panes).is_none() => {
                    let saved = self.sums[reducer].1.save(&slots, &names)?;
                    (Batch { columns: vec![], ..saved.clone() }, Some((reducer, saved)))
                }
                Some(_) => continue,
            };
            let count = rows.len();
            let with = |counted: &Count| if turn == 0 { counted.partials(panes) } else { None };
            let mut columns = with(&self.rows).unwrap_or_else(|| nothing(&self.rows, count));
            for (i, (ignored, sum)) in self.sums.iter().enumerate() {
                let ignored = ignored.as_ref().and_then(with);
                columns.extend(ignored.unwrap_or_else(|| vec![Column::nulls(&DType::None, count)]));
                columns.extend(match &own {
                    Some((reducer, saved)) if *reducer == i => saved.columns.clone(),
                    Some(_) => nothing(&**sum, count),
                    None => sum.partials(panes).unwrap_or_else(|| nothing(&**sum, count)),
                });
            }
            let numbers = cells.columns[self.pane].array().as_primitive::<Int64Type>().values();
            let (mut windows, mut taken, mut of) = (Vec::new(), Vec::new(), Vec::new());
            for (row, slot) in rows.keys.as_slice().iter().enumerate() {
                let (first, last) = self.panes.windows(numbers[*slot as usize]);
                windows.extend(first..=last);
                taken.resize(windows.len(), row as u32);
                of.resize(windows.len(), *slot as u32);
            }
            let shipped = Batch::new(rows.keys, columns, rows.diffs).take(&taken);
            self.emit(windows, of, cells, shipped.columns, shipped.diffs, out);
        }
        Ok(())
    }
}

/// Windows in blocks of panes: each size a power of two, each window its own blocks.
struct Blocks {
    windows: usize,
    /// For each size, beginning with one: windows that have a block of it, and where that begins.
    sizes: Vec<(Vec<u32>, Vec<u32>)>,
    panes: usize,
}

impl Blocks {
    fn of(windows: &[Window], panes: usize) -> Blocks {
        let mut starts: Vec<u32> = windows.iter().map(|window| window.panes.start).collect();
        let longest = windows.iter().map(|window| window.panes.len()).max().unwrap_or(0);
        let mut sizes = Vec::new();
        let mut size = 1;
        while size <= longest {
            let (mut having, mut begins) = (Vec::new(), Vec::new());
            for (i, window) in windows.iter().enumerate().filter(|(_, window)| window.panes.len() & size != 0)
            {
                debug_assert!(window.panes.end as usize <= panes);
                having.push(i as u32);
                begins.push(starts[i]);
                starts[i] += size as u32;
            }
            sizes.push((having, begins));
            size *= 2;
        }
        Blocks { windows: windows.len(), sizes, panes }
    }

    /// What windows are in shipped form, if panes in this order, and blocks of them, have such a form.
    fn merge(&self, panes: &dyn Aggregate, order: &[u32]) -> Option<Vec<Column>> {
        let add = |into: &mut dyn Aggregate, slots: &[u32], shipped: &[Column]| {
            into.merge(&Merge { slots, shipped, diffs: &Diffs::Ones(slots.len()), time: 0 });
        };
        let take = |columns: &[Column], rows: &[u32]| -> Vec<Column> {
            let rows = UInt32Array::from(rows.to_vec());
            columns.iter().map(|column| column.take(&rows)).collect()
        };
        let mut result = panes.fresh();
        result.grow(self.windows);
        let mut blocks = take(&panes.partials(self.panes)?, order);
        let mut length = self.panes;
        let all: Vec<u32> = (0..length as u32).collect();
        for (i, (having, begins)) in self.sizes.iter().enumerate() {
            if !having.is_empty() {
                add(&mut *result, having, &take(&blocks, begins));
            }
            if i + 1 < self.sizes.len() {
                let size = 1 << i;
                length -= size;
                let mut doubled = panes.fresh();
                doubled.grow(length);
                for from in [0, size] {
                    let slice: Vec<Column> = blocks.iter().map(|column| column.slice(from, length)).collect();
                    add(&mut *doubled, &all[..length], &slice);
                }
                blocks = doubled.partials(length)?;
            }
        }
        result.partials(self.windows)
    }
}

impl Operator for PaneSums {
    fn apply(&mut self, _input: usize, batch: Batch, _progress: &Progress, _out: &mut Emitter) {
        let (keys, batch) = self.prepare.keys(batch, &mut self.context.clone());
        if batch.is_empty() {
            return;
        }
        let mut fresh = Vec::new();
        let mut slots = Vec::with_capacity(batch.len());
        for (row, key) in keys.as_slice().iter().enumerate() {
            let next = self.slots.len() as u32;
            slots.push(*self.slots.entry(*key).or_insert_with(|| {
                fresh.push(row as u32);
                next
            }));
        }
        let panes = self.slots.len();
        if !fresh.is_empty() {
            self.cells.push(batch.project(&self.key).take(&fresh));
        }
        let lifted = lift_all(&self.prepare.step, &self.prepare.aggregates, &batch);
        let merge = |into: &mut dyn Aggregate, shipped: &[Column]| {
            into.grow(panes);
            into.merge(&Merge { slots: &slots, shipped, diffs: &batch.diffs, time: 0 });
        };
        merge(&mut self.rows, &[Column::new(Arc::new(batch.diffs.iter().collect::<Int64Array>()))]);
        for ((ignored, sum), (column, shipped)) in self.sums.iter_mut().zip(lifted) {
            merge(&mut **sum, &shipped);
            if column.array().as_primitive_opt::<Int64Type>().is_some() {
                merge(ignored.get_or_insert_default(), &[column]);
            }
            if let Some(ignored) = ignored {
                ignored.grow(panes);
            }
        }
    }

    fn flush(&mut self, _progress: &Progress, out: &mut Emitter) {
        if self.cells.is_empty() {
            return;
        }
        let cells = Batch::concat(&std::mem::take(&mut self.cells));
        let (windows, order) = self.windows(&cells);
        match self.put_together(&windows, &order) {
            Some(sums) => {
                let numbers = windows.iter().map(|window| window.number).collect();
                let slots: Vec<u32> =
                    windows.iter().map(|window| order[window.panes.start as usize]).collect();
                let diffs = Diffs::Ones(slots.len());
                self.emit(numbers, slots, &cells, sums, diffs, out);
            }
            None => {
                // Only user code can fail to save, and there is none in these aggregates.
                if let Err(error) = self.emit_each(&cells, out) {
                    self.context.data_error(&self.prepare.site, &error);
                }
            }
        }
        self.slots.clear();
        self.rows = Count::default();
        let fresh = self.prepare.aggregates.iter().map(|aggregate| (None, aggregate.fresh()));
        self.sums = fresh.collect();
    }

    fn wants(&self, _input: usize, _progress: &Progress) -> bool {
        true
    }

    /// Nothing is kept between times.
    fn save(&mut self, _shards: Range<u32>) -> Result<State, DataError> {
        Ok(State::default())
    }

    fn load(&mut self, state: State) -> Result<(), WrongState> {
        match state.tables.is_empty() && state.common.is_empty() {
            true => Ok(()),
            false => Err(WrongState("sums of panes are not kept".to_owned())),
        }
    }
}
