//! What of a record it can be found by: the same facts are filed, sought and compared, so that an index and the
//! journal cannot differ in what matches.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};

use super::read::Entry;

/// A text that lies in the record where it can, and is copied only where it is escaped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text<'e>(Cow<'e, str>);

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'de: 'e, 'e> Deserialize<'de> for Text<'e> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reads;

        impl<'de> Visitor<'de> for Reads {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }

        from.deserialize_str(Reads)
    }
}

/// Of an envelope.
#[derive(Debug, Default, Deserialize)]
pub struct Facts<'e> {
    #[serde(borrow)]
    pub kind: Text<'e>,
    /// UTC with milliseconds, as recorded.
    #[serde(borrow)]
    pub time: Text<'e>,
    #[serde(borrow, default)]
    pub exchange: Option<Text<'e>>,
    /// `member/system`.
    #[serde(borrow, default)]
    pub consumer: Option<Text<'e>>,
    #[serde(borrow, default)]
    pub provider: Option<Text<'e>>,
    /// `dataset/v1`.
    #[serde(borrow, default)]
    pub dataset: Option<Text<'e>>,
    /// `agreement@3`.
    #[serde(borrow, default)]
    pub agreement: Option<Text<'e>>,
    #[serde(borrow, default)]
    pub outcome: Option<Text<'e>>,
    #[serde(borrow, default)]
    pub code: Option<Text<'e>>,
    /// Of a summary.
    #[serde(borrow, default)]
    pub member: Option<Text<'e>>,
    /// The first and the last of each range of records an erasure names.
    #[serde(default)]
    pub erases: Vec<(u64, u64)>,
    /// `None` where it was erased.
    #[serde(skip)]
    pub sealed: Option<SealedFacts<'e>>,
}

/// Of a sealed part.
#[derive(Default, Deserialize)]
pub struct SealedFacts<'e> {
    #[serde(borrow, default)]
    pub outcome: Option<Text<'e>>,
    #[serde(borrow, default)]
    pub user: Option<Text<'e>>,
    #[serde(borrow, default)]
    subjects: Vec<Reference<'e>>,
}

#[derive(Deserialize)]
struct Reference<'e> {
    #[serde(borrow, rename = "ref")]
    tag: Text<'e>,
}

impl fmt::Debug for SealedFacts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedFacts(***)")
    }
}

impl SealedFacts<'_> {
    /// The references of its subjects.
    pub fn subjects(&self) -> impl Iterator<Item = [u8; 32]> + '_ {
        self.subjects.iter().filter_map(|one| crate::model::Digest::from_hex(&one.tag)).map(|tag| tag.0)
    }
}

impl<'e> Facts<'e> {
    /// `None` where envelope or sealed part do not read.
    pub fn read(entry: &Entry<'e>) -> Option<Self> {
        let mut facts = Self::of_envelope(entry)?;
        facts.sealed = match entry.sealed_json() {
            Some(json) => Some(serde_json::from_slice(json).ok()?),
            None => None,
        };
        Some(facts)
    }

    /// Without what the sealed part says. `None` where the envelope does not read.
    pub fn of_envelope(entry: &Entry<'e>) -> Option<Self> {
        serde_json::from_slice(entry.envelope).ok()
    }

    /// The name of the log an envelope is of.
    pub(super) fn log_of(envelope: &str) -> Option<String> {
        #[derive(Deserialize)]
        struct Named {
            log: String,
        }
        serde_json::from_str(envelope).ok().map(|named: Named| named.log)
    }

    pub fn at(&self) -> Option<jiff::Timestamp> {
        self.time.parse().ok()
    }

    pub fn is_exchange(&self) -> bool {
        &*self.kind == "exchange"
    }

    /// Whether it is an exchange that ended otherwise than its caller hoped: by every outcome but three.
    pub fn is_refused(&self) -> bool {
        let told = ["answered", "no_match", "explained"];
        self.is_exchange() && !self.outcome.as_deref().is_some_and(|outcome| told.contains(&outcome))
    }

    /// The member that asked.
    pub fn consumer_member(&self) -> Option<&str> {
        self.consumer.as_deref().and_then(|consumer| consumer.split('/').next())
    }

    /// Without its major version.
    pub fn dataset_id(&self) -> Option<&str> {
        self.dataset.as_deref().and_then(|dataset| dataset.split('/').next())
    }

    /// Without its version.
    pub fn agreement_id(&self) -> Option<&str> {
        self.agreement.as_deref().and_then(|agreement| agreement.split('@').next())
    }
}
