//! Nonces that were used, each remembered exactly as long as its signature could be used again: the
//! same question twice is one too many (RFC 9421 section 7.2.2).
//!
//! One memory for all data-plane threads, bounded as a whole and by member, so that one member that
//! signs very much is refused itself and nobody else.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use crate::crypto::{self, Sha256};
use crate::model::{MemberId, SystemId};

#[derive(Debug)]
pub struct Replays {
    nonces_max: usize,
    kept: Mutex<Kept>,
}

/// Why a nonce is not admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplayFault {
    /// It was used before.
    Used,
    /// It may have been used before and forgotten: time was later already.
    Forgotten,
    /// No more can be remembered for this member, or at all.
    Full,
}

#[derive(Debug, Default)]
struct Kept {
    /// The latest time anything was forgotten at. A clock that steps back brings nothing back.
    latest: i64,
    total: usize,
    members: HashMap<MemberId, Nonces>,
}

#[derive(Debug, Default)]
struct Nonces {
    used: HashSet<Sha256>,
    /// The same by the second after which they are no longer needed.
    by_expiry: BTreeMap<i64, Vec<Sha256>>,
}

impl Replays {
    pub fn new(nonces_max: usize) -> Self {
        Self { nonces_max, kept: Mutex::default() }
    }

    /// Remembers a nonce of a signature that was verified. `share` is how many this member may have
    /// remembered; times are in seconds since 1970.
    pub fn admit(
        &self,
        system: &SystemId,
        nonce: (&str, &str),
        expires: i64,
        now: i64,
        share: usize,
    ) -> Result<(), ReplayFault> {
        let digest = digest(system, nonce);
        // Each change is one step, so a holder that panicked left nothing half done.
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = &mut *kept;
        kept.latest = kept.latest.max(now);
        if expires < kept.latest {
            return Err(ReplayFault::Forgotten);
        }
        let nonces = kept.members.entry(system.member.clone()).or_default();
        kept.total -= nonces.forget(kept.latest);
        if nonces.used.contains(&digest) {
            return Err(ReplayFault::Used);
        }
        if nonces.used.len() >= share {
            return Err(ReplayFault::Full);
        }
        if kept.total >= self.nonces_max {
            kept.forget();
        }
        if kept.total >= self.nonces_max {
            return Err(ReplayFault::Full);
        }
        let nonces = kept.members.entry(system.member.clone()).or_default();
        nonces.used.insert(digest);
        nonces.by_expiry.entry(expires).or_default().push(digest);
        kept.total += 1;
        Ok(())
    }

    /// How many are remembered now.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.kept.lock().unwrap().total
    }
}

impl Kept {
    /// Forgets what no member needs any more.
    fn forget(&mut self) {
        let latest = self.latest;
        for nonces in self.members.values_mut() {
            self.total -= nonces.forget(latest);
        }
        self.members.retain(|_, nonces| !nonces.used.is_empty());
    }
}

impl Nonces {
    /// Forgets those that had expired before `latest`, and says how many.
    fn forget(&mut self, latest: i64) -> usize {
        let needed = self.by_expiry.split_off(&latest);
        let expired = std::mem::replace(&mut self.by_expiry, needed);
        let mut forgotten = 0;
        for digest in expired.into_values().flatten() {
            forgotten += usize::from(self.used.remove(&digest));
        }
        forgotten
    }
}

/// Of one length whatever the nonce's; each part framed by its length.
fn digest(system: &SystemId, (keyid, nonce): (&str, &str)) -> Sha256 {
    let parts = [system.member.as_str(), system.system.as_str(), keyid, nonce];
    let lengths = parts.map(|part| (part.len() as u64).to_be_bytes());
    let framed: Vec<&[u8]> =
        lengths.iter().zip(parts).flat_map(|(length, part)| [length.as_slice(), part.as_bytes()]).collect();
    crypto::sha256(&framed)
}
