//! The contract of an operator in the outer scope, where time is one integer.
//!
//! An operator sees the changes of one time after another. For each time, [`Operator::apply`] is
//! called with batches in any number and order, as they arrive, and [`Operator::flush`] once when
//! all of them have come. What it emits, in either call, carries that time, unless it says a later one
//! ([`Emitter::emit_at`]); it may ask to be called again at one ([`Emitter::wake_at`]). State is untimed and
//! sharded by key: every key lives on one worker, chosen by its low 16 bits.
//!
//! Within one time a removal may arrive before the insertion it removes, and rows may cancel; an
//! operator must cope with both before `flush`. It knows nothing of persistence: the driver asks it
//! for its state ([`Operator::save`]) and gives it back ([`Operator::load`]).

use std::ops::Range;

use arrow_buffer::BooleanBuffer;
use pathway_types::{Batch, DataError, Timestamp};

/// The time of what is emitted when all inputs have ended.
pub const END_OF_INPUT: Timestamp = Timestamp::MAX - 1;

/// How far each input of an operator is, relative to the open time.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// The open time.
    pub time: Timestamp,
    /// Nothing more comes at the open time.
    pub complete: Vec<bool>,
    /// Everything that comes at the open time has been applied.
    pub applied: Vec<bool>,
    /// Nothing more comes after the open time.
    pub ended: Vec<bool>,
}

/// Collects what an operator emits, and when it wants to be called again.
#[derive(Default)]
pub struct Emitter {
    batches: Vec<Batch>,
    later: Vec<(Timestamp, Batch)>,
    wakes: Vec<Timestamp>,
}

impl Emitter {
    /// Emits a batch at the open time.
    pub fn emit(&mut self, batch: Batch) {
        if !batch.is_empty() {
            self.batches.push(batch);
        }
    }
    /// Emits a batch at a later time than the open one.
    pub fn emit_at(&mut self, time: Timestamp, batch: Batch) {
        if !batch.is_empty() {
            self.later.push((time, batch));
        }
    }
    /// Asks for [`Operator::flush`] to be called at a later time than the open one, even if no change
    /// comes then; with [`END_OF_INPUT`], when the inputs have ended.
    pub fn wake_at(&mut self, time: Timestamp) {
        self.wakes.push(time);
    }
    /// Takes what was emitted for later times.
    pub(crate) fn drain_later(&mut self) -> std::vec::Drain<'_, (Timestamp, Batch)> {
        self.later.drain(..)
    }
    /// Takes the times at which the operator wants to be called.
    pub(crate) fn drain_wakes(&mut self) -> std::vec::Drain<'_, Timestamp> {
        self.wakes.drain(..)
    }
    /// Takes what was emitted.
    pub(crate) fn drain(&mut self) -> std::vec::Drain<'_, Batch> {
        self.batches.drain(..)
    }
    /// What was emitted since it was last taken.
    #[cfg(test)]
    pub(crate) fn take(&mut self) -> Vec<Batch> {
        std::mem::take(&mut self.batches)
    }
}

/// The state of an operator for some shards: named tables of rows.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// Name of the table in the operator, and its rows (keys decide the shard).
    pub tables: Vec<(&'static str, Batch)>,
    /// What every worker knows, whatever its shards: each saves all of it, and each is to load it.
    pub common: Vec<(&'static str, Batch)>,
}

impl State {
    /// A state of tables by shard alone.
    pub fn of_tables(tables: impl IntoIterator<Item = (&'static str, Batch)>) -> State {
        State { tables: tables.into_iter().collect(), common: Vec::new() }
    }

    /// About how many bytes it takes.
    pub fn memory_size(&self) -> usize {
        self.tables.iter().chain(&self.common).map(|(_, rows)| rows.memory_size()).sum()
    }
}

/// The state given to [`Operator::load`] is not one that the operator saved.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the saved state does not belong to this operator: {0}")]
pub struct WrongState(pub String);

impl Operator for Box<dyn Operator> {
    fn start(&mut self, out: &mut Emitter) {
        (**self).start(out);
    }
    fn came_back(&mut self, out: &mut Emitter) {
        (**self).came_back(out);
    }
    fn apply(&mut self, input: usize, batch: Batch, progress: &Progress, out: &mut Emitter) {
        (**self).apply(input, batch, progress, out);
    }
    fn flush(&mut self, progress: &Progress, out: &mut Emitter) {
        (**self).flush(progress, out);
    }
    fn wants(&self, input: usize, progress: &Progress) -> bool {
        (**self).wants(input, progress)
    }
    fn save(&mut self, shards: Range<u32>) -> Result<State, DataError> {
        (**self).save(shards)
    }
    fn load(&mut self, state: State) -> Result<(), WrongState> {
        (**self).load(state)
    }
    fn can_compute_again(&self) -> bool {
        (**self).can_compute_again()
    }
    fn computed(&mut self) -> Option<Batch> {
        (**self).computed()
    }
    fn repeat(&mut self, results: Batch) -> Result<(), WrongState> {
        (**self).repeat(results)
    }
    fn memory(&self) -> usize {
        (**self).memory()
    }
    fn keyed(&mut self) -> Option<&mut dyn Keyed> {
        (**self).keyed()
    }
}

/// A stateful operator.
pub trait Operator: 'static {
    /// Called once before the first change, after state was loaded: what was loaded may want to be
    /// called at later times.
    fn start(&mut self, _out: &mut Emitter) {}

    /// Called once after [`Operator::start`] in a run that goes on with an earlier one, when the state is as it
    /// was: for what has to be emitted once more, at a time of which everybody knows.
    fn came_back(&mut self, _out: &mut Emitter) {}

    /// Takes changes of the open time on one input.
    fn apply(&mut self, input: usize, batch: Batch, progress: &Progress, out: &mut Emitter);

    /// All changes of the open time have been applied: emits the rest of the net difference.
    fn flush(&mut self, progress: &Progress, out: &mut Emitter);

    /// False to have batches of this input held back until the other inputs are further (they are
    /// applied at the latest when all inputs are complete).
    fn wants(&self, input: usize, progress: &Progress) -> bool;

    /// The state of the keys whose shard is in `shards`, consolidated. Called between times.
    ///
    /// # Errors
    /// If user code cannot serialise its part of the state.
    fn save(&mut self, shards: Range<u32>) -> Result<State, DataError>;

    /// Adds saved state. Called before any change is applied.
    ///
    /// # Errors
    /// [`WrongState`] if the tables are not those that [`Operator::save`] gives.
    fn load(&mut self, state: State) -> Result<(), WrongState>;

    /// True if the same changes give the same state. If not, the operator comes back with what it computed
    /// ([`Operator::computed`]) in place of what it was given.
    fn can_compute_again(&self) -> bool {
        true
    }

    /// What was computed for the time that was flushed last, by the keys of its state. Asked for after each
    /// [`Operator::flush`] of a run that keeps state, if it cannot be computed again.
    fn computed(&mut self) -> Option<Batch> {
        None
    }

    /// Changes the state as it was changed when these results were computed.
    ///
    /// # Errors
    /// [`WrongState`] if the operator gives no such results.
    fn repeat(&mut self, _results: Batch) -> Result<(), WrongState> {
        Err(WrongState("it can compute its results again".to_owned()))
    }

    /// About how many bytes its state takes. Asked for often.
    fn memory(&self) -> usize {
        0
    }

    /// The operator as one whose keys have nothing to do with each other, if it is that.
    fn keyed(&mut self) -> Option<&mut dyn Keyed> {
        None
    }
}

/// An operator whose keys, those by which its inputs are routed and its state is kept, have nothing to do with
/// each other: what it emits for a key depends on the changes and the state of that key only, and it never asks to
/// be called. So its keys may be worked off one after another, each with [`Operator::load`],
/// [`Operator::apply`] and [`Operator::flush`], and state may be elsewhere in between.
pub trait Keyed {
    /// True if there is state of the key, or something is known of it in the open time.
    fn holds(&self, key: u128) -> bool;

    /// Forgets all state. Called between times.
    fn clear(&mut self);

    /// True if all changes of a key at one time are to be applied together, whether it is known or not.
    fn at_once(&self) -> bool {
        false
    }

    /// The rows of a batch, if there are any, that concern all keys of their shards; what precedes and follows
    /// them is not to change places with them.
    fn sweeping(&self, _batch: &Batch) -> Option<BooleanBuffer> {
        None
    }
}
