use std::collections::BTreeMap;

use pathway_types::{ColumnBuilder, DType, Value};

use super::{Around, OrderKey, Ordered, Place, Text, Word, float_of_word, int_of_word};

fn values() -> Vec<(DType, Vec<Value>)> {
    let floats = [f64::NEG_INFINITY, -1.5, -0.0, 0.0, 1e-300, 2.0, f64::INFINITY, f64::NAN];
    let ints = [i64::MIN, -1, 0, 1, i64::MAX];
    let mut all = vec![
        (DType::Int, ints.map(Value::Int).to_vec()),
        (DType::DateTimeUtc, ints.map(Value::DateTimeUtc).to_vec()),
        (DType::DateTimeNaive, ints.map(Value::DateTimeNaive).to_vec()),
        (DType::Duration, ints.map(Value::Duration).to_vec()),
        (DType::Float, floats.map(Value::Float).to_vec()),
        (DType::Bool, vec![Value::Bool(false), Value::Bool(true)]),
    ];
    for (dtype, values) in &mut all {
        *dtype = DType::optional(dtype.clone());
        values.extend([Value::None, Value::Error, Value::Pending]);
    }
    all
}

fn keys<K: OrderKey>(dtype: &DType, values: &[Value]) -> Vec<K> {
    let mut builder = ColumnBuilder::new(dtype, values.len());
    values.iter().for_each(|value| builder.push(value));
    let keys = K::of(&builder.finish(), dtype);
    assert_eq!(K::load(&K::save(keys.clone())), keys);
    keys
}

#[test]
fn keys_are_ordered_as_values_are() {
    for (dtype, values) in values() {
        let (words, texts) = (keys::<Word>(&dtype, &values), keys::<Text>(&dtype, &values));
        for a in 0..values.len() {
            for b in 0..values.len() {
                let expected = values[a].cmp(&values[b]);
                assert_eq!(words[a].cmp(&words[b]), expected, "{} {}", values[a], values[b]);
                assert_eq!(texts[a].cmp(&texts[b]), expected, "{} {}", values[a], values[b]);
            }
            match &values[a] {
                Value::Int(v) => assert_eq!(int_of_word(words[a]), Some(*v)),
                Value::Float(v) if !v.is_nan() => assert_eq!(float_of_word(words[a]), Some(*v)),
                Value::None | Value::Error => assert_eq!(int_of_word(words[a]), None),
                _ => {}
            }
        }
    }
}

fn place(instance: u128, key: Word, id: u128) -> Place<Word> {
    Place { instance, key, id }
}

#[test]
fn neighbours_are_those_of_the_instance() {
    let mut ordered = Ordered::<Word>::default();
    for (instance, key, id) in [(1, 5, 9), (2, 1, 3), (1, 2, 4), (1, 5, 1), (3, 0, 8)] {
        assert!(ordered.add(place(instance, key, id), 1));
    }
    assert_eq!(ordered.around(&place(1, 5, 1)), Some(Around { prev: Some(4), next: Some(9) }));
    assert_eq!(ordered.around(&place(2, 1, 3)), Some(Around::default()));
    assert_eq!(ordered.around(&place(2, 1, 4)), None);
    assert_eq!(ordered.before(&place(1, 3, 0)), Some(&place(1, 2, 4)));
    assert_eq!(ordered.after(&place(1, 6, 0)), None);
    let one_by_one: Vec<_> = ordered.iter().map(|p| (p, ordered.around(p).unwrap())).collect();
    assert_eq!(ordered.all_around().collect::<Vec<_>>(), one_by_one);
}

#[test]
fn rows_may_be_there_more_or_less_than_once() {
    let mut ordered = Ordered::<Word>::default();
    let row = place(0, 7, 7);
    assert!(ordered.add(row.clone(), -1));
    assert!(ordered.is_empty());
    assert_eq!(ordered.counted().collect::<Vec<_>>(), [(&row, -1)]);
    assert!(ordered.add(row.clone(), 2));
    assert!(ordered.contains(&row));
    assert!(!ordered.add(row.clone(), 1));
    assert_eq!(ordered.counted().collect::<BTreeMap<_, _>>(), BTreeMap::from([(&row, 2)]));
    assert!(ordered.add(row.clone(), -1));
    assert_eq!(ordered.counted().collect::<Vec<_>>(), [(&row, 1)]);
    assert!(ordered.add(row.clone(), -1));
    assert_eq!(ordered.counted().count() + ordered.len(), 0);
}

#[test]
fn filling_is_adding() {
    let rows = [3, 1, 2, 1].map(|key| place(0, key, key));
    let (mut filled, mut added) = (Ordered::<Word>::default(), Ordered::<Word>::default());
    assert!(!filled.fill(rows.to_vec()));
    rows.into_iter().for_each(|row| _ = added.add(row, 1));
    assert_eq!(filled.iter().collect::<Vec<_>>(), added.iter().collect::<Vec<_>>());
    let counts = |ordered: &Ordered<Word>| -> BTreeMap<Place<Word>, i64> {
        ordered.counted().map(|(place, count)| (place.clone(), count)).collect()
    };
    assert_eq!(counts(&filled), counts(&added));
}
