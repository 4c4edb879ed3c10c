//! Rows for differential dataflow's proxy reduce: presents the rows of keys by number, has their
//! outputs computed, and builds batches of what changed.

use std::collections::VecDeque;
use std::rc::Rc;

use hashbrown::HashMap;
use pathway_types::{Diffs, Keys};

use super::draw::{Draw, Pool};
use super::groups::{Given, Groups, Logic};
use crate::lattice::arrange::TimedBatch;
use crate::lattice::chunk::{Sums, TimedChunk};
use crate::lattice::fitted;
use crate::lattice::gather::gather;
use crate::lattice::print::prints;
use crate::lattice::time::LatticeTime;
use crate::lattice::times::TimeTable;
use crate::timely::{
    ChunkBatch, Description, KeyPosition, ProxyReduceBackend, ReduceInstance, ReduceWindow, settle_all,
};

/// Rows that are presented at once.
const WINDOW_ROWS: usize = 8 * 1024;

pub(super) struct Backend<T, L> {
    logic: L,
    input: Pool,
    output: Pool,
    /// Present rows of a group: print, number, count. Empty between groups.
    present: Vec<(u128, u32, i64)>,
    /// Where the results of rows are, by group and print, if the logic looks back.
    history: HashMap<(u128, u128), (u32, u32)>,
    /// Keys of the window that can only change at one time.
    plain: Plain<T>,
    /// The updates of one key.
    drawn: Vec<(u32, T, i64)>,
    /// What plain keys give, to be emitted with what others do.
    own: Vec<Update<T>>,
    /// The output batch so far.
    chunks: VecDeque<TimedChunk<T>>,
}

/// An update of a row of a key, by its number.
type Update<T> = ((u128, u32), T, i64);

/// Keys whose new rows have one time, which no row that was there before is beyond: what they give
/// changes at that time only, and what was there before need not be gone through in order.
struct Plain<T> {
    keys: Vec<u128>,
    times: Vec<T>,
    /// The rows of each of them that are there then, and where they end.
    input: (Vec<(u32, i64)>, Vec<usize>),
    output: (Vec<(u32, i64)>, Vec<usize>),
}

impl<T> Default for Plain<T> {
    fn default() -> Self {
        Plain { keys: Vec::new(), times: Vec::new(), input: Default::default(), output: Default::default() }
    }
}

impl<T> Plain<T> {
    fn clear(&mut self) {
        self.keys.clear();
        self.times.clear();
        for (rows, ends) in [&mut self.input, &mut self.output] {
            rows.clear();
            ends.clear();
        }
    }

    /// Adds a key with its updates; those of one row are next to each other.
    fn push(&mut self, key: u128, time: T, input: &[(u32, T, i64)], output: &[(u32, T, i64)]) {
        self.keys.push(key);
        self.times.push(time);
        for (updates, (rows, ends)) in [(input, &mut self.input), (output, &mut self.output)] {
            for row in updates.chunk_by(|a, b| a.0 == b.0) {
                let count = row.iter().map(|(.., diff)| diff).sum();
                if count != 0 {
                    rows.push((row[0].0, count));
                }
            }
            ends.push(rows.len());
        }
    }
}

impl<T, L> Backend<T, L> {
    pub(super) fn new(logic: L) -> Self {
        Backend {
            logic,
            input: Pool::default(),
            output: Pool::default(),
            present: Vec::new(),
            history: HashMap::new(),
            plain: Plain::default(),
            drawn: Vec::new(),
            own: Vec::new(),
            chunks: VecDeque::new(),
        }
    }
}

/// A row that a group should give.
struct Wanted {
    print: u128,
    place: (u32, u32),
}

impl<T: LatticeTime, L: Logic> Backend<T, L> {
    /// The rows that groups should give, in ascending order of the groups.
    fn wanted(&mut self, keys: &[u128], ends: &[usize], rows: &[(u32, i64)]) -> (Vec<u32>, Vec<Wanted>) {
        let mut groups = Groups {
            keys: Vec::with_capacity(keys.len()),
            groups: Vec::with_capacity(rows.len()),
            places: Vec::with_capacity(rows.len()),
            prints: Vec::with_capacity(rows.len()),
            counts: Vec::with_capacity(rows.len()),
            blocks: &self.input.blocks,
            history: &self.history,
            given: &self.output.blocks,
        };
        // Places of the groups that have rows among all groups.
        let mut filled = Vec::with_capacity(keys.len());
        let mut start = 0;
        for (group, (key, end)) in keys.iter().zip(ends).enumerate() {
            let before = groups.places.len();
            // Rows that are there less than once wait for their insertion.
            for (row, count) in rows[start..*end].iter().filter(|(_, count)| *count > 0) {
                groups.groups.push(filled.len() as u32);
                groups.places.push(self.input.place(*row));
                groups.prints.push(self.input.print(*row));
                groups.counts.push(*count);
            }
            if groups.places.len() > before {
                groups.keys.push(*key);
                filled.push(group as u32);
            }
            start = *end;
        }
        if groups.keys.is_empty() {
            return (Vec::new(), Vec::new());
        }
        let Given { groups, columns } = self.logic.evaluate(&groups);
        let prints = prints(&columns, groups.len());
        let of = columns.last().filter(|_| self.logic.looks_back()).map(Keys::of_column);
        let block = self.output.block(columns);
        for (row, print) in of.iter().flat_map(|of| of.as_slice().iter().enumerate()) {
            let key = keys[filled[groups[row] as usize] as usize];
            self.history.entry((key, *print)).or_insert((block, row as u32));
        }
        let wanted = prints.into_iter().zip(0..).map(|(print, row)| Wanted { print, place: (block, row) });
        (groups.iter().map(|group| filled[*group as usize]).collect(), wanted.collect())
    }

    /// Finds the results of the rows that keys of the window gave before.
    fn look_back(&mut self, given: &[Update<T>]) {
        self.history.clear();
        let Plain { keys, output: (rows, ends), .. } = &self.plain;
        let starts = std::iter::once(&0).chain(ends);
        let plain = keys
            .iter()
            .zip(starts.zip(ends))
            .flat_map(|(key, (start, end))| rows[*start..*end].iter().map(move |(row, _)| (*key, *row)));
        for (key, row) in plain.chain(given.iter().map(|(of, ..)| *of)) {
            let (block, place) = self.output.place(row);
            if let Some(of) = self.output.blocks[block as usize].last() {
                let print = Keys::of_column(of).as_slice()[place as usize];
                self.history.insert((key, print), (block, place));
            }
        }
    }

    /// Computes what changes for the plain keys of the window.
    fn settle_plain(&mut self) {
        let plain = std::mem::take(&mut self.plain);
        let ((input, input_ends), (output, output_ends)) = (&plain.input, &plain.output);
        let (corrections, ends) =
            self.reduce_corrections(&plain.keys, input_ends, input, output_ends, output);
        let mut start = 0;
        for ((key, time), end) in plain.keys.iter().zip(&plain.times).zip(ends) {
            let of_key = |(row, diff): &(u32, i64)| ((*key, *row), time.clone(), *diff);
            self.own.extend(corrections[start..end].iter().map(of_key));
            start = end;
        }
        self.plain = plain;
    }

    /// What turns the present rows of one group (by number and count) into the wanted ones.
    fn correct(&mut self, wanted: &mut [Wanted], present: &[(u32, i64)], out: &mut Vec<(u32, i64)>) {
        if let ([new], [(row, 1)]) = (&*wanted, present)
            && new.print == self.output.print(*row)
        {
            return;
        }
        if wanted.len() > 1 {
            wanted.sort_unstable_by_key(|wanted| wanted.print);
        }
        let mut scratch = std::mem::take(&mut self.present);
        scratch.extend(present.iter().map(|(row, count)| (self.output.print(*row), *row, *count)));
        if scratch.len() > 1 {
            scratch.sort_unstable();
        }
        let mut wanted = wanted.chunk_by(|a, b| a.print == b.print).map(|equal| &equal[0]).peekable();
        // The same row may have several numbers.
        for equal in scratch.chunk_by(|a, b| a.0 == b.0) {
            let (print, row, _) = equal[0];
            let count: i64 = equal.iter().map(|(.., count)| count).sum();
            while let Some(new) = wanted.next_if(|wanted| wanted.print < print) {
                out.push((self.output.add(new.place, new.print), 1));
            }
            let change = i64::from(wanted.next_if(|wanted| wanted.print == print).is_some()) - count;
            if change != 0 {
                out.push((row, change));
            }
        }
        for new in wanted {
            out.push((self.output.add(new.place, new.print), 1));
        }
        scratch.clear();
        self.present = scratch;
    }
}

impl<T: LatticeTime, L: Logic> ProxyReduceBackend<T, TimedBatch<T>, TimedBatch<T>> for Backend<T, L> {
    type Key = u128;
    type VIn = u32;
    type VOut = u32;
    type RIn = i64;
    type ROut = i64;

    fn begin(&mut self, _description: Description<T>) {
        self.chunks.clear();
    }

    fn next_window(
        &mut self,
        instance: &ReduceInstance<'_, T, TimedBatch<T>, TimedBatch<T>>,
        changed: &[u128],
        from: &mut KeyPosition<u128>,
        window: &mut ReduceWindow<T, i64, i64, u128, u32, u32>,
    ) {
        let start = match from {
            KeyPosition::Start => 0,
            KeyPosition::At(key) => *key,
            KeyPosition::End => return,
        };
        self.emit(&[]);
        self.input.clear();
        self.output.clear();
        self.plain.clear();
        let (novel, prior) = (instance.input_batches, instance.source_batches);
        let mut draw = Draw::new(novel, prior, changed, start, instance.lower);
        let mut given = Draw::new(&[], instance.output_batches, &[], start, instance.lower);
        let mut drawn = std::mem::take(&mut self.drawn);
        while window.input.len() + self.plain.input.0.len() < WINDOW_ROWS
            && let Some(key) = draw.key()
        {
            drawn.clear();
            let listed = draw.is_listed(key);
            draw.draw(key, &mut self.input, |row, time, diff| drawn.push((row, time, diff)));
            let inputs = drawn.len();
            given.draw(key, &mut self.output, |row, time, diff| drawn.push((row, time, diff)));
            let (input, output) = drawn.split_at(inputs);
            match draw.novel_times.as_slice() {
                [time] if !listed && drawn.iter().all(|(_, before, _)| before.less_equal(time)) => {
                    self.plain.push(key, time.clone(), input, output);
                }
                times => {
                    let of_key = |(row, time, diff): &(u32, T, i64)| ((key, *row), time.clone(), *diff);
                    window.input.extend(input.iter().map(of_key));
                    window.output.extend(output.iter().map(of_key));
                    window.seeds.extend(times.iter().map(|time| (key, time.clone())));
                }
            }
        }
        self.drawn = drawn;
        *from = draw.key().map_or(KeyPosition::End, KeyPosition::At);
        if self.logic.looks_back() {
            self.look_back(&window.output);
        }
        self.settle_plain();
    }

    /// What turns the rows that groups give into those that they should give, and where it ends for each.
    fn reduce_corrections(
        &mut self,
        keys: &[u128],
        input_ends: &[usize],
        input: &[(u32, i64)],
        output_ends: &[usize],
        output: &[(u32, i64)],
    ) -> (Vec<(u32, i64)>, Vec<usize>) {
        let (owners, mut wanted) = self.wanted(keys, input_ends, input);
        let (mut corrections, mut ends) = (Vec::new(), Vec::with_capacity(keys.len()));
        let (mut start, mut at) = (0, 0);
        for (group, end) in output_ends.iter().enumerate() {
            let own = owners[at..].iter().take_while(|owner| **owner == group as u32).count();
            self.correct(&mut wanted[at..at + own], &output[start..*end], &mut corrections);
            ends.push(corrections.len());
            (start, at) = (*end, at + own);
        }
        (corrections, ends)
    }

    fn emit(&mut self, records: &[Update<T>]) {
        let mut all = std::mem::take(&mut self.own);
        all.extend_from_slice(records);
        let records = all.as_slice();
        // Sorted by key and number; a chunk is sorted by key, print and time.
        let mut order: Vec<u32> = (0..records.len() as u32).collect();
        let rank = |at: u32| {
            let ((key, row), time, _) = &records[at as usize];
            (*key, self.output.print(*row), time)
        };
        order.sort_unstable_by(|a, b| rank(*a).cmp(&rank(*b)));
        let (mut keys, mut prints, mut places, mut ends) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (mut ranks, mut diffs) = (Vec::new(), Vec::new());
        let mut table = TimeTable::default();
        for equal in order.chunk_by(|a, b| rank(*a) == rank(*b)) {
            let diff: i64 = equal.iter().map(|at| records[*at as usize].2).sum();
            if diff == 0 {
                continue;
            }
            let ((key, row), time, _) = &records[equal[0] as usize];
            let print = self.output.print(*row);
            ranks.push(table.place(time));
            diffs.push(diff);
            match ends.last_mut() {
                Some(end) if keys.last() == Some(key) && prints.last() == Some(&print) => *end += 1,
                _ => {
                    keys.push(*key);
                    prints.push(print);
                    places.push(self.output.place(*row));
                    ends.push(ranks.len() as u32);
                }
            }
        }
        if !keys.is_empty() {
            let columns = gather(|block| &self.output.blocks[block], &places);
            let (times, diffs) = (table.finish(ranks), Diffs::from(fitted(diffs)));
            let sums = Sums::default();
            self.chunks.push_back(TimedChunk::new(keys, prints, columns, ends, times, diffs, sums));
        }
        all.clear();
        self.own = all;
    }

    fn finish(&mut self) -> Option<TimedBatch<T>> {
        self.emit(&[]);
        self.input.clear();
        self.output.clear();
        let chunks = settle_all(std::mem::take(&mut self.chunks));
        (!chunks.is_empty()).then(|| Rc::new(ChunkBatch::new(chunks)))
    }
}
