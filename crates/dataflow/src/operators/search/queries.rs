//! Queries: what they ask, and what they were answered.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, Int64Array, LargeStringArray};
use pathway_index::{Filter, FilterError, Match, Metadata};
use pathway_types::{Batch, CellView, Column, DType, Diffs, Value};

use super::vectors::{self, VectorColumn};
use crate::store::{KeyMap, new_key_map};

/// A filter, or why there is none, with its text.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    text: Box<str>,
    filter: Result<Filter, FilterError>,
}

/// A query with its answer.
#[derive(Clone, Debug)]
pub(super) struct Live {
    pub(super) vector: Box<[f64]>,
    pub(super) limit: usize,
    pub(super) filter: Option<Asked>,
    pub(super) answer: Vec<Match>,
    /// Why the filter has no answer.
    pub(super) failed: Option<FilterError>,
    /// The answer has to be looked for.
    pub(super) stale: bool,
}

/// A query that has come; without what it asks if something is wrong with it.
pub(super) struct Asking {
    pub(super) key: u128,
    pub(super) live: Option<Live>,
}

impl Live {
    fn new(vector: Vec<f64>, limit: i64, filter: Option<&str>) -> Result<Self, String> {
        let limit = usize::try_from(limit)
            .map_err(|_| format!("the number of matches is {limit}, which is less than 0"))?;
        let filter = filter.map(|text| Asked { text: Box::from(text), filter: Filter::new(text) });
        let vector = vector.into_boxed_slice();
        Ok(Live { vector, limit, filter, answer: Vec::new(), failed: None, stale: true })
    }

    /// True if an item with this metadata may be in the answer.
    pub(super) fn accepts(&self, metadata: Option<&Metadata>) -> Result<bool, FilterError> {
        match (&self.filter, metadata) {
            (None, _) => Ok(true),
            (Some(asked), Some(metadata)) => asked.filter.as_ref().map_err(Clone::clone)?.accepts(metadata),
            (Some(_), None) => Ok(false),
        }
    }
}

/// Reads a query; if something is wrong with it, says what.
pub(super) fn read(
    vectors: &VectorColumn<'_>,
    limits: &CellView<'_>,
    filters: Option<&CellView<'_>>,
    row: usize,
) -> Result<Live, String> {
    let mut vector = Vec::new();
    vectors.read(row, &mut vector)?;
    let limit = match limits.value(row) {
        Value::Int(limit) => limit,
        Value::Error => return Err("the number of matches is an error value".to_owned()),
        other => return Err(format!("the number of matches is {other}")),
    };
    let filter = match filters.map(|filters| filters.value(row)) {
        None | Some(Value::None) => None,
        Some(Value::Str(text)) => Some(text),
        Some(Value::Error) => return Err("the metadata filter is an error value".to_owned()),
        Some(other) => return Err(format!("the metadata filter is {other}")),
    };
    Live::new(vector, limit, filter.as_deref())
}

/// Queries by id, in dense slots.
#[derive(Default)]
pub(super) struct Queries {
    dimensions: usize,
    lives: Vec<(u128, Live)>,
    slots: KeyMap<u32>,
}

impl Queries {
    pub(super) fn new(dimensions: usize) -> Self {
        Queries { dimensions, lives: Vec::new(), slots: new_key_map() }
    }

    pub(super) fn insert(&mut self, key: u128, live: Live) {
        self.slots.insert(key, self.lives.len() as u32);
        self.lives.push((key, live));
    }

    pub(super) fn remove(&mut self, key: u128) {
        let Some(slot) = self.slots.remove(&key) else { return };
        self.lives.swap_remove(slot as usize);
        if let Some((moved, _)) = self.lives.get(slot as usize) {
            self.slots.insert(*moved, slot);
        }
    }

    pub(super) fn get(&self, slot: u32) -> (u128, &Live) {
        let (key, live) = &self.lives[slot as usize];
        (*key, live)
    }

    pub(super) fn get_mut(&mut self, slot: u32) -> (u128, &mut Live) {
        let (key, live) = &mut self.lives[slot as usize];
        (*key, live)
    }

    pub(super) fn find(&self, key: u128) -> Option<&Live> {
        self.slots.get(&key).map(|slot| self.get(*slot).1)
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (u32, &mut Live)> {
        (0..).zip(self.lives.iter_mut().map(|(_, live)| live))
    }

    /// What the queries of some keys ask.
    pub(super) fn save(&self, wanted: impl Fn(u128) -> bool) -> Batch {
        let lives: Vec<&(u128, Live)> = self.lives.iter().filter(|(key, _)| wanted(*key)).collect();
        let keys: Vec<u128> = lives.iter().map(|(key, _)| *key).collect();
        let numbers = lives.iter().flat_map(|(_, live)| live.vector.iter().copied()).collect();
        let limits: Int64Array = lives.iter().map(|(_, live)| Some(live.limit as i64)).collect();
        let texts: LargeStringArray =
            lives.iter().map(|(_, live)| live.filter.as_ref().map(|asked| &*asked.text)).collect();
        let columns = vec![
            vectors::to_column(numbers, self.dimensions, keys.len()),
            Column::new(Arc::new(limits)),
            Column::new(Arc::new(texts)),
        ];
        let rows = keys.len();
        Batch::new(keys.into(), columns, Diffs::Ones(rows))
    }

    /// Takes up queries given by [`Queries::save`]; their answers have to be looked for.
    pub(super) fn load(&mut self, saved: &Batch) -> Result<(), String> {
        let [vectors, limits, texts] = saved.columns.as_slice() else {
            return Err(format!("{} columns instead of 3", saved.columns.len()));
        };
        let dtype = DType::list(DType::Float);
        let vectors = VectorColumn::new(vectors, &dtype, self.dimensions);
        let limits = limits.array().as_primitive::<Int64Type>();
        let texts = texts.array().as_string::<i64>();
        for (row, key) in saved.keys.as_slice().iter().enumerate() {
            let mut vector = Vec::new();
            vectors.read(row, &mut vector)?;
            let text = texts.is_valid(row).then(|| texts.value(row));
            self.insert(*key, Live::new(vector, limits.value(row), text)?);
        }
        Ok(())
    }
}
