//! Joins in which times matter.

use pathway_plan::program::{Bounds, JoinMode, JoinStep, Program, Step};
use pathway_types::DType;

use super::Lowering;
use crate::context::Site;
use crate::driver::{Edge, drive};
use crate::operators::interval_join::{IntervalJoin, IntervalSpec};
use crate::operators::join::{JoinKey, ShipSide};
use crate::operators::ship_timed::{BucketWidth, ShipTimed};
use crate::operators::stateless::per_batch;
use crate::route::Route;

impl<'scope> Lowering<'_, 'scope> {
    pub(super) fn interval_join(
        &self,
        program: &Program,
        step: &Step,
        spec: &JoinStep,
        (times, bounds): ([usize; 2], Bounds),
        site: Site,
    ) -> Edge<'scope> {
        let inputs = [0, 1].map(|i| program.steps[step.inputs[i].0].columns.clone());
        let columns = [&spec.left_columns, &spec.right_columns];
        let dtypes: [Vec<DType>; 2] =
            [0, 1].map(|side| columns[side].iter().map(|c| inputs[side][*c].clone()).collect());
        let on = [&spec.left_on, &spec.right_on];
        let width = match bounds {
            Bounds::Int(lower, upper) => BucketWidth::Int(upper.saturating_sub(lower)),
            Bounds::Float(lower, upper) => BucketWidth::Float(upper - lower),
        };
        let mut edges = Vec::new();
        for (side, inputs) in inputs.into_iter().enumerate() {
            let preserved = match spec.mode {
                JoinMode::Inner => false,
                JoinMode::Left => side == 0,
                JoinMode::Right => side == 1,
                JoinMode::Outer => true,
            };
            let rows = ShipSide {
                inputs,
                columns: columns[side].clone(),
                key: JoinKey::Hash { columns: on[side].clone(), instance: spec.instance },
                preserved,
                side: side as u8,
            };
            let buckets = (side == 0).then(|| (width, on[0].clone()));
            edges.push(self.shipped(step, side, ShipTimed::new(rows, times[side], buckets), &site));
        }
        let spec = IntervalSpec { mode: spec.mode, bounds, dtypes, row_ids: [spec.left_id, spec.right_id] };
        let join = IntervalJoin::new(spec);
        drive(self.scope, &step.name, edges, self.context.clone(), join)
    }

    /// The rows of one side in shipped form, routed by their key.
    fn shipped(&self, step: &Step, side: usize, ship: ShipTimed, site: &Site) -> (Edge<'scope>, Route) {
        let route = Route::Column(ship.key());
        let (context, site) = (self.context.clone(), site.clone());
        let shipped = per_batch(self.edge(step, side), "join keys", context.clone(), move |_, batch| {
            ship.apply(batch, &context, &site)
        });
        (shipped, route)
    }
}
