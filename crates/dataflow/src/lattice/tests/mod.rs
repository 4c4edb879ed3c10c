//! Whole loops under changes, and each path as the oracle of the other.

mod come_back;
mod effort;
pub(super) mod harness;
pub(super) mod loops;
mod nested;
