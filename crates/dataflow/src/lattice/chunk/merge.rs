//! Merges two sequences of chunks.

use std::cmp::Ordering;
use std::collections::VecDeque;

use super::{Assembler, CHUNK_UPDATES, TimedChunk};
use crate::lattice::time::LatticeTime;

/// The chunk of one side whose updates are next.
struct Head<T> {
    chunk: TimedChunk<T>,
    row: usize,
    update: usize,
    /// Its number in the assembler, once something of it was taken.
    source: Option<usize>,
}

impl<T: LatticeTime> Head<T> {
    fn pop(queue: &mut VecDeque<TimedChunk<T>>) -> Option<Self> {
        queue.pop_front().map(|chunk| Head { chunk, row: 0, update: 0, source: None })
    }

    /// Moves to the next chunk where this one is used up; false if there is none.
    fn refill(&mut self, queue: &mut VecDeque<TimedChunk<T>>) -> bool {
        if self.row < self.chunk.count() {
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

    fn source(&mut self, out: &mut Assembler<T>) -> usize {
        *self.source.get_or_insert_with(|| out.source(&self.chunk))
    }

    /// Passes the next update on, with another diff unless it is zero.
    fn take(&mut self, diff: i64, out: &mut Assembler<T>) {
        if diff != 0 {
            let source = self.source(out);
            out.push(source, self.row, self.update, diff);
        }
        self.update += 1;
        if self.update == self.chunk.start(self.row + 1) {
            self.row += 1;
        }
    }

    /// Passes the rest of the row on.
    fn take_row(&mut self, out: &mut Assembler<T>) {
        let row = self.row;
        while self.row == row {
            self.take(self.chunk.diffs.get(self.update), out);
        }
    }

    /// Passes rows below the other side's row on, until there are enough.
    fn take_rows(&mut self, other: (u128, u128), out: &mut Assembler<T>) {
        // The first may continue a row that was passed on before.
        self.take_row(out);
        let room = CHUNK_UPDATES.saturating_sub(out.len());
        let limit = self.chunk.count().min(self.row + room);
        let end = gallop(self.row, limit, |row| self.chunk.identity(row) < other);
        if end > self.row {
            let source = self.source(out);
            out.push_rows(source, self.row..end);
            (self.row, self.update) = (end, self.chunk.start(end));
        }
    }
}

/// Merges up to the lesser of the last updates of both sides; what is left stays in its queue.
pub(super) fn merge<T: LatticeTime>(
    left: &mut VecDeque<TimedChunk<T>>,
    right: &mut VecDeque<TimedChunk<T>>,
    out: &mut VecDeque<TimedChunk<T>>,
) {
    let (Some(mut l), Some(mut r)) = (Head::pop(left), Head::pop(right)) else { return };
    let mut assembler = Assembler::new();
    while l.refill(left) && r.refill(right) {
        let (mine, theirs) = (l.chunk.identity(l.row), r.chunk.identity(r.row));
        match mine.cmp(&theirs) {
            Ordering::Less => l.take_rows(theirs, &mut assembler),
            Ordering::Greater => r.take_rows(mine, &mut assembler),
            Ordering::Equal => {
                let (diff, other) = (l.chunk.diffs.get(l.update), r.chunk.diffs.get(r.update));
                match l.chunk.times.get(l.update).cmp(r.chunk.times.get(r.update)) {
                    Ordering::Less => l.take(diff, &mut assembler),
                    Ordering::Greater => r.take(other, &mut assembler),
                    Ordering::Equal if l.chunk.sums.width() > 0 => {
                        l.take(1, &mut assembler);
                        assembler.add(r.chunk.sums.of(r.update));
                        r.take(0, &mut assembler);
                    }
                    Ordering::Equal => {
                        l.take(diff + other, &mut assembler);
                        r.take(0, &mut assembler);
                    }
                }
            }
        }
        if assembler.len() >= CHUNK_UPDATES {
            out.extend(assembler.finish());
            (l.source, r.source) = (None, None);
        }
    }
    out.extend(assembler.finish());
    for (head, queue) in [(l, left), (r, right)] {
        if head.row < head.chunk.count() {
            queue.push_front(head.chunk.slice(head.update..head.chunk.times.len()));
        }
    }
}

/// The first of `start..end` for which `below` is false; it is true up to some point. Costs a
/// logarithm of the distance.
#[inline]
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
