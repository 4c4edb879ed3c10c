//! Missing values filled in from the rows before and after (`interpolate`).
//!
//! *State*: the places of all rows in the order of time, and for each column the places of its values.
//! *Cost*: a logarithm per change, and as much for each row of the gap that a changed value ends.
//! *Changes*: at the end of a time, the rows whose values are others than before.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Bound, Range};

use pathway_types::key::SHARD_MASK;
use pathway_types::{Batch, Column, ColumnBuilder, DType, DataError, Diffs, ErrorKind, Key, Keys, Value};

use crate::context::{Context, Site};
use crate::kernels::consolidate::consolidate;
use crate::operator::{Emitter, Operator, Progress, State, WrongState};
use crate::store::ordered::{Word, float_of_word, int_of_word};
use crate::store::{OrderKey, Ordered, Place, of_tree};

type At = Place<Word>;

/// A cell of a value column.
#[derive(Clone, Copy, Debug)]
enum Cell {
    Missing,
    Is(f64),
    Error,
}

impl Cell {
    fn same(self, other: Cell) -> bool {
        match (self, other) {
            (Cell::Is(a), Cell::Is(b)) => a.to_bits() == b.to_bits(),
            (Cell::Missing, Cell::Missing) | (Cell::Error, Cell::Error) => true,
            _ => false,
        }
    }
}

/// The operator. Columns of its input: the time, then values, all FLOAT or Optional(FLOAT).
pub struct Interpolate {
    inputs: Vec<DType>,
    order: Ordered<Word>,
    /// For each column its values that are there, errors included, of rows that have a time.
    known: Vec<BTreeMap<At, Cell>>,
    /// Cells of rows without a time: they are what they are.
    apart: BTreeMap<At, Vec<Cell>>,
    batches: Vec<Batch>,
    context: Context,
    site: Site,
}

impl Interpolate {
    /// For an input with columns of these dtypes.
    pub fn new(inputs: Vec<DType>, context: Context, site: Site) -> Self {
        let known = inputs[1..].iter().map(|_| BTreeMap::new()).collect();
        Interpolate {
            inputs,
            order: Ordered::default(),
            known,
            apart: BTreeMap::new(),
            batches: Vec::new(),
            context,
            site,
        }
    }

    /// The time since another one and whether it is there.
    fn since(&self, at: &At, other: &At) -> f64 {
        if *self.inputs[0].unoptional() == DType::Float {
            let moment = |at: &At| float_of_word(at.key).unwrap_or(f64::NAN);
            return moment(at) - moment(other);
        }
        let moment = |at: &At| i128::from(int_of_word(at.key).unwrap_or_default());
        (moment(at) - moment(other)) as f64
    }

    fn cell(&self, at: &At, column: usize) -> Cell {
        if let Some(cells) = self.apart.get(at) {
            return cells[column];
        }
        let known = &self.known[column];
        if let Some(cell) = known.get(at) {
            return *cell;
        }
        let before = known.range(..at).next_back();
        let after = known.range(at..).next();
        match (before, after) {
            (None, None) => Cell::Missing,
            (Some((_, cell)), None) | (None, Some((_, cell))) => *cell,
            (Some((t0, Cell::Is(v0))), Some((t1, Cell::Is(v1)))) => {
                let gap = self.since(t1, t0);
                // Between rows of one time there is nothing to interpolate over.
                if gap == 0.0 { Cell::Is(*v0) } else { Cell::Is(v0 + self.since(at, t0) * (v1 - v0) / gap) }
            }
            _ => Cell::Error,
        }
    }

    /// These rows and those that are filled in from them, in order.
    fn affected(&self, touched: &[(At, Vec<Cell>, i64)]) -> Vec<At> {
        let mut all: BTreeSet<At> = touched.iter().map(|(at, ..)| at.clone()).collect();
        for (column, known) in self.known.iter().enumerate() {
            // Gaps between known values, by the value that they follow.
            let mut gaps: BTreeSet<Option<&At>> = BTreeSet::new();
            for (at, cells, _) in touched {
                if !matches!(cells[column], Cell::Missing) && is_timed(at) {
                    gaps.insert(known.range(..at).next_back().map(|(at, _)| at));
                    gaps.extend(known.get_key_value(at).map(|(at, _)| Some(at)));
                }
            }
            for start in gaps {
                let from = start.map_or(Bound::Unbounded, Bound::Excluded);
                let end = known.range::<At, _>((from, Bound::Unbounded)).next().map(|(at, _)| at);
                let to = end.map_or(Bound::Unbounded, Bound::Excluded);
                all.extend(self.order.range((from, to)).cloned());
            }
        }
        all.into_iter().collect()
    }

    fn results(&self, rows: &[At]) -> Vec<Option<Vec<Cell>>> {
        let all = |at: &At| (0..self.known.len()).map(|column| self.cell(at, column)).collect();
        rows.iter().map(|at| self.order.contains(at).then(|| all(at))).collect()
    }

    /// The rows of a batch, removals first.
    fn rows(&self, batch: &Batch) -> Vec<(At, Vec<Cell>, i64)> {
        let keys = Word::of(&batch.columns[0], &self.inputs[0]);
        let cell = |row: usize, column: usize| match batch.columns[column].value(&self.inputs[column], row) {
            Value::Float(value) => Cell::Is(value),
            Value::None => Cell::Missing,
            _ => Cell::Error,
        };
        let rows = keys.into_iter().zip(batch.keys.as_slice()).enumerate();
        let rows = rows.map(|(row, (key, id))| {
            let cells = (1..self.inputs.len()).map(|column| cell(row, column)).collect();
            (Place { instance: Key::EMPTY.0, key, id: *id }, cells, batch.diffs.get(row))
        });
        let mut rows: Vec<_> = rows.collect();
        rows.sort_by_key(|(_, _, diff)| *diff > 0);
        rows
    }

    fn absorb(&mut self, rows: Vec<(At, Vec<Cell>, i64)>) {
        for (at, cells, diff) in rows {
            for (column, cell) in cells.iter().enumerate().filter(|_| is_timed(&at)) {
                match cell {
                    Cell::Missing => {}
                    _ if diff > 0 => _ = self.known[column].insert(at.clone(), *cell),
                    _ => _ = self.known[column].remove(&at),
                }
            }
            if !is_timed(&at) {
                if diff > 0 {
                    self.apart.insert(at.clone(), cells)
                } else {
                    self.apart.remove(&at)
                };
            }
            let id = at.id;
            if !self.order.add(at, diff) && diff > 0 {
                let message = format!("several rows have the id {}, but an order needs unique ids", Key(id));
                self.context.data_error(&self.site, &DataError::new(ErrorKind::Key, message));
            }
        }
    }

    fn columns<'a>(&self, rows: impl Iterator<Item = &'a Vec<Cell>> + Clone) -> Vec<Column> {
        let column = |i: usize| {
            let mut builder = ColumnBuilder::new(&self.inputs[i + 1], rows.clone().count());
            for cells in rows.clone() {
                match cells[i] {
                    Cell::Is(value) => builder.push_float(value),
                    Cell::Missing => builder.push_none(),
                    Cell::Error => builder.push_error(),
                }
            }
            builder.finish()
        };
        (0..self.known.len()).map(column).collect()
    }
}

/// True if the row has a time.
fn is_timed(at: &At) -> bool {
    int_of_word(at.key).is_some()
}

impl Operator for Interpolate {
    fn apply(&mut self, _input: usize, batch: Batch, _progress: &Progress, _out: &mut Emitter) {
        self.batches.push(batch);
    }

    fn flush(&mut self, _progress: &Progress, out: &mut Emitter) {
        let batches = std::mem::take(&mut self.batches);
        if batches.is_empty() {
            return;
        }
        let touched = self.rows(&consolidate(Batch::concat(&batches), &self.inputs));
        let rows = self.affected(&touched);
        let old = self.results(&rows);
        self.absorb(touched);
        let new = self.results(&rows);
        let same = |a: &Option<Vec<Cell>>, b: &Option<Vec<Cell>>| match (a, b) {
            (Some(a), Some(b)) => a.iter().zip(b).all(|(a, b)| a.same(*b)),
            (None, None) => true,
            _ => false,
        };
        let changed: Vec<bool> = old.iter().zip(&new).map(|(old, new)| !same(old, new)).collect();
        for (cells, diff) in [(&old, -1), (&new, 1)] {
            let rows = || rows.iter().zip(cells).zip(&changed).filter(|(_, changed)| **changed);
            let there = || rows().filter_map(|((at, cells), _)| Some((at.id, cells.as_ref()?)));
            let ids: Vec<u128> = there().map(|(id, _)| id).collect();
            let diffs = Diffs::from(vec![diff; ids.len()]);
            out.emit(Batch::new(ids.into(), self.columns(there().map(|(_, cells)| cells)), diffs));
        }
    }

    fn wants(&self, _input: usize, _progress: &Progress) -> bool {
        true
    }

    /// All rows under one key: the row id, the time, the values.
    fn save(&mut self, shards: Range<u32>) -> Result<State, DataError> {
        if !shards.contains(&((Key::EMPTY.0 & SHARD_MASK) as u32)) {
            return Ok(State::default());
        }
        let (mut ids, mut keys, mut cells, mut counts) = (vec![], vec![], vec![], vec![]);
        for (at, count) in self.order.counted() {
            ids.push(at.id);
            keys.push(at.key);
            counts.push(count);
            let known = |column: usize| match self.apart.get(at) {
                Some(cells) => cells[column],
                None => self.known[column].get(at).copied().unwrap_or(Cell::Missing),
            };
            cells.push((0..self.known.len()).map(known).collect::<Vec<Cell>>());
        }
        let owner = Keys::from(vec![Key::EMPTY.0; ids.len()]);
        let columns = [vec![Keys::from(ids).to_column(), Word::save(keys)], self.columns(cells.iter())];
        Ok(State::of_tables([("rows", Batch::new(owner, columns.concat(), counts.into()))]))
    }

    fn load(&mut self, state: State) -> Result<(), WrongState> {
        for (_, rows) in state.tables {
            if rows.columns.len() != self.inputs.len() + 1 {
                return Err(WrongState(format!("{} columns", rows.columns.len())));
            }
            let (ids, keys) = (Keys::of_column(&rows.columns[0]), Word::load(&rows.columns[1]));
            if keys.len() != rows.len() {
                return Err(WrongState("the rows are ordered by something else".to_owned()));
            }
            let mut values = rows.clone();
            values.columns.remove(0);
            values.keys = ids;
            values.columns[0] = Column::nulls(&self.inputs[0], rows.len());
            let mut loaded = self.rows(&Batch { diffs: Diffs::Ones(rows.len()), ..values });
            for (row, (at, _, diff)) in loaded.iter_mut().enumerate() {
                (at.key, *diff) = (keys[row], rows.diffs.get(row));
            }
            self.absorb(loaded);
        }
        Ok(())
    }

    fn memory(&self) -> usize {
        let known: usize = self.known.iter().map(BTreeMap::len).sum();
        self.order.memory() + of_tree::<(At, Cell)>(known + self.apart.len())
    }
}
