//! Operators and methods of [`Col`].

use std::ops::{Add, BitAnd, BitOr, BitXor, Div, Mul, Neg, Not, Rem, Sub};
use std::sync::Arc;

use pathway_expr::{BinaryOp, Expr, ExprError, Udf, UnaryOp};
use pathway_types::DType;

use super::Col;

/// Takes the operands of a call out of their vector.
fn take<const N: usize>(arguments: Vec<Expr>) -> Result<[Expr; N], ExprError> {
    arguments.try_into().map_err(|given: Vec<Expr>| {
        ExprError::Type(format!("{N} operands were expected, {} were given", given.len()))
    })
}

fn binary(op: BinaryOp, left: Col, right: Col) -> Col {
    Col::call([left, right], move |arguments| {
        let [left, right] = take(arguments)?;
        Expr::binary(op, left, right)
    })
}

fn unary(operand: Col, build: fn(Expr) -> Result<Expr, ExprError>) -> Col {
    Col::call([operand], move |arguments| {
        let [operand] = take(arguments)?;
        build(operand)
    })
}

macro_rules! operators {
    ($($operator:ident $method:ident $op:ident),*) => {$(
        impl<C: Into<Col>> $operator<C> for Col {
            type Output = Col;
            fn $method(self, right: C) -> Col {
                binary(BinaryOp::$op, self, right.into())
            }
        }
        impl<C: Into<Col>> $operator<C> for &Col {
            type Output = Col;
            fn $method(self, right: C) -> Col {
                binary(BinaryOp::$op, self.clone(), right.into())
            }
        }
        impl $operator<Col> for i64 {
            type Output = Col;
            fn $method(self, right: Col) -> Col {
                binary(BinaryOp::$op, self.into(), right)
            }
        }
        impl $operator<Col> for f64 {
            type Output = Col;
            fn $method(self, right: Col) -> Col {
                binary(BinaryOp::$op, self.into(), right)
            }
        }
    )*};
}
operators!(Add add Add, Sub sub Sub, Mul mul Mul, Div div TrueDiv, Rem rem Mod,
    BitAnd bitand And, BitOr bitor Or, BitXor bitxor Xor);

impl Neg for Col {
    type Output = Col;
    fn neg(self) -> Col {
        unary(self, |operand| Expr::unary(UnaryOp::Neg, operand))
    }
}

impl Not for Col {
    type Output = Col;
    fn not(self) -> Col {
        unary(self, |operand| Expr::unary(UnaryOp::Not, operand))
    }
}

macro_rules! comparisons {
    ($($(#[$doc:meta])* $method:ident $op:ident),*) => {
        impl Col {$(
            $(#[$doc])*
            pub fn $method(&self, right: impl Into<Col>) -> Col {
                binary(BinaryOp::$op, self.clone(), right.into())
            }
        )*}
    };
}
comparisons!(
    /// `self == right`, also for None.
    eq_ Eq,
    /// `self != right`, also for None.
    ne_ Ne,
    /// `self < right`.
    lt Lt,
    /// `self <= right`.
    le Le,
    /// `self > right`.
    gt Gt,
    /// `self >= right`.
    ge Ge,
    /// Division rounded towards minus infinity.
    floor_div FloorDiv,
    /// `self` to the power of `right`.
    pow Pow
);

macro_rules! functions {
    ($($(#[$doc:meta])* $method:ident = $name:literal),*) => {
        impl Col {$(
            $(#[$doc])*
            pub fn $method(&self) -> Col {
                self.method($name, [] as [Col; 0])
            }
        )*}
    };
}
functions!(
    /// Lower case.
    str_lower = "str.lower",
    /// Upper case.
    str_upper = "str.upper",
    /// Length in characters.
    str_len = "str.len",
    /// Absolute value.
    abs = "num.abs"
);

impl Col {
    /// A call of a built-in function by its internal name (`str.replace`, `dt.year`, …) with this
    /// as the receiver.
    pub fn method(&self, name: &'static str, arguments: impl IntoIterator<Item = impl Into<Col>>) -> Col {
        let all = std::iter::once(self.clone()).chain(arguments.into_iter().map(Into::into));
        Col::call(all, move |arguments| Expr::method(name, arguments))
    }

    /// A call of a user function.
    pub fn udf(udf: Arc<dyn Udf>, arguments: impl IntoIterator<Item = impl Into<Col>>) -> Col {
        let arguments = arguments.into_iter().map(Into::into);
        Col::call(arguments, move |arguments| Expr::udf(udf.clone(), arguments))
    }

    /// True for None.
    pub fn is_none(&self) -> Col {
        unary(self.clone(), Expr::is_none)
    }

    /// True for everything but None.
    pub fn is_not_none(&self) -> Col {
        unary(self.clone(), Expr::is_not_none)
    }

    /// `then` where this condition holds, `otherwise` elsewhere; only the chosen one is computed.
    pub fn if_else(&self, then: impl Into<Col>, otherwise: impl Into<Col>) -> Col {
        Col::call([self.clone(), then.into(), otherwise.into()], |arguments| {
            let [condition, then, otherwise] = take(arguments)?;
            Expr::if_else(condition, then, otherwise)
        })
    }

    /// This, or the replacement where it is None.
    pub fn coalesce(&self, replacement: impl Into<Col>) -> Col {
        Col::call([self.clone(), replacement.into()], Expr::coalesce)
    }

    /// This where no dependency is None, None elsewhere.
    pub fn require(&self, dependencies: impl IntoIterator<Item = impl Into<Col>>) -> Col {
        let all = std::iter::once(self.clone()).chain(dependencies.into_iter().map(Into::into));
        Col::call(all, |mut arguments| {
            let value = arguments.remove(0);
            Expr::require(value, arguments)
        })
    }

    /// The value; None becomes an error.
    pub fn unwrap(&self) -> Col {
        unary(self.clone(), Expr::unwrap)
    }

    /// This, or the replacement where it is an error.
    pub fn fill_error(&self, replacement: impl Into<Col>) -> Col {
        Col::call([self.clone(), replacement.into()], |arguments| {
            let [value, replacement] = take(arguments)?;
            Expr::fill_error(value, replacement)
        })
    }

    /// The values converted to another dtype.
    pub fn cast(&self, target: DType) -> Col {
        Col::call([self.clone()], move |arguments| {
            let [operand] = take(arguments)?;
            Expr::cast(target.clone(), operand)
        })
    }

    /// The same values under another dtype.
    pub fn declare_type(&self, target: DType) -> Col {
        Col::call([self.clone()], move |arguments| {
            let [operand] = take(arguments)?;
            Expr::declare_type(target.clone(), operand)
        })
    }

    /// `self[index]` of a tuple, list, array or Json; a missing element is an error.
    pub fn get_item(&self, index: impl Into<Col>) -> Col {
        Col::call([self.clone(), index.into()], |arguments| {
            let [object, index] = take(arguments)?;
            Expr::get_item(object, index)
        })
    }

    /// `self[index]`, or the default if there is no such element.
    pub fn get(&self, index: impl Into<Col>, default: impl Into<Col>) -> Col {
        Col::call([self.clone(), index.into(), default.into()], |arguments| {
            let [object, index, default] = take(arguments)?;
            Expr::get(object, index, default)
        })
    }

    /// The engine's text form of any value.
    pub fn to_text(&self) -> Col {
        unary(self.clone(), Expr::to_string)
    }

    /// A tuple of these.
    pub fn tuple(members: impl IntoIterator<Item = impl Into<Col>>) -> Col {
        Col::call(members.into_iter().map(Into::into), Expr::make_tuple)
    }

    /// The row id that these values give (`pointer_from`).
    pub fn pointer(values: impl IntoIterator<Item = impl Into<Col>>) -> Col {
        Col::call(values.into_iter().map(Into::into), |arguments| Expr::pointer(arguments, false, None))
    }

    /// The row id that these values give, on the worker that `instance` gives.
    pub fn pointer_with_instance(
        values: impl IntoIterator<Item = impl Into<Col>>,
        instance: impl Into<Col>,
    ) -> Col {
        let all = values.into_iter().map(Into::into).chain([instance.into()]);
        Col::call(all, |mut arguments| {
            let instance = arguments.pop();
            Expr::pointer(arguments, false, instance)
        })
    }
}
