//! How changes come into a table: the statements, and what is copied with them.
//!
//! Changes are copied in binary form, straight into a table of changes. For a snapshot they are first
//! reduced to what is left of each key; then what is gone and what is there are copied into temporary
//! tables, and one statement each deletes and upserts.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use pathway_io::{ConnectorError, FailureClass};
use pathway_types::batch::hash_rows;
use pathway_types::{Batch, DType, Timestamp};
use postgres_protocol::escape::escape_identifier;

use super::client::{Client, PgError};
use super::encode::Encoding;
use super::target::{Content, Target};
use crate::formats::lanes::{Cells, Lane};

/// Bytes that are sent at once.
const PART: usize = 256 << 10;

/// The temporary tables of a connection: for rows that are there, and for keys that are gone.
const ROWS: &str = "pg_temp.pathway_rows";
const GONE: &str = "pg_temp.pathway_gone";

/// What a copy begins with: signature, flags, no extension.
const HEAD: [u8; 19] = *b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// What it ends with.
const TAIL: [u8; 2] = (-1i16).to_be_bytes();

/// Changes of one time.
pub(super) type Change = (Timestamp, Batch);

/// A row: its batch and place, and whether it is there.
pub(super) type Place = (u32, u32, bool);

/// The statements and encodings for a table.
pub(super) struct Plan {
    pub(super) connector: String,
    content: Content,
    dtypes: Vec<DType>,
    columns: Vec<(String, Encoding)>,
    /// What each connection has to do first.
    prepare: Option<String>,
    copy_rows: String,
    copy_gone: String,
    delete: String,
    /// What brings copied rows into the table; none if they are copied there.
    insert: Option<String>,
}

impl Plan {
    pub(super) fn new(target: &Target, columns: Vec<(String, Encoding)>) -> Self {
        let table = target.name.quoted();
        let quoted = |name: &String| escape_identifier(name);
        let names: Vec<String> = columns.iter().map(|(name, _)| quoted(name)).collect();
        let all = names.join(", ");
        // A column whose values the server converts is text on its way.
        let staged = |column: usize| match &columns[column].1 {
            Encoding::Cast(_) => format!("{0}::text AS {0}", names[column]),
            _ => names[column].clone(),
        };
        let taken = |column: usize| match &columns[column].1 {
            Encoding::Cast(kind) => format!("s.{}::{kind}", names[column]),
            _ => format!("s.{}", names[column]),
        };
        let list = |columns: &mut dyn Iterator<Item = String>| columns.collect::<Vec<_>>().join(", ");
        let temporary = |name: &str, what: String| {
            let name = name.trim_start_matches("pg_temp.");
            format!(
                "CREATE TEMPORARY TABLE {name} ON COMMIT DELETE ROWS AS SELECT {what} FROM {table} WITH NO DATA"
            )
        };
        let key = target.content.key();
        let has_casts = columns.iter().any(|(_, encoding)| matches!(encoding, Encoding::Cast(_)));
        let is_staged = !key.is_empty() || has_casts;
        let every = 0..columns.len();
        let mut prepare = is_staged
            .then(|| temporary(ROWS, list(&mut every.clone().map(staged))))
            .into_iter()
            .collect::<Vec<_>>();
        let mut delete = String::new();
        let mut insert = format!(
            "INSERT INTO {table} ({all}) SELECT {} FROM {ROWS} s",
            list(&mut every.clone().map(taken))
        );
        if !key.is_empty() {
            prepare.push(temporary(GONE, list(&mut key.iter().map(|column| staged(*column)))));
            let equal = key.iter().map(|column| format!("t.{} = {}", names[*column], taken(*column)));
            delete = format!(
                "DELETE FROM {table} t USING {GONE} s WHERE {}",
                equal.collect::<Vec<_>>().join(" AND ")
            );
            let others = every.filter(|column| !key.contains(column));
            let updates: Vec<String> = others.map(|c| format!("{0} = EXCLUDED.{0}", names[c])).collect();
            let keys = list(&mut key.iter().map(|column| names[*column].clone()));
            insert.push_str(&match updates.is_empty() {
                true => format!(" ON CONFLICT ({keys}) DO NOTHING"),
                false => format!(" ON CONFLICT ({keys}) DO UPDATE SET {}", updates.join(", ")),
            });
        }
        let copy =
            |table: &str, columns: &str| format!("COPY {table} ({columns}) FROM STDIN (FORMAT binary)");
        Plan {
            connector: target.connector.clone(),
            content: target.content.clone(),
            dtypes: target.schema.dtypes(),
            copy_rows: copy(if is_staged { ROWS } else { &table }, &all),
            copy_gone: copy(GONE, &list(&mut key.iter().map(|column| names[*column].clone()))),
            columns,
            prepare: (!prepare.is_empty()).then(|| prepare.join("; ")),
            delete,
            insert: is_staged.then_some(insert),
        }
    }

    /// Makes a connection ready for transactions.
    pub(super) fn prepare(&self, client: &mut Client) -> Result<(), PgError> {
        self.prepare.iter().try_for_each(|sql| client.query(sql).map(|_| ()))
    }
}

/// Keys that are hashes.
#[derive(Default)]
struct OfHash(u64);

impl Hasher for OfHash {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }
    fn write_u128(&mut self, value: u128) {
        self.0 = value as u64;
    }
    fn finish(&self) -> u64 {
        self.0
    }
}

impl Plan {
    /// What is to be written: for a table of changes all of them, for a snapshot the last of each key.
    pub(super) fn left(&self, changes: &[Change]) -> Vec<Place> {
        let every = |batch: u32, rows: usize| (0..rows as u32).map(move |row| (batch, row, true));
        let Content::Snapshot { key, diff, .. } = &self.content else {
            let batches = changes.iter().enumerate();
            return batches.flat_map(|(number, (_, batch))| every(number as u32, batch.len())).collect();
        };
        let rows = changes.iter().map(|(_, batch)| batch.len()).sum();
        let mut last: HashMap<u128, Place, BuildHasherDefault<OfHash>> =
            HashMap::with_capacity_and_hasher(rows, BuildHasherDefault::default());
        let (mut begin, mut twice) = (0, false);
        while begin < changes.len() {
            let time = changes[begin].0;
            let end = begin + changes[begin..].iter().take_while(|(other, _)| *other == time).count();
            let mut marked: Vec<(u128, Place)> = Vec::new();
            for (number, (_, batch)) in changes.iter().enumerate().take(end).skip(begin) {
                let columns: Vec<_> =
                    key.iter().map(|column| (&batch.columns[*column], &self.dtypes[*column])).collect();
                let keys = hash_rows(&columns, None, batch.len()).keys;
                let lane = diff.map(|column| Lane::new(&batch.columns[column], &self.dtypes[column]));
                let sign = |row: usize| match &lane {
                    Some(Lane { cells: Cells::Int(cells), .. }) => cells[row],
                    _ => 1,
                };
                marked.extend(keys.as_slice().iter().enumerate().map(|(row, key)| {
                    (*key, (number as u32, row as u32, batch.diffs.get(row) * sign(row) > 0))
                }));
            }
            // Of one time, what is there wins over what is gone, in whatever order they come.
            for (key, place) in marked.iter().filter(|(_, place)| !place.2) {
                last.insert(*key, *place);
            }
            for (key, place) in marked.iter().filter(|(_, place)| place.2) {
                let before = last.insert(*key, *place);
                twice |= before.is_some_and(|before| before.2 && (begin..end).contains(&(before.0 as usize)));
            }
            begin = end;
        }
        if twice {
            log::warn!(
                "{}: rows with equal primary keys are written at one time; one of them is left",
                self.connector
            );
        }
        let mut places: Vec<Place> = last.into_values().collect();
        places.sort_unstable_by_key(|(batch, row, there)| (*there, *batch, *row));
        places
    }

    /// Brings rows into the table, inside a transaction.
    pub(super) fn put(
        &self,
        client: &mut Client,
        changes: &[Change],
        places: &[Place],
    ) -> Result<(), PgError> {
        let gone = places.iter().take_while(|place| !place.2).count();
        let (gone, there) = places.split_at(gone);
        if !gone.is_empty() {
            let columns: Vec<usize> = self.content.key().to_vec();
            self.copy(client, &self.copy_gone, changes, gone, &columns, false)?;
            client.query(&self.delete)?;
        }
        if !there.is_empty() {
            let columns: Vec<usize> = (0..self.dtypes.len()).collect();
            self.copy(client, &self.copy_rows, changes, there, &columns, self.content.has_changes())?;
            if let Some(insert) = &self.insert {
                client.query(insert)?;
            }
        }
        Ok(())
    }

    /// Copies some columns of some rows.
    fn copy(
        &self,
        client: &mut Client,
        sql: &str,
        changes: &[Change],
        places: &[Place],
        columns: &[usize],
        with_changes: bool,
    ) -> Result<(), PgError> {
        client.copy_in(sql)?;
        let mut bytes = Vec::with_capacity(PART + 4096);
        bytes.extend_from_slice(&HEAD);
        let fields = (columns.len() + if with_changes { 2 } else { 0 }) as u16;
        let mut places = places;
        while let Some((number, ..)) = places.first() {
            let run = places.iter().take_while(|place| place.0 == *number).count();
            let (rows, rest) = places.split_at(run);
            places = rest;
            let (time, batch) = &changes[*number as usize];
            let lanes: Vec<(&Encoding, Lane<'_>)> = columns
                .iter()
                .map(|c| (&self.columns[*c].1, Lane::new(&batch.columns[*c], &self.dtypes[*c])))
                .collect();
            for (_, row, there) in rows {
                let row = *row as usize;
                bytes.extend_from_slice(&fields.to_be_bytes());
                for (place, (encoding, lane)) in lanes.iter().enumerate() {
                    encoding
                        .write(lane, row, &mut bytes)
                        .map_err(|why| self.unwritable(columns[place], batch, row, &why))?;
                }
                if with_changes {
                    let diff = if self.content == Content::Changes {
                        batch.diffs.get(row)
                    } else {
                        i64::from(*there)
                    };
                    self.write_change(*time, diff, &mut bytes)?;
                }
                if bytes.len() >= PART {
                    client.copy_data(&bytes)?;
                    bytes.clear();
                }
            }
        }
        bytes.extend_from_slice(&TAIL);
        client.copy_data(&bytes)?;
        client.copy_done()
    }

    fn write_change(&self, time: Timestamp, diff: i64, bytes: &mut Vec<u8>) -> Result<(), PgError> {
        let written = [time as i64, diff].into_iter().zip(&self.columns[self.dtypes.len()..]);
        for (value, (name, encoding)) in written {
            encoding.write_value(&pathway_types::Value::Int(value), bytes).map_err(|why| {
                let text = format!("column {name:?}: {why}");
                PgError::Other(ConnectorError::new(&*self.connector, FailureClass::Engine, text))
            })?;
        }
        Ok(())
    }

    fn unwritable(&self, column: usize, batch: &Batch, row: usize, why: &str) -> PgError {
        let text = format!(
            "column {:?} of row {} cannot be written: {why}",
            self.columns[column].0,
            batch.keys.get(row)
        );
        PgError::Other(ConnectorError::new(&*self.connector, FailureClass::Engine, text))
    }
}
