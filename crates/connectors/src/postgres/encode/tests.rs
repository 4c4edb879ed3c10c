use std::sync::Arc;

use pathway_types::NdArray;

use super::*;

fn kind(name: &str) -> PgType {
    let element = name.strip_prefix('_').map(|element| (7, element.to_owned()));
    PgType { shown: name.to_owned(), name: name.to_owned(), element, is_enum: false }
}

fn written(dtype: &DType, name: &str, value: &Value) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    encoding(dtype, &kind(name)).expect("the types fit").write_value(value, &mut out)?;
    Ok(out)
}

#[test]
fn only_what_keeps_the_value_fits() {
    for (dtype, name) in [
        (DType::Int, "text"),
        (DType::Int, "float8"),
        (DType::Float, "int8"),
        (DType::Str, "int4"),
        (DType::DateTimeUtc, "timestamp"),
        (DType::DateTimeNaive, "timestamptz"),
        (DType::list(DType::Int), "_text"),
        (DType::list(DType::Int), "int8"),
        (DType::Int, "_int8"),
        (DType::Pointer(None), "uuid"),
        (DType::Any, "text"),
        (DType::tuple([DType::Int, DType::Str]), "_int8"),
    ] {
        assert_eq!(encoding(&dtype, &kind(name)), None, "{dtype} {name}");
    }
    let list = DType::list(DType::list(DType::optional(DType::Int)));
    assert_eq!(encoding(&list, &kind("_int2")), Some(Encoding::Array(Box::new(Encoding::Int(2)), 7)));
}

#[test]
fn columns_are_declared_by_dtype() {
    let text = |dtype: DType| declared(&dtype).unwrap_or_default();
    assert_eq!(text(DType::optional(DType::Duration)), "BIGINT");
    assert_eq!(text(DType::list(DType::list(DType::Json))), "JSONB[]");
    assert_eq!(text(DType::tuple([DType::Bytes, DType::optional(DType::Bytes)])), "BYTEA[]");
    assert_eq!(text(DType::array(None, DType::Int)), "BIGINT[]");
    assert_eq!(declared(&DType::tuple([DType::Int, DType::Str])), None);
    assert_eq!(declared(&DType::Any), None);
    assert_eq!(declared(&DType::tuple([])), None);
}

#[test]
fn values_outside_of_narrower_types_are_refused() {
    assert_eq!(written(&DType::Int, "int2", &Value::Int(-2)).unwrap(), [0, 0, 0, 2, 255, 254]);
    assert!(written(&DType::Int, "int2", &Value::Int(40_000)).unwrap_err().contains("smallint"));
    assert!(written(&DType::Int, "int4", &Value::Int(1 << 40)).unwrap_err().contains("integer"));
    assert!(written(&DType::Float, "float4", &Value::Float(1e300)).unwrap_err().contains("real"));
    assert!(written(&DType::Float, "float4", &Value::Float(f64::INFINITY)).is_ok());
    assert!(written(&DType::Str, "text", &Value::from("a\0")).unwrap_err().contains("NUL"));
    assert!(written(&DType::Str, "uuid", &Value::from("12")).unwrap_err().contains("no UUID"));
    let day = 86_400_000_000_000;
    assert!(
        written(&DType::Duration, "time", &Value::Duration(day + 1000))
            .unwrap_err()
            .contains("time of a day")
    );
}

#[test]
fn moments_are_cut_to_microseconds() {
    let micros = |nanos| written(&DType::DateTimeNaive, "timestamp", &Value::DateTimeNaive(nanos)).unwrap();
    assert_eq!(micros(EPOCH_US * 1000 + 1999)[4..], 1i64.to_be_bytes());
    assert_eq!(micros(EPOCH_US * 1000 - 1)[4..], (-1i64).to_be_bytes());
    let date = written(&DType::DateTimeNaive, "date", &Value::DateTimeNaive(-1)).unwrap();
    assert_eq!(date[4..], (-10958i32).to_be_bytes());
}

#[test]
fn arrays_have_a_shape() {
    let row = |a: i64, b: i64| Value::tuple([Value::Int(a), Value::Int(b)]);
    let list = DType::list(DType::list(DType::Int));
    let nested = written(&list, "_int8", &Value::tuple([row(1, 2), row(3, 4)])).unwrap();
    let array = NdArray::new(vec![2, 2], vec![1, 2, 3, 4]).unwrap();
    let dense =
        written(&DType::array(Some(2), DType::Int), "_int8", &Value::IntArray(Arc::new(array))).unwrap();
    assert_eq!(nested, dense);
    assert_eq!(nested[4..16], [0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 7]);
    let ragged = Value::tuple([row(1, 2), Value::tuple([Value::Int(3)])]);
    assert!(written(&list, "_int8", &ragged).unwrap_err().contains("different lengths"));
    let empty = written(&list, "_int8", &Value::tuple([])).unwrap();
    assert_eq!(empty[4..8], [0; 4]);
}

#[test]
fn halves_are_the_nearest_ones() {
    let cases = [
        (0.0, 0x0000),
        (-2.0, 0xC000),
        (1.0, 0x3C00),
        (65504.0, 0x7BFF),
        (65520.0, 0x7C00),
        (1e9, 0x7C00),
        (f32::INFINITY, 0x7C00),
        (0.333_333_34, 0x3555),
        (5.960_464_5e-8, 0x0001),
        (2.980_232_2e-8, 0x0000),
        (6.097_555e-5, 0x03FF),
        (1e-30, 0x0000),
        (1.000_488_3, 0x3C00),
        (1.001_464_8, 0x3C02),
    ];
    for (value, bits) in cases {
        assert_eq!(half(value), bits, "{value}");
    }
    assert_eq!(half(f32::NAN) & 0x7C00, 0x7C00);
}
