//! Python values to the cells and the key of a row.

use std::sync::Arc;

use pathway_connectors::formats::Origin;
use pathway_io::{Rejected as RejectedRecord, Session};
use pathway_types::{ColumnBuilder, DataError, KeyHasher, Schema, Value};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use smallvec::SmallVec;

use crate::value::{Cell, Converter, describe};

/// What a subject sends.
#[derive(Debug)]
pub(super) struct Content {
    /// All its columns.
    pub(super) schema: Schema,
    /// How its changes address rows.
    pub(super) session: Session,
    /// Rows may be removed.
    pub(super) deletions: bool,
    /// How logs call it.
    pub(super) description: String,
    /// Messages are text, not JSON.
    pub(super) is_text: bool,
}

/// One column that is looked at.
#[derive(Debug)]
struct Field {
    name: Py<PyString>,
    converter: Converter,
    default: Option<Value>,
}

/// What the id of a row without an explicit key is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Identity {
    /// The values of the primary key.
    PrimaryKey,
    /// The number of the row.
    Position,
    /// The number of the row, which a removal finds by the row's content.
    Content,
}

/// Turns keyword arguments into rows of the columns that the program uses.
#[derive(Debug)]
pub(super) struct Rows {
    content: Arc<Content>,
    /// The columns to convert, those to hand out first.
    fields: Vec<Field>,
    /// How many of the fields are handed out.
    outputs: usize,
    /// Positions in `fields` of what a key (or a content hash) is made of.
    key: Vec<usize>,
    identity: Identity,
    origin: Origin,
}

/// The cells of one row, or why there is none.
pub(super) type Cells<'a> = SmallVec<[Result<Cell<'a>, DataError>; 8]>;

/// The objects that cells borrow from.
pub(super) type Objects<'py> = SmallVec<[Option<Bound<'py, PyAny>>; 8]>;

impl Rows {
    /// Rows of these columns of the content; `number` tells the sources of a plan apart.
    pub(super) fn new(py: Python<'_>, content: Arc<Content>, columns: &[usize], number: u64) -> Arc<Self> {
        let primary_key = content.schema.primary_key();
        let identity = match (primary_key.is_empty(), content.session, content.deletions) {
            (false, ..) => Identity::PrimaryKey,
            (true, Session::Native, true) => Identity::Content,
            (true, ..) => Identity::Position,
        };
        let needed = match identity {
            Identity::PrimaryKey => primary_key,
            Identity::Content => (0..content.schema.fields.len()).collect(),
            Identity::Position => Vec::new(),
        };
        let mut all = columns.to_vec();
        let mut key = Vec::with_capacity(needed.len());
        for column in needed {
            let known = all.iter().position(|c| *c == column);
            key.push(known.unwrap_or(all.len()));
            if known.is_none() {
                all.push(column);
            }
        }
        let fields = all.iter().map(|column| {
            let field = &content.schema.fields[*column];
            Field {
                name: PyString::intern(py, &field.name).unbind(),
                converter: Converter::new(&field.dtype),
                default: field.default.clone(),
            }
        });
        let fields = fields.collect();
        let seed = [number.to_le_bytes().as_slice(), content.description.as_bytes()].concat();
        let origin = Origin::new(content.description.as_str(), &seed, "row");
        Arc::new(Rows { content, fields, outputs: columns.len(), key, identity, origin })
    }

    pub(super) fn content(&self) -> &Content {
        &self.content
    }
    pub(super) fn identity(&self) -> Identity {
        self.identity
    }
    pub(super) fn origin(&self) -> &Origin {
        &self.origin
    }
    /// Empty builders of the columns that are handed out.
    pub(super) fn builders(&self) -> Vec<ColumnBuilder> {
        self.fields[..self.outputs].iter().map(|f| ColumnBuilder::new(f.converter.dtype(), 0)).collect()
    }
    /// How many columns are handed out.
    pub(super) fn outputs(&self) -> usize {
        self.outputs
    }

    /// The values of the columns, where they were given.
    #[inline]
    pub(super) fn objects<'py>(&self, values: &Bound<'py, PyDict>) -> PyResult<Objects<'py>> {
        let py = values.py();
        self.fields.iter().map(|field| values.get_item(field.name.bind(py))).collect()
    }

    /// The cells of a row. `only_key`: the others are not looked at (and come out as None).
    #[inline]
    pub(super) fn cells<'a>(&self, objects: &'a Objects<'_>, only_key: bool) -> Cells<'a> {
        let cell = |(position, (field, object)): (usize, (&Field, &'a Option<Bound<'_, PyAny>>))| {
            if only_key && !self.key.contains(&position) {
                return Ok(Cell::None);
            }
            match (object, &field.default) {
                (Some(object), _) => field.converter.cell(object).map_err(|rejected| {
                    rejected.in_context(&format!("column {}", self.name(position))).into_data_error()
                }),
                (None, Some(default)) => Ok(Cell::Value(default.clone())),
                (None, None) => Err(DataError::value(format!(
                    "column {}: no value was given, and it has no default",
                    self.name(position)
                ))),
            }
        };
        self.fields.iter().zip(objects).enumerate().map(cell).collect()
    }

    fn name(&self, field: usize) -> String {
        Python::attach(|py| self.fields[field].name.bind(py).to_string())
    }

    /// Hashes what identifies the row (its primary key, or its content).
    ///
    /// # Errors
    /// Why one of these cells is an error.
    #[inline]
    pub(super) fn hash(&self, cells: &Cells<'_>) -> Result<u128, DataError> {
        let mut hasher = KeyHasher::default();
        for position in &self.key {
            let cell = cells[*position].as_ref().map_err(DataError::clone)?;
            cell.hash(&mut hasher)
                .map_err(|_| DataError::value("the value is Error, which identifies no row"))?;
        }
        Ok(hasher.finish().0)
    }

    /// The record of a row, for the dead-letter table.
    pub(super) fn record(&self, values: &Bound<'_, PyDict>, ordinal: u64, reason: String) -> RejectedRecord {
        let raw = describe(values.as_any()).into_bytes();
        RejectedRecord { raw, position: self.origin.position(ordinal), reason }
    }
}
