//! Batches in the order in which they came, in a file if they are many.

use std::fs::File;
use std::io::{BufReader, Read, Seek, Write};

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
    file: Option<(File, Vec<usize>)>,
}

impl Queue {
    /// Adds a batch. With a budget, those that take too much memory are written to a file.
    ///
    /// # Errors
    /// If that fails; the batches are in memory then, and nothing is to be written from then on.
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
            none => none.insert((tempfile::tempfile_in(budget.folder())?, Vec::new())),
        };
        let mut written = Ok(());
        let mut bytes = Vec::new();
        let unwritten = self.memory.iter().position(|batch| {
            bytes.clear();
            written = packet::encode(batch, &mut bytes).and_then(|()| Ok(file.write_all(&bytes)?));
            if written.is_ok() {
                lengths.push(bytes.len());
            }
            written.is_err()
        });
        self.memory.drain(..unwritten.unwrap_or(self.memory.len()));
        self.bytes = self.memory.iter().map(Batch::memory_size).sum();
        written
    }

    /// Takes all batches out, in order.
    ///
    /// # Errors
    /// What `take` says, or if the file cannot be read.
    pub(crate) fn drain<E: From<ArrowError>>(
        &mut self,
        mut take: impl FnMut(&Batch) -> Result<(), E>,
    ) -> Result<(), E> {
        if let Some((mut file, lengths)) = self.file.take() {
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
