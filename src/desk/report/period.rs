//! Periods of whole days in London, as officers name them, and how counts are split over time.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use crate::clock::ZONE;

/// From the beginning of one day in London to the end of another; open where a day is not given.
#[derive(Debug, Clone)]
pub struct Period {
    zone: TimeZone,
    /// Not before this instant.
    from: Option<Timestamp>,
    /// Before this instant.
    before: Option<Timestamp>,
}

/// Why a period is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeriodFault {
    NoZone,
    /// The first day is after the last, or beyond the calendar.
    Empty,
}

impl std::fmt::Display for PeriodFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoZone => write!(f, "the time zone database has no {ZONE}"),
            Self::Empty => f.write_str("`from` is after `to`: both are whole days, and both are included"),
        }
    }
}

impl std::error::Error for PeriodFault {}

impl Period {
    /// Both days are included.
    pub fn new(from: Option<Date>, to: Option<Date>) -> Result<Self, PeriodFault> {
        if from.zip(to).is_some_and(|(from, to)| from > to) {
            return Err(PeriodFault::Empty);
        }
        let zone = TimeZone::get(ZONE).map_err(|_| PeriodFault::NoZone)?;
        // A day lasts 23 or 25 hours where the clocks change: its end is the next day's beginning.
        let begins = |day: Date| -> Result<Timestamp, PeriodFault> {
            let midnight = day.at(0, 0, 0, 0).to_zoned(zone.clone()).map_err(|_| PeriodFault::Empty)?;
            Ok(midnight.timestamp())
        };
        let after = |day: Date| day.checked_add(1.day()).map_err(|_| PeriodFault::Empty);
        let from = from.map(begins).transpose()?;
        let before = to.map(|day| begins(after(day)?)).transpose()?;
        Ok(Self { zone, from, before })
    }

    pub(super) fn holds(&self, time: Timestamp) -> bool {
        self.from.is_none_or(|from| time >= from) && self.before.is_none_or(|before| time < before)
    }

    /// Whether it ended before this time.
    pub(super) fn is_before(&self, time: Timestamp) -> bool {
        self.before.is_some_and(|before| time >= before)
    }

    /// Whether it begins after this time.
    pub(super) fn is_after(&self, time: Timestamp) -> bool {
        self.from.is_some_and(|from| time < from)
    }

    /// Not before the first and before the second, in milliseconds since 1970: days begin on whole seconds.
    pub(super) fn bounds_ms(&self) -> (Option<i64>, Option<i64>) {
        (self.from.map(Timestamp::as_millisecond), self.before.map(Timestamp::as_millisecond))
    }

    pub(super) fn zone(&self) -> &TimeZone {
        &self.zone
    }
}

/// What one line of counts is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Per {
    Period,
    Month,
    Day,
}

impl Per {
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "period" => Some(Self::Period),
            "month" => Some(Self::Month),
            "day" => Some(Self::Day),
            _ => None,
        }
    }

    /// The day or month in London, as ISO 8601 writes it; nothing for the whole period.
    pub(super) fn name(self, time: Timestamp, zone: &TimeZone) -> String {
        let date = time.to_zoned(zone.clone()).date();
        match self {
            Self::Period => String::new(),
            Self::Month => date.strftime("%Y-%m").to_string(),
            Self::Day => date.to_string(),
        }
    }
}

/// A time as a person in Scotland reads it, with its zone: an hour comes twice in autumn.
pub(super) fn in_london(time: Timestamp, zone: &TimeZone) -> String {
    time.to_zoned(zone.clone()).strftime("%-d %B %Y %H:%M:%S %Z").to_string()
}

/// As [`in_london`], of a time as records write it.
pub(super) fn text_in_london(time: &str, zone: &TimeZone) -> String {
    time.parse().map_or_else(|_| time.to_owned(), |time| in_london(time, zone))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn days_begin_and_end_at_midnight_in_london_over_both_clock_changes() {
        // Summer time began on 29 March 2026 and ended on 25 October.
        for (day, first, last, after) in [
            (date(2026, 3, 29), "2026-03-29T00:00:00Z", "2026-03-29T22:59:59.999Z", "2026-03-29T23:00:00Z"),
            (date(2026, 10, 25), "2026-10-24T23:00:00Z", "2026-10-25T23:59:59.999Z", "2026-10-26T00:00:00Z"),
            (date(2026, 7, 1), "2026-06-30T23:00:00Z", "2026-07-01T22:59:59.999Z", "2026-07-01T23:00:00Z"),
        ] {
            let period = Period::new(Some(day), Some(day)).unwrap();
            assert!(period.holds(at(first)) && period.holds(at(last)), "{day}");
            let before = at(first).checked_sub(1.millisecond()).unwrap();
            assert!(!period.holds(before) && !period.holds(at(after)), "{day}");
            assert_eq!(Per::Day.name(at(last), period.zone()), day.to_string());
        }
    }

    #[test]
    fn the_hour_that_comes_twice_is_told_apart() {
        let period = Period::new(None, None).unwrap();
        let [first, second] =
            ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"].map(|time| in_london(at(time), period.zone()));
        assert_eq!(first, "25 October 2026 01:30:00 BST");
        assert_eq!(second, "25 October 2026 01:30:00 GMT");
    }

    #[test]
    fn a_period_that_ends_before_it_begins_is_refused() {
        let ends = Period::new(Some(date(2026, 2, 2)), Some(date(2026, 2, 1)));
        assert_eq!(ends.unwrap_err(), PeriodFault::Empty);
        assert!(Period::new(None, Some(Date::MAX)).is_err());
    }
}
