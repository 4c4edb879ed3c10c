//! A connection on which transactions are written, each once, whatever happens to it meanwhile.
//!
//! A transaction that is lost with its connection is repeated, unless it was committed: the row of the output says
//! so, where there is one, or else the server, by the number of the transaction.

use std::sync::Arc;
use std::time::Duration;

use pathway_io::{ConnectorError, FailureClass};

use super::client::{Client, PgError};
use super::commits::{Commits, Mark};
use super::plan::{Change, Place, Plan};
use super::settings::PostgresSettings;

/// How often a transaction is repeated that the server could not take at the moment.
const RETRIES: u32 = 5;

/// Transactions that may have been committed although their connection is lost: by number.
type Doubt = Option<String>;

/// Writes transactions.
pub(super) struct Session {
    settings: PostgresSettings,
    plan: Arc<Plan>,
    client: Option<Client>,
    max_batch_size: Option<usize>,
    commits: Option<Commits>,
}

impl Session {
    /// Over a connection that is ready. With `commits`, these are told of each transaction.
    pub(super) fn new(
        settings: PostgresSettings,
        plan: Arc<Plan>,
        client: Client,
        max_batch_size: Option<usize>,
        commits: Option<Commits>,
    ) -> Self {
        Session { settings, plan, client: Some(client), max_batch_size, commits }
    }

    /// Writes changes, in as many transactions as they need; for a checkpoint of this number, behind so many rows
    /// that are in the table already.
    pub(super) fn write(
        &mut self,
        changes: &[Change],
        number: Option<u64>,
        written: usize,
    ) -> Result<(), ConnectorError> {
        let places = self.plan.left(changes);
        let limit = self.max_batch_size.unwrap_or(usize::MAX);
        let mut done = written.min(places.len());
        loop {
            let end = done.saturating_add(limit).min(places.len());
            let part = (end < places.len()).then_some(end);
            self.transact(changes, &places[done..end], number.map(|number| Mark { number, part }))?;
            if part.is_none() {
                return Ok(());
            }
            done = end;
        }
    }

    /// Writes some rows in one transaction, whatever happens to the connection meanwhile.
    fn transact(
        &mut self,
        changes: &[Change],
        places: &[Place],
        mark: Option<Mark>,
    ) -> Result<(), ConnectorError> {
        let name = self.plan.connector.clone();
        let mut doubt: Doubt = None;
        let mut retries = 0;
        loop {
            match self.attempt(changes, places, mark, &mut doubt) {
                Ok(()) => return Ok(()),
                Err(error) if error.is_passing() && retries < RETRIES => {
                    retries += 1;
                    log::warn!("{name}: {error}; the transaction is repeated");
                }
                Err(error) => return Err(error.into_failure(&name, "cannot write")),
            }
        }
    }

    /// One attempt. The connection is given up if it fails.
    fn attempt(
        &mut self,
        changes: &[Change],
        places: &[Place],
        mark: Option<Mark>,
        doubt: &mut Doubt,
    ) -> Result<(), PgError> {
        let (mut client, mut is_done) = match self.client.take() {
            Some(client) => (client, false),
            None => self.connect(mark)?,
        };
        if let Some(number) = doubt.as_ref() {
            is_done = was_committed(&mut client, number)?;
            *doubt = None;
        }
        if !is_done {
            match &self.commits {
                Some(commits) => {
                    let begun = commits.begin(&mut client, mark)?;
                    self.told(begun)?;
                    self.plan.put(&mut client, changes, places)?;
                }
                None => {
                    let number = client.value("BEGIN; SELECT pg_catalog.txid_current()")?;
                    self.plan.put(&mut client, changes, places)?;
                    *doubt = number;
                }
            }
            client.query("COMMIT")?;
            *doubt = None;
        }
        self.client = Some(client);
        Ok(())
    }

    /// Lets the row of the output say that nothing is written, so that what is written next is told from what was.
    pub(super) fn forget(&mut self) -> Result<(), ConnectorError> {
        self.transact(&[], &[], None)
    }

    /// What is known only if no other run has taken this one's place.
    fn told<T>(&self, found: Option<T>) -> Result<T, PgError> {
        found.ok_or_else(|| {
            let text = "another run, which goes on with the same stored state, writes to the table in the name of this \
                        one, or the row of this output in pathway_commits was removed";
            ConnectorError::new(&*self.plan.connector, FailureClass::Os, text).into()
        })
    }

    /// A new connection in place of one that is lost, and whether the output is written up to `mark` already.
    fn connect(&self, mark: Option<Mark>) -> Result<(Client, bool), PgError> {
        let wait = |pause: Duration| {
            std::thread::sleep(pause);
            true
        };
        let client = Client::reconnect(&self.settings, false, &self.plan.connector, wait)?;
        let mut client = client.ok_or_else(|| PgError::Lost("the server does not come back".to_owned()))?;
        let is_done = match &self.commits {
            Some(commits) => self.told(commits.settle(&mut client)?)? == mark,
            None => false,
        };
        self.plan.prepare(&mut client)?;
        Ok((client, is_done))
    }
}

/// Whether a transaction was committed whose connection is lost; waits for its end.
fn was_committed(client: &mut Client, number: &str) -> Result<bool, PgError> {
    for _ in 0..600 {
        match client.value(&format!("SELECT pg_catalog.txid_status({number})")) {
            Ok(Some(status)) if status == "committed" => return Ok(true),
            Ok(Some(status)) if status == "aborted" => return Ok(false),
            Ok(Some(_)) => std::thread::sleep(Duration::from_millis(100)),
            Ok(None) => break,
            // The server has crashed, and what is left of its log knows of no such transaction.
            Err(error) if error.code() == "22023" => return Ok(false),
            Err(error) => return Err(error),
        }
    }
    Err(PgError::Lost(format!("the server does not tell whether transaction {number} was committed")))
}
