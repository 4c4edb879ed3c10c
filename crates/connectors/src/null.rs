//! The output that discards everything: the table is computed, and that is all.

use pathway_io::{ConnectorError, Sink, Writer};
use pathway_types::{Batch, Timestamp};

/// Takes a table and does nothing with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NullSink;

impl Sink for NullSink {
    fn description(&self) -> String {
        "null".to_owned()
    }
    fn open(&self, _position: Option<&[u8]>) -> Result<Box<dyn Writer>, ConnectorError> {
        Ok(Box::new(NullSink))
    }
}

impl Writer for NullSink {
    fn write(&mut self, _batch: &Batch, _time: Timestamp) -> Result<(), ConnectorError> {
        Ok(())
    }
    fn end_time(&mut self, _time: Timestamp) -> Result<(), ConnectorError> {
        Ok(())
    }
    fn end(&mut self) -> Result<(), ConnectorError> {
        Ok(())
    }
}
