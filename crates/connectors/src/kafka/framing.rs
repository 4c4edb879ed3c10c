//! What stands in front of the messages that are written.

use std::collections::HashMap;

use pathway_io::ConnectorError;

use super::encode::Payload;
use super::registry::{PREFIX, PayloadKind, Registry, RegistrySettings, prefix};
use super::sink::Subject;

/// Numbers of schemas, by topic.
pub(super) struct Framing {
    registry: Registry,
    subject: Subject,
    /// Of the only topic, or of the only subject.
    only: Option<[u8; PREFIX]>,
    by_topic: HashMap<String, [u8; PREFIX]>,
}

impl Framing {
    /// Asks the registry for what is known already: the only topic, or the only subject.
    pub(super) fn new(
        settings: RegistrySettings,
        subject: Subject,
        payload: &Payload,
        topic: Option<&str>,
        connector: &str,
    ) -> Result<Self, ConnectorError> {
        let kind = match payload {
            Payload::Avro(_) => PayloadKind::Avro,
            _ => PayloadKind::Json,
        };
        let registry = Registry::new(settings, kind, connector)?;
        let mut framing = Framing { registry, subject, only: None, by_topic: HashMap::new() };
        framing.only = match (&framing.subject, topic) {
            (Subject::OfTopic, None) => None,
            (_, topic) => Some(framing.ask(payload, topic.unwrap_or_default())?),
        };
        Ok(framing)
    }

    /// What stands in front of the messages of a topic.
    pub(super) fn prefix(&mut self, payload: &Payload, topic: &str) -> Result<[u8; PREFIX], ConnectorError> {
        if let Some(only) = self.only {
            return Ok(only);
        }
        if let Some(known) = self.by_topic.get(topic) {
            return Ok(*known);
        }
        let found = self.ask(payload, topic)?;
        self.by_topic.insert(topic.to_owned(), found);
        Ok(found)
    }

    fn ask(&self, payload: &Payload, topic: &str) -> Result<[u8; PREFIX], ConnectorError> {
        let subject = match &self.subject {
            Subject::Named(subject) => subject.clone(),
            Subject::OfTopic => format!("{topic}-value"),
        };
        let number = match payload {
            Payload::Avro(encoder) => {
                let name = subject.strip_suffix("-value").unwrap_or(&subject);
                self.registry.register(&subject, &encoder.schema(name))?
            }
            _ => self.registry.newest(&subject)?,
        };
        Ok(prefix(number))
    }
}
