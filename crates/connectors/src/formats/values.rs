//! Values of the rarer dtypes from JSON, one at a time: sequences, arrays, dynamic columns.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pathway_types::{DType, JsonText, Key, NdArray, PyObject, Value};
use serde_json::Value as Json;

use super::datetime;

/// The value of this dtype that `json` stands for; `None` if it is of another kind.
///
/// Nothing is coerced, except that an integer is a float where a float is expected.
pub(super) fn from_json(dtype: &DType, json: &Json) -> Option<Value> {
    Some(match (dtype, json) {
        (DType::Optional(_) | DType::None, Json::Null) => Value::None,
        (DType::Optional(inner), json) => from_json(inner, json)?,
        (DType::Int, json) => Value::Int(json.as_i64()?),
        (DType::Float, json) => Value::Float(json.as_f64()?),
        (DType::Bool, json) => Value::Bool(json.as_bool()?),
        (DType::Str, json) => Value::from(json.as_str()?),
        (DType::Bytes, json) => Value::Bytes(decode_base64(json.as_str()?.as_bytes())?.into()),
        (DType::PyObject(_), json) => {
            Value::PyObject(PyObject::new(decode_base64(json.as_str()?.as_bytes())?))
        }
        (DType::Pointer(_), json) => Value::Pointer(Key::parse(json.as_str()?)?),
        (DType::DateTimeNaive, json) => {
            Value::DateTimeNaive(datetime::parse_naive(json.as_str()?.as_bytes()).ok()?)
        }
        (DType::DateTimeUtc, json) => {
            Value::DateTimeUtc(datetime::parse_utc(json.as_str()?.as_bytes()).ok()?)
        }
        (DType::Duration, json) => Value::Duration(json.as_i64()?),
        (DType::Json, Json::Null) => return None,
        (DType::Json, json) => Value::Json(JsonText::from_value(json)),
        (DType::Any, json) => scalar(json)?,
        (DType::List(member), Json::Array(members)) => {
            let members: Option<Arc<[Value]>> = members.iter().map(|m| from_json(member, m)).collect();
            Value::Tuple(members?)
        }
        (DType::Tuple(dtypes), Json::Array(members)) if dtypes.len() == members.len() => {
            let members: Option<Arc<[Value]>> =
                dtypes.iter().zip(members).map(|(dtype, member)| from_json(dtype, member)).collect();
            Value::Tuple(members?)
        }
        (DType::Array { n_dim, element }, json) => array(*n_dim, element, json)?,
        _ => return None,
    })
}

/// Dynamic columns take scalars only: what an object or an array would be is for the schema to say.
fn scalar(json: &Json) -> Option<Value> {
    Some(match json {
        Json::Bool(v) => Value::Bool(*v),
        Json::Number(n) => n.as_i64().map(Value::Int).or_else(|| n.as_f64().map(Value::Float))?,
        Json::String(s) => Value::from(s.as_str()),
        Json::Null | Json::Array(_) | Json::Object(_) => return None,
    })
}

/// `{"shape": […], "elements": […]}`, elements in row-major order.
fn array(n_dim: Option<usize>, element: &DType, json: &Json) -> Option<Value> {
    let shape = json.get("shape")?.as_array()?;
    let shape: Vec<usize> =
        shape.iter().map(|d| d.as_u64().and_then(|d| d.try_into().ok())).collect::<Option<_>>()?;
    let elements = json.get("elements")?.as_array()?;
    let size = shape.iter().try_fold(1usize, |size, dim| size.checked_mul(*dim));
    if size != Some(elements.len()) || n_dim.is_some_and(|n| n != shape.len()) {
        return None;
    }
    let ints = || elements.iter().map(Json::as_i64).collect::<Option<Vec<i64>>>();
    let floats = || elements.iter().map(Json::as_f64).collect::<Option<Vec<f64>>>();
    let int_array = |shape, elements| NdArray::new(shape, elements).map(|a| Value::IntArray(Arc::new(a)));
    let float_array = |shape, elements| NdArray::new(shape, elements).map(|a| Value::FloatArray(Arc::new(a)));
    match element {
        DType::Int => int_array(shape, ints()?),
        DType::Float => float_array(shape, floats()?),
        _ => match ints() {
            Some(elements) => int_array(shape, elements),
            None => float_array(shape, floats()?),
        },
    }
}

/// Standard base64 with padding.
pub(super) fn decode_base64(text: &[u8]) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}
