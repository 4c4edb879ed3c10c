//! Messages of logical replication: what the plugin `pgoutput` says about changes of tables.

use bytes::Bytes;

/// A place in the log of changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Lsn(pub(super) u64);

impl std::fmt::Display for Lsn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:X}/{:X}", self.0 >> 32, self.0 & 0xFFFF_FFFF)
    }
}

impl std::str::FromStr for Lsn {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        let (high, low) = text.split_once('/').ok_or(())?;
        let part = |text| u32::from_str_radix(text, 16).map(u64::from).map_err(|_| ());
        Ok(Lsn(part(high)? << 32 | part(low)?))
    }
}

/// What the server sends.
#[derive(Debug)]
pub(super) enum Sent {
    /// A message of the plugin, about the log from this place on.
    Data(Lsn, Bytes),
    /// Everything before this place has been sent; true if an answer is wanted.
    KeepAlive(Lsn, bool),
}

/// A message of the plugin.
#[derive(Debug)]
pub(super) enum Message {
    /// A transaction that was committed at this place.
    Begin(Lsn),
    /// Its end, behind which the log goes on.
    Commit(Lsn),
    Relation(Relation),
    Insert(u32, Tuple),
    /// The old row, or its key, if the key has changed or all of it is known; the new row.
    Update(u32, Option<Tuple>, Tuple),
    Delete(u32, Tuple),
    Truncate(Vec<u32>),
    /// Nothing that matters here.
    Other,
}

/// What a table looks like from here on.
#[derive(Debug)]
pub(super) struct Relation {
    pub(super) oid: u32,
    pub(super) schema: String,
    pub(super) table: String,
    /// `d`, `n`, `f`, `i`: see the catalog.
    pub(super) identity: u8,
    /// Names, and whether they belong to what tells rows apart.
    pub(super) columns: Vec<(String, bool)>,
}

/// The cells of a row, not yet taken apart.
#[derive(Clone, Debug)]
pub(super) struct Tuple(Bytes);

/// A cell of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cell<'a> {
    Null,
    /// It is what it was, and was not sent again.
    Unchanged,
    Text(&'a [u8]),
}

/// The server sends what cannot be understood.
#[derive(Debug)]
pub(super) struct Garbled;

/// Takes bytes from the front.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], Garbled> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Garbled)?;
        self.0 = rest;
        Ok(taken)
    }
    fn u8(&mut self) -> Result<u8, Garbled> {
        Ok(self.take(1)?[0])
    }
    fn number(&mut self, length: usize) -> Result<u64, Garbled> {
        Ok(self.take(length)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }
    fn u32(&mut self) -> Result<u32, Garbled> {
        Ok(self.number(4)? as u32)
    }
    fn lsn(&mut self) -> Result<Lsn, Garbled> {
        self.number(8).map(Lsn)
    }
    fn text(&mut self) -> Result<String, Garbled> {
        let end = memchr::memchr(0, self.0).ok_or(Garbled)?;
        let text = self.take(end)?;
        self.take(1)?;
        Ok(String::from_utf8_lossy(text).into_owned())
    }
    /// The cells of a row, with their number in front.
    fn tuple(&mut self, whole: &Bytes) -> Result<Tuple, Garbled> {
        let start = self.0;
        for _ in 0..self.number(2)? {
            match self.u8()? {
                b'n' | b'u' => {}
                b't' => {
                    let length = self.u32()?;
                    self.take(length as usize)?;
                }
                _ => return Err(Garbled),
            }
        }
        Ok(Tuple(whole.slice_ref(&start[..start.len() - self.0.len()])))
    }
}

impl Sent {
    pub(super) fn read(bytes: &Bytes) -> Result<Sent, Garbled> {
        let mut cursor = Cursor(bytes);
        match cursor.u8()? {
            b'w' => {
                let lsn = cursor.lsn()?;
                // The end of the log, and the server's clock.
                cursor.take(16)?;
                Ok(Sent::Data(lsn, bytes.slice_ref(cursor.0)))
            }
            b'k' => {
                let lsn = cursor.lsn()?;
                cursor.take(8)?;
                Ok(Sent::KeepAlive(lsn, cursor.u8()? == 1))
            }
            _ => Err(Garbled),
        }
    }
}

impl Message {
    pub(super) fn read(bytes: &Bytes) -> Result<Message, Garbled> {
        let mut cursor = Cursor(bytes);
        Ok(match cursor.u8()? {
            b'B' => Message::Begin(cursor.lsn()?),
            b'C' => {
                cursor.take(9)?;
                Message::Commit(cursor.lsn()?)
            }
            b'R' => {
                let oid = cursor.u32()?;
                let (schema, table) = (cursor.text()?, cursor.text()?);
                let identity = cursor.u8()?;
                let mut columns = Vec::new();
                for _ in 0..cursor.number(2)? {
                    let flags = cursor.u8()?;
                    columns.push((cursor.text()?, flags & 1 == 1));
                    cursor.take(8)?;
                }
                Message::Relation(Relation { oid, schema, table, identity, columns })
            }
            b'I' => {
                let oid = cursor.u32()?;
                cursor.u8()?;
                Message::Insert(oid, cursor.tuple(bytes)?)
            }
            b'U' => {
                let oid = cursor.u32()?;
                let old = match cursor.u8()? {
                    b'N' => None,
                    _ => {
                        let old = cursor.tuple(bytes)?;
                        cursor.u8()?;
                        Some(old)
                    }
                };
                Message::Update(oid, old, cursor.tuple(bytes)?)
            }
            b'D' => {
                let oid = cursor.u32()?;
                cursor.u8()?;
                Message::Delete(oid, cursor.tuple(bytes)?)
            }
            b'T' => {
                let count = cursor.u32()?;
                cursor.u8()?;
                Message::Truncate((0..count).map(|_| cursor.u32()).collect::<Result<_, _>>()?)
            }
            _ => Message::Other,
        })
    }
}

impl Tuple {
    /// Calls for each cell, in the order of the table's columns.
    pub(super) fn cells(&self) -> impl Iterator<Item = Cell<'_>> {
        // The tuple was walked through when it was read.
        let mut cursor = Cursor(&self.0[2..]);
        std::iter::from_fn(move || {
            Some(match cursor.u8().ok()? {
                b'n' => Cell::Null,
                b'u' => Cell::Unchanged,
                _ => {
                    let length = cursor.u32().ok()?;
                    Cell::Text(cursor.take(length as usize).ok()?)
                }
            })
        })
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

/// What we tell the server: what has arrived, and what need not be kept any longer.
pub(super) fn status(received: Lsn, done: Lsn, asks: bool) -> Vec<u8> {
    let since_2000 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = since_2000.map_or(0, |time| time.as_micros() as i64 - super::encode::EPOCH_US);
    let mut bytes = vec![b'r'];
    for number in [received.0 as i64, done.0 as i64, done.0 as i64, now] {
        bytes.extend_from_slice(&number.to_be_bytes());
    }
    bytes.push(u8::from(asks));
    bytes
}

#[cfg(test)]
mod tests;
