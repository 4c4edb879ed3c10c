//! Which rows are in which session: the rows in order, and where sessions start.
//!
//! A session has a *label* that it keeps while it grows and shrinks. Where two sessions become one, or
//! one becomes two, the smaller part takes the other label; that part is found by walking from the
//! border in both directions until one side ends, so it costs a logarithm and the rows that move.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound::{Excluded, Included, Unbounded};

use pathway_types::key::tag;
use pathway_types::{Key, KeyHasher, Timestamp};

use super::moment::Moment;
use crate::store::{KeyMap, of_tree};

/// The number of a stored row.
pub type Slot = u32;
/// What the rows of a session have in common.
pub type Label = u128;

/// Where a row is in the order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place<M> {
    /// The key of the instance.
    pub instance: u128,
    /// The time.
    pub time: M,
    /// The row id.
    pub id: u128,
    /// The row.
    pub slot: Slot,
}

/// The first and the last row of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds<M> {
    /// The least time.
    pub start: M,
    /// The greatest time.
    pub end: M,
    /// The id of the last row.
    pub last: u128,
}

/// Rows in order, cut into sessions.
#[derive(Debug)]
pub struct Partition<M> {
    order: BTreeSet<Place<M>>,
    /// The first row of each session, and its label.
    starts: BTreeMap<Place<M>, Label>,
    /// The open time, and how many labels were made in it for a row of an instance.
    time: Timestamp,
    made: HashMap<(u128, u128), i64>,
}

/// Rows that moved in the open time, with the labels they had before it.
pub type Moved<M> = HashMap<Slot, (Place<M>, Label)>;

impl<M> Default for Partition<M> {
    fn default() -> Self {
        Partition { order: BTreeSet::new(), starts: BTreeMap::new(), time: 0, made: HashMap::new() }
    }
}

impl<M: Moment> Partition<M> {
    /// About how many bytes it takes in memory.
    pub(super) fn memory(&self) -> usize {
        let made = self.made.capacity() * size_of::<((u128, u128), i64)>();
        of_tree::<Place<M>>(self.order.len()) + of_tree::<(Place<M>, Label)>(self.starts.len()) + made
    }

    /// True without rows.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// All rows with their labels, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Place<M>, Label)> {
        let mut starts = self.starts.iter().peekable();
        let mut label = 0;
        self.order.iter().map(move |place| {
            if let Some((_, next)) = starts.next_if(|(start, _)| *start == place) {
                label = *next;
            }
            (place, label)
        })
    }

    /// Labels are made at this time from now on.
    pub fn open(&mut self, time: Timestamp) {
        self.time = time;
        self.made.clear();
    }

    /// A label that no session has had: one that depends on the history of its instance alone, so that it is
    /// the same if that is gone through again, with whatever other instances on the worker.
    pub fn new_label(&mut self, instance: u128, row: u128) -> Label {
        let made = self.made.entry((instance, row)).or_insert(0);
        *made += 1;
        let mut hasher = KeyHasher::default();
        hasher.pointer(Key(instance));
        hasher.pointer(Key(row));
        hasher.i64(tag::INT, self.time as i64);
        hasher.i64(tag::INT, *made);
        hasher.finish().0
    }

    /// The labels that moved rows had and have.
    pub fn labels_of<'a>(&'a self, moved: &'a Moved<M>) -> impl Iterator<Item = (Slot, Label, Label)> + 'a {
        moved.iter().filter_map(|(slot, (place, before))| Some((*slot, *before, self.label(place)?)))
    }

    /// Adds saved rows in order with their labels, of instances that are not here yet; also the bounds of
    /// their sessions.
    pub fn restore(&mut self, rows: Vec<(Place<M>, Label)>, shown: &mut KeyMap<Bounds<M>>) {
        let mut last = None;
        for (place, label) in rows {
            match shown.get_mut(&label).filter(|_| last == Some(label)) {
                Some(bounds) => {
                    bounds.end = place.time.clone();
                    bounds.last = place.id;
                }
                None => {
                    let (start, end) = (place.time.clone(), place.time.clone());
                    shown.insert(label, Bounds { start, end, last: place.id });
                    self.starts.insert(place.clone(), label);
                }
            }
            last = Some(label);
            self.order.insert(place);
        }
    }

    /// Fills an empty partition with rows in order, and the label where a session starts.
    pub fn fill(&mut self, rows: impl Iterator<Item = (Place<M>, Option<Label>)>) {
        debug_assert!(self.order.is_empty(), "only an empty partition is filled");
        let mut starts = Vec::new();
        self.order = rows
            .map(|(place, label)| {
                starts.extend(label.map(|label| (place.clone(), label)));
                place
            })
            .collect();
        self.starts = starts.into_iter().collect();
    }

    /// The stored rows with this time and id.
    pub fn at<'a>(
        &'a self,
        instance: u128,
        time: &'a M,
        id: u128,
    ) -> impl Iterator<Item = &'a Place<M>> + use<'a, M> {
        let first = Place { instance, time: time.clone(), id, slot: 0 };
        let last = Place { slot: Slot::MAX, ..first.clone() };
        self.order.range(first..=last)
    }

    /// Puts a row into the order.
    pub fn insert(&mut self, place: Place<M>) {
        self.order.insert(place);
    }

    /// Takes rows out of the order, in ascending order. A session that began with one begins with what is
    /// left of it.
    pub fn remove(&mut self, places: &[Place<M>]) {
        for place in places {
            self.order.remove(place);
        }
        for place in places {
            let Some(label) = self.starts.remove(place) else { continue };
            if let Some(heir) = self.after(place).cloned()
                && self.starts.range((Excluded(place), Included(&heir))).next().is_none()
            {
                self.starts.insert(heir, label);
            }
        }
    }

    /// The row before a place, in its instance.
    pub fn before(&self, place: &Place<M>) -> Option<&Place<M>> {
        let before = self.order.range((Unbounded, Excluded(place))).next_back();
        before.filter(|other| other.instance == place.instance)
    }

    /// The row after a place, in its instance.
    pub fn after(&self, place: &Place<M>) -> Option<&Place<M>> {
        let after = self.order.range((Excluded(place), Unbounded)).next();
        after.filter(|other| other.instance == place.instance)
    }

    /// The start and label of the session at a place.
    fn session(&self, place: &Place<M>) -> Option<(&Place<M>, Label)> {
        let (start, label) = self.starts.range((Unbounded, Included(place))).next_back()?;
        (start.instance == place.instance).then_some((start, *label))
    }

    /// True if a row is there.
    pub fn contains(&self, place: &Place<M>) -> bool {
        self.order.contains(place)
    }

    /// The first row of the session at a place.
    pub fn first(&self, place: &Place<M>) -> Option<&Place<M>> {
        self.session(place).map(|(first, _)| first)
    }

    /// The first row of each session, and its label.
    pub fn sessions(&self) -> impl Iterator<Item = (&Place<M>, Label)> {
        self.starts.iter().map(|(first, label)| (first, *label))
    }

    /// The rows of the session that begins at a place.
    pub fn rows_of(&self, first: &Place<M>) -> Vec<Place<M>> {
        let next = self.starts.range((Excluded(first), Unbounded)).next().map(|(next, _)| next);
        let rows = self.order.range((Included(first), next.map_or(Unbounded, Excluded)));
        rows.cloned().collect()
    }

    /// The label of a row.
    pub fn label(&self, place: &Place<M>) -> Option<Label> {
        self.session(place).map(|(_, label)| label)
    }

    /// The label of the session at a place, and its bounds.
    pub fn bounds(&self, place: &Place<M>) -> Option<(Label, Bounds<M>)> {
        let (start, label) = self.session(place)?;
        let end = self.starts.range((Excluded(place), Unbounded)).next().map(|(next, _)| next);
        // What comes before the next session, of whatever instance, is in this one.
        let last = match end {
            Some(next) => self.order.range((Unbounded, Excluded(next))).next_back(),
            None => self.order.last(),
        }?;
        Some((label, Bounds { start: start.time.clone(), end: last.time.clone(), last: last.id }))
    }

    /// Lets a row begin a session or not; `is_new` tells rows that had no label at the start of the time.
    pub fn cut(
        &mut self,
        place: &Place<M>,
        begins: bool,
        is_new: impl Fn(Slot) -> bool,
        moved: &mut Moved<M>,
    ) {
        match (self.starts.contains_key(place), begins) {
            (false, true) => self.split(place, is_new, moved),
            (true, false) => self.merge(place, is_new, moved),
            _ => {}
        }
    }

    fn split(&mut self, place: &Place<M>, is_new: impl Fn(Slot) -> bool, moved: &mut Moved<M>) {
        let Some((start, label)) = self.session(place).map(|(start, label)| (start.clone(), label)) else {
            let label = self.new_label(place.instance, place.id);
            self.starts.insert(place.clone(), label);
            return;
        };
        let (left, rows) = self.smaller(place);
        let fresh = self.new_label(place.instance, if left { start.id } else { place.id });
        note(rows, label, is_new, moved);
        if left {
            self.starts.insert(start, fresh);
            self.starts.insert(place.clone(), label);
        } else {
            self.starts.insert(place.clone(), fresh);
        }
    }

    fn merge(&mut self, place: &Place<M>, is_new: impl Fn(Slot) -> bool, moved: &mut Moved<M>) {
        let (left, rows) = self.smaller(place);
        let Some(label) = self.starts.remove(place) else { return };
        let Some((start, before)) = self.session(place).map(|(start, label)| (start.clone(), label)) else {
            // Nothing to merge with: the row keeps its session.
            self.starts.insert(place.clone(), label);
            return;
        };
        note(rows, if left { before } else { label }, is_new, moved);
        if left {
            self.starts.insert(start, label);
        }
    }

    /// The rows on the smaller side of a border inside or between sessions, and whether it is the left.
    fn smaller(&self, border: &Place<M>) -> (bool, Vec<Place<M>>) {
        let start = self.starts.range((Unbounded, Excluded(border))).next_back().map(|(start, _)| start);
        let end = self.starts.range((Excluded(border), Unbounded)).next().map(|(end, _)| end);
        let inside = |place: &&Place<M>| place.instance == border.instance;
        let mut left = self
            .order
            .range((Unbounded, Excluded(border)))
            .rev()
            .take_while(inside)
            .take_while(|place| start.is_some_and(|start| *place >= start));
        let mut right = self
            .order
            .range((Included(border), Unbounded))
            .take_while(inside)
            .take_while(|place| end.is_none_or(|end| *place < end));
        let (mut to_left, mut to_right) = (Vec::new(), Vec::new());
        loop {
            match right.next() {
                Some(place) => to_right.push(place.clone()),
                None => return (false, to_right),
            }
            match left.next() {
                Some(place) => to_left.push(place.clone()),
                None => return (true, to_left),
            }
        }
    }
}

/// Remembers the label that rows had.
fn note<M>(rows: Vec<Place<M>>, label: Label, is_new: impl Fn(Slot) -> bool, moved: &mut Moved<M>) {
    for place in rows {
        if !is_new(place.slot) {
            moved.entry(place.slot).or_insert((place, label));
        }
    }
}
