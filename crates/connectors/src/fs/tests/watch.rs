//! Streaming sources: a reader that pauses until the test has changed something.

use std::thread::JoinHandle;

use super::*;

/// A streaming source at work, driven step by step.
struct Live {
    source: FileSource,
    events: Receiver<Event>,
    steps: Sender<()>,
    pauses: Receiver<()>,
    reader: Option<JoinHandle<Result<(), ConnectorError>>>,
    /// All rows that are there, with the number of times.
    rows: HashMap<(u128, String), i64>,
    rejected: Vec<String>,
}

impl Live {
    fn new(source: FileSource) -> Self {
        let (event_sender, events) = channel();
        let (steps, step_receiver) = channel();
        let (pause_sender, pauses) = channel();
        let reader = source.open(1, None).unwrap().remove(0);
        let mut output = Recorder {
            events: event_sender,
            stop: Arc::default(),
            steps: Some(step_receiver),
            pauses: Some(pause_sender),
        };
        let reader = std::thread::spawn(move || reader.run(&mut output));
        Live {
            source,
            events,
            steps,
            pauses,
            reader: Some(reader),
            rows: HashMap::new(),
            rejected: Vec::new(),
        }
    }

    fn plain(path: impl Into<PathBuf>) -> Self {
        Live::new(FileSource::new(path, FormatSpec::PlainText, None, ReadMode::Streaming).unwrap())
    }

    /// Waits for the reader's pause: what it did since the last one, as `+a -b`, units in brackets.
    fn look(&mut self) -> String {
        match self.pauses.recv_timeout(Duration::from_secs(20)) {
            Ok(()) => {}
            Err(RecvTimeoutError::Timeout) => panic!("the reader does not pause"),
            Err(RecvTimeoutError::Disconnected) => {
                panic!("the reader ended: {:?}", self.reader.take().map(JoinHandle::join))
            }
        }
        let dtypes = self.source.schema().dtypes();
        let mut said = String::new();
        let mut unit: Vec<String> = Vec::new();
        for event in self.events.try_iter() {
            match event {
                Event::Begin => unit.push("(".to_owned()),
                // Nobody goes on with this run.
                Event::Position(part, _) => panic!("a position of {part}"),
                Event::End => {
                    unit.sort_by_key(|word| word.starts_with('+') as u8 + !word.starts_with('(') as u8);
                    said += &format!("{})", unit.join(" ").replace("( ", "("));
                    unit.clear();
                }
                Event::Rows(parsed) => {
                    for (key, row, diff) in changes(&parsed, &dtypes) {
                        let text: Vec<String> = row.iter().map(show).collect();
                        let text = text.join("/");
                        unit.push(format!("{}{text}", if diff > 0 { '+' } else { '-' }));
                        assert_eq!(diff.abs(), 1);
                        *self.rows.entry((key, text)).or_default() += diff;
                    }
                    self.rejected
                        .extend(parsed.rejected.iter().map(|r| String::from_utf8_lossy(&r.raw).into_owned()));
                }
            }
        }
        self.rows.retain(|_, count| *count != 0);
        assert!(self.rows.values().all(|count| *count > 0), "rows were removed that are not there");
        said + &unit.join(" ")
    }

    /// Lets the reader look again, and tells what it did.
    fn step(&mut self) -> String {
        self.steps.send(()).unwrap();
        self.look()
    }

    /// The texts of all rows that are there, sorted.
    fn now(&self) -> Vec<&str> {
        let mut texts: Vec<&str> = self.rows.keys().map(|(_, text)| &**text).collect();
        texts.sort_unstable();
        texts
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        let (closed, _) = channel();
        drop(std::mem::replace(&mut self.steps, closed));
        if let Some(reader) = self.reader.take() {
            assert!(matches!(reader.join(), Ok(Ok(()))) || std::thread::panicking());
        }
    }
}

fn show(value: &Value) -> String {
    match value {
        Value::Str(text) => text.to_string(),
        Value::Json(_) => "{}".to_owned(),
        Value::Error => "ERROR".to_owned(),
        Value::Int(v) => v.to_string(),
        other => other.to_string(),
    }
}

fn append(path: &Path, text: &str) {
    use std::io::Write as _;
    let mut file = fs::File::options().append(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

#[test]
fn lines_that_are_appended_and_completed() {
    let directory = TempDir::new().unwrap();
    let path = write(directory.path(), "a", "x\nabc");
    let mut live = Live::plain(directory.path());
    assert_eq!(live.look(), "(+x +abc)");
    assert_eq!(live.step(), "");
    append(&path, "def\nnew\n");
    assert_eq!(live.step(), "(-abc +abcdef +new)");
    append(&path, "more");
    assert_eq!(live.step(), "(+more)");
    append(&path, "\n");
    assert_eq!(live.step(), "()");
    append(&path, "\n\n");
    assert_eq!(live.step(), "(+ +)");
    assert_eq!(live.step(), "");
    assert_eq!(live.now(), ["", "", "abcdef", "more", "new", "x"]);
}

#[test]
fn rewritten_files_give_the_difference() {
    let directory = TempDir::new().unwrap();
    let path = write(directory.path(), "a", "l1\nl2\nl3\nl4\n");
    let mut live = Live::plain(&path);
    live.look();
    write(directory.path(), "a", "l1\nl2222\nl3\nl4\n");
    assert_eq!(live.step(), "(-l2 +l2222)");
    write(directory.path(), "a", "l1\nl3\n");
    assert_eq!(live.step(), "(-l2222 -l3 -l4 +l3)");
    write(directory.path(), "a", "l1\nl3\n");
    assert_eq!(live.step(), "");
    write(directory.path(), "a", "");
    assert_eq!(live.step(), "(-l1 -l3)");
    write(directory.path(), "a", "l1");
    assert_eq!(live.step(), "(+l1)");
    // The same length, written at once.
    write(directory.path(), "a", "L1");
    assert_eq!(live.step(), "(-l1 +L1)");
    // The same length and modification time: the file is looked into as long as it is fresh.
    let modified = fs::metadata(&path).unwrap().modified().unwrap();
    write(directory.path(), "a", "M1");
    fs::File::options().append(true).open(&path).unwrap().set_modified(modified).unwrap();
    assert_eq!(live.step(), "(-L1 +M1)");
}

#[test]
fn files_come_go_and_move() {
    let directory = TempDir::new().unwrap();
    let root = directory.path();
    let mut live = Live::plain(root.join("in"));
    assert_eq!(live.look(), "");
    date(&write(root, "in/b", "b1\nb2"), 2);
    date(&write(root, "in/sub/a", "a1"), 1);
    assert_eq!(live.step(), "(+a1)(+b1 +b2)");
    fs::rename(root.join("in/b"), root.join("in/c")).unwrap();
    assert_eq!(live.step(), "((-b1 -b2 +b1 +b2))", "a rename is one unit");
    assert_eq!(live.now(), ["a1", "b1", "b2"]);
    fs::remove_file(root.join("in/c")).unwrap();
    assert_eq!(live.step(), "(-b1 -b2)");
    fs::remove_dir_all(root.join("in")).unwrap();
    assert_eq!(live.step(), "(-a1)");
    assert_eq!(live.step(), "");
    write(root, "in/sub/a", "a1");
    assert_eq!(live.step(), "(+a1)");
}

#[test]
fn a_missing_file_is_waited_for() {
    let directory = TempDir::new().unwrap();
    let mut live = Live::plain(directory.path().join("later.txt"));
    assert_eq!(live.look(), "");
    write(directory.path(), "later.txt", "x");
    assert_eq!(live.step(), "(+x)");
    let mut live = Live::plain(directory.path().join("*.log"));
    assert_eq!(live.look(), "");
    write(directory.path(), "1.log", "y");
    assert_eq!(live.step(), "(+y)");
}

#[test]
fn csv_files_grow_and_change_their_header() {
    let directory = TempDir::new().unwrap();
    let columns = schema(&[("a", DType::Int), ("b", DType::Str)]);
    let path = write(directory.path(), "x.csv", "a,b\n1,x\n2,\"open");
    let source = FileSource::new(&path, csv(), Some(columns), ReadMode::Streaming).unwrap();
    let mut live = Live::new(source);
    assert_eq!(live.look(), "(+1/x +2/open)");
    append(&path, "\nclosed\"\r\n");
    assert_eq!(live.step(), "(-2/open +2/open\nclosed)");
    append(&path, "bad,y\r\n3");
    assert_eq!(live.step(), "(+ERROR/y)");
    assert_eq!(live.rejected, ["3"]);
    append(&path, ",z");
    assert_eq!(live.step(), "(+3/z)");
    let text = fs::read_to_string(&path).unwrap().replace("a,b", "b,a");
    write(directory.path(), "x.csv", text);
    // The bytes of the records are the same, but mean other rows.
    live.step();
    assert_eq!(live.now(), ["ERROR/1", "ERROR/2", "ERROR/3", "ERROR/bad"]);
    write(directory.path(), "x.csv", "a,");
    live.step();
    assert_eq!(live.now(), Vec::<&str>::new());
    append(&path, "b\n5,v");
    assert_eq!(live.step(), "(+5/v)");
}

#[test]
fn json_lines_that_are_half_written() {
    let directory = TempDir::new().unwrap();
    let columns = schema(&[("a", DType::Int)]);
    let path = write(directory.path(), "x.jsonl", "{\"a\":1}\n{\"a\"");
    let mut live = Live::new(FileSource::new(&path, json(), Some(columns), ReadMode::Streaming).unwrap());
    assert_eq!(live.look(), "(+1)");
    assert_eq!(live.rejected, ["{\"a\""]);
    append(&path, ":2}\n\n[1]\n{\"a\":3}");
    assert_eq!(live.step(), "(+2 +3)");
    append(&path, "\n");
    assert_eq!(live.step(), "()");
    // What is rejected is reported once.
    assert_eq!(live.rejected, ["{\"a\"", "[1]"]);
    let text = fs::read_to_string(&path).unwrap().replace(":2", ":20");
    write(directory.path(), "x.jsonl", text);
    assert_eq!(live.step(), "(-2 +20)");
    assert_eq!(live.rejected, ["{\"a\"", "[1]"]);
}

#[test]
fn metadata_changes_with_the_file() {
    let directory = TempDir::new().unwrap();
    let path = write(directory.path(), "x", "a\nb\n");
    let source = FileSource::new(&path, FormatSpec::PlainText, None, ReadMode::Streaming).unwrap();
    let mut live = Live::new(source.with_metadata(true));
    assert_eq!(live.look(), "(+{}/a +{}/b)");
    append(&path, "c\n");
    assert_eq!(live.step(), "(-{}/a -{}/b +{}/a +{}/b +{}/c)");
    date(&path, 5);
    assert_eq!(live.step(), "(-{}/a -{}/b -{}/c +{}/a +{}/b +{}/c)");
    assert_eq!(live.step(), "");
    fs::remove_file(&path).unwrap();
    live.step();
    assert_eq!(live.now(), Vec::<&str>::new());

    // Projected away, metadata does not matter.
    write(directory.path(), "x", "a\nb\n");
    let source = FileSource::new(&path, FormatSpec::OnlyMetadata, None, ReadMode::Streaming).unwrap();
    let mut live = Live::new(source);
    assert_eq!(live.look(), "+{}");
    date(&path, 6);
    assert_eq!(live.step(), "-{} +{}");
    assert_eq!(live.step(), "");
    fs::remove_file(&path).unwrap();
    assert_eq!(live.step(), "(-{})");
}

#[test]
fn whole_files_change() {
    let directory = TempDir::new().unwrap();
    let path = write(directory.path(), "x", "");
    let source = FileSource::new(&path, FormatSpec::PlainTextByFile, None, ReadMode::Streaming).unwrap();
    let mut live = Live::new(source);
    assert_eq!(live.look(), "(+)");
    append(&path, "a\nb\n");
    assert_eq!(live.step(), "(- +a\nb)");
    // Stripped, the text is the same.
    append(&path, "\n\n");
    assert_eq!(live.step(), "()");
    append(&path, "c");
    assert_eq!(live.step(), "(-a\nb +a\nb\n\n\nc)");
}

#[test]
fn large_files_are_compared_and_removed_from_the_copy() {
    let directory = TempDir::new().unwrap();
    let lines: Vec<String> = (0..200_000).map(|i| format!("line {i} of a large file")).collect();
    let path = write(directory.path(), "x", lines.join("\n"));
    let mut live = Live::plain(&path);
    live.look();
    assert_eq!(live.rows.len(), 200_000);
    append(&path, "!\nnew");
    assert_eq!(live.step(), "(-line 199999 of a large file +line 199999 of a large file! +new)");
    let mut changed = lines.clone();
    changed[100_000] = "another".to_owned();
    changed[5] = "x".repeat(3 << 20);
    write(directory.path(), "x", changed.join("\n"));
    let said = live.step();
    assert_eq!(said.matches(['+', '-']).count(), 2 + 2 + 2 + 1, "{}", &said[..200]);
    fs::remove_file(&path).unwrap();
    live.step();
    assert!(live.now().is_empty());
}

#[test]
fn rows_with_primary_keys_follow_their_values() {
    let directory = TempDir::new().unwrap();
    let columns = Schema::new([Field::new("k", DType::Int).primary_key(), Field::new("v", DType::Str)]);
    let path = write(directory.path(), "x", "k,v\n1,a\n2,b\n3,c\n");
    let mut live = Live::new(FileSource::new(&path, csv(), Some(columns), ReadMode::Streaming).unwrap());
    assert_eq!(live.look(), "(+1/a +2/b +3/c)");
    // Rows that only move stay.
    write(directory.path(), "x", "k,v\n3,c\n2,B\n1,a\nzz,d\n");
    assert_eq!(live.step(), "(-2/b +2/B)");
    assert_eq!(live.rejected, ["zz,d"]);
}

#[test]
#[cfg(target_os = "linux")]
fn files_that_cannot_be_read_are_taken_back() {
    let directory = TempDir::new().unwrap();
    let path = write(directory.path(), "x", "a\nb\n");
    let mut live = Live::plain(&path);
    assert_eq!(live.look(), "(+a +b)");
    // What cannot even be opened keeps its rows, since nothing is known.
    fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink(&path, &path).unwrap();
    assert_eq!(live.step(), "");
    fs::remove_file(&path).unwrap();
    assert_eq!(live.step(), "(-a -b)");
    // A file of the system that refuses to be read.
    let mut live = Live::plain("/proc/self/mem");
    assert_eq!(live.look(), "()");
    assert_eq!(live.step(), "()");
    assert!(live.now().is_empty());
}

#[test]
fn several_readers_share_the_files() {
    let directory = TempDir::new().unwrap();
    for i in 0..50 {
        write(directory.path(), &i.to_string(), i.to_string());
    }
    let source = FileSource::new(directory.path(), FormatSpec::PlainText, None, ReadMode::Streaming).unwrap();
    let readers = source.open(3, None).unwrap();
    assert_eq!(readers.len(), 3);
    let (events, received) = channel();
    for reader in readers {
        // Without steps, the reader stops at its first pause.
        reader
            .run(&mut Recorder { events: events.clone(), stop: Arc::default(), steps: None, pauses: None })
            .unwrap();
    }
    drop(events);
    let rows: usize = parsed(received.iter().collect()).iter().map(|parsed| parsed.batch.len()).sum();
    assert_eq!(rows, 50);
    let single =
        FileSource::new(directory.path().join("1"), FormatSpec::PlainText, None, ReadMode::Streaming)
            .unwrap();
    assert_eq!(single.open(3, None).unwrap().len(), 1);
}
