//! The one maker of [`Verified`]: a question that fits the profile, was made since this process could
//! remember, and was not seen before.

use jiff::{Timestamp, Zoned};

use super::fault::SignatureFault;
use super::message::Message;
use super::profile::{AHEAD_SECONDS, examine};
use super::replay::{ReplayFault, Replays};
use crate::model::{MessageKey, SystemId};

/// Who the connection proved to be asking.
#[derive(Debug, Clone, Copy)]
pub struct Asker<'k> {
    pub system: &'k SystemId,
    /// The keys of this system, and of no other.
    pub keys: &'k [MessageKey],
    /// How many members there are that sign: each has its part of the memory.
    pub signing_members: usize,
}

/// A question whose signature is that of its asker. Made by [`Verifier::verify`] alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    keyid: String,
}

impl Verified {
    /// The key it was signed with.
    pub fn keyid(&self) -> &str {
        &self.keyid
    }
}

/// Verifies signed questions for all data-plane threads.
#[derive(Debug)]
pub struct Verifier {
    /// Signatures from before, in seconds since 1970, may have been used with the process before this.
    remembers_from: i64,
    nonces_max: usize,
    replays: Replays,
}

impl Verifier {
    /// For a process that starts now. The process before this may have answered a question whose
    /// `created` was as far ahead as is allowed, so that memory begins only then.
    pub fn new(started: Timestamp, nonces_max: usize) -> Self {
        let started = started.as_second() + i64::from(started.subsec_nanosecond() > 0);
        Self { remembers_from: started + AHEAD_SECONDS, nonces_max, replays: Replays::new(nonces_max) }
    }

    /// Verifies the signature of a question read whole. The day of `now` is London's.
    pub fn verify(
        &self,
        question: &Message<'_>,
        body: &[u8],
        asker: &Asker<'_>,
        now: &Zoned,
    ) -> Result<Verified, SignatureFault> {
        let right = examine(question, body, asker, now)?;
        let now = now.timestamp().as_second();
        if right.created < self.remembers_from {
            let wait_seconds = u64::try_from(self.remembers_from - now).unwrap_or(0);
            return Err(SignatureFault::BeforeStart { wait_seconds });
        }
        let share = self.nonces_max / asker.signing_members.max(1);
        let nonce = (right.key.id.as_str(), right.nonce.as_str());
        match self.replays.admit(asker.system, nonce, right.expires, now, share) {
            Ok(()) => Ok(Verified { keyid: right.key.id.clone() }),
            Err(ReplayFault::Used) => Err(SignatureFault::Replayed),
            Err(ReplayFault::Forgotten) => Err(SignatureFault::Expired),
            Err(ReplayFault::Full) => Err(SignatureFault::Full),
        }
    }
}
