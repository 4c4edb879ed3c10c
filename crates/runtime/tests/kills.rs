//! A run that is killed again and again gives in the end what one would give that is left alone.
//!
//! The test runs itself as another process that counts words in files, and kills that at any moment while
//! files are added, extended, changed and removed. `PATHWAY_KILLS` says how often.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Arc;
use std::time::{Duration, Instant};

use pathway_connectors::formats::FormatSpec;
use pathway_connectors::fs::{FileSink, FileSource, OutputFormat};
use pathway_dataflow::{Context, Monitor, Report};
use pathway_io::ReadMode;
use pathway_persistence::Store;
use pathway_plan::col::reducers;
use pathway_plan::{Goal, Graph, OutputOptions, SourceOptions, col};
use pathway_runtime::{Persistence, RunOptions, run};
use pathway_types::{DType, Field, Schema};

/// The folder and the number of workers of the other process.
const FOLDER: &str = "PATHWAY_KILLS_FOLDER";
const WORKERS: &str = "PATHWAY_KILLS_WORKERS";
/// It ends when it has read what is there.
const LAST: &str = "PATHWAY_KILLS_LAST";

struct Silent;

impl Monitor for Silent {
    fn report(&self, _report: Report<'_>) {}
}

/// Counts the words in the files of a folder.
fn count(folder: &Path, mode: ReadMode, workers: usize) {
    let graph = Graph::new();
    let source = FileSource::new(folder.join("in"), FormatSpec::PlainText, None, mode).unwrap();
    let options = SourceOptions { autocommit: Some(Duration::from_millis(5)), ..SourceOptions::default() };
    let words = graph.source(Arc::new(source), options).unwrap();
    let counts = words.group_by([col("data")]).unwrap();
    let counts = counts.reduce([("word", col("data")), ("count", reducers::count())]).unwrap();
    let fields = [Field::new("word", DType::Str), Field::new("count", DType::Int)];
    let sink = FileSink::new(folder.join("out.jsonl"), OutputFormat::JsonLines, Schema::new(fields)).unwrap();
    let output = counts.output(Arc::new(sink), OutputOptions::default()).unwrap();
    let program = graph.lasting_program(&Goal::Outputs(vec![output])).unwrap();
    let context = Context::new(true, 1024, Arc::new(Silent));
    let mut persistence = Persistence::new(Arc::new(Store::directory(&folder.join("state")).unwrap()));
    // So that whole states and sealed notes are met often.
    (persistence.state_after, persistence.seal_after) = (4 << 10, 1 << 10);
    let persistence = Some(persistence);
    run(program, &RunOptions { workers, persistence, ..RunOptions::default() }, &context).unwrap();
}

/// Not a test by itself: what the other process does.
#[test]
fn other_process() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let workers = std::env::var(WORKERS).unwrap().parse().unwrap();
    let mode = if std::env::var(LAST).is_ok() { ReadMode::Static } else { ReadMode::Streaming };
    count(Path::new(&folder), mode, workers);
}

fn start(folder: &Path, workers: usize, last: bool) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "other_process", "--nocapture"]);
    command.env(FOLDER, folder).env(WORKERS, workers.to_string());
    if last {
        command.env(LAST, "1");
    }
    command.stdout(File::create(folder.join("log")).unwrap()).spawn().unwrap()
}

struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % n
    }
}

/// Changes some file.
fn change(folder: &Path, random: &mut Random) {
    let path: PathBuf = folder.join(format!("in/{}.txt", random.below(6)));
    let words: String = (0..1 + random.below(50)).map(|_| format!("w{}\n", random.below(30))).collect();
    match random.below(8) {
        0 => {
            // It need not be there.
            let _gone = fs::remove_file(&path);
        }
        1 | 2 => {
            let new = folder.join("new");
            fs::write(&new, words).unwrap();
            fs::rename(new, path).unwrap();
        }
        _ => {
            let mut file = File::options().append(true).create(true).open(path).unwrap();
            file.write_all(words.as_bytes()).unwrap();
        }
    }
}

fn counted(folder: &Path) -> BTreeMap<String, i64> {
    let mut counts: BTreeMap<(String, i64), i64> = BTreeMap::new();
    for line in fs::read_to_string(folder.join("out.jsonl")).unwrap().lines() {
        let row: serde_json::Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let key = (row["word"].as_str().unwrap().to_owned(), row["count"].as_i64().unwrap());
        let there = counts.entry(key).or_insert(0);
        *there += row["diff"].as_i64().unwrap();
        assert!((0..=1).contains(there), "{line} comes twice, or is taken back before it came");
    }
    counts.retain(|_, there| *there != 0);
    let rows = counts.len();
    let counts: BTreeMap<String, i64> = counts.into_keys().collect();
    assert_eq!(counts.len(), rows, "a word has two counts");
    counts
}

#[test]
fn nothing_is_lost_and_nothing_comes_twice() {
    let kills = std::env::var("PATHWAY_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(12);
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::create_dir(folder.join("in")).unwrap();
    let mut random = Random(7);
    for kill in 0..kills {
        let mut child = start(folder, 1 + random.below(3) as usize, false);
        let end = Instant::now() + Duration::from_millis(20 + random.below(1500));
        while Instant::now() < end {
            change(folder, &mut random);
            std::thread::sleep(Duration::from_millis(random.below(60)));
        }
        let ended = child.try_wait().unwrap();
        assert!(ended.is_none(), "run {kill}: {}", fs::read_to_string(folder.join("log")).unwrap());
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let status = start(folder, 2, true).wait().unwrap();
    assert!(status.success(), "{}", fs::read_to_string(folder.join("log")).unwrap());
    let mut expected: BTreeMap<String, i64> = BTreeMap::new();
    for file in fs::read_dir(folder.join("in")).unwrap() {
        for word in fs::read_to_string(file.unwrap().path()).unwrap().lines() {
            *expected.entry(word.to_owned()).or_insert(0) += 1;
        }
    }
    assert_eq!(counted(folder), expected);
}
