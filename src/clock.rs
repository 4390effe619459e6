//! The only reader of time. Wall time is UTC; days are London's, because agreements are.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// The zone of agreements, limits by day and everything a person reads.
pub const ZONE: &str = "Europe/London";

/// A clock handed to whoever needs one, so that a test can set it.
#[derive(Clone)]
pub struct Clock(Arc<Inner>);

struct Inner {
    london: TimeZone,
    started: Instant,
    /// Milliseconds added to the wall clock; only a test's clock has any.
    shift_ms: AtomicI64,
}

/// The zone database has no London: nothing could be decided by date.
#[derive(Debug)]
pub struct NoZone;

impl std::fmt::Display for NoZone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the time zone database has no {ZONE}")
    }
}

impl std::error::Error for NoZone {}

impl Clock {
    pub fn new() -> Result<Self, NoZone> {
        let london = TimeZone::get(ZONE).map_err(|_| NoZone)?;
        Ok(Self(Arc::new(Inner { london, started: Instant::now(), shift_ms: AtomicI64::new(0) })))
    }

    /// Moves this clock and all its copies; for tests and nothing else.
    pub fn shift(&self, by: jiff::SignedDuration) {
        self.0.shift_ms.fetch_add(i64::try_from(by.as_millis()).unwrap_or(0), Ordering::Relaxed);
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one reader of time")]
    pub fn now(&self) -> Timestamp {
        let shift = jiff::SignedDuration::from_millis(self.0.shift_ms.load(Ordering::Relaxed));
        let now = Timestamp::now();
        now.checked_add(shift).unwrap_or(now)
    }

    /// Milliseconds since 1970, never below zero.
    pub fn unix_ms(&self) -> u64 {
        u64::try_from(self.now().as_millisecond()).unwrap_or(0)
    }

    pub fn london(&self) -> Zoned {
        self.now().to_zoned(self.0.london.clone())
    }

    /// Today in London.
    pub fn today(&self) -> Date {
        self.london().date()
    }

    /// Time since this clock was made, which no step of the wall clock moves.
    pub fn monotonic(&self) -> Duration {
        self.0.started.elapsed()
    }

    /// For measuring how long something takes.
    pub fn instant(&self) -> Instant {
        Instant::now()
    }

    pub fn zone(&self) -> &TimeZone {
        &self.0.london
    }
}

/// `4 December 2026`: how a date is shown to a person.
pub fn date_in_words(date: Date) -> String {
    date.strftime("%-d %B %Y").to_string()
}
