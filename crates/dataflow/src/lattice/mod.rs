//! The lattice path: operators inside loops, where time is partially ordered.
//!
//! In the outer scope an operator keeps untimed state and sees one time after another. Inside a loop
//! a row has a time of two dimensions, when it entered and how often the loop has gone around, and a
//! change at an early round of a late outer time meets rows of a late round of an early one. So state
//! is history: rows with their times, in indexes that differential dataflow keeps ([`arrange`]) over
//! our chunks of columns ([`chunk`]), and what an operator computes are updates at the joins of
//! times.
//!
//! The work on cells is shared with the outer scope: row-wise stages ([`stateless`]), the shipped
//! form and the ids of joins ([`join`]), the aggregates of group-bys ([`reduce`]). Everything is
//! generic in the time, so each operator also runs in the outer scope, where tests compare the two
//! paths.

pub mod arrange;
pub mod chunk;
mod come_back;
mod exchange;
mod faults;
mod gather;
pub mod join;
pub mod loops;
pub mod lower;
pub mod packet;
mod print;
pub mod reduce;
pub mod stateless;
pub mod time;
pub mod times;
mod walk;
mod wire;

pub use arrange::{Index, arrange, changes, consolidate};
pub use packet::{Flow, TimedPacket};
pub use time::{LatticeTime, LoopTime};
pub use times::Times;

/// Without room for more, which would be kept for as long as the chunk is.
fn fitted<N>(mut numbers: Vec<N>) -> Vec<N> {
    if numbers.capacity() - numbers.len() > numbers.len() / 8 {
        numbers.shrink_to_fit();
    }
    numbers
}

#[cfg(test)]
mod tests;
