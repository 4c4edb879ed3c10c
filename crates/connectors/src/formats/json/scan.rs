//! A scanner for JSON text (RFC 8259) that finds values without building them.

use crate::formats::cells::Token;

/// How deep arrays and objects may be nested, the record itself included.
pub(super) const MAX_DEPTH: u32 = 127;

/// What is wrong with the text.
pub(super) type Syntax = &'static str;

/// Reads JSON text from a position on. The text must be valid UTF-8. With `LINES`, a line feed ends
/// the text instead of being white space.
pub(super) struct Scanner<'a, const LINES: bool> {
    data: &'a [u8],
    pub(super) position: usize,
}

impl<'a, const LINES: bool> Scanner<'a, LINES> {
    pub(super) fn new(data: &'a [u8]) -> Self {
        Scanner { data, position: 0 }
    }

    pub(super) fn data(&self) -> &'a [u8] {
        self.data
    }

    /// The next byte.
    #[inline]
    pub(super) fn peek(&self) -> Option<u8> {
        self.data.get(self.position).copied()
    }

    /// Steps over `byte` if it comes next.
    #[inline]
    pub(super) fn accept(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.position += usize::from(found);
        found
    }

    /// Steps over `text` if it comes next.
    #[inline]
    pub(super) fn accept_text(&mut self, text: &[u8]) -> bool {
        let found = self.data[self.position..].starts_with(text);
        self.position += if found { text.len() } else { 0 };
        found
    }

    /// Steps over white space.
    #[inline]
    pub(super) fn space(&mut self) {
        while let Some(byte) = self.peek() {
            match byte {
                b' ' | b'\t' | b'\r' => self.position += 1,
                b'\n' if !LINES => self.position += 1,
                _ => return,
            }
        }
    }

    /// True if the text (with `LINES`: the line) is over.
    #[inline]
    pub(super) fn at_end(&self) -> bool {
        match self.peek() {
            None => true,
            Some(byte) => LINES && byte == b'\n',
        }
    }

    /// Steps over a string, whose opening quote comes next; what stands between the quotes, and
    /// whether it holds escapes (which are valid).
    #[inline]
    pub(super) fn string(&mut self) -> Result<(&'a [u8], bool), Syntax> {
        let start = self.position + 1;
        let end = special(self.data, start);
        if self.data.get(end) == Some(&b'"') {
            self.position = end + 1;
            return Ok((&self.data[start..end], false));
        }
        self.long_string(start, end)
    }

    /// The rest of a string that has something special at `position`.
    #[cold]
    fn long_string(&mut self, start: usize, mut position: usize) -> Result<(&'a [u8], bool), Syntax> {
        let mut escaped = false;
        loop {
            match self.data.get(position) {
                Some(b'"') => {
                    self.position = position + 1;
                    return Ok((&self.data[start..position], escaped));
                }
                Some(b'\\') => {
                    escaped = true;
                    position = escape(self.data, position)?;
                }
                Some(b'\n') | None => return Err("the record ends inside a string"),
                Some(_) => return Err("a string holds a control character that is not escaped"),
            }
            position = special(self.data, position);
        }
    }

    /// Steps over a value inside of `depth` arrays and objects.
    #[inline]
    pub(super) fn value(&mut self, depth: u32) -> Result<Token<'a>, Syntax> {
        match self.peek() {
            Some(b'"') => {
                let (text, escaped) = self.string()?;
                Ok(if escaped { Token::Escaped(text) } else { Token::Str(text) })
            }
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => self.other(depth),
        }
    }

    fn other(&mut self, depth: u32) -> Result<Token<'a>, Syntax> {
        let start = self.position;
        match self.peek() {
            Some(b't') if self.accept_text(b"true") => Ok(Token::Bool(true)),
            Some(b'f') if self.accept_text(b"false") => Ok(Token::Bool(false)),
            Some(b'n') if self.accept_text(b"null") => Ok(Token::Null),
            Some(b'[' | b'{') => {
                self.nested(depth)?;
                Ok(Token::Nested(&self.data[start..self.position]))
            }
            None => Err("the record ends where a value is expected"),
            Some(b'\n') if LINES => Err("the record ends where a value is expected"),
            _ => Err("a value is expected"),
        }
    }

    /// Steps over a number.
    #[inline]
    fn number(&mut self) -> Result<Token<'a>, Syntax> {
        let data = self.data;
        let start = self.position;
        let digits = |mut at: usize| {
            while data.get(at).is_some_and(u8::is_ascii_digit) {
                at += 1;
            }
            at
        };
        let first = start + usize::from(data[start] == b'-');
        let mut end = digits(first);
        if end == first || (data[first] == b'0' && end > first + 1) {
            return Err("a number is malformed");
        }
        let mut is_int = true;
        if data.get(end) == Some(&b'.') {
            is_int = false;
            let fraction = end + 1;
            end = digits(fraction);
            if end == fraction {
                return Err("a number is malformed");
            }
        }
        if let Some(b'e' | b'E') = data.get(end) {
            is_int = false;
            let sign = matches!(data.get(end + 1), Some(b'+' | b'-'));
            let exponent = end + 1 + usize::from(sign);
            end = digits(exponent);
            if end == exponent {
                return Err("a number is malformed");
            }
        }
        self.position = end;
        let text = &data[start..end];
        Ok(if is_int { Token::Int(text) } else { Token::Float(text) })
    }

    /// Steps over an array or an object, without recursion: one bit per open level tells which.
    fn nested(&mut self, depth: u32) -> Result<(), Syntax> {
        let mut objects = 0u128;
        let mut levels = 0u32;
        loop {
            // A value that opens a level comes next.
            let is_object = self.peek() == Some(b'{');
            self.position += 1;
            levels += 1;
            if depth + levels > MAX_DEPTH {
                return Err("arrays and objects are nested too deeply");
            }
            objects = objects << 1 | u128::from(is_object);
            self.space();
            let mut closed = self.accept(if is_object { b'}' } else { b']' });
            // Go on until the next value that opens a level.
            loop {
                while closed {
                    levels -= 1;
                    objects >>= 1;
                    if levels == 0 {
                        return Ok(());
                    }
                    closed = self.next_member(objects & 1 == 1)?;
                }
                if objects & 1 == 1 {
                    self.member_name()?;
                }
                if let Some(b'[' | b'{') = self.peek() {
                    break;
                }
                self.value(depth + levels)?;
                closed = self.next_member(objects & 1 == 1)?;
            }
        }
    }

    /// Behind a member: true if the array or object ends, false if another member follows, whose
    /// name is still to be read.
    fn next_member(&mut self, in_object: bool) -> Result<bool, Syntax> {
        self.space();
        if self.accept(if in_object { b'}' } else { b']' }) {
            return Ok(true);
        }
        if self.accept(b',') {
            self.space();
            return Ok(false);
        }
        Err(match (self.at_end(), in_object) {
            (true, _) => "the record ends inside an array or object",
            (false, true) => "a comma or a closing brace is expected",
            (false, false) => "a comma or a closing bracket is expected",
        })
    }

    /// Steps over the name of an object's member and the colon.
    fn member_name(&mut self) -> Result<(), Syntax> {
        if self.peek() != Some(b'"') {
            return Err("the name of a field is expected");
        }
        self.string()?;
        self.colon()
    }

    /// Steps over the colon behind the name of a field.
    #[inline]
    pub(super) fn colon(&mut self) -> Result<(), Syntax> {
        if !self.accept(b':') {
            self.space();
            if !self.accept(b':') {
                return Err("a colon is expected behind the name of a field");
            }
        }
        self.space();
        Ok(())
    }
}

/// The position of the first quote, backslash or control character at or behind `from`, or the end.
#[inline]
fn special(data: &[u8], from: usize) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    // Marks zero bytes; a byte above a zero byte may be marked wrongly, never the lowest one.
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word;
    let mut at = from;
    while let Some(bytes) = data.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*bytes);
        let quotes = zeros(word ^ (ONES * b'"' as u64));
        let backslashes = zeros(word ^ (ONES * b'\\' as u64));
        let controls = word.wrapping_sub(ONES * 0x20) & !word;
        let found = (quotes | backslashes | controls) & HIGHS;
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while let Some(byte) = data.get(at) {
        if matches!(byte, b'"' | b'\\' | 0..0x20) {
            break;
        }
        at += 1;
    }
    at
}

/// Checks the escape at `position`; the position behind it.
fn escape(data: &[u8], position: usize) -> Result<usize, Syntax> {
    const BAD: Syntax = "a string holds an escape that does not exist";
    match data.get(position + 1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(position + 2),
        Some(b'u') => {
            let behind = position + 6;
            match hex(data, position + 2).ok_or(BAD)? {
                0xDC00..=0xDFFF => Err("a string holds half of a surrogate pair"),
                0xD800..=0xDBFF => {
                    let low = (data.get(behind..behind + 2) == Some(b"\\u"))
                        .then(|| hex(data, behind + 2))
                        .flatten();
                    match low {
                        Some(0xDC00..=0xDFFF) => Ok(behind + 6),
                        _ => Err("a string holds half of a surrogate pair"),
                    }
                }
                _ => Ok(behind),
            }
        }
        None | Some(b'\n') => Err("the record ends inside a string"),
        Some(_) => Err(BAD),
    }
}

/// Four hexadecimal digits.
fn hex(data: &[u8], position: usize) -> Option<u32> {
    let digits = data.get(position..position + 4)?;
    digits.iter().try_fold(0, |value, digit| Some(value << 4 | char::from(*digit).to_digit(16)?))
}

/// Appends the text of a string that the scanner found to hold escapes.
pub(in crate::formats) fn unescape(mut text: &[u8], out: &mut Vec<u8>) {
    while let Some(at) = memchr::memchr(b'\\', text) {
        out.extend_from_slice(&text[..at]);
        let mut used = 2;
        match text.get(at + 1) {
            Some(b'b') => out.push(0x08),
            Some(b'f') => out.push(0x0C),
            Some(b'n') => out.push(b'\n'),
            Some(b'r') => out.push(b'\r'),
            Some(b't') => out.push(b'\t'),
            Some(b'u') => {
                let mut code = hex(text, at + 2).unwrap_or(0xFFFD);
                used = 6;
                if (0xD800..0xDC00).contains(&code) {
                    let low = hex(text, at + 8).unwrap_or(0xDC00);
                    code = 0x10000 + ((code - 0xD800) << 10 | (low & 0x3FF));
                    used = 12;
                }
                let char = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
                out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
            }
            Some(other) => out.push(*other),
            None => {}
        }
        text = text.get(at + used..).unwrap_or_default();
    }
    out.extend_from_slice(text);
}
