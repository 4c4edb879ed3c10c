//! PostgreSQL.
//!
//! A [`PostgresSource`] reads the rows of a table, and follows its changes by logical replication. A [`PostgresSink`] writes a table's changes, or keeps a copy of its current rows.
//!
//! | | |
//! |---|---|
//! | modes | static, streaming |
//! | order | by transaction, none of which is split |
//! | position | the place in the log behind the last transaction; a slot keeps what follows |
//! | row keys | the primary key of the schema, else the place in the order in which they come |
//! | writing | each change once: a minibatch is a transaction, and one whose end is in doubt is asked about; runs that can be gone on with write whole checkpoints, with their numbers |

mod catalog;
mod changes;
mod client;
mod commits;
mod encode;
mod follow;
mod plan;
mod scan;
mod session;
mod settings;
mod sink;
mod source;
mod start;
mod stream;
mod target;
mod wal;
mod writer;

pub use settings::{Password, PostgresSettings, Secret, SslMode};
pub use sink::PostgresSink;
pub use source::{PostgresSource, Stream};
pub use target::{Content, InitMode};
