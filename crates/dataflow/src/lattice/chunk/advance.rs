//! Moves times up to a frontier: times that no reader can tell apart any more become one, and the
//! rows that are then equal become one row.

use std::collections::VecDeque;

use super::{Assembler, CHUNK_ROWS, TimedChunk};
use crate::lattice::time::LatticeTime;
use crate::timely::AntichainRef;

/// Row `.1` of chunk `.0`.
type Place = (usize, usize);

/// Advances complete groups (rows of one key and print); the last group may go on in later chunks
/// and stays in `input` unless `done`.
pub(super) fn advance<T: LatticeTime>(
    input: &mut VecDeque<TimedChunk<T>>,
    frontier: AntichainRef<'_, T>,
    done: bool,
    out: &mut VecDeque<TimedChunk<T>>,
) {
    let chunks: Vec<TimedChunk<T>> = input.drain(..).collect();
    let end = if done { (chunks.len(), 0) } else { last_group(&chunks) };
    let mut group: Vec<(u32, Place)> = Vec::new();
    let mut assembler = Assembler::new();
    // Per chunk: its number in the assembler, and its advanced times.
    let advanced: Vec<Vec<T>> = chunks.iter().map(|chunk| advance_table(chunk, frontier)).collect();
    let mut sources: Vec<Option<usize>> = vec![None; chunks.len()];
    let mut at = (0, 0);
    while at < end {
        let identity = chunks[at.0].identity(at.1);
        group.clear();
        while at < end && chunks[at.0].identity(at.1) == identity {
            let time = &advanced[at.0][chunks[at.0].times.rank(at.1) as usize];
            group.push((assembler.time(time), at));
            at = next(&chunks, at);
        }
        emit(&chunks, &mut group, &mut sources, &mut assembler);
        if assembler.len() >= CHUNK_ROWS {
            out.extend(assembler.finish());
            sources.fill(None);
        }
    }
    out.extend(assembler.finish());
    for (number, chunk) in chunks.iter().enumerate().skip(end.0) {
        let start = if number == end.0 { end.1 } else { 0 };
        input.push_back(chunk.slice(start, chunk.keys.len() - start));
    }
}

fn next<T: LatticeTime>(chunks: &[TimedChunk<T>], (chunk, row): Place) -> Place {
    if row + 1 < chunks[chunk].keys.len() { (chunk, row + 1) } else { (chunk + 1, 0) }
}

/// Where the last group starts.
fn last_group<T: LatticeTime>(chunks: &[TimedChunk<T>]) -> Place {
    let Some(last) = chunks.last() else { return (0, 0) };
    let identity = last.identity(last.keys.len() - 1);
    for (number, chunk) in chunks.iter().enumerate().rev() {
        // Most groups are a row or two: look back from the end.
        let earlier = (0..chunk.keys.len()).rev().find(|row| chunk.identity(*row) != identity);
        if let Some(row) = earlier {
            return next(chunks, (number, row));
        }
    }
    (0, 0)
}

fn advance_table<T: LatticeTime>(chunk: &TimedChunk<T>, frontier: AntichainRef<'_, T>) -> Vec<T> {
    let advance = |time: &T| {
        let mut time = time.clone();
        time.advance_by(frontier);
        time
    };
    chunk.times.table().iter().map(advance).collect()
}

/// Passes on one group, given with the places of its advanced times in the assembler's table.
fn emit<T: LatticeTime>(
    chunks: &[TimedChunk<T>],
    group: &mut [(u32, Place)],
    sources: &mut [Option<usize>],
    assembler: &mut Assembler<T>,
) {
    if group.len() > 1 {
        // Equal times have equal places, so neighbours tell.
        group.sort_by(
            |(a, _), (b, _)| if a == b { std::cmp::Ordering::Equal } else { assembler.order(*a, *b) },
        );
    }
    let mut rest = &*group;
    while let Some(&(time, (chunk, row))) = rest.first() {
        let equal = rest.iter().take_while(|(other, _)| *other == time).count();
        let diff: i64 = rest[..equal].iter().map(|(_, (chunk, row))| chunks[*chunk].diffs.get(*row)).sum();
        if diff != 0 {
            let source = *sources[chunk].get_or_insert_with(|| assembler.source(&chunks[chunk]));
            assembler.push_at(source, row, time, diff);
        }
        rest = &rest[equal..];
    }
}
