//! A record as reports read it: the envelope's facts, and the sealed part's while it is there.

use jiff::Timestamp;
use serde::Deserialize;

use super::Only;
use crate::ledger::{Entry, SubjectRef};
use crate::model::{COUNTED_READS, Code, Digest};

/// How many kinds of identifier one person may be looked for by.
pub const PERSONS_KINDS_MAX: usize = 8;

/// One record of the period.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Seen {
    pub kind: String,
    /// The name of the log it is in.
    pub log: String,
    /// UTC with milliseconds, as recorded.
    pub time: String,
    #[serde(skip)]
    pub at: Timestamp,
    #[serde(skip)]
    pub index: u64,
    pub exchange: Option<String>,
    /// `member/system`.
    pub consumer: Option<String>,
    /// `dataset/v1`.
    pub dataset: Option<String>,
    /// `agreement@3`.
    pub agreement: Option<String>,
    pub agreement_digest: Option<String>,
    pub purpose: Option<String>,
    pub purpose_origin: Option<String>,
    pub role: Option<String>,
    pub role_origin: Option<String>,
    pub outcome: Option<String>,
    pub code: Option<String>,
    /// As sent; 0 where a crash came before anything could be.
    #[serde(default)]
    status: u16,
    fields: Option<Vec<String>>,
    #[serde(default)]
    pub rows: u64,
    /// Of a summary.
    pub member: Option<String>,
    pub cause: Option<String>,
    #[serde(default)]
    pub count: u64,
    /// Of a look.
    pub action: Option<String>,
    #[serde(skip)]
    pub sealed: Option<Sealed>,
}

/// What of a record only some may read.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Sealed {
    pub outcome: Option<String>,
    pub reason: Option<String>,
    #[serde(default)]
    subjects: Vec<Reference>,
    pub user: Option<String>,
    pub user_origin: Option<String>,
    pub case: Option<String>,
    pub note: Option<String>,
    #[serde(default)]
    pub rows_excluded: u64,
    /// Where the envelope had no room for them.
    fields: Option<Vec<String>>,
    pub by: Option<String>,
    pub purpose: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Reference {
    kind: String,
    #[serde(rename = "ref")]
    tag: String,
}

/// How an exchange ended, as its caller was told. Each exchange is exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    WithData,
    NothingFound,
    Refused,
    /// Only whether it would be answered.
    Explained,
}

impl Ending {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WithData => "information was given",
            Self::NothingFound => "nothing was found",
            Self::Refused => "refused, nothing was given",
            Self::Explained => "told whether it would be answered, nothing was given",
        }
    }
}

/// Whom an exchange is about, seen from one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    SomebodyElse,
    ThemAlone,
    /// And somebody else, or them by an identifier that was not given: the record cannot tell.
    ThemAndMore,
}

/// Kinds of identifier that name a place or a thing.
const NO_PERSON: [&str; 2] = ["uprn", "vrm"];

impl Seen {
    pub(super) fn read(entry: &Entry<'_>) -> Option<Self> {
        let mut seen: Self = serde_json::from_slice(entry.envelope).ok()?;
        seen.at = seen.time.parse().ok()?;
        seen.index = entry.index;
        seen.sealed = match entry.sealed_json() {
            Some(json) => Some(serde_json::from_slice(json).ok()?),
            None => None,
        };
        Some(seen)
    }

    pub fn is_exchange(&self) -> bool {
        self.kind == "exchange"
    }

    /// The member and the system that asked.
    pub fn caller(&self) -> (&str, &str) {
        self.consumer.as_deref().and_then(|consumer| consumer.split_once('/')).unwrap_or_default()
    }

    pub fn ending(&self) -> Ending {
        // What is a refusal is said in `Facts::is_refused`, by which an index finds them.
        match self.outcome.as_deref() {
            Some("answered") if self.rows > 0 => Ending::WithData,
            Some("answered" | "no_match") => Ending::NothingFound,
            Some("explained") => Ending::Explained,
            _ => Ending::Refused,
        }
    }

    /// Whether a caller was told anything at all.
    pub fn was_told(&self) -> bool {
        self.status != 0
    }

    /// Names of the fields released.
    pub fn fields(&self) -> &[String] {
        let kept = || self.sealed.as_ref().and_then(|sealed| sealed.fields.as_deref());
        self.fields.as_deref().or_else(kept).unwrap_or_default()
    }

    /// The references of whom it is about, while its sealed part is there.
    pub fn tags(&self) -> impl Iterator<Item = Digest> {
        let references = self.sealed.as_ref().map_or(&[][..], |sealed| &sealed.subjects);
        references.iter().filter_map(|one| Digest::from_hex(&one.tag))
    }

    /// Who asked at the member's side, as it is on the record.
    pub fn user(&self) -> Option<&str> {
        self.sealed.as_ref().and_then(|sealed| sealed.user.as_deref())
    }

    pub fn excluded(&self) -> bool {
        self.sealed.as_ref().is_some_and(|sealed| sealed.outcome.as_deref() == Some("row_excluded"))
    }

    /// A summary's refusals: how many, and why.
    pub fn refusals_counted(&self) -> Option<(&str, u64)> {
        let is_refusal = |cause: &&str| self.kind == "summary" && !COUNTED_READS.contains(cause);
        let cause = self.cause.as_deref().filter(is_refusal)?;
        Some((cause, self.count))
    }

    pub fn about(&self, person: &[SubjectRef]) -> About {
        let references = self.sealed.as_ref().map_or(&[][..], |sealed| &sealed.subjects);
        let is_theirs = |one: &Reference| {
            Digest::from_hex(&one.tag).is_some_and(|tag| person.iter().any(|known| known.tag == tag.0))
        };
        if !references.iter().any(is_theirs) {
            About::SomebodyElse
        } else if references.iter().all(|one| is_theirs(one) || NO_PERSON.contains(&one.kind.as_str())) {
            About::ThemAlone
        } else {
            About::ThemAndMore
        }
    }
}

impl Only {
    pub(super) fn matches(&self, seen: &Seen) -> bool {
        let member = seen.member.as_deref().unwrap_or(seen.caller().0);
        let first = |text: &Option<String>, end| {
            text.as_deref().and_then(|text| text.split(end).next()).map(str::to_owned)
        };
        self.consumer.as_ref().is_none_or(|wanted| member == wanted.as_str())
            && self
                .dataset
                .as_ref()
                .is_none_or(|wanted| first(&seen.dataset, '/').as_deref() == Some(wanted.as_str()))
            && self
                .agreement
                .as_ref()
                .is_none_or(|wanted| first(&seen.agreement, '@').as_deref() == Some(wanted.as_str()))
    }
}

/// A refusal code by its spelling.
pub(super) fn code(text: &str) -> Option<Code> {
    Code::ALL.iter().copied().find(|code| code.as_str() == text)
}
