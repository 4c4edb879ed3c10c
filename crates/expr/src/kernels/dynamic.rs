//! Arithmetic and order where only the values tell the types: on ANY, and on Json.
//!
//! A Json value counts as what it holds: a number, a text, a truth value, or for order a list. None
//! and JSON null give None. Rows whose operands are of the same two types go together through the
//! kernel of these types.

use pathway_types::view::CellView;
use pathway_types::{ColumnBuilder, DType, DataError, ErrorKind, JsonText, Value};

use super::{arrays, sequence};
use crate::BinaryOp;
use crate::build::operators::{is_arithmetic, is_dynamic, result_type};
use crate::evaluate::cells::{Cells, Strict};
use crate::evaluate::frame;
use crate::layout::kind_name;

/// Rows whose operands are of the same two types.
struct Group {
    types: (DType, DType),
    result: DType,
    rows: Vec<u32>,
    left: ColumnBuilder,
    right: ColumnBuilder,
}

/// `left op right` for arithmetic and the four comparisons by order.
pub(crate) fn binary(
    op: BinaryOp,
    left: (&Cells, &DType),
    right: (&Cells, &DType),
    dtype: &DType,
    rows: usize,
) -> Cells {
    let mut answers = Answers::new(&[left, right], rows);
    match is_arithmetic(op) {
        true => arithmetic(op, left, right, dtype, &mut answers),
        false => order(op, left, right, &mut answers),
    }
    answers.finish(dtype)
}

fn arithmetic(
    op: BinaryOp,
    left: (&Cells, &DType),
    right: (&Cells, &DType),
    dtype: &DType,
    answers: &mut Answers,
) {
    let mut groups: Vec<Group> = Vec::new();
    answers.of_pairs(left, right, |row, l, r| {
        let (l, r) = match (l, r) {
            (Value::Int(l), Value::Float(r)) => (Value::Float(l as f64), Value::Float(r)),
            (Value::Float(l), Value::Int(r)) => (Value::Float(l), Value::Float(r as f64)),
            pair => pair,
        };
        let types = (l.natural_dtype(), r.natural_dtype());
        let at = match groups.iter().position(|group| group.types == types) {
            Some(at) => at,
            None => {
                groups.push(Group::new(op, types, dtype)?);
                groups.len() - 1
            }
        };
        groups[at].rows.push(row as u32);
        groups[at].left.push(&l);
        groups[at].right.push(&r);
        // The kernel answers.
        Ok(Value::None)
    });
    for Group { types, result, rows: members, mut left, mut right } in groups {
        let (left, right) = (Cells::rows(left.finish()), Cells::rows(right.finish()));
        let cells = frame::binary(op, (&left, &types.0), (&right, &types.1), &result, members.len());
        let column = cells.column(&result, members.len());
        let view = CellView::new(&column, &result);
        for (at, row) in members.iter().enumerate() {
            answers.values[*row as usize] = view.value(at);
        }
        for (at, cause) in cells.causes.as_slice() {
            answers.fail(members[*at as usize] as usize, cause.clone());
        }
    }
}

impl Group {
    fn new(op: BinaryOp, types: (DType, DType), dtype: &DType) -> Result<Group, DataError> {
        match result_type(op, &types.0, &types.1) {
            Some(result) if !is_dynamic(&result) && (*dtype == DType::Any || is_in_json(&result)) => {
                let (left, right) = (ColumnBuilder::new(&types.0, 0), ColumnBuilder::new(&types.1, 0));
                Ok(Group { types, result, rows: Vec::new(), left, right })
            }
            _ => Err(DataError::new(
                ErrorKind::Type,
                format!(
                    "the operator {} is not defined on values of kinds {} and {}",
                    op.name(),
                    kind_name(&types.0),
                    kind_name(&types.1)
                ),
            )),
        }
    }
}

fn order(op: BinaryOp, left: (&Cells, &DType), right: (&Cells, &DType), answers: &mut Answers) {
    let is_nan = |value: &Value| matches!(value, Value::Float(number) if number.is_nan());
    answers.of_pairs(left, right, |_, l, r| {
        let order = sequence::order(&l, &r)?;
        if is_nan(&l) || is_nan(&r) {
            return Ok(Value::Bool(false));
        }
        Ok(Value::Bool(match op {
            BinaryOp::Lt => order.is_lt(),
            BinaryOp::Le => order.is_le(),
            BinaryOp::Gt => order.is_gt(),
            _ => order.is_ge(),
        }))
    });
}

/// `-operand`.
pub(crate) fn negate(operand: (&Cells, &DType), dtype: &DType, rows: usize) -> Cells {
    let mut answers = Answers::new(&[operand], rows);
    answers.of_pairs(operand, operand, |_, value, _| {
        Ok(match value {
            Value::Int(number) => Value::Int(number.wrapping_neg()),
            Value::Float(number) => Value::Float(-number),
            Value::Duration(length) => Value::Duration(length.wrapping_neg()),
            other => match arrays::negated(&other) {
                Some(negated) => negated,
                None => return Err(DataError::type_mismatch("number, Duration or array", other)),
            },
        })
    });
    answers.finish(dtype)
}

/// One value for each row; those that are errors are so in `frame`, too.
struct Answers {
    frame: Strict,
    values: Vec<Value>,
}

impl Answers {
    fn new(operands: &[(&Cells, &DType)], rows: usize) -> Answers {
        let frame = Strict::none_allowed(operands, rows);
        let values = (0..rows).map(|row| if frame.is_valid(row) { Value::None } else { Value::Error });
        Answers { values: values.collect(), frame }
    }

    fn fail(&mut self, row: usize, error: DataError) {
        self.values[row] = Value::Error;
        self.frame.fail(row, error);
    }

    /// Those that `f` gives for the rows in which neither operand is None or an error.
    fn of_pairs(
        &mut self,
        left: (&Cells, &DType),
        right: (&Cells, &DType),
        mut f: impl FnMut(usize, Value, Value) -> Result<Value, DataError>,
    ) {
        let rows = self.values.len();
        let (l, r) = (left.0.column(left.1, rows), right.0.column(right.1, rows));
        let (l, r) = (CellView::new(&l, left.1), CellView::new(&r, right.1));
        for row in 0..rows {
            if !self.frame.is_valid(row) {
                continue;
            }
            match (plain(l.value(row)), plain(r.value(row))) {
                (Value::None, _) | (_, Value::None) => {}
                (l, r) => match f(row, l, r) {
                    Ok(value) => self.values[row] = value,
                    Err(error) => self.fail(row, error),
                },
            }
        }
    }

    fn finish(mut self, dtype: &DType) -> Cells {
        let mut out = ColumnBuilder::new(dtype, self.values.len());
        for row in 0..self.values.len() {
            match (std::mem::replace(&mut self.values[row], Value::None), dtype) {
                (Value::Error, _) => out.push_error(),
                (value, DType::Json) => match json_of(&value) {
                    Some(json) => out.push(&Value::Json(json)),
                    None => {
                        self.frame.fail(row, DataError::value(format!("{value} has no form in Json")));
                        out.push_error();
                    }
                },
                (value, _) => out.push(&value),
            }
        }
        self.frame.finish_column(&out.finish())
    }
}

/// What a Json value holds, as a value of the engine; objects stay Json.
fn plain(value: Value) -> Value {
    fn of_json(json: serde_json::Value) -> Value {
        match json {
            serde_json::Value::Null => Value::None,
            serde_json::Value::Bool(value) => Value::Bool(value),
            serde_json::Value::String(text) => Value::from(&*text),
            serde_json::Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(int), _) => Value::Int(int),
                (None, Some(float)) => Value::Float(float),
                (None, None) => Value::Json(JsonText::from_value(&number.into())),
            },
            serde_json::Value::Array(members) => Value::tuple(members.into_iter().map(of_json)),
            object @ serde_json::Value::Object(_) => Value::Json(JsonText::from_value(&object)),
        }
    }
    match value {
        Value::Json(json) => of_json(json.to_value()),
        other => other,
    }
}

/// True if Json holds values of this type.
fn is_in_json(dtype: &DType) -> bool {
    matches!(dtype, DType::Int | DType::Float | DType::Str)
}

/// A number or a text as Json; None is null, and what is no number in Json has no form.
fn json_of(value: &Value) -> Option<JsonText> {
    Some(JsonText::from_value(&match value {
        Value::None => serde_json::Value::Null,
        Value::Int(number) => (*number).into(),
        Value::Float(number) => serde_json::Number::from_f64(*number)?.into(),
        Value::Str(text) => (**text).into(),
        _ => return None,
    }))
}
