//! Typing of reducers.

use pathway_types::DType;

use super::{list_types, refuse_futures};
use crate::{BinaryOp, Expr, ExprError, ExprKind, Reducer};

impl Expr {
    /// An aggregate of a group's rows.
    ///
    /// # Errors
    /// [`ExprError::Type`] if the reducer does not take these types or that many arguments;
    /// [`ExprError::Value`] for a parameter out of its domain.
    pub fn reducer(reducer: Reducer, arguments: Vec<Expr>) -> Result<Expr, ExprError> {
        refuse_futures(&format!("reducers.{}", reducer.name()), &arguments)?;
        if let (Reducer::Avg, [array]) = (&reducer, arguments.as_slice())
            && matches!(array.dtype(), DType::Array { .. })
        {
            let sum = Expr::reducer(Reducer::Sum { strict: false }, vec![array.clone()])?;
            return Expr::binary(BinaryOp::TrueDiv, sum, Expr::reducer(Reducer::Count, arguments)?);
        }
        let dtype = reducer.result_type(&arguments)?;
        Ok(Expr::node(ExprKind::Reducer(reducer, arguments), dtype))
    }
}

impl Reducer {
    /// True if ids of rows decide on the order of values, or on which of them it is.
    pub fn goes_by_ids(&self) -> bool {
        matches!(
            self,
            Reducer::Any
                | Reducer::Tuple { .. }
                | Reducer::NdArray { .. }
                | Reducer::Earliest
                | Reducer::Latest
        )
    }

    /// The name the user knows it by.
    pub fn name(&self) -> &str {
        match self {
            Reducer::Count => "count",
            Reducer::Sum { .. } => "sum",
            Reducer::Avg => "avg",
            Reducer::Variance { root: false } => "var_pop",
            Reducer::Variance { root: true } => "stddev",
            Reducer::Min => "min",
            Reducer::Max => "max",
            Reducer::ArgMin => "argmin",
            Reducer::ArgMax => "argmax",
            Reducer::Unique => "unique",
            Reducer::Any => "any",
            Reducer::Tuple { .. } => "tuple",
            Reducer::SortedTuple { .. } => "sorted_tuple",
            Reducer::NdArray { .. } => "ndarray",
            Reducer::CountDistinct => "count_distinct",
            Reducer::CountDistinctApproximate { .. } => "count_distinct_approximate",
            Reducer::Earliest => "earliest",
            Reducer::Latest => "latest",
            Reducer::Custom(custom) => custom.name(),
        }
    }

    fn result_type(&self, arguments: &[Expr]) -> Result<DType, ExprError> {
        let count = match self {
            Reducer::Count
            | Reducer::CountDistinct
            | Reducer::CountDistinctApproximate { .. }
            | Reducer::Custom(_) => None,
            Reducer::ArgMin | Reducer::ArgMax => Some(2),
            _ => Some(1),
        };
        if let Some(count) = count
            && arguments.len() != count
        {
            return Err(ExprError::Type(format!(
                "the reducer {} takes {count} argument(s), {} were given",
                self.name(),
                arguments.len()
            )));
        }
        let argument = || arguments[0].dtype().clone();
        let member = |skip_nones: bool| {
            let dtype = argument();
            if skip_nones { dtype.unoptional().clone() } else { dtype }
        };
        Ok(match self {
            Reducer::Count | Reducer::CountDistinct => DType::Int,
            Reducer::CountDistinctApproximate { precision } => {
                if !(4..=18).contains(precision) {
                    return Err(ExprError::Value(format!(
                        "the precision of count_distinct_approximate must be from 4 to 18, it is {precision}"
                    )));
                }
                DType::Int
            }
            Reducer::Sum { .. } => match argument() {
                dtype @ (DType::Int | DType::Float | DType::Array { .. }) => dtype,
                _ => return Err(self.refusal(arguments)),
            },
            Reducer::Avg | Reducer::Variance { .. } => match argument() {
                DType::Int | DType::Float => DType::Float,
                _ => return Err(self.refusal(arguments)),
            },
            Reducer::Min
            | Reducer::Max
            | Reducer::Unique
            | Reducer::Any
            | Reducer::Earliest
            | Reducer::Latest => argument(),
            Reducer::ArgMin | Reducer::ArgMax => arguments[1].dtype().clone(),
            Reducer::Tuple { skip_nones } | Reducer::SortedTuple { skip_nones } => {
                DType::list(member(*skip_nones))
            }
            Reducer::NdArray { skip_nones } => match member(*skip_nones) {
                DType::Int | DType::Float | DType::Array { .. } | DType::Tuple(_) | DType::List(_) => {
                    DType::array(None, DType::Any)
                }
                _ => return Err(self.refusal(arguments)),
            },
            Reducer::Custom(custom) => custom.return_type().clone(),
        })
    }

    fn refusal(&self, arguments: &[Expr]) -> ExprError {
        let hint = match arguments.first() {
            Some(e) if e.dtype().is_optional() => match self {
                Reducer::NdArray { .. } => "; pass skip_nones=True, or remove None first",
                _ => "; remove None first, with coalesce or a filter on is_not_none()",
            },
            _ => "",
        };
        ExprError::Type(format!(
            "the reducer {} does not work on a column of type {}{hint}",
            self.name(),
            list_types(arguments)
        ))
    }
}
