//! What is nearest to each row of one input among the rows of the other.
//!
//! *State*: the index and the columns of the items, on every worker; of queries that may be removed the
//! answers given, and of those whose answers follow the items the queries too, by the query's id. Nothing
//! of queries that are answered once and never removed. *Cost*: a search per query; per item that comes a
//! distance to each query that follows, per item that leaves a search for those that had it in their
//! answer. *Changes*: at the end of a time the items change first, then queries are answered; what is
//! emitted is the net difference.

mod answers;
mod queries;
mod vectors;

use std::ops::Range;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, LargeStringArray};
use pathway_index::{ExactIndex, FilterError, Index, Match, Metadata, Query};
use pathway_plan::Search as How;
use pathway_types::key::SHARD_MASK;
use pathway_types::{Batch, CellView, Column, DType, DataError, Diffs, ErrorKind, Key, Keys};

use self::answers::{Answer, Rows};
use self::queries::{Asking, Live, Queries};
use self::vectors::VectorColumn;
use crate::context::{Context, Site};
use crate::kernels::consolidate::{consolidate, removals_first};
use crate::operator::{Emitter, Operator, Progress, State, WrongState};
use crate::store::{KeyMap, KeySet, MultiMap, new_key_map};

/// The inputs by number.
const QUERIES: usize = 0;

/// A search as the operator needs it.
#[derive(Clone, Debug)]
pub struct SearchSpec {
    /// How.
    pub how: How,
    /// Dtypes of the queries' columns: the vector, the number, and the filter if there is one.
    pub queries: Vec<DType>,
    /// Dtypes of the items' columns: the vector, the metadata if there are filters, the columns of answers.
    pub items: Vec<DType>,
    /// Dtypes of the result's columns.
    pub outputs: Vec<DType>,
    /// Queries are never removed.
    pub queries_stay: bool,
}

/// The operator.
pub struct Search {
    spec: SearchSpec,
    index: Box<dyn Index>,
    /// The columns of answers, under the items' ids.
    cells: MultiMap,
    metadata: KeyMap<Metadata>,
    /// Queries whose answers follow the items.
    following: Queries,
    /// What was emitted, under the queries' ids, where it may have to be taken back.
    shown: MultiMap,
    batches: [Vec<Batch>; 2],
    context: Context,
    site: Site,
}

/// The items that came and left at a time.
#[derive(Default)]
struct Changed {
    added: Vec<u128>,
    removed: KeySet,
}

impl Search {
    /// An operator for the spec.
    pub fn new(spec: SearchSpec, context: Context, site: Site) -> Self {
        let first = 1 + usize::from(spec.how.filtered);
        Search {
            index: Box::new(ExactIndex::new(spec.how.metric, spec.how.dimensions)),
            cells: MultiMap::new(spec.items[first..].to_vec()),
            metadata: new_key_map(),
            following: Queries::new(spec.how.dimensions),
            shown: MultiMap::new(spec.outputs.clone()),
            batches: [Vec::new(), Vec::new()],
            spec,
            context,
            site,
        }
    }

    /// Where the columns of answers begin among those of the items.
    fn first_cell(&self) -> usize {
        1 + usize::from(self.spec.how.filtered)
    }

    fn report(&self, kind: ErrorKind, message: String) {
        self.context.data_error(&self.site, &DataError::new(kind, message));
    }

    /// The net changes of an input at the open time.
    fn net(&mut self, input: usize) -> (Batch, Batch) {
        let dtypes = if input == QUERIES { &self.spec.queries } else { &self.spec.items };
        removals_first(consolidate(Batch::concat(&std::mem::take(&mut self.batches[input])), dtypes))
    }

    /// Brings the index up to date.
    fn change_items(&mut self) -> Changed {
        let (removals, additions) = self.net(1 - QUERIES);
        let mut changed = Changed::default();
        let cells: Vec<usize> = (self.first_cell()..self.spec.items.len()).collect();
        let known = |row: &u32| self.index.remove(removals.keys.as_slice()[*row as usize]);
        let rows: Vec<u32> = (0..removals.len() as u32).filter(known).collect();
        if !rows.is_empty() {
            let removals = removals.take(&rows).project(&cells);
            for key in removals.keys.as_slice() {
                self.metadata.remove(key);
                changed.removed.insert(*key);
            }
            self.cells.apply(&removals.keys, &removals);
        }
        let rows = self.add_items(&additions);
        if !rows.is_empty() {
            let additions = additions.take(&rows).project(&cells);
            changed.added = additions.keys.as_slice().to_vec();
            self.cells.apply(&additions.keys, &additions);
        }
        changed
    }

    /// Adds items to the index; the rows of those that could be.
    fn add_items(&mut self, items: &Batch) -> Vec<u32> {
        let mut rows = Vec::new();
        let Some(vectors) = items.columns.first() else { return rows };
        let vectors = VectorColumn::new(vectors, &self.spec.items[0], self.spec.how.dimensions);
        let filtered = self.spec.how.filtered;
        let metadata = filtered.then(|| CellView::new(&items.columns[1], &self.spec.items[1]));
        let mut vector = Vec::new();
        for (row, key) in items.keys.as_slice().iter().enumerate() {
            vector.clear();
            let mut fits = vectors.read(row, &mut vector);
            if metadata.as_ref().is_some_and(|metadata| metadata.is_error(row)) {
                fits = fits.and(Err("the metadata is an error value".to_owned()));
            }
            if !self.cells.get(*key).is_empty() && self.index.contains(*key) {
                fits = Err("an item with that id is there already".to_owned());
            }
            if let Err(reason) = fits {
                self.report(ErrorKind::Value, format!("item {} is not indexed: {reason}", Key(*key)));
                continue;
            }
            self.index.add(*key, &vector);
            if filtered {
                let texts = items.columns[1].array().as_string::<i64>();
                let text = if texts.is_null(row) { "null" } else { texts.value(row) };
                self.metadata.insert(*key, Metadata::new(text));
            }
            rows.push(row as u32);
        }
        rows
    }

    /// The queries of added rows; those with which something is wrong are reported.
    fn read_queries(&self, added: &Batch) -> Vec<Asking> {
        let Some(vectors) = added.columns.first() else { return Vec::new() };
        let dtypes = &self.spec.queries;
        let vectors = VectorColumn::new(vectors, &dtypes[0], self.spec.how.dimensions);
        let limits = CellView::new(&added.columns[1], &dtypes[1]);
        let filters = added.columns.get(2).map(|column| CellView::new(column, &dtypes[2]));
        let one = |(row, key): (usize, &u128)| {
            let query = queries::read(&vectors, &limits, filters.as_ref(), row);
            let live = query.map_err(|reason| {
                self.report(ErrorKind::Value, format!("query {} has no answer: {reason}", Key(*key)));
            });
            Asking { key: *key, live: live.ok() }
        };
        added.keys.as_slice().iter().enumerate().map(one).collect()
    }

    /// Answers queries; a query whose filter fails has its error.
    fn search(&self, queries: &[&Live]) -> Vec<Result<Vec<Match>, FilterError>> {
        let asked: Vec<Query<'_>> = queries
            .iter()
            .enumerate()
            .map(|(number, live)| Query {
                vector: &live.vector,
                limit: live.limit,
                number,
                filtered: live.filter.is_some(),
            })
            .collect();
        self.index.search(&asked, &mut |number, key| queries[number].accepts(self.metadata.get(&key)))
    }

    /// Notes the answer of a query, and says of a filter that fails.
    fn note(&self, key: u128, live: &mut Live, answer: Result<Vec<Match>, FilterError>) {
        let failed = answer.as_ref().err().cloned();
        if failed != live.failed
            && let Some(error) = &failed
        {
            let message = format!("query {}: {error}", Key(key));
            match self.spec.how.lenient {
                true => self.context.message(true, &message),
                false => self.report(ErrorKind::Value, message),
            }
        }
        live.failed = failed;
        live.stale = false;
        live.answer = answer.unwrap_or_default();
    }

    /// Brings the answers of queries that follow the items up to date; the queries with other answers.
    fn follow(&mut self, changed: &Changed) -> Vec<u32> {
        let mut queries = std::mem::take(&mut self.following);
        let (mut other, mut dirty) = (Vec::new(), Vec::new());
        let nothing = changed.added.is_empty() && changed.removed.is_empty();
        let mut distances = Vec::new();
        for (slot, live) in queries.iter_mut() {
            if live.stale {
                dirty.push(slot);
            } else if !nothing {
                match self.merge(live, changed, &mut distances) {
                    Some(true) => other.push(slot),
                    Some(false) => {}
                    None => dirty.push(slot),
                }
            }
        }
        let asked: Vec<&Live> = dirty.iter().map(|slot| queries.get(*slot).1).collect();
        let answers = self.search(&asked);
        for (slot, answer) in dirty.iter().zip(answers) {
            let (key, live) = queries.get_mut(*slot);
            self.note(key, live, answer);
        }
        self.following = queries;
        other.extend(dirty);
        other
    }

    /// Takes new items into an answer: true if it has become another one; `None` if it takes a search.
    fn merge(&self, live: &mut Live, changed: &Changed, distances: &mut Vec<f64>) -> Option<bool> {
        if live.failed.is_some() || live.answer.iter().any(|found| changed.removed.contains(&found.key)) {
            return None;
        }
        distances.clear();
        if !self.index.distances(&live.vector, &changed.added, distances) {
            return None;
        }
        let offered = changed.added.iter().zip(&*distances);
        let offered = offered.map(|(key, distance)| Match { key: *key, distance: *distance });
        let farthest = live.answer.get(live.limit.wrapping_sub(1)).copied();
        let is_near = |found: &Match| farthest.is_none_or(|farthest| *found < farthest);
        let mut offered: Vec<Match> = offered.filter(|found| live.limit > 0 && is_near(found)).collect();
        offered.sort_unstable();
        let mut other = false;
        for found in offered {
            let full = live.answer.len() == live.limit;
            if full && live.answer.last().is_some_and(|last| found > *last) {
                break;
            }
            if live.accepts(self.metadata.get(&found.key)).ok()? {
                let place = live.answer.partition_point(|kept| *kept < found);
                live.answer.insert(place, found);
                live.answer.truncate(live.limit);
                other = true;
            }
        }
        Some(other)
    }

    /// Answers new queries; of those that follow, the queries are kept.
    fn answer(&mut self, mut asking: Vec<Asking>) -> (Keys, Batch) {
        let lives: Vec<&Live> = asking.iter().filter_map(|asking| asking.live.as_ref()).collect();
        let mut answers = self.search(&lives).into_iter();
        for Asking { key, live } in &mut asking {
            if let Some(live) = live
                && let Some(answer) = answers.next()
            {
                self.note(*key, live, answer);
            }
        }
        let rows = self.rows(asking.iter().map(|asking| (asking.key, asking.live.as_ref())));
        if !self.spec.how.as_of_now {
            for Asking { key, live } in asking {
                if let Some(live) = live {
                    self.following.insert(key, live);
                }
            }
        }
        rows
    }

    /// The rows that say what the answers are, with the query of each.
    fn rows<'a>(&'a self, queries: impl Iterator<Item = (u128, Option<&'a Live>)>) -> (Keys, Batch) {
        let lenient = self.spec.how.lenient;
        let answer = |live: &'a Live| (live.failed.is_none() || lenient).then_some(&*live.answer);
        let answers: Vec<(u128, Answer<'_>)> =
            queries.map(|(key, live)| (key, live.and_then(answer))).collect();
        let rows = Rows {
            cells: &self.cells,
            dtypes: &self.spec.items[self.first_cell()..],
            outputs: &self.spec.outputs,
        };
        if self.spec.how.collapsed { rows.collapsed(&answers) } else { rows.flat(&answers) }
    }

    /// What is shown of these queries, as removals.
    fn take_back(&mut self, queries: impl Iterator<Item = u128>) -> Batch {
        let (mut keys, mut places) = (Vec::new(), Vec::new());
        for query in queries {
            let entries = self.shown.get(query);
            places.extend(entries.iter().map(|entry| entry.row));
            keys.extend(entries.iter().map(|_| query));
        }
        let width = self.spec.outputs.len();
        let Some(rows) = self.shown.rows().gather_batch(&places, 0..width) else { return Batch::default() };
        let rows = rows.negate();
        self.shown.apply(&Keys::from(keys), &rows);
        rows
    }

    fn show(&mut self, (queries, rows): (Keys, Batch)) -> Batch {
        if !(self.spec.how.as_of_now && self.spec.queries_stay) {
            self.shown.apply(&queries, &rows);
        }
        rows
    }

    fn is_shown(&self, query: u128) -> bool {
        !self.shown.get(query).is_empty()
    }
}

impl Operator for Search {
    fn apply(&mut self, input: usize, batch: Batch, _progress: &Progress, _out: &mut Emitter) {
        self.batches[input].push(batch);
    }

    fn flush(&mut self, _progress: &Progress, out: &mut Emitter) {
        let changed = self.change_items();
        let (removed, added) = self.net(QUERIES);
        let removed = removed.keys.as_slice();
        for query in removed {
            if !self.is_shown(*query) {
                self.report(ErrorKind::Key, format!("query {} is removed but not there", Key(*query)));
            }
            self.following.remove(*query);
        }
        let mut old = vec![self.take_back(removed.iter().copied())];
        let twice = |key: &u128| self.is_shown(*key);
        if added.keys.as_slice().iter().any(twice) {
            let twice: Vec<u128> = added.keys.as_slice().iter().copied().filter(twice).collect();
            for query in twice {
                let message =
                    format!("query {} is there twice: ids of queries have to be unique", Key(query));
                self.report(ErrorKind::Key, message);
                self.following.remove(query);
                old.push(self.take_back(std::iter::once(query)));
            }
        }
        let other = self.follow(&changed);
        let other: Vec<u128> = other.into_iter().map(|slot| self.following.get(slot).0).collect();
        old.push(self.take_back(other.iter().copied()));
        let other = self.rows(other.iter().map(|query| (*query, self.following.find(*query))));
        let mut new = vec![self.show(other)];
        let answered = self.answer(self.read_queries(&added));
        new.push(self.show(answered));
        old.retain(|batch| !batch.is_empty());
        new.retain(|batch| !batch.is_empty());
        if old.is_empty() {
            new.into_iter().for_each(|batch| out.emit(batch));
        } else {
            old.extend(new);
            let (removals, additions) = removals_first(consolidate(Batch::concat(&old), &self.spec.outputs));
            out.emit(removals);
            out.emit(additions);
        }
        self.cells.tidy();
        self.shown.tidy();
    }

    fn wants(&self, _input: usize, _progress: &Progress) -> bool {
        true
    }

    fn memory(&self) -> usize {
        let vectors = self.index.len() * self.index.dimensions() * size_of::<f64>();
        let answers = self.cells.memory() + self.shown.memory();
        vectors + answers + self.metadata.allocation_size()
    }

    fn save(&mut self, shards: Range<u32>) -> Result<State, DataError> {
        let in_shards = |key: u128| shards.contains(&((key & SHARD_MASK) as u32));
        let tables = vec![("queries", self.following.save(in_shards)), ("shown", self.shown.save(&shards))];
        Ok(State { tables, common: vec![("items", self.save_items())] })
    }

    fn load(&mut self, state: State) -> Result<(), WrongState> {
        for (name, table) in state.tables {
            match name {
                "queries" => self.following.load(&table).map_err(WrongState)?,
                "shown" => self.shown.load(table)?,
                other => return Err(WrongState(format!("a search has no table {other}"))),
            }
        }
        state.common.into_iter().try_for_each(|(_, items)| self.load_items(items))
    }
}

impl Search {
    /// Vectors, metadata, and the columns of answers.
    fn save_items(&self) -> Batch {
        let (mut keys, mut places, mut vectors) = (Vec::new(), Vec::new(), Vec::new());
        for (key, entries) in self.cells.iter() {
            if self.index.read(key, &mut vectors) {
                keys.push(key);
                places.extend(entries.first().map(|entry| entry.row));
            }
        }
        let texts: LargeStringArray =
            keys.iter().map(|key| self.metadata.get(key).map(Metadata::text)).collect();
        let width = self.spec.items.len() - self.first_cell();
        let cells = self.cells.rows().gather_batch(&places, 0..width);
        let mut columns = vec![
            vectors::to_column(vectors, self.spec.how.dimensions, keys.len()),
            Column::new(Arc::new(texts)),
        ];
        columns.extend(match cells {
            Some(cells) => cells.columns,
            None => Batch::empty(&self.spec.items[self.first_cell()..]).columns,
        });
        let rows = keys.len();
        Batch::new(keys.into(), columns, Diffs::Ones(rows))
    }

    /// Takes up items; those that another worker has saved too are known already.
    fn load_items(&mut self, items: Batch) -> Result<(), WrongState> {
        let width = self.spec.items.len() - self.first_cell() + 2;
        if items.columns.len() != width {
            return Err(WrongState(format!("{} columns instead of {width}", items.columns.len())));
        }
        let dtype = DType::list(DType::Float);
        let vectors = VectorColumn::new(&items.columns[0], &dtype, self.spec.how.dimensions);
        let texts = items.columns[1].array().as_string::<i64>();
        let (mut rows, mut vector) = (Vec::new(), Vec::new());
        for (row, key) in
            items.keys.as_slice().iter().enumerate().filter(|(_, key)| !self.index.contains(**key))
        {
            vector.clear();
            vectors.read(row, &mut vector).map_err(WrongState)?;
            rows.push((row as u32, *key, vector.clone()));
        }
        for (row, key, vector) in &rows {
            self.index.add(*key, vector);
            if texts.is_valid(*row as usize) {
                self.metadata.insert(*key, Metadata::new(texts.value(*row as usize)));
            }
        }
        let cells: Vec<usize> = (2..width).collect();
        let cells = items.take(&rows.iter().map(|(row, ..)| *row).collect::<Vec<_>>()).project(&cells);
        self.cells.apply(&cells.keys, &cells);
        Ok(())
    }
}
