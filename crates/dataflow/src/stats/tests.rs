use std::sync::Arc;
use std::time::Instant;

use super::*;

fn wiring(node: usize, sources: &[usize]) -> Wiring {
    Wiring { node, sources: sources.to_vec() }
}

#[test]
fn signs_are_counted_with_multiplicities() {
    assert_eq!(signs(&vec![1, 1, 1].into()), (3, 0));
    assert_eq!(signs(&vec![1, -1, 3, -2].into()), (4, 3));
    assert_eq!(signs(&vec![-1, -1].into()), (0, 2));
    assert_eq!(signs(&Vec::new().into()), (0, 0));
    assert_eq!(signs(&vec![i64::MAX, i64::MIN, i64::MIN].into()), (i64::MAX as u64, 0));
}

#[test]
fn rows_between_the_operators_of_a_step_are_none_of_it() {
    let place = Place::new(0, None, 0);
    let first = Meter::new("first", Some(place.clone()), wiring(7, &[3]), None);
    let second = Meter::new("second", Some(place.clone()), wiring(8, &[7, 4]), None);
    place.gives(Some(8));
    first.received(0, 5);
    first.emitted(&vec![1; 5].into());
    second.received(0, 5);
    second.received(1, 2);
    second.emitted(&vec![1, -1].into());
    let readings = [first.read(), second.read()];
    assert_eq!(readings.each_ref().map(|reading| reading.received), [5, 2]);
    assert_eq!(readings.each_ref().map(|reading| (reading.inserted, reading.deleted)), [(0, 0), (1, 1)]);
}

#[test]
fn what_a_step_gives_comes_from_its_last_operator_if_nothing_else_is_known() {
    let place = Place::new(0, None, 0);
    let meters = [1, 2].map(|node| Meter::new("one", Some(place.clone()), wiring(node, &[0]), None));
    place.gives(Some(9));
    meters.iter().for_each(|meter| meter.emitted(&vec![1].into()));
    assert_eq!(meters.map(|meter| meter.read().inserted), [0, 1]);
}

#[test]
fn meters_go_with_their_run() {
    let statistics = Statistics::default();
    let place = Place::new(0, None, 0);
    let meter = Meter::new("one", Some(place.clone()), wiring(1, &[]), None);
    let weak = Arc::downgrade(&meter);
    statistics.add(meter);
    drop((statistics, place));
    assert!(weak.upgrade().is_none(), "a step and its operators do not hold each other");
}

#[test]
fn time_adds_up() {
    let meter = Meter::new("one", None, wiring(1, &[]), None);
    let begin = Instant::now();
    let end = meter.worked(meter.worked(begin));
    assert_eq!(meter.read().busy, end - begin);
}

#[test]
fn frontiers_are_ordered_and_have_latencies() {
    assert!(Frontier::Unknown < Frontier::At(5) && Frontier::At(5) < Frontier::At(6));
    assert!(Frontier::At(u64::MAX) < Frontier::Done);
    let latencies = [Frontier::Unknown, Frontier::At(5), Frontier::At(90), Frontier::Done];
    assert_eq!(latencies.map(|frontier| frontier.latency(60)), [None, Some(55), Some(0), Some(-1)]);
    assert_eq!(Frontier::At(5).lag(Frontier::At(9), 60), Some(4));
    assert_eq!(Frontier::At(5).lag(Frontier::Done, 60), Some(55));
    assert_eq!(Frontier::Done.lag(Frontier::At(9), 60), Some(0));
    assert_eq!(Frontier::At(5).lag(Frontier::Unknown, 60), None);
}
