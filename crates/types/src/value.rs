//! One cell outside of a column: dynamic columns, UDF arguments, constants, tests.
//!
//! The order of values (`min`, `max`, `sort`, `sorted_tuple` on dynamic columns) is total: first by
//! kind in the order of the variants below, then inside the kind; int and float do not mix, NaN is
//! the greatest float, an error is greater than everything.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

use crate::DType;
use crate::json::JsonText;
use crate::key::Key;
use crate::ndarray::NdArray;

/// A Python object, as its serialised bytes; equal when the bytes are.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PyObject(Arc<[u8]>);

impl PyObject {
    /// Starts the bytes of an object with a serialiser of its own. The length of a reference to that
    /// serialiser follows (8 bytes, little-endian), the reference, and what the serialiser gave.
    pub const OWN_SERIALIZER: &[u8] = b"\0pathway-serializer\0";

    /// Wraps serialised bytes.
    pub fn new(bytes: impl Into<Arc<[u8]>>) -> Self {
        PyObject(bytes.into())
    }
    /// The serialised bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
    /// Of serialised bytes that begin with [`PyObject::OWN_SERIALIZER`], the reference to the serialiser
    /// and what it gave; None for others, and where bytes are missing.
    pub fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
        let (len, rest) = bytes.strip_prefix(PyObject::OWN_SERIALIZER)?.split_first_chunk::<8>()?;
        rest.split_at_checked(usize::try_from(u64::from_le_bytes(*len)).ok()?)
    }
    /// The text of the object by whoever can read it, or how long its bytes are.
    pub fn text(&self) -> String {
        let text = READER.get().and_then(|reader| reader(&self.0));
        text.unwrap_or_else(|| format!("<{} bytes>", self.0.len()))
    }
    /// Names, once for the process, the function that reads objects.
    pub fn set_reader(reader: Reader) {
        // A second call could only name the same function.
        let _ = READER.set(reader);
    }
}

/// Gives the text of an object from its bytes, if it can read them.
type Reader = fn(&[u8]) -> Option<String>;

static READER: OnceLock<Reader> = OnceLock::new();

/// The value of one cell.
#[derive(Clone, Debug)]
pub enum Value {
    /// The absence of a value.
    None,
    /// A boolean.
    Bool(bool),
    /// A signed 64-bit integer.
    Int(i64),
    /// An IEEE double.
    Float(f64),
    /// A row key.
    Pointer(Key),
    /// UTF-8 text.
    Str(Arc<str>),
    /// A byte string.
    Bytes(Arc<[u8]>),
    /// A tuple or a list.
    Tuple(Arc<[Value]>),
    /// An n-dimensional array of integers.
    IntArray(Arc<NdArray<i64>>),
    /// An n-dimensional array of floats.
    FloatArray(Arc<NdArray<f64>>),
    /// Nanoseconds since 1970-01-01 without a zone.
    DateTimeNaive(i64),
    /// Nanoseconds since 1970-01-01 UTC.
    DateTimeUtc(i64),
    /// A signed number of nanoseconds.
    Duration(i64),
    /// A JSON value.
    Json(JsonText),
    /// A serialised Python object.
    PyObject(PyObject),
    /// A result of an asynchronous call that is not there yet.
    Pending,
    /// A cell that could not be computed.
    Error,
}

const _: () = assert!(size_of::<Value>() == 32);

impl Value {
    /// A tuple of these members.
    pub fn tuple(members: impl IntoIterator<Item = Value>) -> Value {
        Value::Tuple(members.into_iter().collect())
    }
    /// True for [`Value::None`].
    pub fn is_none(&self) -> bool {
        matches!(self, Value::None)
    }
    /// True for [`Value::Error`].
    pub fn is_error(&self) -> bool {
        matches!(self, Value::Error)
    }
    /// True for [`Value::Error`] and tuples that hold one.
    pub fn holds_error(&self) -> bool {
        match self {
            Value::Error => true,
            Value::Tuple(members) => members.iter().any(Value::holds_error),
            _ => false,
        }
    }
    /// The dtype that a constant of this kind has by itself: tuples and lists are `List(ANY)`.
    pub fn natural_dtype(&self) -> DType {
        match self {
            Value::None => DType::None,
            Value::Bool(_) => DType::Bool,
            Value::Int(_) => DType::Int,
            Value::Float(_) => DType::Float,
            Value::Pointer(_) => DType::ANY_POINTER,
            Value::Str(_) => DType::Str,
            Value::Bytes(_) => DType::Bytes,
            Value::Tuple(_) => DType::any_tuple(),
            Value::IntArray(_) | Value::FloatArray(_) => DType::array(None, DType::Any),
            Value::DateTimeNaive(_) => DType::DateTimeNaive,
            Value::DateTimeUtc(_) => DType::DateTimeUtc,
            Value::Duration(_) => DType::Duration,
            Value::Json(_) => DType::Json,
            Value::PyObject(_) => DType::PyObject(Arc::from("object")),
            Value::Pending | Value::Error => DType::Any,
        }
    }
    /// The rank of the kind in the order between kinds.
    fn rank(&self) -> u8 {
        match self {
            Value::None => 0,
            Value::Bool(_) => 1,
            Value::Int(_) => 2,
            Value::Float(_) => 3,
            Value::Pointer(_) => 4,
            Value::Str(_) => 5,
            Value::Bytes(_) => 6,
            Value::Tuple(_) => 7,
            Value::IntArray(_) => 8,
            Value::FloatArray(_) => 9,
            Value::DateTimeNaive(_) => 10,
            Value::DateTimeUtc(_) => 11,
            Value::Duration(_) => 12,
            Value::Json(_) => 13,
            Value::PyObject(_) => 14,
            Value::Pending => 15,
            Value::Error => 16,
        }
    }
}

/// Floats by value, `-0.0` equal to `0.0`, NaN last and equal to itself.
#[inline]
pub fn float_order(left: f64, right: f64) -> Ordering {
    match left.partial_cmp(&right) {
        Some(order) => order,
        None => left.is_nan().cmp(&right.is_nan()),
    }
}

impl Ord for Value {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
            (Value::Int(a), Value::Int(b))
            | (Value::DateTimeNaive(a), Value::DateTimeNaive(b))
            | (Value::DateTimeUtc(a), Value::DateTimeUtc(b))
            | (Value::Duration(a), Value::Duration(b)) => a.cmp(b),
            (Value::Float(a), Value::Float(b)) => float_order(*a, *b),
            (Value::Pointer(a), Value::Pointer(b)) => a.cmp(b),
            (Value::Str(a), Value::Str(b)) => a.cmp(b),
            (Value::Bytes(a), Value::Bytes(b)) => a.cmp(b),
            (Value::Tuple(a), Value::Tuple(b)) => a.cmp(b),
            (Value::IntArray(a), Value::IntArray(b)) => {
                a.shape().cmp(b.shape()).then_with(|| a.elements().cmp(b.elements()))
            }
            (Value::FloatArray(a), Value::FloatArray(b)) => a.shape().cmp(b.shape()).then_with(|| {
                let pairs = a.elements().iter().zip(b.elements());
                pairs.map(|(x, y)| float_order(*x, *y)).find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
            }),
            (Value::Json(a), Value::Json(b)) => a.cmp(b),
            (Value::PyObject(a), Value::PyObject(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Value {}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u8(self.rank());
        let float = |v: f64| if v.is_nan() { u64::MAX } else { (v + 0.0).to_bits() };
        match self {
            Value::None | Value::Pending | Value::Error => {}
            Value::Bool(v) => v.hash(state),
            Value::Int(v) | Value::DateTimeNaive(v) | Value::DateTimeUtc(v) | Value::Duration(v) => {
                v.hash(state);
            }
            Value::Float(v) => float(*v).hash(state),
            Value::Pointer(v) => v.hash(state),
            Value::Str(v) => v.hash(state),
            Value::Bytes(v) => v.hash(state),
            Value::Tuple(v) => v.hash(state),
            Value::IntArray(v) => {
                v.shape().hash(state);
                v.elements().hash(state);
            }
            Value::FloatArray(v) => {
                v.shape().hash(state);
                v.elements().iter().for_each(|e| float(*e).hash(state));
            }
            Value::Json(v) => v.hash(state),
            Value::PyObject(v) => v.hash(state),
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Value::Bool(value)
    }
}
impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Value::Int(value)
    }
}
impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Value::Float(value)
    }
}
impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Value::Str(Arc::from(value))
    }
}
impl From<String> for Value {
    fn from(value: String) -> Self {
        Value::Str(Arc::from(value))
    }
}
impl From<Key> for Value {
    fn from(value: Key) -> Self {
        Value::Pointer(value)
    }
}
impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::None, Into::into)
    }
}

impl fmt::Display for Value {
    /// The engine's notation, as `Table.debug` and error messages show it: `Int(1)`, `String("x")`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::None => f.write_str("None"),
            Value::Bool(v) => write!(f, "Bool({v})"),
            Value::Int(v) => write!(f, "Int({v})"),
            Value::Float(v) => write!(f, "Float({v:?})"),
            Value::Pointer(v) => write!(f, "Pointer({v})"),
            Value::Str(v) => write!(f, "String({v:?})"),
            Value::Bytes(v) => write!(f, "Bytes({v:?})"),
            Value::Tuple(v) => {
                f.write_str("Tuple([")?;
                for (i, member) in v.iter().enumerate() {
                    if i > 0 {
                        f.write_str(", ")?;
                    }
                    write!(f, "{member}")?;
                }
                f.write_str("])")
            }
            Value::IntArray(v) => write!(f, "IntArray({:?}, {:?})", v.shape(), v.elements()),
            Value::FloatArray(v) => write!(f, "FloatArray({:?}, {:?})", v.shape(), v.elements()),
            Value::DateTimeNaive(v) => write!(f, "DateTimeNaive({v})"),
            Value::DateTimeUtc(v) => write!(f, "DateTimeUtc({v})"),
            Value::Duration(v) => write!(f, "Duration({v})"),
            Value::Json(v) => write!(f, "Json({})", v.as_str()),
            Value::PyObject(_) => f.write_str("PyObjectWrapper"),
            Value::Pending => f.write_str("Pending"),
            Value::Error => f.write_str("Error"),
        }
    }
}
