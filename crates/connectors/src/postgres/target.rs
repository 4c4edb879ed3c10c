//! The table that is written: made, if asked for, and checked before any row is sent.

use pathway_io::ConnectorError;
use pathway_types::Schema;
use postgres_protocol::escape::escape_identifier;

use super::catalog::{PgTable, TableName, misfit};
use super::client::{Client, PgError};
use super::encode::{Encoding, declared, encoding};

/// What is done about the table when a run starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InitMode {
    /// It has to be there.
    Default,
    /// It is made if it is not there.
    CreateIfNotExists,
    /// It is made anew.
    Replace,
}

/// What a table holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A row for every change, with `time` and `diff`.
    Changes,
    /// The current rows.
    Snapshot {
        /// The columns that tell rows apart; if there are none, those of the table's primary key.
        key: Vec<usize>,
        /// Rows have `time` and `diff` of the change that they come from.
        with_changes: bool,
        /// The column that says, in place of a change's own sign, whether the row is there or gone.
        diff: Option<usize>,
    },
}

impl Content {
    /// Rows have `time` and `diff`.
    pub(super) fn has_changes(&self) -> bool {
        matches!(self, Content::Changes | Content::Snapshot { with_changes: true, .. })
    }

    pub(super) fn key(&self) -> &[usize] {
        match self {
            Content::Changes => &[],
            Content::Snapshot { key, .. } => key,
        }
    }
}

/// A table to be written.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) connector: String,
    pub(super) name: TableName,
    pub(super) content: Content,
    pub(super) schema: Schema,
}

/// The columns that changes have beside those of the table.
pub(super) const TIME: &str = "time";
pub(super) const DIFF: &str = "diff";

impl Target {
    fn refuse<T>(&self, message: impl Into<String>) -> Result<T, PgError> {
        Err(PgError::Other(misfit(&self.connector, message)))
    }

    /// Names and types as declared, for all columns.
    fn declarations(&self) -> Result<Vec<String>, PgError> {
        let mut all = Vec::new();
        for field in &self.schema.fields {
            let Some(kind) = declared(&field.dtype) else {
                return self.refuse(format!(
                    "no table can be made for column {:?}: its type {} has no counterpart in PostgreSQL; \
                     convert it, for instance to JSON",
                    field.name, field.dtype
                ));
            };
            let not_null = if field.dtype.admits_none() { "" } else { " NOT NULL" };
            all.push(format!("{} {kind}{not_null}", escape_identifier(&field.name)));
        }
        if self.content.has_changes() {
            all.push(format!("{} BIGINT NOT NULL", escape_identifier(TIME)));
            all.push(format!("{} SMALLINT NOT NULL", escape_identifier(DIFF)));
        }
        let key: Vec<String> =
            self.content.key().iter().map(|c| escape_identifier(&self.schema.fields[*c].name)).collect();
        if !key.is_empty() {
            all.push(format!("PRIMARY KEY ({})", key.join(", ")));
        }
        Ok(all)
    }

    /// Makes the table, as far as that is asked for.
    pub(super) fn make(&self, client: &mut Client, mode: InitMode) -> Result<(), PgError> {
        let drop = match mode {
            InitMode::Default => return Ok(()),
            // `CREATE … IF NOT EXISTS` needs a right also where there is nothing to create.
            InitMode::CreateIfNotExists if self.name.is_there(client)? => return Ok(()),
            InitMode::CreateIfNotExists => "",
            InitMode::Replace => &format!("DROP TABLE IF EXISTS {}; ", self.name.quoted()),
        };
        let declarations = self.declarations()?.join(", ");
        let name = self.name.quoted();
        client.query(&format!("{drop}CREATE TABLE IF NOT EXISTS {name} ({declarations})")).map(|_| ())
    }

    /// With the primary key of the table, if that tells rows apart.
    pub(super) fn with_key(&self, client: &mut Client) -> Result<Target, PgError> {
        let mut target = self.clone();
        let Content::Snapshot { key, .. } = &mut target.content else { return Ok(target) };
        if !key.is_empty() {
            return Ok(target);
        }
        let table = PgTable::find(client, &self.name)?;
        let Some(found) = table.and_then(|table| table.keys.into_iter().find(|key| key.is_primary)) else {
            return self.refuse(
                "the table has no primary key, by which rows are replaced and deleted; give it one, or name columns with \
                 primary_key",
            );
        };
        for name in found.columns {
            let Some(column) = self.schema.names().position(|column| column == name) else {
                return self.refuse(format!("column {name:?} of the table's primary key is not written"));
            };
            key.push(column);
        }
        Ok(target)
    }

    /// Checks the table; gives how each column is written.
    pub(super) fn check(&self, client: &mut Client) -> Result<Vec<(String, Encoding)>, PgError> {
        let Some(table) = PgTable::find(client, &self.name)? else {
            return self.refuse(
                "there is no such table; create it, or let the connector do so with \
                 init_mode=\"create_if_not_exists\"",
            );
        };
        match table.kind {
            'r' | 'p' | 'f' => {}
            'v' | 'm' => return self.refuse("it is a view, and rows are written to tables only"),
            _ => return self.refuse("it is no table"),
        }
        let mut written: Vec<(String, Option<&pathway_types::DType>)> =
            self.schema.fields.iter().map(|field| (field.name.to_string(), Some(&field.dtype))).collect();
        if self.content.has_changes() {
            written.extend([(TIME.to_owned(), None), (DIFF.to_owned(), None)]);
        }
        let missing: Vec<&str> = written
            .iter()
            .map(|(name, _)| name.as_str())
            .filter(|name| table.column(name).is_none())
            .collect();
        if !missing.is_empty() {
            return self.refuse(format!("the table has no column {}", missing.join(", ")));
        }
        let extra: Vec<&str> = table
            .columns
            .iter()
            .filter(|column| column.not_null && !column.has_default && !column.is_generated)
            .map(|column| column.name.as_str())
            .filter(|name| written.iter().all(|(written, _)| written != name))
            .collect();
        if !extra.is_empty() {
            return self.refuse(format!(
                "the table has NOT NULL columns without a default, and nothing is written to them: {}",
                extra.join(", ")
            ));
        }
        let mut encodings = Vec::new();
        for (name, dtype) in written {
            encodings.push(self.check_column(&table, name, dtype)?);
        }
        self.check_key(&table)?;
        Ok(encodings)
    }

    fn check_column(
        &self,
        table: &PgTable,
        name: String,
        dtype: Option<&pathway_types::DType>,
    ) -> Result<(String, Encoding), PgError> {
        // All columns were found.
        let Some(column) = table.column(&name) else { return self.refuse(format!("no column {name}")) };
        if column.is_generated {
            return self.refuse(format!("column {name:?} of the table is computed from others (generated)"));
        }
        if column.is_counted {
            return self.refuse(format!(
                "column {name:?} of the table is GENERATED ALWAYS AS IDENTITY, which takes no values; BY DEFAULT \
                 does"
            ));
        }
        let dtype_shown = dtype.map_or("INT".to_owned(), ToString::to_string);
        if dtype.is_some_and(pathway_types::DType::admits_none) && column.not_null {
            return self.refuse(format!(
                "column {name:?} is {dtype_shown} and the table's is NOT NULL: None would have no place"
            ));
        }
        match encoding(dtype.unwrap_or(&pathway_types::DType::Int), &column.kind) {
            Some(encoding) => Ok((name, encoding)),
            None => self.refuse(format!(
                "column {name:?} has the type {} in the table, which does not take values of type {dtype_shown}",
                column.kind.shown
            )),
        }
    }

    /// Conflicts of rows are found by a constraint for just these columns.
    fn check_key(&self, table: &PgTable) -> Result<(), PgError> {
        let mut key: Vec<&str> = self.content.key().iter().map(|c| &*self.schema.fields[*c].name).collect();
        key.sort_unstable();
        let fits = |columns: &[String]| {
            let mut columns: Vec<&str> = columns.iter().map(String::as_str).collect();
            columns.sort_unstable();
            columns == key
        };
        if key.is_empty() || table.keys.iter().any(|found| fits(&found.columns)) {
            return Ok(());
        }
        self.refuse(format!(
            "the table has neither a primary key nor a unique constraint of just the columns {}, by which rows \
             are replaced and deleted",
            key.join(", ")
        ))
    }

    /// A failure before any row was written.
    pub(super) fn at_start(&self, error: PgError, place: &str) -> ConnectorError {
        match error {
            PgError::Lost(text) => ConnectorError::new(
                &*self.connector,
                pathway_io::FailureClass::Os,
                format!("cannot connect to PostgreSQL at {place}: {text}"),
            ),
            // Credentials and databases that the server does not know are failures to connect, too.
            PgError::Server(error) if error.code.starts_with("28") || error.code == "3D000" => {
                ConnectorError::new(
                    &*self.connector,
                    pathway_io::FailureClass::Os,
                    format!("PostgreSQL at {place} refuses the connection: {error}"),
                )
            }
            PgError::Server(error) => misfit(&self.connector, format!("cannot write to the table: {error}")),
            PgError::Other(error) => error,
        }
    }
}
