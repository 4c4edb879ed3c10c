use super::*;

fn value(dtype: &DType, text: &str) -> Result<Value, Why> {
    value_of(dtype, text.as_bytes())
}

#[test]
fn moments_have_a_day_at_least() {
    assert_eq!(moment(b"1970-01-02", false), Ok(86_400_000_000_000));
    assert_eq!(moment(b"1970-01-01 00:00:01.5", false), Ok(1_500_000_000));
    assert_eq!(moment(b"1970-01-01 01:00:00+01", true), Ok(0));
    assert_eq!(moment(b"1970-01-01 05:30:00.000001+05:30", true), Ok(1000));
    for text in ["infinity", "-infinity", "0044-03-15 00:00:00 BC", "", "9999-01-01 00:00:00"] {
        assert!(moment(text.as_bytes(), false).is_err(), "{text}");
    }
}

#[test]
fn spans_are_microseconds_intervals_or_times() {
    let second = 1_000_000_000;
    assert_eq!(span(b"-7"), Ok(-7000));
    assert_eq!(span(b"1 day 02:00:00.25"), Ok((86_400 + 7200) * second + 250_000_000));
    assert_eq!(span(b"-2 days +00:00:01"), Ok(-2 * 86_400 * second + second));
    assert_eq!(span(b"-00:00:00.000001"), Ok(-1000));
    assert_eq!(span(b"24:00:00"), Ok(86_400 * second));
    assert!(span(b"1 mon").is_err());
    assert!(span(b"soon").is_err());
    assert!(span(i64::MAX.to_string().as_bytes()).is_err());
}

#[test]
fn arrays_are_taken_apart() {
    let text = DType::list(DType::optional(DType::Str));
    let found = value(&text, r#"{a,NULL,"NULL","x,\"y\"}","",ä}"#).unwrap();
    let members = [
        Value::from("a"),
        Value::None,
        Value::from("NULL"),
        Value::from("x,\"y\"}"),
        Value::from(""),
        Value::from("ä"),
    ];
    assert_eq!(found, Value::tuple(members));
    let ints = DType::list(DType::list(DType::Int));
    let row = |a, b| Value::tuple([Value::Int(a), Value::Int(b)]);
    assert_eq!(value(&ints, "{{1,2},{3,4}}").unwrap(), Value::tuple([row(1, 2), row(3, 4)]));
    assert_eq!(value(&DType::list(DType::Int), "[0:1]={5,6}").unwrap(), row(5, 6));
    assert_eq!(value(&ints, "{}").unwrap(), Value::tuple([]));
    for wrong in ["", "{", "{1", "{1}}", "1", "{\"", "{{1,2},3}", "{NULL}"] {
        assert!(value(&ints, wrong).is_err(), "{wrong}");
    }
}

#[test]
fn numeric_arrays_have_shapes() {
    let floats = DType::array(Some(1), DType::Float);
    let array = |shape: Vec<usize>, elements: Vec<f64>| {
        Value::FloatArray(Arc::new(NdArray::new(shape, elements).unwrap()))
    };
    assert_eq!(value(&floats, "[1,2.5]").unwrap(), array(vec![2], vec![1.0, 2.5]));
    assert_eq!(value(&floats, "{}").unwrap(), array(vec![0], vec![]));
    let any = DType::array(None, DType::Float);
    assert_eq!(value(&any, "{{1,2,3},{4,5,6}}").unwrap(), array(vec![2, 3], vec![1., 2., 3., 4., 5., 6.]));
    assert!(value(&floats, "{{1}}").is_err());
    assert!(value(&floats, "{NULL}").is_err());
    assert!(value(&any, "{{1,2},{3}}").is_err());
}

#[test]
fn bytes_are_hexadecimal() {
    assert_eq!(value(&DType::Bytes, "\\x00fF").unwrap(), Value::Bytes([0, 255].into()));
    for wrong in ["00", "\\x0", "\\xgg"] {
        assert!(value(&DType::Bytes, wrong).is_err(), "{wrong}");
    }
}
