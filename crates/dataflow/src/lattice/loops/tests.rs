//! In and out.

use pathway_types::{DType, Value};

use super::*;
use crate::lattice::tests::harness::{Row, SETUPS, check, in_rounds, run, table};

/// Rows that appear and disappear from round to round come out as their net change.
#[test]
fn what_leaves_is_the_net_change() {
    let row = |value: i64, round: i64| -> Option<Row> { Some(vec![Value::Int(value), Value::Int(round)]) };
    let dtypes = [DType::Int, DType::Int];
    let steps = [
        vec![(0, row(1, 0)), (1, row(2, 3))],
        vec![(0, row(1, 0)), (1, None)],
        vec![(0, row(5, 2)), (0, row(1, 0)), (2, row(9, 1))],
    ];
    let table = table(&dtypes, &steps);
    for setup in SETUPS {
        let output = run(setup, std::slice::from_ref(&table), &dtypes, move |scope, mut edges, context| {
            scope.scoped::<LoopTime, _, _>("loop", |inner| {
                let flow = enter(edges.remove(0), inner);
                // What is taken back a round later is not there in the end.
                let later = in_rounds(flow.clone(), 1);
                let flow = flow.clone().concat(later).concat(flow.negate());
                leave(flow, scope, vec![DType::Int, DType::Int], context.clone())
            })
        });
        check(&output, &[0, 2, 4], |time| table.at(time), &format!("{setup:?}"));
        assert_eq!(output.iter().filter(|(time, _)| *time == 2).count(), 1, "{output:?}");
    }
}
