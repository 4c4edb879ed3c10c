//! How two processes make sure of each other before anything else is sent.
//!
//! Both send a challenge; both answer with a proof over both challenges; both then say what they are
//! about to run. All of it is bounded in size and time.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::Secret;

const MAGIC: &[u8; 8] = b"pathway1";
const NONCE: usize = 32;
const PROOF: usize = 32;
const LONGEST_HELLO: usize = 1 << 16;

/// How long each step may take.
const STEP: Duration = Duration::from_secs(5);

/// What a process says about itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Its number.
    pub process: usize,
    /// How many there are.
    pub processes: usize,
    /// Its version of the engine.
    pub version: String,
    /// Its workers.
    pub threads: usize,
    /// What it is about to run; equal for equal programs.
    pub program: String,
}

impl Hello {
    /// Why the other does not belong to the same run; None if it does.
    pub(crate) fn objection(&self, other: &Hello) -> Option<String> {
        let differs = |what: &str, own: &dyn std::fmt::Display, its: &dyn std::fmt::Display| {
            Some(format!("it has {its} {what}, process {} has {own}", self.process))
        };
        if self.version != other.version {
            let (own, its) = (&self.version, &other.version);
            return Some(format!("it has version {its} of the engine, process {} has {own}", self.process));
        }
        if self.processes != other.processes {
            return differs("processes", &self.processes, &other.processes);
        }
        if self.threads != other.threads {
            return differs("threads", &self.threads, &other.threads);
        }
        let program =
            "it runs another program: start all processes with the same one, with the same arguments";
        (self.program != other.program).then(|| program.to_owned())
    }
}

/// Why two processes did not agree.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The other does not talk as a process of a cluster does, or is gone.
    Stranger(io::Error),
    /// The other does not have the secret, or this one has another.
    Secret,
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Refusal::Stranger(error)
    }
}

/// Who opened the connection.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Caller,
    Called,
}

/// Makes sure of the other side, and says hello: gives what it says.
pub(crate) fn greet(
    stream: &mut TcpStream,
    side: Side,
    secret: &Secret,
    hello: &Hello,
) -> Result<Hello, Refusal> {
    stream.set_read_timeout(Some(STEP))?;
    stream.set_write_timeout(Some(STEP))?;
    stream.set_nodelay(true)?;
    let mut own = [0; NONCE];
    getrandom::fill(&mut own).map_err(|error| io::Error::other(error.to_string()))?;
    stream.write_all(&[&MAGIC[..], &own].concat())?;
    let mut opening = [0; MAGIC.len() + NONCE];
    stream.read_exact(&mut opening)?;
    let (magic, other) = opening.split_at(MAGIC.len());
    if magic != MAGIC {
        return Err(Refusal::Stranger(io::Error::new(io::ErrorKind::InvalidData, "it does not talk as one")));
    }
    // Each side proves with the other's challenge first, and with its own role, so that nothing can be sent back.
    let (own_role, other_role) =
        if side == Side::Caller { (b"caller", b"called") } else { (b"called", b"caller") };
    stream.write_all(&proof(secret, own_role, other, &own).finalize().into_bytes())?;
    let mut answer = [0; PROOF];
    stream.read_exact(&mut answer)?;
    let expected = proof(secret, other_role, &own, other);
    expected.verify_slice(&answer).map_err(|_| Refusal::Secret)?;

    let text = serde_json::to_vec(hello).map_err(io::Error::other)?;
    stream.write_all(&(text.len() as u32).to_le_bytes())?;
    stream.write_all(&text)?;
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length) as usize;
    if length > LONGEST_HELLO {
        return Err(Refusal::Stranger(io::ErrorKind::InvalidData.into()));
    }
    let mut text = vec![0; length];
    stream.read_exact(&mut text)?;
    serde_json::from_slice(&text).map_err(|error| Refusal::Stranger(io::Error::other(error)))
}

fn proof(secret: &Secret, role: &[u8], challenge: &[u8], own: &[u8]) -> Hmac<Sha256> {
    // HMAC takes keys of any length.
    #[allow(clippy::expect_used)]
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.bytes()).expect("a key of any length");
    [b"pathway cluster ".as_slice(), role, challenge, own].iter().for_each(|part| mac.update(part));
    mac
}
