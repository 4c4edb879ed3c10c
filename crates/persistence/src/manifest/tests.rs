#![allow(clippy::unwrap_used)]
use pathway_types::{Batch, Diffs, Keys};

use super::*;
use crate::Pack;

/// Writes a checkpoint with these segments besides a new one.
fn checkpoint(store: &Store, sequence: u64, old: &[Section]) -> Manifest {
    let mut pack = Pack::new(store, sequence, 0, "state");
    let rows = Batch::new(Keys::from(vec![u128::from(sequence)]), vec![], Diffs::Ones(1));
    let section = pack.add(store, &rows).unwrap();
    pack.write(store).unwrap();
    let notes = old.iter().chain([&section]).map(|section| SavedNotes {
        worker: 0,
        input: Some(1),
        first: 0,
        last: sequence,
        end: u64::MAX,
        rows: section.clone(),
    });
    let join = OperatorState {
        name: "join".to_owned(),
        is_log: false,
        columns: Vec::new(),
        states: Vec::new(),
        notes: notes.collect(),
    };
    let position = SavedPosition { value: vec![0, 255, sequence as u8], objects: vec!["one".to_owned()] };
    let positions = BTreeMap::from([("0".to_owned(), position)]);
    let manifest = Manifest {
        sequence,
        time: 10 * sequence,
        workers: 1,
        operators: BTreeMap::from([("a join".to_owned(), join)]),
        sources: BTreeMap::from([("source".to_owned(), positions)]),
        ..Manifest::default()
    };
    manifest.write(store).unwrap();
    manifest
}

fn sections(manifest: &Manifest) -> Vec<Section> {
    manifest.sections().cloned().collect()
}

fn found(store: &Store) -> (Option<u64>, Vec<String>) {
    let check = |manifest: &Manifest| manifest.sections().try_for_each(|s| s.read(store).map(|_| ()));
    let found = latest(store, check).unwrap();
    let damaged = found.damaged.iter().map(ToString::to_string).collect();
    (found.manifest.map(|manifest| manifest.sequence), damaged)
}

#[test]
fn the_last_one_is_found_as_it_was_written() {
    let store = Store::memory().unwrap();
    assert_eq!(found(&store), (None, vec![]));
    let first = checkpoint(&store, 9, &[]);
    let second = checkpoint(&store, 10, &sections(&first));
    assert_eq!(latest(&store, |_| Ok(())).unwrap().manifest, Some(second));
}

#[test]
fn damaged_ones_are_named_and_the_one_before_is_used() {
    let store = Store::memory().unwrap();
    let first = checkpoint(&store, 1, &[]);
    let second = checkpoint(&store, 2, &sections(&first));
    let third = checkpoint(&store, 3, &sections(&second));
    store.put(&name(3), store.get(&name(3)).unwrap().slice(..40)).unwrap();
    let (sequence, damaged) = found(&store);
    assert_eq!(sequence, Some(2));
    assert!(
        damaged.len() == 1 && damaged[0].contains("manifests/000000000003.json is damaged"),
        "{damaged:?}"
    );

    let text = String::from_utf8(store.get(&name(2)).unwrap().to_vec()).unwrap();
    store.put(&name(2), text.replace("\\\"time\\\":20", "\\\"time\\\":21").into()).unwrap();
    let (sequence, damaged) = found(&store);
    assert_eq!(sequence, Some(1));
    assert!(damaged[1].contains("000000000002.json is damaged: the checksum is another"), "{damaged:?}");

    [2, 3].iter().for_each(|number| store.delete(&name(*number)).unwrap());
    third.write(&store).unwrap();
    second.write(&store).unwrap();
    store.delete(&sections(&second)[1].pack).unwrap();
    let (sequence, damaged) = found(&store);
    assert_eq!(sequence, Some(1));
    assert!(
        damaged.iter().all(|d| d.contains("/packs/000000000002-0-state-") && d.ends_with(" is missing")),
        "{damaged:?}"
    );

    store.put(&sections(&first)[0].pack, bytes::Bytes::from_static(b"x")).unwrap();
    assert_eq!(found(&store).0, None);
}

#[test]
fn another_run_is_not_overwritten() {
    let store = Store::memory().unwrap();
    let first = checkpoint(&store, 1, &[]);
    let other = Manifest { run: 7, ..first.clone() };
    let error = other.write(&store).unwrap_err();
    assert!(matches!(error, StoreError::Taken(_)), "{error}");
    assert_eq!(latest(&store, |_| Ok(())).unwrap().manifest, Some(first));
}

#[test]
fn what_a_later_release_wrote_is_left_alone() {
    let store = Store::memory().unwrap();
    checkpoint(&store, 1, &[]);
    let text = String::from_utf8(store.get(&name(1)).unwrap().to_vec()).unwrap();
    store.put(&name(2), text.replace("\"form\":1", "\"form\":99").into()).unwrap();
    let error = latest(&store, |_| Ok(())).unwrap_err().to_string();
    assert!(error.contains("later release"), "{error}");
}

#[test]
fn old_ones_are_collected_with_the_packs_that_only_they_name() {
    let store = Store::memory().unwrap();
    let first = checkpoint(&store, 1, &[]);
    let second = checkpoint(&store, 2, &sections(&first));
    // Merged anew: the segments before are not named any more.
    let third = checkpoint(&store, 3, &[]);
    let fourth = checkpoint(&store, 4, &sections(&third));
    // Of a checkpoint that is being written.
    let mut pack = Pack::new(&store, 5, 0, "state");
    pack.add(&store, &Batch::new(Keys::from(vec![5]), vec![], Diffs::Ones(1))).unwrap();
    pack.write(&store).unwrap();

    let error = second.collect(&store, 1, &BTreeSet::new()).unwrap_err();
    assert!(matches!(error, StoreError::Taken(_)), "there are later ones: {error}");
    assert_eq!(store.list("manifests").unwrap().len(), 4);
    assert_eq!(store.list("packs").unwrap().len(), 5);
    fourth.collect(&store, 1, &BTreeSet::new()).unwrap();
    assert_eq!(store.list("manifests").unwrap(), [name(3), name(4)]);
    let packs = [3, 4, 5].map(|number| format!("packs/{number:012}-0-state-{}", store.token()));
    assert_eq!(store.list("packs").unwrap(), packs);
    assert_eq!(found(&store), (Some(4), vec![]));
}

#[test]
fn states_of_the_end_of_a_run_are_of_what_there_was() {
    let store = Store::memory().unwrap();
    let state = |before| SavedState { before, ..SavedState::default() };
    let join = OperatorState { states: vec![state(4), state(u64::MAX)], ..OperatorState::default() };
    let manifest = Manifest {
        sequence: 1,
        time: u64::MAX,
        last: 8,
        operators: BTreeMap::from([("a join".to_owned(), join)]),
        ..Manifest::default()
    };
    manifest.write(&store).unwrap();
    let found = latest(&store, |_| Ok(())).unwrap().manifest.unwrap();
    let before: Vec<u64> = found.operators["a join"].states.iter().map(|state| state.before).collect();
    assert_eq!(before, [4, 9]);
}
