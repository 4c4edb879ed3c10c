//! What shows a run while it goes on.
//!
//! The engine counts ([`pathway_dataflow::stats`]); this crate tells what it has counted: over HTTP ([`http`]), as a
//! dashboard, whose page is in `static`, as the plan with its numbers, and as metrics in the text form of OpenMetrics
//! ([`metrics`]); to people at a terminal ([`console`]), beside what was logged ([`LogTail`]); with the Cargo feature
//! `otlp` also to collectors of OpenTelemetry (`telemetry`). A [`Recorder`] keeps the numbers for later. What is known of
//! a run besides its numbers is on its [`Board`]. It knows nothing of rows, and has no influence on the run; where rows
//! come from is told by others, for whom it serves a page ([`RowsServer`]).

mod api;
mod board;
pub mod console;
mod explain;
mod files;
mod guard;
mod history;
pub mod http;
mod listener;
mod log_tail;
pub mod metrics;
mod recorded;
mod rows;
#[cfg(feature = "otlp")]
pub mod telemetry;
mod usage;

pub use board::{Board, Ending, Place};
pub use console::Console;
pub use http::{NotServed, Server, Settings};
pub use log_tail::{Level, LogTail, Record};
pub use recorded::{Archive, NotRecorded, Recorder};
pub use rows::{Reasons, RowsServer};
