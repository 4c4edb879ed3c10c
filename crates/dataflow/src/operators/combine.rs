//! Operators that put rows of several inputs together by row id: zip, update_rows, update_cells,
//! intersect, difference, restrict.
//!
//! They differ only in a [`Rule`]: what the result of a key is, given which inputs have a row.
//! Ids are to be unique. Where an input has several rows under one id this is reported, and the cells that
//! would come from it are errors until one of the rows goes.
//!
//! *State*: the rows of each input by id (only the columns that can reach the output). *Cost*: one
//! hash lookup per change and input. *Changes*: at the end of a time, the old and the new row of each
//! touched key, where they differ.

use std::ops::Range;

use smallvec::SmallVec;

use pathway_types::{Batch, Column, DType, DataError, Diffs, ErrorKind, Key};

use crate::context::{Context, Site};
use crate::operator::{Emitter, Keyed, Operator, Progress, State, WrongState};
use crate::store::{KeyMap, MultiMap, RowId, new_key_map};

/// Rows per emitted batch.
const EMIT_ROWS: usize = 64 * 1024;

/// What the result of a key is.
#[derive(Clone, Debug)]
pub enum Rule {
    /// All columns of all inputs; there is a row where every input has one.
    Zip,
    /// The row of the last input that has one.
    Update,
    /// The row of input 0, with output column `.0` from column `.1` of input 1 where that has a row.
    UpdateCells(Vec<(usize, usize)>),
    /// The row of input 0 where every input has one.
    Intersect,
    /// The row of input 0 where input 1 has none.
    Difference,
    /// The row of input 0 where input 1 has one; a row of errors if only input 1 has one.
    Restrict {
        /// A row that only input 0 has is reported as well.
        exact: bool,
    },
}

/// Which inputs have a row for a key, and which have several: one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Presence {
    some: u32,
    several: u32,
}

impl Presence {
    /// An input has a row, or several.
    pub(crate) fn add(&mut self, input: usize, several: bool) {
        self.some |= 1 << input;
        self.several |= u32::from(several) << input;
    }
}

/// What an input has for a key, if it has something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    One(RowId),
    Several,
}

/// What each input has for one key.
type Row = SmallVec<[Option<Found>; 2]>;

/// The combining operator.
pub struct Combine {
    rule: Rule,
    inputs: Vec<MultiMap>,
    dtypes: Vec<Vec<DType>>,
    /// Keys touched in the open time and their rows before it.
    touched: KeyMap<Row>,
    context: Context,
    site: Site,
}

/// Where an output column comes from.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Cell {
    From { input: usize, column: usize },
    Error,
}

impl Rule {
    /// The columns of an input that can reach the output.
    pub(crate) fn needed(&self, input: usize, columns: usize) -> Vec<usize> {
        match self {
            Rule::Intersect | Rule::Difference | Rule::Restrict { .. } if input > 0 => vec![],
            _ => (0..columns).collect(),
        }
    }

    /// The output of a key for which these inputs, which have so many columns, have a row: the cells,
    /// or `None` for no row.
    pub(crate) fn cells(&self, widths: &[usize], presence: Presence) -> Option<Vec<Cell>> {
        let has = |input: usize| presence.some & (1 << input) != 0;
        let cell = |input: usize, column: usize| match presence.several & (1 << input) {
            0 => Cell::From { input, column },
            _ => Cell::Error,
        };
        let all =
            |input: usize| -> Vec<Cell> { (0..widths[input]).map(|column| cell(input, column)).collect() };
        match self {
            Rule::Zip => {
                let inputs = 0..widths.len();
                inputs.clone().all(has).then(|| inputs.flat_map(all).collect())
            }
            Rule::Update => (0..widths.len()).rev().find(|input| has(*input)).map(all),
            Rule::UpdateCells(cells) => has(0).then(|| {
                let mut out = all(0);
                if has(1) {
                    cells.iter().for_each(|(to, from)| out[*to] = cell(1, *from));
                }
                out
            }),
            Rule::Intersect => (0..widths.len()).all(has).then(|| all(0)),
            Rule::Difference => (has(0) && !has(1)).then(|| all(0)),
            Rule::Restrict { .. } => match (has(0), has(1)) {
                (true, true) => Some(all(0)),
                (false, true) => Some(vec![Cell::Error; widths[0]]),
                _ => None,
            },
        }
    }

    /// What is wrong if the inputs have rows like this for a key.
    pub(crate) fn complaint(&self, key: u128, presence: Presence) -> Option<DataError> {
        let message = match (self, presence.some & 1 != 0, presence.some & 2 != 0) {
            (Rule::Restrict { .. }, false, true) => {
                "is in the table whose ids are taken but not in the table that is restricted to them"
            }
            (Rule::Restrict { exact: true }, true, false) => {
                "is in the table but not in the table whose ids it was promised to have"
            }
            (Rule::UpdateCells(_), false, true) => "is to be updated but does not exist",
            _ => return None,
        };
        let kind = if matches!(self, Rule::UpdateCells(_)) { ErrorKind::Engine } else { ErrorKind::Key };
        Some(DataError::new(kind, format!("the row with id {} {message}", Key(key))))
    }

    /// The dtypes of the output.
    pub(crate) fn outputs(&self, inputs: &[Vec<DType>]) -> Vec<DType> {
        match self {
            Rule::Zip => inputs.concat(),
            _ => inputs[0].clone(),
        }
    }
}

/// Several rows of one input have the same id.
pub(crate) fn repeated_id(key: u128) -> DataError {
    let message = format!("several rows have the id {}, but this operation needs unique ids", Key(key));
    DataError::new(ErrorKind::Key, message)
}

impl Combine {
    /// An operator with this rule over inputs with these columns.
    pub fn new(rule: Rule, dtypes: Vec<Vec<DType>>, context: Context, site: Site) -> Self {
        let inputs = dtypes.iter().map(|d| MultiMap::new(d.clone())).collect();
        Combine { rule, inputs, dtypes, touched: new_key_map(), context, site }
    }

    /// What each input has now; several rows under one id are reported.
    fn current(&self, key: u128, report: bool) -> Row {
        let row = |input: &MultiMap| {
            let mut entries = input.get(key).iter().filter(|entry| entry.count > 0);
            let first = entries.next()?;
            if first.count == 1 && entries.next().is_none() {
                return Some(Found::One(first.row));
            }
            if report {
                self.context.data_error(&self.site, &repeated_id(key));
            }
            Some(Found::Several)
        };
        self.inputs.iter().map(row).collect()
    }

    /// Reports combinations that the rule does not expect.
    fn check(&self, key: u128, presence: Presence) {
        if let Some(error) = self.rule.complaint(key, presence) {
            self.context.data_error(&self.site, &error);
        }
    }

    fn emit(&self, cells: &[Cell], rows: &[(u128, Row)], diff: i64, dtypes: &[DType], out: &mut Emitter) {
        for rows in rows.chunks(EMIT_ROWS) {
            let keys: Vec<u128> = rows.iter().map(|(key, _)| *key).collect();
            let columns = cells.iter().zip(dtypes).map(|(cell, dtype)| match cell {
                Cell::Error => Column::all_errors(dtype, rows.len()),
                Cell::From { input, column } => {
                    let place = |row: &Row| match row[*input] {
                        Some(Found::One(place)) => Some(place),
                        _ => None,
                    };
                    let places: Vec<RowId> = rows.iter().filter_map(|(_, row)| place(row)).collect();
                    self.inputs[*input]
                        .rows()
                        .gather(&places, *column)
                        .unwrap_or_else(|| Column::nulls(dtype, 0))
                }
            });
            let columns = columns.collect();
            let diffs = if diff == 1 { Diffs::Ones(rows.len()) } else { vec![diff; rows.len()].into() };
            out.emit(Batch::new(keys.into(), columns, diffs));
        }
    }
}

fn presence(row: &Row) -> Presence {
    let mut presence = Presence::default();
    for (input, found) in row.iter().enumerate() {
        if let Some(found) = found {
            presence.add(input, *found == Found::Several);
        }
    }
    presence
}

impl Operator for Combine {
    fn apply(&mut self, input: usize, batch: Batch, _progress: &Progress, _out: &mut Emitter) {
        for key in batch.keys.as_slice() {
            if !self.touched.contains_key(key) {
                let row = self.current(*key, false);
                self.touched.insert(*key, row);
            }
        }
        self.inputs[input].apply(&batch.keys.clone(), &batch);
    }

    fn flush(&mut self, _progress: &Progress, out: &mut Emitter) {
        let touched = std::mem::take(&mut self.touched);
        let dtypes = self.rule.outputs(&self.dtypes);
        let widths: Vec<usize> = self.dtypes.iter().map(Vec::len).collect();
        // Rows to remove and to add, by which inputs they are made of.
        let mut groups: hashbrown::HashMap<(Presence, bool), Vec<(u128, Row)>> = hashbrown::HashMap::new();
        let mut plans: hashbrown::HashMap<Presence, Option<Vec<Cell>>> = hashbrown::HashMap::new();
        for (key, old) in touched {
            let new = self.current(key, true);
            let (old_presence, new_presence) = (presence(&old), presence(&new));
            self.check(key, new_presence);
            for presence in [old_presence, new_presence] {
                if !plans.contains_key(&presence) {
                    plans.insert(presence, self.rule.cells(&widths, presence));
                }
            }
            let uses = |presence: Presence, input: usize| {
                plans[&presence].as_ref().is_some_and(|cells| {
                    cells.iter().any(|c| matches!(c, Cell::From { input: i, .. } if *i == input))
                })
            };
            let same = plans[&old_presence] == plans[&new_presence]
                && (0..old.len()).all(|i| old[i] == new[i] || !uses(new_presence, i));
            if same {
                continue;
            }
            if plans[&old_presence].is_some() {
                groups.entry((old_presence, false)).or_default().push((key, old));
            }
            if plans[&new_presence].is_some() {
                groups.entry((new_presence, true)).or_default().push((key, new));
            }
        }
        for ((presence, added), rows) in &groups {
            if let Some(cells) = &plans[presence] {
                self.emit(cells, rows, if *added { 1 } else { -1 }, &dtypes, out);
            }
        }
        self.inputs.iter_mut().for_each(MultiMap::tidy);
    }

    fn wants(&self, _input: usize, _progress: &Progress) -> bool {
        true
    }

    fn save(&mut self, shards: Range<u32>) -> Result<State, DataError> {
        let tables = self.inputs.iter().map(|input| ("input", input.save(&shards)));
        Ok(State::of_tables(tables))
    }

    fn load(&mut self, state: State) -> Result<(), WrongState> {
        if state.tables.len() != self.inputs.len() {
            return Err(WrongState(format!(
                "{} inputs instead of {}",
                state.tables.len(),
                self.inputs.len()
            )));
        }
        for (input, (_, table)) in self.inputs.iter_mut().zip(state.tables) {
            input.load(table)?;
        }
        Ok(())
    }

    fn memory(&self) -> usize {
        self.inputs.iter().map(MultiMap::memory).sum::<usize>() + self.touched.allocation_size()
    }

    fn keyed(&mut self) -> Option<&mut dyn Keyed> {
        Some(self)
    }
}

impl Keyed for Combine {
    fn holds(&self, key: u128) -> bool {
        self.touched.contains_key(&key) || self.inputs.iter().any(|input| input.holds(key))
    }

    fn clear(&mut self) {
        self.inputs.iter_mut().for_each(MultiMap::clear);
        self.touched = new_key_map();
    }
}
