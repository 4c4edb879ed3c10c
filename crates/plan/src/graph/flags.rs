//! Propagation of "never retracted" through expressions.

use pathway_expr::{Expr, ExprKind};
use pathway_types::DType;

use super::{NodeId, State};

impl State {
    /// True if the values of an expression over the rows of `table` are never retracted: nor are the
    /// rows, nor is any column it reads, and its results are there at once.
    pub(crate) fn is_append_only(&self, table: NodeId, expression: &Expr) -> bool {
        let mut flag = self.node(table).id_append_only && !matches!(expression.dtype(), DType::Future(_));
        expression.visit(&mut |e| match e.kind() {
            ExprKind::Column(column) => {
                flag &= self.node(column.source).columns[column.column as usize].append_only;
            }
            ExprKind::Id(source) => flag &= self.node(*source).id_append_only,
            _ => {}
        });
        flag
    }
}
