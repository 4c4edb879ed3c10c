//! Writing a table's changes as messages.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use pathway_io::{ConnectorError, Delivery, FailureClass, Sink, Transactions, Writer};
use pathway_types::{Batch, DType, Schema, Timestamp};
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer as _, ProducerContext, ThreadedProducer};

use super::client::{KafkaSettings, Observer, failure};
use super::encode::{BytesLane, Encoded, MessageFormat, Payload};
use super::framing::Framing;
use super::headers::HeaderLanes;
use super::registry::RegistrySettings;
use super::transactions::KafkaTransactions;
use crate::formats::invalid;

/// How long to wait for room among the messages that are on their way.
const PAUSE: Duration = Duration::from_millis(1);
/// How long to wait for acknowledgements before looking whether a message could not be delivered.
const BETWEEN_CHECKS_MS: i32 = 200;
/// How often to look for messages that could not be delivered while others are sent.
const BETWEEN_LOOKS: usize = 1024;

/// Where messages go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Topic {
    /// All to one topic.
    Fixed(String),
    /// Each to the topic that this column names.
    Column(usize),
}

/// Under which subject the schema of messages is in a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// This one.
    Named(String),
    /// The topic and `-value`.
    OfTopic,
}

/// Writes every change of a table as a message.
#[derive(Clone, Debug)]
pub struct KafkaSink {
    pub(super) settings: KafkaSettings,
    topic: Topic,
    format: MessageFormat,
    key: Option<usize>,
    headers: Vec<(String, usize)>,
    registry: Option<(RegistrySettings, Subject)>,
    delivery: Delivery,
    schema: Schema,
}

impl KafkaSink {
    /// A sink for rows of `schema`. Messages have the ids of their rows as keys.
    ///
    /// # Errors
    /// If the settings do not fit together.
    pub fn new(
        settings: KafkaSettings,
        topic: Topic,
        format: MessageFormat,
        schema: Schema,
    ) -> Result<Self, ConnectorError> {
        if settings.get("bootstrap.servers").is_none_or(str::is_empty) {
            return Err(invalid("kafka", "rdkafka_settings need a value for \"bootstrap.servers\""));
        }
        if topic == Topic::Fixed(String::new()) {
            return Err(invalid("kafka", "the name of the topic is empty"));
        }
        // Whether there is a payload for every type is known now.
        Payload::new(format, &schema)?;
        Ok(KafkaSink {
            settings,
            topic,
            format,
            key: None,
            headers: Vec::new(),
            registry: None,
            delivery: Delivery::default(),
            schema,
        })
    }

    /// The same sink with another way of delivery.
    pub fn delivery(mut self, delivery: Delivery) -> Self {
        self.delivery = delivery;
        self
    }

    /// The same sink with the keys of messages from this column.
    pub fn key(mut self, column: Option<usize>) -> Self {
        self.key = column;
        self
    }

    /// The same sink with headers from these columns.
    pub fn headers(mut self, headers: Vec<(String, usize)>) -> Self {
        self.headers = headers;
        self
    }

    /// The same sink with the number of a schema in front of each message: the newest one of the subject, or that
    /// of Avro records, which is registered.
    pub fn registry(mut self, registry: Option<(RegistrySettings, Subject)>) -> Self {
        self.registry = registry;
        self
    }

    /// Lets the broker drop messages that it gets twice because an acknowledgement was lost, unless the user
    /// has decided about what this needs.
    fn own_properties(&self) -> Vec<(&'static str, &'static str)> {
        const DECIDED: [&str; 8] = [
            "enable.idempotence",
            "acks",
            "request.required.acks",
            "retries",
            "message.send.max.retries",
            "max.in.flight",
            "max.in.flight.requests.per.connection",
            "queuing.strategy",
        ];
        if DECIDED.iter().any(|name| self.settings.get(name).is_some()) {
            return Vec::new();
        }
        vec![("enable.idempotence", "true")]
    }

    /// Opens it, with these properties besides those of the user.
    pub(super) fn writer(&self, own: &[(&str, &str)]) -> Result<KafkaWriter, ConnectorError> {
        let name = self.description();
        let payload = Payload::new(self.format, &self.schema)?;
        let framing = match &self.registry {
            Some((settings, subject)) => {
                let topic = match &self.topic {
                    Topic::Fixed(topic) => Some(topic.as_str()),
                    Topic::Column(_) => None,
                };
                Some(Framing::new(settings.clone(), subject.clone(), &payload, topic, &name)?)
            }
            None => None,
        };
        let deliveries = Deliveries::default();
        let producer = self.settings.config(own).create_with_context(deliveries.clone());
        let producer = producer.map_err(|error| self.settings.misconfigured(&name, &error))?;
        Ok(KafkaWriter {
            name,
            brokers: self.settings.brokers().to_owned(),
            topic: self.topic.clone(),
            payload,
            key: self.key,
            headers: self.headers.clone(),
            dtypes: self.schema.dtypes(),
            producer,
            deliveries,
            framing,
            encoded: Encoded::default(),
            has_header: Vec::new(),
            last_topic: String::new(),
        })
    }
}

impl Sink for KafkaSink {
    fn description(&self) -> String {
        match &self.topic {
            Topic::Fixed(topic) => format!("kafka({topic})"),
            Topic::Column(column) => format!("kafka(topics of {})", self.schema.fields[*column].name),
        }
    }

    fn open(&self, _position: Option<&[u8]>) -> Result<Box<dyn Writer>, ConnectorError> {
        Ok(Box::new(self.writer(&self.own_properties())?))
    }

    fn transactions(&self, id: &str, _anew: bool) -> Result<Option<Box<dyn Transactions>>, ConnectorError> {
        match self.delivery {
            Delivery::ExactlyOnce => Ok(Some(Box::new(KafkaTransactions::open(self, id)?))),
            Delivery::AtLeastOnce => Ok(None),
        }
    }
}

/// Remembers the first message that could not be delivered.
#[derive(Clone, Debug, Default)]
pub(super) struct Deliveries {
    pub(super) observer: Observer,
    failed: Arc<Mutex<Option<(String, KafkaError)>>>,
}

impl Deliveries {
    /// What could not be delivered does not count any more.
    pub(super) fn forget(&self) {
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl ClientContext for Deliveries {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        self.observer.log(level, facility, text);
    }
    fn error(&self, error: KafkaError, reason: &str) {
        self.observer.error(error, reason);
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        use rdkafka::message::Message as _;
        if let Err((error, message)) = result {
            let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
            failed.get_or_insert_with(|| (message.topic().to_owned(), error.clone()));
        }
    }
}

/// An open sink.
pub(super) struct KafkaWriter {
    pub(super) name: String,
    pub(super) brokers: String,
    topic: Topic,
    payload: Payload,
    key: Option<usize>,
    headers: Vec<(String, usize)>,
    dtypes: Vec<DType>,
    /// Has a thread of its own that hears of deliveries.
    pub(super) producer: ThreadedProducer<Deliveries>,
    pub(super) deliveries: Deliveries,
    /// What stands in front of each payload.
    framing: Option<Framing>,
    encoded: Encoded,
    /// The topics that have got their header line.
    has_header: Vec<String>,
    last_topic: String,
}

impl KafkaWriter {
    fn failure(&self, topic: &str, error: &KafkaError) -> ConnectorError {
        failure(&self.name, "write to", topic, &self.brokers, error, &self.deliveries.observer)
    }

    /// Fails if a message could not be delivered.
    fn check(&self) -> Result<(), ConnectorError> {
        let failed = self.deliveries.failed.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match failed {
            Some((topic, error)) => Err(self.failure(&topic, &error)),
            None => Ok(()),
        }
    }

    /// Sends a message as soon as there is room for it.
    fn send(
        &self,
        topic: &str,
        key: Option<&[u8]>,
        payload: Option<&[u8]>,
        headers: OwnedHeaders,
    ) -> Result<(), ConnectorError> {
        let mut record = BaseRecord::<[u8], [u8]>::to(topic).headers(headers);
        if let Some(key) = key {
            record = record.key(key);
        }
        if let Some(payload) = payload {
            record = record.payload(payload);
        }
        loop {
            match self.producer.send(record) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                    record = back;
                    self.check()?;
                    std::thread::sleep(PAUSE);
                }
                Err((error, _)) => return Err(self.failure(topic, &error)),
            }
        }
    }

    /// Waits until the brokers have acknowledged everything.
    pub(super) fn flush(&self) -> Result<(), ConnectorError> {
        let (mut left, mut since) = (self.producer.in_flight_count(), Instant::now());
        loop {
            // SAFETY: the client lives as long as the producer that is borrowed here, and the function may be
            // called from any thread. Deliveries are told to the producer's own thread, as it demands.
            let _timed_out = unsafe {
                rdkafka::bindings::rd_kafka_flush(self.producer.client().native_ptr(), BETWEEN_CHECKS_MS)
            };
            self.check()?;
            let now = self.producer.in_flight_count();
            if now == 0 {
                return Ok(());
            }
            if now != left {
                (left, since) = (now, Instant::now());
            } else if since.elapsed() > Duration::from_secs(10) {
                let (name, trouble) = (&self.name, self.deliveries.observer.trouble());
                log::warn!("{name}: {left} messages wait for an acknowledgement by the brokers{trouble}");
                since = Instant::now();
            }
        }
    }

    fn topic_name(&self) -> &str {
        match &self.topic {
            Topic::Fixed(topic) => topic,
            Topic::Column(_) => &self.last_topic,
        }
    }

    /// The topics, for people.
    pub(super) fn topics(&self) -> String {
        match &self.topic {
            Topic::Fixed(topic) => topic.clone(),
            Topic::Column(_) => "of a column".to_owned(),
        }
    }

    /// The topic of the first row.
    pub(super) fn first_topic(&mut self, batch: &Batch) -> Result<Option<String>, ConnectorError> {
        if let Topic::Column(column) = self.topic {
            if batch.is_empty() {
                return Ok(None);
            }
            let dtypes = self.dtypes.clone();
            let mut bytes = Vec::new();
            let named = BytesLane::new(batch, column, &dtypes, "topic");
            self.next_topic(named.get(0, &mut bytes, &self.name)?)?;
        }
        Ok(Some(self.topic_name().to_owned()))
    }

    /// The topic of a row of which it is read from a column.
    fn next_topic(&mut self, named: Option<&[u8]>) -> Result<(), ConnectorError> {
        let named = named.and_then(|named| std::str::from_utf8(named).ok()).filter(|named| !named.is_empty());
        let Some(named) = named else {
            let message = "the column with the topics has a row without a topic";
            return Err(ConnectorError::new(&*self.name, FailureClass::Value, message));
        };
        if self.last_topic != named {
            named.clone_into(&mut self.last_topic);
        }
        Ok(())
    }

    /// Sends the header line to a topic that has not got it, like the first row.
    fn introduce(&mut self, key: Option<&[u8]>, headers: &OwnedHeaders) -> Result<(), ConnectorError> {
        let topic = self.topic_name().to_owned();
        if let Some(line) = self.payload.header_line()
            && !self.has_header.contains(&topic)
        {
            self.send(&topic, key, Some(&line), headers.clone())?;
            self.has_header.push(topic);
        }
        Ok(())
    }
}

impl Writer for KafkaWriter {
    fn write(&mut self, batch: &Batch, time: Timestamp) -> Result<(), ConnectorError> {
        let mut encoded = std::mem::take(&mut self.encoded);
        self.payload.encode(batch, time, &mut encoded)?;
        let dtypes = self.dtypes.clone();
        let lane = |column: usize, what| BytesLane::new(batch, column, &dtypes, what);
        let values = match self.payload {
            Payload::Column(column) => Some(lane(column, "value")),
            _ => None,
        };
        let has_lines = self.payload.header_line().is_some();
        let keys = self.key.map(|column| lane(column, "key"));
        let topics = match self.topic {
            Topic::Column(column) => Some(lane(column, "topic")),
            Topic::Fixed(_) => None,
        };
        let user_headers = self.headers.clone();
        let headers = HeaderLanes::new(&user_headers, batch, &dtypes, time);
        let (mut key_bytes, mut bytes, mut framed) = (Vec::new(), Vec::new(), Vec::new());
        for row in 0..batch.len() {
            if let Some(topics) = &topics {
                self.next_topic(topics.get(row, &mut bytes, &self.name)?)?;
            }
            let own_headers = headers.row(row, batch.diffs.get(row), &mut bytes);
            let id = batch.keys.get(row).0.to_le_bytes();
            let key = match &keys {
                Some(keys) => keys.get(row, &mut key_bytes, &self.name)?,
                None => Some(&id[..]),
            };
            if has_lines {
                self.introduce(key, &own_headers)?;
            }
            let payload = match &values {
                Some(values) => values.get(row, &mut bytes, &self.name)?,
                None => Some(encoded.row(row)),
            };
            let payload = match (&mut self.framing, payload) {
                (Some(framing), Some(payload)) => {
                    let topic = match &self.topic {
                        Topic::Fixed(topic) => topic,
                        Topic::Column(_) => &self.last_topic,
                    };
                    framed.clear();
                    framed.extend_from_slice(&framing.prefix(&self.payload, topic)?);
                    framed.extend_from_slice(payload);
                    Some(&framed[..])
                }
                (_, payload) => payload,
            };
            self.send(self.topic_name(), key, payload, own_headers)?;
            if row % BETWEEN_LOOKS == BETWEEN_LOOKS - 1 {
                self.check()?;
            }
        }
        self.encoded = encoded;
        Ok(())
    }

    fn end_time(&mut self, _time: Timestamp) -> Result<(), ConnectorError> {
        self.flush()
    }

    fn end(&mut self) -> Result<(), ConnectorError> {
        self.flush()
    }
}
