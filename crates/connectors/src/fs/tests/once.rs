//! Static sources.

use super::*;

#[test]
fn files_directories_and_globs() {
    let directory = TempDir::new().unwrap();
    let root = directory.path();
    for (i, name) in
        ["b.txt", "a.txt", ".hidden.txt", "d/c.csv", "d/.e/x1.txt", "d/.e/x2.txt"].iter().enumerate()
    {
        date(&write(root, name, name), 100 + i as u64);
    }
    assert_eq!(texts(&plain(root.join("a.txt"))), ["a.txt"]);
    assert_eq!(
        texts(&plain(root)),
        ["b.txt", "a.txt", ".hidden.txt", "d/c.csv", "d/.e/x1.txt", "d/.e/x2.txt"]
    );
    assert_eq!(texts(&plain(root.join("*.txt"))), ["b.txt", "a.txt", ".hidden.txt"]);
    assert_eq!(texts(&plain(root.join("?.txt"))), ["b.txt", "a.txt"]);
    assert_eq!(texts(&plain(root.join("[ax].txt"))), ["a.txt"]);
    assert_eq!(texts(&plain(root.join("**/x*.txt"))), ["d/.e/x1.txt", "d/.e/x2.txt"]);
    assert_eq!(texts(&plain(root.join("d*"))), ["d/c.csv", "d/.e/x1.txt", "d/.e/x2.txt"]);
    // What several matches have in common is read once (`**` alone matches directories only).
    assert_eq!(texts(&plain(root.join("**"))), ["d/c.csv", "d/.e/x1.txt", "d/.e/x2.txt"]);
    assert_eq!(texts(&plain(root.join("**/*"))).len(), 6);
    let pattern = |pattern| texts(&plain(root).object_pattern(pattern).unwrap());
    assert_eq!(pattern("x*"), ["d/.e/x1.txt", "d/.e/x2.txt"]);
    assert_eq!(pattern("d*"), Vec::<String>::new());
    assert_eq!(texts(&plain(root.join("missing"))), Vec::<String>::new());
    assert_eq!(texts(&plain(root.join("missing/*.txt"))), Vec::<String>::new());
    // A file whose name looks like a pattern is itself.
    write(root, "q[1].txt", "literal");
    assert_eq!(texts(&plain(root.join("q[1].txt"))), ["literal"]);
}

#[test]
fn settings_that_make_no_sense() {
    let directory = TempDir::new().unwrap();
    let malformed = plain(directory.path().join("a[b.txt"));
    for mode in [ReadMode::Static, ReadMode::Streaming] {
        let source =
            FileSource::new(directory.path().join("***"), FormatSpec::PlainText, None, mode).unwrap();
        let Err(error) = source.open(1, None) else { panic!("a malformed pattern was opened") };
        assert_eq!(error.class, FailureClass::Os);
        assert!(error.to_string().contains("***"), "{error}");
    }
    assert!(malformed.open(1, None).is_err());
    assert_eq!(plain("x").object_pattern("[").unwrap_err().class, FailureClass::Value);
    let no_path = FileSource::new("", FormatSpec::PlainText, None, ReadMode::Static).unwrap_err();
    assert_eq!(no_path.class, FailureClass::Value);
    let no_schema = FileSource::new("x", csv(), None, ReadMode::Static).unwrap_err();
    assert_eq!(no_schema.class, FailureClass::Value);
}

#[test]
#[cfg(unix)]
fn links_are_followed_and_lead_to_each_file_once() {
    use std::os::unix::fs::symlink;
    let directory = TempDir::new().unwrap();
    let root = directory.path();
    write(root, "in/real.txt", "real");
    write(root, "in/sub/deep.txt", "deep");
    write(root, "out/far.txt", "far");
    symlink(root.join("in/real.txt"), root.join("in/again.txt")).unwrap();
    symlink(root.join("in/sub"), root.join("in/a_link")).unwrap();
    symlink(root.join("in"), root.join("in/sub/loop")).unwrap();
    symlink(root.join("out"), root.join("in/elsewhere")).unwrap();
    symlink(root.join("nowhere"), root.join("in/broken")).unwrap();
    let source = plain(root.join("in")).with_metadata(true);
    let mut rows: Vec<(String, String)> = read(&source)
        .into_iter()
        .map(|row| match &row[..] {
            [Value::Json(metadata), Value::Str(text)] => {
                let path = metadata.to_value()["path"].as_str().unwrap().to_owned();
                (text.to_string(), path.strip_prefix(root.join("in").to_str().unwrap()).unwrap().to_owned())
            }
            row => panic!("{row:?}"),
        })
        .collect();
    rows.sort();
    let rows: Vec<(&str, &str)> = rows.iter().map(|(text, path)| (&**text, &**path)).collect();
    assert_eq!(rows, [("deep", "/sub/deep.txt"), ("far", "/elsewhere/far.txt"), ("real", "/real.txt")]);
    // The way to the source may itself be a link.
    symlink(root.join("in"), root.join("entry")).unwrap();
    assert_eq!(texts(&plain(root.join("entry"))).len(), 3);
    assert_eq!(texts(&plain(root.join("in/again.txt"))), ["real"]);
}

#[test]
fn metadata_and_projection() {
    let directory = TempDir::new().unwrap();
    let columns = schema(&[("a", DType::Int), ("b", DType::Str)]);
    let path = write(directory.path(), "x.csv", "a,b\n1,x\nbad,y\n");
    date(&path, 1_000_000);
    let source = FileSource::new(&path, csv(), Some(columns), ReadMode::Static).unwrap().with_metadata(true);
    let names: Vec<&str> = source.schema().names().collect();
    assert_eq!(names, ["_metadata", "a", "b"]);
    let events = parsed(read_events(&source, 1).unwrap());
    let rows = changes(&events[0], &source.schema().dtypes());
    assert_eq!(rows[1].1[1..], [Value::Error, "y".into()]);
    assert_eq!((events[0].cell_errors[0].row, events[0].cell_errors[0].column), (1, 1));
    let Value::Json(metadata) = &rows[0].1[0] else { panic!("no metadata") };
    let metadata = metadata.to_value();
    let keys: Vec<&String> = metadata.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["created_at", "modified_at", "owner", "path", "size", "seen_at"]);
    assert_eq!(metadata["modified_at"], 1_000_000);
    assert_eq!(metadata["size"], 14);
    assert_eq!(metadata["path"], path.to_str().unwrap());
    assert!(metadata["seen_at"].as_u64().unwrap() > 1_700_000_000);

    // Any choice and order of columns keeps the keys.
    for (projection, expected) in
        [(vec![2, 0], vec![Some("x"), None]), (vec![2], vec![Some("x")]), (vec![], vec![])]
    {
        let projected = source.project(&projection);
        let events = parsed(read_events(&*projected, 1).unwrap());
        let projected_rows = changes(&events[0], &projected.schema().dtypes());
        assert_eq!(
            projected_rows.iter().map(|r| r.0).collect::<Vec<_>>(),
            rows.iter().map(|r| r.0).collect::<Vec<_>>()
        );
        for (cell, text) in projected_rows[0].1.iter().zip(&expected) {
            match text {
                Some(text) => assert_eq!(*cell, Value::from(*text)),
                None => assert!(matches!(cell, Value::Json(_))),
            }
        }
        // What is not read cannot be wrong.
        assert!(events[0].cell_errors.is_empty());
    }
    let again = source.project(&[2, 0]).project(&[1]);
    assert_eq!(again.schema().names().collect::<Vec<_>>(), ["_metadata"]);
    assert!(matches!(read(&*again)[0][..], [Value::Json(_)]));
}

#[test]
fn whole_files() {
    let directory = TempDir::new().unwrap();
    date(&write(directory.path(), "a", " x\ny \n"), 1);
    date(&write(directory.path(), "b", ""), 2);
    let source = |format| FileSource::new(directory.path(), format, None, ReadMode::Static).unwrap();
    assert_eq!(texts(&source(FormatSpec::PlainTextByFile)), ["x\ny", ""]);
    let bytes = read(&source(FormatSpec::Binary));
    assert_eq!(bytes, [[Value::Bytes(b" x\ny \n"[..].into())], [Value::Bytes([].into())]]);
    let metadata = source(FormatSpec::OnlyMetadata);
    assert_eq!(metadata.schema().names().collect::<Vec<_>>(), ["_metadata"]);
    assert_eq!(read(&metadata).len(), 2);
    // Without looking at the content, there is still a row for each file.
    assert_eq!(read(&*source(FormatSpec::Binary).project(&[])), vec![Vec::<Value>::new(); 2]);
}

#[test]
fn every_file_has_its_own_header_and_unit() {
    let directory = TempDir::new().unwrap();
    date(&write(directory.path(), "1.csv", "a,b\n1,x\n"), 1);
    date(&write(directory.path(), "2.csv", "b,a\ny,2\n"), 2);
    date(&write(directory.path(), "3.csv", ""), 3);
    date(&write(directory.path(), "4.csv", "b,c\nz,3\n"), 4);
    let columns = schema(&[("a", DType::Int), ("b", DType::Str)]);
    let source = FileSource::new(directory.path(), csv(), Some(columns), ReadMode::Static).unwrap();
    let events = read_events(&source, 1).unwrap();
    let shape: String = events
        .iter()
        .map(|event| match event {
            Event::Begin => '(',
            Event::End => ')',
            Event::Rows(_) => 'r',
            Event::Position(..) => 'p',
        })
        .collect();
    assert_eq!(shape, "(r)(r)()(r)");
    let parsed = parsed(events);
    let rows: Vec<_> = parsed.iter().flat_map(|parsed| cells(parsed, &source.schema().dtypes())).collect();
    assert_eq!(rows, [[1.into(), Value::from("x")], [2.into(), "y".into()]]);
    assert!(parsed[2].rejected[0].position.ends_with("4.csv, record 1"));
    let keys: Vec<u128> = parsed.iter().flat_map(|p| p.batch.keys.as_slice().to_vec()).collect();
    assert_ne!(keys[0], keys[1]);
}

#[test]
fn several_readers_share_the_files() {
    let directory = TempDir::new().unwrap();
    for i in 0..20 {
        write(directory.path(), &i.to_string(), i.to_string());
    }
    let source = plain(directory.path());
    assert_eq!(source.open(3, None).unwrap().len(), 3);
    assert_eq!(plain(directory.path().join("1")).open(3, None).unwrap().len(), 1);
    let dtypes = source.schema().dtypes();
    let mut all: Vec<String> = parsed(read_events(&source, 3).unwrap())
        .iter()
        .flat_map(|parsed| cells(parsed, &dtypes))
        .map(|row| row[0].to_string())
        .collect();
    all.sort();
    let mut expected: Vec<String> = (0..20).map(|i| Value::from(i.to_string()).to_string()).collect();
    expected.sort();
    assert_eq!(all, expected);
}

#[test]
fn large_files_and_long_records_are_cut_and_put_together() {
    let directory = TempDir::new().unwrap();
    let columns = schema(&[("a", DType::Int), ("b", DType::Str)]);
    // Quoted line ends, records longer than a chunk, records that end around a chunk's border.
    let mut csv_text = "a,b\r\n".to_owned();
    let mut json_text = String::new();
    let mut expected = Vec::new();
    for i in 0..300_000i64 {
        let text = match i {
            7 => "long \"line\n\" ".repeat(300_000),
            30_000 => "\n".repeat(1 << 20),
            _ => format!("text {i},\n\"x\""),
        };
        csv_text += &format!("{i},\"{}\"\r\n", text.replace('"', "\"\""));
        json_text += &format!("{}\n", serde_json::json!({"b": text, "a": i}));
        expected.push(vec![Value::Int(i), Value::from(text)]);
    }
    for (format, text) in [(csv(), csv_text), (json(), json_text)] {
        let path = write(directory.path(), "large", &text);
        let source = FileSource::new(&path, format, Some(columns.clone()), ReadMode::Static).unwrap();
        let parsed = parsed(read_events(&source, 1).unwrap());
        assert!(parsed.len() > 4, "{} chunks of {} bytes", parsed.len(), text.len());
        let rows: Vec<_> = parsed.iter().flat_map(|parsed| cells(parsed, &columns.dtypes())).collect();
        assert!(rows == expected);
        // The keys are those that the records have in one piece.
        let keys: Vec<u128> = parsed.iter().flat_map(|p| p.batch.keys.as_slice().to_vec()).collect();
        let identity = path.to_str().unwrap().as_bytes();
        let origin = crate::formats::Origin::new("", identity, "");
        assert!(keys.iter().copied().eq((0..expected.len() as u64).map(|i| origin.key(i))));
    }
    let path = write(directory.path(), "whole", "x".repeat(5 << 20));
    let source = FileSource::new(&path, FormatSpec::PlainTextByFile, None, ReadMode::Static).unwrap();
    assert_eq!(texts(&source)[0].len(), 5 << 20);
}

#[test]
#[cfg(unix)]
fn files_that_cannot_be_read() {
    let directory = TempDir::new().unwrap();
    write(directory.path(), "a", "a");
    let source = plain(directory.path());
    // A file that goes between listing and opening is passed over.
    let readers = source.open(1, None).unwrap();
    fs::remove_file(directory.path().join("a")).unwrap();
    let (events, received) = channel();
    for reader in readers {
        reader
            .run(&mut Recorder { events: events.clone(), stop: Arc::default(), steps: None, pauses: None })
            .unwrap();
    }
    drop(events);
    assert_eq!(received.iter().count(), 0);
    // A name that is too long for the system is a failure that names the path.
    let long = directory.path().join("x".repeat(5000));
    let error = read_events(&plain(&long), 1).unwrap_err();
    assert_eq!(error.class, FailureClass::Os);
    assert!(error.to_string().contains("xxxx"));
}

#[test]
fn stopping_ends_reading_without_an_error() {
    let directory = TempDir::new().unwrap();
    write(directory.path(), "a", "a\n");
    let reader = plain(directory.path()).open(1, None).unwrap().remove(0);
    let (events, received) = channel();
    drop(received);
    reader.run(&mut Recorder { events, stop: Arc::default(), steps: None, pauses: None }).unwrap();
}

#[test]
fn primary_keys_are_those_of_the_values() {
    let directory = TempDir::new().unwrap();
    let columns = Schema::new([Field::new("k", DType::Str).primary_key(), Field::new("v", DType::Int)]);
    let path = write(directory.path(), "a", "{\"k\":\"x\",\"v\":1}\n{\"v\":2}\n{\"k\":\"x\",\"v\":3}\n");
    let source = FileSource::new(&path, json(), Some(columns), ReadMode::Static).unwrap();
    let parsed = parsed(read_events(&*source.project(&[1]), 1).unwrap());
    let key = pathway_types::Key::of(&["x".into()]).unwrap().0;
    assert_eq!(changes(&parsed[0], &[DType::Int]), [(key, vec![1.into()], 1), (key, vec![3.into()], 1)]);
    assert!(parsed[0].rejected[0].reason.contains("primary key"));
}

#[test]
fn descriptions_and_modes() {
    let source = FileSource::new("a/*.csv", csv(), Some(schema(&[])), ReadMode::Static).unwrap();
    assert_eq!(source.description(), "csv(a/*.csv)");
    assert!(source.insert_only());
    let source = FileSource::new("a", json(), Some(schema(&[])), ReadMode::Streaming).unwrap();
    assert_eq!(source.description(), "json(a)");
    assert!(!source.insert_only());
    assert_eq!(source.mode(), ReadMode::Streaming);
}

#[test]
fn how_much_there_is_to_read_is_told() {
    let directory = TempDir::new().unwrap();
    // Of more than one chunk.
    let long = "a line of a file\n".repeat(200_000);
    write(directory.path(), "a.txt", &long);
    write(directory.path(), "b.txt", "short");
    let gone = write(directory.path(), "c.txt", "vanishes");
    let grows = write(directory.path(), "d.txt", "grows\n");
    let mut readers = plain(directory.path()).open(2, None).unwrap();
    fs::remove_file(gone).unwrap();
    fs::write(grows, "grows and grows\n").unwrap();
    let all = long.len() as u64 + 5 + 8 + 6;
    let (mut first, mut second) = (Lengths::default(), Lengths::default());
    readers.remove(0).run(&mut first).unwrap();
    readers.remove(0).run(&mut second).unwrap();
    assert_eq!((first.expected, second.expected), (all, 0), "one tells for all");
    assert_eq!(first.read.iter().sum::<u64>() + second.read.iter().sum::<u64>(), all);
    assert!(first.read.iter().filter(|bytes| **bytes > 100_000).count() > 2, "{:?}", first.read);

    let named = FileSource::new(directory.path(), FormatSpec::OnlyMetadata, None, ReadMode::Static).unwrap();
    let mut output = Lengths::default();
    named.open(1, None).unwrap().remove(0).run(&mut output).unwrap();
    assert_eq!((output.expected, output.read.len()), (0, 0), "files are not read");
}
