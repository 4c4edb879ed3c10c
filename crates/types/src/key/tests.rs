//! The published check values of the key function.

use super::*;

#[test]
fn check_values() {
    let text = |values: &[Value]| Key::of(values).unwrap().to_string();
    assert_eq!(text(&[Value::Int(0)]), "^X1MXHYYG4YM0DB900V28XN5T4W");
    assert_eq!(text(&[Value::Int(1)]), "^YYY4HABTRW7T8VX2Q429ZYV70W");
    assert_eq!(text(&[Value::from("a")]), "^HJRW9JY0344TH26PV6EJDH04GG");
    assert_eq!(text(&[Value::Int(1), Value::Int(2)]), "^KYCVNKFHRBR1AMJ84KCPKQMPG4");
    assert_eq!(text(&[Value::tuple([Value::Int(1), Value::Int(2)])]), "^7VN5M7QQ7727NTH46BJV1DNMKG");
    assert_eq!(text(&[]), "^PWSRT420000000000000000000");
    assert_eq!(text(&[Value::None]), "^VFP4W1ZMVX5W8TGF02996QPDMR");
    assert_eq!(text(&[Value::Pointer(Key::of(&[Value::Int(1)]).unwrap())]), "^YKEYQ3JGZYEAB1HA274PGGXKFM");
    let instance = Key::with_instance(&[Value::from("x")], &Value::Int(1)).unwrap();
    assert_eq!(instance.to_string(), "^YYY2QK6YXCKNXR4GFGZNDGXE3G");
}

#[test]
fn text_round_trip() {
    for key in [Key(0), Key(1), Key(u128::MAX), Key::EMPTY, Key(1 << 127)] {
        assert_eq!(Key::parse(&key.to_string()), Some(key));
    }
    assert_eq!(Key(1).to_string(), "^04000000000000000000000000");
    assert_eq!(Key::parse("^0400000000000000000000000"), None);
    assert_eq!(Key::parse("nonsense"), None);
}

#[test]
fn objects_with_serializers_have_the_keys_of_what_these_gave() {
    let key = |bytes: &[u8]| Key::of(&[Value::PyObject(PyObject::new(bytes))]).unwrap().to_string();
    let reference = [PyObject::OWN_SERIALIZER, &3u64.to_le_bytes(), b"abc"].concat();
    assert_eq!(key(b"1"), "^9AXRNSE8NM8S9ZJM1HRRGZX7QW");
    assert_eq!(key(&[&reference, &b"1"[..]].concat()), "^9AXRNSE8NM8S9ZJM1HRRGZX7QW");
    assert_eq!(PyObject::split(&reference[..reference.len() - 1]), None);
}

#[test]
fn errors_have_no_key() {
    assert_eq!(Key::of(&[Value::tuple([Value::Error])]), None);
}
