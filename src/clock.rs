//! The only reader of time. Wall time is UTC; days are London's, because agreements are.
//!
//! Time used is never before the ledger's last (design 5): setting the clock back brings no agreement
//! and no certificate back.

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
    /// Milliseconds since 1970 that time used is never before.
    floor_ms: AtomicI64,
}

/// An instant by both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    wall: Timestamp,
    monotonic: Duration,
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
        let started = Instant::now();
        let (shift_ms, floor_ms) = (AtomicI64::new(0), AtomicI64::new(i64::MIN));
        Ok(Self(Arc::new(Inner { london, started, shift_ms, floor_ms })))
    }

    /// Moves this clock and all its copies; for tests and made-up ledgers, and nothing else.
    pub fn shift(&self, by: jiff::SignedDuration) {
        self.0.shift_ms.fetch_add(i64::try_from(by.as_millis()).unwrap_or(0), Ordering::Relaxed);
    }

    /// From now on time used is not before this. Raised by whoever knows what is on the record.
    pub fn not_before(&self, unix_ms: i64) {
        self.0.floor_ms.fetch_max(unix_ms, Ordering::Relaxed);
    }

    /// Time as used: the wall clock's, or the floor's where that is later.
    pub fn now(&self) -> Timestamp {
        let wall = self.wall();
        let floor = Timestamp::from_millisecond(self.0.floor_ms.load(Ordering::Relaxed));
        floor.map_or(wall, |floor| wall.max(floor))
    }

    /// How far the wall clock is behind time as used.
    pub fn behind(&self) -> Duration {
        let ahead_ms = self.0.floor_ms.load(Ordering::Relaxed).saturating_sub(self.wall().as_millisecond());
        Duration::from_millis(u64::try_from(ahead_ms).unwrap_or(0))
    }

    /// What the wall clock says, for whoever watches it; nothing is decided by it.
    #[expect(clippy::disallowed_methods, reason = "this is the one reader of time")]
    pub(crate) fn wall(&self) -> Timestamp {
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

    /// Now by both clocks, for what is kept for a time.
    pub fn moment(&self) -> Moment {
        Moment { wall: self.now(), monotonic: self.monotonic() }
    }

    /// How long ago that was, by whichever clock says more: what is kept ends no later for a step of the
    /// wall clock, and where only that one moves on (a suspended machine) it ends all the same.
    pub fn since(&self, then: Moment) -> Duration {
        let wall = Duration::try_from(self.now().duration_since(then.wall)).unwrap_or(Duration::ZERO);
        self.monotonic().saturating_sub(then.monotonic).max(wall)
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

/// `4 December 2026 at 10:15:00 GMT`: how a moment is shown to a person. In London's time and with its zone, since an
/// hour comes twice in autumn; in UTC where this machine knows no zones.
pub fn moment_in_words(at: Timestamp) -> String {
    let london = at.in_tz(ZONE);
    london.map_or_else(|_| at.to_string(), |at| at.strftime("%-d %B %Y at %H:%M:%S %Z").to_string())
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn the_hour_that_comes_twice_is_told_apart() {
        let [first, second] = ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"];
        let words = |text: &str| moment_in_words(text.parse().unwrap());
        assert_eq!(words(first), "25 October 2026 at 01:30:00 BST");
        assert_eq!(words(second), "25 October 2026 at 01:30:00 GMT");
    }

    #[test]
    fn time_used_is_never_before_its_floor_and_the_wall_clock_stays_visible() {
        let clock = Clock::new().unwrap();
        assert_eq!(clock.behind(), Duration::ZERO);
        let day = SignedDuration::from_hours(24);
        let floor = clock.now() + day;
        clock.not_before(floor.as_millisecond());
        // A lower floor changes nothing.
        clock.not_before(0);
        assert_eq!(clock.now().as_millisecond(), floor.as_millisecond());
        assert_eq!(clock.unix_ms(), u64::try_from(floor.as_millisecond()).unwrap());
        assert_eq!(clock.today(), floor.to_zoned(clock.zone().clone()).date());
        assert!(clock.behind() > Duration::from_secs(23 * 3600));
        assert!(clock.wall() < floor);
        // Once the wall clock has caught up the floor is no more.
        clock.shift(day * 2);
        assert!(clock.now() > floor + day - SignedDuration::from_secs(1));
        assert_eq!(clock.behind(), Duration::ZERO);
    }
    #[test]
    fn what_is_kept_ends_by_whichever_clock_says_so_first() {
        let clock = Clock::new().unwrap();
        let then = clock.moment();
        assert!(clock.since(then) < Duration::from_secs(60));
        clock.shift(SignedDuration::from_secs(-600));
        assert!(clock.since(then) < Duration::from_secs(60), "a step back is no time that went by");
        clock.shift(SignedDuration::from_secs(660));
        assert!(clock.since(then) >= Duration::from_secs(60));
    }
}
