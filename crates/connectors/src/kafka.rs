//! Kafka, and brokers that speak its protocol.
//!
//! A [`KafkaSource`] reads the partitions of one topic; readers share them. Its messages are collected by
//! partition (`chunk`) and become rows on parser threads. A [`KafkaSink`] makes a message of every change.
//!
//! | | |
//! |---|---|
//! | modes | static (up to the end that is current when the run starts), streaming |
//! | order | by partition |
//! | position | by partition: the offset of the next message |
//! | row keys | the primary key, else topic, partition and offset; the message key on request |
//! | writing | exactly once in runs that can be gone on with: a transaction for each checkpoint |
//! | writing in other runs, or on request | at least once: brokers acknowledge a minibatch before the next one |

mod chunk;
mod client;
mod encode;
mod framing;
mod headers;
mod reader;
mod registry;
mod sink;
mod source;
mod start;
mod transactions;

pub use client::KafkaSettings;
pub use encode::MessageFormat;
pub use registry::{PayloadKind, RegistrySettings};
pub use sink::{KafkaSink, Subject, Topic};
pub use source::KafkaSource;
