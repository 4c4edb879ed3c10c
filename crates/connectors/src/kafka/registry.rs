//! Schema registries of Confluent's kind: messages begin with the number of their schema.
//!
//! In front of a payload stand a zero and the schema's number, four bytes, big-endian. The payloads themselves
//! are JSON: their schemas say nothing that is needed to read them, but a number that the registry does not
//! know, or knows as another kind of schema, is a message that was not meant so.

use std::collections::HashMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pathway_io::{ConnectorError, FailureClass};
use serde_json::Value;

/// The bytes in front of a payload.
pub(super) const PREFIX: usize = 5;
/// How long a registry may take to answer, unless it is set.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where the registry is, and how to be let in.
#[derive(Clone, Default, PartialEq)]
pub struct RegistrySettings {
    /// Addresses of one registry, which are tried one after another.
    pub urls: Vec<String>,
    /// A token for `Authorization: Bearer`.
    pub token: Option<String>,
    /// A name and perhaps a password for `Authorization: Basic`.
    pub user: Option<(String, Option<String>)>,
    /// Headers of every request.
    pub headers: Vec<(String, String)>,
    /// The address of a proxy.
    pub proxy: Option<String>,
    /// How long a request may take.
    pub timeout: Option<Duration>,
}

impl std::fmt::Debug for RegistrySettings {
    /// Without secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RegistrySettings").field("urls", &self.urls).finish_non_exhaustive()
    }
}

/// A registry that is asked.
pub(super) struct Registry {
    settings: RegistrySettings,
    connector: String,
    agent: ureq::Agent,
    /// What is known of schemas: nothing if messages with them can be read, else why not.
    known: HashMap<u32, Option<String>>,
}

/// What comes back: the status and the document.
type Answer = (u16, Value);

impl Registry {
    pub(super) fn new(settings: RegistrySettings, connector: &str) -> Result<Self, ConnectorError> {
        let proxy = settings.proxy.as_deref().map(ureq::Proxy::new).transpose().map_err(|error| {
            let message = format!("the proxy of the schema registry is no address: {error}");
            ConnectorError::new(connector, FailureClass::Value, message)
        })?;
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(settings.timeout.unwrap_or(PATIENCE)))
            .http_status_as_error(false)
            .proxy(proxy)
            .build();
        let (connector, known) = (connector.to_owned(), HashMap::new());
        Ok(Registry { settings, connector, agent: config.into(), known })
    }

    /// The number of the newest schema of a subject.
    pub(super) fn newest(&self, subject: &str) -> Result<u32, ConnectorError> {
        let escaped: String = subject.bytes().map(escape).collect();
        let (status, document) = self.get(&format!("subjects/{escaped}/versions/latest"))?;
        if status == 404 {
            return Err(self.failure(format!("it has no schema for the subject {subject:?}")));
        }
        if let Some(other) = other_kind(&document) {
            return Err(self.failure(format!("the schema for the subject {subject:?} is {other}, not JSON")));
        }
        let number = document.get("id").and_then(Value::as_u64).and_then(|id| id.try_into().ok());
        number.ok_or_else(|| self.failure(format!("it answers with status {status}: {document}")))
    }

    /// What is wrong with a message that begins so, if anything is.
    pub(super) fn fault(&mut self, payload: &[u8]) -> Result<Option<&str>, ConnectorError> {
        let Some(number) = number_of(payload) else {
            return Ok(Some("no number of a schema stands in front of the message"));
        };
        if !self.known.contains_key(&number) {
            let fault = self.look_up(number)?;
            self.known.insert(number, fault);
        }
        Ok(self.known.get(&number).and_then(Option::as_deref))
    }

    fn look_up(&self, number: u32) -> Result<Option<String>, ConnectorError> {
        let (status, document) = self.get(&format!("schemas/ids/{number}"))?;
        match status {
            200 => Ok(other_kind(&document)
                .map(|kind| format!("the message has schema {number}, which is {kind}, not JSON"))),
            404 => Ok(Some(format!("the schema registry does not know schema {number} of the message"))),
            _ => Err(self.failure(format!("it answers with status {status}: {document}"))),
        }
    }

    /// Asks the addresses one after another until one answers.
    fn get(&self, path: &str) -> Result<Answer, ConnectorError> {
        let mut failures = Vec::new();
        for url in &self.settings.urls {
            match self.ask(&format!("{}/{path}", url.trim_end_matches('/'))) {
                Ok((status, _)) if status >= 500 => failures.push(format!("{url}: status {status}")),
                Ok(answer) => return Ok(answer),
                Err(error) => failures.push(format!("{url}: {error}")),
            }
        }
        Err(self.failure(format!("it does not answer: {}", failures.join("; "))))
    }

    fn ask(&self, url: &str) -> Result<Answer, ureq::Error> {
        let mut request = self.agent.get(url).header("Accept", "application/vnd.schemaregistry.v1+json");
        if let Some(token) = &self.settings.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        if let Some((name, password)) = &self.settings.user {
            let secret = STANDARD.encode(format!("{name}:{}", password.as_deref().unwrap_or_default()));
            request = request.header("Authorization", format!("Basic {secret}"));
        }
        for (name, value) in &self.settings.headers {
            request = request.header(name, value);
        }
        let mut response = request.call()?;
        let text = response.body_mut().read_to_string()?;
        let document = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Ok((response.status().as_u16(), document))
    }

    fn failure(&self, what: String) -> ConnectorError {
        ConnectorError::new(&*self.connector, FailureClass::Os, format!("the schema registry: {what}"))
    }
}

/// The kind of a schema that is not JSON.
fn other_kind(document: &Value) -> Option<&str> {
    // Registries leave out the kind of Avro schemas.
    let kind = document.get("schemaType").and_then(Value::as_str).unwrap_or("AVRO");
    (kind != "JSON" && document.get("schema").is_some()).then_some(kind)
}

/// The number of a message's schema.
fn number_of(payload: &[u8]) -> Option<u32> {
    let [0, number @ ..] = payload.get(..PREFIX)? else { return None };
    number.try_into().ok().map(u32::from_be_bytes)
}

/// What stands in front of payloads with this schema.
pub(super) fn prefix(number: u32) -> [u8; PREFIX] {
    let [a, b, c, d] = number.to_be_bytes();
    [0, a, b, c, d]
}

/// A byte of a path.
fn escape(byte: u8) -> String {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    }
}
