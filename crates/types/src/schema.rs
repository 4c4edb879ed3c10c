//! The named, typed columns of a table or a source.

use crate::{DType, Value};

/// One column: its name, dtype and properties.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// The column's name.
    pub name: Box<str>,
    /// The dtype of its cells.
    pub dtype: DType,
    /// Part of the row key.
    pub primary_key: bool,
    /// Used where a record lacks the field. `Some(Value::None)` is not the same as no default.
    pub default: Option<Value>,
    /// The promise that values of this column are never deleted or changed.
    pub append_only: bool,
}

impl Field {
    /// A plain column.
    pub fn new(name: impl Into<Box<str>>, dtype: DType) -> Self {
        Field { name: name.into(), dtype, primary_key: false, default: None, append_only: false }
    }
    /// The same column as part of the primary key.
    pub fn primary_key(mut self) -> Self {
        self.primary_key = true;
        self
    }
    /// The same column with a default.
    pub fn default_value(mut self, value: Value) -> Self {
        self.default = Some(value);
        self
    }
}

/// The columns of a table in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Schema {
    /// The columns.
    pub fields: Vec<Field>,
}

impl Schema {
    /// A schema of these columns.
    pub fn new(fields: impl IntoIterator<Item = Field>) -> Self {
        Schema { fields: fields.into_iter().collect() }
    }
    /// The position of a column.
    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|f| &*f.name == name)
    }
    /// The names in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|f| &*f.name)
    }
    /// The dtypes in order.
    pub fn dtypes(&self) -> Vec<DType> {
        self.fields.iter().map(|f| f.dtype.clone()).collect()
    }
    /// Positions of the primary-key columns, in schema order.
    pub fn primary_key(&self) -> Vec<usize> {
        (0..self.fields.len()).filter(|i| self.fields[*i].primary_key).collect()
    }
}
