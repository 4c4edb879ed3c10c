use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use super::*;

/// The status line and headers, and the body.
fn ask(server: &Server, path: &str) -> (String, String) {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.to_ascii_lowercase(), body.to_owned())
}

#[test]
fn there_is_nothing_before_the_run_begins() {
    let server = Server::start(0, Arc::default()).unwrap();
    let (head, body) = ask(&server, "/metrics");
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert!(head.contains(&format!("content-type: {OPENMETRICS}")), "{head}");
    assert_eq!(body, "");
    let (head, body) = ask(&server, "/status");
    assert!(head.contains("content-type: application/json"), "{head}");
    assert_eq!(body, "");
    assert!(ask(&server, "/").0.starts_with("http/1.1 404"));
    assert!(ask(&server, "/metrics/more").0.starts_with("http/1.1 404"));
}

#[test]
fn a_port_that_is_taken_is_an_error() {
    let first = Server::start(0, Arc::default()).unwrap();
    let second = Server::start(first.address().port(), Arc::default());
    let text = second.unwrap_err().to_string();
    assert!(text.starts_with(&format!("metrics cannot be served on {}: ", first.address())), "{text}");
    let address = first.address();
    drop(first);
    assert!(TcpStream::connect(address).is_err(), "it ends with its handle");
}
