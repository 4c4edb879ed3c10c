//! JSON text straight to Python objects, without a tree in between.

use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// The Python value of a JSON text; `None` where Python's own parser has to read it: integers of
/// more than 64 bits, and very deep values.
pub(super) fn parse<'py>(py: Python<'py>, text: &str) -> Option<Bound<'py, PyAny>> {
    if has_long_number(text) {
        return None;
    }
    let mut parser = serde_json::Deserializer::from_str(text);
    Node(py).deserialize(&mut parser).ok()
}

/// True if some run of digits may be an integer that does not fit 64 bits.
fn has_long_number(text: &str) -> bool {
    const DIGITS: usize = 18;
    let mut run = 0;
    text.bytes().any(|byte| {
        run = if byte.is_ascii_digit() { run + 1 } else { 0 };
        run > DIGITS
    })
}

/// One value of the text.
#[derive(Clone, Copy)]
struct Node<'py>(Python<'py>);

impl<'py, 'de> DeserializeSeed<'de> for Node<'py> {
    type Value = Bound<'py, PyAny>;
    fn deserialize<D: Deserializer<'de>>(self, parser: D) -> Result<Self::Value, D::Error> {
        parser.deserialize_any(self)
    }
}

impl<'py> Node<'py> {
    fn object<E: Error>(self, value: impl IntoPyObject<'py>) -> Result<Bound<'py, PyAny>, E> {
        value.into_bound_py_any(self.0).map_err(E::custom)
    }
}

impl<'py, 'de> Visitor<'de> for Node<'py> {
    type Value = Bound<'py, PyAny>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(self.0.None().into_bound(self.0))
    }
    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        self.object(value)
    }
    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        self.object(value)
    }
    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        self.object(value)
    }
    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        self.object(value)
    }
    fn visit_str<E: Error>(self, value: &str) -> Result<Self::Value, E> {
        Ok(PyString::new(self.0, value).into_any())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let list = PyList::empty(self.0);
        while let Some(item) = items.next_element_seed(self)? {
            list.append(item).map_err(A::Error::custom)?;
        }
        Ok(list.into_any())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let dict = PyDict::new(self.0);
        while let Some(name) = members.next_key_seed(self)? {
            let value = members.next_value_seed(self)?;
            dict.set_item(name, value).map_err(A::Error::custom)?;
        }
        Ok(dict.into_any())
    }
}
