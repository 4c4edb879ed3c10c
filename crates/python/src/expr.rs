//! Typed expressions in Python: the constructors of `pathway-expr`, one method each.

use std::sync::Arc;

use pathway_expr::{BinaryOp, Expr, ExprError, Reducer, UnaryOp};
use pathway_plan::Frame;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::dtype::{PyDType, intern};
use crate::errors;
use crate::frame::{self, PyFrame};
use crate::mapping;
use crate::reducer::UserReducer;
use crate::table::PyTable;
use crate::udf::PyUdf;
use crate::value::Converter;

/// A typed expression.
#[pyclass(frozen, module = "pathway._engine", name = "Expr")]
#[derive(Clone)]
pub(crate) struct PyExpr {
    /// The expression.
    pub(crate) expr: Expr,
    /// The user's line, for operations that are given none of their own.
    pub(crate) frame: Option<Frame>,
}

impl From<Expr> for PyExpr {
    fn from(expr: Expr) -> Self {
        PyExpr { expr, frame: None }
    }
}

/// The expression that a constructor gave, or the exception for what it refused.
fn built(result: Result<Expr, ExprError>) -> PyResult<PyExpr> {
    result.map(PyExpr::from).map_err(errors::of_expr)
}

/// Expressions of Python arguments.
pub(crate) fn exprs(arguments: &[Bound<'_, PyExpr>]) -> Vec<Expr> {
    arguments.iter().map(|argument| argument.get().expr.clone()).collect()
}

#[pymethods]
impl PyExpr {
    #[getter]
    fn dtype(&self, py: Python<'_>) -> PyResult<Py<PyDType>> {
        intern(py, self.expr.dtype())
    }
    /// The same expression, attributed to a line of the user's program.
    fn with_frame(&self, frame: Option<&Bound<'_, PyFrame>>) -> PyExpr {
        PyExpr { expr: self.expr.clone(), frame: frame::given(frame) }
    }
    #[staticmethod]
    fn column(table: &Bound<'_, PyTable>, name: &str) -> PyResult<PyExpr> {
        table.get().table.column(name).map(PyExpr::from).map_err(errors::of_plan)
    }
    #[staticmethod]
    fn id(table: &Bound<'_, PyTable>) -> PyExpr {
        table.get().table.row_id().into()
    }
    #[staticmethod]
    fn constant(value: &Bound<'_, PyAny>, dtype: &Bound<'_, PyDType>) -> PyResult<PyExpr> {
        let dtype = dtype.get().0.clone();
        built(Expr::constant(Converter::new(&dtype).value(value)?, dtype))
    }
    #[staticmethod]
    fn binary(op: &str, left: &Bound<'_, PyExpr>, right: &Bound<'_, PyExpr>) -> PyResult<PyExpr> {
        built(Expr::binary(binary_op(op)?, left.get().expr.clone(), right.get().expr.clone()))
    }
    #[staticmethod]
    fn unary(op: &str, operand: &Bound<'_, PyExpr>) -> PyResult<PyExpr> {
        let op = match op {
            "neg" => UnaryOp::Neg,
            "invert" => UnaryOp::Not,
            _ => return Err(PyValueError::new_err(format!("there is no unary operator {op:?}"))),
        };
        built(Expr::unary(op, operand.get().expr.clone()))
    }
    fn is_none(&self) -> PyResult<PyExpr> {
        built(Expr::is_none(self.expr.clone()))
    }
    fn is_not_none(&self) -> PyResult<PyExpr> {
        built(Expr::is_not_none(self.expr.clone()))
    }
    #[staticmethod]
    fn if_else(
        condition: &Bound<'_, PyExpr>,
        then: &Bound<'_, PyExpr>,
        otherwise: &Bound<'_, PyExpr>,
    ) -> PyResult<PyExpr> {
        let (condition, then) = (condition.get().expr.clone(), then.get().expr.clone());
        built(Expr::if_else(condition, then, otherwise.get().expr.clone()))
    }
    #[staticmethod]
    fn coalesce(args: Vec<Bound<'_, PyExpr>>) -> PyResult<PyExpr> {
        built(Expr::coalesce(exprs(&args)))
    }
    #[staticmethod]
    fn require(value: &Bound<'_, PyExpr>, deps: Vec<Bound<'_, PyExpr>>) -> PyResult<PyExpr> {
        built(Expr::require(value.get().expr.clone(), exprs(&deps)))
    }
    fn unwrap(&self) -> PyResult<PyExpr> {
        built(Expr::unwrap(self.expr.clone()))
    }
    fn fill_error(&self, replacement: &Bound<'_, PyExpr>) -> PyResult<PyExpr> {
        built(Expr::fill_error(self.expr.clone(), replacement.get().expr.clone()))
    }
    #[staticmethod]
    fn make_tuple(args: Vec<Bound<'_, PyExpr>>) -> PyResult<PyExpr> {
        built(Expr::make_tuple(exprs(&args)))
    }
    fn cast(&self, target: &Bound<'_, PyDType>) -> PyResult<PyExpr> {
        built(Expr::cast(target.get().0.clone(), self.expr.clone()))
    }
    fn declare_type(&self, target: &Bound<'_, PyDType>) -> PyResult<PyExpr> {
        built(Expr::declare_type(target.get().0.clone(), self.expr.clone()))
    }
    fn narrow(&self) -> PyExpr {
        Expr::narrow(self.expr.clone()).into()
    }
    #[staticmethod]
    fn pointer(
        args: Vec<Bound<'_, PyExpr>>,
        optional: bool,
        instance: Option<&Bound<'_, PyExpr>>,
    ) -> PyResult<PyExpr> {
        built(Expr::pointer(exprs(&args), optional, instance.map(|i| i.get().expr.clone())))
    }
    fn get_item(&self, index: &Bound<'_, PyExpr>) -> PyResult<PyExpr> {
        built(Expr::get_item(self.expr.clone(), index.get().expr.clone()))
    }
    fn get(&self, index: &Bound<'_, PyExpr>, default: &Bound<'_, PyExpr>) -> PyResult<PyExpr> {
        built(Expr::get(self.expr.clone(), index.get().expr.clone(), default.get().expr.clone()))
    }
    #[pyo3(name = "from_json")]
    fn convert_json(
        &self,
        target: &Bound<'_, PyDType>,
        default: Option<&Bound<'_, PyExpr>>,
        unwrap: bool,
    ) -> PyResult<PyExpr> {
        let default = default.map(|d| d.get().expr.clone());
        built(Expr::from_json(target.get().0.clone(), self.expr.clone(), default, unwrap))
    }
    fn to_string(&self) -> PyResult<PyExpr> {
        built(Expr::to_string(self.expr.clone()))
    }
    #[staticmethod]
    fn method(name: &str, args: Vec<Bound<'_, PyExpr>>) -> PyResult<PyExpr> {
        built(Expr::method(name, exprs(&args)))
    }
    #[staticmethod]
    fn udf(udf: &Bound<'_, PyUdf>, args: Vec<Bound<'_, PyExpr>>) -> PyResult<PyExpr> {
        built(Expr::udf(udf.get().0.clone(), exprs(&args)))
    }
    #[staticmethod]
    fn reducer(name: &str, args: Vec<Bound<'_, PyExpr>>, options: &Bound<'_, PyAny>) -> PyResult<PyExpr> {
        built(Expr::reducer(builtin_reducer(name, &mapping::dict(options)?)?, exprs(&args)))
    }
    #[staticmethod]
    fn custom_reducer(
        name: String,
        return_type: &Bound<'_, PyDType>,
        new_group: Py<PyAny>,
        args: Vec<Bound<'_, PyExpr>>,
    ) -> PyResult<PyExpr> {
        let reducer = UserReducer::new(name, &return_type.get().0, new_group);
        built(Expr::reducer(Reducer::Custom(Arc::new(reducer)), exprs(&args)))
    }
    fn __repr__(&self) -> String {
        format!("Expr({})", self.expr.dtype())
    }
}

/// A binary operator by the name of its function in Python's `operator` module.
fn binary_op(name: &str) -> PyResult<BinaryOp> {
    Ok(match name {
        "add" => BinaryOp::Add,
        "sub" => BinaryOp::Sub,
        "mul" => BinaryOp::Mul,
        "truediv" => BinaryOp::TrueDiv,
        "floordiv" => BinaryOp::FloorDiv,
        "mod" => BinaryOp::Mod,
        "pow" => BinaryOp::Pow,
        "matmul" => BinaryOp::MatMul,
        "lshift" => BinaryOp::LShift,
        "rshift" => BinaryOp::RShift,
        "and_" => BinaryOp::And,
        "or_" => BinaryOp::Or,
        "xor" => BinaryOp::Xor,
        "eq" => BinaryOp::Eq,
        "ne" => BinaryOp::Ne,
        "lt" => BinaryOp::Lt,
        "le" => BinaryOp::Le,
        "gt" => BinaryOp::Gt,
        "ge" => BinaryOp::Ge,
        _ => return Err(PyValueError::new_err(format!("there is no binary operator {name:?}"))),
    })
}

/// A built-in reducer with its options, where given.
fn builtin_reducer(name: &str, options: &Bound<'_, PyDict>) -> PyResult<Reducer> {
    fn option<'py, T: FromPyObjectOwned<'py>>(
        options: &Bound<'py, PyDict>,
        name: &str,
        otherwise: T,
    ) -> PyResult<T> {
        match options.get_item(name)? {
            Some(value) => value.extract().map_err(Into::into),
            None => Ok(otherwise),
        }
    }
    let strict = option(options, "strict", false)?;
    let skip_nones = option(options, "skip_nones", false)?;
    Ok(match name {
        "count" => Reducer::Count,
        "sum" => Reducer::Sum { strict },
        "avg" => Reducer::Avg,
        "var_pop" => Reducer::Variance { root: false },
        "stddev" => Reducer::Variance { root: true },
        "min" => Reducer::Min,
        "max" => Reducer::Max,
        "argmin" => Reducer::ArgMin,
        "argmax" => Reducer::ArgMax,
        "unique" => Reducer::Unique,
        "any" => Reducer::Any,
        "tuple" => Reducer::Tuple { skip_nones },
        "sorted_tuple" => Reducer::SortedTuple { skip_nones },
        "ndarray" => Reducer::NdArray { skip_nones },
        "count_distinct" => Reducer::CountDistinct,
        "count_distinct_approximate" => {
            let precision: i64 = option(options, "precision", 12)?;
            let precision = u8::try_from(precision).ok().filter(|p| (4..=18).contains(p));
            match precision {
                Some(precision) => Reducer::CountDistinctApproximate { precision },
                None => return Err(PyValueError::new_err("precision has to be between 4 and 18")),
            }
        }
        "earliest" => Reducer::Earliest,
        "latest" => Reducer::Latest,
        _ => return Err(PyValueError::new_err(format!("there is no reducer {name:?}"))),
    })
}
