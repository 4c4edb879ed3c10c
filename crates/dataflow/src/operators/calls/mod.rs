//! Calls of a user function that answers later.
//!
//! Input: the arguments of each row and, if rows have to be consistent with each other, a pointer to
//! their instance; rows of one instance meet on one worker. For each row that came a call is started
//! at the end of its time. Output: *events*, one when the result of a row is to be set or removed,
//! at a time of the wall clock (`drive`), in groups and in the order that `queue` decides. The
//! operator's output does not wait for its input, nor the input for calls.
//!
//! *State*: the changes that wait for answers. *Cost*: a call per row that comes; removals wait for
//! the row's call, and call nothing.
//!
//! | column of an event | content |
//! |---|---|
//! | time: INT | the time of the change that caused it |
//! | status: Optional(STR) | [`SUCCESS`], [`FAILURE`], or None to remove the result |
//! | one per result | the result; None where it failed |

mod drive;
mod inbox;
mod keep;
mod queue;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use arrow_array::Int64Array;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_buffer::BooleanBuffer;
use hashbrown::HashSet;
use pathway_expr::{Answers, Callee, Caller, OnFailure};
use pathway_types::{
    Batch, CellView, Column, ColumnBuilder, DType, DataError, Diffs, Keys, Timestamp, Value,
};

use self::inbox::Inbox;
use self::queue::{Change, Group, Queue, Wants};
use crate::context::{Context, Site};
use crate::kernels::consolidate::consolidate;
use crate::operator::{Emitter, Operator, Progress, State, WrongState};
use crate::store::{KeyMap, new_key_map};

pub use drive::calls;

/// The status of a row whose call succeeded.
pub const SUCCESS: &str = "-SUCCESS-";
/// The status of a row whose call failed, or one that has to be consistent with it.
pub const FAILURE: &str = "-FAILURE-";

/// Starts calls and orders their answers.
pub struct Calls {
    callee: Arc<dyn Callee>,
    caller: Option<Box<dyn Caller>>,
    /// The dtypes of the arguments and, if there are instances, of the pointer to them.
    inputs: Vec<DType>,
    /// How many of the input's columns are arguments.
    arguments: usize,
    /// The dtypes of events.
    events: Vec<DType>,
    queue: Queue,
    inbox: Arc<Inbox>,
    next_call: u64,
    batches: Vec<Batch>,
    context: Context,
    site: Site,
}

impl Calls {
    /// Calls of `callee` with the first `arguments` columns of an input of these dtypes. A further
    /// column, if there is one, points to the instance of the row.
    pub fn new(
        callee: Arc<dyn Callee>,
        caller: Option<Box<dyn Caller>>,
        inputs: Vec<DType>,
        arguments: usize,
        events: Vec<DType>,
        context: Context,
        site: Site,
    ) -> Self {
        Calls {
            callee,
            caller,
            inputs,
            arguments,
            events,
            queue: Queue::new(),
            inbox: Arc::default(),
            next_call: 0,
            batches: Vec::new(),
            context,
            site,
        }
    }

    /// The instance of each row: by default each row is one of its own.
    fn instances(&self, batch: &Batch) -> Keys {
        match batch.columns.get(self.arguments) {
            Some(pointers) => Keys::of_column(pointers),
            None => batch.keys.clone(),
        }
    }

    /// Starts the calls of rows that came at `time` and lets removals wait their turn.
    fn start(&mut self, time: Timestamp, batch: Batch) {
        let batch = Arc::new(batch);
        let instances = self.instances(&batch);
        let ready = Ready::of(&batch, &self.inputs[..self.arguments], &*self.callee);
        let set: HashSet<u128> = (0..batch.len())
            .filter(|row| batch.diffs.get(*row) > 0 && !ready.waits(*row))
            .map(|row| batch.keys.as_slice()[row])
            .collect();
        let mut groups: KeyMap<Vec<Change>> = new_key_map();
        let mut order = Vec::new();
        let mut called = Vec::new();
        let first = self.next_call;
        for row in 0..batch.len() {
            let key = batch.keys.as_slice()[row];
            let wants = if batch.diffs.get(row) < 0 {
                // Rows that are not called have no result to be removed; a new result replaces the old.
                if ready.waits(row) || set.contains(&key) {
                    continue;
                }
                Wants::Removal
            } else if ready.waits(row) {
                continue;
            } else if let Some(value) = ready.known(row) {
                Wants::Answered(vec![value; self.callee.results().len()])
            } else {
                called.push(row as u32);
                Wants::Answer(first + called.len() as u64 - 1)
            };
            let instance = instances.as_slice()[row];
            let group = groups.entry(instance).or_insert_with(|| {
                order.push(instance);
                Vec::new()
            });
            group.push(Change { key, batch: batch.clone(), row: row as u32, wants });
        }
        for instance in order {
            let changes = groups.remove(&instance).unwrap_or_default();
            self.queue.add(instance, time, changes);
        }
        self.next_call += called.len() as u64;
        if let Some(caller) = self.caller.as_mut().filter(|_| !called.is_empty()) {
            let rows = batch.take(&called);
            let arguments: Vec<(Column, DType)> = rows
                .columns
                .into_iter()
                .zip(&self.inputs)
                .take(self.arguments)
                .map(|(c, d)| (c, d.clone()))
                .collect();
            let answers: Arc<dyn Answers> = self.inbox.clone();
            caller.call(first, &arguments, called.len(), &answers);
        }
    }

    /// Takes the answers that have come.
    fn collect(&mut self) {
        for (call, answer) in self.inbox.take() {
            let answer = match (answer, self.callee.on_failure()) {
                (Err(error), OnFailure::Error) => {
                    self.context.data_error(&self.site, &error);
                    Ok(vec![Value::Error; self.callee.results().len()])
                }
                (answer, _) => answer,
            };
            self.queue.answer(call, answer);
        }
    }

    /// The next groups, as events, with the latest time among them and, where that is kept, the rows as they
    /// were saved.
    fn settle(&mut self) -> Option<(Timestamp, Batch, Batch)> {
        let groups = self.queue.settle();
        let latest = groups.iter().map(|group| group.time).max()?;
        let mut rows = Batch::default();
        if self.context.keeps_state() {
            let changes = groups.iter().flat_map(|group| group.changes.iter().map(|c| (group.time, c)));
            let with_instance = changes.map(|(time, change)| (self.instance_of(change), time, change));
            rows = self.saved(with_instance);
        }
        Some((latest, self.events_of(groups), rows))
    }

    /// The instance of a change.
    fn instance_of(&self, change: &Change) -> u128 {
        match change.batch.columns.get(self.arguments) {
            Some(pointers) => Keys::of_column(pointers).as_slice()[change.row as usize],
            None => change.key,
        }
    }

    /// Changes as they are saved: under their instances, with their times and ids as the last columns.
    fn saved<'a>(&self, changes: impl Iterator<Item = (u128, Timestamp, &'a Change)>) -> Batch {
        let mut rows: Vec<Batch> = Vec::new();
        let (mut instances, mut times, mut diffs) = (Vec::new(), Vec::new(), Vec::new());
        for (instance, time, change) in changes {
            rows.push(change.batch.take(&[change.row]));
            instances.push(instance);
            times.push(time as i64);
            diffs.push(if matches!(change.wants, Wants::Removal) { -1 } else { 1 });
        }
        let mut batch = if rows.is_empty() { Batch::empty(&self.inputs) } else { Batch::concat(&rows) };
        batch.columns.push(Column::new(Arc::new(Int64Array::from(times))));
        let ids = std::mem::replace(&mut batch.keys, Keys::from(instances));
        batch.columns.push(ids.to_column());
        batch.diffs = diffs.into();
        batch
    }

    /// Saved changes by their times, under their ids.
    fn by_time(&self, mut saved: Batch) -> Result<BTreeMap<Timestamp, Batch>, WrongState> {
        if saved.columns.len() != self.inputs.len() + 2 {
            return Err(WrongState(format!("{} columns of calls", saved.columns.len())));
        }
        let (ids, times) = (saved.columns.pop(), saved.columns.pop());
        let times = times.as_ref().and_then(|times| times.array().as_primitive_opt::<Int64Type>());
        let (Some(ids), Some(times)) = (ids, times) else {
            return Err(WrongState("calls without times".to_owned()));
        };
        saved.keys = Keys::of_column(&ids);
        let mut rows: BTreeMap<Timestamp, Vec<u32>> = BTreeMap::new();
        for (row, time) in times.values().iter().enumerate() {
            rows.entry(*time as Timestamp).or_default().push(row as u32);
        }
        Ok(rows.into_iter().map(|(time, rows)| (time, saved.take(&rows))).collect())
    }

    fn events_of(&self, groups: Vec<Group>) -> Batch {
        let rows = groups.iter().map(|group| group.changes.len()).sum();
        let mut keys = Vec::with_capacity(rows);
        let mut columns: Vec<ColumnBuilder> =
            self.events.iter().map(|dtype| ColumnBuilder::new(dtype, rows)).collect();
        for group in groups {
            for change in group.changes {
                keys.push(change.key);
                columns[0].push_int(group.time as i64);
                let (status, values) = match change.wants {
                    Wants::Removal => (None, None),
                    Wants::Answered(values) if !group.failed => (Some(SUCCESS), Some(values)),
                    Wants::Answered(_) | Wants::Answer(_) | Wants::Failed => (Some(FAILURE), None),
                };
                match status {
                    Some(status) => columns[1].push_str(status),
                    None => columns[1].push_none(),
                }
                match values {
                    Some(values) => columns[2..].iter_mut().zip(&values).for_each(|(c, v)| c.push(v)),
                    None => columns[2..].iter_mut().for_each(ColumnBuilder::push_none),
                }
            }
        }
        let columns = columns.iter_mut().map(ColumnBuilder::finish).collect();
        Batch::new(keys.into(), columns, Diffs::Ones(rows))
    }

    /// Nothing waits for an answer.
    fn is_idle(&self) -> bool {
        self.queue.is_empty()
    }

    /// No more calls will be made.
    fn close(&mut self) {
        if let Some(Err(error)) = self.caller.take().map(Caller::close) {
            self.context.data_error(&self.site, &error);
        }
    }

    /// Abandons what is under way.
    fn abandon(&mut self) {
        self.caller = None;
    }
}

/// Which rows need a call.
struct Ready {
    pending: Option<BooleanBuffer>,
    errors: Option<BooleanBuffer>,
    nones: Option<BooleanBuffer>,
}

impl Ready {
    fn of(batch: &Batch, dtypes: &[DType], callee: &dyn Callee) -> Self {
        let arguments = &batch.columns[..dtypes.len()];
        let any = |mask: fn(&Column) -> Option<&BooleanBuffer>| {
            let masks = arguments.iter().filter_map(mask).cloned();
            masks.reduce(|a, b| &a | &b)
        };
        let nones = callee.propagates_none().then(|| {
            let views: Vec<CellView<'_>> =
                arguments.iter().zip(dtypes).map(|(c, d)| CellView::new(c, d)).collect();
            (0..batch.len()).map(|row| views.iter().any(|view| view.is_none(row))).collect()
        });
        Ready { pending: any(Column::pending), errors: any(Column::errors), nones }
    }

    /// An argument is still pending: another change will follow.
    fn waits(&self, row: usize) -> bool {
        self.pending.as_ref().is_some_and(|mask| mask.value(row))
    }

    /// The result, where it is known without a call.
    fn known(&self, row: usize) -> Option<Value> {
        let set = |mask: &Option<BooleanBuffer>| mask.as_ref().is_some_and(|mask| mask.value(row));
        match (set(&self.errors), set(&self.nones)) {
            (true, _) => Some(Value::Error),
            (false, true) => Some(Value::None),
            (false, false) => None,
        }
    }
}

impl Operator for Calls {
    fn apply(&mut self, _input: usize, batch: Batch, _progress: &Progress, _out: &mut Emitter) {
        self.batches.push(batch);
    }

    fn flush(&mut self, progress: &Progress, _out: &mut Emitter) {
        let batch = Batch::concat(&std::mem::take(&mut self.batches));
        let batch = consolidate(batch, &self.inputs);
        if !batch.is_empty() {
            self.start(progress.time, batch);
        }
    }

    fn wants(&self, _input: usize, _progress: &Progress) -> bool {
        true
    }

    /// What waits for an answer: it is asked for again after a restart.
    fn save(&mut self, shards: Range<u32>) -> Result<State, DataError> {
        let in_shards = |key: u128| shards.contains(&((key & pathway_types::key::SHARD_MASK) as u32));
        let waiting = self.queue.waiting().filter(|(instance, ..)| in_shards(*instance));
        let batch = self.saved(waiting);
        Ok(State::of_tables([("waiting", batch)]))
    }

    fn load(&mut self, state: State) -> Result<(), WrongState> {
        for (_, saved) in state.tables {
            for (time, batch) in self.by_time(saved)? {
                self.start(time, batch);
            }
        }
        Ok(())
    }

    fn memory(&self) -> usize {
        self.queue.memory()
    }
}

#[cfg(test)]
mod tests;
