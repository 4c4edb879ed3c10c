//! Rows grouped by windows of time.
//!
//! Rows are given the number of their window (tumbling, sliding) and are then grouped like by any
//! other column. What describes a window (its start, its end, …) is the same in all its rows, so that
//! outside of reducers it is computed from the group's columns, on one row per window.

use pathway_expr::{BinaryOp, Expr, ExprKind, Reducer};
use pathway_types::Value;

use super::Table;
use super::columns::Named;
use super::group::{Given, GroupBy};
use crate::col::Col;
use crate::stateful::SessionGap;
use crate::temporal::Behavior;
use crate::{Frame, PlanError};

mod behavior;
mod grid;
mod intervals;
mod joined;
mod session;

use behavior::Limits;
use grid::Grid;
pub use grid::Span;
pub use intervals::Around;
pub(super) use joined::{SHARED, Sides};

/// The column that a row is grouped by, the number of its window.
const NUMBER: &str = "_pw_window_number";
/// The number of the first window that would hold a row if there were some before the origin, too.
const FIRST: &str = "_pw_first_window";
const KEY: &str = "_pw_key";
const INSTANCE: &str = "_pw_instance";
const WINDOW: &str = "_pw_window";
const START: &str = "_pw_window_start";
const END: &str = "_pw_window_end";
const ORIGINAL_ID: &str = "_pw_original_id";

/// How rows are assigned to windows.
#[derive(Clone, Debug)]
pub enum Window {
    /// Windows of one length at regular distances.
    Sliding {
        /// From the start of a window to that of the next.
        hop: Value,
        /// The length.
        span: Span,
        /// Where windows start; there are none before it. Without it, windows start everywhere.
        origin: Option<Value>,
    },
    /// Windows of rows that follow each other closely.
    Session(SessionGap),
    /// Windows around the values of a column.
    Around(Box<Around>),
}

/// A table grouped by windows, before its aggregates are chosen.
#[derive(Clone, Debug)]
pub struct WindowBy {
    rows: Table,
    grouped: GroupBy,
    /// The removals of what is forgotten are taken out of results.
    keeps: bool,
}

impl Table {
    /// Groups the rows by the windows that hold a time, for each value of the instance apart.
    ///
    /// The columns `_pw_window` (`_pw_window_location` for windows around values), `_pw_window_start`,
    /// `_pw_window_end` and `_pw_instance` can be used outside of reducers.
    ///
    /// # Errors
    /// [`PlanError::Type`] if the types of time and window do not go together, [`PlanError::Value`]
    /// for windows without length, for columns of tables with other row ids, and for behaviors that the
    /// windows cannot have.
    #[track_caller]
    pub fn window_by(
        &self,
        time: impl Into<Col>,
        window: &Window,
        behavior: Option<&Behavior>,
        instance: Option<Col>,
    ) -> Result<WindowBy, PlanError> {
        let table = self.at(self.here());
        let time = time.into().resolve(&table)?;
        let instance = instance.map(|instance| instance.resolve(&table)).transpose()?;
        table.unless_empty(|| match window {
            Window::Sliding { hop, span, origin } => {
                let grid = Grid::new(&[("time_expr", &time)], hop, span, origin.as_ref())?;
                let limits = behavior.map(|behavior| Limits::new(behavior, &grid)).transpose()?;
                table.window_by_grid(time, &grid, limits.as_ref(), instance)
            }
            Window::Session(gap) => table.window_by_session(time, gap, behavior, instance),
            Window::Around(around) => table.window_by_intervals(time, around, behavior, instance),
        })
    }

    /// True if it is known that there are no rows.
    fn is_empty(&self) -> bool {
        self.graph.lock().universes.is_empty(self.universe())
    }

    /// Makes tables; of a table without rows nothing is said if these have none either.
    #[track_caller]
    fn unless_empty<T>(&self, make: impl FnOnce() -> Result<T, PlanError>) -> Result<T, PlanError> {
        let empty = self.is_empty();
        let before = self.graph.lock().expect_empty(empty);
        let made = make();
        self.graph.lock().expect_empty(before);
        made
    }

    #[track_caller]
    fn window_by_grid(
        &self,
        time: Expr,
        grid: &Grid,
        limits: Option<&Limits>,
        instance: Option<Expr>,
    ) -> Result<WindowBy, PlanError> {
        let frame = self.here();
        let hidden: Vec<&str> = self.column_names().filter(|name| *name == ORIGINAL_ID).collect();
        let plain = self.without(hidden)?.at(frame.clone());
        let placed = Placed { time: KEY, number: NUMBER, origin: Some(ORIGINAL_ID) };
        let time = grid.kind.convert(&time)?;
        let first = if grid.skips() { Some((FIRST, grid.first(&time)?)) } else { None };
        let computed = instance.clone().map(|instance| (INSTANCE, instance)).into_iter().chain(first);
        let mut rows = plain.on_grid(time, grid, placed, computed)?.at(frame.clone());
        if let Some(limits) = limits {
            rows = limits.apply(rows, grid)?.at(frame.clone());
        }
        let number = rows.column(NUMBER)?;
        let (start, end) = (grid.start(&number)?, grid.end(&number)?);
        let owner = match &instance {
            Some(_) => rows.column(INSTANCE)?,
            None => Expr::literal(Value::None),
        };
        let window = Expr::make_tuple(vec![owner.clone(), start.clone(), end.clone()])?;
        let mut about = vec![(WINDOW, window), (START, start), (END, end), (INSTANCE, owner)];
        let pointer = group_pointer(&about, instance.is_some())?;
        if grid.is_single() {
            about.push((ORIGINAL_ID, rows.row_id()));
        }
        let described = rows.with_columns(about.iter().map(|(name, e)| (*name, e.clone(), frame.clone())))?;
        let hidden = [NUMBER, FIRST].into_iter().take(if grid.skips() { 2 } else { 1 });
        let described = described.at(frame.clone()).without(hidden)?.at(frame);
        about.truncate(4);
        let columns = self.given_columns(&described, about, instance.as_ref())?;
        let given = Given { columns, pointer, groups: None };
        let mut by = vec![number];
        by.extend(instance.is_some().then(|| rows.column(INSTANCE)).transpose()?);
        let mut grouped = described.group_by(&by)?.given(given);
        if let Some(ids) = placed_ids(&rows, grid)? {
            grouped = grouped.row_ids(&ids)?;
        }
        Ok(WindowBy { rows: described, grouped, keeps: limits.is_some_and(Limits::marks) })
    }
}

/// What the ids of rows are in each of their windows, where they are not these: made of the id and which of
/// the windows of the row it is, also where there is only one, and where some do not exist.
fn placed_ids(rows: &Table, grid: &Grid) -> Result<Option<Expr>, PlanError> {
    let (id, place) = if grid.is_single() {
        (rows.row_id(), Expr::literal(0))
    } else if grid.skips() {
        let place = Expr::binary(BinaryOp::Sub, rows.column(NUMBER)?, rows.column(FIRST)?)?;
        (rows.column(ORIGINAL_ID)?, place)
    } else {
        return Ok(None);
    };
    Ok(Some(Expr::pointer(vec![id, place], false, None)?))
}

/// The names of the columns that say where rows are placed on a grid.
struct Placed {
    time: &'static str,
    number: &'static str,
    /// The id that the row had before it was placed in several windows.
    origin: Option<&'static str>,
}

impl Table {
    /// The rows with their times, numbers of windows and what else is computed of them; where windows
    /// overlap, once for each.
    #[track_caller]
    fn on_grid(
        &self,
        time: Expr,
        grid: &Grid,
        names: Placed,
        computed: impl IntoIterator<Item = (&'static str, Expr)>,
    ) -> Result<Table, PlanError> {
        let frame = self.here();
        let number = if grid.is_single() { grid.number(&time)? } else { grid.numbers(&time)? };
        let computed = [(names.time, time), (names.number, number)].into_iter().chain(computed);
        let computed = computed.map(|(name, e)| (name, e, frame.clone()));
        let rows = self.with_columns(computed)?.at(frame.clone());
        if !grid.is_single() {
            return rows.flatten(names.number, names.origin);
        }
        match grid.holds(&rows.column(names.time)?, &rows.column(names.number)?)? {
            Some(holds) => Ok(rows.filter(holds)?.at(frame)),
            None => Ok(rows),
        }
    }

    /// What columns of `described` are outside of reducers: those `about` the window, and the instance
    /// under the names that it has in this table.
    fn given_columns<'a>(
        &self,
        described: &Table,
        about: impl IntoIterator<Item = (&'a str, Expr)>,
        instance: Option<&Expr>,
    ) -> Result<Vec<(Expr, Expr)>, PlanError> {
        let mut columns: Vec<(Expr, Expr)> = Vec::new();
        let mut owner = None;
        for (name, is) in about {
            owner = Some(is.clone());
            columns.push((described.column(name)?, is));
        }
        let state = self.graph.lock();
        let origin = |column: &Expr| column.as_column().map(|column| state.origin(column));
        // The instance is the last of them.
        if let (Some(owner), Some(wanted)) = (owner, instance.and_then(origin)) {
            for name in self.column_names().filter(|name| !name.starts_with("_pw_")) {
                if origin(&self.column(name)?) == Some(wanted) {
                    columns.push((described.column(name)?, owner.clone()));
                }
            }
        }
        Ok(columns)
    }
}

/// The id of a window's row: the key of its grouping columns.
fn group_pointer(about: &[(&str, Expr)], instance: bool) -> Result<Expr, PlanError> {
    let mut values: Vec<Expr> = about.iter().map(|(_, e)| e.clone()).collect();
    let last = if instance { values.pop() } else { None };
    Ok(Expr::pointer(values, false, last)?)
}

impl WindowBy {
    /// What reducers see: the columns of the windowed table and those that describe the window, row by
    /// row; `_pw_original_id` is the id of the row in the windowed table.
    pub fn rows(&self) -> &Table {
        &self.rows
    }

    /// The same windows; a reduce is attributed to this line.
    pub fn at(&self, frame: Option<Frame>) -> WindowBy {
        WindowBy { rows: self.rows.at(frame), ..self.clone() }
    }

    /// One row per window: expressions of reducers, columns that describe the window, and constants.
    ///
    /// # Errors
    /// As [`GroupBy::reduce`].
    #[track_caller]
    pub fn reduce(&self, columns: impl IntoIterator<Item = impl Into<Named>>) -> Result<Table, PlanError> {
        let frame = self.rows.here();
        let columns: Vec<Named> = columns.into_iter().map(Into::into).collect();
        let rows = self.rows.at(frame);
        for column in &columns {
            self.warn_of_processing_time(&column.value.resolve(&rows)?, column);
        }
        rows.unless_empty(|| {
            let results = self.grouped.at(&rows).reduce(columns)?;
            match self.keeps {
                true => results.filter_out_results_of_forgetting(false),
                false => Ok(results),
            }
        })
    }

    /// Some reducers go by the time at which rows are processed.
    fn warn_of_processing_time(&self, expression: &Expr, column: &Named) {
        let mut found = None;
        expression.visit(&mut |e| {
            if let ExprKind::Reducer(Reducer::Latest, _) = e.kind() {
                found = Some(("latest", "max"));
            }
            if let ExprKind::Reducer(Reducer::Earliest, _) = e.kind() {
                found = Some(("earliest", "min"));
            }
        });
        if let Some((name, instead)) = found {
            let message = format!(
                "{name} reducer uses processing time to choose elements while windowby uses data time to assign \
                 entries to windows. Maybe it is not the behavior you want. To choose elements according to \
                 their data time, you may use {instead} reducer."
            );
            self.rows.graph.lock().warn(message, column.frame.clone().or_else(|| self.rows.here()));
        }
    }
}
