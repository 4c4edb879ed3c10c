//! Connectors to external systems, and the formats they speak.
//!
//! [`formats`] turns bytes into rows and rows into bytes and knows no system; every other module is
//! one system and knows no format. A source of record files is therefore a system module plus a
//! [`formats::FormatSpec`]; what it hands out is described by the traits of `pathway-io`.
//!
//! | module | reads | writes |
//! |---|---|---|
//! | [`fs`] | files, directories, globs; static and streaming | csv and JSON lines files |
//! | [`kafka`] | topics of a broker; static and streaming | messages |
//! | [`null`] | – | nothing, on purpose |
//! | [`postgres`] | tables of a database | changes, or current rows |

pub mod formats;
pub mod fs;
#[cfg(feature = "kafka")]
pub mod kafka;
pub mod null;
#[cfg(feature = "postgres")]
pub mod postgres;
