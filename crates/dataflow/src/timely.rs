//! The only place where names of timely and differential dataflow are imported.

pub use ::timely::communication::allocator::ProcessBuilder;
pub use ::timely::communication::allocator::zero_copy::initialize::initialize_networking_from_sockets;
pub use ::timely::communication::allocator::zero_copy::stream::Stream as LinkStream;
pub use ::timely::communication::{Allocator, AllocatorBuilder, Hooks, Push};
pub use ::timely::container::NoopBuilder;
pub use ::timely::dataflow::channels::pact::{DistributorPact, Pipeline};
pub use ::timely::dataflow::channels::pushers::exchange::Distributor;
pub use ::timely::dataflow::channels::{ContainerBytes, Message};
pub use ::timely::dataflow::operators::generic::OutputBuilder;
pub use ::timely::dataflow::operators::generic::builder_rc::OperatorBuilder;
pub use ::timely::dataflow::operators::probe::{Handle as ProbeHandle, Probe};
pub use ::timely::dataflow::operators::{Capability, InputCapability};
pub use ::timely::dataflow::{Scope, Stream};
pub use ::timely::execute::execute_from;
pub use ::timely::progress::frontier::MutableAntichain;
pub use ::timely::progress::{Stamp, Timestamp as TimelyTimestamp};
pub use ::timely::scheduling::{Activator, SyncActivator};
pub use ::timely::worker::Worker;
pub use ::timely::{Accountable, CommunicationConfig, Config, WorkerConfig, execute};

pub use ::timely::bytes::arc::Bytes;

// Loops and partially ordered times, used by `lattice` only.
pub use ::timely::Container;
pub use ::timely::container::{ContainerBuilder, PushInto};
pub use ::timely::dataflow::channels::pact::ParallelizationContract;
pub use ::timely::dataflow::operators::CapabilitySet;
pub use ::timely::dataflow::operators::core::input::{Handle as InputHandle, Input};
pub use ::timely::dataflow::operators::generic::Operator as StreamOperator;
pub use ::timely::order::{PartialOrder, Product};
pub use ::timely::progress::frontier::AntichainRef;
pub use ::timely::progress::timestamp::Refines;
pub use ::timely::progress::{Antichain, PathSummary};

pub use ::differential_dataflow::collection::containers::{Enter, Leave, Negate, ResultsIn};
pub use ::differential_dataflow::dynamic::feedback_summary;
pub use ::differential_dataflow::dynamic::pointstamp::PointStamp;
pub use ::differential_dataflow::lattice::Lattice;
pub use ::differential_dataflow::operators::ValueHistory;
pub use ::differential_dataflow::operators::arrange::arrangement::arrange_core;
pub use ::differential_dataflow::operators::arrange::{Arranged, TraceAgent};
pub use ::differential_dataflow::operators::int_proxy::{
    KeyPosition, ProxyReduceBackend, ProxyReduceTactic, ReduceInstance, ReduceWindow,
};
pub use ::differential_dataflow::operators::iterate::Variable as LoopVariable;
pub use ::differential_dataflow::operators::join::{Fresh, JoinTactic, join_with_tactic};
pub use ::differential_dataflow::operators::reduce::reduce_with_tactic;
pub use ::differential_dataflow::trace::Description;
pub use ::differential_dataflow::trace::chunk::{
    Chunk, ChunkBatch, ChunkBatcher, ChunkSpine, is_graded, pack, settle_all,
};
pub use ::differential_dataflow::{AsCollection, Collection};

use crate::driver::Edge;
use ::timely::dataflow::operators::core::Concatenate;

/// All packets of several streams.
pub fn concatenate<'scope>(
    scope: Scope<'scope, u64>,
    edges: impl Iterator<Item = Edge<'scope>>,
) -> Edge<'scope> {
    scope.concatenate(edges)
}
