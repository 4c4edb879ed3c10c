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
        let mut counter = CountBytes(0);
        self.write(&mut counter);
        counter.0.next_multiple_of(8)
    }

    fn into_bytes<W: Write>(&self, writer: &mut W) {
        let mut bytes = Vec::new();
        self.write(&mut bytes);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        // The writer is timely's send buffer, which has room for `length_in_bytes`.
        #[allow(clippy::expect_used)]
        writer.write_all(&bytes).expect("the send buffer has room for the packet");
    }
}

impl Packet {
    fn write(&self, writer: &mut impl Write) {
        // Arrow's writer fails only if the underlying writer does, and memory does not.
        #[allow(clippy::expect_used)]
        encode(&self.0, writer).expect("a batch can be written to memory");
    }
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
    let schema = Arc::new(Schema::new(fields));
    let mut writer = StreamWriter::try_new(writer, &schema)?;
    writer.write(&RecordBatch::try_new(schema, arrays)?)?;
    writer.finish()
}

/// Reads a batch written by [`encode`].
pub fn decode(bytes: &[u8]) -> Result<Batch, ArrowError> {
    let broken = || ArrowError::ParseError("not a batch of changes".into());
    let record = StreamReader::try_new(bytes, None)?.next().ok_or_else(broken)??;
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
