//! Rows in the order of a value, within instances.
//!
//! One tree holds the places of all instances: by instance, then value, then row id. Finding a
//! neighbour, adding and removing a row cost a logarithm of all rows, whatever the sizes of instances.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Debug;
use std::hash::Hash;
use std::ops::Bound;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Decimal128Type, DurationNanosecondType, Float64Type, Int64Type, TimestampNanosecondType,
};
use arrow_array::{Array, LargeBinaryArray};
use pathway_types::encoding::encode;
use pathway_types::view::CellView;
use pathway_types::{Column, DType, Keys};

use super::of_tree;

/// A cell as something that compares fast, in the order of values: None first, errors last.
pub trait OrderKey: Clone + Ord + Hash + Debug + 'static {
    /// One that is not greater than any other.
    fn least() -> Self;
    /// One for each cell of a column.
    fn of(column: &Column, dtype: &DType) -> Vec<Self>;
    /// A column that holds them, to save them.
    fn save(keys: Vec<Self>) -> Column;
    /// What such a column holds; nothing, if it is none.
    fn load(column: &Column) -> Vec<Self>;
}

/// Cells of eight bytes: the class of the cell, then its bits so that they compare as it does.
pub type Word = u128;
/// Any cell: its encoding.
pub type Text = Box<[u8]>;

const NONE: Word = 0;
const THERE: Word = 1 << 64;
const PENDING: Word = 2 << 64;
const ERROR: Word = 3 << 64;
const SIGN: u64 = 1 << 63;

/// True if cells of this dtype can be a [`Word`].
pub fn is_word(dtype: &DType) -> bool {
    use DType::{Bool, DateTimeNaive, DateTimeUtc, Duration, Float, Int};
    matches!(dtype.unoptional(), Bool | Int | Float | DateTimeNaive | DateTimeUtc | Duration)
}

/// The word of an integer (also of a moment or a duration).
pub fn word_of_int(value: i64) -> Word {
    THERE | Word::from((value as u64) ^ SIGN)
}

/// The word of a float.
pub fn word_of_float(value: f64) -> Word {
    let bits = if value.is_nan() { u64::MAX >> 1 } else { (value + 0.0).to_bits() };
    THERE | Word::from(if bits & SIGN == 0 { bits | SIGN } else { !bits })
}

impl OrderKey for Word {
    fn least() -> Word {
        NONE
    }
    fn of(column: &Column, dtype: &DType) -> Vec<Word> {
        let array = column.array();
        let mut words: Vec<Word> = match dtype.unoptional() {
            DType::Bool => {
                let cells = array.as_boolean().values();
                cells.iter().map(|cell| word_of_int(i64::from(cell))).collect()
            }
            DType::Float => {
                array.as_primitive::<Float64Type>().values().iter().map(|v| word_of_float(*v)).collect()
            }
            DType::Duration => {
                let cells = array.as_primitive::<DurationNanosecondType>().values();
                cells.iter().map(|v| word_of_int(*v)).collect()
            }
            DType::DateTimeNaive | DType::DateTimeUtc => {
                let cells = array.as_primitive::<TimestampNanosecondType>().values();
                cells.iter().map(|v| word_of_int(*v)).collect()
            }
            dtype => {
                debug_assert_eq!(*dtype, DType::Int, "no cells of eight bytes");
                array.as_primitive::<Int64Type>().values().iter().map(|v| word_of_int(*v)).collect()
            }
        };
        if let Some(nulls) = array.nulls() {
            (!nulls.inner()).set_indices().for_each(|row| words[row] = NONE);
        }
        for (mask, word) in [(column.pending(), PENDING), (column.errors(), ERROR)] {
            mask.into_iter().flat_map(|mask| mask.set_indices()).for_each(|row| words[row] = word);
        }
        words
    }
    fn save(keys: Vec<Word>) -> Column {
        Keys::from(keys).to_column()
    }
    fn load(column: &Column) -> Vec<Word> {
        let words = column.array().as_primitive_opt::<Decimal128Type>();
        words.map_or_else(Vec::new, |words| words.values().iter().map(|word| *word as Word).collect())
    }
}

impl OrderKey for Text {
    fn least() -> Text {
        Text::default()
    }
    fn of(column: &Column, dtype: &DType) -> Vec<Text> {
        let view = CellView::new(column, dtype);
        let mut buffer = Vec::new();
        let text = |row| {
            buffer.clear();
            encode(&view.value(row), &mut buffer);
            Text::from(buffer.as_slice())
        };
        (0..column.len()).map(text).collect()
    }
    fn save(keys: Vec<Text>) -> Column {
        Column::new(Arc::new(LargeBinaryArray::from_iter_values(keys)))
    }
    fn load(column: &Column) -> Vec<Text> {
        let texts = column.array().as_binary_opt::<i64>();
        texts.map_or_else(Vec::new, |texts| texts.iter().flatten().map(Text::from).collect())
    }
}

/// Where a row is in the order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place<K> {
    /// The key of the instance.
    pub instance: u128,
    /// The value.
    pub key: K,
    /// The row id.
    pub id: u128,
}

/// The ids of a row's neighbours in its instance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Around {
    /// The row before it.
    pub prev: Option<u128>,
    /// The row after it.
    pub next: Option<u128>,
}

/// Places of rows in their order.
#[derive(Debug)]
pub struct Ordered<K> {
    places: BTreeSet<Place<K>>,
    /// How often a row is there, where that is neither never nor once: more than once, or less than
    /// never, while a removal came before its insertion.
    counts: HashMap<Place<K>, i64>,
}

impl<K: OrderKey> Default for Ordered<K> {
    fn default() -> Self {
        Ordered { places: BTreeSet::new(), counts: HashMap::new() }
    }
}

impl<K: OrderKey> Ordered<K> {
    /// About how many bytes it takes in memory, without texts.
    pub fn memory(&self) -> usize {
        of_tree::<Place<K>>(self.places.len()) + self.counts.capacity() * size_of::<(Place<K>, i64)>()
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// True without rows.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// True if the row is there.
    pub fn contains(&self, place: &Place<K>) -> bool {
        self.places.contains(place)
    }

    /// All places in order.
    pub fn iter(&self) -> impl Iterator<Item = &Place<K>> {
        self.places.iter()
    }

    /// The places of a range, in order.
    pub fn range<'a>(
        &'a self,
        range: (Bound<&'a Place<K>>, Bound<&'a Place<K>>),
    ) -> impl Iterator<Item = &'a Place<K>> {
        self.places.range(range)
    }

    /// The rows of an instance whose value is at most `key`, in order.
    pub fn up_to(&self, instance: u128, key: &K) -> impl Iterator<Item = &Place<K>> {
        let first = Place { instance, key: K::least(), id: 0 };
        let last = Place { instance, key: key.clone(), id: u128::MAX };
        self.places.range(first..=last)
    }

    /// The row before a place in its instance.
    pub fn before(&self, place: &Place<K>) -> Option<&Place<K>> {
        let before = self.places.range((Bound::Unbounded, Bound::Excluded(place))).next_back();
        before.filter(|other| other.instance == place.instance)
    }

    /// The row after a place in its instance.
    pub fn after(&self, place: &Place<K>) -> Option<&Place<K>> {
        let after = self.places.range((Bound::Excluded(place), Bound::Unbounded)).next();
        after.filter(|other| other.instance == place.instance)
    }

    /// The neighbours of a row, if it is there.
    pub fn around(&self, place: &Place<K>) -> Option<Around> {
        let id = |place: &Place<K>| place.id;
        self.contains(place)
            .then(|| Around { prev: self.before(place).map(id), next: self.after(place).map(id) })
    }

    /// All rows in order with their neighbours.
    pub fn all_around(&self) -> impl Iterator<Item = (&Place<K>, Around)> {
        let mut before: Option<&Place<K>> = None;
        let mut rows = self.places.iter().peekable();
        std::iter::from_fn(move || {
            let place = rows.next()?;
            let near = |other: Option<&Place<K>>| {
                other.filter(|other| other.instance == place.instance).map(|other| other.id)
            };
            let around = Around { prev: near(before), next: near(rows.peek().copied()) };
            before = Some(place);
            Some((place, around))
        })
    }

    /// Adds a row so often (or removes it). False if it is there several times now.
    pub fn add(&mut self, place: Place<K>, diff: i64) -> bool {
        let there = i64::from(self.places.contains(&place));
        let several = if self.counts.is_empty() { None } else { self.counts.remove(&place) };
        let count = several.unwrap_or(there) + diff;
        match (there, count) {
            (0, 1..) => _ = self.places.insert(place.clone()),
            (1, ..=0) => _ = self.places.remove(&place),
            _ => {}
        }
        if count != 0 && count != 1 {
            self.counts.insert(place, count);
        }
        count <= 1
    }

    /// Adds many rows once each to an empty order. False if some are there several times.
    pub fn fill(&mut self, mut places: Vec<Place<K>>) -> bool {
        debug_assert!(self.is_empty() && self.counts.is_empty(), "only an empty order is filled");
        places.sort_unstable();
        let unique = places.windows(2).all(|pair| pair[0] != pair[1]);
        if !unique {
            for run in places.chunk_by(|a, b| a == b).filter(|run| run.len() > 1) {
                self.counts.insert(run[0].clone(), run.len() as i64);
            }
        }
        self.places = places.into_iter().collect();
        unique
    }

    /// The rows with how often they are there, none of them never.
    pub fn counted(&self) -> impl Iterator<Item = (&Place<K>, i64)> {
        let once = self.places.iter().filter(|place| !self.counts.contains_key(*place));
        let counted = self.counts.iter().map(|(place, count)| (place, *count));
        once.map(|place| (place, 1)).chain(counted)
    }
}

/// The number that a word of an integer, a moment or a duration stands for, or `None` for other classes.
pub fn int_of_word(word: Word) -> Option<i64> {
    (word & ERROR == THERE).then_some((word as u64 ^ SIGN) as i64)
}

/// The number that a word of a float stands for.
pub fn float_of_word(word: Word) -> Option<f64> {
    let bits = word as u64;
    let bits = if bits & SIGN == 0 { !bits } else { bits ^ SIGN };
    (word & ERROR == THERE).then(|| f64::from_bits(bits))
}

#[cfg(test)]
mod tests;
