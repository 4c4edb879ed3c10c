//! Schema registries of Confluent's kind: messages begin with the number of their schema.
//!
//! In front of a payload stand a zero and the schema's number, four bytes, big-endian. What Avro payloads hold is
//! known only by their schemas, which are fetched once each, with those they refer to. The schemas of JSON payloads
//! say nothing that is needed to read them, but a number that the registry does not know, or knows as another kind
//! of schema, is a message that was not meant so.
//!
//! A registry that does not answer, or is in trouble, is asked again until its time is over. Readers do not wait
//! for it when the run ends.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pathway_io::{ConnectorError, FailureClass};
use serde_json::{Value, json};

use crate::formats::avro::WriterSchema;

/// The bytes in front of a payload.
pub(super) const PREFIX: usize = 5;
/// How long a registry may take to answer, unless it is set.
const PATIENCE: Duration = Duration::from_secs(20);
/// The first pause before it is asked again, which is doubled each time, and the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// How often a reader that waits for an answer looks whether the run ends.
const LOOKS: Duration = Duration::from_millis(20);
/// What registries want to be spoken to in.
const MEDIA_TYPE: &str = "application/vnd.schemaregistry.v1+json";

/// What payloads are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayloadKind {
    /// JSON, whose schemas are not looked at.
    Json,
    /// Avro.
    Avro,
}

impl PayloadKind {
    /// As registries have it.
    fn name(self) -> &'static str {
        match self {
            PayloadKind::Json => "JSON",
            PayloadKind::Avro => "AVRO",
        }
    }
}

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
    /// How long it may take until one of the addresses answers.
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
    kind: PayloadKind,
    connector: String,
    agent: ureq::Agent,
    /// Nobody waits for an answer any more.
    is_left: AtomicBool,
}

/// A registry and what is known of its schemas.
pub(super) struct KnownSchemas {
    registry: Arc<Registry>,
    /// How to read messages with them, or why they cannot be read.
    known: HashMap<u32, Result<Reading, String>>,
}

/// How payloads become JSON: not at all, or by this schema.
pub(super) type Reading = Option<Arc<WriterSchema>>;

/// What comes back: the status and the document.
type Answer = (u16, Value);

impl Registry {
    pub(super) fn new(
        settings: RegistrySettings,
        kind: PayloadKind,
        connector: &str,
    ) -> Result<Self, ConnectorError> {
        let proxy = settings.proxy.as_deref().map(ureq::Proxy::new).transpose().map_err(|error| {
            let message = format!("the proxy of the schema registry is no address: {error}");
            ConnectorError::new(connector, FailureClass::Value, message)
        })?;
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(settings.timeout.unwrap_or(PATIENCE)))
            .http_status_as_error(false)
            .proxy(proxy)
            .build();
        let (connector, is_left) = (connector.to_owned(), AtomicBool::new(false));
        Ok(Registry { settings, kind, connector, agent: config.into(), is_left })
    }

    /// The number of the newest schema of a subject.
    pub(super) fn newest(&self, subject: &str) -> Result<u32, ConnectorError> {
        let (status, document) = self.ask(&format!("subjects/{}/versions/latest", escaped(subject)), None)?;
        if status == 404 {
            return Err(self.failure(format!("it has no schema for the subject {subject:?}")));
        }
        if let Some(other) = self.other_kind(&document) {
            let wanted = self.kind.name();
            return Err(
                self.failure(format!("the schema for the subject {subject:?} is {other}, not {wanted}"))
            );
        }
        number_in(&document).ok_or_else(|| self.unexpected(status, &document))
    }

    /// Registers a schema for a subject unless it is there; gives its number.
    pub(super) fn register(&self, subject: &str, schema: &str) -> Result<u32, ConnectorError> {
        // Avro is what registries take a schema for that does not say what it is, old ones without exception.
        let body = json!({ "schema": schema });
        let (status, document) = self.ask(&format!("subjects/{}/versions", escaped(subject)), Some(&body))?;
        match (status, number_in(&document)) {
            (200 | 201, Some(number)) => Ok(number),
            (409 | 422, _) => {
                let why = document.get("message").unwrap_or(&document);
                let message = format!(
                    "the schema registry: the subject {subject:?} does not take the schema of the table: {why}"
                );
                Err(ConnectorError::new(&*self.connector, FailureClass::Value, message))
            }
            _ => Err(self.unexpected(status, &document)),
        }
    }

    fn look_up(&self, number: u32) -> Result<Result<Reading, String>, ConnectorError> {
        let (status, document) = self.ask(&format!("schemas/ids/{number}"), None)?;
        match status {
            200 => {}
            404 => {
                return Ok(Err(format!("the schema registry does not know schema {number} of the message")));
            }
            _ => return Err(self.unexpected(status, &document)),
        }
        if let Some(other) = self.other_kind(&document) {
            let wanted = self.kind.name();
            return Ok(Err(format!("the message has schema {number}, which is {other}, not {wanted}")));
        }
        if self.kind == PayloadKind::Json {
            return Ok(Ok(None));
        }
        let mut texts = Vec::new();
        self.collect(&document, &mut HashSet::new(), &mut texts)?;
        let schema = WriterSchema::parse(&texts).map(|schema| Some(Arc::new(schema)));
        Ok(schema.map_err(|why| format!("the message has schema {number}, which cannot be read: {why}")))
    }

    /// Appends a schema behind those that it refers to.
    fn collect(
        &self,
        document: &Value,
        seen: &mut HashSet<(String, u64)>,
        texts: &mut Vec<String>,
    ) -> Result<(), ConnectorError> {
        for reference in document.get("references").and_then(Value::as_array).into_iter().flatten() {
            let subject = reference.get("subject").and_then(Value::as_str).unwrap_or_default();
            let version = reference.get("version").and_then(Value::as_u64).unwrap_or_default();
            if !seen.insert((subject.to_owned(), version)) {
                continue;
            }
            let path = format!("subjects/{}/versions/{version}", escaped(subject));
            let (status, referred) = self.ask(&path, None)?;
            if status != 200 {
                return Err(self.unexpected(status, &referred));
            }
            self.collect(&referred, seen, texts)?;
        }
        let schema = document.get("schema").and_then(Value::as_str);
        texts.push(schema.ok_or_else(|| self.unexpected(200, document))?.to_owned());
        Ok(())
    }

    /// The kind of a schema, if it is another one.
    fn other_kind<'a>(&self, document: &'a Value) -> Option<&'a str> {
        // Registries leave out the kind of Avro schemas.
        let kind = document.get("schemaType").and_then(Value::as_str).unwrap_or("AVRO");
        (kind != self.kind.name() && document.get("schema").is_some()).then_some(kind)
    }

    /// Asks the addresses one after another, again and again, until one answers or time is over. What is asked
    /// with a body is registered.
    fn ask(&self, path: &str, body: Option<&Value>) -> Result<Answer, ConnectorError> {
        let deadline = Instant::now() + self.settings.timeout.unwrap_or(PATIENCE);
        let mut pause = FIRST_PAUSE;
        loop {
            let mut failures = Vec::new();
            for url in &self.settings.urls {
                match self.ask_once(&format!("{}/{path}", url.trim_end_matches('/')), body) {
                    Ok((status, _)) if status >= 500 || status == 429 => {
                        failures.push(format!("{url}: status {status}"));
                    }
                    Ok(answer) => return Ok(answer),
                    Err(error) => failures.push(format!("{url}: {error}")),
                }
            }
            let failures = failures.join("; ");
            if Instant::now() + pause > deadline || self.is_left.load(Ordering::Relaxed) {
                return Err(self.failure(format!("it does not answer: {failures}")));
            }
            log::warn!(
                "{}: the schema registry does not answer, it is asked again: {failures}",
                self.connector
            );
            std::thread::sleep(pause);
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn ask_once(&self, url: &str, body: Option<&Value>) -> Result<Answer, ureq::Error> {
        let mut response = match body {
            Some(body) => {
                let request = self.introduced(self.agent.post(url)).header("Content-Type", MEDIA_TYPE);
                request.send(body.to_string())?
            }
            None => self.introduced(self.agent.get(url)).call()?,
        };
        let text = response.body_mut().read_to_string()?;
        let document = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Ok((response.status().as_u16(), document))
    }

    /// A request with what lets us in.
    fn introduced<B>(&self, request: ureq::RequestBuilder<B>) -> ureq::RequestBuilder<B> {
        let mut request = request.header("Accept", MEDIA_TYPE);
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
        request
    }

    fn unexpected(&self, status: u16, document: &Value) -> ConnectorError {
        self.failure(format!("it answers with status {status}: {document}"))
    }

    fn failure(&self, what: String) -> ConnectorError {
        ConnectorError::new(&*self.connector, FailureClass::Os, format!("the schema registry: {what}"))
    }
}

impl KnownSchemas {
    pub(super) fn new(registry: Registry) -> Self {
        KnownSchemas { registry: Arc::new(registry), known: HashMap::new() }
    }

    /// How a message that begins so is read, or why it cannot be; nothing if the run ends before that is known.
    pub(super) fn reading(
        &mut self,
        payload: &[u8],
        is_stopped: &dyn Fn() -> bool,
    ) -> Result<Option<Result<&Reading, &str>>, ConnectorError> {
        let Some(number) = number_of(payload) else {
            return Ok(Some(Err("no number of a schema stands in front of the message")));
        };
        if !self.known.contains_key(&number) {
            let Some(found) = self.look_up(number, is_stopped)? else { return Ok(None) };
            self.known.insert(number, found);
        }
        Ok(self.known.get(&number).map(|known| known.as_ref().map_err(String::as_str)))
    }

    /// Asks in a thread of its own, which is left alone if the run ends: it asks no more then.
    fn look_up(
        &self,
        number: u32,
        is_stopped: &dyn Fn() -> bool,
    ) -> Result<Option<Result<Reading, String>>, ConnectorError> {
        let (sender, answer) = sync_channel(1);
        let registry = self.registry.clone();
        let ask = move || {
            // Nobody may be waiting any more.
            let _ = sender.send(registry.look_up(number));
        };
        let thread = std::thread::Builder::new().name("schema registry".to_owned()).spawn(ask);
        thread.map_err(|error| self.registry.failure(format!("no thread to ask it: {error}")))?;
        loop {
            match answer.recv_timeout(LOOKS) {
                Ok(found) => return found.map(Some),
                Err(RecvTimeoutError::Timeout) if is_stopped() => {
                    self.registry.is_left.store(true, Ordering::Relaxed);
                    return Ok(None);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(self.registry.failure("what it answers could not be read".to_owned()));
                }
            }
        }
    }
}

/// The number of a schema in an answer.
fn number_in(document: &Value) -> Option<u32> {
    document.get("id").and_then(Value::as_u64).and_then(|id| id.try_into().ok())
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

/// A part of a path.
fn escaped(part: &str) -> String {
    part.bytes().map(escape).collect()
}

/// A byte of it.
fn escape(byte: u8) -> String {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    }
}
