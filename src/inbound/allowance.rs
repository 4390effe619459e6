//! What one member may take: requests each second, bytes in and out each minute and day, and bytes of the ledger
//! each day, over all its systems, connections and agreements. In memory, so that a restart begins anew; the limit
//! of an agreement (`policy/rate.rs`) is the one officers sign, and this one stands before it.
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
    /// Of the ledger: all there is, the reserve in it.
    recorded: Meter,
    /// How much of that is for permitted questions alone.
    reserve: u64,
}

/// What an exchange took, in bytes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Taken {
    pub(super) asked: usize,
    pub(super) answered: usize,
    pub(super) recorded: usize,
}

impl Allowance {
    fn new(most: &MemberAllowance) -> Self {
        let meter = |span, most| Meter { span, most, at: 0, used: 0 };
        Self(Mutex::new(Meters {
            requests: meter(1, most.requests_per_second),
            asked: [meter(MINUTE, most.asked_per_minute), meter(DAY, most.asked_per_day)],
            answered: [meter(MINUTE, most.answered_per_minute), meter(DAY, most.answered_per_day)],
            recorded: meter(DAY, most.recorded_per_day.saturating_add(most.recorded_reserve_per_day)),
            reserve: most.recorded_reserve_per_day,
        }))
    }

    /// Counts a request, or says in how many seconds there is room again. Bytes are known only afterwards: what is
    /// under way may go beyond by its own.
    pub(super) fn admit(&self, now: Duration) -> Result<(), u64> {
        let mut meters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = now.as_secs();
        let all = meters.asked.iter().chain(&meters.answered).chain([&meters.recorded]);
        let bytes = all.filter_map(|meter| meter.wait(now)).max();
        match bytes.or(meters.requests.wait(now)) {
            Some(seconds) => Err(seconds),
            None => {
                meters.requests.add(now, 1);
                Ok(())
            }
        }
    }

    /// Whether there is room on the record for what releases nothing, or in how many seconds there is: the reserve
    /// is not for that.
    pub(super) fn admit_refusal(&self, now: Duration) -> Result<(), u64> {
        let meters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        meters.recorded.wait_with_left(now.as_secs(), meters.reserve).map_or(Ok(()), Err)
    }

    /// Counts what a question, its answer and its record were.
    pub(super) fn used(&self, now: Duration, taken: Taken) {
        let mut meters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = now.as_secs();
        meters.asked.iter_mut().for_each(|meter| meter.add(now, taken.asked as u64));
        meters.answered.iter_mut().for_each(|meter| meter.add(now, taken.answered as u64));
        meters.recorded.add(now, taken.recorded as u64);
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
        self.wait_with_left(now, 0)
    }

    /// As [`wait`](Self::wait), if all but so much of it is used up.
    fn wait_with_left(&self, now: u64, left: u64) -> Option<u64> {
        let full = self.at == now / self.span && self.used >= self.most.saturating_sub(left);
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
            recorded_per_day: 3000,
            recorded_reserve_per_day: 1000,
        }
    }

    fn taken(asked: usize, answered: usize, recorded: usize) -> Taken {
        Taken { asked, answered, recorded }
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
        allowance.used(at(10), taken(100, 10, 0));
        assert_eq!(allowance.admit(at(10)), Err(50), "the minute's questions");
        assert_eq!(allowance.admit(at(60)), Ok(()));
        allowance.used(at(61), taken(1, 1000, 0));
        assert_eq!(allowance.admit(at(61)), Err(59), "the minute's answers");
        allowance.used(at(120), taken(49, 0, 0));
        assert_eq!(allowance.admit(at(180)), Err(DAY - 180), "the day's questions");
        assert_eq!(allowance.admit(at(DAY)), Ok(()));
    }

    #[test]
    fn a_reserve_of_the_record_is_kept_for_what_is_permitted() {
        let allowance = Allowance::new(&least());
        allowance.used(at(1), taken(0, 0, 2999));
        assert_eq!(allowance.admit_refusal(at(1)), Ok(()));
        allowance.used(at(2), taken(0, 0, 1));
        assert_eq!(allowance.admit_refusal(at(2)), Err(DAY - 2));
        assert_eq!(allowance.admit(at(2)), Ok(()), "what is permitted is still recorded");
        allowance.used(at(3), taken(0, 0, 1000));
        assert_eq!(allowance.admit(at(3)), Err(DAY - 3));
        assert_eq!((allowance.admit(at(DAY)), allowance.admit_refusal(at(DAY))), (Ok(()), Ok(())));
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
