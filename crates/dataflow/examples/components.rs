//! Connected components of a random graph, then changes of its edges: the lattice path against
//! differential dataflow's own `iterate` over rows of compiled types, and the times of loops against
//! each other.
//!
//! ```text
//! cargo run --release -p pathway-dataflow --example components -- \
//!     [engine = lattice|pairs|stamps|rows|wide] [edges = 200000] [changes = 2000] [rounds = 5]
//! ```
//!
//! `lattice` is the engine; `pairs` and `stamps` are the same operators with a time for one loop only
//! and with differential dataflow's time for loops of any depth; `rows` is differential dataflow over
//! `u64` nodes, `wide` over `u128` ones. Each prints one line
//! per phase: seconds and updates of the result.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use differential_dataflow::VecCollection;
use differential_dataflow::input::{Input as _, InputSession};
use differential_dataflow::operators::iterate::Iterate;

use pathway_dataflow::context::{Context, Monitor, Report, Site};
use pathway_dataflow::lattice::join::{JoinShape, join, ship};
use pathway_dataflow::lattice::loops::{timed, untimed};
use pathway_dataflow::lattice::reduce::{group, reduce};
use pathway_dataflow::lattice::stateless::stateless;
use pathway_dataflow::lattice::time::next_round;
use pathway_dataflow::lattice::{Flow, LatticeTime, LoopTime, arrange, changes};
use pathway_dataflow::operators::join::{JoinKey, ShipSide};
use pathway_dataflow::operators::stateless::{Stages, per_batch};
use pathway_dataflow::packet::Packet;
use pathway_dataflow::timely::{
    Config, Input, InputHandle, LoopVariable, NoopBuilder, PointStamp, Probe, ProbeHandle, Product, Scope,
    TimelyTimestamp, Worker, execute, feedback_summary,
};
use pathway_expr::{Expr, Reducer};
use pathway_plan::program::{GroupKey, JoinIds, ReduceColumn, ReduceStep, Stage};
use pathway_types::{Batch, Column, DType, Key, Keys, Timestamp, Value};

/// Rows per packet that is fed.
const FEED_ROWS: usize = 64 * 1024;

/// Pairs of nodes.
type Edges = Vec<(u64, u64)>;

struct Load {
    nodes: u64,
    edges: Edges,
    /// Edges to take away and to add, round by round.
    rounds: Vec<(Edges, Edges)>,
}

impl Load {
    fn new(edges: usize, changes: usize, rounds: usize) -> Load {
        let nodes = edges as u64 / 2;
        let mut state = 0x2545_F491_4F6C_DD1Du64;
        let mut next = move |below: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) % below
        };
        let mut present: Edges = (0..edges).map(|_| (next(nodes), next(nodes))).collect();
        let all = present.clone();
        let rounds = (0..rounds).map(|_| {
            let removed: Vec<_> =
                (0..changes / 2).map(|_| present.swap_remove(next(present.len() as u64) as usize)).collect();
            let added: Vec<_> = (0..changes / 2).map(|_| (next(nodes), next(nodes))).collect();
            present.extend(&added);
            (removed, added)
        });
        Load { nodes, rounds: rounds.collect(), edges: all }
    }

    /// Calls `feed` with the edges of each phase and how often they are there, then `done`.
    fn play(&self, mut phase: impl FnMut(&str, &[(&[(u64, u64)], i64)])) {
        phase("load", &[(&self.edges, 1)]);
        for (removed, added) in &self.rounds {
            phase("change", &[(removed, -1), (added, 1)]);
        }
    }
}

struct Quiet;

impl Monitor for Quiet {
    fn report(&self, _report: Report<'_>) {}
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let engine = arguments.next().unwrap_or_else(|| "lattice".into());
    let mut number = |default: usize| arguments.next().and_then(|n| n.parse().ok()).unwrap_or(default);
    let load = Arc::new(Load::new(number(200_000), number(2_000), number(5)));
    let guards = execute(Config::thread(), move |worker| match engine.as_str() {
        "lattice" => lattice::<LoopTime>(worker, &load, next_round(1), &engine),
        "stamps" => {
            let step = Product::new(0, feedback_summary::<u64>(1, 1));
            lattice::<Product<Timestamp, PointStamp<u64, 2>>>(worker, &load, step, &engine);
        }
        "pairs" => lattice::<Product<Timestamp, u64>>(worker, &load, Product::new(0, 1), &engine),
        "rows" => rows::<u64>(worker, &load, |node| node, &engine),
        "wide" => rows::<u128>(worker, &load, |node| node_key(node).0, &engine),
        other => eprintln!("no engine {other}: lattice, pairs, stamps, rows, wide"),
    });
    if let Err(error) = guards {
        eprintln!("{error}");
    }
}

fn report(engine: &str, phase: &str, started: Instant, edges: usize, updates: &Cell<usize>) {
    let seconds = started.elapsed().as_secs_f64();
    let rate = edges as f64 / seconds;
    let (updates, memory) = (updates.take(), resident_megabytes());
    println!("{engine:8} {phase:7} {seconds:8.4} s  {rate:10.0} edges/s  {updates:8} updates  {memory:5} MB");
}

/// Memory of this process, where the system tells.
fn resident_megabytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok()).unwrap_or_default() / 1024
}

// Differential dataflow over rows.

fn rows<N>(worker: &mut Worker, load: &Load, node: fn(u64) -> N, engine: &str)
where
    N: differential_dataflow::ExchangeData + std::hash::Hash + Copy,
{
    let probe = ProbeHandle::new();
    let updates = Rc::new(Cell::new(0));
    let counted = updates.clone();
    let (mut nodes, mut edges) = worker.dataflow(|scope| {
        let (nodes, labels): (InputSession<u64, (N, N), isize>, _) = scope.new_collection();
        let (edges, links): (InputSession<u64, (N, N), isize>, _) = scope.new_collection();
        components(labels, links).inspect(move |_| counted.set(counted.get() + 1)).probe_with(&probe);
        (nodes, edges)
    });
    (0..load.nodes).for_each(|n| nodes.insert((node(n), node(n))));
    let mut time = 0;
    load.play(|phase, parts| {
        let (started, mut count) = (Instant::now(), 0);
        for (part, diff) in parts {
            for (a, b) in *part {
                edges.update((node(*a), node(*b)), *diff as isize);
                edges.update((node(*b), node(*a)), *diff as isize);
            }
            count += part.len();
        }
        time += 1;
        nodes.advance_to(time);
        edges.advance_to(time);
        nodes.flush();
        edges.flush();
        worker.step_while(|| probe.less_than(&time));
        report(engine, phase, started, count, &updates);
    });
}

fn components<'scope, N>(
    labels: VecCollection<'scope, u64, (N, N), isize>,
    links: VecCollection<'scope, u64, (N, N), isize>,
) -> VecCollection<'scope, u64, (N, N), isize>
where
    N: differential_dataflow::ExchangeData + std::hash::Hash + Copy,
{
    labels.clone().iterate(|scope, inner| {
        let (links, labels) = (links.enter(scope), labels.enter(scope));
        inner
            .join_map(links, |_, label, to| (*to, *label))
            .concat(labels)
            .reduce(|_, labels, out| out.push((*labels[0].0, 1)))
    })
}

// The engine.

fn node_key(node: u64) -> Key {
    Key::of(&[Value::Int(node as i64)]).unwrap_or_default()
}

fn value_dtypes() -> Vec<DType> {
    vec![DType::ANY_POINTER, DType::Int]
}

fn edge_dtypes() -> Vec<DType> {
    vec![DType::ANY_POINTER, DType::ANY_POINTER]
}

fn pointers(nodes: impl Iterator<Item = u64>) -> Column {
    Keys::from(nodes.map(|node| node_key(node).0).collect::<Vec<_>>()).to_column()
}

fn lattice<T>(worker: &mut Worker, load: &Load, step: T::Summary, engine: &str)
where
    T: LatticeTime + LoopOver,
{
    let probe = ProbeHandle::new();
    let updates = Rc::new(Cell::new(0));
    let counted = updates.clone();
    let context = Context::new(false, 1000, Arc::new(Quiet));
    type Handle = InputHandle<Timestamp, NoopBuilder<Packet>>;
    let (mut nodes, mut edges): (Handle, Handle) = worker.dataflow(|scope: Scope<'_, Timestamp>| {
        let (nodes, labels) = scope.new_input_with_builder::<NoopBuilder<Packet>>();
        let (edges, links) = scope.new_input_with_builder::<NoopBuilder<Packet>>();
        let result = scope.scoped::<T, _, _>("loop", |inner| {
            let (labels, links) = (T::enter(timed(labels), inner), T::enter(timed(links), inner));
            T::leave(least_labels(labels, links, step, &context), scope)
        });
        let result = untimed(result, value_dtypes(), context.clone());
        per_batch(result, "count", context.clone(), move |_, batch| {
            counted.set(counted.get() + batch.len());
            batch
        })
        .probe_with(&probe);
        (nodes, edges)
    });
    for start in (0..load.nodes).step_by(FEED_ROWS) {
        let range = start..load.nodes.min(start + FEED_ROWS as u64);
        let keys: Vec<u128> = range.clone().map(|n| node_key(n).0).collect();
        let labels = arrow_array::Int64Array::from_iter_values(range.clone().map(|n| n as i64));
        let columns = vec![pointers(range.clone()), Column::new(Arc::new(labels))];
        nodes.send_batch(&mut Packet(Batch::new(keys.into(), columns, vec![1; range.count()].into())));
    }
    let mut time = 0;
    load.play(|phase, parts| {
        let (started, mut count) = (Instant::now(), 0);
        for (part, diff) in parts {
            for part in part.chunks(FEED_ROWS / 2) {
                let ends = || part.iter().flat_map(|(a, b)| [(*a, *b), (*b, *a)]);
                let id = |(a, b): (u64, u64)| {
                    Key::of(&[Value::Int(a as i64), Value::Int(b as i64)]).unwrap_or_default().0
                };
                let keys: Vec<u128> = ends().map(id).collect();
                let columns = vec![pointers(ends().map(|(a, _)| a)), pointers(ends().map(|(_, b)| b))];
                let diffs = vec![*diff; keys.len()];
                edges.send_batch(&mut Packet(Batch::new(keys.into(), columns, diffs.into())));
            }
            count += part.len();
        }
        time += 1;
        nodes.advance_to(time);
        edges.advance_to(time);
        worker.step_while(|| probe.less_than(&time));
        report(engine, phase, started, count, &updates);
    });
}

fn least_labels<'s, T: LatticeTime>(
    labels: Flow<'s, T>,
    links: Flow<'s, T>,
    step: T::Summary,
    context: &Context,
) -> Flow<'s, T> {
    let (variable, inner) = LoopVariable::new_from(labels.clone(), step);
    let side = ShipSide {
        inputs: edge_dtypes(),
        columns: vec![1],
        key: JoinKey::Pointer(0),
        preserved: false,
        side: 0,
    };
    let links = arrange(ship(links, side, context.clone(), Site::default()), "links");
    let keyed_by_id = [true, false];
    let shape = JoinShape { ids: JoinIds::Pair, row_ids: [false, false], keyed_by_id, join_key: false };
    let pairs = join(arrange(inner, "labels"), links, "follow", shape);
    let expressions = vec![Expr::input(2, DType::ANY_POINTER), Expr::input(1, DType::Int)];
    let map = Stage::Map { expressions, frames: vec![None, None] };
    let stages = Stages::new(&[map], context.clone(), Site::default());
    let candidates = stateless(pairs, stages, "reach", context.clone()).concat(labels);
    let reducers =
        vec![ReduceColumn { reducer: Reducer::Min, arguments: vec![1], dtype: DType::Int, frame: None }];
    let (key, group_columns) = (GroupKey::Pointer(0), vec![0]);
    let step = ReduceStep {
        key,
        group_columns,
        reducers,
        sort_by: None,
        skip_errors: true,
        row_ids: None,
        panes: None,
    };
    let groups = group(candidates, &step, &value_dtypes(), context.clone(), Site::default());
    // A minimum is not among the reducers that loops refuse.
    #[allow(clippy::expect_used)]
    let result = reduce(groups, &step, &value_dtypes(), "least", context.clone(), &Site::default())
        .expect("a minimum works inside loops");
    let result = changes(result);
    variable.set(result.clone());
    result
}

/// Times of one loop in the outer scope.
trait LoopOver: TimelyTimestamp + pathway_dataflow::timely::Refines<Timestamp> + LatticeTime {
    fn enter<'inner>(flow: Flow<'_, Timestamp>, scope: Scope<'inner, Self>) -> Flow<'inner, Self>;
    fn leave<'outer>(flow: Flow<'_, Self>, scope: Scope<'outer, Timestamp>) -> Flow<'outer, Timestamp>;
}

impl<Inner: LatticeTime> LoopOver for Product<Timestamp, Inner> {
    fn enter<'inner>(flow: Flow<'_, Timestamp>, scope: Scope<'inner, Self>) -> Flow<'inner, Self> {
        flow.enter(scope)
    }
    fn leave<'outer>(flow: Flow<'_, Self>, scope: Scope<'outer, Timestamp>) -> Flow<'outer, Timestamp> {
        flow.leave(scope)
    }
}
