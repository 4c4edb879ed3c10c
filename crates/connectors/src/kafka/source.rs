//! The source as the plan describes it.

use std::sync::Arc;

use pathway_io::{ConnectorError, ReadMode, Reader, Resume, Session, Share, Source};
use pathway_types::{DType, Field, Schema};
use rdkafka::consumer::{BaseConsumer, Consumer as _};

use super::client::{KafkaSettings, Observer, failure, partitions};
use super::reader::{Duty, KafkaReader, Reading};
use super::registry::{KnownSchemas, PayloadKind, Registry, RegistrySettings};
use super::start::Starts;
use crate::formats::message::MessageSpec;
use crate::formats::{Layout, METADATA, invalid};

/// Reads the messages of one topic.
#[derive(Clone, Debug)]
pub struct KafkaSource {
    settings: KafkaSettings,
    topic: String,
    format: MessageSpec,
    mode: ReadMode,
    /// All columns: `_metadata`, if asked for, then those of messages.
    all: Schema,
    with_metadata: bool,
    ids_from_keys: bool,
    registry: Option<(RegistrySettings, PayloadKind)>,
    from_timestamp_ms: Option<i64>,
    most_readers: Option<usize>,
    /// Positions in `all` of the columns to read.
    projection: Vec<usize>,
    /// The columns to read.
    schema: Schema,
}

impl KafkaSource {
    /// A source over a topic. `schema` is needed for json and has no place in the other formats.
    ///
    /// # Errors
    /// If the settings do not fit together.
    pub fn new(
        settings: KafkaSettings,
        topic: impl Into<String>,
        format: MessageSpec,
        schema: Option<Schema>,
        mode: ReadMode,
    ) -> Result<Self, ConnectorError> {
        let topic = topic.into();
        for name in ["bootstrap.servers", "group.id"] {
            if settings.get(name).is_none_or(str::is_empty) {
                return Err(invalid("kafka", format!("rdkafka_settings need a value for {name:?}")));
            }
        }
        if topic.is_empty() {
            return Err(invalid("kafka", "the name of the topic is empty"));
        }
        let all = format.columns(schema)?;
        Ok(KafkaSource {
            settings,
            topic,
            format,
            mode,
            projection: (0..all.fields.len()).collect(),
            schema: all.clone(),
            all,
            with_metadata: false,
            ids_from_keys: false,
            registry: None,
            from_timestamp_ms: None,
            most_readers: None,
        })
    }

    /// The same source with column `_metadata` in front. Reads all columns.
    pub fn with_metadata(mut self) -> Self {
        if !self.with_metadata {
            self.with_metadata = true;
            self.all.fields.insert(0, Field::new(METADATA, DType::Json));
            self.projection = (0..self.all.fields.len()).collect();
            self.schema = self.all.clone();
        }
        self
    }

    /// The same source, whose rows without a primary key are identified by the keys of their messages.
    pub fn ids_from_keys(mut self, ids_from_keys: bool) -> Self {
        self.ids_from_keys = ids_from_keys;
        self
    }

    /// The same source, whose messages begin with the numbers of their schemas.
    pub fn registry(mut self, registry: Option<(RegistrySettings, PayloadKind)>) -> Self {
        self.registry = registry;
        self
    }

    /// The same source from the first message on that is not older than this.
    pub fn from_timestamp_ms(mut self, timestamp: Option<i64>) -> Self {
        self.from_timestamp_ms = timestamp;
        self
    }

    /// The same source with so many readers at most.
    pub fn most_readers(mut self, readers: Option<usize>) -> Self {
        self.most_readers = readers;
        self
    }

    /// The properties that this connector decides itself.
    fn own_properties(&self) -> Vec<(&'static str, &'static str)> {
        let mut own = vec![
            // Offsets are stored when their rows are done with, not when they are handed over.
            ("enable.auto.offset.store", "false"),
            ("enable.partition.eof", "true"),
            ("allow.auto.create.topics", "false"),
        ];
        if self.settings.get("fetch.queue.backoff.ms").is_none() {
            // By default, the library stops fetching for a second whenever it is ahead: a million messages take
            // 7 s instead of 1.
            own.push(("fetch.queue.backoff.ms", "2"));
        }
        if self.mode == ReadMode::Static {
            own.push(("enable.auto.commit", "false"));
        }
        if self.mode == ReadMode::Static || self.from_timestamp_ms.is_some() {
            // Partitions that turn up later are read whole.
            own.push(("auto.offset.reset", "earliest"));
        }
        own
    }
}

impl Source for KafkaSource {
    fn description(&self) -> String {
        format!("kafka({})", self.topic)
    }

    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn mode(&self) -> ReadMode {
        self.mode
    }

    fn session(&self) -> Session {
        if self.format.sets_rows() { Session::Upsert } else { Session::Native }
    }

    fn insert_only(&self) -> bool {
        !self.format.sets_rows()
    }

    fn has_positions(&self) -> bool {
        true
    }

    fn project(&self, columns: &[usize]) -> Arc<dyn Source> {
        let mut source = self.clone();
        source.projection = columns.iter().map(|column| self.projection[*column]).collect();
        source.schema = Schema::new(columns.iter().map(|column| self.schema.fields[*column].clone()));
        Arc::new(source)
    }

    fn open(
        &self,
        parallelism: usize,
        resume: Option<Resume>,
    ) -> Result<Vec<Box<dyn Reader>>, ConnectorError> {
        self.open_share(Share::ALL, parallelism, resume)
    }

    /// Each partition is read by one process.
    fn open_share(
        &self,
        share: Share,
        parallelism: usize,
        resume: Option<Resume>,
    ) -> Result<Vec<Box<dyn Reader>>, ConnectorError> {
        let name = self.description();
        let config = self.settings.config(&self.own_properties());
        let (consumer, observer): (BaseConsumer<Observer>, Observer) =
            self.settings.client(&name, &config)?;
        let failed = |error| failure(&name, "read", &self.topic, self.settings.brokers(), &error, &observer);
        let mut numbers =
            partitions(consumer.client(), &self.topic, self.settings.patience()).map_err(failed)?;
        numbers.retain(|partition| share.has(*partition as u64));
        let cluster = consumer.client().fetch_cluster_id(self.settings.patience()).unwrap_or_default();
        let starts = Starts {
            name: &name,
            topic: &self.topic,
            mode: self.mode,
            patience: self.settings.patience(),
            from_timestamp_ms: self.from_timestamp_ms,
            reset: config.get("auto.offset.reset"),
            kept: resume.as_ref().map(|resume| &resume.positions),
        };
        let stretches = starts.find(&consumer, &numbers, &failed)?;
        let layout = Arc::new(Layout::new(&self.all, &self.projection));
        let reading = Arc::new(Reading {
            name: name.clone(),
            topic: self.topic.clone(),
            brokers: self.settings.brokers().to_owned(),
            cluster,
            with_metadata: layout.fields().iter().any(|field| &*field.name == METADATA),
            goes_on: resume.is_some(),
            decoder: self.format.compile(&layout, self.ids_from_keys),
            layout,
            patience: self.settings.patience(),
            looks_after: super::reader::looks_after(&self.settings),
        });
        let readers = self.most_readers.unwrap_or(parallelism).min(parallelism).min(stretches.len()).max(1);
        let mut consumers = vec![(consumer, observer)];
        while consumers.len() < readers {
            consumers.push(self.settings.client(&name, &config)?);
        }
        let opened = consumers.into_iter().enumerate().map(|(number, (consumer, observer))| {
            let duty = Duty { share, reader: number, readers };
            let own = stretches.iter().filter(|stretch| duty.has(stretch.partition)).copied().collect();
            let registry = self.registry.clone();
            let registry = registry.map(|(settings, kind)| Registry::new(settings, kind, &name));
            let schemas = registry.transpose()?.map(KnownSchemas::new);
            let reader =
                KafkaReader::new(reading.clone(), consumer, observer, schemas, duty, own, self.mode)?;
            Ok(Box::new(reader) as Box<dyn Reader>)
        });
        opened.collect()
    }
}
