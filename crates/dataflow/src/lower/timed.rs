//! Joins in which times matter.

use pathway_plan::program::{Bounds, Direction, JoinStep, Program, Step};
use pathway_types::{Batch, DType};

use super::Lowering;
use crate::context::{Context, Site};
use crate::driver::{Edge, drive};
use crate::operators::asof_join::{AsofJoin, AsofSpec};
use crate::operators::asof_now_join::AsofNowJoin;
use crate::operators::interval_join::{IntervalJoin, IntervalSpec};
use crate::operators::join::{JoinSpec, join_sides};
use crate::operators::ship_timed::ShipTimed;
use crate::operators::stateless::per_batch;
use crate::route::Route;

/// The columns of the inputs of a join.
fn inputs<'a>(program: &'a Program, step: &Step) -> [&'a [DType]; 2] {
    [0, 1].map(|side: usize| &program.steps[step.inputs[side].0].columns[..])
}

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
        (times, bounds, keeps): ([usize; 2], Bounds, bool),
        site: Site,
    ) -> Edge<'scope> {
        let columns = inputs(program, step);
        let interval = IntervalSpec { keeps, ..IntervalSpec::of(spec, bounds, columns) };
        let inputs = self.timed_sides(step, interval.ships(spec, times, columns), &site);
        let join = IntervalJoin::new(interval);
        drive(self.scope, &step.name, inputs, self.context.clone(), self.keeper(), join)
    }

    pub(super) fn asof_join(
        &self,
        program: &Program,
        step: &Step,
        spec: &JoinStep,
        (times, direction): ([usize; 2], Direction),
        site: Site,
    ) -> Edge<'scope> {
        let sides = ShipTimed::sides(spec, times, inputs(program, step), [None, None]);
        let inputs = self.timed_sides(step, sides, &site);
        let join = AsofJoin::new(AsofSpec {
            mode: spec.mode,
            direction,
            float: program.steps[step.inputs[0].0].columns[times[0]] == DType::Float,
            dtypes: dtypes(program, step, spec),
            row_ids: [spec.left_id, spec.right_id],
            side: spec.side,
        });
        drive(self.scope, &step.name, inputs, self.context.clone(), self.keeper(), join)
    }

    pub(super) fn asof_now_join(
        &self,
        program: &Program,
        step: &Step,
        spec: &JoinStep,
        site: Site,
    ) -> Edge<'scope> {
        let how = JoinSpec::from(spec);
        let inputs = [0, 1].map(|side: usize| &program.steps[step.inputs[side].0]);
        let sides = join_sides(spec, &how, inputs.map(|input| &input.columns[..]));
        let how = how.of_sides(&sides);
        let edges = sides.into_iter().enumerate().map(|(number, side)| {
            let route = Route::Column(side.columns.len());
            let ship =
                move |batch, context: &Context, site: &Site| side.apply(batch, &mut context.clone(), site);
            (self.keyed(step, number, ship, &site), route)
        });
        let join = AsofNowJoin::new(how, !inputs[0].insert_only, self.context.clone(), site.clone());
        drive(self.scope, &step.name, edges.collect(), self.context.clone(), self.keeper(), join)
    }

    /// The rows of both sides in shipped form, routed by their keys.
    fn timed_sides(&self, step: &Step, sides: [ShipTimed; 2], site: &Site) -> Vec<(Edge<'scope>, Route)> {
        let shipped = sides.into_iter().enumerate().map(|(number, ship)| {
            let route = Route::Column(ship.key());
            let apply =
                move |batch, context: &Context, site: &Site| ship.apply(batch, &mut context.clone(), site);
            (self.keyed(step, number, apply, site), route)
        });
        shipped.collect()
    }

    /// The rows of one side in shipped form.
    fn keyed(
        &self,
        step: &Step,
        side: usize,
        ship: impl Fn(Batch, &Context, &Site) -> Batch + 'static,
        site: &Site,
    ) -> Edge<'scope> {
        let (context, site) = (self.context.clone(), site.clone());
        per_batch(self.edge(step, side), "join keys", context.clone(), move |_, batch| {
            ship(batch, &context, &site)
        })
    }
}
