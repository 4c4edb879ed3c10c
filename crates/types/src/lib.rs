//! Values, dtypes, keys, schemas and Arrow batches.
//!
//! Everything that flows through the engine is a [`Batch`]: a lane of 128-bit row [`Key`]s, one
//! [`Column`] per field (an Arrow array plus a mask of error cells) and a [`Diffs`] lane. What a
//! column holds is told by its [`DType`]; how a dtype is laid out in Arrow is decided in
//! [`storage`] and nowhere else. A single cell, wherever one is needed (UDFs, dynamic columns,
//! tests), is a [`Value`].

pub mod batch;
pub mod builder;
pub mod column;
pub mod dtype;
pub mod encoding;
pub mod error;
pub mod json;
pub mod key;
pub mod ndarray;
pub mod schema;
pub mod storage;
pub mod text;
pub mod value;
pub mod view;

pub use batch::{Batch, Diffs, Keys};
pub use builder::ColumnBuilder;
pub use column::Column;
pub use dtype::DType;
pub use error::{DataError, ErrorKind};
pub use json::JsonText;
pub use key::{Key, KeyHasher};
pub use ndarray::NdArray;
pub use schema::{Field, Schema};
pub use value::{PyObject, Value};
pub use view::CellView;

/// A logical time: even for original data, odd for the engine's own retractions.
pub type Timestamp = u64;
