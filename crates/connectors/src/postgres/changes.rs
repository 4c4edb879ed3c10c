//! Changes of one table on their way to a parser thread.

use std::sync::Arc;

use pathway_io::{ParseJob, Parsed};

use super::wal::{Cell, Lsn, Relation, Tuple};
use crate::formats::{Layout, Origin, RowBuilder};

/// What a row becomes.
#[derive(Debug)]
pub(super) enum Change {
    /// It is there, with this id if it has no primary key.
    Set(Tuple, u128),
    /// It is there; cells that were not sent again are those of the old row, or stay what they are.
    Replace(Option<Tuple>, Tuple),
    /// It is gone.
    Remove(Tuple),
}

/// Where the fields of a layout are in the rows of a table.
#[derive(Debug, PartialEq)]
pub(super) struct Mapping {
    /// For each column of the table the fields that it fills.
    fields: Vec<Vec<usize>>,
}

impl Mapping {
    /// The places of the layout's columns; the first that is missing otherwise.
    pub(super) fn new(layout: &Layout, relation: &Relation) -> Result<Self, String> {
        let mut fields = vec![Vec::new(); relation.columns.len()];
        for (place, field) in layout.fields().iter().enumerate() {
            match relation.columns.iter().position(|(name, _)| **name == *field.name) {
                Some(column) => fields[column].push(place),
                None => return Err(field.name.to_string()),
            }
        }
        Ok(Mapping { fields })
    }

    /// The cells of a row by field of the layout.
    fn place<'a>(&self, tuple: &'a Tuple, cells: &mut Vec<Cell<'a>>, fields: usize) {
        cells.clear();
        cells.resize(fields, Cell::Null);
        for (cell, places) in tuple.cells().zip(&self.fields) {
            places.iter().for_each(|place| cells[*place] = cell);
        }
    }

    /// True if a row has another key than before, and cells that were not sent with it and are not known.
    pub(super) fn loses_cells(&self, layout: &Layout, old: &Tuple, new: &Tuple) -> bool {
        let fields = layout.fields().len();
        let (mut before, mut after) = (Vec::new(), Vec::new());
        self.place(old, &mut before, fields);
        self.place(new, &mut after, fields);
        let moved = layout.primary_key().iter().any(|key| before[*key] != after[*key]);
        moved && before.iter().zip(&after).any(|(old, new)| *new == Cell::Unchanged && *old == Cell::Null)
    }
}

/// Consecutive changes.
#[derive(Debug, Default)]
pub(super) struct Changes {
    changes: Vec<(Lsn, Arc<Mapping>, Change)>,
    bytes: usize,
}

impl Changes {
    pub(super) fn len(&self) -> usize {
        self.changes.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn push(&mut self, lsn: Lsn, mapping: &Arc<Mapping>, change: Change) {
        self.bytes += match &change {
            Change::Set(new, _) | Change::Remove(new) => new.len(),
            Change::Replace(old, new) => new.len() + old.as_ref().map_or(0, Tuple::len),
        };
        self.changes.push((lsn, mapping.clone(), change));
    }

    /// The work that makes rows of them.
    pub(super) fn job(self, layout: &Arc<Layout>, origin: &Origin) -> ParseJob {
        let (layout, origin) = (layout.clone(), origin.clone());
        Box::new(move || self.parse(&layout, &origin))
    }

    fn parse(self, layout: &Arc<Layout>, origin: &Origin) -> Parsed {
        let mut rows = RowBuilder::new(layout, origin, 0, self.changes.len(), self.bytes);
        let fields = layout.fields().len();
        let (mut cells, mut old_cells) = (Vec::with_capacity(fields), Vec::with_capacity(fields));
        for (lsn, mapping, change) in &self.changes {
            rows.set_ordinal(lsn.0);
            match change {
                Change::Set(new, id) => {
                    mapping.place(new, &mut cells, fields);
                    fill(&mut rows, &cells);
                    rows.end_row_as(pathway_types::Key(*id));
                }
                Change::Replace(None, new) => {
                    mapping.place(new, &mut cells, fields);
                    fill(&mut rows, &cells);
                    rows.end_row();
                }
                Change::Replace(Some(old), new) => {
                    mapping.place(old, &mut old_cells, fields);
                    mapping.place(new, &mut cells, fields);
                    if layout.primary_key().iter().any(|key| old_cells[*key] != cells[*key]) {
                        remove(&mut rows, layout, &old_cells);
                        rows.set_ordinal(lsn.0);
                    }
                    // Of a key alone the other cells are Null, and then those of the row stay what they are.
                    for (cell, old) in cells.iter_mut().zip(&old_cells) {
                        if *cell == Cell::Unchanged && *old != Cell::Null {
                            *cell = *old;
                        }
                    }
                    fill(&mut rows, &cells);
                    rows.end_row();
                }
                Change::Remove(old) => {
                    mapping.place(old, &mut cells, fields);
                    remove(&mut rows, layout, &cells);
                }
            }
        }
        rows.finish()
    }
}

/// Appends the cells of a row.
fn fill(rows: &mut RowBuilder, cells: &[Cell<'_>]) {
    for (field, cell) in cells.iter().enumerate() {
        let text = match cell {
            Cell::Unchanged => {
                rows.cells[field].push_kept();
                continue;
            }
            Cell::Null => None,
            // The server was told to send UTF-8.
            Cell::Text(text) if std::str::from_utf8(text).is_err() => {
                rows.cells[field].push_error();
                rows.fault(field, "the value is not UTF-8", text);
                continue;
            }
            Cell::Text(text) => Some(*text),
        };
        if let Err(why) = rows.cells[field].push_pg(text) {
            rows.fault(field, why, text.unwrap_or(b"NULL"));
        }
    }
}

/// Appends the removal of a row, of which the key is enough.
fn remove(rows: &mut RowBuilder, layout: &Layout, cells: &[Cell<'_>]) {
    for (field, cell) in cells.iter().enumerate() {
        match cell {
            Cell::Text(text) if layout.primary_key().contains(&field) => {
                if let Err(why) = rows.cells[field].push_pg(Some(text)) {
                    rows.fault(field, why, text);
                }
            }
            _ => rows.cells[field].push_none(),
        }
    }
    rows.end_removal();
}
