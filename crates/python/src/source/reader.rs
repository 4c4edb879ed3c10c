//! The receiving half of a subject.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pathway_connectors::formats::RowBuilder;
use pathway_io::{ConnectorError, FailureClass, ParseJob, Position, Reader, SourceOutput, Stopped};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::Calls;
use super::feed::{Event, Feed, Messages, Outcome};
use crate::attach::{RunEnded, attached};
use crate::raised;

/// How long a subject whose run is ending may take to return, so that its `on_stop` is called in time.
const FAREWELL: Duration = Duration::from_millis(500);

/// Runs the subject in a thread of its own and hands over what it sends.
pub(super) struct SubjectReader {
    pub(super) feed: Arc<Feed>,
    pub(super) calls: Arc<Calls>,
    /// The last position of an earlier run, in a run that may be gone on with.
    pub(super) resume: Option<Option<Vec<u8>>>,
}

impl Reader for SubjectReader {
    fn run(self: Box<Self>, output: &mut dyn SourceOutput) -> Result<(), ConnectorError> {
        let description = &self.feed.rows.content().description;
        let (feed, calls, resume) = (self.feed.clone(), self.calls.clone(), self.resume.clone());
        let thread = std::thread::Builder::new().name(format!("pathway:{description}"));
        let run = output.run();
        thread.spawn(move || start(&feed, &calls, resume, run)).map_err(|error| {
            ConnectorError::new(description, FailureClass::Os, format!("no thread can be started: {error}"))
        })?;
        let mut result = self.pump(output);
        // Whoever still sends is told, and does not wait for room that nobody makes.
        self.feed.stop();
        if result.is_err() {
            // What was sent before is handed over, unless the run takes nothing any more.
            let _ = self.hand_over(self.feed.rest(), output);
            result = Ok(self.feed.wait_for_end(FAREWELL));
        }
        match result {
            Ok(Outcome::Raised(text, class)) => Err(ConnectorError::new(description, class, text)),
            Ok(Outcome::Running | Outcome::Returned) | Err(Stopped) => Ok(()),
        }
    }
}

/// Calls the subject. The thread is left to itself when the run ends early: nothing can end Python
/// code that does not call back.
fn start(feed: &Feed, calls: &Calls, resume: Option<Option<Vec<u8>>>, run: Option<u64>) {
    let ended = attached(|py| {
        let resumed = resume.map_or(Ok(()), |position| {
            let position = position.map(|bytes| PyBytes::new(py, &bytes));
            calls.resume.bind(py).call1((position,)).map(|_| ())
        });
        let finite = resumed.and_then(|()| calls.start.bind(py).call1((run,)));
        let finite = finite.and_then(|_| calls.finite.bind(py).call0()?.is_truthy());
        match finite {
            Ok(finite) => (Outcome::Returned, finite),
            Err(error) if error.is_instance_of::<RunEnded>(py) => (Outcome::Returned, true),
            Err(error) => {
                let (text, class) = raised::failure(py, error);
                (Outcome::Raised(text, class), true)
            }
        }
    });
    let (outcome, closed) = ended.unwrap_or((Outcome::Returned, true));
    feed.finish(outcome, closed);
}

impl SubjectReader {
    fn pump(&self, output: &mut dyn SourceOutput) -> Result<Outcome, Stopped> {
        let mut last = Instant::now();
        loop {
            let Some(taken) = self.feed.take(last) else {
                if output.is_stopped() {
                    return Err(Stopped);
                }
                continue;
            };
            last = Instant::now();
            self.hand_over(taken.events, output)?;
            if taken.ended {
                return Ok(taken.outcome);
            }
        }
    }

    /// Hands over all of the events, also when the run is ending: it decides what it takes.
    fn hand_over(&self, events: VecDeque<Event>, output: &mut dyn SourceOutput) -> Result<(), Stopped> {
        let mut result = Ok(());
        for event in events {
            let handed_over = match event {
                Event::Rows(parsed) => output.rows(parsed),
                Event::Json(messages) => match self.parse(messages) {
                    Some(job) => output.parse(job),
                    None => continue,
                },
                Event::Commit => output.commit(),
                Event::BeginAtomic => output.begin_atomic(),
                Event::EndAtomic => output.end_atomic(),
                Event::Position(value) => output.position("", Some(Position { value, objects: Vec::new() })),
            };
            result = result.and(handed_over);
        }
        result
    }

    /// The parsing of JSON messages, to be done on another thread.
    fn parse(&self, messages: Messages) -> Option<ParseJob> {
        let format = self.feed.json.clone()?;
        let rows = self.feed.rows.clone();
        Some(Box::new(move || {
            let Messages { first, bytes, ends } = messages;
            let decoder = format.decoder(&[]);
            let mut builder = RowBuilder::new(format.layout(), rows.origin(), first, ends.len(), bytes.len());
            let mut start = 0;
            for end in ends {
                decoder.decode_record(&bytes[start..end], &mut builder);
                start = end;
            }
            builder.finish()
        }))
    }
}
