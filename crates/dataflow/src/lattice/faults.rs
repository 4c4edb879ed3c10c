//! Errors of rows inside loops.
//!
//! Row-wise work sees changes as they come; some of them cancel each other and were never there at any
//! time. So an error waits until nothing more can come at its time, and is reported if the row that
//! failed is one of those that the time brought.

use hashbrown::HashMap;
use pathway_types::{Batch, DataError};

use super::packet::{Flow, TimedPacket};
use super::time::LatticeTime;
use crate::context::{Context, Faults, Site};
use crate::timely::{AntichainRef, NoopBuilder, Pipeline, StreamOperator};

/// Changes each packet row by row; the errors of rows are reported once they are known to be there.
pub(super) fn per_row<'scope, T: LatticeTime>(
    flow: Flow<'scope, T>,
    name: &str,
    context: Context,
    mut change: impl FnMut(Batch, &mut dyn Faults) -> Batch + 'static,
) -> Flow<'scope, T> {
    let stream = flow.inner.unary_frontier::<NoopBuilder<TimedPacket<T>>, _, _, _>(Pipeline, name, |_, _| {
        let mut waiting = Waiting { faults: Vec::new() };
        move |(input, frontier), output| {
            input.for_each(|capability, packet| {
                if context.is_stopped() {
                    return;
                }
                let mut packet = waiting.apply(std::mem::take(packet), &mut change);
                if !packet.is_empty() {
                    output.session_with_builder(&capability).give_container(&mut packet);
                }
            });
            if !waiting.faults.is_empty() {
                waiting.report(frontier.frontier(), &context);
            }
        }
    });
    Flow::new(stream)
}

/// Errors whose time has not passed.
struct Waiting<T> {
    faults: Vec<(T, Fault, i64)>,
}

/// An error of a row.
struct Fault {
    key: u128,
    site: Site,
    error: DataError,
}

/// Errors of a packet: the fault, and what the row has as its diff.
#[derive(Default)]
struct Met(Vec<(Fault, i64)>);

impl Faults for Met {
    fn fault(&mut self, batch: &Batch, row: usize, site: &Site, error: &DataError) {
        let fault = Fault { key: batch.keys.as_slice()[row], site: site.clone(), error: error.clone() };
        self.0.push((fault, batch.diffs.get(row)));
    }
}

impl<T: LatticeTime> Waiting<T> {
    fn apply(
        &mut self,
        packet: TimedPacket<T>,
        change: &mut impl FnMut(Batch, &mut dyn Faults) -> Batch,
    ) -> TimedPacket<T> {
        let (times, diffs) = (packet.times.clone(), packet.batch.diffs.clone());
        let mut met = Met::default();
        let changed = packet.per_row(|batch| change(batch, &mut met));
        self.faults.extend(met.0.into_iter().map(|(fault, diff)| match times.shared() {
            Some(time) => (time.clone(), fault, diff),
            // In place of the diff there was the row's position, from 1.
            None => {
                let row = diff as usize - 1;
                (times.get(row).clone(), fault, diffs.get(row))
            }
        }));
        changed
    }

    /// Reports what has passed and was there.
    fn report(&mut self, frontier: AntichainRef<'_, T>, context: &Context) {
        let passed = self.faults.extract_if(.., |(time, ..)| !frontier.less_equal(time));
        let mut sums: HashMap<(T, u128, usize, String), (Fault, i64)> = HashMap::new();
        for (time, fault, diff) in passed {
            let line = fault.site.frame.as_ref().map_or(0, |frame| frame.line as usize);
            let identity = (time, fault.key, line, fault.error.to_string());
            sums.entry(identity).or_insert((fault, 0)).1 += diff;
        }
        let mut there: Vec<Fault> =
            sums.into_values().filter(|(_, count)| *count > 0).map(|(fault, _)| fault).collect();
        there.sort_by_key(|fault| fault.key);
        there.iter().for_each(|fault| context.data_error(&fault.site, &fault.error));
    }
}
