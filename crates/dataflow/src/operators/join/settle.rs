//! Rows that lend their id to the result and have several matches: one row instead of the pairs.

use pathway_plan::program::JoinIds;
use pathway_types::{Batch, Column, DType, Keys};

use super::{Join, JoinSpec};
use crate::operator::Emitter;
use crate::store::RowId;

impl Join {
    /// The side that lends its ids to the result.
    pub(super) fn owner(&self) -> Option<usize> {
        match self.spec.ids {
            JoinIds::Pair => None,
            JoinIds::Left => Some(0),
            JoinIds::Right => Some(1),
        }
    }

    /// Rows stay although the other side has ended: they may have to be made one row with others.
    pub(super) fn keeps_all(&self) -> bool {
        self.owner().is_some() && !self.context.terminates_on_error()
    }

    /// Makes one row of the pairs of each row that lends its id and has several matches.
    pub(super) fn settle(&mut self, out: &mut Emitter) {
        let Some(owner) = self.owner().filter(|_| self.keeps_all()) else { return };
        for key in self.touched.keys().copied().collect::<Vec<_>>() {
            if let Some(before) = self.settled.remove(&key) {
                out.emit(before.negate());
            }
            if let Some(now) = self.one_row_of_pairs(owner, key) {
                out.emit(now.clone());
                self.settled.insert(key, now);
            }
        }
    }

    /// What has to be added to the pairs of a key so that each row of the owner appears once.
    pub(super) fn one_row_of_pairs(&self, owner: usize, key: u128) -> Option<Batch> {
        let matches = self.sides[1 - owner].counts.as_ref()?.get(&key).copied()?;
        if matches <= 1 {
            return None;
        }
        let rows_of = |side: usize, rows: &[RowId]| {
            self.sides[side].rows.rows().gather_batch(rows, 0..self.spec.dtypes[side].len())
        };
        let joined = |mine: &[RowId], theirs: &[RowId], diffs: Vec<i64>| {
            let (mine, theirs) = (rows_of(owner, mine)?, rows_of(1 - owner, theirs)?);
            let joint = Keys::from(vec![key; mine.len()]);
            let (left, right) = if owner == 0 { (mine, theirs) } else { (theirs, mine) };
            Some(self.spec.pairs(left, right, &joint, diffs.into()))
        };
        let mine = self.sides[owner].rows.get(key);
        let theirs = self.sides[1 - owner].rows.get(key);
        let (mut left, mut right, mut diffs) = (Vec::new(), Vec::new(), Vec::new());
        for (own, match_) in mine.iter().flat_map(|own| theirs.iter().map(move |other| (own, other))) {
            left.push(own.row);
            right.push(match_.row);
            diffs.push(-i64::from(own.count) * i64::from(match_.count));
        }
        let pairs = joined(&left, &right, diffs)?;
        let first = vec![theirs.first()?.row; mine.len()];
        let own: Vec<RowId> = mine.iter().map(|entry| entry.row).collect();
        let mut one = joined(&own, &first, mine.iter().map(|entry| i64::from(entry.count)).collect())?;
        self.spec.spoil(1 - owner, &mut one);
        Some(Batch::concat(&[pairs, one]))
    }
}

impl JoinSpec {
    /// Makes errors of the columns of one side, and of its ids, in rows of the result.
    pub(crate) fn spoil(&self, side: usize, rows: &mut Batch) {
        let widths = self.dtypes.each_ref().map(Vec::len);
        let start = if side == 1 { widths[0] } else { 0 };
        let mut columns: Vec<usize> = (start..start + widths[side]).collect();
        if self.row_ids[side] {
            let place = if side == 1 { usize::from(self.row_ids[0]) } else { 0 };
            columns.push(widths[0] + widths[1] + place);
        }
        for (position, column) in columns.into_iter().enumerate() {
            let dtype = self.dtypes[side].get(position).unwrap_or(&DType::ANY_POINTER);
            rows.columns[column] = Column::all_errors(dtype, rows.len());
        }
    }
}
