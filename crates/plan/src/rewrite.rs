//! From the logical plan to the program that the engine runs.
//!
//! 1. `need`: only what the outputs need is looked at.
//! 2. `resolve`: selects dissolve. Every column is traced to where it was made, by a *root* (an
//!    operation that is not row-wise) or as an expression over such columns; equal expressions and
//!    equal operations become one (`intern`).
//! 3. `demand`: from the outputs down, which columns are wanted where. All columns over one set of
//!    rows that are computed from the same roots form a *stage*: one wide row-wise step. Stages over
//!    several roots bring their columns together.
//! 4. `lower`: roots and stages become steps.
//! 5. `fuse`: neighbouring row-wise steps with one consumer become one.
//! 6. `loops`: the steps of an iteration are put next to each other.
//! 7. `panes`: windows that overlap are put together of parts.

use std::collections::BTreeSet;

use crate::PlanError;
use crate::graph::{Graph, NodeId, OutputId};
use crate::program::{Program, StepOp};

mod demand;
mod fuse;
mod insert_only;
mod intern;
mod loops;
mod lower;
mod need;
mod panes;
mod resolve;

pub(crate) use need::needed;

/// What a run is to compute.
#[derive(Clone, Debug)]
pub enum Goal {
    /// These outputs.
    Outputs(Vec<OutputId>),
    /// These tables, whether an output uses them or not.
    Tables(Vec<NodeId>),
    /// All outputs, and all tables whether anything uses them or not.
    Everything,
}

/// Which rewrites are done; all of them unless a test wants to see the effect of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rewrites {
    /// Columns that nothing uses are neither read nor kept.
    pub prune: bool,
    /// Equal expressions and equal operations are computed once.
    pub share: bool,
    /// Selects over the same rows are one step.
    pub wide: bool,
    /// Operations that keep the rows of an input also pass its other columns on.
    pub carry: bool,
    /// Neighbouring row-wise steps become one.
    pub fuse: bool,
    /// Rows are summed up by panes where sliding windows share them.
    pub panes: bool,
    /// Not a rewrite, but what limits them: runs of the program go on with each other, so sources give all
    /// columns, and rows may be removed that no single run would remove.
    pub lasting: bool,
    /// The same: sources give what other runs have recorded, be it removals that they do not know.
    pub replays: bool,
}

impl Default for Rewrites {
    fn default() -> Self {
        Rewrites {
            prune: true,
            share: true,
            wide: true,
            carry: true,
            fuse: true,
            panes: true,
            lasting: false,
            replays: false,
        }
    }
}

impl Rewrites {
    /// A direct translation: one step per operation.
    pub const NONE: Rewrites = Rewrites {
        prune: false,
        share: false,
        wide: false,
        carry: false,
        fuse: false,
        panes: false,
        lasting: false,
        replays: false,
    };
}

impl Graph {
    /// The program that computes `goal`.
    ///
    /// # Errors
    /// [`PlanError::Value`] if there is no such output; [`PlanError::Runtime`] if a table was cleared away.
    pub fn program(&self, goal: &Goal) -> Result<Program, PlanError> {
        self.program_with(goal, Rewrites::default())
    }

    /// As [`Graph::program`] with only some rewrites.
    ///
    /// # Errors
    /// As [`Graph::program`].
    pub fn program_with(&self, goal: &Goal, rewrites: Rewrites) -> Result<Program, PlanError> {
        self.rewritten(goal, rewrites, false)
    }

    /// As [`Graph::program`], for runs that go on with each other.
    ///
    /// # Errors
    /// As [`Graph::program`].
    pub fn lasting_program(&self, goal: &Goal) -> Result<Program, PlanError> {
        self.rewritten(goal, Rewrites { lasting: true, ..Rewrites::default() }, false)
    }

    /// As [`Graph::program`], for a debugging run.
    ///
    /// # Errors
    /// As [`Graph::program`].
    pub fn debug_program(&self, goal: &Goal, rewrites: Rewrites) -> Result<Program, PlanError> {
        self.rewritten(goal, rewrites, true)
    }

    fn rewritten(&self, goal: &Goal, rewrites: Rewrites, debug: bool) -> Result<Program, PlanError> {
        let plan = need::collect(&self.lock(), goal, debug)?;
        let resolved = resolve::resolve(plan, rewrites);
        let demand = demand::demand(&resolved, rewrites);
        let lower::Lowered { mut program, kept } = lower::lower(&resolved, &demand);
        if rewrites.fuse {
            program = fuse::fuse(program, &kept);
        }
        let mut program = loops::gather(program, &resolved.loops, &wanted(goal, &resolved));
        if rewrites.lasting {
            last(&mut program);
        }
        insert_only::mark(&mut program, rewrites);
        if rewrites.panes {
            panes::use_panes(&mut program);
        }
        Ok(program)
    }
}

/// The numbers of the operators whose rows are wanted although nothing may read them.
fn wanted(goal: &Goal, resolved: &resolve::Resolved) -> BTreeSet<u32> {
    let Goal::Tables(_) = goal else { return BTreeSet::new() };
    let roots = resolved.tables.iter().filter_map(|(root, _)| resolved.roots.get(root));
    roots.filter_map(|root| Some(root.frame.as_ref()?.operator())).collect()
}

/// Takes sources as they are read in runs that go on with one another.
fn last(program: &mut Program) {
    for step in &mut program.steps {
        if let StepOp::Source(step) = &mut step.op
            && let Some(source) = step.source.lasting()
        {
            step.source = source;
        }
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
pub(crate) mod tests;
