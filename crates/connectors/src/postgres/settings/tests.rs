use super::*;

fn settings(pairs: &[(&str, &str)], name: Option<&str>) -> Result<PostgresSettings, ConnectorError> {
    let pairs: Vec<(String, String)> =
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    PostgresSettings::new(&pairs, Password::Unset, name)
}

#[test]
fn what_is_not_said_has_defaults() {
    let found = settings(&[("host", "db"), ("user", "me")], Some("größe\n1")).unwrap();
    assert_eq!(found.application_name, "pathway:gr__e_1");
    assert_eq!((found.database.as_str(), found.hosts[0].port), ("me", 5432));
    let KeepAlive { is_on, idle_s, interval_s, count, user_timeout_ms } = found.keep_alive;
    assert_eq!((is_on, idle_s, interval_s, count, user_timeout_ms), (true, 300, 30, 3, 300_000));
    assert_eq!(found.connect_timeout, Some(Duration::from_secs(30)));
    assert_eq!(found.ssl_mode, SslMode::Prefer);
    let long = settings(&[], Some(&"x".repeat(100))).unwrap();
    assert_eq!(long.application_name.len(), 63);
    assert_eq!(settings(&[], None).unwrap().application_name, "pathway");
}

#[test]
fn what_is_said_wins() {
    let found = settings(
        &[
            ("host", "a,b"),
            ("port", "1,2"),
            ("keepalives", "0"),
            ("connect_timeout", "0"),
            ("application_name", "mine"),
            ("sslmode", "VERIFY_FULL"),
        ],
        Some("n"),
    )
    .unwrap();
    assert_eq!(found.place(), format!("a:1,b:2/{}", found.database));
    assert_eq!((found.keep_alive.is_on, found.connect_timeout), (false, None));
    assert_eq!((found.application_name.as_str(), found.ssl_mode), ("mine", SslMode::VerifyFull));
}

#[test]
fn what_makes_no_sense_is_refused() {
    let cases: [(&[(&str, &str)], &str); 8] = [
        (&[("sslmode", "maybe")], "sslmode is one of"),
        (&[("colour", "red")], "\"colour\""),
        (&[("port", "70000")], "port has to be"),
        (&[("host", "a,b"), ("port", "1,2,3")], "different numbers"),
        (&[("connect_timeout", "soon")], "connect_timeout has to be"),
        (&[("sslrootcert", "/no/such/file")], "does not exist"),
        (&[("sslrootcert", "/")], "is no file"),
        (&[("client_encoding", "latin1")], "client_encoding=latin1"),
    ];
    for (pairs, text) in cases {
        let error = settings(pairs, None).unwrap_err();
        assert!(error.message.contains(text), "{error}");
    }
}

#[test]
fn passwords_are_found_in_files_and_not_printed() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "# a\nother:*:*:*:no\ndb:5432:*:me:a\\:b\\\\c\n").unwrap();
    let path = file.path().to_str().unwrap();
    let found = settings(&[("host", "db"), ("user", "me"), ("passfile", path)], None).unwrap();
    assert_eq!(found.password_for(&found.hosts[0]).unwrap().as_deref(), Some("a:b\\c"));
    let fixed = settings(&[("password", "tell nobody")], None).unwrap();
    assert!(!format!("{fixed:?}").contains("nobody"));
}
