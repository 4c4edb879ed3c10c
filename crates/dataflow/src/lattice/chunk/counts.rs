//! Diffs as chunks keep them: nearly all are one or minus one, and a byte holds them.

use arrow_buffer::ScalarBuffer;
use pathway_types::Diffs;

/// The diff of each update of a chunk.
#[derive(Clone, Debug)]
pub(in crate::lattice) enum Counts {
    /// So many times one.
    Ones(usize),
    /// Small ones.
    Small(ScalarBuffer<i8>),
    /// Any.
    Each(ScalarBuffer<i64>),
}

impl Counts {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        match self {
            Counts::Ones(len) => *len,
            Counts::Small(diffs) => diffs.len(),
            Counts::Each(diffs) => diffs.len(),
        }
    }

    /// How many bytes they take.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Counts::Ones(_) => 0,
            Counts::Small(diffs) => diffs.len(),
            Counts::Each(diffs) => size_of_val(&**diffs),
        }
    }

    /// The diff of an update.
    #[inline]
    pub(in crate::lattice) fn get(&self, update: usize) -> i64 {
        match self {
            Counts::Ones(_) => 1,
            Counts::Small(diffs) => i64::from(diffs[update]),
            Counts::Each(diffs) => diffs[update],
        }
    }

    /// Those of a range of updates.
    pub(super) fn slice(&self, offset: usize, len: usize) -> Self {
        match self {
            Counts::Ones(_) => Counts::Ones(len),
            Counts::Small(diffs) => Counts::Small(diffs.slice(offset, len)),
            Counts::Each(diffs) => Counts::Each(diffs.slice(offset, len)),
        }
    }

    /// Those of these updates.
    pub(super) fn take(&self, updates: &[u32]) -> Self {
        match self {
            Counts::Ones(_) => Counts::Ones(updates.len()),
            Counts::Small(diffs) => {
                Counts::Small(updates.iter().map(|update| diffs[*update as usize]).collect())
            }
            Counts::Each(diffs) => {
                Counts::Each(updates.iter().map(|update| diffs[*update as usize]).collect())
            }
        }
    }

    /// Those of several chunks one after another.
    pub(super) fn concat<'a>(parts: impl Iterator<Item = &'a Counts> + Clone) -> Self {
        let all = parts.clone().map(Counts::len).sum();
        if parts.clone().all(|part| matches!(part, Counts::Ones(_))) {
            return Counts::Ones(all);
        }
        if parts.clone().any(|part| matches!(part, Counts::Each(_))) {
            let mut diffs = Vec::with_capacity(all);
            parts.for_each(|part| diffs.extend((0..part.len()).map(|update| part.get(update))));
            return Counts::Each(diffs.into());
        }
        let mut diffs: Vec<i8> = Vec::with_capacity(all);
        parts.for_each(|part| match part {
            Counts::Small(part) => diffs.extend_from_slice(part),
            other => diffs.resize(diffs.len() + other.len(), 1),
        });
        Counts::Small(diffs.into())
    }

    /// The same for changes.
    pub(super) fn to_diffs(&self) -> Diffs {
        match self {
            Counts::Ones(len) => Diffs::Ones(*len),
            Counts::Small(diffs) => diffs.iter().map(|diff| i64::from(*diff)).collect::<Vec<i64>>().into(),
            Counts::Each(diffs) => Diffs::Each(diffs.clone()),
        }
    }
}

impl From<Diffs> for Counts {
    fn from(diffs: Diffs) -> Self {
        let each = match diffs {
            Diffs::Ones(len) => return Counts::Ones(len),
            Diffs::Each(each) => each,
        };
        let small: Option<Vec<i8>> = each.iter().map(|diff| i8::try_from(*diff).ok()).collect();
        small.map_or(Counts::Each(each), |mut small| {
            small.shrink_to_fit();
            Counts::Small(small.into())
        })
    }
}

#[cfg(test)]
mod tests;
