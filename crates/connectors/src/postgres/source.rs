//! The source as the plan describes it.

use std::sync::Arc;

use pathway_io::{
    ConnectorError, FailureClass, ReadMode, Reader, Resume, Session, Source, SourceOutput, Stopped,
};
use pathway_types::Schema;

use super::catalog::{PgTable, TableName, misfit};
use super::client::{Client, PgError};
use super::scan::{copy_statement, misread, scan};
use super::settings::{PostgresSettings, refused};
use crate::formats::{Layout, Origin};

/// Reads the rows of one table.
#[derive(Clone, Debug)]
pub struct PostgresSource {
    settings: PostgresSettings,
    name: TableName,
    /// All columns.
    all: Schema,
    /// Positions in `all` of the columns to read.
    projection: Vec<usize>,
    /// The columns to read.
    schema: Schema,
}

/// Why reading ends before its end.
pub(super) enum End {
    Stopped,
    Failed(ConnectorError),
}

impl From<Stopped> for End {
    fn from(_: Stopped) -> Self {
        End::Stopped
    }
}

impl PostgresSource {
    /// A source over a table.
    ///
    /// # Errors
    /// If the names are empty.
    pub fn new(
        settings: PostgresSettings,
        schema_name: &str,
        table_name: &str,
        schema: Schema,
    ) -> Result<Self, ConnectorError> {
        if table_name.is_empty() || schema_name.is_empty() {
            return Err(refused("the name of the table or of its schema is empty"));
        }
        let name = TableName { schema: schema_name.to_owned(), table: table_name.to_owned() };
        let projection = (0..schema.fields.len()).collect();
        Ok(PostgresSource { settings, name, projection, schema: schema.clone(), all: schema })
    }

    /// Finds the table and checks the columns that are read.
    fn find(&self, client: &mut Client, layout: &Layout) -> Result<PgTable, PgError> {
        let refuse = |text: String| Err(PgError::Other(misfit(&self.description(), text)));
        let Some(table) = PgTable::find(client, &self.name)? else {
            return refuse(format!(
                "there is no table {} in database {:?}",
                self.name, self.settings.database
            ));
        };
        for field in layout.fields() {
            let Some(column) = table.column(&field.name) else {
                let known: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
                return refuse(format!(
                    "the table has no column {:?}; its columns are {}",
                    field.name,
                    known.join(", ")
                ));
            };
            if let Some(why) = misread(&field.dtype, &column.kind) {
                return refuse(format!("column {:?} {why}", field.name));
            }
        }
        Ok(table)
    }

    /// A failure before any row was read.
    fn at_start(&self, error: PgError) -> ConnectorError {
        let (name, place) = (self.description(), self.settings.place());
        match error {
            PgError::Lost(text) => {
                let text = format!("cannot connect to PostgreSQL at {place}: {text}");
                ConnectorError::new(name, FailureClass::Os, text)
            }
            PgError::Server(error) if error.code.starts_with("28") || error.code == "3D000" => {
                let text = format!("PostgreSQL at {place} refuses the connection: {error}");
                ConnectorError::new(name, FailureClass::Os, text)
            }
            PgError::Server(error) => misfit(&name, format!("cannot read the table: {error}")),
            PgError::Other(error) => error,
        }
    }
}

impl Source for PostgresSource {
    fn description(&self) -> String {
        format!("postgres({})", self.name)
    }

    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn session(&self) -> Session {
        Session::Native
    }

    fn mode(&self) -> ReadMode {
        ReadMode::Static
    }

    fn insert_only(&self) -> bool {
        true
    }

    fn project(&self, columns: &[usize]) -> Arc<dyn Source> {
        let mut source = self.clone();
        source.projection = columns.iter().map(|column| self.projection[*column]).collect();
        source.schema = Schema::new(columns.iter().map(|column| self.schema.fields[*column].clone()));
        Arc::new(source)
    }

    fn open(
        &self,
        _parallelism: usize,
        _resume: Option<Resume>,
    ) -> Result<Vec<Box<dyn Reader>>, ConnectorError> {
        let layout = Arc::new(Layout::new(&self.all, &self.projection));
        let start = || {
            let mut client = Client::connect(&self.settings, false)?;
            self.find(&mut client, &layout)?;
            Ok(client)
        };
        let client = start().map_err(|error| self.at_start(error))?;
        let identity = format!("postgres\0{}\0{}", self.settings.database, self.name);
        Ok(vec![Box::new(StaticReader {
            connector: self.description(),
            client,
            statement: copy_statement(&self.name, &layout, None),
            layout,
            origin: Origin::new(self.name.to_string(), identity.as_bytes(), "row"),
        })])
    }
}

/// Reads what is there.
struct StaticReader {
    connector: String,
    client: Client,
    statement: String,
    layout: Arc<Layout>,
    origin: Origin,
}

impl Reader for StaticReader {
    fn run(mut self: Box<Self>, output: &mut dyn SourceOutput) -> Result<(), ConnectorError> {
        let mut read = || {
            output.begin_atomic()?;
            scan(&mut self.client, &self.statement, &self.layout, &self.origin, &self.connector, output)?;
            output.end_atomic()?;
            Ok(())
        };
        match read() {
            Ok(()) | Err(End::Stopped) => Ok(()),
            Err(End::Failed(error)) => Err(error),
        }
    }
}
