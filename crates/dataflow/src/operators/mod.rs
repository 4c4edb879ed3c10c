//! The operators, one file each.

pub mod answers;
pub mod asof_join;
pub mod asof_now_join;
pub mod calls;
pub mod combine;
pub mod deduplicate;
pub mod gradual;
pub mod interpolate;
pub mod interval_join;
pub mod join;
pub mod memo;
pub mod neighbours;
pub mod net;
pub mod presence;
pub mod reduce;
pub mod search;
pub mod sessions;
pub mod ship_timed;
pub mod stateless;
pub mod streams;
pub mod time;
pub mod transform;
pub mod upsert;

#[cfg(test)]
mod tests;
