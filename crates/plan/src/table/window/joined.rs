//! The rows of two tables in windows, for window joins.
//!
//! In windows of a grid, each side is put by itself. Sessions are made of the rows of both sides, which are
//! one table for that, with the columns of both, and two again afterwards.

use pathway_expr::{BinaryOp, Expr};
use pathway_types::{DType, Value};

use super::super::Table;
use super::super::columns::Named;
use super::grid::Grid;
use super::session::{SESSION, TIME, checked};
use super::{END, INSTANCE, KEY, Placed, START, WINDOW, Window};
use crate::PlanError;
use crate::stateful::SessionGap;

/// What is equal for rows that are joined: the columns that describe their window.
pub(in crate::table) const SHARED: [&str; 3] = [START, END, WINDOW];

/// What the times of the two sides are called in messages.
const TIMES: [&str; 2] = ["left_time_expression", "right_time_expression"];

/// Columns that no table has.
const AT: &str = "\0at";
const NUMBER: &str = "\0number";
const FIRST: &str = "\0first";
/// The id that a row has in the joined table.
const OWN: &str = "\0own";
const INSTANCES: &str = "\0instances";
const RIGHT: &str = "\0right";

/// The rows of two tables that are to be put into windows.
pub(in crate::table) struct Sides<'a> {
    /// The tables.
    pub(in crate::table) tables: [&'a Table; 2],
    /// The times of their rows.
    pub(in crate::table) times: [Expr; 2],
    /// Sessions are made of rows in which these are equal.
    pub(in crate::table) instances: [Vec<Expr>; 2],
}

impl Sides<'_> {
    /// The rows of each side, once for each of their windows, and what describes it. The columns of the
    /// side come first, those excepted that are named like the new ones, which take their place.
    ///
    /// # Errors
    /// [`PlanError::Type`] if times and window do not go together, [`PlanError::Value`] for windows that
    /// cannot be shared.
    #[track_caller]
    pub(in crate::table) fn in_windows(&self, window: &Window) -> Result<[Table; 2], PlanError> {
        let make = || self.placed(window);
        match self.tables.iter().find(|table| table.is_empty()) {
            // That its windows are empty, too, is no news.
            Some(table) => table.unless_empty(make),
            None => make(),
        }
    }

    #[track_caller]
    fn placed(&self, window: &Window) -> Result<[Table; 2], PlanError> {
        match window {
            Window::Sliding { hop, span, origin } => {
                let times = [(TIMES[0], &self.times[0]), (TIMES[1], &self.times[1])];
                let grid = Grid::new(&times, hop, span, origin.as_ref())?;
                let [left, right] = self.tables;
                let [left_time, right_time] = &self.times;
                Ok([left.in_grid(left_time, &grid)?, right.in_grid(right_time, &grid)?])
            }
            Window::Session(gap) => self.in_sessions(gap),
            Window::Around(_) => Err(PlanError::Value(
                "a window join takes tumbling, sliding and session windows; for the rows around the values of a \
                 column use interval_join"
                    .to_owned(),
            )),
        }
    }

    #[track_caller]
    fn in_sessions(&self, gap: &SessionGap) -> Result<[Table; 2], PlanError> {
        let [left, right] = &self.times;
        let (kind, gap) = checked(&[(TIMES[0], left), (TIMES[1], right)], gap)?;
        let times = [kind.convert(left)?, kind.convert(right)?];
        let mut parts = Vec::new();
        for (side, (table, time)) in self.tables.iter().zip(times).enumerate() {
            let frame = table.here();
            let mut columns = vec![
                (TIME.to_owned(), time),
                (INSTANCES.to_owned(), Expr::make_tuple(self.instances[side].clone())?),
                (RIGHT.to_owned(), Expr::literal(side == 1)),
                (OWN.to_owned(), table.row_id()),
            ];
            for (of, other) in self.tables.iter().enumerate() {
                columns.extend((0..other.columns().len()).map(|i| {
                    let own = if of == side { table.column_at(i) } else { Expr::literal(Value::None) };
                    (carried(of, i), own)
                }));
            }
            let columns = columns.into_iter().map(|(name, e)| Named::from((name.as_str(), e, frame.clone())));
            parts.push(table.select(columns)?.at(frame));
        }
        let union = parts[0].concat_reindex(&[&parts[1]])?.at(parts[0].here());
        let (rows, sessions) = union.sessions(gap, None, union.column(INSTANCES)?)?;
        let frame = union.here();
        let (rows, sessions) = (rows.at(frame.clone()), sessions.at(frame.clone()));
        let found = sessions.ix(rows.column(SESSION)?, &rows, false, false)?;
        let about = [(START, "start"), (END, "end"), (WINDOW, "last")];
        let about = about.map(|(name, of)| Ok((name, found.column(of)?, frame.clone())));
        let about = about.into_iter().collect::<Result<Vec<_>, PlanError>>()?;
        let rows = rows.with_columns(about)?.at(frame.clone());
        let (right, left) = rows.split(rows.column(RIGHT)?)?;
        Ok([self.of_side(0, &left.at(frame.clone()))?, self.of_side(1, &right.at(frame))?])
    }

    /// The rows of one side among those of both, with the ids that they have there.
    fn of_side(&self, side: usize, rows: &Table) -> Result<Table, PlanError> {
        let table = self.tables[side];
        let rows = rows.with_id(rows.column(OWN)?)?.at(rows.here());
        let rows = rows.update_id_type(table.id_dtype().clone(), None)?.at(rows.here());
        let own = table.columns().iter().enumerate().map(|(i, column)| -> Result<Expr, PlanError> {
            Ok(Expr::declare_type(column.dtype.clone(), rows.column(&carried(side, i))?)?)
        });
        let own = own.collect::<Result<Vec<_>, _>>()?;
        let about = [WINDOW, START, END, OWN].map(|name| Ok((name, rows.column(name)?)));
        rows.described(table, own, about.into_iter().collect::<Result<Vec<_>, PlanError>>()?)
    }
}

/// The name of a column of one side among those of both.
fn carried(side: usize, column: usize) -> String {
    format!("{side}.{column}")
}

impl Table {
    #[track_caller]
    fn in_grid(&self, time: &Expr, grid: &Grid) -> Result<Table, PlanError> {
        let frame = self.here();
        let time = grid.kind.convert(time)?;
        let first = if grid.is_single() { grid.number(&time)? } else { grid.first(&time)? };
        let computed = vec![(FIRST, first), (OWN, self.row_id())];
        let names = Placed { time: AT, number: NUMBER, origin: None };
        let rows = self.on_grid(time, grid, names, computed)?.at(frame.clone());
        let (number, own) = (rows.column(NUMBER)?, rows.column(OWN)?);
        // The ids are made of those of the side, and which of the windows of the row it is: rows whose time
        // is an error have none.
        let place = Expr::binary(BinaryOp::Sub, number, rows.column(FIRST)?)?;
        let rows = rows.with_id_from([own, place], None)?.at(frame.clone());
        let rows = rows.update_id_type(DType::ANY_POINTER, Some(false))?.at(frame);
        let number = rows.column(NUMBER)?;
        let (start, end) = (grid.start(&number)?, grid.end(&number)?);
        let none = Expr::literal(Value::None);
        let window = Expr::make_tuple(vec![none.clone(), start.clone(), end.clone()])?;
        let own = self.column_names().map(|name| rows.column(name)).collect::<Result<Vec<_>, _>>()?;
        let (key, id) = (rows.column(AT)?, rows.column(OWN)?);
        let about =
            vec![(KEY, key), (INSTANCE, none), (START, start), (END, end), (WINDOW, window), (OWN, id)];
        rows.described(self, own, about)
    }

    /// The columns of a side and what describes the windows, in the place of columns of that name.
    #[track_caller]
    fn described(&self, side: &Table, own: Vec<Expr>, about: Vec<(&str, Expr)>) -> Result<Table, PlanError> {
        let frame = self.here();
        let names: Vec<&str> = side.column_names().collect();
        let mut columns: Vec<(&str, Expr)> = names.iter().copied().zip(own).collect();
        for (name, is) in about {
            match columns.iter_mut().find(|(known, _)| *known == name) {
                Some((_, own)) => *own = is,
                None => columns.push((name, is)),
            }
        }
        let columns = columns.into_iter().map(|(name, e)| Named::from((name, e, frame.clone())));
        Ok(self.select(columns)?.at(frame))
    }
}
