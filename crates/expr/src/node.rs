//! The expression tree.

use std::sync::Arc;

use pathway_types::{DType, Value};

use crate::udf::Udf;

/// The table an expression refers to: a node of the plan, or after binding an operator's input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceId(pub u32);

/// A column of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ColumnRef {
    /// The table.
    pub source: SourceId,
    /// The column's position in it.
    pub column: u32,
}

/// A typed expression: cheap to clone, compared by identity.
#[derive(Clone, Debug)]
pub struct Expr(pub(crate) Arc<ExprNode>);

/// One node of the tree.
#[derive(Debug)]
pub struct ExprNode {
    pub(crate) kind: ExprKind,
    pub(crate) dtype: DType,
}

/// What a node computes. Operands are already of the types the operation works on: where the
/// typing rules convert (int to float, say), a [`ExprKind::Cast`] stands between.
#[derive(Debug)]
pub enum ExprKind {
    /// A column of a table.
    Column(ColumnRef),
    /// The row id of a table's rows.
    Id(SourceId),
    /// After binding: a column of the operator's input.
    Input(usize),
    /// After binding: the row id.
    InputId,
    /// A constant.
    Constant(Value),
    /// `left op right`. `And` and `Or` on booleans do not evaluate `right` where `left` decides.
    Binary(BinaryOp, Expr, Expr),
    /// `op operand`.
    Unary(UnaryOp, Expr),
    /// None test; true for None.
    IsNone(Expr),
    /// None test; true for a value.
    IsNotNone(Expr),
    /// Only the chosen branch is evaluated, row by row.
    IfElse(Expr, Expr, Expr),
    /// The first operand that is not None.
    Coalesce(Vec<Expr>),
    /// The value, or None where one of the dependencies is None.
    Require(Expr, Vec<Expr>),
    /// True where no operand is pending.
    IsReady(Vec<Expr>),
    /// The value; None is an error.
    Unwrap(Expr),
    /// The value, or the replacement where it is an error.
    FillError(Expr, Expr),
    /// A tuple of the operands.
    MakeTuple(Vec<Expr>),
    /// Conversion of values to the node's dtype.
    Cast(Expr),
    /// The same values under the node's dtype.
    DeclareType(Expr),
    /// A row key.
    Pointer {
        /// The hashed values.
        arguments: Vec<Expr>,
        /// None in any argument gives None.
        optional: bool,
        /// Hashed last; gives the shard.
        instance: Option<Expr>,
    },
    /// `object[index]`; missing elements are errors (sequences) or JSON null (Json).
    GetItem(Expr, Expr),
    /// `object.get(index, default)`.
    Get(Expr, Expr, Expr),
    /// Json to the node's (unwrapped) dtype; default, and whether None is an error.
    FromJson {
        /// The Json operand.
        operand: Expr,
        /// Used for None and JSON null.
        default: Option<Expr>,
        /// None without a default is an error.
        unwrap: bool,
    },
    /// The engine's text form.
    ToString(Expr),
    /// A built-in function.
    Call(Function, Vec<Expr>),
    /// A user function.
    Udf(Arc<dyn Udf>, Vec<Expr>),
    /// A reducer; only inside `reduce`, which takes it out before anything is evaluated.
    Reducer(Reducer, Vec<Expr>),
}

impl ExprKind {
    /// The operands, taken out.
    fn into_children(self) -> Vec<Expr> {
        match self {
            ExprKind::Column(_)
            | ExprKind::Id(_)
            | ExprKind::Input(_)
            | ExprKind::InputId
            | ExprKind::Constant(_) => vec![],
            ExprKind::Unary(_, e)
            | ExprKind::IsNone(e)
            | ExprKind::IsNotNone(e)
            | ExprKind::Unwrap(e)
            | ExprKind::Cast(e)
            | ExprKind::DeclareType(e)
            | ExprKind::ToString(e) => vec![e],
            ExprKind::Binary(_, a, b) | ExprKind::FillError(a, b) | ExprKind::GetItem(a, b) => vec![a, b],
            ExprKind::IfElse(a, b, c) | ExprKind::Get(a, b, c) => vec![a, b, c],
            ExprKind::Coalesce(es)
            | ExprKind::IsReady(es)
            | ExprKind::MakeTuple(es)
            | ExprKind::Call(_, es)
            | ExprKind::Udf(_, es)
            | ExprKind::Reducer(_, es) => es,
            ExprKind::Require(e, mut es) => {
                es.push(e);
                es
            }
            ExprKind::Pointer { mut arguments, instance, .. } => {
                arguments.extend(instance);
                arguments
            }
            ExprKind::FromJson { operand, default, .. } => std::iter::once(operand).chain(default).collect(),
        }
    }
}

impl Drop for ExprNode {
    /// Drops deep trees without recursion, which could overflow the thread's stack.
    fn drop(&mut self) {
        let take = |kind: &mut ExprKind| std::mem::replace(kind, ExprKind::InputId).into_children();
        let mut stack = take(&mut self.kind);
        while let Some(child) = stack.pop() {
            if let Some(mut node) = Arc::into_inner(child.0) {
                stack.extend(take(&mut node.kind));
            }
        }
    }
}

/// Binary operators, named as Python's `operator` functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum BinaryOp {
    Add,
    Sub,
    Mul,
    TrueDiv,
    FloorDiv,
    Mod,
    Pow,
    MatMul,
    LShift,
    RShift,
    And,
    Or,
    Xor,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

/// Unary operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnaryOp {
    /// Arithmetic negation.
    Neg,
    /// Logical negation.
    Not,
}

/// Built-in functions, by their internal name (`str.lower`, `num.abs`, `dt.year`, …). The list with
/// signatures and kernels is in [`crate::build`]'s function table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Function(pub &'static str);

/// The aggregates of a group-by.
#[derive(Clone, Debug)]
pub enum Reducer {
    /// Number of rows (with arguments: rows without an error in them).
    Count,
    /// Sum of INT, FLOAT or arrays; `strict` recomputes from all values.
    Sum {
        /// Recompute from stored values.
        strict: bool,
    },
    /// Arithmetic mean, FLOAT.
    Avg,
    /// Population variance, FLOAT.
    Variance {
        /// The square root of it: the standard deviation.
        root: bool,
    },
    /// Least value.
    Min,
    /// Greatest value.
    Max,
    /// Second argument of the row with the least first argument; ties: the least second argument.
    ArgMin,
    /// Second argument of the row with the greatest first argument; ties: the least second argument.
    ArgMax,
    /// The common value, an error if there are several.
    Unique,
    /// The value of one row, chosen by the row id.
    Any,
    /// All values in the group-by's order.
    Tuple {
        /// Leave None out.
        skip_nones: bool,
    },
    /// All values ascending.
    SortedTuple {
        /// Leave None out.
        skip_nones: bool,
    },
    /// All values in the group-by's order, as an array.
    NdArray {
        /// Leave None out.
        skip_nones: bool,
    },
    /// Number of distinct argument combinations.
    CountDistinct,
    /// HyperLogLog estimate of it with `2^precision` buckets.
    CountDistinctApproximate {
        /// 4 to 18.
        precision: u8,
    },
    /// Value of the row with the lowest processing time.
    Earliest,
    /// Value of the row with the highest processing time.
    Latest,
    /// A reducer in user code.
    Custom(Arc<dyn CustomReducer>),
}

/// A reducer whose state lives in user code.
pub trait CustomReducer: std::fmt::Debug + Send + Sync {
    /// The name the user knows it by.
    fn name(&self) -> &str;
    /// The dtype of the result.
    fn return_type(&self) -> &DType;
    /// A new, empty state of one group.
    fn new_group(&self) -> Box<dyn CustomGroup>;
}

/// The state of one group of a [`CustomReducer`].
pub trait CustomGroup: Send {
    /// Takes the net changes of one time: argument rows and how often each is added or removed.
    ///
    /// # Errors
    /// What user code raised; the group's result is then an error for good.
    fn update(&mut self, rows: &[(Vec<Value>, i64)]) -> Result<(), pathway_types::DataError>;
    /// The current result; `None` removes the group's row, and the state with the group's last row.
    ///
    /// # Errors
    /// What user code raised; the next changes may mend it.
    fn result(&mut self) -> Result<Option<Value>, pathway_types::DataError>;
    /// The state as bytes, for snapshots.
    ///
    /// # Errors
    /// If the state cannot be serialised.
    fn save(&mut self) -> Result<Vec<u8>, pathway_types::DataError>;
    /// Takes up a saved state.
    ///
    /// # Errors
    /// If the bytes are not a saved state.
    fn load(&mut self, bytes: &[u8]) -> Result<(), pathway_types::DataError>;
}

impl Expr {
    /// A node as it is, for this crate's constructors which have checked the types.
    pub(crate) fn node(kind: ExprKind, dtype: DType) -> Expr {
        Expr(Arc::new(ExprNode { kind, dtype }))
    }
    /// A bound reference to a column of the operator's input.
    pub fn input(position: usize, dtype: DType) -> Expr {
        Expr::node(ExprKind::Input(position), dtype)
    }
    /// What the node computes.
    pub fn kind(&self) -> &ExprKind {
        &self.0.kind
    }
    /// The dtype of the result.
    pub fn dtype(&self) -> &DType {
        &self.0.dtype
    }
    /// True if both are the very same node.
    pub fn is_same(&self, other: &Expr) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
    /// An address that identifies the node while it lives.
    pub fn identity(&self) -> usize {
        Arc::as_ptr(&self.0) as usize
    }
    /// The column this expression is, if it is nothing but a column (relabelled or not).
    pub fn as_column(&self) -> Option<ColumnRef> {
        match self.kind() {
            ExprKind::Column(column) => Some(*column),
            ExprKind::DeclareType(inner) => inner.as_column(),
            _ => None,
        }
    }

    /// The direct operands.
    pub fn children(&self) -> Vec<&Expr> {
        match self.kind() {
            ExprKind::Column(_)
            | ExprKind::Id(_)
            | ExprKind::Input(_)
            | ExprKind::InputId
            | ExprKind::Constant(_) => vec![],
            ExprKind::Unary(_, e)
            | ExprKind::IsNone(e)
            | ExprKind::IsNotNone(e)
            | ExprKind::Unwrap(e)
            | ExprKind::Cast(e)
            | ExprKind::DeclareType(e)
            | ExprKind::ToString(e) => vec![e],
            ExprKind::Binary(_, a, b) | ExprKind::FillError(a, b) | ExprKind::GetItem(a, b) => vec![a, b],
            ExprKind::IfElse(a, b, c) | ExprKind::Get(a, b, c) => vec![a, b, c],
            ExprKind::Coalesce(es)
            | ExprKind::IsReady(es)
            | ExprKind::MakeTuple(es)
            | ExprKind::Call(_, es)
            | ExprKind::Udf(_, es)
            | ExprKind::Reducer(_, es) => es.iter().collect(),
            ExprKind::Require(e, es) => std::iter::once(e).chain(es).collect(),
            ExprKind::Pointer { arguments, instance, .. } => arguments.iter().chain(instance).collect(),
            ExprKind::FromJson { operand, default, .. } => std::iter::once(operand).chain(default).collect(),
        }
    }

    /// The same node over other operands (given in the order of [`Expr::children`]).
    pub fn with_children(&self, children: Vec<Expr>) -> Expr {
        let mut next = children.into_iter();
        // The caller hands back as many operands as `children` gave.
        #[allow(clippy::expect_used)]
        let mut one = || next.next().expect("one operand per child");
        let kind = match self.kind() {
            ExprKind::Column(c) => ExprKind::Column(*c),
            ExprKind::Id(s) => ExprKind::Id(*s),
            ExprKind::Input(i) => ExprKind::Input(*i),
            ExprKind::InputId => ExprKind::InputId,
            ExprKind::Constant(v) => ExprKind::Constant(v.clone()),
            ExprKind::Unary(op, _) => ExprKind::Unary(*op, one()),
            ExprKind::IsNone(_) => ExprKind::IsNone(one()),
            ExprKind::IsNotNone(_) => ExprKind::IsNotNone(one()),
            ExprKind::IsReady(es) => ExprKind::IsReady(es.iter().map(|_| one()).collect()),
            ExprKind::Unwrap(_) => ExprKind::Unwrap(one()),
            ExprKind::Cast(_) => ExprKind::Cast(one()),
            ExprKind::DeclareType(_) => ExprKind::DeclareType(one()),
            ExprKind::ToString(_) => ExprKind::ToString(one()),
            ExprKind::Binary(op, ..) => ExprKind::Binary(*op, one(), one()),
            ExprKind::FillError(..) => ExprKind::FillError(one(), one()),
            ExprKind::GetItem(..) => ExprKind::GetItem(one(), one()),
            ExprKind::IfElse(..) => ExprKind::IfElse(one(), one(), one()),
            ExprKind::Get(..) => ExprKind::Get(one(), one(), one()),
            ExprKind::Coalesce(es) => ExprKind::Coalesce(es.iter().map(|_| one()).collect()),
            ExprKind::MakeTuple(es) => ExprKind::MakeTuple(es.iter().map(|_| one()).collect()),
            ExprKind::Call(f, es) => ExprKind::Call(*f, es.iter().map(|_| one()).collect()),
            ExprKind::Udf(u, es) => ExprKind::Udf(u.clone(), es.iter().map(|_| one()).collect()),
            ExprKind::Reducer(r, es) => ExprKind::Reducer(r.clone(), es.iter().map(|_| one()).collect()),
            ExprKind::Require(_, es) => ExprKind::Require(one(), es.iter().map(|_| one()).collect()),
            ExprKind::Pointer { arguments, optional, instance } => ExprKind::Pointer {
                arguments: arguments.iter().map(|_| one()).collect(),
                optional: *optional,
                instance: instance.as_ref().map(|_| one()),
            },
            ExprKind::FromJson { default, unwrap, .. } => ExprKind::FromJson {
                operand: one(),
                default: default.as_ref().map(|_| one()),
                unwrap: *unwrap,
            },
        };
        Expr::node(kind, self.dtype().clone())
    }

    /// Rebuilds the tree bottom-up: `replace` may give another expression for a node (then its
    /// operands are not visited). Shared nodes are visited once and stay shared.
    pub fn rewrite(&self, replace: &mut dyn FnMut(&Expr) -> Option<Expr>) -> Expr {
        let mut done: hashbrown::HashMap<usize, Expr> = hashbrown::HashMap::new();
        // A stack of its own, since expressions can be deeper than the thread's stack allows.
        let mut stack = vec![(self.clone(), false)];
        while let Some((expr, operands_done)) = stack.pop() {
            if done.contains_key(&expr.identity()) {
                continue;
            }
            if operands_done {
                let old = expr.children();
                let new: Vec<Expr> = old.iter().map(|child| done[&child.identity()].clone()).collect();
                let same = old.iter().zip(&new).all(|(o, n)| o.is_same(n));
                let rebuilt = if same { expr.clone() } else { expr.with_children(new) };
                done.insert(expr.identity(), rebuilt);
            } else if let Some(new) = replace(&expr) {
                done.insert(expr.identity(), new);
            } else {
                let children: Vec<Expr> = expr.children().into_iter().rev().cloned().collect();
                stack.push((expr, true));
                stack.extend(children.into_iter().map(|child| (child, false)));
            }
        }
        done[&self.identity()].clone()
    }

    /// Calls `visit` for each distinct node, operands first.
    pub fn visit(&self, visit: &mut dyn FnMut(&Expr)) {
        let mut done: hashbrown::HashSet<usize> = hashbrown::HashSet::new();
        let mut stack = vec![(self.clone(), false)];
        while let Some((expr, operands_done)) = stack.pop() {
            if operands_done {
                visit(&expr);
            } else if done.insert(expr.identity()) {
                let children: Vec<Expr> = expr.children().into_iter().rev().cloned().collect();
                stack.push((expr, true));
                stack.extend(children.into_iter().map(|child| (child, false)));
            }
        }
    }

    /// The same expression with references to columns and ids replaced by input positions.
    /// `position` gives the position of a column; `None` leaves the reference as it is.
    pub fn bind(&self, position: &dyn Fn(ColumnRef) -> Option<usize>) -> Expr {
        self.rewrite(&mut |expr| match expr.kind() {
            ExprKind::Column(column) => {
                position(*column).map(|i| Expr::node(ExprKind::Input(i), expr.dtype().clone()))
            }
            ExprKind::Id(_) => Some(Expr::node(ExprKind::InputId, expr.dtype().clone())),
            _ => None,
        })
    }

    /// True if every user function that is called gives reproducible results.
    pub fn is_deterministic(&self) -> bool {
        let mut deterministic = true;
        self.visit(&mut |e| {
            if let ExprKind::Udf(udf, _) = e.kind() {
                deterministic &= udf.is_deterministic();
            }
        });
        deterministic
    }
}
