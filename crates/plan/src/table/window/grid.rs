//! The windows of `tumbling` and `sliding`: a grid on the time line.
//!
//! A window is known by its number: window `k` starts at `hop * k + origin`. Rows are grouped by the
//! number, and start and end are computed from it where they are wanted. On whole times the origin is put
//! where the first window from zero on starts, so that all numbers have 64 bits.

use pathway_expr::{BinaryOp, Expr};
use pathway_types::Value;

use crate::PlanError;
use crate::temporal::{Role, TimeKind, constant_like, whole, windows};

/// The length of a window.
#[derive(Clone, Debug, PartialEq)]
pub enum Span {
    /// So many hops.
    Ratio(i64),
    /// This long.
    Duration(Value),
}

/// A grid of windows, its parameters being constants of one kind of time.
pub(super) struct Grid {
    pub(super) kind: TimeKind,
    hop: Expr,
    span: Expr,
    /// Zero where the length is given as a duration.
    ratio: i64,
    origin: Expr,
    /// The number of the window at the origin that was given: those that start before it do not exist.
    least: Option<i64>,
}

impl Grid {
    pub(super) fn new(
        times: &[(&str, &Expr)],
        hop: &Value,
        span: &Span,
        origin: Option<&Value>,
    ) -> Result<Grid, PlanError> {
        let hop = Expr::literal(hop.clone());
        let duration = match span {
            Span::Duration(duration) => Some(Expr::literal(duration.clone())),
            Span::Ratio(_) => None,
        };
        let given = origin.map(|origin| Expr::literal(origin.clone()));
        let mut arguments: Vec<_> =
            times.iter().map(|(name, time)| (*name, Role::Time, time.dtype())).collect();
        arguments.push(("window.hop", Role::Interval, hop.dtype()));
        arguments.extend(duration.iter().map(|e| ("window.duration", Role::Interval, e.dtype())));
        arguments.extend(given.iter().map(|e| ("window.origin", Role::Time, e.dtype())));
        let kind = TimeKind::of(&arguments)?;
        let hop = kind.convert(&hop)?;
        positive("hop", &hop)?;
        let (span, ratio) = match (duration, span) {
            (Some(duration), _) => {
                let duration = kind.convert(&duration)?;
                positive("duration", &duration)?;
                (duration, 0)
            }
            (None, Span::Ratio(ratio)) if *ratio > 0 => (repeated(&hop, *ratio)?, *ratio),
            (None, _) => {
                return Err(PlanError::Value("the ratio of a sliding window must be positive".to_owned()));
            }
        };
        let is_bounded = given.is_some();
        let mut origin = kind.convert(&given.unwrap_or_else(|| Expr::literal(kind.origin())))?;
        let mut least = 0;
        if let (Some(length), Some(start)) = (whole(&hop), whole(&origin)) {
            least = start.div_euclid(length);
            origin = constant_like(&origin, start.rem_euclid(length));
        }
        Ok(Grid { kind, hop, span, ratio, origin, least: is_bounded.then_some(least) })
    }

    /// True if a time is in one window at most, which is then the last one that has started.
    pub(super) fn is_single(&self) -> bool {
        // With a duration, the rounding of floats may let windows overlap that should just touch.
        match (whole(&self.hop), whole(&self.span)) {
            _ if self.ratio > 0 => self.ratio == 1,
            (Some(hop), Some(span)) => span <= hop,
            _ => false,
        }
    }

    /// True if a row may be in several windows, of which some do not exist.
    pub(super) fn skips(&self) -> bool {
        self.least.is_some() && !self.is_single()
    }

    /// The length of a window.
    pub(super) fn span(&self) -> &Expr {
        &self.span
    }

    /// The number of the window that holds a time.
    pub(super) fn number(&self, time: &Expr) -> Result<Expr, PlanError> {
        let arguments = vec![time.clone(), self.hop.clone(), self.origin.clone()];
        Ok(Expr::method("window.number", arguments)?)
    }

    /// The numbers of all windows that hold a time.
    pub(super) fn numbers(&self, time: &Expr) -> Result<Expr, PlanError> {
        self.list(time, self.least)
    }

    /// The number of the first window that would hold a time if there were some before the origin, too.
    pub(super) fn first(&self, time: &Expr) -> Result<Expr, PlanError> {
        let none = Expr::literal(0);
        Ok(Expr::get(self.list(time, None)?, none.clone(), none)?)
    }

    fn list(&self, time: &Expr, least: Option<i64>) -> Result<Expr, PlanError> {
        let [ratio, least] = [self.ratio, least.unwrap_or(i64::MIN)].map(Expr::literal);
        let (hop, span, origin) = (self.hop.clone(), self.span.clone(), self.origin.clone());
        Ok(Expr::method("window.numbers", vec![time.clone(), hop, span, ratio, origin, least])?)
    }

    /// Whether the window of a time (see [`Grid::number`]) exists and holds it, if that is a question.
    pub(super) fn holds(&self, time: &Expr, number: &Expr) -> Result<Option<Expr>, PlanError> {
        let compared = |op, border| Expr::binary(op, number.clone(), Expr::literal(border));
        let exists = match (whole(&self.hop), self.least) {
            // The borders of others would not be times.
            (Some(_), _) => {
                let least = self.least.unwrap_or(i64::MIN);
                let (first, last) = windows(&self.hop, &self.span, self.ratio, &self.origin, least);
                let [after, before] = [compared(BinaryOp::Ge, first)?, compared(BinaryOp::Le, last)?];
                Some(Expr::binary(BinaryOp::And, after, before)?)
            }
            (None, Some(_)) => Some(Expr::binary(BinaryOp::Ge, self.start(number)?, self.origin.clone())?),
            (None, None) => None,
        };
        let inside = match self.ratio {
            0 => Some(Expr::binary(BinaryOp::Lt, time.clone(), self.end(number)?)?),
            _ => None,
        };
        Ok(match (exists, inside) {
            (Some(a), Some(b)) => Some(Expr::binary(BinaryOp::And, a, b)?),
            (one, other) => one.or(other),
        })
    }

    /// Where a window starts.
    pub(super) fn start(&self, number: &Expr) -> Result<Expr, PlanError> {
        let distance = Expr::binary(BinaryOp::Mul, self.hop.clone(), number.clone())?;
        Ok(Expr::binary(BinaryOp::Add, distance, self.origin.clone())?)
    }

    /// Where a window ends.
    pub(super) fn end(&self, number: &Expr) -> Result<Expr, PlanError> {
        if self.ratio > 0 {
            return self.start(&Expr::binary(BinaryOp::Add, number.clone(), Expr::literal(self.ratio))?);
        }
        let distance = Expr::binary(BinaryOp::Mul, self.hop.clone(), number.clone())?;
        let distance = Expr::binary(BinaryOp::Add, distance, self.span.clone())?;
        Ok(Expr::binary(BinaryOp::Add, distance, self.origin.clone())?)
    }
}

/// An interval so many times.
fn repeated(interval: &Expr, count: i64) -> Result<Expr, PlanError> {
    let length = match interval.as_constant() {
        Some(Value::Int(length)) => length.checked_mul(count).map(Value::Int),
        Some(Value::Duration(length)) => length.checked_mul(count).map(Value::Duration),
        Some(Value::Float(length)) => Some(Value::Float(length * count as f64)),
        _ => None,
    };
    let length = length.ok_or_else(|| PlanError::Value("the windows are too long".to_owned()))?;
    Ok(Expr::literal(length))
}

fn positive(what: &str, interval: &Expr) -> Result<(), PlanError> {
    let is_positive = match interval.as_constant() {
        Some(Value::Float(length)) => *length > 0.0 && length.is_finite(),
        _ => whole(interval).is_some_and(|length| length > 0),
    };
    if is_positive {
        return Ok(());
    }
    let value = match interval.as_constant() {
        Some(Value::Int(length)) => format!(", not {length}"),
        Some(Value::Float(length)) => format!(", not {length}"),
        Some(Value::Duration(0)) => ", not zero".to_owned(),
        Some(Value::Duration(_)) => ", not negative".to_owned(),
        _ => String::new(),
    };
    Err(PlanError::Value(format!("the {what} of a window must be positive{value}")))
}
