//! The logical plan: typed tables over universes, built by any front end, rewritten, printed, and
//! handed to the engine as a [`program::Program`].

pub mod col;
pub mod error;
pub mod explain;
pub mod frame;
pub mod graph;
pub mod program;
#[cfg(any(test, feature = "reference"))]
pub mod reference;
pub mod rewrite;
pub mod table;
pub mod universe;

pub use col::{Col, col};
pub use error::{PlanError, Warning};
pub use frame::Frame;
pub use graph::{Graph, NodeId, OutputId};
pub use table::{
    GroupBy, JoinOptions, JoinResult, Named, OutputOptions, SourceOptions, StaticOptions, Table,
};
pub use universe::UniverseId;
