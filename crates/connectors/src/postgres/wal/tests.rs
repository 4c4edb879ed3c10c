use super::*;

/// `number` in so many bytes.
fn be(number: u64, length: usize) -> Vec<u8> {
    number.to_be_bytes()[8 - length..].to_vec()
}

fn tuple(cells: &[Option<&str>]) -> Vec<u8> {
    let mut bytes = be(cells.len() as u64, 2);
    for cell in cells {
        match cell {
            None => bytes.push(b'n'),
            Some("<same>") => bytes.push(b'u'),
            Some(text) => {
                bytes.push(b't');
                bytes.extend(be(text.len() as u64, 4));
                bytes.extend(text.as_bytes());
            }
        }
    }
    bytes
}

#[test]
fn places_in_the_log_have_two_halves() {
    let lsn: Lsn = "16/B374D848".parse().unwrap();
    assert_eq!(lsn, Lsn(0x16_B374_D848));
    assert_eq!(lsn.to_string(), "16/B374D848");
    assert!("16".parse::<Lsn>().is_err() && "x/1".parse::<Lsn>().is_err());
}

#[test]
fn updates_have_old_cells_or_not() {
    let update = |old: Option<Vec<u8>>| {
        let mut bytes = vec![b'U'];
        bytes.extend(be(9, 4));
        if let Some(old) = old {
            bytes.push(b'K');
            bytes.extend(old);
        }
        bytes.push(b'N');
        bytes.extend(tuple(&[Some("1"), Some("<same>"), None]));
        bytes.into()
    };
    let Ok(Message::Update(9, None, new)) = Message::read(&update(None)) else { panic!() };
    let cells: Vec<Cell<'_>> = new.cells().collect();
    assert_eq!(cells, [Cell::Text(b"1"), Cell::Unchanged, Cell::Null]);
    let Ok(Message::Update(9, Some(old), _)) = Message::read(&update(Some(tuple(&[Some("0"), None, None]))))
    else {
        panic!()
    };
    assert_eq!(old.cells().next(), Some(Cell::Text(b"0")));
}

#[test]
fn what_is_cut_off_is_garbled() {
    let mut bytes = vec![b'I'];
    bytes.extend(be(9, 4));
    bytes.push(b'N');
    bytes.extend(tuple(&[Some("some text"), Some("more")]));
    for end in 0..bytes.len() {
        assert!(Message::read(&Bytes::copy_from_slice(&bytes[..end])).is_err(), "{end}");
    }
    assert!(Message::read(&bytes.into()).is_ok());
}

#[test]
fn the_status_has_34_bytes() {
    let bytes = status(Lsn(2), Lsn(1), true);
    assert_eq!((bytes.len(), bytes[0], bytes[8], bytes[16], bytes[24], bytes[33]), (34, b'r', 2, 1, 1, 1));
}
