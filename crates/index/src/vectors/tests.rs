use super::*;

fn close(left: f64, right: f64) -> bool {
    (left - right).abs() <= 1e-12 * (1.0 + right.abs())
}

#[test]
fn distances_of_all_lengths() {
    for dimensions in [1, 2, 3, 7, 8, 9, 15, 16, 17, 100] {
        let element = |i: usize, k: usize| ((i * 37 + k * 11) % 23) as f64 / 7.0 - 1.5;
        let [one, other]: [Vec<f64>; 2] = [1, 2].map(|k| (0..dimensions).map(|i| element(i, k)).collect());
        let pairs = || one.iter().zip(&other);
        let inner: f64 = pairs().map(|(l, r)| l * r).sum();
        let norm = |v: &[f64]| v.iter().map(|x| x * x).sum::<f64>().sqrt();
        for (metric, expected) in [
            (Metric::SquaredEuclidean, pairs().map(|(l, r)| (l - r).powi(2)).sum()),
            (Metric::InnerProduct, 1.0 - inner),
            (Metric::Cosine, 1.0 - inner / norm(&one) / norm(&other)),
        ] {
            let mut vectors = Vectors::new(metric, dimensions);
            vectors.push(&other);
            let distance = vectors.distance(&vectors.probe(&one), 0);
            assert!(close(distance, expected), "{metric:?} of {dimensions}: {distance} {expected}");
        }
    }
}

#[test]
fn zero_vectors_have_a_cosine() {
    let mut vectors = Vectors::new(Metric::Cosine, 2);
    vectors.push(&[0.0, 0.0]);
    vectors.push(&[1.0, 0.0]);
    assert_eq!(vectors.distance(&vectors.probe(&[0.0, 0.0]), 0), 0.0);
    assert_eq!(vectors.distance(&vectors.probe(&[0.0, 0.0]), 1), 1.0);
    assert_eq!(vectors.distance(&vectors.probe(&[2.0, 0.0]), 0), 1.0);
}

#[test]
fn slots_stay_dense() {
    let mut vectors = Vectors::new(Metric::Cosine, 2);
    for i in 0..3 {
        vectors.push(&[f64::from(i), 1.0]);
    }
    vectors.swap_remove(0);
    assert_eq!(vectors.get(0), [2.0, 1.0]);
    vectors.set(1, &[0.0, 5.0]);
    vectors.swap_remove(0);
    assert_eq!(vectors.get(0), [0.0, 5.0]);
    assert_eq!(vectors.distance(&vectors.probe(&[0.0, 1.0]), 0), 0.0);
    vectors.swap_remove(0);
    assert!(vectors.elements.is_empty() && vectors.norms.is_empty());
}
