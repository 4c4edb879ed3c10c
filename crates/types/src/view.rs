//! Typed access to single cells of a column: value, key encoding, equality, order.
//!
//! A [`CellView`] resolves the layout once per column; after that a cell is reached by one
//! predictable branch. It is the scalar path under operators that cannot work by whole columns.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Decimal128Type, DurationNanosecondType, Float64Type, Int64Type, TimestampNanosecondType,
};
use arrow_array::{Array, BooleanArray, LargeBinaryArray, LargeStringArray};
use arrow_buffer::{BooleanBuffer, NullBuffer};
use xxhash_rust::xxh3::xxh3_128;

use crate::encoding::decode;
use crate::key::{KeyHasher, Unhashable, tag};
use crate::storage::is_encoded;
use crate::value::float_order;
use crate::{Column, DType, JsonText, Key, NdArray, PyObject, Value};

/// A borrowed, typed reading of one column.
#[derive(Clone)]
pub struct CellView<'a> {
    cells: Cells<'a>,
    nulls: Option<&'a NullBuffer>,
    errors: Option<&'a BooleanBuffer>,
    pending: Option<&'a BooleanBuffer>,
}

#[derive(Clone)]
enum Cells<'a> {
    Null,
    Bool(&'a BooleanArray),
    Int(&'a [i64]),
    Float(&'a [f64]),
    Pointer(&'a [i128]),
    Str(&'a LargeStringArray),
    Json(&'a LargeStringArray),
    Bytes(&'a LargeBinaryArray),
    PyObject(&'a LargeBinaryArray),
    Encoded(&'a LargeBinaryArray),
    DateTimeNaive(&'a [i64]),
    DateTimeUtc(&'a [i64]),
    Duration(&'a [i64]),
    Tuple(Vec<CellView<'a>>),
    List(&'a [i64], Box<CellView<'a>>),
    IntArray { shape_offsets: &'a [i64], shape: &'a [i64], offsets: &'a [i64], elements: &'a [i64] },
    FloatArray { shape_offsets: &'a [i64], shape: &'a [i64], offsets: &'a [i64], elements: &'a [f64] },
}

impl<'a> CellView<'a> {
    /// Reads `column` as `dtype`, which must be the dtype it was laid out for.
    pub fn new(column: &'a Column, dtype: &DType) -> Self {
        let mut view = CellView::of_array(&**column.array(), dtype);
        view.errors = column.errors();
        view.pending = column.pending();
        view
    }

    fn of_array(array: &'a dyn Array, dtype: &DType) -> Self {
        let cells = match dtype {
            DType::Optional(inner) | DType::Future(inner) => return CellView::of_array(array, inner),
            _ if is_encoded(dtype) => Cells::Encoded(array.as_binary()),
            DType::None => Cells::Null,
            DType::Bool => Cells::Bool(array.as_boolean()),
            DType::Int => Cells::Int(array.as_primitive::<Int64Type>().values()),
            DType::Float => Cells::Float(array.as_primitive::<Float64Type>().values()),
            DType::Pointer(_) | DType::Callable(..) => {
                Cells::Pointer(array.as_primitive::<Decimal128Type>().values())
            }
            DType::Str => Cells::Str(array.as_string()),
            DType::Json => Cells::Json(array.as_string()),
            DType::PyObject(_) => Cells::PyObject(array.as_binary()),
            DType::Bytes | DType::Any => Cells::Bytes(array.as_binary()),
            DType::DateTimeNaive => {
                Cells::DateTimeNaive(array.as_primitive::<TimestampNanosecondType>().values())
            }
            DType::DateTimeUtc => {
                Cells::DateTimeUtc(array.as_primitive::<TimestampNanosecondType>().values())
            }
            DType::Duration => Cells::Duration(array.as_primitive::<DurationNanosecondType>().values()),
            DType::Tuple(members) => {
                let fields = array.as_struct();
                let views = members.iter().enumerate();
                Cells::Tuple(views.map(|(i, m)| CellView::of_array(&**fields.column(i), m)).collect())
            }
            DType::List(member) => {
                let list = array.as_list::<i64>();
                Cells::List(list.value_offsets(), Box::new(CellView::of_array(&**list.values(), member)))
            }
            DType::Array { element, .. } => {
                let fields = array.as_struct();
                let shape_list = fields.column(0).as_list::<i64>();
                let list = fields.column(1).as_list::<i64>();
                let shape = shape_list.values().as_primitive::<Int64Type>().values();
                let (shape_offsets, offsets) = (shape_list.value_offsets(), list.value_offsets());
                if **element == DType::Int {
                    let elements = list.values().as_primitive::<Int64Type>().values();
                    Cells::IntArray { shape_offsets, shape, offsets, elements }
                } else {
                    let elements = list.values().as_primitive::<Float64Type>().values();
                    Cells::FloatArray { shape_offsets, shape, offsets, elements }
                }
            }
        };
        CellView { cells, nulls: array.nulls(), errors: None, pending: None }
    }

    /// True if the cell is an error.
    #[inline]
    pub fn is_error(&self, row: usize) -> bool {
        self.errors.is_some_and(|mask| mask.value(row))
    }

    /// True if the cell is None.
    #[inline]
    pub fn is_none(&self, row: usize) -> bool {
        match self.cells {
            Cells::Null => true,
            Cells::Encoded(a) => {
                a.is_valid(row) && a.value(row).first() == Some(&0x10)
                    || a.is_null(row) && !self.is_masked(row)
            }
            _ => self.nulls.is_some_and(|n| n.is_null(row)) && !self.is_masked(row),
        }
    }

    #[inline]
    fn is_masked(&self, row: usize) -> bool {
        self.is_error(row) || self.pending.is_some_and(|mask| mask.value(row))
    }

    /// The cell as a value.
    pub fn value(&self, row: usize) -> Value {
        if self.is_error(row) {
            return Value::Error;
        }
        if self.pending.is_some_and(|mask| mask.value(row)) {
            return Value::Pending;
        }
        if self.nulls.is_some_and(|n| n.is_null(row)) {
            return Value::None;
        }
        match &self.cells {
            Cells::Null => Value::None,
            Cells::Bool(a) => Value::Bool(a.value(row)),
            Cells::Int(a) => Value::Int(a[row]),
            Cells::Float(a) => Value::Float(a[row]),
            Cells::Pointer(a) => Value::Pointer(Key(a[row] as u128)),
            Cells::Str(a) => Value::Str(Arc::from(a.value(row))),
            Cells::Json(a) => Value::Json(JsonText::from_compact(a.value(row))),
            Cells::Bytes(a) => Value::Bytes(Arc::from(a.value(row))),
            Cells::PyObject(a) => Value::PyObject(PyObject::new(a.value(row))),
            // Only this engine writes these bytes; what it cannot read back is an error cell.
            Cells::Encoded(a) => decode(a.value(row)).unwrap_or(Value::Error),
            Cells::DateTimeNaive(a) => Value::DateTimeNaive(a[row]),
            Cells::DateTimeUtc(a) => Value::DateTimeUtc(a[row]),
            Cells::Duration(a) => Value::Duration(a[row]),
            Cells::Tuple(members) => members.iter().map(|m| m.value(row)).collect::<Arc<[_]>>().into(),
            Cells::List(offsets, member) => {
                let range = offsets[row] as usize..offsets[row + 1] as usize;
                range.map(|i| member.value(i)).collect::<Arc<[_]>>().into()
            }
            Cells::IntArray { shape_offsets, shape, offsets, elements } => {
                let shape = shape_at(shape_offsets, shape, row);
                let elements = &elements[offsets[row] as usize..offsets[row + 1] as usize];
                NdArray::new(shape, elements).map_or(Value::Error, |a| Value::IntArray(Arc::new(a)))
            }
            Cells::FloatArray { shape_offsets, shape, offsets, elements } => {
                let shape = shape_at(shape_offsets, shape, row);
                let elements = &elements[offsets[row] as usize..offsets[row + 1] as usize];
                NdArray::new(shape, elements).map_or(Value::Error, |a| Value::FloatArray(Arc::new(a)))
            }
        }
    }

    /// Adds the cell to a key.
    ///
    /// # Errors
    /// [`Unhashable`] for an error or a pending cell.
    #[inline]
    pub fn hash(&self, row: usize, hasher: &mut KeyHasher) -> Result<(), Unhashable> {
        if self.is_masked(row) {
            return Err(Unhashable);
        }
        if self.nulls.is_some_and(|n| n.is_null(row)) {
            hasher.none();
            return Ok(());
        }
        match &self.cells {
            Cells::Null => hasher.none(),
            Cells::Bool(a) => hasher.bool(a.value(row)),
            Cells::Int(a) => hasher.i64(tag::INT, a[row]),
            Cells::Float(a) => hasher.float(a[row]),
            Cells::Pointer(a) => hasher.pointer(Key(a[row] as u128)),
            Cells::Str(a) => hasher.bytes(tag::STR, a.value(row).as_bytes()),
            Cells::Json(a) => hasher.bytes(tag::JSON, a.value(row).as_bytes()),
            Cells::Bytes(a) => hasher.bytes(tag::BYTES, a.value(row)),
            Cells::PyObject(a) => hasher.py_object(a.value(row)),
            Cells::DateTimeNaive(a) => hasher.i64(tag::DATE_TIME_NAIVE, a[row]),
            Cells::DateTimeUtc(a) => hasher.i64(tag::DATE_TIME_UTC, a[row]),
            Cells::Duration(a) => hasher.i64(tag::DURATION, a[row]),
            Cells::Tuple(members) => {
                hasher.tuple(members.len());
                for member in members {
                    member.hash(row, hasher)?;
                }
            }
            Cells::List(offsets, member) => {
                let range = offsets[row] as usize..offsets[row + 1] as usize;
                hasher.tuple(range.len());
                for i in range {
                    member.hash(i, hasher)?;
                }
            }
            Cells::Encoded(_) | Cells::IntArray { .. } | Cells::FloatArray { .. } => {
                hasher.value(&self.value(row))?;
            }
        }
        Ok(())
    }

    /// The keys of the first `rows` cells, each hashed alone, where all of them are plain integers or
    /// text; the common case of a single key column.
    pub(crate) fn plain_keys(&self, rows: usize) -> Option<Vec<u128>> {
        if self.nulls.is_some_and(|n| n.null_count() > 0) || self.errors.is_some() || self.pending.is_some() {
            return None;
        }
        match &self.cells {
            Cells::Int(values) => {
                let mut bytes = [tag::INT; 9];
                let key = |value: &i64| {
                    bytes[1..].copy_from_slice(&value.to_le_bytes());
                    xxh3_128(&bytes)
                };
                Some(values[..rows].iter().map(key).collect())
            }
            Cells::Str(array) => {
                const INLINE: usize = 128;
                let (offsets, text) = (array.value_offsets(), array.value_data());
                let mut bytes = [tag::STR; 9 + INLINE];
                let mut hasher = KeyHasher::default();
                let key = |window: &[i64]| {
                    let cell = &text[window[0] as usize..window[1] as usize];
                    if cell.len() > INLINE {
                        hasher.clear();
                        hasher.bytes(tag::STR, cell);
                        return hasher.finish().0;
                    }
                    bytes[1..9].copy_from_slice(&(cell.len() as u64).to_le_bytes());
                    bytes[9..9 + cell.len()].copy_from_slice(cell);
                    xxh3_128(&bytes[..9 + cell.len()])
                };
                Some(offsets[..rows + 1].windows(2).map(key).collect())
            }
            _ => None,
        }
    }

    /// The order of two cells of columns of one dtype: None first, error last, as values order.
    pub fn cmp(&self, row: usize, other: &CellView<'_>, other_row: usize) -> Ordering {
        let class = |view: &CellView<'_>, row: usize| match () {
            () if view.is_error(row) => 3u8,
            () if view.pending.is_some_and(|mask| mask.value(row)) => 2,
            () if view.nulls.is_some_and(|n| n.is_null(row)) => 0,
            () => 1,
        };
        let (left, right) = (class(self, row), class(other, other_row));
        if left != 1 || right != 1 {
            return left.cmp(&right);
        }
        match (&self.cells, &other.cells) {
            (Cells::Null, Cells::Null) => Ordering::Equal,
            (Cells::Bool(a), Cells::Bool(b)) => a.value(row).cmp(&b.value(other_row)),
            (Cells::Int(a), Cells::Int(b))
            | (Cells::DateTimeNaive(a), Cells::DateTimeNaive(b))
            | (Cells::DateTimeUtc(a), Cells::DateTimeUtc(b))
            | (Cells::Duration(a), Cells::Duration(b)) => a[row].cmp(&b[other_row]),
            (Cells::Float(a), Cells::Float(b)) => float_order(a[row], b[other_row]),
            (Cells::Pointer(a), Cells::Pointer(b)) => (a[row] as u128).cmp(&(b[other_row] as u128)),
            (Cells::Str(a), Cells::Str(b)) | (Cells::Json(a), Cells::Json(b)) => {
                a.value(row).cmp(b.value(other_row))
            }
            (Cells::Bytes(a), Cells::Bytes(b))
            | (Cells::PyObject(a), Cells::PyObject(b))
            | (Cells::Encoded(a), Cells::Encoded(b)) => a.value(row).cmp(b.value(other_row)),
            _ => self.value(row).cmp(&other.value(other_row)),
        }
    }

    /// The order of the cell and a value, without taking the cell out where its kind allows that.
    pub fn cmp_value(&self, row: usize, value: &Value) -> Ordering {
        if !self.is_masked(row) && !self.nulls.is_some_and(|n| n.is_null(row)) {
            match (&self.cells, value) {
                (Cells::Int(a), Value::Int(v))
                | (Cells::DateTimeNaive(a), Value::DateTimeNaive(v))
                | (Cells::DateTimeUtc(a), Value::DateTimeUtc(v))
                | (Cells::Duration(a), Value::Duration(v)) => return a[row].cmp(v),
                (Cells::Float(a), Value::Float(v)) => return float_order(a[row], *v),
                (Cells::Str(a), Value::Str(v)) => return a.value(row).cmp(v),
                (Cells::Bytes(a), Value::Bytes(v)) => return a.value(row).cmp(v),
                (Cells::Pointer(a), Value::Pointer(v)) => return (a[row] as u128).cmp(&v.0),
                _ => {}
            }
        }
        self.value(row).cmp(value)
    }

    /// True if the two cells, of columns of one dtype, hold the same value.
    #[inline]
    pub fn eq(&self, row: usize, other: &CellView<'_>, other_row: usize) -> bool {
        self.cmp(row, other, other_row).is_eq()
    }
}

fn shape_at(offsets: &[i64], shape: &[i64], row: usize) -> Vec<usize> {
    shape[offsets[row] as usize..offsets[row + 1] as usize].iter().map(|d| *d as usize).collect()
}

impl From<Arc<[Value]>> for Value {
    fn from(members: Arc<[Value]>) -> Self {
        Value::Tuple(members)
    }
}
