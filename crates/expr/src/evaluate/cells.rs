//! What a node evaluates to: one value for all rows, or a column, and why cells of it are errors.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef};
use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder, NullBuffer};
use pathway_types::storage::is_encoded;
use pathway_types::view::CellView;
use pathway_types::{Column, DType, DataError, Value};

use crate::layout::kind_name;

/// Why a cell is an error: its row and the failure.
pub(crate) type Cause = (u32, DataError);

/// The causes of a column's error cells that arose in the expression: ascending, one a row.
///
/// Invariant: each names a row that is an error in the column they come with.
#[derive(Clone, Debug, Default)]
pub(crate) struct Causes(Option<Arc<Vec<Cause>>>);

impl Causes {
    /// Causes in any order; of several for one row the first stays.
    pub(crate) fn new(mut causes: Vec<Cause>) -> Self {
        if causes.is_empty() {
            return Causes(None);
        }
        if !causes.is_sorted_by(|a, b| a.0 < b.0) {
            causes.sort_by_key(|(row, _)| *row);
            causes.dedup_by_key(|(row, _)| *row);
        }
        Causes(Some(Arc::new(causes)))
    }
    /// The causes as a list.
    pub(crate) fn as_slice(&self) -> &[Cause] {
        self.0.as_deref().map_or(&[], Vec::as_slice)
    }
    /// True without causes.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }
    /// All causes of both; of two for one row the one in `self`.
    pub(crate) fn or(&self, later: &Causes) -> Causes {
        match (&self.0, &later.0) {
            (_, None) => self.clone(),
            (None, _) => later.clone(),
            (Some(first), Some(second)) => Causes::new(first.iter().chain(second.iter()).cloned().collect()),
        }
    }
    /// The causes of the rows that `keep` accepts.
    pub(crate) fn filter(&self, keep: impl Fn(usize) -> bool) -> Causes {
        match &self.0 {
            None => Causes(None),
            Some(causes) => {
                Causes::new(causes.iter().filter(|(row, _)| keep(*row as usize)).cloned().collect())
            }
        }
    }
    /// The causes with rows renamed; `rename` ascends.
    pub(crate) fn rename(&self, rename: impl Fn(usize) -> u32) -> Causes {
        match &self.0 {
            None => Causes(None),
            Some(causes) => {
                Causes::new(causes.iter().map(|(row, e)| (rename(*row as usize), e.clone())).collect())
            }
        }
    }
    /// The list, without a copy if nobody else holds it.
    pub(crate) fn into_vec(self) -> Vec<Cause> {
        self.0.map_or_else(Vec::new, Arc::unwrap_or_clone)
    }
}

/// The cells of a node over some rows.
#[derive(Clone, Debug)]
pub(crate) enum Data {
    /// The same value in every row; never an error.
    Scalar(Value),
    /// One cell per row.
    Rows(Column),
}

/// The result of a node.
#[derive(Clone, Debug)]
pub(crate) struct Cells {
    pub(crate) data: Data,
    pub(crate) causes: Causes,
}

impl Cells {
    /// A constant.
    pub(crate) fn scalar(value: Value, dtype: &DType, rows: usize) -> Cells {
        match value {
            Value::Error => Cells::rows(Column::all_errors(dtype, rows)),
            value => Cells { data: Data::Scalar(value), causes: Causes::default() },
        }
    }
    /// A column without causes.
    pub(crate) fn rows(column: Column) -> Cells {
        Cells { data: Data::Rows(column), causes: Causes::default() }
    }
    /// A column with causes.
    pub(crate) fn with_causes(column: Column, causes: Causes) -> Cells {
        debug_assert!(causes.as_slice().iter().all(|(row, _)| column.is_error(*row as usize)));
        Cells { data: Data::Rows(column), causes }
    }
    /// Every row that counts failed for the same reason.
    pub(crate) fn failed(
        error: &DataError,
        dtype: &DType,
        rows: usize,
        mask: Option<&BooleanBuffer>,
    ) -> Cells {
        let counts = |row: &u32| mask.is_none_or(|mask| mask.value(*row as usize));
        let causes = (0..rows as u32).filter(counts).map(|row| (row, error.clone())).collect();
        Cells::with_causes(Column::all_errors(dtype, rows), Causes::new(causes))
    }
    /// The cells as a column.
    pub(crate) fn column(&self, dtype: &DType, rows: usize) -> Column {
        match &self.data {
            Data::Scalar(value) => Column::constant(value, dtype, rows),
            Data::Rows(column) => column.clone(),
        }
    }
    /// The same with a scalar None spread over the rows, so that only values remain scalars.
    pub(crate) fn spread_none(&self, dtype: &DType, rows: usize) -> Cells {
        match &self.data {
            Data::Scalar(Value::None) => Cells::rows(Column::nulls(dtype, rows)),
            _ => self.clone(),
        }
    }
    /// The mask of error cells.
    pub(crate) fn errors(&self) -> Option<&BooleanBuffer> {
        match &self.data {
            Data::Scalar(_) => None,
            Data::Rows(column) => column.errors(),
        }
    }
    /// The rows that hold None (not errors, not pending).
    pub(crate) fn nones(&self, dtype: &DType, rows: usize) -> Option<BooleanBuffer> {
        match &self.data {
            Data::Scalar(Value::None) => Some(BooleanBuffer::new_set(rows)),
            Data::Scalar(_) => None,
            Data::Rows(column) => none_mask(column, dtype),
        }
    }
}

/// The rows of a column that hold None.
pub(crate) fn none_mask(column: &Column, dtype: &DType) -> Option<BooleanBuffer> {
    if is_encoded(dtype) {
        let view = CellView::new(column, dtype);
        let mask = BooleanBuffer::collect_bool(column.len(), |row| view.is_none(row));
        return (mask.count_set_bits() > 0).then_some(mask);
    }
    let mut mask = match column.array().logical_nulls() {
        Some(nulls) if nulls.null_count() > 0 => !nulls.inner(),
        _ => return None,
    };
    for other in [column.errors(), column.pending()].into_iter().flatten() {
        mask = &mask & &!other;
    }
    (mask.count_set_bits() > 0).then_some(mask)
}

/// Either mask.
pub(crate) fn or_masks(left: Option<BooleanBuffer>, right: Option<&BooleanBuffer>) -> Option<BooleanBuffer> {
    match (left, right) {
        (Some(left), Some(right)) => Some(&left | right),
        (Some(left), None) => Some(left),
        (None, right) => right.cloned(),
    }
}

/// The frame of an operation that needs a value from each operand: where it has them, and which
/// rows are errors, because an operand is one, holds an unexpected None, or the operation fails.
#[derive(Debug)]
pub(crate) struct Strict {
    rows: usize,
    nulls: Option<NullBuffer>,
    errors: Option<BooleanBuffer>,
    causes: Causes,
    failures: Vec<Cause>,
}

impl Strict {
    /// The frame of an operation on these operands.
    pub(crate) fn of(operands: &[(&Cells, &DType)], rows: usize) -> Strict {
        let mut frame = Strict::none_allowed(operands, rows);
        operands.iter().for_each(|operand| frame.refuse_none_in(*operand));
        frame
    }

    /// The frame of an operation that handles None itself: only errors are taken over.
    pub(crate) fn none_allowed(operands: &[(&Cells, &DType)], rows: usize) -> Strict {
        let mut frame =
            Strict { rows, nulls: None, errors: None, causes: Causes::default(), failures: Vec::new() };
        for (cells, _) in operands {
            frame.take_errors(cells, None);
        }
        frame
    }

    /// Takes in one more operand, of which only these rows are looked at.
    pub(crate) fn add_where(&mut self, cells: &Cells, dtype: &DType, rows: &BooleanBuffer) {
        self.take_errors(cells, Some(rows));
        if let Some(nones) = cells.nones(dtype, self.rows) {
            self.refuse_none(&(&nones & rows), dtype.unoptional());
        }
    }

    /// Takes over the errors of one more operand, whose None is handled elsewhere.
    pub(crate) fn add_errors(&mut self, cells: &Cells) {
        self.take_errors(cells, None);
    }

    fn take_errors(&mut self, cells: &Cells, only: Option<&BooleanBuffer>) {
        if let Some(errors) = cells.errors() {
            let errors = only.map_or_else(|| errors.clone(), |only| errors & only);
            self.nulls = NullBuffer::union(self.nulls.as_ref(), Some(&NullBuffer::new(!&errors)));
            self.errors = or_masks(self.errors.take(), Some(&errors));
        }
        if !cells.causes.is_empty() {
            let causes = match only {
                Some(only) => cells.causes.filter(|row| only.value(row)),
                None => cells.causes.clone(),
            };
            self.causes = self.causes.or(&causes);
        }
    }

    /// Makes these rows None (those that are not errors).
    pub(crate) fn give_none(&mut self, nones: &BooleanBuffer) {
        self.nulls = NullBuffer::union(self.nulls.as_ref(), Some(&NullBuffer::new(!nones)));
    }

    /// A None in this operand is an error, since the types promised a value.
    pub(crate) fn refuse_none_in(&mut self, (cells, dtype): (&Cells, &DType)) {
        if let Some(nones) = cells.nones(dtype, self.rows) {
            self.refuse_none(&nones, dtype.unoptional());
        }
    }

    fn refuse_none(&mut self, nones: &BooleanBuffer, expected: &DType) {
        let new = match &self.errors {
            Some(errors) => nones & &!errors,
            None => nones.clone(),
        };
        for row in new.set_indices() {
            self.failures.push((row as u32, DataError::type_mismatch(kind_name(expected), "None")));
        }
        self.errors = or_masks(self.errors.take(), Some(&new));
        self.give_none(nones);
    }

    /// The number of rows.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }
    /// True if every row has all its operands.
    pub(crate) fn all_valid(&self) -> bool {
        self.nulls.is_none()
    }
    /// The rows that have all their operands.
    pub(crate) fn validity(&self) -> Option<&NullBuffer> {
        self.nulls.as_ref()
    }
    /// True if the row has all its operands.
    #[inline]
    pub(crate) fn is_valid(&self, row: usize) -> bool {
        self.nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row))
    }
    /// True if the row is an error before the operation.
    #[inline]
    pub(crate) fn is_error(&self, row: usize) -> bool {
        self.errors.as_ref().is_some_and(|errors| errors.value(row))
    }
    /// The operation fails on a valid row.
    pub(crate) fn fail(&mut self, row: usize, error: DataError) {
        self.failures.push((row as u32, error));
    }

    /// Closes the frame: the null buffer of the result's array, and the rest for [`Sealed::finish`].
    pub(crate) fn seal(self) -> (Option<NullBuffer>, Sealed) {
        let Strict { rows, nulls, errors, causes, failures } = self;
        if failures.is_empty() {
            return (nulls, Sealed { errors, causes });
        }
        let failed = mask_of(failures.iter().map(|(row, _)| *row), rows);
        let valid = NullBuffer::new(!&failed);
        let nulls = NullBuffer::union(nulls.as_ref(), Some(&valid));
        let errors = or_masks(Some(failed), errors.as_ref());
        (nulls, Sealed { errors, causes: causes.or(&Causes::new(failures)) })
    }

    /// Closes the frame over a result made from its null buffer.
    pub(crate) fn finish(self, array: impl FnOnce(Option<NullBuffer>) -> ArrayRef) -> Cells {
        let (nulls, sealed) = self.seal();
        sealed.finish(array(nulls))
    }

    /// Closes the frame over a column in which every row that is not valid is an error.
    pub(crate) fn finish_column(self, column: &Column) -> Cells {
        let (_, sealed) = self.seal();
        Cells::with_causes(column.clone(), sealed.causes)
    }
}

/// The error part of a closed [`Strict`].
pub(crate) struct Sealed {
    errors: Option<BooleanBuffer>,
    causes: Causes,
}

impl Sealed {
    /// The mask of errors.
    pub(crate) fn errors(&self) -> Option<&BooleanBuffer> {
        self.errors.as_ref()
    }
    /// The causes of errors that arose in the expression.
    pub(crate) fn causes(&self) -> &Causes {
        &self.causes
    }
    /// The result; `array` is null where the seal's null buffer is.
    pub(crate) fn finish(self, array: ArrayRef) -> Cells {
        Cells::with_causes(Column::with_errors(array, self.errors), self.causes)
    }
}

/// A mask of `len` bits with these (in any order) set.
pub(crate) fn mask_of(rows: impl Iterator<Item = u32>, len: usize) -> BooleanBuffer {
    let mut mask = BooleanBufferBuilder::new(len);
    mask.append_n(len, false);
    rows.for_each(|row| mask.set_bit(row as usize, true));
    mask.finish()
}
