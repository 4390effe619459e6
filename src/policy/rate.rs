//! The limit of an agreement: at most so many questions in any 60 seconds. Exact rather than a
//! token bucket, because an officer reads "at most 30 a minute" and a full bucket would let 60
//! through in one.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Seconds an admission counts for: the current one and the 60 before it, so that whatever two
/// moments of a second two admissions fall on, a full minute lies between what is forgotten and now.
const WINDOW_SECONDS: usize = 61;

/// Counts by the second; 256 bytes whatever the limit, shared by all threads and by every version
/// of the agreement.
#[derive(Debug, Clone)]
pub struct Limiter {
    per_minute: u32,
    window: Arc<Mutex<Window>>,
}

#[derive(Debug)]
struct Window {
    /// The newest second counted, since the clock began.
    newest: u64,
    /// By second modulo the window.
    counts: [u32; WINDOW_SECONDS],
    total: u32,
}

impl Limiter {
    pub fn new(per_minute: u32) -> Self {
        let window = Window { newest: 0, counts: [0; WINDOW_SECONDS], total: 0 };
        Self { per_minute, window: Arc::new(Mutex::new(window)) }
    }

    /// The same count under another limit: a reload must not forgive what was asked before it.
    pub fn continued(&self, per_minute: u32) -> Self {
        Self { per_minute, window: Arc::clone(&self.window) }
    }

    /// Counts one question at `now` (monotonic, since the clock was made), or says in how many
    /// whole seconds, from 1, the next is admitted. What is refused does not count.
    pub fn admit(&self, now: Duration) -> Result<(), u64> {
        // Nothing in here can panic half way, so that a poisoned count is still a count.
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        window.advance(now.as_secs());
        if window.total < self.per_minute {
            window.count();
            Ok(())
        } else {
            Err(window.seconds_until_below(self.per_minute))
        }
    }
}

impl Window {
    /// Forgets what is older than the window. A thread that read the clock a moment earlier than
    /// another counts into the newer second.
    fn advance(&mut self, second: u64) {
        let ahead = second.saturating_sub(self.newest);
        let passed = usize::try_from(ahead).unwrap_or(WINDOW_SECONDS).min(WINDOW_SECONDS);
        self.newest = self.newest.max(second);
        for back in 0..passed {
            let at = self.slot(back);
            if let Some(count) = self.counts.get_mut(at) {
                self.total = self.total.saturating_sub(*count);
                *count = 0;
            }
        }
    }

    fn count(&mut self) {
        let at = self.slot(0);
        if let Some(count) = self.counts.get_mut(at) {
            *count = count.saturating_add(1);
            self.total = self.total.saturating_add(1);
        }
    }

    /// Where the second `back` before the newest is counted.
    fn slot(&self, back: usize) -> usize {
        let span = WINDOW_SECONDS as u64;
        let second = (self.newest % span + span).saturating_sub(back as u64) % span;
        usize::try_from(second).unwrap_or(0)
    }

    fn seconds_until_below(&self, limit: u32) -> u64 {
        let mut left = self.total;
        for wait in 1..=WINDOW_SECONDS {
            let oldest = self.slot(WINDOW_SECONDS - wait);
            left = left.saturating_sub(self.counts.get(oldest).copied().unwrap_or(0));
            if left < limit {
                return wait as u64;
            }
        }
        WINDOW_SECONDS as u64
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn the_limit_is_reached_and_given_back_after_a_minute() {
        let limiter = Limiter::new(2);
        assert_eq!(limiter.admit(ms(900)), Ok(()));
        assert_eq!(limiter.admit(ms(5_000)), Ok(()));
        let wait = limiter.admit(ms(5_100)).unwrap_err();
        assert!(limiter.admit(ms(60_800)).is_err());
        assert_eq!(limiter.admit(ms(5_000 + wait * 1000)), Ok(()));
        assert!(limiter.admit(ms(5_000 + wait * 1000)).is_err());
    }

    #[test]
    fn a_reload_forgives_nothing_and_a_lower_limit_acts_at_once() {
        let limiter = Limiter::new(3);
        assert_eq!(limiter.admit(ms(0)), Ok(()));
        let lower = limiter.continued(1);
        assert!(lower.admit(ms(10)).is_err());
        assert_eq!(limiter.continued(2).admit(ms(10)), Ok(()));
    }

    #[test]
    fn a_clock_read_a_moment_earlier_does_not_empty_the_window() {
        let limiter = Limiter::new(1);
        assert_eq!(limiter.admit(ms(100_000)), Ok(()));
        assert!(limiter.admit(ms(1_000)).is_err());
        assert!(limiter.admit(ms(100_500)).is_err());
    }

    proptest! {
        #[test]
        fn no_minute_holds_more_than_the_limit(
            limit in 1u32..5,
            steps in prop::collection::vec(0u64..20_000, 1..200),
        ) {
            let limiter = Limiter::new(limit);
            let mut now = 0;
            let mut admitted: Vec<u64> = Vec::new();
            for step in steps {
                now += step;
                match limiter.admit(ms(now)) {
                    Ok(()) => admitted.push(now),
                    Err(wait) => {
                        prop_assert!((1..=61).contains(&wait));
                        // What it says is true: nothing is admitted a second earlier.
                        if wait > 1 {
                            let earlier = (now / 1000 + wait - 1) * 1000;
                            prop_assert!(limiter.admit(ms(earlier)).is_err());
                            now = now.max(earlier);
                        }
                    }
                }
                let recent = admitted.iter().filter(|at| now - **at < 60_000).count();
                prop_assert!(recent <= limit as usize);
            }
        }
    }
}
