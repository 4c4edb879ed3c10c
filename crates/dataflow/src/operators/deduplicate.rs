//! Of each instance the row that was accepted last (`deduplicate`).
//!
//! *State*: one row for each instance that ever came. *Cost*: a hash lookup per row, sorting the rows
//! of each instance, one question to the user's code per offered row. *Changes*: at the end of a time
//! the rows of each instance are offered in the order of value and cells; the net difference is
//! emitted. Removals are ignored.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use arrow_array::UInt32Array;
use pathway_expr::{Acceptor, Offers};
use pathway_types::view::CellView;
use pathway_types::{Batch, Column, DType, DataError, Diffs, Keys};

use crate::context::{Context, Site};
use crate::kernels::chains::chains;
use crate::kernels::consolidate::consolidate;
use crate::operator::{Emitter, Keyed, Operator, Progress, State, WrongState};
use crate::store::multimap::same_cells;
use crate::store::ordered::{OrderKey, Word, is_word};
use crate::store::{MultiMap, RowId};

/// The deduplicating operator. Columns of its input: the value, the instance's pointer, the row.
pub struct Deduplicate {
    acceptor: Arc<dyn Acceptor>,
    /// The value and the row.
    dtypes: Vec<DType>,
    /// The value and the row that were accepted last, by instance.
    accepted: MultiMap,
    batches: Vec<Batch>,
    context: Context,
    site: Site,
}

impl Deduplicate {
    /// For an input with columns of these dtypes.
    pub fn new(acceptor: Arc<dyn Acceptor>, mut inputs: Vec<DType>, context: Context, site: Site) -> Self {
        inputs.remove(1);
        let accepted = MultiMap::new(inputs.clone());
        Deduplicate { acceptor, dtypes: inputs, accepted, batches: Vec::new(), context, site }
    }

    /// The rows that are to be offered: value and row under the key of the instance, in the order in
    /// which they are, and the range of each instance.
    fn offered(&self, batch: Batch) -> (Batch, Vec<u32>, Vec<Range<usize>>) {
        let Batch { mut columns, diffs, .. } = batch;
        let instances = columns.remove(1);
        let mut batch = Batch::new(Keys::of_column(&instances), columns, diffs);
        if instances.errors().is_some() || batch.columns[0].errors().is_some() {
            let keep: Vec<u32> = (0..batch.len() as u32)
                .filter(|row| {
                    let row = *row as usize;
                    let lost = instances.is_error(row);
                    if lost && batch.diffs.get(row) > 0 {
                        self.context.data_error(&self.site, &DataError::skipped("deduplicate instance"));
                    }
                    !lost && !batch.columns[0].is_error(row)
                })
                .collect();
            batch = batch.take(&keep);
        }
        let (mut rows, ranges) = chains(batch.keys.as_slice());
        self.sort(&batch, &mut rows, &ranges);
        let (rows, ranges) = self.added(&batch, &rows, &ranges);
        (batch, rows, ranges)
    }

    /// Sorts the rows of each instance by value and cells.
    fn sort(&self, batch: &Batch, rows: &mut [u32], ranges: &[Range<usize>]) {
        let views = self.views(batch);
        let by_cells = |views: &[CellView<'_>], a: u32, b: u32| {
            let mut orders = views.iter().map(|view| view.cmp(a as usize, view, b as usize));
            orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
        };
        let several = ranges.iter().filter(|range| range.len() > 1);
        if is_word(&self.dtypes[0]) {
            let words = Word::of(&batch.columns[0], &self.dtypes[0]);
            let mut order: Vec<(Word, u32)> = Vec::new();
            for range in several {
                let chain = &mut rows[range.clone()];
                order.clear();
                order.extend(chain.iter().map(|row| (words[*row as usize], *row)));
                order.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| by_cells(&views[1..], a.1, b.1)));
                order.iter().zip(chain).for_each(|((_, row), place)| *place = *row);
            }
        } else {
            for range in several {
                rows[range.clone()].sort_unstable_by(|a, b| by_cells(&views, *a, *b));
            }
        }
    }

    /// Of these rows, the equal ones side by side, those of which more were added than removed, once.
    fn added(&self, batch: &Batch, rows: &[u32], ranges: &[Range<usize>]) -> (Vec<u32>, Vec<Range<usize>>) {
        let views = self.views(batch);
        let same = |a: &u32, b: &u32| views.iter().all(|view| view.eq(*a as usize, view, *b as usize));
        let (mut added, mut chains) = (Vec::with_capacity(rows.len()), Vec::with_capacity(ranges.len()));
        for range in ranges {
            let start = added.len();
            for equal in rows[range.clone()].chunk_by(same) {
                if equal.iter().map(|row| batch.diffs.get(*row as usize)).sum::<i64>() > 0 {
                    added.push(equal[0]);
                }
            }
            if added.len() > start {
                chains.push(start..added.len());
            }
        }
        (added, chains)
    }

    fn views<'a>(&self, batch: &'a Batch) -> Vec<CellView<'a>> {
        batch.columns.iter().zip(&self.dtypes).map(|(c, d)| CellView::new(c, d)).collect()
    }

    /// What was accepted last for these instances: where there is something, and the values.
    fn known(&self, instances: &[u128]) -> (Vec<Option<RowId>>, Column) {
        let known: Vec<Option<RowId>> =
            instances.iter().map(|key| self.accepted.get(*key).first().map(|entry| entry.row)).collect();
        let values = self.accepted.rows().gather_or_none(&known, 0, &self.dtypes[0]);
        (known, values)
    }
}

impl Operator for Deduplicate {
    fn apply(&mut self, _input: usize, batch: Batch, _progress: &Progress, _out: &mut Emitter) {
        self.batches.push(batch);
    }

    fn flush(&mut self, _progress: &Progress, out: &mut Emitter) {
        let batches = std::mem::take(&mut self.batches);
        if batches.is_empty() {
            return;
        }
        let (batch, rows, chains) = self.offered(Batch::concat(&batches));
        if rows.is_empty() {
            return;
        }
        let keys = batch.keys.as_slice();
        let instances: Vec<u128> = chains.iter().map(|chain| keys[rows[chain.start] as usize]).collect();
        let (known, accepted) = self.known(&instances);
        let answer = self.acceptor.accept(&Offers {
            dtype: &self.dtypes[0],
            values: &batch.columns[0].take(&UInt32Array::from(rows.clone())),
            chains: &chains,
            accepted: &accepted,
        });
        answer.causes.iter().for_each(|error| self.context.data_error(&self.site, error));
        let (mut removed, mut added): (Vec<RowId>, Vec<u32>) = (Vec::new(), Vec::new());
        for (old, new) in known.iter().zip(answer.rows) {
            let Some(new) = new.map(|place| rows[place]) else { continue };
            if let Some(old) = old {
                let stored = self.accepted.rows().columns(*old);
                if same_cells(&self.dtypes, stored, old.row as usize, &batch.columns, new as usize) {
                    continue;
                }
                removed.push(*old);
            }
            added.push(new);
        }
        let mut changes = Vec::new();
        if let Some(mut batch) = self.accepted.rows().gather_batch(&removed, 0..self.dtypes.len()) {
            // Rows are stored under their instance, which is also their id.
            batch.diffs = vec![-1; removed.len()].into();
            changes.push(batch);
        }
        if !added.is_empty() {
            changes.push(Batch { diffs: Diffs::Ones(added.len()), ..batch.take(&added) });
        }
        for batch in &changes {
            self.accepted.apply(&batch.keys, batch);
        }
        self.accepted.tidy();
        let columns: Vec<usize> = (1..self.dtypes.len()).collect();
        let changes: Vec<Batch> = changes.iter().map(|batch| batch.project(&columns)).collect();
        // Another value may have been accepted with the same row.
        out.emit(consolidate(Batch::concat(&changes), &self.dtypes[1..]));
    }

    fn wants(&self, _input: usize, _progress: &Progress) -> bool {
        true
    }

    fn save(&mut self, shards: Range<u32>) -> Result<State, DataError> {
        Ok(State::of_tables([("accepted", self.accepted.save(&shards))]))
    }

    fn load(&mut self, state: State) -> Result<(), WrongState> {
        state.tables.into_iter().try_for_each(|(_, table)| self.accepted.load(table))
    }

    fn memory(&self) -> usize {
        self.accepted.memory()
    }

    fn keyed(&mut self) -> Option<&mut dyn Keyed> {
        Some(self)
    }
}

impl Keyed for Deduplicate {
    fn holds(&self, key: u128) -> bool {
        self.accepted.holds(key)
    }

    fn clear(&mut self) {
        self.accepted.clear();
    }

    fn at_once(&self) -> bool {
        true
    }
}
