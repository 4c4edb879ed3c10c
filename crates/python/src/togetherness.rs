//! Functions that decide whether neighbouring times belong to one session.

use std::sync::Arc;

use arrow_buffer::BooleanBufferBuilder;
use pathway_expr::{Together, Togetherness};
use pathway_types::{Column, DType, DataError, ErrorKind};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyList};

use crate::code::Code;
use crate::raised;
use crate::value::column_to_list;

/// A function of an earlier and a later time.
#[derive(Debug)]
pub(crate) struct Predicate {
    function: Code,
    name: String,
}

impl Predicate {
    pub(crate) fn shared(function: &Bound<'_, PyAny>) -> Arc<dyn Togetherness> {
        let name = function.getattr("__name__").and_then(|name| name.extract());
        Arc::new(Predicate {
            function: function.clone().unbind().into(),
            name: name.unwrap_or_else(|_| "predicate".to_owned()),
        })
    }

    fn ask(&self, py: Python<'_>, earlier: &Bound<'_, PyList>, later: &Bound<'_, PyList>) -> Together {
        let function = self.function.bind(py);
        let mut answers = BooleanBufferBuilder::new(earlier.len());
        let mut causes = Vec::new();
        for (a, b) in earlier.iter().zip(later.iter()) {
            let answer = function.call1((a, b)).and_then(|answer| match answer.cast::<PyBool>() {
                Ok(answer) => Ok(answer.is_true()),
                Err(_) => Err(PyTypeError::new_err(format!(
                    "the predicate {} of a session window must return a bool, not {}",
                    self.name,
                    answer.get_type().name()?
                ))),
            });
            answers.append(answer.unwrap_or_else(|error| {
                causes.push(raised::data_error(py, error));
                false
            }));
        }
        Together { answers: answers.finish(), causes }
    }
}

impl Togetherness for Predicate {
    fn name(&self) -> &str {
        &self.name
    }
    fn together(&self, earlier: &Column, later: &Column, dtype: &DType) -> Together {
        let nothing = |error| Together {
            answers: arrow_buffer::BooleanBuffer::new_unset(earlier.len()),
            causes: vec![error],
        };
        let answer = crate::attach::attached(|py| {
            let lists = column_to_list(py, earlier, dtype)
                .and_then(|earlier| Ok((earlier, column_to_list(py, later, dtype)?)));
            match lists {
                Ok((earlier, later)) => self.ask(py, &earlier, &later),
                Err(error) => nothing(raised::data_error(py, error)),
            }
        });
        let gone = || nothing(DataError::new(ErrorKind::Engine, "the Python interpreter is shutting down"));
        answer.unwrap_or_else(gone)
    }
}
