//! Sums of floats without rounding error.
//!
//! A sum is kept as an expansion: non-overlapping doubles, smallest first, whose exact sum is the
//! exact sum of everything added. Adding and removing a value leaves what was there before, to the
//! last bit, and the result does not depend on the order of additions. Algorithm: J. R. Shewchuk,
//! "Adaptive Precision Floating-Point Arithmetic", 1997; rounding as in Python's `math.fsum`.

use smallvec::SmallVec;

/// How often NaN, +inf and -inf are among the values.
pub(super) type Special = [i64; 3];

/// One exact sum.
#[derive(Clone, Debug, Default)]
pub(super) struct ExactSum {
    partials: SmallVec<[f64; 2]>,
    special: Option<Box<Special>>,
}

/// The place of a non-finite value in [`Special`].
pub(super) fn special_index(value: f64) -> usize {
    match () {
        () if value.is_nan() => 0,
        () if value > 0.0 => 1,
        () => 2,
    }
}

impl ExactSum {
    /// Adds a finite value.
    #[inline]
    pub(super) fn add(&mut self, value: f64) {
        let mut x = value;
        let mut kept = 0;
        for i in 0..self.partials.len() {
            let mut y = self.partials[i];
            if x.abs() < y.abs() {
                std::mem::swap(&mut x, &mut y);
            }
            let high = x + y;
            if high.is_infinite() {
                // Beyond the range of doubles: keep both, a later removal brings them back in range.
                self.partials[kept] = y;
                kept += 1;
                continue;
            }
            let low = y - (high - x);
            if low != 0.0 {
                self.partials[kept] = low;
                kept += 1;
            }
            x = high;
        }
        self.partials.truncate(kept);
        if x != 0.0 {
            self.partials.push(x);
        }
    }

    /// Adds non-finite values.
    pub(super) fn add_special(&mut self, special: Special) {
        let counts = self.special.get_or_insert_with(Box::default);
        counts.iter_mut().zip(special).for_each(|(c, n)| *c += n);
    }

    /// The parts of the sum, if there are at most three and they are finite.
    pub(super) fn parts(&self) -> Option<[f64; 3]> {
        if self.partials.len() > 3 || self.special.is_some() {
            return None;
        }
        let mut parts = [0.0; 3];
        parts[..self.partials.len()].copy_from_slice(&self.partials);
        Some(parts)
    }

    /// All finite parts.
    pub(super) fn all_parts(&self) -> &[f64] {
        &self.partials
    }

    /// The counts of non-finite values.
    pub(super) fn special(&self) -> Special {
        self.special.as_deref().copied().unwrap_or_default()
    }

    /// The sum, correctly rounded.
    pub(super) fn value(&self) -> f64 {
        match self.special.as_deref() {
            None | Some([0, 0, 0]) => {}
            Some([0, _, 0]) => return f64::INFINITY,
            Some([0, 0, _]) => return f64::NEG_INFINITY,
            Some(_) => return f64::NAN,
        }
        let mut rest = self.partials.iter().rev().copied();
        let Some(mut high) = rest.next() else { return 0.0 };
        let mut low = 0.0;
        for y in rest.by_ref() {
            let x = high;
            high = x + y;
            low = y - (high - x);
            if low != 0.0 {
                break;
            }
        }
        // Half-way cases are decided by the sign of what follows.
        if let Some(next) = rest.next()
            && (low < 0.0 && next < 0.0 || low > 0.0 && next > 0.0)
        {
            let doubled = low * 2.0;
            let x = high + doubled;
            if doubled == x - high {
                high = x;
            }
        }
        high
    }
}

#[cfg(test)]
mod tests;
