use std::sync::Arc;

use pathway_types::{Batch, DataError, Value};

use super::{Change, Group, Queue, Wants};

fn change(key: u128, wants: Wants) -> Change {
    Change { key, batch: Arc::new(Batch::default()), row: 0, wants }
}

fn call(number: u64) -> Change {
    change(u128::from(number), Wants::Answer(number))
}

fn answer(queue: &mut Queue, call: u64) {
    queue.answer(call, Ok(vec![Value::Int(call as i64)]));
}

fn fail(queue: &mut Queue, call: u64) {
    queue.answer(call, Err(DataError::value("no")));
}

/// Keys of the groups that can be settled now, with a mark on failed groups.
fn settled(queue: &mut Queue) -> Vec<(Vec<u128>, bool)> {
    let keys = |group: &Group| group.changes.iter().map(|c| c.key).collect();
    queue.settle().iter().map(|group| (keys(group), group.failed)).collect()
}

#[test]
fn a_group_waits_for_its_last_call_and_for_earlier_groups() {
    let mut queue = Queue::new();
    queue.add(7, 2, vec![call(0), call(1)]);
    queue.add(7, 4, vec![call(2)]);
    queue.add(8, 4, vec![call(3)]);
    answer(&mut queue, 2);
    answer(&mut queue, 1);
    assert!(settled(&mut queue).is_empty());
    answer(&mut queue, 3);
    assert_eq!(settled(&mut queue), [(vec![3], false)]);
    answer(&mut queue, 0);
    // One group of an instance at a time, so that consumers see each state.
    assert_eq!(settled(&mut queue), [(vec![0, 1], false)]);
    assert_eq!(settled(&mut queue), [(vec![2], false)]);
    assert!(queue.is_empty() && !queue.is_ready());
}

#[test]
fn a_removal_waits_for_the_call_before_it() {
    let mut queue = Queue::new();
    queue.add(7, 2, vec![call(0)]);
    queue.add(7, 4, vec![change(0, Wants::Removal)]);
    assert!(settled(&mut queue).is_empty());
    answer(&mut queue, 0);
    assert_eq!(settled(&mut queue).len(), 1);
    assert!(matches!(queue.settle()[0].changes[0].wants, Wants::Removal));
}

#[test]
fn a_failure_takes_the_group_and_what_waits_behind_it() {
    let mut queue = Queue::new();
    for time in [2, 4, 6] {
        queue.add(7, time, vec![call(time)]);
    }
    answer(&mut queue, 6);
    fail(&mut queue, 4);
    // Comes while the instance is failing.
    queue.add(7, 8, vec![call(8)]);
    answer(&mut queue, 8);
    answer(&mut queue, 2);
    let mut all = Vec::new();
    while queue.is_ready() {
        all.extend(settled(&mut queue));
    }
    assert_eq!(all, [(vec![2], false), (vec![4], true), (vec![6], true), (vec![8], true)]);
    // Nothing waits: the next row is judged by itself.
    queue.add(7, 10, vec![call(10)]);
    answer(&mut queue, 10);
    assert_eq!(settled(&mut queue), [(vec![10], false)]);
}

#[test]
fn unknown_answers_are_dropped() {
    let mut queue = Queue::new();
    queue.add(7, 2, vec![call(0)]);
    answer(&mut queue, 5);
    answer(&mut queue, 0);
    answer(&mut queue, 0);
    assert_eq!(settled(&mut queue), [(vec![0], false)]);
}
