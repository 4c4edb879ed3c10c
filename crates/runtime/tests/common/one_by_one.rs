//! Histories of which each time is a run of its own, which comes to its end and goes on from the one before.

use std::collections::BTreeSet;
use std::sync::Arc;

use pathway_io::{ConnectorError, Parsed, Position, ReadMode, Reader, Resume, Source, SourceOutput};
use pathway_persistence::Store;
use pathway_plan::program::{SourceStep, Step, StepOp};
use pathway_runtime::RunOptions;
use pathway_types::{Batch, Field, Schema, Timestamp};

use super::{Bag, Captured, Stopped, Timed, run_through, step};

/// Gives changes in a first run and in those that go on from it.
#[derive(Clone, Debug)]
struct Given {
    schema: Schema,
    changes: Option<Batch>,
    run: u8,
}

impl Source for Given {
    fn description(&self) -> String {
        "given".into()
    }
    fn schema(&self) -> &Schema {
        &self.schema
    }
    fn mode(&self) -> ReadMode {
        ReadMode::Static
    }
    fn insert_only(&self) -> bool {
        false
    }
    fn has_positions(&self) -> bool {
        true
    }
    fn project(&self, _columns: &[usize]) -> Arc<dyn Source> {
        panic!("all columns are read")
    }
    fn open(&self, _: usize, resume: Option<Resume>) -> Result<Vec<Box<dyn Reader>>, ConnectorError> {
        let positions = resume.map(|resume| resume.positions).unwrap_or_default();
        let before = positions.get("").map(|position| position.value.clone());
        assert_eq!(before, self.run.checked_sub(1).map(|run| vec![run]), "it goes on from the run before");
        Ok(vec![Box::new(self.clone())])
    }
}

impl Reader for Given {
    fn run(self: Box<Self>, output: &mut dyn SourceOutput) -> Result<(), ConnectorError> {
        let parsed = self.changes.map(|batch| Parsed { batch, ..Parsed::default() });
        let position = Position { value: vec![self.run], objects: Vec::new() };
        let given = output
            .begin_atomic()
            .and_then(|()| parsed.map_or(Ok(()), |parsed| output.rows(parsed)))
            .and_then(|()| output.position("", Some(position)))
            .and_then(|()| output.end_atomic());
        assert!(given.is_ok(), "nobody asks it to stop");
        Ok(())
    }
}

/// What comes of the changes of each time, by these times.
pub(super) fn run_one_by_one(inputs: &[Timed], steps: impl Fn() -> Vec<Step>, stopped: &Stopped) -> Captured {
    let store = Arc::new(Store::memory().unwrap());
    let times: BTreeSet<Timestamp> =
        inputs.iter().flat_map(|(_, batches)| batches.iter().map(|(time, _)| *time)).collect();
    let mut rows = Captured::new();
    for (run, time) in times.into_iter().enumerate() {
        let sources = inputs.iter().enumerate().map(|(number, (dtypes, batches))| {
            let changes: Vec<Batch> =
                batches.iter().filter(|(of, _)| *of == time).map(|(_, batch)| batch.clone()).collect();
            let fields =
                dtypes.iter().enumerate().map(|(i, dtype)| Field::new(format!("c{i}"), dtype.clone()));
            let changes = (!changes.is_empty()).then(|| Batch::concat(&changes));
            let source = Given { schema: Schema::new(fields), changes, run: run as u8 };
            let source = SourceStep {
                source: Arc::new(source),
                name: Some(format!("input {number}")),
                autocommit: None,
                max_backlog: None,
            };
            step(StepOp::Source(source), &[], dtypes.clone())
        });
        let (workers, processes) = stopped.places()[run % 2];
        let persistence = Some(stopped.persistence(&store));
        // All that a run is given is of the time at which it starts.
        let options = RunOptions { workers, persistence, start: Some(2), ..RunOptions::default() };
        let shown = run_through(sources.collect(), steps(), &options, processes, false, None).unwrap();
        rows.extend(net(shown, time));
    }
    rows
}

/// What is left of changes of one run, as changes of a time.
fn net(rows: Captured, time: Timestamp) -> Captured {
    let mut bag = Bag::new();
    for (_, key, row, diff) in rows {
        *bag.entry((key, row)).or_default() += diff;
    }
    bag.retain(|_, diff| *diff != 0);
    bag.into_iter().map(|((key, row), diff)| (time, key, row, diff)).collect()
}
