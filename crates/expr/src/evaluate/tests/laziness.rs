use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use pathway_types::Key;

use super::*;
use crate::{BinaryOp, Udf, UdfOutcome};
use DType::{Bool, Int};

/// Adds 100 to its argument and remembers what it was called with.
#[derive(Debug)]
struct Counting {
    seen: Mutex<Vec<(Key, Value)>>,
    calls: AtomicUsize,
    deterministic: bool,
    propagates_none: bool,
    fails_on: Option<i64>,
}

impl Counting {
    fn new() -> Counting {
        Counting {
            seen: Mutex::default(),
            calls: AtomicUsize::new(0),
            deterministic: true,
            propagates_none: false,
            fails_on: None,
        }
    }
    /// The arguments since the last time.
    fn arguments(&self) -> Vec<Value> {
        self.seen.lock().unwrap().drain(..).map(|(_, value)| value).collect()
    }
    fn on(self: &Arc<Self>, argument: &Expr) -> Expr {
        Expr::udf(self.clone(), vec![argument.clone()]).unwrap()
    }
}

impl Udf for Counting {
    fn name(&self) -> &str {
        "counting"
    }
    fn return_type(&self) -> &DType {
        &Int
    }
    fn is_deterministic(&self) -> bool {
        self.deterministic
    }
    fn propagates_none(&self) -> bool {
        self.propagates_none
    }
    fn call(&self, arguments: &[(Column, DType)], keys: &[Key], rows: usize) -> UdfOutcome {
        self.calls.fetch_add(1, Ordering::Relaxed);
        assert_eq!(keys.len(), rows);
        let (column, dtype) = &arguments[0];
        let mut out = ColumnBuilder::new(&Int, rows);
        let mut causes = Vec::new();
        for (row, key) in keys.iter().enumerate() {
            let value = column.value(dtype, row);
            self.seen.lock().unwrap().push((*key, value.clone()));
            match value {
                Value::Int(v) if Some(v) == self.fails_on => {
                    causes.push((row as u32, user_failure()));
                    out.push_error();
                }
                Value::Int(v) => out.push(&Value::Int(v + 100)),
                _ => out.push(&Value::Int(-1)),
            }
        }
        UdfOutcome { column: out.finish(), causes }
    }
}

fn run(expr: &Expr, inputs: &[(DType, Vec<Value>)]) -> Vec<Value> {
    let rows = inputs[0].1.len();
    let columns: Vec<Column> = inputs.iter().map(|(dtype, values)| column(dtype, values)).collect();
    values(&evaluate(expr, &columns, rows), expr.dtype())
}

#[test]
fn only_the_taken_branch_is_called() {
    let (yes, no) = (Arc::new(Counting::new()), Arc::new(Counting::new()));
    let (a, condition) = (input(0, &Int), input(1, &Bool));
    let expr = Expr::if_else(condition, yes.on(&a), no.on(&a)).unwrap();
    let inputs = [(Int, vals![1, 2, 3, 4, E]), (Bool, vals![true, false, E, true, true])];
    assert_eq!(run(&expr, &inputs), vals![101, 102, E, 104, E]);
    assert_eq!(yes.arguments(), vals![1, 4]);
    assert_eq!(no.arguments(), vals![2]);
    let all = [(Int, vals![1, 2]), (Bool, vals![true, true])];
    assert_eq!(run(&expr, &all), vals![101, 102]);
    assert_eq!((yes.arguments(), no.arguments()), (vals![1, 2], vals![]));
    assert_eq!(no.calls.load(Ordering::Relaxed), 1, "a branch that no row takes is not called at all");
}

#[test]
fn logic_stops_where_it_is_decided() {
    let udf = Arc::new(Counting::new());
    let large = Expr::binary(BinaryOp::Gt, udf.on(&input(1, &Int)), lit(102)).unwrap();
    let inputs = [(Bool, vals![true, false, E, true]), (Int, vals![1, 2, 3, 4])];
    let and = Expr::binary(BinaryOp::And, input(0, &Bool), large.clone()).unwrap();
    assert_eq!(run(&and, &inputs), vals![false, false, E, true]);
    assert_eq!(udf.arguments(), vals![1, 4]);
    let or = Expr::binary(BinaryOp::Or, input(0, &Bool), large).unwrap();
    assert_eq!(run(&or, &inputs), vals![true, false, E, true]);
    assert_eq!(udf.arguments(), vals![2]);
}

#[test]
fn coalesce_stops_at_the_first_value() {
    let (first, second) = (Arc::new(Counting::new()), Arc::new(Counting::new()));
    let optional = opt(Int);
    let maybe = |udf: &Arc<Counting>, argument: usize| {
        let value = input(argument, &optional);
        let called = udf.on(&Expr::coalesce(vec![value.clone(), lit(0)]).unwrap());
        Expr::require(called, vec![value]).unwrap()
    };
    let expr =
        Expr::coalesce(vec![input(0, &optional), maybe(&first, 1), second.on(&input(2, &Int))]).unwrap();
    let inputs = [
        (optional.clone(), vals![1, N, N, E]),
        (optional.clone(), vals![5, 6, N, 7]),
        (Int, vals![8, 8, 9, 8]),
    ];
    assert_eq!(run(&expr, &inputs), vals![1, 106, 109, E]);
    assert_eq!(first.arguments(), vals![6]);
    assert_eq!(second.arguments(), vals![9]);
}

#[test]
fn require_does_not_evaluate_what_it_drops() {
    let (value, dependency) = (Arc::new(Counting::new()), Arc::new(Counting::new()));
    let optional = opt(Int);
    let called = dependency.on(&input(1, &Int));
    let expr = Expr::require(value.on(&input(0, &Int)), vec![input(2, &optional), called]).unwrap();
    let inputs = [(Int, vals![1, 2, 3]), (Int, vals![4, 5, E]), (optional, vals![7, N, 8])];
    assert_eq!(run(&expr, &inputs), vals![101, N, E]);
    assert_eq!(value.arguments(), vals![1]);
    assert_eq!(dependency.arguments(), vals![4]);
}

#[test]
fn replacements_are_evaluated_for_errors_only() {
    let (udf, replacement) =
        (Arc::new(Counting { fails_on: Some(2), ..Counting::new() }), Arc::new(Counting::new()));
    let a = input(0, &Int);
    let expr = Expr::fill_error(udf.on(&a), replacement.on(&a)).unwrap();
    assert_eq!(run(&expr, &[(Int, vals![1, 2, 3])]), vals![101, 102, 103]);
    assert_eq!(replacement.arguments(), vals![2]);
    assert_eq!(kinds(&expr, &[(Int, vals![1, 2, 3])]), []);
    assert_eq!(kinds(&udf.on(&a), &[(Int, vals![1, 2, E, 2])]), [(1, ErrorKind::User), (3, ErrorKind::User)]);
}

#[test]
fn user_functions_get_no_errors() {
    let udf = Arc::new(Counting::new());
    let expr = udf.on(&input(0, &opt(Int)));
    assert_eq!(run(&expr, &[(opt(Int), vals![1, E, N])]), vals![101, E, -1]);
    assert_eq!(udf.seen.lock().unwrap().drain(..).map(|(key, _)| key.0).collect::<Vec<_>>(), [1, 3]);
    let udf = Arc::new(Counting { propagates_none: true, ..Counting::new() });
    let expr = udf.on(&input(0, &opt(Int)));
    assert_eq!(*expr.dtype(), opt(Int));
    assert_eq!(run(&expr, &[(opt(Int), vals![1, E, N])]), vals![101, E, N]);
    assert_eq!(udf.arguments(), vals![1]);
    assert_eq!(run(&expr, &[(opt(Int), vals![E, N])]), vals![E, N]);
    assert_eq!(udf.arguments(), vals![]);
}

#[test]
fn shared_calls_happen_once() {
    let udf = Arc::new(Counting::new());
    let a = input(0, &Int);
    let call = udf.on(&a);
    let twice = Expr::binary(BinaryOp::Add, call.clone(), call.clone()).unwrap();
    assert_eq!(run(&twice, &[(Int, vals![1, 2])]), vals![202, 204]);
    assert_eq!(udf.arguments(), vals![1, 2]);
    // Equal calls built apart are one call, unless the function is not reproducible.
    let apart = Expr::binary(BinaryOp::Add, udf.on(&a), udf.on(&a)).unwrap();
    run(&apart, &[(Int, vals![1])]);
    assert_eq!(udf.arguments(), vals![1]);
    let random = Arc::new(Counting { deterministic: false, ..Counting::new() });
    let apart = Expr::binary(BinaryOp::Add, random.on(&a), random.on(&a)).unwrap();
    run(&apart, &[(Int, vals![1])]);
    assert_eq!(random.arguments(), vals![1, 1]);
}

#[test]
fn a_call_in_a_branch_does_not_stand_for_all_rows() {
    let udf = Arc::new(Counting::new());
    let (a, condition) = (input(0, &Int), input(1, &Bool));
    let call = udf.on(&a);
    let branch = Expr::if_else(condition.clone(), call.clone(), lit(0)).unwrap();
    // First the branch, then the same call for all rows: it is made for all rows, once.
    let both = Expr::binary(BinaryOp::Add, branch.clone(), call).unwrap();
    let inputs = [(Int, vals![1, 2, 3]), (Bool, vals![false, true, false])];
    assert_eq!(run(&both, &inputs), vals![101, 204, 103]);
    assert_eq!(udf.arguments(), vals![1, 2, 3]);
    // In two branches it is made for the rows of each.
    let other = Expr::if_else(condition, lit(0), udf.on(&a)).unwrap();
    let both = Expr::binary(BinaryOp::Add, branch, other).unwrap();
    assert_eq!(run(&both, &inputs), vals![101, 102, 103]);
    assert_eq!(udf.arguments(), vals![2, 1, 3]);
}

#[test]
fn nested_branches() {
    let udf = Arc::new(Counting { fails_on: Some(4), ..Counting::new() });
    let (a, p, q) = (input(0, &Int), input(1, &Bool), input(2, &Bool));
    let inner = Expr::if_else(q, udf.on(&a), lit(0)).unwrap();
    let expr = Expr::if_else(p, Expr::binary(BinaryOp::Add, inner.clone(), lit(1)).unwrap(), inner).unwrap();
    let inputs = [
        (Int, vals![1, 2, 3, 4, 4, 4]),
        (Bool, vals![true, true, false, false, true, E]),
        (Bool, vals![true, false, false, true, true, true]),
    ];
    assert_eq!(run(&expr, &inputs), vals![102, 1, 0, E, E, E]);
    assert_eq!(kinds(&expr, &inputs), [(3, ErrorKind::User), (4, ErrorKind::User)]);
}

#[test]
fn branches_taken_by_few_rows() {
    // One row in fifty goes the rare way, and of these every second fails.
    let rows = 1_000usize;
    let rare = |row: usize| row % 50 == 7;
    let condition: Vec<Value> = (0..rows).map(|row| Value::Bool(rare(row))).collect();
    let numbers: Vec<Value> =
        (0..rows).map(|row| if row == 57 { E } else { Value::Int(row as i64 / 50 % 2) }).collect();
    let udf = Arc::new(Counting { fails_on: Some(1), ..Counting::new() });
    let (c, n) = (input(0, &Bool), input(1, &Int));
    let text = Expr::to_string(udf.on(&n)).unwrap();
    let nested =
        Expr::if_else(Expr::binary(BinaryOp::Ge, n.clone(), lit(0)).unwrap(), text, lit("never")).unwrap();
    let expr = Expr::if_else(c.clone(), nested, lit("common")).unwrap();
    let inputs = [(Bool, condition.clone()), (Int, numbers.clone())];
    let expected: Vec<Value> = (0..rows)
        .map(|row| match (rare(row), &numbers[row]) {
            (false, _) => "common".into(),
            (true, Value::Int(0)) => "100".into(),
            (true, _) => E,
        })
        .collect();
    assert_same(&run(&expr, &inputs), &expected, "rare branch");
    assert_eq!(udf.arguments().len(), rows / 50 - 1);
    let failing: Vec<(u32, ErrorKind)> = (0..rows as u32)
        .filter(|row| rare(*row as usize) && numbers[*row as usize] == Value::Int(1))
        .map(|row| (row, ErrorKind::User))
        .collect();
    assert_eq!(failing.len(), 9);
    assert_eq!(kinds(&expr, &inputs), failing);
    udf.arguments();

    // A call that every row needs is made once, also for the branch, and keeps its causes.
    let quotient = Expr::binary(BinaryOp::FloorDiv, lit(10), n.clone()).unwrap();
    let branch =
        Expr::if_else(c, Expr::binary(BinaryOp::Add, quotient.clone(), udf.on(&n)).unwrap(), lit(0)).unwrap();
    let keys = keys(rows);
    let columns = [column(&Bool, &condition), column(&Int, &numbers)];
    let evaluator = Evaluator::new(vec![branch, quotient]);
    let outcomes = evaluator.evaluate(&Input { columns: &columns, keys: &keys, check_types: false });
    let rows_of = |i: usize| outcomes[i].causes.iter().map(|(row, e)| (*row, e.kind)).collect::<Vec<_>>();
    assert_eq!(rows_of(1).len(), numbers.iter().filter(|n| **n == Value::Int(0)).count());
    let by_zero = |row: &u32| numbers[*row as usize] == Value::Int(0);
    let rare_rows = (0..rows as u32).filter(|row| rare(*row as usize) && *row != 57);
    let kind = |row: &u32| if by_zero(row) { ErrorKind::ZeroDivision } else { ErrorKind::User };
    assert_eq!(rows_of(0), rare_rows.map(|row| (row, kind(&row))).collect::<Vec<_>>());
    assert_eq!(udf.arguments().len(), rows / 50 - 1);
}

#[test]
fn constants_in_branches_call_for_the_rows_of_the_branch() {
    let udf = Arc::new(Counting::new());
    let called = udf.on(&lit(1));
    let filled = Expr::fill_error(Expr::unwrap(input(1, &opt(Int))).unwrap(), called).unwrap();
    let expr = Expr::if_else(input(0, &Bool), filled, lit(0)).unwrap();
    let inputs = [(Bool, vals![true, false, true, false]), (opt(Int), vals![N, N, 5, E])];
    assert_eq!(run(&expr, &inputs), vals![101, 0, 5, 0]);
    assert_eq!(udf.arguments(), vals![1]);
    let coalesced = Expr::coalesce(vec![input(1, &opt(Int)), udf.on(&lit(2))]).unwrap();
    let expr = Expr::if_else(input(0, &Bool), coalesced, lit(0)).unwrap();
    assert_eq!(run(&expr, &inputs), vals![102, 0, 5, 0]);
    assert_eq!(udf.arguments(), vals![2]);
}

#[test]
fn fallible_branches_fail_in_their_rows_only() {
    let (a, b) = (input(0, &Int), input(1, &Int));
    let quotient = Expr::binary(BinaryOp::FloorDiv, a.clone(), b.clone()).unwrap();
    let nonzero = Expr::binary(BinaryOp::Ne, b, lit(0)).unwrap();
    let guarded = Expr::if_else(nonzero, quotient.clone(), lit(-1)).unwrap();
    let inputs = [(Int, vals![6, 5, 4]), (Int, vals![2, 0, E])];
    assert_eq!(run(&guarded, &inputs), vals![3, -1, E]);
    assert_eq!(kinds(&guarded, &inputs), []);
    // The same quotient elsewhere keeps its own failure.
    let keys = keys(3);
    let columns: Vec<Column> = inputs.iter().map(|(dtype, values)| column(dtype, values)).collect();
    let outcomes = Evaluator::new(vec![guarded, quotient]).evaluate(&Input {
        columns: &columns,
        keys: &keys,
        check_types: false,
    });
    assert!(outcomes[0].causes.is_empty());
    assert_eq!(outcomes[1].causes, [(1, DataError::division_by_zero())]);
}

#[test]
fn constants_are_computed_once_and_fail_in_every_row() {
    let failing = Expr::binary(BinaryOp::FloorDiv, lit(1), lit(0)).unwrap();
    let expr = Expr::binary(BinaryOp::Add, input(0, &Int), failing.clone()).unwrap();
    assert_eq!(
        kinds(&expr, &[(Int, vals![1, E])]),
        [(0, ErrorKind::ZeroDivision), (1, ErrorKind::ZeroDivision)]
    );
    let branch = Expr::if_else(input(1, &Bool), input(0, &Int), failing).unwrap();
    let inputs = [(Int, vals![1, 2]), (Bool, vals![true, false])];
    assert_eq!(kinds(&branch, &inputs), [(1, ErrorKind::ZeroDivision)]);
}

#[test]
fn misplaced_expressions_are_errors() {
    let column = Expr::column(crate::ColumnRef { source: crate::SourceId(0), column: 0 }, Int);
    assert_eq!(kinds(&column, &[]), [(0, ErrorKind::Engine)]);
    let reducer = Expr::reducer(crate::Reducer::Count, vec![]).unwrap();
    assert_eq!(kinds(&reducer, &[]), [(0, ErrorKind::Engine)]);
    assert_eq!(kinds(&input(7, &Int), &[]), [(0, ErrorKind::Engine)]);
}

#[test]
fn deep_expressions() {
    let mut expr = input(0, &Int);
    for _ in 0..100_000 {
        expr = Expr::binary(BinaryOp::Add, expr, lit(1)).unwrap();
    }
    let bound = expr.rewrite(&mut |e| matches!(e.kind(), ExprKind::Input(0)).then(|| input(1, &Int)));
    assert_eq!(run(&bound, &[(Int, vals![7, 7]), (Int, vals![1, E])]), vals![100_001, E]);
}

#[test]
fn ids_and_empty_batches() {
    let id = Expr::node(ExprKind::InputId, DType::ANY_POINTER);
    assert_eq!(run(&id, &[(Int, vals![0, 0])]), vals![pointer(1), pointer(2)]);
    let expr = Expr::if_else(input(0, &Bool), Expr::unwrap(input(1, &opt(Int))).unwrap(), lit(1)).unwrap();
    assert_eq!(run(&expr, &[(Bool, vec![]), (opt(Int), vec![])]), vec![]);
}
