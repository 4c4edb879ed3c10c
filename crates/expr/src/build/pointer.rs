//! Typing of row keys.

use pathway_types::DType;

use super::refuse_futures;
use crate::{Expr, ExprError, ExprKind};

impl Expr {
    /// The key of the arguments; `instance` is hashed last and gives the shard. With `optional`, a
    /// None in any argument gives None.
    ///
    /// # Errors
    /// [`ExprError::Type`] on futures.
    pub fn pointer(arguments: Vec<Expr>, optional: bool, instance: Option<Expr>) -> Result<Expr, ExprError> {
        refuse_futures("pointer_from", &arguments)?;
        refuse_futures("pointer_from", instance.as_slice())?;
        let types = arguments.iter().chain(&instance).map(|e| e.dtype());
        let nullable = optional && types.clone().any(DType::admits_none);
        let dtype = if nullable {
            DType::optional(DType::pointer(types.map(|t| t.unoptional().clone())))
        } else {
            DType::pointer(types.cloned())
        };
        Ok(Expr::node(ExprKind::Pointer { arguments, optional: nullable, instance }, dtype))
    }
}
