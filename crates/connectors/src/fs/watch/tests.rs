//! Files whose reading fails in the middle, as it may on a network disk.

use std::io::{Cursor, SeekFrom};

use pathway_io::{ParseJob, Parsed, Position, ReadMode, Source as _, SourceOutput, Stopped};
use pathway_types::Value;

use super::*;
use crate::formats::FormatSpec;
use crate::formats::testing::cells;
use crate::fs::FileSource;

/// Adds up what it is given.
#[derive(Default)]
struct Sum {
    rows: HashMap<(u128, String), i64>,
    changes: usize,
    depth: i32,
}

impl SourceOutput for Sum {
    fn rows(&mut self, parsed: Parsed) -> Result<(), Stopped> {
        assert_eq!(self.depth, 1, "rows outside of a unit");
        let texts = cells(&parsed, &[pathway_types::DType::Str]);
        for (i, row) in texts.into_iter().enumerate() {
            let Value::Str(text) = &row[0] else { panic!("no text") };
            *self.rows.entry((parsed.batch.keys.as_slice()[i], text.to_string())).or_default() +=
                parsed.batch.diffs.get(i);
            self.changes += 1;
        }
        self.rows.retain(|_, count| *count != 0);
        Ok(())
    }
    fn parse(&mut self, job: ParseJob) -> Result<(), Stopped> {
        self.rows(job())
    }
    fn commit(&mut self) -> Result<(), Stopped> {
        Ok(())
    }
    fn begin_atomic(&mut self) -> Result<(), Stopped> {
        self.depth += 1;
        Ok(())
    }
    fn end_atomic(&mut self) -> Result<(), Stopped> {
        self.depth -= 1;
        Ok(())
    }
    fn position(&mut self, _part: &str, _position: Option<Position>) -> Result<(), Stopped> {
        Ok(())
    }
    fn is_stopped(&self) -> bool {
        false
    }
    fn wait(&self, _timeout: Duration) -> Result<(), Stopped> {
        Ok(())
    }
}

/// A file that can be read up to some position.
struct Broken {
    file: Cursor<Vec<u8>>,
    up_to: u64,
}

impl Read for Broken {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let left = self.up_to.saturating_sub(self.file.position());
        if left == 0 {
            return Err(io::Error::other("the disk is gone"));
        }
        let wanted = out.len().min(left as usize);
        self.file.read(&mut out[..wanted])
    }
}

impl Seek for Broken {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

fn lines(from: usize, to: usize) -> String {
    (from..to).map(|i| format!("line {i} of a file of some megabytes\n")).collect()
}

fn state(size: usize) -> State {
    // Any file's metadata will do, except for the size.
    let metadata = std::fs::metadata(std::env::current_exe().unwrap()).unwrap();
    let mut fingerprint = Fingerprint::of(&metadata);
    fingerprint.size = size as u64;
    State { fingerprint, fresh: false, metadata: None }
}

#[test]
fn what_was_read_is_taken_back() {
    let source = FileSource::new("x", FormatSpec::PlainText, None, ReadMode::Streaming).unwrap();
    assert_eq!(source.schema().fields.len(), 1);
    let reading = source.reading();
    let mut sum = Sum::default();
    let spool = Rc::<RefCell<Spool>>::default();
    let mut watch = Watch {
        reading: &reading,
        output: &mut sum,
        spool: spool.clone(),
        lasting: false,
        owners: Owners::default(),
        files: HashMap::new(),
        complaints: HashMap::new(),
        progress: None,
    };
    let path = Path::new("x");
    let whole = |text: &str| Broken { file: Cursor::new(text.as_bytes().to_vec()), up_to: u64::MAX };
    let broken = |text: &str, up_to: u64| Broken { file: Cursor::new(text.as_bytes().to_vec()), up_to };
    let ok = |result: Result<(), Failure>| assert!(result.is_ok());

    // A new file that breaks off in its third megabyte.
    let text = lines(0, 100_000);
    ok(watch.compare(path, broken(&text, 2_500_000), state(text.len())));
    assert!(watch.files.is_empty() && watch.complaints.contains_key(path));
    // It gets well.
    ok(watch.compare(path, whole(&text), state(text.len())));
    assert!(watch.files.contains_key(path) && watch.complaints.is_empty());
    // A rewrite that breaks off takes everything back, old and new.
    let other = lines(50_000, 250_000);
    ok(watch.compare(path, broken(&other, text.len() as u64 + 2_000_000), state(other.len())));
    assert!(watch.files.is_empty());
    // What is appended breaks off while the file is checked: nothing happens.
    ok(watch.compare(path, whole(&text), state(text.len())));
    let longer = lines(0, 200_000);
    ok(watch.compare(path, broken(&longer, 1_000_000), state(longer.len())));
    assert!(watch.files.contains_key(path));
    // It breaks off behind the known part: all is taken back.
    ok(watch.compare(path, broken(&longer, text.len() as u64 + 2_000_000), state(longer.len())));
    assert!(watch.files.is_empty());
    // Nothing of what was kept is left behind, so the spool uses its blocks again.
    ok(watch.compare(path, whole(&longer), state(longer.len())));
    ok(watch.forget_in_unit(path));
    assert!(watch.files.is_empty());
    let changes = sum.changes;
    assert!(sum.rows.is_empty(), "{} rows are left of {changes} changes", sum.rows.len());
    assert!(changes > 600_000);
    assert_eq!(sum.depth, 0);
    assert!(spool.borrow().is_empty());
}

impl Watch<'_> {
    fn forget_in_unit(&mut self, path: &Path) -> Result<(), Failure> {
        self.output.begin_atomic()?;
        self.forget(path)?;
        Ok(self.output.end_atomic()?)
    }
}
