//! How fast formats read and write on one core: `cargo run --release --example parse_throughput`,
//! followed by a part of a name to run only some of it. Where the system tells it, time is that of
//! the processor, so that a busy machine disturbs less.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pathway_connectors::formats::csv::{CsvEncoder, CsvSettings};
use pathway_connectors::formats::json::{JsonEncoder, JsonSettings};
use pathway_connectors::formats::{Format, FormatSpec, Origin, RowBuilder};
use pathway_io::{Encoder, Parsed};
use pathway_types::{DType, Field, Schema};

/// The size of a chunk, as the file source cuts it.
const CHUNK: usize = 1 << 20;
/// How much of each kind is parsed.
const BYTES: usize = 64 << 20;

/// A small generator of numbers that look random.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

fn word(random: &mut Random) -> String {
    let len = 3 + random.below(6);
    (0..len).map(|_| char::from(b'a' + random.below(26) as u8)).collect()
}

/// A point in the time that this thread has spent on a processor, or in real time.
#[derive(Clone, Copy)]
struct Moment(Instant, Option<Duration>);

impl Moment {
    fn now() -> Self {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
        let nanos = text.and_then(|text| text.split(' ').next()?.parse().ok());
        Moment(Instant::now(), nanos.map(Duration::from_nanos))
    }
    fn elapsed(&self) -> Duration {
        let now = Moment::now();
        match (now.1, self.1) {
            (Some(now), Some(then)) => now.saturating_sub(then),
            _ => now.0 - self.0,
        }
    }
}

/// True if this part is asked for.
fn wanted(name: &str) -> bool {
    std::env::args().nth(1).is_none_or(|part| name.contains(&part))
}

/// Parses whole documents chunk by chunk; the last chunk's rows.
fn parse(name: &str, format: &dyn Format, document: &[u8]) -> Option<Parsed> {
    if !wanted(name) {
        return None;
    }
    let started = Moment::now();
    let start = format.preamble(document, false)?;
    let decoder = format.decoder(&document[..start]);
    let origin = Origin::new("bench", b"bench", format.unit());
    let (mut at, mut rows, mut cutting) = (start, 0u64, 0.0);
    let mut last = None;
    while at < document.len() {
        let end = (at + CHUNK).min(document.len());
        let before = Moment::now();
        let cut = format.cut(&document[at..end], end == document.len(), u64::MAX);
        cutting += before.elapsed().as_secs_f64();
        let mut builder = RowBuilder::new(format.layout(), &origin, rows, cut.records as usize, cut.bytes);
        decoder.decode(&document[at..at + cut.bytes], &mut builder);
        let parsed = black_box(builder.finish());
        assert_eq!((parsed.rejected.len(), parsed.cell_errors.len()), (0, 0));
        assert_eq!(parsed.batch.len() as u64, cut.records);
        last = Some(parsed);
        rows += cut.records;
        at += cut.bytes;
    }
    report(name, document.len(), rows, started, &format!(", of which cutting {:.0} ms", cutting * 1e3));
    last
}

fn report(name: &str, bytes: usize, rows: u64, started: Moment, more: &str) {
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "{name:34} {:7.0} MB/s {:7.2} M rows/s  ({:.0} ms{more})",
        bytes as f64 / 1e6 / seconds,
        rows as f64 / 1e6 / seconds,
        seconds * 1e3
    );
}

fn encode(name: &str, encoder: &dyn Encoder, parsed: &Parsed) {
    if !wanted(name) {
        return;
    }
    let mut out = Vec::new();
    let (mut bytes, mut rows) = (0, 0);
    let started = Moment::now();
    while bytes < BYTES {
        out.clear();
        encoder.encode(&parsed.batch, 1_737_082_923_120, &mut out);
        bytes += black_box(&out).len();
        rows += parsed.batch.len() as u64;
    }
    report(name, bytes, rows, started, "");
}

fn schema(fields: &[(&str, DType)]) -> Schema {
    Schema::new(fields.iter().map(|(name, dtype)| Field::new(*name, dtype.clone())))
}

fn compile(spec: &FormatSpec, schema: &Schema, columns: &[usize]) -> Arc<dyn Format> {
    spec.compile(schema, columns)
}

fn main() {
    let mut random = Random(0x1234_5678_9ABC_DEF1);
    let mixed = schema(&[
        ("id", DType::Int),
        ("count", DType::Int),
        ("price", DType::Float),
        ("name", DType::Str),
        ("city", DType::Str),
    ]);
    let words = schema(&[("word", DType::Str)]);

    let mut plain = b"id,count,price,name,city\n".to_vec();
    let mut quoted = b"\"id\",\"count\",\"price\",\"name\",\"city\"\n".to_vec();
    let mut objects = Vec::new();
    let mut id = 0;
    while plain.len() < BYTES {
        id += 1;
        let (count, price) = (random.below(100_000), random.below(10_000_000) as f64 / 100.0);
        let (name, city) = (word(&mut random), word(&mut random));
        plain.extend(format!("{id},{count},{price},{name},{city}\n").bytes());
        quoted.extend(format!("\"{id}\",\"{count}\",\"{price}\",\"{name}\",\"{city}\"\n").bytes());
        objects.extend(
            format!("{{\"id\": {id}, \"count\": {count}, \"price\": {price}, \"name\": \"{name}\", \"city\": \"{city}\"}}\n")
                .bytes(),
        );
    }
    let mut lines = Vec::new();
    while lines.len() < BYTES {
        lines.extend(format!("{{\"word\": \"{}\"}}\n", word(&mut random)).bytes());
    }

    let csv = FormatSpec::Csv(CsvSettings::default());
    let json = FormatSpec::Json(JsonSettings::default());
    for _ in 0..2 {
        let all = parse("csv, 5 columns", &*compile(&csv, &mixed, &[0, 1, 2, 3, 4]), &plain);
        parse("csv, 1 of 5 columns", &*compile(&csv, &mixed, &[3]), &plain);
        parse("csv, 5 quoted columns", &*compile(&csv, &mixed, &[0, 1, 2, 3, 4]), &quoted);
        let some = parse("json lines, {\"word\": ...}", &*compile(&json, &words, &[0]), &lines);
        parse("json lines, 5 fields", &*compile(&json, &mixed, &[0, 1, 2, 3, 4]), &objects);
        parse("json lines, 1 of 5 fields", &*compile(&json, &mixed, &[3]), &objects);
        let text = FormatSpec::PlainText;
        if let Ok(data) = text.columns(None) {
            parse("plaintext", &*compile(&text, &data, &[0]), &lines);
        }
        if let (Some(all), Some(some)) = (all, some) {
            encode("csv out, 5 columns", &CsvEncoder::new(&mixed, b','), &all);
            encode("json out, 5 columns", &JsonEncoder::new(&mixed), &all);
            encode("json out, {\"word\": ...}", &JsonEncoder::new(&words), &some);
        }
        println!();
    }
}
