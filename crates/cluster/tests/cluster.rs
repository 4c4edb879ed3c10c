//! Processes that meet, work, fail and part, each in a thread of its own, over real connections.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use pathway_cluster::{Cluster, ClusterError, Config, Lost, Members, Secret};

const LONG: Duration = Duration::from_secs(20);

/// What listens on addresses, which nobody else gets.
static LISTENERS: Mutex<BTreeMap<String, Arc<TcpListener>>> = Mutex::new(BTreeMap::new());

/// Addresses of our own.
fn addresses(count: usize) -> Vec<String> {
    let mut addresses = Vec::new();
    for _ in 0..count {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound").to_string();
        LISTENERS.lock().expect("no panic").insert(address.clone(), Arc::new(listener));
        addresses.push(address);
    }
    addresses
}

fn config(process: usize, addresses: &[String]) -> Config {
    let mut config = Config::new(Members { process, addresses: addresses.to_vec() });
    config.secret = Secret::new("open sesame");
    config.patience = LONG;
    config.listener = LISTENERS.lock().expect("no panic").get(&addresses[process]).cloned();
    config
}

fn join(config: &Config, program: &str) -> Result<Cluster, ClusterError> {
    Cluster::join(config, 1, program, &|_| {}, &|| false)
}

/// What each of so many processes gives.
fn processes<T: Send>(addresses: &[String], work: impl Fn(Config) -> T + Sync) -> Vec<T> {
    std::thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = (0..addresses.len())
            .map(|process| scope.spawn(move || work(config(process, addresses))))
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    })
}

/// Bytes that tell who sent them and where they are.
fn content(from: usize, to: usize, length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 31 + from * 7 + to * 3) as u8).collect()
}

#[test]
fn processes_meet_and_exchange_data_and_messages_and_part() {
    const LENGTH: usize = 3_000_001;
    let left = processes(&addresses(3), |config| {
        let cluster = join(&config, "p").expect("they meet");
        let own = cluster.process();
        assert_eq!(cluster.processes(), 3);
        assert_eq!(cluster.hellos().iter().map(|hello| hello.process).collect::<Vec<_>>(), [0, 1, 2]);
        cluster.send_to_all(format!("before {own}").as_bytes());
        std::thread::scope(|scope| {
            for (other, link) in cluster.links().into_iter().enumerate() {
                let Some(mut link) = link else { continue };
                let mut reading = link.another();
                scope.spawn(move || {
                    for piece in content(own, other, LENGTH).chunks(77_777) {
                        link.write_all(piece).expect("written");
                    }
                    link.end();
                });
                scope.spawn(move || {
                    let mut all = Vec::new();
                    reading.read_to_end(&mut all).expect("read");
                    assert!(
                        all == content(other, own, LENGTH),
                        "what {other} sent to {own} is not what came"
                    );
                });
            }
        });
        cluster.send_to_all(format!("after {own}").as_bytes());
        let mut messages: Vec<String> = (0..4)
            .map(|_| cluster.receive(LONG).expect("nobody is lost").expect("a message"))
            .map(|(_, message)| String::from_utf8(message).expect("text"))
            .collect();
        messages.sort();
        let others = || (0..3).filter(|other| *other != own);
        let mut expected: Vec<String> = others().map(|other| format!("after {other}")).collect();
        expected.extend(others().map(|other| format!("before {other}")));
        assert_eq!(messages, expected);
        cluster.workers_gone();
        cluster.leave()
    });
    assert_eq!(left, [Ok(()), Ok(()), Ok(())]);
}

#[test]
fn counts_of_all_processes_are_known_to_all() {
    processes(&addresses(2), |config| {
        let cluster = join(&config, "p").expect("they meet");
        let own = cluster.process() as u64;
        cluster.count(10 + own, 20 + own);
        while cluster.counts() != (21, 41) {
            assert_eq!(cluster.receive(Duration::from_millis(10)), Ok(None));
        }
        cluster.leave().expect("nobody is lost");
    });
}

#[test]
fn the_last_counts_of_one_who_leaves_are_known() {
    processes(&addresses(2), |config| {
        let cluster = join(&config, "p").expect("they meet");
        if cluster.process() == 0 {
            // Leaves between two signs of life.
            cluster.send_to_all(b"now");
            cluster.count(7, 8);
        } else {
            assert!(cluster.receive(LONG).expect("nobody is lost").is_some());
            while cluster.counts() != (7, 8) {
                assert_eq!(cluster.receive(Duration::from_millis(10)), Ok(None));
            }
        }
        cluster.leave().expect("nobody is lost");
    });
}

#[test]
fn strangers_are_turned_away_and_hold_nothing_up() {
    let addresses = addresses(2);
    let (said, heard) = mpsc::channel::<String>();
    let first = config(0, &addresses);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(move || {
            let word = |text: &str| said.send(text.to_owned()).expect("somebody listens");
            Cluster::join(&first, 1, "p", &word, &|| false)
        });
        let call = || loop {
            if let Ok(stream) = TcpStream::connect(&addresses[0]) {
                return stream;
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        let silent = call();
        let mut loud = call();
        loud.write_all(&[b'x'; 40]).expect("sent");
        let text = heard.recv_timeout(LONG).expect("a word about the loud one");
        assert!(text.contains("turned away"), "{text}");

        let mut other = config(1, &addresses);
        other.secret = Secret::new("open barley");
        let error = join(&other, "p").err().expect("refused").to_string();
        assert!(error.contains("process 0") && error.contains("secret"), "{error}");
        let text = heard.recv_timeout(LONG).expect("a word about the one without the secret");
        assert!(text.contains("does not have the secret"), "{text}");

        let second = scope.spawn(|| join(&config(1, &addresses), "p").expect("it belongs here").leave());
        let cluster = waiting.join().expect("no panic").expect("they meet");
        cluster.leave().expect("nobody is lost");
        second.join().expect("no panic").expect("nobody is lost");
        drop(silent);
    });
}

#[test]
fn another_program_is_refused_by_both() {
    let errors = processes(&addresses(2), |config| {
        let program = format!("program {}", config.members.process);
        join(&config, &program).err().expect("refused").to_string()
    });
    assert!(errors[0].contains("process 1") && errors[0].contains("another program"), "{}", errors[0]);
    assert!(errors[1].contains("process 0") && errors[1].contains("another program"), "{}", errors[1]);
}

#[test]
fn who_does_not_come_is_named() {
    let addresses = addresses(3);
    let mut first = config(1, &addresses);
    first.patience = Duration::from_millis(300);
    let error = join(&first, "p").err().expect("alone").to_string();
    assert!(error.contains(&format!("0 ({})", addresses[0])), "{error}");
    assert!(error.contains(&format!("2 ({})", addresses[2])), "{error}");
}

#[test]
fn one_who_waits_can_be_stopped() {
    let first = config(0, &addresses(2));
    let stopped = Cluster::join(&first, 1, "p", &|_| {}, &|| true);
    assert!(matches!(stopped, Err(ClusterError::Stopped)));
}

#[test]
fn an_address_in_use_is_an_error_that_names_it() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let addresses = vec![taken.local_addr().expect("bound").to_string(), "127.0.0.1:1".into()];
    let error = join(&config(0, &addresses), "p").err().expect("in use").to_string();
    assert!(error.contains("process 0 cannot listen") && error.contains(&addresses[0]), "{error}");
}

#[test]
fn one_that_is_restarted_while_others_are_waited_for_is_taken_again() {
    let addresses = addresses(3);
    std::thread::scope(|scope| {
        let run = |process: usize| {
            let config = config(process, &addresses);
            scope.spawn(move || join(&config, "p").expect("they meet").leave())
        };
        let first = run(0);
        // It has met the first and gives up while both wait for the third.
        let again = config(1, &addresses);
        let begin = Instant::now();
        let gives_up = || begin.elapsed() > Duration::from_millis(400);
        let stopped = Cluster::join(&again, 1, "p", &|_| {}, &gives_up);
        assert!(matches!(stopped, Err(ClusterError::Stopped)));
        let (second, third) = (run(1), run(2));
        for thread in [first, second, third] {
            thread.join().expect("no panic").expect("nobody is lost");
        }
    });
}

/// Reads a link until it ends or breaks; true if it broke.
fn breaks(mut link: pathway_cluster::Link) -> bool {
    let read = std::thread::spawn(move || std::io::copy(&mut link, &mut std::io::sink()));
    read.join().is_err()
}

/// Waits for the loss of a process, as the workers of a run do.
fn loss(cluster: &Cluster) -> Lost {
    let (sender, lost) = mpsc::channel();
    cluster.when_lost(move |lost| sender.send(lost.clone()).expect("somebody waits"));
    lost.recv_timeout(LONG).expect("it is noticed")
}

#[test]
fn a_failure_is_told_to_the_others_with_its_cause() {
    let told = processes(&addresses(3), |config| {
        let cluster = join(&config, "p").expect("they meet");
        let mut links = cluster.links();
        if cluster.process() == 1 {
            // Others are in the middle of something.
            for link in links.iter_mut().flatten() {
                link.write_all(&[1; 100_000]).expect("written");
            }
            cluster.abandon("division by zero");
            cluster.workers_gone();
            return None;
        }
        let link = links.swap_remove(1).expect("a link to the one that fails");
        let lost = std::thread::scope(|scope| {
            let broken = scope.spawn(|| breaks(link));
            let lost = loss(&cluster);
            cluster.abandon(&lost.to_string());
            cluster.workers_gone();
            assert!(broken.join().expect("no panic"), "the stream does not end as if it were whole");
            lost
        });
        assert_eq!(cluster.leave(), Err(lost.clone()));
        Some(lost.to_string())
    });
    for text in [&told[0], &told[2]] {
        let text = text.as_deref().expect("a loss");
        // The one that hears of it first may tell the third before the first does.
        assert!(text.contains("process 1 has failed: division by zero"), "{text}");
    }
}

/// Forwards connections to `target` until it is told to hang up (1) or to fall silent (2).
fn relay(target: String) -> (String, Arc<AtomicU8>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound").to_string();
    let order = Arc::new(AtomicU8::new(0));
    let orders = order.clone();
    std::thread::spawn(move || {
        while let Ok((caller, _)) = listener.accept() {
            let Ok(called) = TcpStream::connect(&target) else { continue };
            for (from, to) in [(&caller, &called), (&called, &caller)] {
                let (mut from, mut to) = (from.try_clone().expect("cloned"), to.try_clone().expect("cloned"));
                let orders = orders.clone();
                std::thread::spawn(move || {
                    let mut buffer = [0; 1 << 16];
                    from.set_read_timeout(Some(Duration::from_millis(20))).expect("set");
                    loop {
                        match (orders.load(Ordering::SeqCst), from.read(&mut buffer)) {
                            (1, _) => {
                                let _ = to.shutdown(std::net::Shutdown::Both);
                                return;
                            }
                            (2, _) => std::thread::sleep(Duration::from_millis(20)),
                            (_, Ok(count)) if count > 0 => {
                                if to.write_all(&buffer[..count]).is_err() {
                                    return;
                                }
                            }
                            (_, Err(error)) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                            _ => return,
                        }
                    }
                });
            }
        }
    });
    (address, order)
}

/// What two processes notice when the connection between them gets this order.
fn noticed(order: u8) -> Vec<String> {
    let own = addresses(2);
    let (way, orders) = relay(own[0].clone());
    let seen_by_second = vec![way, own[1].clone()];
    std::thread::scope(|scope| {
        let (ready, all_ready) = mpsc::channel();
        let threads: Vec<_> = [own.clone(), seen_by_second]
            .into_iter()
            .enumerate()
            .map(|(process, addresses)| {
                let ready = ready.clone();
                scope.spawn(move || {
                    let mut config = config(process, &addresses);
                    config.silence = Duration::from_millis(1500);
                    let cluster = join(&config, "p").expect("they meet");
                    let mut link = cluster.links().swap_remove(1 - process).expect("a link");
                    link.write_all(&[7; 1000]).expect("written");
                    let reading = link.another();
                    let broken = std::thread::spawn(move || breaks(reading));
                    ready.send(()).expect("somebody waits");
                    let lost = loss(&cluster);
                    assert!(!broken.is_finished(), "it waits for the workers");
                    cluster.abandon(&lost.to_string());
                    cluster.workers_gone();
                    assert!(broken.join().expect("no panic"));
                    lost.to_string()
                })
            })
            .collect();
        (0..2).for_each(|_| all_ready.recv_timeout(LONG).expect("ready"));
        orders.store(order, Ordering::SeqCst);
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    })
}

#[test]
fn a_connection_that_is_cut_is_noticed() {
    for text in noticed(1) {
        assert!(
            text.contains("is gone: ") && text.contains("connection was closed") || text.contains("reset"),
            "{text}"
        );
    }
}

#[test]
fn silence_is_noticed() {
    for text in noticed(2) {
        assert!(text.contains("nothing has come from it for too long") || text.contains("is gone"), "{text}");
    }
}
