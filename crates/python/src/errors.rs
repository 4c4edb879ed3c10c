//! Which Python exception each error of the engine becomes.

use pyo3::create_exception;
use pyo3::exceptions::PyException;

create_exception!(
    pathway.engine,
    EngineError,
    PyException,
    "The engine failed for a reason that no builtin exception names."
);
create_exception!(
    pathway.engine,
    OtherWorkerError,
    EngineError,
    "The run stopped because another worker or process failed."
);
