//! The settings of the client library, and what its failures mean.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use pathway_io::{ConnectorError, FailureClass};
use rdkafka::client::{Client, ClientContext};
use rdkafka::config::{ClientConfig, FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

/// How long brokers may take to answer questions about a topic, at the most.
const PATIENCE: Duration = Duration::from_secs(20);

/// The properties of the client library (librdkafka), under its own names.
#[derive(Clone, PartialEq, Eq)]
pub struct KafkaSettings(Vec<(String, String)>);

impl std::fmt::Debug for KafkaSettings {
    /// Without values: there are passwords among them.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

impl KafkaSettings {
    /// These properties.
    pub fn new(properties: impl IntoIterator<Item = (String, String)>) -> Self {
        KafkaSettings(properties.into_iter().collect())
    }

    /// The value of a property that is set.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(other, _)| other == name).map(|(_, value)| &**value)
    }

    /// The brokers, for people.
    pub(super) fn brokers(&self) -> &str {
        self.get("bootstrap.servers").unwrap_or("?")
    }

    /// How long brokers may take to answer questions about a topic.
    pub(super) fn patience(&self) -> Duration {
        let wanted = self.get("socket.timeout.ms").and_then(|text| text.parse().ok());
        wanted.map_or(PATIENCE, |ms| Duration::from_millis(ms).min(PATIENCE))
    }

    /// The configuration with these properties, which `own` overrides.
    pub(super) fn config(&self, own: &[(&str, &str)]) -> ClientConfig {
        let mut config = ClientConfig::new();
        for (name, value) in &self.0 {
            config.set(name, value);
        }
        for (name, value) in own {
            config.set(*name, *value);
        }
        config
    }

    /// A client with this configuration.
    pub(super) fn client<T: FromClientConfigAndContext<Observer>>(
        &self,
        connector: &str,
        config: &ClientConfig,
    ) -> Result<(T, Observer), ConnectorError> {
        let observer = Observer::default();
        let created = config.create_with_context(observer.clone());
        Ok((created.map_err(|error| self.misconfigured(connector, &error))?, observer))
    }

    pub(super) fn misconfigured(&self, connector: &str, error: &KafkaError) -> ConnectorError {
        let message = match error {
            KafkaError::ClientConfig(_, why, name, _) => {
                format!("the property {name:?} of rdkafka_settings is refused: {why}")
            }
            KafkaError::ClientCreation(why) => format!("the rdkafka_settings do not fit together: {why}"),
            other => format!("the client cannot be made: {other}"),
        };
        ConnectorError::new(connector, FailureClass::Value, message)
    }
}

/// Remembers what the client library says about its connections.
#[derive(Clone, Debug, Default)]
pub(super) struct Observer {
    trouble: Arc<Mutex<Option<String>>>,
}

impl Observer {
    /// The last trouble, to be told with a failure.
    pub(super) fn trouble(&self) -> String {
        let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        trouble.as_ref().map_or(String::new(), |text| format!(" ({text})"))
    }

    fn note(&self, text: &str) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(text.to_owned());
    }
}

impl ClientContext for Observer {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        let level = match level {
            RDKafkaLogLevel::Emerg
            | RDKafkaLogLevel::Alert
            | RDKafkaLogLevel::Critical
            | RDKafkaLogLevel::Error
            | RDKafkaLogLevel::Warning => log::Level::Warn,
            RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info => log::Level::Info,
            RDKafkaLogLevel::Debug => log::Level::Debug,
        };
        log::log!(level, "kafka: {facility}: {text}");
    }

    fn error(&self, _error: KafkaError, reason: &str) {
        log::info!("kafka: {reason}");
        self.note(reason);
    }
}

impl ConsumerContext for Observer {}

/// The numbers of the partitions of a topic.
pub(super) fn partitions<C: ClientContext>(
    client: &Client<C>,
    topic: &str,
    patience: Duration,
) -> Result<Vec<i32>, KafkaError> {
    let deadline = Instant::now() + patience;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let metadata = client.fetch_metadata(Some(topic), left.max(Duration::from_millis(100)))?;
        let found = metadata.topics().iter().find(|found| found.name() == topic);
        let error = found.and_then(|found| found.error()).map(RDKafkaErrorCode::from);
        match (found, error) {
            (Some(found), None) if !found.partitions().is_empty() => {
                let mut numbers: Vec<i32> = found.partitions().iter().map(|part| part.id()).collect();
                numbers.sort_unstable();
                return Ok(numbers);
            }
            // A topic that was made a moment ago.
            (_, Some(RDKafkaErrorCode::LeaderNotAvailable)) if !left.is_zero() => {
                std::thread::sleep(Duration::from_millis(100));
            }
            (_, error) => {
                let code = error.unwrap_or(RDKafkaErrorCode::UnknownTopicOrPartition);
                return Err(KafkaError::MetadataFetch(code));
            }
        }
    }
}

/// Passes by itself: the client library connects again.
pub(super) fn is_passing(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::AllBrokersDown
            | RDKafkaErrorCode::BrokerTransportFailure
            | RDKafkaErrorCode::Resolve
            | RDKafkaErrorCode::OperationTimedOut
            | RDKafkaErrorCode::RequestTimedOut
            | RDKafkaErrorCode::LeaderNotAvailable
            | RDKafkaErrorCode::NotLeaderForPartition
            | RDKafkaErrorCode::NetworkException
            | RDKafkaErrorCode::CoordinatorNotAvailable
            | RDKafkaErrorCode::CoordinatorLoadInProgress
            | RDKafkaErrorCode::NotCoordinator
            | RDKafkaErrorCode::FencedLeaderEpoch
            | RDKafkaErrorCode::UnknownLeaderEpoch
            | RDKafkaErrorCode::OffsetNotAvailable
            | RDKafkaErrorCode::KafkaStorageError
    )
}

/// Asks the brokers something, again and again while they say what passes by itself: at most this long, which
/// is what the question is told.
pub(super) fn ask<T>(
    patience: Duration,
    question: impl Fn(Duration) -> Result<T, KafkaError>,
) -> Result<T, KafkaError> {
    let deadline = Instant::now() + patience;
    loop {
        let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(100));
        match question(left) {
            Err(error) if error.rdkafka_error_code().is_some_and(is_passing) && Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(100));
            }
            answer => return answer,
        }
    }
}

/// A failure while `doing` something with a topic.
pub(super) fn failure(
    connector: &str,
    doing: &str,
    topic: &str,
    brokers: &str,
    error: &KafkaError,
    observer: &Observer,
) -> ConnectorError {
    let code = error.rdkafka_error_code();
    let message = match code {
        Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => {
            format!("cannot {doing} topic {topic:?}: the brokers at {brokers} have no such topic")
        }
        Some(RDKafkaErrorCode::TopicAuthorizationFailed) => {
            format!("cannot {doing} topic {topic:?}: the brokers at {brokers} do not allow it")
        }
        Some(code) if is_passing(code) => format!(
            "cannot {doing} topic {topic:?}: the brokers at {brokers} do not answer{}",
            observer.trouble()
        ),
        Some(code) => format!("cannot {doing} topic {topic:?}: {code}{}", observer.trouble()),
        None => format!("cannot {doing} topic {topic:?}: {error}{}", observer.trouble()),
    };
    ConnectorError::new(connector, FailureClass::Os, message)
}
