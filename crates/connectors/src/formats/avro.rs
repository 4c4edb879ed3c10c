//! Avro: records whose schema is written down elsewhere.
//!
//! A record is read with the schema that it was written with ([`WriterSchema`]), straight into the text of a JSON
//! object: from there on it is a message like others, of which columns take fields by name or by path. Fields that
//! no column reads, that the writer lacks, or that became optional since are no trouble that way.
//!
//! | Avro | JSON |
//! |---|---|
//! | `null`, `boolean`, `int`, `long`, `float`, `double` | native; a number that is not finite is `null` |
//! | `string`, `enum`, `uuid` | string; of Debezium's JSON type, the JSON itself |
//! | `bytes`, `fixed` | base64 |
//! | `timestamp-*`, `local-timestamp-*`, `date` | datetimes, with and without a zone |
//! | `time-*`, `duration` without months | nanoseconds |
//! | `decimal` | number |
//! | `record`, `map`, `array` | object, object, array |
//! | union | the value |
//!
//! Rows become records by [`AvroEncoder`].

mod decimal;
mod decode;
mod encode;
mod schema;

pub(crate) use encode::AvroEncoder;
pub(crate) use schema::WriterSchema;

#[cfg(test)]
mod tests;
