//! Whatever form diffs are kept in.

use super::*;

#[test]
fn all_forms_hold_the_same() {
    for diffs in [vec![1, 1, 1], vec![1, -1, 5], vec![1, -1, 1 << 40], vec![-128, 127, 128]] {
        let counts = Counts::from(Diffs::from(diffs.clone()));
        let each = |counts: &Counts| counts.to_diffs().iter().collect::<Vec<_>>();
        assert_eq!(each(&counts), diffs);
        assert_eq!((0..counts.len()).map(|at| counts.get(at)).collect::<Vec<_>>(), diffs);
        assert_eq!(each(&counts.slice(1, 2)), diffs[1..]);
        assert_eq!(each(&counts.take(&[2, 0])), [diffs[2], diffs[0]]);
        for other in [vec![1, 1], vec![-1, 1], vec![300, 1]] {
            let both = [counts.clone(), Counts::from(Diffs::from(other.clone()))];
            assert_eq!(each(&Counts::concat(both.iter())), [diffs.clone(), other].concat());
        }
    }
}
