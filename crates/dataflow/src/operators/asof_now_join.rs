//! As-of-now joins: each left row is joined once, with the right rows that are there at the end of the time
//! at which it comes.
//!
//! *State*: the right rows under their join key, while left rows may come; of left rows that may be
//! removed, the rows that they gave. *Cost*: a hash lookup per change and a gather per pair. *Changes*:
//! changes of the right side change nothing that was emitted; a removed left row takes back what it gave.
//!
//! Both inputs come in shipped form ([`ShipSide`](super::join::ShipSide)).

use std::ops::Range;

use pathway_plan::program::JoinIds;
use pathway_types::{Batch, DType, DataError, Diffs, Key, KeyHasher, Keys};

use super::join::{JoinSpec, several_matches};
use crate::context::{Context, Site};
use crate::kernels::consolidate::{consolidate, removals_first};
use crate::operator::{Emitter, Keyed, Operator, Progress, State, WrongState};
use crate::store::{MultiMap, RowId};

/// Pairs per emitted batch.
const EMIT_ROWS: usize = 32 * 1024;

/// The operator of as-of-now joins.
pub struct AsofNowJoin {
    spec: JoinSpec,
    right: MultiMap,
    /// Left rows of the open time that have to wait for its end.
    left: Vec<Batch>,
    /// What left rows gave, under [`places`] of their ids; nothing if left rows are never removed.
    given: Option<MultiMap>,
    /// Right rows whose id a row of the result has, under their [`places`], if ids are theirs.
    lent: Option<MultiMap>,
    context: Context,
    site: Site,
}

impl AsofNowJoin {
    /// An operator for the spec, of left rows that may be removed or not.
    pub fn new(spec: JoinSpec, removals: bool, context: Context, site: Site) -> Self {
        AsofNowJoin {
            right: MultiMap::new(spec.dtypes[1].clone()),
            left: Vec::new(),
            given: removals.then(|| MultiMap::new(spec.result())),
            lent: (spec.ids == JoinIds::Right).then(|| MultiMap::new(vec![])),
            spec,
            context,
            site,
        }
    }

    /// Gives new left rows their matches.
    fn join(&mut self, batch: &Batch, out: &mut Emitter) {
        let Some(key_column) = batch.columns.last() else { return };
        let keys = Keys::of_column(key_column);
        let (mut mine, mut theirs): (Vec<u32>, Vec<RowId>) = (Vec::new(), Vec::new());
        let (mut lonely, mut torn): (Vec<u32>, Vec<u32>) = (Vec::new(), Vec::new());
        for (row, key) in keys.as_slice().iter().enumerate() {
            let found = self.right.get(*key);
            match found {
                [] => lonely.push(row as u32),
                [_, _, ..] if self.spec.ids == JoinIds::Left => {
                    self.context.data_error(&self.site, &several_matches(batch.keys.get(row)));
                    torn.push(row as u32);
                    continue;
                }
                _ => {}
            }
            mine.extend(std::iter::repeat_n(row as u32, found.len()));
            theirs.extend(found.iter().map(|entry| entry.row));
            if mine.len() >= EMIT_ROWS {
                self.pairs(batch, &keys, std::mem::take(&mut mine), std::mem::take(&mut theirs), out);
            }
        }
        self.pairs(batch, &keys, mine, theirs, out);
        if !torn.is_empty() {
            let mut rows = self.spec.unmatched(0, batch.take(&torn));
            self.spec.spoil(1, &mut rows);
            self.give(&batch.keys.take(&torn), &keys.take(&torn), rows, out);
        }
        if self.spec.preserves(0) && !lonely.is_empty() {
            let rows = batch.take(&lonely);
            let left = (rows.keys.clone(), keys.take(&lonely));
            self.give(&left.0, &left.1, self.spec.unmatched(0, rows), out);
        }
    }

    fn pairs(
        &mut self,
        batch: &Batch,
        keys: &Keys,
        mut mine: Vec<u32>,
        mut theirs: Vec<RowId>,
        out: &mut Emitter,
    ) {
        self.lend(keys, &mut mine, &mut theirs);
        let width = self.spec.dtypes[1].len();
        let Some(right) = self.right.rows().gather_batch(&theirs, 0..width) else { return };
        let left = batch.take(&mine);
        let (ids, diffs, joint) = (left.keys.clone(), left.diffs.clone(), keys.take(&mine));
        self.give(&ids, &joint, self.spec.pairs(left, right, &joint, diffs), out);
    }

    /// If pairs have the ids of their right rows: without those whose id is already that of another row.
    fn lend(&mut self, keys: &Keys, mine: &mut Vec<u32>, theirs: &mut Vec<RowId>) {
        let Some(lent) = &mut self.lent else { return };
        let pairs = std::mem::take(mine).into_iter().zip(std::mem::take(theirs));
        for (row, other) in pairs {
            let id = Key(self.right.rows().id(other));
            let place = Keys::from(vec![placed(id, keys.get(row as usize))]);
            if lent.get(place.as_slice()[0]).is_empty() {
                lent.apply(&place, &Batch::new(vec![id.0].into(), vec![], Diffs::Ones(1)));
                mine.push(row);
                theirs.push(other);
            } else {
                self.context.data_error(&self.site, &several_matches(id));
            }
        }
    }

    /// Emits rows, which these left rows with these join keys gave.
    fn give(&mut self, left: &Keys, joint: &Keys, rows: Batch, out: &mut Emitter) {
        if let Some(given) = &mut self.given {
            given.apply(&places(left, joint), &rows);
        }
        out.emit(rows);
    }

    /// Takes back what these left rows gave.
    fn take_back(&mut self, mut removed: Batch, out: &mut Emitter) {
        let (Some(given), Some(joint)) = (&mut self.given, removed.columns.pop()) else { return };
        let joint = Keys::of_column(&joint);
        let (mut keys, mut joint_keys, mut rows) = (Vec::new(), Vec::new(), Vec::new());
        for (row, key) in places(&removed.keys, &joint).as_slice().iter().enumerate() {
            let found = given.get(*key);
            keys.extend(std::iter::repeat_n(*key, found.len()));
            joint_keys.extend(std::iter::repeat_n(joint.as_slice()[row], found.len()));
            rows.extend(found.iter().map(|entry| entry.row));
        }
        let width = self.spec.result().len();
        let Some(rows) = given.rows().gather_batch(&rows, 0..width) else { return };
        let rows = rows.negate();
        given.apply(&keys.into(), &rows);
        if let Some(lent) = &mut self.lent {
            let ids = rows.keys.clone();
            let returned = Batch::new(ids.clone(), vec![], rows.diffs.clone());
            lent.apply(&places(&ids, &joint_keys.into()), &returned);
        }
        out.emit(rows);
    }
}

/// The key of a row on the shard of its join key.
fn placed(id: Key, joint: Key) -> u128 {
    let mut hasher = KeyHasher::default();
    hasher.pointer(id);
    hasher.finish().on_shard_of(joint).0
}

fn places(ids: &Keys, joint: &Keys) -> Keys {
    (0..ids.len()).map(|row| placed(ids.get(row), joint.get(row))).collect::<Vec<_>>().into()
}

impl Operator for AsofNowJoin {
    fn apply(&mut self, input: usize, mut batch: Batch, progress: &Progress, out: &mut Emitter) {
        if input == 0 {
            // The right side is as it will be at the end of the time.
            if self.given.is_none() && progress.complete[1] && progress.applied[1] {
                self.join(&batch, out);
            } else {
                self.left.push(batch);
            }
            return;
        }
        if progress.ended[0] && progress.applied[0] && self.left.is_empty() {
            return;
        }
        let Some(keys) = batch.columns.pop().map(|column| Keys::of_column(&column)) else { return };
        self.right.apply(&keys, &batch);
    }

    fn flush(&mut self, progress: &Progress, out: &mut Emitter) {
        let left = std::mem::take(&mut self.left);
        if !left.is_empty() {
            let mut dtypes = self.spec.dtypes[0].clone();
            dtypes.push(DType::optional(DType::ANY_POINTER));
            let left = Batch::concat(&left);
            let left = if left.diffs.is_ones() { left } else { consolidate(left, &dtypes) };
            let (removed, added) = removals_first(left);
            self.take_back(removed, out);
            self.join(&added, out);
        }
        if progress.ended[0] {
            self.right = MultiMap::new(self.spec.dtypes[1].clone());
        }
        self.right.tidy();
        self.given.iter_mut().chain(&mut self.lent).for_each(MultiMap::tidy);
    }

    /// Left rows wait for the right ones.
    fn wants(&self, input: usize, progress: &Progress) -> bool {
        input == 1 || progress.complete[1]
    }

    fn save(&mut self, shards: Range<u32>) -> Result<State, DataError> {
        let mut tables = vec![("right", self.right.save(&shards))];
        tables.extend(self.given.as_ref().map(|given| ("given", given.save(&shards))));
        tables.extend(self.lent.as_ref().map(|lent| ("lent", lent.save(&shards))));
        Ok(State::of_tables(tables))
    }

    fn load(&mut self, state: State) -> Result<(), WrongState> {
        for (name, table) in state.tables {
            let known = match name {
                "right" => Some(&mut self.right),
                "given" => self.given.as_mut(),
                "lent" => self.lent.as_mut(),
                _ => None,
            };
            match known {
                Some(rows) => rows.load(table)?,
                None => return Err(WrongState(format!("an as-of-now join has no table {name}"))),
            }
        }
        Ok(())
    }

    fn memory(&self) -> usize {
        let others = self.given.iter().chain(&self.lent).map(MultiMap::memory).sum::<usize>();
        self.right.memory() + others
    }

    /// What left rows gave is found by their ids.
    fn keyed(&mut self) -> Option<&mut dyn Keyed> {
        (self.given.is_none() && self.lent.is_none()).then_some(self)
    }
}

impl Keyed for AsofNowJoin {
    fn holds(&self, key: u128) -> bool {
        self.right.holds(key)
    }

    fn clear(&mut self) {
        self.right.clear();
    }

    fn at_once(&self) -> bool {
        true
    }
}
