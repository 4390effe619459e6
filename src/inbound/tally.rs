//! What is counted instead of recorded one by one: failed handshakes, strangers, and refusals beyond
//! a member's rate. Once a minute the counts become one summary record per source and cause; a kill
//! loses at most that minute of counts, never an answer.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::model::{Code, MemberId};

/// Counts since the last summary.
#[derive(Debug, Default)]
pub struct Tally(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    /// By cause. Causes are closed words, and members the directory's, and so these are bounded.
    nobody: Causes,
    members: BTreeMap<MemberId, Causes>,
    /// Refusals recorded one by one in the current minute.
    recorded: BTreeMap<MemberId, (u64, u32)>,
    /// Own views and parts of the log read in the current minute.
    read: BTreeMap<(MemberId, &'static str), (u64, u32)>,
}

type Causes = BTreeMap<&'static str, u64>;

/// Whoever is no known system.
const UNIDENTIFIED: &str = "unidentified";

/// One line of a summary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TallyLine {
    /// A member, or `unidentified`.
    pub source: String,
    /// A refusal code or the cause of a failed handshake.
    pub cause: String,
    pub count: u64,
}

impl Tally {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        // Each change is one step, so a holder that panicked left nothing half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Only the first of a member allocates: whoever floods the gateway is counted here.
    fn add(&self, member: Option<&MemberId>, cause: &'static str) {
        let mut counts = self.counts();
        let Counts { nobody, members, .. } = &mut *counts;
        let causes = match member {
            None => nobody,
            Some(member) => match members.get_mut(member) {
                Some(causes) => causes,
                None => members.entry(member.clone()).or_default(),
            },
        };
        let count = causes.entry(cause).or_insert(0);
        *count = count.saturating_add(1);
    }

    pub fn handshake_failed(&self, cause: &'static str) {
        self.add(None, cause);
    }

    pub fn stranger_refused(&self, code: Code) {
        self.add(None, code.as_str());
    }

    pub fn refused_beyond_rate(&self, member: &MemberId, code: Code) {
        self.add(Some(member), code.as_str());
    }

    /// Whether a refusal to this member is still within its rate, counting it if so. Minutes are
    /// those of the monotonic clock.
    pub fn may_record(&self, member: &MemberId, minute: u64, per_minute: u32) -> bool {
        let mut counts = self.counts();
        let (at, used) = counts.recorded.entry(member.clone()).or_insert((minute, 0));
        if *at != minute {
            (*at, *used) = (minute, 0);
        }
        *used += 1;
        *used <= per_minute
    }

    /// Counts a read of what is not recorded one by one, and says whether the member is still within its
    /// rate of them. Minutes are those of the monotonic clock.
    pub fn may_read(&self, member: &MemberId, what: &'static str, minute: u64, per_minute: u32) -> bool {
        self.add(Some(member), what);
        let mut counts = self.counts();
        let (at, used) = counts.read.entry((member.clone(), what)).or_insert((minute, 0));
        if *at != minute {
            (*at, *used) = (minute, 0);
        }
        *used = used.saturating_add(1);
        *used <= per_minute
    }

    /// Takes the counts since the last call.
    pub fn take(&self) -> Vec<TallyLine> {
        let (nobody, members) = {
            let mut counts = self.counts();
            (std::mem::take(&mut counts.nobody), std::mem::take(&mut counts.members))
        };
        let of_members = members.into_iter().map(|(member, causes)| (member.to_string(), causes));
        let all = of_members.chain([(UNIDENTIFIED.to_owned(), nobody)]);
        all.flat_map(|(source, causes)| {
            let line = move |(cause, count): (&str, _)| TallyLine {
                source: source.clone(),
                cause: cause.to_owned(),
                count,
            };
            causes.into_iter().map(line)
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_beyond_the_rate_are_counted_and_the_next_minute_starts_anew() {
        let tally = Tally::default();
        let member = MemberId::new("nhs-lomond").unwrap();
        assert!(tally.may_record(&member, 0, 2));
        assert!(tally.may_record(&member, 0, 2));
        assert!(!tally.may_record(&member, 0, 2));
        assert!(tally.may_record(&member, 1, 2));
        tally.refused_beyond_rate(&member, Code::NotAgreed);
        tally.refused_beyond_rate(&member, Code::NotAgreed);
        let line = TallyLine { source: "nhs-lomond".into(), cause: "not_agreed".into(), count: 2 };
        assert_eq!(tally.take(), [line]);
        assert_eq!(tally.take(), []);
    }
}
