//! Follows the changes of a table: its rows first, then what is done to them, transaction by transaction.
//!
//! A slot keeps the changes from the moment on of which the rows are. Without persistence it lives as long as
//! the connection; if that is lost, the rows are read again, and what has become of them meanwhile is seen.
//! With persistence the slot stays: its name is in the first position, before it is made, so that a run that
//! is killed leaves no slot behind that nobody knows. The server is told to forget what a checkpoint holds.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pathway_io::{ConnectorError, FailureClass, Reader, SourceOutput};
use postgres_protocol::escape::{escape_identifier, escape_literal};

use super::catalog::TableName;
use super::changes::{Change, Changes, Mapping};
use super::client::{Client, PgError};
use super::scan::{cleared, copy_statement, scan};
use super::settings::PostgresSettings;
use super::source::{Break, End};
use super::start::{PART, Place, check_slot, drop_slot, make_slot, slot_name, system};
use super::wal::{Garbled, Lsn, Message, Relation, Sent, Tuple, status};
use crate::formats::{Layout, Origin};

/// Changes are handed over when there are so many of them, or so many bytes, or no more at the moment.
const MOST_CHANGES: usize = 16 << 10;
const MOST_BYTES: usize = 2 << 20;
/// How long to wait for a message before looking whether the run has ended.
const PAUSE: Duration = Duration::from_millis(50);
/// How often the server is told how far we are.
const BETWEEN_STATUS: Duration = Duration::from_secs(1);
/// How often the place is noted while no changes come.
const BETWEEN_NOTES: Duration = Duration::from_secs(10);
/// How long a slot may be held by a connection that is gone.
const HELD: Duration = Duration::from_secs(60);
/// How often the rows of a table are begun to be read.
const ATTEMPTS: u32 = 5;
/// How long to wait at the end for the last changes to be done with.
const LEAVE: Duration = Duration::from_secs(1);

/// What is followed.
#[derive(Debug)]
pub(super) struct Followed {
    pub(super) connector: String,
    pub(super) settings: PostgresSettings,
    pub(super) name: TableName,
    /// The number of the table in the database.
    pub(super) table: u32,
    pub(super) layout: Arc<Layout>,
    /// For rows without a primary key, and for positions.
    pub(super) identity: String,
    pub(super) origin: Origin,
    pub(super) publication: String,
    pub(super) is_append_only: bool,
    /// The condition that rows of the publication meet.
    pub(super) filter: Option<String>,
    /// What the source is called, for the name of its slot.
    pub(super) label: String,
}

/// Follows a table.
pub(super) struct Follower {
    of: Arc<Followed>,
    /// Where an earlier run was; none in a run that nobody goes on with.
    kept: Option<Kept>,
    wal: Client,
    system: String,
    slot: String,
    mapping: Option<Arc<Mapping>>,
    changes: Changes,
    /// The transaction that is being read: where it was committed, how many of its changes came, and how many of
    /// these have been handed over.
    open: Option<Open>,
    /// A transaction of which a part was handed over before the connection was lost.
    torn: Option<(Lsn, usize)>,
    /// Everything before this place was handed over.
    place: Lsn,
    /// Behind the last transaction that came.
    complete: Lsn,
    received: Lsn,
    done: Lsn,
    told: Instant,
    noted: Instant,
    in_unit: bool,
}

/// What earlier runs have left.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) place: Option<Place>,
}

struct Open {
    committed: Lsn,
    origin: Origin,
    came: usize,
    handed_over: usize,
}

impl From<Garbled> for Break {
    fn from(_: Garbled) -> Self {
        Break::Lost(PgError::Lost("the server sends changes that cannot be understood".to_owned()))
    }
}

impl Follower {
    /// Connects, and checks what earlier runs have left.
    pub(super) fn new(of: Arc<Followed>, kept: Option<Kept>, client: &mut Client) -> Result<Self, PgError> {
        let mut wal = Client::connect(&of.settings, true)?;
        let system = system(&mut wal)?;
        let place = kept.as_ref().and_then(|kept| kept.place.as_ref());
        if let Some(place) = place {
            if place.system != system || place.table != of.table {
                return Err(PgError::Other(ConnectorError::new(
                    &*of.connector,
                    FailureClass::Value,
                    "the table is not the one that earlier runs have read: it was made anew, or is on another server; \
                     remove the stored state to read it",
                )));
            }
            if let Some(lsn) = place.lsn {
                check_slot(client, &of.connector, place, Lsn(lsn))?;
            }
        }
        let slot = place.map_or_else(|| slot_name(&of.label), |place| place.slot.clone());
        let now = Instant::now();
        Ok(Follower {
            of,
            kept,
            wal,
            system,
            slot,
            mapping: None,
            changes: Changes::default(),
            open: None,
            torn: None,
            place: Lsn(0),
            complete: Lsn(0),
            received: Lsn(0),
            done: Lsn(0),
            told: now,
            noted: now,
            in_unit: false,
        })
    }

    fn fails(&self, error: PgError) -> End {
        End::Failed(error.into_failure(&self.of.connector, "cannot follow the table"))
    }

    fn fail<T>(&self, text: impl Into<String>) -> Result<T, End> {
        Err(End::Failed(ConnectorError::new(&*self.of.connector, FailureClass::Value, text)))
    }

    fn begin_unit(&mut self, output: &mut dyn SourceOutput) -> Result<(), End> {
        if !self.in_unit {
            output.begin_atomic()?;
            self.in_unit = true;
        }
        Ok(())
    }

    /// Ends a unit: everything before `lsn` has been handed over.
    fn end_unit(&mut self, lsn: Lsn, output: &mut dyn SourceOutput) -> Result<(), End> {
        (self.place, self.complete) = (lsn, lsn);
        self.note(Some(lsn), output)?;
        if self.in_unit {
            self.in_unit = false;
            output.end_atomic()?;
        }
        Ok(())
    }

    fn note(&mut self, lsn: Option<Lsn>, output: &mut dyn SourceOutput) -> Result<(), End> {
        let (slot, system) = (self.slot.clone(), self.system.clone());
        let place = Place { slot, lsn: lsn.map(|lsn| lsn.0), system, table: self.of.table };
        output.position(PART, Some(place.to_position()))?;
        self.noted = Instant::now();
        Ok(())
    }

    // --- the rows of the table --------------------------------------------------------------------------

    /// Hands over the rows as they are now, in the place of rows that were there before. Begins again if the connection
    /// is lost meanwhile.
    fn rows_first(&mut self, mut replace: bool, output: &mut dyn SourceOutput) -> Result<(), End> {
        let mut attempts = 1;
        loop {
            let error = match self.read_rows(replace, output) {
                Ok(()) => return Ok(()),
                Err(Break::End(end)) => return Err(end),
                Err(Break::Lost(error)) if !error.is_passing() || attempts == ATTEMPTS => {
                    return Err(self.fails(error));
                }
                Err(Break::Lost(error)) => error,
            };
            if self.of.is_append_only {
                return self.fail(format!(
                    "the connection is lost ({error}) before all rows of the table were read, and rows that are only added \
                     cannot be taken back to begin again: start the run again"
                ));
            }
            attempts += 1;
            replace = true;
            self.connect_again(&error, output)?;
            match self.kept {
                Some(_) => self.drop_slot(output)?,
                None => self.slot = slot_name(&self.of.label),
            }
        }
    }

    /// Makes a slot and hands over the rows as they were then.
    fn read_rows(&mut self, replace: bool, output: &mut dyn SourceOutput) -> Result<(), Break> {
        let of = self.of.clone();
        let made = make_slot(&mut self.wal, &self.slot, self.kept.is_none())?;
        let mut client = Client::connect(&of.settings, false)?;
        client.query(&format!(
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT {}",
            escape_literal(&made.snapshot)
        ))?;
        self.begin_unit(output)?;
        if replace {
            output.rows(cleared(&of.layout))?;
        }
        let statement = copy_statement(&of.name, &of.layout, of.filter.as_deref());
        scan(&mut client, &statement, &of.layout, &of.origin, output)?;
        self.end_unit(made.lsn, output)?;
        self.done = made.lsn;
        Ok(())
    }

    /// Removes the slot, which nothing was read from.
    fn drop_slot(&mut self, output: &mut dyn SourceOutput) -> Result<(), End> {
        let begin = Instant::now();
        loop {
            let client = Client::connect(&self.of.settings, false);
            match client.and_then(|mut client| drop_slot(&mut client, &self.slot)) {
                Err(error) if error.code() == "55006" && begin.elapsed() < HELD => output.wait(PAUSE)?,
                result => return result.map_err(|error| self.fails(error)),
            }
        }
    }

    /// A new connection in place of one that is lost.
    fn connect_again(&mut self, error: &PgError, output: &mut dyn SourceOutput) -> Result<(), End> {
        let name = &self.of.connector;
        log::warn!("{name}: {error}; connecting again");
        let wait = |pause| output.wait(pause).is_ok();
        let client = Client::reconnect(&self.of.settings, true, name, wait);
        self.wal = client.map_err(|error| self.fails(error))?.ok_or(End::Stopped)?;
        Ok(())
    }

    /// Makes the name of the slot known to later runs before there is such a slot.
    fn announce(&mut self, output: &mut dyn SourceOutput) -> Result<(), End> {
        let earlier = self.kept.as_ref().and_then(|kept| kept.place.as_ref()).is_some();
        if earlier {
            // An earlier run has not come to read anything from it.
            self.drop_slot(output)?;
        }
        // So that what is done with is told from here on.
        output.settled();
        self.note(None, output)?;
        output.commit()?;
        while output.settled().is_empty() {
            output.wait(Duration::from_millis(5))?;
        }
        Ok(())
    }

    // --- changes ----------------------------------------------------------------------------------------

    /// Follows the log until something breaks.
    fn follow(&mut self, output: &mut dyn SourceOutput) -> Result<(), Break> {
        self.begin_stream(output)?;
        loop {
            match self.wal.replicated()? {
                Some(bytes) => match Sent::read(&bytes)? {
                    Sent::Data(lsn, bytes) => {
                        self.received = self.received.max(lsn);
                        self.take(lsn, Message::read(&bytes)?, output)?;
                    }
                    Sent::KeepAlive(lsn, asks) => {
                        self.received = self.received.max(lsn);
                        self.rest(output)?;
                        if asks {
                            self.tell(output)?;
                        }
                    }
                },
                None => self.rest(output)?,
            }
            if self.told.elapsed() > BETWEEN_STATUS {
                self.tell(output)?;
            }
        }
    }

    /// Starts to read from the slot, which may still be held by a connection that is gone.
    fn begin_stream(&mut self, output: &mut dyn SourceOutput) -> Result<(), Break> {
        let publication = escape_literal(&escape_identifier(&self.of.publication));
        let sql = format!(
            "START_REPLICATION SLOT {} LOGICAL {} (proto_version '1', publication_names {publication})",
            escape_identifier(&self.slot),
            self.place
        );
        // We may be held up for longer than the server waits for an answer; a connection that is gone is
        // noticed by the system.
        self.wal
            .query("SET wal_sender_timeout TO 0")
            .map_or_else(|error| if error.is_passing() { Err(error) } else { Ok(()) }, |_| Ok(()))?;
        let begin = Instant::now();
        loop {
            match self.wal.copy_both(&sql, PAUSE) {
                Err(error) if error.code() == "55006" && begin.elapsed() < HELD => {
                    output.wait(PAUSE)?;
                }
                Err(error) if error.is_passing() => return Err(Break::Lost(error)),
                Err(error) => return Err(Break::End(self.fails(error))),
                Ok(()) => break,
            }
        }
        (self.received, self.complete, self.told) = (self.place, self.place, Instant::now());
        self.mapping = None;
        self.changes = Changes::default();
        Ok(())
    }

    fn take(&mut self, lsn: Lsn, message: Message, output: &mut dyn SourceOutput) -> Result<(), Break> {
        match message {
            Message::Begin(committed) => {
                let identity = format!("{}\0{committed}", self.of.identity);
                let origin = Origin::new("", identity.as_bytes(), "");
                self.open = Some(Open { committed, origin, came: 0, handed_over: 0 });
            }
            Message::Commit(end) => self.commit(end, output)?,
            Message::Relation(relation) => self.map(&relation)?,
            Message::Insert(table, new) => {
                if let Some((mapping, number)) = self.expect(table)? {
                    let change = match (self.of.layout.primary_key().is_empty(), &self.open) {
                        (true, Some(open)) => Change::Set(new, open.origin.key(number as u64)),
                        _ => Change::Replace(None, new),
                    };
                    self.push(lsn, &mapping, change, output)?;
                }
            }
            Message::Update(table, old, new) => {
                if let Some((mapping, _)) = self.expect(table)? {
                    self.refuse_unless_added("updated")?;
                    self.check_cells(&mapping, old.as_ref(), &new)?;
                    self.push(lsn, &mapping, Change::Replace(old, new), output)?;
                }
            }
            Message::Delete(table, old) => {
                if let Some((mapping, _)) = self.expect(table)? {
                    self.refuse_unless_added("deleted")?;
                    self.push(lsn, &mapping, Change::Remove(old), output)?;
                }
            }
            Message::Truncate(tables) => {
                if tables.contains(&self.of.table) && self.is_new() {
                    self.refuse_unless_added("truncated")?;
                    self.hand_over(output)?;
                    self.begin_unit(output)?;
                    output.rows(cleared(&self.of.layout))?;
                    if let Some(open) = &mut self.open {
                        open.handed_over = open.came;
                    }
                }
            }
            Message::Other => {}
        }
        Ok(())
    }

    /// Counts a change of the open transaction; false for one that was handed over before the connection was lost.
    fn is_new(&mut self) -> bool {
        let Some(open) = &mut self.open else { return true };
        open.came += 1;
        match self.torn {
            Some((committed, handed_over)) if committed == open.committed && open.came <= handed_over => {
                open.handed_over = open.came;
                false
            }
            _ => true,
        }
    }

    /// The mapping for a change of the table that is followed, and its number in the transaction.
    fn expect(&mut self, table: u32) -> Result<Option<(Arc<Mapping>, usize)>, Break> {
        if table != self.of.table || !self.is_new() {
            return Ok(None);
        }
        let Some(mapping) = self.mapping.clone() else { return Err(Garbled.into()) };
        Ok(Some((mapping, self.open.as_ref().map_or(0, |open| open.came))))
    }

    fn refuse_unless_added(&self, what: &str) -> Result<(), End> {
        if !self.of.is_append_only {
            return Ok(());
        }
        self.fail(format!(
            "is_append_only=True, and rows of the table were {what}; read it without is_append_only"
        ))
    }

    /// A row that has another key than before takes along all its cells.
    fn check_cells(&self, mapping: &Mapping, old: Option<&Tuple>, new: &Tuple) -> Result<(), End> {
        match old {
            Some(old) if mapping.loses_cells(&self.of.layout, old, new) => self.fail(
                "the primary key of a row was changed, and the server does not send its long values again; \
                 ALTER TABLE … REPLICA IDENTITY FULL makes it do so",
            ),
            _ => Ok(()),
        }
    }

    /// The table looks like this from here on.
    fn map(&mut self, relation: &Relation) -> Result<(), End> {
        let of = &self.of;
        if relation.oid != of.table {
            if relation.schema == of.name.schema && relation.table == of.name.table {
                return self.fail(
                    "the table was made anew while it was followed; remove the stored state, if there is one, and \
                     start again",
                );
            }
            return Ok(());
        }
        let mapping = match Mapping::new(&of.layout, relation) {
            Ok(mapping) => Arc::new(mapping),
            Err(column) => {
                return self.fail(format!(
                    "the table has no column {column:?} any longer; the schema has to follow the table"
                ));
            }
        };
        let fields = of.layout.fields();
        let tells =
            |key: &usize| relation.columns.iter().any(|(name, is)| *is && **name == *fields[*key].name);
        if !of.is_append_only && relation.identity != b'f' && !of.layout.primary_key().iter().all(tells) {
            return self
                .fail("the table's REPLICA IDENTITY has changed and does not tell rows apart any longer");
        }
        self.mapping = Some(mapping);
        Ok(())
    }

    fn push(
        &mut self,
        lsn: Lsn,
        mapping: &Arc<Mapping>,
        change: Change,
        output: &mut dyn SourceOutput,
    ) -> Result<(), End> {
        self.changes.push(lsn, mapping, change);
        if self.changes.len() >= MOST_CHANGES || self.changes.bytes() >= MOST_BYTES {
            self.hand_over(output)?;
        }
        Ok(())
    }

    /// Hands over the changes that wait.
    fn hand_over(&mut self, output: &mut dyn SourceOutput) -> Result<(), End> {
        if self.changes.is_empty() {
            return Ok(());
        }
        self.begin_unit(output)?;
        let changes = std::mem::take(&mut self.changes);
        output.parse(changes.job(&self.of.layout, &self.of.origin))?;
        // Whole transactions among them need not come again, should the connection be lost.
        self.place = self.complete;
        if let Some(open) = &mut self.open {
            open.handed_over = open.came;
        }
        Ok(())
    }

    /// A transaction is complete. If more is there already, it waits for that.
    fn commit(&mut self, end: Lsn, output: &mut dyn SourceOutput) -> Result<(), End> {
        self.open = None;
        self.torn = None;
        self.complete = end;
        self.received = self.received.max(end);
        if self.in_unit || !self.wal.has_more() { self.deliver(output) } else { Ok(()) }
    }

    /// Hands over whole transactions.
    fn deliver(&mut self, output: &mut dyn SourceOutput) -> Result<(), End> {
        self.hand_over(output)?;
        if self.in_unit { self.end_unit(self.complete, output) } else { Ok(()) }
    }

    /// Nothing comes at the moment.
    fn rest(&mut self, output: &mut dyn SourceOutput) -> Result<(), End> {
        if output.is_stopped() {
            return Err(End::Stopped);
        }
        if self.open.is_some() {
            return Ok(());
        }
        self.deliver(output)?;
        // The log goes on with what is not ours.
        if self.received > self.place && self.noted.elapsed() > BETWEEN_NOTES {
            (self.place, self.complete) = (self.received, self.received);
            self.note(Some(self.received), output)?;
            output.commit()?;
        }
        Ok(())
    }

    /// Tells the server what it need not keep any longer.
    fn tell(&mut self, output: &mut dyn SourceOutput) -> Result<(), Break> {
        self.settle(output);
        let bytes = status(self.received, self.done, false);
        self.wal.copy_data(&bytes)?;
        self.told = Instant::now();
        Ok(())
    }

    fn settle(&mut self, output: &mut dyn SourceOutput) {
        let settled = output.settled();
        let place = settled.iter().rev().find_map(|(_, position)| Place::of(position));
        if let Some(lsn) = place.and_then(|place| place.lsn) {
            self.done = self.done.max(Lsn(lsn));
        }
    }

    /// Waits a moment for the last changes to be done with, and tells the server.
    fn take_leave(&mut self, output: &mut dyn SourceOutput) {
        let begin = Instant::now();
        while self.done < self.place && self.kept.is_none() && begin.elapsed() < LEAVE {
            self.settle(output);
            std::thread::sleep(Duration::from_millis(2));
        }
        // A server that has gone learns it from the next run.
        let _gone = self.wal.copy_data(&status(self.received, self.done, false));
    }

    fn run_to_end(&mut self, output: &mut dyn SourceOutput) -> Result<(), End> {
        // From here on what is done with is told.
        output.settled();
        match self.kept.as_ref().and_then(|kept| kept.place.as_ref()).and_then(|place| place.lsn) {
            Some(lsn) => (self.place, self.complete, self.done) = (Lsn(lsn), Lsn(lsn), Lsn(lsn)),
            None => {
                if self.kept.is_some() {
                    self.announce(output)?;
                }
                self.rows_first(false, output)?;
            }
        }
        loop {
            let error = match self.follow(output) {
                Ok(()) => return Ok(()),
                Err(Break::End(End::Stopped)) => {
                    self.take_leave(output);
                    return Err(End::Stopped);
                }
                Err(Break::End(end)) => return Err(end),
                Err(Break::Lost(error)) if !error.is_passing() => return Err(self.fails(error)),
                Err(Break::Lost(error)) => error,
            };
            if self.kept.is_none() && self.of.is_append_only {
                return self.fail(format!(
                    "the connection is lost ({error}), and with it what was added since: without persistence the server \
                     keeps nothing for a table that is read with is_append_only=True"
                ));
            }
            if let Some(open) = self.open.take().filter(|open| open.handed_over > 0) {
                self.torn = Some((open.committed, open.handed_over));
            }
            // What waits comes again; whole transactions among it are behind the place that was noted.
            self.connect_again(&error, output)?;
            if self.kept.is_none() {
                self.torn = None;
                self.changes = Changes::default();
                self.slot = slot_name(&self.of.label);
                self.rows_first(true, output)?;
            }
        }
    }
}

impl Reader for Follower {
    fn run(mut self: Box<Self>, output: &mut dyn SourceOutput) -> Result<(), ConnectorError> {
        match self.run_to_end(output) {
            Ok(()) | Err(End::Stopped) => Ok(()),
            Err(End::Failed(error)) => Err(error),
        }
    }
}
