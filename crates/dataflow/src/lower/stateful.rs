//! Steps that depend on the order of changes or of rows.

use pathway_plan::StatefulKind;
use pathway_plan::program::{Program, StatefulStep, Step};
use pathway_types::{DType, Key};

use super::Lowering;
use crate::context::Site;
use crate::driver::{Edge, drive};
use crate::operator::Operator;
use crate::operators::deduplicate::Deduplicate;
use crate::operators::interpolate::Interpolate;
use crate::operators::neighbours::{Links, Neighbours, Previous, Show};
use crate::route::Route;
use crate::store::ordered::{Text, Word, is_word};

impl<'scope> Lowering<'_, 'scope> {
    pub(super) fn stateful(
        &self,
        program: &Program,
        step: &Step,
        spec: &StatefulStep,
        site: Site,
    ) -> Edge<'scope> {
        let columns = program.steps[step.inputs[0].0].columns.clone();
        match &spec.kind {
            StatefulKind::Deduplicate { acceptor } => {
                let context = self.context.clone();
                let operator = Deduplicate::new(acceptor.clone(), columns, context, site);
                self.driven(step, Route::Column(1), operator)
            }
            StatefulKind::Sort { instance } => self.neighbours(step, columns, *instance, Links, site),
            StatefulKind::Previous { instance } => {
                let shown = Previous::new(columns[1 + usize::from(*instance)..].to_vec());
                self.neighbours(step, columns, *instance, shown, site)
            }
            StatefulKind::Interpolate => {
                self.driven(step, self.one_worker(), Interpolate::new(columns, self.context.clone(), site))
            }
        }
    }

    /// The worker with the rows of operations that need all of them.
    fn one_worker(&self) -> Route {
        Route::Worker(Key::EMPTY.worker(self.scope.peers()))
    }

    fn neighbours(
        &self,
        step: &Step,
        columns: Vec<DType>,
        instance: bool,
        show: impl Show,
        site: Site,
    ) -> Edge<'scope> {
        let route = if instance { Route::Column(1) } else { self.one_worker() };
        let context = self.context.clone();
        if is_word(&columns[0]) {
            let operator = Neighbours::<Word, _>::new(columns, instance, show, context, site);
            self.driven(step, route, operator)
        } else {
            let operator = Neighbours::<Text, _>::new(columns, instance, show, context, site);
            self.driven(step, route, operator)
        }
    }

    fn driven(&self, step: &Step, route: Route, operator: impl Operator) -> Edge<'scope> {
        let input = (self.edge(step, 0), route);
        drive(self.scope, &step.name, vec![input], self.context.clone(), operator)
    }
}
