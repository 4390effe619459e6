//! What every envelope says, and the little of some kinds that other records depend on, as it is read again. What
//! they are written by is in [`encode`](super::encode).

use std::borrow::Cow;

use serde::Deserialize;

use super::previous::Previous;
use crate::model::{AgreementId, AgreementRef, Digest};

/// What every envelope says, and the little of some kinds that other records depend on.
#[derive(Debug, Deserialize)]
pub(super) struct EnvelopeHead<'e> {
    pub v: u64,
    #[serde(borrow)]
    pub kind: Cow<'e, str>,
    #[serde(borrow)]
    pub log: Cow<'e, str>,
    pub index: u64,
    #[serde(borrow)]
    pub time: Cow<'e, str>,
    #[serde(borrow)]
    pub sealed: Cow<'e, str>,
    /// The exchange's id, of an exchange or intent.
    #[serde(default)]
    pub exchange: Option<String>,
    /// The first and the last of each range of records an erasure names.
    #[serde(default)]
    pub erases: Vec<(u64, u64)>,
    /// The records of an earlier log an erasure names.
    #[serde(default)]
    pub earlier: Option<ErasesEarlier>,
    /// The subject key that is destroyed; of a log's first record the log's own key.
    #[serde(borrow, default)]
    pub key: Option<Cow<'e, str>>,
    /// The grant that was used, or the agreement of an exchange.
    #[serde(default)]
    pub agreement: Option<Cow<'e, str>>,
    /// The agreements of a ruleset.
    #[serde(default)]
    pub agreements: Vec<(String, String)>,
    /// The log before this one, of a first record.
    #[serde(default)]
    pub previous: Option<Previous>,
    /// The ruleset that came into force, or that an exchange ran under.
    #[serde(default)]
    pub ruleset: Option<&'e str>,
    /// What was taken into use, or refused.
    #[serde(default)]
    pub taken: bool,
    #[serde(default)]
    pub items: Vec<(&'e str, Option<&'e str>, Option<&'e str>)>,
}

/// Records of an earlier log, as an erasure names them.
#[derive(Debug, Deserialize)]
pub(super) struct ErasesEarlier {
    pub log: String,
    pub erases: Vec<(u64, u64)>,
}

impl<'e> EnvelopeHead<'e> {
    pub(super) fn read(envelope: &'e [u8]) -> Option<Self> {
        serde_json::from_slice(envelope).ok()
    }

    /// The agreements a ruleset brought into force, or the log before this one saw in force, with the digests
    /// of their bytes.
    pub(super) fn in_force(&self) -> impl Iterator<Item = (AgreementRef, Digest)> + '_ {
        let named = match (&*self.kind, &self.previous) {
            ("ruleset", _) => self.agreements.as_slice(),
            ("origin", Some(previous)) => previous.agreements.as_slice(),
            _ => &[],
        };
        named.iter().filter_map(|(agreement, bytes)| Some((agreement_ref(agreement)?, Digest::parse(bytes)?)))
    }

    /// The subject key that this record says is destroyed.
    pub(super) fn destroyed(&self) -> Option<String> {
        self.key.as_deref().filter(|_| self.kind == "key_destroyed").map(str::to_owned)
    }

    /// The grant that this record says was used.
    pub(super) fn used(&self) -> Option<AgreementId> {
        let grant = self.agreement.as_deref().filter(|_| self.kind == "grant")?;
        agreement_ref(grant).map(|grant| grant.id)
    }
}

/// Reads `id@version`.
pub(super) fn agreement_ref(text: &str) -> Option<AgreementRef> {
    let (id, version) = text.split_once('@')?;
    Some(AgreementRef { id: AgreementId::new(id).ok()?, version: version.parse().ok()? })
}
