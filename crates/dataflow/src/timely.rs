//! The only place where names of timely and differential dataflow are imported.

pub use ::timely::communication::{Allocator, Push};
pub use ::timely::container::NoopBuilder;
pub use ::timely::dataflow::channels::pact::{DistributorPact, Pipeline};
pub use ::timely::dataflow::channels::pushers::exchange::Distributor;
pub use ::timely::dataflow::channels::{ContainerBytes, Message};
pub use ::timely::dataflow::operators::generic::OutputBuilder;
pub use ::timely::dataflow::operators::generic::builder_rc::OperatorBuilder;
pub use ::timely::dataflow::operators::probe::{Handle as ProbeHandle, Probe};
pub use ::timely::dataflow::operators::{Capability, InputCapability};
pub use ::timely::dataflow::{Scope, Stream};
pub use ::timely::progress::frontier::MutableAntichain;
pub use ::timely::progress::{Stamp, Timestamp as TimelyTimestamp};
pub use ::timely::scheduling::SyncActivator;
pub use ::timely::worker::Worker;
pub use ::timely::{Accountable, CommunicationConfig, Config, WorkerConfig, execute};

pub use ::timely::bytes::arc::Bytes;

use crate::driver::Edge;
use ::timely::dataflow::operators::core::Concatenate;

/// All packets of several streams.
pub fn concatenate<'scope>(
    scope: Scope<'scope, u64>,
    edges: impl Iterator<Item = Edge<'scope>>,
) -> Edge<'scope> {
    scope.concatenate(edges)
}
