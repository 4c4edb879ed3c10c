//! What a server says about a table.

use pathway_io::{ConnectorError, FailureClass};
use postgres_protocol::escape::{escape_identifier, escape_literal};

use super::client::{Client, PgError};

/// The name of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TableName {
    pub(super) schema: String,
    pub(super) table: String,
}

impl TableName {
    /// As it stands in statements.
    pub(super) fn quoted(&self) -> String {
        format!("{}.{}", escape_identifier(&self.schema), escape_identifier(&self.table))
    }

    /// Whether there is such a table, or whatever else has its name.
    pub(super) fn is_there(&self, client: &mut Client) -> Result<bool, PgError> {
        let name = escape_literal(&self.quoted());
        Ok(client.value(&format!("SELECT pg_catalog.to_regclass({name})"))?.is_some())
    }
}

impl std::fmt::Display for TableName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.schema, self.table)
    }
}

/// The type of a column, without the domains around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PgType {
    /// As the server shows it: `character varying(3)`.
    pub(super) shown: String,
    /// The name in the catalog: `varchar`, `_int8`.
    pub(super) name: String,
    /// The oid and the name of the elements of an array.
    pub(super) element: Option<(u32, String)>,
    pub(super) is_enum: bool,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PgColumn {
    pub(super) name: String,
    pub(super) kind: PgType,
    pub(super) not_null: bool,
    pub(super) has_default: bool,
    /// Its value is computed from others.
    pub(super) is_generated: bool,
    /// Its value is counted by the server, and no other one is taken.
    pub(super) is_counted: bool,
}

/// What a server says about a table.
#[derive(Clone, Debug)]
pub(super) struct PgTable {
    pub(super) oid: u32,
    /// `r` table, `p` partitioned, `v` view, `m` materialised view, `f` foreign table …
    pub(super) kind: char,
    /// `d` primary key, `n` nothing, `f` all columns, `i` an index.
    pub(super) identity: char,
    pub(super) columns: Vec<PgColumn>,
    pub(super) keys: Vec<PgKey>,
}

/// Columns whose values are together unique.
#[derive(Clone, Debug)]
pub(super) struct PgKey {
    pub(super) is_primary: bool,
    /// It tells which row was changed.
    pub(super) is_identity: bool,
    pub(super) columns: Vec<String>,
}

impl PgTable {
    /// What the server says about the table, if there is one.
    pub(super) fn find(client: &mut Client, name: &TableName) -> Result<Option<PgTable>, PgError> {
        let found = client.query(&format!(
            "SELECT c.oid, c.relkind, c.relreplident FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n \
             ON n.oid = c.relnamespace WHERE n.nspname = {} AND c.relname = {}",
            escape_literal(&name.schema),
            escape_literal(&name.table),
        ))?;
        let Some(row) = found.into_iter().next() else { return Ok(None) };
        let text = |place: usize| row.get(place).and_then(|cell| cell.as_deref()).unwrap_or_default();
        let letter = |place: usize| text(place).chars().next().unwrap_or(' ');
        let oid: u32 = text(0).parse().unwrap_or_default();
        let (columns, keys) = (columns(client, oid)?, keys(client, oid)?);
        Ok(Some(PgTable { oid, kind: letter(1), identity: letter(2), columns, keys }))
    }

    pub(super) fn column(&self, name: &str) -> Option<&PgColumn> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The columns that changes of a row tell it by.
    pub(super) fn identity_columns(&self) -> Option<Vec<String>> {
        let key =
            |is: fn(&PgKey) -> bool| self.keys.iter().find(|key| is(key)).map(|key| key.columns.clone());
        match self.identity {
            'd' => key(|key| key.is_primary),
            'i' => key(|key| key.is_identity),
            'f' => Some(self.columns.iter().map(|column| column.name.clone()).collect()),
            _ => None,
        }
    }
}

fn columns(client: &mut Client, table: u32) -> Result<Vec<PgColumn>, PgError> {
    let generated = if client.version >= 120_000 { "a.attgenerated <> ''" } else { "false" };
    let counted = if client.version >= 100_000 { "a.attidentity" } else { "''" };
    // A domain over a domain is looked through, too.
    let rows = client.query(&format!(
        "WITH RECURSIVE base AS (SELECT a.attnum, a.atttypid AS oid FROM pg_catalog.pg_attribute a \
         WHERE a.attrelid = {table} UNION ALL SELECT b.attnum, t.typbasetype FROM base b \
         JOIN pg_catalog.pg_type t ON t.oid = b.oid WHERE t.typtype = 'd') \
         SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), t.typname, \
         CASE WHEN t.typcategory = 'A' AND t.typelem <> 0 THEN e.oid END, e.typname, t.typtype = 'e', \
         a.attnotnull OR d.typnotnull, a.atthasdef OR {counted} <> '', {generated}, {counted} = 'a' \
         FROM pg_catalog.pg_attribute a JOIN base b USING (attnum) JOIN pg_catalog.pg_type t ON t.oid = b.oid \
         JOIN pg_catalog.pg_type d ON d.oid = a.atttypid LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem \
         WHERE a.attrelid = {table} AND a.attnum > 0 AND NOT a.attisdropped AND t.typtype <> 'd' \
         ORDER BY a.attnum"
    ))?;
    let column = |row: Vec<Option<String>>| {
        let mut cells = row.into_iter();
        let mut next = || cells.next().flatten();
        let name = next().unwrap_or_default();
        let (shown, catalog) = (next().unwrap_or_default(), next().unwrap_or_default());
        let element = (next().and_then(|oid| oid.parse().ok()), next());
        let mut flag = || next().as_deref() == Some("t");
        let is_enum = flag();
        PgColumn {
            name,
            kind: PgType {
                shown,
                name: catalog,
                element: match element {
                    (Some(oid), Some(name)) => Some((oid, name)),
                    _ => None,
                },
                is_enum,
            },
            not_null: flag(),
            has_default: flag(),
            is_generated: flag(),
            is_counted: flag(),
        }
    };
    Ok(rows.into_iter().map(column).collect())
}

fn keys(client: &mut Client, table: u32) -> Result<Vec<PgKey>, PgError> {
    let rows = client.query(&format!(
        "SELECT i.indisprimary, i.indisreplident, pg_catalog.json_agg(a.attname ORDER BY k.place) \
         FROM pg_catalog.pg_index i CROSS JOIN LATERAL pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY AS k(number, place) \
         JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number \
         WHERE i.indrelid = {table} AND i.indisunique AND i.indisvalid AND i.indimmediate \
         AND i.indpred IS NULL AND i.indexprs IS NULL AND k.place <= i.indnkeyatts \
         GROUP BY i.indexrelid, i.indisprimary, i.indisreplident ORDER BY i.indisprimary DESC, i.indexrelid"
    ))?;
    let key = |row: Vec<Option<String>>| {
        let mut cells = row.into_iter().map(Option::unwrap_or_default);
        let mut next = || cells.next().unwrap_or_default();
        let (is_primary, is_identity) = (next() == "t", next() == "t");
        PgKey { is_primary, is_identity, columns: serde_json::from_str(&next()).unwrap_or_default() }
    };
    Ok(rows.into_iter().map(key).collect())
}

/// Settings and table do not fit together.
pub(super) fn misfit(connector: &str, message: impl Into<String>) -> ConnectorError {
    ConnectorError::new(connector, FailureClass::Value, message)
}
