//! Keeps what was read of files, outside of memory where it is much.
//!
//! Small contents stay in memory, within a budget. All others share one temporary file without a
//! name, which the system removes with the process. It is divided into blocks; the blocks of a
//! content that is dropped are used again. In a run that may be gone on with all contents are cut into
//! pieces, which are kept where the state of the run is ([`Objects`]).

use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom, Write as _};
use std::sync::Arc;

use pathway_io::Objects;
use serde::{Deserialize, Serialize};

/// The largest content that stays in memory.
const SMALL: usize = 256 << 10;
/// How much all contents in memory may take together.
const BUDGET: usize = 64 << 20;
/// The size of a block.
const BLOCK: usize = 16 << 10;
/// The size of a piece, but for those that are kept before they have it.
const PIECE: usize = 1 << 20;

/// The place where contents are kept.
#[derive(Debug)]
pub(super) struct Spool {
    /// What may still be kept in memory.
    budget: usize,
    file: Option<File>,
    free: Vec<u32>,
    blocks: u32,
    /// Where pieces are kept, in a run that may be gone on with.
    objects: Option<Arc<dyn Objects>>,
    /// The piece that was read last.
    read: Option<(String, Vec<u8>)>,
}

/// A part of a content, kept as an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Piece {
    /// The name of the object.
    pub(super) name: String,
    /// How many bytes of it belong to the content.
    pub(super) len: u64,
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
    /// In pieces, and what follows them.
    Pieces(Vec<Piece>, Vec<u8>),
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
            Content::Pieces(pieces, rest) => in_pieces(pieces) + rest.len() as u64,
        }
    }
}

fn in_pieces(pieces: &[Piece]) -> u64 {
    pieces.iter().map(|piece| piece.len).sum()
}

impl Default for Spool {
    fn default() -> Self {
        Spool { budget: BUDGET, file: None, free: Vec::new(), blocks: 0, objects: None, read: None }
    }
}

impl Spool {
    /// A spool whose contents last longer than the run.
    pub(super) fn lasting(objects: Arc<dyn Objects>) -> Spool {
        Spool { objects: Some(objects), ..Spool::default() }
    }

    /// Keeps all of a content that is to last; gives its pieces.
    pub(super) fn seal<'c>(&mut self, content: &'c mut Content) -> io::Result<&'c [Piece]> {
        let Content::Pieces(pieces, rest) = content else { return Ok(&[]) };
        // Small pieces are kept anew with what follows them, so that there are few.
        while !rest.is_empty()
            && let Some(last) = pieces.pop_if(|last| last.len < (2 * rest.len()).min(PIECE) as u64)
        {
            let mut joined = vec![0; last.len as usize];
            let read = self.read_piece(&last, 0, &mut joined)?;
            joined.truncate(read);
            joined.append(rest);
            *rest = joined;
        }
        if !rest.is_empty() {
            pieces.push(self.keep(std::mem::take(rest))?);
        }
        Ok(pieces)
    }

    fn keep(&self, bytes: Vec<u8>) -> io::Result<Piece> {
        let Some(objects) = &self.objects else { return Err(io::Error::other("nothing is kept here")) };
        let len = bytes.len() as u64;
        let name = objects.put(bytes).map_err(|error| io::Error::other(error.to_string()))?;
        Ok(Piece { name, len })
    }

    /// Reads from a piece.
    fn read_piece(&mut self, piece: &Piece, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        if self.read.as_ref().is_none_or(|(name, _)| *name != piece.name) {
            let Some(objects) = &self.objects else { return Ok(0) };
            let bytes = objects.get(&piece.name).map_err(|error| io::Error::other(error.to_string()))?;
            self.read = Some((piece.name.clone(), bytes));
        }
        let Some((_, bytes)) = &self.read else { return Ok(0) };
        let bytes = bytes.get(offset as usize..piece.len as usize).unwrap_or_default();
        let read = out.len().min(bytes.len());
        out[..read].copy_from_slice(&bytes[..read]);
        if read == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(read) }
    }

    /// Appends to a content.
    pub(super) fn append(&mut self, content: &mut Content, mut bytes: &[u8]) -> io::Result<()> {
        if self.objects.is_some() && matches!(content, Content::Memory(_)) {
            *content = Content::Pieces(Vec::new(), Vec::new());
        }
        if let Content::Pieces(pieces, rest) = content {
            rest.extend_from_slice(bytes);
            if rest.len() >= PIECE {
                pieces.push(self.keep(std::mem::take(rest))?);
            }
            return Ok(());
        }
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
            Content::Pieces(pieces, rest) => {
                let before = in_pieces(pieces);
                rest.truncate(to.saturating_sub(before).try_into().unwrap_or(usize::MAX));
                let mut over = before.saturating_sub(to);
                while let Some(last) = pieces.last_mut().filter(|_| over > 0) {
                    let gone = over.min(last.len);
                    last.len -= gone;
                    over -= gone;
                    pieces.pop_if(|last| last.len == 0);
                }
            }
        }
    }

    /// Forgets a content.
    pub(super) fn release(&mut self, content: Content) {
        match content {
            Content::Memory(bytes) => self.budget += bytes.len(),
            Content::File { blocks, .. } => self.free.extend(blocks),
            // Objects are deleted when no checkpoint names them any more.
            Content::Pieces(..) => {}
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
            Content::Pieces(pieces, rest) => {
                let mut offset = offset;
                for piece in pieces {
                    if offset < piece.len {
                        return self.read_piece(piece, offset, &mut out[..wanted]);
                    }
                    offset -= piece.len;
                }
                let read = wanted.min(rest.len() - offset as usize);
                out[..read].copy_from_slice(&rest[offset as usize..][..read]);
                Ok(read)
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
