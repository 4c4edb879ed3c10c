//! `to_string`: the engine's text form of any value.

use pathway_types::DType;
use pathway_types::text;
use pathway_types::view::CellView;

use super::cast::write_texts;
use super::{bools, floats, ints, texts};
use crate::evaluate::cells::{Cells, Data, Strict};

/// A text per row; only errors stay what they are.
pub(crate) fn to_string((operand, dtype): (&Cells, &DType), rows: usize) -> Cells {
    let frame = Strict::none_allowed(&[(operand, dtype)], rows);
    let nones = operand.nones(dtype, rows);
    let plain = nones.is_none() && !matches!(dtype, DType::Future(_));
    if *dtype == DType::Str && plain {
        return operand.clone();
    }
    let none = |row: usize| nones.as_ref().is_some_and(|nones| nones.value(row));
    let spread = operand.spread_none(dtype, rows);
    macro_rules! each {
        ($values:expr, |$out:ident, $value:ident| $write:expr) => {{
            let values = $values;
            write_texts(frame, |$out, row| match none(row) {
                true => $out.push_str("None"),
                false => {
                    let $value = values.get(row);
                    $write
                }
            })
        }};
    }
    match dtype.unoptional() {
        DType::Int => each!(ints(&spread), |out, value| text::write_int(out, value)),
        DType::Float => each!(floats(&spread), |out, value| text::write_float(out, value)),
        DType::DateTimeNaive => each!(ints(&spread), |out, value| text::write_naive(out, value)),
        DType::DateTimeUtc => each!(ints(&spread), |out, value| text::write_utc(out, value)),
        DType::Duration => each!(ints(&spread), |out, value| text::write_duration(out, value)),
        DType::Str | DType::Json => each!(texts(&spread), |out, value| out.push_str(value)),
        DType::Bool => {
            let bits = bools(&spread, rows);
            write_texts(frame, |out, row| {
                out.push_str(match (none(row), bits.value(row)) {
                    (true, _) => "None",
                    (false, true) => "True",
                    (false, false) => "False",
                });
            })
        }
        _ => match &operand.data {
            Data::Scalar(value) => write_texts(frame, |out, _| text::write_value(out, value)),
            Data::Rows(column) => {
                let view = CellView::new(column, dtype);
                write_texts(frame, |out, row| text::write_value(out, &view.value(row)))
            }
        },
    }
}
