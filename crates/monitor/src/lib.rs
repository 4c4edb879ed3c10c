//! What shows a run while it goes on.
//!
//! The engine counts ([`pathway_dataflow::stats`]); this crate tells what it has counted: as metrics in the text form of
//! OpenMetrics ([`metrics`]), over HTTP ([`http`]). It knows nothing of rows, and has no influence on the run.

pub mod http;
pub mod metrics;

pub use http::{NotServed, Server};
