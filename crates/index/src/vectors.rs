//! Vectors side by side in memory, and distances to them.

use wide::f64x4;

/// How far two vectors are apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Metric {
    /// The sum of the squared differences.
    SquaredEuclidean,
    /// One minus the cosine of the angle. A zero vector is as far from others as a perpendicular one.
    Cosine,
    /// One minus the inner product.
    InnerProduct,
}

/// Below this length the plain loop is as quick, and adds up in the order of the elements.
const SHORT: usize = 8;

fn four(chunk: &[f64]) -> f64x4 {
    f64x4::new([chunk[0], chunk[1], chunk[2], chunk[3]])
}

/// Adds up a term of each pair of elements, in two times four lanes.
#[inline(always)]
fn sum_of(
    left: &[f64],
    right: &[f64],
    terms: impl Fn(f64x4, f64x4) -> f64x4,
    term: impl Fn(f64, f64) -> f64,
) -> f64 {
    let rest = |left: &[f64], right: &[f64]| left.iter().zip(right).map(|(l, r)| term(*l, *r)).sum::<f64>();
    if left.len() < SHORT {
        return rest(left, right);
    }
    let (left, right) = (left.chunks_exact(8), right.chunks_exact(8));
    let rest = rest(left.remainder(), right.remainder());
    let mut sums = [f64x4::ZERO; 2];
    for (left, right) in left.zip(right) {
        sums[0] += terms(four(left), four(right));
        sums[1] += terms(four(&left[4..]), four(&right[4..]));
    }
    (sums[0] + sums[1]).reduce_add() + rest
}

fn dot(left: &[f64], right: &[f64]) -> f64 {
    sum_of(left, right, |l, r| l * r, |l, r| l * r)
}

fn squared_difference(left: &[f64], right: &[f64]) -> f64 {
    let terms = |l: f64x4, r: f64x4| {
        let difference = l - r;
        difference * difference
    };
    sum_of(left, right, terms, |l, r| (l - r) * (l - r))
}

/// A vector to which distances are measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Probe<'a> {
    vector: &'a [f64],
    norm: f64,
}

/// Vectors of one length, each in a slot; slots are dense, so that all of them are one run of memory.
#[derive(Clone, Debug)]
pub(crate) struct Vectors {
    metric: Metric,
    dimensions: usize,
    elements: Vec<f64>,
    /// Only where the metric needs them.
    norms: Vec<f64>,
}

impl Vectors {
    /// No vectors, of this length.
    pub(crate) fn new(metric: Metric, dimensions: usize) -> Self {
        Vectors { metric, dimensions, elements: Vec::new(), norms: Vec::new() }
    }

    /// The length of each.
    pub(crate) fn dimensions(&self) -> usize {
        self.dimensions
    }

    fn norm(&self, vector: &[f64]) -> f64 {
        if self.metric == Metric::Cosine { dot(vector, vector).sqrt() } else { 0.0 }
    }

    /// Adds a vector in the next slot.
    pub(crate) fn push(&mut self, vector: &[f64]) {
        debug_assert_eq!(vector.len(), self.dimensions);
        self.elements.extend_from_slice(vector);
        if self.metric == Metric::Cosine {
            self.norms.push(self.norm(vector));
        }
    }

    /// Replaces the vector of a slot.
    pub(crate) fn set(&mut self, slot: usize, vector: &[f64]) {
        let at = slot * self.dimensions;
        self.elements[at..at + self.dimensions].copy_from_slice(vector);
        if self.metric == Metric::Cosine {
            self.norms[slot] = self.norm(vector);
        }
    }

    /// Removes the vector of a slot; that of the last one takes its place.
    pub(crate) fn swap_remove(&mut self, slot: usize) {
        let (at, last) = (slot * self.dimensions, self.elements.len() - self.dimensions);
        self.elements.copy_within(last.., at);
        self.elements.truncate(last);
        if self.metric == Metric::Cosine {
            self.norms.swap_remove(slot);
        }
    }

    /// The vector of a slot.
    pub(crate) fn get(&self, slot: usize) -> &[f64] {
        let at = slot * self.dimensions;
        &self.elements[at..at + self.dimensions]
    }

    /// A vector from which distances are measured.
    pub(crate) fn probe<'a>(&self, vector: &'a [f64]) -> Probe<'a> {
        Probe { vector, norm: self.norm(vector) }
    }

    /// The distance of the vector of a slot.
    #[inline]
    pub(crate) fn distance(&self, probe: &Probe<'_>, slot: usize) -> f64 {
        let vector = self.get(slot);
        let distance = match self.metric {
            Metric::SquaredEuclidean => squared_difference(vector, probe.vector),
            Metric::InnerProduct => 1.0 - dot(vector, probe.vector),
            Metric::Cosine => match self.norms[slot] * probe.norm {
                // As two such vectors are the same.
                0.0 if self.norms[slot] == probe.norm => 0.0,
                0.0 => 1.0,
                norms => 1.0 - dot(vector, probe.vector) / norms,
            },
        };
        // One NaN, so that the order of distances is one order.
        if distance.is_nan() { f64::NAN } else { distance }
    }
}

#[cfg(test)]
mod tests;
