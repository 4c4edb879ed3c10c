//! Steps that depend on the order of changes or of rows.

use pathway_plan::StatefulKind;
use pathway_plan::program::{Program, StatefulStep, Step};

use super::Lowering;
use crate::context::Site;
use crate::driver::{Edge, drive};
use crate::operators::deduplicate::Deduplicate;
use crate::route::Route;

impl<'scope> Lowering<'_, 'scope> {
    pub(super) fn stateful(
        &self,
        program: &Program,
        step: &Step,
        spec: &StatefulStep,
        site: Site,
    ) -> Edge<'scope> {
        let columns = program.steps[step.inputs[0].0].columns.clone();
        let context = self.context.clone();
        match &spec.kind {
            StatefulKind::Deduplicate { acceptor } => {
                let operator = Deduplicate::new(acceptor.clone(), columns, context.clone(), site);
                drive(self.scope, &step.name, vec![(self.edge(step, 0), Route::Column(1))], context, operator)
            }
        }
    }
}
