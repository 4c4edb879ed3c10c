//! The clock of an operator, which is that of all its workers.

use pathway_types::{Batch, DType, Diffs};

use super::Timed;
use crate::operator::WrongState;
use crate::store::{KeyMap, OrderKey, new_key_map};

/// What the clocks of all workers hear of a batch: for each instance in it the largest time, under the
/// key of the instance.
pub fn heard<K: OrderKey>(timed: &Timed, batch: Batch) -> Batch {
    let batch = timed.usable(batch, false);
    let times = K::of(&batch.columns[0], &timed.dtypes[0]);
    let instances = timed.instances(&batch, 2);
    let mut latest: KeyMap<u32> = new_key_map();
    for (row, instance) in instances.as_slice().iter().enumerate() {
        let latest = latest.entry(*instance).or_insert(row as u32);
        if times[*latest as usize] < times[row] {
            *latest = row as u32;
        }
    }
    let (instances, rows): (Vec<u128>, Vec<u32>) = latest.into_iter().unzip();
    let times = batch.columns[0].take(&rows.into());
    let diffs = Diffs::Ones(instances.len());
    Batch::new(instances.into(), vec![times], diffs)
}

/// A clock of each instance.
pub(super) struct Clock<K> {
    dtype: DType,
    /// Before the open time.
    times: KeyMap<K>,
    /// At the open time.
    heard: KeyMap<K>,
}

impl<K: OrderKey> Clock<K> {
    pub(super) fn new(timed: &Timed) -> Self {
        Clock { dtype: timed.dtypes[0].clone(), times: new_key_map(), heard: new_key_map() }
    }

    /// Takes what [`heard`] gave.
    pub(super) fn hear(&mut self, batch: &Batch) {
        let times = K::of(&batch.columns[0], &self.dtype);
        for (time, instance) in times.into_iter().zip(batch.keys.as_slice()) {
            match self.heard.get_mut(instance) {
                Some(heard) if *heard >= time => {}
                Some(heard) => *heard = time,
                None => _ = self.heard.insert(*instance, time),
            }
        }
    }

    /// True if any row came at the open time, on whatever worker.
    pub(super) fn has_heard(&self) -> bool {
        !self.heard.is_empty()
    }

    /// The clock of an instance.
    pub(super) fn of(&self, instance: u128) -> Option<&K> {
        self.times.get(&instance)
    }

    /// True if the clock of the instance has reached the threshold.
    pub(super) fn has_reached(&self, instance: u128, threshold: &K) -> bool {
        self.of(instance).is_some_and(|clock| threshold <= clock)
    }

    /// The open time becomes past. Gives the instances whose clock is further than before.
    pub(super) fn advance(&mut self) -> Vec<u128> {
        let mut further = Vec::new();
        for (instance, time) in self.heard.drain() {
            let clock = self.times.get(&instance);
            if clock.is_none_or(|clock| *clock < time) {
                self.times.insert(instance, time);
                further.push(instance);
            }
        }
        further
    }

    pub(super) fn save(&self) -> (&'static str, Batch) {
        let (instances, times): (Vec<u128>, Vec<K>) =
            self.times.iter().map(|(instance, time)| (*instance, time.clone())).unzip();
        let diffs = Diffs::Ones(instances.len());
        ("clock", Batch::new(instances.into(), vec![K::save(times)], diffs))
    }

    /// Takes what some worker saved.
    pub(super) fn load(&mut self, tables: Vec<(&'static str, Batch)>) -> Result<(), WrongState> {
        for (_, batch) in tables {
            let times = batch.columns.first().map(K::load).unwrap_or_default();
            if times.len() != batch.len() {
                return Err(WrongState("a clock of something else".to_owned()));
            }
            for (instance, time) in batch.keys.as_slice().iter().zip(times) {
                let clock = self.times.entry(*instance).or_insert_with(|| time.clone());
                *clock = (*clock).clone().max(time);
            }
        }
        Ok(())
    }
}
