//! A connection that speaks PostgreSQL's protocol: queries, copies both ways, replication.
//!
//! Blocking, in the thread of its user. Queries are simple ones: values are quoted into their text, and
//! their rows come as text.

use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use fallible_iterator::FallibleIterator as _;
use pathway_io::{ConnectorError, FailureClass};
use postgres_protocol::authentication::{md5_hash, sasl};
use postgres_protocol::message::backend::{ErrorFields, Message};
use postgres_protocol::message::frontend;

use super::settings::{Host, PostgresSettings, SslMode};
use super::stream::Stream;

/// Bytes that are read at once.
const READ: usize = 256 << 10;
/// How long a connection that was lost is tried again, and how long to wait between.
const PATIENCE: Duration = Duration::from_secs(60);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// What texts of values look like, whatever the server's or the database's settings are.
const FORMS: &str = "SET datestyle TO 'ISO, YMD'; SET timezone TO 'UTC'; SET intervalstyle TO 'postgres'; \
                     SET extra_float_digits TO 3; SET bytea_output TO 'hex'; SET statement_timeout TO 0; \
                     SET idle_in_transaction_session_timeout TO 0";

/// What the server says about a statement that failed.
#[derive(Clone, Debug, Default)]
pub(super) struct ServerError {
    pub(super) code: String,
    pub(super) message: String,
    pub(super) detail: Option<String>,
    pub(super) hint: Option<String>,
    /// Where in a copy: table, line, column.
    pub(super) place: Option<String>,
}

impl ServerError {
    /// True if the same may work a little later: connections, resources, shutting down or starting up, deadlocks and
    /// conflicts.
    pub(super) fn is_passing(&self) -> bool {
        let code = self.code.as_str();
        code.starts_with("08") || matches!(code, "57P01" | "57P02" | "57P03" | "53300" | "40001" | "40P01")
    }

    /// True if somebody else has made what was to be made, at the same moment.
    pub(super) fn is_made_meanwhile(&self) -> bool {
        matches!(self.code.as_str(), "23505" | "42P07" | "42710")
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (SQLSTATE {})", self.message, self.code)?;
        for part in [&self.detail, &self.hint, &self.place].into_iter().flatten() {
            write!(f, "; {}", part.lines().next().unwrap_or_default())?;
        }
        Ok(())
    }
}

/// Why something did not work.
#[derive(Debug)]
pub(super) enum PgError {
    /// The connection could not be made or is gone.
    Lost(String),
    /// The server refuses.
    Server(Box<ServerError>),
    /// The settings or the data make it impossible.
    Other(ConnectorError),
}

impl PgError {
    fn protocol(text: impl Into<String>) -> Self {
        PgError::Lost(text.into())
    }

    /// The SQLSTATE, if the server has answered.
    pub(super) fn code(&self) -> &str {
        match self {
            PgError::Server(error) => &error.code,
            _ => "",
        }
    }

    /// True if the same may work a little later.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            PgError::Lost(_) => true,
            PgError::Other(_) => false,
            PgError::Server(error) => error.is_passing(),
        }
    }

    /// The failure of `connector`, which ends the run.
    pub(super) fn into_failure(self, connector: &str, doing: &str) -> ConnectorError {
        match self {
            PgError::Lost(text) => {
                ConnectorError::new(connector, FailureClass::Os, format!("{doing}: {text}"))
            }
            PgError::Server(error) => {
                ConnectorError::new(connector, FailureClass::Engine, format!("{doing}: {error}"))
            }
            PgError::Other(error) => error,
        }
    }
}

impl fmt::Display for PgError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PgError::Lost(text) => f.write_str(text),
            PgError::Server(error) => error.fmt(f),
            PgError::Other(error) => error.fmt(f),
        }
    }
}

impl From<io::Error> for PgError {
    fn from(error: io::Error) -> Self {
        PgError::Lost(error.to_string())
    }
}

impl From<ConnectorError> for PgError {
    fn from(error: ConnectorError) -> Self {
        PgError::Other(error)
    }
}

fn server_error(mut fields: ErrorFields<'_>) -> PgError {
    let mut error = ServerError::default();
    while let Ok(Some(field)) = fields.next() {
        let text = String::from_utf8_lossy(field.value_bytes()).into_owned();
        match field.type_() {
            b'C' => error.code = text,
            b'M' => error.message = text,
            b'D' => error.detail = Some(text),
            b'H' => error.hint = Some(text),
            b'W' if text.starts_with("COPY") => error.place = Some(text),
            _ => {}
        }
    }
    PgError::Server(Box::new(error))
}

/// A row of a query.
pub(super) type Row = Vec<Option<String>>;

/// A message as it comes.
struct Frame {
    tag: u8,
    /// With tag and length.
    bytes: BytesMut,
}

/// A connection.
pub(super) struct Client {
    stream: Stream,
    input: BytesMut,
    chunk: Vec<u8>,
    output: BytesMut,
    /// The version as the server counts: 150004.
    pub(super) version: u32,
}

impl Client {
    /// Connects to the first host that lets us in.
    pub(super) fn connect(settings: &PostgresSettings, replication: bool) -> Result<Client, PgError> {
        let mut failed = None;
        for host in &settings.hosts {
            match Client::connect_to(settings, host, replication) {
                Ok(client) => return Ok(client),
                Err(PgError::Other(error)) => return Err(PgError::Other(error)),
                Err(error) => failed = Some(failed.unwrap_or(error)),
            }
        }
        Err(failed.unwrap_or_else(|| PgError::protocol("there is no host to connect to")))
    }

    /// Connects again after a connection was lost, as soon as the server is back.
    pub(super) fn reconnect(
        settings: &PostgresSettings,
        replication: bool,
        connector: &str,
        mut wait: impl FnMut(Duration) -> bool,
    ) -> Result<Option<Client>, PgError> {
        let (begin, mut pause) = (Instant::now(), FIRST_PAUSE);
        loop {
            match Client::connect(settings, replication) {
                Ok(client) => return Ok(Some(client)),
                Err(error) if error.is_passing() && begin.elapsed() < PATIENCE => {
                    log::warn!("{connector}: {}: {error}; it is tried again", settings.place());
                }
                Err(error) => return Err(error),
            }
            if !wait(pause) {
                return Ok(None);
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn connect_to(settings: &PostgresSettings, host: &Host, replication: bool) -> Result<Client, PgError> {
        let is_socket = host.name.starts_with('/');
        let attempt = |encrypted| {
            let stream = Stream::open(settings, host, encrypted)?;
            Client::start(settings, host, stream, replication)
        };
        let refused = |error: &PgError| error.code().starts_with("28");
        let client = match settings.ssl_mode {
            _ if is_socket => attempt(false),
            SslMode::Disable => attempt(false),
            SslMode::Allow => match attempt(false) {
                Err(error) if refused(&error) => attempt(true).map_err(|_| error),
                result => result,
            },
            SslMode::Prefer => match Stream::open(settings, host, true) {
                Ok(stream) => match Client::start(settings, host, stream, replication) {
                    Err(error) if refused(&error) => attempt(false).map_err(|_| error),
                    result => result,
                },
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Err(error.into()),
                Err(_) => attempt(false),
            },
            SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => attempt(true),
        };
        let client = client.map_err(|error| match error {
            PgError::Lost(text) => PgError::Lost(format!("{host}: {text}")),
            other => other,
        })?;
        client.stream.set_read_timeout(None)?;
        Ok(client)
    }

    fn start(
        settings: &PostgresSettings,
        host: &Host,
        stream: Stream,
        replication: bool,
    ) -> Result<Client, PgError> {
        let mut client = Client {
            stream,
            input: BytesMut::new(),
            chunk: vec![0; READ],
            output: BytesMut::new(),
            version: 0,
        };
        let mut parameters = vec![
            ("user", settings.user.as_str()),
            ("database", settings.database.as_str()),
            ("client_encoding", "UTF8"),
            ("application_name", settings.application_name.as_str()),
        ];
        parameters.extend(settings.options.as_deref().map(|options| ("options", options)));
        if replication {
            parameters.push(("replication", "database"));
        }
        frontend::startup_message(parameters, &mut client.output)?;
        client.send()?;
        client.authenticate(settings, host)?;
        loop {
            match client.message()? {
                Message::ParameterStatus(body) if body.name()? == "server_version" => {
                    client.version = version_number(body.value()?);
                }
                Message::ReadyForQuery(_) => break,
                Message::ErrorResponse(body) => return Err(server_error(body.fields())),
                _ => {}
            }
        }
        client.query(FORMS)?;
        if settings.wants_primary
            && client.value("SELECT pg_catalog.pg_is_in_recovery()")? == Some("t".to_owned())
        {
            return Err(PgError::protocol(
                "the server is a standby, and target_session_attrs asks for another one",
            ));
        }
        Ok(client)
    }

    fn authenticate(&mut self, settings: &PostgresSettings, host: &Host) -> Result<(), PgError> {
        let password = || {
            settings.password_for(host)?.ok_or_else(|| {
                PgError::Lost(format!(
                    "the server asks for the password of user {:?}, and none is given",
                    settings.user
                ))
            })
        };
        let binding_missing = settings.demands_channel_binding;
        let unbound = || Err(PgError::protocol("channel_binding=require, and the server does not offer it"));
        loop {
            match self.message()? {
                Message::AuthenticationOk if binding_missing => return unbound(),
                Message::AuthenticationOk => return Ok(()),
                Message::AuthenticationCleartextPassword if binding_missing => return unbound(),
                Message::AuthenticationCleartextPassword => {
                    frontend::password_message(password()?.as_bytes(), &mut self.output)?;
                    self.send()?;
                }
                Message::AuthenticationMd5Password(_) if binding_missing => return unbound(),
                Message::AuthenticationMd5Password(body) => {
                    let hash = md5_hash(settings.user.as_bytes(), password()?.as_bytes(), body.salt());
                    frontend::password_message(hash.as_bytes(), &mut self.output)?;
                    self.send()?;
                }
                Message::AuthenticationSasl(body) => {
                    let mechanisms: Vec<String> =
                        body.mechanisms().map(|name| Ok(name.to_owned())).collect()?;
                    return self.exchange(&mechanisms, &password()?, binding_missing);
                }
                Message::ErrorResponse(body) => return Err(server_error(body.fields())),
                Message::NoticeResponse(_) => {}
                _ => {
                    return Err(PgError::protocol(
                        "the server asks for an authentication that is not supported",
                    ));
                }
            }
        }
    }

    /// SCRAM.
    fn exchange(
        &mut self,
        mechanisms: &[String],
        password: &str,
        demands_binding: bool,
    ) -> Result<(), PgError> {
        let offers = |name: &str| mechanisms.iter().any(|mechanism| mechanism == name);
        let (name, binding) = match self.stream.end_point() {
            Some(digest) if offers(sasl::SCRAM_SHA_256_PLUS) => {
                (sasl::SCRAM_SHA_256_PLUS, sasl::ChannelBinding::tls_server_end_point(digest))
            }
            _ if demands_binding => {
                return Err(PgError::protocol("channel_binding=require, and the server does not offer it"));
            }
            _ if !offers(sasl::SCRAM_SHA_256) => {
                return Err(PgError::protocol("the server asks for an authentication that is not supported"));
            }
            Some(_) => (sasl::SCRAM_SHA_256, sasl::ChannelBinding::unrequested()),
            None => (sasl::SCRAM_SHA_256, sasl::ChannelBinding::unsupported()),
        };
        let mut scram = sasl::ScramSha256::new(password.as_bytes(), binding);
        frontend::sasl_initial_response(name, scram.message(), &mut self.output)?;
        self.send()?;
        loop {
            match self.message()? {
                Message::AuthenticationSaslContinue(body) => {
                    scram.update(body.data())?;
                    frontend::sasl_response(scram.message(), &mut self.output)?;
                    self.send()?;
                }
                Message::AuthenticationSaslFinal(body) => scram.finish(body.data())?,
                Message::AuthenticationOk => return Ok(()),
                Message::ErrorResponse(body) => return Err(server_error(body.fields())),
                _ => return Err(PgError::protocol("the server breaks off the exchange about the password")),
            }
        }
    }

    // --- messages ---------------------------------------------------------------------------------------

    fn send(&mut self) -> Result<(), PgError> {
        let output = self.output.split();
        self.stream.write_all(&output)?;
        Ok(self.stream.flush()?)
    }

    /// Reads more; false if nothing came in time.
    fn fill(&mut self) -> Result<bool, PgError> {
        let before = self.input.len();
        loop {
            let had = self.input.len() - before;
            if had >= READ || had > 0 && !self.stream.has_more() {
                return Ok(true);
            }
            match self.stream.read(&mut self.chunk) {
                Ok(read) if read > 0 => self.input.extend_from_slice(&self.chunk[..read]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // What has come tells more than how it ends, which the next read finds out again.
                _ if had > 0 => return Ok(true),
                Ok(_) => return Err(PgError::protocol("the server has closed the connection")),
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                    return Ok(false);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The length of the first message, with its head, if it is there as a whole.
    fn whole(&self) -> Result<Option<usize>, PgError> {
        let Some(head) = self.input.get(1..5) else { return Ok(None) };
        let length = head.iter().fold(0usize, |length, byte| length << 8 | usize::from(*byte)) + 1;
        if length < 5 {
            return Err(PgError::protocol("the server sends what is no message"));
        }
        Ok((self.input.len() >= length).then_some(length))
    }

    /// The next message as it comes; none if nothing came in time.
    fn frame(&mut self) -> Result<Option<Frame>, PgError> {
        loop {
            if let Some(length) = self.whole()? {
                let bytes = self.input.split_to(length);
                return Ok(Some(Frame { tag: bytes[0], bytes }));
            }
            if !self.fill()? {
                return Ok(None);
            }
        }
    }

    /// The next message that is an answer.
    fn message(&mut self) -> Result<Message, PgError> {
        loop {
            let Some(mut frame) = self.frame()? else {
                return Err(PgError::protocol("the server does not answer in time"));
            };
            let message = Message::parse(&mut frame.bytes)?;
            match message.ok_or_else(|| PgError::protocol("the server sends what is no message"))? {
                Message::NoticeResponse(body) => {
                    if let PgError::Server(notice) = server_error(body.fields()) {
                        log::debug!("postgres: {notice}");
                    }
                }
                message => return Ok(message),
            }
        }
    }

    /// Reads up to the end of what was asked for; gives the error that came in between, if any.
    fn finish(&mut self, mut row: impl FnMut(Row)) -> Result<(), PgError> {
        let mut failed = None;
        loop {
            match self.message()? {
                Message::ReadyForQuery(_) => return failed.map_or(Ok(()), Err),
                Message::ErrorResponse(body) => failed = failed.or(Some(server_error(body.fields()))),
                Message::DataRow(body) => {
                    let buffer = body.buffer();
                    let cell = |range: Option<std::ops::Range<usize>>| {
                        Ok(range.map(|range| String::from_utf8_lossy(&buffer[range]).into_owned()))
                    };
                    row(body.ranges().map(cell).collect()?);
                }
                _ => {}
            }
        }
    }

    // --- queries ----------------------------------------------------------------------------------------

    /// The rows of some statements.
    pub(super) fn query(&mut self, sql: &str) -> Result<Vec<Row>, PgError> {
        frontend::query(sql, &mut self.output)?;
        self.send()?;
        let mut rows = Vec::new();
        self.finish(|row| rows.push(row))?;
        Ok(rows)
    }

    /// The first cell of the first row.
    pub(super) fn value(&mut self, sql: &str) -> Result<Option<String>, PgError> {
        Ok(self.query(sql)?.into_iter().next().and_then(|row| row.into_iter().next()).flatten())
    }

    // --- copies -----------------------------------------------------------------------------------------

    /// Starts a copy, as the last of some statements: waits for the message that says so.
    fn begin_copy(&mut self, sql: &str, tag: u8) -> Result<(), PgError> {
        frontend::query(sql, &mut self.output)?;
        self.send()?;
        loop {
            let Some(mut frame) = self.frame()? else {
                return Err(PgError::protocol("the server does not answer in time"));
            };
            if frame.tag == tag {
                return Ok(());
            }
            match Message::parse(&mut frame.bytes)? {
                Some(Message::ErrorResponse(body)) => {
                    let error = server_error(body.fields());
                    self.finish(|_| ())?;
                    return Err(error);
                }
                Some(Message::ReadyForQuery(_)) => {
                    return Err(PgError::protocol("the server copies nothing"));
                }
                _ => {}
            }
        }
    }

    /// Starts a copy to the server.
    pub(super) fn copy_in(&mut self, sql: &str) -> Result<(), PgError> {
        self.begin_copy(sql, b'G')
    }

    /// Sends a part of a copy.
    pub(super) fn copy_data(&mut self, bytes: &[u8]) -> Result<(), PgError> {
        let length =
            u32::try_from(bytes.len() + 4).map_err(|_| PgError::protocol("a message is too long"))?;
        let [a, b, c, d] = length.to_be_bytes();
        self.stream.write_all(&[b'd', a, b, c, d])?;
        self.stream.write_all(bytes)?;
        Ok(())
    }

    /// Ends a copy to the server.
    pub(super) fn copy_done(&mut self) -> Result<(), PgError> {
        frontend::copy_done(&mut self.output);
        self.send()?;
        self.finish(|_| ())
    }

    /// Starts a copy from the server.
    pub(super) fn copy_out(&mut self, sql: &str) -> Result<(), PgError> {
        self.begin_copy(sql, b'H')
    }

    /// Appends parts of a copy until there are so many bytes; false at the end.
    pub(super) fn copied(&mut self, bytes: &mut Vec<u8>, limit: usize) -> Result<bool, PgError> {
        while bytes.len() < limit {
            match self.whole()? {
                Some(length) if self.input[0] == b'd' => {
                    bytes.extend_from_slice(&self.input[5..length]);
                    bytes::Buf::advance(&mut self.input, length);
                }
                Some(_) => {
                    self.finish(|_| ())?;
                    return Ok(false);
                }
                None => {
                    self.fill()?;
                }
            }
        }
        Ok(true)
    }

    /// Starts a copy in both directions: replication.
    pub(super) fn copy_both(&mut self, sql: &str, read_timeout: Duration) -> Result<(), PgError> {
        self.begin_copy(sql, b'W')?;
        Ok(self.stream.set_read_timeout(Some(read_timeout))?)
    }

    /// True if a message is here already.
    pub(super) fn has_more(&self) -> bool {
        matches!(self.whole(), Ok(Some(_)))
    }

    /// The next message of a replication; none if nothing came in time.
    pub(super) fn replicated(&mut self) -> Result<Option<Bytes>, PgError> {
        loop {
            let Some(mut frame) = self.frame()? else { return Ok(None) };
            if frame.tag == b'd' {
                bytes::Buf::advance(&mut frame.bytes, 5);
                return Ok(Some(frame.bytes.freeze()));
            }
            match Message::parse(&mut frame.bytes)? {
                Some(Message::ErrorResponse(body)) => return Err(server_error(body.fields())),
                Some(Message::CopyDone | Message::ReadyForQuery(_)) => {
                    return Err(PgError::protocol("the server has ended the replication"));
                }
                _ => {}
            }
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.output.clear();
        frontend::terminate(&mut self.output);
        // Who has gone already need not be told.
        let _gone = self.send();
    }
}

/// `15.4 (Debian …)` as 150004.
fn version_number(text: &str) -> u32 {
    let digits = |text: &str| -> u32 {
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        text[..end].parse().unwrap_or(0)
    };
    let mut parts = text.split('.');
    digits(parts.next().unwrap_or_default()) * 10_000 + parts.next().map_or(0, digits)
}
