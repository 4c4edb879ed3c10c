//! Which columns are parsed, which of them are handed out, and what keys the rows get.

use pathway_types::{Field, Schema};

/// The columns of one reading of a source: those that are asked for, and those of the primary key,
/// which must be parsed even if nobody looks at them.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    fields: Vec<Field>,
    output: Vec<usize>,
    primary_key: Vec<usize>,
}

impl Layout {
    /// These columns of `schema`, in this order, plus whatever its primary key needs.
    pub fn new(schema: &Schema, columns: &[usize]) -> Self {
        let mut fields: Vec<Field> = Vec::new();
        let mut parsed: Vec<usize> = Vec::new();
        let mut place = |column: usize| {
            parsed.iter().position(|c| *c == column).unwrap_or_else(|| {
                parsed.push(column);
                fields.push(schema.fields[column].clone());
                parsed.len() - 1
            })
        };
        let output = columns.iter().map(|column| place(*column)).collect();
        let primary_key = schema.primary_key().into_iter().map(place).collect();
        Layout { fields, output, primary_key }
    }

    /// The columns to parse, those to hand out first.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// Positions in [`Layout::fields`] of the columns to hand out, in order.
    pub fn output(&self) -> &[usize] {
        &self.output
    }

    /// Positions in [`Layout::fields`] of the primary key, in schema order; empty if rows are
    /// identified by their place in the input.
    pub fn primary_key(&self) -> &[usize] {
        &self.primary_key
    }
}
