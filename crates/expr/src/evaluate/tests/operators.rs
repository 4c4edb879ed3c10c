use super::*;
use crate::BinaryOp::*;
use crate::{BinaryOp, UnaryOp};
use DType::{Any, Bool, Bytes, DateTimeNaive, DateTimeUtc, Duration, Float, Int, Json, Str};

/// `left op right`, with the result's type.
#[track_caller]
fn binary(
    op: BinaryOp,
    left: (DType, Vec<Value>),
    right: (DType, Vec<Value>),
    dtype: DType,
    expected: &[Value],
) {
    let name = format!("{} {op:?} {}", left.0, right.0);
    check(&name, &[left, right], |e| Expr::binary(op, e[0].clone(), e[1].clone()), dtype, expected);
}

#[test]
fn arithmetic_on_int() {
    let (min, max) = (i64::MIN, i64::MAX);
    let a = || (Int, vals![7, -7, 7, -7, 0, max, min, E, 6]);
    let b = || (Int, vals![2, 2, -2, -2, 5, 1, -1, 1, E]);
    binary(Add, a(), b(), Int, &vals![9, -5, 5, -9, 5, min, max, E, E]);
    binary(Sub, a(), b(), Int, &vals![5, -9, 9, -5, -5, max - 1, min + 1, E, E]);
    binary(Mul, a(), b(), Int, &vals![14, -14, -14, 14, 0, max, min, E, E]);
    binary(FloorDiv, a(), b(), Int, &vals![3, -4, -4, 3, 0, max, min, E, E]);
    binary(Mod, a(), b(), Int, &vals![1, 1, -1, -1, 0, 0, 0, E, E]);
    binary(TrueDiv, a(), b(), Float, &vals![3.5, -3.5, -3.5, 3.5, 0.0, max as f64, -(min as f64), E, E]);
    binary(And, a(), b(), Int, &vals![2, 0, 6, -8, 0, 1, min, E, E]);
    binary(Or, a(), b(), Int, &vals![7, -5, -1, -1, 5, max, -1, E, E]);
    binary(Xor, a(), b(), Int, &vals![5, -5, -7, 7, 5, max - 1, max, E, E]);
}

#[test]
fn division_of_large_int() {
    let a = vals![1i64 << 40, (1i64 << 32) - 1, 1i64 << 32, -(1i64 << 40), 1i64 << 40];
    let b = vals![3, (1i64 << 32) - 1, 1i64 << 32, 3, -(1i64 << 33)];
    binary(
        FloorDiv,
        (Int, a.clone()),
        (Int, b.clone()),
        Int,
        &vals![366_503_875_925i64, 1, 1, -366_503_875_926i64, -128],
    );
    binary(Mod, (Int, a), (Int, b), Int, &vals![1, 0, 0, 2, 0]);
}

#[test]
fn division_by_zero() {
    let zeros = || (Int, vals![0, 2, 0, E]);
    for op in [FloorDiv, Mod, TrueDiv] {
        let a = (Int, vals![1, 4, E, 3]);
        let quotient = |float: f64, int: i64| if op == TrueDiv { Value::from(float) } else { int.into() };
        let dtype = if op == TrueDiv { Float } else { Int };
        let expected = vals![E, quotient(2.0, if op == Mod { 0 } else { 2 }), E, E];
        binary(op, a.clone(), zeros(), dtype, &expected);
        let expr = Expr::binary(op, input(0, &Int), input(1, &Int)).unwrap();
        assert_eq!(kinds(&expr, &[a, zeros()]), [(0, ErrorKind::ZeroDivision)]);
        let zeros = (Float, vals![0.0, -0.0]);
        binary(op, (Float, vals![1.0, 1.0]), zeros, Float, &vals![E, E]);
    }
}

#[test]
fn powers_and_shifts() {
    let a = || (Int, vals![2, 3, 0, 2, 3, 1, -1, -1, 0, 10]);
    let b = || (Int, vals![10, 4, 0, 64, -1, -1, -3, -4, -1, 19]);
    binary(Pow, a(), b(), Int, &vals![1024, 81, 1, 0, 0, 1, -1, 1, 0, 10i64.wrapping_pow(19)]);
    let a = || (Int, vals![1, 1, 1, -8, -8]);
    let b = || (Int, vals![3, 64, -1, 1, 65]);
    binary(LShift, a(), b(), Int, &vals![8, 1, i64::MIN, -16, -16]);
    binary(RShift, a(), b(), Int, &vals![0, 1, 0, -4, -4]);
    binary(
        Pow,
        (Float, vals![-7.5, 0.0, 2.0]),
        (Float, vals![0.5, -1.0, 3.0]),
        Float,
        &vals![f64::NAN, f64::INFINITY, 8.0],
    );
}

#[test]
fn arithmetic_on_float() {
    let (inf, nan) = (f64::INFINITY, f64::NAN);
    let a = || (Float, vals![7.5, -7.5, 7.5, -7.5, 6.0, -1e-20, -0.0, 1.0, nan, E]);
    let b = || (Float, vals![2.0, 2.0, -2.0, inf, -3.0, 3.0, 2.0, 0.1, 1.0, 1.0]);
    binary(Add, a(), b(), Float, &vals![9.5, -5.5, 5.5, inf, 3.0, 3.0 - 1e-20, 2.0, 1.1, nan, E]);
    binary(Sub, a(), b(), Float, &vals![5.5, -9.5, 9.5, -inf, 9.0, -3.0, -2.0, 0.9, nan, E]);
    binary(Mul, a(), b(), Float, &vals![15.0, -15.0, -15.0, -inf, -18.0, -1e-20 * 3.0, -0.0, 0.1, nan, E]);
    binary(
        TrueDiv,
        a(),
        b(),
        Float,
        &vals![3.75, -3.75, -3.75, -0.0, -2.0, -1e-20 / 3.0, -0.0, 10.0, nan, E],
    );
    binary(FloorDiv, a(), b(), Float, &vals![3.0, -4.0, -4.0, -0.0, -2.0, -1.0, -0.0, 10.0, nan, E]);
    binary(Mod, a(), b(), Float, &vals![1.5, 0.5, -0.5, inf, -0.0, 3.0, 0.0, 1.0 % 0.1, nan, E]);
}

#[test]
fn int_meets_float() {
    binary(Add, (Int, vals![1, E]), (Float, vals![0.5, 1.0]), Float, &vals![1.5, E]);
    binary(Mul, (Float, vals![0.5]), (Int, vals![3]), Float, &vals![1.5]);
    binary(
        Eq,
        (Int, vals![(1i64 << 53) + 1, 1]),
        (Float, vals![(1i64 << 53) as f64, 1.5]),
        Bool,
        &vals![true, false],
    );
    binary(Lt, (Int, vals![1, 2]), (Float, vals![1.5, 1.5]), Bool, &vals![true, false]);
    binary(Eq, (opt(Int), vals![1, N, N]), (opt(Float), vals![1.0, N, 2.0]), Bool, &vals![true, true, false]);
}

#[test]
fn negation() {
    let neg = |e: &[Expr]| Expr::unary(UnaryOp::Neg, e[0].clone());
    check("-int", &[(Int, vals![5, i64::MIN, E])], neg, Int, &vals![-5, i64::MIN, E]);
    check("-float", &[(Float, vals![5.0, 0.0, E])], neg, Float, &vals![-5.0, -0.0, E]);
    check("-duration", &[(Duration, vals![dur(5), E])], neg, Duration, &vals![dur(-5), E]);
    let not = |e: &[Expr]| Expr::unary(UnaryOp::Not, e[0].clone());
    check("~bool", &[(Bool, vals![true, false, E])], not, Bool, &vals![false, true, E]);
}

#[test]
fn logic() {
    let a = || (Bool, vals![true, true, false, false, E, E, E, true, false]);
    let b = || (Bool, vals![true, false, true, false, true, false, E, E, E]);
    // The left side decides alone where it can.
    binary(And, a(), b(), Bool, &vals![true, false, false, false, E, E, E, E, false]);
    binary(Or, a(), b(), Bool, &vals![true, true, true, false, E, E, E, true, E]);
    binary(Xor, a(), b(), Bool, &vals![false, true, true, false, E, E, E, E, E]);
}

#[test]
fn text_operators() {
    let a = || (Str, vals!["ab", "", "ż", E]);
    binary(Add, a(), (Str, vals!["c", "d", "ó", "x"]), Str, &vals!["abc", "d", "żó", E]);
    binary(Mul, a(), (Int, vals![2, 3, -1, 1]), Str, &vals!["abab", "", "", E]);
    binary(Mul, (Int, vals![2, 0]), (Str, vals!["ab", "ab"]), Str, &vals!["abab", ""]);
    let huge = Expr::binary(Mul, input(0, &Str), lit(i64::MAX)).unwrap();
    assert_eq!(kinds(&huge, &[(Str, vals!["ab", ""])]), [(0, ErrorKind::Value)]);
}

/// All six comparisons of values that stand in ascending order.
#[track_caller]
fn ordered(dtype: DType, ascending: Vec<Value>) {
    for (i, left) in ascending.iter().enumerate() {
        for (j, right) in ascending.iter().enumerate() {
            let pairs = [(Eq, i == j), (Ne, i != j), (Lt, i < j), (Le, i <= j), (Gt, i > j), (Ge, i >= j)];
            for (op, holds) in pairs {
                let (left, right) = (vec![left.clone(), E], vec![right.clone(), right.clone()]);
                binary(op, (dtype.clone(), left), (dtype.clone(), right), Bool, &vals![holds, E]);
            }
        }
    }
}

#[test]
fn comparison_of_ordered_types() {
    ordered(Int, vals![i64::MIN, -1, 0, i64::MAX]);
    ordered(Float, vals![f64::NEG_INFINITY, -1.5, 0.0, f64::INFINITY]);
    ordered(Bool, vals![false, true]);
    ordered(Str, vals!["", "a", "aa", "b", "ż"]);
    ordered(DateTimeNaive, vals![naive(-5), naive(0)]);
    ordered(DateTimeUtc, vals![utc(-5), utc(0)]);
    ordered(Duration, vals![dur(-5), dur(0)]);
    ordered(DType::ANY_POINTER, vals![pointer(1), pointer(u128::MAX - 1)]);
    ordered(DType::tuple([Int, Str]), vals![tuple(vals![1, "b"]), tuple(vals![2, "a"])]);
    ordered(DType::list(Int), vals![tuple(vals![]), tuple(vals![1]), tuple(vals![1, 0]), tuple(vals![2])]);
}

#[test]
fn comparison_of_floats_is_ieee() {
    let nan = f64::NAN;
    let a = || (Float, vals![nan, nan, 1.0, 0.0]);
    let b = || (Float, vals![nan, 1.0, nan, -0.0]);
    for (op, expected) in [
        (Eq, vals![false, false, false, true]),
        (Ne, vals![true, true, true, false]),
        (Lt, vals![false, false, false, false]),
        (Le, vals![false, false, false, true]),
        (Gt, vals![false, false, false, false]),
        (Ge, vals![false, false, false, true]),
    ] {
        binary(op, a(), b(), Bool, &expected);
    }
}

#[test]
fn equality_with_none() {
    let eq = |left: (DType, Vec<Value>), right: (DType, Vec<Value>), expected: Vec<Value>| {
        let negated: Vec<Value> =
            expected.iter().map(|v| if let Value::Bool(b) = v { Value::Bool(!b) } else { E }).collect();
        binary(Eq, left.clone(), right.clone(), Bool, &expected);
        binary(Ne, left, right, Bool, &negated);
    };
    eq(
        (opt(Int), vals![1, N, N, 1, E]),
        (opt(Int), vals![1, N, 0, N, N]),
        vals![true, true, false, false, E],
    );
    eq((opt(Int), vals![1, N, E]), (Int, vals![1, 0, 1]), vals![true, false, E]);
    eq((Str, vals!["a", "", "b"]), (opt(Str), vals!["a", N, "c"]), vals![true, false, false]);
    eq((Int, vals![0, E]), (DType::None, vals![N, N]), vals![false, E]);
    eq((opt(Int), vals![0, N]), (DType::None, vals![N, N]), vals![false, true]);
    eq((DType::None, vals![N]), (DType::None, vals![N]), vals![true]);
    eq(
        (Any, vals![1, N, "a", 1, N, E]),
        (Any, vals![1, N, "b", 1.0, 0, N]),
        vals![true, true, false, false, false, E],
    );
    let opt_pair = opt(DType::tuple([Int]));
    eq(
        (opt_pair.clone(), vals![tuple(vals![1]), N]),
        (opt_pair, vals![tuple(vals![1]), N]),
        vals![true, true],
    );
}

#[test]
fn equality_of_other_types() {
    binary(
        Eq,
        (Bytes, vals![bytes(b"a"), bytes(b"")]),
        (Bytes, vals![bytes(b"a"), bytes(b"b")]),
        Bool,
        &vals![true, false],
    );
    let (a, b) = (
        vals![json("{\"a\":1,\"b\":2}"), json("1"), json("null")],
        vals![json("{\"b\":2,\"a\":1}"), json("1.0"), json("null")],
    );
    binary(Eq, (Json, a), (Json, b), Bool, &vals![false, false, true]);
    let array = DType::array(Some(1), Int);
    let (a, b) =
        (vals![ints(&[2], &[1, 2]), ints(&[1], &[1])], vals![ints(&[2], &[1, 2]), ints(&[2], &[1, 1])]);
    binary(Eq, (array.clone(), a), (array, b), Bool, &vals![true, false]);
    let keyed = |dtype: DType| DType::pointer([dtype]);
    binary(Eq, (keyed(Int), vals![pointer(1)]), (DType::ANY_POINTER, vals![pointer(1)]), Bool, &vals![true]);
    let object = DType::PyObject(Arc::from("X"));
    let wrapped = |bytes: &[u8]| Value::PyObject(pathway_types::PyObject::new(bytes));
    binary(
        Eq,
        (object.clone(), vals![wrapped(b"a"), wrapped(b"a")]),
        (object, vals![wrapped(b"a"), wrapped(b"b")]),
        Bool,
        &vals![true, false],
    );
}

#[test]
fn comparison_of_sequences() {
    let any = || DType::any_tuple();
    let t = |members: Vec<Value>| tuple(members);
    let left = vec![
        t(vals![1]),
        t(vals![N]),
        t(vals![N]),
        t(vals![1]),
        t(vals![1]),
        t(vals![1, "a"]),
        t(vals![true]),
        t(vals![f64::NAN]),
        t(vals![json("1")]),
        E,
    ];
    let right = vec![
        t(vals![1.0]),
        t(vals![1]),
        t(vals![N]),
        t(vals![1, "a"]),
        t(vals!["a"]),
        t(vals![2, 3]),
        t(vals![1]),
        t(vals![f64::NAN]),
        t(vals![json("1.0")]),
        t(vals![1]),
    ];
    binary(
        Eq,
        (any(), left.clone()),
        (any(), right.clone()),
        Bool,
        &vals![true, false, true, false, E, E, E, true, false, E],
    );
    binary(Lt, (any(), left), (any(), right), Bool, &vals![false, E, false, true, E, E, E, false, E, E]);
    let ints = (DType::tuple([Int, Int]), vec![t(vals![1, 2]), t(vals![2, 0])]);
    let floats = (DType::list(Float), vec![t(vals![1.0, 2.0]), t(vals![1.5])]);
    binary(Eq, ints.clone(), floats.clone(), Bool, &vals![true, false]);
    binary(Gt, ints, floats, Bool, &vals![false, true]);
}

#[test]
fn arithmetic_on_durations() {
    let d = |v: &[i64]| (Duration, v.iter().map(|v| dur(*v)).collect::<Vec<_>>());
    binary(Add, d(&[5, i64::MAX]), d(&[3, 1]), Duration, &vals![dur(8), E]);
    binary(Sub, d(&[5, i64::MIN]), d(&[3, 1]), Duration, &vals![dur(2), E]);
    let counts = || (Int, vals![3, 2, i64::MAX]);
    binary(Mul, d(&[10, -3, 2]), counts(), Duration, &vals![dur(30), dur(-6), E]);
    binary(Mul, (Int, vals![3]), d(&[10]), Duration, &vals![dur(30)]);
    let factors = || (Float, vals![0.19, f64::NAN, f64::INFINITY, -0.19]);
    binary(Mul, d(&[10, 10, 10, 10]), factors(), Duration, &vals![dur(1), dur(0), dur(i64::MAX), dur(-1)]);
    binary(Mul, factors(), d(&[10, 10, 10, 10]), Duration, &vals![dur(1), dur(0), dur(i64::MAX), dur(-1)]);
    binary(TrueDiv, d(&[-10, 10]), (Int, vals![3, 0]), Duration, &vals![dur(-3), E]);
    binary(
        TrueDiv,
        d(&[10, 10, 1]),
        (Float, vals![0.3, f64::NAN, 0.0]),
        Duration,
        &vals![dur(33), dur(0), E],
    );
    binary(FloorDiv, d(&[-10, i64::MIN]), (Int, vals![3, -1]), Duration, &vals![dur(-4), dur(i64::MIN)]);
    binary(FloorDiv, d(&[-10, 1]), d(&[3, 0]), Int, &vals![-4, E]);
    binary(Mod, d(&[-10, 10]), d(&[3, -3]), Duration, &vals![dur(2), dur(-2)]);
    binary(TrueDiv, d(&[10, 1]), d(&[4, 0]), Float, &vals![2.5, E]);
}

#[test]
fn arithmetic_on_datetimes() {
    let d = || (Duration, vals![dur(3)]);
    let moments = |v: &[i64]| (DateTimeNaive, v.iter().map(|v| naive(*v)).collect::<Vec<_>>());
    let lengths = (Duration, vals![dur(3), dur(3)]);
    binary(Add, moments(&[5, i64::MAX - 1]), lengths, DateTimeNaive, &vals![naive(8), E]);
    binary(Add, d(), (DateTimeUtc, vals![utc(5)]), DateTimeUtc, &vals![utc(8)]);
    binary(Sub, (DateTimeUtc, vals![utc(5)]), d(), DateTimeUtc, &vals![utc(2)]);
    binary(
        Sub,
        (DateTimeNaive, vals![naive(5)]),
        (DateTimeNaive, vals![naive(7)]),
        Duration,
        &vals![dur(-2)],
    );
}

#[test]
fn matrix_products() {
    let array = |n: usize, element: DType| DType::array(Some(n), element);
    let product = |a: (DType, Value), b: (DType, Value), dtype: DType, expected: Value| {
        binary(MatMul, (a.0, vec![a.1]), (b.0, vec![b.1]), dtype, &[expected]);
    };
    let matrix = || (array(2, Int), ints(&[2, 2], &[1, 2, 3, 4]));
    let vector = || (array(1, Int), ints(&[2], &[5, 6]));
    product(matrix(), matrix(), array(2, Int), ints(&[2, 2], &[7, 10, 15, 22]));
    product(matrix(), vector(), array(1, Int), ints(&[2], &[17, 39]));
    product(vector(), matrix(), array(1, Int), ints(&[2], &[23, 34]));
    product(vector(), vector(), Int, Value::Int(61));
    let open = (DType::array(None, Int), ints(&[2], &[5, 6]));
    product(vector(), open, DType::array(None, Int), ints(&[], &[61]));
    let unknown = DType::array(None, Any);
    let row = floats(&[1, 2], &[1.0, 2.0]);
    product(
        (unknown.clone(), row.clone()),
        (unknown.clone(), floats(&[2, 1], &[3.0, 4.0])),
        unknown.clone(),
        floats(&[1, 1], &[11.0]),
    );
    let stack = floats(&[2, 1, 2], &[1.0, 2.0, 3.0, 4.0]);
    product(
        (unknown.clone(), stack),
        (unknown.clone(), floats(&[2, 1], &[1.0, 1.0])),
        unknown.clone(),
        floats(&[2, 1, 1], &[3.0, 7.0]),
    );
    product(
        (unknown.clone(), row.clone()),
        (unknown.clone(), floats(&[3], &[1.0, 1.0, 1.0])),
        unknown.clone(),
        E,
    );
    product((unknown.clone(), row.clone()), (unknown.clone(), ints(&[2], &[1, 1])), unknown.clone(), E);
    product((unknown.clone(), row), (unknown.clone(), floats(&[], &[1.0])), unknown, E);
}
