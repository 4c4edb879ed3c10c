//! Promises and questions about universes.

use super::Table;
use crate::graph::Graph;
use crate::universe::{Definition, UniverseId, Universes};
use crate::{Frame, PlanError};

impl Graph {
    /// A universe of no table yet, for several tables to be equal to or to share.
    pub fn add_universe(&self) -> UniverseId {
        self.lock().universe(&Definition::Unrelated)
    }

    /// Promises that every row id of `subset` is one of `superset`.
    ///
    /// # Errors
    /// [`PlanError::Runtime`] for universes of a plan that has been cleared.
    pub fn promise_subset(
        &self,
        subset: UniverseId,
        superset: UniverseId,
        frame: Option<Frame>,
    ) -> Result<(), PlanError> {
        self.promise(&[subset, superset], frame, |universes| universes.promise_subset(subset, superset))
    }

    /// Promises that two universes have the same row ids.
    ///
    /// # Errors
    /// [`PlanError::Runtime`] for universes of a plan that has been cleared.
    pub fn promise_equal(&self, a: UniverseId, b: UniverseId, frame: Option<Frame>) -> Result<(), PlanError> {
        self.promise(&[a, b], frame, |universes| universes.promise_equal(a, b))
    }

    /// Promises that no two of these universes share a row id.
    ///
    /// # Errors
    /// [`PlanError::Runtime`] for universes of a plan that has been cleared.
    pub fn promise_disjoint(&self, universes: &[UniverseId], frame: Option<Frame>) -> Result<(), PlanError> {
        self.promise(universes, frame, |all| all.promise_disjoint(universes))
    }

    fn promise(
        &self,
        about: &[UniverseId],
        frame: Option<Frame>,
        promise: impl FnOnce(&mut Universes),
    ) -> Result<(), PlanError> {
        let mut state = self.lock();
        state.check_universes(about)?;
        promise(&mut state.universes);
        state.report_empty(frame);
        Ok(())
    }

    /// An answer about these universes; nothing is known of those of a plan that has been cleared.
    fn ask(&self, about: &[UniverseId], question: impl FnOnce(&mut Universes) -> bool) -> bool {
        let mut state = self.lock();
        state.check_universes(about).is_ok() && question(&mut state.universes)
    }

    /// True if every row id of `a` is provably one of `b`.
    pub fn is_subset(&self, a: UniverseId, b: UniverseId) -> bool {
        self.ask(&[a, b], |universes| universes.is_subset(a, b))
    }

    /// True if `a` and `b` provably have the same row ids.
    pub fn are_equal(&self, a: UniverseId, b: UniverseId) -> bool {
        self.ask(&[a, b], |universes| universes.are_equal(a, b))
    }

    /// True if `a` and `b` provably share no row id.
    pub fn are_disjoint(&self, a: UniverseId, b: UniverseId) -> bool {
        self.ask(&[a, b], |universes| universes.are_disjoint(a, b))
    }

    /// True if the universe provably has no row ids.
    pub fn is_empty_universe(&self, universe: UniverseId) -> bool {
        self.ask(&[universe], |universes| universes.is_empty(universe))
    }
}

impl Table {
    /// Promises that every row id of this table is one of `other`.
    ///
    /// # Errors
    /// [`PlanError::Value`] for a table of another plan.
    #[track_caller]
    pub fn promise_universe_is_subset_of(&self, other: &Table) -> Result<(), PlanError> {
        self.same_graph(&[other])?;
        self.graph.promise_subset(self.universe(), other.universe(), self.here())
    }

    /// Promises that this table and `other` have the same row ids.
    ///
    /// # Errors
    /// [`PlanError::Value`] for a table of another plan.
    #[track_caller]
    pub fn promise_universe_is_equal_to(&self, other: &Table) -> Result<(), PlanError> {
        self.same_graph(&[other])?;
        self.graph.promise_equal(self.universe(), other.universe(), self.here())
    }

    /// Promises that this table and `other` share no row id.
    ///
    /// # Errors
    /// [`PlanError::Value`] for a table of another plan.
    #[track_caller]
    pub fn promise_universes_are_disjoint(&self, other: &Table) -> Result<(), PlanError> {
        self.same_graph(&[other])?;
        self.graph.promise_disjoint(&[self.universe(), other.universe()], self.here())
    }
}
