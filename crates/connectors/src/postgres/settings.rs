//! Where a server is and how to talk to it, in libpq's keywords.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use pathway_io::ConnectorError;

use crate::formats::invalid;

/// A password that is asked for when it is needed: tokens that expire.
pub trait Secret: fmt::Debug + Send + Sync {
    /// The password that is valid now.
    ///
    /// # Errors
    /// If there is none.
    fn secret(&self) -> Result<String, ConnectorError>;
}

/// Where the password comes from.
#[derive(Clone)]
pub enum Password {
    /// From `PGPASSWORD` or the password file, if anywhere.
    Unset,
    /// It is this.
    Fixed(String),
    /// It is asked for before each connection is made.
    Asked(Arc<dyn Secret>),
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Password::Unset => "Unset",
            Password::Fixed(_) => "Fixed(…)",
            Password::Asked(_) => "Asked(…)",
        })
    }
}

/// How much is asked of an encrypted connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SslMode {
    /// Never encrypted.
    Disable,
    /// Encrypted if the server insists.
    Allow,
    /// Encrypted if the server can.
    Prefer,
    /// Encrypted.
    Require,
    /// Encrypted, with a certificate of a known authority.
    VerifyCa,
    /// Encrypted, with a certificate of a known authority for this host.
    VerifyFull,
}

impl SslMode {
    fn parse(text: &str) -> Option<Self> {
        Some(match text.to_ascii_lowercase().replace('_', "-").as_str() {
            "disable" => SslMode::Disable,
            "allow" => SslMode::Allow,
            "prefer" => SslMode::Prefer,
            "require" => SslMode::Require,
            "verify-ca" => SslMode::VerifyCa,
            "verify-full" => SslMode::VerifyFull,
            _ => return None,
        })
    }
}

/// One of the servers that may be talked to.
#[derive(Clone, Debug)]
pub(super) struct Host {
    /// A name or an address; a folder with a socket if it begins with a slash.
    pub(super) name: String,
    /// The address, if it is not looked up.
    pub(super) address: Option<String>,
    pub(super) port: u16,
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.name, self.port)
    }
}

/// How a connection that is silent is looked after.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeepAlive {
    pub(super) is_on: bool,
    pub(super) idle_s: u32,
    pub(super) interval_s: u32,
    pub(super) count: u32,
    pub(super) user_timeout_ms: u32,
}

/// Where a server is and how to talk to it.
#[derive(Clone, Debug)]
pub struct PostgresSettings {
    pub(super) hosts: Vec<Host>,
    pub(super) user: String,
    pub(super) database: String,
    pub(super) password: Password,
    passfile: Option<PathBuf>,
    pub(super) application_name: String,
    pub(super) options: Option<String>,
    pub(super) connect_timeout: Option<Duration>,
    pub(super) keep_alive: KeepAlive,
    pub(super) ssl_mode: SslMode,
    pub(super) root_certificate: Option<PathBuf>,
    pub(super) certificate: Option<PathBuf>,
    pub(super) key: Option<PathBuf>,
    /// Only servers that can be written to.
    pub(super) wants_primary: bool,
    pub(super) demands_channel_binding: bool,
}

/// Keywords that have no effect here, with the values that ask for nothing else.
const WITHOUT_EFFECT: [(&str, &[&str]); 5] = [
    ("client_encoding", &["utf8", "utf-8", "auto"]),
    ("gssencmode", &["disable", "prefer"]),
    ("sslnegotiation", &["postgres"]),
    ("sslcompression", &["0"]),
    ("load_balance_hosts", &["disable"]),
];

/// Takes keywords out of the settings.
struct Keywords<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Keywords<'a> {
    /// The last value of a keyword, if it is not empty.
    fn take(&mut self, keyword: &str) -> Option<&'a str> {
        let found = self.0.iter().rev().find(|(name, _)| *name == keyword).map(|(_, value)| *value);
        self.0.retain(|(name, _)| *name != keyword);
        found.filter(|value| !value.is_empty())
    }

    /// The value of a keyword, or of the environment.
    fn take_or_environment(&mut self, keyword: &str, variable: &str) -> Option<String> {
        let from_environment = || std::env::var(variable).ok().filter(|value| !value.is_empty());
        self.take(keyword).map(str::to_owned).or_else(from_environment)
    }

    fn number(&mut self, keyword: &str, otherwise: u32) -> Result<u32, ConnectorError> {
        match self.take(keyword) {
            None => Ok(otherwise),
            // Negative numbers stand for none.
            Some(text) => match text.trim().parse::<i64>() {
                Ok(number) => Ok(number.clamp(0, i64::from(u32::MAX)) as u32),
                Err(_) => Err(refused(format!("{keyword} has to be a whole number, not {text:?}"))),
            },
        }
    }

    fn file(&mut self, keyword: &str, variable: &str) -> Result<Option<PathBuf>, ConnectorError> {
        let Some(path) = self.take_or_environment(keyword, variable).map(PathBuf::from) else {
            return Ok(None);
        };
        let wrong = match std::fs::metadata(&path) {
            Err(_) => Some("does not exist".to_owned()),
            Ok(found) if !found.is_file() => Some("is no file".to_owned()),
            Ok(_) => std::fs::File::open(&path).err().map(|error| format!("cannot be read: {error}")),
        };
        match wrong {
            None => Ok(Some(path)),
            Some(wrong) => Err(refused(format!("{keyword}: {} {wrong}", path.display()))),
        }
    }
}

pub(super) fn refused(message: impl Into<String>) -> ConnectorError {
    invalid("postgres", message)
}

impl PostgresSettings {
    /// Settings from libpq's keywords; `name` is that of the connector.
    ///
    /// # Errors
    /// If a keyword is unknown, or has a value that it cannot have.
    pub fn new(
        pairs: &[(String, String)],
        password: Password,
        name: Option<&str>,
    ) -> Result<Self, ConnectorError> {
        let mut keywords = Keywords(pairs.iter().map(|(name, value)| (&**name, &**value)).collect());
        let hosts = hosts(&mut keywords)?;
        let user = keywords
            .take_or_environment("user", "PGUSER")
            .or_else(|| std::env::var("USER").ok())
            .unwrap_or_else(|| "postgres".to_owned());
        let database = keywords.take_or_environment("dbname", "PGDATABASE").unwrap_or_else(|| user.clone());
        let password = match (password, keywords.take_or_environment("password", "PGPASSWORD")) {
            (Password::Unset, Some(text)) => Password::Fixed(text),
            (password, _) => password,
        };
        let fallback = keywords.take("fallback_application_name").map(str::to_owned);
        let application_name = match keywords.take("application_name").map(str::to_owned).or(fallback) {
            Some(name) => name,
            None => application_name(name),
        };
        let mode =
            keywords.take_or_environment("sslmode", "PGSSLMODE").unwrap_or_else(|| "prefer".to_owned());
        let ssl_mode = SslMode::parse(&mode).ok_or_else(|| {
            refused(format!(
                "sslmode is one of disable, allow, prefer, require, verify-ca and verify-full, not {mode:?}"
            ))
        })?;
        let wants_primary = match keywords.take("target_session_attrs").unwrap_or("any") {
            "any" => false,
            "read-write" | "primary" => true,
            other => return Err(refused(format!("target_session_attrs={other} is not supported"))),
        };
        let demands_channel_binding = match keywords.take("channel_binding").unwrap_or("prefer") {
            "disable" | "prefer" => false,
            "require" => true,
            other => {
                let text = format!("channel_binding is one of disable, prefer and require, not {other:?}");
                return Err(refused(text));
            }
        };
        let settings = PostgresSettings {
            hosts,
            user,
            database,
            password,
            passfile: keywords.take_or_environment("passfile", "PGPASSFILE").map(PathBuf::from),
            application_name,
            options: keywords.take_or_environment("options", "PGOPTIONS"),
            connect_timeout: match keywords.number("connect_timeout", 30)? {
                0 => None,
                seconds => Some(Duration::from_secs(u64::from(seconds))),
            },
            keep_alive: KeepAlive {
                is_on: keywords.number("keepalives", 1)? != 0,
                idle_s: keywords.number("keepalives_idle", 300)?,
                interval_s: keywords.number("keepalives_interval", 30)?,
                count: keywords.number("keepalives_count", 3)?,
                user_timeout_ms: keywords.number("tcp_user_timeout", 300_000)?,
            },
            ssl_mode,
            root_certificate: match keywords.take("sslrootcert") {
                Some("system") => None,
                Some(path) => Keywords(vec![("sslrootcert", path)]).file("sslrootcert", "")?,
                None => keywords.file("sslrootcert", "PGSSLROOTCERT")?,
            },
            certificate: keywords.file("sslcert", "PGSSLCERT")?,
            key: keywords.file("sslkey", "PGSSLKEY")?,
            wants_primary,
            demands_channel_binding,
        };
        for (keyword, values) in WITHOUT_EFFECT {
            if let Some(value) = keywords.take(keyword)
                && !values.contains(&value.to_ascii_lowercase().as_str())
            {
                return Err(refused(format!("{keyword}={value} is not supported")));
            }
        }
        match keywords.0.first() {
            None => Ok(settings),
            Some((unknown, _)) => Err(refused(format!(
                "postgres_settings have a keyword {unknown:?}, which libpq does not know or which is not supported"
            ))),
        }
    }

    /// The servers, for people.
    pub(super) fn place(&self) -> String {
        let hosts: Vec<String> = self.hosts.iter().map(Host::to_string).collect();
        format!("{}/{}", hosts.join(","), self.database)
    }

    /// The password for a server.
    pub(super) fn password_for(&self, host: &Host) -> Result<Option<String>, ConnectorError> {
        match &self.password {
            Password::Fixed(text) => Ok(Some(text.clone())),
            Password::Asked(secret) => secret.secret().map(Some),
            Password::Unset => {
                let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".pgpass"));
                let file = self.passfile.clone().or_else(home);
                let content = file.and_then(|file| std::fs::read_to_string(file).ok()).unwrap_or_default();
                Ok(content.lines().find_map(|line| self.password_of_line(line, host)))
            }
        }
    }

    /// The password of a line `host:port:database:user:password`, if the line is for this connection.
    fn password_of_line(&self, line: &str, host: &Host) -> Option<String> {
        if line.starts_with('#') {
            return None;
        }
        let mut fields = vec![String::new()];
        let mut characters = line.chars();
        while let Some(c) = characters.next() {
            match c {
                '\\' => fields.last_mut()?.extend(characters.next()),
                ':' if fields.len() < 5 => fields.push(String::new()),
                c => fields.last_mut()?.push(c),
            }
        }
        let port = host.port.to_string();
        let name = if host.name.starts_with('/') { "localhost" } else { &host.name };
        let wanted = [name, &port, &self.database, &self.user];
        let fits = fields.len() == 5 && wanted.iter().zip(&fields).all(|(a, b)| b == "*" || b == a);
        if fits { fields.pop() } else { None }
    }
}

/// The servers to try, in order.
fn hosts(keywords: &mut Keywords<'_>) -> Result<Vec<Host>, ConnectorError> {
    let addresses = keywords.take_or_environment("hostaddr", "PGHOSTADDR");
    let addresses: Vec<String> =
        addresses.iter().flat_map(|list| list.split(',')).map(str::to_owned).collect();
    let names = keywords.take_or_environment("host", "PGHOST");
    let names: Vec<String> = match &names {
        Some(list) => list.split(',').map(str::to_owned).collect(),
        None if addresses.is_empty() => vec!["localhost".to_owned()],
        None => addresses.clone(),
    };
    if !addresses.is_empty() && addresses.len() != names.len() {
        return Err(refused("host and hostaddr have different numbers of entries"));
    }
    let ports = keywords.take_or_environment("port", "PGPORT").unwrap_or_else(|| "5432".to_owned());
    let ports: Vec<&str> = ports.split(',').map(str::trim).collect();
    if ports.len() != 1 && ports.len() != names.len() {
        return Err(refused("host and port have different numbers of entries"));
    }
    let host = |(place, name): (usize, String)| {
        let text = ports.get(place).or(ports.first()).copied().unwrap_or_default();
        let port: Option<u16> = if text.is_empty() { Some(5432) } else { text.parse().ok() };
        let port = port.filter(|port| *port != 0);
        let port =
            port.ok_or_else(|| refused(format!("port has to be a number up to 65535, not {text:?}")))?;
        let name = if name.is_empty() { "localhost".to_owned() } else { name };
        Ok(Host { name, address: addresses.get(place).cloned().filter(|text| !text.is_empty()), port })
    };
    names.into_iter().enumerate().map(host).collect()
}

/// The name under which the server shows the connection.
fn application_name(name: Option<&str>) -> String {
    let Some(name) = name else { return "pathway".to_owned() };
    let printable = |c: char| if (' '..='~').contains(&c) { c } else { '_' };
    let mut text: String = format!("pathway:{name}").chars().map(printable).collect();
    text.truncate(63);
    text
}

#[cfg(test)]
mod tests;
