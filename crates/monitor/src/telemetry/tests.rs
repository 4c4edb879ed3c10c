use super::*;

fn settings(endpoint: &str) -> Settings {
    Settings {
        endpoint: endpoint.to_owned(),
        interval: Duration::from_secs(60),
        resource: Vec::new(),
        of_metrics: Vec::new(),
        of_traces: Vec::new(),
        packages: Vec::new(),
    }
}

#[test]
fn an_address_that_makes_no_sense_is_named() {
    let error = Telemetry::start(settings("no address"), |_| ()).unwrap_err();
    assert!(error.to_string().starts_with("telemetry cannot be sent to \"no address\": "), "{error}");
}

#[test]
fn nobody_who_listens_is_told_once() {
    // A port that was free a moment ago.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let told = Arc::new(Mutex::new(Vec::new()));
    let of_thread = told.clone();
    let telemetry = Telemetry::start(settings(&endpoint), move |text| {
        of_thread.lock().unwrap().push(text.to_owned());
    });
    let telemetry = telemetry.unwrap();
    for _ in 0..WAITING + 5 {
        telemetry.log(Record::default());
    }
    {
        let waiting = telemetry.shared.waiting();
        assert!(waiting.records.len() <= WAITING);
    }
    drop(telemetry);
    let told = told.lock().unwrap().clone();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with(&format!("telemetry does not reach {endpoint}: ")), "{told:?}");
}
