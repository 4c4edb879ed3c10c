//! Sessions with behaviors against a model that looks at all rows at every time: rows out of order, updates,
//! removals, with 1 and 3 workers.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::collections::BTreeSet;

use common::windows::{Case, Shown, Steps, are_as_in_the_model};
use common::{Fact, Random, net};
use pathway_dataflow::operator::END_OF_INPUT;
use pathway_plan::col::reducers;
use pathway_plan::temporal::Behavior;
use pathway_plan::{Col, SessionGap, Window, col};
use pathway_types::Timestamp;

#[derive(Clone, Copy, Debug)]
struct Sessions {
    gap: i64,
    delay: Option<i64>,
    cutoff: Option<i64>,
    keeps: bool,
    once: bool,
    float: bool,
}

impl Case for Sessions {
    fn random(random: &mut Random) -> Sessions {
        let mut maybe = |most: u64| (random.below(3) > 0).then(|| random.below(most) as i64 - 1);
        let (delay, cutoff) = (maybe(8), maybe(6));
        let keeps = cutoff.is_none() || random.below(2) == 0;
        let (once, float) = (random.below(4) == 0, random.below(3) == 0);
        let gap = 1 + random.below(5) as i64;
        let case = Sessions { gap, delay, cutoff, keeps, once, float };
        if once { Sessions { cutoff: cutoff.or(Some(0)), keeps: true, delay: None, ..case } } else { case }
    }

    fn is_float(&self) -> bool {
        self.float
    }

    fn window(&self) -> Window {
        Window::Session(SessionGap::LessThan(self.value(self.gap)))
    }

    fn behavior(&self) -> Option<Behavior> {
        let value = |number: Option<i64>| number.map(|number| self.value(number));
        Some(match self.once {
            true => Behavior::ExactlyOnce { shift: value(self.cutoff) },
            false => Behavior::Common {
                delay: value(self.delay),
                cutoff: value(self.cutoff),
                keep_results: self.keeps,
            },
        })
    }

    /// The end again, read through the table of sessions, row by row.
    fn more() -> Col {
        reducers::max(col("_pw_window_end"))
    }

    fn model(&self, history: &Steps) -> Vec<(Timestamp, BTreeSet<Shown>)> {
        model(self, history)
    }
}

fn sessions(rows: &BTreeSet<Fact>, gap: i64) -> Vec<Vec<Fact>> {
    let mut order: Vec<Fact> = rows.iter().copied().collect();
    order.sort_by_key(|(id, instance, time, _)| (*instance, *time, *id));
    order.chunk_by(|a, b| a.1 == b.1 && b.2 - a.2 < gap).map(<[Fact]>::to_vec).collect()
}

fn end(session: &[Fact]) -> i64 {
    session.iter().map(|row| row.2).max().unwrap()
}

/// What is shown after each time.
fn model(case: &Sessions, history: &Steps) -> Vec<(Timestamp, BTreeSet<Shown>)> {
    let mut live: BTreeSet<Fact> = BTreeSet::new();
    let mut frozen: BTreeSet<Shown> = BTreeSet::new();
    let mut clock: Option<i64> = None;
    let over = |session: &[Fact], clock: Option<i64>| match (case.cutoff, clock) {
        (Some(cutoff), Some(clock)) => end(session) + case.gap + cutoff <= clock,
        _ => false,
    };
    let result = |session: &[Fact]| {
        let start = session.iter().map(|row| row.2).min().unwrap();
        (
            session[0].1,
            start,
            end(session),
            session.len() as i64,
            session.iter().map(|row| row.3).sum::<i64>(),
            end(session),
        )
    };
    let mut all = Vec::new();
    for (time, changes) in history {
        let net = net(changes);
        if !net.is_empty() {
            for session in sessions(&live, case.gap).iter().filter(|session| over(session, clock)) {
                session.iter().for_each(|row| _ = live.remove(row));
                if case.keeps {
                    frozen.insert(result(session));
                }
            }
        }
        net.iter().filter(|(_, diff)| **diff < 0).for_each(|(row, _)| _ = live.remove(row));
        let new: BTreeSet<Fact> = net.iter().filter(|(_, diff)| **diff > 0).map(|(row, _)| *row).collect();
        live.extend(&new);
        for session in sessions(&live, case.gap).iter().filter(|session| over(session, clock)) {
            session.iter().filter(|row| new.contains(row)).for_each(|row| _ = live.remove(row));
        }
        clock = clock.into_iter().chain(net.keys().map(|row| row.2)).max();
        let is_shown = |session: &&Vec<Fact>| {
            let started =
                case.delay.is_none_or(|delay| clock.is_some_and(|clock| result(session).1 + delay <= clock));
            over(session, clock) || (!case.once && started)
        };
        let shown = sessions(&live, case.gap);
        let shown = shown.iter().filter(is_shown).map(|session| result(session));
        all.push((*time, shown.chain(frozen.iter().copied()).collect()));
    }
    let rest = sessions(&live, case.gap);
    all.push((END_OF_INPUT, rest.iter().map(|session| result(session)).chain(frozen).collect()));
    all
}

#[test]
fn sessions_are_as_in_the_model() {
    are_as_in_the_model::<Sessions>(25);
}
