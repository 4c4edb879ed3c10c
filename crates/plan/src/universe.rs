//! Universes: the sets of row ids of tables, and what can be proved about them.
//!
//! A universe is a boolean variable, "an arbitrary fixed key belongs to it"; a fact is a clause over
//! these variables, and a query holds if its negation contradicts the facts. Every fact is true
//! when no universe has the key, so the facts never contradict each other.
//!
//! Most queries never reach the solver. Facts are only ever added, so what was proved stays
//! proved. What does not hold is shown by a *model*: a set of universes that one key may belong to
//! without breaking a fact. Models are kept, extended when universes are added, and dropped when a
//! promise breaks them; a universe that is in none of them may have become empty.

use batsat::{Callbacks, Lit, Solver, SolverInterface, Var, lbool};
use hashbrown::HashSet;

/// A set of row ids. Two tables share one if their sets of row ids are the same by construction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UniverseId(pub u32);

/// What is known of a universe when it is made.
#[derive(Clone, Debug)]
pub enum Definition {
    /// Nothing.
    Unrelated,
    /// A subset of another.
    SubsetOf(UniverseId),
    /// A superset of another.
    SupersetOf(UniverseId),
    /// The same keys as another.
    EqualTo(UniverseId),
    /// The keys that all of these have.
    Intersection(Vec<UniverseId>),
    /// The keys that some of these have.
    Union(Vec<UniverseId>),
    /// The keys of the first that the second does not have.
    Difference(UniverseId, UniverseId),
    /// No keys, as the user said.
    Empty,
    /// No keys if one of these has none (the result of an operation on them).
    EmptyWith(Vec<UniverseId>),
}

/// Models beyond this number are forgotten, the oldest first.
const MAX_MODELS: usize = 64;

/// One member per universe: does the key belong to it?
type Model = Vec<bool>;

/// Queries run to their end. (The solver's own callbacks cannot be sent between threads, and a plan
/// has to be.)
#[derive(Default)]
struct Uninterrupted;

impl Callbacks for Uninterrupted {}

/// All universes of a graph and the facts about them.
pub struct Universes {
    /// The id of the first universe; ids below it belong to a graph that was cleared.
    base: u32,
    solver: Solver<Uninterrupted>,
    variables: Vec<Var>,
    /// Each universe's direct superset, where its definition gives one.
    parents: Vec<Option<UniverseId>>,
    models: Vec<Model>,
    /// Pairs `(a, b)` with a proved subset of b.
    subsets: HashSet<(UniverseId, UniverseId)>,
    /// Pairs `(a, b)`, a < b, proved disjoint.
    disjoint: HashSet<(UniverseId, UniverseId)>,
    /// Proved (or declared) empty.
    empty: HashSet<UniverseId>,
    /// Found empty since the last [`Universes::take_found_empty`], not declared so.
    found_empty: Vec<UniverseId>,
}

impl Default for Universes {
    fn default() -> Self {
        Universes {
            base: 0,
            solver: Solver::default(),
            variables: Vec::new(),
            parents: Vec::new(),
            // With no universes, the one model there is.
            models: vec![Vec::new()],
            subsets: HashSet::new(),
            disjoint: HashSet::new(),
            empty: HashSet::new(),
            found_empty: Vec::new(),
        }
    }
}

impl Universes {
    /// Forgets all universes; their ids do not come up again.
    pub fn clear(&mut self) {
        *self = Universes { base: self.end(), ..Universes::default() };
    }

    /// The id that the next universe will have.
    fn end(&self) -> u32 {
        self.base + self.variables.len() as u32
    }

    /// True if the universe exists (and was not cleared away).
    pub fn contains(&self, universe: UniverseId) -> bool {
        (self.base..self.end()).contains(&universe.0)
    }

    /// A number for humans, counted from the start of the graph.
    pub fn ordinal(&self, universe: UniverseId) -> u32 {
        universe.0.wrapping_sub(self.base)
    }

    fn index(&self, universe: UniverseId) -> usize {
        debug_assert!(self.contains(universe), "a universe of another graph");
        (universe.0 - self.base) as usize
    }

    fn literal(&self, universe: UniverseId, positive: bool) -> Lit {
        Lit::new(self.variables[self.index(universe)], positive)
    }

    /// A new universe.
    pub fn add(&mut self, definition: &Definition) -> UniverseId {
        let new = UniverseId(self.end());
        // Decisions try "belongs to it" first, so that one model shows many universes non-empty.
        self.variables.push(self.solver.new_var(lbool::TRUE, true));
        self.parents.push(match definition {
            Definition::SubsetOf(a) | Definition::EqualTo(a) | Definition::Difference(a, _) => Some(*a),
            Definition::Intersection(all) => all.first().copied(),
            _ => None,
        });
        let mut models = std::mem::take(&mut self.models);
        for model in &mut models {
            let holds = |u: &UniverseId| model[self.index(*u)];
            let value = match definition {
                Definition::Unrelated => true,
                Definition::SubsetOf(a) | Definition::EqualTo(a) => holds(a),
                // Also where the subset is not: a superset may have more.
                Definition::SupersetOf(_) => true,
                Definition::Intersection(all) => all.iter().all(holds),
                Definition::Union(all) => all.iter().any(holds),
                Definition::Difference(a, b) => holds(a) && !holds(b),
                Definition::Empty => false,
                Definition::EmptyWith(all) => !all.iter().any(|u| self.empty.contains(u)),
            };
            model.push(value);
        }
        self.models = models;
        match definition {
            Definition::Unrelated => {}
            Definition::SubsetOf(a) => self.implies(new, *a),
            Definition::SupersetOf(a) => self.implies(*a, new),
            Definition::EqualTo(a) => {
                self.implies(new, *a);
                self.implies(*a, new);
            }
            Definition::Intersection(all) => {
                all.iter().for_each(|a| self.implies(new, *a));
                self.clause(all.iter().map(|a| (*a, false)).chain([(new, true)]));
            }
            Definition::Union(all) => {
                all.iter().for_each(|a| self.implies(*a, new));
                self.clause(all.iter().map(|a| (*a, true)).chain([(new, false)]));
            }
            Definition::Difference(a, b) => {
                self.implies(new, *a);
                self.clause([(new, false), (*b, false)]);
                self.clause([(*a, false), (*b, true), (new, true)]);
            }
            Definition::Empty => {
                self.clause([(new, false)]);
                self.empty.insert(new);
            }
            Definition::EmptyWith(all) => {
                if all.iter().any(|u| self.is_empty(*u)) {
                    self.clause([(new, false)]);
                }
            }
        }
        // The models gave the new universe a value that its definition allows, so none is broken;
        // nothing but the new universe can have become empty.
        self.find_empty(&[new]);
        new
    }

    fn implies(&mut self, a: UniverseId, b: UniverseId) {
        self.clause([(a, false), (b, true)]);
    }

    fn clause(&mut self, literals: impl IntoIterator<Item = (UniverseId, bool)>) {
        let mut literals: Vec<Lit> =
            literals.into_iter().map(|(universe, positive)| self.literal(universe, positive)).collect();
        let consistent = self.solver.add_clause_reuse(&mut literals);
        debug_assert!(consistent, "every fact holds for a key that is nowhere");
    }

    /// The user promises that `a` is a subset of `b`.
    pub fn promise_subset(&mut self, a: UniverseId, b: UniverseId) {
        if a == b || self.subsets.contains(&(a, b)) {
            return;
        }
        self.implies(a, b);
        self.subsets.insert((a, b));
        self.drop_models(|this, model| !model[this.index(a)] || model[this.index(b)]);
    }

    /// The user promises that `a` and `b` have the same keys.
    pub fn promise_equal(&mut self, a: UniverseId, b: UniverseId) {
        self.promise_subset(a, b);
        self.promise_subset(b, a);
    }

    /// The user promises that no two of these share a key.
    pub fn promise_disjoint(&mut self, universes: &[UniverseId]) {
        for (i, a) in universes.iter().enumerate() {
            for b in &universes[i + 1..] {
                self.clause([(*a, false), (*b, false)]);
                self.disjoint.insert(ordered(*a, *b));
            }
        }
        self.drop_models(|this, model| universes.iter().filter(|u| model[this.index(**u)]).count() <= 1);
    }

    /// Drops models that a new fact breaks; universes that lost their last model may be empty.
    fn drop_models(&mut self, keeps: impl Fn(&Self, &Model) -> bool) {
        let models = std::mem::take(&mut self.models);
        let before = models.len();
        let kept: Vec<Model> = models.into_iter().filter(|model| keeps(self, model)).collect();
        self.models = kept;
        if self.models.len() < before {
            let all: Vec<UniverseId> = (self.base..self.end()).map(UniverseId).collect();
            self.find_empty(&all);
        }
    }

    /// Records which of these universes are empty and not known to be.
    fn find_empty(&mut self, universes: &[UniverseId]) {
        for universe in universes {
            if !self.empty.contains(universe) && self.is_empty(*universe) {
                self.found_empty.push(*universe);
            }
        }
    }

    /// Universes that turned out to be empty without having been declared so, each once.
    pub fn take_found_empty(&mut self) -> Vec<UniverseId> {
        std::mem::take(&mut self.found_empty)
    }

    /// A key that belongs to all `members` and not to `absent`, as far as the facts tell.
    fn satisfiable(&mut self, members: &[UniverseId], absent: Option<UniverseId>) -> bool {
        let shows = |model: &Model| {
            members.iter().all(|u| model[self.index(*u)]) && !absent.is_some_and(|u| model[self.index(u)])
        };
        if self.models.iter().any(shows) {
            return true;
        }
        let assumptions: Vec<Lit> = members
            .iter()
            .map(|u| self.literal(*u, true))
            .chain(absent.map(|u| self.literal(u, false)))
            .collect();
        if self.solver.solve_limited(&assumptions) != lbool::TRUE {
            return false;
        }
        let model = self.variables.iter().map(|v| self.solver.value_var(*v) == lbool::TRUE).collect();
        if self.models.len() == MAX_MODELS {
            self.models.remove(0);
        }
        self.models.push(model);
        true
    }

    /// True if every key of `a` is provably one of `b`.
    pub fn is_subset(&mut self, a: UniverseId, b: UniverseId) -> bool {
        if a == b || self.subsets.contains(&(a, b)) || self.empty.contains(&a) {
            return true;
        }
        let mut ancestor = a;
        while let Some(parent) = self.parents[self.index(ancestor)] {
            if parent == b {
                return true;
            }
            ancestor = parent;
        }
        let proved = !self.satisfiable(&[a], Some(b));
        if proved {
            self.subsets.insert((a, b));
        }
        proved
    }

    /// True if `a` and `b` provably have the same keys.
    pub fn are_equal(&mut self, a: UniverseId, b: UniverseId) -> bool {
        self.is_subset(a, b) && self.is_subset(b, a)
    }

    /// True if `a` and `b` provably share no key.
    pub fn are_disjoint(&mut self, a: UniverseId, b: UniverseId) -> bool {
        if self.disjoint.contains(&ordered(a, b)) {
            return true;
        }
        let proved = !self.satisfiable(&[a, b], None);
        if proved {
            self.disjoint.insert(ordered(a, b));
        }
        proved
    }

    /// True if the universe provably has no keys.
    pub fn is_empty(&mut self, universe: UniverseId) -> bool {
        if self.empty.contains(&universe) {
            return true;
        }
        let proved = !self.satisfiable(&[universe], None);
        if proved {
            self.empty.insert(universe);
        }
        proved
    }
}

fn ordered(a: UniverseId, b: UniverseId) -> (UniverseId, UniverseId) {
    if a <= b { (a, b) } else { (b, a) }
}

#[cfg(test)]
mod tests;
