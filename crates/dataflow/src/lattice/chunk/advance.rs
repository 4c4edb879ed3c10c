//! Moves times up to a frontier: times that no reader can tell apart any more become one, and the
//! updates that are then equal become one.

use std::collections::VecDeque;

use super::{Assembler, CHUNK_UPDATES, TimedChunk};
use crate::lattice::time::LatticeTime;
use crate::timely::AntichainRef;

/// Row `.1` of chunk `.0`.
type Place = (usize, usize);

/// Advances complete rows; the last row may have updates in later chunks and stays in `input`
/// unless `done`.
pub(super) fn advance<T: LatticeTime>(
    input: &mut VecDeque<TimedChunk<T>>,
    frontier: AntichainRef<'_, T>,
    done: bool,
    out: &mut VecDeque<TimedChunk<T>>,
) {
    let chunks: Vec<TimedChunk<T>> = input.drain(..).collect();
    let end = if done { (chunks.len(), 0) } else { last_row(&chunks) };
    let width = chunks.first().map_or(0, |chunk| chunk.sums.width());
    let (mut updates, mut sums): (Vec<Update>, Vec<i64>) = Default::default();
    let mut assembler = Assembler::new();
    let advanced: Vec<Advanced<T>> = chunks.iter().map(|chunk| Advanced::new(chunk, frontier)).collect();
    let mut sources: Vec<Option<usize>> = vec![None; chunks.len()];
    let mut at = (0, 0);
    while at < end {
        let (chunk, row) = at;
        let identity = chunks[chunk].identity(row);
        let is_whole = row == 0 && chunk < end.0 && !advanced[chunk].moves;
        if is_whole && !chunks.get(chunk + 1).is_some_and(|next| follows(&chunks[chunk], next)) {
            // Nothing changes in this chunk.
            out.extend(assembler.finish());
            sources.fill(None);
            out.push_back(chunks[chunk].clone());
            at = (chunk + 1, 0);
            continue;
        }
        updates.clear();
        sums.clear();
        while at < end && chunks[at.0].identity(at.1) == identity {
            let chunk = &chunks[at.0];
            for update in chunk.updates(at.1) {
                let time = &advanced[at.0].table[chunk.times.rank(update) as usize];
                let (time, diff) = (assembler.time(time), chunk.diffs.get(update));
                updates.push(Update { time, diff, sums: sums.len() });
                sums.extend_from_slice(chunk.sums.of(update));
            }
            at = next(&chunks, at);
        }
        sum_up(&mut updates, (&mut sums, width), &assembler);
        for Update { time, diff, sums: start } in &updates {
            let source = *sources[chunk].get_or_insert_with(|| assembler.source(&chunks[chunk]));
            assembler.push_at(source, row, *time, *diff, &sums[*start..][..width]);
        }
        if assembler.len() >= CHUNK_UPDATES {
            out.extend(assembler.finish());
            sources.fill(None);
        }
    }
    out.extend(assembler.finish());
    for (number, chunk) in chunks.iter().enumerate().skip(end.0) {
        let start = if number == end.0 { chunk.start(end.1) } else { 0 };
        input.push_back(chunk.slice(start..chunk.times.len()));
    }
}

/// The advanced times of a chunk's table, and whether any is another.
struct Advanced<T> {
    table: Vec<T>,
    moves: bool,
}

impl<T: LatticeTime> Advanced<T> {
    fn new(chunk: &TimedChunk<T>, frontier: AntichainRef<'_, T>) -> Self {
        let advance = |time: &T| {
            let mut time = time.clone();
            time.advance_by(frontier);
            time
        };
        let table: Vec<T> = chunk.times.table().iter().map(advance).collect();
        Advanced { moves: table != chunk.times.table(), table }
    }
}

fn next<T: LatticeTime>(chunks: &[TimedChunk<T>], (chunk, row): Place) -> Place {
    if row + 1 < chunks[chunk].count() { (chunk, row + 1) } else { (chunk + 1, 0) }
}

/// True if the last row of a chunk goes on in the next one.
fn follows<T: LatticeTime>(chunk: &TimedChunk<T>, next: &TimedChunk<T>) -> bool {
    chunk.identity(chunk.count() - 1) == next.identity(0)
}

/// Where the last row starts.
fn last_row<T: LatticeTime>(chunks: &[TimedChunk<T>]) -> Place {
    let Some(last) = chunks.last() else { return (0, 0) };
    let identity = last.identity(last.count() - 1);
    for (number, chunk) in chunks.iter().enumerate().rev() {
        // Look back from the end: a row is seldom repeated.
        let earlier = (0..chunk.count()).rev().find(|row| chunk.identity(*row) != identity);
        if let Some(row) = earlier {
            return next(chunks, (number, row));
        }
    }
    (0, 0)
}

/// An update of a row.
struct Update {
    /// The place of its time.
    time: u32,
    diff: i64,
    /// Where the numbers that it carries start.
    sums: usize,
}

/// Sorts by time and adds up what is equal; each update carries `width` numbers.
fn sum_up<T: LatticeTime>(
    updates: &mut Vec<Update>,
    (sums, width): (&mut [i64], usize),
    assembler: &Assembler<T>,
) {
    if updates.len() < 2 {
        return;
    }
    updates.sort_by(|a, b| assembler.order(a.time, b.time));
    // Equal times have equal places.
    updates.dedup_by(|later, first| {
        let equal = later.time == first.time;
        if equal && width == 0 {
            first.diff += later.diff;
        } else if equal {
            for number in 0..width {
                sums[first.sums + number] = sums[first.sums + number].wrapping_add(sums[later.sums + number]);
            }
        }
        equal
    });
    updates.retain(|update| match width {
        0 => update.diff != 0,
        _ => sums[update.sums..][..width].iter().any(|sum| *sum != 0),
    });
}
