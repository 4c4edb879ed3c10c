//! Reads the partitions of one reader.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use pathway_io::{ConnectorError, ReadMode, Reader, Share, SourceOutput, Stopped};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message as _;
use rdkafka::{Offset, TopicPartitionList};

use super::chunk::{Chunk, Partition};
use super::client::{KafkaSettings, Observer, failure, is_passing, partitions};
use super::registry::KnownSchemas;
use super::start::{Stretch, offset_of, part, position};
use crate::formats::message::MessageDecoder;
use crate::formats::{Layout, Origin};

/// Messages are handed over when there are so many of them, or so many bytes, or no more at the moment.
const MOST_MESSAGES: usize = 16 << 10;
const MOST_BYTES: usize = 2 << 20;
/// How long to wait for a message before looking whether the run has ended.
const PAUSE: Duration = Duration::from_millis(50);
/// How long a static read waits for brokers that do not answer.
const SILENCE: Duration = Duration::from_secs(60);
/// How long to wait at the end for the last rows to be done with.
const LEAVE: Duration = Duration::from_secs(1);
/// How often to look for new partitions.
const LOOK: Duration = Duration::from_secs(10);

/// How often to look for new partitions, as the user's settings have it.
pub(super) fn looks_after(settings: &KafkaSettings) -> Duration {
    let wanted = settings.get("topic.metadata.refresh.interval.ms").and_then(|text| text.parse().ok());
    wanted.filter(|ms| *ms > 0).map_or(LOOK, |ms| Duration::from_millis(ms).min(LOOK))
}

/// What all readers of a source share.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) name: String,
    pub(super) topic: String,
    pub(super) brokers: String,
    /// The id of the cluster: equal topics of different ones have different rows.
    pub(super) cluster: String,
    pub(super) with_metadata: bool,
    /// A later run goes on from the positions of this one, so that the offsets of the group are for others to see.
    pub(super) goes_on: bool,
    pub(super) decoder: Arc<dyn MessageDecoder>,
    pub(super) layout: Arc<Layout>,
    /// How long brokers may take to answer.
    pub(super) patience: Duration,
    pub(super) looks_after: Duration,
}

impl Reading {
    fn partition(&self, number: i32) -> Partition {
        let identity = format!("kafka\0{}\0{}\0{number}", self.cluster, self.topic);
        let origin = Origin::new(part(&self.topic, number), identity.as_bytes(), "offset").from_zero();
        Partition { layout: self.layout.clone(), decoder: self.decoder.clone(), origin }
    }
}

/// Which partitions a reader reads: its part of those of its process.
#[derive(Clone, Copy, Debug)]
pub(super) struct Duty {
    pub(super) share: Share,
    /// Its number among the readers of the process.
    pub(super) reader: usize,
    /// How many these are.
    pub(super) readers: usize,
}

impl Duty {
    pub(super) fn has(&self, partition: i32) -> bool {
        self.share.has(partition as u64) && partition as usize / self.share.of % self.readers == self.reader
    }
}

/// A partition being read.
struct Own {
    partition: Partition,
    part: String,
    chunk: Chunk,
}

/// Reads the partitions that are its duty.
pub(super) struct KafkaReader {
    reading: Arc<Reading>,
    consumer: BaseConsumer<Observer>,
    observer: Observer,
    schemas: Option<KnownSchemas>,
    duty: Duty,
    mode: ReadMode,
    own: BTreeMap<i32, Own>,
    /// In static mode, the partitions that have not ended, with their ends.
    open: BTreeMap<i32, i64>,
    messages: usize,
    bytes: usize,
    looked: Instant,
    heard: Instant,
    /// Where reading begins, by part, in a run that may be gone on with.
    starts: Vec<(String, i64)>,
    /// Positions that were reported and are not done with.
    unsettled: usize,
}

/// Why reading ends before its end.
enum End {
    Stopped,
    Failed(ConnectorError),
}

impl From<Stopped> for End {
    fn from(_: Stopped) -> Self {
        End::Stopped
    }
}

impl KafkaReader {
    #[allow(clippy::too_many_arguments)]
    pub(super) fn new(
        reading: Arc<Reading>,
        consumer: BaseConsumer<Observer>,
        observer: Observer,
        schemas: Option<KnownSchemas>,
        duty: Duty,
        stretches: Vec<Stretch>,
        mode: ReadMode,
    ) -> Result<Self, ConnectorError> {
        let mut reader = KafkaReader {
            reading,
            consumer,
            observer,
            schemas,
            duty,
            mode,
            own: BTreeMap::new(),
            open: BTreeMap::new(),
            messages: 0,
            bytes: 0,
            looked: Instant::now(),
            heard: Instant::now(),
            starts: Vec::new(),
            unsettled: 0,
        };
        for stretch in &stretches {
            reader.add(stretch.partition);
            if let (true, Offset::Offset(start)) = (reader.reading.goes_on, stretch.start) {
                reader.starts.push((part(&reader.reading.topic, stretch.partition), start));
            }
            let is_open = !matches!(stretch.start, Offset::Offset(start) if Some(start) >= stretch.end);
            if let Some(end) = stretch.end.filter(|_| is_open) {
                reader.open.insert(stretch.partition, end);
            }
        }
        let mut assigned = TopicPartitionList::with_capacity(stretches.len());
        let result = stretches
            .iter()
            .filter(|stretch| stretch.end.is_none() || reader.open.contains_key(&stretch.partition))
            .try_for_each(|stretch| {
                assigned.add_partition_offset(&reader.reading.topic, stretch.partition, stretch.start)
            })
            .and_then(|()| reader.consumer.assign(&assigned));
        result.map_err(|error| reader.failure(&error))?;
        Ok(reader)
    }

    fn failure(&self, error: &KafkaError) -> ConnectorError {
        let Reading { name, topic, brokers, .. } = &*self.reading;
        failure(name, "read", topic, brokers, error, &self.observer)
    }

    fn add(&mut self, number: i32) {
        let part = part(&self.reading.topic, number);
        let own = Own { partition: self.reading.partition(number), part, chunk: Chunk::default() };
        self.own.insert(number, own);
    }

    fn read(&mut self, output: &mut dyn SourceOutput) -> Result<(), End> {
        self.settle(output);
        // Where a later run begins if nothing comes.
        for (part, start) in std::mem::take(&mut self.starts) {
            output.position(&part, Some(position(start)))?;
            self.unsettled += 1;
        }
        loop {
            if self.mode == ReadMode::Static && self.open.is_empty() {
                return Ok(self.hand_over(output)?);
            }
            let wait = if self.messages > 0 { Duration::ZERO } else { PAUSE };
            match self.consumer.poll(wait) {
                Some(Ok(message)) => {
                    let (number, offset) = (message.partition(), message.offset());
                    let end = self.open.get(&number).copied();
                    let is_wanted = self.mode == ReadMode::Streaming || end.is_some_and(|end| offset < end);
                    if let Some(own) = self.own.get_mut(&number).filter(|_| is_wanted) {
                        let pushed = own
                            .chunk
                            .push(&message, self.reading.with_metadata, self.schemas.as_mut(), &|| {
                                output.is_stopped()
                            })
                            .map_err(End::Failed)?;
                        self.bytes += pushed.ok_or(End::Stopped)?;
                        self.messages += 1;
                    }
                    drop(message);
                    if end.is_some_and(|end| offset + 1 >= end) {
                        self.open.remove(&number);
                    }
                    if self.messages >= MOST_MESSAGES || self.bytes >= MOST_BYTES {
                        self.hand_over(output)?;
                    }
                }
                Some(Err(KafkaError::PartitionEOF(number))) => {
                    self.open.remove(&number);
                    self.hand_over(output)?;
                }
                Some(Err(error)) => self.consider(&error)?,
                None => {
                    self.hand_over(output)?;
                    if self.mode == ReadMode::Static && self.heard.elapsed() > SILENCE {
                        let code = RDKafkaErrorCode::OperationTimedOut;
                        return Err(End::Failed(self.failure(&KafkaError::MessageConsumption(code))));
                    }
                    self.look_for_partitions()?;
                }
            }
        }
    }

    /// Hands over what has been collected, a partition after another, each with its position.
    fn hand_over(&mut self, output: &mut dyn SourceOutput) -> Result<(), Stopped> {
        if self.messages > 0 {
            self.heard = Instant::now();
        }
        for own in self.own.values_mut().filter(|own| !own.chunk.is_empty()) {
            let chunk = std::mem::take(&mut own.chunk);
            let end = chunk.end();
            output.parse(chunk.job(&own.partition))?;
            output.position(&own.part, end.map(position))?;
            self.unsettled += 1;
        }
        (self.messages, self.bytes) = (0, 0);
        self.settle(output);
        if output.is_stopped() { Err(Stopped) } else { Ok(()) }
    }

    /// Tells the group how far it is: the offsets of what is done with are committed by and by.
    fn settle(&mut self, output: &mut dyn SourceOutput) {
        if self.mode == ReadMode::Static {
            return;
        }
        let settled = output.settled();
        if settled.is_empty() {
            return;
        }
        self.unsettled -= settled.len();
        let mut offsets = TopicPartitionList::new();
        let numbers: HashMap<&str, i32> =
            self.own.iter().map(|(number, own)| (&*own.part, *number)).collect();
        for (part, position) in &settled {
            if let (Some(number), Some(offset)) = (numbers.get(&**part), offset_of(position)) {
                let topic = &self.reading.topic;
                let mut known = match offsets.find_partition(topic, *number) {
                    Some(known) => known,
                    None => offsets.add_partition(topic, *number),
                };
                // An offset of a message can always be set.
                let _ = known.set_offset(Offset::Offset(offset));
            }
        }
        if let Err(error) = self.consumer.store_offsets(&offsets) {
            log::warn!("{}: the offsets of the group cannot be stored: {error}", self.reading.name);
        }
    }

    /// Waits a moment for the last rows to be done with, so that the group is told of them.
    fn take_leave(&mut self, output: &mut dyn SourceOutput) {
        let deadline = Instant::now() + LEAVE;
        if self.mode == ReadMode::Static || self.reading.goes_on || output.commit().is_ok() {
            return;
        }
        while self.unsettled > 0 && Instant::now() < deadline {
            self.settle(output);
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// What to do about an error: most pass.
    fn consider(&mut self, error: &KafkaError) -> Result<(), End> {
        let code = error.rdkafka_error_code();
        if !code.is_some_and(is_passing) {
            return Err(End::Failed(self.failure(error)));
        }
        log::warn!("{}: {error}{}", self.reading.name, self.observer.trouble());
        Ok(())
    }

    /// Looks for partitions that have been added to the topic. All of their messages are new.
    fn look_for_partitions(&mut self) -> Result<(), End> {
        if self.mode == ReadMode::Static || self.looked.elapsed() < self.reading.looks_after {
            return Ok(());
        }
        self.looked = Instant::now();
        let found = match partitions(self.consumer.client(), &self.reading.topic, self.reading.patience) {
            Ok(found) => found,
            Err(error) => return self.consider(&error),
        };
        let known: HashSet<i32> = self.own.keys().copied().collect();
        let new: Vec<i32> = found.into_iter().filter(|p| self.duty.has(*p) && !known.contains(p)).collect();
        if new.is_empty() {
            return Ok(());
        }
        log::info!("{}: new partitions: {new:?}", self.reading.name);
        let mut added = TopicPartitionList::with_capacity(new.len());
        let result = new
            .iter()
            .try_for_each(|p| added.add_partition_offset(&self.reading.topic, *p, Offset::Beginning))
            .and_then(|()| self.consumer.incremental_assign(&added));
        result.map_err(|error| End::Failed(self.failure(&error)))?;
        new.into_iter().for_each(|number| self.add(number));
        Ok(())
    }
}

impl Reader for KafkaReader {
    fn run(mut self: Box<Self>, output: &mut dyn SourceOutput) -> Result<(), ConnectorError> {
        match self.read(output) {
            Ok(()) => Ok(()),
            Err(End::Stopped) => {
                self.take_leave(output);
                Ok(())
            }
            Err(End::Failed(error)) => Err(error),
        }
    }
}
