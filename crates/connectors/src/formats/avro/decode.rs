//! JSON from records.

use super::decimal::write_decimal;
use super::schema::{Node, WriterSchema};
use crate::formats::lanes::{write_base64, write_json_string};
use crate::formats::{datetime, number};

/// What is wrong with a record.
type Flaw = &'static str;

const ENDS: Flaw = "the Avro record ends too early";
/// Values may be in values, but not without end.
const DEEPEST: usize = 100;
/// Items that take no room may come in these numbers.
const MOST_EMPTY_ITEMS: usize = 1 << 16;

impl WriterSchema {
    /// Appends a record as JSON.
    ///
    /// # Errors
    /// If the bytes are no record of this schema; something may have been appended then.
    pub(crate) fn write_json(&self, record: &[u8], out: &mut Vec<u8>) -> Result<(), Flaw> {
        let mut reader = Reader { rest: record, nodes: &self.nodes };
        reader.value(self.root, 0, out)?;
        if reader.rest.is_empty() { Ok(()) } else { Err("something follows behind the Avro record") }
    }
}

struct Reader<'a> {
    rest: &'a [u8],
    nodes: &'a [Node],
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Flaw> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(ENDS)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Flaw> {
        self.take(N)?.try_into().map_err(|_| ENDS)
    }

    /// An integer: seven bits in a byte, the last ones first, zigzag.
    fn int(&mut self) -> Result<i64, Flaw> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let [byte] = self.array()?;
            value |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                return Ok((value >> 1) as i64 ^ -((value & 1) as i64));
            }
        }
        Err("an integer of the Avro record is too long")
    }

    /// Bytes behind their number.
    fn bytes(&mut self) -> Result<&'a [u8], Flaw> {
        let length = usize::try_from(self.int()?).map_err(|_| "a length in the Avro record is negative")?;
        self.take(length)
    }

    fn text(&mut self) -> Result<&'a str, Flaw> {
        simdutf8::basic::from_utf8(self.bytes()?).map_err(|_| "a text of the Avro record is not valid UTF-8")
    }

    /// How many items the next block has; none is the end.
    fn block(&mut self) -> Result<usize, Flaw> {
        let mut count = self.int()?;
        if count < 0 {
            // How many bytes it takes.
            self.int()?;
            count = count.checked_neg().ok_or(ENDS)?;
        }
        let count = usize::try_from(count).map_err(|_| ENDS)?;
        if count > self.rest.len() + MOST_EMPTY_ITEMS { Err(ENDS) } else { Ok(count) }
    }

    fn value(&mut self, node: usize, depth: usize, out: &mut Vec<u8>) -> Result<(), Flaw> {
        if depth > DEEPEST {
            return Err("the Avro record is nested too deeply");
        }
        let nodes = self.nodes;
        match &nodes[node] {
            Node::Null => out.extend_from_slice(b"null"),
            Node::Boolean => match self.array()? {
                [0] => out.extend_from_slice(b"false"),
                [1] => out.extend_from_slice(b"true"),
                _ => return Err("a truth value of the Avro record is neither 0 nor 1"),
            },
            Node::Int => number::write_int(self.int()?, out),
            Node::Float => {
                // The number that people write, not the next double to it.
                let value = f32::from_le_bytes(self.array()?);
                let value = if value.is_finite() { value.to_string().parse() } else { Ok(f64::NAN) };
                number::write_json_float(value.unwrap_or(f64::NAN), out);
            }
            Node::Double => number::write_json_float(f64::from_le_bytes(self.array()?), out),
            Node::Bytes => write_bytes(self.bytes()?, out),
            Node::Fixed(size) => write_bytes(self.take(*size)?, out),
            Node::Text => write_json_string(self.text()?, out),
            Node::Json => {
                let text = self.text()?;
                serde_json::from_str::<serde::de::IgnoredAny>(text)
                    .map_err(|_| "a text of the Avro record is not the JSON that its type promises")?;
                out.extend_from_slice(text.as_bytes());
            }
            Node::Enum(symbols) => {
                let symbol = usize::try_from(self.int()?).ok().and_then(|place| symbols.get(place));
                out.extend_from_slice(symbol.ok_or("a symbol of the Avro record is not in its schema")?);
            }
            Node::Union(branches) => {
                let branch = usize::try_from(self.int()?).ok().and_then(|place| branches.get(place));
                let branch = branch.ok_or("a branch of a union in the Avro record is not in its schema")?;
                self.value(*branch, depth + 1, out)?;
            }
            Node::Record(fields) => {
                out.push(b'{');
                for (place, (name, node)) in fields.iter().enumerate() {
                    if place > 0 {
                        out.push(b',');
                    }
                    out.extend_from_slice(name);
                    self.value(*node, depth + 1, out)?;
                }
                out.push(b'}');
            }
            Node::Array(items) => {
                self.blocks(b"[]", out, |reader, out| reader.value(*items, depth + 1, out))?
            }
            Node::Map(values) => self.blocks(b"{}", out, |reader, out| {
                write_json_string(reader.text()?, out);
                out.push(b':');
                reader.value(*values, depth + 1, out)
            })?,
            Node::Date => moment(self.int()?, 86_400_000_000_000, false, out)?,
            Node::Moment { unit, utc } => moment(self.int()?, *unit, *utc, out)?,
            Node::Time(unit) => {
                let nanos = self.int()?.checked_mul(*unit);
                number::write_int(nanos.ok_or("a time of the Avro record is out of range")?, out);
            }
            Node::Decimal { scale, size } => {
                let bytes = match size {
                    Some(size) => self.take(*size)?,
                    None => self.bytes()?,
                };
                write_decimal(bytes, *scale, out);
            }
            Node::Span => {
                let [months, days, millis]: [u32; 3] = [
                    u32::from_le_bytes(self.array()?),
                    u32::from_le_bytes(self.array()?),
                    u32::from_le_bytes(self.array()?),
                ];
                if months > 0 {
                    return Err("a duration in the Avro record has months, which are of no fixed length");
                }
                let millis = i64::from(days) * 86_400_000 + i64::from(millis);
                let nanos = millis.checked_mul(1_000_000);
                number::write_int(nanos.ok_or("a duration of the Avro record is out of range")?, out);
            }
        }
        Ok(())
    }

    /// The items of an array or a map.
    fn blocks(
        &mut self,
        brackets: &[u8; 2],
        out: &mut Vec<u8>,
        mut item: impl FnMut(&mut Self, &mut Vec<u8>) -> Result<(), Flaw>,
    ) -> Result<(), Flaw> {
        out.push(brackets[0]);
        let mut is_first = true;
        loop {
            let count = self.block()?;
            if count == 0 {
                break;
            }
            for _ in 0..count {
                if !std::mem::take(&mut is_first) {
                    out.push(b',');
                }
                item(self, out)?;
            }
        }
        out.push(brackets[1]);
        Ok(())
    }
}

fn write_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    write_base64(bytes, out);
    out.push(b'"');
}

fn moment(count: i64, unit: i64, utc: bool, out: &mut Vec<u8>) -> Result<(), Flaw> {
    let nanos = count.checked_mul(unit).ok_or("a moment of the Avro record is out of range")?;
    out.push(b'"');
    if utc {
        datetime::write_utc(nanos, out);
    } else {
        datetime::write_naive(nanos, out);
    }
    out.push(b'"');
    Ok(())
}
