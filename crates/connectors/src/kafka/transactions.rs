//! Writing whole checkpoints, each in one transaction.
//!
//! The number of a checkpoint is committed in the same transaction as its messages: as an offset of a consumer group
//! that belongs to the sink alone ([KIP-98](https://cwiki.apache.org/confluence/x/ZwkGBg)). A later run compares it
//! with that of the checkpoint from which it goes on.

use std::time::{Duration, Instant};

use pathway_io::{ConnectorError, FailureClass, Transactions, Writer};
use pathway_types::{Batch, Timestamp};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerGroupMetadata};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::Producer as _;
use rdkafka::util::Timeout;
use rdkafka::{Offset, TopicPartitionList};

use super::client::{Observer, ask, failure};
use super::sink::{KafkaSink, KafkaWriter};

/// How often a transaction that the brokers gave up is tried.
const ATTEMPTS: u32 = 5;
/// How long one call to the brokers may take before it is repeated.
const ANSWER: Duration = Duration::from_secs(10);
/// How long the brokers may take to answer at all.
const PATIENCE: Duration = Duration::from_secs(300);
/// The partition under which the group commits the numbers of checkpoints.
const PARTITION: i32 = 0;

/// Writes the changes of whole checkpoints.
pub(super) struct KafkaTransactions {
    writer: KafkaWriter,
    /// Of the transactions and of the group.
    id: String,
    /// Knows the group.
    group: BaseConsumer<Observer>,
    metadata: ConsumerGroupMetadata,
}

/// Whether a failed transaction can be tried again.
enum Trouble {
    Passing(ConnectorError),
    Lasting(ConnectorError),
}

impl KafkaTransactions {
    /// Transactions of a sink.
    pub(super) fn open(sink: &KafkaSink, id: &str) -> Result<Self, ConnectorError> {
        // Two outputs with the same settings are told from each other.
        let id = match sink.settings.get("transactional.id") {
            Some(user) => format!("{user}-{id}"),
            None => id.to_owned(),
        };
        let mut own = vec![("transactional.id", &*id)];
        if sink.settings.get("transaction.timeout.ms").is_none() {
            // The most that brokers allow by default: much may have to be sent.
            own.push(("transaction.timeout.ms", "900000"));
        }
        let writer = sink.writer(&own).map_err(|mut error| {
            error.message.push_str("; with delivery=\"at-least-once\" no transactions are needed");
            error
        })?;
        let config = sink.settings.config(&[("group.id", &id), ("enable.auto.commit", "false")]);
        let (group, _): (BaseConsumer<Observer>, _) = sink.settings.client(&writer.name, &config)?;
        let metadata = group.group_metadata().ok_or_else(|| {
            ConnectorError::new(&*writer.name, FailureClass::Engine, "the client has no consumer group")
        })?;
        let own = KafkaTransactions { writer, id, group, metadata };
        // From now on the brokers refuse what an earlier run has begun, and all that it may yet send.
        let known = own.repeat(sink.settings.patience(), || own.writer.producer.init_transactions(ANSWER));
        let topic = own.writer.topics();
        known.map_err(|error| own.failure("begin transactions on", &topic, &error))?;
        Ok(own)
    }

    fn failure(&self, doing: &str, topic: &str, error: &KafkaError) -> ConnectorError {
        let observer = &self.writer.deliveries.observer;
        let why = match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::Fenced | RDKafkaErrorCode::InvalidProducerEpoch) => {
                "another run writes to it in the name of this one, which has to end"
            }
            Some(
                RDKafkaErrorCode::TransactionalIdAuthorizationFailed
                | RDKafkaErrorCode::GroupAuthorizationFailed
                | RDKafkaErrorCode::UnsupportedVersion
                | RDKafkaErrorCode::UnsupportedFeature,
            ) => {
                "the brokers do not allow transactions; with delivery=\"at-least-once\" none are needed, but messages \
                 may come twice after a restart"
            }
            _ => return failure(&self.writer.name, doing, topic, &self.writer.brokers, error, observer),
        };
        let text = format!("cannot {doing} topic {topic:?}: {why} ({error}; transactional.id {:?})", self.id);
        ConnectorError::new(&*self.writer.name, FailureClass::Os, text)
    }

    /// Repeats a call until the brokers have answered, or this long.
    fn repeat(
        &self,
        patience: Duration,
        call: impl Fn() -> Result<(), KafkaError>,
    ) -> Result<(), KafkaError> {
        let begin = Instant::now();
        loop {
            match call() {
                Err(KafkaError::Transaction(error)) if error.is_retriable() && begin.elapsed() < patience => {
                    log::info!("{}: {error}; trying again", self.writer.name);
                    std::thread::sleep(Duration::from_millis(100));
                }
                answer => return answer,
            }
        }
    }

    /// Where the number of a checkpoint with these changes is committed: the topic of the first.
    fn topic(&mut self, changes: &[(Timestamp, Batch)]) -> Result<String, ConnectorError> {
        for (_, batch) in changes {
            if let Some(topic) = self.writer.first_topic(batch)? {
                return Ok(topic);
            }
        }
        Err(ConnectorError::new(
            &*self.writer.name,
            FailureClass::Engine,
            "there are no changes to be written",
        ))
    }

    /// The number that was committed last.
    fn committed(&self, topic: &str) -> Result<Option<u64>, ConnectorError> {
        let mut places = TopicPartitionList::new();
        places.add_partition(topic, PARTITION);
        let found = ask(PATIENCE, |left| self.group.committed_offsets(places.clone(), left.min(ANSWER)));
        let found = found.map_err(|error| self.failure("see what was committed for", topic, &error))?;
        match found.find_partition(topic, PARTITION).map(|place| (place.error(), place.offset())) {
            Some((Err(error), _)) if !is_unknown(&error) => {
                Err(self.failure("see what was committed for", topic, &error))
            }
            Some((Ok(()), Offset::Offset(number))) => Ok(Some(number.cast_unsigned())),
            _ => Ok(None),
        }
    }

    /// Tries to write and commit everything.
    fn attempt(&mut self, number: u64, topic: &str, changes: &[(Timestamp, Batch)]) -> Result<(), Trouble> {
        self.writer.deliveries.forget();
        self.writer
            .producer
            .begin_transaction()
            .map_err(|error| self.trouble("begin to write to", topic, &error))?;
        for (time, batch) in changes {
            self.writer.write(batch, *time).map_err(of_writing)?;
        }
        self.writer.flush().map_err(of_writing)?;
        let mut places = TopicPartitionList::new();
        let offset = Offset::Offset(number.cast_signed());
        let placed = places.add_partition_offset(topic, PARTITION, offset);
        placed.map_err(|error| self.trouble("commit to", topic, &error))?;
        let producer = &self.writer.producer;
        let sent =
            self.repeat(PATIENCE, || producer.send_offsets_to_transaction(&places, &self.metadata, ANSWER));
        sent.map_err(|error| self.trouble("commit to", topic, &error))?;
        let committed = self.repeat(PATIENCE, || producer.commit_transaction(ANSWER));
        committed.map_err(|error| self.trouble("commit to", topic, &error))
    }

    fn trouble(&self, doing: &str, topic: &str, error: &KafkaError) -> Trouble {
        let told = self.failure(doing, topic, error);
        match error {
            KafkaError::Transaction(error) if error.txn_requires_abort() => Trouble::Passing(told),
            _ => Trouble::Lasting(told),
        }
    }
}

/// A message could not be written: another attempt helps, unless it is due to what is written.
fn of_writing(error: ConnectorError) -> Trouble {
    if error.class == FailureClass::Os { Trouble::Passing(error) } else { Trouble::Lasting(error) }
}

/// The producer cannot go on.
fn is_fatal(error: &KafkaError) -> bool {
    matches!(error, KafkaError::Transaction(error) if error.is_fatal())
}

fn is_unknown(error: &KafkaError) -> bool {
    let code = error.rdkafka_error_code();
    code.is_some_and(|code| {
        matches!(code, RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic)
    })
}

impl Transactions for KafkaTransactions {
    fn commit(
        &mut self,
        number: u64,
        changes: &[(Timestamp, Batch)],
        again: bool,
    ) -> Result<Option<u64>, ConnectorError> {
        let topic = self.topic(changes)?;
        if again
            && let Some(found) = self.committed(&topic)?
            && found >= number
        {
            return Ok(Some(found));
        }
        for attempt in 1.. {
            let (is_passing, error) = match self.attempt(number, &topic, changes) {
                Ok(()) => break,
                Err(Trouble::Passing(error)) => (true, error),
                Err(Trouble::Lasting(error)) => (false, error),
            };
            let producer = &self.writer.producer;
            let aborted = self.repeat(PATIENCE, || producer.abort_transaction(Timeout::After(ANSWER)));
            // What cannot be given up is given up by the brokers when another run begins.
            match aborted {
                Ok(()) if is_passing && attempt < ATTEMPTS => {}
                Err(abort) if is_fatal(&abort) => return Err(self.failure("write to", &topic, &abort)),
                _ => return Err(error),
            }
            log::warn!("{error}; trying again");
            std::thread::sleep(Duration::from_millis(100) * (1 << attempt));
        }
        Ok(None)
    }
}
