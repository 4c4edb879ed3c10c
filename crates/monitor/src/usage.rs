//! What the process takes of its machine.

use std::time::Duration;

/// What the process takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    /// Bytes of memory that are present, where the system tells.
    pub(crate) memory: Option<u64>,
    /// Time of the processor in the process.
    pub(crate) user: Duration,
    /// Time of the processor in the system, for the process.
    pub(crate) system: Duration,
}

impl Usage {
    /// What it takes now.
    pub(crate) fn now() -> Usage {
        // SAFETY: all fields are numbers, for which zero is a value.
        let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
        // SAFETY: it writes to the structure that it is given, which lives as long as the call.
        let result = unsafe { libc::getrusage(libc::RUSAGE_SELF, &raw mut usage) };
        let time = |time: libc::timeval| {
            let micros = u32::try_from(time.tv_usec).unwrap_or(0);
            Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), micros * 1000)
        };
        let (user, system) = match result {
            0 => (time(usage.ru_utime), time(usage.ru_stime)),
            _ => (Duration::ZERO, Duration::ZERO),
        };
        Usage { memory: resident(), user, system }
    }

    /// Time of the processor in seconds.
    pub(crate) fn seconds(&self) -> f64 {
        (self.user + self.system).as_secs_f64()
    }
}

/// The second number of `/proc/self/statm` is pages that are present.
fn resident() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = text.split_whitespace().nth(1)?.parse().ok()?;
    // SAFETY: it has no conditions.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    Some(pages * u64::try_from(size).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_takes_something() {
        let usage = Usage::now();
        if cfg!(target_os = "linux") {
            assert!(usage.memory.unwrap() > 100_000, "{usage:?}");
        }
        assert!(!(usage.user + usage.system).is_zero(), "{usage:?}");
    }
}
