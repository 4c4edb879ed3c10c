//! A timed packet between processes: the batch as [`crate::packet`] writes it, the table of times
//! in the schema's metadata, and a rank per row where times differ.

use std::collections::HashMap;
use std::io::Write;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::UInt32Type;
use arrow_array::{ArrayRef, UInt32Array};
use arrow_schema::{ArrowError, DataType, Field, Schema};

use super::packet::TimedPacket;
use super::time::LatticeTime;
use super::times::Times;
use crate::packet::{from_record, padded_length, parts, read_stream, write_padded, write_stream};
use crate::timely::{Bytes, ContainerBytes};

/// The metadata entry that holds the table of times.
const TABLE: &str = "times";
/// The column of ranks.
const RANKS: &str = "time";

impl<T: LatticeTime> ContainerBytes for TimedPacket<T> {
    fn from_bytes(bytes: Bytes) -> Self {
        // Bytes come from a peer of the same version; a broken stream is caught at the process edge.
        #[allow(clippy::panic)]
        decode(&bytes).unwrap_or_else(|error| panic!("a packet from a peer cannot be read: {error}"))
    }

    fn length_in_bytes(&self) -> usize {
        padded_length(|writer| encode(self, writer))
    }

    fn into_bytes<W: Write>(&self, writer: &mut W) {
        write_padded(writer, |writer| encode(self, writer));
    }
}

fn encode<T: LatticeTime>(packet: &TimedPacket<T>, writer: impl Write) -> Result<(), ArrowError> {
    let (mut fields, mut arrays) = parts(&packet.batch);
    let times = &packet.times;
    if times.shared().is_none() {
        let ranks: UInt32Array = (0..times.len()).map(|row| times.rank(row)).collect();
        fields.push(Field::new(RANKS, DataType::UInt32, false));
        arrays.push(Arc::new(ranks) as ArrayRef);
    }
    let table =
        serde_json::to_string(times.table()).map_err(|error| ArrowError::JsonError(error.to_string()))?;
    let schema = Schema::new_with_metadata(fields, HashMap::from([(TABLE.to_owned(), table)]));
    write_stream(schema, arrays, writer)
}

fn decode<T: LatticeTime>(bytes: &[u8]) -> Result<TimedPacket<T>, ArrowError> {
    let record = read_stream(bytes)?;
    let broken = || ArrowError::ParseError("not a packet with times".into());
    let schema = record.schema();
    let table = schema.metadata().get(TABLE).ok_or_else(broken)?;
    let table: Vec<T> =
        serde_json::from_str(table).map_err(|error| ArrowError::JsonError(error.to_string()))?;
    let batch = from_record(&record)?;
    let ranks = match record.column_by_name(RANKS) {
        Some(ranks) => ranks.as_primitive_opt::<UInt32Type>().ok_or_else(broken)?.values().to_vec(),
        None => vec![0; batch.len()],
    };
    if ranks.iter().any(|rank| *rank as usize >= table.len()) {
        return Err(broken());
    }
    Ok(TimedPacket::new(batch, Times::new(table, ranks)))
}

#[cfg(test)]
mod tests;
