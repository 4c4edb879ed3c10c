//! What can go wrong between processes.

use thiserror::Error;

/// A cluster does not come together.
#[derive(Debug, Error)]
pub enum ClusterError {
    /// The settings make no sense.
    #[error("{0}")]
    Settings(String),
    /// The own address cannot be listened on.
    #[error("process {process} cannot listen on {address}: {error}")]
    Listen {
        /// The own number.
        process: usize,
        /// Where it is to listen.
        address: String,
        /// What the system says.
        error: std::io::Error,
    },
    /// Some processes did not come in time.
    #[error("{} not there after {waited} s: start all processes of the run, with the same list of addresses", listed(.missing))]
    Missing {
        /// Their numbers and addresses.
        missing: Vec<(usize, String)>,
        /// How long they were waited for, in seconds.
        waited: u64,
    },
    /// Two processes do not belong together.
    #[error("process {process} ({address}) does not belong to this run: {reason}")]
    Mismatch {
        /// The number of the other.
        process: usize,
        /// Where it is.
        address: String,
        /// What is different.
        reason: String,
    },
    /// The caller gave up.
    #[error("the run was stopped before its processes had met")]
    Stopped,
    /// The system refuses something.
    #[error("the processes of the run cannot talk: {0}")]
    Io(#[from] std::io::Error),
}

fn listed(missing: &[(usize, String)]) -> String {
    let names: Vec<String> =
        missing.iter().map(|(process, address)| format!("{process} ({address})")).collect();
    let (noun, verb) = if names.len() == 1 { ("process", "is") } else { ("processes", "are") };
    format!("{noun} {} {verb}", names.join(", "))
}

/// A process of the run is gone or has failed.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("process {process} {cause}")]
pub struct Lost {
    /// Which one.
    pub process: usize,
    /// What is known about it, after its name: `has failed: …`.
    pub cause: String,
}
