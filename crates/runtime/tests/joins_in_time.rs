//! Joins in which times matter, against plain models: random histories with late rows, updates and
//! removals, at every time, with 1, 2 and 4 workers.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::collections::BTreeMap;

use common::{Bag, Input, Random, Row, Table, bag, check_one_of, step};
use pathway_plan::program::{Bounds, Direction, JoinIds, JoinMode, JoinStep, Matching, Step, StepOp};
use pathway_types::{DType, Key, Value};

const MODES: [JoinMode; 4] = [JoinMode::Inner, JoinMode::Left, JoinMode::Right, JoinMode::Outer];
/// The joins of a test differ in mode, dtype and bounds only: so many share the cases of one.
const FORMS: u64 = 3;
const MONDAY: i64 = 94_694_400_000_000_000;

/// A small group that may be None, a time, a small number.
fn row(random: &mut Random, time: Value) -> Row {
    let group = if random.below(6) == 0 { Value::None } else { Value::Int(random.below(2) as i64) };
    vec![group, time, Value::Int(random.below(3) as i64)]
}

fn input(time: DType) -> Input {
    let row: fn(&mut Random) -> Row = match time {
        DType::Int => |random| {
            let time = Value::Int(random.below(16) as i64 - 6);
            row(random, time)
        },
        DType::Float => |random| {
            let time =
                *random.pick(&[-0.0, 0.0, 0.1, 0.2, 0.3, 0.7, -1.3, 2.5, 1e300, f64::INFINITY, f64::NAN]);
            row(random, Value::Float(time))
        },
        _ => |random| {
            let time = Value::DateTimeNaive(MONDAY + 1_000_000_000 * (random.below(16) as i64 - 8));
            row(random, time)
        },
    };
    Input { dtypes: vec![DType::optional(DType::Int), time, DType::Int], keys: 14, row }
}

fn id(values: &[Value]) -> Key {
    Key::of(values).unwrap()
}

fn numbered(key: u128, number: i64) -> u128 {
    id(&[Value::Pointer(Key(key)), Value::Int(number)]).0
}

/// Times next to the first and the last one, and in the middle.
fn at_the_ends(time: DType) -> Input {
    fn tick(random: &mut Random) -> i64 {
        let near = random.below(8) as i64;
        *random.pick(&[i64::MIN + near, i64::MAX - near, near - 4])
    }
    let row: fn(&mut Random) -> Row = match time {
        DType::Int => |random| {
            let time = Value::Int(tick(random));
            row(random, time)
        },
        _ => |random| {
            let time = Value::DateTimeNaive(tick(random));
            row(random, time)
        },
    };
    Input { dtypes: vec![DType::optional(DType::Int), time, DType::Int], keys: 14, row }
}

/// A step that joins by group (unless by nothing) and gives both numbers and both ids.
fn join(mode: JoinMode, on: &[usize], matching: Matching<usize>) -> Vec<Step> {
    let join = JoinStep {
        mode,
        left_on: on.to_vec(),
        right_on: on.to_vec(),
        instance: false,
        matching,
        ids: JoinIds::Pair,
        left_columns: vec![2],
        right_columns: vec![2],
        left_id: true,
        right_id: true,
        side: false,
        left_exactly_once: false,
        right_exactly_once: false,
    };
    let (number, pointer) = (DType::optional(DType::Int), DType::optional(DType::ANY_POINTER));
    vec![step(StepOp::Join(join), &[0, 1], vec![number.clone(), number, pointer.clone(), pointer])]
}

fn cells(left: Option<(&u128, &Row)>, right: Option<(&u128, &Row)>) -> Row {
    let number = |side: Option<(&u128, &Row)>| side.map_or(Value::None, |(_, row)| row[2].clone());
    let pointer =
        |side: Option<(&u128, &Row)>| side.map_or(Value::None, |(key, _)| Value::Pointer(Key(*key)));
    vec![number(left), number(right), pointer(left), pointer(right)]
}

fn are_apart(left: &Value, right: &Value, bounds: Bounds) -> bool {
    match (left, right, bounds) {
        (Value::Float(l), Value::Float(r), Bounds::Float(lower, upper)) => l + lower <= *r && *r <= l + upper,
        (Value::Int(l), Value::Int(r), Bounds::Int(lower, upper))
        | (Value::DateTimeNaive(l), Value::DateTimeNaive(r), Bounds::Int(lower, upper)) => {
            (lower.into()..=upper.into()).contains(&(i128::from(*r) - i128::from(*l)))
        }
        _ => panic!("{left:?} and {right:?} with {bounds:?}"),
    }
}

fn bucket(time: &Value, bounds: Bounds) -> i64 {
    match (time, bounds) {
        (Value::Float(time), Bounds::Float(lower, upper)) => (time / (upper - lower)).floor() as i64,
        (Value::Int(time), Bounds::Int(lower, upper)) => time.div_euclid(upper.saturating_sub(lower)),
        (Value::DateTimeNaive(time), Bounds::Int(lower, upper)) => {
            time.wrapping_sub(MONDAY).div_euclid(upper.saturating_sub(lower))
        }
        _ => panic!("{time:?} with {bounds:?}"),
    }
}

fn interval_model(inputs: &[Table], mode: JoinMode, on: &[usize], bounds: Bounds) -> Bag {
    let keeps_left = matches!(mode, JoinMode::Left | JoinMode::Outer);
    let keeps_right = matches!(mode, JoinMode::Right | JoinMode::Outer);
    let group = |row: &Row| on.iter().map(|i| row[*i].clone()).collect::<Vec<_>>();
    let is_pair = |l: &Row, r: &Row| group(l) == group(r) && are_apart(&l[1], &r[1], bounds);
    let mut rows: Vec<(u128, Row)> = Vec::new();
    for left in &inputs[0] {
        let partners: Vec<_> = inputs[1].iter().filter(|(_, right)| is_pair(left.1, right)).collect();
        if partners.is_empty() && keeps_left {
            rows.push((numbered(*left.0, 1), cells(Some(left), None)));
        }
        for right in partners {
            let pair = id(&[Value::Pointer(Key(*left.0)), Value::Pointer(Key(*right.0))]);
            let shard = id(&[vec![Value::Int(bucket(&left.1[1], bounds))], group(left.1)].concat());
            let pair = pair.on_shard_of(shard).0;
            let id = if mode == JoinMode::Inner { pair } else { numbered(pair, 0) };
            rows.push((id, cells(Some(left), Some(right))));
        }
    }
    let lonely = inputs[1].iter().filter(|(_, r)| !inputs[0].values().any(|l| is_pair(l, r)));
    for right in lonely.filter(|_| keeps_right) {
        let number = if mode == JoinMode::Outer { 2 } else { 1 };
        rows.push((numbered(*right.0, number), cells(None, Some(right))));
    }
    bag(rows)
}

#[test]
fn interval_joins() {
    let kinds = [
        (DType::Int, Bounds::Int(-2, 1), vec![0]),
        (DType::Int, Bounds::Int(3, 9), vec![]),
        (DType::Float, Bounds::Float(-0.1, 0.2), vec![0]),
        (DType::DateTimeNaive, Bounds::Int(0, 2_000_000_000), vec![0]),
    ];
    for mode in MODES {
        for (dtype, bounds, on) in &kinds {
            let steps =
                || join(mode, on, Matching::Interval { times: [1, 1], bounds: *bounds, keeps: false });
            let model = |inputs: &[Table]| interval_model(inputs, mode, on, *bounds);
            let name = format!("{mode:?} interval join of {dtype} {bounds:?}");
            check_one_of(FORMS, &name, &[input(dtype.clone()), input(dtype.clone())], steps, model);
        }
    }
}

#[test]
fn interval_joins_at_the_ends_of_time() {
    let all = [
        Bounds::Int(-2, 1),
        Bounds::Int(3, 9),
        Bounds::Int(-9, -3),
        Bounds::Int(i64::MIN, -1),
        Bounds::Int(i64::MIN, i64::MAX),
        Bounds::Int(i64::MAX - 5, i64::MAX),
    ];
    for (bounds, mode) in all.into_iter().zip(MODES.into_iter().cycle().skip(3)) {
        for dtype in [DType::Int, DType::DateTimeNaive] {
            let steps = || join(mode, &[0], Matching::Interval { times: [1, 1], bounds, keeps: false });
            let model = |inputs: &[Table]| interval_model(inputs, mode, &[0], bounds);
            let name = format!("{mode:?} interval join of {dtype} {bounds:?} at the ends");
            let inputs = [at_the_ends(dtype.clone()), at_the_ends(dtype.clone())];
            check_one_of(FORMS, &name, &inputs, steps, model);
        }
    }
}

/// Whether a row's partner is before or after it, by the sequence of the rules: time, side, id.
fn asof_model(inputs: &[Table], mode: JoinMode, on: &[usize], direction: Direction) -> Bag {
    let right_first = matches!(
        (mode, direction),
        (JoinMode::Left, Direction::Backward) | (JoinMode::Right, Direction::Forward)
    );
    let group = |row: &Row| on.iter().map(|i| row[*i].clone()).collect::<Vec<_>>();
    let is_nan = |row: &Row| matches!(row[1], Value::Float(time) if time.is_nan());
    let apart = |from: &Value, to: &Value| match (from, to) {
        (Value::Float(from), Value::Float(to)) => to - from,
        (Value::Int(from), Value::Int(to)) | (Value::DateTimeNaive(from), Value::DateTimeNaive(to)) => {
            (i128::from(*to) - i128::from(*from)) as f64
        }
        _ => panic!("{from:?} and {to:?}"),
    };
    let mut rows = Vec::new();
    for side in 0..2 {
        let is_shown = if side == 0 { mode != JoinMode::Right } else { mode != JoinMode::Left };
        for own in inputs[side].iter().filter(|_| is_shown) {
            let place =
                |side: usize, (key, row): (&u128, &Row)| (row[1].clone(), (side == 1) != right_first, *key);
            let others = inputs[1 - side]
                .iter()
                .filter(|other| group(other.1) == group(own.1) && !is_nan(own.1) && !is_nan(other.1));
            let (before, after): (Vec<_>, Vec<_>) =
                others.partition(|other| place(1 - side, *other) < place(side, own));
            let before = before.into_iter().max_by_key(|other| place(1 - side, *other));
            let after = after.into_iter().min_by_key(|other| place(1 - side, *other));
            let partner = match (direction, before, after) {
                (Direction::Backward, before, _) => before,
                (Direction::Forward, _, after) => after,
                (Direction::Nearest, Some(before), Some(after)) => {
                    let is_nearer = apart(&before.1[1], &own.1[1]) < apart(&own.1[1], &after.1[1]);
                    Some(if is_nearer { before } else { after })
                }
                (Direction::Nearest, before, after) => before.or(after),
            };
            let mut row = if side == 0 { cells(Some(own), partner) } else { cells(partner, Some(own)) };
            row.push(Value::Bool(side == 1));
            rows.push((numbered(*own.0, side as i64), row));
        }
    }
    bag(rows)
}

#[test]
fn asof_joins() {
    for mode in [JoinMode::Left, JoinMode::Right, JoinMode::Outer] {
        for direction in [Direction::Backward, Direction::Forward, Direction::Nearest] {
            for (dtype, on) in
                [(DType::Int, vec![0]), (DType::Float, vec![]), (DType::DateTimeNaive, vec![0])]
            {
                let steps = || {
                    let mut steps = join(mode, &on, Matching::AsOf { times: [1, 1], direction });
                    let StepOp::Join(join) = &mut steps[0].op else { panic!() };
                    join.side = true;
                    steps[0].columns.push(DType::Bool);
                    steps
                };
                let model = |inputs: &[Table]| asof_model(inputs, mode, &on, direction);
                let name = format!("{mode:?} {direction:?} as-of join of {dtype}");
                check_one_of(FORMS, &name, &[input(dtype.clone()), input(dtype.clone())], steps, model);
            }
        }
    }
}

/// Rows that are there, each with a number of its own.
type Live = BTreeMap<(u128, Row), usize>;

/// A model of interval joins that keep results: what was shown of rows stays when they are forgotten, and
/// a row that has been shown with a partner is not shown without one because that was forgotten.
struct Keeping {
    mode: JoinMode,
    bounds: Bounds,
    numbers: usize,
    live: [Live; 2],
    /// Pairs that are shown.
    pairs: BTreeMap<(usize, usize), (u128, Row)>,
    /// Rows without a partner that were forgotten.
    forgotten: Vec<(u128, Row)>,
}

impl Keeping {
    fn lonely(&self, side: usize) -> Vec<((u128, Row), (u128, Row))> {
        let preserved = [
            matches!(self.mode, JoinMode::Left | JoinMode::Outer),
            matches!(self.mode, JoinMode::Right | JoinMode::Outer),
        ];
        let is_paired = |number: &usize| {
            self.pairs.keys().any(|(l, r)| if side == 0 { l == number } else { r == number })
        };
        let rows = self.live[side].iter().filter(|(_, number)| preserved[side] && !is_paired(number));
        rows.map(|((key, row), _)| {
            let shown = if side == 0 {
                (numbered(*key, 1), cells(Some((key, row)), None))
            } else {
                let number = if self.mode == JoinMode::Outer { 2 } else { 1 };
                (numbered(*key, number), cells(None, Some((key, row))))
            };
            ((*key, row.clone()), shown)
        })
        .collect()
    }

    fn change(&mut self, side: usize, changes: &[(u128, Row, i64)], forgets: bool) {
        let mut net = Bag::new();
        for (key, row, diff) in changes {
            *net.entry((*key, row.clone())).or_insert(0) += diff;
        }
        let lonely = if forgets { self.lonely(side) } else { vec![] };
        for (row, _) in net.iter().filter(|(_, diff)| **diff < 0) {
            let number = self.live[side].remove(row).unwrap();
            self.forgotten.extend(lonely.iter().filter(|(of, _)| of == row).map(|(_, shown)| shown.clone()));
            if !forgets {
                let there: Vec<usize> = self.live[1 - side].values().copied().collect();
                self.pairs.retain(|(l, r), _| {
                    let (mine, other) = if side == 0 { (l, r) } else { (r, l) };
                    *mine != number || !there.contains(other)
                });
            }
        }
        for (row, _) in net.iter().filter(|(_, diff)| **diff > 0) {
            self.numbers += 1;
            self.live[side].insert(row.clone(), self.numbers);
            for (other, number) in &self.live[1 - side] {
                let (left, right) = if side == 0 { (row, other) } else { (other, row) };
                if left.1[0] == right.1[0] && are_apart(&left.1[1], &right.1[1], self.bounds) {
                    let pair = id(&[Value::Pointer(Key(left.0)), Value::Pointer(Key(right.0))]);
                    let shard = id(&[Value::Int(bucket(&left.1[1], self.bounds)), left.1[0].clone()]);
                    let pair = pair.on_shard_of(shard).0;
                    let key = if self.mode == JoinMode::Inner { pair } else { numbered(pair, 0) };
                    let shown = cells(Some((&left.0, &left.1)), Some((&right.0, &right.1)));
                    let numbers = if side == 0 { (self.numbers, *number) } else { (*number, self.numbers) };
                    self.pairs.insert(numbers, (key, shown));
                }
            }
        }
    }

    fn shown(&self) -> Bag {
        let lonely = (0..2).flat_map(|side| self.lonely(side)).map(|(_, shown)| shown);
        bag(self.pairs.values().cloned().chain(lonely).chain(self.forgotten.clone()))
    }
}

#[test]
fn interval_joins_that_keep_what_came_of_forgotten_rows() {
    let bounds = Bounds::Int(-2, 1);
    let inputs = [input(DType::Int), input(DType::Int)];
    for mode in MODES {
        for case in 0..common::cases() {
            let mut random = Random::new(case + 1);
            // At even times rows change, at odd times some are forgotten.
            let histories = [0, 1].map(|side: usize| {
                let mut live = Table::new();
                let mut all: Vec<(u64, common::Changes)> = Vec::new();
                for time in 0..20 {
                    let mut changes = common::Changes::new();
                    for key in (1..14).map(|key| key * 0x1_0001_9E37_79B9) {
                        if random.below(4) > 0 {
                            continue;
                        }
                        changes.extend(live.remove(&key).map(|row| (key, row, -1)));
                        if time % 2 == 0 && random.below(3) > 0 {
                            let row = (inputs[side].row)(&mut random);
                            live.insert(key, row.clone());
                            changes.push((key, row, 1));
                        }
                    }
                    all.push((time, changes));
                }
                all.retain(|(_, changes)| !changes.is_empty());
                all
            });
            let batches: Vec<common::Timed> = histories
                .iter()
                .zip(&inputs)
                .map(|(history, input)| {
                    let batches =
                        history.iter().map(|(t, changes)| (*t, common::batch(&input.dtypes, changes)));
                    (input.dtypes.clone(), batches.collect())
                })
                .collect();
            for workers in [1, 2, 4] {
                let matching = Matching::Interval { times: [1, 1], bounds, keeps: true };
                let rows = common::run_steps(&batches, join(mode, &[0], matching), workers, false);
                let mut model = Keeping {
                    mode,
                    bounds,
                    numbers: 0,
                    live: Default::default(),
                    pairs: Default::default(),
                    forgotten: vec![],
                };
                let mut seen = Bag::new();
                for time in 0..20u64 {
                    for (side, history) in histories.iter().enumerate() {
                        for (_, changes) in history.iter().filter(|(t, _)| *t == time) {
                            model.change(side, changes, time % 2 == 1);
                        }
                    }
                    for (_, key, row, diff) in rows.iter().filter(|(t, ..)| *t == time) {
                        assert!(time % 2 == 0, "{mode:?}, case {case}: a change at an odd time");
                        *seen.entry((*key, row.clone())).or_insert(0) += diff;
                    }
                    seen.retain(|_, n| *n != 0);
                    assert_eq!(seen, model.shown(), "{mode:?}, case {case}, {workers} workers, time {time}");
                }
            }
        }
    }
}
