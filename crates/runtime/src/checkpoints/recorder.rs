//! Writes checkpoints while the run goes on.
//!
//! The first process decides of which time a checkpoint is. It asks all what is the latest one of which they
//! can give their part, until they agree, has them write it, and completes the checkpoint with a manifest.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use pathway_dataflow::{Context, Failure};
use pathway_persistence::{Manifest, SavedPosition, StoreError};
use pathway_types::Timestamp;
use serde::{Deserialize, Serialize};

use super::part::{Part, Piece, Ready};
use super::{Access, Checkpoints, lock, objects};

/// The least time between two checkpoints.
const LEAST_INTERVAL: Duration = Duration::from_millis(10);
/// How many checkpoints are kept besides the last.
const KEPT: usize = 1;
/// How long the last checkpoint waits for processes that have not seen the end of the run.
const FAREWELL: Duration = Duration::from_secs(10);
/// How often a recorder that waits looks what has happened.
const PATIENCE: Duration = Duration::from_millis(50);

/// What the recorders of processes say to each other.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Word {
    /// The first one asks for the latest time, this one at most, of which a part can be given.
    Ask(Timestamp),
    /// The answer; none if there is no such time yet.
    Ready(Option<Ready>),
    /// The first one wants the part of a checkpoint with this number and time.
    Write(u64, Timestamp),
    /// The answer, or why it cannot be given.
    Wrote(Result<Piece, String>),
    /// So much has been noted that the next checkpoint should not wait.
    Crowded,
    /// The checkpoint of this time is complete.
    Held(Timestamp),
    /// No checkpoint follows.
    Finished,
}

/// How the recorder of a process talks to others: the first one to all, the others to the first.
pub(crate) struct Others {
    /// How many there are.
    pub(crate) count: usize,
    /// Says something.
    pub(crate) say: Box<dyn Fn(Word) + Send>,
    /// What they say, and who.
    pub(crate) hear: crossbeam_channel::Receiver<(usize, Word)>,
}

/// Writes the checkpoints of a run.
pub(super) struct Recorder {
    part: Part,
    checkpoints: Arc<Checkpoints>,
    others: Option<Others>,
    context: Context,
    /// The number of the next checkpoint.
    sequence: u64,
    run: u64,
    /// The time of the last checkpoint.
    time: Timestamp,
    /// The last attempt has failed.
    failed: bool,
    /// The objects of sources that the last two checkpoints name.
    objects: [BTreeSet<String>; 2],
}

/// The run is over, or processes are lost: there is nobody to write a checkpoint with.
struct Over;

impl Recorder {
    pub(super) fn new(checkpoints: Arc<Checkpoints>, others: Option<Others>, context: Context) -> Self {
        let earlier = checkpoints.recovered.manifest.as_ref();
        let sequence = checkpoints.recovered.sequence + 1;
        let run = earlier.map_or(1, |manifest| manifest.run + 1);
        let objects = [BTreeSet::new(), earlier.iter().flat_map(|m| m.objects()).cloned().collect()];
        let part = Part::new(checkpoints.clone());
        // What is given once more is of times that earlier checkpoints hold.
        let time = checkpoints.recovered.last;
        Recorder { part, checkpoints, others, context, sequence, run, time, failed: false, objects }
    }

    /// Writes checkpoints until the run has ended, and a last one then.
    pub(super) fn run(mut self, ended: &Receiver<()>) {
        if self.checkpoints.place.process > 0 {
            return self.follow(ended);
        }
        let interval = self.checkpoints.persistence.interval.max(LEAST_INTERVAL);
        loop {
            let goes_on = self.wait(ended, interval);
            match self.step(!goes_on) {
                Ok(Ok(())) => {}
                Ok(Err(cause)) => {
                    let text =
                        format!("no checkpoint can be written ({cause}); a restart would repeat more work");
                    self.context.message(true, &text);
                }
                Err(Over) => return,
            }
            if !goes_on {
                return self.say(Word::Finished);
            }
        }
    }

    /// Waits until it is time for a checkpoint; false when the run has ended.
    fn wait(&self, ended: &Receiver<()>, interval: Duration) -> bool {
        let begin = Instant::now();
        loop {
            let left = interval.saturating_sub(begin.elapsed());
            if ended.recv_timeout(left.min(PATIENCE)) != Err(RecvTimeoutError::Timeout) {
                return false;
            }
            // Between checkpoints the others say nothing else.
            let said = self.others.iter().flat_map(|others| others.hear.try_iter());
            let is_crowded = said.fold(false, |is, (_, word)| is || matches!(word, Word::Crowded));
            if left <= PATIENCE || is_crowded || self.checkpoints.is_crowded() {
                return true;
            }
        }
    }

    /// Gives the parts of this process that the first one asks for.
    fn follow(mut self, ended: &Receiver<()>) {
        let Some(others) = self.others.take() else { return };
        loop {
            match others.hear.recv_timeout(PATIENCE) {
                Ok((_, Word::Ask(limit))) => (others.say)(Word::Ready(self.part.ready(limit))),
                Ok((_, Word::Write(sequence, time))) => {
                    let piece = self.part.write(sequence, time).map_err(|error| error.to_string());
                    (others.say)(Word::Wrote(piece));
                }
                Ok((_, Word::Held(time))) => self.checkpoints.hold(time),
                Ok((_, Word::Finished)) => return,
                Ok((_, Word::Ready(_) | Word::Wrote(_) | Word::Crowded)) => {}
                Err(_) if self.context.has_failed() => {
                    // Whoever ends the run waits for that.
                    let _ = ended.recv();
                    return;
                }
                Err(_) if self.checkpoints.is_crowded() => (others.say)(Word::Crowded),
                Err(_) => {}
            }
        }
    }

    /// Says something to the others.
    fn say(&self, word: Word) {
        if let Some(others) = &self.others {
            (others.say)(word);
        }
    }

    /// What each of the others answers.
    fn hear<T>(&self, answer: impl Fn(Word) -> Option<T>) -> Result<Vec<T>, Over> {
        let Some(others) = &self.others else { return Ok(Vec::new()) };
        let mut answers = Vec::with_capacity(others.count);
        while answers.len() < others.count {
            match others.hear.recv_timeout(PATIENCE) {
                Ok((_, word)) => answers.extend(answer(word)),
                Err(_) if self.context.has_failed() => return Err(Over),
                Err(_) => {}
            }
        }
        Ok(answers)
    }

    /// The latest time of which all can give their part, and whether there is something new.
    fn agree(&mut self) -> Result<Option<Ready>, Over> {
        let mut limit = self.context.completed().frontier();
        let mut is_new = self.failed;
        loop {
            let Some(own) = self.part.ready(limit) else { return Ok(None) };
            if own.time <= self.time {
                return Ok(None);
            }
            self.say(Word::Ask(own.time));
            let answers = self.hear(|word| if let Word::Ready(ready) = word { Some(ready) } else { None })?;
            let Some(answers) = answers.into_iter().collect::<Option<Vec<Ready>>>() else { return Ok(None) };
            is_new |= own.is_new || answers.iter().any(|ready| ready.is_new);
            let time = answers.iter().map(|ready| ready.time).min().unwrap_or(own.time);
            if time == own.time {
                return Ok(Some(Ready { time, is_new }));
            }
            limit = time;
        }
    }

    /// Writes a checkpoint if there is something to be written; if the run has ended, of all there is.
    fn step(&mut self, ended: bool) -> Result<Result<(), String>, Over> {
        let deadline = Instant::now() + FAREWELL;
        let ready = loop {
            let ready = self.agree()?;
            let is_last =
                self.time == Timestamp::MAX || ready.is_some_and(|ready| ready.time == Timestamp::MAX);
            // Others may need a moment to see the end.
            let waits = ended && self.others.is_some() && !is_last && !self.context.is_stopped();
            if !waits || Instant::now() > deadline {
                break ready;
            }
            std::thread::sleep(LEAST_INTERVAL);
        };
        let Some(Ready { time, is_new }) = ready else { return Ok(Ok(())) };
        if time <= self.time || !(is_new || time == Timestamp::MAX) {
            return Ok(Ok(()));
        }
        // A number is used once: what was written for a checkpoint that failed may be named by later ones.
        let sequence = self.sequence;
        self.sequence += 1;
        self.say(Word::Write(sequence, time));
        let own = self.part.write(sequence, time).map_err(|error| error.to_string());
        let pieces = self.hear(|word| if let Word::Wrote(piece) = word { Some(piece) } else { None })?;
        let pieces: Result<Vec<Piece>, String> = std::iter::once(own).chain(pieces).collect();
        let completed = match pieces.map(|pieces| self.complete(sequence, time, pieces)) {
            Ok(Err(error @ StoreError::Taken(_))) => {
                self.context.fail(Failure::Persistence(error.to_string()));
                return Err(Over);
            }
            Ok(completed) => completed.map_err(|error| error.to_string()),
            Err(cause) => Err(cause),
        };
        self.failed = completed.is_err();
        if completed.is_ok() {
            self.time = time;
            self.send(sequence)?;
        }
        Ok(completed)
    }

    /// Sends what waits for the checkpoint that was completed last.
    fn send(&self, sequence: u64) -> Result<(), Over> {
        let outboxes = lock(&self.checkpoints.outboxes).clone();
        for outbox in outboxes {
            if let Err(error) = outbox.send(sequence, self.time, &self.context) {
                // A later run sends what was not sent.
                self.context.fail(Failure::Connector { site: outbox.site.clone(), error });
                return Err(Over);
            }
        }
        Ok(())
    }

    /// Completes a checkpoint.
    fn complete(&mut self, sequence: u64, time: Timestamp, pieces: Vec<Piece>) -> Result<(), StoreError> {
        let checkpoints = self.checkpoints.clone();
        let store = &*checkpoints.persistence.store;
        let mut manifest = Manifest {
            origin: checkpoints.origin.clone(),
            sequence,
            run: self.run,
            time,
            finished: time == Timestamp::MAX,
            workers: checkpoints.place.all,
            ..Manifest::default()
        };
        if checkpoints.persistence.keeps_states() {
            manifest.steps = checkpoints.identities.iter().cloned().collect();
        }
        let mut packs = BTreeSet::new();
        for piece in pieces {
            manifest.last = manifest.last.max(piece.last);
            packs.extend(piece.packs);
            manifest.sinks.extend(piece.sinks);
            manifest.outboxes.extend(piece.outboxes);
            for (name, parts) in piece.sources {
                let known = manifest.sources.entry(name.clone()).or_insert_with(|| self.known(&name));
                for (part, position) in parts {
                    match position {
                        Some(position) => drop(known.insert(part, position)),
                        None => drop(known.remove(&part)),
                    }
                }
            }
            for (identity, state) in piece.operators {
                match manifest.operators.entry(identity) {
                    std::collections::btree_map::Entry::Vacant(entry) => drop(entry.insert(state)),
                    std::collections::btree_map::Entry::Occupied(entry) => {
                        let all = entry.into_mut();
                        all.states.extend(state.states);
                        all.notes.extend(state.notes);
                    }
                }
            }
        }
        if checkpoints.persistence.access == Access::Positions {
            checkpoints.recovered.keep_as_it_is(&mut manifest);
        }
        manifest.write(store)?;
        let collected = manifest.collect(store, KEPT, &packs);
        if matches!(collected, Err(StoreError::Taken(_))) {
            // Another run goes on from elsewhere: nobody may be told that this checkpoint counts.
            return collected;
        }
        self.checkpoints.hold(time);
        self.say(Word::Held(time));
        self.delete_objects(&manifest)?;
        collected
    }

    /// How far a source had been read before this run.
    fn known(&self, name: &str) -> BTreeMap<String, SavedPosition> {
        let manifest = self.checkpoints.recovered.manifest.as_ref();
        let manifest = manifest.filter(|_| self.checkpoints.persistence.access != Access::Record);
        manifest.and_then(|manifest| manifest.sources.get(name)).cloned().unwrap_or_default()
    }

    /// Deletes what sources kept for the checkpoint that is not kept any more.
    fn delete_objects(&mut self, manifest: &Manifest) -> Result<(), StoreError> {
        let named: BTreeSet<String> = manifest.objects().cloned().collect();
        // The checkpoint before this one is kept too.
        let gone: Vec<String> = self.objects[0].difference(&self.objects[1]).cloned().collect();
        for name in gone.iter().filter(|name| !named.contains(*name)) {
            objects::delete(&self.checkpoints.persistence.store, name)?;
        }
        self.objects = [std::mem::take(&mut self.objects[1]), named];
        Ok(())
    }
}
