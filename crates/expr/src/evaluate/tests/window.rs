use super::*;
use DType::{DateTimeNaive, Duration, Float, Int};

fn numbers(parameters: [Value; 5]) -> impl Fn(&[Expr]) -> Result<Expr, ExprError> {
    move |e| {
        let constants = parameters.iter().map(|value| Expr::literal(value.clone()));
        Expr::method("window.numbers", e.iter().cloned().chain(constants).collect())
    }
}

fn list(numbers: impl IntoIterator<Item = i64>) -> Value {
    Value::tuple(numbers.into_iter().map(Value::Int).collect::<Vec<_>>())
}

#[test]
fn the_window_that_starts_last() {
    let number = |hop: Value, origin: Value| {
        move |e: &[Expr]| {
            let parameters = [hop.clone(), origin.clone()].map(Expr::literal);
            Expr::method("window.number", e.iter().cloned().chain(parameters).collect())
        }
    };
    let times = vals![0, 4, 5, -1, -5, -6, i64::MAX, i64::MIN, E];
    let expected = vals![0, 0, 1, -1, -1, -2, i64::MAX / 5, i64::MIN / 5 - 1, E];
    check("whole", &[(Int, times)], number(5.into(), 0.into()), Int, &expected);
    let expected = vals![-1, i64::MIN];
    check("far", &[(Int, vals![i64::MAX - 1, i64::MIN])], number(1.into(), i64::MAX.into()), Int, &expected);
    let day = Value::Duration(10);
    let times = vec![Value::DateTimeNaive(14), Value::DateTimeNaive(13)];
    let origin = Value::DateTimeNaive(4);
    check("dates", &[(DateTimeNaive, times)], number(day, origin), Int, &vals![1, 0]);
    // 0.1 * 3 is more than 0.3, which is therefore in the window before.
    let times = vals![0.3, 0.1 * 3.0, 0.7, -0.1, f64::NAN, f64::INFINITY, 1e300, E];
    let expected = vals![2, 3, 6, -1, E, E, E, E];
    check("float", &[(Float, times)], number(0.1.into(), 0.0.into()), Int, &expected);
}

#[test]
fn all_windows_that_hold_a_time() {
    let whole = |span: i64, ratio: i64, least: i64| {
        numbers([3.into(), span.into(), ratio.into(), 5.into(), least.into()])
    };
    let dtype = DType::list(Int);
    let expected = vec![list(-4..=-2), list(-2..=0), list(-1..=1)];
    check("duration", &[(Int, vals![1, 7, 10])], whole(10, 0, i64::MIN), dtype.clone(), &expected);
    let expected = vec![list([]), list([0]), list([0, 1]), E];
    check("from the origin", &[(Int, vals![1, 7, 10, E])], whole(10, 0, 0), dtype.clone(), &expected);
    let expected = vec![list([]), list([]), list([1])];
    check("from a window on", &[(Int, vals![1, 7, 10])], whole(10, 0, 1), dtype.clone(), &expected);
    let expected = vec![list([0]), list([]), list([1])];
    check("gaps", &[(Int, vals![5, 7, 8])], whole(2, 0, i64::MIN), dtype.clone(), &expected);
    let float = |span: f64, ratio: i64, least: i64| {
        numbers([0.1.into(), span.into(), ratio.into(), 0.0.into(), least.into()])
    };
    let expected = vec![list(0..=2), list(1..=3), E];
    let times = vals![0.3, 0.1 * 3.0, f64::NAN];
    check("ratio", &[(Float, times.clone())], float(0.3, 3, i64::MIN), dtype.clone(), &expected);
    // The first window ends at 0.0 + 0.3.
    let expected = vec![list(1..=2), list(1..=3), E];
    check("float duration", &[(Float, times)], float(0.3, 0, 0), dtype.clone(), &expected);
    let expected = vec![list([1])];
    let dates = numbers([
        Value::Duration(10),
        Value::Duration(10),
        1.into(),
        Value::DateTimeNaive(4),
        i64::MIN.into(),
    ]);
    check("dates", &[(DateTimeNaive, vec![Value::DateTimeNaive(14)])], dates, dtype, &expected);
}

#[test]
fn parameters_that_are_refused() {
    let time = input(0, &Int);
    let refused = |time: &Expr, parameters: [Value; 2]| {
        let parameters = parameters.map(Expr::literal);
        Expr::method("window.number", std::iter::once(time.clone()).chain(parameters).collect()).is_err()
    };
    assert!(!refused(&time, vals![5, 0].try_into().unwrap()));
    assert!(refused(&time, vals![0, 0].try_into().unwrap()));
    assert!(refused(&time, vals![-1, 0].try_into().unwrap()));
    assert!(refused(&time, vals![2.5, 0].try_into().unwrap()));
    assert!(refused(&input(0, &Float), vals![f64::INFINITY, 0.0].try_into().unwrap()));
    assert!(refused(&input(0, &DType::Str), vals![5, 0].try_into().unwrap()));
    assert!(Expr::method("window.number", vec![time.clone(), time.clone(), time.clone()]).is_err());
    assert!(Expr::method("window.numbers", vec![time, input(0, &Duration)]).is_err());
}
