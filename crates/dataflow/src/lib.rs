//! The incremental engine: operators over Arrow batches on timely and differential dataflow.
//!
//! A program (the rewritten plan) is lowered ([`lower()`]) to timely operators, one per step. In the
//! outer scope, where time is one integer, an operator is an [`operator::Operator`] run by a
//! [`driver`]: changes of one time are applied to untimed state and the net difference is emitted.
//! Rows move between workers in [`packet::Packet`]s, split by a [`route::Route`].

pub mod clock;
pub mod context;
pub mod driver;
pub mod error_log;
pub mod input;
pub mod keep;
pub mod kernels;
pub mod lattice;
pub mod lower;
pub mod operator;
pub mod operators;
pub mod output;
pub mod packet;
pub mod route;
pub mod spill;
pub mod stats;
pub mod store;
pub mod tally;
pub mod timely;

pub use clock::even_now;
pub use context::{Context, Failure, Monitor, Process, Report, Site};
pub use error_log::ErrorLogs;
pub use input::{Backlog, InputItem, InputQueue, Room, Slot};
pub use keep::{InputLog, Journal, Keeper, Kept, KeptNotes, KeptPart, KeptState, Note, Notes};
pub use lower::{Environment, lower};
pub use spill::Budget;
pub use stats::{Snapshot, Statistics};
