//! Interval joins that keep results know after a restart which rows had partners that were forgotten.

use super::*;

#[test]
fn interval_join_that_keeps_results() {
    let spec = IntervalSpec {
        mode: JoinMode::Outer,
        bounds: Bounds::Int(0, 1),
        dtypes: [dtypes(), dtypes()],
        row_ids: [true, true],
        keeps: true,
    };
    let sides = [timed_side(Some(BucketWidth::Int(1))), timed_side(None)];
    let ship = |side: usize, batch: Batch| sides[side].apply(batch, &mut context(), &Site::default());
    let mut out: Vec<DType> = [dtypes(), dtypes()].concat().into_iter().map(DType::optional).collect();
    out.extend([DType::optional(DType::ANY_POINTER), DType::optional(DType::ANY_POINTER)]);
    for seed in 0..60 {
        let mut random = Random(seed);
        let mut states = vec![BTreeMap::new(); 2];
        let (mut whole, mut part) = (IntervalJoin::new(spec.clone()), IntervalJoin::new(spec.clone()));
        for time in 0..16 {
            let batches: Vec<Batch> = states
                .iter_mut()
                .enumerate()
                .map(|(side, state)| {
                    if time % 2 == 0 {
                        return ship(side, changes(state, &mut random));
                    }
                    // Everything there is, without what stays: these rows are forgotten.
                    let gone: BTreeMap<u128, Vec<Value>> =
                        state.extract_if(.., |_, _| random.below(3) == 0).collect();
                    ship(side, removals(&gone))
                })
                .collect();
            let expected = epoch_at(time, &mut whole, batches.clone(), &out);
            assert!(time % 2 == 0 || expected.is_empty(), "what is forgotten changes nothing");
            assert_eq!(epoch_at(time, &mut part, batches, &out), expected, "seed {seed}, time {time}");
            if time % 3 == 1 {
                let mut fresh = IntervalJoin::new(spec.clone());
                for shards in [0..20_000, 20_000..65_536] {
                    fresh.load(part.save(shards).unwrap()).unwrap();
                }
                part = fresh;
            }
        }
    }
}

fn removals(rows: &BTreeMap<u128, Vec<Value>>) -> Batch {
    let columns = dtypes().into_iter().enumerate().map(|(i, dtype)| {
        let mut builder = ColumnBuilder::new(&dtype, rows.len());
        rows.values().for_each(|row| builder.push(&row[i]));
        builder.finish()
    });
    let keys: Vec<u128> = rows.keys().copied().collect();
    Batch::new(keys.into(), columns.collect(), vec![-1; rows.len()].into())
}
