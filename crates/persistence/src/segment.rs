//! Rows as bytes: an Arrow IPC file.
//!
//! The fields are `key` (as a pointer), `diff` unless all are one, and for each column `c<i>` with
//! `e<i>` and `p<i>`, the masks of its error and pending cells, where it has any.

use std::io::Cursor;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{ArrayRef, BooleanArray, Int64Array, RecordBatch};
use arrow_buffer::BooleanBuffer;
use arrow_ipc::CompressionType;
use arrow_ipc::reader::FileReader;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions};
use arrow_schema::{ArrowError, Field, Schema};
use pathway_types::{Batch, Column, Diffs, Keys};

/// The bytes of these rows.
///
/// # Errors
/// If there is not enough memory, or a column has a form that Arrow cannot write.
pub fn encode(rows: &Batch) -> Result<Vec<u8>, ArrowError> {
    let mut fields: Vec<(String, ArrayRef)> = vec![("key".to_owned(), rows.keys.to_column().array().clone())];
    if !rows.diffs.is_ones() {
        fields.push(("diff".to_owned(), Arc::new(rows.diffs.iter().collect::<Int64Array>())));
    }
    for (i, column) in rows.columns.iter().enumerate() {
        fields.push((format!("c{i}"), column.array().clone()));
        for (mask, name) in [(column.errors(), "e"), (column.pending(), "p")] {
            if let Some(mask) = mask {
                fields.push((format!("{name}{i}"), Arc::new(BooleanArray::new(mask.clone(), None))));
            }
        }
    }
    let (schema, arrays): (Vec<Field>, Vec<ArrayRef>) = fields
        .into_iter()
        .map(|(name, array)| (Field::new(name, array.data_type().clone(), true), array))
        .unzip();
    let schema = Arc::new(Schema::new(schema));
    let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::LZ4_FRAME))?;
    let mut writer = FileWriter::try_new_with_options(Vec::new(), &schema, options)?;
    writer.write(&RecordBatch::try_new(schema, arrays)?)?;
    writer.into_inner()
}

/// The rows that [`encode`] made these bytes of.
///
/// # Errors
/// If the bytes are something else.
pub fn decode(bytes: &[u8]) -> Result<Batch, ArrowError> {
    let wrong = |what: &str| ArrowError::ParseError(format!("{what}: this is no segment of rows"));
    let mut reader = FileReader::try_new(Cursor::new(bytes), None)?;
    let record = reader.next().ok_or_else(|| wrong("no record"))??;
    let array = |name: &str| record.column_by_name(name);
    let mask = |name: String| -> Result<Option<BooleanBuffer>, ArrowError> {
        let Some(array) = array(&name) else { return Ok(None) };
        let mask = array.as_boolean_opt().ok_or_else(|| wrong("a mask of another type"))?;
        Ok(Some(mask.values().clone()))
    };
    let key = array("key").ok_or_else(|| wrong("no keys"))?;
    if *key.data_type() != pathway_types::storage::POINTER {
        return Err(wrong("keys of another type"));
    }
    let keys = Keys::of_column(&Column::new(key.clone()));
    let diffs = match array("diff") {
        None => Diffs::Ones(keys.len()),
        Some(diffs) => {
            let diffs =
                diffs.as_primitive_opt::<Int64Type>().ok_or_else(|| wrong("diffs of another type"))?;
            diffs.values().to_vec().into()
        }
    };
    let mut columns = Vec::new();
    while let Some(cells) = array(&format!("c{}", columns.len())) {
        let i = columns.len();
        let column = Column::with_errors(cells.clone(), mask(format!("e{i}"))?);
        columns.push(column.with_pending(mask(format!("p{i}"))?));
    }
    Ok(Batch::new(keys, columns, diffs))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use pathway_types::{ColumnBuilder, DType, Value};

    use super::*;

    fn column(dtype: &DType, values: &[Value]) -> Column {
        let mut builder = ColumnBuilder::new(dtype, values.len());
        values.iter().for_each(|value| builder.push(value));
        builder.finish()
    }

    fn same(rows: &Batch, dtypes: &[DType]) {
        let read = decode(&encode(rows).unwrap()).unwrap();
        assert_eq!(read.keys.as_slice(), rows.keys.as_slice());
        assert_eq!(read.diffs.iter().collect::<Vec<_>>(), rows.diffs.iter().collect::<Vec<_>>());
        assert_eq!(read.diffs.is_ones(), rows.diffs.is_ones());
        assert_eq!(read.columns.len(), rows.columns.len());
        for ((read, column), dtype) in read.columns.iter().zip(&rows.columns).zip(dtypes) {
            for row in 0..rows.len() {
                assert_eq!(read.is_error(row), column.is_error(row));
                assert_eq!(read.is_pending(row), column.is_pending(row));
                if !column.is_error(row) && !column.is_pending(row) {
                    assert_eq!(read.value(dtype, row), column.value(dtype, row));
                }
            }
        }
    }

    #[test]
    fn every_kind_of_cell_comes_back() {
        let optional = |dtype: DType| DType::Optional(dtype.into());
        let ints = column(&optional(DType::Int), &[Value::Int(1), Value::None, Value::Int(i64::MIN)]);
        let texts = column(&DType::Str, &[Value::from("a"), Value::from(""), Value::from("ü")]);
        let floats =
            column(&DType::Float, &[Value::Float(-0.0), Value::Float(f64::NAN), Value::Float(1e300)]);
        let any = column(&DType::Any, &[Value::Int(1), Value::from("x"), Value::None]);
        let masked = |row: usize| Some((0..3).map(|r| r == row).collect::<BooleanBuffer>());
        let nothing = column(&optional(DType::Str), &[Value::from("x"), Value::None, Value::None]);
        let broken = Column::with_errors(nothing.array().clone(), masked(1)).with_pending(masked(2));
        let keys = Keys::from(vec![0, u128::MAX, 1 << 127]);
        let dtypes = [optional(DType::Int), DType::Str, DType::Float, DType::Any, optional(DType::Str)];
        let columns = vec![ints, texts, floats, any, broken];
        same(&Batch::new(keys.clone(), columns.clone(), Diffs::Ones(3)), &dtypes);
        same(&Batch::new(keys.clone(), columns, vec![1, -2, 3].into()), &dtypes);
        same(&Batch::new(keys, vec![], Diffs::Ones(3)), &[]);
        same(&Batch::empty(&dtypes), &dtypes);
    }

    #[test]
    fn other_bytes_are_refused() {
        assert!(decode(b"").is_err());
        assert!(decode(b"ARROW1 but not really").is_err());
        let mut bytes = encode(&Batch::empty(&[DType::Int])).unwrap();
        bytes.truncate(bytes.len() / 2);
        assert!(decode(&bytes).is_err());
    }
}
