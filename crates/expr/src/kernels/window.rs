//! Which windows of a regular grid hold a time.
//!
//! Window `k` starts at `hop * k + origin`. Floats are compared with exactly what this formula gives
//! as a float, so that a time on a border is in one window and not in its neighbour, whatever the
//! rounding.

use std::sync::Arc;

use arrow_array::{Int64Array, LargeListArray};
use arrow_buffer::{OffsetBuffer, ScalarBuffer};
use arrow_schema::DataType;
use pathway_types::storage::list_item;
use pathway_types::{DType, DataError};

use super::call::Call;
use super::{floats, int_array, ints};
use crate::evaluate::cells::{Cells, Strict};
use crate::grid::{clamped, numbers_of_windows};

/// Beyond so many windows from the origin neighbours may have equal borders.
const MANY: f64 = (1u64 << 52) as f64;

/// Windows on whole numbers: integers, and nanoseconds of datetimes.
struct Whole {
    hop: i64,
    span: i128,
    origin: i64,
}

impl Whole {
    #[inline]
    fn last(&self, time: i64) -> i64 {
        match time.checked_sub(self.origin) {
            Some(distance) => distance.div_euclid(self.hop),
            None => clamped((i128::from(time) - i128::from(self.origin)).div_euclid(i128::from(self.hop))),
        }
    }

    /// The first window that has not ended at the time.
    #[inline]
    fn first(&self, time: i64) -> i64 {
        let distance = i128::from(time) - i128::from(self.origin) - self.span;
        clamped(distance.div_euclid(i128::from(self.hop)) + 1)
    }
}

/// Windows on floats.
struct Real {
    hop: f64,
    span: f64,
    ratio: i64,
    origin: f64,
}

impl Real {
    #[inline]
    fn start(&self, number: i64) -> f64 {
        self.hop * number as f64 + self.origin
    }

    #[inline]
    fn end(&self, number: i64) -> f64 {
        if self.ratio > 0 {
            self.start(number.saturating_add(self.ratio))
        } else {
            self.hop * number as f64 + self.span + self.origin
        }
    }

    #[inline]
    fn last(&self, time: f64) -> Result<i64, DataError> {
        let estimate = ((time - self.origin) / self.hop).floor();
        if estimate.is_nan() || estimate.abs() >= MANY {
            return Err(no_window(time));
        }
        let mut number = estimate as i64;
        while self.start(number) > time {
            number -= 1;
        }
        while self.start(number + 1) <= time {
            number += 1;
        }
        Ok(number)
    }

    /// The first window that has not ended at the time, given the last one that has started.
    #[inline]
    fn first(&self, time: f64, last: i64) -> i64 {
        if self.ratio > 0 {
            return last - self.ratio + 1;
        }
        let mut number = ((time - self.origin - self.span) / self.hop).floor() as i64 + 1;
        while self.end(number - 1) > time {
            number -= 1;
        }
        while number <= last && self.end(number) <= time {
            number += 1;
        }
        number
    }
}

fn no_window(time: f64) -> DataError {
    DataError::value(format!("the time {time} is in no window: it is not finite, or too far from the origin"))
}

/// `window.number(time, hop, origin)`.
pub(crate) fn number(call: &Call<'_>) -> Cells {
    let mut frame = Strict::of(&[call.side(0)], call.rows);
    let time = &call.operands[0];
    let numbers: Vec<i64> = if *call.types[0] == DType::Float {
        let windows = Real {
            hop: floats(&call.operands[1]).get(0),
            span: 0.0,
            ratio: 1,
            origin: floats(&call.operands[2]).get(0),
        };
        let lane = floats(time);
        let mut one = |row: usize| match windows.last(lane.get(row)) {
            Ok(number) => number,
            Err(error) => {
                if frame.is_valid(row) {
                    frame.fail(row, error);
                }
                0
            }
        };
        (0..call.rows).map(&mut one).collect()
    } else {
        let windows =
            Whole { hop: ints(&call.operands[1]).get(0), span: 0, origin: ints(&call.operands[2]).get(0) };
        super::map(ints(time), call.rows, |time| windows.last(time))
    };
    frame.finish(|nulls| int_array(numbers, nulls, &DType::Int))
}

/// `window.numbers(time, hop, span, ratio, origin, least)`.
pub(crate) fn numbers(call: &Call<'_>) -> Cells {
    let mut frame = Strict::of(&[call.side(0)], call.rows);
    let [time, hop, span, ratio, origin, least] = call.operands else {
        let error = DataError::value("windows have six parameters");
        return Cells::failed(&error, call.dtype, call.rows, None);
    };
    let [ratio, least] = [ratio, least].map(|number| ints(number).get(0));
    let mut values: Vec<i64> = Vec::with_capacity(call.rows);
    let mut ends: Vec<i64> = Vec::with_capacity(call.rows + 1);
    ends.push(0);
    if *call.types[0] == DType::Float {
        let origin = floats(origin).get(0);
        let windows = Real { hop: floats(hop).get(0), span: floats(span).get(0), ratio, origin };
        let beginning = windows.start(least);
        let lane = floats(time);
        for row in 0..call.rows {
            let time = lane.get(row);
            match windows.last(time) {
                _ if !frame.is_valid(row) => {}
                Ok(last) => values
                    .extend((windows.first(time, last)..=last).filter(|k| windows.start(*k) >= beginning)),
                Err(error) => frame.fail(row, error),
            }
            ends.push(values.len() as i64);
        }
    } else {
        let hop = ints(hop).get(0);
        let span = match ratio {
            0 => i128::from(ints(span).get(0)),
            ratio => i128::from(hop) * i128::from(ratio),
        };
        let windows = Whole { hop, span, origin: ints(origin).get(0) };
        let (first, most) = numbers_of_windows(hop, span, windows.origin);
        let least = least.max(first);
        let lane = ints(time);
        for row in 0..call.rows {
            if frame.is_valid(row) {
                let (first, last) = (windows.first(lane.get(row)), windows.last(lane.get(row)));
                values.extend(first.max(least)..=last.min(most));
            }
            ends.push(values.len() as i64);
        }
    }
    frame.finish(|nulls| {
        let offsets = OffsetBuffer::new(ScalarBuffer::from(ends));
        let values = Arc::new(Int64Array::from(values));
        Arc::new(LargeListArray::new(list_item(DataType::Int64), offsets, values, nulls))
    })
}
