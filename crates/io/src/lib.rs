//! The traits at the edge of the engine: what a source, a sink and a format are.
//!
//! A [`Source`] describes an external input and opens [`Reader`]s; a reader runs in a thread of its
//! own and hands rows, or chunks still to be parsed, to a [`SourceOutput`]. A [`Sink`] describes an
//! external output and opens a [`Writer`], which receives consolidated changes, one time after
//! another. Connectors implement these traits and know nothing of the engine; the engine drives
//! them and knows nothing of the systems behind them.

mod error;
mod sink;
mod source;

pub use error::{ConnectorError, FailureClass};
pub use sink::{Delivery, Durable, Encoder, Sink, Transactions, Writer};
pub use source::{
    CLEAR, CellError, Objects, ParseJob, Parsed, Position, ReadMode, Reader, Rejected, Resume, Session,
    Share, Source, SourceOutput, Stopped,
};
