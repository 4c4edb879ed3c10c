use pathway_types::{Batch, ColumnBuilder, DType, DataError, Diffs, Value};

use super::{CellError, Parsed, Rejected};

fn record(position: &str) -> Rejected {
    Rejected { raw: Vec::new(), position: position.to_owned(), reason: String::new() }
}

#[test]
fn parts_keep_their_errors() {
    let mut builder = ColumnBuilder::new(&DType::Int, 5);
    (0..5).for_each(|number| builder.push(&Value::Int(number)));
    let keys: Vec<u128> = (0..5).collect();
    let error =
        |row| CellError { row, column: 0, cause: DataError::division_by_zero(), record: record("cell") };
    let mut parsed = Parsed {
        batch: Batch::new(keys.into(), vec![builder.finish()], Diffs::Ones(5)),
        cell_errors: vec![error(4), error(0), error(2)],
        rejected: vec![record("none")],
    };
    let rest = parsed.split_off(2);
    let rows = |parsed: &Parsed| parsed.cell_errors.iter().map(|error| error.row).collect::<Vec<_>>();
    assert_eq!((parsed.batch.keys.as_slice(), rows(&parsed)), (&[0, 1][..], vec![0]));
    assert_eq!((rest.batch.keys.as_slice(), rows(&rest)), (&[2, 3, 4][..], vec![2, 0]));
    assert_eq!((parsed.rejected.len(), rest.rejected.len()), (1, 0));
    assert!(parsed.split_off(7).batch.is_empty());
    assert_eq!(parsed.batch.len(), 2);
}
