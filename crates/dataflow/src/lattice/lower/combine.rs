//! Zip, update_rows, update_cells, intersect, difference and restrict.
//!
//! Where ids are unique, what two inputs give is sums of joins by id, which cost what changes: a row of
//! input 0 that input 1 has no row for, for one, is the row, less the pair that it makes with an id of
//! input 1. What looks at ids alone does nothing where only cells change. More inputs, and ids that are
//! repeated, go another way: the rows of all inputs are in one index, each with the number of its input,
//! and a rule is applied to the rows of one id.

use std::sync::Arc;

use arrow_array::Int64Array;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use pathway_plan::program::{JoinIds, Step};
use pathway_types::{Column, DType};

use super::{Body, project};
use crate::context::{Context, Site};
use crate::lattice::arrange::{Index, arrange, changes, consolidate, per_packet};
use crate::lattice::faults::per_row;
use crate::lattice::join::{JoinShape, join};
use crate::lattice::packet::{Flow, TimedPacket};
use crate::lattice::reduce::{Given, Groups, Logic, present_keys, reduce_with, repeated_keys};
use crate::operators::combine::{Cell, Presence, Rule, repeated_id};

impl<'inner> Body<'_, '_, 'inner> {
    pub(super) fn combine(&mut self, number: usize, rule: Rule, site: Site) -> Flow<'inner> {
        let program = self.program;
        let step = &program.steps[number];
        if let [first, second] = step.inputs[..] {
            return self.combine_two(step, [first.0, second.0], rule, site);
        }
        let needed: Vec<Vec<usize>> =
            (0..step.inputs.len()).map(|i| rule.needed(i, self.columns(step, i).len())).collect();
        let dtypes: Vec<Vec<DType>> = needed
            .iter()
            .enumerate()
            .map(|(i, needed)| needed.iter().map(|c| self.columns(step, i)[*c].clone()).collect())
            .collect();
        let flows = needed
            .iter()
            .enumerate()
            .map(|(i, needed)| project(self.input(step, i), needed, self.columns(step, i).len()))
            .collect();
        let combined = self.by_rule(flows, dtypes, rule, &step.name, site);
        self.indexed(number, combined)
    }

    /// Applies the rule to the rows of each id of the inputs, which have columns of these dtypes.
    fn by_rule(
        &self,
        flows: Vec<Flow<'inner>>,
        dtypes: Vec<Vec<DType>>,
        rule: Rule,
        name: &str,
        site: Site,
    ) -> Index<'inner> {
        let layout = Layout::of(&rule, &dtypes);
        let mut flows = flows.into_iter().enumerate().map(|(i, flow)| {
            let layout = layout.clone();
            per_packet(flow, "numbered", move |packet| layout.number(i, packet))
        });
        let Some(first) = flows.next() else { unreachable!("something is combined") };
        let rows = arrange(first.concatenate(flows), name);
        let outputs = rule.outputs(&dtypes);
        reduce_with(rows, name, Combined { rule, layout, outputs, context: self.context.clone(), site })
    }

    fn combine_two(&mut self, step: &Step, inputs: [usize; 2], rule: Rule, site: Site) -> Flow<'inner> {
        let program = self.program;
        let dtypes = [0, 1].map(|i| {
            let columns = &program.steps[inputs[i]].columns;
            let needed = rule.needed(i, columns.len());
            needed.into_iter().map(|column| columns[column].clone()).collect::<Vec<_>>()
        });
        let rows =
            [0, 1].map(|i| self.by_id(inputs[i], &rule.needed(i, program.steps[inputs[i]].columns.len())));
        let ids = [0, 1].map(|i| self.by_id(inputs[i], &[]));
        let pair = Pair { rule, dtypes };
        let unique = pair.combine(&rows, &ids);
        self.complain(&pair.rule, inputs, &site);
        // The ids that are repeated, in whichever input: what was given for them gives way to the rule.
        let repeated = ids.map(|ids| changes(repeated_keys(ids)));
        let [first, second] = repeated;
        let repeated = present_keys(arrange(first.concat(second), "repeated"));
        let rows = rows.map(|rows| with_ids(rows, repeated.clone(), "repeated"));
        let no_cells =
            |flow: &Flow<'inner>, width: usize| arrange(project(flow.clone(), &[], width), "repeated");
        let ids = [0, 1].map(|i| no_cells(&rows[i], pair.dtypes[i].len()));
        let indexes = rows.each_ref().map(|rows| arrange(rows.clone(), "repeated"));
        let wrong = pair.combine(&indexes, &ids);
        let right = changes(self.by_rule(rows.to_vec(), pair.dtypes.to_vec(), pair.rule, &step.name, site));
        unique.concat(wrong.negate()).concat(right)
    }

    /// Reports ids that only one of the inputs has, where the rule forbids it.
    fn complain(&mut self, rule: &Rule, inputs: [usize; 2], site: &Site) {
        for number in [0, 1] {
            let mut presence = Presence::default();
            presence.add(number, false);
            if rule.complaint(0, presence).is_none() {
                continue;
            }
            let [own, other] = [number, 1 - number].map(|input| self.present(inputs[input]));
            let alone = consolidate(without_ids(own, other), "unmatched");
            let (rule, site) = (rule.clone(), site.clone());
            per_row(alone, "unmatched", self.context.clone(), move |batch, faults| {
                for row in 0..batch.len() {
                    if let Some(error) = rule.complaint(batch.keys.get(row).0, presence) {
                        faults.fault(&batch, row, &site, &error);
                    }
                }
                batch
            });
        }
    }
}

/// Two inputs whose ids are unique.
struct Pair {
    rule: Rule,
    dtypes: [Vec<DType>; 2],
}

impl Pair {
    /// What the inputs give, from their rows and from their ids.
    fn combine<'inner>(&self, rows: &[Index<'inner>; 2], ids: &[Index<'inner>; 2]) -> Flow<'inner> {
        let [first, second] = rows.clone();
        let others = ids[1].clone();
        match &self.rule {
            Rule::Zip => with_ids(first, second, "zip"),
            Rule::Intersect => with_ids(first, others, "intersect"),
            Rule::Difference => without_ids(first, others),
            Rule::Update => changes(second).concat(without_ids(first, others)),
            Rule::UpdateCells(cells) => {
                let width = self.dtypes[0].len();
                let mut columns: Vec<usize> = (0..width).collect();
                cells.iter().for_each(|(to, from)| columns[*to] = width + from);
                let updated = with_ids(first.clone(), second, "update_cells");
                let updated = project(updated, &columns, width + self.dtypes[1].len());
                without_ids(first, others).concat(updated)
            }
            Rule::Restrict { .. } => {
                let dtypes = self.dtypes[0].clone();
                let errors =
                    per_packet(without_ids(others.clone(), ids[0].clone()), "errors", move |mut packet| {
                        let rows = packet.len();
                        packet.batch.columns =
                            dtypes.iter().map(|dtype| Column::all_errors(dtype, rows)).collect();
                        packet
                    });
                with_ids(first, others, "restrict").concat(errors)
            }
        }
    }
}

/// The rows whose id is among the others, with the columns of these.
fn with_ids<'inner>(rows: Index<'inner>, others: Index<'inner>, name: &str) -> Flow<'inner> {
    let shape =
        JoinShape { ids: JoinIds::Left, row_ids: [false; 2], keyed_by_id: [true; 2], join_key: false };
    join(rows, others, name, shape)
}

/// The rows whose id is not among these.
pub(super) fn without_ids<'inner>(rows: Index<'inner>, ids: Index<'inner>) -> Flow<'inner> {
    changes(rows.clone()).concat(with_ids(rows, ids, "matched").negate())
}

/// Where the columns of the inputs are among the columns of all; the last one is the input's number.
#[derive(Clone)]
struct Layout {
    /// The first column of each input, and how many it has.
    places: Vec<(usize, usize)>,
    /// The dtypes of all, without the number.
    dtypes: Vec<DType>,
}

impl Layout {
    fn of(rule: &Rule, inputs: &[Vec<DType>]) -> Layout {
        if matches!(rule, Rule::Update) {
            // All inputs have the same columns.
            let width = inputs[0].len();
            return Layout { places: vec![(0, width); inputs.len()], dtypes: inputs[0].clone() };
        }
        let mut start = 0;
        let places = inputs.iter().map(|input| {
            start += input.len();
            (start - input.len(), input.len())
        });
        Layout { places: places.collect(), dtypes: inputs.concat() }
    }

    fn widths(&self) -> Vec<usize> {
        self.places.iter().map(|(_, width)| *width).collect()
    }

    /// The rows of one input with the columns of all.
    fn number<T>(&self, input: usize, mut packet: TimedPacket<T>) -> TimedPacket<T> {
        let (start, width) = self.places[input];
        let rows = packet.batch.len();
        let own = std::mem::take(&mut packet.batch.columns);
        let before = self.dtypes[..start].iter().map(|dtype| Column::nulls(dtype, rows));
        let after = self.dtypes[start + width..].iter().map(|dtype| Column::nulls(dtype, rows));
        let mut columns: Vec<Column> = before.chain(own).chain(after).collect();
        columns.push(Column::new(Arc::new(Int64Array::from(vec![input as i64; rows]))));
        packet.batch.columns = columns;
        packet
    }
}

struct Combined {
    rule: Rule,
    layout: Layout,
    outputs: Vec<DType>,
    context: Context,
    site: Site,
}

/// No row.
const NONE: u32 = u32::MAX;

impl Logic for Combined {
    fn evaluate(&mut self, groups: &Groups<'_>) -> Given {
        let mut columns = groups.columns();
        let numbers = columns.pop();
        let numbers = numbers.as_ref().map(|c| c.array().as_primitive::<Int64Type>().values());
        let inputs = self.layout.places.len();
        // For each group and input the row, and whether there are several.
        let mut rows = vec![NONE; inputs * groups.keys().len()];
        let mut several = vec![false; rows.len()];
        for (row, (group, number)) in groups.groups().iter().zip(numbers.into_iter().flatten()).enumerate() {
            let place = *group as usize * inputs + *number as usize;
            let (place, several) = (&mut rows[place], &mut several[place]);
            if *place != NONE || groups.counts()[row] > 1 {
                *several = true;
                self.context.data_error(&self.site, &repeated_id(groups.keys()[*group as usize]));
            }
            // The same one for the same rows.
            if *place == NONE || groups.prints()[row] < groups.prints()[*place as usize] {
                *place = row as u32;
            }
        }
        let widths = self.layout.widths();
        let mut plans: Vec<(Presence, Option<Vec<Cell>>)> = Vec::new();
        let mut shown: Vec<u32> = Vec::new();
        // For each shown group its plan.
        let mut planned: Vec<u32> = Vec::new();
        for (group, rows) in rows.chunks(inputs).enumerate() {
            let mut presence = Presence::default();
            for (input, _) in rows.iter().enumerate().filter(|(_, row)| **row != NONE) {
                presence.add(input, several[group * inputs + input]);
            }
            let plan = plans.iter().position(|(known, _)| *known == presence).unwrap_or_else(|| {
                plans.push((presence, self.rule.cells(&widths, presence)));
                plans.len() - 1
            });
            if plans[plan].1.is_some() {
                shown.push(group as u32);
                planned.push(plan as u32);
            }
        }
        let plans: Vec<Vec<Cell>> = plans.into_iter().map(|(_, cells)| cells.unwrap_or_default()).collect();
        let cells = (0..self.outputs.len())
            .map(|column| self.column(column, &columns, &rows, (&shown, &planned), &plans));
        Given { columns: cells.collect(), groups: shown }
    }
}

impl Combined {
    /// One column of the output.
    fn column(
        &self,
        column: usize,
        all: &[Column],
        rows: &[u32],
        (shown, planned): (&[u32], &[u32]),
        plans: &[Vec<Cell>],
    ) -> Column {
        let inputs = self.layout.places.len();
        let mut sources: Vec<Option<usize>> = Vec::new();
        let mut source = |from: Option<usize>| {
            sources.iter().position(|known| *known == from).unwrap_or_else(|| {
                sources.push(from);
                sources.len() - 1
            })
        };
        let places = shown.iter().zip(planned).map(|(group, plan)| match plans[*plan as usize][column] {
            Cell::From { input, column } => {
                let row = rows[*group as usize * inputs + input];
                (source(Some(self.layout.places[input].0 + column)), row as usize)
            }
            Cell::Error => (source(None), 0),
        });
        let places: Vec<(usize, usize)> = places.collect();
        if let [Some(only)] = sources[..] {
            let rows: Vec<u32> = places.iter().map(|(_, row)| *row as u32).collect();
            return all[only].take(&rows.into());
        }
        let error = Column::all_errors(&self.outputs[column], 1);
        let sources: Vec<&Column> = sources.iter().map(|from| from.map_or(&error, |at| &all[at])).collect();
        if sources.is_empty() {
            return Column::nulls(&self.outputs[column], 0);
        }
        Column::interleave(&sources, &places)
    }
}
