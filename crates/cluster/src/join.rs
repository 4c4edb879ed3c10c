//! How the processes of a run meet: each calls those with lower numbers and waits for those with higher.

use std::io::{self, ErrorKind};
use std::net::{TcpListener, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, unbounded};

use crate::handshake::{Refusal, Side, greet};
use crate::peer::Peer;
use crate::session::Cluster;
use crate::{ClusterError, Config, Hello};

/// The longest time between two attempts to call a process, and two looks at who has come.
const BETWEEN_CALLS: Duration = Duration::from_millis(100);
/// Between two words about who is waited for.
const BETWEEN_WORDS: Duration = Duration::from_secs(5);
/// How long one attempt may take.
const CALL: Duration = Duration::from_secs(3);
/// How long an address may still be in use by an earlier run that is ending.
const IN_USE: Duration = Duration::from_secs(5);
/// Strangers and processes that may be greeted at once.
const GREETED_AT_ONCE: usize = 64;

/// The time between two attempts: short at first, as processes are mostly started together.
fn pause(since: Instant) -> Duration {
    (since.elapsed() / 8).clamp(Duration::from_millis(1), BETWEEN_CALLS)
}

/// Someone who called, was called, or could not be.
enum Met {
    Process(TcpStream, Hello),
    /// Who called and did not behave as a process of the run does.
    Stranger(String, Refusal),
    /// A process with a lower number that refuses this one, or is none.
    Refused(usize, Refusal),
}

impl Cluster {
    /// Waits for all processes of the run and makes sure of them. `hello` is what this one is; `word` takes
    /// lines for people; `stopped` says if the caller has changed its mind.
    ///
    /// # Errors
    /// If the own address cannot be listened on, if processes do not come in time, if one of them does not
    /// belong to the run, or if the caller gave up.
    pub fn join(
        config: &Config,
        threads: usize,
        program: &str,
        word: &dyn Fn(&str),
        stopped: &dyn Fn() -> bool,
    ) -> Result<Cluster, ClusterError> {
        let own = config.members.process;
        let addresses = &config.members.addresses;
        let hello = Hello {
            process: own,
            processes: addresses.len(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            threads,
            program: program.to_owned(),
        };
        let (sender, met) = unbounded();
        let gathering = Gathering { config, hello: &hello, sender, word, stopped };
        let listener = (own + 1 < addresses.len()).then(|| gathering.listen()).transpose()?;
        let found = gathering.gather(listener, &met)?;
        Ok(Cluster::new(&hello, found)?)
    }
}

struct Gathering<'a> {
    config: &'a Config,
    hello: &'a Hello,
    sender: Sender<Met>,
    word: &'a dyn Fn(&str),
    stopped: &'a dyn Fn() -> bool,
}

impl Gathering<'_> {
    fn address(&self, process: usize) -> &str {
        &self.config.members.addresses[process]
    }

    fn listen(&self) -> Result<TcpListener, ClusterError> {
        let process = self.hello.process;
        let address = self.address(process);
        if let Some(listener) = &self.config.listener {
            listener.set_nonblocking(true)?;
            return Ok(listener.try_clone()?);
        }
        let begin = Instant::now();
        loop {
            match TcpListener::bind(address) {
                Ok(listener) => {
                    listener.set_nonblocking(true)?;
                    return Ok(listener);
                }
                Err(error) if error.kind() == ErrorKind::AddrInUse && begin.elapsed() < IN_USE => {
                    std::thread::sleep(BETWEEN_CALLS);
                }
                Err(error) => {
                    return Err(ClusterError::Listen { process, address: address.to_owned(), error });
                }
            }
            if (self.stopped)() {
                return Err(ClusterError::Stopped);
            }
        }
    }

    /// Calls a process until it answers, or for as long as the guard lives.
    fn call(&self, process: usize) -> io::Result<Arc<()>> {
        let guard = Arc::new(());
        let alive = Arc::downgrade(&guard);
        let (address, secret, hello) =
            (self.address(process).to_owned(), self.config.secret.clone(), self.hello.clone());
        let sender = self.sender.clone();
        let thread = std::thread::Builder::new().name(format!("pathway:call-{process}"));
        let begin = Instant::now();
        thread.spawn(move || {
            while alive.strong_count() > 0 {
                let Ok(mut stream) = connect(&address) else {
                    std::thread::sleep(pause(begin));
                    continue;
                };
                let met = match greet(&mut stream, Side::Caller, &secret, &hello) {
                    Ok(hello) => Met::Process(stream, hello),
                    // It may be ending, or be a process of an earlier run.
                    Err(Refusal::Stranger(error)) if error.kind() != ErrorKind::InvalidData => {
                        std::thread::sleep(pause(begin));
                        continue;
                    }
                    Err(refusal) => Met::Refused(process, refusal),
                };
                // Nobody waits for it any more.
                let _ = sender.send(met);
                return;
            }
        })?;
        Ok(guard)
    }

    /// Greets one who called, in a thread of its own: it may be a stranger who says nothing.
    fn answer(&self, mut stream: TcpStream, from: String, greeted: &Arc<AtomicUsize>) -> io::Result<()> {
        if greeted.fetch_add(1, Ordering::SeqCst) >= GREETED_AT_ONCE {
            greeted.fetch_sub(1, Ordering::SeqCst);
            return Ok(());
        }
        let (secret, hello) = (self.config.secret.clone(), self.hello.clone());
        let (sender, greeted) = (self.sender.clone(), greeted.clone());
        std::thread::Builder::new().name("pathway:greet".into()).spawn(move || {
            let answer = stream.set_nonblocking(false).map_err(Refusal::from);
            let answer = answer.and_then(|()| greet(&mut stream, Side::Called, &secret, &hello));
            let met = match answer {
                Ok(hello) => Met::Process(stream, hello),
                Err(refusal) => Met::Stranger(from, refusal),
            };
            // As above.
            let _ = sender.send(met);
            greeted.fetch_sub(1, Ordering::SeqCst);
        })?;
        Ok(())
    }

    fn gather(
        &self,
        listener: Option<TcpListener>,
        met: &Receiver<Met>,
    ) -> Result<Vec<Option<(Peer, Hello)>>, ClusterError> {
        let own = self.hello.process;
        let mut found: Vec<Option<(Peer, Hello)>> =
            self.config.members.addresses.iter().map(|_| None).collect();
        let missing = |found: &[Option<(Peer, Hello)>]| -> Vec<usize> {
            (0..found.len()).filter(|process| *process != own && found[*process].is_none()).collect()
        };
        // Calls end with their guards.
        let mut calls = (0..own).map(|process| self.call(process)).collect::<Result<Vec<_>, _>>()?;
        let begin = Instant::now();
        let mut said = begin;
        let greeted = Arc::default();
        loop {
            let left = missing(&found);
            if left.is_empty() {
                return Ok(found);
            }
            if (self.stopped)() {
                return Err(ClusterError::Stopped);
            }
            if begin.elapsed() > self.config.patience {
                let missing = left.iter().map(|process| (*process, self.address(*process).to_owned()));
                let waited = self.config.patience.as_secs();
                return Err(ClusterError::Missing { missing: missing.collect(), waited });
            }
            if said.elapsed() > BETWEEN_WORDS {
                said = Instant::now();
                let names: Vec<String> =
                    left.iter().map(|process| format!("{process} ({})", self.address(*process))).collect();
                (self.word)(&format!("process {own} waits for {}", names.join(", ")));
            }
            while let Some(listener) = &listener {
                match listener.accept() {
                    Ok((stream, from)) => self.answer(stream, from.to_string(), &greeted)?,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    // The caller has hung up already.
                    Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
                    Err(error) => return Err(error.into()),
                }
            }
            if let Ok(met) = met.recv_timeout(pause(begin)) {
                self.take(met, &mut found)?;
            }
            // One that was restarted comes again, or is called again.
            for process in 0..found.len() {
                if found[process].as_ref().is_some_and(|(peer, _)| peer.has_hung_up()) {
                    found[process] = None;
                    if process < own {
                        calls[process] = self.call(process)?;
                    }
                }
            }
        }
    }

    fn take(&self, met: Met, found: &mut [Option<(Peer, Hello)>]) -> Result<(), ClusterError> {
        let mismatch = |process: usize, reason: String| {
            let address = self.address(process).to_owned();
            Err(ClusterError::Mismatch { process, address, reason })
        };
        match met {
            Met::Process(stream, hello) => {
                let process = hello.process;
                if process >= found.len() || process == self.hello.process {
                    let text = format!(
                        "a process that calls itself {process} called process {}",
                        self.hello.process
                    );
                    return Err(ClusterError::Settings(format!("{text}: each needs a number of its own")));
                }
                if let Some(objection) = self.hello.objection(&hello) {
                    return mismatch(process, objection);
                }
                if found[process].as_ref().is_some_and(|(peer, _)| !peer.has_hung_up()) {
                    return mismatch(process, "there is another one with this number".into());
                }
                let peer = Peer::new(process, self.address(process).to_owned(), stream, self.config.silence)?;
                found[process] = Some((peer, hello));
            }
            Met::Stranger(from, Refusal::Secret) => {
                (self.word)(&format!("{from} was turned away: it does not have the secret of this run"));
            }
            Met::Stranger(from, Refusal::Stranger(error)) => {
                (self.word)(&format!("{from} was turned away: it is not a process of this run ({error})"));
            }
            Met::Refused(process, Refusal::Secret) => {
                return mismatch(process, "it does not have the same secret (PATHWAY_CLUSTER_SECRET)".into());
            }
            Met::Refused(process, Refusal::Stranger(error)) => {
                return mismatch(process, format!("something else listens there ({error})"));
            }
        }
        Ok(())
    }
}

fn connect(address: &str) -> io::Result<TcpStream> {
    let mut last = io::Error::new(ErrorKind::NotFound, "the name stands for no address");
    for address in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, CALL) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}
