use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use pathway_plan::{Explanation, Goal, Graph, col};
use pathway_types::{DType, Field, Schema, Value};
use serde_json::Value as Json;

use super::*;
use crate::board::Place;
use crate::log_tail::{Level, Record};

fn board() -> Arc<Board> {
    Board::new("flights.py", Place::alone(2), Arc::default(), Arc::default())
}

fn server() -> Server {
    Server::start(Settings::here(0), board()).unwrap()
}

/// The status line and headers, and the body.
fn ask_with(server: &Server, path: &str, header: &str) -> (String, String) {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\n{header}\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.to_ascii_lowercase(), body.to_owned())
}

fn ask(server: &Server, path: &str) -> (String, String) {
    ask_with(server, path, "Host: localhost")
}

fn json(server: &Server, path: &str) -> Json {
    let (head, body) = ask(server, path);
    assert!(head.contains("content-type: application/json"), "{head}");
    serde_json::from_str(&body).unwrap()
}

#[test]
fn there_is_nothing_before_the_run_begins() {
    let server = server();
    let (head, body) = ask(&server, "/metrics");
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert!(head.contains(&format!("content-type: {OPENMETRICS}")), "{head}");
    assert_eq!(body, "");
    let (head, body) = ask(&server, "/status");
    assert!(head.contains("content-type: application/json"), "{head}");
    assert_eq!(body, "");
    for path in ["/metrics/more", "/api", "/api/more", "/nothing.js", "/../Cargo.toml"] {
        assert!(ask(&server, path).0.starts_with("http/1.1 404"), "{path}");
    }
    let run = json(&server, "/api/run");
    assert_eq!(run["outline"], Json::Null);
    assert_eq!(run["process"]["workers"], 2);
    let now = json(&server, "/api/now");
    assert_eq!((&now["run"], &now["snapshot"]), (&run["id"], &Json::Null));
    assert!(now["cpu_seconds"].as_f64().is_some_and(|seconds| seconds > 0.0));
    assert_eq!(json(&server, "/api/history?after=0")["at"], Json::Array(vec![]));
    assert_eq!(json(&server, "/api/errors")["total"], 0);
    assert_eq!(json(&server, "/api/dead_letters")["dead_letters"], Json::Array(vec![]));
}

#[test]
fn the_page_and_its_files_are_served_by_their_policy() {
    let server = server();
    let (head, body) = ask(&server, "/");
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert!(head.contains("content-type: text/html; charset=utf-8"), "{head}");
    assert!(body.contains("main.js"), "{body}");
    let (head, body) = ask(&server, "/vendor/dagre.esm.js");
    assert!(head.contains("content-type: text/javascript; charset=utf-8"), "{head}");
    assert!(!body.is_empty());
    for path in ["/", "/api/now", "/style/page.css", "/nothing"] {
        let head = ask(&server, path).0;
        assert!(head.contains("content-security-policy: default-src 'none'; script-src 'self'"), "{head}");
        assert!(head.contains("cache-control: no-store"), "{head}");
    }
}

#[test]
fn the_log_goes_on_after_a_line() {
    let board = board();
    let server = Server::start(Settings::here(0), board.clone()).unwrap();
    board.log.push(Record { time: 5, ..Record::new(Level::Info, "one") });
    let exception = Some("ValueError: no".to_owned());
    board.log.push(Record { time: 6, exception, ..Record::new(Level::Warning, "two") });
    let log = json(&server, "/api/log?after=1");
    assert_eq!(
        log["lines"],
        serde_json::json!([{"number": 2, "time": 6, "level": "WARNING", "text": "two\nValueError: no"}])
    );
    assert_eq!(json(&server, "/api/log")["lines"].as_array().map(Vec::len), Some(2));
}

#[test]
fn a_token_is_for_everything_but_the_page() {
    let settings = Settings { token: Some("sesame".to_owned()), ..Settings::here(0) };
    let server = Server::start(settings, board()).unwrap();
    for path in ["/", "/main.js"] {
        assert!(ask(&server, path).0.starts_with("http/1.1 200"), "{path}");
    }
    for path in ["/api/run", "/api/log", "/metrics", "/status"] {
        let (head, body) = ask(&server, path);
        assert!(head.starts_with("http/1.1 401") && head.contains("www-authenticate: bearer"), "{head}");
        assert!(head.contains("cache-control: no-store"), "{head}");
        assert!(body.contains("token"), "{body}");
        let header = "Host: anybody.example\r\nAuthorization: Bearer sesame";
        assert!(ask_with(&server, path, header).0.starts_with("http/1.1 200"), "{path}");
    }
}

/// A plan of rows that are part of the program.
fn plan() -> Explanation {
    let graph = Graph::new();
    let schema = Schema::new([Field::new("delay", DType::Int)]);
    let rows = graph.table_from_rows(&schema, [vec![Value::Int(12)], vec![Value::Int(-3)]]).unwrap();
    let late = rows.filter(col("delay").gt(0)).unwrap();
    graph.explanation(&Goal::Tables(vec![late.node()])).unwrap()
}

#[test]
fn a_run_explains_its_plan() {
    let board = board();
    let server = Server::start(Settings::here(0), board.clone()).unwrap();
    let (head, body) = ask(&server, "/explain");
    assert!(head.starts_with("http/1.1 503"), "{head}");
    assert_eq!(body, "the plan is not known yet\n");
    board.explain(plan());
    for (query, kind, begin) in [
        ("", "text/plain; charset=utf-8", "Before rewriting: 2 operators\n"),
        ("?format=json", "application/json", "{\n  \"version\": 1,"),
        ("?format=dot", "text/vnd.graphviz; charset=utf-8", "digraph after {\n"),
        ("?format=dot&plan=before", "text/vnd.graphviz; charset=utf-8", "digraph before {\n"),
        ("?format=svg", "image/svg+xml", "<svg "),
        ("?format=svg&plan=before", "image/svg+xml", "<svg "),
    ] {
        let (head, body) = ask(&server, &format!("/explain{query}"));
        assert!(head.starts_with("http/1.1 200"), "{head}");
        assert!(head.contains(&format!("content-type: {kind}\r\n")), "{head}");
        assert!(head.contains("cache-control: no-store"), "{head}");
        assert!(body.starts_with(begin), "{body}");
    }
    // The page of the dashboard gives it colours by class, and knows operators by number.
    let drawn = |plan: &str| ask(&server, &format!("/explain?format=svg&plan={plan}")).1;
    for (plan, source, filter) in [("before", "1", "2"), ("after", "s0", "s1")] {
        let drawing = drawn(plan);
        for part in [source, filter] {
            assert!(drawing.contains(&format!("<g id=\"{part}")), "{drawing}");
        }
        for class in ["ground", "source", "step"] {
            assert!(drawing.contains(&format!("<rect class=\"{class}\"")), "{drawing}");
        }
    }
    for query in ["?format=pdf", "?plan=between"] {
        assert!(ask(&server, &format!("/explain{query}")).0.starts_with("http/1.1 400"), "{query}");
    }
    assert!(ask_with(&server, "/explain", "Host: evil.example").0.starts_with("http/1.1 403"));
}

#[test]
fn the_plan_is_for_those_who_know_the_token() {
    let settings = Settings { token: Some("sesame".to_owned()), ..Settings::here(0) };
    let board = board();
    board.explain(plan());
    let server = Server::start(settings, board).unwrap();
    assert!(ask(&server, "/explain").0.starts_with("http/1.1 401"));
    let header = "Host: anybody.example\r\nAuthorization: Bearer sesame";
    assert!(ask_with(&server, "/explain", header).0.starts_with("http/1.1 200"));
}

#[test]
fn other_names_of_the_address_get_nothing_of_the_run() {
    let server = server();
    let (head, body) = ask_with(&server, "/api/run", "Host: evil.example");
    assert!(head.starts_with("http/1.1 403"), "{head}");
    assert!(body.contains("PATHWAY_MONITORING_HTTP_TOKEN"), "{body}");
}

#[test]
fn the_end_is_told_to_those_who_look() {
    let board = board();
    let server = Server::start(Settings::here(0), board.clone()).unwrap();
    let address = server.address();
    let id = json(&server, "/api/run")["id"].clone();
    let ending = std::thread::spawn(move || server.finish(Ending::Failed("no header".to_owned())));
    // Another handle on the same server, to ask it.
    let asking = Server { address, board, stop: None, thread: None };
    let mut state = Json::Null;
    while state != "failed" {
        state = json(&asking, "/api/now")["state"].clone();
    }
    let run = json(&asking, "/api/run");
    assert_eq!((&run["id"], &run["message"]), (&id, &Json::from("no header")));
    assert!(run["ended"].as_u64() >= run["started"].as_u64());
    ending.join().unwrap();
    assert!(TcpStream::connect(address).is_err(), "then it ends");
}

#[test]
fn a_port_that_is_taken_is_an_error() {
    let first = server();
    let second = Server::start(Settings::here(first.address().port()), board());
    let text = second.unwrap_err().to_string();
    assert!(text.starts_with(&format!("metrics cannot be served on {}: ", first.address())), "{text}");
    let address = first.address();
    drop(first);
    assert!(TcpStream::connect(address).is_err(), "it ends with its handle");
}
