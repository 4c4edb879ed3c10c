//! PostgreSQL.
//!
//! A [`PostgresSource`] reads the rows of a table. A [`PostgresSink`] writes a table's changes, or keeps a copy of its current rows.
//!
//! | | |
//! |---|---|
//! | row keys | the primary key of the schema, else the place in the order in which they come |
//! | writing | each change once for a run: a minibatch is a transaction, and one whose end is in doubt is asked about |

mod catalog;
mod client;
mod encode;
mod scan;
mod settings;
mod sink;
mod source;
mod stream;
mod target;
mod writer;

pub use settings::{Password, PostgresSettings, Secret, SslMode};
pub use sink::PostgresSink;
pub use source::PostgresSource;
pub use target::{Content, InitMode};
