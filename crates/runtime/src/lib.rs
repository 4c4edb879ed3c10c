//! Runs a program: starts workers, drives sources into them and sinks out of them, cuts minibatches.

mod begun;
mod checkpoints;
mod feed;
mod load;
mod marks;
mod pool;
mod processes;
mod replay;
mod run;
mod wind_down;

pub use begun::Begun;
pub use checkpoints::{Access, InputLogs, Persistence};
pub use load::{Scaling, Wish};
pub use pathway_cluster::Config as ClusterConfig;
pub use pathway_cluster::{Members, Secret};
pub use pathway_dataflow::{Budget, Context, Failure, Monitor, Report, Site, Snapshot, Statistics, stats};
pub use replay::{Pace, Recording, Replay};
pub use run::{RunOptions, run};
