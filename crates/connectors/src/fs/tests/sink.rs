//! Output files.

use super::*;
use crate::formats::testing::batch;

fn columns() -> Schema {
    schema(&[("k", DType::Int), ("s", DType::Str)])
}

fn sink(path: &Path, format: OutputFormat) -> FileSink {
    FileSink::new(path, format, columns()).unwrap()
}

#[test]
fn changes_are_written_and_flushed_with_each_time() {
    let directory = TempDir::new().unwrap();
    let rows = batch(&columns().dtypes(), &[vec![1.into(), "a\"b".into()], vec![2.into(), "é".into()]]);
    for (format, header, first) in [
        (
            OutputFormat::Csv,
            "\"k\",\"s\",\"time\",\"diff\"\n",
            "\"1\",\"a\"\"b\",\"4\",\"1\"\n\"2\",\"é\",\"4\",\"1\"\n",
        ),
        (
            OutputFormat::JsonLines,
            "",
            "{\"k\":1,\"s\":\"a\\\"b\",\"diff\":1,\"time\":4}\n{\"k\":2,\"s\":\"é\",\"diff\":1,\"time\":4}\n",
        ),
    ] {
        let path = write(directory.path(), "out", "what was there before, which is longer than the header");
        let sink = sink(&path, format);
        let mut writer = sink.open(None).unwrap();
        // The header is there before any row.
        assert_eq!(fs::read_to_string(&path).unwrap(), header);
        writer.write(&rows, 4).unwrap();
        writer.end_time(4).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{header}{first}"));
        let mut encoded = Vec::new();
        sink.encoder().unwrap().encode(&rows.negate(), 6, &mut encoded);
        writer.write_encoded(&encoded, 6).unwrap();
        writer.end().unwrap();
        let second = first.replace("\"4\",\"1\"", "\"6\",\"-1\"").replace("1,\"time\":4", "-1,\"time\":6");
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{header}{first}{second}"));
    }
}

#[test]
fn much_output_is_written_before_its_time_ends() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("out");
    let sink = sink(&path, OutputFormat::JsonLines);
    let mut writer = sink.open(None).unwrap();
    let rows = batch(&columns().dtypes(), &vec![vec![1.into(), "x".repeat(1000).as_str().into()]; 1000]);
    writer.write(&rows, 2).unwrap();
    assert!(fs::metadata(&path).unwrap().len() > 1_000_000);
    let mut encoded = Vec::new();
    sink.encoder().unwrap().encode(&rows, 2, &mut encoded);
    writer.write_encoded(&encoded, 2).unwrap();
    writer.end().unwrap();
    let text = fs::read(&path).unwrap();
    assert_eq!(text.len(), 2 * encoded.len());
    assert!(text.starts_with(&encoded) && text.ends_with(&encoded));
}

#[test]
fn files_that_cannot_be_created() {
    let directory = TempDir::new().unwrap();
    for path in [directory.path().join("missing/out.csv"), directory.path().to_owned()] {
        let Err(error) = sink(&path, OutputFormat::Csv).open(None) else {
            panic!("opened {}", path.display())
        };
        assert_eq!(error.class, FailureClass::Os);
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    }
    assert_eq!(FileSink::new("", OutputFormat::Csv, columns()).unwrap_err().class, FailureClass::Value);
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_an_error() {
    let mut writer = sink(Path::new("/dev/full"), OutputFormat::JsonLines).open(None).unwrap();
    writer.write(&batch(&columns().dtypes(), &[vec![1.into(), "a".into()]]), 2).unwrap();
    let error = writer.end_time(2).unwrap_err();
    assert_eq!(error.class, FailureClass::Os);
    assert!(error.to_string().contains("/dev/full"), "{error}");
}

#[test]
fn descriptions() {
    assert_eq!(sink(Path::new("a/b"), OutputFormat::Csv).description(), "csv(a/b)");
    assert_eq!(sink(Path::new("a/b"), OutputFormat::JsonLines).description(), "jsonlines(a/b)");
    assert_eq!(crate::null::NullSink.description(), "null");
    let mut null = crate::null::NullSink.open(None).unwrap();
    null.write(&batch(&columns().dtypes(), &[]), 2).unwrap();
    null.end_time(2).unwrap();
    null.end().unwrap();
}

#[test]
fn a_later_run_goes_on_where_a_checkpoint_was() {
    let directory = TempDir::new().unwrap();
    let rows = batch(&columns().dtypes(), &[vec![1.into(), "x".into()]]);
    let path = directory.path().join("out");
    let sink = sink(&path, OutputFormat::Csv);
    let line = |time: u64| format!("\"1\",\"x\",\"{time}\",\"1\"\n");
    let put = |writer: &mut dyn Writer, time: u64| {
        writer.write(&rows, time).unwrap();
        writer.end_time(time).unwrap();
    };
    let mut writer = sink.open(None).unwrap();
    put(&mut *writer, 2);
    let position = writer.position().unwrap();
    (writer.durable().unwrap())().unwrap();
    put(&mut *writer, 4);
    drop(writer);

    let mut writer = sink.open(Some(&position)).unwrap();
    assert_eq!(writer.position().unwrap(), position);
    put(&mut *writer, 6);
    writer.end().unwrap();
    let header = "\"k\",\"s\",\"time\",\"diff\"\n";
    assert_eq!(fs::read_to_string(&path).unwrap(), format!("{header}{}{}", line(2), line(6)));

    // What somebody has cut off or taken away is not made up.
    fs::write(&path, "cut").unwrap();
    drop(sink.open(Some(&position)).unwrap());
    assert_eq!(fs::read_to_string(&path).unwrap(), header);
    fs::remove_file(&path).unwrap();
    drop(sink.open(Some(&position)).unwrap());
    assert_eq!(fs::read_to_string(&path).unwrap(), header);
}
