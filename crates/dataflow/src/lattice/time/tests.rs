//! Rounds are a lattice, and paths act on them as they promise.

use proptest::prelude::*;

use super::*;

fn rounds() -> impl Strategy<Value = Rounds> {
    [0..3u32, 0..3u32, 0..2u32, 0..2u32].prop_map(Rounds)
}

fn path() -> impl Strategy<Value = Path> {
    let add = [0..3u32, 0..3u32, 0..2u32, 0..2u32];
    (0..=LEVELS, add).prop_map(|(keep, add)| Path { keep, add })
}

proptest! {
    #[test]
    fn joins_and_meets_are_bounds(a in rounds(), b in rounds(), c in rounds()) {
        let (join, meet) = (a.join(&b), a.meet(&b));
        assert!(a.less_equal(&join) && b.less_equal(&join) && meet.less_equal(&a) && meet.less_equal(&b));
        assert_eq!(a.less_equal(&c) && b.less_equal(&c), join.less_equal(&c));
        assert_eq!(c.less_equal(&a) && c.less_equal(&b), c.less_equal(&meet));
        if a.less_equal(&b) {
            assert!(a <= b, "the order of sorting extends the partial order");
        }
    }

    #[test]
    fn paths_compose_and_are_monotone(a in rounds(), b in rounds(), p in path(), q in path()) {
        assert_eq!(Path::default().results_in(&a), Some(a));
        let step_by_step = p.results_in(&a).and_then(|rounds| q.results_in(&rounds));
        assert_eq!(p.followed_by(&q).and_then(|path| path.results_in(&a)), step_by_step);
        let ends = (p.results_in(&a).unwrap(), p.results_in(&b).unwrap(), q.results_in(&a).unwrap());
        if a.less_equal(&b) {
            assert!(ends.0.less_equal(&ends.1));
        }
        if p.less_equal(&q) {
            assert!(ends.0.less_equal(&ends.2));
        }
    }
}

#[test]
fn the_rounds_of_nested_loops() {
    let inner = Rounds::first(2).with(2, 5);
    assert_eq!((inner.of(1), inner.of(2), inner.of(3)), (2, 5, 0));
    assert_eq!(Path::around(2).results_in(&inner), Some(inner.with(2, 6)));
    assert_eq!(Path::out_of(2).results_in(&inner), Some(Rounds::first(2)));
    assert_eq!(inner.outside(2), Rounds::first(2));
    assert_eq!(Path::around(1).results_in(&Rounds::first(u32::MAX)), None);
    let time = Product::new(7u64, inner);
    assert_eq!(next_round(1).results_in(&time), Some(Product::new(7, inner.with(1, 3))));
}
