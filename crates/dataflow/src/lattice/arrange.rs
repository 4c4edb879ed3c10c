//! Indexes of flows by key, shared by everything that reads them inside a loop.

use std::rc::Rc;

use pathway_types::Batch;

use super::chunk::{Sorter, TimedChunk};
use super::exchange::ByKey;
use super::packet::{Flow, TimedPacket};
use super::time::{LatticeTime, LoopTime};
use crate::timely::{
    Arranged, ChunkBatch, ChunkBatcher, ChunkSpine, DistributorPact, NoopBuilder, Pipeline, StreamOperator,
    TraceAgent, arrange_core,
};

/// The rows that a step of progress brought, in chunks.
pub type TimedBatch<T> = Rc<ChunkBatch<TimedChunk<T>>>;
/// All rows of an index, in batches of growing size.
pub type TimedSpine<T> = ChunkSpine<TimedChunk<T>>;
/// A flow ordered by key, with its history as far as readers need it.
pub type Index<'scope, T = LoopTime> = Arranged<'scope, TraceAgent<TimedSpine<T>>>;

/// Orders a flow by key, each key on the worker that owns it.
pub fn arrange<'scope, T: LatticeTime>(flow: Flow<'scope, T>, name: &str) -> Index<'scope, T> {
    let batcher = |logger, operator| ChunkBatcher::<Sorter<T>, TimedChunk<T>>::new(logger, operator);
    if flow.scope().peers() == 1 {
        arrange_core::<_, TimedPacket<T>, _, TimedSpine<T>>(flow.inner, Pipeline, name, batcher)
    } else {
        let by_key = DistributorPact(|_peers| ByKey);
        arrange_core::<_, TimedPacket<T>, _, TimedSpine<T>>(flow.inner, by_key, name, batcher)
    }
}

/// The changes of an index as a flow of rows whose ids are the index's keys.
pub fn changes<T: LatticeTime>(index: Index<'_, T>) -> Flow<'_, T> {
    index.as_container(|span| {
        let chunks = span.inner.map_or_else(Vec::new, |batch| batch.chunks.clone());
        chunks.into_iter().map(|chunk| chunk.packet())
    })
}

/// The changes of the keys of an index, without cells: nothing, where only the cells of a row change.
pub fn keys_of<T: LatticeTime>(index: Index<'_, T>) -> Flow<'_, T> {
    per_packet(changes(index), "keys", |packet| {
        let (keys, times) = (packet.batch.keys.as_slice(), &packet.times);
        let (mut rows, mut diffs): (Vec<u32>, Vec<i64>) = Default::default();
        // The changes of one key by the rank of their time: there are few, and many cancel each other.
        let mut changes: Vec<(u32, u32, i64)> = Vec::new();
        let mut start = 0;
        for equal in keys.chunk_by(|a, b| a == b) {
            let range = start..start + equal.len();
            start = range.end;
            changes.clear();
            changes.extend(range.map(|row| (times.rank(row), row as u32, packet.batch.diffs.get(row))));
            changes.sort_unstable();
            for same_time in changes.chunk_by(|a, b| a.0 == b.0) {
                let diff = same_time.iter().map(|(.., diff)| diff).sum();
                if diff != 0 {
                    rows.push(same_time[0].1);
                    diffs.push(diff);
                }
            }
        }
        let batch = Batch::new(packet.batch.keys.take(&rows), Vec::new(), diffs.into());
        TimedPacket { batch, times: times.take(&rows) }
    })
}

/// Adds up equal changes of equal times, on the worker that owns the row id.
pub fn consolidate<'scope, T: LatticeTime>(flow: Flow<'scope, T>, name: &str) -> Flow<'scope, T> {
    changes(arrange(flow, name))
}

/// Changes each packet on its own.
pub(super) fn per_packet<'scope, T: LatticeTime>(
    flow: Flow<'scope, T>,
    name: &str,
    mut change: impl FnMut(TimedPacket<T>) -> TimedPacket<T> + 'static,
) -> Flow<'scope, T> {
    let stream = flow.inner.unary::<NoopBuilder<TimedPacket<T>>, _, _, _>(Pipeline, name, |_, _| {
        move |input, output| {
            input.for_each(|capability, packet| {
                let mut packet = change(std::mem::take(packet));
                if !packet.is_empty() {
                    output.session_with_builder(&capability).give_container(&mut packet);
                }
            });
        }
    });
    Flow::new(stream)
}
