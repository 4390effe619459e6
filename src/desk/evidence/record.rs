//! What an exchange's envelope and sealed part say, as far as it is judged here (`schemas/entry/exchange.json`).

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;

use crate::model::{AgreementId, AgreementRef, Digest, MemberId, SystemId, SystemName};

/// From the beginning of an exchange to its record: 600 s for the source and 300 s for the ledger are the most
/// that can be configured. An id that says it began earlier is not believed.
const UNDER_WAY_SECONDS_MAX: i64 = 900;

/// An exchange's envelope.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Exchange {
    pub v: u64,
    pub kind: String,
    pub log: String,
    pub index: u64,
    #[serde(deserialize_with = "time")]
    pub time: Timestamp,
    pub exchange: String,
    pub consumer: String,
    pub provider: String,
    pub dataset: Option<String>,
    pub operation: Option<String>,
    pub agreement: Option<String>,
    pub agreement_digest: Option<String>,
    pub ruleset: String,
    pub purpose: Option<String>,
    pub purpose_origin: Option<String>,
    pub role: Option<String>,
    pub role_origin: Option<String>,
    pub assurance: Option<String>,
    pub outcome: String,
    pub code: Option<String>,
    pub fields: Option<Vec<String>>,
    pub fields_digest: Option<String>,
    pub rows: u64,
    pub sealed: String,
}

/// What is judged of its sealed part. Prints as stars.
#[derive(Clone, Default, Deserialize)]
pub(super) struct SealedPart {
    #[serde(default)]
    pub outcome: String,
    pub note: Option<String>,
    pub user: Option<String>,
    pub reason: Option<String>,
    pub case: Option<String>,
    pub fields: Option<Vec<String>>,
    /// The client's certificates, by the digest of their PEM.
    #[serde(default)]
    pub chain: Option<String>,
    #[serde(default)]
    pub chain_kept: bool,
}

impl std::fmt::Debug for SealedPart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealedPart(***)")
    }
}

/// The entry of a ruleset.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct RulesetEntry {
    pub kind: String,
    pub index: u64,
    pub log: String,
    #[serde(deserialize_with = "time")]
    pub time: Timestamp,
    pub ruleset: String,
    /// The ruleset before it; not known of a log's first, nor where older versions wrote it.
    #[serde(default)]
    pub before: Option<String>,
    pub manifest: String,
    pub agreements: Vec<(String, String)>,
}

/// The evidence file that lists every file of a ruleset.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Manifest {
    pub ruleset: String,
    pub files: Vec<(String, String)>,
}

impl Exchange {
    /// `None` if the bytes are no exchange's envelope.
    pub fn read(envelope: &[u8]) -> Option<Self> {
        serde_json::from_slice(envelope).ok().filter(|read: &Self| read.kind == "exchange" && read.v == 1)
    }

    /// Whether data, or that there is none, was told under an agreement.
    pub fn was_answered(&self) -> bool {
        matches!(self.outcome.as_str(), "answered" | "no_match")
    }

    pub fn consumer(&self) -> Option<SystemId> {
        let (member, system) = self.consumer.split_once('/')?;
        Some(SystemId { member: MemberId::new(member).ok()?, system: SystemName::new(system).ok()? })
    }

    pub fn agreement(&self) -> Option<(AgreementRef, Digest)> {
        let (id, version) = self.agreement.as_ref()?.split_once('@')?;
        let reference = AgreementRef { id: AgreementId::new(id).ok()?, version: version.parse().ok()? };
        Some((reference, Digest::parse(self.agreement_digest.as_ref()?)?))
    }

    /// When the question came: the time in its id (RFC 9562 section 5.7), as far as that can be. It was
    /// decided then, and recorded at its end.
    pub fn began(&self) -> Timestamp {
        let hex: String = self.exchange.chars().filter(char::is_ascii_hexdigit).take(12).collect();
        let ms = i64::from_str_radix(&hex, 16).ok();
        let began = ms.and_then(|ms| Timestamp::from_millisecond(ms).ok());
        let under_way = |began: &Timestamp| {
            let ms = self.time.as_millisecond() - began.as_millisecond();
            (0..=UNDER_WAY_SECONDS_MAX * 1000).contains(&ms)
        };
        began.filter(under_way).unwrap_or(self.time)
    }

    /// The day it was decided on, in London.
    pub fn day(&self) -> Option<Date> {
        day(self.began())
    }
}

/// The day in London.
pub(super) fn day(at: Timestamp) -> Option<Date> {
    Some(at.in_tz(crate::clock::ZONE).ok()?.date())
}

impl RulesetEntry {
    pub fn read(envelope: &[u8]) -> Option<Self> {
        serde_json::from_slice(envelope).ok().filter(|read: &Self| read.kind == "ruleset")
    }

    /// Whether an agreement of these exact bytes was in force in it.
    pub fn has_in_force(&self, agreement: &AgreementRef, bytes: &Digest) -> bool {
        let (agreement, bytes) = (agreement.to_string(), bytes.to_string());
        self.agreements.iter().any(|(known, digest)| *known == agreement && *digest == bytes)
    }
}

impl Manifest {
    pub fn read(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// The digest of the ruleset these files are: over the lines `digest name` in their order, as
    /// [`RulesetFiles::digest`](crate::desk::RulesetFiles::digest) makes it.
    pub fn digest(&self) -> Digest {
        let hex = |digest: &String| digest.strip_prefix("sha256:").unwrap_or(digest).to_owned();
        let lines: String =
            self.files.iter().map(|(name, digest)| format!("{} {name}\n", hex(digest))).collect();
        Digest::of(lines.as_bytes())
    }
}

fn time<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
    String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
}
