//! What travels on a dataflow edge: a batch of changes of one time.

use std::io::Write;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Int64Type};
use arrow_array::{Array, ArrayRef, BooleanArray, Int64Array, RecordBatch};
use arrow_buffer::BooleanBuffer;
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{ArrowError, Field, Schema};
use std::sync::Arc;

use pathway_types::{Batch, Column, Diffs, Keys};

use crate::timely::{Accountable, Bytes, ContainerBytes};

/// A [`Batch`] as timely's container.
#[derive(Clone, Debug, Default)]
pub struct Packet(pub Batch);

impl Accountable for Packet {
    fn record_count(&self) -> i64 {
        self.0.len() as i64
    }
}

/// Between processes a packet is an Arrow IPC stream: the keys, the diffs, the columns, and the
/// masks of those columns that have one (named after the column).
impl ContainerBytes for Packet {
    fn from_bytes(bytes: Bytes) -> Self {
        // Bytes come from a peer of the same version; a broken stream is caught at the process edge.
        #[allow(clippy::panic)]
        decode(&bytes).map_or_else(|error| panic!("a packet from a peer cannot be read: {error}"), Packet)
    }

    fn length_in_bytes(&self) -> usize {
        padded_length(|writer| encode(&self.0, writer))
    }

    fn into_bytes<W: Write>(&self, writer: &mut W) {
        write_padded(writer, |writer| encode(&self.0, writer));
    }
}

/// What `encode` writes, in whole words.
pub(crate) fn padded_length(encode: impl FnOnce(&mut dyn Write) -> Result<(), ArrowError>) -> usize {
    let mut counter = CountBytes(0);
    // Arrow's writer fails only if the underlying writer does, and memory does not.
    #[allow(clippy::expect_used)]
    encode(&mut counter).expect("a batch can be written to memory");
    counter.0.next_multiple_of(8)
}

/// Writes what `encode` writes and fills the last word.
pub(crate) fn write_padded(
    writer: &mut impl Write,
    encode: impl FnOnce(&mut dyn Write) -> Result<(), ArrowError>,
) {
    let mut bytes = Vec::new();
    // As above; the writer is timely's send buffer, which has room for the padded length.
    #[allow(clippy::expect_used)]
    encode(&mut bytes).expect("a batch can be written to memory");
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    #[allow(clippy::expect_used)]
    writer.write_all(&bytes).expect("the send buffer has room for the packet");
}

struct CountBytes(usize);

impl Write for CountBytes {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Writes a batch as an Arrow IPC stream.
pub fn encode(batch: &Batch, writer: impl Write) -> Result<(), ArrowError> {
    let (fields, arrays) = parts(batch);
    write_stream(Schema::new(fields), arrays, writer)
}

/// The fields and arrays of a batch on the wire.
pub(crate) fn parts(batch: &Batch) -> (Vec<Field>, Vec<ArrayRef>) {
    let mut fields = Vec::new();
    let mut arrays: Vec<ArrayRef> = Vec::new();
    let mut add = |name: String, array: ArrayRef| {
        fields.push(Field::new(name, array.data_type().clone(), true));
        arrays.push(array);
    };
    add("key".into(), batch.keys.to_column().array().clone());
    add("diff".into(), Arc::new(batch.diffs.iter().collect::<Int64Array>()));
    for (i, column) in batch.columns.iter().enumerate() {
        add(format!("c{i}"), column.array().clone());
        let mut mask = |kind: char, mask: Option<&BooleanBuffer>| {
            if let Some(mask) = mask {
                add(format!("{kind}{i}"), Arc::new(BooleanArray::new(mask.clone(), None)));
            }
        };
        mask('e', column.errors());
        mask('p', column.pending());
    }
    (fields, arrays)
}

/// Writes one record batch as an Arrow IPC stream.
pub(crate) fn write_stream(
    schema: Schema,
    arrays: Vec<ArrayRef>,
    writer: impl Write,
) -> Result<(), ArrowError> {
    let schema = Arc::new(schema);
    let mut writer = StreamWriter::try_new(writer, &schema)?;
    writer.write(&RecordBatch::try_new(schema, arrays)?)?;
    writer.finish()
}

fn broken() -> ArrowError {
    ArrowError::ParseError("not a batch of changes".into())
}

/// Reads a batch written by [`encode`].
pub fn decode(bytes: &[u8]) -> Result<Batch, ArrowError> {
    from_record(&read_stream(bytes)?)
}

/// Reads the record batch written by [`write_stream`].
pub(crate) fn read_stream(bytes: &[u8]) -> Result<RecordBatch, ArrowError> {
    StreamReader::try_new(bytes, None)?.next().ok_or_else(broken)?
}

/// The batch whose [`parts`] a record batch holds.
pub(crate) fn from_record(record: &RecordBatch) -> Result<Batch, ArrowError> {
    let column = |name: &str| record.column_by_name(name);
    let keys = column("key").ok_or_else(broken)?.as_primitive_opt::<Decimal128Type>().ok_or_else(broken)?;
    let keys: Keys = keys.values().iter().map(|k| *k as u128).collect::<Vec<_>>().into();
    let diffs = column("diff").ok_or_else(broken)?.as_primitive_opt::<Int64Type>().ok_or_else(broken)?;
    let diffs: Diffs = diffs.values().to_vec().into();
    let mut columns = Vec::new();
    while let Some(array) = column(&format!("c{}", columns.len())) {
        let mask = |kind: char| {
            let mask = column(&format!("{kind}{}", columns.len()))?;
            mask.as_boolean_opt().map(|mask| mask.values().clone())
        };
        let (errors, pending) = (mask('e'), mask('p'));
        columns.push(Column::with_errors(array.clone(), errors).with_pending(pending));
    }
    if columns.iter().any(|c| c.len() != keys.len()) || diffs.len() != keys.len() {
        return Err(broken());
    }
    Ok(Batch::new(keys, columns, diffs))
}

#[cfg(test)]
mod tests;
