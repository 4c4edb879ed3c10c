//! JSON values as compact text.
//!
//! A [`JsonText`] is canonical in layout (no spaces, members in stored order), so two values are
//! equal exactly when their texts are.

use std::fmt;
use std::sync::Arc;

/// A JSON value kept as its compact text.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JsonText(Arc<str>);

impl JsonText {
    /// JSON null, which is not None.
    pub fn null() -> Self {
        JsonText(Arc::from("null"))
    }
    /// Parses any JSON text and stores it compactly.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        let value: serde_json::Value = serde_json::from_str(text)?;
        Ok(JsonText::from_value(&value))
    }
    /// Takes text that is known to be compact JSON already.
    pub fn from_compact(text: impl Into<Arc<str>>) -> Self {
        JsonText(text.into())
    }
    /// Stores a parsed value.
    pub fn from_value(value: &serde_json::Value) -> Self {
        JsonText(Arc::from(value.to_string()))
    }
    /// The compact text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// The parsed value; null if the text is not JSON (which `from_compact` promised it is).
    pub fn to_value(&self) -> serde_json::Value {
        serde_json::from_str(&self.0).unwrap_or(serde_json::Value::Null)
    }
}

impl fmt::Debug for JsonText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Json({})", self.0)
    }
}
