use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use pathway_dataflow::stats::{Frontier, OperatorStats, Snapshot};
use rusqlite::Connection;
use serde_json::{Value, json};

use super::pages::Recorded;
use super::recorder::Writing;
use super::store::{Store, newest};
use super::*;

const GRAPH: &str = r#"{
    "nodes": [
        {"id": "1", "parent": "g_1", "grand_parent": "g_0", "operator_type": "input(csv)", "level": 0,
         "user_frame_function": "main", "user_frame_filename": "/a/b.py", "user_frame_line": "read()",
         "user_frame_line_number": 3, "name": "numbers"},
        {"id": "2", "parent": "g_2", "grand_parent": "g_0", "operator_type": "output(csv)", "level": 0,
         "user_frame_function": "main", "user_frame_filename": "/a/b.py", "user_frame_line": "write()",
         "user_frame_line_number": 4}
    ],
    "edges": [{"source": "1", "target": "2"}],
    "groups": []
}"#;

fn snapshot(at: u64, workers: std::ops::Range<usize>, rows: u64) -> Snapshot {
    let operator = |id: u32, worker: usize| OperatorStats {
        id,
        worker,
        rows_in: if id == 2 { rows } else { 0 },
        insertions: rows,
        deletions: 1,
        busy: Duration::from_millis(1500),
        frontier: if id == 1 { Frontier::At(at - 40) } else { Frontier::Done },
        memory: 0,
        files: 0,
    };
    Snapshot {
        at,
        input: Frontier::At(at - 30),
        output: Frontier::Unknown,
        operators: [1, 2].into_iter().flat_map(|id| workers.clone().map(move |w| operator(id, w))).collect(),
        errors: BTreeMap::new(),
        connectors: vec![],
        sinks: vec![],
    }
}

fn writing(path: &Path) -> Writing {
    Writing::open(path, "one", Arc::default()).unwrap()
}

fn times(path: &Path) -> Vec<i64> {
    let database = Connection::open(path).unwrap();
    let mut query = database.prepare("SELECT DISTINCT timestamp FROM Metrics ORDER BY 1").unwrap();
    query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

#[test]
fn processes_write_to_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metrics_one.db");
    let (mut first, mut second) = (writing(&path), writing(&path));
    first.write(&snapshot(1_000_300, 0..2, 10)).unwrap();
    second.write(&snapshot(1_000_900, 2..3, 20)).unwrap();
    let store = Store::open(&path).unwrap();
    assert_eq!(store.workers().unwrap(), [0, 1, 2]);
    let rows = serde_json::to_value(store.rows_before(i64::MAX).unwrap()).unwrap();
    let row = |operator: u32, worker: usize, latency: f64, rows: u64| {
        json!({
            "timestamp": 1_000_000, "worker_id": worker, "operator_id": operator, "latency_ms": latency,
            "rows_positive": rows, "rows_negative": 1,
        })
    };
    let (near, done) = (40.0, -1.0);
    let expected = [
        row(1, 0, near, 10),
        row(1, 1, near, 10),
        row(1, 2, near, 20),
        row(2, 0, done, 10),
        row(2, 1, done, 10),
        row(2, 2, done, 20),
    ];
    assert_eq!(rows, Value::from(expected.to_vec()));
    let database = Connection::open(&path).unwrap();
    let names = |sql: &str| -> Vec<String> {
        let mut query = database.prepare(sql).unwrap();
        query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    assert_eq!(
        names("SELECT DISTINCT name FROM Metrics WHERE operator_id IS NULL AND worker_id = 0 ORDER BY 1"),
        ["latency.input", "process.cpu.stime", "process.cpu.utime", "process.memory.usage"],
        "what is not known is left out"
    );
    assert_eq!(names("PRAGMA journal_mode"), ["wal"]);
    assert_eq!(names("SELECT name FROM sqlite_master WHERE type = 'view'"), ["MetricsAgg"]);
    let text = names("SELECT typeof(value) FROM Metrics WHERE name = 'operator.insertions' LIMIT 1");
    assert_eq!(text, ["integer"]);
}

#[test]
fn samples_within_a_second_are_apart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metrics_one.db");
    let mut writing = writing(&path);
    for at in [5_100, 6_000, 6_300, 6_200] {
        writing.write(&snapshot(at, 0..1, 1)).unwrap();
    }
    assert_eq!(times(&path), [5_000, 6_000, 6_300, 6_301]);
}

#[test]
fn of_each_old_minute_one_sample_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metrics_one.db");
    let mut writing = writing(&path);
    let (minute, hour): (u64, u64) = (60_000, 3_600_000);
    for second in (0..hour + 5 * minute).step_by(15_000) {
        writing.write(&snapshot(hour + second, 0..1, 1)).unwrap();
    }
    let kept = times(&path);
    let old: Vec<i64> = kept.iter().copied().filter(|time| *time < (hour + 4 * minute) as i64).collect();
    let expected: Vec<i64> = (0..4).map(|number| (hour + number * minute) as i64).collect();
    assert_eq!(old, expected);
    assert!(kept.len() >= 4 * 60, "what is fresh is there");
    assert_eq!(kept.last(), Some(&((2 * hour + 5 * minute - 15_000) as i64)));
}

fn ask(address: SocketAddr, path: &str) -> (String, Value) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.to_ascii_lowercase(), serde_json::from_str(body).unwrap_or(Value::Null))
}

#[test]
fn the_dashboard_tells_of_the_newest_run() {
    let folder = tempfile::tempdir().unwrap();
    let archive = Archive::listen((Ipv4Addr::LOCALHOST, 0).into(), folder.path()).unwrap();
    assert!(!archive.has_a_run());
    let address = archive.address();
    // It ends with the process.
    std::thread::spawn(move || archive.serve());
    let (head, body) = ask(address, "/graph");
    assert!(head.starts_with("http/1.1 404"), "{head}");
    assert!(body["detail"].as_str().is_some_and(|text| text.starts_with("no run has been recorded in ")));

    let path = folder.path().join("metrics_one.db");
    let mut writing = writing(&path);
    writing.write(&snapshot(1_000_000, 0..2, 10)).unwrap();
    writing.write(&snapshot(1_002_000, 0..2, 50)).unwrap();
    let database = Connection::open(&path).unwrap();
    database.execute("INSERT INTO Resources VALUES ('one', ?1)", [GRAPH]).unwrap();
    assert_eq!(newest(folder.path()), Some(path));

    let get = |path: &str| {
        let (head, body) = ask(address, path);
        assert!(head.starts_with("http/1.1 200"), "{path}: {head}");
        assert!(head.contains("access-control-allow-origin: *"), "{path}: {head}");
        body
    };
    assert_eq!(get("/graph"), serde_json::from_str::<Value>(GRAPH).unwrap());
    assert_eq!(get("/metrics/available_range"), json!({"min": 1_000_000, "max": 1_002_000}));
    assert_eq!(get("/metrics/at/1000000"), json!([]), "strictly before");
    assert_eq!(get("/metrics/at/1000001")[0]["rows_positive"], 10);
    assert_eq!(get("/metrics/at/1002000")[0]["rows_positive"], 10);
    assert_eq!(get("/metrics/latest")[0]["rows_positive"], 50);
    assert_eq!(get("/metrics/latest").as_array().map(Vec::len), Some(4));
    let charts = get("/metrics/charts");
    assert_eq!((&charts[1]["timestamp"], &charts[1]["max_latency"]), (&json!(1_002_000), &json!(40.0)));
    assert!(charts[1]["memory"].as_f64() > Some(1e5));
    for page in ["/", "/charts", "/connectors", "/main.js"] {
        get(page);
    }

    let run = get("/api/run");
    assert_eq!(
        (&run["id"], &run["program"], &run["state"]),
        (&json!("one"), &json!("b.py"), &json!("ended"))
    );
    assert_eq!(run["process"]["workers"], 2);
    assert_eq!(run["outline"]["nodes"][1]["inputs"], json!([1]));
    let now = get("/api/now");
    assert_eq!((&now["run"], &now["at"]), (&json!("one"), &json!(1_002_000)));
    let snapshot = &now["snapshot"];
    assert_eq!(snapshot["input"], json!({"state": "at", "time": 1_001_970}));
    assert_eq!(snapshot["output"], json!({"state": "unknown"}));
    assert_eq!(snapshot["operators"][1]["frontier"], json!({"state": "done"}));
    assert_eq!(snapshot["connectors"][0]["messages"], 102.0);
    assert_eq!(snapshot["connectors"][0]["name"], "numbers");
    assert_eq!(snapshot["sinks"][0]["rows"], 100.0);
    assert_eq!(
        (&now["errors"], &snapshot["errors"]),
        (&Value::Null, &Value::Null),
        "errors are not recorded"
    );
    let history = get("/api/history?after=0");
    assert_eq!((&history["at"], &history["rows_in"]), (&json!([1_002_000]), &json!([40.0])));
    assert_eq!((&history["rows_out"], &history["latency_ms"]), (&json!([40.0]), &json!([null])));
    assert_eq!(get("/api/log")["lines"], json!([]));
}

#[test]
fn any_moment_can_be_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metrics_one.db");
    let mut writing = writing(&path);
    for (at, rows) in [(1_000_000, 10), (1_001_000, 30), (1_200_000, 60), (1_201_000, 90)] {
        writing.write(&snapshot(at, 0..2, rows)).unwrap();
    }
    let database = Connection::open(&path).unwrap();
    database.execute("INSERT INTO Resources VALUES ('one', ?1)", [GRAPH]).unwrap();
    let run = Recorded::open(&path).unwrap().unwrap();

    assert_eq!(run.about().unwrap()["recorded"], true);
    let times = |after| run.times(after).unwrap()["times"].clone();
    assert_eq!(times(0), json!([1_000_000, 1_001_000, 1_200_000, 1_201_000]));
    assert_eq!(times(1_001_000), json!([1_200_000, 1_201_000]));
    assert_eq!(times(1_201_000), json!([]));

    let moments = |at| {
        let told = run.moments(at).unwrap();
        assert_eq!(told["run"], "one");
        let moments = told["moments"].as_array().unwrap();
        let rows = |moment: &Value| moment["snapshot"]["sinks"][0]["rows"].as_f64().unwrap();
        moments.iter().map(|moment| (moment["at"].as_i64().unwrap(), rows(moment))).collect::<Vec<_>>()
    };
    let (first, second, third) = ((1_000_000, 20.0), (1_001_000, 60.0), (1_200_000, 120.0));
    assert_eq!(moments(1_001_000), [first, second]);
    assert_eq!(moments(1_199_999), [first, second], "the newest that is not later");
    assert_eq!(moments(1_200_000), [third], "nothing is known of the minutes before");
    assert_eq!(moments(i64::MAX), [third, (1_201_000, 180.0)]);
    assert_eq!(moments(1_000_000), [first], "nothing was before it");
    assert_eq!(moments(0), [first]);

    let past = run.past(2, 1_200_000).unwrap();
    let past = past["moments"].as_array().unwrap();
    assert_eq!(past.iter().map(|moment| moment["at"].as_i64().unwrap()).collect::<Vec<_>>(), [1_200_000]);
    assert_eq!(past[0]["workers"][1]["worker"], 1);
    assert_eq!(past[0]["workers"][1]["rows_in"], 60.0);
    assert_eq!(run.past(2, 1_100_000).unwrap()["moments"].as_array().map(Vec::len), Some(2));

    let history = run.history(0).unwrap();
    assert_eq!(history["at"], json!([1_001_000, 1_201_000]));
    assert_eq!(history["rows_in"], json!([40.0, 60.0]));
}
