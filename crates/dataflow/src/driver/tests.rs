//! Times at which operators emit and are called, other than those of their input.

use std::ops::Range;
use std::sync::{Arc, Mutex};

use pathway_types::{Batch, DataError, Timestamp};

use super::{Edge, drive};
use crate::context::{Context, Monitor, Report};
use crate::input::static_table;
use crate::operator::{END_OF_INPUT, Emitter, Keyed, Operator, Progress, State, WrongState};
use crate::route::Route;
use crate::spill::Budget;
use crate::timely::{Config, execute};

struct Silent;

impl Monitor for Silent {
    fn report(&self, _report: Report<'_>) {}
}

fn batch(keys: &[u128]) -> Batch {
    Batch::new(keys.to_vec().into(), vec![], vec![1; keys.len()].into())
}

/// Passes rows on at the next odd time and the first key of each time at the end of the input; notes
/// the times at which it is flushed.
struct Delay {
    kept: Vec<u128>,
    flushed: Arc<Mutex<Vec<Timestamp>>>,
}

impl Operator for Delay {
    fn start(&mut self, out: &mut Emitter) {
        out.wake_at(3);
    }
    fn apply(&mut self, _input: usize, batch: Batch, progress: &Progress, out: &mut Emitter) {
        self.kept.push(batch.keys.as_slice()[0]);
        out.emit_at(progress.time + 1, batch);
        out.wake_at(END_OF_INPUT);
    }
    fn flush(&mut self, progress: &Progress, out: &mut Emitter) {
        self.flushed.lock().unwrap().push(progress.time);
        if progress.time == END_OF_INPUT {
            out.emit(batch(&self.kept));
        }
    }
    fn wants(&self, _input: usize, _progress: &Progress) -> bool {
        true
    }
    fn save(&mut self, _shards: Range<u32>) -> Result<State, DataError> {
        Ok(State::default())
    }
    fn load(&mut self, _state: State) -> Result<(), WrongState> {
        Ok(())
    }
}

/// The times and keys that come.
type Seen = Arc<Mutex<Vec<(Timestamp, u128)>>>;

struct Collect(Seen);

impl Operator for Collect {
    fn apply(&mut self, _input: usize, batch: Batch, progress: &Progress, _out: &mut Emitter) {
        self.0.lock().unwrap().extend(batch.keys.as_slice().iter().map(|key| (progress.time, *key)));
    }
    fn flush(&mut self, _progress: &Progress, _out: &mut Emitter) {}
    fn wants(&self, _input: usize, _progress: &Progress) -> bool {
        true
    }
    fn save(&mut self, _shards: Range<u32>) -> Result<State, DataError> {
        Ok(State::default())
    }
    fn load(&mut self, _state: State) -> Result<(), WrongState> {
        Ok(())
    }
}

/// What comes out of so many delays one after another, and when the last of them is flushed.
fn run(delays: usize, route: Route, workers: usize) -> (Vec<(Timestamp, u128)>, Vec<Timestamp>) {
    let (seen, flushed) = (Seen::default(), Arc::new(Mutex::new(Vec::new())));
    let (collect, notes) = (seen.clone(), flushed.clone());
    let guards = execute(Config::process(workers), move |worker| {
        let context = Context::new(false, 1024, Arc::new(Silent));
        worker.dataflow::<Timestamp, _, _>(|scope| {
            let rows = Arc::new(vec![(2, batch(&[1, 2])), (4, batch(&[3]))]);
            let mut edge: Edge<'_> = static_table(scope, "rows", rows, None, &context);
            for number in 1..=delays {
                let flushed = if number == delays { notes.clone() } else { Arc::default() };
                let delay = Delay { kept: vec![], flushed };
                edge = drive(scope, "delay", vec![(edge, Route::Worker(0))], context.clone(), None, delay);
            }
            drive(scope, "collect", vec![(edge, route)], context, None, Collect(collect.clone()));
        });
    });
    drop(guards.unwrap());
    let mut seen = seen.lock().unwrap().clone();
    seen.sort_unstable();
    let flushed = flushed.lock().unwrap().clone();
    (seen, flushed)
}

#[test]
fn operators_emit_and_are_called_at_times_they_ask_for() {
    let (seen, flushed) = run(1, Route::Local, 1);
    assert_eq!(seen, [(3, 1), (3, 2), (5, 3), (END_OF_INPUT, 1), (END_OF_INPUT, 3)]);
    assert_eq!(flushed, [2, 3, 4, END_OF_INPUT]);
}

#[test]
fn the_end_of_the_input_comes_after_all_that_is_emitted_at_it() {
    let (seen, flushed) = run(2, Route::Local, 1);
    let last = END_OF_INPUT + 1;
    assert_eq!(
        seen,
        [
            (4, 1),
            (4, 2),
            (6, 3),
            (END_OF_INPUT, 1),
            (END_OF_INPUT, 1),
            (END_OF_INPUT, 3),
            (last, 1),
            (last, 3)
        ]
    );
    assert_eq!(flushed, [3, 5, END_OF_INPUT]);
}

#[test]
fn all_workers_get_what_goes_to_all() {
    let (seen, _) = run(1, Route::All, 3);
    assert_eq!(seen.iter().filter(|(time, _)| *time == 3).count(), 6);
    assert_eq!(seen.len(), 18);
}

/// Who has worked, in turn: how many keys an operator has passed on with a flush, and how many the next one has got.
type Turns = Arc<Mutex<Vec<(&'static str, usize)>>>;

/// Passes rows on when it is flushed. It has no state: all keys are new at each time.
struct Passing {
    held: Vec<Batch>,
    turns: Turns,
}

impl Operator for Passing {
    fn apply(&mut self, _input: usize, batch: Batch, _progress: &Progress, _out: &mut Emitter) {
        self.held.push(batch);
    }
    fn flush(&mut self, _progress: &Progress, out: &mut Emitter) {
        let rows = self.held.iter().map(Batch::len).sum();
        self.turns.lock().unwrap().push(("passes", rows));
        self.held.drain(..).for_each(|batch| out.emit(batch));
    }
    fn wants(&self, _input: usize, _progress: &Progress) -> bool {
        true
    }
    fn save(&mut self, _shards: Range<u32>) -> Result<State, DataError> {
        Ok(State::default())
    }
    fn load(&mut self, _state: State) -> Result<(), WrongState> {
        Ok(())
    }
    fn keyed(&mut self) -> Option<&mut dyn Keyed> {
        Some(self)
    }
}

impl Keyed for Passing {
    fn holds(&self, _key: u128) -> bool {
        false
    }
    fn clear(&mut self) {}
    fn at_once(&self) -> bool {
        true
    }
}

struct Taking(Turns);

impl Operator for Taking {
    fn apply(&mut self, _input: usize, batch: Batch, _progress: &Progress, _out: &mut Emitter) {
        self.0.lock().unwrap().push(("takes", batch.len()));
    }
    fn flush(&mut self, _progress: &Progress, _out: &mut Emitter) {
        self.0.lock().unwrap().push(("is flushed", 0));
    }
    fn wants(&self, _input: usize, _progress: &Progress) -> bool {
        true
    }
    fn save(&mut self, _shards: Range<u32>) -> Result<State, DataError> {
        Ok(State::default())
    }
    fn load(&mut self, _state: State) -> Result<(), WrongState> {
        Ok(())
    }
}

/// What a time gives is not all there before the next operator takes the first of it.
#[test]
fn others_work_between_the_groups_of_a_large_time() {
    let folder = tempfile::tempdir().unwrap();
    let turns = Turns::default();
    let (notes, path) = (turns.clone(), folder.path().to_owned());
    let guards = execute(Config::process(1), move |worker| {
        let context = Context::new(false, 1024, Arc::new(Silent));
        context.limit_memory(Budget::of_process(100_000, &path));
        worker.dataflow::<Timestamp, _, _>(|scope| {
            let keys: Vec<u128> = (0..100_000).map(|key| key << 100).collect();
            let rows = Arc::new(vec![(2, batch(&keys)), (4, batch(&keys[..10]))]);
            let rows: Edge<'_> = static_table(scope, "rows", rows, None, &context);
            let passing = Passing { held: vec![], turns: notes.clone() };
            let passed = drive(scope, "pass", vec![(rows, Route::Key)], context.clone(), None, passing);
            drive(scope, "take", vec![(passed, Route::Local)], context, None, Taking(notes.clone()));
        });
    });
    drop(guards.unwrap());
    let turns = turns.lock().unwrap().clone();
    let all =
        |who: &str| turns.iter().filter(|(by, _)| *by == who).map(|(_, rows)| *rows).collect::<Vec<_>>();
    assert_eq!(all("passes").iter().sum::<usize>(), 100_010);
    assert_eq!(all("takes").iter().sum::<usize>(), 100_010);
    // The taking operator is told of each time once.
    assert_eq!(all("is flushed").len(), 2);
    let mut waiting = 0;
    for (who, rows) in &turns {
        match *who {
            "passes" => waiting += rows,
            "takes" => waiting -= rows,
            // Those of the next time may be there.
            _ => assert!(waiting <= 10),
        }
        assert!(waiting < 50_000, "{waiting} rows wait for their reader: {turns:?}");
    }
}
