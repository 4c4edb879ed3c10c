//! How far a source was read at the end of each of its minibatches.
//!
//! A checkpoint of a time T holds the rows of the minibatches before T, and the positions that cover just
//! these. Where a minibatch ends with rows that no position covers, no checkpoint can lie between it and the
//! next one.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use pathway_io::Position;
use pathway_types::Timestamp;

/// What readers report: the position of a part, or that the part is gone.
pub(crate) type Update = (String, Option<Position>);

/// The ends of the minibatches of one source that no checkpoint holds yet.
#[derive(Debug, Default)]
pub(crate) struct Marks(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    marks: VecDeque<Mark>,
    /// The positions of what checkpoints hold, of parts that were read in this run; none of parts that are gone.
    positions: BTreeMap<String, Option<Position>>,
    /// Everything before this time is held by a complete checkpoint.
    held: Timestamp,
    /// The time of the last minibatch of which positions were asked for.
    last: Timestamp,
}

#[derive(Debug)]
struct Mark {
    time: Timestamp,
    /// Positions cover all of its rows.
    covered: bool,
    updates: Vec<Update>,
}

impl Marks {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A minibatch has ended.
    pub(crate) fn add(&self, time: Timestamp, covered: bool, updates: Vec<Update>) {
        self.inner().marks.push_back(Mark { time, covered, updates });
    }

    /// The latest time, `limit` at most, at which a checkpoint can be.
    pub(crate) fn boundary(&self, limit: Timestamp) -> Timestamp {
        let inner = self.inner();
        let before = inner.marks.iter().rev().skip_while(|mark| mark.time >= limit);
        let mut boundary = limit;
        for mark in before {
            if mark.covered {
                break;
            }
            boundary = mark.time;
        }
        boundary
    }

    /// True if a minibatch before this time has ended that no checkpoint holds.
    pub(crate) fn has_before(&self, time: Timestamp) -> bool {
        self.inner().marks.front().is_some_and(|mark| mark.time < time)
    }

    /// The positions of everything before `time`, which is a boundary; what is asked for later is later.
    pub(crate) fn positions(&self, time: Timestamp) -> BTreeMap<String, Option<Position>> {
        let mut inner = self.inner();
        while inner.marks.front().is_some_and(|mark| mark.time < time) {
            let Some(mark) = inner.marks.pop_front() else { break };
            inner.positions.extend(mark.updates);
            inner.last = mark.time;
        }
        inner.positions.clone()
    }

    /// The time of the last minibatch of which positions were asked for.
    pub(crate) fn last(&self) -> Timestamp {
        self.inner().last
    }

    /// A checkpoint of this time is complete.
    pub(crate) fn hold(&self, time: Timestamp) {
        self.inner().held = time;
    }

    /// Everything before this time is held by a complete checkpoint.
    pub(crate) fn held(&self) -> Timestamp {
        self.inner().held
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(value: u8) -> Vec<Update> {
        vec![("part".to_owned(), Some(Position { value: vec![value], objects: Vec::new() }))]
    }

    #[test]
    fn checkpoints_lie_where_positions_cover_all_rows() {
        let marks = Marks::default();
        assert_eq!(marks.boundary(9), 9);
        marks.add(2, true, at(1));
        marks.add(4, false, at(2));
        marks.add(6, false, Vec::new());
        marks.add(8, true, at(3));
        let boundaries = [(1, 1), (2, 2), (3, 3), (4, 4), (5, 4), (6, 4), (8, 4), (9, 9), (20, 20)];
        for (limit, boundary) in boundaries {
            assert_eq!(marks.boundary(limit), boundary, "{limit}");
        }
    }

    #[test]
    fn positions_are_those_of_what_is_before() {
        let marks = Marks::default();
        marks.add(2, true, at(1));
        marks.add(4, true, vec![("gone".to_owned(), None)]);
        let values = |time| -> Vec<(String, Option<Vec<u8>>)> {
            let positions = marks.positions(time).into_iter();
            positions.map(|(part, position)| (part, position.map(|position| position.value))).collect()
        };
        assert_eq!(values(2), []);
        assert_eq!(values(4), [("part".to_owned(), Some(vec![1]))]);
        assert_eq!(values(5), [("gone".to_owned(), None), ("part".to_owned(), Some(vec![1]))]);
    }
}
