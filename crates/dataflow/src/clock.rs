//! The wall clock as logical time.

use std::time::{SystemTime, UNIX_EPOCH};

use pathway_types::Timestamp;

/// Milliseconds since the epoch, rounded down to even.
pub fn even_now() -> Timestamp {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as Timestamp);
    now & !1
}
