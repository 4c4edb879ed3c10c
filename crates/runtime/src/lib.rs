//! Runs a program: starts workers, drives sources into them and sinks out of them, cuts minibatches.

mod feed;
mod pool;
mod run;

pub use pathway_dataflow::{Context, Failure, Monitor, Report, Site};
pub use run::{RunOptions, run};
