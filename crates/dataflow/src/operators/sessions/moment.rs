//! Times as keys of an order, and back as cells.

use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, TimestampNanosecondType};
use arrow_array::{Float64Array, Int64Array, TimestampNanosecondArray};
use arrow_buffer::ScalarBuffer;
use pathway_types::encoding::decode;
use pathway_types::{Column, ColumnBuilder, DType, Value};

use crate::operators::ship_timed::{float_of_tick, tick_of_float};
use crate::store::OrderKey;
use crate::store::ordered::Text;

/// A time that compares fast, in the order of values. Masked cells become some moment or other.
pub trait Moment: Clone + Ord + Hash + Debug + 'static {
    /// One for each cell of a column.
    fn of(column: &Column, dtype: &DType) -> Vec<Self>;
    /// The cells.
    fn column(moments: &[&Self], dtype: &DType) -> Column;
    /// The moment so much later. Only numbers and datetimes have one.
    fn after(&self, distance: &Distance) -> Self;
}

/// How far moments are apart.
#[derive(Clone, Debug)]
pub enum Distance {
    /// Of integers and datetimes.
    Whole(i64),
    /// Of floats.
    Real(f64),
}

/// A number or a datetime.
pub type Tick = i64;

/// True if times of this dtype can be [`Tick`]s.
pub fn is_tick(dtype: &DType) -> bool {
    matches!(dtype, DType::Int | DType::Float | DType::DateTimeNaive | DType::DateTimeUtc)
}

impl Moment for Tick {
    fn of(column: &Column, dtype: &DType) -> Vec<Tick> {
        let array = column.array();
        match dtype {
            DType::Float => {
                array.as_primitive::<Float64Type>().values().iter().map(|v| tick_of_float(*v)).collect()
            }
            DType::Int => array.as_primitive::<Int64Type>().values().to_vec(),
            _ => array.as_primitive::<TimestampNanosecondType>().values().to_vec(),
        }
    }

    fn column(moments: &[&Tick], dtype: &DType) -> Column {
        let ticks = || ScalarBuffer::from(moments.iter().map(|tick| **tick).collect::<Vec<_>>());
        Column::new(match dtype {
            DType::Float => {
                let floats = moments.iter().map(|tick| float_of_tick(**tick));
                Arc::new(floats.collect::<Float64Array>())
            }
            DType::DateTimeNaive => Arc::new(TimestampNanosecondArray::new(ticks(), None)),
            DType::DateTimeUtc => Arc::new(TimestampNanosecondArray::new(ticks(), None).with_timezone("UTC")),
            _ => Arc::new(Int64Array::new(ticks(), None)),
        })
    }

    fn after(&self, distance: &Distance) -> Tick {
        match distance {
            Distance::Whole(distance) => self.saturating_add(*distance),
            Distance::Real(distance) => tick_of_float(float_of_tick(*self) + distance),
        }
    }
}

impl Moment for Text {
    fn of(column: &Column, dtype: &DType) -> Vec<Text> {
        OrderKey::of(column, dtype)
    }

    fn column(moments: &[&Text], dtype: &DType) -> Column {
        let mut cells = ColumnBuilder::new(dtype, moments.len());
        moments.iter().for_each(|text| cells.push(&decode(text).unwrap_or(Value::Error)));
        cells.finish()
    }

    fn after(&self, _distance: &Distance) -> Text {
        self.clone()
    }
}
