//! What shows a run while it goes on.
//!
//! The engine counts ([`pathway_dataflow::stats`]); this crate tells what it has counted, over HTTP ([`http`]): as a
//! dashboard, whose page is in `static`, and as metrics in the text form of OpenMetrics ([`metrics`]). A [`Recorder`] keeps the numbers for later. What is known of a
//! run besides its numbers is on its [`Board`]. It knows nothing of rows, and has no influence on the run.

mod api;
mod board;
mod files;
mod guard;
mod history;
pub mod http;
mod lines;
pub mod metrics;
mod recorded;
mod usage;

pub use board::{Board, Place};
pub use http::{NotServed, Server, Settings};
pub use lines::{Level, Lines, LogLine};
pub use recorded::{Archive, NotRecorded, Recorder};
