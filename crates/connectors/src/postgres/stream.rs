//! The bytes between us and a server: sockets, plain or encrypted.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::time::Duration;

use bytes::BytesMut;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::ssl::{SslConnector, SslFiletype, SslMethod, SslStream, SslVerifyMode};
use postgres_protocol::message::frontend;

use super::settings::{Host, KeepAlive, PostgresSettings, SslMode};

/// A connected socket.
pub(super) enum Stream {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
    Tls(Box<SslStream<Ahead>>),
}

/// A socket that is read ahead of what is asked for: encrypted bytes come in small records, one for each message.
#[derive(Debug)]
pub(super) struct Ahead {
    tcp: TcpStream,
    bytes: Box<[u8]>,
    /// What of them was read from the socket and not from here.
    left: std::ops::Range<usize>,
}

impl Ahead {
    fn new(tcp: TcpStream) -> Self {
        Ahead { tcp, bytes: vec![0; 64 << 10].into(), left: 0..0 }
    }
}

impl Read for Ahead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left.is_empty() {
            self.left = 0..self.tcp.read(&mut self.bytes)?;
        }
        let length = buffer.len().min(self.left.len());
        let begin = self.left.start;
        buffer[..length].copy_from_slice(&self.bytes[begin..begin + length]);
        self.left.start += length;
        Ok(length)
    }
}

impl Write for Ahead {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.tcp.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.tcp.flush()
    }
}

impl Stream {
    /// Connects to a host, encrypted or not.
    pub(super) fn open(settings: &PostgresSettings, host: &Host, encrypted: bool) -> io::Result<Stream> {
        #[cfg(unix)]
        if host.name.starts_with('/') {
            let path = format!("{}/.s.PGSQL.{}", host.name, host.port);
            return UnixStream::connect(path).map(Stream::Unix);
        }
        let tcp = dial(host, settings.connect_timeout)?;
        tcp.set_nodelay(true)?;
        keep_alive(&tcp, settings.keep_alive)?;
        // The answers that are waited for before the connection stands are due within the same time.
        tcp.set_read_timeout(settings.connect_timeout)?;
        if encrypted { encrypt(settings, host, tcp) } else { Ok(Stream::Tcp(tcp)) }
    }

    fn socket(&self) -> Result<&TcpStream, &Stream> {
        match self {
            Stream::Tcp(tcp) => Ok(tcp),
            Stream::Tls(tls) => Ok(&tls.get_ref().tcp),
            #[cfg(unix)]
            Stream::Unix(_) => Err(self),
        }
    }

    /// True if something has come that was not read: records, of which a read gives one.
    pub(super) fn has_more(&self) -> bool {
        matches!(self, Stream::Tls(tls) if !tls.get_ref().left.is_empty())
    }

    /// How long a read waits at most; then it fails with `WouldBlock`.
    pub(super) fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        match self.socket() {
            Ok(tcp) => tcp.set_read_timeout(timeout),
            #[cfg(unix)]
            Err(Stream::Unix(unix)) => unix.set_read_timeout(timeout),
            Err(_) => Ok(()),
        }
    }

    /// What ties a password exchange to an encrypted connection: a digest of the server's certificate.
    pub(super) fn end_point(&self) -> Option<Vec<u8>> {
        let Stream::Tls(tls) = self else { return None };
        let certificate = tls.ssl().peer_certificate()?;
        let signature = certificate.signature_algorithm().object().nid().signature_algorithms()?;
        let digest = match signature.digest {
            Nid::MD5 | Nid::SHA1 => MessageDigest::sha256(),
            other => MessageDigest::from_nid(other)?,
        };
        certificate.digest(digest).ok().map(|bytes| bytes.to_vec())
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(tcp) => tcp.read(buffer),
            #[cfg(unix)]
            Stream::Unix(unix) => unix.read(buffer),
            Stream::Tls(tls) => tls.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(tcp) => tcp.write(bytes),
            #[cfg(unix)]
            Stream::Unix(unix) => unix.write(bytes),
            Stream::Tls(tls) => tls.write(bytes),
        }
    }
    fn flush(&mut self) -> io::Result<()> {
        match self {
            Stream::Tcp(tcp) => tcp.flush(),
            #[cfg(unix)]
            Stream::Unix(unix) => unix.flush(),
            Stream::Tls(tls) => tls.flush(),
        }
    }
}

/// Connects to the first address of the host that answers.
fn dial(host: &Host, timeout: Option<Duration>) -> io::Result<TcpStream> {
    let name = host.address.as_deref().unwrap_or(&host.name);
    let mut failed = None;
    for address in (name, host.port).to_socket_addrs()? {
        let connected = match timeout {
            Some(timeout) => TcpStream::connect_timeout(&address, timeout),
            None => TcpStream::connect(address),
        };
        match connected {
            Ok(tcp) => return Ok(tcp),
            Err(error) => failed = Some(error),
        }
    }
    Err(failed.unwrap_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the host has no address")))
}

#[cfg(target_os = "linux")]
fn keep_alive(tcp: &TcpStream, wanted: KeepAlive) -> io::Result<()> {
    use nix::sys::socket::{setsockopt, sockopt};
    setsockopt(tcp, sockopt::KeepAlive, &wanted.is_on)?;
    if wanted.is_on {
        // Zero leaves what the system has.
        if wanted.idle_s > 0 {
            setsockopt(tcp, sockopt::TcpKeepIdle, &wanted.idle_s)?;
        }
        if wanted.interval_s > 0 {
            setsockopt(tcp, sockopt::TcpKeepInterval, &wanted.interval_s)?;
        }
        if wanted.count > 0 {
            setsockopt(tcp, sockopt::TcpKeepCount, &wanted.count)?;
        }
    }
    if wanted.user_timeout_ms > 0 {
        setsockopt(tcp, sockopt::TcpUserTimeout, &wanted.user_timeout_ms)?;
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn keep_alive(_tcp: &TcpStream, _wanted: KeepAlive) -> io::Result<()> {
    Ok(())
}

/// Asks the server for encryption; a server without it gives an error of the kind `Unsupported`.
fn encrypt(settings: &PostgresSettings, host: &Host, mut tcp: TcpStream) -> io::Result<Stream> {
    let mut request = BytesMut::new();
    frontend::ssl_request(&mut request);
    tcp.write_all(&request)?;
    let mut answer = [0];
    tcp.read_exact(&mut answer)?;
    if answer[0] != b'S' {
        return Err(io::Error::new(io::ErrorKind::Unsupported, "the server has no encryption"));
    }
    let verifies = match settings.ssl_mode {
        SslMode::VerifyCa | SslMode::VerifyFull => true,
        // As libpq does it: who names authorities wants them to be asked.
        SslMode::Require => settings.root_certificate.is_some(),
        _ => false,
    };
    let failed = |error: &dyn std::fmt::Display| io::Error::other(format!("TLS: {error}"));
    let mut builder = SslConnector::builder(SslMethod::tls_client()).map_err(|e| failed(&e))?;
    builder.set_verify(if verifies { SslVerifyMode::PEER } else { SslVerifyMode::NONE });
    if verifies {
        match &settings.root_certificate {
            Some(path) => builder.set_ca_file(path).map_err(|e| failed(&e))?,
            None => trust_the_system(&mut builder).map_err(|e| failed(&e))?,
        }
    }
    if let Some(certificate) = &settings.certificate {
        builder.set_certificate_chain_file(certificate).map_err(|e| failed(&e))?;
        let key = settings.key.as_ref().unwrap_or(certificate);
        builder.set_private_key_file(key, SslFiletype::PEM).map_err(|e| failed(&e))?;
    }
    let mut connection = builder.build().configure().map_err(|e| failed(&e))?;
    connection.set_verify_hostname(settings.ssl_mode == SslMode::VerifyFull);
    connection.set_use_server_name_indication(host.name.parse::<std::net::IpAddr>().is_err());
    let tls = connection.connect(&host.name, Ahead::new(tcp)).map_err(|error| failed(&error))?;
    Ok(Stream::Tls(Box::new(tls)))
}

/// The authorities of the user, else of the system; the library that is built in knows no place to look at.
fn trust_the_system(
    builder: &mut openssl::ssl::SslConnectorBuilder,
) -> Result<(), openssl::error::ErrorStack> {
    const BUNDLES: [&str; 5] = [
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/ca-bundle.pem",
        "/etc/ssl/cert.pem",
        "/opt/homebrew/etc/openssl@3/cert.pem",
    ];
    let own = std::env::var_os("HOME").map(|home| std::path::Path::new(&home).join(".postgresql/root.crt"));
    let named = std::env::var_os("SSL_CERT_FILE").map(std::path::PathBuf::from);
    let mut places = own.into_iter().chain(named).chain(BUNDLES.iter().map(std::path::PathBuf::from));
    match places.find(|path| path.is_file()) {
        Some(path) => builder.set_ca_file(path),
        None => builder.set_default_verify_paths(),
    }
}
