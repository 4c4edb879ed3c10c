//! The source as the plan describes it.

use std::sync::Arc;

use pathway_io::{
    ConnectorError, FailureClass, Position, ReadMode, Reader, Resume, Session, Source, SourceOutput, Stopped,
};
use pathway_types::Schema;

use super::catalog::{PgTable, TableName, misfit};
use super::client::{Client, PgError};
use super::follow::{Followed, Follower, Kept};
use super::scan::{cleared, copy_statement, misread, scan};
use super::settings::{PostgresSettings, refused};
use super::start::{self, PART, Place};
use crate::formats::{Layout, Origin};

/// The name of the part that a static run has read.
const ROWS: &str = "rows";

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
    /// Changes are followed.
    stream: Option<Stream>,
    /// A later run compares the rows with those of an earlier one.
    compares: bool,
}

/// How changes of a table are followed.
#[derive(Clone, Debug)]
pub struct Stream {
    /// The publication that has the table; any that has all of it if none is named, or one that is made.
    pub publication: Option<String>,
    /// Rows are only ever added.
    pub is_append_only: bool,
    /// What the source is called, for the name of its slot.
    pub label: String,
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

/// What ended a stream or a copy.
pub(super) enum Break {
    /// The connection is lost.
    Lost(PgError),
    End(End),
}

impl From<End> for Break {
    fn from(end: End) -> Self {
        Break::End(end)
    }
}

impl From<Stopped> for Break {
    fn from(stopped: Stopped) -> Self {
        Break::End(stopped.into())
    }
}

impl From<PgError> for Break {
    fn from(error: PgError) -> Self {
        Break::Lost(error)
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
        Ok(PostgresSource {
            settings,
            name,
            projection,
            schema: schema.clone(),
            all: schema,
            stream: None,
            compares: false,
        })
    }

    /// The same source, which goes on with the changes of the table.
    ///
    /// # Errors
    /// If rows cannot be told apart.
    pub fn follow(mut self, stream: Stream) -> Result<Self, ConnectorError> {
        if !stream.is_append_only && self.all.primary_key().is_empty() {
            return Err(refused(
                "the schema has no primary key, and changes are told by it; give it the primary key of the table, or read \
                 with is_append_only=True",
            ));
        }
        self.stream = Some(stream);
        Ok(self)
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
        match &self.stream {
            Some(stream) if !stream.is_append_only => Session::Upsert,
            None if self.compares => Session::Upsert,
            _ => Session::Native,
        }
    }

    fn mode(&self) -> ReadMode {
        if self.stream.is_some() { ReadMode::Streaming } else { ReadMode::Static }
    }

    fn insert_only(&self) -> bool {
        self.session() == Session::Native
    }

    /// The rows of a later run take the place of those that an earlier one has read.
    fn lasting(&self) -> Option<Arc<dyn Source>> {
        self.stream.is_none().then(|| Arc::new(PostgresSource { compares: true, ..self.clone() }) as _)
    }

    fn has_positions(&self) -> bool {
        self.stream.is_some() || self.compares
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
        resume: Option<Resume>,
    ) -> Result<Vec<Box<dyn Reader>>, ConnectorError> {
        // What is recorded is read as if no other run were to know of it.
        let resume = resume.filter(|resume| !resume.records);
        let layout = Arc::new(Layout::new(&self.all, &self.projection));
        let identity = format!("postgres\0{}\0{}", self.settings.database, self.name);
        let origin = Origin::new(self.name.to_string(), identity.as_bytes(), "row");
        let start = || -> Result<Box<dyn Reader>, PgError> {
            let mut client = Client::connect(&self.settings, false)?;
            let table = self.find(&mut client, &layout)?;
            let connector = self.description();
            let Some(stream) = &self.stream else {
                let statement = copy_statement(&self.name, &layout, None);
                let earlier = resume.map(|resume| !resume.positions.is_empty());
                return Ok(Box::new(StaticReader { connector, client, statement, layout, origin, earlier }));
            };
            let Stream { publication, is_append_only, label } = stream.clone();
            let publication = match publication {
                Some(publication) => publication,
                None => start::own_publication(&mut client, &self.name)?,
            };
            let columns = Schema { fields: layout.fields().to_vec() };
            let filter = start::check(
                &mut client,
                &connector,
                &self.name,
                &table,
                &columns,
                &publication,
                is_append_only,
            )?;
            let followed = Followed {
                connector,
                settings: self.settings.clone(),
                name: self.name.clone(),
                table: table.oid,
                layout,
                identity,
                origin,
                publication,
                is_append_only,
                filter,
                label,
            };
            let kept = match resume {
                Some(resume) => Some(Kept { place: place(&followed.connector, &resume)? }),
                None => None,
            };
            Ok(Box::new(Follower::new(Arc::new(followed), kept, &mut client)?))
        };
        Ok(vec![start().map_err(|error| self.at_start(error))?])
    }
}

/// Where an earlier run was.
fn place(connector: &str, resume: &Resume) -> Result<Option<Place>, PgError> {
    if resume.positions.contains_key(ROWS) {
        let text = "earlier runs have read the table with mode=\"static\", and not from a place in the server's log; give the \
                    source another name, or remove the stored state, to follow it";
        return Err(misfit(connector, text).into());
    }
    let Some(position) = resume.positions.get(PART) else { return Ok(None) };
    match Place::of(position) {
        Some(place) => Ok(Some(place)),
        None => {
            let text = "the position that an earlier run left is damaged; remove the stored state to read the table anew";
            Err(PgError::Other(misfit(connector, text)))
        }
    }
}

/// Reads what is there.
struct StaticReader {
    connector: String,
    client: Client,
    statement: String,
    layout: Arc<Layout>,
    origin: Origin,
    /// Whether an earlier run has read rows; none in a run that nobody goes on with.
    earlier: Option<bool>,
}

impl Reader for StaticReader {
    fn run(mut self: Box<Self>, output: &mut dyn SourceOutput) -> Result<(), ConnectorError> {
        let mut read = || {
            output.begin_atomic()?;
            if self.earlier == Some(true) {
                output.rows(cleared(&self.layout))?;
            }
            scan(&mut self.client, &self.statement, &self.layout, &self.origin, output)?;
            if self.earlier.is_some() {
                let read = Position { value: b"read".to_vec(), objects: Vec::new() };
                output.position(ROWS, Some(read))?;
            }
            output.end_atomic()?;
            Ok(())
        };
        match read() {
            Ok(()) | Err(Break::End(End::Stopped)) => Ok(()),
            Err(Break::End(End::Failed(error))) => Err(error),
            Err(Break::Lost(error)) => Err(error.into_failure(&self.connector, "cannot read")),
        }
    }
}
