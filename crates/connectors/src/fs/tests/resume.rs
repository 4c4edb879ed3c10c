//! Sources that go on where an earlier run was.

use std::collections::BTreeMap;
use std::sync::Mutex;

use pathway_io::{Objects, Resume};

use super::*;

/// Keeps objects in memory.
#[derive(Debug, Default)]
struct Kept(Mutex<Vec<Vec<u8>>>);

impl Objects for Kept {
    fn put(&self, content: Vec<u8>) -> Result<String, ConnectorError> {
        let mut all = self.0.lock().unwrap();
        all.push(content);
        Ok((all.len() - 1).to_string())
    }
    fn get(&self, name: &str) -> Result<Vec<u8>, ConnectorError> {
        Ok(self.0.lock().unwrap()[name.parse::<usize>().unwrap()].clone())
    }
}

/// One run after another over the same files.
#[derive(Debug, Default)]
struct Runs {
    objects: Arc<Kept>,
    positions: BTreeMap<String, Position>,
}

impl Runs {
    /// The texts that a run adds (1) and removes (-1), in order of their names.
    fn next(&mut self, source: &FileSource, parallelism: usize) -> Vec<(String, i64)> {
        let (events, received) = channel();
        let resume = Resume {
            positions: self.positions.clone(),
            objects: self.objects.clone(),
            run: 1,
            records: false,
        };
        for reader in source.open(parallelism, Some(resume)).unwrap() {
            let events = events.clone();
            let mut output = Recorder { events, stop: Arc::default(), steps: None, pauses: None };
            reader.run(&mut output).unwrap();
        }
        drop(events);
        let mut net: BTreeMap<String, i64> = BTreeMap::new();
        let mut depth = 0;
        for event in received {
            match event {
                Event::Rows(parsed) => {
                    for (_, row, diff) in changes(&parsed, &source.schema().dtypes()) {
                        let Value::Str(text) = &row[0] else { panic!("{} is not text", row[0]) };
                        *net.entry(text.to_string()).or_insert(0) += diff;
                    }
                }
                Event::Begin => depth += 1,
                Event::End => depth -= 1,
                Event::Position(part, position) => {
                    assert_eq!(depth, 1, "a position comes with the rows that it covers");
                    match position {
                        Some(position) => self.positions.insert(part, position),
                        None => self.positions.remove(&part),
                    };
                }
            }
        }
        net.retain(|_, diff| *diff != 0);
        net.into_iter().collect()
    }
}

fn row(text: &str, diff: i64) -> (String, i64) {
    (text.to_owned(), diff)
}

#[test]
fn only_what_has_changed_is_read_again() {
    let folder = TempDir::new().unwrap();
    let (source, mut runs) = (plain(folder.path()), Runs::default());
    write(folder.path(), "a", "one\ntwo\n");
    write(folder.path(), "b", "three\n");
    assert_eq!(runs.next(&source, 1), [row("one", 1), row("three", 1), row("two", 1)]);
    assert_eq!(runs.next(&source, 2), []);

    write(folder.path(), "a", "one\ntwo\nfour");
    assert_eq!(runs.next(&source, 3), [row("four", 1)]);
    write(folder.path(), "a", "one\ntwo\nfourteen\n");
    assert_eq!(runs.next(&source, 1), [row("four", -1), row("fourteen", 1)]);
    // Its content is put together from what several runs have kept.
    fs::remove_file(folder.path().join("a")).unwrap();
    assert_eq!(runs.next(&source, 2), [row("fourteen", -1), row("one", -1), row("two", -1)]);
    write(folder.path(), "b", "drei\n");
    assert_eq!(runs.next(&source, 1), [row("drei", 1), row("three", -1)]);
    assert_eq!(runs.positions.len(), 1);
}

#[test]
fn it_is_told_how_much_is_read_again() {
    let folder = TempDir::new().unwrap();
    let (source, mut runs) = (plain(folder.path()), Runs::default());
    let lengths = |runs: &Runs| {
        let resume = Resume {
            positions: runs.positions.clone(),
            objects: runs.objects.clone(),
            run: 1,
            records: false,
        };
        let mut lengths = Lengths::default();
        for reader in source.open(2, Some(resume)).unwrap() {
            reader.run(&mut lengths).unwrap();
        }
        assert_eq!(lengths.read.iter().sum::<u64>(), lengths.expected);
        lengths
    };
    let lines: String = (0..200_000).map(|i| format!("line {i:06}\n")).collect();
    date(&write(folder.path(), "a", &lines), 1000);
    date(&write(folder.path(), "b", "three\n"), 1000);
    let all = lengths(&runs);
    assert_eq!(all.expected, lines.len() as u64 + 6);
    assert!(all.read.len() > 3, "it is told before a file has been read: {:?}", all.read);
    runs.next(&source, 1);
    assert_eq!(lengths(&runs).expected, 0);

    date(&write(folder.path(), "a", format!("{lines}more\n")), 1001);
    fs::remove_file(folder.path().join("b")).unwrap();
    assert_eq!(lengths(&runs).expected, lines.len() as u64 + 5);
    date(&write(folder.path(), "a", "less\n"), 1002);
    assert_eq!(lengths(&runs).expected, 5);
}

#[test]
fn large_files_are_kept_in_pieces() {
    let folder = TempDir::new().unwrap();
    let (source, mut runs) = (plain(folder.path()), Runs::default());
    let text = |from: usize, to: usize| -> String { (from..to).map(|i| format!("line {i:06}\n")).collect() };
    write(folder.path(), "a", text(0, 250_000));
    assert_eq!(runs.next(&source, 1).len(), 250_000);
    assert_eq!(runs.positions.values().next().unwrap().objects.len(), 3);
    write(folder.path(), "a", text(0, 250_010));
    assert_eq!(runs.next(&source, 1).len(), 10);
    write(folder.path(), "a", text(0, 100_000));
    let gone = runs.next(&source, 1);
    assert_eq!(gone.len(), 150_010);
    assert!(gone.iter().all(|(_, diff)| *diff == -1));
    fs::remove_file(folder.path().join("a")).unwrap();
    assert_eq!(runs.next(&source, 1).len(), 100_000);
    assert!(runs.positions.is_empty());
}

#[test]
fn what_is_no_position_is_refused() {
    let folder = TempDir::new().unwrap();
    let position = Position { value: b"{}".to_vec(), objects: Vec::new() };
    let positions = BTreeMap::from([("a".to_owned(), position)]);
    let resume = Resume { positions, objects: Arc::<Kept>::default(), run: 1, records: false };
    let reader = plain(folder.path()).open(1, Some(resume)).unwrap().remove(0);
    let (events, _received) = channel();
    let mut output = Recorder { events, stop: Arc::default(), steps: None, pauses: None };
    let error = reader.run(&mut output).unwrap_err();
    assert!(error.to_string().contains("position"), "{error}");
}
