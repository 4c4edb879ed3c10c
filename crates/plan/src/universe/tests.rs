use proptest::prelude::*;

use super::{Definition, Universes};

#[test]
fn examples_of_the_contract_hold() {
    let mut u = Universes::default();
    let a = u.add(&Definition::Unrelated);
    let x = u.add(&Definition::SubsetOf(a));
    let y = u.add(&Definition::SubsetOf(x));
    assert!(u.is_subset(y, a) && !u.is_subset(a, y));
    let b = u.add(&Definition::Unrelated);
    let ab = u.add(&Definition::Intersection(vec![a, b]));
    let ba = u.add(&Definition::Intersection(vec![b, a]));
    assert!(u.are_equal(ab, ba));
    let rest = u.add(&Definition::Difference(a, b));
    assert!(u.are_disjoint(rest, ab) && !u.are_disjoint(rest, a));
    let whole = u.add(&Definition::Union(vec![rest, ab]));
    assert!(u.are_equal(whole, a));
    let c = u.add(&Definition::SubsetOf(a));
    let updated = u.add(&Definition::Union(vec![x, c]));
    assert!(u.is_subset(updated, a));
    assert!(u.take_found_empty().is_empty());
}

#[test]
fn emptiness_is_found_once_and_not_where_declared() {
    let mut u = Universes::default();
    let empty = u.add(&Definition::Empty);
    assert!(u.is_empty(empty) && u.take_found_empty().is_empty());
    let filtered = u.add(&Definition::SubsetOf(empty));
    assert_eq!(u.take_found_empty(), vec![filtered]);
    let grouped = u.add(&Definition::EmptyWith(vec![filtered]));
    assert_eq!(u.take_found_empty(), vec![grouped]);
    let (a, b) = (u.add(&Definition::Unrelated), u.add(&Definition::Unrelated));
    let both = u.add(&Definition::Intersection(vec![a, b]));
    u.promise_disjoint(&[a, b]);
    assert_eq!(u.take_found_empty(), vec![both]);
    u.promise_equal(a, b);
    assert_eq!(u.take_found_empty(), vec![a, b]);
    u.promise_equal(a, b);
    assert!(u.take_found_empty().is_empty());
}

#[test]
fn ids_do_not_come_back() {
    let mut u = Universes::default();
    let a = u.add(&Definition::Unrelated);
    u.clear();
    let b = u.add(&Definition::Unrelated);
    assert!(!u.contains(a) && u.contains(b) && a != b);
}

#[test]
fn thousands_of_tables_are_quick() {
    let start = std::time::Instant::now();
    let mut u = Universes::default();
    let mut all = vec![u.add(&Definition::Unrelated)];
    for i in 1..4000usize {
        let (a, b) = (all[i / 2], all[i * 7 % i]);
        let definition = match i % 6 {
            0 => Definition::Unrelated,
            1 | 2 => Definition::SubsetOf(a),
            3 => Definition::Intersection(vec![a, b]),
            4 => Definition::Difference(a, b),
            _ => Definition::Union(vec![a, b]),
        };
        let new = u.add(&definition);
        u.is_subset(new, all[i / 3]);
        u.are_disjoint(all[i - 1], new);
        all.push(new);
    }
    // Generous: a busy machine and no optimisation must not fail it, a quadratic solver must.
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

/// A fact about universes given by small numbers.
#[derive(Clone, Debug)]
enum Fact {
    Add(u8, usize, usize),
    Subset(usize, usize),
    Equal(usize, usize),
    Disjoint(usize, usize),
}

fn fact() -> impl Strategy<Value = Fact> {
    prop_oneof![
        3 => (0..7u8, any::<usize>(), any::<usize>()).prop_map(|(k, a, b)| Fact::Add(k, a, b)),
        1 => (any::<usize>(), any::<usize>()).prop_map(|(a, b)| Fact::Subset(a, b)),
        1 => (any::<usize>(), any::<usize>()).prop_map(|(a, b)| Fact::Equal(a, b)),
        1 => (any::<usize>(), any::<usize>()).prop_map(|(a, b)| Fact::Disjoint(a, b)),
    ]
}

/// A condition on which universes a key is in.
type Holds = Box<dyn Fn(&[bool]) -> bool>;

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// The answers are those of trying all combinations.
    #[test]
    fn entailment_is_complete(facts in prop::collection::vec(fact(), 1..12)) {
        let mut u = Universes::default();
        let mut all = vec![u.add(&Definition::Unrelated)];
        let mut holds: Vec<Holds> = Vec::new();
        for fact in facts {
            let n = all.len();
            match fact {
                Fact::Add(kind, a, b) => {
                    let (i, j) = (a % n, b % n);
                    let (a, b) = (all[i], all[j]);
                    let (definition, fact): (Definition, Holds) = match kind {
                        0 => (Definition::Unrelated, Box::new(|_| true)),
                        1 => (Definition::SubsetOf(a), Box::new(move |m| !m[n] || m[i])),
                        2 => (Definition::SupersetOf(a), Box::new(move |m| !m[i] || m[n])),
                        3 => (Definition::Intersection(vec![a, b]), Box::new(move |m| m[n] == (m[i] && m[j]))),
                        4 => (Definition::Union(vec![a, b]), Box::new(move |m| m[n] == (m[i] || m[j]))),
                        5 => (Definition::Difference(a, b), Box::new(move |m| m[n] == (m[i] && !m[j]))),
                        _ => (Definition::EqualTo(a), Box::new(move |m| m[n] == m[i])),
                    };
                    all.push(u.add(&definition));
                    holds.push(fact);
                }
                Fact::Subset(a, b) => {
                    let (i, j) = (a % n, b % n);
                    u.promise_subset(all[i], all[j]);
                    holds.push(Box::new(move |m| !m[i] || m[j]));
                }
                Fact::Equal(a, b) => {
                    let (i, j) = (a % n, b % n);
                    u.promise_equal(all[i], all[j]);
                    holds.push(Box::new(move |m| m[i] == m[j]));
                }
                Fact::Disjoint(a, b) => {
                    let (i, j) = (a % n, b % n);
                    if i != j {
                        u.promise_disjoint(&[all[i], all[j]]);
                        holds.push(Box::new(move |m| !(m[i] && m[j])));
                    }
                }
            }
        }
        let n = all.len();
        let models: Vec<Vec<bool>> = (0..1u32 << n)
            .map(|bits| (0..n).map(|i| bits >> i & 1 == 1).collect::<Vec<bool>>())
            .filter(|model| holds.iter().all(|fact| fact(model)))
            .collect();
        let empty = |i: usize| models.iter().all(|m| !m[i]);
        let found = u.take_found_empty();
        for i in 0..n {
            prop_assert_eq!(u.is_empty(all[i]), empty(i));
            prop_assert_eq!(found.contains(&all[i]), empty(i));
            for j in 0..n {
                prop_assert_eq!(u.is_subset(all[i], all[j]), models.iter().all(|m| !m[i] || m[j]));
                prop_assert_eq!(u.are_disjoint(all[i], all[j]), models.iter().all(|m| !(m[i] && m[j])));
            }
        }
    }
}
