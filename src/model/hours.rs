//! When questions may be asked under an agreement: at any hour, or in spans of the days of the week. By the clock on
//! the wall where the agreement is at home, so that an hour the clocks skip is in no span, and one that comes twice
//! is in it twice. Pure: the moment is handed in with its zone.
//!
//! Not here: how a file writes them (`policy/load/hours.rs`), and what they are called (`desk/paper/words.rs`).

use std::fmt;

use jiff::civil::{DateTime, Time, Weekday};
use jiff::{ToSpan as _, Zoned};

const MINUTES_OF_A_DAY: u16 = 24 * 60;

/// The days in the order people say them, with the names files know them by.
pub const DAYS: [(Weekday, &str); 7] = [
    (Weekday::Monday, "monday"),
    (Weekday::Tuesday, "tuesday"),
    (Weekday::Wednesday, "wednesday"),
    (Weekday::Thursday, "thursday"),
    (Weekday::Friday, "friday"),
    (Weekday::Saturday, "saturday"),
    (Weekday::Sunday, "sunday"),
];

/// A stretch of one day, from its first minute to before its last; minutes since midnight. Never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HourSpan {
    from: u16,
    to: u16,
}

impl HourSpan {
    const WHOLE_DAY: Self = Self { from: 0, to: MINUTES_OF_A_DAY };

    /// From `08:00-18:00`; the end of the day is `24:00`.
    ///
    /// # Errors
    /// It is not spelt so, or does not end after it begins.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (from, to) = text.split_once('-').unwrap_or_default();
        let (Some(from), Some(to)) = (minute(from), minute(to)) else {
            return Err(format!("`{text}` is not a time from and to, such as 08:00-18:00"));
        };
        if from < to {
            return Ok(Self { from, to });
        }
        Err(format!(
            "`{text}` does not end after it begins: over midnight is two, such as 22:00-24:00 and, the next day, \
             00:00-06:00"
        ))
    }

    fn has(self, minute: u16) -> bool {
        self.from <= minute && minute < self.to
    }
}

/// `08:00-18:00`, as files write it.
impl fmt::Display for HourSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to } = self;
        write!(f, "{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60)
    }
}

/// Minutes since midnight of `HH:MM`.
fn minute(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let digits = |text: &str| {
        let spelt = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
        spelt.then(|| text.parse::<u16>().ok()).flatten()
    };
    let (hours, minutes) = (digits(hours)?, digits(minutes)?);
    let minute = hours * 60 + minutes;
    (minutes < 60 && minute <= MINUTES_OF_A_DAY).then_some(minute)
}

fn minute_of(time: Time) -> u16 {
    u16::from(time.hour().unsigned_abs()) * 60 + u16::from(time.minute().unsigned_abs())
}

/// Spans of each day, Monday first; of a day each rising, none touching the next.
type Week = [Vec<HourSpan>; 7];

/// The hours of an agreement.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Hours {
    /// At any hour.
    #[default]
    Always,
    /// Not all of the week: what is no span is closed.
    Week(Box<Week>),
}

/// Why spans are no hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoursFault {
    /// No day has any.
    Never,
    /// Two of this day overlap, touch, or are not in order.
    Apart(Weekday),
}

impl Hours {
    /// What of each day is named is open, and nothing else; the whole week is any hour.
    ///
    /// # Errors
    /// Nothing is open, or spans of one day are not in order and apart.
    pub fn new(named: &[(Weekday, Vec<HourSpan>)]) -> Result<Self, HoursFault> {
        let mut week = Week::default();
        for (day, spans) in named {
            let apart = spans.iter().zip(spans.iter().skip(1)).all(|(one, next)| one.to < next.from);
            if !apart {
                return Err(HoursFault::Apart(*day));
            }
            if let Some(of_day) = week.get_mut(place(*day)) {
                of_day.clone_from(spans);
            }
        }
        if week.iter().all(Vec::is_empty) {
            return Err(HoursFault::Never);
        }
        let whole = week.iter().all(|spans| *spans == [HourSpan::WHOLE_DAY]);
        Ok(if whole { Self::Always } else { Self::Week(Box::new(week)) })
    }

    /// The spans of a day.
    pub fn of(&self, day: Weekday) -> &[HourSpan] {
        const WHOLE: &[HourSpan] = &[HourSpan::WHOLE_DAY];
        match self {
            Self::Always => WHOLE,
            Self::Week(week) => week.get(place(day)).map(Vec::as_slice).unwrap_or_default(),
        }
    }

    /// Whether it is open at a moment of the wall clock.
    pub fn has(&self, at: DateTime) -> bool {
        let minute = minute_of(at.time());
        self.of(at.weekday()).iter().any(|span| span.has(minute))
    }

    /// Whether every minute of these is one of the others.
    pub fn is_within(&self, others: &Self) -> bool {
        DAYS.iter().all(|(day, _)| {
            let others = others.of(*day);
            // Spans are apart, so that what lies in several lies in none.
            let within =
                |span: &HourSpan| others.iter().any(|other| other.from <= span.from && span.to <= other.to);
            self.of(*day).iter().all(within)
        })
    }

    /// The first moment after this one at which it opens. That is where a span begins or where the clocks change,
    /// and nowhere else. `None` only if the zone has no such day.
    pub fn opens_after(&self, now: &Zoned) -> Option<Zoned> {
        /// A week, and another for a span that lies in the hour the clocks skip.
        const DAYS_AHEAD: i32 = 14;
        let zone = now.time_zone();
        let mut moments: Vec<Zoned> = Vec::new();
        for ahead in 0..=DAYS_AHEAD {
            let Ok(date) = now.date().checked_add(ahead.days()) else { continue };
            for span in self.of(date.weekday()) {
                let at = DateTime::from_parts(date, span.begins());
                let both = zone.to_ambiguous_zoned(at);
                moments.extend(both.clone().earlier().into_iter().chain(both.later()));
            }
        }
        let horizon = now.checked_add(DAYS_AHEAD.days()).ok()?;
        let changes = zone.following(now.timestamp()).map(|change| change.timestamp().to_zoned(zone.clone()));
        moments.extend(changes.take_while(|change| *change <= horizon));
        moments.into_iter().filter(|at| at > now && self.has(at.datetime())).min()
    }
}

impl HourSpan {
    fn begins(self) -> Time {
        let part = |value: u16| i8::try_from(value).unwrap_or_default();
        Time::new(part(self.from / 60), part(self.from % 60), 0, 0).unwrap_or_default()
    }
}

fn place(day: Weekday) -> usize {
    usize::from(day.to_monday_zero_offset().unsigned_abs())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiff::civil::date;
    use jiff::tz::TimeZone;
    use proptest::prelude::*;

    use super::*;

    fn span(text: &str) -> HourSpan {
        HourSpan::parse(text).unwrap()
    }

    fn hours(named: &[(Weekday, &[&str])]) -> Hours {
        let named: Vec<_> =
            named.iter().map(|(day, spans)| (*day, spans.iter().map(|text| span(text)).collect())).collect();
        Hours::new(&named).unwrap()
    }

    fn london() -> TimeZone {
        TimeZone::get("Europe/London").unwrap()
    }

    fn at(text: &str) -> Zoned {
        text.parse::<Timestamp>().unwrap().to_zoned(london())
    }

    #[test]
    fn a_span_is_spelt_in_one_way_and_ends_after_it_begins() {
        for good in ["00:00-24:00", "08:00-18:00", "23:59-24:00"] {
            assert_eq!(span(good).to_string(), good);
        }
        for bad in ["", "8:00-18:00", "08:00 - 18:00", "08:00", "08:60-09:00", "08:00-24:01", "+8:00-09:00"] {
            assert!(HourSpan::parse(bad).unwrap_err().contains("is not a time from and to"), "{bad}");
        }
        for bad in ["18:00-08:00", "08:00-08:00", "24:00-24:00"] {
            assert!(HourSpan::parse(bad).unwrap_err().contains("over midnight is two"), "{bad}");
        }
    }

    #[test]
    fn spans_of_a_day_are_in_order_and_apart_and_the_whole_week_is_any_hour() {
        let monday =
            |spans: &[&str]| Hours::new(&[(Weekday::Monday, spans.iter().map(|text| span(text)).collect())]);
        let apart = Err(HoursFault::Apart(Weekday::Monday));
        assert_eq!(monday(&["13:00-17:00", "08:00-12:00"]), apart);
        assert_eq!(monday(&["08:00-12:00", "11:00-17:00"]), apart);
        assert_eq!(monday(&["08:00-12:00", "12:00-17:00"]), apart, "that is one span");
        assert_eq!(monday(&[]), Err(HoursFault::Never));
        assert!(monday(&["08:00-12:00", "13:00-17:00"]).is_ok());
        let whole: Vec<_> = DAYS.iter().map(|(day, _)| (*day, vec![span("00:00-24:00")])).collect();
        assert_eq!(Hours::new(&whole), Ok(Hours::Always));
    }

    #[test]
    fn a_span_is_open_from_its_first_minute_to_before_its_last() {
        let office = hours(&[(Weekday::Friday, &["08:00-18:00"]), (Weekday::Saturday, &["22:00-24:00"])]);
        let friday = date(2026, 12, 4);
        for (hour, minute, open) in
            [(7, 59, false), (8, 0, true), (17, 59, true), (18, 0, false), (0, 0, false)]
        {
            assert_eq!(office.has(friday.at(hour, minute, 59, 999)), open, "{hour}:{minute}");
        }
        assert!(office.has(date(2026, 12, 5).at(23, 59, 59, 0)));
        assert!(!office.has(date(2026, 12, 6).at(0, 0, 0, 0)));
        assert!(Hours::Always.has(friday.at(3, 0, 0, 0)));
    }

    #[test]
    fn it_opens_where_the_next_span_begins() {
        let office = hours(&[(Weekday::Friday, &["08:00-12:00", "13:00-18:00"])]);
        for (now, opens) in [
            ("2026-12-04T07:00:00Z", "2026-12-04T08:00:00Z"),
            ("2026-12-04T12:30:00Z", "2026-12-04T13:00:00Z"),
            ("2026-12-04T18:00:00Z", "2026-12-11T08:00:00Z"),
            // In summer London is an hour ahead.
            ("2026-07-03T00:00:00Z", "2026-07-03T07:00:00Z"),
        ] {
            assert_eq!(office.opens_after(&at(now)), Some(at(opens)), "{now}");
        }
    }

    #[test]
    fn both_changes_of_the_clocks_are_by_the_wall() {
        // On 28 March 2027 the clocks skip from 01:00 to 02:00.
        let skipped = hours(&[(Weekday::Sunday, &["01:15-01:45"])]);
        assert_eq!(skipped.opens_after(&at("2027-03-27T12:00:00Z")), Some(at("2027-04-04T00:15:00Z")));
        let cut = hours(&[(Weekday::Sunday, &["01:30-03:00"])]);
        assert_eq!(cut.opens_after(&at("2027-03-28T00:00:00Z")), Some(at("2027-03-28T01:00:00Z")));
        // On 25 October 2026 the hour from 01:00 comes twice.
        let twice = hours(&[(Weekday::Sunday, &["01:30-01:45"])]);
        assert_eq!(twice.opens_after(&at("2026-10-25T00:00:00Z")), Some(at("2026-10-25T00:30:00Z")));
        assert_eq!(twice.opens_after(&at("2026-10-25T00:45:00Z")), Some(at("2026-10-25T01:30:00Z")));
        let again = hours(&[(Weekday::Sunday, &["00:30-01:15"])]);
        assert_eq!(again.opens_after(&at("2026-10-25T00:20:00Z")), Some(at("2026-10-25T01:00:00Z")));
    }

    #[test]
    fn within_is_minute_by_minute() {
        let office = hours(&[(Weekday::Monday, &["08:00-18:00"])]);
        let morning = hours(&[(Weekday::Monday, &["08:00-12:00"])]);
        let broken = hours(&[(Weekday::Monday, &["08:00-12:00", "13:00-18:00"])]);
        let tuesday = hours(&[(Weekday::Tuesday, &["08:00-12:00"])]);
        assert!(morning.is_within(&office) && broken.is_within(&office) && office.is_within(&office));
        assert!(!office.is_within(&morning) && !office.is_within(&broken) && !tuesday.is_within(&office));
        assert!(office.is_within(&Hours::Always) && !Hours::Always.is_within(&office));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

        /// Against looking at every minute, around both changes of the clocks.
        #[test]
        fn the_next_opening_is_the_first_minute_that_is_open(
            (from, length) in (0u16..180, 1u16..90),
            before in 0i64..2880,
            autumn in any::<bool>(),
        ) {
            let span = HourSpan { from, to: from + length };
            let all: Vec<_> = [Weekday::Saturday, Weekday::Sunday].map(|day| (day, vec![span])).into();
            let hours = Hours::new(&all).unwrap();
            let change = if autumn { "2026-10-25T03:00:00Z" } else { "2027-03-28T03:00:00Z" };
            let now = at(change).checked_sub(before.minutes()).unwrap();
            let mut seen = now.clone();
            let open = loop {
                seen = seen.checked_add(1.minute()).unwrap();
                // It opens: the minute before was closed, or stands elsewhere on the wall.
                if hours.has(seen.datetime()) {
                    break seen;
                }
            };
            if !hours.has(now.datetime()) {
                prop_assert_eq!(hours.opens_after(&now), Some(open));
            }
        }
    }
}
