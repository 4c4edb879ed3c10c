//! What is told about the progress of sources and sinks: something at the start, then every few seconds,
//! and at the end.

use std::time::{Duration, Instant};

use pathway_types::Timestamp;

/// The time between two messages about one source or sink.
pub const BETWEEN_MESSAGES: Duration = Duration::from_secs(5);

/// What a sink has written since something was told about it.
#[derive(Debug)]
pub struct Tally {
    name: String,
    /// Changes written.
    pub entries: u64,
    current: Duration,
    all: Duration,
    told: Option<Instant>,
}

impl Tally {
    /// That of the sink of this name.
    pub fn new(name: String) -> Tally {
        Tally { name, entries: 0, current: Duration::ZERO, all: Duration::ZERO, told: None }
    }

    /// The name of the sink.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Notes that the sink has been at work since `begin`, and is now at `frontier`; gives what is to be
    /// told, if it is time.
    pub fn written(
        &mut self,
        begin: Option<Instant>,
        frontier: Option<Timestamp>,
        ends: bool,
    ) -> Option<String> {
        if let Some(begin) = begin {
            self.current = begin.elapsed();
            self.all += self.current;
        }
        let due = self.told.is_none_or(|told| told.elapsed() >= BETWEEN_MESSAGES);
        if !(ends || due && self.entries > 0) {
            return None;
        }
        self.told = Some(Instant::now());
        let Tally { name, entries, current, all, .. } = &self;
        let place = match frontier {
            Some(time) => format!("time {time}"),
            None => "closing data sink".to_owned(),
        };
        let text = format!(
            "{name}: Done writing {entries} entries, {place}. Current batch writes took: {} ms. All writes so \
             far took: {} ms.",
            current.as_millis(),
            all.as_millis()
        );
        self.entries = 0;
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_the_first_entries_and_the_end() {
        let mut tally = Tally::new("mine".to_owned());
        assert_eq!(tally.written(None, Some(2), false), None, "nothing is written yet");
        tally.entries += 3;
        let first = tally.written(Some(Instant::now()), Some(4), false);
        assert!(first.is_some_and(|text| text.starts_with("mine: Done writing 3 entries, time 4.")));
        tally.entries += 2;
        assert_eq!(tally.written(Some(Instant::now()), Some(6), false), None, "it is too early");
        let last = tally.written(Some(Instant::now()), None, true);
        assert!(
            last.is_some_and(|text| text.starts_with("mine: Done writing 2 entries, closing data sink."))
        );
    }
}
