//! Of each instance the row that was accepted last (`deduplicate`).
//!
//! *State*: one row for each instance that ever came. *Cost*: sorting the rows of a time, a hash lookup
//! per instance, one question to the user's code per offered row. *Changes*: at the end of a time the
//! rows of each instance are offered in the order of value and cells; the net difference is emitted.
//! Removals are ignored.

use std::ops::Range;
use std::sync::Arc;

use pathway_expr::{Acceptor, Offers};
use pathway_types::view::CellView;
use pathway_types::{Batch, Column, DType, DataError, Diffs, Keys};

use crate::context::{Context, Site};
use crate::kernels::consolidate::consolidate;
use crate::operator::{Emitter, Operator, Progress, State, WrongState};
use crate::store::multimap::same_cells;
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

    /// The rows that are to be offered: value and row under the key of the instance.
    fn offered(&self, batch: Batch) -> Batch {
        let Batch { mut columns, diffs, .. } = batch;
        let instances = columns.remove(1);
        let batch = Batch::new(Keys::of_column(&instances), columns, diffs);
        let (values, rows) = (batch.columns[0].errors(), 0..batch.len() as u32);
        let keep: Vec<u32> = rows
            .filter(|row| {
                let row = *row as usize;
                let lost = instances.is_error(row);
                if lost && batch.diffs.get(row) > 0 {
                    self.context.data_error(&self.site, &DataError::skipped("deduplicate instance"));
                }
                !lost && !values.is_some_and(|errors| errors.value(row))
            })
            .collect();
        let batch = consolidate(batch.take(&keep), &self.dtypes);
        let added: Vec<u32> = (0..batch.len() as u32).filter(|r| batch.diffs.get(*r as usize) > 0).collect();
        let keys = batch.keys.as_slice();
        let views: Vec<CellView<'_>> =
            batch.columns.iter().zip(&self.dtypes).map(|(c, d)| CellView::new(c, d)).collect();
        let mut rows = added;
        rows.sort_unstable_by(|a, b| {
            let (a, b) = (*a as usize, *b as usize);
            let cells = views.iter().map(|view| view.cmp(a, view, b));
            cells.fold(keys[a].cmp(&keys[b]), std::cmp::Ordering::then)
        });
        batch.take(&rows)
    }

    /// What was accepted last for these instances: where there is something, and the values.
    fn known(&self, instances: &[u128]) -> (Vec<Option<RowId>>, Column) {
        let known: Vec<Option<RowId>> =
            instances.iter().map(|key| self.accepted.get(*key).first().map(|entry| entry.row)).collect();
        let values = self.accepted.rows().gather_or_none(&known, 0, &self.dtypes[0]);
        (known, values)
    }
}

/// The ranges of equal keys.
fn chains(keys: &[u128]) -> Vec<Range<usize>> {
    let mut start = 0;
    let chains = keys.chunk_by(|a, b| a == b).map(|chain| {
        start += chain.len();
        start - chain.len()..start
    });
    chains.collect()
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
        let offered = self.offered(Batch::concat(&batches));
        if offered.is_empty() {
            return;
        }
        let keys = offered.keys.as_slice();
        let chains = chains(keys);
        let instances: Vec<u128> = chains.iter().map(|chain| keys[chain.start]).collect();
        let (known, accepted) = self.known(&instances);
        let answer = self.acceptor.accept(&Offers {
            dtype: &self.dtypes[0],
            values: &offered.columns[0],
            chains: &chains,
            accepted: &accepted,
        });
        answer.causes.iter().for_each(|error| self.context.data_error(&self.site, error));
        let (mut removed, mut added): (Vec<RowId>, Vec<u32>) = (Vec::new(), Vec::new());
        for (old, new) in known.iter().zip(answer.rows) {
            let Some(new) = new else { continue };
            if let Some(old) = old {
                let stored = self.accepted.rows().columns(*old);
                if same_cells(&self.dtypes, stored, old.row as usize, &offered.columns, new) {
                    continue;
                }
                removed.push(*old);
            }
            added.push(new as u32);
        }
        let mut changes = Vec::new();
        if let Some(mut batch) = self.accepted.rows().gather_batch(&removed, 0..self.dtypes.len()) {
            // Rows are stored under their instance, which is also their id.
            batch.diffs = vec![-1; removed.len()].into();
            changes.push(batch);
        }
        if !added.is_empty() {
            changes.push(Batch { diffs: Diffs::Ones(added.len()), ..offered.take(&added) });
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
}
