use super::*;
use crate::build::function_names;
use crate::kernels::call::kernel;
use DType::{Float, Int};

/// A method on inputs of these types gives these values.
#[track_caller]
pub(super) fn method(name: &str, inputs: &[(DType, Vec<Value>)], dtype: DType, expected: &[Value]) {
    check(name, inputs, |e| Expr::method(name, e.to_vec()), dtype, expected);
}

#[test]
fn every_function_has_an_implementation() {
    for name in function_names() {
        assert!(kernel(name).is_some(), "{name}");
    }
}

#[test]
fn absolute_values() {
    method("num.abs", &[(Int, vals![-5, 5, i64::MIN, E])], Int, &vals![5, 5, i64::MIN, E]);
    method("num.abs", &[(Float, vals![-5.5, -0.0, E])], Float, &vals![5.5, 0.0, E]);
}

#[test]
fn rounding() {
    let (inf, nan) = (f64::INFINITY, f64::NAN);
    method(
        "num.round",
        &[(Float, vals![0.5, 1.5, 2.5, -2.5, nan, inf, E])],
        Float,
        &vals![0.0, 2.0, 2.0, -2.0, nan, inf, E],
    );
    let values =
        vals![2.675, 0.15, 1.005, 2.5, -0.04, 1e300, 0.125, 0.375, 123.456, 1.5, 1.5, nan, 5e-324, 1e22];
    let decimals = vals![2, 1, 2, 0, 1, 2, 2, 2, 1, 400, -400, 1, 323, 1];
    let expected = vals![2.67, 0.1, 1.0, 2.0, -0.0, 1e300, 0.12, 0.38, 123.5, 1.5, 0.0, nan, 0.0, 1e22];
    method("num.round", &[(Float, values), (Int, decimals)], Float, &expected);
    let values = vals![-1250.0, 1350.0, 1250.1, 50.0, 50.5, 149.0, 5.0, 5.1, -0.4, 1e22, 25.0];
    let decimals = vals![-2, -2, -2, -2, -2, -2, -1, -1, -3, -21, -1];
    let expected = vals![-1200.0, 1400.0, 1300.0, 0.0, 100.0, 100.0, 0.0, 10.0, -0.0, 1e22, 20.0];
    method("num.round", &[(Float, values), (Int, decimals)], Float, &expected);
    let values = vals![25, 35, -25, 25, i64::MAX, 25, 5, -15, E];
    let decimals = vals![-1, -1, -1, -400, -2, 3, -1, -1, -1];
    method(
        "num.round",
        &[(Int, values), (Int, decimals)],
        Int,
        &vals![20, 40, -20, 0, 9_223_372_036_854_775_800i64, 25, 0, -20, E],
    );
}

#[test]
fn filling_na() {
    let fill = |default: Value| {
        move |e: &[Expr]| Expr::method("num.fill_na", vec![e[0].clone(), lit(default.clone())])
    };
    check("fill_na int", &[(Int, vals![1, E])], fill(9.into()), Int, &vals![1, E]);
    check("fill_na optional int", &[(opt(Int), vals![1, N, E])], fill(9.5.into()), Int, &vals![1, 9, E]);
    check("fill_na float", &[(Float, vals![1.0, f64::NAN, E])], fill(9.into()), Float, &vals![1.0, 9.0, E]);
    check(
        "fill_na optional float",
        &[(opt(Float), vals![1.0, f64::NAN, N, E])],
        fill(0.5.into()),
        Float,
        &vals![1.0, 0.5, 0.5, E],
    );
}
