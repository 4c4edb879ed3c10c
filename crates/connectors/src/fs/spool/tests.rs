//! Contents come back as they were appended, in memory and in the file, and blocks are used again.

use std::cell::RefCell;

use super::*;

fn pattern(len: usize, seed: usize) -> Vec<u8> {
    (0..len).map(|i| ((i * 31 + seed * 7) % 251) as u8).collect()
}

fn read(spool: &RefCell<Spool>, content: &Content, offset: u64) -> Vec<u8> {
    let mut out = Vec::new();
    ContentReader::new(spool, content, offset).read_to_end(&mut out).unwrap();
    out
}

#[test]
fn small_and_large_contents_come_back() {
    let spool = RefCell::new(Spool::default());
    let mut kept = Vec::new();
    for (seed, len) in [0, 1, BLOCK, BLOCK + 1, SMALL, SMALL + 1, 3 * SMALL + 17].into_iter().enumerate() {
        let bytes = pattern(len, seed);
        let mut content = Content::default();
        for piece in bytes.chunks(10_007) {
            spool.borrow_mut().append(&mut content, piece).unwrap();
        }
        assert_eq!(matches!(content, Content::Memory(_)), len <= SMALL);
        kept.push((content, bytes));
    }
    for (content, bytes) in &kept {
        assert_eq!(&read(&spool, content, 0), bytes);
        let half = bytes.len() / 2;
        assert_eq!(read(&spool, content, half as u64), bytes[half..]);
    }
}

#[test]
fn released_blocks_and_memory_are_used_again() {
    let spool = RefCell::new(Spool::default());
    let mut blocks = None;
    for seed in 0..5 {
        let bytes = pattern(2 * SMALL, seed);
        let mut content = Content::default();
        spool.borrow_mut().append(&mut content, &bytes).unwrap();
        assert_eq!(read(&spool, &content, 0), bytes);
        spool.borrow_mut().release(content);
        assert_eq!(*blocks.get_or_insert(spool.borrow().blocks), spool.borrow().blocks);
    }
    let mut content = Content::default();
    spool.borrow_mut().append(&mut content, &pattern(100, 1)).unwrap();
    assert_eq!(spool.borrow().budget, BUDGET - 100);
    spool.borrow_mut().release(content);
    assert_eq!(spool.borrow().budget, BUDGET);
}

#[test]
fn contents_beyond_the_budget_go_to_the_file() {
    let spool = RefCell::new(Spool { budget: 1000, ..Spool::default() });
    let (mut one, mut two) = (Content::default(), Content::default());
    spool.borrow_mut().append(&mut one, &pattern(900, 1)).unwrap();
    spool.borrow_mut().append(&mut two, &pattern(900, 2)).unwrap();
    assert!(matches!(one, Content::Memory(_)));
    assert!(matches!(two, Content::File { .. }));
    spool.borrow_mut().append(&mut one, &pattern(900, 3)).unwrap();
    assert!(matches!(one, Content::File { .. }));
    assert_eq!(read(&spool, &one, 0), [pattern(900, 1), pattern(900, 3)].concat());
    assert_eq!(read(&spool, &two, 0), pattern(900, 2));
    assert_eq!(spool.borrow().budget, 1000);
}

#[test]
fn truncated_contents_can_be_appended_to() {
    for len in [1000, 3 * SMALL] {
        for to in [0, 1, 999, len - 1, len] {
            let spool = RefCell::new(Spool::default());
            let bytes = pattern(len, 1);
            let mut content = Content::default();
            spool.borrow_mut().append(&mut content, &bytes).unwrap();
            spool.borrow_mut().truncate(&mut content, to as u64);
            assert_eq!(read(&spool, &content, 0), bytes[..to]);
            spool.borrow_mut().append(&mut content, b"more").unwrap();
            assert_eq!(read(&spool, &content, 0), [&bytes[..to], b"more"].concat());
        }
    }
}
