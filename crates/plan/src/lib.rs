//! The logical plan: typed tables over universes, built by any front end, rewritten, printed, and
//! handed to the engine as a [`program::Program`].
//!
//! # Building
//!
//! A [`Graph`] collects tables. Every operation on a [`Table`] checks its arguments, adds a node and
//! gives the handle of a new table; nothing is computed. Column expressions are [`Col`]s: built with
//! ordinary operators, typed when an operation takes them.
//!
//! ```
//! use pathway_plan::col::{reducers, right};
//! use pathway_plan::{Graph, PlanError, col};
//! use pathway_types::{DType, Field, Schema, Value};
//!
//! # fn main() -> Result<(), PlanError> {
//! let graph = Graph::new();
//! let schema = Schema::new([
//!     Field::new("city", DType::Str),
//!     Field::new("item", DType::Str),
//!     Field::new("price", DType::Int),
//! ]);
//! let sales = graph.table_from_rows(&schema, [
//!     vec![Value::from("Oslo"), Value::from("tea"), Value::Int(4)],
//!     vec![Value::from("Lima"), Value::from("nut"), Value::Int(7)],
//! ])?;
//! let totals = sales
//!     .filter(col("price").gt(1))?
//!     .group_by([col("city")])?
//!     .reduce([("city", col("city")), ("total", reducers::sum(col("price")) * 1.25)])?;
//! let shares = sales
//!     .join(&totals, [(sales.col("city")?, totals.col("city")?)])?
//!     .select([("item", col("item")), ("share", col("price") / right("total"))])?;
//! assert_eq!(shares.column("share")?.dtype(), &DType::Float);
//!
//! // A mistake is found where it is made.
//! let error = sales.select([("x", col("price") + col("city"))]).unwrap_err();
//! assert!(matches!(error, PlanError::Type(_)));
//! println!("{}", graph.explain());
//! # Ok(())
//! # }
//! ```
//!
//! # Universes
//!
//! A table's *universe* is the set of its row ids. Columns of several tables can meet in one
//! expression if their tables have the same row ids, which is known by construction, proved from
//! facts, or promised by the user: see [`universe`].
//!
//! # Iterating
//!
//! [`Graph::begin_iteration`] gives the tables of an iteration as its step sees them; what is made of
//! them until [`Iteration::finish`] is inside of the iteration. The plan stays flat: which tables are
//! inside follows from what they are made of.
//!
//! # Running
//!
//! [`Graph::program`] rewrites the plan (see [`rewrite`]) to what outputs need, and the engine runs
//! the result. Both the plan ([`Graph::explain`]) and the program (`Display`) can be printed;
//! [`Graph::explanation`] has both as plain data.
//!
//! # Adding an operation
//!
//! A variant of [`graph::Op`] with what it reads ([`graph::Op::inputs`] and the traversal beside it),
//! a method of [`Table`] that checks and adds it, its ports and its step in [`rewrite`]'s `lower`, its
//! key in `resolve`, a [`program::StepOp`], and its lines in [`explain`].

pub mod col;
pub mod error;
pub mod error_log;
pub mod explain;
pub mod explanation;
pub mod frame;
pub mod graph;
mod identity;
pub mod program;
#[cfg(any(test, feature = "reference"))]
pub mod reference;
pub mod rewrite;
pub mod stateful;
pub mod table;
pub mod temporal;
pub mod universe;
pub mod why;

pub use col::{Col, col};
pub use error::{PlanError, Warning};
pub use error_log::ErrorLogId;
pub use explanation::Explanation;
pub use frame::Frame;
pub use graph::{Graph, NodeId, OutputId};
pub use rewrite::{Goal, Rewrites};
pub use stateful::{Forgetting, Search, SessionBehavior, SessionGap, StatefulKind};
pub use table::{
    Answered, Argument, Around, Asked, GroupBy, GroupedJoin, InTime, Indexed, Iteration, JoinOptions,
    JoinResult, Joinable, Named, OutputOptions, Part, SourceOptions, Span, StaticOptions, Table, Window,
    WindowBy,
};
pub use universe::UniverseId;
pub use why::{OriginLink, OriginStep, Origins, origins_of_all};
