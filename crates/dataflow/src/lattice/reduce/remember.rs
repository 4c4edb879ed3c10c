//! Row-wise expressions whose results cannot be reproduced.
//!
//! A row that comes back, or is taken back, must do so with the very results that it had. They are
//! found in the history of what was given, which is kept for as long as something may be taken back.

use pathway_expr::{Evaluator, Expr};
use pathway_plan::Frame;
use pathway_types::{Batch, Column, Diffs, Keys};

use super::groups::{Given, Groups, Logic};
use super::reduce_with;
use crate::context::{Context, Site};
use crate::lattice::arrange::{arrange, changes, per_packet};
use crate::lattice::packet::Flow;
use crate::lattice::time::LatticeTime;
use crate::operators::stateless::{evaluate, report};

/// Applies a map whose results are remembered.
pub fn remember<'scope, T: LatticeTime>(
    flow: Flow<'scope, T>,
    expressions: &[Expr],
    frames: &[Option<Frame>],
    name: &str,
    context: Context,
    site: Site,
) -> Flow<'scope, T> {
    let map = Map { evaluator: Evaluator::new(expressions.to_vec()), frames: frames.to_vec(), context, site };
    let results = changes(reduce_with(arrange(flow, name), name, map));
    // The last column says of which row these are the results.
    per_packet(results, name, |mut packet| {
        packet.batch.columns.pop();
        packet
    })
}

struct Map {
    evaluator: Evaluator,
    frames: Vec<Option<Frame>>,
    context: Context,
    site: Site,
}

impl Logic for Map {
    fn looks_back(&self) -> bool {
        true
    }

    fn evaluate(&mut self, groups: &Groups<'_>) -> Given {
        let rows = groups.groups().len();
        let keys: Vec<u128> = groups.groups().iter().map(|group| groups.keys()[*group as usize]).collect();
        let earlier = |(key, print): (&u128, &u128)| groups.history().get(&(*key, *print)).copied();
        let found: Vec<Option<(u32, u32)>> = keys.iter().zip(groups.prints()).map(earlier).collect();
        let new: Vec<u32> = (0..rows as u32).filter(|row| found[*row as usize].is_none()).collect();
        let computed = self.compute(groups, &keys, &new);
        let prints = Keys::from(groups.prints().to_vec()).to_column();
        // Blocks of earlier results, then the new ones.
        let mut blocks: Vec<u32> = found.iter().flatten().map(|(block, _)| *block).collect();
        blocks.sort_unstable();
        blocks.dedup();
        let mut next = 0;
        let places: Vec<(usize, usize)> = found
            .iter()
            .map(|found| match found {
                Some((block, row)) => (blocks.partition_point(|b| b < block), *row as usize),
                None => {
                    next += 1;
                    (blocks.len(), next - 1)
                }
            })
            .collect();
        let column = |column: usize| -> Column {
            let mut sources: Vec<&Column> =
                blocks.iter().map(|block| &groups.block_of_history(*block)[column]).collect();
            sources.extend(computed.get(column));
            Column::interleave(&sources, &places)
        };
        let mut columns: Vec<Column> = match blocks.is_empty() {
            true => computed.clone(),
            false => (0..self.frames.len()).map(column).collect(),
        };
        columns.push(prints);
        Given { groups: groups.groups().to_vec(), columns }
    }
}

impl Map {
    /// The results of rows that are new.
    fn compute(&self, groups: &Groups<'_>, keys: &[u128], rows: &[u32]) -> Vec<Column> {
        if rows.is_empty() {
            return Vec::new();
        }
        let columns = groups.columns();
        let indices = rows.to_vec().into();
        let columns = columns.iter().map(|column| column.take(&indices)).collect();
        let keys: Vec<u128> = rows.iter().map(|row| keys[*row as usize]).collect();
        let batch = Batch::new(keys.into(), columns, Diffs::Ones(rows.len()));
        let outcomes = evaluate(&self.evaluator, &batch, true, &self.context);
        for (outcome, frame) in outcomes.iter().zip(&self.frames) {
            report(&batch, outcome, frame, &mut self.context.clone(), &self.site);
        }
        outcomes.into_iter().map(|outcome| outcome.column).collect()
    }
}
