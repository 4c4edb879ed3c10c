//! Processes that work on one run together.
//!
//! They [meet](Cluster::join): every process connects to every other, proves that it knows the secret of
//! the cluster, and compares what it is about to run. One connection between two processes then carries
//! frames: the data of the dataflow (a [`Link`] is a stream of bytes for it), messages, signs of life,
//! and how it ends. A process that is gone, silent for too long, or failed is noticed by all others
//! ([`Cluster::when_lost`]); nothing here panics or blocks for ever because of it.
//!
//! A stranger who connects learns nothing and holds nothing up. The secret is never sent: both sides
//! prove with HMAC-SHA-256 over each other's random challenge that they have it. What follows is neither
//! encrypted nor signed, so that the network between the processes has to be one's own.

mod config;
mod error;
mod frame;
mod handshake;
mod join;
mod link;
mod peer;
mod session;

pub use config::{Config, Members, Secret};
pub use error::{ClusterError, Lost};
pub use handshake::Hello;
pub use link::Link;
pub use session::Cluster;
