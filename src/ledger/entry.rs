//! What the ledger is told: one record for each thing that happened. No data values, ever.
//!
//! Each record becomes an *envelope* (the Merkle leaf, which others may see) and a *sealed part*
//! beside it (salted, shown by role, erasable). `encode.rs` writes them; `schemas/entry/` says how.

use std::borrow::Cow;
use std::sync::Arc;

use super::erase::Erasure;
use super::grant::GrantUse;
use super::life::{Act, Stopped};
use super::subject::SubjectRef;
use super::unkeyed::KeyDestroyed;
use crate::model::{
    AgreementRef, Assurance, Code, DatasetVersion, Digest, ExchangeId, MemberId, OperationId, Outcome,
    PurposeCode, RoleId, Stated, Subject, SystemId,
};

/// One thing to be recorded.
#[derive(Debug)]
pub enum Record {
    /// A question and its answer or refusal.
    Exchange(Box<Exchange>),
    /// A change is about to be forwarded: durable first, so that a crash leaves it visible.
    Intent(Box<Intent>),
    /// A grant is about to be used: durable before its answer leaves, so that it is used once.
    GrantUse(Box<GrantUse>),
    /// A change whose answer a crash lost: made of its intent, see [`OpenIntent`](super::OpenIntent).
    Lost { exchange: Box<Exchange>, subjects: Vec<SubjectRef> },
    /// A ruleset comes into force.
    Ruleset(Ruleset),
    /// What the gateway works by was taken into use, or refused.
    Rules(Rules),
    /// Somebody read the ledger.
    Read(Read),
    /// Something a person should look at: a replaced file that was refused, drift.
    Alarm(Alarm),
    /// An officer of a party did something to an agreement.
    Act(Box<Act>),
    /// The host stops answering somebody or something, or starts again.
    Stop(Box<Stopped>),
    /// Sealed parts are about to be made blank.
    Erasure(Box<Erasure>),
    /// A subject key of which nothing is left is about to be destroyed.
    KeyDestroyed(Box<KeyDestroyed>),
    /// Refusals that are not recorded one by one.
    Summary(Summary),
    /// The gateway stops in good order.
    Shutdown,
}

/// One question and its answer or refusal.
#[derive(Debug)]
pub struct Exchange {
    pub id: ExchangeId,
    pub consumer: SystemId,
    pub provider: MemberId,
    /// Known targets only: an unknown one is `not_agreed` and names nothing.
    pub dataset: Option<DatasetVersion>,
    pub operation: Option<OperationId>,
    /// With the digest of its exact bytes.
    pub agreement: Option<(AgreementRef, Digest)>,
    pub ruleset: Digest,
    pub purpose: Option<Stated<PurposeCode>>,
    pub role: Option<Stated<RoleId>>,
    /// How far it was proven who asked; not known of an exchange a crash has cut off.
    pub assurance: Option<Assurance>,
    /// As the caller was told; the true one is in the sealed part.
    pub outcome: Outcome,
    pub code: Option<Code>,
    /// The HTTP status as sent; 0 where a crash came before anything could be.
    pub status: u16,
    /// Names of the fields released.
    pub fields: Arc<[String]>,
    pub rows: u64,
    /// Keys both MACs; goes to the caller in the receipt and into the sealed part, nowhere else.
    pub nonce: Nonce,
    /// [`request_mac`](super::binding::request_mac) under the nonce.
    pub request_mac: [u8; 32],
    /// [`answer_mac`](super::binding::answer_mac) under the nonce.
    pub answer_mac: [u8; 32],
    /// The caller's own id of the request, mirrored. Not recorded beyond
    /// [`CORRELATION_BYTES_MAX`](super::CORRELATION_BYTES_MAX) or with other than letters, digits
    /// and `-_.:`.
    pub correlation: Option<String>,
    pub sealed: SealedExchange,
}

/// What of an exchange only some roles may read, and what can be erased alone. Prints as stars.
#[derive(Default)]
pub struct SealedExchange {
    /// The true outcome, such as `row_excluded`.
    pub outcome: Cow<'static, str>,
    pub reason: Option<String>,
    /// Stored as keyed references, never as given.
    pub subjects: Vec<Subject>,
    pub user: Option<Stated<String>>,
    pub case: Option<String>,
    /// Free text of the gateway, such as the detail of a refusal.
    pub note: Option<String>,
    /// Names of dropped unknown fields; at most 16 of 64 bytes are kept (design 5).
    pub dropped: Vec<String>,
    pub rows_excluded: u64,
    /// Which certificates the caller showed.
    pub chain: Option<ShownChain>,
}

/// The certificates a caller showed, by the digest of their PEM (leaf first).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShownChain {
    pub digest: Digest,
    /// Whether `evidence/` has them: durable before this is recorded.
    pub kept: bool,
}

impl std::fmt::Debug for SealedExchange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealedExchange(***)")
    }
}

/// The 32 random bytes of one exchange. Prints as stars.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Nonce(pub [u8; 32]);

impl Nonce {
    /// Fresh from the operating system. `None` only if it has no randomness to give.
    pub fn fresh() -> Option<Self> {
        crate::crypto::random().map(Self)
    }
}

impl std::fmt::Debug for Nonce {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Nonce(***)")
    }
}

/// A change about to be forwarded.
#[derive(Debug)]
pub struct Intent {
    pub id: ExchangeId,
    pub consumer: SystemId,
    pub provider: MemberId,
    pub dataset: DatasetVersion,
    pub operation: OperationId,
    pub agreement: (AgreementRef, Digest),
    pub ruleset: Digest,
    pub nonce: Nonce,
    pub request_mac: [u8; 32],
    /// Sealed.
    pub subjects: Vec<Subject>,
}

/// A ruleset that comes into force. Make it with [`Ledger::ruleset`](super::Ledger::ruleset),
/// which keeps the manifest as evidence first.
#[derive(Debug)]
pub struct Ruleset {
    pub digest: Digest,
    /// The one it replaces, as far as the log is known to say.
    pub before: Option<Digest>,
    /// The evidence file that lists every file of the ruleset with its digest.
    pub manifest: Digest,
    pub files: u64,
    /// Every agreement in force in it, with the digest of its exact bytes.
    pub agreements: Vec<(AgreementRef, Digest)>,
}

/// What the gateway works by, as it was taken into use or refused.
#[derive(Debug)]
pub struct Rules {
    pub taken: bool,
    pub items: Vec<RulesItem>,
    /// Sealed: the first thing that was wrong, without values.
    pub detail: Option<String>,
}

/// One thing the gateway works by.
#[derive(Debug)]
pub struct RulesItem {
    /// One stable word, such as `configuration` or `server_certificate`.
    pub what: &'static str,
    /// What was in use, as far as it is known.
    pub before: Option<Digest>,
    /// What was taken or refused; `None` where that is secret or could not be read.
    pub after: Option<Digest>,
}

/// A look into the ledger. Prints without who looked and why.
pub struct Read {
    /// What was done, one word: `search`, `export`, `report`, `backup`.
    pub action: &'static str,
    /// How many records were shown.
    pub shown: u64,
    /// Sealed: who looked, as the gateway knows them.
    pub by: String,
    /// Sealed: why, in their words.
    pub purpose: String,
    /// Sealed: what was asked for, without identifiers.
    pub asked: Option<String>,
    /// Sealed: whom it was about, as references.
    pub subjects: Vec<Subject>,
}

impl std::fmt::Debug for Read {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Read({}, {} shown, ***)", self.action, self.shown)
    }
}

/// Something a person should look at.
#[derive(Debug)]
pub struct Alarm {
    /// One stable word: `file_refused`, `drift`.
    pub cause: &'static str,
    pub dataset: Option<DatasetVersion>,
    /// Sealed: what happened, without identifiers or values.
    pub detail: Option<String>,
    /// Sealed: names of dropped unknown fields.
    pub dropped: Vec<String>,
}

/// Refusals of one source and cause within one minute.
#[derive(Debug)]
pub struct Summary {
    /// The member, where one is known.
    pub member: Option<MemberId>,
    /// A refusal's code, or `handshake`.
    pub cause: Cow<'static, str>,
    pub count: u64,
    /// Milliseconds since 1970.
    pub from_ms: u64,
    pub to_ms: u64,
    /// Sealed: where they came from, such as a network address.
    pub source: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Origin;

    #[test]
    fn what_is_sealed_does_not_print() {
        let said = || Some("Mairi".to_owned());
        let stated = said().map(|value| Stated { value, origin: Origin::Claimed });
        let sealed =
            SealedExchange { user: stated, case: said(), reason: said(), ..SealedExchange::default() };
        let read = Read {
            action: "search",
            shown: 1,
            by: "Mairi".into(),
            purpose: "Mairi".into(),
            asked: None,
            subjects: Vec::new(),
        };
        assert!(!format!("{sealed:?} {read:?}").contains("Mairi"));
    }
}
