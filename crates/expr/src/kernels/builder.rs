//! Text columns built in one pass: offsets and bytes, without a string per row.

use std::fmt;
use std::sync::Arc;

use arrow_array::{ArrayRef, LargeBinaryArray, LargeStringArray};
use arrow_buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};

/// Builds a text column row by row. Also a [`fmt::Write`], so that `write!` appends to the row.
pub(crate) struct TextBuilder {
    offsets: Vec<i64>,
    text: String,
}

impl TextBuilder {
    /// An empty column with room for this many rows and bytes.
    pub(crate) fn new(rows: usize, bytes: usize) -> Self {
        let mut offsets = Vec::with_capacity(rows + 1);
        offsets.push(0);
        TextBuilder { offsets, text: String::with_capacity(bytes) }
    }
    /// Appends to the row at hand.
    #[inline]
    pub(crate) fn push_str(&mut self, text: &str) {
        self.text.push_str(text);
    }
    /// What is appended to, for functions that write text.
    pub(crate) fn text(&mut self) -> &mut String {
        &mut self.text
    }
    /// Ends the row.
    #[inline]
    pub(crate) fn end_row(&mut self) {
        self.offsets.push(self.text.len() as i64);
    }
    /// A whole row.
    #[inline]
    pub(crate) fn row(&mut self, text: &str) {
        self.text.push_str(text);
        self.end_row();
    }
    /// The column.
    pub(crate) fn finish(self, nulls: Option<NullBuffer>) -> ArrayRef {
        let offsets = OffsetBuffer::new(ScalarBuffer::from(self.offsets));
        // SAFETY: the text is a `String`, cut at lengths it had at some time, which are character
        // boundaries, ascend, and end at its length.
        Arc::new(unsafe {
            LargeStringArray::new_unchecked(offsets, Buffer::from_vec(self.text.into_bytes()), nulls)
        })
    }
}

impl fmt::Write for TextBuilder {
    #[inline]
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.text.push_str(text);
        Ok(())
    }
}

/// Builds a column of byte strings row by row.
pub(crate) struct BytesBuilder {
    offsets: Vec<i64>,
    bytes: Vec<u8>,
}

impl BytesBuilder {
    /// An empty column with room for this many rows.
    pub(crate) fn new(rows: usize) -> Self {
        let mut offsets = Vec::with_capacity(rows + 1);
        offsets.push(0);
        BytesBuilder { offsets, bytes: Vec::new() }
    }
    /// What the row at hand is appended to.
    #[inline]
    pub(crate) fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }
    /// Ends the row.
    #[inline]
    pub(crate) fn end_row(&mut self) {
        self.offsets.push(self.bytes.len() as i64);
    }
    /// The column.
    pub(crate) fn finish(self, nulls: Option<NullBuffer>) -> ArrayRef {
        let offsets = OffsetBuffer::new(ScalarBuffer::from(self.offsets));
        Arc::new(LargeBinaryArray::new(offsets, Buffer::from_vec(self.bytes), nulls))
    }
}
