//! Where a stream of changes begins: what has to be there for it, slots, and what an earlier run has left.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};

use pathway_io::Position;
use pathway_types::Schema;
use postgres_protocol::escape::{escape_identifier, escape_literal};
use serde::{Deserialize, Serialize};

use super::catalog::{PgTable, TableName, misfit};
use super::client::{Client, PgError};
use super::wal::Lsn;

/// The name of the only part of a stream.
pub(super) const PART: &str = "changes";

/// How far a stream was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    /// The slot that keeps the changes since then.
    pub(super) slot: String,
    /// The place in the log; none before the rows of the table were read.
    pub(super) lsn: Option<u64>,
    /// The server, and the table there.
    pub(super) system: String,
    pub(super) table: u32,
}

impl Place {
    pub(super) fn to_position(&self) -> Position {
        // A struct of numbers and text has a JSON form.
        Position { value: serde_json::to_vec(self).unwrap_or_default(), objects: Vec::new() }
    }

    pub(super) fn of(position: &Position) -> Option<Place> {
        serde_json::from_slice(&position.value).ok()
    }
}

/// A name for a slot that nobody else has.
pub(super) fn slot_name(label: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    let label: String = label.chars().map(letter).take(36).collect();
    // The seed of hash maps is the randomness of the standard library.
    let number = RandomState::new().build_hasher().finish();
    format!("pathway_{label}_{number:016x}")
}

fn refuse<T>(connector: &str, text: impl Into<String>) -> Result<T, PgError> {
    Err(PgError::Other(misfit(connector, text)))
}

/// What has to be there for a stream. Gives the condition that rows have to meet, if the publication has one.
pub(super) fn check(
    client: &mut Client,
    connector: &str,
    name: &TableName,
    table: &PgTable,
    schema: &Schema,
    publication: &str,
    is_append_only: bool,
) -> Result<Option<String>, PgError> {
    let level = client.value("SHOW wal_level")?.unwrap_or_default();
    if level != "logical" {
        return refuse(
            connector,
            format!(
                "the server's wal_level is {level}; changes can be followed with wal_level=logical (set it in \
                 postgresql.conf and restart the server)"
            ),
        );
    }
    for field in &schema.fields {
        let generated = table.column(&field.name).is_some_and(|column| column.is_generated);
        if generated && client.version < 180_000 {
            let text = format!(
                "column {:?} is computed by the server, which does not tell about its changes",
                field.name
            );
            return refuse(connector, text);
        }
    }
    let filter = check_publication(client, connector, name, schema, publication, is_append_only)?;
    if !is_append_only {
        check_keys(connector, table, schema)?;
    }
    Ok(filter)
}

/// A publication of everything that is done to the table: one that is there, or a new one.
pub(super) fn own_publication(client: &mut Client, name: &TableName) -> Result<String, PgError> {
    let truncates = if client.version >= 110_000 { " AND pubtruncate" } else { "" };
    let unfiltered = if client.version >= 150_000 { " AND t.rowfilter IS NULL" } else { "" };
    let found = client.value(&format!(
        "SELECT p.pubname FROM pg_catalog.pg_publication p JOIN pg_catalog.pg_publication_tables t USING (pubname) \
         WHERE t.schemaname = {} AND t.tablename = {} AND pubinsert AND pubupdate AND pubdelete{truncates}{unfiltered} \
         ORDER BY 1 LIMIT 1",
        escape_literal(&name.schema),
        escape_literal(&name.table),
    ))?;
    if let Some(found) = found {
        return Ok(found);
    }
    let publication = format!("pathway_{}", name.table);
    // Of a partitioned table the partitions are followed as what they are together.
    let whole = if client.version >= 130_000 { " WITH (publish_via_partition_root = true)" } else { "" };
    let (quoted, table) = (escape_identifier(&publication), name.quoted());
    client.query(&format!("CREATE PUBLICATION {quoted} FOR TABLE {table}{whole}"))?;
    log::info!("{name}: publication {publication:?} is made, as none has the table");
    Ok(publication)
}

fn check_publication(
    client: &mut Client,
    connector: &str,
    name: &TableName,
    schema: &Schema,
    publication: &str,
    is_append_only: bool,
) -> Result<Option<String>, PgError> {
    let literal = escape_literal(publication);
    let truncates = if client.version >= 110_000 { "pubtruncate" } else { "true" };
    let found = client.query(&format!(
        "SELECT pubinsert, pubupdate, pubdelete, {truncates} FROM pg_catalog.pg_publication WHERE pubname = {literal}"
    ))?;
    let Some(kinds) = found.into_iter().next() else {
        return refuse(
            connector,
            format!(
                "there is no publication {publication:?}; CREATE PUBLICATION … FOR TABLE {} makes it",
                name.quoted()
            ),
        );
    };
    let details = if client.version >= 150_000 {
        "pg_catalog.array_to_json(attnames), rowfilter"
    } else {
        "NULL, NULL"
    };
    let found = client.query(&format!(
        "SELECT {details} FROM pg_catalog.pg_publication_tables WHERE pubname = {literal} AND schemaname = {} \
         AND tablename = {}",
        escape_literal(&name.schema),
        escape_literal(&name.table),
    ))?;
    let Some(mut row) = found.into_iter().next() else {
        return refuse(
            connector,
            format!(
                "publication {publication:?} does not have the table: ALTER PUBLICATION … ADD TABLE {} adds it; for \
                 a partitioned table it needs publish_via_partition_root = true",
                name.quoted()
            ),
        );
    };
    let filter = row.pop().flatten();
    let names: Option<Vec<String>> = row.pop().flatten().and_then(|text| serde_json::from_str(&text).ok());
    if let Some(names) = names {
        let left_out = schema.names().find(|column| names.iter().all(|name| name != column));
        if let Some(column) = left_out {
            return refuse(connector, format!("publication {publication:?} leaves out column {column:?}"));
        }
    }
    let kinds = kinds.iter().map(|cell| cell.as_deref() == Some("t"));
    let names = ["insertions", "updates", "deletions", "truncations"];
    let missing: Vec<&str> = kinds.zip(names).filter(|(there, _)| !there).map(|(_, name)| name).collect();
    let matters = |name: &&str| !is_append_only || *name == "insertions";
    let missing: Vec<&str> = missing.into_iter().filter(matters).collect();
    if !missing.is_empty() {
        log::warn!(
            "{connector}: publication {publication:?} has no {}: they are not seen",
            missing.join(", ")
        );
    }
    Ok(filter)
}

/// Changes have to tell which rows of ours they are about.
fn check_keys(connector: &str, table: &PgTable, schema: &Schema) -> Result<(), PgError> {
    let key: Vec<&str> =
        schema.primary_key().into_iter().map(|column| &*schema.fields[column].name).collect();
    let Some(identity) = table.identity_columns() else {
        return refuse(
            connector,
            "the table has neither a primary key nor another REPLICA IDENTITY, so that changes do not tell which rows \
             they are about; give it one, or read it with is_append_only=True",
        );
    };
    if let Some(unknown) = key.iter().find(|name| identity.iter().all(|column| column != *name)) {
        return refuse(
            connector,
            format!(
                "primary key column {unknown:?} of the schema is not among the columns by which the table's changes \
                 tell rows apart ({}); see REPLICA IDENTITY",
                identity.join(", ")
            ),
        );
    }
    let has = |columns: &[String]| columns.iter().all(|column| key.contains(&column.as_str()));
    let nullable = |column: &String| table.column(column).is_none_or(|column| !column.not_null);
    let unique = |columns: &[String]| has(columns) && !columns.iter().any(nullable);
    if !table.keys.iter().any(|found| unique(&found.columns)) {
        return refuse(
            connector,
            format!(
                "the primary key of the schema ({}) does not tell all rows of the table apart: it has to have all \
                 columns of a primary key of the table ({})",
                key.join(", "),
                identity.join(", ")
            ),
        );
    }
    Ok(())
}

/// The server, whatever its address is.
pub(super) fn system(wal: &mut Client) -> Result<String, PgError> {
    Ok(wal.value("IDENTIFY_SYSTEM")?.unwrap_or_default())
}

/// A slot, and the table as it was when the slot was made.
pub(super) struct Made {
    pub(super) lsn: Lsn,
    pub(super) snapshot: String,
}

/// Makes a slot that keeps all changes from now on.
pub(super) fn make_slot(wal: &mut Client, name: &str, temporary: bool) -> Result<Made, PgError> {
    let temporary = if temporary { " TEMPORARY" } else { "" };
    let name = escape_identifier(name);
    let sql = format!("CREATE_REPLICATION_SLOT {name}{temporary} LOGICAL pgoutput EXPORT_SNAPSHOT");
    let row = wal.query(&sql)?.into_iter().next().unwrap_or_default();
    let text = |place: usize| row.get(place).cloned().flatten().unwrap_or_default();
    let lsn = text(1)
        .parse()
        .map_err(|()| PgError::Lost("the server does not tell where a slot begins".to_owned()))?;
    Ok(Made { lsn, snapshot: text(2) })
}

/// Removes a slot that no run has read from.
pub(super) fn drop_slot(client: &mut Client, name: &str) -> Result<(), PgError> {
    let literal = escape_literal(name);
    client.query(&format!(
        "SELECT pg_catalog.pg_drop_replication_slot(slot_name) FROM pg_catalog.pg_replication_slots \
         WHERE slot_name = {literal}"
    ))?;
    Ok(())
}

/// Checks that a slot still keeps everything since a place.
pub(super) fn check_slot(
    client: &mut Client,
    connector: &str,
    place: &Place,
    lsn: Lsn,
) -> Result<(), PgError> {
    const WAY_OUT: &str = "remove the stored state to read the table anew";
    let slot = &place.slot;
    let status = if client.version >= 130_000 { "wal_status" } else { "NULL" };
    let found = client.query(&format!(
        "SELECT {status}, confirmed_flush_lsn FROM pg_catalog.pg_replication_slots WHERE slot_name = {}",
        escape_literal(slot)
    ))?;
    let Some(row) = found.into_iter().next() else {
        return refuse(
            connector,
            format!(
                "the replication slot {slot} of earlier runs is gone, and with it the changes since {lsn}; {WAY_OUT}"
            ),
        );
    };
    let text = |place: usize| row.get(place).and_then(|cell| cell.as_deref());
    if text(0) == Some("lost") {
        return refuse(
            connector,
            format!(
                "the server has removed changes that the replication slot {slot} should have kept (see \
                 max_slot_wal_keep_size); drop it with SELECT pg_drop_replication_slot('{slot}') and {WAY_OUT}"
            ),
        );
    }
    let confirmed: Option<Lsn> = text(1).and_then(|text| text.parse().ok());
    match confirmed {
        Some(confirmed) if confirmed > lsn => refuse(
            connector,
            format!(
                "somebody else has read from the replication slot {slot}: it is at {confirmed}, and the last checkpoint \
                 at {lsn}; {WAY_OUT}"
            ),
        ),
        _ => Ok(()),
    }
}
