//! Whole loops under changes, and each path as the oracle of the other.

mod effort;
pub(super) mod harness;
pub(super) mod loops;
mod nested;
