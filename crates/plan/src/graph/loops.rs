//! Iterations of a plan: which tables are inside of one.
//!
//! A table is inside of the innermost iteration whose tables it is made of. So what the body of an
//! iteration makes of tables around it only is computed once, outside.

use pathway_expr::{ColumnRef, Expr, ExprKind};

use super::traverse::Mapper;
use super::{NodeId, Op, Rows, State};
use crate::{Frame, PlanError};

/// The number of an iteration in its plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LoopId(pub u32);

/// An iteration.
#[derive(Clone, Debug)]
pub(crate) struct Loop {
    /// The iteration around it.
    pub(crate) parent: Option<LoopId>,
    /// How many iterations it is inside of, itself included.
    pub(crate) level: usize,
    /// Most steps.
    pub(crate) limit: Option<u32>,
    /// The results that are fed back to its tables, by number.
    pub(crate) iterated: Vec<Option<NodeId>>,
    /// The user's line.
    pub(crate) frame: Option<Frame>,
}

/// The iterations of a plan.
#[derive(Debug, Default)]
pub(crate) struct Loops {
    /// The number of the first; those before were cleared away.
    base: u32,
    all: Vec<Loop>,
    /// Those whose body is being built, the outermost first.
    open: Vec<LoopId>,
    /// For each node of the plan, the iteration it is inside of.
    inside: Vec<Option<LoopId>>,
}

impl Loops {
    /// No iterations, with other numbers than before.
    pub(super) fn cleared(&self) -> Loops {
        Loops { base: self.base + self.all.len() as u32, ..Loops::default() }
    }

    /// Notes where the next node is.
    pub(super) fn place(&mut self, inside: Option<LoopId>) {
        self.inside.push(inside);
    }

    pub(crate) fn get(&self, id: LoopId) -> &Loop {
        &self.all[(id.0 - self.base) as usize]
    }

    /// A number for humans, counted from 1 in the order in which iterations were begun.
    pub(crate) fn ordinal(&self, id: LoopId) -> u32 {
        id.0.wrapping_sub(self.base) + 1
    }

    /// Starts to build the body of an iteration.
    pub(crate) fn begin(&mut self, limit: Option<u32>, tables: usize, frame: Option<Frame>) -> LoopId {
        let parent = self.open.last().copied();
        let id = LoopId(self.base + self.all.len() as u32);
        let iterated = vec![None; tables];
        self.all.push(Loop { parent, level: self.open.len() + 1, limit, iterated, frame });
        self.open.push(id);
        id
    }

    /// How many bodies are being built.
    pub(crate) fn depth(&self) -> usize {
        self.open.len()
    }

    /// The body is there, or given up, and so are those that were begun inside of it.
    pub(crate) fn end(&mut self, id: LoopId) {
        if let Some(at) = self.open.iter().position(|open| *open == id) {
            self.open.truncate(at);
        }
    }

    /// Notes what is fed back.
    pub(crate) fn feed_back(&mut self, id: LoopId, number: usize, result: NodeId) {
        self.all[(id.0 - self.base) as usize].iterated[number] = Some(result);
    }
}

impl State {
    /// The iteration that a table is inside of.
    pub(crate) fn inside(&self, table: NodeId) -> Option<LoopId> {
        self.loops.inside[(table.0 - self.base) as usize]
    }

    /// The iteration that what an operation makes is inside of.
    pub(super) fn inside_of(&self, op: &Op) -> Option<LoopId> {
        match op {
            Op::Variable(variable) => Some(variable.of),
            Op::Iterated(iterated) => self.loops.get(iterated.of).parent,
            _ => {
                let mut innermost = Innermost { state: self, found: None };
                op.map(&mut innermost);
                innermost.found
            }
        }
    }

    /// Refuses tables of a body that has been left.
    pub(super) fn check_open(&self, table: NodeId) -> Result<(), PlanError> {
        match self.inside(table) {
            Some(id) if !self.loops.open.contains(&id) => Err(PlanError::Runtime(format!(
                "{} is a table inside of an iteration{} and exists there only; return it from the iterated \
                 function to use it outside",
                self.table_name(table),
                at(&self.loops.get(id).frame)
            ))),
            _ => Ok(()),
        }
    }

    /// Refuses to write tables inside of iterations.
    pub(crate) fn check_outside(&self, table: NodeId) -> Result<(), PlanError> {
        let Some(id) = self.inside(table) else { return Ok(()) };
        Err(PlanError::Value(format!(
            "{} is a table inside of an iteration{} and cannot be written or shown: it has other rows after every \
             step. Return it from the iterated function and write the result",
            self.table_name(table),
            at(&self.loops.get(id).frame)
        )))
    }

    /// Refuses operations that have no meaning inside of the iteration they are in.
    pub(crate) fn check_body(&self, id: LoopId) -> Result<(), PlanError> {
        for (node, inside) in self.nodes.iter().zip(&self.loops.inside) {
            if *inside != Some(id) {
                continue;
            }
            if let Op::Transform(transform) = &node.op {
                return Err(PlanError::Value(format!(
                    "{}{} computes with whole tables in Python and cannot be used inside of an iteration, where \
                     tables change with every step; use it before or after the iteration",
                    transform.transformer.name(),
                    at(&node.frame)
                )));
            }
            if let Some(what) = node.op.bound_to_time() {
                return Err(PlanError::Value(format!(
                    "{what}{} depends on when changes come or on their order and cannot be used inside of an \
                     iteration, where rows come and go with every step; use it before or after the iteration",
                    at(&node.frame)
                )));
            }
        }
        Ok(())
    }

    /// Makes a table of an iteration that its body does not return the table around it that it was
    /// given as; what the body made of nothing else is then outside too.
    pub(crate) fn make_constant(&mut self, variable: NodeId) {
        let Op::Variable(own) = &self.node(variable).op else { return };
        let Rows { table, columns } = own.start.clone();
        let frames = vec![None; columns.len()];
        self.fresh(variable).op = Op::Select { base: table, expressions: columns, frames };
        for number in (variable.0 - self.base) as usize..self.nodes.len() {
            self.loops.inside[number] = self.inside_of(&self.nodes[number].op);
        }
    }
}

/// ` (file:line)`, if the line is known.
fn at(frame: &Option<Frame>) -> String {
    frame.as_ref().and_then(Frame::known).map_or_else(String::new, |frame| format!(" ({frame})"))
}

/// Finds the innermost iteration of everything that an operation refers to.
struct Innermost<'a> {
    state: &'a State,
    found: Option<LoopId>,
}

impl Innermost<'_> {
    fn look(&mut self, table: NodeId) {
        let level = |id: Option<LoopId>| id.map_or(0, |id| self.state.loops.get(id).level);
        let inside = self.state.inside(table);
        if level(inside) > level(self.found) {
            self.found = inside;
        }
    }
}

impl Mapper for Innermost<'_> {
    fn table(&mut self, table: NodeId) -> NodeId {
        self.look(table);
        table
    }
    fn column(&mut self, column: ColumnRef) -> ColumnRef {
        self.look(column.source);
        column
    }
    fn expression(&mut self, expression: &Expr) -> Expr {
        expression.visit(&mut |e| match e.kind() {
            ExprKind::Column(column) => self.look(column.source),
            ExprKind::Id(source) => self.look(*source),
            _ => {}
        });
        expression.clone()
    }
}
