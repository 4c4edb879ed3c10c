//! One-line text form of expressions.
use pathway_expr::Expr;
/// x
pub fn expression(e: &Expr, _n: &dyn Fn(&Expr) -> Option<String>) -> String {
    format!("{:?}", e.kind())
}
/// x
pub fn plain(e: &Expr) -> String {
    expression(e, &|_| None)
}
