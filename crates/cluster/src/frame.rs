//! The frames on a connection: one byte that says what it is, four bytes of length, and the content.

/// The bytes before the content of a frame.
pub(crate) const HEADER: usize = 5;

/// The longest message; data is cut into frames of any length.
pub(crate) const LONGEST_MESSAGE: usize = 1 << 30;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Bytes of the dataflow.
    Data,
    /// No more bytes of the dataflow come.
    DataEnd,
    /// The process is there, and how much it has sent and received.
    Alive,
    /// A message.
    Message,
    /// The process has failed; the content says why.
    Failed,
    /// The process is done with the run.
    Bye,
}

const KINDS: [Kind; 6] = [Kind::Data, Kind::DataEnd, Kind::Alive, Kind::Message, Kind::Failed, Kind::Bye];

/// The header of a frame.
pub(crate) fn header(kind: Kind, length: usize) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[0] = kind as u8;
    header[1..].copy_from_slice(&(length as u32).to_le_bytes());
    header
}

/// What a header says; None if it is not one.
pub(crate) fn parse(header: [u8; HEADER]) -> Option<(Kind, usize)> {
    let kind = *KINDS.get(usize::from(header[0]))?;
    let length = u32::from_le_bytes([header[1], header[2], header[3], header[4]]) as usize;
    (kind == Kind::Data || length <= LONGEST_MESSAGE).then_some((kind, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_as_they_were_written() {
        for kind in KINDS {
            assert_eq!(parse(header(kind, 77)), Some((kind, 77)));
        }
        assert_eq!(parse([KINDS.len() as u8, 0, 0, 0, 0]), None);
        assert_eq!(parse(header(Kind::Message, LONGEST_MESSAGE + 1)), None);
    }
}
