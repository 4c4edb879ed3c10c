//! A file of rows in the order of the ranks of their keys.
//!
//! It has blocks of some rows each, which are read one by one; where they begin, and which keys may be in them, is
//! in memory: some two bytes for each row. The file has no name, so it is gone with the run that it belongs to.

use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

use arrow_schema::ArrowError;
use pathway_types::Batch;

use super::{rank, route_keys};
use crate::packet;
use crate::route::Route;

/// Rows of a block.
const BLOCK: usize = 1024;

/// Rows in a file, some of which may be dead.
#[derive(Debug)]
pub(super) struct Run {
    file: File,
    /// Where in a row its key is.
    route: Route,
    blocks: Vec<Block>,
    bytes: u64,
    /// The last rank.
    last: u128,
    rows: usize,
    /// A bit for each row; none while no row is dead.
    dead: Vec<u64>,
    live: usize,
}

#[derive(Debug)]
struct Block {
    offset: u64,
    /// The number of its first row.
    start: usize,
    first: u128,
    filter: Filter,
}

/// Rows of a block, with their ranks.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) ranks: Vec<u128>,
    pub(super) batch: Batch,
    /// The number of the first row.
    pub(super) start: usize,
}

impl Run {
    /// Rows that are not dead.
    pub(super) fn live(&self) -> usize {
        self.live
    }

    /// All rows.
    pub(super) fn len(&self) -> usize {
        self.rows
    }

    /// Bytes of the file.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The number of blocks.
    pub(super) fn blocks(&self) -> usize {
        self.blocks.len()
    }

    /// The rank of the first row of a block.
    pub(super) fn first(&self, block: usize) -> Option<u128> {
        self.blocks.get(block).map(|block| block.first)
    }

    /// The first block that may have rows of a rank or later ones.
    pub(super) fn find(&self, rank: u128) -> usize {
        self.blocks.partition_point(|block| block.first < rank).saturating_sub(1)
    }

    /// True unless there is certainly no row of this rank in a block.
    pub(super) fn may_have(&self, block: usize, rank: u128) -> bool {
        self.blocks[block].filter.may_have(rank)
    }

    /// Reads a block.
    pub(super) fn read(&self, block: usize) -> Result<Rows, ArrowError> {
        let end = self.blocks.get(block + 1).map_or(self.bytes, |next| next.offset);
        let Block { offset, start, .. } = self.blocks[block];
        let mut bytes = vec![0; (end - offset) as usize];
        let mut file = &self.file;
        file.seek(SeekFrom::Start(offset))?;
        file.read_exact(&mut bytes)?;
        let batch = packet::decode(&bytes)?;
        let keys = route_keys(&batch, self.route);
        Ok(Rows { ranks: keys.as_slice().iter().map(|key| rank(*key)).collect(), batch, start })
    }

    /// The last rank.
    pub(super) fn last(&self) -> u128 {
        self.last
    }

    /// True if the row with this number is dead.
    pub(super) fn is_dead(&self, row: usize) -> bool {
        self.dead.get(row / 64).is_some_and(|word| (word >> (row % 64)) & 1 == 1)
    }

    /// A row that is not dead is from now on.
    pub(super) fn kill(&mut self, row: usize) {
        self.dead.resize(self.rows.div_ceil(64), 0);
        self.dead[row / 64] |= 1 << (row % 64);
        self.live -= 1;
    }

    /// Bytes in memory.
    pub(super) fn memory(&self) -> usize {
        let filters: usize = self.blocks.iter().map(|block| block.filter.0.len() * 8).sum();
        self.dead.len() * 8 + self.blocks.len() * size_of::<Block>() + filters
    }
}

/// A run that is being written.
#[derive(Debug)]
pub(super) struct RunWriter {
    file: BufWriter<File>,
    route: Route,
    blocks: Vec<Block>,
    bytes: u64,
    last: u128,
    rows: usize,
    /// What does not fill a block yet.
    rest: Option<(Vec<u128>, Batch)>,
}

impl RunWriter {
    /// A file in a folder for rows with their keys there.
    pub(super) fn new(folder: &Path, route: Route) -> Result<RunWriter, ArrowError> {
        let file = BufWriter::with_capacity(1 << 18, tempfile::tempfile_in(folder)?);
        Ok(RunWriter { file, route, blocks: Vec::new(), bytes: 0, last: 0, rows: 0, rest: None })
    }

    /// Adds rows in the order of their ranks, none of which is less than the last one.
    pub(super) fn append(&mut self, ranks: Vec<u128>, batch: Batch) -> Result<(), ArrowError> {
        let Some(last) = ranks.last() else { return Ok(()) };
        debug_assert!(ranks.is_sorted() && self.last <= ranks[0]);
        self.last = *last;
        let (ranks, batch) = match self.rest.take() {
            Some((mut before, rest)) => {
                before.extend(ranks);
                (before, Batch::concat(&[rest, batch]))
            }
            None => (ranks, batch),
        };
        let mut start = 0;
        while ranks.len() - start >= BLOCK {
            self.block(&ranks[start..start + BLOCK], &batch.slice(start, BLOCK))?;
            start += BLOCK;
        }
        if start < ranks.len() {
            let rest: Vec<u32> = (start as u32..ranks.len() as u32).collect();
            self.rest = Some((ranks[start..].to_vec(), batch.take(&rest)));
        }
        Ok(())
    }

    fn block(&mut self, ranks: &[u128], batch: &Batch) -> Result<(), ArrowError> {
        let mut bytes = Vec::new();
        packet::encode(batch, &mut bytes)?;
        self.file.write_all(&bytes)?;
        let block =
            Block { offset: self.bytes, start: self.rows, first: ranks[0], filter: Filter::of(ranks) };
        self.blocks.push(block);
        self.bytes += bytes.len() as u64;
        self.rows += ranks.len();
        Ok(())
    }

    /// The run; none without rows.
    pub(super) fn finish(mut self) -> Result<Option<Run>, ArrowError> {
        if let Some((ranks, batch)) = self.rest.take() {
            self.block(&ranks, &batch)?;
        }
        let RunWriter { file, route, blocks, bytes, last, rows, .. } = self;
        let file = file.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        let run = Run { file, route, blocks, bytes, last, rows, dead: Vec::new(), live: rows };
        Ok((rows > 0).then_some(run))
    }
}

/// Which ranks may be in a block: a Bloom filter (Bloom, 1970) with hashes by Kirsch and Mitzenmacher (2006).
#[derive(Debug)]
struct Filter(Box<[u64]>);

impl Filter {
    /// Bits for each row, of which so many are set.
    const BITS: usize = 10;
    const PROBES: u64 = 4;

    fn of(ranks: &[u128]) -> Filter {
        let mut words = vec![0; (ranks.len() * Filter::BITS).div_ceil(64)].into_boxed_slice();
        let bits = words.len() as u64 * 64;
        for rank in ranks {
            for bit in Filter::places(*rank, bits) {
                words[(bit / 64) as usize] |= 1 << (bit % 64);
            }
        }
        Filter(words)
    }

    fn may_have(&self, rank: u128) -> bool {
        let bits = self.0.len() as u64 * 64;
        Filter::places(rank, bits).all(|bit| (self.0[(bit / 64) as usize] >> (bit % 64)) & 1 == 1)
    }

    fn places(rank: u128, bits: u64) -> impl Iterator<Item = u64> {
        let first = fold((rank as u64) ^ ((rank >> 64) as u64));
        let second = (first >> 32) | 1;
        (0..Filter::PROBES).map(move |probe| {
            let hash = first.wrapping_add(probe.wrapping_mul(second)) as u32;
            (u64::from(hash) * bits) >> 32
        })
    }
}

/// Mixes the bits of a number: keys that people made may differ in few bits.
fn fold(value: u64) -> u64 {
    let product = u128::from(value ^ 0x9E37_79B9_7F4A_7C15) * 0xD6E8_FEB8_6659_FD93;
    (product as u64) ^ ((product >> 64) as u64)
}
