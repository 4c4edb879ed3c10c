//! Builds a column cell by cell from values.

use std::sync::Arc;

use arrow_array::builder::{
    BooleanBuilder, Decimal128Builder, DurationNanosecondBuilder, Float64Builder, Int64Builder,
    LargeBinaryBuilder, LargeStringBuilder, TimestampNanosecondBuilder,
};
use arrow_array::{Array, ArrayRef, LargeListArray, NullArray, StructArray};
use arrow_buffer::{BooleanBufferBuilder, NullBufferBuilder, OffsetBuffer, ScalarBuffer};
use arrow_schema::DataType;

use crate::encoding::encode;
use crate::storage::{POINTER, array_fields, is_encoded, list_item, tuple_fields};
use crate::{Column, DType, Value};

/// Collects values of one dtype into a [`Column`].
///
/// A value of another kind than the dtype's becomes an error cell; use [`ColumnBuilder::accepts`]
/// first where the caller has to report it.
pub struct ColumnBuilder {
    dtype: DType,
    cells: Cells,
    errors: Mask,
    pending: Mask,
    len: usize,
}

/// A bit mask that exists from the first set bit on.
#[derive(Default)]
struct Mask(Option<BooleanBufferBuilder>);

impl Mask {
    fn set(&mut self, row: usize) {
        let bits = self.0.get_or_insert_with(|| BooleanBufferBuilder::new(row + 1));
        bits.advance(row - bits.len());
        bits.append(true);
    }
    fn finish(&mut self, len: usize) -> Option<arrow_buffer::BooleanBuffer> {
        let mut bits = self.0.take()?;
        bits.advance(len - bits.len());
        Some(bits.finish())
    }
}

enum Cells {
    Null,
    Bool(BooleanBuilder),
    Int(Int64Builder),
    Float(Float64Builder),
    Pointer(Decimal128Builder),
    Str(LargeStringBuilder),
    Json(LargeStringBuilder),
    Bytes(LargeBinaryBuilder),
    PyObject(LargeBinaryBuilder),
    Encoded(LargeBinaryBuilder, Vec<u8>),
    DateTimeNaive(TimestampNanosecondBuilder),
    DateTimeUtc(TimestampNanosecondBuilder),
    Duration(DurationNanosecondBuilder),
    Tuple(Vec<ColumnBuilder>, NullBufferBuilder),
    List(Box<ColumnBuilder>, Vec<i64>, NullBufferBuilder),
    IntArray(ArrayCells<Int64Builder>),
    FloatArray(ArrayCells<Float64Builder>),
}

struct ArrayCells<B> {
    shape: Int64Builder,
    shape_offsets: Vec<i64>,
    elements: B,
    offsets: Vec<i64>,
    nulls: NullBufferBuilder,
}

impl<B> ArrayCells<B> {
    fn new(elements: B, capacity: usize) -> Self {
        ArrayCells {
            shape: Int64Builder::with_capacity(capacity),
            shape_offsets: vec![0],
            elements,
            offsets: vec![0],
            nulls: NullBufferBuilder::new(capacity),
        }
    }
    fn close(&mut self, elements: usize, valid: bool) {
        self.shape_offsets.push(self.shape.values_slice().len() as i64);
        self.offsets.push(elements as i64);
        self.nulls.append(valid);
    }
    fn finish(&mut self, elements: ArrayRef, element: DataType) -> ArrayRef {
        let list = |values: ArrayRef, offsets: &mut Vec<i64>| -> ArrayRef {
            let item = list_item(values.data_type().clone());
            let offsets = OffsetBuffer::new(ScalarBuffer::from(std::mem::replace(offsets, vec![0])));
            Arc::new(LargeListArray::new(item, offsets, values, None))
        };
        let shape = list(Arc::new(self.shape.finish()), &mut self.shape_offsets);
        let elements = list(elements, &mut self.offsets);
        Arc::new(StructArray::new(array_fields(element), vec![shape, elements], self.nulls.finish()))
    }
}

impl ColumnBuilder {
    /// An empty builder for cells of `dtype`, with room for `capacity` of them.
    pub fn new(dtype: &DType, capacity: usize) -> Self {
        let cells = Cells::new(dtype, capacity);
        ColumnBuilder {
            dtype: dtype.clone(),
            cells,
            errors: Mask::default(),
            pending: Mask::default(),
            len: 0,
        }
    }

    /// The dtype of the cells.
    pub fn dtype(&self) -> &DType {
        &self.dtype
    }
    /// The number of cells so far.
    pub fn len(&self) -> usize {
        self.len
    }
    /// True without cells.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// True if `value` is of the kind that a column of `dtype` stores (int does not pass for float).
    pub fn accepts(dtype: &DType, value: &Value) -> bool {
        match (dtype, value) {
            (DType::Any, _) | (_, Value::Error) => true,
            (DType::Optional(_) | DType::None, Value::None) => true,
            (DType::Future(_), Value::Pending) => true,
            (DType::Optional(inner) | DType::Future(inner), value) => ColumnBuilder::accepts(inner, value),
            (DType::Int, Value::Int(_))
            | (DType::Float, Value::Float(_))
            | (DType::Bool, Value::Bool(_))
            | (DType::Str, Value::Str(_))
            | (DType::Bytes, Value::Bytes(_))
            | (DType::Pointer(_) | DType::Callable(..), Value::Pointer(_))
            | (DType::Json, Value::Json(_))
            | (DType::DateTimeNaive, Value::DateTimeNaive(_))
            | (DType::DateTimeUtc, Value::DateTimeUtc(_))
            | (DType::Duration, Value::Duration(_))
            | (DType::PyObject(_), Value::PyObject(_)) => true,
            (DType::Tuple(dtypes), Value::Tuple(members)) => {
                dtypes.len() == members.len()
                    && dtypes.iter().zip(members.iter()).all(|(d, m)| ColumnBuilder::accepts(d, m))
            }
            (DType::List(dtype), Value::Tuple(members)) => {
                members.iter().all(|m| ColumnBuilder::accepts(dtype, m))
            }
            (DType::Array { n_dim, element }, Value::IntArray(array)) => {
                **element != DType::Float && n_dim.is_none_or(|n| n == array.shape().len())
            }
            (DType::Array { n_dim, element }, Value::FloatArray(array)) => {
                **element != DType::Int && n_dim.is_none_or(|n| n == array.shape().len())
            }
            _ => false,
        }
    }

    /// Appends a value; one of another kind becomes an error cell.
    pub fn push(&mut self, value: &Value) {
        match (&mut self.cells, value) {
            (_, Value::Error) => return self.push_error(),
            (_, Value::Pending) => return self.push_pending(),
            // A tuple with an error in it is an error: nothing must have to look inside to see it.
            (_, Value::Tuple(members)) if members.iter().any(Value::holds_error) => {
                return self.push_error();
            }
            (Cells::Encoded(b, scratch), value) => {
                scratch.clear();
                encode(value, scratch);
                b.append_value(&*scratch);
            }
            (_, Value::None) => {
                self.cells.push_null();
            }
            (Cells::Bool(b), Value::Bool(v)) => b.append_value(*v),
            (Cells::Int(b), Value::Int(v)) => b.append_value(*v),
            (Cells::Float(b), Value::Float(v)) => b.append_value(*v),
            (Cells::Pointer(b), Value::Pointer(v)) => b.append_value(v.0 as i128),
            (Cells::Str(b), Value::Str(v)) => b.append_value(v),
            (Cells::Json(b), Value::Json(v)) => b.append_value(v.as_str()),
            (Cells::Bytes(b), Value::Bytes(v)) => b.append_value(v),
            (Cells::PyObject(b), Value::PyObject(v)) => b.append_value(v.bytes()),
            (Cells::DateTimeNaive(b), Value::DateTimeNaive(v)) => b.append_value(*v),
            (Cells::DateTimeUtc(b), Value::DateTimeUtc(v)) => b.append_value(*v),
            (Cells::Duration(b), Value::Duration(v)) => b.append_value(*v),
            (Cells::Tuple(builders, nulls), Value::Tuple(members)) if builders.len() == members.len() => {
                for (builder, member) in builders.iter_mut().zip(members.iter()) {
                    builder.push(member);
                }
                nulls.append_non_null();
            }
            (Cells::List(builder, offsets, nulls), Value::Tuple(members)) => {
                members.iter().for_each(|m| builder.push(m));
                offsets.push(builder.len as i64);
                nulls.append_non_null();
            }
            (Cells::IntArray(cells), Value::IntArray(array)) => {
                array.shape().iter().for_each(|d| cells.shape.append_value(*d as i64));
                cells.elements.append_slice(array.elements());
                cells.close(cells.elements.values_slice().len(), true);
            }
            (Cells::FloatArray(cells), Value::FloatArray(array)) => {
                array.shape().iter().for_each(|d| cells.shape.append_value(*d as i64));
                cells.elements.append_slice(array.elements());
                cells.close(cells.elements.values_slice().len(), true);
            }
            _ => return self.push_error(),
        }
        self.len += 1;
    }

    /// Appends an integer, without going through a [`Value`] where the layout allows.
    #[inline]
    pub fn push_int(&mut self, value: i64) {
        match &mut self.cells {
            Cells::Int(b) => b.append_value(value),
            _ => return self.push(&Value::Int(value)),
        }
        self.len += 1;
    }

    /// Appends a float, without going through a [`Value`] where the layout allows.
    #[inline]
    pub fn push_float(&mut self, value: f64) {
        match &mut self.cells {
            Cells::Float(b) => b.append_value(value),
            _ => return self.push(&Value::Float(value)),
        }
        self.len += 1;
    }

    /// Appends a boolean, without going through a [`Value`] where the layout allows.
    #[inline]
    pub fn push_bool(&mut self, value: bool) {
        match &mut self.cells {
            Cells::Bool(b) => b.append_value(value),
            _ => return self.push(&Value::Bool(value)),
        }
        self.len += 1;
    }

    /// Appends text, without an allocation where the layout allows.
    #[inline]
    pub fn push_str(&mut self, value: &str) {
        match &mut self.cells {
            Cells::Str(b) => b.append_value(value),
            _ => return self.push(&Value::Str(Arc::from(value))),
        }
        self.len += 1;
    }

    /// Appends bytes, without an allocation where the layout allows.
    #[inline]
    pub fn push_bytes(&mut self, value: &[u8]) {
        match &mut self.cells {
            Cells::Bytes(b) => b.append_value(value),
            _ => return self.push(&Value::Bytes(Arc::from(value))),
        }
        self.len += 1;
    }

    /// Appends None.
    pub fn push_none(&mut self) {
        self.push(&Value::None);
    }

    /// Appends an error cell.
    pub fn push_error(&mut self) {
        self.errors.set(self.len);
        self.cells.push_null();
        self.len += 1;
    }

    /// Appends a pending cell.
    pub fn push_pending(&mut self) {
        self.pending.set(self.len);
        self.cells.push_null();
        self.len += 1;
    }

    /// The column of all cells appended since the last call.
    pub fn finish(&mut self) -> Column {
        let array = self.cells.finish(&self.dtype, self.len);
        let (errors, pending) = (self.errors.finish(self.len), self.pending.finish(self.len));
        self.len = 0;
        Column::with_errors(array, errors).with_pending(pending)
    }
}

impl Cells {
    fn new(dtype: &DType, capacity: usize) -> Self {
        match dtype {
            DType::Optional(inner) | DType::Future(inner) => Cells::new(inner, capacity),
            _ if is_encoded(dtype) => Cells::Encoded(LargeBinaryBuilder::new(), Vec::new()),
            DType::None | DType::Any => Cells::Null,
            DType::Bool => Cells::Bool(BooleanBuilder::with_capacity(capacity)),
            DType::Int => Cells::Int(Int64Builder::with_capacity(capacity)),
            DType::Float => Cells::Float(Float64Builder::with_capacity(capacity)),
            DType::Pointer(_) | DType::Callable(..) => {
                Cells::Pointer(Decimal128Builder::with_capacity(capacity).with_data_type(POINTER))
            }
            DType::Str => Cells::Str(LargeStringBuilder::with_capacity(capacity, 0)),
            DType::Json => Cells::Json(LargeStringBuilder::with_capacity(capacity, 0)),
            DType::Bytes => Cells::Bytes(LargeBinaryBuilder::with_capacity(capacity, 0)),
            DType::PyObject(_) => Cells::PyObject(LargeBinaryBuilder::with_capacity(capacity, 0)),
            DType::DateTimeNaive => Cells::DateTimeNaive(TimestampNanosecondBuilder::with_capacity(capacity)),
            DType::DateTimeUtc => {
                let builder = TimestampNanosecondBuilder::with_capacity(capacity);
                Cells::DateTimeUtc(builder.with_data_type(crate::storage::arrow_type(dtype)))
            }
            DType::Duration => Cells::Duration(DurationNanosecondBuilder::with_capacity(capacity)),
            DType::Tuple(members) => Cells::Tuple(
                members.iter().map(|m| ColumnBuilder::new(m, capacity)).collect(),
                NullBufferBuilder::new(capacity),
            ),
            DType::List(member) => Cells::List(
                Box::new(ColumnBuilder::new(member, capacity)),
                vec![0],
                NullBufferBuilder::new(capacity),
            ),
            DType::Array { element, .. } if **element == DType::Int => {
                Cells::IntArray(ArrayCells::new(Int64Builder::new(), capacity))
            }
            DType::Array { .. } => Cells::FloatArray(ArrayCells::new(Float64Builder::new(), capacity)),
        }
    }

    fn push_null(&mut self) {
        match self {
            Cells::Null => {}
            Cells::Bool(b) => b.append_null(),
            Cells::Int(b) => b.append_null(),
            Cells::Float(b) => b.append_null(),
            Cells::Pointer(b) => b.append_null(),
            Cells::Str(b) | Cells::Json(b) => b.append_null(),
            Cells::Bytes(b) | Cells::PyObject(b) | Cells::Encoded(b, _) => b.append_null(),
            Cells::DateTimeNaive(b) | Cells::DateTimeUtc(b) => b.append_null(),
            Cells::Duration(b) => b.append_null(),
            Cells::Tuple(builders, nulls) => {
                builders.iter_mut().for_each(|b| {
                    b.cells.push_null();
                    b.len += 1;
                });
                nulls.append_null();
            }
            Cells::List(builder, offsets, nulls) => {
                offsets.push(builder.len as i64);
                nulls.append_null();
            }
            Cells::IntArray(cells) => cells.close(cells.elements.values_slice().len(), false),
            Cells::FloatArray(cells) => cells.close(cells.elements.values_slice().len(), false),
        }
    }

    fn finish(&mut self, dtype: &DType, len: usize) -> ArrayRef {
        match self {
            Cells::Null => Arc::new(NullArray::new(len)),
            Cells::Bool(b) => Arc::new(b.finish()),
            Cells::Int(b) => Arc::new(b.finish()),
            Cells::Float(b) => Arc::new(b.finish()),
            Cells::Pointer(b) => Arc::new(b.finish()),
            Cells::Str(b) | Cells::Json(b) => Arc::new(b.finish()),
            Cells::Bytes(b) | Cells::PyObject(b) | Cells::Encoded(b, _) => Arc::new(b.finish()),
            Cells::DateTimeNaive(b) | Cells::DateTimeUtc(b) => Arc::new(b.finish()),
            Cells::Duration(b) => Arc::new(b.finish()),
            Cells::Tuple(builders, nulls) => {
                let DType::Tuple(members) = dtype.stored() else { return Arc::new(NullArray::new(len)) };
                let nulls = nulls.finish();
                if builders.is_empty() {
                    return Arc::new(StructArray::new_empty_fields(len, nulls));
                }
                let arrays = builders.iter_mut().map(|b| b.finish().array().clone()).collect();
                Arc::new(StructArray::new(tuple_fields(members), arrays, nulls))
            }
            Cells::List(builder, offsets, nulls) => {
                let values = builder.finish().array().clone();
                let item = list_item(values.data_type().clone());
                let offsets = OffsetBuffer::new(ScalarBuffer::from(std::mem::replace(offsets, vec![0])));
                Arc::new(LargeListArray::new(item, offsets, values, nulls.finish()))
            }
            Cells::IntArray(cells) => {
                let elements = Arc::new(cells.elements.finish());
                cells.finish(elements, DataType::Int64)
            }
            Cells::FloatArray(cells) => {
                let elements = Arc::new(cells.elements.finish());
                cells.finish(elements, DataType::Float64)
            }
        }
    }
}

impl DType {
    /// The dtype without Optional and Future, which do not change the layout.
    pub fn stored(&self) -> &DType {
        match self {
            DType::Optional(inner) | DType::Future(inner) => inner.stored(),
            other => other,
        }
    }
}

#[cfg(test)]
mod tests;
