//! One-line text form of expressions.

use std::fmt;

use pathway_expr::{BinaryOp, Expr, ExprKind, UnaryOp};
use pathway_types::Value;

/// An expression that can be printed, with the names of its leaves.
pub struct Shown<'a> {
    /// The expression.
    pub expression: &'a Expr,
    /// How leaves (columns and row ids) are called; `None` for the form with numbers.
    pub names: &'a dyn Fn(&Expr) -> Option<String>,
}

/// The text of an expression, leaves by number.
pub fn plain(expression: &Expr) -> String {
    Shown { expression, names: &|_| None }.to_string()
}

impl<'a> Shown<'a> {
    fn of(&self, expression: &'a Expr) -> Shown<'a> {
        Shown { expression, names: self.names }
    }

    fn call(&self, f: &mut fmt::Formatter<'_>, name: &str, arguments: &[&'a Expr]) -> fmt::Result {
        let arguments = super::list(arguments.iter().map(|e| self.of(e)));
        write!(f, "{name}({arguments})")
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dtype = self.expression.dtype();
        let children = self.expression.children();
        match self.expression.kind() {
            ExprKind::Column(column) => match (self.names)(self.expression) {
                Some(name) => f.write_str(&name),
                None => write!(f, "t{}.{}", column.source.0, column.column),
            },
            ExprKind::Id(source) => match (self.names)(self.expression) {
                Some(name) => f.write_str(&name),
                None => write!(f, "t{}.id", source.0),
            },
            ExprKind::Input(position) => match (self.names)(self.expression) {
                Some(name) => f.write_str(&name),
                None => write!(f, "#{position}"),
            },
            ExprKind::InputId => f.write_str((self.names)(self.expression).as_deref().unwrap_or("#id")),
            ExprKind::Constant(value) => constant(f, value),
            ExprKind::Binary(op, left, right) => {
                write!(f, "({} {} {})", self.of(left), operator(*op), self.of(right))
            }
            ExprKind::Unary(UnaryOp::Neg, operand) => write!(f, "-{}", self.of(operand)),
            ExprKind::Unary(UnaryOp::Not, operand) => write!(f, "~{}", self.of(operand)),
            ExprKind::IsNone(_) => self.call(f, "is_none", &children),
            ExprKind::IsReady(_) => self.call(f, "is_ready", &children),
            ExprKind::IsNotNone(_) => self.call(f, "is_not_none", &children),
            ExprKind::IfElse(..) => self.call(f, "if_else", &children),
            ExprKind::Coalesce(_) => self.call(f, "coalesce", &children),
            ExprKind::Require(..) => self.call(f, "require", &children),
            ExprKind::Unwrap(_) => self.call(f, "unwrap", &children),
            ExprKind::FillError(..) => self.call(f, "fill_error", &children),
            ExprKind::MakeTuple(_) => self.call(f, "tuple", &children),
            ExprKind::Cast(operand) => write!(f, "cast({}, {dtype})", self.of(operand)),
            ExprKind::DeclareType(operand) => write!(f, "declare({}, {dtype})", self.of(operand)),
            ExprKind::Pointer { arguments, optional, instance } => {
                let name = if *optional { "optional_pointer" } else { "pointer" };
                let arguments = super::list(arguments.iter().map(|e| self.of(e)));
                match instance {
                    None => write!(f, "{name}({arguments})"),
                    Some(instance) => write!(f, "{name}({arguments}; {})", self.of(instance)),
                }
            }
            ExprKind::GetItem(object, index) => write!(f, "{}[{}]", self.of(object), self.of(index)),
            ExprKind::Get(..) => self.call(f, "get", &children),
            ExprKind::FromJson { unwrap, .. } => {
                let name = if *unwrap { "unwrap_json" } else { "from_json" };
                let arguments = super::list(children.into_iter().map(|e| self.of(e)));
                write!(f, "{name}({arguments}, {})", dtype.unoptional())
            }
            ExprKind::ToString(_) => self.call(f, "to_string", &children),
            ExprKind::Call(function, _) => self.call(f, function.0, &children),
            ExprKind::Udf(udf, _) => self.call(f, &format!("udf {}", udf.name()), &children),
            ExprKind::Reducer(reducer, _) => self.call(f, reducer.name(), &children),
        }
    }
}

fn constant(f: &mut fmt::Formatter<'_>, value: &Value) -> fmt::Result {
    match value {
        Value::Int(v) => write!(f, "{v}"),
        Value::Float(v) => write!(f, "{v:?}"),
        Value::Bool(v) => write!(f, "{v}"),
        Value::Str(v) => write!(f, "{v:?}"),
        other => write!(f, "{other}"),
    }
}

fn operator(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Add => "+",
        BinaryOp::Sub => "-",
        BinaryOp::Mul => "*",
        BinaryOp::TrueDiv => "/",
        BinaryOp::FloorDiv => "//",
        BinaryOp::Mod => "%",
        BinaryOp::Pow => "**",
        BinaryOp::MatMul => "@",
        BinaryOp::LShift => "<<",
        BinaryOp::RShift => ">>",
        BinaryOp::And => "&",
        BinaryOp::Or => "|",
        BinaryOp::Xor => "^",
        BinaryOp::Eq => "==",
        BinaryOp::Ne => "!=",
        BinaryOp::Lt => "<",
        BinaryOp::Le => "<=",
        BinaryOp::Gt => ">",
        BinaryOp::Ge => ">=",
    }
}
