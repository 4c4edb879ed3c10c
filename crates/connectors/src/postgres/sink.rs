//! The sink as the plan describes it.

use std::sync::Arc;

use pathway_io::{ConnectorError, Delivery, Sink, Transactions, Writer};
use pathway_types::Schema;

use super::catalog::{TableName, misfit};
use super::client::{Client, PgError};
use super::commits::{Commits, Mark, TABLE, Taken};
use super::plan::Plan;
use super::session::Session;
use super::settings::{PostgresSettings, refused};
use super::target::{Content, InitMode, Target};
use super::writer::{PostgresTransactions, PostgresWriter};

/// How often a start is tried while others make the same tables.
const ATTEMPTS: u32 = 5;

/// Writes the changes of a table, or its current rows.
#[derive(Clone, Debug)]
pub struct PostgresSink {
    settings: PostgresSettings,
    target: Target,
    init_mode: InitMode,
    max_batch_size: Option<usize>,
    delivery: Delivery,
}

impl PostgresSink {
    /// A sink for rows of `schema`.
    ///
    /// # Errors
    /// If the names are empty.
    pub fn new(
        settings: PostgresSettings,
        schema_name: &str,
        table_name: &str,
        schema: Schema,
        content: Content,
        init_mode: InitMode,
    ) -> Result<Self, ConnectorError> {
        if table_name.is_empty() || schema_name.is_empty() {
            return Err(refused("the name of the table or of its schema is empty"));
        }
        if table_name == TABLE {
            return Err(refused(
                "the table pathway_commits has the numbers of checkpoints; write to another one",
            ));
        }
        if init_mode != InitMode::Default
            && matches!(&content, Content::Snapshot { key, .. } if key.is_empty())
        {
            return Err(refused(
                "a table of current rows is made with a primary key: name its columns with primary_key",
            ));
        }
        let name = TableName { schema: schema_name.to_owned(), table: table_name.to_owned() };
        let target = Target { connector: format!("postgres({name})"), name, content, schema };
        let (max_batch_size, delivery) = (None, Delivery::default());
        Ok(PostgresSink { settings, target, init_mode, max_batch_size, delivery })
    }

    /// The same sink with another way of delivery.
    pub fn delivery(mut self, delivery: Delivery) -> Self {
        self.delivery = delivery;
        self
    }

    /// The same sink with so many rows in a transaction at most.
    pub fn max_batch_size(mut self, rows: Option<usize>) -> Self {
        self.max_batch_size = rows;
        self
    }
}

impl Sink for PostgresSink {
    fn description(&self) -> String {
        self.target.connector.clone()
    }

    fn open(&self, _position: Option<&[u8]>) -> Result<Box<dyn Writer>, ConnectorError> {
        let session = self.start(|| {
            let mut client = Client::connect(&self.settings, false)?;
            self.target.make(&mut client, self.init_mode)?;
            let plan = self.plan(&mut client)?;
            Ok(self.session(plan, client, None))
        })?;
        Ok(Box::new(PostgresWriter::new(session)))
    }

    fn transactions(&self, id: &str, anew: bool) -> Result<Option<Box<dyn Transactions>>, ConnectorError> {
        if self.delivery == Delivery::AtLeastOnce {
            return match self.init_mode {
                InitMode::Replace if !anew => Err(misfit(
                    &self.target.connector,
                    "with delivery=\"at-least-once\" it is not known whether an earlier run has written to the table, \
                     so that init_mode=\"replace\" may remove what does not come again; \
                     init_mode=\"create_if_not_exists\" keeps it",
                )),
                InitMode::Replace | InitMode::Default | InitMode::CreateIfNotExists => Ok(None),
            };
        }
        let transactions = self.start(|| {
            let mut client = Client::connect(&self.settings, false)?;
            let Target { connector, name, .. } = &self.target;
            let Taken { commits, found } = Commits::open(&mut client, connector, &name.schema, id, anew)?;
            match found {
                None => self.target.make(&mut client, self.init_mode)?,
                Some(_) if name.is_there(&mut client)? => {}
                Some(Mark { number, .. }) => {
                    let text = format!(
                        "the table is gone to which earlier runs have written, up to checkpoint {number}; what they \
                         have written does not come again: bring it back, or remove the stored state to begin anew"
                    );
                    return Err(misfit(connector, text).into());
                }
            }
            let plan = self.plan(&mut client)?;
            client.query("COMMIT")?;
            Ok(PostgresTransactions::new(self.session(plan, client, Some(commits)), found))
        })?;
        Ok(Some(Box::new(transactions)))
    }
}

impl PostgresSink {
    /// Does what comes first, again if somebody else has made the same tables at the same moment.
    fn start<T>(&self, mut start: impl FnMut() -> Result<T, PgError>) -> Result<T, ConnectorError> {
        let mut attempts = 0;
        loop {
            attempts += 1;
            match start() {
                Err(PgError::Server(error)) if error.is_made_meanwhile() && attempts < ATTEMPTS => {}
                result => {
                    return result.map_err(|error| self.target.at_start(error, &self.settings.place()));
                }
            }
        }
    }

    /// Checks the table.
    fn plan(&self, client: &mut Client) -> Result<Arc<Plan>, PgError> {
        let target = self.target.with_key(client)?;
        let columns = target.check(client)?;
        let plan = Plan::new(&target, columns);
        plan.prepare(client)?;
        Ok(Arc::new(plan))
    }

    fn session(&self, plan: Arc<Plan>, client: Client, commits: Option<Commits>) -> Session {
        Session::new(self.settings.clone(), plan, client, self.max_batch_size, commits)
    }
}
