//! As-of joins: each row with the nearest one in time of the other side.
//!
//! *State*: the rows of each side by key and time, with each row that is shown the partner with which it
//! is shown; nothing of such a side once the other side has ended. *Cost*: a logarithm per change, and
//! the rows whose partner changes. *Changes*: emitted at the end of a time, as the net difference.
//!
//! A row's partner is the closest one before or after it in one sequence of both sides, ordered by time,
//! then by side, then by row id. Both inputs come in shipped form
//! ([`ShipTimed`](super::ship_timed::ShipTimed)).

use std::ops::Range;
use std::sync::Arc;

use arrow_array::BooleanArray;

use pathway_plan::program::{Direction, JoinMode};
use pathway_types::{Batch, Column, DType, DataError, Diffs, KeyHasher, Keys};

use super::interval_join::numbered_id;
use super::ship_timed::float_of_tick;
use crate::operator::{Emitter, Keyed, Operator, Progress, State, WrongState};
use crate::store::{Handle, NO_ROW, TimeEntry, Timed, TimedRows, Timeline};

/// The note of a row that has not been given a partner yet.
const NEW: i32 = -2;

/// An as-of join as the operator needs it.
#[derive(Clone, Debug)]
pub struct AsofSpec {
    /// Which side's rows are shown; not inner.
    pub mode: JoinMode,
    /// Where the partner is.
    pub direction: Direction,
    /// The times are floats.
    pub float: bool,
    /// Dtypes of the shipped columns of the two sides that the result has.
    pub dtypes: [Vec<DType>; 2],
    /// Append the ids of the left and the right row.
    pub row_ids: [bool; 2],
    /// Append whether the row that is shown is a right one.
    pub side: bool,
}

/// The operator of as-of joins.
pub struct AsofJoin {
    spec: AsofSpec,
    /// The rows of this side are shown, with their partners.
    shown: [bool; 2],
    sides: [TimedRows; 2],
}

/// Where the partner of a row is looked for.
#[derive(Clone, Copy)]
struct Rule {
    direction: Direction,
    /// Candidates of the same time are before the row.
    candidates_first: bool,
    float: bool,
}

impl Rule {
    /// True if a candidate at `candidate` is before a row at `tick`.
    #[inline]
    fn is_before(self, candidate: i64, tick: i64) -> bool {
        candidate < tick || (candidate == tick && self.candidates_first)
    }

    /// The partner of a row at `tick` among these candidates.
    #[inline]
    fn partner(self, tick: i64, candidates: &Timeline) -> Option<TimeEntry> {
        let place = candidates.seek(|candidate| self.is_before(candidate.tick, tick));
        let before = || candidates.previous(place).and_then(|place| candidates.get(place));
        match self.direction {
            Direction::Backward => before(),
            Direction::Forward => candidates.get(place),
            Direction::Nearest => match (before(), candidates.get(place)) {
                (Some(before), Some(after)) if self.is_nearer(tick, before.tick, after.tick) => Some(before),
                (before, after) => after.or(before),
            },
        }
    }

    /// The note of a row with the partner that it finds.
    #[inline]
    fn note(self, entry: TimeEntry, candidates: Option<&Timeline>) -> i32 {
        let partner = candidates.and_then(|candidates| self.partner(entry.tick, candidates));
        partner.map_or(NO_ROW, |partner| partner.row) as i32
    }

    /// The first and the last time of rows whose partner may be another one because candidates at `tick`
    /// came or left: up to the candidates around them.
    fn reach(self, tick: i64, candidates: Option<&Timeline>) -> (Option<i64>, Option<i64>) {
        let before = || {
            let candidates = candidates?;
            candidates.get(candidates.previous(candidates.seek(|e| e.tick < tick))?).map(|e| e.tick)
        };
        let after = || {
            let candidates = candidates?;
            candidates.get(candidates.seek(|e| e.tick <= tick)).map(|e| e.tick)
        };
        match self.direction {
            Direction::Backward => (Some(tick), after()),
            Direction::Forward => (before(), Some(tick)),
            Direction::Nearest => (before(), after()),
        }
    }

    /// True if what is before a row is nearer than what is after it.
    fn is_nearer(self, tick: i64, before: i64, after: i64) -> bool {
        if self.float {
            let time = float_of_tick(tick);
            time - float_of_tick(before) < float_of_tick(after) - time
        } else {
            (tick.wrapping_sub(before) as u64) < after.wrapping_sub(tick) as u64
        }
    }
}

impl AsofJoin {
    /// An operator for the spec.
    pub fn new(spec: AsofSpec) -> Self {
        let shown = [
            matches!(spec.mode, JoinMode::Left | JoinMode::Outer),
            matches!(spec.mode, JoinMode::Right | JoinMode::Outer),
        ];
        let sides = [0, 1].map(|side| TimedRows::new(spec.dtypes[side].clone()));
        AsofJoin { spec, shown, sides }
    }

    /// How partners of the rows of a side are found.
    fn rule(&self, side: usize) -> Rule {
        let right_first = matches!(
            (self.spec.mode, self.spec.direction),
            (JoinMode::Left, Direction::Backward) | (JoinMode::Right, Direction::Forward)
        );
        let candidates_first = (side == 0) == right_first;
        Rule { direction: self.spec.direction, candidates_first, float: self.spec.float }
    }

    /// Gives partners to the rows of a side that are new or whose partner may have changed.
    fn find_partners(&mut self, side: usize) {
        let rule = self.rule(side);
        let [left, right] = &mut self.sides;
        let (mine, others) = if side == 0 { (left, &*right) } else { (right, &*left) };
        let mut found: Vec<(TimeEntry, i32)> = Vec::new();
        for (key, ticks) in others.changed_times() {
            let Some(line) = mine.line(key) else { continue };
            let candidates = others.line(key);
            let mut look = |entry: TimeEntry| {
                let partner = rule.note(entry, candidates);
                if partner != mine.note(entry.row) {
                    found.push((entry, partner));
                }
            };
            if ticks.len() >= line.len() / 2 {
                line.iter().for_each(&mut look);
                continue;
            }
            let mut done = line.seek(|_| false);
            for tick in ticks {
                let (first, last) = rule.reach(tick, candidates);
                let start = first.map_or(done, |first| line.seek(|row| row.tick < first).max(done));
                let mut place = start;
                while let Some(entry) = line.get(place).filter(|e| last.is_none_or(|last| e.tick <= last)) {
                    look(entry);
                    place = line.next(place);
                }
                done = place;
            }
        }
        for (entry, partner) in found {
            mine.set_note(entry, partner);
        }
        let changed = mine.changes().iter().map(|change| change.entry);
        let new: Vec<TimeEntry> = changed.filter(|entry| mine.note(entry.row) == NEW).collect();
        for entry in new {
            let partner = rule.note(entry, others.line(mine.key(entry.row)));
            mine.set_note(entry, partner);
        }
    }

    /// Emits rows of a side with their partners; `NO_ROW` for none.
    fn emit(&self, side: usize, rows: Batch, partners: &[Handle], out: &mut Emitter) {
        let (theirs, their_ids) = self.sides[1 - side].gather_or_none(partners);
        let mut hasher = KeyHasher::default();
        let ids = (0..rows.len()).map(|row| numbered_id(&mut hasher, rows.keys.get(row), side as i64));
        let ids: Keys = ids.collect::<Vec<_>>().into();
        let mut columns = rows.columns;
        columns.truncate(self.spec.dtypes[side].len());
        let row_ids = [rows.keys.to_column(), their_ids];
        let mut columns = match side {
            0 => [columns, theirs].concat(),
            _ => [theirs, columns].concat(),
        };
        for (wanted, of) in self.spec.row_ids.iter().zip(0..) {
            if *wanted {
                columns.push(row_ids[usize::from(of != side)].clone());
            }
        }
        if self.spec.side {
            let sides = BooleanArray::from(vec![side == 1; ids.len()]);
            columns.push(Column::new(Arc::new(sides)));
        }
        out.emit(Batch::new(ids, columns, rows.diffs));
    }

    /// The net difference of what is shown of a side.
    fn flush_side(&self, side: usize, out: &mut Emitter) {
        let mine = &self.sides[side];
        let (mut rows, mut partners, mut diffs) = (Vec::new(), Vec::new(), Vec::new());
        for change in mine.changes() {
            let row = change.entry.row;
            let (was, is) = ((change.count, change.note), (mine.count(row), mine.note(row)));
            let mut show = |partner: i32, diff: i32| {
                if diff != 0 {
                    rows.push(row);
                    partners.push(partner as Handle);
                    diffs.push(i64::from(diff));
                }
            };
            if was.1 == is.1 {
                show(is.1, is.0 - was.0);
            } else {
                show(was.1, -was.0);
                show(is.1, is.0);
            }
        }
        if let Some(mut batch) = mine.gather(&rows) {
            batch.diffs = Diffs::from(diffs);
            self.emit(side, batch, &partners, out);
        }
    }
}

impl Operator for AsofJoin {
    fn apply(&mut self, input: usize, batch: Batch, progress: &Progress, out: &mut Emitter) {
        let Some(rows) = Timed::unpack(batch) else { return };
        let other = 1 - input;
        // Nothing can come that would change the partners of these rows, and they are nobody's partners.
        if !self.shown[other] && progress.ended[other] && progress.applied[other] {
            self.sides[other].settle();
            let (rule, candidates) = (self.rule(input), &self.sides[other]);
            let mut last: Option<(u128, Option<&Timeline>)> = None;
            let partners = rows.keys.as_slice().iter().zip(&*rows.ticks).map(|(key, tick)| {
                let line = match last {
                    Some((known, line)) if known == *key => line,
                    _ => candidates.line(*key),
                };
                last = Some((*key, line));
                line.and_then(|line| rule.partner(*tick, line)).map_or(NO_ROW, |entry| entry.row)
            });
            let partners: Vec<Handle> = partners.collect();
            return self.emit(input, rows.batch, &partners, out);
        }
        self.sides[input].apply(&rows.keys, &rows.ticks, &rows.batch, |_| NEW);
    }

    fn flush(&mut self, progress: &Progress, out: &mut Emitter) {
        self.sides.iter_mut().for_each(TimedRows::settle);
        for side in (0..2).filter(|side| self.shown[*side]).collect::<Vec<_>>() {
            self.find_partners(side);
            self.flush_side(side, out);
        }
        for side in 0..2 {
            if !self.shown[1 - side] && progress.ended[1 - side] {
                self.sides[side] = TimedRows::new(self.spec.dtypes[side].clone());
            }
        }
        self.sides.iter_mut().for_each(TimedRows::tidy);
    }

    /// Rows that are shown wait for those among which they look.
    fn wants(&self, input: usize, progress: &Progress) -> bool {
        self.shown[1 - input] || progress.complete[1 - input]
    }

    fn save(&mut self, shards: Range<u32>) -> Result<State, DataError> {
        let names = ["left", "right"].into_iter();
        Ok(State::of_tables(names.zip(&self.sides).map(|(name, side)| (name, side.save(&shards)))))
    }

    fn load(&mut self, state: State) -> Result<(), WrongState> {
        for (name, table) in state.tables {
            match name {
                "left" => self.sides[0].load(table, NEW)?,
                "right" => self.sides[1].load(table, NEW)?,
                other => return Err(WrongState(format!("an as-of join has no table {other}"))),
            }
        }
        for side in (0..2).filter(|side| self.shown[*side]).collect::<Vec<_>>() {
            self.find_partners(side);
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

impl Keyed for AsofJoin {
    fn holds(&self, key: u128) -> bool {
        self.sides.iter().any(|side| side.holds(key))
    }

    fn clear(&mut self) {
        self.sides.iter_mut().for_each(TimedRows::clear);
    }
}
