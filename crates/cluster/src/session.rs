//! The processes of a run while they work together, and how they part.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};

use crate::frame::Kind;
use crate::peer::{Ended, Peer, TICK, lock};
use crate::{Hello, Link, Lost};

/// How often a process shows that it is there.
const SIGN_OF_LIFE: Duration = Duration::from_millis(250);
/// How long the others have to part from a process that has failed.
const FAREWELL: Duration = Duration::from_secs(2);

/// Told when a process is lost.
type WhenLost = Box<dyn Fn(&Lost) + Send + Sync>;

/// The processes of a run, from one of them.
pub struct Cluster {
    shared: Arc<Shared>,
    inbox: Receiver<(usize, Vec<u8>)>,
    hellos: Vec<Hello>,
    threads: Vec<JoinHandle<()>>,
}

pub(crate) struct Shared {
    process: usize,
    /// By number; none for the own.
    peers: Vec<Option<Peer>>,
    state: Mutex<State>,
    changed: Condvar,
    when_lost: OnceLock<WhenLost>,
    inbox: Sender<(usize, Vec<u8>)>,
    /// Set when the process leaves.
    closed: AtomicBool,
    sent: AtomicU64,
    received: AtomicU64,
}

#[derive(Default)]
struct State {
    lost: Option<Lost>,
    /// The own process has failed, and the others know.
    abandoned: Option<Instant>,
    /// No worker of the own process touches a link any more.
    workers_gone: bool,
    /// Whose turn it is to read, by process.
    turns: Vec<Turn>,
    /// The processes that are done with the run.
    done: Vec<bool>,
    /// The dataflow has links, and has ended its streams to these processes.
    has_links: bool,
    ended: Vec<bool>,
}

/// Who reads from a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Session,
    /// The dataflow, whose next frame has this many bytes.
    Dataflow(usize),
}

impl Cluster {
    pub(crate) fn new(hello: &Hello, peers: Vec<Option<(Peer, Hello)>>) -> std::io::Result<Cluster> {
        let (sender, inbox) = unbounded();
        let count = peers.len();
        let mut hellos = Vec::with_capacity(count);
        let peers = peers.into_iter().map(|peer| {
            let (peer, hello) =
                peer.map_or_else(|| (None, hello.clone()), |(peer, hello)| (Some(peer), hello));
            hellos.push(hello);
            peer
        });
        let peers = peers.collect();
        let state = State {
            turns: vec![Turn::Session; count],
            done: vec![false; count],
            ended: vec![false; count],
            ..State::default()
        };
        let shared = Arc::new(Shared {
            process: hello.process,
            peers,
            state: Mutex::new(state),
            changed: Condvar::new(),
            when_lost: OnceLock::new(),
            inbox: sender,
            closed: AtomicBool::new(false),
            sent: AtomicU64::new(0),
            received: AtomicU64::new(0),
        });
        let mut cluster = Cluster { shared, inbox, hellos, threads: Vec::new() };
        for process in (0..count).filter(|process| *process != hello.process) {
            let shared = cluster.shared.clone();
            let name = format!("pathway:peer-{process}");
            let thread = std::thread::Builder::new().name(name);
            cluster.threads.push(thread.spawn(move || shared.listen(process))?);
        }
        let shared = cluster.shared.clone();
        let thread = std::thread::Builder::new().name("pathway:alive".into());
        cluster.threads.push(thread.spawn(move || shared.show_life())?);
        Ok(cluster)
    }

    /// The number of this process.
    pub fn process(&self) -> usize {
        self.shared.process
    }

    /// How many processes there are.
    pub fn processes(&self) -> usize {
        self.shared.peers.len()
    }

    /// What the processes said about themselves, by number.
    pub fn hellos(&self) -> &[Hello] {
        &self.hellos
    }

    /// A stream of bytes to each other process, by number. All are to be ended before the process leaves.
    pub fn links(&self) -> Vec<Option<Link>> {
        lock(&self.shared.state).has_links = true;
        let links = self.shared.peers.iter().enumerate();
        links.map(|(process, peer)| peer.as_ref().map(|_| Link::new(self.shared.clone(), process))).collect()
    }

    /// Has this called when a process is lost, which may be the case already. It is called once at most,
    /// from any thread.
    pub fn when_lost(&self, told: impl Fn(&Lost) + Send + Sync + 'static) {
        // The first one counts; a session has one owner.
        let _ = self.shared.when_lost.set(Box::new(told));
        let lost = lock(&self.shared.state).lost.clone();
        if let (Some(lost), Some(told)) = (lost, self.shared.when_lost.get()) {
            told(&lost);
        }
    }

    /// Sends a message to a process. That it is lost is told elsewhere.
    pub fn send(&self, process: usize, message: &[u8]) {
        self.shared.send(process, Kind::Message, message);
    }

    /// Sends a message to all others.
    pub fn send_to_all(&self, message: &[u8]) {
        (0..self.processes()).for_each(|process| self.shared.send(process, Kind::Message, message));
    }

    /// The next message and who sent it; None if there is none for so long.
    ///
    /// # Errors
    /// If a process is lost.
    pub fn receive(&self, timeout: Duration) -> Result<Option<(usize, Vec<u8>)>, Lost> {
        let deadline = Instant::now() + timeout;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.inbox.recv_timeout(left.min(TICK)) {
                Ok(message) => return Ok(Some(message)),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    if let Some(lost) = self.lost() {
                        return Err(lost);
                    }
                    if left.is_zero() {
                        return Ok(None);
                    }
                }
            }
        }
    }

    /// The process that was lost first.
    pub fn lost(&self) -> Option<Lost> {
        lock(&self.shared.state).lost.clone()
    }

    /// The own process has sent so many rows to others and received so many, since the start.
    pub fn count(&self, sent: u64, received: u64) {
        self.shared.sent.store(sent, Ordering::Relaxed);
        self.shared.received.store(received, Ordering::Relaxed);
    }

    /// What all processes have sent and received, as far as it is known.
    pub fn counts(&self) -> (u64, u64) {
        let of = |own: &AtomicU64, of: fn(&Peer) -> &AtomicU64| {
            let others = self.shared.peers.iter().flatten().map(|peer| of(peer).load(Ordering::Relaxed));
            others.sum::<u64>() + own.load(Ordering::Relaxed)
        };
        (of(&self.shared.sent, |peer| &peer.sent), of(&self.shared.received, |peer| &peer.received))
    }

    /// The own process has failed: the others are told why, and what workers send from here on goes nowhere.
    pub fn abandon(&self, cause: &str) {
        self.shared.abandon(cause);
    }

    /// No worker of this process uses a link any more.
    pub fn workers_gone(&self) {
        lock(&self.shared.state).workers_gone = true;
        self.shared.changed.notify_all();
    }

    /// The own process is done with the run: waits until its streams have ended and all others are done, too.
    ///
    /// # Errors
    /// If a process is lost before that.
    pub fn leave(&self) -> Result<(), Lost> {
        let mut state = lock(&self.shared.state);
        while state.has_links && state.lost.is_none() && !self.shared.all_others(&state.ended) {
            state = self.shared.wait(state);
        }
        drop(state);
        // Nobody reads what comes after the farewell, so the last counts go before it.
        let counts = self.shared.counts();
        for process in 0..self.processes() {
            self.shared.send(process, Kind::Alive, &counts);
            self.shared.send(process, Kind::Bye, &[]);
        }
        let mut state = lock(&self.shared.state);
        while state.lost.is_none() && !self.shared.all_others(&state.done) {
            state = self.shared.wait(state);
        }
        state.lost.clone().map_or(Ok(()), Err)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.workers_gone();
        self.shared.closed.store(true, Ordering::SeqCst);
        self.shared.changed.notify_all();
        self.shared.peers.iter().flatten().for_each(Peer::close_writing);
        for thread in self.threads.drain(..) {
            thread.thread().unpark();
            // A thread of a session does not fail.
            let _ = thread.join();
        }
        self.shared.peers.iter().flatten().for_each(Peer::close);
    }
}

impl Shared {
    fn wait<'a>(&self, state: std::sync::MutexGuard<'a, State>) -> std::sync::MutexGuard<'a, State> {
        self.changed.wait_timeout(state, TICK).unwrap_or_else(PoisonError::into_inner).0
    }

    /// True if something holds of all processes but the own.
    fn all_others(&self, holds: &[bool]) -> bool {
        holds.iter().enumerate().all(|(process, holds)| *holds || process == self.process)
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    /// True if nothing that comes is of interest any more.
    pub(crate) fn is_over(&self) -> bool {
        self.is_closed() || lock(&self.state).abandoned.is_some_and(|since| since.elapsed() > FAREWELL)
    }

    pub(crate) fn is_abandoned(&self) -> bool {
        lock(&self.state).abandoned.is_some()
    }

    pub(crate) fn peer(&self, process: usize) -> Option<&Peer> {
        self.peers[process].as_ref()
    }

    /// Sends a frame to another process; nothing is sent once the own has failed.
    pub(crate) fn send(&self, process: usize, kind: Kind, content: &[u8]) {
        let Some(peer) = self.peer(process) else { return };
        if self.is_abandoned() || self.is_closed() {
            return;
        }
        peer.write(kind, content, || {
            let state = lock(&self.state);
            state.lost.is_some() || state.abandoned.is_some()
        });
    }

    /// What the own process has sent and received, as a sign of life tells it.
    fn counts(&self) -> Vec<u8> {
        [&self.sent, &self.received].map(|count| count.load(Ordering::Relaxed).to_le_bytes()).concat()
    }

    /// Shows the others every now and then that this process is there.
    fn show_life(&self) {
        while !self.is_closed() {
            let counts = self.counts();
            for peer in self.peers.iter().flatten() {
                if self.is_abandoned() {
                    return;
                }
                peer.write_if_free(Kind::Alive, &counts, || self.is_over());
            }
            std::thread::park_timeout(SIGN_OF_LIFE);
        }
    }

    /// Reads what another process says, while the dataflow does not.
    fn listen(&self, process: usize) {
        let Some(peer) = self.peer(process) else { return };
        loop {
            match peer.read_header(|| self.is_over()) {
                Ok((Kind::Data, length)) => {
                    let mut state = lock(&self.state);
                    state.turns[process] = Turn::Dataflow(length);
                    self.changed.notify_all();
                    while state.turns[process] != Turn::Session {
                        if self.is_closed() {
                            return;
                        }
                        state = self.wait(state);
                    }
                }
                Ok((kind, length)) => {
                    if !self.take(peer, kind, length) {
                        return;
                    }
                }
                Err(ended) => return self.broken(peer, ended),
            }
        }
    }

    /// Waits until the dataflow of the other process has sent something: the bytes of its first frame. None
    /// if that does not happen.
    pub(crate) fn wait_for_turn(&self, process: usize) -> Option<usize> {
        let mut state = lock(&self.state);
        loop {
            if let Turn::Dataflow(length) = state.turns[process] {
                return Some(length);
            }
            if state.lost.is_some() || state.workers_gone {
                return None;
            }
            state = self.wait(state);
        }
    }

    /// The own dataflow has sent everything to a process.
    pub(crate) fn end_data(&self, process: usize) {
        self.send(process, Kind::DataEnd, &[]);
        lock(&self.state).ended[process] = true;
        self.changed.notify_all();
    }

    /// The dataflow of the other process has sent everything: the session reads again.
    pub(crate) fn end_turn(&self, process: usize) {
        lock(&self.state).turns[process] = Turn::Session;
        self.changed.notify_all();
    }

    /// Takes a frame that is not data; false if it is the last one.
    pub(crate) fn take(&self, peer: &Peer, kind: Kind, length: usize) -> bool {
        let mut content = vec![0; length];
        if let Err(ended) = peer.read_all(&mut content, || self.is_over()) {
            self.broken(peer, ended);
            return false;
        }
        match kind {
            Kind::Alive => {
                if let Some((sent, received)) = content.split_first_chunk::<8>()
                    && let Ok(received) = <[u8; 8]>::try_from(received)
                {
                    // One that was put together earlier may come after it.
                    peer.sent.fetch_max(u64::from_le_bytes(*sent), Ordering::Relaxed);
                    peer.received.fetch_max(u64::from_le_bytes(received), Ordering::Relaxed);
                }
            }
            // It is read for as long as the session is there.
            Kind::Message => drop(self.inbox.send((peer.process, content))),
            Kind::Failed => {
                let cause = format!("has failed: {}", String::from_utf8_lossy(&content));
                self.lose(Lost { process: peer.process, cause });
                return false;
            }
            Kind::Bye => {
                lock(&self.state).done[peer.process] = true;
                self.changed.notify_all();
                return false;
            }
            Kind::Data | Kind::DataEnd => {}
        }
        true
    }

    /// Nothing more comes from a process. Whoever has failed itself, or is done with it, does not mind.
    pub(crate) fn broken(&self, peer: &Peer, ended: Ended) {
        let cause = match ended {
            Ended::GivenUp => return,
            Ended::Broken(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                "is gone: its connection was closed".to_owned()
            }
            Ended::Broken(error) => format!("is gone: {error}"),
            Ended::Silent => "is gone: nothing has come from it for too long".to_owned(),
            Ended::Nonsense => "sends what makes no sense".to_owned(),
        };
        {
            let state = lock(&self.state);
            if state.done[peer.process] || state.abandoned.is_some() || self.is_closed() {
                return;
            }
        }
        self.lose(Lost { process: peer.process, cause: format!("({}) {cause}", peer.address) });
    }

    fn lose(&self, lost: Lost) {
        {
            let mut state = lock(&self.state);
            if state.lost.is_some() {
                return;
            }
            state.lost = Some(lost.clone());
        }
        self.changed.notify_all();
        if let Some(told) = self.when_lost.get() {
            told(&lost);
        }
    }

    fn abandon(&self, cause: &str) {
        {
            let mut state = lock(&self.state);
            if state.abandoned.is_some() {
                return;
            }
            // From here on nothing else is written.
            state.abandoned = Some(Instant::now());
        }
        self.changed.notify_all();
        let deadline = Instant::now() + FAREWELL;
        for peer in self.peers.iter().flatten() {
            peer.write(Kind::Failed, cause.as_bytes(), || Instant::now() > deadline);
            peer.close_writing();
        }
    }

    /// What a thread of a link does once it cannot go on: it waits until no worker can notice, and ends
    /// without a word.
    pub(crate) fn end_thread(&self) -> ! {
        let mut state = lock(&self.state);
        while !state.workers_gone {
            state = self.wait(state);
        }
        drop(state);
        std::panic::resume_unwind(Box::new("a link between processes is broken"))
    }
}
