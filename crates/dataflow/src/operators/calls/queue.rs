//! What waits for answers, in the order in which results have to appear.
//!
//! Rows belong to instances. The changes of one instance at one time form a *group*, which is
//! settled as a whole when its last call has been answered, and after all earlier groups of the
//! instance. Different instances do not wait for each other.
//!
//! When a call fails, its group and everything of its instance that waits behind it fail, until
//! nothing of the instance waits any more.

use std::collections::VecDeque;
use std::sync::Arc;

use hashbrown::HashMap;
use pathway_types::{Batch, DataError, Timestamp, Value};

use crate::store::{KeyMap, new_key_map};

/// The answer of a call.
pub(super) type Answer = Result<Vec<Value>, DataError>;

/// A change of a row, as it came in.
#[derive(Clone, Debug)]
pub(super) struct Change {
    /// The row id.
    pub(super) key: u128,
    /// The batch it came in,
    pub(super) batch: Arc<Batch>,
    /// and where it is there.
    pub(super) row: u32,
    /// What it asks for.
    pub(super) wants: Wants,
}

/// What a change asks for.
#[derive(Clone, Debug)]
pub(super) enum Wants {
    /// The results of the row are to be removed.
    Removal,
    /// The answer of a call,
    Answer(u64),
    /// which has come, or needed no call.
    Answered(Vec<Value>),
    /// The call failed.
    Failed,
}

/// The changes of one instance at one time.
#[derive(Debug)]
pub(super) struct Group {
    /// The time of the changes.
    pub(super) time: Timestamp,
    /// Its changes.
    pub(super) changes: Vec<Change>,
    /// All its calls count as failed.
    pub(super) failed: bool,
    unanswered: usize,
}

#[derive(Debug, Default)]
struct Instance {
    groups: VecDeque<Group>,
    /// Groups from this time on fail.
    failed_from: Option<Timestamp>,
}

/// Where a call belongs.
#[derive(Clone, Copy, Debug)]
struct Place {
    instance: u128,
    time: Timestamp,
    change: usize,
}

/// All instances that wait for answers.
#[derive(Debug)]
pub(super) struct Queue {
    instances: KeyMap<Instance>,
    calls: HashMap<u64, Place>,
    /// Instances whose first group can be settled.
    ready: Vec<u128>,
}

impl Queue {
    /// About how many bytes it takes in memory, without the cells of rows that wait.
    pub(super) fn memory(&self) -> usize {
        let of_call = size_of::<(u64, Place)>() + size_of::<Change>();
        self.instances.allocation_size() + self.calls.capacity() * of_call
    }

    pub(super) fn new() -> Self {
        Queue { instances: new_key_map(), calls: HashMap::new(), ready: Vec::new() }
    }

    /// Nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.instances.is_empty()
    }

    /// Some group can be settled.
    pub(super) fn is_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Adds the changes of an instance at a time, which comes after all that was added for it before.
    pub(super) fn add(&mut self, instance: u128, time: Timestamp, changes: Vec<Change>) {
        let mut unanswered = 0;
        for (number, change) in changes.iter().enumerate() {
            if let Wants::Answer(call) = change.wants {
                self.calls.insert(call, Place { instance, time, change: number });
                unanswered += 1;
            }
        }
        let groups = &mut self.instances.entry(instance).or_default().groups;
        debug_assert!(groups.back().is_none_or(|last| last.time < time), "times of an instance increase");
        groups.push_back(Group { time, changes, failed: false, unanswered });
        if groups.len() == 1 && unanswered == 0 {
            self.ready.push(instance);
        }
    }

    /// Takes an answer. One for a call that nobody waits for is dropped.
    pub(super) fn answer(&mut self, call: u64, answer: Answer) {
        let Some(place) = self.calls.remove(&call) else { return };
        let Some(instance) = self.instances.get_mut(&place.instance) else { return };
        let Ok(at) = instance.groups.binary_search_by_key(&place.time, |group| group.time) else { return };
        if answer.is_err() && instance.failed_from.is_none_or(|from| from > place.time) {
            instance.failed_from = Some(place.time);
        }
        let group = &mut instance.groups[at];
        group.changes[place.change].wants = answer.map_or(Wants::Failed, Wants::Answered);
        group.unanswered -= 1;
        if at == 0 && group.unanswered == 0 {
            self.ready.push(place.instance);
        }
    }

    /// The next group of every instance that has one to be settled.
    pub(super) fn settle(&mut self) -> Vec<Group> {
        let ready = std::mem::take(&mut self.ready);
        let mut settled = Vec::with_capacity(ready.len());
        for id in ready {
            let Some(instance) = self.instances.get_mut(&id) else { continue };
            let Some(mut group) = instance.groups.pop_front() else { continue };
            group.failed = instance.failed_from.is_some_and(|from| from <= group.time);
            settled.push(group);
            match instance.groups.front() {
                None => _ = self.instances.remove(&id),
                Some(next) if next.unanswered == 0 => self.ready.push(id),
                Some(_) => {}
            }
        }
        settled
    }

    /// Everything that waits: instance, time and change.
    pub(super) fn waiting(&self) -> impl Iterator<Item = (u128, Timestamp, &Change)> {
        self.instances.iter().flat_map(|(id, instance)| {
            let groups = instance.groups.iter();
            groups.flat_map(move |group| group.changes.iter().map(move |change| (*id, group.time, change)))
        })
    }
}

#[cfg(test)]
mod tests;
