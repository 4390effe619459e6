//! What one member may take: requests each second, and bytes in and out each minute and day, over all its
//! systems, connections and agreements. In memory, so that a restart begins anew; the limit of an agreement
//! (`policy/rate.rs`) is the one officers sign, and this one stands before it.
//!
//! Spans are those of the monotonic clock, so that at most twice the limit falls on the edge of two.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::config::MemberAllowance;
use crate::model::MemberId;

const MINUTE: u64 = 60;
const DAY: u64 = 24 * 60 * 60;

/// The allowances of all members: as many entries as there were members, and one for nobody known.
#[derive(Debug)]
pub struct Allowances {
    most: MemberAllowance,
    by_member: Mutex<HashMap<Option<MemberId>, Arc<Allowance>>>,
}

impl Allowances {
    pub fn new(most: MemberAllowance) -> Self {
        Self { most, by_member: Mutex::default() }
    }

    /// Found once for each connection and ruleset; what is found then costs no look-up.
    pub(super) fn of(&self, member: Option<MemberId>) -> Arc<Allowance> {
        let mut all = self.by_member.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry(member).or_insert_with(|| Arc::new(Allowance::new(&self.most))))
    }
}

/// One member's.
#[derive(Debug)]
pub(super) struct Allowance(Mutex<Meters>);

#[derive(Debug)]
struct Meters {
    requests: Meter,
    asked: [Meter; 2],
    answered: [Meter; 2],
}

impl Allowance {
    fn new(most: &MemberAllowance) -> Self {
        let meter = |span, most| Meter { span, most, at: 0, used: 0 };
        Self(Mutex::new(Meters {
            requests: meter(1, most.requests_per_second),
            asked: [meter(MINUTE, most.asked_per_minute), meter(DAY, most.asked_per_day)],
            answered: [meter(MINUTE, most.answered_per_minute), meter(DAY, most.answered_per_day)],
        }))
    }

    /// Counts a request, or says in how many seconds there is room again. Bytes are known only afterwards: what is
    /// under way may go beyond by its own.
    pub(super) fn admit(&self, now: Duration) -> Result<(), u64> {
        let mut meters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = now.as_secs();
        let bytes = meters.asked.iter().chain(&meters.answered).filter_map(|meter| meter.wait(now)).max();
        match bytes.or(meters.requests.wait(now)) {
            Some(seconds) => Err(seconds),
            None => {
                meters.requests.add(now, 1);
                Ok(())
            }
        }
    }

    /// Counts what a question and its answer were.
    pub(super) fn used(&self, now: Duration, asked: usize, answered: usize) {
        let mut meters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = now.as_secs();
        meters.asked.iter_mut().for_each(|meter| meter.add(now, asked as u64));
        meters.answered.iter_mut().for_each(|meter| meter.add(now, answered as u64));
    }
}

/// What was used of one span of time.
#[derive(Debug)]
struct Meter {
    /// Seconds.
    span: u64,
    most: u64,
    /// Which span since the clock began.
    at: u64,
    used: u64,
}

impl Meter {
    /// Seconds until the next span, if this one is used up.
    fn wait(&self, now: u64) -> Option<u64> {
        let full = self.at == now / self.span && self.used >= self.most;
        full.then(|| self.span - now % self.span)
    }

    fn add(&mut self, now: u64, count: u64) {
        // A thread that read the clock a moment earlier than another counts into the newer span.
        let at = self.at.max(now / self.span);
        if at != self.at {
            (self.at, self.used) = (at, 0);
        }
        self.used = self.used.saturating_add(count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn least() -> MemberAllowance {
        MemberAllowance {
            requests_per_second: 2,
            asked_per_minute: 100,
            asked_per_day: 150,
            answered_per_minute: 1000,
            answered_per_day: 10_000,
        }
    }

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn requests_are_counted_by_the_second_and_bytes_by_minute_and_day() {
        let allowance = Allowance::new(&least());
        assert_eq!(
            [allowance.admit(at(5)), allowance.admit(at(5)), allowance.admit(at(5))],
            [Ok(()), Ok(()), Err(1)]
        );
        assert_eq!(allowance.admit(at(6)), Ok(()));
        allowance.used(at(10), 100, 10);
        assert_eq!(allowance.admit(at(10)), Err(50), "the minute's questions");
        assert_eq!(allowance.admit(at(60)), Ok(()));
        allowance.used(at(61), 1, 1000);
        assert_eq!(allowance.admit(at(61)), Err(59), "the minute's answers");
        allowance.used(at(120), 49, 0);
        assert_eq!(allowance.admit(at(180)), Err(DAY - 180), "the day's questions");
        assert_eq!(allowance.admit(at(DAY)), Ok(()));
    }

    #[test]
    fn each_member_has_its_own_however_often_it_is_looked_up() {
        let all = Allowances::new(least());
        let member = |id| Some(MemberId::new(id).unwrap());
        for _ in 0..2 {
            assert_eq!(all.of(member("nhs-lomond")).admit(at(1)), Ok(()));
        }
        assert!(all.of(member("nhs-lomond")).admit(at(1)).is_err());
        assert_eq!(all.of(member("police-caledonia")).admit(at(1)), Ok(()));
        assert_eq!(all.of(None).admit(at(1)), Ok(()));
    }
}
