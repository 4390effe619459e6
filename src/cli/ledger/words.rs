//! Words of a question to the ledger that come from a closed list or have a form: a word mistyped would find nothing,
//! and be read as though there were nothing. Each is a usage error, with what may have been meant.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::model::{AgreementId, Code, DatasetId, ExchangeId, MemberId, SubjectKind, SystemName, suggestion};

/// True outcomes that are no refusal's code.
const TRULY: [&str; 4] = ["answered", "no_match", "row_excluded", "would be answered"];

type Word = Result<String, String>;

fn listed<'k>(text: &str, known: impl Iterator<Item = &'k str> + Clone) -> Word {
    if known.clone().any(|known| known == text) {
        return Ok(text.to_owned());
    }
    Err(suggestion(text, known).unwrap_or_else(|| "docs/refusals.md lists the codes".to_owned()))
}

fn codes() -> impl Iterator<Item = &'static str> + Clone {
    Code::ALL.iter().map(|code| code.as_str())
}

fn formed<T, E: ToString>(text: &str, read: Result<T, E>) -> Word {
    read.map(|_| text.to_owned()).map_err(|error| error.to_string())
}

pub(super) fn code(text: &str) -> Word {
    listed(text, codes())
}

pub(super) fn truly(text: &str) -> Word {
    listed(text, codes().chain(TRULY))
}

/// Why this is no kind of identifier. It is not said again what was given: it may be the identifier itself.
pub(super) fn no_kind(text: &str) -> Option<String> {
    let known = SubjectKind::ALL;
    let near = || suggestion(text, known).filter(|told| told.starts_with("did you mean"));
    let told = || near().unwrap_or_else(|| format!("one of: {}", known.join(", ")));
    SubjectKind::new(text).is_none().then(|| format!("--subject: not a kind of identifier: {}", told()))
}

/// Likewise, of an exchange's id.
pub(super) fn no_exchange(text: &str) -> Option<String> {
    let why = || "--exchange: wanted the id of an exchange, as its answer has it".to_owned();
    ExchangeId::parse(text).is_none().then(why)
}

pub(super) fn member(text: &str) -> Word {
    formed(text, MemberId::new(text))
}

pub(super) fn dataset(text: &str) -> Word {
    formed(text, DatasetId::new(text))
}

pub(super) fn agreement(text: &str) -> Word {
    formed(text, AgreementId::new(text))
}

pub(super) fn system(text: &str) -> Word {
    let (member, system) = text.split_once('/').ok_or("wanted MEMBER/SYSTEM, such as nhs-lomond/ed-trak")?;
    formed(text, SystemName::new(system)).and(self::member(member))?;
    Ok(text.to_owned())
}

pub(super) fn time(text: &str) -> Word {
    formed(text, text.parse::<Timestamp>().map_err(|_| "wanted a time such as 2026-12-04T09:00:00Z"))
}

/// A day, for reports.
pub(in crate::cli) fn day(text: &str) -> Word {
    // A time of day beside it would be passed over.
    let day = text.parse::<Date>().ok().filter(|day| day.to_string() == text);
    formed(text, day.ok_or("wanted a day such as 2026-12-04"))
}
