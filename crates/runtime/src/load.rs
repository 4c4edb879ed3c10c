//! How busy the workers of a run are, and whether it would do better with more processes or fewer.
//!
//! A worker is busy while it is not waiting for something to do, so also while it waits for a function of the
//! user or for an output. Each process tells the first one, a window after another, which share of their time its
//! workers were busy. With the shares of all, the first one decides: more processes if one of them was busy nearly
//! all the time, for then its queues fill; fewer if all could do their work in a quarter of the time, for then
//! twice the work is still no trouble. The run is then asked to end as by a signal, with a last checkpoint, and
//! whoever has started it starts it again.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use pathway_dataflow::timely::Worker;
use serde::{Deserialize, Serialize};

use crate::checkpoints::lock;

/// With so much of its time taken, a process is overloaded.
const OVERLOADED: f64 = 0.9;
/// With so much of their time taken, processes are idle.
const IDLE: f64 = 0.25;
/// A step that takes longer may have missed what came meanwhile.
const SHORT: Duration = Duration::from_micros(100);

/// What would do better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Wish {
    /// More processes.
    More,
    /// Fewer processes.
    Fewer,
}

/// A run whose number of processes may change.
#[derive(Debug)]
pub struct Scaling {
    window: Duration,
    wish: Mutex<Option<Wish>>,
}

impl Scaling {
    /// The load is judged by windows of this length.
    pub fn new(window: Duration) -> Arc<Self> {
        Arc::new(Scaling { window, wish: Mutex::default() })
    }

    /// Why the run has ended, if it is to go on with another number of processes.
    pub fn wish(&self) -> Option<Wish> {
        *lock(&self.wish)
    }

    /// The first wish counts.
    pub(crate) fn set(&self, wish: Wish) {
        lock(&self.wish).get_or_insert(wish);
    }
}

/// The load of this process, and in the first process those of all.
#[derive(Debug)]
pub(crate) struct Load {
    scaling: Arc<Scaling>,
    begin: Instant,
    /// By worker.
    busy: Vec<Busy>,
    /// When the window has begun, in nanoseconds since the beginning.
    window: AtomicU64,
    /// By process, of the windows that have ended.
    shares: Mutex<Vec<Option<f64>>>,
}

/// How long a worker was busy.
#[derive(Debug, Default)]
struct Busy {
    /// Nanoseconds in this window.
    total: AtomicU64,
    /// Since when it is, in nanoseconds since the beginning and at least 1; 0 while it is not.
    since: AtomicU64,
}

impl Load {
    pub(crate) fn new(scaling: Arc<Scaling>, workers: usize, processes: usize) -> Self {
        Load {
            scaling,
            begin: Instant::now(),
            busy: (0..workers).map(|_| Busy::default()).collect(),
            window: AtomicU64::new(0),
            shares: Mutex::new(vec![None; processes]),
        }
    }

    fn now(&self) -> u64 {
        // Five hundred years of them.
        self.begin.elapsed().as_nanos() as u64 + 1
    }

    /// Has a worker do what there is to do, and then wait a while for more.
    pub(crate) fn step(&self, number: usize, worker: &mut Worker, patience: Duration) {
        let busy = &self.busy[number];
        let begin = Instant::now();
        busy.since.store(self.now(), Ordering::SeqCst);
        worker.step();
        let since = busy.since.swap(0, Ordering::SeqCst);
        busy.total.fetch_add(self.now().saturating_sub(since), Ordering::SeqCst);
        let has_more = || worker.activations().borrow().empty_for() == Some(Duration::ZERO);
        if begin.elapsed() < SHORT && !has_more() {
            worker.step_or_park(Some(patience));
        }
    }

    /// The share of a window that has ended, in which the workers were busy.
    pub(crate) fn share(&self) -> Option<f64> {
        let now = self.now();
        let begin = self.window.load(Ordering::SeqCst);
        if u128::from(now - begin) < self.scaling.window.as_nanos() {
            return None;
        }
        self.window.store(now, Ordering::SeqCst);
        let busy: u64 = self.busy.iter().map(|busy| busy.take(now)).sum();
        Some(busy as f64 / ((now - begin).max(1) as f64 * self.busy.len() as f64))
    }

    /// Takes the share of a process; when all are there, tells what would do better.
    pub(crate) fn take(&self, process: usize, share: f64) -> Option<Wish> {
        let mut shares = lock(&self.shares);
        shares[process] = Some(share);
        let all: Option<Vec<f64>> = shares.iter().copied().collect();
        let all = all?;
        shares.fill(None);
        wish(&all)
    }

    /// The run is to end, so that this is done.
    pub(crate) fn set(&self, wish: Wish) {
        self.scaling.set(wish);
    }
}

impl Busy {
    /// The time of the window that ends now.
    fn take(&self, now: u64) -> u64 {
        let since = self.since.load(Ordering::SeqCst);
        // What it does at the moment counts for both windows. It may have ended just now.
        let running =
            since > 0 && self.since.compare_exchange(since, now, Ordering::SeqCst, Ordering::SeqCst).is_ok();
        let unfinished = if running { now.saturating_sub(since) } else { 0 };
        self.total.swap(0, Ordering::SeqCst) + unfinished
    }
}

/// What processes with these shares do better with.
fn wish(shares: &[f64]) -> Option<Wish> {
    if shares.iter().any(|share| *share >= OVERLOADED) {
        return Some(Wish::More);
    }
    let all_idle = shares.iter().all(|share| *share <= IDLE);
    (all_idle && shares.len() > 1).then_some(Wish::Fewer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(window: Duration, workers: usize, processes: usize) -> Load {
        Load::new(Scaling::new(window), workers, processes)
    }

    #[test]
    fn one_that_is_overloaded_is_enough_and_all_have_to_be_idle() {
        assert_eq!(wish(&[0.1, 0.95]), Some(Wish::More));
        assert_eq!(wish(&[0.25, 0.2]), Some(Wish::Fewer));
        assert_eq!(wish(&[0.1, 0.3]), None);
        assert_eq!(wish(&[0.0]), None);
        assert_eq!(wish(&[1.0]), Some(Wish::More));
    }

    #[test]
    fn shares_of_all_are_waited_for() {
        let load = load(Duration::ZERO, 1, 2);
        assert_eq!(load.take(1, 1.0), None);
        assert_eq!(load.take(1, 0.0), None);
        assert_eq!(load.take(0, 0.0), Some(Wish::Fewer));
        assert_eq!(load.take(0, 1.0), None);
    }

    #[test]
    fn a_window_that_has_not_ended_has_no_share() {
        assert_eq!(load(Duration::from_secs(3600), 1, 1).share(), None);
        assert_eq!(load(Duration::ZERO, 1, 1).share(), Some(0.0));
    }

    #[test]
    fn what_a_worker_is_at_counts_in_every_window() {
        let load = load(Duration::ZERO, 2, 1);
        load.busy[0].since.store(1, Ordering::SeqCst);
        let first = load.share().unwrap();
        let second = load.share().unwrap();
        // One of two workers all the time.
        assert!((0.4..=0.5).contains(&first), "{first}");
        assert!((0.4..=0.5).contains(&second), "{second}");
        assert!(load.busy[0].since.load(Ordering::SeqCst) > 1);
    }

    #[test]
    fn the_first_wish_counts() {
        let scaling = Scaling::new(Duration::ZERO);
        assert_eq!(scaling.wish(), None);
        scaling.set(Wish::More);
        scaling.set(Wish::Fewer);
        assert_eq!(scaling.wish(), Some(Wish::More));
    }
}
