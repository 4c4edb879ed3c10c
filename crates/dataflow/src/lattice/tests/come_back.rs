//! A run that is stopped and goes on in another one is as one run.

use pathway_types::{Batch, DType, Timestamp};
use proptest::prelude::*;

use std::sync::Arc;

use super::harness::{Bag, Output, SETUPS, Setup, Table, bag, batch, run};
use super::loops::{Weighted, edges, least_values, starts, value_dtypes};
use crate::driver::{SHARDS, drive};
use crate::keep::{Journal, Keeper, Kept, KeptNotes, KeptPart, KeptState, Place};
use crate::lattice::come_back::{Entering, Leaving};
use crate::operator::{Emitter, Operator, Progress, State};
use crate::route::Route;

/// What is saved after these changes by so many workers, each for its keys.
fn saved(table: &Table, until: Timestamp, workers: usize) -> Vec<State> {
    let mut operator = Entering::new(table.dtypes.clone());
    let (mut out, progress) = (Emitter::default(), Progress::default());
    for (_, changes) in table.steps.iter().filter(|(time, _)| *time <= until) {
        operator.apply(0, batch(&table.dtypes, changes), &progress, &mut out);
        operator.flush(&progress, &mut out);
    }
    let whole = operator.save(0..SHARDS).unwrap();
    let share = |worker: usize| {
        let place = Place { worker, workers };
        State::of_tables(whole.tables.iter().map(|(name, rows)| (*name, place.share(rows, Route::Key))))
    };
    (0..workers).map(share).collect()
}

/// Nobody wants to know.
struct Deaf;

impl Journal for Deaf {
    fn note(&mut self, _time: Timestamp, _input: usize, _batch: &Batch) {}
    fn reached(&mut self, _frontier: Timestamp) -> bool {
        false
    }
    fn state(&mut self, _frontier: Timestamp, _part: State, _is_last: bool) {}
}

/// The results of a loop that has come back, fed with what is later.
fn gone_on(setup: Setup, tables: &[Table], until: Timestamp, saved_by: usize) -> Output {
    let later = |table: &Table| {
        let steps = table.steps.iter().filter(|(time, _)| *time > until).cloned();
        Table { dtypes: table.dtypes.clone(), steps: steps.collect() }
    };
    let kept = |table: &Table| {
        let states: Vec<State> = saved(table, until, saved_by).into_iter().collect();
        let workers = states.len();
        let state = |(worker, state)| {
            let parts = vec![KeptPart::Read(state)];
            KeptState { worker, before: until + 1, parts }
        };
        let states = states.into_iter().enumerate().map(state).collect();
        Arc::new(Kept {
            workers,
            states,
            notes: KeptNotes::Read(Vec::new()),
            until: until + 1,
            known: until + 1,
        })
    };
    let kept: Vec<Arc<Kept>> = tables.iter().map(kept).collect();
    let dtypes: Vec<Vec<DType>> = tables.iter().map(|table| table.dtypes.clone()).collect();
    let later: Vec<Table> = tables.iter().map(later).collect();
    let output = run(setup, &later, &value_dtypes(), move |scope, inputs, context| {
        let inputs = inputs.into_iter().zip(&dtypes).zip(&kept).map(|((edge, dtypes), kept)| {
            let operator = Entering::new(dtypes.clone());
            let keeper = Keeper { journal: Box::new(Deaf), kept: Some(kept.clone()) };
            drive(scope, "enter", vec![(edge, Route::Key)], context.clone(), Some(keeper), operator)
        });
        let results = least_values(scope, inputs.collect(), context, true);
        drive(
            scope,
            "leave",
            vec![(results, Route::Key)],
            context.clone(),
            None,
            Leaving::new(value_dtypes()),
        )
    });
    // What comes back at time 0 is known to those who read it.
    output.into_iter().filter(|(time, _)| *time > 0).collect()
}

fn check_goes_on(switches: &[Vec<Weighted>], until: usize) {
    let tables = [starts([(0, 0), (3, 4)].into_iter()), edges(switches, false)];
    let until = 2 * until as Timestamp;
    let last = 2 * switches.len() as Timestamp;
    let at = |output: &Output, time: Timestamp| -> Bag {
        bag(output.iter().filter(|(t, _)| *t <= time).map(|(_, change)| change.clone()))
    };
    for setup in SETUPS {
        let whole = run(setup, &tables, &value_dtypes(), |scope, inputs, context| {
            least_values(scope, inputs, context, true)
        });
        for saved_by in [1, 3] {
            let rest = gone_on(setup, &tables, until, saved_by);
            assert!(rest.iter().all(|(time, _)| *time > until), "{rest:?}");
            let mut both: Output = whole.iter().filter(|(time, _)| *time <= until).cloned().collect();
            both.extend(rest);
            for time in (0..=last).step_by(2) {
                assert_eq!(at(&both, time), at(&whole, time), "{setup:?}, saved by {saved_by}, at {time}");
            }
        }
    }
}

#[test]
fn a_loop_goes_on() {
    let switches = [
        vec![(0, 1, 1), (1, 2, 1), (3, 4, 2)],
        vec![(2, 3, 1)],
        vec![(1, 2, 1), (0, 2, 5)],
        vec![(0, 2, 5), (4, 5, 1)],
    ];
    (0..switches.len()).for_each(|until| check_goes_on(&switches, until));
}

#[test]
fn what_was_not_saved_by_the_operator_is_refused() {
    let wrong = State::of_tables([("rows", Batch::empty(&[DType::Int]))]);
    assert!(Entering::new(vec![DType::Int]).load(wrong).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn random_loops_go_on(
        switches in prop::collection::vec(prop::collection::vec((0..7u8, 0..7u8, 0..3u8), 0..4), 2..5),
        until in 0..4usize,
    ) {
        check_goes_on(&switches, until.min(switches.len() - 1));
    }
}
