//! Text forms of plans.

mod expression;

pub use expression::{expression, plain};
