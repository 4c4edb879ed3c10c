//! The page that tells why rows are there: the rows of some outputs, and what each of them comes from.
//!
//! What the rows are is known elsewhere ([`Reasons`]); here they are served.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;

use crate::files::{File, ROWS};
use crate::guard::{Guard, guard, with_headers};
use crate::http::{NotServed, Settings, file};
use crate::listener::Listener;

/// Whoever knows rows and what they come from. All answers are JSON, as `static/pages/rows.js` describes them; one that
/// is missing means that there is no such output or row.
pub trait Reasons: Send + Sync + 'static {
    /// The program and its outputs.
    ///
    /// # Errors
    /// With a text for people.
    fn about(&self) -> Result<String, String>;

    /// The first rows of an output with this text in their cells or ids.
    ///
    /// # Errors
    /// With a text for people.
    fn rows(&self, output: usize, text: &str) -> Result<Option<String>, String>;

    /// What a row of a table comes from, with so many rows of each group.
    ///
    /// # Errors
    /// With a text for people.
    fn reason(&self, table: usize, id: &str, limit: usize) -> Result<Option<String>, String>;
}

/// The server of the page, which listens.
pub struct RowsServer {
    listener: Listener,
    who: Guard,
    reasons: Arc<dyn Reasons>,
}

impl RowsServer {
    /// Listens, to tell of rows.
    ///
    /// # Errors
    /// If the port is taken or may not be used.
    pub fn listen(settings: Settings, reasons: Arc<dyn Reasons>) -> Result<RowsServer, NotServed> {
        let Settings { address, token } = settings;
        let listener = Listener::on(address)?;
        Ok(RowsServer { listener, who: Guard { token: token.map(Arc::from) }, reasons })
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.listener.address
    }

    /// Serves until the process ends.
    ///
    /// # Errors
    /// If the system fails.
    pub fn serve(&self) -> Result<(), NotServed> {
        self.listener.serve(router(self.reasons.clone(), self.who.clone()))
    }
}

impl std::fmt::Debug for RowsServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RowsServer({})", self.address())
    }
}

type Asked = State<Arc<dyn Reasons>>;

fn router(reasons: Arc<dyn Reasons>, who: Guard) -> Router {
    Router::new()
        .route("/api/outputs", get(about))
        .route("/api/rows", get(rows))
        .route("/api/reason", get(reason))
        .layer(from_fn_with_state(who, guard))
        .route("/", get(|| async { file(File::at(ROWS)) }))
        .route("/{*path}", get(|Path(path): Path<String>| async move { file(File::at(&path)) }))
        .layer(map_response(with_headers))
        .with_state(reasons)
}

async fn about(State(reasons): Asked) -> Response {
    answer(move || reasons.about().map(Some)).await
}

#[derive(Deserialize)]
struct Search {
    output: usize,
    #[serde(default)]
    text: String,
}

async fn rows(State(reasons): Asked, Query(search): Query<Search>) -> Response {
    answer(move || reasons.rows(search.output, &search.text)).await
}

#[derive(Deserialize)]
struct Row {
    table: usize,
    id: String,
    limit: usize,
}

async fn reason(State(reasons): Asked, Query(row): Query<Row>) -> Response {
    answer(move || reasons.reason(row.table, &row.id, row.limit)).await
}

/// Others are answered while one takes its time.
async fn answer(find: impl FnOnce() -> Result<Option<String>, String> + Send + 'static) -> Response {
    match tokio::task::spawn_blocking(find).await {
        Ok(Ok(Some(json))) => ([(CONTENT_TYPE, "application/json")], json).into_response(),
        Ok(Ok(None)) => (StatusCode::NOT_FOUND, "there is no such output or row\n").into_response(),
        Ok(Err(message)) => (StatusCode::INTERNAL_SERVER_ERROR, message).into_response(),
        // What has panicked there was told by the panic itself.
        Err(_panic) => (StatusCode::INTERNAL_SERVER_ERROR, "the answer has failed\n").into_response(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;

    use super::*;

    struct One;

    impl Reasons for One {
        fn about(&self) -> Result<String, String> {
            Ok("\"about\"".to_owned())
        }
        fn rows(&self, output: usize, text: &str) -> Result<Option<String>, String> {
            Ok((output == 0).then(|| format!("\"rows with {text}\"")))
        }
        fn reason(&self, table: usize, id: &str, limit: usize) -> Result<Option<String>, String> {
            match table {
                0 => Ok(Some(format!("\"{id} {limit}\""))),
                1 => Ok(None),
                _ => Err("it is broken".to_owned()),
            }
        }
    }

    fn served(token: Option<&str>) -> SocketAddr {
        let settings = Settings { token: token.map(str::to_owned), ..Settings::here(0) };
        let server = RowsServer::listen(settings, Arc::new(One)).unwrap();
        let address = server.address();
        std::thread::spawn(move || server.serve());
        address
    }

    /// The answer to a request: its first line, and its body.
    fn get(address: SocketAddr, path: &str, headers: &str) -> (String, String) {
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}\r\n")
            .unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        (head.lines().next().unwrap().to_owned(), body.to_owned())
    }

    #[test]
    fn rows_and_reasons_are_told() {
        let address = served(None);
        for (path, status, body) in [
            ("/api/outputs", "200 OK", "\"about\""),
            ("/api/rows?output=0", "200 OK", "\"rows with \""),
            ("/api/rows?output=0&text=a%26b", "200 OK", "\"rows with a&b\""),
            ("/api/rows?output=1", "404 Not Found", "there is no such output or row\n"),
            ("/api/reason?table=0&id=%5EX1&limit=10", "200 OK", "\"^X1 10\""),
            ("/api/reason?table=1&id=%5EX1&limit=10", "404 Not Found", "there is no such output or row\n"),
            ("/api/reason?table=2&id=%5EX1&limit=10", "500 Internal Server Error", "it is broken"),
        ] {
            let found = get(address, path, "");
            assert_eq!(found, (format!("HTTP/1.1 {status}"), body.to_owned()), "{path}");
        }
        assert_eq!(get(address, "/api/rows?output=x", "").0, "HTTP/1.1 400 Bad Request");
        assert!(get(address, "/", "").1.contains("rows.js"));
    }

    #[test]
    fn rows_are_told_those_who_know_the_token() {
        let address = served(Some("sesame"));
        assert_eq!(get(address, "/api/outputs", "").0, "HTTP/1.1 401 Unauthorized");
        assert_eq!(get(address, "/api/outputs", "Authorization: Bearer sesame\r\n").0, "HTTP/1.1 200 OK");
        assert_eq!(get(address, "/", "").0, "HTTP/1.1 200 OK");
    }
}
