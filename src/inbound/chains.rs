//! Which certificates a caller showed: their digest stands in the sealed part of every record, and they are kept
//! as evidence, durable before the first record that names them.
//!
//! Found once for each connection, beside the road; an exchange copies a digest. A member can make certificates
//! without end, and so what is kept of one in a day is bounded. Beyond that, or where they cannot be written,
//! records still name them by digest and say that they were not kept: whoever shows them later is held to it.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use crate::ledger::{Alarm, Ledger, Record, ShownChain};
use crate::model::{Digest, MemberId};

use super::accept::Connection;
use super::road::{Road, Worker};

/// Keeping at once, each on a thread beside the road: a sync of a disk is not made faster by company.
pub const KEEPERS_MAX: usize = 1;
/// New chains of one member kept in a day: twenty systems whose certificates are made anew every hour, and as
/// many again. About 4 KiB each on disk, 64 KiB at most.
const NEW_PER_MEMBER_MAX: u32 = 1024;
/// The longest that TLS lets through is of this size in DER; five certificates of 2 KiB are usual.
const CHAIN_BYTES_MAX: usize = 64 * 1024;
/// Chains known to be kept. Beyond it the memory starts afresh, and looks at the disk again. 3 MiB.
const REMEMBERED_MAX: usize = 65_536;
const DAY_MS: u64 = 86_400_000;

/// What is known of callers' chains, for all threads.
pub struct Chains {
    memory: Mutex<Memory>,
    /// Beside the road.
    beside: Handle,
    keepers: Arc<Semaphore>,
}

#[derive(Default)]
struct Memory {
    kept: HashSet<Digest>,
    /// Days since 1970, and what was newly kept in this one. As many entries as members.
    day: u64,
    new: HashMap<MemberId, u32>,
}

impl Memory {
    /// Whether one more may be kept; the first refusal of a day is for telling.
    fn admit(&mut self, member: &MemberId, day: u64) -> Admission {
        if day != self.day {
            self.day = day;
            self.new.clear();
        }
        let new = self.new.entry(member.clone()).or_default();
        *new = new.saturating_add(1);
        match *new {
            count if count <= NEW_PER_MEMBER_MAX => Admission::Keep,
            count if count == NEW_PER_MEMBER_MAX + 1 => Admission::Tell,
            _ => Admission::Leave,
        }
    }

    fn remember(&mut self, digest: Digest) {
        if self.kept.len() >= REMEMBERED_MAX {
            self.kept.clear();
        }
        self.kept.insert(digest);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Admission {
    Keep,
    /// Not this one, and nobody has been told yet.
    Tell,
    Leave,
}

impl Chains {
    pub fn new(beside: Handle) -> Self {
        let keepers = Arc::new(Semaphore::new(KEEPERS_MAX));
        Self { memory: Mutex::default(), beside, keepers }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        // Each change is one step, so a holder that panicked left nothing half done.
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How this connection's records name what its peer showed.
pub(super) async fn shown(worker: &Worker, connection: &Connection, member: &MemberId) -> Option<ShownChain> {
    if let Some(chain) = connection.chain.get() {
        return Some(chain);
    }
    let pem = connection.shown.borrow().clone()?;
    let digest = Digest::of(pem.as_bytes());
    let known = worker.road.chains.memory().kept.contains(&digest);
    // A disk that hangs must not hold callers: the record it hangs for is refused by itself.
    let kept = known
        || tokio::time::timeout(worker.road.bounds.record_max, keep(&worker.road, digest, pem, member))
            .await
            .unwrap_or(false);
    let chain = ShownChain { digest, kept };
    connection.chain.set(Some(chain));
    connection.shown.take();
    Some(chain)
}

/// Whether the chain is in `evidence/`, durably.
async fn keep(road: &Arc<Road>, digest: Digest, pem: Arc<str>, member: &MemberId) -> bool {
    let Ok(place) = Arc::clone(&road.chains.keepers).acquire_owned().await else { return false };
    let (beside, member) = (Arc::clone(road), member.clone());
    let kept = road.chains.beside.spawn_blocking(move || {
        let _place = place;
        kept(&beside, &digest, &pem, &member)
    });
    kept.await.unwrap_or(false)
}

fn kept(road: &Road, digest: &Digest, pem: &str, member: &MemberId) -> bool {
    let ledger: &Ledger = &road.ledger;
    // One that is there costs nothing, whoever had it kept and when.
    if pem.len() > CHAIN_BYTES_MAX || (ledger.evidence(digest).is_err() && !admitted(road, member)) {
        return false;
    }
    match ledger.keep_evidence(pem.as_bytes()) {
        Ok(_) => {
            // If we crash here it is there and nothing names it.
            road.chains.memory().remember(*digest);
            true
        }
        Err(fault) => {
            tracing::error!(%fault, "a caller's certificates could not be kept; records name them by digest alone");
            false
        }
    }
}

fn admitted(road: &Road, member: &MemberId) -> bool {
    let admission = road.chains.memory().admit(member, road.clock.unix_ms() / DAY_MS);
    if admission == Admission::Tell {
        tracing::warn!(%member, "a member showed more new certificates in a day than are kept");
        road.metrics.alarm("chains_not_kept", "");
        let detail = Some(format!(
            "{member} showed more than {NEW_PER_MEMBER_MAX} new chains of certificates in a day"
        ));
        let alarm = Alarm { cause: "chains_not_kept", dataset: None, detail, dropped: Vec::new() };
        if let Err(fault) = road.ledger.append_blocking(Record::Alarm(alarm)) {
            tracing::error!(%fault, "an alarm could not be recorded");
        }
    }
    admission == Admission::Keep
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_that_makes_certificates_without_end_fills_no_disk_and_is_told_of_once_a_day() {
        let mut memory = Memory::default();
        let (nhs, police) = (MemberId::new("nhs-lomond").unwrap(), MemberId::new("police").unwrap());
        for _ in 0..NEW_PER_MEMBER_MAX {
            assert_eq!(memory.admit(&nhs, 1), Admission::Keep);
        }
        assert_eq!(memory.admit(&nhs, 1), Admission::Tell);
        assert_eq!(memory.admit(&nhs, 1), Admission::Leave);
        assert_eq!(memory.admit(&police, 1), Admission::Keep, "another member's is its own");
        assert_eq!(memory.admit(&nhs, 2), Admission::Keep, "a new day");
        for number in 0..REMEMBERED_MAX as u64 + 2 {
            memory.remember(Digest::of(&number.to_be_bytes()));
        }
        assert_eq!(memory.kept.len(), 2);
    }
}
