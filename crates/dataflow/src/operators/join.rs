//! Joins on equal keys, and lookups by pointer, which are joins with the indexed table's row ids.
//!
//! Where a side lends its ids to the result, each of its rows is to have one match. If it has several, this
//! is reported, and if the run goes on there is one row of it ([`Join::settle`]), with errors in the columns of
//! the other side.
//!
//! *State*: the rows of each side under their join key; nothing of a side once the other side has
//! ended; per key the number of rows where unmatched rows are kept. *Cost*: a hash lookup per change
//! and a gather per pair. *Changes*: pairs are emitted as they arise; unmatched rows at the end of a
//! time, as the net difference.
//!
//! Both inputs come in *shipped* form ([`ShipSide`]): the columns that the result needs, then the join
//! key as a pointer column, which routes the row. Where the key is null the row matches nothing.

mod settle;
mod ship;

use std::ops::Range;
use std::sync::Arc;

use arrow_array::Array;
use arrow_buffer::BooleanBuffer;
use hashbrown::hash_map::Entry as MapEntry;

use pathway_plan::program::{JoinIds, JoinMode, JoinStep, LookupStep};
use pathway_types::key::SHARD_MASK;
use pathway_types::{Batch, Column, DType, DataError, Diffs, ErrorKind, Key, KeyHasher, Keys};

pub use self::ship::{JoinKey, ShipSide};

use crate::context::{Context, Site};
use crate::kernels::consolidate::consolidate;
use crate::operator::{Emitter, Keyed, Operator, Progress, State, WrongState};
use crate::store::{KeyMap, MultiMap, RowId, new_key_map};

/// Pairs per emitted batch.
const EMIT_ROWS: usize = 32 * 1024;

/// What stands in the columns of a missing right side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pad {
    /// None.
    None,
    /// None, but an error for an error pointer.
    Unknown,
    /// An error, reported as a row that is missing in the table of this name; None for a None pointer.
    Missing(Arc<str>),
}

/// A join as the operator needs it.
#[derive(Clone, Debug)]
pub struct JoinSpec {
    /// The mode.
    pub mode: JoinMode,
    /// The ids of the result.
    pub ids: JoinIds,
    /// Dtypes of the shipped columns of the two sides, without the join key.
    pub dtypes: [Vec<DType>; 2],
    /// Append the ids of the left and the right row.
    pub row_ids: [bool; 2],
    /// What stands for a missing right side.
    pub pad: Pad,
    /// Rows of this side leave the state after their first match; they are never removed.
    pub once: [bool; 2],
}

/// The join operator.
pub struct Join {
    spec: JoinSpec,
    /// Unmatched rows of this side are kept.
    preserved: [bool; 2],
    sides: [Side; 2],
    /// Keys touched in the open time and whether each side had rows before.
    touched: KeyMap<[bool; 2]>,
    /// For each key whose rows give their ids away and have several matches: what makes one row of the pairs.
    settled: KeyMap<Batch>,
    context: Context,
    site: Site,
}

struct Side {
    rows: MultiMap,
    /// Rows per key, where the other side's unmatched rows or unique matches depend on it.
    counts: Option<KeyMap<i64>>,
    /// The changes of the open time, where unmatched rows are kept, and whether they went into `rows`.
    changes: Vec<(Batch, bool)>,
    /// Bytes of these changes.
    bytes: usize,
    /// Not all rows that are counted are in `rows`.
    has_dropped: bool,
}

/// The tables of the state: the rows, and how many rows of each key are counted without being there.
const TABLES: [&str; 2] = ["left", "right"];
const DROPPED: [&str; 2] = ["dropped from left", "dropped from right"];

impl Side {
    /// How many rows of each key are counted but not there.
    fn dropped(&self, shards: &Range<u32>) -> Batch {
        let counts = self.counts.iter().flatten().filter(|_| self.has_dropped);
        let counts = counts.filter(|(key, _)| shards.contains(&((**key & SHARD_MASK) as u32)));
        let beyond = counts.filter_map(|(key, count)| {
            let there: i64 = self.rows.get(*key).iter().map(|entry| i64::from(entry.count)).sum();
            (*count != there).then_some((*key, count - there))
        });
        let (keys, diffs): (Vec<u128>, Vec<i64>) = beyond.unzip();
        Batch::new(keys.into(), vec![], diffs.into())
    }

    /// Counts changes of rows.
    fn count(&mut self, keys: &Keys, diffs: &Diffs) {
        let Some(counts) = &mut self.counts else { return };
        for (key, diff) in keys.as_slice().iter().zip(diffs.iter()) {
            match counts.entry(*key) {
                MapEntry::Occupied(mut entry) => {
                    *entry.get_mut() += diff;
                    if *entry.get() == 0 {
                        entry.remove();
                    }
                }
                MapEntry::Vacant(entry) => {
                    entry.insert(diff);
                }
            }
        }
    }
}

impl Join {
    /// An operator for the spec.
    pub fn new(spec: JoinSpec, context: Context, site: Site) -> Self {
        let preserved = [0, 1].map(|side| spec.preserves(side));
        let side = |side: usize| Side {
            rows: MultiMap::new(spec.dtypes[side].clone()),
            counts: (preserved[1 - side] || spec.ids != JoinIds::Pair).then(new_key_map),
            changes: Vec::new(),
            bytes: 0,
            has_dropped: false,
        };
        let sides = [side(0), side(1)];
        let (touched, settled) = (new_key_map(), new_key_map());
        Join { preserved, sides, touched, settled, spec, context, site }
    }

    fn tracks_keys(&self) -> bool {
        self.sides.iter().any(|side| side.counts.is_some())
    }

    fn has_rows(&self, side: usize, key: u128) -> bool {
        self.sides[side].counts.as_ref().and_then(|counts| counts.get(&key)).is_some_and(|n| *n > 0)
    }

    /// Remembers, for keys touched first, whether the sides had rows; then counts the changes.
    fn count(&mut self, side: usize, keys: &Keys, diffs: &Diffs) {
        for key in keys.as_slice() {
            if !self.touched.contains_key(key) {
                let before = [0, 1].map(|side| match &self.sides[side].counts {
                    Some(counts) => counts.get(key).is_some_and(|n| *n > 0),
                    None => !self.sides[side].rows.get(*key).is_empty(),
                });
                self.touched.insert(*key, before);
            }
        }
        self.sides[side].count(keys, diffs);
    }

    /// Emits the pairs of new rows of one side with the stored rows of the other. Gives, where a side
    /// matches once, which new rows and which stored rows were matched.
    fn match_rows(&self, side: usize, keys: &Keys, batch: &Batch, out: &mut Emitter) -> Matched {
        let mut matched = Matched::default();
        let other = &self.sides[1 - side].rows;
        if other.is_empty() {
            return matched;
        }
        let once = self.spec.once[0] || self.spec.once[1];
        let mut pairs = Pairs::default();
        for (row, key) in keys.as_slice().iter().enumerate() {
            for entry in other.get(*key) {
                if once {
                    matched.mine.push(row as u32);
                    matched.theirs.push((*key, entry.row));
                }
                pairs.mine.push(row as u32);
                pairs.theirs.push(entry.row);
                pairs.diffs.push(batch.diffs.get(row) * i64::from(entry.count));
            }
            if pairs.mine.len() >= EMIT_ROWS {
                self.emit_pairs(side, keys, batch, &mut pairs, out);
            }
        }
        self.emit_pairs(side, keys, batch, &mut pairs, out);
        matched
    }

    /// Takes rows that match once out of the state, or never lets them in: gives the new rows to store.
    fn match_once(&mut self, side: usize, keys: &Keys, batch: Batch, matched: &Matched) -> (Keys, Batch) {
        if self.spec.once[side] && batch.diffs.iter().any(|diff| diff < 0) {
            let message = "rows that are promised to match once must never be removed, but a row was removed";
            self.context.data_error(&self.site, &DataError::new(ErrorKind::Engine, message));
        }
        if self.spec.once[1 - side] && !matched.theirs.is_empty() {
            let mut theirs = matched.theirs.clone();
            theirs.sort_unstable();
            let found = theirs.len();
            theirs.dedup();
            self.check_once(found, theirs.len());
            let (keys, rows): (Vec<u128>, Vec<RowId>) = theirs.into_iter().unzip();
            let width = self.spec.dtypes[1 - side].len();
            let rows = self.sides[1 - side].rows.rows().gather_batch(&rows, 0..width);
            if let Some(rows) = rows {
                self.sides[1 - side].rows.apply(&keys.into(), &rows.negate());
            }
        }
        if !self.spec.once[side] || matched.mine.is_empty() {
            return (keys.clone(), batch);
        }
        let mut keep = vec![true; batch.len()];
        matched.mine.iter().for_each(|row| keep[*row as usize] = false);
        self.check_once(matched.mine.len(), keep.iter().filter(|k| !**k).count());
        let keep = arrow_buffer::BooleanBuffer::from(keep);
        (keys.filter(&keep), batch.filter(&keep))
    }

    fn check_once(&self, matches: usize, rows: usize) {
        if matches > rows {
            let message = "a row that is promised to match once has several matches at one time";
            self.context.data_error(&self.site, &DataError::value(message));
        }
    }

    fn emit_pairs(&self, side: usize, keys: &Keys, batch: &Batch, pairs: &mut Pairs, out: &mut Emitter) {
        if pairs.mine.is_empty() {
            return;
        }
        let pairs = std::mem::take(pairs);
        let theirs = &self.sides[1 - side].rows;
        let mine = batch.take(&pairs.mine);
        let width = self.spec.dtypes[1 - side].len();
        let Some(theirs) = theirs.rows().gather_batch(&pairs.theirs, 0..width) else { return };
        let joint = keys.take(&pairs.mine);
        let (left, right) = if side == 0 { (mine, theirs) } else { (theirs, mine) };
        out.emit(self.spec.pairs(left, right, &joint, pairs.diffs.into()));
    }

    /// Emits rows of one side without a match, in shipped form.
    fn emit_unmatched(&self, side: usize, batch: Batch, out: &mut Emitter) {
        if let Pad::Missing(table) = &self.spec.pad {
            self.report_missing(table, &batch);
        }
        out.emit(self.spec.unmatched(side, batch));
    }

    /// Reports rows of a lookup whose pointer names no row.
    fn report_missing(&self, table: &str, batch: &Batch) {
        let Some(key_column) = batch.columns.last() else { return };
        let keys = Keys::of_column(key_column);
        for row in 0..keys.len() {
            // A row whose match came at the same time is taken back again in this flush.
            let unmatched = !self.has_rows(1, keys.as_slice()[row]);
            if key_column.array().is_valid(row) && unmatched && batch.diffs.get(row) > 0 {
                let error = missing_row(keys.get(row), batch.keys.get(row), table);
                self.context.data_error(&self.site, &error);
            }
        }
    }

    /// The net difference of unmatched rows of one side.
    ///
    /// Let `before` and `after` tell whether the other side has rows for a key. What was unmatched are
    /// the old rows where not `before`, what is unmatched are the new rows where not `after`.
    fn flush_unmatched(&mut self, side: usize, out: &mut Emitter) {
        let other = 1 - side;
        let mut parts = Vec::new();
        self.sides[side].bytes = 0;
        for (batch, stored) in std::mem::take(&mut self.sides[side].changes) {
            let Some(key_column) = batch.columns.last() else { continue };
            let keys = Keys::of_column(key_column);
            let rows: Vec<u32> = (0..batch.len() as u32)
                .filter(|row| {
                    let key = keys.as_slice()[*row as usize];
                    let before = self.touched.get(&key).copied().unwrap_or_default();
                    match (before[other], self.has_rows(other, key)) {
                        (_, true) if !stored => false,
                        // new = old + changes, and all new rows are taken away below.
                        (false, true) => before[side],
                        (before, _) => !before || !stored,
                    }
                })
                .collect();
            if !rows.is_empty() {
                parts.push(batch.take(&rows));
            }
        }
        let (mut lost, mut found) = (Vec::new(), Vec::new());
        for (key, before) in &self.touched {
            match (before[other], self.has_rows(other, *key)) {
                (false, true) if before[side] => found.push(*key),
                (true, false) => lost.push(*key),
                _ => {}
            }
        }
        parts.extend(self.stored_rows(side, &found, -1));
        parts.extend(self.stored_rows(side, &lost, 1));
        if parts.iter().any(|batch| !batch.diffs.is_ones()) {
            // What comes and goes within the time must not be seen, nor reported as missing.
            let mut dtypes = self.spec.dtypes[side].clone();
            dtypes.push(DType::optional(DType::ANY_POINTER));
            parts = vec![consolidate(Batch::concat(&parts), &dtypes)];
        }
        for batch in parts.into_iter().filter(|batch| !batch.is_empty()) {
            self.emit_unmatched(side, batch, out);
        }
    }

    /// All stored rows of these keys in shipped form, added or removed.
    fn stored_rows(&self, side: usize, keys: &[u128], sign: i64) -> Option<Batch> {
        let (mut rows, mut row_keys, mut diffs): (Vec<RowId>, Vec<u128>, Vec<i64>) = Default::default();
        for key in keys {
            for entry in self.sides[side].rows.get(*key) {
                rows.push(entry.row);
                row_keys.push(*key);
                diffs.push(sign * i64::from(entry.count));
            }
        }
        let width = self.spec.dtypes[side].len();
        let mut batch = self.sides[side].rows.rows().gather_batch(&rows, 0..width)?;
        batch.columns.push(Keys::from(row_keys).to_column());
        batch.diffs = diffs.into();
        Some(batch)
    }

    /// Reports rows that lend their id to the result and have several matches.
    fn check_unique(&self) {
        let Some(owner) = self.owner() else { return };
        let other = 1 - owner;
        for key in self.touched.keys() {
            let matches = self.sides[other].counts.as_ref().and_then(|c| c.get(key)).copied().unwrap_or(0);
            if matches > 1 && self.has_rows(owner, *key) {
                let row = self.sides[owner].rows.get(*key).first();
                let id = row.map_or(Key(*key), |entry| Key(self.sides[owner].rows.rows().id(entry.row)));
                self.context.data_error(&self.site, &several_matches(id));
            }
        }
    }
}

/// A row that another one looks up does not exist.
pub(crate) fn missing_row(id: Key, by: Key, table: &str) -> DataError {
    let message = format!(
        "the id {id}, looked up by the row {by}, is missing in {table} (ix(..., allow_misses=True) gives None there)"
    );
    DataError::new(ErrorKind::Key, message)
}

/// A row that lends its id to the result has several matches.
pub(crate) fn several_matches(id: Key) -> DataError {
    let message = format!("the row with id {id} gives its id to the result but has several matches");
    DataError::new(ErrorKind::Key, message)
}

impl JoinSpec {
    /// The same for sides that ship these columns.
    pub(crate) fn of_sides(self, sides: &[ShipSide; 2]) -> JoinSpec {
        let dtypes = [0, 1].map(|i: usize| {
            let side = &sides[i];
            side.columns.iter().map(|column| side.inputs[*column].clone()).collect()
        });
        JoinSpec { dtypes, ..self }
    }

    /// The rows of this side are kept where they have no match.
    pub(crate) fn preserves(&self, side: usize) -> bool {
        let own = [JoinMode::Left, JoinMode::Right][side];
        self.mode == own || self.mode == JoinMode::Outer
    }

    /// Rows of the result: each left row with the right row beside it, which have this join key.
    pub(crate) fn pairs(&self, left: Batch, right: Batch, joint: &Keys, diffs: Diffs) -> Batch {
        let ids: Keys = match self.ids {
            JoinIds::Left => left.keys.clone(),
            JoinIds::Right => right.keys.clone(),
            JoinIds::Pair => {
                let mut hasher = KeyHasher::default();
                let rows = 0..joint.len();
                let pair = |row| {
                    pair_id(&mut hasher, Some(left.keys.get(row)), Some(right.keys.get(row)), joint.get(row))
                };
                rows.map(pair).collect::<Vec<_>>().into()
            }
        };
        let mut columns = left.columns;
        columns.truncate(self.dtypes[0].len());
        columns.extend(right.columns.into_iter().take(self.dtypes[1].len()));
        if self.row_ids[0] {
            columns.push(left.keys.to_column());
        }
        if self.row_ids[1] {
            columns.push(right.keys.to_column());
        }
        Batch::new(ids, columns, diffs)
    }

    /// The dtypes of the result.
    pub(crate) fn result(&self) -> Vec<DType> {
        let sides = self.dtypes.iter().zip([JoinMode::Right, JoinMode::Left]);
        let columns = sides.flat_map(|(dtypes, missing)| {
            let may_miss = self.mode == missing || self.mode == JoinMode::Outer;
            dtypes.iter().map(move |d| if may_miss { DType::optional(d.clone()) } else { d.clone() })
        });
        let ids = self.row_ids.iter().filter(|wanted| **wanted);
        columns.chain(ids.map(|_| DType::optional(DType::ANY_POINTER))).collect()
    }

    /// Rows of one side without a match as rows of the result. Their last column is the join key, which
    /// tells None and error pointers.
    pub(crate) fn unmatched(&self, side: usize, mut batch: Batch) -> Batch {
        let Some(key_column) = batch.columns.pop() else { return batch };
        let keys = Keys::of_column(&key_column);
        let len = batch.len();
        let ids: Keys = match (self.ids, side) {
            (JoinIds::Left, 0) | (JoinIds::Right, 1) => batch.keys.clone(),
            _ => {
                let mut hasher = KeyHasher::default();
                let id = |row| {
                    let mine = Some(batch.keys.get(row));
                    let (left, right) = if side == 0 { (mine, None) } else { (None, mine) };
                    pair_id(&mut hasher, left, right, keys.get(row))
                };
                (0..len).map(id).collect::<Vec<_>>().into()
            }
        };
        // A pointer of None gives None, any other one that finds nothing an error.
        let errors: Option<BooleanBuffer> = match &self.pad {
            Pad::None => None,
            Pad::Unknown => key_column.errors().cloned(),
            Pad::Missing(_) => {
                let fails = |row| key_column.array().is_valid(row) || key_column.is_error(row);
                Some((0..len).map(fails).collect())
            }
        };
        let pad = |dtype: &DType| match &errors {
            Some(errors) if errors.count_set_bits() > 0 => {
                let nulls = arrow_array::new_null_array(&pathway_types::storage::arrow_type(dtype), len);
                Column::with_errors(nulls, Some(errors.clone()))
            }
            _ => Column::nulls(dtype, len),
        };
        let own = batch.columns.iter().take(self.dtypes[side].len()).cloned();
        let padded = self.dtypes[1 - side].iter().map(pad);
        let mut columns: Vec<Column> =
            if side == 0 { own.chain(padded).collect() } else { padded.chain(own).collect() };
        for (wanted, row_side) in self.row_ids.iter().zip(0..) {
            if *wanted {
                columns.push(if row_side == side {
                    batch.keys.to_column()
                } else {
                    Column::nulls(&DType::ANY_POINTER, len)
                });
            }
        }
        Batch::new(ids, columns, batch.diffs)
    }
}

impl From<&JoinStep> for JoinSpec {
    /// The dtypes of the sides are to be filled in.
    fn from(step: &JoinStep) -> JoinSpec {
        JoinSpec {
            mode: step.mode,
            ids: step.ids,
            dtypes: Default::default(),
            row_ids: [step.left_id, step.right_id],
            pad: Pad::None,
            once: [step.left_exactly_once, step.right_exactly_once],
        }
    }
}

/// The sides of a join, whose inputs have these columns.
pub(crate) fn join_sides(step: &JoinStep, spec: &JoinSpec, inputs: [&[DType]; 2]) -> [ShipSide; 2] {
    let side = |side: usize, columns: &[usize], on: &[usize]| ShipSide {
        inputs: inputs[side].to_vec(),
        columns: columns.to_vec(),
        key: JoinKey::Hash { columns: on.to_vec(), instance: step.instance },
        preserved: spec.preserves(side),
        side: side as u8,
    };
    [side(0, &step.left_columns, &step.left_on), side(1, &step.right_columns, &step.right_on)]
}

/// A lookup as a join: its sides, whose inputs have these columns, and what is joined.
pub(crate) fn lookup_join(
    step: &LookupStep,
    inputs: [&[DType]; 2],
    table: Arc<str>,
) -> ([ShipSide; 2], JoinSpec) {
    let asking = ShipSide {
        inputs: inputs[0].to_vec(),
        columns: step.keep.clone(),
        key: JoinKey::Pointer(step.pointer),
        preserved: true,
        side: 0,
    };
    let target = ShipSide {
        inputs: inputs[1].to_vec(),
        columns: step.fetch.clone(),
        key: JoinKey::RowId,
        preserved: false,
        side: 1,
    };
    let spec = JoinSpec {
        mode: JoinMode::Left,
        ids: JoinIds::Left,
        dtypes: Default::default(),
        row_ids: [false, false],
        pad: if step.allow_misses { Pad::Unknown } else { Pad::Missing(table) },
        once: [false, false],
    };
    ([asking, target], spec)
}

/// Which rows found a match.
#[derive(Default)]
struct Matched {
    mine: Vec<u32>,
    theirs: Vec<(u128, RowId)>,
}

#[derive(Default)]
struct Pairs {
    mine: Vec<u32>,
    theirs: Vec<RowId>,
    diffs: Vec<i64>,
}

/// The id of a joined row; a missing side counts as None.
pub(crate) fn pair_id(hasher: &mut KeyHasher, left: Option<Key>, right: Option<Key>, joint: Key) -> u128 {
    hasher.clear();
    for side in [left, right] {
        match side {
            Some(key) => hasher.pointer(key),
            None => hasher.none(),
        }
    }
    hasher.finish().on_shard_of(joint).0
}

impl Operator for Join {
    fn apply(&mut self, input: usize, mut batch: Batch, progress: &Progress, out: &mut Emitter) {
        let Some(key_column) = batch.columns.last() else { return };
        let keys = Keys::of_column(key_column);
        if self.tracks_keys() {
            self.count(input, &keys, &batch.diffs);
        }
        let other = 1 - input;
        // Nothing can come that would be matched against these rows.
        let stored = !(progress.ended[other] && progress.applied[other]) || self.keeps_all();
        if self.preserved[input] {
            self.sides[input].bytes += batch.memory_size();
            self.sides[input].changes.push((batch.clone(), stored));
        }
        batch.columns.truncate(self.spec.dtypes[input].len());
        let matched = self.match_rows(input, &keys, &batch, out);
        let (keys, batch) = if self.spec.once == [false, false] {
            (keys, batch)
        } else {
            self.match_once(input, &keys, batch, &matched)
        };
        if stored {
            self.sides[input].rows.apply(&keys, &batch);
        } else {
            self.sides[input].has_dropped = true;
        }
    }

    fn flush(&mut self, progress: &Progress, out: &mut Emitter) {
        self.check_unique();
        for side in 0..2 {
            if self.preserved[side] {
                self.flush_unmatched(side, out);
            }
        }
        self.settle(out);
        for side in 0..2 {
            if progress.ended[1 - side] && !self.keeps_all() {
                self.sides[side].rows.clear();
                self.sides[side].has_dropped = true;
            }
            self.sides[side].rows.tidy();
        }
        self.touched.clear();
    }

    /// Rows wait until one side is complete: that side is stored, the other matched against it.
    fn wants(&self, input: usize, progress: &Progress) -> bool {
        progress.complete[input] || progress.complete[1 - input]
    }

    fn save(&mut self, shards: Range<u32>) -> Result<State, DataError> {
        let rows = TABLES.into_iter().zip(&self.sides).map(|(name, side)| (name, side.rows.save(&shards)));
        let dropped = DROPPED.into_iter().zip(&self.sides).map(|(name, side)| (name, side.dropped(&shards)));
        Ok(State::of_tables(rows.chain(dropped)))
    }

    fn load(&mut self, state: State) -> Result<(), WrongState> {
        let mut loaded = Vec::new();
        for (name, table) in state.tables {
            let side_of = |names: [&str; 2]| names.into_iter().position(|other| other == name);
            if let Some(side) = side_of(DROPPED) {
                self.sides[side].count(&table.keys, &table.diffs);
                self.sides[side].has_dropped |= !table.is_empty();
                continue;
            }
            let Some(side) = side_of(TABLES) else {
                return Err(WrongState(format!("a join has no table {name}")));
            };
            if self.owner() == Some(side) && self.keeps_all() {
                loaded.extend_from_slice(table.keys.as_slice());
            }
            self.sides[side].count(&table.keys, &table.diffs);
            self.sides[side].rows.load(table)?;
        }
        if let Some(owner) = self.owner() {
            for key in loaded {
                if !self.settled.contains_key(&key)
                    && let Some(row) = self.one_row_of_pairs(owner, key)
                {
                    self.settled.insert(key, row);
                }
            }
        }
        Ok(())
    }

    fn memory(&self) -> usize {
        let side = |side: &Side| {
            let counts = side.counts.as_ref().map_or(0, KeyMap::allocation_size);
            side.rows.memory() + counts + side.bytes
        };
        self.sides.iter().map(side).sum::<usize>() + self.touched.allocation_size()
    }

    fn keyed(&mut self) -> Option<&mut dyn Keyed> {
        Some(self)
    }
}

impl Keyed for Join {
    fn holds(&self, key: u128) -> bool {
        self.touched.contains_key(&key) || self.sides.iter().any(|side| side.rows.holds(key))
    }

    fn clear(&mut self) {
        for side in &mut self.sides {
            side.rows.clear();
            side.has_dropped = false;
            if let Some(counts) = &mut side.counts {
                *counts = new_key_map();
            }
        }
        (self.touched, self.settled) = (new_key_map(), new_key_map());
    }
}
