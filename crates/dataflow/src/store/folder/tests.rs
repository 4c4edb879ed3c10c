//! Columns that were put into files, and state whose rows are in files.

use std::sync::Arc;

use arrow_array::{Array, Int64Array, LargeStringArray};
use arrow_buffer::BooleanBuffer;
use pathway_types::{Batch, Column, DType, Diffs, Keys};

use super::Folder;
use crate::context::{Context, Monitor, Report};
use crate::store::{Entry, MultiMap, RowId};

/// Nobody to tell.
struct Silent;

impl Monitor for Silent {
    fn report(&self, _: Report<'_>) {}
}

fn context() -> Context {
    Context::new(false, 1024, Arc::new(Silent))
}

const DTYPES: [DType; 2] = [DType::Int, DType::Str];

fn columns(numbers: std::ops::Range<i64>, length: usize) -> Vec<Column> {
    let is_error = |n: i64| n % 7 == 3;
    let errors = BooleanBuffer::from_iter(numbers.clone().map(is_error));
    let cells = numbers.clone().map(|n| (!is_error(n)).then_some(n));
    let texts = numbers.clone().map(|n| format!("{n:>length$}"));
    vec![
        Column::with_errors(Arc::new(cells.collect::<Int64Array>()), Some(errors)),
        Column::new(Arc::new(LargeStringArray::from_iter_values(texts))),
    ]
}

fn batch(numbers: std::ops::Range<i64>, diff: i64) -> Batch {
    let keys: Vec<u128> = numbers.clone().map(|n| n as u128).collect();
    let diffs = Diffs::from(vec![diff; keys.len()]);
    Batch::new(Keys::from(keys), columns(numbers, 500), diffs)
}

/// How many files of a folder this process has mapped.
#[cfg(target_os = "linux")]
fn mapped(folder: &std::path::Path) -> usize {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    maps.lines().filter(|line| line.contains(folder.to_str().unwrap())).count()
}

fn is_empty(folder: &std::path::Path) -> bool {
    std::fs::read_dir(folder).unwrap().next().is_none()
}

#[test]
fn large_columns_are_views_of_a_file_without_a_name() {
    let path = tempfile::tempdir().unwrap();
    let folder = Folder::new(path.path(), &context());
    let (small, large) = (columns(0..10, 10), columns(0..5_000, 500));
    let held = folder.hold(small.clone());
    assert_eq!(
        held[1].array().to_data().buffers()[1].as_ptr(),
        small[1].array().to_data().buffers()[1].as_ptr()
    );
    let held = folder.hold(large.clone());
    for (held, given) in held.iter().zip(&large) {
        assert_eq!(held.array(), given.array());
        assert_eq!(held.errors(), given.errors());
        assert_ne!(
            held.array().to_data().buffers()[0].as_ptr(),
            given.array().to_data().buffers()[0].as_ptr()
        );
    }
    assert!(is_empty(path.path()));
    #[cfg(target_os = "linux")]
    {
        assert_eq!(mapped(path.path()), 1);
        drop(held);
        assert_eq!(mapped(path.path()), 0);
    }
}

#[test]
fn rows_in_files_come_and_go() {
    let path = tempfile::tempdir().unwrap();
    let mut rows = MultiMap::in_folder(DTYPES.to_vec(), Some(Folder::new(path.path(), &context())));
    let apply = |rows: &mut MultiMap, batch: Batch| {
        rows.apply(&batch.keys, &batch);
        rows.tidy();
    };
    for start in (0..20_000).step_by(1_000) {
        apply(&mut rows, batch(start..start + 1_000, 1));
    }
    #[cfg(target_os = "linux")]
    assert!(mapped(path.path()) > 0);
    apply(&mut rows, batch(500..19_000, -1));
    assert_eq!(rows.len(), 1_500);
    for number in [0, 499, 19_000, 19_999] {
        let found: Vec<RowId> = rows.get(number as u128).iter().map(|entry: &Entry| entry.row).collect();
        let found = rows.rows().gather_batch(&found, 0..2).unwrap();
        let expected = batch(number..number + 1, 1);
        assert_eq!(found.keys.as_slice(), expected.keys.as_slice());
        assert_eq!(found.columns[1].array(), expected.columns[1].array());
    }
    apply(&mut rows, batch(0..500, -1));
    apply(&mut rows, batch(19_000..20_000, -1));
    assert!(rows.is_empty());
    assert!(is_empty(path.path()));
    #[cfg(target_os = "linux")]
    assert_eq!(mapped(path.path()), 0);
}

#[test]
fn without_a_place_for_files_columns_stay_in_memory() {
    let path = tempfile::tempdir().unwrap();
    let folder = Folder::new(&path.path().join("not there"), &context());
    let large = columns(0..5_000, 500);
    for _ in 0..2 {
        let held = folder.hold(large.clone());
        assert_eq!(held[1].array(), large[1].array());
    }
}
