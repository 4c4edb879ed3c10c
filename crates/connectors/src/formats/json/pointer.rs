//! JSON pointers (RFC 6901), resolved on unparsed text.

use super::scan::{Scanner, unescape};
use crate::formats::cells::Token;

/// The segments of a pointer, unescaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pointer(Vec<Box<[u8]>>);

impl Pointer {
    /// Parses a pointer that is empty or starts with `/`.
    pub(super) fn new(text: &str) -> Self {
        let segments = text.split('/').skip(1);
        Pointer(segments.map(|s| s.replace("~1", "/").replace("~0", "~").into_bytes().into()).collect())
    }

    /// The name of the field, for a pointer to a field of the document itself.
    pub(super) fn field(&self) -> Option<&[u8]> {
        match &*self.0 {
            [name] => Some(name),
            _ => None,
        }
    }

    /// The value that the pointer leads to in a valid document.
    pub(super) fn resolve<'a>(&self, document: Token<'a>) -> Token<'a> {
        let mut value = document;
        for segment in &self.0 {
            value = match value {
                Token::Nested(text) if text.first() == Some(&b'{') => member(text, segment),
                Token::Nested(text) => element(text, segment),
                _ => Token::Absent,
            };
        }
        value
    }
}

/// The last member of an object with this name.
fn member<'a>(object: &'a [u8], name: &[u8]) -> Token<'a> {
    let mut scanner = Scanner::<'a, false>::new(object);
    let mut found = Token::Absent;
    let mut unescaped = Vec::new();
    scanner.position = 1;
    scanner.space();
    while scanner.peek() == Some(b'"') {
        let Ok((text, escaped)) = scanner.string() else { break };
        let is_it = if escaped {
            unescaped.clear();
            unescape(text, &mut unescaped);
            unescaped == name
        } else {
            text == name
        };
        let Ok(value) = scanner.colon().and_then(|()| scanner.value(0)) else { break };
        if is_it {
            found = value;
        }
        scanner.space();
        scanner.accept(b',');
        scanner.space();
    }
    found
}

/// The element of an array at this index.
fn element<'a>(array: &'a [u8], index: &[u8]) -> Token<'a> {
    let index = match index {
        [b'0'] => Some(0),
        [b'1'..=b'9', ..] => std::str::from_utf8(index).ok().and_then(|text| text.parse::<usize>().ok()),
        _ => None,
    };
    let Some(index) = index else { return Token::Absent };
    let mut scanner = Scanner::<'a, false>::new(array);
    scanner.position = 1;
    scanner.space();
    for at in 0.. {
        let Ok(value) = scanner.value(0) else { break };
        if at == index {
            return value;
        }
        scanner.space();
        scanner.accept(b',');
        scanner.space();
    }
    Token::Absent
}
