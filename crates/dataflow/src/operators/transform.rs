//! User code over whole tables ([`pathway_expr::Transformer`]).
//!
//! All rows are on one worker, since the code may look at any of them. *State*: that of the code.
//! *Cost*: what the code makes of the changes of a time. *Changes*: at the end of a time the net
//! difference of what the code says.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::LargeBinaryArray;
use arrow_array::cast::AsArray;
use pathway_expr::{Transformation, Transformer};
use pathway_types::{Batch, Column, DType, DataError};

use crate::context::{Context, Failure, Site};
use crate::kernels::consolidate::{consolidate, removals_first};
use crate::operator::{Emitter, Operator, Progress, State, WrongState};

/// Feeds a transformer.
pub struct Transform {
    transformer: Arc<dyn Transformer>,
    opened: Option<Box<dyn Transformation>>,
    inputs: Vec<Vec<DType>>,
    outputs: Vec<DType>,
    batches: Vec<Vec<Batch>>,
    context: Context,
    site: Site,
}

impl Transform {
    /// For inputs and an output with columns of these dtypes.
    pub fn new(
        transformer: Arc<dyn Transformer>,
        inputs: Vec<Vec<DType>>,
        outputs: Vec<DType>,
        context: Context,
        site: Site,
    ) -> Self {
        let batches = inputs.iter().map(|_| Vec::new()).collect();
        Transform { transformer, opened: None, inputs, outputs, batches, context, site }
    }

    /// The code, opened when it is first needed: only one worker has rows.
    fn opened(&mut self) -> Result<&mut Box<dyn Transformation>, DataError> {
        match &mut self.opened {
            Some(opened) => Ok(opened),
            none => Ok(none.insert(self.transformer.open()?)),
        }
    }

    fn step(&mut self) -> Result<Batch, DataError> {
        let batches = std::mem::take(&mut self.batches);
        self.batches = batches.iter().map(|_| Vec::new()).collect();
        let inputs = self.inputs.clone();
        let changes: Vec<(Batch, &[DType])> = batches
            .iter()
            .zip(&inputs)
            .map(|(batches, dtypes)| (consolidate(Batch::concat(batches), dtypes), dtypes.as_slice()))
            .collect();
        let transformed = self.opened()?.step(&changes)?;
        for error in &transformed.causes {
            self.context.data_error(&self.site, error);
        }
        Ok(consolidate(transformed.changes, &self.outputs))
    }
}

impl Operator for Transform {
    fn apply(&mut self, input: usize, batch: Batch, _progress: &Progress, _out: &mut Emitter) {
        self.batches[input].push(batch);
    }

    fn flush(&mut self, _progress: &Progress, out: &mut Emitter) {
        match self.step() {
            Ok(changes) => {
                let (removals, additions) = removals_first(changes);
                out.emit(removals);
                out.emit(additions);
            }
            Err(error) => self.context.fail(Failure::Data { site: self.site.clone(), error }),
        }
    }

    fn wants(&self, _input: usize, _progress: &Progress) -> bool {
        true
    }

    fn save(&mut self, shards: Range<u32>) -> Result<State, DataError> {
        let Some(opened) = &mut self.opened else { return Ok(State::default()) };
        let (keys, bytes): (Vec<u128>, Vec<Vec<u8>>) = opened.save(shards)?.into_iter().unzip();
        let column = Column::new(Arc::new(LargeBinaryArray::from_iter_values(&bytes)));
        let diffs = vec![1; keys.len()];
        Ok(State::of_tables([("rows", Batch::new(keys.into(), vec![column], diffs.into()))]))
    }

    fn load(&mut self, state: State) -> Result<(), WrongState> {
        for (_, batch) in state.tables {
            let Some(column) = batch.columns.first() else { continue };
            let bytes = column.array().as_binary::<i64>();
            let keys = batch.keys.as_slice().iter().copied();
            let rows = keys.zip(bytes.iter().map(|b| b.unwrap_or_default().to_vec())).collect();
            let loaded = self.opened().and_then(|opened| opened.load(rows));
            loaded.map_err(|error| WrongState(error.to_string()))?;
        }
        Ok(())
    }
}
