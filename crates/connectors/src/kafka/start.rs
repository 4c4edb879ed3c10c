//! Where reading begins and, in static mode, ends.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use pathway_io::{ConnectorError, FailureClass, Position, ReadMode};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::{Offset, TopicPartitionList};

use super::client::{Observer, ask};

/// A partition to read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretch {
    pub(super) partition: i32,
    /// The first message.
    pub(super) start: Offset,
    /// The offset that was next at the end of the partition when the run started, in static mode.
    pub(super) end: Option<i64>,
}

/// The name of a partition among the parts of a source.
pub(super) fn part(topic: &str, partition: i32) -> String {
    format!("{topic}[{partition}]")
}

/// The position in front of a message.
pub(super) fn position(offset: i64) -> Position {
    Position { value: offset.to_le_bytes().to_vec(), objects: Vec::new() }
}

/// The offset of a position, if it is one.
pub(super) fn offset_of(position: &Position) -> Option<i64> {
    position.value.as_slice().try_into().ok().map(i64::from_le_bytes)
}

/// The offset of a position that an earlier run left.
fn offset(name: &str, part: &str, position: &Position) -> Result<i64, ConnectorError> {
    offset_of(position).ok_or_else(|| {
        let message = format!("the position of {part} that an earlier run left is damaged");
        ConnectorError::new(name, FailureClass::Value, message)
    })
}

/// What the positions of an earlier run and the settings say about where to begin.
pub(super) struct Starts<'a> {
    pub(super) name: &'a str,
    pub(super) topic: &'a str,
    pub(super) mode: ReadMode,
    /// How long brokers may take to answer.
    pub(super) patience: Duration,
    pub(super) from_timestamp_ms: Option<i64>,
    pub(super) kept: Option<&'a BTreeMap<String, Position>>,
    /// What the user says about partitions of which the group has committed nothing.
    pub(super) reset: Option<&'a str>,
}

impl Starts<'_> {
    /// The stretches of these partitions.
    pub(super) fn find(
        &self,
        consumer: &BaseConsumer<Observer>,
        partitions: &[i32],
        failed: &dyn Fn(KafkaError) -> ConnectorError,
    ) -> Result<Vec<Stretch>, ConnectorError> {
        let by_time = match self.from_timestamp_ms {
            Some(timestamp) => Some(self.by_time(consumer, partitions, timestamp).map_err(failed)?),
            None => None,
        };
        // The client library would find it by itself, but not tell us, which later runs need; and it waits for a
        // minute where the brokers have just begun to keep the offsets of groups.
        let committed = match self.mode {
            ReadMode::Streaming => self.committed(consumer, partitions).map_err(failed)?,
            ReadMode::Static => HashMap::new(),
        };
        let mut stretches = Vec::with_capacity(partitions.len());
        for partition in partitions {
            let (low, high) =
                ask(self.patience, |left| consumer.fetch_watermarks(self.topic, *partition, left))
                    .map_err(failed)?;
            let part = part(self.topic, *partition);
            let kept = match self.kept.and_then(|kept| kept.get(&part)) {
                Some(position) => Some(offset(self.name, &part, position)?),
                None => None,
            };
            if let Some(kept) = kept
                && !(low..=high).contains(&kept)
            {
                self.out_of_range(&part, kept, low, high)?;
            }
            let start = match (kept, &by_time, self.mode) {
                (Some(kept), ..) => Offset::Offset(kept.max(low)),
                (None, Some(by_time), _) => by_time.get(partition).copied().unwrap_or(Offset::End),
                // In a run that is gone on with, a partition without a position is a new one.
                (None, None, ReadMode::Streaming) if self.kept.is_some_and(|kept| !kept.is_empty()) => {
                    Offset::Offset(low)
                }
                (None, None, ReadMode::Streaming) => {
                    let committed = committed.get(partition).filter(|offset| (low..=high).contains(*offset));
                    match (committed, self.reset) {
                        (Some(committed), _) => Offset::Offset(*committed),
                        (None, Some("earliest" | "beginning" | "smallest")) => Offset::Offset(low),
                        (None, Some("error")) => Offset::Stored,
                        (None, _) => Offset::Offset(high),
                    }
                }
                (None, None, ReadMode::Static) => Offset::Offset(low),
            };
            // The end moves while messages are read: it has to be a number.
            let start = if start == Offset::End { Offset::Offset(high) } else { start };
            let end = (self.mode == ReadMode::Static).then_some(high);
            stretches.push(Stretch { partition: *partition, start, end });
        }
        Ok(stretches)
    }

    /// The first messages not older than a time; the end where there are none.
    fn by_time(
        &self,
        consumer: &BaseConsumer<Observer>,
        partitions: &[i32],
        timestamp: i64,
    ) -> Result<HashMap<i32, Offset>, KafkaError> {
        let mut asked = TopicPartitionList::with_capacity(partitions.len());
        for partition in partitions {
            asked.add_partition_offset(self.topic, *partition, Offset::Offset(timestamp))?;
        }
        let found = ask(self.patience, |left| consumer.offsets_for_times(asked.clone(), left))?;
        let mut offsets = HashMap::new();
        for element in found.elements() {
            element.error()?;
            offsets.insert(element.partition(), element.offset());
        }
        Ok(offsets)
    }

    /// What the group has committed.
    fn committed(
        &self,
        consumer: &BaseConsumer<Observer>,
        partitions: &[i32],
    ) -> Result<HashMap<i32, i64>, KafkaError> {
        let mut asked = TopicPartitionList::with_capacity(partitions.len());
        for partition in partitions {
            asked.add_partition(self.topic, *partition);
        }
        let found = ask(self.patience, |left| consumer.committed_offsets(asked.clone(), left))?;
        let mut offsets = HashMap::new();
        for element in found.elements() {
            element.error()?;
            if let Offset::Offset(offset) = element.offset() {
                offsets.insert(element.partition(), offset);
            }
        }
        Ok(offsets)
    }

    /// Messages that an earlier run has not read are gone, or its position is of another topic.
    fn out_of_range(&self, part: &str, kept: i64, low: i64, high: i64) -> Result<(), ConnectorError> {
        if kept > high {
            let message = format!(
                "{part} ends at offset {high}, but an earlier run has read up to {kept}: the topic was made anew; \
                 remove the stored state to read it from the start"
            );
            return Err(ConnectorError::new(self.name, FailureClass::Value, message));
        }
        log::warn!(
            "{}: {} messages of {part} were deleted by the broker before they were read: reading goes on at \
             offset {low} instead of {kept}",
            self.name,
            low - kept
        );
        Ok(())
    }
}
