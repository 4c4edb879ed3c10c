//! Who belongs to a run, and how long they wait for each other.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use crate::ClusterError;

/// What all processes of a cluster know and nobody else. It is not printed.
#[derive(Clone, Default)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// A secret of these bytes; none is no secret.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Secret {
        Secret(bytes.into())
    }
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_empty() { "Secret(none)" } else { "Secret(***)" })
    }
}

/// The processes of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Members {
    /// The number of this one.
    pub process: usize,
    /// Where each of them listens: `host:port`.
    pub addresses: Vec<String>,
}

impl Members {
    /// True if all of them listen on this machine alone.
    pub fn are_here(&self) -> bool {
        let is_here = |address: &String| {
            let host = address.rsplit_once(':').map_or(&**address, |(host, _)| host);
            host == "localhost"
                || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
        };
        self.addresses.iter().all(is_here)
    }

    /// The processes that the environment of this one tells of: `PATHWAY_PROCESSES`, `PATHWAY_PROCESS_ID`, and
    /// `PATHWAY_ADDRESSES` (`host:port,host:port`) or `PATHWAY_FIRST_PORT` on this machine. None if it is alone.
    ///
    /// # Errors
    /// If a variable is missing or makes no sense.
    pub fn from_environment(get: impl Fn(&str) -> Option<String>) -> Result<Option<Members>, ClusterError> {
        let settings = ClusterError::Settings;
        let number = |name: &str| -> Result<Option<usize>, ClusterError> {
            let Some(text) = get(name) else { return Ok(None) };
            let error = |error| settings(format!("couldn't parse the value of {name:?} ({text:?}): {error}"));
            text.trim().parse().map(Some).map_err(error)
        };
        let processes = number("PATHWAY_PROCESSES")?.unwrap_or(1);
        if processes == 0 {
            return Err(settings("can't run with no processes: set PATHWAY_PROCESSES to 1 or more".into()));
        }
        if processes == 1 {
            return Ok(None);
        }
        let missing = |name: &str| settings(format!("environment variable {name:?} is not set"));
        let process = number("PATHWAY_PROCESS_ID")?.ok_or_else(|| missing("PATHWAY_PROCESS_ID"))?;
        if process >= processes {
            let range = format!("with {processes} processes it is one of 0 to {}", processes - 1);
            return Err(settings(format!("invalid process ID {process}: {range}")));
        }
        let addresses = match get("PATHWAY_ADDRESSES").filter(|list| !list.trim().is_empty()) {
            Some(list) => {
                let addresses: Vec<String> = list.split(',').map(|one| one.trim().to_owned()).collect();
                check_addresses(&addresses, processes)?;
                addresses
            }
            None => {
                let first = number("PATHWAY_FIRST_PORT")?.ok_or_else(|| missing("PATHWAY_FIRST_PORT"))?;
                let last = first + processes - 1;
                if first == 0 || last > usize::from(u16::MAX) {
                    let text = format!("{processes} processes from port {first} on need ports in 1 to 65535");
                    return Err(settings(format!("invalid PATHWAY_FIRST_PORT: {text}")));
                }
                (first..=last).map(|port| format!("127.0.0.1:{port}")).collect()
            }
        };
        Ok(Some(Members { process, addresses }))
    }
}

fn check_addresses(addresses: &[String], processes: usize) -> Result<(), ClusterError> {
    let wrong = |text: String| Err(ClusterError::Settings(format!("invalid PATHWAY_ADDRESSES: {text}")));
    if addresses.len() != processes {
        return wrong(format!("{} addresses for {processes} processes", addresses.len()));
    }
    for address in addresses {
        let port = address.rsplit_once(':').filter(|(host, _)| !host.is_empty());
        if port.and_then(|(_, port)| port.parse::<u16>().ok()).is_none_or(|port| port == 0) {
            return wrong(format!("{address:?} is not host:port"));
        }
    }
    if addresses.iter().collect::<BTreeSet<_>>().len() < addresses.len() {
        return wrong("an address is there twice".into());
    }
    Ok(())
}

/// How a process becomes part of a cluster.
#[derive(Clone, Debug)]
pub struct Config {
    /// The processes.
    pub members: Members,
    /// What they all know.
    pub secret: Secret,
    /// How long others are waited for at the start.
    pub patience: Duration,
    /// A process that is silent for so long is taken for lost.
    pub silence: Duration,
    /// What listens on the own address already, if something does.
    pub listener: Option<Arc<TcpListener>>,
}

impl Config {
    /// Waits for five minutes at the start; ten seconds of silence are too long.
    pub fn new(members: Members) -> Config {
        Config {
            members,
            secret: Secret::default(),
            patience: Duration::from_secs(300),
            silence: Duration::from_secs(10),
            listener: None,
        }
    }

    /// With `PATHWAY_CLUSTER_SECRET`, and `PATHWAY_CLUSTER_PATIENCE_MS` and `PATHWAY_CLUSTER_SILENCE_MS`
    /// in place of the usual limits, beside what [`Members::from_environment`] reads.
    ///
    /// # Errors
    /// If a variable is missing or makes no sense.
    pub fn from_environment(get: impl Fn(&str) -> Option<String>) -> Result<Option<Config>, ClusterError> {
        let Some(members) = Members::from_environment(&get)? else { return Ok(None) };
        let mut config = Config::new(members);
        config.secret = Secret::new(get("PATHWAY_CLUSTER_SECRET").unwrap_or_default());
        let limits = [
            ("PATHWAY_CLUSTER_PATIENCE_MS", &mut config.patience),
            ("PATHWAY_CLUSTER_SILENCE_MS", &mut config.silence),
        ];
        for (name, limit) in limits {
            if let Some(text) = get(name) {
                let millis = text.trim().parse().ok().filter(|millis| *millis > 0);
                let wrong = || format!("{name} is a positive number of milliseconds, not {text:?}");
                *limit = Duration::from_millis(millis.ok_or_else(|| ClusterError::Settings(wrong()))?);
            }
        }
        Ok(Some(config))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used)]
    use super::*;

    fn members(variables: &[(&str, &str)]) -> Result<Option<Members>, String> {
        let get =
            |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
        Members::from_environment(get).map_err(|error| error.to_string())
    }

    #[test]
    fn one_process_is_alone() {
        assert_eq!(members(&[]), Ok(None));
        assert_eq!(members(&[("PATHWAY_PROCESSES", "1"), ("PATHWAY_ADDRESSES", "nonsense")]), Ok(None));
    }

    #[test]
    fn ports_follow_each_other() {
        let two = [("PATHWAY_PROCESSES", "2"), ("PATHWAY_PROCESS_ID", "1"), ("PATHWAY_FIRST_PORT", "7000")];
        let addresses = vec!["127.0.0.1:7000".to_owned(), "127.0.0.1:7001".to_owned()];
        assert_eq!(members(&two), Ok(Some(Members { process: 1, addresses })));
    }

    #[test]
    fn a_list_of_addresses_replaces_ports() {
        let two =
            [("PATHWAY_PROCESSES", "2"), ("PATHWAY_PROCESS_ID", "0"), ("PATHWAY_ADDRESSES", "a:1, [::1]:2")];
        let addresses = vec!["a:1".to_owned(), "[::1]:2".to_owned()];
        assert_eq!(members(&two), Ok(Some(Members { process: 0, addresses })));
    }

    #[test]
    fn it_is_known_whether_a_network_is_between_them() {
        let are_here = |addresses: &[&str]| {
            let addresses = addresses.iter().map(|address| (*address).to_owned()).collect();
            Members { process: 0, addresses }.are_here()
        };
        assert!(are_here(&["127.0.0.1:1", "localhost:2", "[::1]:3"]));
        assert!(!are_here(&["127.0.0.1:1", "10.0.0.1:2"]));
        assert!(!are_here(&["worker:1"]));
    }

    #[test]
    fn mistakes_are_told() {
        let cases: &[(&[(&str, &str)], &str)] = &[
            (&[("PATHWAY_PROCESSES", "0")], "no processes"),
            (&[("PATHWAY_PROCESSES", "two")], "couldn't parse the value of \"PATHWAY_PROCESSES\""),
            (&[("PATHWAY_PROCESSES", "2")], "\"PATHWAY_PROCESS_ID\" is not set"),
            (&[("PATHWAY_PROCESSES", "2"), ("PATHWAY_PROCESS_ID", "2")], "invalid process ID 2"),
            (&[("PATHWAY_PROCESSES", "2"), ("PATHWAY_PROCESS_ID", "1")], "\"PATHWAY_FIRST_PORT\" is not set"),
        ];
        for (variables, text) in cases {
            let error = members(variables).expect_err("a mistake");
            assert!(error.contains(text), "{error} does not contain {text}");
        }
        for (list, text) in
            [("a:1", "1 addresses"), ("a:1,b", "host:port"), ("a:1,a:1", "twice"), ("a:1,b:0", "host:port")]
        {
            let two = [("PATHWAY_PROCESSES", "2"), ("PATHWAY_PROCESS_ID", "0"), ("PATHWAY_ADDRESSES", list)];
            let error = members(&two).expect_err("a mistake");
            assert!(error.contains(text), "{error} does not contain {text}");
        }
        let port = [("PATHWAY_PROCESSES", "3"), ("PATHWAY_PROCESS_ID", "0"), ("PATHWAY_FIRST_PORT", "65534")];
        assert!(members(&port).expect_err("too high").contains("65535"));
    }

    #[test]
    fn a_secret_is_not_printed() {
        assert_eq!(format!("{:?}", Secret::new("open sesame")), "Secret(***)");
    }
}
