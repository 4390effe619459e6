//! What a start found in the log it opened: where it goes on from.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::intent::OpenIntent;
use crate::clock::Clock;
use crate::model::{AgreementId, AgreementRef, Digest, Life};

/// What opening found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Opened {
    /// How many records the log had; 0 where it begins now.
    pub records: u64,
    /// Whether a batch that was never acknowledged was dropped.
    pub dropped: bool,
    /// Older segments that were not read: have them verified behind the road.
    pub unread_segments: usize,
    /// Intents in what was read that a crash left open: to be closed on the record.
    pub intents: Vec<OpenIntent>,
    /// Agreements that rulesets in what was read brought into force, each in its highest version, with the digest of
    /// its bytes.
    pub in_force: Vec<(AgreementRef, Digest)>,
    /// What officers and the host did, in what was read.
    pub life: Life,
    /// Grants that were used, by what was read.
    pub used: Vec<AgreementId>,
    /// The ruleset that was in force last; `None` where no segment that was read says.
    pub ruleset: Option<Digest>,
    /// What was taken into use last, by what it is, as far as was read.
    pub in_use: BTreeMap<String, Digest>,
    /// What was refused, if that is the last that was said of rules.
    pub refused: Option<(String, Option<Digest>)>,
    /// The time of the last record, in milliseconds since 1970; none where the log begins now.
    pub last_ms: Option<i64>,
}

impl Opened {
    /// How long before now the last record was made; nothing where there was none.
    pub fn silent_for(&self, clock: &Clock) -> SignedDuration {
        let last = self.last_ms.and_then(|ms| Timestamp::from_millisecond(ms).ok());
        last.map_or(SignedDuration::ZERO, |last| clock.now().duration_since(last))
    }
}
