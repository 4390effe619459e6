//! Days, strictly: RFC 3339 `full-date`, and `date-time` as the day it is in London.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::model::Format;

/// Reads `YYYY-MM-DD` and nothing else.
pub(super) fn date(text: &str) -> Option<Date> {
    let fits = text.len() == 10
        && text
            .bytes()
            .enumerate()
            .all(|(at, b)| if at == 4 || at == 7 { b == b'-' } else { b.is_ascii_digit() });
    let mut parts = text.split('-');
    if !fits {
        return None;
    }
    Date::new(parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?).ok()
}

/// The day a text of this format is in `zone`. `None` where it is not of the format.
pub(super) fn day(text: &str, format: Option<Format>, zone: &TimeZone) -> Option<Date> {
    match format {
        Some(Format::Date) => date(text),
        Some(Format::DateTime) => instant(text).map(|instant| instant.to_zoned(zone.clone()).date()),
        _ => None,
    }
}

/// `date-time` of RFC 3339 section 5.6; jiff alone would read more than that.
fn instant(text: &str) -> Option<Timestamp> {
    let (day, time) = text.split_at_checked(10)?;
    date(day)?;
    let strict = time.starts_with(['T', 't'])
        && time.bytes().all(|b| {
            b.is_ascii_digit() || matches!(b, b'T' | b't' | b'Z' | b'z' | b':' | b'.' | b'+' | b'-')
        });
    if strict { text.parse().ok() } else { None }
}

/// Whole years from `birth` to `today`; born on 29 February, a year is complete on 1 March. `None`
/// before birth.
pub(super) fn age(birth: Date, today: Date) -> Option<u32> {
    let birthday_to_come = (today.month(), today.day()) < (birth.month(), birth.day());
    u32::try_from(i32::from(today.year()) - i32::from(birth.year()) - i32::from(birthday_to_come)).ok()
}

/// Whether a format has days at all.
pub(super) fn has_days(format: Option<Format>) -> bool {
    matches!(format, Some(Format::Date | Format::DateTime))
}
