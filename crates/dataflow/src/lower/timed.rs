//! Joins in which times matter.

use pathway_plan::program::{Bounds, Direction, JoinMode, JoinStep, Program, Step};
use pathway_types::DType;

use super::Lowering;
use crate::context::Site;
use crate::driver::{Edge, drive};
use crate::operators::asof_join::{AsofJoin, AsofSpec};
use crate::operators::interval_join::{IntervalJoin, IntervalSpec};
use crate::operators::join::{JoinKey, ShipSide};
use crate::operators::ship_timed::{BucketWidth, ShipTimed};
use crate::operators::stateless::per_batch;
use crate::route::Route;

/// The dtypes of the columns that a join takes from each side.
fn dtypes(program: &Program, step: &Step, spec: &JoinStep) -> [Vec<DType>; 2] {
    [(0, &spec.left_columns), (1, &spec.right_columns)].map(|(side, columns)| {
        let inputs = &program.steps[step.inputs[side].0].columns;
        columns.iter().map(|column| inputs[*column].clone()).collect()
    })
}

impl<'scope> Lowering<'_, 'scope> {
    pub(super) fn interval_join(
        &self,
        program: &Program,
        step: &Step,
        spec: &JoinStep,
        (times, bounds): ([usize; 2], Bounds),
        site: Site,
    ) -> Edge<'scope> {
        let width = match bounds {
            Bounds::Int(lower, upper) => BucketWidth::Int(upper.saturating_sub(lower)),
            Bounds::Float(lower, upper) => BucketWidth::Float(upper - lower),
        };
        let sides = [Some((width, spec.left_on.clone())), None];
        let inputs = self.timed_sides(program, step, spec, times, sides, &site);
        let join = IntervalJoin::new(IntervalSpec {
            mode: spec.mode,
            bounds,
            dtypes: dtypes(program, step, spec),
            row_ids: [spec.left_id, spec.right_id],
        });
        drive(self.scope, &step.name, inputs, self.context.clone(), join)
    }

    pub(super) fn asof_join(
        &self,
        program: &Program,
        step: &Step,
        spec: &JoinStep,
        (times, direction): ([usize; 2], Direction),
        site: Site,
    ) -> Edge<'scope> {
        let inputs = self.timed_sides(program, step, spec, times, [None, None], &site);
        let join = AsofJoin::new(AsofSpec {
            mode: spec.mode,
            direction,
            float: program.steps[step.inputs[0].0].columns[times[0]] == DType::Float,
            dtypes: dtypes(program, step, spec),
            row_ids: [spec.left_id, spec.right_id],
            side: spec.side,
        });
        drive(self.scope, &step.name, inputs, self.context.clone(), join)
    }

    /// The rows of both sides in shipped form, routed by their keys.
    fn timed_sides(
        &self,
        program: &Program,
        step: &Step,
        spec: &JoinStep,
        times: [usize; 2],
        buckets: [Option<(BucketWidth, Vec<usize>)>; 2],
        site: &Site,
    ) -> Vec<(Edge<'scope>, Route)> {
        let columns = [&spec.left_columns, &spec.right_columns];
        let on = [&spec.left_on, &spec.right_on];
        let ship = |(side, buckets): (usize, _)| {
            let preserved = match spec.mode {
                JoinMode::Inner => false,
                JoinMode::Left => side == 0,
                JoinMode::Right => side == 1,
                JoinMode::Outer => true,
            };
            let rows = ShipSide {
                inputs: program.steps[step.inputs[side].0].columns.clone(),
                columns: columns[side].clone(),
                key: JoinKey::Hash { columns: on[side].clone(), instance: spec.instance },
                preserved,
                side: side as u8,
            };
            let ship = ShipTimed::new(rows, times[side], buckets);
            let route = Route::Column(ship.key());
            let (context, site) = (self.context.clone(), site.clone());
            let edge = self.edge(step, side);
            let shipped = per_batch(edge, "join keys", context.clone(), move |_, batch| {
                ship.apply(batch, &context, &site)
            });
            (shipped, route)
        };
        buckets.into_iter().enumerate().map(ship).collect()
    }
}
