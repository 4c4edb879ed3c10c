//! The aggregates of a group-by, for use inside `reduce`.
//!
//! ```
//! use pathway_plan::col;
//! use pathway_plan::col::reducers;
//! let mean = reducers::sum(col("v")) / reducers::count();
//! ```

use pathway_expr::{Expr, Reducer};

use super::{Col, row_id};

/// Any aggregate.
pub fn reducer(reducer: Reducer, arguments: impl IntoIterator<Item = impl Into<Col>>) -> Col {
    let arguments = arguments.into_iter().map(Into::into);
    Col::call(arguments, move |arguments| Expr::reducer(reducer.clone(), arguments))
}

/// The number of rows.
pub fn count() -> Col {
    reducer(Reducer::Count, [] as [Col; 0])
}

macro_rules! of_one_argument {
    ($($(#[$doc:meta])* $name:ident = $reducer:expr),*) => {$(
        $(#[$doc])*
        pub fn $name(argument: impl Into<Col>) -> Col {
            reducer($reducer, [argument])
        }
    )*};
}
of_one_argument!(
    /// The sum of INT, FLOAT or arrays.
    sum = Reducer::Sum { strict: false },
    /// The arithmetic mean.
    avg = Reducer::Avg,
    /// The population variance.
    variance = Reducer::Variance { root: false },
    /// The standard deviation of all values.
    deviation = Reducer::Variance { root: true },
    /// The least value.
    min = Reducer::Min,
    /// The greatest value.
    max = Reducer::Max,
    /// The common value; an error if there are several.
    unique = Reducer::Unique,
    /// The value of some row.
    any = Reducer::Any,
    /// All values in the group-by's order.
    tuple = Reducer::Tuple { skip_nones: false },
    /// All values in ascending order.
    sorted_tuple = Reducer::SortedTuple { skip_nones: false },
    /// All values in the group-by's order, as an array.
    ndarray = Reducer::NdArray { skip_nones: false },
    /// The value of the row with the lowest processing time.
    earliest = Reducer::Earliest,
    /// The value of the row with the highest processing time.
    latest = Reducer::Latest
);

/// The number of distinct combinations of values.
pub fn count_distinct(arguments: impl IntoIterator<Item = impl Into<Col>>) -> Col {
    reducer(Reducer::CountDistinct, arguments)
}

/// The id of the row with the least value.
pub fn argmin(argument: impl Into<Col>) -> Col {
    reducer(Reducer::ArgMin, [argument.into(), row_id()])
}

/// The id of the row with the greatest value.
pub fn argmax(argument: impl Into<Col>) -> Col {
    reducer(Reducer::ArgMax, [argument.into(), row_id()])
}
