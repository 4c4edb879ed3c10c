//! The logical plan: typed tables over universes, built by any front end, rewritten, printed, and
//! handed to the engine as a [`program::Program`].

pub mod frame;
pub mod program;

pub use frame::Frame;
