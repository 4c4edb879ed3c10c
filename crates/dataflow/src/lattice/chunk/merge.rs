//! Merges two sequences of chunks.

use std::cmp::Ordering;
use std::collections::VecDeque;

use super::{Assembler, CHUNK_ROWS, TimedChunk};
use crate::lattice::time::LatticeTime;

/// The chunk of one side whose rows are next.
struct Head<T> {
    chunk: TimedChunk<T>,
    row: usize,
    /// Its number in the assembler, once a row of it was taken.
    source: Option<usize>,
}

impl<T: LatticeTime> Head<T> {
    fn pop(queue: &mut VecDeque<TimedChunk<T>>) -> Option<Self> {
        queue.pop_front().map(|chunk| Head { chunk, row: 0, source: None })
    }

    /// Moves to the next chunk where this one is used up; false if there is none.
    fn refill(&mut self, queue: &mut VecDeque<TimedChunk<T>>) -> bool {
        if self.row < self.chunk.keys.len() {
            return true;
        }
        match Head::pop(queue) {
            Some(next) => {
                *self = next;
                true
            }
            None => false,
        }
    }

    fn compare(&self, row: usize, other: &Head<T>) -> Ordering {
        let (mine, theirs) = (&self.chunk, &other.chunk);
        mine.identity(row)
            .cmp(&theirs.identity(other.row))
            .then_with(|| mine.times.get(row).cmp(theirs.times.get(other.row)))
    }

    /// Passes the rows below the other side's next row on, at most as many as fit.
    fn take_run(&mut self, other: &Head<T>, out: &mut Assembler<T>) {
        let limit = self.chunk.keys.len().min(self.row + CHUNK_ROWS - out.len());
        let end = gallop(self.row + 1, limit, |row| self.compare(row, other).is_lt());
        let source = *self.source.get_or_insert_with(|| out.source(&self.chunk));
        out.push_run(source, self.row..end);
        self.row = end;
    }
}

/// Merges up to the lesser of the last rows of both sides; what is left stays in its queue.
pub(super) fn merge<T: LatticeTime>(
    left: &mut VecDeque<TimedChunk<T>>,
    right: &mut VecDeque<TimedChunk<T>>,
    out: &mut VecDeque<TimedChunk<T>>,
) {
    let (Some(mut l), Some(mut r)) = (Head::pop(left), Head::pop(right)) else { return };
    let mut assembler = Assembler::new();
    while l.refill(left) && r.refill(right) {
        match l.compare(l.row, &r) {
            Ordering::Less => l.take_run(&r, &mut assembler),
            Ordering::Greater => r.take_run(&l, &mut assembler),
            Ordering::Equal => {
                let diff = l.chunk.diffs.get(l.row) + r.chunk.diffs.get(r.row);
                if diff != 0 {
                    let source = *l.source.get_or_insert_with(|| assembler.source(&l.chunk));
                    assembler.push(source, l.row, diff);
                }
                l.row += 1;
                r.row += 1;
            }
        }
        if assembler.len() >= CHUNK_ROWS {
            out.extend(assembler.finish());
            (l.source, r.source) = (None, None);
        }
    }
    out.extend(assembler.finish());
    for (head, queue) in [(l, left), (r, right)] {
        let rest = head.chunk.keys.len() - head.row;
        if rest > 0 {
            queue.push_front(head.chunk.slice(head.row, rest));
        }
    }
}

/// The first of `start..end` for which `below` is false; it is true up to some point. Costs a
/// logarithm of the distance.
pub(in crate::lattice) fn gallop(start: usize, end: usize, below: impl Fn(usize) -> bool) -> usize {
    let (mut at, mut step) = (start, 1);
    while at + step <= end && below(at + step - 1) {
        at += step;
        step *= 2;
    }
    // Everything before `at` is below; the answer is before `at + step`.
    let mut last = end.min(at + step - 1);
    while at < last {
        let middle = at + (last - at) / 2;
        if below(middle) {
            at = middle + 1;
        } else {
            last = middle;
        }
    }
    at
}
