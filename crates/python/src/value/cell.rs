//! Python objects to the cells of a typed column.

use std::sync::Arc;

use pathway_types::key::{Unhashable, tag};
use pathway_types::{ColumnBuilder, DType, KeyHasher, Value};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyFloat, PyInt, PyList, PyString, PyTuple};

use super::{Rejected, array, classes, datetime, json, natural, py_object};
use crate::pointer::PyPointer;
use crate::singletons::{ErrorType, PendingType};

/// One cell on its way into a column; text and bytes are still those of the Python object.
#[derive(Clone, Debug)]
pub(crate) enum Cell<'a> {
    /// None.
    None,
    /// A boolean.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A float.
    Float(f64),
    /// Text.
    Str(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
    /// Anything else.
    Value(Value),
}

impl Cell<'_> {
    /// Appends the cell to its column.
    #[inline]
    pub(crate) fn push(&self, column: &mut ColumnBuilder) {
        match self {
            Cell::None => column.push_none(),
            Cell::Bool(v) => column.push_bool(*v),
            Cell::Int(v) => column.push_int(*v),
            Cell::Float(v) => column.push_float(*v),
            Cell::Str(v) => column.push_str(v),
            Cell::Bytes(v) => column.push_bytes(v),
            Cell::Value(v) => column.push(v),
        }
    }
    /// Adds the cell to a key.
    #[inline]
    pub(crate) fn hash(&self, hasher: &mut KeyHasher) -> Result<(), Unhashable> {
        match self {
            Cell::None => hasher.none(),
            Cell::Bool(v) => hasher.bool(*v),
            Cell::Int(v) => hasher.i64(tag::INT, *v),
            Cell::Float(v) => hasher.float(*v),
            Cell::Str(v) => hasher.bytes(tag::STR, v.as_bytes()),
            Cell::Bytes(v) => hasher.bytes(tag::BYTES, v),
            Cell::Value(v) => hasher.value(v)?,
        }
        Ok(())
    }
    /// The cell as a value of its own.
    pub(crate) fn into_value(self) -> Value {
        match self {
            Cell::None => Value::None,
            Cell::Bool(v) => Value::Bool(v),
            Cell::Int(v) => Value::Int(v),
            Cell::Float(v) => Value::Float(v),
            Cell::Str(v) => Value::Str(Arc::from(v)),
            Cell::Bytes(v) => Value::Bytes(Arc::from(v)),
            Cell::Value(v) => v,
        }
    }
}

/// Converts Python objects for one column.
#[derive(Clone, Debug)]
pub(crate) struct Converter {
    dtype: DType,
    optional: bool,
    future: bool,
    target: Target,
}

/// What the column stores, without Optional and Future.
#[derive(Clone, Debug)]
enum Target {
    Int,
    Float,
    Bool,
    Str,
    Bytes,
    None,
    Any,
    Pointer,
    Json,
    DateTimeNaive,
    DateTimeUtc,
    Duration,
    Tuple(Arc<[Converter]>),
    List(Arc<Converter>),
    Array {
        n_dim: Option<usize>,
        element: DType,
    },
    /// Objects of the class with this name.
    PyObject(Arc<str>),
}

impl Converter {
    /// A converter for columns of `dtype`.
    pub(crate) fn new(dtype: &DType) -> Self {
        let (mut inner, mut optional, mut future) = (dtype, false, false);
        loop {
            match inner {
                DType::Optional(wrapped) => (inner, optional) = (wrapped, true),
                DType::Future(wrapped) => (inner, future) = (wrapped, true),
                _ => break,
            }
        }
        let target = match inner {
            DType::Int => Target::Int,
            DType::Float => Target::Float,
            DType::Bool => Target::Bool,
            DType::Str => Target::Str,
            DType::Bytes => Target::Bytes,
            DType::None => Target::None,
            DType::Any => Target::Any,
            DType::Pointer(_) | DType::Callable(..) => Target::Pointer,
            DType::Json => Target::Json,
            DType::DateTimeNaive => Target::DateTimeNaive,
            DType::DateTimeUtc => Target::DateTimeUtc,
            DType::Duration => Target::Duration,
            DType::Tuple(members) => Target::Tuple(members.iter().map(Converter::new).collect()),
            DType::List(member) => Target::List(Arc::new(Converter::new(member))),
            DType::Array { n_dim, element } => Target::Array { n_dim: *n_dim, element: (**element).clone() },
            DType::PyObject(class) => Target::PyObject(class.clone()),
            DType::Optional(_) | DType::Future(_) => Target::None,
        };
        Converter { dtype: dtype.clone(), optional, future, target }
    }

    /// The dtype of the column.
    pub(crate) fn dtype(&self) -> &DType {
        &self.dtype
    }

    /// The object as a cell of the column.
    #[inline]
    pub(crate) fn cell<'a>(&self, object: &'a Bound<'_, PyAny>) -> Result<Cell<'a>, Rejected> {
        match self.target {
            Target::Int if object.is_exact_instance_of::<PyInt>() => match object.extract() {
                Ok(value) => Ok(Cell::Int(value)),
                Err(_) => Err(self.refuse(object, "it needs more than 64 bits")),
            },
            Target::Float if object.is_exact_instance_of::<PyFloat>() => match object.extract() {
                Ok(value) => Ok(Cell::Float(value)),
                Err(_) => Err(self.refuse(object, "")),
            },
            Target::Str if object.is_exact_instance_of::<PyString>() => self.text(object),
            _ => self.other(object),
        }
    }

    /// The object as a value of the column.
    pub(crate) fn value(&self, object: &Bound<'_, PyAny>) -> Result<Value, Rejected> {
        self.cell(object).map(Cell::into_value)
    }

    /// Appends the object to the column; an error cell if it does not fit.
    #[inline]
    pub(crate) fn push(&self, object: &Bound<'_, PyAny>, column: &mut ColumnBuilder) -> Result<(), Rejected> {
        match self.cell(object) {
            Ok(cell) => {
                cell.push(column);
                Ok(())
            }
            Err(rejected) => {
                column.push_error();
                Err(rejected)
            }
        }
    }

    fn refuse(&self, object: &Bound<'_, PyAny>, hint: &str) -> Rejected {
        Rejected::object(object, &self.dtype, hint)
    }

    fn text<'a>(&self, object: &'a Bound<'_, PyAny>) -> Result<Cell<'a>, Rejected> {
        let text = object.cast::<PyString>().map_err(|_| self.refuse(object, ""))?;
        text.to_str().map(Cell::Str).map_err(|_| self.refuse(object, "its characters are not valid Unicode"))
    }

    /// Everything but the hot cases.
    fn other<'a>(&self, object: &'a Bound<'_, PyAny>) -> Result<Cell<'a>, Rejected> {
        if object.is_none() {
            return match &self.target {
                Target::None | Target::Any => Ok(Cell::None),
                _ if self.optional => Ok(Cell::None),
                Target::Json => Ok(Cell::Value(Value::Json(pathway_types::JsonText::null()))),
                Target::PyObject(class) if **class == *"object" => self.wrapped(object, class),
                _ => {
                    let hint = format!("declare it as Optional({}) if None may occur", self.dtype);
                    Err(self.refuse(object, &hint))
                }
            };
        }
        if object.is_exact_instance_of::<ErrorType>() {
            return Ok(Cell::Value(Value::Error));
        }
        if object.is_exact_instance_of::<PendingType>() {
            return match self.target {
                Target::Any => Ok(Cell::Value(Value::Pending)),
                _ if self.future => Ok(Cell::Value(Value::Pending)),
                _ => Err(self.refuse(object, "only a Future column can be pending")),
            };
        }
        match &self.target {
            Target::Int => self.integer(object),
            Target::Float => self.float(object),
            Target::Bool => match boolean(object) {
                Some(value) => Ok(Cell::Bool(value)),
                None => Err(self.refuse(object, "")),
            },
            Target::Str => self.text(object),
            Target::Bytes => match object.cast::<PyBytes>() {
                Ok(bytes) => Ok(Cell::Bytes(bytes.as_bytes())),
                Err(_) => Err(self.refuse(object, "")),
            },
            Target::None => Err(self.refuse(object, "")),
            Target::Any => natural::natural(object, 0),
            Target::Pointer => match object.cast_exact::<PyPointer>() {
                Ok(pointer) => Ok(Cell::Value(Value::Pointer(pointer.get().0))),
                Err(_) => Err(self.refuse(object, "")),
            },
            Target::Json => json::from_python(object).map(|json| Cell::Value(Value::Json(json))),
            Target::DateTimeNaive => datetime::naive(object).map(|v| Cell::Value(Value::DateTimeNaive(v))),
            Target::DateTimeUtc => datetime::utc(object).map(|v| Cell::Value(Value::DateTimeUtc(v))),
            Target::Duration => datetime::duration(object).map(|v| Cell::Value(Value::Duration(v))),
            Target::Tuple(members) => self.tuple(object, members),
            Target::List(member) => self.list(object, member),
            Target::Array { n_dim, element } => {
                array::from_python(object, &self.dtype, *n_dim, element).map(Cell::Value)
            }
            Target::PyObject(class) => self.wrapped(object, class),
        }
    }

    fn integer<'a>(&self, object: &'a Bound<'_, PyAny>) -> Result<Cell<'a>, Rejected> {
        // `extract` goes by `__index__`: subclasses of int, numpy integers, 0-d arrays; not floats.
        object.extract().map(Cell::Int).map_err(|_| {
            let hint = if object.is_instance_of::<PyInt>() { "it needs more than 64 bits" } else { "" };
            self.refuse(object, hint)
        })
    }

    fn float<'a>(&self, object: &'a Bound<'_, PyAny>) -> Result<Cell<'a>, Rejected> {
        // `extract` goes by `__float__` and `__index__`, and not by text (but a Json text would be parsed).
        let is_text = classes::is_json(object)
            && object.getattr(intern!(object.py(), "value")).is_ok_and(|v| v.is_instance_of::<PyString>());
        match object.extract() {
            Ok(value) if !is_text => Ok(Cell::Float(value)),
            _ => Err(self.refuse(object, "")),
        }
    }

    /// The object, or what a wrapper holds, if it is of this class.
    fn wrapped<'a>(&self, object: &'a Bound<'_, PyAny>, class: &str) -> Result<Cell<'a>, Rejected> {
        match py_object::is_of(object, class) {
            Ok(true) => py_object::wrap(object).map(|wrapped| Cell::Value(Value::PyObject(wrapped))),
            Ok(false) => Err(self.refuse(object, &format!("it is not an instance of {class}"))),
            Err(error) => Err(self.refuse(object, &format!("whether it is one cannot be told: {error}"))),
        }
    }

    fn tuple<'a>(&self, object: &'a Bound<'_, PyAny>, members: &[Converter]) -> Result<Cell<'a>, Rejected> {
        let Some(items) = sequence(object) else { return Err(self.refuse(object, "it is not a sequence")) };
        if items.len() != members.len() {
            return Err(self.refuse(object, &format!("it has {} members", items.len())));
        }
        let pairs = members.iter().zip(items.iter());
        let values = pairs.map(|(member, item)| member.value(item)).collect::<Result<Arc<[_]>, _>>();
        values.map(|members| Cell::Value(Value::Tuple(members)))
    }

    fn list<'a>(&self, object: &'a Bound<'_, PyAny>, member: &Converter) -> Result<Cell<'a>, Rejected> {
        let Some(items) = sequence(object) else { return Err(self.refuse(object, "it is not a sequence")) };
        let values = items.iter().map(|item| member.value(item)).collect::<Result<Arc<[_]>, _>>();
        values.map(|members| Cell::Value(Value::Tuple(members)))
    }
}

/// A boolean of Python or numpy.
pub(super) fn boolean(object: &Bound<'_, PyAny>) -> Option<bool> {
    if let Ok(value) = object.cast_exact::<PyBool>() {
        return Some(value.is_true());
    }
    let class = object.get_type();
    let is_numpy_bool = classes::is_numpy(object) && class.name().is_ok_and(|n| n == "bool" || n == "bool_");
    is_numpy_bool.then(|| object.is_truthy().ok()).flatten()
}

/// The items of a sequence: tuples, lists, ranges, bytes, arrays, series, Json arrays, …; `None` if
/// the object is not one. Text and mappings are not.
pub(super) fn sequence<'py>(object: &Bound<'py, PyAny>) -> Option<Vec<Bound<'py, PyAny>>> {
    if let Ok(tuple) = object.cast::<PyTuple>() {
        return Some(tuple.iter().collect());
    }
    if let Ok(list) = object.cast::<PyList>() {
        return Some(list.iter().collect());
    }
    if object.is_instance_of::<PyString>() || !is_sequence_like(object) {
        return None;
    }
    if classes::is_json(object) && !object.getattr("value").ok()?.is_instance_of::<PyList>() {
        return None;
    }
    object.try_iter().ok()?.collect::<PyResult<Vec<_>>>().ok()
}

fn is_sequence_like(object: &Bound<'_, PyAny>) -> bool {
    // Has items by number and a length; mappings are told apart below.
    object.cast::<pyo3::types::PyMapping>().is_err()
        && object.hasattr("__getitem__").unwrap_or(false)
        && object.len().is_ok()
}
