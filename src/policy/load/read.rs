//! Single values of an agreement: words of closed lists, bounded texts, addresses of people and pages, periods.
//! Each is read, or its fault reported; `*_if` gives `Some(None)` for a key that is not there.

use crate::config::strict::{Item, Table};
use crate::model::Vocabulary;

use super::text::reorders;
use super::{distinct, line_of};

/// Names, references and offices are short; longer is prose in the wrong place.
pub(super) const NAME_CHARS_MAX: usize = 120;
/// One plain paragraph, as long as somebody reads before signing.
pub(super) const TEXT_CHARS_MAX: usize = 600;
/// RFC 5321 section 4.5.3.1.3: a path of 256 octets with its brackets.
const EMAIL_BYTES_MAX: usize = 254;
const URL_BYTES_MAX: usize = 400;

pub(super) fn code<T: Vocabulary>(item: &Item<'_>) -> Option<T> {
    item.word(T::ALL, T::code)
}

pub(super) fn word<T: Vocabulary>(table: &Table<'_>, key: &'static str) -> Option<T> {
    code(&table.required(key)?)
}

pub(super) fn word_if<T: Vocabulary>(table: &Table<'_>, key: &'static str) -> Option<Option<T>> {
    given(table, key, code)
}

/// A list of words without repetition; it may be empty, but not left out.
pub(super) fn words<T: Vocabulary + PartialEq + std::fmt::Display>(
    table: &Table<'_>,
    key: &'static str,
) -> Option<Vec<T>> {
    distinct(&table.required(key)?.list()?, code)
}

pub(super) fn given<T>(
    table: &Table<'_>,
    key: &'static str,
    read: impl Fn(&Item<'_>) -> Option<T>,
) -> Option<Option<T>> {
    match table.optional(key) {
        Some(item) => read(&item).map(Some),
        None => Some(None),
    }
}

/// As [`given`]; its absence is a fault where there is a reason to want it.
pub(super) fn wanted<T>(
    table: &Table<'_>,
    key: &'static str,
    why: Option<&str>,
    read: impl Fn(&Item<'_>) -> Option<T>,
) -> Option<Option<T>> {
    match (table.optional(key), why) {
        (Some(item), _) => read(&item).map(Some),
        (None, Some(why)) => {
            table.fault(format!("`{key}` is missing{}: {why}", table.place()));
            None
        }
        (None, None) => Some(None),
    }
}

/// A name, reference or office on one line.
pub(super) fn name(item: &Item<'_>) -> Option<String> {
    line_of(item, NAME_CHARS_MAX)
}

pub(super) fn text(item: &Item<'_>) -> Option<String> {
    line_of(item, TEXT_CHARS_MAX)
}

/// A text that says enough to be judged.
pub(super) fn statement(item: &Item<'_>) -> Option<String> {
    /// Less is a heading.
    const CHARS_MIN: usize = 40;
    let text = text(item)?;
    let chars = text.chars().count();
    if chars < CHARS_MIN {
        item.fault(format!(
            "{chars} characters, at least {CHARS_MIN}: say it so that somebody outside can judge it"
        ));
        return None;
    }
    Some(text)
}

pub(super) fn email(item: &Item<'_>) -> Option<String> {
    let text = item.text()?;
    let whole = text.len() <= EMAIL_BYTES_MAX
        && !text.chars().any(|c| c.is_whitespace() || c.is_control())
        && !reorders(text);
    let parts = text.split_once('@').filter(|(local, domain)| {
        !local.is_empty() && domain.contains('.') && !domain.contains('@') && !domain.starts_with('.')
    });
    if whole && parts.is_some() {
        return Some(text.to_owned());
    }
    item.fault("not an address such as dpo@glenmore.example");
    None
}

pub(super) fn telephone(item: &Item<'_>) -> Option<String> {
    let text = item.text()?;
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let rest = text.strip_prefix('+').unwrap_or(text);
    let spelt = rest.bytes().all(|b| b.is_ascii_digit() || b == b' ');
    // ITU-T E.164: at most 15 digits.
    if spelt && (3..=15).contains(&digits) {
        return Some(text.to_owned());
    }
    item.fault("not a telephone number such as 01632 960123");
    None
}

pub(super) fn page(item: &Item<'_>) -> Option<String> {
    let text = item.text()?;
    let rest = text.strip_prefix("https://").filter(|rest| !rest.is_empty() && !rest.starts_with('/'));
    if rest.is_some() && text.len() <= URL_BYTES_MAX && text.bytes().all(|b| b.is_ascii_graphic()) {
        return Some(text.to_owned());
    }
    item.fault("not a page such as https://www.glenmore.example/privacy");
    None
}

/// An ISO 8601 period of one unit: `PT24H`, `P1D`, `P2W`, `P6M`, `P1Y`, `P0D`.
pub(super) fn period(item: &Item<'_>) -> Option<String> {
    let text = item.text()?;
    let spelt = |rest: &str, units: &[char]| {
        rest.strip_suffix(units).is_some_and(|digits| {
            (1..=4).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
        })
    };
    let whole = match (text.strip_prefix("PT"), text.strip_prefix('P')) {
        (Some(rest), _) => spelt(rest, &['H', 'M']),
        (None, Some(rest)) => spelt(rest, &['D', 'W', 'M', 'Y']),
        (None, None) => false,
    };
    if whole {
        return Some(text.to_owned());
    }
    item.fault("not a period such as PT24H, P1D or P6M");
    None
}

pub(super) fn number(
    table: &Table<'_>,
    key: &'static str,
    within: std::ops::RangeInclusive<u64>,
) -> Option<u32> {
    table.required(key)?.count(within).and_then(|count| u32::try_from(count).ok())
}

/// Keys the field list has and this Tolbooth does not hold: what officers sign must be what the gateway
/// does, so that a file with one is not taken.
pub(super) fn not_yet(table: &Table<'_>, keys: &[&'static str]) -> Option<()> {
    let mut none = Some(());
    for item in keys.iter().filter_map(|key| table.optional(key)) {
        not_held(&item);
        none = None;
    }
    none
}

pub(super) fn not_held(item: &Item<'_>) {
    item.fault_with_help(
        "this Tolbooth does not hold this yet, and so takes no agreement that says it",
        Some("leave it out, and say in the agreement's own words what is done instead".to_owned()),
    );
}
