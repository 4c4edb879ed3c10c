//! Steps that depend on the order of changes or of rows.

use pathway_plan::program::{Program, StatefulStep, Step};
use pathway_plan::{Search, SessionBehavior, SessionGap, StatefulKind};
use pathway_types::{Batch, DType, Key, Timestamp, Value};

use super::Lowering;
use crate::context::Site;
use crate::driver::{Edge, drive};
use crate::kernels::consolidate::removals_first;
use crate::operator::Operator;
use crate::operators::deduplicate::Deduplicate;
use crate::operators::gradual::Gradual;
use crate::operators::interpolate::Interpolate;
use crate::operators::neighbours::{Links, Neighbours, Previous, Show};
use crate::operators::net::net_changes;
use crate::operators::search::{self, SearchSpec};
use crate::operators::sessions::limits::{self, Behavior};
use crate::operators::sessions::moment::{Distance, Tick, is_tick};
use crate::operators::sessions::{Asked, Gap, LessThan, LessThanFloat, Sessions, bounds_width};
use crate::operators::stateless::per_batch;
use crate::operators::streams::{
    Moment, Snapshots, ToStream, append_only, events_only, removals, sign, upserts,
};
use crate::operators::time::{Buffer, Forget, Freeze, Timed, clock};
use crate::operators::upsert::Upsert;
use crate::route::Route;
use crate::store::OrderKey;
use crate::store::ordered::{Text, Word, is_word};
use crate::timely::concatenate;

impl<'scope> Lowering<'_, 'scope> {
    pub(super) fn stateful(
        &self,
        program: &Program,
        step: &Step,
        spec: &StatefulStep,
        site: Site,
    ) -> (Edge<'scope>, Option<Edge<'scope>>) {
        let columns = program.steps[step.inputs[0].0].columns.clone();
        let rows = match &spec.kind {
            StatefulKind::Sessions { gap, behavior } => {
                return self.sessions(program, step, (gap, behavior.as_ref()), columns, site);
            }
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
            StatefulKind::Search(how) => self.search(program, step, how, site),
            StatefulKind::Gradual => {
                let inputs = vec![(self.edge(step, 0), Route::Key), (self.edge(step, 1), Route::All)];
                drive(
                    self.scope,
                    &step.name,
                    inputs,
                    self.context.clone(),
                    self.keeper(),
                    Gradual::new(columns),
                )
            }
            StatefulKind::Freeze { instance, .. }
            | StatefulKind::Buffer { instance, .. }
            | StatefulKind::Forget { instance, .. } => {
                let words = is_word(&columns[0]) && is_word(&columns[1]);
                let context = self.context.clone();
                let timed = Timed { dtypes: columns, instances: *instance, site, context };
                if words {
                    self.timed::<Word>(program, step, &spec.kind, timed)
                } else {
                    self.timed::<Text>(program, step, &spec.kind, timed)
                }
            }
            _ => self.streams(program, step, spec, columns, site),
        };
        (rows, None)
    }

    /// Every worker knows all items, and answers the queries whose ids it owns.
    fn search(&self, program: &Program, step: &Step, how: &Search, site: Site) -> Edge<'scope> {
        let input = |i: usize| &program.steps[step.inputs[i].0];
        let spec = SearchSpec {
            how: how.clone(),
            queries: input(0).columns.clone(),
            items: input(1).columns.clone(),
            outputs: step.columns.clone(),
            queries_stay: input(0).insert_only,
        };
        let inputs = vec![(self.edge(step, 0), Route::Key), (self.edge(step, 1), Route::All)];
        let operator = search::Search::new(spec, self.context.clone(), site);
        drive(self.scope, &step.name, inputs, self.context.clone(), self.keeper(), operator)
    }

    /// Operators with a clock: what it hears goes to all workers.
    fn timed<K: OrderKey>(
        &self,
        program: &Program,
        step: &Step,
        kind: &StatefulKind,
        timed: Timed,
    ) -> Edge<'scope> {
        let (rows, insert_only) = self.net(program, step, 0, &timed.dtypes);
        let heard = {
            let (times, timed) = match step.inputs.get(1) {
                None => (rows.clone(), timed.clone()),
                Some(clock) => {
                    let dtypes = program.steps[clock.0].columns.clone();
                    (self.net(program, step, 1, &dtypes).0, Timed { dtypes, ..timed.clone() })
                }
            };
            per_batch(times, "clock", self.context.clone(), move |_, batch| clock::heard::<K>(&timed, batch))
        };
        let by_id = if insert_only { Route::Key } else { Route::Local };
        let driven = |route: Route, operator: Box<dyn Operator>| {
            let inputs = vec![(rows, route), (heard, Route::All)];
            drive(self.scope, &step.name, inputs, self.context.clone(), self.keeper(), operator)
        };
        match kind {
            StatefulKind::Freeze { replaces, .. } => {
                let tracks = *replaces && !insert_only;
                driven(Route::Local, Box::new(Freeze::<K>::new(timed, tracks)))
            }
            StatefulKind::Forget { when, .. } => driven(by_id, Box::new(Forget::<K>::new(timed, *when))),
            _ => driven(by_id, Box::new(Buffer::<K>::new(timed))),
        }
    }

    /// The net changes of an input, and whether none is a removal: then they may be anywhere.
    fn net(&self, program: &Program, step: &Step, input: usize, dtypes: &[DType]) -> (Edge<'scope>, bool) {
        let rows = self.edge(step, input);
        if program.steps[step.inputs[input].0].insert_only {
            return (rows, true);
        }
        (net_changes(rows, dtypes.to_vec(), false, &self.context), false)
    }

    /// Tables as streams, and back.
    fn streams(
        &self,
        program: &Program,
        step: &Step,
        spec: &StatefulStep,
        columns: Vec<DType>,
        site: Site,
    ) -> Edge<'scope> {
        let name = step.name.as_str();
        let context = self.context.clone();
        match &spec.kind {
            StatefulKind::ForgetImmediately => self.driven(step, Route::Local, Moment),
            StatefulKind::DropForgetting { consistent } => {
                let even = |time: Timestamp, batch| if time & 1 == 0 { batch } else { Batch::default() };
                let rows = per_batch(self.edge(step, 0), name, context.clone(), even);
                let insert_only = program.steps[step.inputs[0].0].insert_only;
                if insert_only || !consistent {
                    return rows;
                }
                let rows = net_changes(rows, columns.clone(), false, &self.context);
                drive(
                    self.scope,
                    name,
                    vec![(rows, Route::Local)],
                    context,
                    self.keeper(),
                    Upsert::new(columns),
                )
            }
            StatefulKind::KeepInsertions => {
                let (rows, insert_only) = self.net(program, step, 0, &columns);
                if insert_only {
                    rows
                } else {
                    per_batch(rows, name, context, |_, batch| removals_first(batch).1)
                }
            }
            StatefulKind::AppendOnly => {
                let (rows, insert_only) = self.net(program, step, 0, &columns);
                if insert_only {
                    return rows;
                }
                per_batch(rows, name, context.clone(), move |_, batch| append_only(batch, &context, &site))
            }
            StatefulKind::ToStream => self.driven(step, Route::Key, ToStream::new(columns)),
            StatefulKind::Snapshots => {
                let rows = self.net(program, step, 0, &columns).0;
                let signs = per_batch(rows.clone(), "changes", context.clone(), |_, batch| sign(&batch));
                let inputs = vec![(rows, Route::Key), (signs, Route::All)];
                drive(self.scope, name, inputs, context, self.keeper(), Snapshots::new(columns))
            }
            StatefulKind::FromStreams => {
                let dtypes = columns.clone();
                let (updating, removing, at) = (context.clone(), context.clone(), site.clone());
                let updates = per_batch(self.edge(step, 0), "updates", context.clone(), move |_, batch| {
                    events_only(batch, &updating, &at)
                });
                let deletions =
                    per_batch(self.edge(step, 1), "deletions", context.clone(), move |_, batch| {
                        removals(batch, &dtypes, &removing, &site)
                    });
                let events = concatenate(self.scope, [updates, deletions].into_iter());
                drive(
                    self.scope,
                    name,
                    vec![(events, Route::Key)],
                    context,
                    self.keeper(),
                    Upsert::unordered(columns),
                )
            }
            kind => {
                debug_assert!(
                    matches!(kind, StatefulKind::FromStream),
                    "{} is lowered elsewhere",
                    kind.name()
                );
                let shared = context.clone();
                let events = per_batch(self.edge(step, 0), "events", context.clone(), move |_, batch| {
                    upserts(batch, &shared, &site)
                });
                let rows = Upsert::unordered(columns[1..].to_vec());
                drive(self.scope, name, vec![(events, Route::Key)], context, self.keeper(), rows)
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
        drive(self.scope, &step.name, vec![input], self.context.clone(), self.keeper(), operator)
    }

    fn sessions(
        &self,
        program: &Program,
        step: &Step,
        (gap, behavior): (&SessionGap, Option<&SessionBehavior>),
        columns: Vec<DType>,
        site: Site,
    ) -> (Edge<'scope>, Option<Edge<'scope>>) {
        let time = columns[0].clone();
        let (context, route) = (self.context.clone(), Route::Column(1));
        let behavior = behavior.map(|behavior| {
            let distance = |value: &Value| match value {
                Value::Float(value) => Distance::Real(*value),
                Value::Int(value) | Value::Duration(value) => Distance::Whole(*value),
                _ => Distance::Whole(0),
            };
            Behavior {
                delay: behavior.delay.as_ref().map(distance),
                once: behavior.once,
                over: behavior.over.as_ref().map(distance),
                keeps: behavior.keeps,
            }
        });
        let ticks: Option<Box<dyn Gap<Tick>>> = match gap {
            SessionGap::LessThan(Value::Float(gap)) => Some(Box::new(LessThanFloat(*gap))),
            SessionGap::LessThan(Value::Int(gap) | Value::Duration(gap)) => Some(Box::new(LessThan(*gap))),
            SessionGap::Asked(asked) if is_tick(&time) => Some(Box::new(Asked(asked.clone(), time.clone()))),
            _ => None,
        };
        let both = match (ticks, behavior, gap) {
            (Some(gap), Some(behavior), _) => {
                let rows = self.net(program, step, 0, &columns).0;
                let heard = per_batch(rows.clone(), "clock", context.clone(), move |_, batch| {
                    limits::heard::<Tick>(&batch, &time)
                });
                let inputs = vec![(rows, route), (heard, Route::All)];
                let sessions = Sessions::new(columns, gap, context.clone(), site).with_behavior(behavior);
                drive(self.scope, &step.name, inputs, context, self.keeper(), sessions)
            }
            (Some(gap), None, _) => self.driven(step, route, Sessions::new(columns, gap, context, site)),
            (None, _, SessionGap::Asked(asked)) => {
                let gap = Asked(asked.clone(), time);
                self.driven(step, route, Sessions::<Text, _>::new(columns, gap, context, site))
            }
            (None, _, SessionGap::LessThan(_)) => {
                // The plan lets no other gaps pass.
                self.driven(step, route, Sessions::<Tick, _>::new(columns, LessThan(0), context, site))
            }
        };
        let width = step.columns.len();
        let pick = |name: &str, wanted: usize| {
            per_batch(both.clone(), name, self.context.clone(), move |_, batch| {
                if batch.columns.len() == wanted { batch } else { Batch::default() }
            })
        };
        let bounds = per_batch(
            pick("session bounds", bounds_width(width)),
            "bounds",
            self.context.clone(),
            |_, batch| batch.project(&[0, 1, 2]),
        );
        (pick("session rows", width), Some(bounds))
    }
}
