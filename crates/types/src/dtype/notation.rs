//! Text and dictionary forms of dtypes.

use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::DType;

/// The dictionary form of a dtype is a JSON object with the member `type`.
pub type DTypeNotation = Json;

/// The dictionary does not describe a dtype.
#[derive(Clone, Debug, thiserror::Error)]
#[error("this is not the dictionary form of a dtype: {0}")]
pub struct ParseDTypeError(pub String);

impl fmt::Display for DType {
    /// The `repr` of the dtype: `INT`, `Optional(STR)`, `Tuple(INT, FLOAT)`, `Pointer(INT)`, …
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn list(f: &mut fmt::Formatter<'_>, name: &str, members: &[DType]) -> fmt::Result {
            write!(f, "{name}(")?;
            for (i, member) in members.iter().enumerate() {
                if i > 0 {
                    f.write_str(", ")?;
                }
                write!(f, "{member}")?;
            }
            f.write_str(")")
        }
        match self {
            DType::Int => f.write_str("INT"),
            DType::Float => f.write_str("FLOAT"),
            DType::Bool => f.write_str("BOOL"),
            DType::Str => f.write_str("STR"),
            DType::Bytes => f.write_str("BYTES"),
            DType::None => f.write_str("NONE"),
            DType::Any => f.write_str("ANY"),
            DType::Optional(inner) => write!(f, "Optional({inner})"),
            DType::Pointer(None) => f.write_str("ANY_POINTER"),
            DType::Pointer(Some(arguments)) => list(f, "Pointer", arguments),
            DType::Tuple(members) => list(f, "Tuple", members),
            DType::List(member) => write!(f, "List({member})"),
            DType::Array { n_dim, element } => match (n_dim, &**element) {
                (None, DType::Any) => f.write_str("Array"),
                (None, element) => write!(f, "Array({element})"),
                (Some(n_dim), DType::Any) => write!(f, "Array({n_dim})"),
                (Some(n_dim), element) => write!(f, "Array({n_dim}, {element})"),
            },
            DType::Json => f.write_str("Json"),
            DType::DateTimeNaive => f.write_str("DATE_TIME_NAIVE"),
            DType::DateTimeUtc => f.write_str("DATE_TIME_UTC"),
            DType::Duration => f.write_str("DURATION"),
            DType::PyObject(class) => write!(f, "PyObjectWrapper(<class '{class}'>)"),
            DType::Future(inner) => write!(f, "Future({inner})"),
            DType::Callable(None, result) => write!(f, "Callable(..., {result})"),
            DType::Callable(Some(arguments), result) => {
                f.write_str("Callable(")?;
                list(f, "", arguments)?;
                write!(f, ", {result})")
            }
        }
    }
}

impl DType {
    /// The dictionary form. `None` for Callable, which is not an engine type.
    pub fn to_notation(&self) -> Option<DTypeNotation> {
        let simple = |name: &str| Some(json!({ "type": name }));
        match self {
            DType::Int => simple("INT"),
            DType::Float => simple("FLOAT"),
            DType::Bool => simple("BOOL"),
            DType::Str => simple("STR"),
            DType::Bytes => simple("BYTES"),
            DType::None => simple("NONE"),
            DType::Any => simple("ANY"),
            DType::Pointer(_) => simple("POINTER"),
            DType::Json => simple("Json"),
            DType::DateTimeNaive => simple("DATE_TIME_NAIVE"),
            DType::DateTimeUtc => simple("DATE_TIME_UTC"),
            DType::Duration => simple("DURATION"),
            DType::PyObject(_) => simple("PY_OBJECT_WRAPPER"),
            DType::Optional(inner) => Some(json!({ "type": "OPTIONAL", "wrapped": inner.to_notation()? })),
            DType::Tuple(members) => {
                let wrapped = members.iter().map(DType::to_notation).collect::<Option<Vec<_>>>()?;
                Some(json!({ "type": "TUPLE", "wrapped": wrapped }))
            }
            DType::List(member) => Some(json!({ "type": "LIST", "wrapped": member.to_notation()? })),
            DType::Array { n_dim, element } => {
                Some(json!({ "type": "ARRAY", "n_dim": n_dim, "wrapped": element.to_notation()? }))
            }
            DType::Future(inner) => Some(json!({ "type": "FUTURE", "wrapped": inner.to_notation()? })),
            DType::Callable(..) => None,
        }
    }

    /// The dtype of a dictionary form; arguments of pointers and wrapped classes are not in it.
    pub fn from_notation(notation: &DTypeNotation) -> Result<DType, ParseDTypeError> {
        let fail = || ParseDTypeError(notation.to_string());
        let object = notation.as_object().ok_or_else(fail)?;
        let wrapped =
            |object: &Map<String, Json>| DType::from_notation(object.get("wrapped").ok_or_else(fail)?);
        Ok(match object.get("type").and_then(Json::as_str).ok_or_else(fail)? {
            "INT" => DType::Int,
            "FLOAT" => DType::Float,
            "BOOL" => DType::Bool,
            "STR" => DType::Str,
            "BYTES" => DType::Bytes,
            "NONE" => DType::None,
            "ANY" => DType::Any,
            "POINTER" => DType::ANY_POINTER,
            "Json" => DType::Json,
            "DATE_TIME_NAIVE" => DType::DateTimeNaive,
            "DATE_TIME_UTC" => DType::DateTimeUtc,
            "DURATION" => DType::Duration,
            "PY_OBJECT_WRAPPER" => DType::PyObject(Arc::from("object")),
            "OPTIONAL" => DType::optional(wrapped(object)?),
            "TUPLE" => {
                let members = object.get("wrapped").and_then(Json::as_array).ok_or_else(fail)?;
                DType::Tuple(members.iter().map(DType::from_notation).collect::<Result<_, _>>()?)
            }
            "LIST" => DType::list(wrapped(object)?),
            "ARRAY" => {
                let n_dim = match object.get("n_dim") {
                    None | Some(Json::Null) => None,
                    Some(n) => Some(n.as_u64().ok_or_else(fail)? as usize),
                };
                DType::array(n_dim, wrapped(object)?)
            }
            "FUTURE" => DType::future(wrapped(object)?),
            _ => return Err(fail()),
        })
    }
}
