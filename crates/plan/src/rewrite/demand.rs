//! Which columns are wanted where: stages, and what they need of roots and of each other.
//!
//! A column is computed at its *home*, the stage of exactly the roots it is made of, and from there
//! passed to where it is wanted, so nothing is computed twice:
//!
//! * The stage of one root follows the root's own step.
//! * Some roots are *carriers*: they keep the rows of an input (the asking table of a lookup, say)
//!   and can pass that input's columns on. Whatever is wanted of a carrier together with columns of
//!   earlier roots is therefore wanted at the carrier's own stage.
//! * Other combinations of roots form a stage of their own that zips their stages.
//!
//! Roots are visited from the last to the first; when a root's turn comes, everything that wants
//! something of it has been visited.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::HashMap;
use pathway_expr::ColumnRef;

use super::Rewrites;
use super::lower::ports::{Port, carried_input, ports};
use super::resolve::{Resolved, columns_of};
use crate::Frame;
use crate::graph::{NodeId, Op};

/// A set of columns over one set of rows, computed in one wide row-wise step.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum StageKey {
    /// What is computed after one root's own step.
    Own(NodeId),
    /// Columns of several roots brought together.
    Zip(BTreeSet<NodeId>),
}

impl StageKey {
    /// The last root it is made of.
    fn last(&self) -> NodeId {
        match self {
            StageKey::Own(root) => *root,
            // A zip has at least two roots.
            StageKey::Zip(roots) => roots.last().copied().unwrap_or(pathway_expr::SourceId(0)),
        }
    }
}

/// What a stage gives and how.
#[derive(Clone, Debug, Default)]
pub(super) struct Stage {
    /// Columns that consumers want.
    pub(super) wanted: BTreeSet<ColumnRef>,
    /// Columns of the root itself.
    pub(super) own: BTreeSet<u32>,
    /// Columns that are computed here.
    pub(super) computed: BTreeSet<ColumnRef>,
    /// Columns that come through the input of a carrier.
    pub(super) passed: BTreeSet<ColumnRef>,
    /// For a zip: the stages and the columns taken of each.
    pub(super) pieces: Vec<(StageKey, BTreeSet<ColumnRef>)>,
}

/// The demand of a whole plan.
pub(super) struct Demand {
    /// All stages; those of a root after those of earlier roots.
    pub(super) stages: HashMap<StageKey, Stage>,
    /// The stages that are made from each root (as the last), its own first, then by size.
    pub(super) order: BTreeMap<NodeId, Vec<StageKey>>,
    carry: bool,
    /// The columns that iterated tables have, by the table as it is inside.
    iterated: BTreeMap<NodeId, BTreeSet<u32>>,
}

impl Demand {
    /// The stage that has these columns (of one universe), or just the rows of `anchor`.
    pub(super) fn stage_of(&self, plan: &Resolved, columns: &[ColumnRef], anchor: NodeId) -> StageKey {
        let sources: BTreeSet<NodeId> = columns.iter().flat_map(|c| plan.sources(*c)).collect();
        self.stage_over(plan, sources, anchor)
    }

    fn stage_over(&self, plan: &Resolved, sources: BTreeSet<NodeId>, anchor: NodeId) -> StageKey {
        match sources.last() {
            None => StageKey::Own(anchor),
            Some(last) if sources.len() == 1 || self.is_carrier(plan, *last) => StageKey::Own(*last),
            Some(_) => StageKey::Zip(sources),
        }
    }

    /// The stage at which a column is made.
    fn home(&self, plan: &Resolved, column: ColumnRef) -> StageKey {
        self.stage_over(plan, plan.sources(column), column.source)
    }

    pub(super) fn is_carrier(&self, plan: &Resolved, root: NodeId) -> bool {
        self.carry && carried_input(&plan.roots[&root].op).is_some()
    }

    /// The ports of a root, given what is wanted of it.
    pub(super) fn ports(&self, plan: &Resolved, root: NodeId, stage: &Stage) -> Vec<Port> {
        ports(&plan.roots[&root], &stage.own, &stage.passed)
    }

    fn want(&mut self, plan: &Resolved, columns: &[ColumnRef], anchor: NodeId) {
        let key = self.stage_of(plan, columns, anchor);
        self.want_at(key, columns.iter().copied());
    }

    fn want_at(&mut self, key: StageKey, columns: impl IntoIterator<Item = ColumnRef>) {
        let stage = self.stages.entry(key.clone()).or_insert_with(|| {
            self.order.entry(key.last()).or_default().push(key);
            Stage::default()
        });
        stage.wanted.extend(columns);
    }

    /// Roots whose columns a stage over `root` can pass.
    fn reach(&self, plan: &Resolved, root: NodeId, reached: &mut BTreeSet<NodeId>) {
        if !reached.insert(root) || !self.is_carrier(plan, root) {
            return;
        }
        let node = &plan.roots[&root];
        let Some(input) = carried_input(&node.op) else { return };
        let all = (0..node.columns.len() as u32).collect();
        let port = &ports(node, &all, &BTreeSet::new())[input];
        let columns: Vec<ColumnRef> = port.references();
        let mut sources: BTreeSet<NodeId> = columns.iter().flat_map(|c| plan.sources(*c)).collect();
        if sources.is_empty() {
            sources.insert(port.table);
        }
        for source in sources {
            self.reach(plan, source, reached);
        }
    }
}

/// What the outputs of a plan want.
///
/// An iterated table has the columns that are wanted of it, inside or outside, and those that these are
/// made of in the step before: they are found by starting without any.
pub(super) fn demand(plan: &Resolved, rewrites: Rewrites) -> Demand {
    let mut iterated = BTreeMap::new();
    loop {
        let demand = demand_with(plan, rewrites, iterated.clone());
        let known = iterated.clone();
        for (root, node) in &plan.roots {
            let (variable, stage) = match &node.op {
                Op::Variable(_) => (*root, demand.stages.get(&StageKey::Own(*root))),
                Op::Iterated(made) => (made.variable, demand.stages.get(&StageKey::Own(*root))),
                _ => continue,
            };
            let columns: &mut BTreeSet<u32> = iterated.entry(variable).or_default();
            columns.extend(stage.iter().flat_map(|stage| &stage.own));
        }
        if iterated == known {
            return demand;
        }
    }
}

fn demand_with(plan: &Resolved, rewrites: Rewrites, iterated: BTreeMap<NodeId, BTreeSet<u32>>) -> Demand {
    let (stages, order) = (HashMap::new(), BTreeMap::new());
    let mut demand = Demand { stages, order, carry: rewrites.carry, iterated };
    for (root, columns, _) in &plan.outputs {
        demand.want(plan, columns, *root);
    }
    for (root, columns) in &plan.tables {
        demand.want(plan, columns, *root);
    }
    for (root, node) in &plan.roots {
        // What comes back is wanted whether anything outside wants it or not.
        if let Op::Iterated(made) = &node.op {
            let columns = demand.iterated.get(&made.variable).cloned().unwrap_or_default();
            let columns: Vec<ColumnRef> =
                columns.into_iter().map(|column| ColumnRef { source: *root, column }).collect();
            demand.want(plan, &columns, *root);
        }
    }
    for source in watched_sources(plan) {
        let columns = 0..plan.roots[&source].columns.len() as u32;
        let columns: Vec<ColumnRef> = columns.map(|column| ColumnRef { source, column }).collect();
        demand.want(plan, &columns, source);
    }
    for root in plan.roots.keys().rev() {
        let mut done = BTreeSet::new();
        // Zips of this root may want smaller zips of it.
        while let Some(key) = next_zip(&demand, *root, &done) {
            spread(plan, &mut demand, &key);
            if let StageKey::Zip(roots) = key {
                done.insert(roots);
            }
        }
        if let Some(stages) = demand.order.get_mut(root) {
            stages.sort_by_key(|key| match key {
                StageKey::Own(_) => (0, BTreeSet::new()),
                StageKey::Zip(roots) => (roots.len(), roots.clone()),
            });
        }
        let key = StageKey::Own(*root);
        if demand.stages.contains_key(&key) {
            spread(plan, &mut demand, &key);
            let stage = demand.stages.entry(key).or_default();
            let is_source = matches!(plan.roots[root].op, Op::Source(_));
            if !rewrites.prune || is_source && rewrites.lasting {
                stage.own = (0..plan.roots[root].columns.len() as u32).collect();
            }
            if matches!(plan.roots[root].op, Op::Variable(_)) {
                stage.own.extend(demand.iterated.get(root).into_iter().flatten());
            }
            let stage = stage.clone();
            for port in demand.ports(plan, *root, &stage) {
                demand.want(plan, &port.references(), port.table);
            }
        }
    }
    demand
}

/// Sources whose rejected records or cells the plan asks for. What is rejected must not depend on
/// which columns the rest of the program reads.
fn watched_sources(plan: &Resolved) -> BTreeSet<NodeId> {
    let mut watched = BTreeSet::new();
    let mut logs = Vec::new();
    for node in plan.roots.values() {
        match &node.op {
            Op::DeadLetters { source } => _ = watched.insert(*source),
            Op::ErrorLog(logged) => logs.push(logged),
            _ => {}
        }
    }
    for (id, node) in &plan.roots {
        let shown = |frame: &Frame| logs.iter().any(|logged| logged.shows(frame));
        if matches!(node.op, Op::Source(_)) && node.frame.iter().any(shown) {
            watched.insert(*id);
        }
    }
    watched
}

/// The largest zip of a root that has not been visited.
fn next_zip(demand: &Demand, root: NodeId, done: &BTreeSet<BTreeSet<NodeId>>) -> Option<StageKey> {
    let zips = demand.order.get(&root)?.iter().filter_map(|key| match key {
        StageKey::Zip(roots) if !done.contains(roots) => Some(roots),
        _ => None,
    });
    zips.max_by_key(|roots| (roots.len(), (*roots).clone())).map(|roots| StageKey::Zip(roots.clone()))
}

/// Decides for every column that a stage wants, or computes with, where it comes from.
fn spread(plan: &Resolved, demand: &mut Demand, key: &StageKey) {
    let Some(stage) = demand.stages.get(key) else { return };
    let mut stage = stage.clone();
    let mut todo: Vec<ColumnRef> = stage.wanted.iter().copied().collect();
    let mut seen: BTreeSet<ColumnRef> = todo.iter().copied().collect();
    let mut foreign: BTreeMap<ColumnRef, StageKey> = BTreeMap::new();
    while let Some(column) = todo.pop() {
        let home = demand.home(plan, column);
        if home != *key {
            foreign.insert(column, home);
        } else if let Some(computed) = plan.computed.get(&column) {
            stage.computed.insert(column);
            todo.extend(columns_of(&computed.value).into_iter().filter(|c| seen.insert(*c)));
        } else {
            stage.own.insert(column.column);
        }
    }
    match key {
        StageKey::Own(_) => stage.passed.extend(foreign.into_keys()),
        StageKey::Zip(_) => {
            let pieces = pieces(plan, demand, foreign);
            for (piece, columns) in &pieces {
                demand.want_at(piece.clone(), columns.iter().copied());
            }
            stage.pieces = pieces;
        }
    }
    demand.stages.insert(key.clone(), stage);
}

/// The stages that a zip takes its columns from: as few as have them all.
fn pieces(
    plan: &Resolved,
    demand: &Demand,
    foreign: BTreeMap<ColumnRef, StageKey>,
) -> Vec<(StageKey, BTreeSet<ColumnRef>)> {
    let reach = |key: &StageKey| {
        let mut reached = BTreeSet::new();
        match key {
            StageKey::Own(root) => demand.reach(plan, *root, &mut reached),
            StageKey::Zip(roots) => {
                roots.iter().for_each(|root| demand.reach(plan, *root, &mut reached));
            }
        }
        reached
    };
    let mut homes: Vec<(StageKey, BTreeSet<NodeId>, BTreeSet<ColumnRef>)> = Vec::new();
    for (column, home) in foreign {
        match homes.iter_mut().find(|(key, ..)| *key == home) {
            Some((.., columns)) => _ = columns.insert(column),
            None => {
                let reached = reach(&home);
                homes.push((home, reached, BTreeSet::from([column])));
            }
        }
    }
    homes.sort_by_key(|(key, reached, _)| (std::cmp::Reverse(reached.len()), key.last()));
    let mut pieces: Vec<(StageKey, BTreeSet<NodeId>, BTreeSet<ColumnRef>)> = Vec::new();
    for (key, reached, columns) in homes {
        let through = pieces.iter_mut().find(|(piece, roots, _)| {
            let passes = match piece {
                StageKey::Own(root) => demand.is_carrier(plan, *root),
                StageKey::Zip(_) => true,
            };
            passes && columns.iter().all(|c| plan.sources(*c).is_subset(roots))
        });
        match through {
            Some((.., taken)) => taken.extend(columns),
            None => pieces.push((key, reached, columns)),
        }
    }
    pieces.into_iter().map(|(key, _, columns)| (key, columns)).collect()
}
