//! From expression trees to a list of nodes, operands first.
//!
//! Equal nodes are one node. Nodes over constants are computed here; one that fails becomes a node
//! that fails in every row. Each node knows whether it can fail or calls user code, which decides
//! whether branches over it are evaluated for the rows that take them only.

use std::sync::Arc;

use hashbrown::{HashMap, HashSet};
use pathway_types::{DType, DataError, ErrorKind, Keys, Value};

use super::{Input, frame};
use crate::build::functions;
use crate::build::operators::is_dynamic;
use crate::kernels::call::{Kernel, kernel};
use crate::{BinaryOp, Expr, ExprKind, Udf, UnaryOp};

/// The position of a node in its graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct NodeId(u32);

/// What a node computes from its operands.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Input(usize),
    InputId,
    Constant(Value),
    /// A constant sub-tree that failed, or a node that has no place here.
    Failed(DataError),
    Binary(BinaryOp),
    Unary(UnaryOp),
    IsNone,
    IsNotNone,
    IsReady,
    IfElse,
    Coalesce,
    Require,
    Unwrap,
    FillError,
    MakeTuple,
    Cast,
    DeclareType,
    Pointer {
        optional: bool,
        instance: bool,
    },
    GetItem,
    Get,
    FromJson {
        default: bool,
        unwrap: bool,
    },
    ToString,
    Call(Kernel),
    Udf(Arc<dyn Udf>),
}

/// One node.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) op: Op,
    pub(crate) operands: Box<[NodeId]>,
    pub(crate) dtype: DType,
    /// A row can become an error in it or in a node below.
    pub(crate) fallible: bool,
    /// It or a node below calls user code.
    pub(crate) calls_user: bool,
    /// It or a node below takes the values out of an Optional operand, which has them in some rows only.
    pub(crate) narrows: bool,
}

impl Node {
    /// True if a branch over this node is worth evaluating for its own rows only.
    pub(crate) fn is_heavy(&self) -> bool {
        self.fallible || self.calls_user || self.narrows
    }
    /// True for an operand that is needed only where those before it leave the result open.
    pub(crate) fn is_conditional(&self, operand: usize) -> bool {
        match self.op {
            Op::IfElse | Op::FillError => operand > 0,
            Op::Coalesce => operand > 0,
            Op::Binary(BinaryOp::And | BinaryOp::Or) => operand > 0 && self.dtype == DType::Bool,
            // The value stands first but is looked at last.
            Op::Require => operand != 1,
            _ => false,
        }
    }
}

/// The compiled expressions.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    nodes: Vec<Node>,
    roots: Vec<NodeId>,
    /// Nodes that every row needs, in the order of evaluation.
    eager: Vec<NodeId>,
}

impl Graph {
    /// Compiles bound expressions.
    pub(crate) fn new(expressions: &[Expr]) -> Graph {
        let mut compiler = Compiler::default();
        let roots = expressions.iter().map(|e| compiler.add(e)).collect();
        let mut graph = compiler.graph;
        graph.roots = roots;
        graph.eager = graph.eager_nodes();
        graph
    }
    /// A node.
    pub(crate) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }
    /// The nodes of the expressions.
    pub(crate) fn roots(&self) -> impl Iterator<Item = &Node> {
        self.roots.iter().map(|id| self.node(*id))
    }
    /// The expressions.
    pub(crate) fn root_ids(&self) -> &[NodeId] {
        &self.roots
    }
    /// Nodes that every row needs, in the order of evaluation.
    pub(crate) fn eager(&self) -> &[NodeId] {
        &self.eager
    }

    fn eager_nodes(&self) -> Vec<NodeId> {
        let mut wanted = vec![false; self.nodes.len()];
        for root in &self.roots {
            wanted[root.0 as usize] = true;
        }
        // Operands come before their users, so one pass from the end reaches everything.
        for index in (0..self.nodes.len()).rev() {
            if !wanted[index] {
                continue;
            }
            let node = &self.nodes[index];
            for (i, operand) in node.operands.iter().enumerate() {
                if !(node.is_conditional(i) && self.node(*operand).is_heavy()) {
                    wanted[operand.0 as usize] = true;
                }
            }
        }
        (0..self.nodes.len() as u32).map(NodeId).filter(|id| wanted[id.0 as usize]).collect()
    }
}

/// What makes two nodes equal: a description of the operation and its result, and the operands.
type Signature = (String, Box<[NodeId]>);

#[derive(Default)]
struct Compiler {
    graph: Graph,
    by_identity: HashMap<usize, NodeId>,
    by_signature: HashMap<Signature, NodeId>,
}

impl Compiler {
    /// Adds an expression and all below it. Works off a stack of its own, since expressions can be
    /// deeper than the thread's stack allows.
    fn add(&mut self, root: &Expr) -> NodeId {
        let mut stack = vec![(root.clone(), false)];
        let mut opened: HashSet<usize> = HashSet::new();
        while let Some((expr, operands_done)) = stack.pop() {
            if self.by_identity.contains_key(&expr.identity()) {
                continue;
            }
            if operands_done {
                let id = self.add_node(&expr);
                self.by_identity.insert(expr.identity(), id);
            } else if opened.insert(expr.identity()) {
                let children: Vec<Expr> = expr.children().into_iter().rev().cloned().collect();
                stack.push((expr, true));
                stack.extend(children.into_iter().map(|child| (child, false)));
            }
        }
        self.by_identity[&root.identity()]
    }

    /// Adds a node whose operands are there.
    fn add_node(&mut self, expr: &Expr) -> NodeId {
        let operands: Box<[NodeId]> =
            expr.children().iter().map(|child| self.by_identity[&child.identity()]).collect();
        let op = operation(expr);
        let below = |f: fn(&Node) -> bool| operands.iter().any(|id| f(self.graph.node(*id)));
        let types: Vec<&DType> = operands.iter().map(|id| &self.graph.node(*id).dtype).collect();
        let fallible = can_fail(&op, &types, expr.dtype()) || below(|n| n.fallible);
        let calls_user = matches!(op, Op::Udf(_)) || below(|n| n.calls_user);
        let narrows = matches!(op, Op::DeclareType) && types[0].is_optional() && !expr.dtype().admits_none()
            || below(|n| n.narrows);
        let node = Node { op, operands, dtype: expr.dtype().clone(), fallible, calls_user, narrows };
        let node = self.fold(node);
        let reproducible = !matches!(&node.op, Op::Udf(udf) if !udf.is_deterministic());
        let signature = reproducible.then(|| (signature(&node), node.operands.clone()));
        if let Some(id) = signature.as_ref().and_then(|signature| self.by_signature.get(signature)) {
            return *id;
        }
        let id = NodeId(self.graph.nodes.len() as u32);
        self.graph.nodes.push(node);
        if let Some(signature) = signature {
            self.by_signature.insert(signature, id);
        }
        id
    }

    /// The value of a node over constants, as a node.
    fn fold(&self, node: Node) -> Node {
        let constant = |id: &NodeId| matches!(self.graph.node(*id).op, Op::Constant(_) | Op::Failed(_));
        let computes =
            !matches!(node.op, Op::Input(_) | Op::InputId | Op::Constant(_) | Op::Failed(_) | Op::Udf(_));
        if !computes || !node.operands.iter().all(constant) {
            return node;
        }
        let mut graph = Graph::default();
        let operands = node.operands.iter().map(|id| {
            graph.nodes.push(self.graph.node(*id).clone());
            NodeId(graph.nodes.len() as u32 - 1)
        });
        let operands = operands.collect();
        let root = NodeId(graph.nodes.len() as u32);
        graph.nodes.push(Node { operands, ..node.clone() });
        graph.roots = vec![root];
        graph.eager = graph.eager_nodes();
        let keys = Keys::from(vec![0]);
        let mut outcomes = frame::evaluate(&graph, &Input { columns: &[], keys: &keys, check_types: false });
        let Some(outcome) = outcomes.pop() else { return node };
        let op = match (outcome.causes.into_iter().next(), outcome.column.value(&node.dtype, 0)) {
            (Some((_, cause)), _) => Op::Failed(cause),
            (None, Value::Pending) => return node,
            (None, value) => Op::Constant(value),
        };
        let fallible = matches!(op, Op::Failed(_));
        Node { op, operands: Box::default(), fallible, ..node }
    }
}

/// A description that equal operations share.
fn signature(node: &Node) -> String {
    match &node.op {
        Op::Udf(udf) => {
            let address = Arc::as_ptr(udf).cast::<()>();
            format!("udf {address:?} {:?}", node.dtype)
        }
        op => format!("{op:?} {:?}", node.dtype),
    }
}

fn operation(expr: &Expr) -> Op {
    match expr.kind() {
        ExprKind::Input(position) => Op::Input(*position),
        ExprKind::InputId => Op::InputId,
        ExprKind::Constant(value) => Op::Constant(value.clone()),
        ExprKind::Binary(op, ..) => Op::Binary(*op),
        ExprKind::Unary(op, _) => Op::Unary(*op),
        ExprKind::IsNone(_) => Op::IsNone,
        ExprKind::IsNotNone(_) => Op::IsNotNone,
        ExprKind::IsReady(_) => Op::IsReady,
        ExprKind::IfElse(..) => Op::IfElse,
        ExprKind::Coalesce(_) => Op::Coalesce,
        ExprKind::Require(..) => Op::Require,
        ExprKind::Unwrap(_) => Op::Unwrap,
        ExprKind::FillError(..) => Op::FillError,
        ExprKind::MakeTuple(_) => Op::MakeTuple,
        ExprKind::Cast(_) => Op::Cast,
        ExprKind::DeclareType(_) => Op::DeclareType,
        ExprKind::Pointer { optional, instance, .. } => {
            Op::Pointer { optional: *optional, instance: instance.is_some() }
        }
        ExprKind::GetItem(..) => Op::GetItem,
        ExprKind::Get(..) => Op::Get,
        ExprKind::FromJson { default, unwrap, .. } => {
            Op::FromJson { default: default.is_some(), unwrap: *unwrap }
        }
        ExprKind::ToString(_) => Op::ToString,
        ExprKind::Call(function, _) => match kernel(function.0) {
            Some(kernel) => Op::Call(kernel),
            None => misplaced(format!("the function {} has no implementation", function.0)),
        },
        ExprKind::Udf(udf, _) => Op::Udf(udf.clone()),
        ExprKind::Column(_) | ExprKind::Id(_) => {
            misplaced("a reference to a table was left unbound; this is an error of the planner".to_owned())
        }
        ExprKind::Reducer(reducer, _) => misplaced(format!(
            "the reducer {} stands in a row-wise expression; reducers belong into reduce()",
            reducer.name()
        )),
    }
}

fn misplaced(message: String) -> Op {
    Op::Failed(DataError::new(ErrorKind::Engine, message))
}

/// True if the operation itself can make a row an error.
///
/// A None where the types promise a value is an error too, but it needs a `declare_type` that was
/// not true, or a narrowed column outside of the rows it is narrowed for; it does not count here.
fn can_fail(op: &Op, operands: &[&DType], dtype: &DType) -> bool {
    match op {
        Op::Failed(_) | Op::Udf(_) | Op::Unwrap | Op::FromJson { .. } => true,
        Op::Unary(_) => is_dynamic(operands[0]),
        Op::Binary(op) => match op {
            BinaryOp::TrueDiv | BinaryOp::FloorDiv | BinaryOp::Mod | BinaryOp::MatMul => true,
            BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Pow
                if matches!(
                    dtype.stored(),
                    DType::DateTimeNaive | DType::DateTimeUtc | DType::Duration | DType::Array { .. }
                ) =>
            {
                true
            }
            BinaryOp::Eq | BinaryOp::Ne => operands.iter().any(|dtype| dtype.stored().is_sequence()),
            _ => operands.iter().any(|dtype| is_dynamic(dtype) || dtype.stored().is_sequence()),
        },
        Op::Cast | Op::DeclareType => operands.iter().any(|from| conversion_can_fail(from, dtype)),
        Op::GetItem => *operands[0] != DType::Json || !matches!(operands[1], DType::Int | DType::Str),
        Op::Get => {
            *operands[0] == DType::Any
                || *operands[0] == DType::Json && !matches!(operands[1], DType::Int | DType::Str)
        }
        Op::Call(kernel) => functions::find(kernel.name).is_none_or(|entry| entry.fallible),
        _ => false,
    }
}

fn conversion_can_fail(from: &DType, to: &DType) -> bool {
    match (from.stored(), to.stored()) {
        _ if crate::layout::same_layout(from, to) => false,
        _ if from.is_optional() && !to.admits_none() => true,
        (DType::Str, DType::Int | DType::Float) => true,
        (DType::Int | DType::Float | DType::Bool | DType::Str, _) | (DType::None, _) => false,
        (_, DType::Any) => false,
        _ => true,
    }
}
