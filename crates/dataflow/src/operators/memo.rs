//! Row-wise expressions whose results cannot be reproduced, over rows that can be removed.
//!
//! *State*: per row the results of those expressions, in files if the run has a folder for them. *Cost*: one hash lookup per change. *Changes*: at
//! the end of a time the net changes of the rows; a removal repeats the very results that the
//! insertion had, user functions see insertions only.

use std::ops::Range;

use pathway_expr::{Evaluator, Expr};
use pathway_plan::Frame;
use pathway_types::{Batch, Column, DType, DataError, ErrorKind};

use super::stateless::{evaluate, report};
use crate::context::{Context, Site};
use crate::kernels::consolidate::{consolidate, removals_first};
use crate::operator::{Emitter, Keyed, Operator, Progress, State, WrongState};
use crate::store::{Folder, MultiMap, RowId};

/// A map stage that remembers results.
pub struct Memo {
    inputs: Vec<DType>,
    /// For each output column: its position among the reproducible or among the remembered ones.
    layout: Vec<Place>,
    reproducible: (Evaluator, Vec<Option<Frame>>),
    remembered: (Evaluator, Vec<Option<Frame>>),
    results: MultiMap,
    /// What changed the results at the open time.
    computed: Vec<Batch>,
    batches: Vec<Batch>,
    context: Context,
    site: Site,
}

enum Place {
    Reproducible(usize),
    Remembered(usize),
}

impl Memo {
    /// For a map stage over rows with columns of these dtypes.
    pub fn new(
        inputs: Vec<DType>,
        expressions: &[Expr],
        frames: &[Option<Frame>],
        context: Context,
        site: Site,
    ) -> Self {
        let (mut reproducible, mut remembered) = ((Vec::new(), Vec::new()), (Vec::new(), Vec::new()));
        let mut layout = Vec::new();
        for (expression, frame) in expressions.iter().zip(frames) {
            let deterministic = expression.is_deterministic();
            let part = if deterministic { &mut reproducible } else { &mut remembered };
            layout.push(if deterministic {
                Place::Reproducible(part.0.len())
            } else {
                Place::Remembered(part.0.len())
            });
            part.0.push(expression.clone());
            part.1.push(frame.clone());
        }
        let dtypes = remembered.0.iter().map(|e| e.dtype().clone()).collect();
        Memo {
            inputs,
            layout,
            reproducible: (Evaluator::new(reproducible.0), reproducible.1),
            remembered: (Evaluator::new(remembered.0), remembered.1),
            results: MultiMap::in_folder(dtypes, Folder::for_results(&context, &site)),
            computed: Vec::new(),
            batches: Vec::new(),
            context,
            site,
        }
    }

    fn compute(&self, part: &(Evaluator, Vec<Option<Frame>>), batch: &Batch) -> Vec<Column> {
        let outcomes = evaluate(&part.0, batch, true, &self.context);
        for (outcome, frame) in outcomes.iter().zip(&part.1) {
            report(batch, outcome, frame, &mut self.context.clone(), &self.site);
        }
        outcomes.into_iter().map(|outcome| outcome.column).collect()
    }

    fn emit(&self, batch: Batch, remembered: &[Column], out: &mut Emitter) {
        let reproducible = self.compute(&self.reproducible, &batch);
        let columns = self.layout.iter().map(|place| match place {
            Place::Reproducible(i) => reproducible[*i].clone(),
            Place::Remembered(i) => remembered[*i].clone(),
        });
        out.emit(Batch::new(batch.keys, columns.collect(), batch.diffs));
    }

    fn store(&mut self, results: Batch) {
        self.results.apply(&results.keys.clone(), &results);
        if self.context.keeps_state() {
            self.computed.push(results);
        }
    }

    fn wrong_count(&self, key: u128, what: &str) {
        let message = format!(
            "the row with id {} {what}; a function whose results are remembered needs unique ids",
            pathway_types::Key(key)
        );
        self.context.data_error(&self.site, &DataError::new(ErrorKind::Engine, message));
    }
}

impl Operator for Memo {
    fn apply(&mut self, _input: usize, batch: Batch, _progress: &Progress, _out: &mut Emitter) {
        self.batches.push(batch);
    }

    fn flush(&mut self, _progress: &Progress, out: &mut Emitter) {
        let batch = consolidate(Batch::concat(&std::mem::take(&mut self.batches)), &self.inputs);
        let (removals, additions) = removals_first(batch);
        if !removals.is_empty() {
            let (mut rows, mut places): (Vec<u32>, Vec<RowId>) = (Vec::new(), Vec::new());
            for (row, key) in removals.keys.as_slice().iter().enumerate() {
                match self.results.get(*key).first() {
                    Some(entry) => {
                        rows.push(row as u32);
                        places.push(entry.row);
                    }
                    None => self.wrong_count(*key, "is removed more often than it was inserted"),
                }
            }
            let removals = removals.take(&rows);
            let width = self.remembered.1.len();
            if let Some(stored) = self.results.rows().gather_batch(&places, 0..width) {
                let stored = Batch { diffs: removals.diffs.clone(), ..stored };
                self.store(stored.clone());
                self.emit(removals, &stored.columns, out);
            }
        }
        if !additions.is_empty() {
            for key in additions.keys.as_slice() {
                if !self.results.get(*key).is_empty() {
                    self.wrong_count(*key, "is inserted a second time without being removed");
                }
            }
            let computed = self.compute(&self.remembered, &additions);
            self.store(Batch { columns: computed.clone(), ..additions.clone() });
            self.emit(additions, &computed, out);
        }
        self.results.tidy();
    }

    fn wants(&self, _input: usize, _progress: &Progress) -> bool {
        true
    }

    fn save(&mut self, shards: Range<u32>) -> Result<State, DataError> {
        Ok(State::of_tables([("results", self.results.save(&shards))]))
    }

    fn load(&mut self, state: State) -> Result<(), WrongState> {
        state.tables.into_iter().try_for_each(|(_, table)| self.results.load(table))
    }

    fn can_compute_again(&self) -> bool {
        false
    }

    fn computed(&mut self) -> Option<Batch> {
        let computed = std::mem::take(&mut self.computed);
        (!computed.is_empty()).then(|| Batch::concat(&computed))
    }

    fn repeat(&mut self, results: Batch) -> Result<(), WrongState> {
        self.results.apply(&results.keys.clone(), &results);
        self.results.tidy();
        Ok(())
    }

    fn memory(&self) -> usize {
        self.results.memory()
    }

    fn keyed(&mut self) -> Option<&mut dyn Keyed> {
        Some(self)
    }
}

impl Keyed for Memo {
    fn holds(&self, key: u128) -> bool {
        self.results.holds(key)
    }

    fn clear(&mut self) {
        self.results.clear();
    }

    fn at_once(&self) -> bool {
        true
    }
}
