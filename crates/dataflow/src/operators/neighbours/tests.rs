//! Against a plain model: small changes of large tables (which look up neighbours) and large ones (which
//! walk through the order), with state saved and loaded in between.

use std::collections::BTreeMap;
use std::sync::Arc;

use pathway_types::batch::hash_rows;
use pathway_types::{Batch, ColumnBuilder, DType, Key, Value};

use super::{Links, Neighbours, Previous, Show};
use crate::context::{Context, Monitor, Report, Site};
use crate::operator::{Emitter, Operator, Progress};
use crate::store::OrderKey;
use crate::store::ordered::{Text, Word};

struct Silent;

impl Monitor for Silent {
    fn report(&self, _report: Report<'_>) {}
}

struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) % n
    }
}

/// Rows by id: what they are ordered by, the instance, the cell.
type Table = BTreeMap<u128, (Value, i64, Value)>;
type Rows = BTreeMap<(u128, Vec<Value>), i64>;
/// A row, the one before it and the one after it, each by id and cell.
type Near<'a> = [Option<(&'a u128, &'a Value)>; 3];

fn column(dtype: &DType, values: impl Iterator<Item = Value>) -> pathway_types::Column {
    let mut builder = ColumnBuilder::new(dtype, 0);
    values.for_each(|value| builder.push(&value));
    builder.finish()
}

/// Changes about so many rows.
fn changes(table: &mut Table, key: &DType, about: u64, random: &mut Random) -> Batch {
    let (mut ids, mut rows, mut diffs) = (vec![], vec![], vec![]);
    for _ in 0..about {
        let id = u128::from(random.below(300)) * 977;
        if let Some(old) = table.remove(&id) {
            ids.push(id);
            rows.push(old);
            diffs.push(-1);
        }
        if random.below(4) > 0 {
            let number = random.below(40) as i64;
            let value = match (number, key.unoptional()) {
                (0, _) => Value::None,
                (1, _) => Value::Error,
                (n, DType::Int) => Value::Int(n),
                (n, _) => Value::from(n.to_string()),
            };
            let cell = if random.below(5) == 0 { Value::None } else { Value::Int(random.below(9) as i64) };
            let row = (value, random.below(3) as i64, cell);
            table.insert(id, row.clone());
            ids.push(id);
            rows.push(row);
            diffs.push(1);
        }
    }
    let instance = column(&DType::Int, rows.iter().map(|row| Value::Int(row.1)));
    let instance = hash_rows(&[(&instance, &DType::Int)], None, rows.len()).keys.to_column();
    let columns = vec![
        column(key, rows.iter().map(|row| row.0.clone())),
        instance,
        column(&cell(), rows.iter().map(|row| row.2.clone())),
    ];
    Batch::new(ids.into(), columns, diffs.into())
}

fn cell() -> DType {
    DType::optional(DType::Int)
}

/// What the whole table shows, given what a row, the one before and the one after make.
fn model(table: &Table, show: fn(Near<'_>) -> Vec<Value>) -> Rows {
    let mut rows: Vec<_> = table.iter().collect();
    rows.sort_by(|(id, a), (other, b)| (a.1, &a.0, *id).cmp(&(b.1, &b.0, *other)));
    let near = |i: Option<usize>, instance: i64| {
        let (id, row) = rows.get(i?)?;
        (row.1 == instance).then_some((*id, &row.2))
    };
    let shown = rows.iter().enumerate().map(|(i, (id, row))| {
        let around = [Some(i), i.checked_sub(1), Some(i + 1)].map(|i| near(i, row.1));
        ((**id, show(around)), 1)
    });
    shown.collect()
}

fn check<K: OrderKey, S: Show>(
    key: DType,
    new: fn() -> S,
    outputs: &[DType],
    show: fn(Near<'_>) -> Vec<Value>,
) {
    let inputs = [DType::optional(key), DType::ANY_POINTER, cell()];
    let context = Context::new(false, 1024, Arc::new(Silent));
    let shown = if outputs[0] == cell() { 3 } else { 2 };
    let inputs = inputs[..shown].to_vec();
    let fresh = || Neighbours::<K, S>::new(inputs.clone(), true, new(), context.clone(), Site::default());
    let (mut random, mut table, mut found, mut operator) = (Random(7), Table::new(), Rows::new(), fresh());
    for time in 0..60 {
        let about = if time % 10 == 0 { 250 } else { random.below(4) };
        let mut batch = changes(&mut table, &inputs[0], about, &mut random);
        batch.columns.truncate(shown);
        let mut out = Emitter::default();
        operator.apply(0, batch, &Progress::default(), &mut out);
        operator.flush(&Progress::default(), &mut out);
        for batch in out.take() {
            for row in 0..batch.len() {
                let cells = batch.columns.iter().zip(outputs).map(|(c, d)| c.value(d, row)).collect();
                *found.entry((batch.keys.as_slice()[row], cells)).or_insert(0) += batch.diffs.get(row);
            }
        }
        found.retain(|_, count| *count != 0);
        assert_eq!(found, model(&table, show), "time {time}");
        if time % 7 == 6 {
            let mut loaded = fresh();
            for shards in [0..30_000, 30_000..65_536] {
                loaded.load(operator.save(shards).unwrap()).unwrap();
            }
            operator = loaded;
        }
    }
}

fn ids([_, prev, next]: Near<'_>) -> Vec<Value> {
    [prev, next].map(|near| near.map_or(Value::None, |(id, _)| Value::Pointer(Key(*id)))).to_vec()
}

fn cells([own, prev, _]: Near<'_>) -> Vec<Value> {
    [own, prev].map(|near| near.map_or(Value::None, |(_, cell)| cell.clone())).to_vec()
}

#[test]
fn ids_of_neighbours() {
    let pointer = DType::optional(DType::ANY_POINTER);
    check::<Word, _>(DType::Int, || Links, &[pointer.clone(), pointer.clone()], ids);
    check::<Text, _>(DType::Str, || Links, &[pointer.clone(), pointer], ids);
}

#[test]
fn cells_of_the_row_before() {
    check::<Word, _>(DType::Int, || Previous::new(vec![cell()]), &[cell(), cell()], cells);
    check::<Text, _>(DType::Str, || Previous::new(vec![cell()]), &[cell(), cell()], cells);
}
