//! How many rows an operator gives, as far as that follows from the plan.

use serde::{Deserialize, Serialize};

use crate::program::{JoinIds, JoinMode};

/// What is known of the number of rows that are there when a run has ended. It is never a guess.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Estimate {
    /// At least so many.
    pub least: u64,
    /// At most so many, if that is known.
    pub most: Option<u64>,
    /// Where that is known from.
    pub how: String,
}

impl std::fmt::Display for Estimate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.least, self.most) {
            (least, Some(most)) if least == most => write!(f, "{most}")?,
            (0, Some(most)) => write!(f, "at most {most}")?,
            (least, Some(most)) => write!(f, "{least} to {most}")?,
            (0, None) => f.write_str("not known")?,
            (least, None) => write!(f, "at least {least}")?,
        }
        write!(f, " ({})", self.how)
    }
}

/// How the rows of an operator come from those of its inputs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Rule {
    /// So many are part of the program.
    Given(u64),
    /// Nobody can tell beforehand, for this reason.
    Unknown(&'static str),
    /// One for each row of the input with this number.
    Same(usize),
    /// At most one for each row of the input with this number.
    Some(usize),
    /// One for each row id of all inputs, which have the same.
    Together,
    /// Those of all inputs.
    Sum,
    /// Those of some input; the ids of both are in it.
    Union,
    /// At most one for each row of each input.
    InAll,
    /// Those of the first input, without those of the second.
    Without,
    /// A group for each distinct key: one, if there is no key. A row is in at most so many groups.
    Groups { keyed: bool, each: Option<u64> },
    /// Pairs, and rows without a partner.
    Join { mode: JoinMode, ids: JoinIds },
    /// One for each row of some input.
    Each,
}

/// What is known of the rows of an input.
type Rows = (u64, Option<u64>);

impl Rule {
    /// What follows for the operator; of inputs that are not known yet there is `None`.
    pub(super) fn apply(self, inputs: &[Option<Rows>]) -> Estimate {
        let rows = |i: usize| inputs.get(i).copied().flatten().unwrap_or((0, None));
        let (least, most) = (|i: usize| rows(i).0, |i: usize| rows(i).1);
        let sum = || {
            let all = (0..inputs.len()).map(most);
            all.into_iter().try_fold(0u64, |sum, most| Some(sum.saturating_add(most?)))
        };
        let (bounds, how): (Rows, &str) = match self {
            Rule::Given(rows) => ((rows, Some(rows)), "part of the program"),
            Rule::Unknown(why) => ((0, None), why),
            Rule::Same(i) => (rows(i), "as its input"),
            Rule::Some(i) => ((0, most(i)), "not more than its input"),
            Rule::Together => {
                let least = (0..inputs.len()).map(least).max().unwrap_or(0);
                ((least, (0..inputs.len()).filter_map(most).min()), "as its inputs, which have the same rows")
            }
            Rule::Sum => {
                let least = (0..inputs.len()).map(least).fold(0, u64::saturating_add);
                ((least, sum()), "the sum of its inputs")
            }
            Rule::Union => {
                let least = (0..inputs.len()).map(least).max().unwrap_or(0);
                ((least, sum()), "row ids that are in some input")
            }
            Rule::InAll => {
                ((0, (0..inputs.len()).filter_map(most).min()), "row ids that are in all of its inputs")
            }
            Rule::Without => {
                let least = most(1).map_or(0, |gone| least(0).saturating_sub(gone));
                ((least, most(0)), "row ids that are in the first input only")
            }
            Rule::Groups { keyed: false, .. } => ((0, Some(1)), "one group"),
            Rule::Groups { each: None, .. } => ((0, None), "rows are in any number of windows"),
            Rule::Groups { each: Some(each), .. } => {
                let how = if each == 1 { "not more groups than rows" } else { "rows are in several windows" };
                ((0, most(0).map(|most| most.saturating_mul(each))), how)
            }
            Rule::Join { mode, ids } => return join(mode, ids, most(0), most(1)),
            Rule::Each => ((0, sum()), "at most one for each row of its inputs"),
        };
        let how = match bounds {
            (0, None) if !matches!(self, Rule::Unknown(_) | Rule::Groups { each: None, .. }) => {
                "the rows of its inputs are not known"
            }
            _ => how,
        };
        Estimate { least: bounds.0, most: bounds.1, how: how.to_owned() }
    }
}

fn join(mode: JoinMode, ids: JoinIds, left: Option<u64>, right: Option<u64>) -> Estimate {
    let pairs = || Some(left?.saturating_mul(right?));
    // A side that is kept has its rows also without partners.
    let with = |kept: Option<u64>, other: Option<u64>| Some(kept?.saturating_mul(other?.max(1)));
    let (most, how) = match (ids, mode) {
        (JoinIds::Left, _) => (left, "at most one for each left row"),
        (JoinIds::Right, _) => (right, "at most one for each right row"),
        (JoinIds::Pair, JoinMode::Inner) => (pairs(), "if all pairs match"),
        (JoinIds::Pair, JoinMode::Left) => (with(left, right), "if all pairs match, and without partners"),
        (JoinIds::Pair, JoinMode::Right) => (with(right, left), "if all pairs match, and without partners"),
        (JoinIds::Pair, JoinMode::Outer) => {
            let apart = left.zip(right).map(|(left, right)| left.saturating_add(right));
            (pairs().zip(apart).map(|(pairs, apart)| pairs.max(apart)), "if all pairs match, or none")
        }
    };
    let how = if most.is_none() { "the rows of its inputs are not known" } else { how };
    Estimate { least: 0, most, how: how.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn most(rule: Rule, inputs: &[(u64, Option<u64>)]) -> String {
        rule.apply(&inputs.iter().copied().map(Some).collect::<Vec<_>>()).to_string()
    }

    #[test]
    fn what_is_not_known_stays_unknown() {
        let unknown = [(0, None), (2, Some(2))];
        let not_known = "not known (the rows of its inputs are not known)";
        assert_eq!(most(Rule::Some(0), &unknown), not_known);
        assert_eq!(most(Rule::Join { mode: JoinMode::Inner, ids: JoinIds::Pair }, &unknown), not_known);
        assert_eq!(most(Rule::Sum, &unknown), "at least 2 (the sum of its inputs)");
        assert_eq!(most(Rule::InAll, &unknown), "at most 2 (row ids that are in all of its inputs)");
        assert_eq!(Rule::Same(0).apply(&[None]).to_string(), not_known);
    }

    #[test]
    fn joins_have_bounds() {
        let sides = [(3, Some(3)), (0, Some(4))];
        let join = |mode, ids| Rule::Join { mode, ids };
        assert_eq!(most(join(JoinMode::Inner, JoinIds::Pair), &sides), "at most 12 (if all pairs match)");
        assert_eq!(
            most(join(JoinMode::Inner, JoinIds::Left), &sides),
            "at most 3 (at most one for each left row)"
        );
        let outer = most(join(JoinMode::Outer, JoinIds::Pair), &[(1, Some(1)), (5, Some(5))]);
        assert_eq!(outer, "at most 6 (if all pairs match, or none)");
        let none = most(join(JoinMode::Left, JoinIds::Pair), &[(3, Some(3)), (0, Some(0))]);
        assert_eq!(none, "at most 3 (if all pairs match, and without partners)");
    }

    #[test]
    fn large_numbers_do_not_overflow() {
        let sides = [(0, Some(u64::MAX)), (0, Some(u64::MAX))];
        let pairs = Rule::Join { mode: JoinMode::Outer, ids: JoinIds::Pair };
        assert_eq!(pairs.apply(&sides.map(Some)).most, Some(u64::MAX));
    }
}
