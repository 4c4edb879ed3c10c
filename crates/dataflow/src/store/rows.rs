//! Rows as columns: an append-only list of chunks whose rows can be gathered and forgotten.
//!
//! A row is addressed by chunk and position. Small chunks are merged as they pile up, and chunks
//! that are mostly forgotten are rewritten; both move rows, which the owner of the addresses learns
//! through a callback with each moved row's *anchor* (the key under which the owner finds the
//! address).

use pathway_types::{Batch, Column, DType, Diffs, Keys};

use super::folder::Folder;

/// Chunks of at least this many rows are not merged any further.
const LARGE: usize = 16 * 1024;
/// So many neighbouring chunks of one size class are merged into one.
const FAN_IN: usize = 8;

/// The address of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RowId {
    /// The chunk.
    pub chunk: u32,
    /// The position in the chunk.
    pub row: u32,
}

/// Rows by the position of their chunk in a list, and their position in the chunk.
type Places = Vec<(usize, usize)>;

#[derive(Debug)]
struct Chunk {
    ids: Keys,
    columns: Vec<Column>,
    anchors: Keys,
    forgotten: u32,
    /// About how many it takes in memory.
    bytes: usize,
}

/// Rows with their ids, and the anchor of each.
#[derive(Debug, Default)]
pub struct RowStore {
    chunks: Vec<Option<Chunk>>,
    free: Vec<u32>,
    /// Small chunks, oldest first.
    small: Vec<u32>,
    live: usize,
    /// Bytes of all chunks.
    bytes: usize,
    folder: Option<Folder>,
}

impl RowStore {
    /// No rows; those that come are in files of the folder, as far as that is worth it.
    pub fn new(folder: Option<Folder>) -> Self {
        RowStore { folder, ..RowStore::default() }
    }

    /// Where rows are kept, if not in memory.
    pub(super) fn folder(&self) -> Option<Folder> {
        self.folder.clone()
    }

    /// The number of rows that were not forgotten.
    pub fn len(&self) -> usize {
        self.live
    }

    /// True without rows.
    pub fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// Adds rows; row `i` gets the address `(chunk, i)` of the returned chunk.
    pub fn insert(&mut self, ids: Keys, columns: Vec<Column>, anchors: Keys) -> u32 {
        debug_assert_eq!(ids.len(), anchors.len());
        self.live += ids.len();
        let is_small = ids.len() < LARGE;
        let chunk = self.chunk_of(ids, columns, anchors);
        let number = match self.free.pop() {
            Some(number) => {
                self.chunks[number as usize] = Some(chunk);
                number
            }
            None => {
                self.chunks.push(Some(chunk));
                (self.chunks.len() - 1) as u32
            }
        };
        if is_small {
            self.small.push(number);
        }
        number
    }

    fn chunk_of(&mut self, ids: Keys, columns: Vec<Column>, anchors: Keys) -> Chunk {
        let keys = 32 * ids.len();
        let (columns, bytes) = match &self.folder {
            Some(folder) => (folder.hold(columns), keys),
            None => {
                let bytes = keys + columns.iter().map(Column::cells_size).sum::<usize>();
                (columns, bytes)
            }
        };
        self.bytes += bytes;
        Chunk { ids, columns, anchors, forgotten: 0, bytes }
    }

    fn chunk(&self, number: u32) -> &Chunk {
        // Addresses are handed out by `insert` and updated when rows move.
        #[allow(clippy::expect_used)]
        self.chunks[number as usize].as_ref().expect("the address of a row names a chunk")
    }

    /// The id of a row.
    pub fn id(&self, row: RowId) -> u128 {
        self.chunk(row.chunk).ids.as_slice()[row.row as usize]
    }

    /// The columns of a row's chunk, to read the row's cells at `row.row`.
    pub fn columns(&self, row: RowId) -> &[Column] {
        &self.chunk(row.chunk).columns
    }

    /// Forgets a row. Its cells stay readable until [`RowStore::tidy`].
    pub fn forget(&mut self, row: RowId) {
        if let Some(chunk) = &mut self.chunks[row.chunk as usize] {
            chunk.forgotten += 1;
            self.live -= 1;
        }
    }

    /// Gathers column `column` of these rows. `None` for no rows.
    pub fn gather(&self, rows: &[RowId], column: usize) -> Option<Column> {
        let (chunks, places) = self.places(rows)?;
        let columns: Vec<&Column> = chunks.iter().map(|c| &c.columns[column]).collect();
        Some(pick(&columns, &places))
    }

    /// Gathers a column of this dtype, None where there is no row.
    pub fn gather_or_none(&self, rows: &[Option<RowId>], column: usize, dtype: &DType) -> Column {
        let there: Vec<RowId> = rows.iter().flatten().copied().collect();
        let Some(cells) = self.gather(&there, column) else { return Column::nulls(dtype, rows.len()) };
        if there.len() == rows.len() {
            return cells;
        }
        // A None after the cells stands for what is not there.
        let padded = Column::concat(&[&cells, &Column::nulls(dtype, 1)]);
        let mut next = 0;
        let place = |row: &Option<RowId>| match row {
            Some(_) => {
                next += 1;
                next - 1
            }
            None => there.len() as u32,
        };
        padded.take(&rows.iter().map(place).collect::<Vec<u32>>().into())
    }

    /// Gathers the ids and these columns of rows, as insertions. `None` for no rows.
    pub fn gather_batch(&self, rows: &[RowId], columns: impl Iterator<Item = usize>) -> Option<Batch> {
        let (chunks, places) = self.places(rows)?;
        let columns = columns.map(|column| {
            let columns: Vec<&Column> = chunks.iter().map(|c| &c.columns[column]).collect();
            pick(&columns, &places)
        });
        let columns = columns.collect();
        let ids: Vec<u128> = rows.iter().map(|row| self.id(*row)).collect();
        Some(Batch::new(ids.into(), columns, Diffs::Ones(rows.len())))
    }

    /// The chunks that hold these rows, and each row's place among them.
    fn places(&self, rows: &[RowId]) -> Option<(Vec<&Chunk>, Places)> {
        if rows.is_empty() {
            return None;
        }
        let mut chunks = Vec::new();
        let mut index = vec![u32::MAX; self.chunks.len()];
        let places = rows.iter().map(|row| {
            let slot = &mut index[row.chunk as usize];
            if *slot == u32::MAX {
                *slot = chunks.len() as u32;
                chunks.push(self.chunk(row.chunk));
            }
            (*slot as usize, row.row as usize)
        });
        let places = places.collect();
        Some((chunks, places))
    }

    /// Merges small chunks and rewrites chunks that are mostly forgotten. `moved(anchor, from, to)`
    /// is called for every row that moves and says whether the row is still known; unknown rows are
    /// dropped.
    pub fn tidy(&mut self, mut moved: impl FnMut(u128, RowId, RowId) -> bool) {
        loop {
            let class = |n: usize| (usize::BITS - n.leading_zeros()) / 3;
            let size = |number: &u32| self.chunk(*number).ids.len();
            // The newest chunks of one size class; older ones are at least as large.
            let Some(last) = self.small.last() else { break };
            let top = class(size(last));
            let run = self.small.iter().rev().take_while(|n| class(size(n)) <= top).count();
            if run < FAN_IN {
                break;
            }
            let victims = self.small.split_off(self.small.len() - run);
            self.rewrite(&victims, &mut moved);
        }
        let sparse: Vec<u32> = (0..self.chunks.len() as u32)
            .filter(|n| {
                self.chunks[*n as usize].as_ref().is_some_and(|c| {
                    let rows = c.ids.len() as u32;
                    c.forgotten == rows || (rows >= 256 && c.forgotten > rows / 2)
                })
            })
            .collect();
        for number in sparse {
            self.small.retain(|n| *n != number);
            self.rewrite(&[number], &mut moved);
        }
    }

    /// Replaces chunks by one chunk of their known rows.
    fn rewrite(&mut self, numbers: &[u32], moved: &mut impl FnMut(u128, RowId, RowId) -> bool) {
        let target = self.free.pop().unwrap_or_else(|| {
            self.chunks.push(None);
            (self.chunks.len() - 1) as u32
        });
        let mut places = Vec::new();
        let (mut ids, mut anchors) = (Vec::new(), Vec::new());
        for (at, number) in numbers.iter().enumerate() {
            let chunk = self.chunk(*number);
            for row in 0..chunk.ids.len() {
                let from = RowId { chunk: *number, row: row as u32 };
                let to = RowId { chunk: target, row: places.len() as u32 };
                let anchor = chunk.anchors.as_slice()[row];
                if moved(anchor, from, to) {
                    places.push((at, row));
                    ids.push(chunk.ids.as_slice()[row]);
                    anchors.push(anchor);
                }
            }
        }
        let width = self.chunk(numbers[0]).columns.len();
        let columns: Vec<Column> = (0..width)
            .map(|column| {
                let columns: Vec<&Column> = numbers.iter().map(|n| &self.chunk(*n).columns[column]).collect();
                pick(&columns, &places)
            })
            .collect();
        for number in numbers {
            if let Some(chunk) = self.chunks[*number as usize].take() {
                self.bytes -= chunk.bytes;
            }
            self.free.push(*number);
        }
        if places.is_empty() {
            self.free.push(target);
            return;
        }
        let rows = places.len();
        let chunk = self.chunk_of(ids.into(), columns, anchors.into());
        self.chunks[target as usize] = Some(chunk);
        if rows < LARGE {
            self.small.push(target);
        }
    }

    /// About how many bytes the rows take in memory.
    pub fn memory(&self) -> usize {
        self.bytes + self.chunks.capacity() * size_of::<Option<Chunk>>()
    }
}

/// Gathers cells, by `take` where they come from one column.
fn pick(columns: &[&Column], places: &[(usize, usize)]) -> Column {
    match columns {
        [one] => one.take(&places.iter().map(|(_, row)| *row as u32).collect::<Vec<_>>().into()),
        many => Column::interleave(many, places),
    }
}

#[cfg(test)]
mod tests;
