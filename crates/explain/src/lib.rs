//! Shows plans: an [`Explanation`] as text, as JSON, as a graph for Graphviz, and as a drawing; with what a run has
//! counted, if there was one.
//!
//! ```
//! use pathway_explain::{Stage, json, svg, text};
//! use pathway_plan::rewrite::Goal;
//! use pathway_plan::{Graph, PlanError, col};
//! use pathway_types::{DType, Field, Schema, Value};
//!
//! # fn main() -> Result<(), PlanError> {
//! let graph = Graph::new();
//! let schema = Schema::new([Field::new("delay", DType::Int)]);
//! let flights = graph.table_from_rows(&schema, [vec![Value::Int(12)], vec![Value::Int(-3)]])?;
//! let late = flights.filter(col("delay").gt(0))?;
//!
//! let explanation = graph.explanation(&Goal::Tables(vec![late.node()]))?;
//! println!("{}", text(&explanation));
//! assert!(svg(&explanation, Stage::Before).contains("(delay &gt; 0)"));
//! assert!(json(&explanation).contains("\"operator\": \"filter\""));
//! # Ok(())
//! # }
//! ```

mod dot;
mod label;
mod measure;
mod svg;
mod text;

pub use dot::dot;
pub use measure::measure;
use pathway_plan::Explanation;
use pathway_plan::explanation::Operator;
pub use svg::svg;
pub use text::text;

/// Which of the two plans is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// What the user has built.
    Before,
    /// What is run.
    After,
}

impl Stage {
    fn of(self, explanation: &Explanation) -> &[Operator] {
        match self {
            Stage::Before => &explanation.before,
            Stage::After => &explanation.after,
        }
    }
}

/// The explanation as JSON, indented.
///
/// # Panics
/// Never: all of it can be written as JSON.
pub fn json(explanation: &Explanation) -> String {
    // Maps have texts as keys, and numbers are finite.
    serde_json::to_string_pretty(explanation).unwrap_or_default()
}

#[cfg(test)]
mod tests;
