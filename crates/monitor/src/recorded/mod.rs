//! Runs that are recorded: their numbers over time, in databases of SQLite that outlive them ([`recorder`]), and what
//! the web dashboard makes of these ([`server`]).

mod graph;
mod pages;
mod recorder;
mod server;
mod store;

pub use recorder::{NotRecorded, Recorder};
pub use server::Archive;

#[cfg(test)]
mod tests;
