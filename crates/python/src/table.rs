//! Tables of the plan in Python: the operations of `pathway-plan`, one method each.

use pathway_expr::Expr;
use pathway_plan::col::Side;
use pathway_plan::program::JoinMode;
use pathway_plan::{Frame, JoinOptions, PlanError, Table};
use pyo3::exceptions::{PyKeyError, PyValueError};
use pyo3::prelude::*;

use crate::acceptor::PyAcceptor;
use crate::dtype::{PyDType, intern};
use crate::errors;
use crate::expr::{PyExpr, exprs};
use crate::frame::{self, PyFrame};
use crate::graph::PyGraph;
use crate::joined::{PyInTime, PyJoined};
use crate::later::PyCallee;
use crate::mapping;
use crate::pointer::PyPointer;
use crate::search::{self, PyAsked, PyIndexed, PySearch};
use crate::universe::PyUniverse;
use crate::why::{self, OriginStep};

/// A handle to a table of the plan.
#[pyclass(frozen, module = "pathway._engine", name = "Table")]
pub(crate) struct PyTable {
    pub(crate) table: Table,
    pub(crate) graph: Py<PyGraph>,
}

/// A name, an expression and the user's line, as Python passes them.
pub(crate) type NamedExpr<'py> = (String, Bound<'py, PyExpr>, Option<Bound<'py, PyFrame>>);

type OptionalFrame<'a, 'py> = Option<&'a Bound<'py, PyFrame>>;

/// The output columns of an operation.
pub(crate) fn named(columns: Vec<NamedExpr<'_>>) -> Vec<(String, Expr, Option<Frame>)> {
    let one = |(name, expr, frame): NamedExpr<'_>| {
        let frame = frame::given(frame.as_ref()).or_else(|| expr.get().frame.clone());
        (name, expr.get().expr.clone(), frame)
    };
    columns.into_iter().map(one).collect()
}

fn tables<'a>(tables: &'a [Bound<'_, PyTable>]) -> Vec<&'a Table> {
    tables.iter().map(|table| &table.get().table).collect()
}

impl PyTable {
    /// The table, with what is done next attributed to a line of the user's program.
    fn at(&self, frame: OptionalFrame<'_, '_>) -> Table {
        self.table.at(frame::of(frame))
    }
    /// The result of an operation as a table of the same plan.
    fn sibling(&self, py: Python<'_>, table: Result<Table, PlanError>) -> PyResult<PyTable> {
        let table = table.map_err(errors::of_plan)?;
        Ok(PyTable { table, graph: self.graph.clone_ref(py) })
    }
}

#[pymethods]
impl PyTable {
    #[getter]
    fn graph(&self, py: Python<'_>) -> Py<PyGraph> {
        self.graph.clone_ref(py)
    }
    #[getter]
    fn node(&self) -> u32 {
        self.table.node().0
    }
    #[getter]
    fn universe(&self, py: Python<'_>) -> PyUniverse {
        PyUniverse { graph: self.graph.clone_ref(py), id: self.table.universe() }
    }
    fn column_names(&self) -> Vec<&str> {
        self.table.column_names().collect()
    }
    fn column_dtype(&self, py: Python<'_>, name: &str) -> PyResult<Py<PyDType>> {
        intern(py, self.table.column(name).map_err(errors::of_plan)?.dtype())
    }
    #[getter]
    fn is_bounded(&self) -> bool {
        self.table.is_bounded()
    }
    #[getter]
    fn is_bounded_in_debug(&self) -> bool {
        self.table.is_bounded_in_debug()
    }
    fn column_append_only(&self, name: &str) -> PyResult<bool> {
        let columns = self.table.columns();
        let column = columns.iter().find(|column| &*column.name == name);
        column.map(|column| column.append_only).ok_or_else(|| {
            let names: Vec<&str> = columns.iter().map(|column| &*column.name).collect();
            PyKeyError::new_err(format!(
                "there is no column named {name}; the columns are {}",
                names.join(", ")
            ))
        })
    }
    /// The line that made it.
    #[getter]
    fn frame(&self, py: Python<'_>) -> PyResult<Option<Py<PyFrame>>> {
        frame::object(py, self.table.frame())
    }
    #[getter]
    fn id_dtype(&self, py: Python<'_>) -> PyResult<Py<PyDType>> {
        intern(py, self.table.id_dtype())
    }
    #[getter]
    fn id_append_only(&self) -> bool {
        self.table.is_id_append_only()
    }

    /// What makes each table on the way, its line, its rows, where these come from, and why that is not all.
    fn origins(&self, py: Python<'_>, ids: Vec<Bound<'_, PyPointer>>) -> PyResult<Vec<OriginStep>> {
        let ids: Vec<_> = ids.iter().map(|id| id.get().0).collect();
        why::steps(py, &self.graph, self.table.origins(&ids).map_err(errors::of_plan)?)
    }

    #[pyo3(signature = (columns, frame=None))]
    fn select(
        &self,
        py: Python<'_>,
        columns: Vec<NamedExpr<'_>>,
        frame: OptionalFrame<'_, '_>,
    ) -> PyResult<PyTable> {
        self.sibling(py, self.at(frame).select(named(columns)))
    }
    #[pyo3(signature = (condition, narrowed=vec![], frame=None))]
    fn filter(
        &self,
        py: Python<'_>,
        condition: &Bound<'_, PyExpr>,
        narrowed: Vec<String>,
        frame: OptionalFrame<'_, '_>,
    ) -> PyResult<PyTable> {
        let narrowed = narrowed.iter().map(String::as_str);
        self.sibling(py, self.at(frame).filter_narrowing(&condition.get().expr, narrowed))
    }
    #[pyo3(signature = (condition, narrowed=vec![], frame=None))]
    fn split(
        &self,
        py: Python<'_>,
        condition: &Bound<'_, PyExpr>,
        narrowed: Vec<String>,
        frame: OptionalFrame<'_, '_>,
    ) -> PyResult<(PyTable, PyTable)> {
        let narrowed = narrowed.iter().map(String::as_str);
        let halves = self.at(frame).split_narrowing(&condition.get().expr, narrowed);
        let (positive, negative) = halves.map_err(errors::of_plan)?;
        Ok((self.sibling(py, Ok(positive))?, self.sibling(py, Ok(negative))?))
    }
    #[pyo3(signature = (column, origin_id=None, frame=None))]
    fn flatten(
        &self,
        py: Python<'_>,
        column: &str,
        origin_id: Option<&str>,
        frame: OptionalFrame<'_, '_>,
    ) -> PyResult<PyTable> {
        self.sibling(py, self.at(frame).flatten(column, origin_id))
    }
    #[pyo3(signature = (pointer, frame=None))]
    fn with_id(
        &self,
        py: Python<'_>,
        pointer: &Bound<'_, PyExpr>,
        frame: OptionalFrame<'_, '_>,
    ) -> PyResult<PyTable> {
        self.sibling(py, self.at(frame).with_id(&pointer.get().expr))
    }
    #[pyo3(signature = (others, frame=None))]
    fn concat(
        &self,
        py: Python<'_>,
        others: Vec<Bound<'_, PyTable>>,
        frame: OptionalFrame<'_, '_>,
    ) -> PyResult<PyTable> {
        self.sibling(py, self.at(frame).concat(&tables(&others)))
    }
    #[pyo3(signature = (others, frame=None))]
    fn concat_reindex(
        &self,
        py: Python<'_>,
        others: Vec<Bound<'_, PyTable>>,
        frame: OptionalFrame<'_, '_>,
    ) -> PyResult<PyTable> {
        self.sibling(py, self.at(frame).concat_reindex(&tables(&others)))
    }
    #[pyo3(signature = (
        grouping, columns, *, id=None, instance=None, sort_by=None, skip_errors=true, universe=None, frame=None
    ))]
    #[allow(clippy::too_many_arguments)]
    fn group_reduce(
        &self,
        py: Python<'_>,
        grouping: Vec<Bound<'_, PyExpr>>,
        columns: Vec<NamedExpr<'_>>,
        id: Option<&Bound<'_, PyExpr>>,
        instance: Option<&Bound<'_, PyExpr>>,
        sort_by: Option<&Bound<'_, PyExpr>>,
        skip_errors: bool,
        universe: Option<&Bound<'_, PyUniverse>>,
        frame: OptionalFrame<'_, '_>,
    ) -> PyResult<PyTable> {
        let table = self.at(frame);
        let reduced = || {
            let mut group = match id {
                Some(id) => table.group_by_id(&id.get().expr)?,
                None => table.group_by(exprs(&grouping))?,
            };
            if let Some(instance) = instance {
                group = group.instance(&instance.get().expr)?;
            }
            if let Some(order) = sort_by {
                group = group.sort_by(&order.get().expr)?;
            }
            let universe = universe.map(|universe| universe.get().id);
            group.skip_errors(skip_errors).universe(universe).reduce(named(columns))
        };
        if id.is_some() && grouping.len() > 1 {
            return Err(PyValueError::new_err(
                "groups whose ids are given have one grouping column, the ids",
            ));
        }
        self.sibling(py, reduced())
    }
    #[pyo3(signature = (
        other, on, *, how, id=None, left_instance=None, right_instance=None, left_exactly_once=false,
        right_exactly_once=false, in_time=None, frame=None
    ))]
    #[allow(clippy::too_many_arguments)]
    fn join(
        &self,
        py: Python<'_>,
        other: &Bound<'_, PyTable>,
        on: Vec<(Bound<'_, PyExpr>, Bound<'_, PyExpr>)>,
        how: &str,
        id: Option<&str>,
        left_instance: Option<&Bound<'_, PyExpr>>,
        right_instance: Option<&Bound<'_, PyExpr>>,
        left_exactly_once: bool,
        right_exactly_once: bool,
        in_time: Option<&Bound<'_, PyInTime>>,
        frame: OptionalFrame<'_, '_>,
    ) -> PyResult<PyJoined> {
        let mode = match how {
            "inner" => JoinMode::Inner,
            "left" => JoinMode::Left,
            "right" => JoinMode::Right,
            "outer" => JoinMode::Outer,
            _ => {
                return Err(PyValueError::new_err(format!(
                    "how has to be inner, left, right or outer, not {how:?}"
                )));
            }
        };
        let ids = match id {
            None => None,
            Some("left") => Some(Side::Left),
            Some("right") => Some(Side::Right),
            Some(id) => return Err(PyValueError::new_err(format!("id has to be left or right, not {id:?}"))),
        };
        let instance = match (left_instance, right_instance) {
            (Some(left), Some(right)) => Some(((&left.get().expr).into(), (&right.get().expr).into())),
            (None, None) => None,
            _ => {
                return Err(PyValueError::new_err(
                    "left_instance and right_instance have to be given together",
                ));
            }
        };
        let on = on.iter().map(|(left, right)| (&left.get().expr, &right.get().expr));
        let in_time = in_time.map(|in_time| in_time.get().0.clone());
        let mode = Some(mode);
        let options = JoinOptions { mode, ids, instance, left_exactly_once, right_exactly_once, in_time };
        let joined = self.at(frame).join_with(&other.get().table, on, options).map_err(errors::of_plan)?;
        let own = |table: &Table| Py::new(py, self.sibling(py, Ok(table.clone()))?);
        let [left, right] = joined.rows();
        Ok(PyJoined { table: own(joined.table())?, rows: [own(left)?, own(right)?] })
    }
    #[pyo3(signature = (pointer, context, *, optional, allow_misses, frame=None))]
    fn ix(
        &self,
        py: Python<'_>,
        pointer: &Bound<'_, PyExpr>,
        context: &Bound<'_, PyTable>,
        optional: bool,
        allow_misses: bool,
        frame: OptionalFrame<'_, '_>,
    ) -> PyResult<PyTable> {
        let (pointer, context) = (&pointer.get().expr, &context.get().table);
        self.sibling(py, self.at(frame).ix(pointer, context, optional, allow_misses))
    }
    #[pyo3(signature = (other, frame=None))]
    fn update_rows(
        &self,
        py: Python<'_>,
        other: &Bound<'_, PyTable>,
        frame: OptionalFrame<'_, '_>,
    ) -> PyResult<PyTable> {
        self.sibling(py, self.at(frame).update_rows(&other.get().table))
    }
    #[pyo3(signature = (other, frame=None))]
    fn update_cells(
        &self,
        py: Python<'_>,
        other: &Bound<'_, PyTable>,
        frame: OptionalFrame<'_, '_>,
    ) -> PyResult<PyTable> {
        self.sibling(py, self.at(frame).update_cells(&other.get().table))
    }
    #[pyo3(signature = (others, frame=None))]
    fn intersect(
        &self,
        py: Python<'_>,
        others: Vec<Bound<'_, PyTable>>,
        frame: OptionalFrame<'_, '_>,
    ) -> PyResult<PyTable> {
        self.sibling(py, self.at(frame).intersect(&tables(&others)))
    }
    #[pyo3(signature = (other, frame=None))]
    fn difference(
        &self,
        py: Python<'_>,
        other: &Bound<'_, PyTable>,
        frame: OptionalFrame<'_, '_>,
    ) -> PyResult<PyTable> {
        self.sibling(py, self.at(frame).difference(&other.get().table))
    }
    #[pyo3(signature = (other, frame=None))]
    fn restrict(
        &self,
        py: Python<'_>,
        other: &Bound<'_, PyTable>,
        frame: OptionalFrame<'_, '_>,
    ) -> PyResult<PyTable> {
        self.sibling(py, self.at(frame).restrict(&other.get().table))
    }
    #[pyo3(signature = (other, frame=None))]
    fn with_universe_of(
        &self,
        py: Python<'_>,
        other: &Bound<'_, PyTable>,
        frame: OptionalFrame<'_, '_>,
    ) -> PyResult<PyTable> {
        self.sibling(py, self.at(frame).with_universe_of(&other.get().table))
    }
    #[pyo3(signature = (frame=None))]
    fn copy(&self, py: Python<'_>, frame: OptionalFrame<'_, '_>) -> PyResult<PyTable> {
        self.sibling(py, self.at(frame).copy())
    }
    #[pyo3(signature = (dtypes, frame=None))]
    fn update_types(
        &self,
        py: Python<'_>,
        dtypes: &Bound<'_, PyAny>,
        frame: OptionalFrame<'_, '_>,
    ) -> PyResult<PyTable> {
        let mut all = Vec::new();
        for (name, dtype) in mapping::dict(dtypes)? {
            all.push((name.extract::<String>()?, dtype.cast::<PyDType>()?.get().0.clone()));
        }
        let dtypes = all.iter().map(|(name, dtype)| (name.as_str(), dtype.clone()));
        self.sibling(py, self.at(frame).update_types(dtypes))
    }
    #[pyo3(signature = (dtype, append_only=None, frame=None))]
    fn update_id_dtype(
        &self,
        py: Python<'_>,
        dtype: &Bound<'_, PyDType>,
        append_only: Option<bool>,
        frame: OptionalFrame<'_, '_>,
    ) -> PyResult<PyTable> {
        self.sibling(py, self.at(frame).update_id_type(dtype.get().0.clone(), append_only))
    }
    #[pyo3(signature = (callee, arguments, instance, names, frame=None))]
    fn call_later(
        &self,
        py: Python<'_>,
        callee: &Bound<'_, PyCallee>,
        arguments: Vec<Bound<'_, PyExpr>>,
        instance: Option<&Bound<'_, PyExpr>>,
        names: Vec<String>,
        frame: OptionalFrame<'_, '_>,
    ) -> PyResult<(PyTable, PyTable)> {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let instance = instance.map(|instance| (&instance.get().expr).into());
        let callee = callee.get().0.clone();
        let answered = self.at(frame).call_later(callee, exprs(&arguments), instance, &names);
        let answered = answered.map_err(errors::of_plan)?;
        Ok((self.sibling(py, Ok(answered.settled))?, self.sibling(py, Ok(answered.started))?))
    }
    #[pyo3(signature = (frame=None))]
    fn await_futures(&self, py: Python<'_>, frame: OptionalFrame<'_, '_>) -> PyResult<PyTable> {
        self.sibling(py, self.at(frame).await_futures())
    }
    #[pyo3(signature = (value, instance, acceptor, name=None, frame=None))]
    fn deduplicate(
        &self,
        py: Python<'_>,
        value: &Bound<'_, PyExpr>,
        instance: Option<&Bound<'_, PyExpr>>,
        acceptor: &Bound<'_, PyAcceptor>,
        name: Option<String>,
        frame: OptionalFrame<'_, '_>,
    ) -> PyResult<PyTable> {
        let instance = instance.map(|instance| (&instance.get().expr).into());
        let acceptor = acceptor.get().0.clone();
        self.sibling(py, self.at(frame).deduplicate(&value.get().expr, instance, acceptor, name))
    }
    #[pyo3(signature = (data, asked, indexed, how, frame=None))]
    fn search(
        &self,
        py: Python<'_>,
        data: &Bound<'_, PyTable>,
        asked: PyAsked<'_>,
        indexed: PyIndexed<'_>,
        how: &Bound<'_, PySearch>,
        frame: OptionalFrame<'_, '_>,
    ) -> PyResult<PyTable> {
        let found = search::search(&self.at(frame), &data.get().table, asked, indexed, how.get());
        self.sibling(py, found)
    }
    #[pyo3(signature = (thresholds, lower, value, upper, frame=None))]
    fn gradual_broadcast(
        &self,
        py: Python<'_>,
        thresholds: &Bound<'_, PyTable>,
        lower: &Bound<'_, PyExpr>,
        value: &Bound<'_, PyExpr>,
        upper: &Bound<'_, PyExpr>,
        frame: OptionalFrame<'_, '_>,
    ) -> PyResult<PyTable> {
        let numbers = [lower, value, upper].map(|number| (&number.get().expr).into());
        self.sibling(py, self.at(frame).gradual_broadcast(&thresholds.get().table, numbers))
    }
    #[pyo3(signature = (key, instance=None, frame=None))]
    fn sort(
        &self,
        py: Python<'_>,
        key: &Bound<'_, PyExpr>,
        instance: Option<&Bound<'_, PyExpr>>,
        frame: OptionalFrame<'_, '_>,
    ) -> PyResult<PyTable> {
        let instance = instance.map(|instance| (&instance.get().expr).into());
        self.sibling(py, self.at(frame).sort(&key.get().expr, instance))
    }
    #[pyo3(signature = (timestamp, values, instance=None, frame=None))]
    fn diff(
        &self,
        py: Python<'_>,
        timestamp: &Bound<'_, PyExpr>,
        values: Vec<String>,
        instance: Option<&Bound<'_, PyExpr>>,
        frame: OptionalFrame<'_, '_>,
    ) -> PyResult<PyTable> {
        let instance = instance.map(|instance| (&instance.get().expr).into());
        let values = values.iter().map(String::as_str);
        self.sibling(py, self.at(frame).diff(&timestamp.get().expr, values, instance))
    }
    #[pyo3(signature = (timestamp, values, frame=None))]
    fn interpolate(
        &self,
        py: Python<'_>,
        timestamp: &str,
        values: Vec<String>,
        frame: OptionalFrame<'_, '_>,
    ) -> PyResult<PyTable> {
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        self.sibling(py, self.at(frame).interpolate(timestamp, &values))
    }
    #[pyo3(signature = (threshold, time, instance=None, frame=None))]
    fn freeze(
        &self,
        py: Python<'_>,
        threshold: &Bound<'_, PyExpr>,
        time: &Bound<'_, PyExpr>,
        instance: Option<&Bound<'_, PyExpr>>,
        frame: OptionalFrame<'_, '_>,
    ) -> PyResult<PyTable> {
        let instance = instance.map(|instance| (&instance.get().expr).into());
        self.sibling(py, self.at(frame).freeze(&threshold.get().expr, &time.get().expr, instance))
    }
    #[pyo3(signature = (threshold, time, instance=None, frame=None))]
    fn buffer(
        &self,
        py: Python<'_>,
        threshold: &Bound<'_, PyExpr>,
        time: &Bound<'_, PyExpr>,
        instance: Option<&Bound<'_, PyExpr>>,
        frame: OptionalFrame<'_, '_>,
    ) -> PyResult<PyTable> {
        let instance = instance.map(|instance| (&instance.get().expr).into());
        self.sibling(py, self.at(frame).buffer(&threshold.get().expr, &time.get().expr, instance))
    }
    #[pyo3(signature = (threshold, time, marks, instance=None, frame=None))]
    fn forget(
        &self,
        py: Python<'_>,
        threshold: &Bound<'_, PyExpr>,
        time: &Bound<'_, PyExpr>,
        marks: bool,
        instance: Option<&Bound<'_, PyExpr>>,
        frame: OptionalFrame<'_, '_>,
    ) -> PyResult<PyTable> {
        let instance = instance.map(|instance| (&instance.get().expr).into());
        let (threshold, time) = (&threshold.get().expr, &time.get().expr);
        self.sibling(py, self.at(frame).forget(threshold, time, instance, marks))
    }
    #[pyo3(signature = (frame=None))]
    fn forget_immediately(&self, py: Python<'_>, frame: OptionalFrame<'_, '_>) -> PyResult<PyTable> {
        self.sibling(py, self.at(frame).forget_immediately())
    }
    #[pyo3(signature = (consistent, frame=None))]
    fn filter_out_results_of_forgetting(
        &self,
        py: Python<'_>,
        consistent: bool,
        frame: OptionalFrame<'_, '_>,
    ) -> PyResult<PyTable> {
        self.sibling(py, self.at(frame).filter_out_results_of_forgetting(consistent))
    }
    #[pyo3(signature = (flag, frame=None))]
    fn to_stream(&self, py: Python<'_>, flag: &str, frame: OptionalFrame<'_, '_>) -> PyResult<PyTable> {
        self.sibling(py, self.at(frame).to_stream(flag))
    }
    #[pyo3(signature = (is_upsert, frame=None))]
    fn stream_to_table(
        &self,
        py: Python<'_>,
        is_upsert: &Bound<'_, PyExpr>,
        frame: OptionalFrame<'_, '_>,
    ) -> PyResult<PyTable> {
        self.sibling(py, self.at(frame).stream_to_table(&is_upsert.get().expr))
    }
    #[pyo3(signature = (deletions, frame=None))]
    fn stream_with_deletions(
        &self,
        py: Python<'_>,
        deletions: &Bound<'_, PyTable>,
        frame: OptionalFrame<'_, '_>,
    ) -> PyResult<PyTable> {
        self.sibling(py, self.at(frame).from_streams(&deletions.get().table))
    }
    #[pyo3(signature = (frame=None))]
    fn assert_append_only(&self, py: Python<'_>, frame: OptionalFrame<'_, '_>) -> PyResult<PyTable> {
        self.sibling(py, self.at(frame).assert_append_only())
    }
    #[pyo3(signature = (frame=None))]
    fn keep_insertions(&self, py: Python<'_>, frame: OptionalFrame<'_, '_>) -> PyResult<PyTable> {
        self.sibling(py, self.at(frame).keep_insertions())
    }
    #[pyo3(signature = (frame=None))]
    fn unpack_snapshots(&self, py: Python<'_>, frame: OptionalFrame<'_, '_>) -> PyResult<PyTable> {
        self.sibling(py, self.at(frame).unpack_snapshots())
    }
    #[pyo3(signature = (frame=None))]
    fn remove_errors(&self, py: Python<'_>, frame: OptionalFrame<'_, '_>) -> PyResult<PyTable> {
        self.sibling(py, self.at(frame).remove_errors())
    }
    #[pyo3(signature = (frame=None))]
    fn dead_letters(&self, py: Python<'_>, frame: OptionalFrame<'_, '_>) -> PyResult<PyTable> {
        self.sibling(py, self.at(frame).dead_letters())
    }
    #[pyo3(signature = (frame=None))]
    fn error_history(&self, py: Python<'_>, frame: OptionalFrame<'_, '_>) -> PyResult<PyTable> {
        self.sibling(py, self.at(frame).error_history())
    }
    fn __repr__(&self) -> String {
        format!("{:?}", self.table)
    }
}
