//! Which checkpoints an output has committed: a row of the table `pathway_commits`, beside the table that is written.
//!
//! The row is updated in the transactions that write the rows of a checkpoint. So it tells a later run what is in the
//! table; and as every run that takes the row over counts it up, what an earlier one may yet send is refused.
//!
//! | column | |
//! |---|---|
//! | `output` | tells outputs apart, the same in all runs that go on with one another |
//! | `run` | how often it was taken over |
//! | `number` | the checkpoint that was written last; none at first |
//! | `written` | how many of its rows are written, if some are missing |

use std::time::{Duration, Instant};

use postgres_protocol::escape::escape_literal;

use super::catalog::{TableName, misfit};
use super::client::{Client, PgError, Row};

/// The name of the table.
pub(super) const TABLE: &str = "pathway_commits";
/// How long to wait for a transaction of an earlier run to end.
const PATIENCE: Duration = Duration::from_secs(60);
/// Milliseconds before it is ended.
const GRACE: &str = "2000";

/// The columns of the table.
const COLUMNS: &str = "output text PRIMARY KEY, run bigint NOT NULL, number bigint, written bigint";
/// What every transaction begins with, whatever is set for the user or the database.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";

/// SQLSTATEs: a lock was not to be had in time, and a right is missing.
const LOCKED: &str = "55P03";
const FORBIDDEN: &str = "42501";

/// How far an output is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// The number of a checkpoint.
    pub(super) number: u64,
    /// How many of its rows, if not all.
    pub(super) part: Option<usize>,
}

/// The row of an output.
#[derive(Debug)]
pub(super) struct Commits {
    connector: String,
    /// The table, quoted.
    table: String,
    /// What tells outputs apart, quoted.
    output: String,
    run: u64,
}

/// A cell of the columns `run`, `number` and `written` of a row.
fn cell(row: &Row, place: usize) -> Option<u64> {
    row.get(place)?.as_deref()?.parse().ok()
}

fn mark_of(row: &Row) -> Option<Mark> {
    let part = cell(row, 2).map(|written| written as usize);
    cell(row, 1).map(|number| Mark { number, part })
}

/// A row that was taken over.
pub(super) struct Taken {
    pub(super) commits: Commits,
    /// How far earlier runs have written.
    pub(super) found: Option<Mark>,
}

impl Commits {
    /// Takes the row of an output over, from whatever run had it; makes the table if it is not there. With `anew` it
    /// forgets how far that is written. The transaction stays open.
    pub(super) fn open(
        client: &mut Client,
        connector: &str,
        schema: &str,
        output: &str,
        anew: bool,
    ) -> Result<Taken, PgError> {
        let name = TableName { schema: schema.to_owned(), table: TABLE.to_owned() };
        let (table, output) = (name.quoted(), escape_literal(output));
        let mut commits = Commits { connector: connector.to_owned(), table, output, run: 0 };
        let mut take = |commits: &Commits| {
            let Commits { table, output, .. } = commits;
            if !name.is_there(client)? {
                client.query(&format!("CREATE TABLE IF NOT EXISTS {table} ({COLUMNS})"))?;
            }
            let forgets = if anew { ", number = NULL, written = NULL" } else { "" };
            let sql = format!(
                "INSERT INTO {table} AS c (output, run) VALUES ({output}, 1) ON CONFLICT (output) DO UPDATE \
                 SET run = c.run + 1{forgets} RETURNING run, number, written"
            );
            commits.lock(client, &sql)
        };
        let row = take(&commits).map_err(|error| commits.explained(error))?.unwrap_or_default();
        commits.run = cell(&row, 0).unwrap_or_default();
        let found = mark_of(&row);
        Ok(Taken { commits, found })
    }

    /// Waits for the end of the transaction of a connection that is lost; gives how far the output is written then,
    /// or none if another run has the row.
    pub(super) fn settle(&self, client: &mut Client) -> Result<Option<Option<Mark>>, PgError> {
        let row = self.lock(
            client,
            &format!(
                "SELECT run, number, written FROM {} WHERE output = {} AND run = {} FOR UPDATE",
                self.table, self.output, self.run
            ),
        )?;
        client.query("COMMIT")?;
        Ok(row.map(|row| mark_of(&row)))
    }

    /// Begins a transaction after which the output is written up to `mark`; none if another run has the row.
    pub(super) fn begin(&self, client: &mut Client, mark: Option<Mark>) -> Result<Option<()>, PgError> {
        let or_null = |number: Option<u64>| number.map_or("NULL".to_owned(), |number| number.to_string());
        let number = or_null(mark.map(|mark| mark.number));
        let written = or_null(mark.and_then(|mark| mark.part).map(|written| written as u64));
        let row = client.value(&format!(
            "{BEGIN}; UPDATE {} SET number = {number}, written = {written} WHERE output = {} AND run = {} \
             RETURNING run",
            self.table, self.output, self.run
        ))?;
        Ok(row.map(|_| ()))
    }

    /// Begins a transaction with a statement that locks the row. Whoever holds it is not waited for for long: it is
    /// an earlier run, or what the server has not yet noticed to be the end of one.
    fn lock(&self, client: &mut Client, sql: &str) -> Result<Option<Row>, PgError> {
        let sql =
            format!("{BEGIN}; SET LOCAL lock_timeout TO {GRACE}; {sql}; SET LOCAL lock_timeout TO DEFAULT");
        let begin = Instant::now();
        loop {
            match client.query(&sql) {
                Ok(rows) => return Ok(rows.into_iter().next()),
                Err(error) if error.code() == LOCKED && begin.elapsed() < PATIENCE => {
                    client.query("ROLLBACK")?;
                    self.end_holder(client)?;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Ends the connection whose transaction has the row.
    fn end_holder(&self, client: &mut Client) -> Result<(), PgError> {
        let ended = client.query(&format!(
            "SELECT l.pid, pg_catalog.pg_terminate_backend(l.pid) FROM {} c JOIN pg_catalog.pg_locks l \
             ON l.locktype = 'transactionid' AND l.transactionid = c.xmax AND l.granted WHERE c.output = {}",
            self.table, self.output
        ));
        match ended {
            Ok(rows) => {
                for pid in rows.into_iter().filter_map(|row| row.into_iter().next().flatten()) {
                    log::warn!(
                        "{}: the transaction of an earlier run is ended (process {pid} of the server)",
                        self.connector
                    );
                }
                Ok(())
            }
            Err(error) if error.code() == FORBIDDEN => {
                log::warn!("{}: waiting for the transaction of an earlier run: {error}", self.connector);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// What the server says about the table of commits, with the way out.
    fn explained(&self, error: PgError) -> PgError {
        match error {
            PgError::Server(error) if error.code == LOCKED => self.refused(format!(
                "the transaction of an earlier run does not end, which has the row of this output in {}: {error}; \
                 pg_terminate_backend() ends it",
                self.table
            )),
            PgError::Server(error) if !error.is_passing() && !error.is_made_meanwhile() => self.refused(format!(
                "cannot note in {0} which checkpoints are written: {error}; somebody who may has to make that table \
                 (CREATE TABLE {0} ({COLUMNS})) and grant SELECT, INSERT and UPDATE on it; \
                 delivery=\"at-least-once\" does without, but changes may come twice after a restart",
                self.table
            )),
            other => other,
        }
    }

    fn refused(&self, text: String) -> PgError {
        misfit(&self.connector, text).into()
    }
}
