//! Columns of rows that are spread over several blocks of columns.

use arrow_array::UInt32Array;
use pathway_types::Column;

/// The cells of these rows (block, row), column by column. Blocks have one layout.
pub(super) fn gather<'a>(block: impl Fn(usize) -> &'a [Column], places: &[(u32, u32)]) -> Vec<Column> {
    let Some((first, _)) = places.first() else { return Vec::new() };
    let width = block(*first as usize).len();
    if width == 0 {
        return Vec::new();
    }
    if places.iter().all(|(number, _)| number == first) {
        let rows: UInt32Array = places.iter().map(|(_, row)| *row).collect::<Vec<u32>>().into();
        return block(*first as usize).iter().map(|column| column.take(&rows)).collect();
    }
    // Only the blocks that are used take part.
    let most = places.iter().map(|(number, _)| *number).max().unwrap_or_default() as usize;
    let mut numbers = vec![u32::MAX; most + 1];
    let mut blocks: Vec<&[Column]> = Vec::new();
    let places: Vec<(usize, usize)> = places
        .iter()
        .map(|(number, row)| {
            let dense = &mut numbers[*number as usize];
            if *dense == u32::MAX {
                *dense = blocks.len() as u32;
                blocks.push(block(*number as usize));
            }
            (*dense as usize, *row as usize)
        })
        .collect();
    let column = |column: usize| {
        let columns: Vec<&Column> = blocks.iter().map(|block| &block[column]).collect();
        Column::interleave(&columns, &places)
    };
    (0..width).map(column).collect()
}
