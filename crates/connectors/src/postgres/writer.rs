//! Open sinks: one that writes each minibatch, and one that writes whole checkpoints.

use pathway_io::{ConnectorError, Transactions, Writer};
use pathway_types::{Batch, Timestamp};

use super::commits::Mark;
use super::plan::Change;
use super::session::Session;

/// Writes each minibatch as it comes.
pub(super) struct PostgresWriter {
    session: Session,
    waiting: Vec<Change>,
}

impl PostgresWriter {
    pub(super) fn new(session: Session) -> Self {
        PostgresWriter { session, waiting: Vec::new() }
    }

    fn flush(&mut self) -> Result<(), ConnectorError> {
        match std::mem::take(&mut self.waiting) {
            changes if changes.is_empty() => Ok(()),
            changes => self.session.write(&changes, None, 0),
        }
    }
}

impl Writer for PostgresWriter {
    fn write(&mut self, batch: &Batch, time: Timestamp) -> Result<(), ConnectorError> {
        self.waiting.push((time, batch.clone()));
        Ok(())
    }

    fn end_time(&mut self, _time: Timestamp) -> Result<(), ConnectorError> {
        self.flush()
    }

    fn end(&mut self) -> Result<(), ConnectorError> {
        self.flush()
    }
}

/// Writes checkpoints, with their numbers.
pub(super) struct PostgresTransactions {
    session: Session,
    /// What earlier runs have committed last.
    found: Option<Mark>,
}

impl PostgresTransactions {
    pub(super) fn new(session: Session, found: Option<Mark>) -> Self {
        PostgresTransactions { session, found }
    }
}

impl Transactions for PostgresTransactions {
    fn commit(
        &mut self,
        number: u64,
        changes: &[Change],
        again: bool,
    ) -> Result<Option<u64>, ConnectorError> {
        let written = match self.found.take() {
            Some(found) if again && found.number > number => return Ok(Some(found.number)),
            Some(Mark { number: found, part }) if again && found == number => match part {
                None => return Ok(Some(number)),
                Some(written) => written,
            },
            Some(found) if found.number >= number => {
                self.session.forget()?;
                0
            }
            _ => 0,
        };
        self.session.write(changes, Some(number), written)?;
        Ok(None)
    }
}
