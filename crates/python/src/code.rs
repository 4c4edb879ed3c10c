//! User code that is known from one run to the next.

use std::fmt;
use std::ops::Deref;

use pyo3::prelude::*;

use crate::attach;

/// A callable of the user's program. It is shown as what it does: equal in two runs for code that is the same.
pub(crate) struct Code(Py<PyAny>);

impl From<Py<PyAny>> for Code {
    fn from(callable: Py<PyAny>) -> Self {
        Code(callable)
    }
}

impl Deref for Code {
    type Target = Py<PyAny>;
    fn deref(&self) -> &Py<PyAny> {
        &self.0
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let identity = attach::attached(|py| {
            let module = py.import("pathway.internals.code_identity")?;
            module.getattr("identity_of")?.call1((self.0.bind(py),))?.extract::<String>()
        });
        match identity {
            Some(Ok(identity)) => write!(f, "Code({identity})"),
            // Not known again: what was computed with it is computed anew.
            Some(Err(_)) | None => write!(f, "Code at {:p}", self.0.as_ptr()),
        }
    }
}
