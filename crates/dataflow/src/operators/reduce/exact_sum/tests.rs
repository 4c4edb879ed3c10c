//! Exactness of sums.

use proptest::prelude::*;

use super::*;

fn sum(values: &[f64]) -> f64 {
    let mut sum = ExactSum::default();
    values.iter().for_each(|v| sum.add(*v));
    sum.value()
}

#[test]
fn cancellation() {
    assert_eq!(sum(&[1.0, 1e20, -1e20]), 1.0);
    assert_eq!(sum(&[1e20, 1.0, -1e20, 1e-20, -1.0]), 1e-20);
    assert_eq!(sum(&[0.1; 10]), 1.0);
    assert_eq!(sum(&[]), 0.0);
    assert_eq!(sum(&[1e308, 1e308, -1e308]), 1e308);
    assert_eq!(sum(&[1e308, 1e308]), f64::INFINITY);
}

#[test]
fn special_values_come_and_go() {
    let mut sum = ExactSum::default();
    sum.add(1.5);
    sum.add_special([0, 1, 0]);
    assert_eq!(sum.value(), f64::INFINITY);
    sum.add_special([0, 0, 1]);
    assert!(sum.value().is_nan());
    sum.add_special([0, -1, -1]);
    assert_eq!(sum.value(), 1.5);
}

proptest! {
    #[test]
    fn order_and_removals_do_not_matter(
        values in prop::collection::vec(-1e12f64..1e12, 0..30),
        extra in prop::collection::vec(-1e300f64..1e300, 0..10),
    ) {
        let expected = sum(&values);
        let mut reversed = values.clone();
        reversed.reverse();
        prop_assert_eq!(sum(&reversed).to_bits(), expected.to_bits());
        let mut churned = values.clone();
        churned.extend(&extra);
        churned.extend(extra.iter().map(|v| -v));
        prop_assert_eq!(sum(&churned).to_bits(), expected.to_bits());
    }
}
