//! Finding keys in batches of many chunks.

use proptest::prelude::*;
use std::rc::Rc;

use pathway_types::{Column, ColumnBuilder, DType, Diffs};

use super::*;
use crate::lattice::chunk::Sums;
use crate::lattice::chunk::TimedChunk;
use crate::lattice::print::prints;
use crate::lattice::times::Times;
use crate::timely::ChunkBatch;

fn column(values: impl Iterator<Item = i64>) -> Vec<Column> {
    let mut builder = ColumnBuilder::new(&DType::Int, 0);
    values.for_each(|value| builder.push_int(value));
    vec![builder.finish()]
}

fn batch(chunks: &[Vec<(u128, i64)>]) -> TimedBatch<u64> {
    let chunk = |rows: &Vec<(u128, i64)>| {
        let columns = column(rows.iter().map(|row| row.1));
        let ends = (1..=rows.len() as u32).collect();
        TimedChunk::new(
            rows.iter().map(|row| row.0).collect(),
            prints(&columns, rows.len()),
            columns,
            ends,
            Times::same(0, rows.len()),
            Diffs::Ones(rows.len()),
            Sums::default(),
        )
    };
    Rc::new(ChunkBatch::new(chunks.iter().map(chunk).collect()))
}

proptest! {
    #[test]
    fn seeks_and_takes(
        rows in prop::collection::btree_set((0..20u128, 0..3i64), 1..60),
        cuts in prop::collection::vec(1..9usize, 60),
        mut keys in prop::collection::vec(0..22u128, 1..8),
    ) {
        let mut rows: Vec<(u128, i64)> = rows.into_iter().collect();
        let prints = prints(&column(0..3), 3);
        rows.sort_unstable_by_key(|(key, value)| (*key, prints[*value as usize]));
        let mut chunks = Vec::new();
        let mut rest = &rows[..];
        for cut in cuts {
            let (chunk, later) = rest.split_at(cut.min(rest.len()));
            chunks.extend((!chunk.is_empty()).then(|| chunk.to_vec()));
            rest = later;
        }
        chunks.extend((!rest.is_empty()).then(|| rest.to_vec()));
        let batch = batch(&chunks);
        keys.sort_unstable();
        keys.dedup();
        let mut cursor = Cursor::new(&batch);
        for key in keys {
            cursor.seek(&batch, key);
            assert_eq!(cursor.key(), rows.iter().map(|row| row.0).find(|k| *k >= key));
            let mut found = Vec::new();
            cursor.take(&batch, key, |chunk, range| found.extend(chunks[chunk][range].iter().copied()));
            assert_eq!(found, rows.iter().copied().filter(|row| row.0 == key).collect::<Vec<_>>());
            assert_eq!(cursor.key(), rows.iter().map(|row| row.0).find(|k| *k > key));
        }
    }

    #[test]
    fn galloping(values in prop::collection::vec(0..9u8, 0..40), start in 0..40usize, limit in 0..10u8) {
        let mut values = values;
        values.sort_unstable();
        let start = start.min(values.len());
        let expected = values[start..].iter().position(|v| *v >= limit).map_or(values.len(), |at| start + at);
        assert_eq!(gallop(start, values.len(), |at| values[at] < limit), expected);
    }
}
