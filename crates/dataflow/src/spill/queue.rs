//! Batches in the order in which they came, in a file if they are many.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, Write};

use arrow_schema::ArrowError;
use pathway_types::Batch;

use super::Budget;
use crate::packet;

/// A queue of batches.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    /// What came last.
    memory: Vec<Batch>,
    bytes: usize,
    /// What came before: the file, and the length of each batch in it.
    file: Option<(BufWriter<File>, Vec<usize>)>,
}

impl Queue {
    /// Adds a batch. With a budget, those that take too much memory are written to a file.
    ///
    /// # Errors
    /// If that fails; the batches are in memory then.
    pub(crate) fn push(&mut self, batch: Batch, budget: Option<&Budget>) -> Result<(), ArrowError> {
        self.bytes += batch.memory_size();
        self.memory.push(batch);
        match budget {
            Some(budget) if self.bytes > budget.of_waiting() && !budget.is_full() => self.write(budget),
            _ => Ok(()),
        }
    }

    fn write(&mut self, budget: &Budget) -> Result<(), ArrowError> {
        let (file, lengths) = match &mut self.file {
            Some(file) => file,
            none => none.insert((BufWriter::new(tempfile::tempfile_in(budget.folder())?), Vec::new())),
        };
        for batch in self.memory.drain(..) {
            let mut bytes = Vec::new();
            packet::encode(&batch, &mut bytes)?;
            file.write_all(&bytes)?;
            lengths.push(bytes.len());
        }
        self.bytes = 0;
        Ok(())
    }

    /// Takes all batches out, in order.
    ///
    /// # Errors
    /// What `take` says, or if the file cannot be read.
    pub(crate) fn drain<E: From<ArrowError>>(
        &mut self,
        mut take: impl FnMut(&Batch) -> Result<(), E>,
    ) -> Result<(), E> {
        if let Some((file, lengths)) = self.file.take() {
            let mut file = file.into_inner().map_err(|error| ArrowError::from(error.into_error()))?;
            file.rewind().map_err(ArrowError::from)?;
            let mut file = BufReader::new(file);
            for length in lengths {
                let mut bytes = vec![0; length];
                file.read_exact(&mut bytes).map_err(ArrowError::from)?;
                take(&packet::decode(&bytes)?)?;
            }
        }
        self.bytes = 0;
        std::mem::take(&mut self.memory).iter().try_for_each(take)
    }
}
