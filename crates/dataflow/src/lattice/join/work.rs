//! The pairs of new rows of one side with the rows of the other.

use std::rc::Rc;

use hashbrown::HashMap;

use pathway_plan::program::JoinIds;
use pathway_types::{Batch, Diffs, Key, KeyHasher, Keys};

use super::JoinShape;
use super::side::{Row, Side};
use crate::lattice::arrange::TimedBatch;
use crate::lattice::gather::gather;
use crate::lattice::packet::TimedPacket;
use crate::lattice::time::LatticeTime;
use crate::lattice::times::TimeTable;
use crate::operators::join::pair_id;
use crate::timely::ValueHistory;

/// Pairs per packet.
const EMIT_ROWS: usize = 32 * 1024;
/// With fewer rows on a side, all pairs are formed; with more on both, times are gone through in
/// order and rows that cancel on the way are left out.
const MANY: usize = 16;

/// One unit of join work, done packet by packet.
pub(super) struct Work<T: LatticeTime> {
    shape: Rc<JoinShape>,
    sides: [Side<T>; 2],
    fresh: usize,
    /// The current key, and how many of the fresh side's rows have been paired.
    open: Option<(u128, usize)>,
    joined: JoinedTimes<T>,
    pairs: Pairs,
    /// Pairs of the current key that may cancel each other.
    meeting: Vec<Meeting>,
}

/// A pair of rows, of which there may be another at the same time.
struct Meeting {
    prints: [u128; 2],
    time: u32,
    places: [(u32, u32); 2],
    diff: i64,
}

/// Pairs of rows that will be a packet.
#[derive(Default)]
struct Pairs {
    keys: Vec<u128>,
    places: [Vec<(u32, u32)>; 2],
    times: Vec<u32>,
    diffs: Vec<i64>,
}

/// The join of a time of the fresh side and one of the other, by their places.
struct JoinedTimes<T> {
    known: HashMap<(u32, u32), u32>,
    last: Option<((u32, u32), u32)>,
    table: TimeTable<T>,
}

impl<T: LatticeTime> JoinedTimes<T> {
    #[inline]
    fn join(&mut self, fresh: (&TimeTable<T>, u32), other: (&TimeTable<T>, u32)) -> u32 {
        let places = (fresh.1, other.1);
        if let Some((last, place)) = self.last
            && last == places
        {
            return place;
        }
        let table = &mut self.table;
        let place = *self
            .known
            .entry(places)
            .or_insert_with(|| table.place(&fresh.0.get(fresh.1).join(other.0.get(other.1))));
        self.last = Some((places, place));
        place
    }

    fn clear(&mut self) {
        self.known.clear();
        self.last = None;
    }
}

impl<T: LatticeTime> Work<T> {
    pub(super) fn new(shape: Rc<JoinShape>, inputs: [Vec<TimedBatch<T>>; 2], fresh: usize, meet: T) -> Self {
        let mut number = 0;
        let sides = inputs.map(|batches| {
            let bound = (number != fresh).then(|| meet.clone());
            number += 1;
            Side::new(batches, bound)
        });
        let joined = JoinedTimes { known: HashMap::new(), last: None, table: TimeTable::default() };
        let (pairs, meeting) = (Pairs::default(), Vec::new());
        Work { shape, sides, fresh, open: None, joined, pairs, meeting }
    }

    /// Moves both sides to the next key that both have and loads its rows.
    fn next_key(&mut self) -> Option<u128> {
        let mut key = self.sides[self.fresh].key()?;
        loop {
            let other = self.sides[1 - self.fresh].seek(key)?;
            if other == key {
                self.sides.iter_mut().for_each(|side| side.load(key));
                return Some(key);
            }
            key = self.sides[self.fresh].seek(other)?;
        }
    }

    /// Forms pairs of the current key until a packet is full; true if all are formed.
    fn pair(&mut self, key: u128, done: &mut usize) -> bool {
        let (left, right) = self.sides.split_at(1);
        let (fresh, other) = if self.fresh == 0 { (&left[0], &right[0]) } else { (&right[0], &left[0]) };
        let many = fresh.rows.len() >= MANY && other.rows.len() >= MANY;
        if *done == 0 && many && fresh.has_several_times() && other.has_several_times() {
            self.replay(key);
            return true;
        }
        // Updates of one row may come to the same time when they are joined with those of another.
        let meets = fresh.has_repeated_rows() || other.has_repeated_rows();
        while let Some(mine) = fresh.rows.get(*done) {
            for theirs in &other.rows {
                let time = self.joined.join((&fresh.times, mine.time), (&other.times, theirs.time));
                let (places, diff) = ([mine.place, theirs.place], mine.diff * theirs.diff);
                if meets {
                    self.meeting.push(Meeting { prints: [mine.print, theirs.print], time, places, diff });
                } else {
                    self.pairs.push(key, places, self.fresh, time, diff);
                }
            }
            *done += 1;
            if self.pairs.times.len() >= EMIT_ROWS {
                return *done == fresh.rows.len();
            }
        }
        if meets {
            self.net(key);
        }
        true
    }

    /// Adds up pairs of equal rows at equal times: what cancels was never there.
    fn net(&mut self, key: u128) {
        self.meeting.sort_unstable_by_key(|pair| (pair.prints, pair.time));
        let same = |a: &Meeting, b: &Meeting| (a.prints, a.time) == (b.prints, b.time);
        for equal in self.meeting.chunk_by(same) {
            let diff: i64 = equal.iter().map(|pair| pair.diff).sum();
            if diff != 0 {
                self.pairs.push(key, equal[0].places, self.fresh, equal[0].time, diff);
            }
        }
        self.meeting.clear();
    }

    /// Pairs the rows of a key in the order of their times, each with what is left of the other side.
    fn replay(&mut self, key: u128) {
        let mut histories = [ValueHistory::new(), ValueHistory::new()];
        for (side, history) in self.sides.iter_mut().zip(&mut histories) {
            side.rows.sort_unstable_by_key(|row| (row.print, row.time));
            // Equal rows go by the place of the first of them.
            let mut first: Option<&Row> = None;
            let times = &side.times;
            let edits = side.rows.iter().map(|row| {
                let place = match first {
                    Some(first) if first.print == row.print => first.place,
                    _ => {
                        first = Some(row);
                        row.place
                    }
                };
                (place, times.get(row.time).clone(), row.diff)
            });
            history.load_iter(edits, None);
        }
        let [mut fresh, mut other] = histories;
        if self.fresh == 1 {
            std::mem::swap(&mut fresh, &mut other);
        }
        let (table, pairs, side) = (&mut self.joined.table, &mut self.pairs, self.fresh);
        loop {
            let first_is_fresh = match (fresh.time(), other.time()) {
                (Some(mine), Some(theirs)) => mine < theirs,
                (Some(_), None) => true,
                (None, Some(_)) => false,
                (None, None) => break,
            };
            let (now, buffered) =
                if first_is_fresh { (&mut fresh, &mut other) } else { (&mut other, &mut fresh) };
            if let (Some(meet), Some((place, time, diff))) = (now.meet(), now.edit()) {
                buffered.advance_buffer_by(meet);
                for ((other_place, other_time), other_diff) in buffered.buffer() {
                    let places = if first_is_fresh { [place, *other_place] } else { [*other_place, place] };
                    let time = table.place(&time.join(other_time));
                    pairs.push(key, places, side, time, diff * other_diff);
                }
            }
            now.step();
        }
    }

    /// The packet of all pairs formed so far.
    fn emit(&mut self) -> TimedPacket<T> {
        let Pairs { keys, places, times, diffs } = std::mem::take(&mut self.pairs);
        let [mut columns, mut right_columns] =
            [0, 1].map(|side| gather(|chunk| &self.sides[side].chunk(chunk).columns, &places[side]));
        let mut ids = [0, 1].map(|side| {
            let chunk = |number: u32| self.sides[side].chunk(number as usize);
            if self.shape.keyed_by_id[side] {
                let id = |(number, row): &(u32, u32)| chunk(*number).keys.as_slice()[*row as usize];
                Some(Keys::from(places[side].iter().map(id).collect::<Vec<_>>()))
            } else {
                let columns = if side == 0 { &mut columns } else { &mut right_columns };
                columns.pop().map(|ids| Keys::of_column(&ids))
            }
        });
        // Shipped sides end with their ids.
        let mut id = |side: usize| ids[side].take().unwrap_or_else(|| Keys::from(Vec::new()));
        let (left, right) = (id(0), id(1));
        columns.append(&mut right_columns);
        for (wanted, ids) in self.shape.row_ids.iter().zip([&left, &right]) {
            if *wanted {
                columns.push(ids.to_column());
            }
        }
        if self.shape.join_key {
            columns.push(Keys::from(keys.clone()).to_column());
        }
        let ids = match self.shape.ids {
            JoinIds::Left => left,
            JoinIds::Right => right,
            JoinIds::Pair => {
                let mut hasher = KeyHasher::default();
                let id = |row: usize| {
                    pair_id(&mut hasher, Some(left.get(row)), Some(right.get(row)), Key(keys[row]))
                };
                (0..keys.len()).map(id).collect::<Vec<_>>().into()
            }
        };
        self.joined.clear();
        TimedPacket::new(Batch::new(ids, columns, Diffs::from(diffs)), self.joined.table.finish(times))
    }
}

impl Pairs {
    #[inline]
    fn push(&mut self, key: u128, places: [(u32, u32); 2], fresh: usize, time: u32, diff: i64) {
        self.keys.push(key);
        self.places[fresh].push(places[0]);
        self.places[1 - fresh].push(places[1]);
        self.times.push(time);
        self.diffs.push(diff);
    }
}

impl<T: LatticeTime> Iterator for Work<T> {
    type Item = TimedPacket<T>;

    fn next(&mut self) -> Option<TimedPacket<T>> {
        while self.pairs.times.len() < EMIT_ROWS {
            let Some((key, mut done)) = self.open.take().or_else(|| self.next_key().map(|key| (key, 0)))
            else {
                break;
            };
            if !self.pair(key, &mut done) {
                self.open = Some((key, done));
            }
        }
        (!self.pairs.times.is_empty()).then(|| self.emit())
    }
}
