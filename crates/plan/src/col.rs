//! Column expressions of the Rust API.
//!
//! A [`Col`] is a description: names are looked up and types are checked only when it is used in an
//! operation on a table, which is also where its errors come out. That allows ordinary operators:
//!
//! ```
//! use pathway_plan::{col, Col};
//! let net: Col = col("price") * col("quantity") * 0.9 + 1.0;
//! let label = col("city").is_none().if_else("unknown", col("city").str_upper());
//! ```

use std::sync::Arc;

use pathway_expr::{ColumnRef, Expr, ExprError, ExprKind};
use pathway_types::Value;

use crate::graph::NodeId;
use crate::{PlanError, Table};

mod methods;
pub mod reducers;

/// A column expression that is still to be typed.
#[derive(Clone)]
pub struct Col(Arc<Kind>);

/// The typed constructor of a call.
type Build = dyn Fn(Vec<Expr>) -> Result<Expr, ExprError> + Send + Sync;

enum Kind {
    /// A column of the table (or join) that the operation works on.
    This(Arc<str>),
    /// The row id of that table.
    ThisId,
    /// A column of an operand of a join.
    Side(Side, Arc<str>),
    /// The row id of an operand of a join.
    SideId(Side),
    /// A column of a certain table.
    Of(Table, Arc<str>),
    /// The row id of a certain table.
    IdOf(Table),
    /// An expression that is typed already.
    Typed(Expr),
    /// A function of other expressions.
    Call(Box<Build>, Vec<Col>),
}

/// An operand of a join.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The table the join was called on.
    Left,
    /// Its argument.
    Right,
}

/// A column of the table that the operation works on.
pub fn col(name: impl Into<Arc<str>>) -> Col {
    Col(Arc::new(Kind::This(name.into())))
}

/// The row id of the table that the operation works on.
pub fn row_id() -> Col {
    Col(Arc::new(Kind::ThisId))
}

/// A column of the left operand of a join.
pub fn left(name: impl Into<Arc<str>>) -> Col {
    Col(Arc::new(Kind::Side(Side::Left, name.into())))
}

/// A column of the right operand of a join.
pub fn right(name: impl Into<Arc<str>>) -> Col {
    Col(Arc::new(Kind::Side(Side::Right, name.into())))
}

/// The row id of the left operand of a join.
pub fn left_id() -> Col {
    Col(Arc::new(Kind::SideId(Side::Left)))
}

/// The row id of the right operand of a join.
pub fn right_id() -> Col {
    Col(Arc::new(Kind::SideId(Side::Right)))
}

/// A constant.
pub fn constant(value: impl Into<Value>) -> Col {
    Expr::literal(value).into()
}

/// None.
pub fn none() -> Col {
    constant(Value::None)
}

impl Col {
    pub(crate) fn of(table: &Table, name: &str) -> Col {
        Col(Arc::new(Kind::Of(table.clone(), Arc::from(name))))
    }

    pub(crate) fn id_of(table: &Table) -> Col {
        Col(Arc::new(Kind::IdOf(table.clone())))
    }

    /// A function of other expressions, by its typed constructor.
    pub fn call(
        arguments: impl IntoIterator<Item = Col>,
        build: impl Fn(Vec<Expr>) -> Result<Expr, ExprError> + Send + Sync + 'static,
    ) -> Col {
        Col(Arc::new(Kind::Call(Box::new(build), arguments.into_iter().collect())))
    }

    /// The name of the column, if it is nothing but one.
    pub(crate) fn name(&self) -> Option<Arc<str>> {
        match &*self.0 {
            Kind::This(name) | Kind::Side(_, name) | Kind::Of(_, name) => Some(name.clone()),
            _ => None,
        }
    }

    /// Looks up names and checks types.
    pub(crate) fn resolve(&self, scope: &dyn Scope) -> Result<Expr, PlanError> {
        match &*self.0 {
            Kind::This(name) => scope.this(name),
            Kind::ThisId => scope.this_id(),
            Kind::Side(side, name) => scope.side(*side, name),
            Kind::SideId(side) => scope.side_id(*side),
            Kind::Of(table, name) => {
                let typed = table.column(name)?;
                scope.place(&typed)
            }
            Kind::IdOf(table) => scope.place(&table.row_id()),
            Kind::Typed(expression) => scope.place(expression),
            Kind::Call(build, arguments) => {
                let typed = arguments.iter().map(|a| a.resolve(scope)).collect::<Result<_, _>>()?;
                Ok(build(typed)?)
            }
        }
    }
}

impl std::fmt::Debug for Col {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &*self.0 {
            Kind::This(name) => write!(f, "col({name:?})"),
            Kind::ThisId => f.write_str("row_id()"),
            Kind::Side(side, name) => write!(f, "{side:?}({name:?})"),
            Kind::SideId(side) => write!(f, "{side:?}Id"),
            Kind::Of(_, name) => write!(f, "table.col({name:?})"),
            Kind::IdOf(_) => f.write_str("table.id()"),
            Kind::Typed(expression) => write!(f, "{}", crate::explain::plain(expression)),
            Kind::Call(_, arguments) => f.debug_tuple("call").field(arguments).finish(),
        }
    }
}

impl From<Expr> for Col {
    fn from(expression: Expr) -> Self {
        Col(Arc::new(Kind::Typed(expression)))
    }
}

impl From<&Expr> for Col {
    fn from(expression: &Expr) -> Self {
        expression.clone().into()
    }
}

impl From<&Col> for Col {
    fn from(col: &Col) -> Self {
        col.clone()
    }
}

macro_rules! from_constants {
    ($($kind:ty),*) => {$(
        impl From<$kind> for Col {
            fn from(value: $kind) -> Self {
                constant(value)
            }
        }
    )*};
}
from_constants!(bool, i64, f64, &str, String, Value);

impl From<i32> for Col {
    fn from(value: i32) -> Self {
        constant(i64::from(value))
    }
}

/// What names mean where an expression is used.
pub(crate) trait Scope {
    /// A column of the object the operation works on.
    fn this(&self, name: &str) -> Result<Expr, PlanError>;
    /// Its row id.
    fn this_id(&self) -> Result<Expr, PlanError>;
    /// A column of an operand.
    fn side(&self, side: Side, name: &str) -> Result<Expr, PlanError>;
    /// The row id of an operand.
    fn side_id(&self, side: Side) -> Result<Expr, PlanError>;
    /// A typed expression as it is to be understood here.
    fn place(&self, expression: &Expr) -> Result<Expr, PlanError>;
}

fn no_sides() -> PlanError {
    PlanError::Type("left and right stand for the operands of a join and mean nothing here".to_owned())
}

impl Scope for Table {
    fn this(&self, name: &str) -> Result<Expr, PlanError> {
        self.column(name)
    }
    fn this_id(&self) -> Result<Expr, PlanError> {
        Ok(self.row_id())
    }
    fn side(&self, _: Side, _: &str) -> Result<Expr, PlanError> {
        Err(no_sides())
    }
    fn side_id(&self, _: Side) -> Result<Expr, PlanError> {
        Err(no_sides())
    }
    fn place(&self, expression: &Expr) -> Result<Expr, PlanError> {
        Ok(expression.clone())
    }
}

/// The scope of expressions that are typed already.
pub(crate) struct Typed;

impl Scope for Typed {
    fn this(&self, name: &str) -> Result<Expr, PlanError> {
        Err(PlanError::Type(format!("the column {name} is not that of any table here")))
    }
    fn this_id(&self) -> Result<Expr, PlanError> {
        Err(PlanError::Type("there is no table here whose row id could be meant".to_owned()))
    }
    fn side(&self, _: Side, _: &str) -> Result<Expr, PlanError> {
        Err(no_sides())
    }
    fn side_id(&self, _: Side) -> Result<Expr, PlanError> {
        Err(no_sides())
    }
    fn place(&self, expression: &Expr) -> Result<Expr, PlanError> {
        Ok(expression.clone())
    }
}

/// The scope of a join condition: `col` is the left operand, `left` and `right` are the two.
pub(crate) struct Operands<'a> {
    pub(crate) left: &'a dyn Scope,
    pub(crate) right: &'a dyn Scope,
}

impl Scope for Operands<'_> {
    fn this(&self, name: &str) -> Result<Expr, PlanError> {
        self.left.this(name)
    }
    fn this_id(&self) -> Result<Expr, PlanError> {
        self.left.this_id()
    }
    fn side(&self, side: Side, name: &str) -> Result<Expr, PlanError> {
        match side {
            Side::Left => self.left.this(name),
            Side::Right => self.right.this(name),
        }
    }
    fn side_id(&self, side: Side) -> Result<Expr, PlanError> {
        match side {
            Side::Left => self.left.this_id(),
            Side::Right => self.right.this_id(),
        }
    }
    fn place(&self, expression: &Expr) -> Result<Expr, PlanError> {
        // Each operand leaves alone what is not its own.
        self.right.place(&self.left.place(expression)?)
    }
}

/// The column or row id of a table that a typed expression is, if it is nothing else.
pub(crate) fn as_reference(expression: &Expr) -> Option<(NodeId, Option<u32>)> {
    match expression.kind() {
        ExprKind::Column(ColumnRef { source, column }) => Some((*source, Some(*column))),
        ExprKind::Id(source) => Some((*source, None)),
        ExprKind::DeclareType(inner) => as_reference(inner),
        _ => None,
    }
}
