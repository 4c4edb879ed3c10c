use std::sync::Arc;

use pathway_types::{ColumnBuilder, Value};

use super::*;
use crate::context::{Context, Monitor, Report};
use crate::operators::join::JoinKey;

#[test]
fn ticks_are_ordered_as_floats() {
    let floats = [f64::NEG_INFINITY, -1e300, -1.5, -f64::MIN_POSITIVE, 0.0, 5e-324, 0.1, 2.0, f64::INFINITY];
    let ticks = floats.map(tick_of_float);
    assert!(ticks.is_sorted_by(|a, b| a < b), "{ticks:?}");
    assert_eq!(ticks.map(float_of_tick), floats);
    assert_eq!(tick_of_float(-0.0), tick_of_float(0.0));
}

#[test]
fn buckets_round_down() {
    assert_eq!([-7, -1, 0, 3, 9].map(|t| bucket(t, BucketWidth::Int(3), 0)), [-3, -1, 0, 1, 3]);
    let float = |t: f64| bucket(tick_of_float(t), BucketWidth::Float(3.0), 0);
    assert_eq!([-7.5, 3.0, 9.0].map(float), [-3, 1, 3]);
}

struct Log(std::sync::Mutex<Vec<String>>);

impl Monitor for Log {
    fn report(&self, report: Report<'_>) {
        if let Report::Error { message, .. } = report {
            self.0.lock().unwrap().push(message.to_owned());
        }
    }
}

#[test]
fn rows_without_a_time_match_nothing() {
    for preserved in [true, false] {
        let log = Arc::new(Log(std::sync::Mutex::default()));
        let context = Context::new(false, 1024, log.clone());
        let mut times = ColumnBuilder::new(&DType::Float, 4);
        let cells = [Value::Float(1.0), Value::Float(f64::NAN), Value::Error, Value::Float(3.0)];
        cells.iter().for_each(|time| times.push(time));
        let times = times.finish();
        let side = ShipSide {
            inputs: vec![DType::Float],
            columns: vec![0],
            key: JoinKey::Hash { columns: vec![], instance: false },
            preserved,
            side: 0,
        };
        let ship = ShipTimed::new(side, 0, None);
        let batch = Batch::new(vec![1, 2, 3, 4].into(), vec![times], pathway_types::Diffs::Ones(4));
        let shipped = ship.apply(batch, &mut context.clone(), &Site::default());
        let keys = Keys::of_column(&shipped.columns[ship.key()]);
        if preserved {
            assert_eq!(shipped.keys.as_slice(), [1, 2, 3, 4]);
            let [a, b, c, d] = keys.as_slice() else { panic!() };
            assert!(a == d && a != b && a != c && b != c, "rows without a time have keys of their own");
        } else {
            assert_eq!(shipped.keys.as_slice(), [1, 4]);
            assert_eq!(keys.as_slice()[0], keys.as_slice()[1]);
        }
        assert_eq!(log.0.lock().unwrap().len(), 1, "NaN is no error");
    }
}
