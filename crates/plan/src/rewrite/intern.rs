//! Expressions over where columns were made; equal expressions become one expression.

use std::sync::Arc;

use hashbrown::HashMap;
use pathway_expr::{ColumnRef, Expr, ExprKind, Reducer, SourceId};
use pathway_types::{DType, Value};

/// What makes two expressions equal: the node itself and the numbers of its operands.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    kind: String,
    value: Option<Value>,
    dtype: DType,
    operands: Vec<usize>,
}

/// All distinct expressions of a plan.
pub(super) struct Interner {
    /// If not set, only the very same expression is equal to itself.
    share: bool,
    numbers: HashMap<Key, usize>,
    expressions: Vec<Expr>,
    /// By identity of what was interned; the expression is kept so that its identity stays taken.
    done: HashMap<usize, (Expr, usize)>,
    /// Where columns were made that are nothing but copies.
    columns: HashMap<ColumnRef, ColumnRef>,
    /// The table that stands for all that have the same row ids.
    anchors: HashMap<SourceId, SourceId>,
}

impl Interner {
    pub(super) fn new(share: bool) -> Self {
        Interner {
            share,
            numbers: HashMap::new(),
            expressions: Vec::new(),
            done: HashMap::new(),
            columns: HashMap::new(),
            anchors: HashMap::new(),
        }
    }

    /// Notes that a column is a copy of another, or made the same way.
    pub(super) fn alias(&mut self, column: ColumnRef, of: ColumnRef) {
        let of = self.column(of);
        if column != of {
            self.columns.insert(column, of);
        }
    }

    /// Where a column was made.
    pub(super) fn column(&self, column: ColumnRef) -> ColumnRef {
        self.columns.get(&column).copied().unwrap_or(column)
    }

    /// Notes the table that stands for another in row ids.
    pub(super) fn anchor(&mut self, table: SourceId, anchor: SourceId) {
        self.anchors.insert(table, anchor);
    }

    /// The number of an expression, its columns traced to where they were made: equal numbers, equal
    /// results.
    pub(super) fn number(&mut self, expression: &Expr) -> usize {
        if let Some((_, number)) = self.done.get(&expression.identity()) {
            return *number;
        }
        let traced = match expression.kind() {
            ExprKind::Column(column) => {
                let made = self.column(*column);
                (made != *column).then(|| Expr::column(made, expression.dtype().clone()))
            }
            ExprKind::Id(source) => {
                let anchor = self.anchors.get(source).copied().filter(|anchor| anchor != source);
                anchor.map(|anchor| Expr::id(anchor, expression.dtype().clone()))
            }
            _ => None,
        };
        if let Some(traced) = traced {
            let number = self.number(&traced);
            self.done.insert(expression.identity(), (expression.clone(), number));
            return number;
        }
        let operands: Vec<usize> = expression.children().into_iter().map(|e| self.number(e)).collect();
        let (kind, value) = self.describe(expression);
        let key = Key { kind, value, dtype: expression.dtype().clone(), operands };
        let number = match self.numbers.get(&key) {
            Some(number) => *number,
            None => {
                let operands: Vec<Expr> =
                    key.operands.iter().map(|number| self.expressions[*number].clone()).collect();
                let old = expression.children();
                let same = old.iter().zip(&operands).all(|(a, b)| a.is_same(b));
                let canonical = if same { expression.clone() } else { expression.with_children(operands) };
                let number = self.expressions.len();
                self.done.insert(canonical.identity(), (canonical.clone(), number));
                self.expressions.push(canonical);
                self.numbers.insert(key, number);
                number
            }
        };
        self.done.insert(expression.identity(), (expression.clone(), number));
        number
    }

    /// The one expression that stands for all equal ones.
    pub(super) fn canonical(&mut self, expression: &Expr) -> Expr {
        let number = self.number(expression);
        self.expressions[number].clone()
    }

    /// Everything about a node but its operands and dtype.
    fn describe(&self, expression: &Expr) -> (String, Option<Value>) {
        let text = match expression.kind() {
            // Row ids and columns are leaves without choice: equal wherever they stand.
            ExprKind::Column(ColumnRef { source, column }) => format!("column {} {column}", source.0),
            ExprKind::Id(source) => format!("id {}", source.0),
            _ if !self.share => format!("only {}", expression.identity()),
            ExprKind::Input(i) => format!("input {i}"),
            ExprKind::InputId => "input id".to_owned(),
            // Values that compare equal may still differ (0.0 and -0.0), and texts may hide a
            // difference: both have to agree.
            ExprKind::Constant(value) => return (format!("constant {value}"), Some(value.clone())),
            ExprKind::Binary(op, ..) => format!("{op:?}"),
            ExprKind::Unary(op, _) => format!("{op:?}"),
            ExprKind::IsNone(_) => "is none".to_owned(),
            ExprKind::IsReady(_) => "is ready".to_owned(),
            ExprKind::IsNotNone(_) => "is not none".to_owned(),
            ExprKind::IfElse(..) => "if else".to_owned(),
            ExprKind::Coalesce(_) => "coalesce".to_owned(),
            ExprKind::Require(..) => "require".to_owned(),
            ExprKind::Unwrap(_) => "unwrap".to_owned(),
            ExprKind::FillError(..) => "fill error".to_owned(),
            ExprKind::MakeTuple(_) => "tuple".to_owned(),
            ExprKind::Cast(_) => "cast".to_owned(),
            ExprKind::DeclareType(_) => "declare".to_owned(),
            ExprKind::Pointer { optional, instance, .. } => {
                format!("pointer {optional} {}", instance.is_some())
            }
            ExprKind::GetItem(..) => "get item".to_owned(),
            ExprKind::Get(..) => "get".to_owned(),
            ExprKind::FromJson { default, unwrap, .. } => {
                format!("from json {} {unwrap}", default.is_some())
            }
            ExprKind::ToString(_) => "to string".to_owned(),
            ExprKind::Call(function, _) => format!("call {}", function.0),
            // Two calls of a function whose results are not reproducible are two results.
            ExprKind::Udf(udf, _) if udf.is_deterministic() => format!("udf {:p}", Arc::as_ptr(udf)),
            ExprKind::Udf(..) => format!("only {}", expression.identity()),
            ExprKind::Reducer(reducer, _) => format!("reducer {}", reducer_key(reducer)),
        };
        (text, None)
    }
}

/// A text that is equal for equal reducers.
pub(super) fn reducer_key(reducer: &Reducer) -> String {
    match reducer {
        Reducer::Custom(custom) => format!("custom {:p}", Arc::as_ptr(custom)),
        other => format!("{other:?}"),
    }
}
