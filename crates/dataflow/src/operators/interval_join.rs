//! Interval joins: pairs of rows with equal keys whose times are so far apart, no less and no more.
//!
//! *State*: the rows of each side by key and time, with each row of a kept side the number of its
//! partners; nothing of a side once the other side has ended. *Cost*: a logarithm and the matches per
//! change; a gather per pair. *Changes*: pairs are emitted as they arise; unmatched rows at the end of a
//! time, as the net difference. Where results are *kept*, a row that is removed at an odd time is forgotten:
//! nothing is emitted, and its partners still count it.
//!
//! Both inputs come in shipped form ([`ShipTimed`](super::ship_timed::ShipTimed)); the left one has the
//! shard of each pair's id as the last column of its rows.

use std::cmp::Ordering;
use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;

use pathway_plan::program::{Bounds, JoinMode, JoinStep};
use pathway_types::{Batch, Column, DType, DataError, Diffs, Key, KeyHasher, Keys, key::tag};

use super::ship_timed::{BucketWidth, ShipTimed, float_of_tick, tick_of_float};
use crate::kernels::consolidate::consolidate;
use crate::operator::{Emitter, Keyed, Operator, Progress, State, WrongState};
use crate::operators::join::pair_id;
use crate::store::{Handle, TimeEntry, Timed, TimedRows, Timeline};

/// The names of the sides in saved state.
const SIDES: [&str; 2] = ["left", "right"];
/// Pairs per emitted batch.
const EMIT_ROWS: usize = 32 * 1024;

/// The first and the last time that a left row at `tick` is matched with, if there are such times.
#[inline]
pub(crate) fn reach(bounds: Bounds, tick: i64) -> Option<(i64, i64)> {
    match bounds {
        Bounds::Int(lower, upper) => {
            // What is beyond all times is cut off, which takes no time away.
            let (tick, least, most) = (i128::from(tick), i128::from(i64::MIN), i128::from(i64::MAX));
            let first = (tick + i128::from(lower)).max(least);
            let last = (tick + i128::from(upper)).min(most);
            (first <= last).then_some((first as i64, last as i64))
        }
        Bounds::Float(lower, upper) => {
            let time = float_of_tick(tick);
            Some((tick_of_float(time + lower), tick_of_float(time + upper)))
        }
    }
}

/// Where a right time is, seen from the times that a left row is matched with: before, among or after them.
#[inline]
pub(crate) fn place(bounds: Bounds, left: i64, right: i64) -> Ordering {
    let (is_before, is_after) = match bounds {
        Bounds::Int(lower, upper) => {
            let apart = i128::from(right) - i128::from(left);
            (apart < lower.into(), apart > upper.into())
        }
        Bounds::Float(lower, upper) => {
            let time = float_of_tick(left);
            (right < tick_of_float(time + lower), right > tick_of_float(time + upper))
        }
    };
    match (is_before, is_after) {
        (true, _) => Ordering::Less,
        (_, true) => Ordering::Greater,
        _ => Ordering::Equal,
    }
}

/// The rows of the other side that a row of `side` at `tick` is matched with.
#[inline]
fn matches(bounds: Bounds, side: usize, tick: i64, line: &Timeline) -> impl Iterator<Item = TimeEntry> + '_ {
    // What is added to a left time grows with it, so a right row's partners are neighbours, too.
    let start = match side {
        0 => line.seek(|right| place(bounds, tick, right.tick).is_lt()),
        _ => line.seek(|left| place(bounds, left.tick, tick).is_gt()),
    };
    line.from(start).take_while(move |other| match side {
        0 => place(bounds, tick, other.tick).is_eq(),
        _ => place(bounds, other.tick, tick).is_eq(),
    })
}

/// An interval join as the operator needs it.
#[derive(Clone, Debug)]
pub struct IntervalSpec {
    /// The mode.
    pub mode: JoinMode,
    /// Which times match.
    pub bounds: Bounds,
    /// Dtypes of the shipped columns of the two sides that the result has.
    pub dtypes: [Vec<DType>; 2],
    /// Append the ids of the left and the right row.
    pub row_ids: [bool; 2],
    /// Rows that are removed at odd times leave the state, but not the result.
    pub keeps: bool,
}

impl IntervalSpec {
    /// A join of a program, whose inputs have these columns.
    pub(crate) fn of(step: &JoinStep, bounds: Bounds, inputs: [&[DType]; 2]) -> Self {
        let dtypes = [(0, &step.left_columns), (1, &step.right_columns)].map(|(side, columns)| {
            let columns: &Vec<usize> = columns;
            columns.iter().map(|column| inputs[side][*column].clone()).collect()
        });
        let row_ids = [step.left_id, step.right_id];
        IntervalSpec { mode: step.mode, bounds, dtypes, row_ids, keeps: false }
    }

    /// What brings the rows of the two sides into shipped form.
    pub(crate) fn ships(&self, step: &JoinStep, times: [usize; 2], inputs: [&[DType]; 2]) -> [ShipTimed; 2] {
        let buckets = (BucketWidth::from(self.bounds), step.left_on.clone());
        ShipTimed::sides(step, times, inputs, [Some(buckets), None])
    }

    /// True if unmatched rows of this side are kept.
    pub(crate) fn preserves(&self, side: usize) -> bool {
        match side {
            0 => matches!(self.mode, JoinMode::Left | JoinMode::Outer),
            _ => matches!(self.mode, JoinMode::Right | JoinMode::Outer),
        }
    }

    /// The results for pairs of rows; the ids of left rows have these shards.
    pub(crate) fn pairs(&self, left: Batch, shards: &Column, right: Batch, diffs: Diffs) -> Batch {
        let shards = shards.array().as_primitive::<Int64Type>().values();
        let mut hasher = KeyHasher::default();
        let ids = shards.iter().enumerate().map(|(row, shard)| {
            let (left, right) = (left.keys.get(row), right.keys.get(row));
            let pair = Key(pair_id(&mut hasher, Some(left), Some(right), Key(*shard as u128)));
            match self.mode {
                JoinMode::Inner => pair.0,
                _ => numbered_id(&mut hasher, pair, 0),
            }
        });
        let ids: Vec<u128> = ids.collect();
        let mut columns = left.columns;
        columns.extend(right.columns);
        if self.row_ids[0] {
            columns.push(left.keys.to_column());
        }
        if self.row_ids[1] {
            columns.push(right.keys.to_column());
        }
        Batch::new(ids.into(), columns, diffs)
    }

    /// The results for rows of one side without a partner.
    pub(crate) fn unmatched(&self, side: usize, batch: Batch) -> Batch {
        let number = match (side, self.mode) {
            (1, JoinMode::Outer) => 2,
            _ => 1,
        };
        let mut hasher = KeyHasher::default();
        let ids = batch.keys.as_slice().iter().map(|id| numbered_id(&mut hasher, Key(*id), number));
        let ids: Keys = ids.collect::<Vec<_>>().into();
        let len = batch.len();
        let own = batch.columns.into_iter().take(self.dtypes[side].len());
        let missing = self.dtypes[1 - side].iter().map(|dtype| Column::nulls(dtype, len));
        let mut columns: Vec<Column> =
            if side == 0 { own.chain(missing).collect() } else { missing.chain(own).collect() };
        for (wanted, of) in self.row_ids.iter().zip(0..) {
            if *wanted {
                let own = of == side;
                columns.push(if own {
                    batch.keys.to_column()
                } else {
                    Column::nulls(&DType::ANY_POINTER, len)
                });
            }
        }
        Batch::new(ids, columns, batch.diffs)
    }
}

/// The operator of interval joins.
pub struct IntervalJoin {
    spec: IntervalSpec,
    /// Unmatched rows of this side are kept.
    preserved: [bool; 2],
    sides: [TimedRows; 2],
    /// Changes of the open time, with removals, where results are kept: a row that comes as it goes is still
    /// the same row, with the partners that it had.
    waiting: [Vec<Batch>; 2],
}

impl IntervalJoin {
    /// An operator for the spec.
    pub fn new(spec: IntervalSpec) -> Self {
        let preserved = [0, 1].map(|side| spec.preserves(side));
        let sides = [0, 1].map(|side| TimedRows::new(stored(&spec, side)));
        IntervalJoin { spec, preserved, sides, waiting: Default::default() }
    }

    /// True if what is removed at the open time is forgotten.
    fn forgets(&self, progress: &Progress) -> bool {
        self.spec.keeps && progress.time & 1 == 1
    }

    /// Takes changes of one side.
    fn join(&mut self, side: usize, rows: &Timed, progress: &Progress, out: &mut Emitter) {
        if self.forgets(progress) {
            return self.sides[side].apply(&rows.keys, &rows.ticks, &rows.batch, |_| 0);
        }
        let partners = self.match_rows(side, rows, out);
        let other = 1 - side;
        let kept = self.preserved[side];
        // Nothing can come that would be matched against these rows.
        if !self.spec.keeps && progress.ended[other] && progress.applied[other] {
            if kept {
                let lonely: Vec<u32> =
                    (0..partners.len() as u32).filter(|row| partners[*row as usize] == 0).collect();
                out.emit(self.spec.unmatched(side, rows.batch.take(&lonely)));
            }
            return;
        }
        let notes = |row: usize| if kept { partners[row] } else { 0 };
        self.sides[side].apply(&rows.keys, &rows.ticks, &rows.batch, notes);
    }

    /// Emits the pairs of new rows of one side with the stored rows of the other. Gives, for a kept
    /// side, the number of partners of each new row.
    fn match_rows(&mut self, side: usize, rows: &Timed, out: &mut Emitter) -> Vec<i32> {
        let mut partners = if self.preserved[side] { vec![0; rows.batch.len()] } else { Vec::new() };
        let other = 1 - side;
        if self.sides[other].is_empty() {
            return partners;
        }
        self.sides[other].settle();
        let bounds = self.spec.bounds;
        let mut pairs = Pairs::default();
        let mut found: Vec<TimeEntry> = Vec::new();
        for (row, (key, tick)) in rows.keys.as_slice().iter().zip(&*rows.ticks).enumerate() {
            let Some(line) = self.sides[other].line(*key) else { continue };
            found.clear();
            found.extend(matches(bounds, side, *tick, line));
            if found.is_empty() {
                continue;
            }
            pairs.mine.extend(std::iter::repeat_n(row as u32, found.len()));
            pairs.theirs.extend(found.iter().map(|entry| entry.row));
            let diff = rows.batch.diffs.get(row);
            let counts = found.iter().map(|entry| self.sides[other].count(entry.row));
            pairs.diffs.extend(counts.clone().map(|count| diff * i64::from(count)));
            if self.preserved[side] {
                partners[row] = counts.sum();
            }
            if self.preserved[other] {
                for entry in &found {
                    let note = self.sides[other].note(entry.row) + diff as i32;
                    self.sides[other].set_note(*entry, note);
                }
            }
            if pairs.mine.len() >= EMIT_ROWS {
                self.emit_pairs(side, rows, &mut pairs, out);
            }
        }
        self.emit_pairs(side, rows, &mut pairs, out);
        partners
    }

    fn emit_pairs(&self, side: usize, rows: &Timed, pairs: &mut Pairs, out: &mut Emitter) {
        if pairs.mine.is_empty() {
            return;
        }
        let pairs = std::mem::take(pairs);
        let Some(theirs) = self.sides[1 - side].gather(&pairs.theirs) else { return };
        let mine = rows.batch.take(&pairs.mine);
        let (mut left, right) = if side == 0 { (mine, theirs) } else { (theirs, mine) };
        let Some(shards) = left.columns.pop() else { return };
        out.emit(self.spec.pairs(left, &shards, right, Diffs::from(pairs.diffs)));
    }

    /// The net difference of unmatched rows of one side.
    fn flush_unmatched(&self, side: usize, out: &mut Emitter) {
        let rows = &self.sides[side];
        let (mut handles, mut diffs) = (Vec::new(), Vec::new());
        let unmatched = |partners: i32, count: i32| if partners == 0 { i64::from(count) } else { 0 };
        for change in rows.changes() {
            let row = change.entry.row;
            let now = unmatched(rows.note(row), rows.count(row));
            let diff = now - unmatched(change.note, change.count);
            if diff != 0 {
                handles.push(row);
                diffs.push(diff);
            }
        }
        if let Some(mut batch) = rows.gather(&handles) {
            batch.diffs = diffs.into();
            out.emit(self.spec.unmatched(side, batch));
        }
    }
}

/// The dtypes of the rows that are stored: the left ones have the shard of the id, too.
fn stored(spec: &IntervalSpec, side: usize) -> Vec<DType> {
    let mut dtypes = spec.dtypes[side].clone();
    dtypes.extend((side == 0).then_some(DType::Int));
    dtypes
}

/// Pairs of rows by their place in the batch and their number in the store.
#[derive(Default)]
struct Pairs {
    mine: Vec<u32>,
    theirs: Vec<Handle>,
    diffs: Vec<i64>,
}

/// The id made of a row's id and a number.
pub(crate) fn numbered_id(hasher: &mut KeyHasher, id: Key, number: i64) -> u128 {
    hasher.clear();
    hasher.pointer(id);
    hasher.i64(tag::INT, number);
    hasher.finish().0
}

impl Operator for IntervalJoin {
    fn apply(&mut self, input: usize, batch: Batch, progress: &Progress, out: &mut Emitter) {
        if self.spec.keeps && !batch.diffs.is_ones() {
            self.waiting[input].push(batch);
        } else if let Some(rows) = Timed::unpack(batch) {
            self.join(input, &rows, progress, out);
        }
    }

    fn flush(&mut self, progress: &Progress, out: &mut Emitter) {
        for side in 0..2 {
            let waiting = std::mem::take(&mut self.waiting[side]);
            if !waiting.is_empty() {
                let mut dtypes = stored(&self.spec, side);
                dtypes.extend([DType::Int, DType::optional(DType::ANY_POINTER)]);
                if let Some(rows) = Timed::unpack(consolidate(Batch::concat(&waiting), &dtypes)) {
                    self.join(side, &rows, progress, out);
                }
            }
        }
        for side in 0..2 {
            self.sides[side].settle();
            if self.preserved[side] && !self.forgets(progress) {
                self.flush_unmatched(side, out);
            }
            if progress.ended[1 - side] && !self.spec.keeps {
                self.sides[side] = TimedRows::new(stored(&self.spec, side));
            }
            self.sides[side].tidy();
        }
    }

    /// Rows wait until one side is complete: that side is stored, the other matched against it.
    fn wants(&self, input: usize, progress: &Progress) -> bool {
        progress.complete[input] || progress.complete[1 - input]
    }

    fn save(&mut self, shards: Range<u32>) -> Result<State, DataError> {
        let tables = (0..2).map(|side| {
            let rows = &self.sides[side];
            // The partners may be gone: nobody needs them once the other side has ended.
            let kept = self.preserved[side];
            (SIDES[side], if kept { rows.save_with_notes(&shards) } else { rows.save(&shards) })
        });
        Ok(State::of_tables(tables))
    }

    fn load(&mut self, state: State) -> Result<(), WrongState> {
        for (name, table) in state.tables {
            let Some(side) = SIDES.iter().position(|side| *side == name) else {
                return Err(WrongState(format!("an interval join has no table {name}")));
            };
            if self.preserved[side] {
                self.sides[side].load_with_notes(table)?;
            } else {
                self.sides[side].load(table, 0)?;
            }
        }
        self.sides.iter_mut().for_each(TimedRows::tidy);
        Ok(())
    }

    fn memory(&self) -> usize {
        self.sides.iter().map(TimedRows::memory).sum()
    }

    fn keyed(&mut self) -> Option<&mut dyn Keyed> {
        Some(self)
    }
}

impl Keyed for IntervalJoin {
    fn holds(&self, key: u128) -> bool {
        self.sides.iter().any(|side| side.holds(key))
    }

    fn clear(&mut self) {
        self.sides.iter_mut().for_each(TimedRows::clear);
    }

    fn at_once(&self) -> bool {
        self.spec.keeps
    }
}
