//! A run that is killed again and again gives in the end what one would give that is left alone.
//!
//! The test runs itself as other processes that count words in files, and kills them, or one of them, at any
//! moment while files are added, extended, changed and removed. `PATHWAY_KILLS` says how often, and
//! `PATHWAY_KILLS_SEED` repeats the choices of an earlier run.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant, SystemTime};

use pathway_connectors::formats::FormatSpec;
use pathway_connectors::fs::{FileSink, FileSource, OutputFormat};
use pathway_dataflow::{Context, Monitor, Report};
use pathway_io::ReadMode;
use pathway_persistence::Store;
use pathway_plan::col::reducers;
use pathway_plan::{Goal, Graph, OutputOptions, SourceOptions, col};
use pathway_runtime::{ClusterConfig, Persistence, RunOptions, run};
use pathway_types::{DType, Field, Schema};

/// The folder of the other processes, and how many workers each has.
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
    (persistence.read_at_once, persistence.unwritten) = (16 << 10, 2 << 10);
    let persistence = Some(persistence);
    let cluster = ClusterConfig::from_environment(|name| std::env::var(name).ok()).unwrap();
    let options = RunOptions { workers, persistence, cluster, ..RunOptions::default() };
    run(program, &options, &context).unwrap_or_else(|failure| panic!("{failure}"));
}

/// Not a test by itself: what the other process does.
#[test]
fn other_process() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let workers = std::env::var(WORKERS).unwrap().parse().unwrap();
    let mode = if std::env::var(LAST).is_ok() { ReadMode::Static } else { ReadMode::Streaming };
    count(Path::new(&folder), mode, workers);
}

/// Addresses with free ports, outside of those that the system gives to connections.
fn free_addresses(count: usize) -> Vec<String> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 21_000 + (std::process::id() % 100) as u16 * 100;
    let free = |_| loop {
        let port = first + NEXT.fetch_add(1, Ordering::Relaxed) % 100;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return format!("127.0.0.1:{port}");
        }
    };
    (0..count).map(free).collect()
}

/// The processes of a run.
struct Processes {
    folder: PathBuf,
    children: Vec<Child>,
}

impl Processes {
    fn start(folder: &Path, processes: usize, workers: usize, last: bool) -> Processes {
        let addresses = free_addresses(processes);
        let children = (0..processes).map(|process| {
            let mut command = Command::new(std::env::current_exe().unwrap());
            command.args(["--exact", "other_process", "--nocapture"]);
            command.env(FOLDER, folder).env(WORKERS, workers.to_string());
            command.env("PATHWAY_PROCESSES", processes.to_string());
            command.env("PATHWAY_PROCESS_ID", process.to_string());
            command.env("PATHWAY_ADDRESSES", addresses.join(","));
            if last {
                command.env(LAST, "1");
            }
            let log = File::create(folder.join(format!("log-{process}"))).unwrap();
            command.stderr(log.try_clone().unwrap()).stdout(log).spawn().unwrap()
        });
        Processes { folder: folder.to_owned(), children: children.collect() }
    }

    fn logs(&self) -> String {
        let logs = (0..self.children.len()).map(|process| format!("log-{process}"));
        logs.map(|log| fs::read_to_string(self.folder.join(log)).unwrap()).collect::<Vec<_>>().join("\n")
    }

    fn are_running(&mut self) -> bool {
        self.children.iter_mut().all(|child| child.try_wait().unwrap().is_none())
    }

    /// Kills one of them, and waits until the others have ended because of that; or kills all.
    fn kill(mut self, one: Option<usize>) {
        let killed: Vec<usize> = one.map_or_else(|| (0..self.children.len()).collect(), |one| vec![one]);
        killed.iter().for_each(|process| self.children[*process].kill().unwrap());
        let deadline = Instant::now() + Duration::from_secs(20);
        for process in 0..self.children.len() {
            while self.children[process].try_wait().unwrap().is_none() {
                assert!(Instant::now() < deadline, "process {process} goes on alone: {}", self.logs());
                std::thread::sleep(Duration::from_millis(5));
            }
            let success = self.children[process].wait().unwrap().success();
            assert!(!success, "process {process} thinks that all is well: {}", self.logs());
        }
    }

    /// Waits until they have ended well.
    fn wait(mut self) {
        for process in 0..self.children.len() {
            let status = self.children[process].wait().unwrap();
            assert!(status.success(), "process {process}: {}", self.logs());
        }
    }
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

/// A seed that is not 0.
fn by_the_clock() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    1 + u64::from(now.subsec_nanos())
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
    let seed =
        std::env::var("PATHWAY_KILLS_SEED").ok().map_or_else(by_the_clock, |seed| seed.parse().unwrap());
    println!("PATHWAY_KILLS_SEED={seed} PATHWAY_KILLS={kills}");
    let mut random = Random(seed);
    for kill in 0..kills {
        let count = 1 + random.below(3) as usize;
        let mut processes = Processes::start(folder, count, 1 + random.below(3) as usize, false);
        let end = Instant::now() + Duration::from_millis(20 + random.below(1500));
        while Instant::now() < end {
            change(folder, &mut random);
            std::thread::sleep(Duration::from_millis(random.below(60)));
        }
        assert!(processes.are_running(), "run {kill}: {}", processes.logs());
        let one = random.below(count as u64 + 1) as usize;
        processes.kill(Some(one).filter(|one| *one < count));
    }
    Processes::start(folder, 2, 2, true).wait();
    let mut expected: BTreeMap<String, i64> = BTreeMap::new();
    for file in fs::read_dir(folder.join("in")).unwrap() {
        for word in fs::read_to_string(file.unwrap().path()).unwrap().lines() {
            *expected.entry(word.to_owned()).or_insert(0) += 1;
        }
    }
    assert_eq!(counted(folder), expected);
}
