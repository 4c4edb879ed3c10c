//! What a run has recorded is given once more: in the minibatches and at the times in which it came, or at once.
#![allow(clippy::unwrap_used, clippy::panic, clippy::result_large_err)]

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;

use common::{Bag, Captured, Changes, Input, Random, Silent, batch, cases, history, run_in_processes};
use pathway_dataflow::stats::{Extent, Unit};
use pathway_dataflow::{Context, Failure};
use pathway_io::{
    ConnectorError, FailureClass, Parsed, ReadMode, Reader, Resume, Session, Source, SourceOutput,
};
use pathway_persistence::{Store, latest};
use pathway_plan::col::reducers;
use pathway_plan::program::Program;
use pathway_plan::{Goal, Graph, OutputOptions, Rewrites, SourceOptions, Table as Rows, col};
use pathway_runtime::{Access, InputLogs, Pace, Persistence, Replay, RunOptions, run};
use pathway_types::{Batch, DType, Field, Schema, Timestamp, Value};

use common::Capture;

const DTYPES: [DType; 2] = [DType::Int, DType::Int];

/// Gives minibatches, then ends or fails.
#[derive(Clone, Debug)]
struct Script {
    schema: Schema,
    session: Session,
    minibatches: Vec<Changes>,
    fails: bool,
}

impl Source for Script {
    fn description(&self) -> String {
        "script".into()
    }
    fn schema(&self) -> &Schema {
        &self.schema
    }
    fn session(&self) -> Session {
        self.session
    }
    fn mode(&self) -> ReadMode {
        ReadMode::Streaming
    }
    fn insert_only(&self) -> bool {
        false
    }
    fn project(&self, _columns: &[usize]) -> Arc<dyn Source> {
        panic!("what is recorded has all columns")
    }
    fn open(&self, _: usize, resume: Option<Resume>) -> Result<Vec<Box<dyn Reader>>, ConnectorError> {
        assert!(resume.is_some(), "the source has a name");
        Ok(vec![Box::new(Reading(self.clone()))])
    }
}

struct Reading(Script);

impl Reader for Reading {
    fn run(self: Box<Self>, output: &mut dyn SourceOutput) -> Result<(), ConnectorError> {
        for changes in &self.0.minibatches {
            let parsed = Parsed { batch: batch(&DTYPES, changes), ..Parsed::default() };
            if output.rows(parsed).and_then(|()| output.commit()).is_err() {
                return Ok(());
            }
        }
        if self.0.fails { Err(ConnectorError::new("script", FailureClass::Os, "ends here")) } else { Ok(()) }
    }
}

/// A random history, and the same as records of a source of this kind.
fn script(session: Session, first_key: u128, random: &mut Random) -> Vec<Changes> {
    let row = |random: &mut Random| (0..2).map(|_| Value::Int(random.below(4) as i64)).collect();
    let input = Input { dtypes: DTYPES.to_vec(), keys: 6, row };
    let changes = history(&input, random, 6).into_iter().map(|(_, changes)| changes);
    let moved = changes.map(|changes| -> Changes {
        changes.into_iter().map(|(key, row, diff)| (key + first_key, row, diff)).collect()
    });
    let records = |changes: Changes| -> Changes {
        let sets = |key: u128| changes.iter().any(|(of, _, diff)| *of == key && *diff > 0);
        let is_record = |change: &&(u128, Vec<Value>, i64)| change.2 > 0 || !sets(change.0);
        changes.iter().filter(is_record).cloned().collect()
    };
    moved.map(|changes| if session == Session::Upsert { records(changes) } else { changes }).collect()
}

/// Two sources as they are, and one of them grouped.
struct Flow {
    program: Program,
    captures: Vec<Arc<Capture>>,
}

impl Flow {
    fn new(native: Vec<Changes>, upsert: Vec<Changes>, fails: bool) -> Flow {
        let graph = Graph::new();
        let read = |name: &str, session: Session, minibatches: Vec<Changes>| -> Rows {
            let schema = Schema::new([Field::new("group", DType::Int), Field::new("value", DType::Int)]);
            let source = Script { schema, session, minibatches, fails };
            let options = SourceOptions { name: Some(name.into()), ..SourceOptions::default() };
            graph.source(Arc::new(source), options).unwrap()
        };
        let native = read("native", Session::Native, native);
        let upsert = read("upsert", Session::Upsert, upsert);
        let sums = upsert.group_by([col("group")]).unwrap();
        let sums = sums.reduce([("group", col("group")), ("least", reducers::min(col("value")))]).unwrap();
        let mut captures = Vec::new();
        let outputs = [native, upsert, sums].map(|table| {
            let capture = Capture::new(DTYPES.to_vec(), None);
            captures.push(capture.clone());
            table.output(capture, OutputOptions::default()).unwrap()
        });
        let rewrites = Rewrites { lasting: true, replays: true, ..Rewrites::default() };
        let program = graph.program_with(&Goal::Outputs(outputs.to_vec()), rewrites).unwrap();
        Flow { program, captures }
    }

    /// Runs it; gives what each output got, in order.
    fn run(self, persistence: Persistence, random: &mut Random) -> (Result<(), Failure>, Vec<Captured>) {
        let workers = 1 + random.below(3) as usize;
        let options = RunOptions { workers, persistence: Some(persistence), ..RunOptions::default() };
        let processes = if random.below(8) > 0 { 1 } else { 2 };
        let ended = run_in_processes(&self.program, &options, true, processes);
        (ended, self.captures.iter().map(|capture| capture.sorted()).collect())
    }
}

fn persistence(store: &Arc<Store>, access: Access, pace: Option<Pace>) -> Persistence {
    Persistence {
        logs: InputLogs::Named,
        access,
        replay: pace.map(|pace| Replay { pace, given: None }),
        continues: access != Access::Read,
        seal_after: 400,
        ..Persistence::new(store.clone())
    }
}

/// What is there in the end.
fn net(captured: &Captured) -> Bag {
    let mut bag = Bag::new();
    for (_, key, row, diff) in captured {
        *bag.entry((*key, row.clone())).or_default() += diff;
    }
    bag.retain(|_, count| *count != 0);
    bag
}

#[test]
fn recordings_are_given_once_more_as_they_came() {
    for case in 0..cases() {
        let mut random = Random::new(case + 1);
        let store = Arc::new(Store::memory().unwrap());
        let mut recorded = vec![Captured::new(); 3];
        let mut last_run = 0;
        for run in 0..1 + random.below(2) {
            // Rows of different runs have different keys, as those of sources that do not give any.
            let first_key = u128::from(run) << 100;
            let fails = random.below(3) == 0;
            let native = script(Session::Native, first_key, &mut random);
            let upsert = script(Session::Upsert, first_key, &mut random);
            let flow = Flow::new(native, upsert, fails);
            let (ended, mut got) = flow.run(persistence(&store, Access::Record, None), &mut random);
            assert_eq!(ended.is_err(), fails, "{ended:?}");
            // What a run that fails has read last may be missing.
            let manifest = latest(&store, |_| Ok(())).unwrap().manifest.filter(|of| of.run > last_run);
            last_run = manifest.as_ref().map_or(last_run, |manifest| manifest.run);
            let until = manifest.map_or(0, |manifest| manifest.time);
            assert!(fails || until == Timestamp::MAX, "all is recorded in the end");
            got.iter_mut().for_each(|rows| rows.retain(|row| row.0 < until));
            // Groups begin anew with each run.
            (0..2).for_each(|output| recorded[output].extend(got[output].iter().cloned()));
            if run == 0 {
                recorded[2].clone_from(&got[2]);
            } else {
                recorded[2].clear();
            }
        }
        let again = |pace: Pace, random: &mut Random| {
            let flow = Flow::new(vec![], vec![], false);
            let (ended, got) = flow.run(persistence(&store, Access::Read, Some(pace)), random);
            ended.unwrap();
            got
        };
        let pace = *random.pick(&[Pace::Speedrun, Pace::Realtime(1e6)]);
        let replayed = again(pace, &mut random);
        let at_once = again(Pace::Batch, &mut random);
        for output in 0..3 {
            if output < 2 || !recorded[2].is_empty() {
                assert_eq!(replayed[output], recorded[output], "case {case}, output {output}");
            }
            let times: BTreeMap<Timestamp, usize> = at_once[output].iter().map(|row| (row.0, 0)).collect();
            assert!(times.len() <= 1, "case {case}: {times:?}");
            assert_eq!(net(&at_once[output]), net(&replayed[output]), "case {case}, output {output}");
        }
    }
}

#[test]
fn a_run_that_replays_and_records_adds_what_is_new() {
    let mut random = Random::new(1);
    let store = Arc::new(Store::memory().unwrap());
    let row = |number: i64| vec![vec![(number as u128, vec![Value::Int(number), Value::Int(0)], 1)]];
    for number in 0..4 {
        let pace = *random.pick(&[Pace::Batch, Pace::Speedrun]);
        let flow = Flow::new(row(number), vec![], false);
        let (ended, got) = flow.run(persistence(&store, Access::Full, Some(pace)), &mut random);
        ended.unwrap();
        let numbers: Vec<u128> = got[0].iter().map(|(_, key, ..)| *key).collect();
        assert_eq!(numbers, (0..=number as u128).collect::<Vec<_>>());
    }
}

#[test]
fn removals_need_a_program_that_knows_of_them() {
    let mut random = Random::new(1);
    let store = Arc::new(Store::memory().unwrap());
    let row = vec![Value::Int(1), Value::Int(2)];
    let changes = vec![vec![(1, row.clone(), 1)], vec![(1, row, -1)]];
    let flow = Flow::new(changes, vec![], false);
    flow.run(persistence(&store, Access::Record, None), &mut random).0.unwrap();
    let mut flow = Flow::new(vec![], vec![], false);
    flow.program.steps.iter_mut().for_each(|step| step.insert_only = true);
    let replay = persistence(&store, Access::Read, Some(Pace::Batch));
    let error = match flow.run(replay, &mut random).0.unwrap_err() {
        Failure::Persistence(text) => text,
        failure => panic!("{failure:?}"),
    };
    assert!(error.contains("native has recorded removals of rows"), "{error}");
}

#[test]
fn rows_can_be_given_in_place_of_recorded_ones() {
    let row = |key: u128, diff: i64| -> Batch {
        batch(&DTYPES, &vec![(key, vec![Value::Int(key as i64), Value::Int(0)], diff)])
    };
    let given =
        BTreeMap::from([("native".to_owned(), vec![(0, row(1, 1)), (4, row(2, 1)), (6, row(1, -1))])]);
    let store = Arc::new(Store::memory().unwrap());
    let replay = Some(Replay { pace: Pace::Speedrun, given: Some(Arc::new(given)) });
    let persistence = Persistence { replay, ..persistence(&store, Access::Read, None) };
    let (ended, got) = Flow::new(vec![], vec![], false).run(persistence, &mut Random::new(1));
    ended.unwrap();
    let times: Vec<(Timestamp, u128, i64)> = got[0].iter().map(|row| (row.0, row.1, row.3)).collect();
    assert_eq!(times, [(4, 2, 1), (6, 1, -1)], "what is of time 0 was there before");
}

#[test]
fn it_is_known_how_much_is_given_once_more() {
    let store = Arc::new(Store::memory().unwrap());
    let row = |key: u128| vec![(key, vec![Value::Int(key as i64), Value::Int(0)], 1)];
    let flow = Flow::new(vec![row(1), row(2), [row(3), row(4)].concat()], vec![], false);
    flow.run(persistence(&store, Access::Record, None), &mut Random::new(1)).0.unwrap();
    for pace in [Pace::Batch, Pace::Speedrun] {
        let flow = Flow::new(vec![], vec![], false);
        let persistence = Some(persistence(&store, Access::Read, Some(pace)));
        let context = Context::new(true, 1024, Arc::new(Silent));
        run(flow.program, &RunOptions { persistence, ..RunOptions::default() }, &context).unwrap();
        let snapshot = context.statistics().snapshot().unwrap();
        let of = |name: &str| snapshot.connectors.iter().find(|connector| connector.name == name).unwrap();
        assert_eq!(of("native").reading, Some(Extent { done: 4, all: 4, unit: Unit::Rows }));
        assert_eq!(of("upsert").reading, None, "nothing was recorded");
    }
}
