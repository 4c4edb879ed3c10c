//! The sink as the plan describes it.

use std::sync::Arc;

use pathway_io::{ConnectorError, Sink, Writer};
use pathway_types::Schema;

use super::catalog::TableName;
use super::client::Client;
use super::settings::{PostgresSettings, refused};
use super::target::{Content, InitMode, Target};
use super::writer::{Plan, PostgresWriter};

/// Writes the changes of a table, or its current rows.
#[derive(Clone, Debug)]
pub struct PostgresSink {
    settings: PostgresSettings,
    target: Target,
    init_mode: InitMode,
    max_batch_size: Option<usize>,
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
        let name = TableName { schema: schema_name.to_owned(), table: table_name.to_owned() };
        let target = Target { connector: format!("postgres({name})"), name, content, schema };
        Ok(PostgresSink { settings, target, init_mode, max_batch_size: None })
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
        let place = self.settings.place();
        let start = || {
            let mut client = Client::connect(&self.settings, false)?;
            self.target.make(&mut client, self.init_mode)?;
            let columns = self.target.check(&mut client)?;
            let plan = Arc::new(Plan::new(&self.target, columns));
            plan.prepare(&mut client)?;
            Ok((client, plan))
        };
        let (client, plan) = start().map_err(|error| self.target.at_start(error, &place))?;
        Ok(Box::new(PostgresWriter::new(self.settings.clone(), plan, client, self.max_batch_size)))
    }
}
