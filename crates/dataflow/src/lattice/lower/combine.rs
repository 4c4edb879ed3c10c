//! Zip, update_rows, update_cells, intersect, difference and restrict: the rows of all inputs in one
//! index, each with the number of its input, and a rule that is applied to the rows of one id.

use std::sync::Arc;

use arrow_array::Int64Array;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use pathway_types::{Column, DType};

use super::{Body, project};
use crate::context::{Context, Site};
use crate::lattice::arrange::{arrange, per_packet};
use crate::lattice::packet::{Flow, TimedPacket};
use crate::lattice::reduce::{Given, Groups, Logic, reduce_with};
use crate::operators::combine::{Cell, Presence, Rule, repeated_id};

impl<'inner> Body<'_, '_, 'inner> {
    pub(super) fn combine(&mut self, number: usize, rule: Rule, site: Site) -> Flow<'inner> {
        let program = self.program;
        let step = &program.steps[number];
        let needed: Vec<Vec<usize>> =
            (0..step.inputs.len()).map(|i| rule.needed(i, self.columns(step, i).len())).collect();
        let dtypes: Vec<Vec<DType>> = needed
            .iter()
            .enumerate()
            .map(|(i, needed)| needed.iter().map(|c| self.columns(step, i)[*c].clone()).collect())
            .collect();
        let layout = Layout::of(&rule, &dtypes);
        let flows: Vec<Flow<'inner>> = needed
            .iter()
            .enumerate()
            .map(|(i, needed)| {
                let flow = project(self.input(step, i), needed, self.columns(step, i).len());
                let layout = layout.clone();
                per_packet(flow, "numbered", move |packet| layout.number(i, packet))
            })
            .collect();
        let mut flows = flows.into_iter();
        let Some(first) = flows.next() else { unreachable!("something is combined") };
        let rows = arrange(first.concatenate(flows), &step.name);
        let outputs = rule.outputs(&dtypes);
        let combined = Combined { rule, layout, outputs, context: self.context.clone(), site };
        self.indexed(number, reduce_with(rows, &step.name, combined))
    }
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
        for (group, (key, rows)) in groups.keys().iter().zip(rows.chunks(inputs)).enumerate() {
            let mut presence = Presence::default();
            for (input, _) in rows.iter().enumerate().filter(|(_, row)| **row != NONE) {
                presence.add(input, several[group * inputs + input]);
            }
            if let Some(error) = self.rule.complaint(*key, presence) {
                self.context.data_error(&self.site, &error);
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
        Given::New { columns: cells.collect(), groups: shown }
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
