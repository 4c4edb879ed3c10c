//! Keeps what was read of files, outside of memory where it is much.
//!
//! Small contents stay in memory, within a budget. All others share one temporary file without a
//! name, which the system removes with the process. It is divided into blocks; the blocks of a
//! content that is dropped are used again.

use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom, Write as _};

/// The largest content that stays in memory.
const SMALL: usize = 256 << 10;
/// How much all contents in memory may take together.
const BUDGET: usize = 64 << 20;
/// The size of a block.
const BLOCK: usize = 16 << 10;

/// The place where contents are kept.
#[derive(Debug)]
pub(super) struct Spool {
    /// What may still be kept in memory.
    budget: usize,
    file: Option<File>,
    free: Vec<u32>,
    blocks: u32,
}

/// A content. Belongs to one spool, which must be told when it is no longer needed.
#[derive(Debug)]
pub(super) enum Content {
    /// In memory.
    Memory(Vec<u8>),
    /// In the spool's file.
    File {
        /// The blocks in order; the last one may be partly used.
        blocks: Vec<u32>,
        /// The length in bytes.
        len: u64,
    },
}

impl Default for Content {
    fn default() -> Self {
        Content::Memory(Vec::new())
    }
}

impl Content {
    /// The length in bytes.
    pub(super) fn len(&self) -> u64 {
        match self {
            Content::Memory(bytes) => bytes.len() as u64,
            Content::File { len, .. } => *len,
        }
    }
}

impl Default for Spool {
    fn default() -> Self {
        Spool { budget: BUDGET, file: None, free: Vec::new(), blocks: 0 }
    }
}

impl Spool {
    /// Appends to a content.
    pub(super) fn append(&mut self, content: &mut Content, mut bytes: &[u8]) -> io::Result<()> {
        if let Content::Memory(kept) = content {
            if kept.len() + bytes.len() <= SMALL && bytes.len() <= self.budget {
                self.budget -= bytes.len();
                kept.extend_from_slice(bytes);
                return Ok(());
            }
            let kept = std::mem::take(kept);
            self.budget += kept.len();
            *content = Content::File { blocks: Vec::new(), len: 0 };
            self.append(content, &kept)?;
        }
        let Content::File { blocks, len } = content else { return Ok(()) };
        while !bytes.is_empty() {
            let used = (*len % BLOCK as u64) as usize;
            if used == 0 {
                blocks.push(self.allocate()?);
            }
            let (Some(block), Some(file)) = (blocks.last(), &mut self.file) else { return Ok(()) };
            let (now, later) = bytes.split_at(bytes.len().min(BLOCK - used));
            file.seek(SeekFrom::Start(u64::from(*block) * BLOCK as u64 + used as u64))?;
            file.write_all(now)?;
            *len += now.len() as u64;
            bytes = later;
        }
        Ok(())
    }

    fn allocate(&mut self) -> io::Result<u32> {
        if self.file.is_none() {
            self.file = Some(tempfile::tempfile()?);
        }
        if let Some(block) = self.free.pop() {
            return Ok(block);
        }
        let block = self.blocks;
        self.blocks = block.checked_add(1).ok_or_else(|| io::Error::other("the spool file is full"))?;
        Ok(block)
    }

    /// Forgets the end of a content.
    pub(super) fn truncate(&mut self, content: &mut Content, to: u64) {
        match content {
            Content::Memory(bytes) => {
                let kept = bytes.len().min(to.try_into().unwrap_or(usize::MAX));
                self.budget += bytes.len() - kept;
                bytes.truncate(kept);
            }
            Content::File { blocks, len } => {
                *len = to.min(*len);
                let kept = len.div_ceil(BLOCK as u64) as usize;
                self.free.extend(blocks.drain(kept..));
            }
        }
    }

    /// Forgets a content.
    pub(super) fn release(&mut self, content: Content) {
        match content {
            Content::Memory(bytes) => self.budget += bytes.len(),
            Content::File { blocks, .. } => self.free.extend(blocks),
        }
    }

    /// True if nothing is kept.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.budget == BUDGET && self.free.len() == self.blocks as usize
    }

    /// Reads from an offset of a content on; returns how much was read, 0 at the end.
    fn read_at(&mut self, content: &Content, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        let left = content.len().saturating_sub(offset);
        let wanted = out.len().min(left.try_into().unwrap_or(usize::MAX));
        if wanted == 0 {
            return Ok(0);
        }
        match content {
            Content::Memory(bytes) => {
                let start = offset as usize;
                out[..wanted].copy_from_slice(&bytes[start..start + wanted]);
                Ok(wanted)
            }
            Content::File { blocks, .. } => {
                let (block, skip) = ((offset / BLOCK as u64) as usize, (offset % BLOCK as u64) as usize);
                let wanted = wanted.min(BLOCK - skip);
                let Some(file) = &mut self.file else { return Ok(0) };
                file.seek(SeekFrom::Start(u64::from(blocks[block]) * BLOCK as u64 + skip as u64))?;
                file.read_exact(&mut out[..wanted])?;
                Ok(wanted)
            }
        }
    }
}

/// Reads a content.
pub(super) struct ContentReader<'s> {
    spool: &'s std::cell::RefCell<Spool>,
    content: &'s Content,
    offset: u64,
}

impl<'s> ContentReader<'s> {
    /// Reads from `offset` on.
    pub(super) fn new(spool: &'s std::cell::RefCell<Spool>, content: &'s Content, offset: u64) -> Self {
        ContentReader { spool, content, offset }
    }
}

impl Read for ContentReader<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.spool.borrow_mut().read_at(self.content, self.offset, out)?;
        self.offset += read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests;
