//! Decisions remembered: for one ruleset, by all the facts. One per core, never shared. Signatures,
//! dates, limits and the like are not facts, and so are asked every time.

use std::hash::{BuildHasher, RandomState};

use crate::model::Digest;

use super::decide::{Decider, Verdict};
use super::facts::Facts;

/// A table of fixed size: a question has one slot by its hash, and the newer takes it from the
/// older, so that memory is bounded whatever is asked.
#[derive(Debug)]
pub struct Memo {
    ruleset: Option<Digest>,
    slots: Vec<Option<(Facts, Verdict)>>,
    /// Seeded at random, so that no caller can aim at another's slot.
    hasher: RandomState,
}

impl Memo {
    /// With room for `slots` decisions, at least one.
    pub fn new(slots: usize) -> Self {
        Self { ruleset: None, slots: vec![None; slots.max(1)], hasher: RandomState::new() }
    }

    /// The verdict of `decider`, which is the one of the ruleset with this digest.
    pub fn decide(&mut self, ruleset: &Digest, decider: &Decider, facts: &Facts) -> Verdict {
        if self.ruleset.as_ref() != Some(ruleset) {
            self.ruleset = Some(*ruleset);
            self.slots.fill(None);
        }
        let slots = self.slots.len() as u64;
        let at = usize::try_from(self.hasher.hash_one(facts) % slots).unwrap_or(0);
        let Some(slot) = self.slots.get_mut(at) else { return decider.decide(facts) };
        match slot {
            Some((known, verdict)) if known == facts => verdict.clone(),
            _ => {
                let verdict = decider.decide(facts);
                *slot = Some((facts.clone(), verdict.clone()));
                verdict
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::policy::tests::samples;

    #[test]
    fn a_remembered_verdict_is_of_the_same_facts_and_ruleset_only() {
        let agreement = samples::load(&samples::trial());
        let open = Decider::compile([Arc::new(agreement.clone())], &[]).unwrap();
        let closed = samples::forbid("hour", "context.hour == 3");
        let closed = Decider::compile([Arc::new(agreement.clone())], &[closed]).unwrap();
        let (one, two) = (Digest::of(b"1"), Digest::of(b"2"));
        let mut facts = samples::facts(&agreement);
        facts.hour = 3;
        // One slot: every other question takes it.
        let mut memo = Memo::new(1);
        let forbidden = Verdict::Forbid { guardrail: "hour".into() };
        assert_eq!(memo.decide(&one, &open, &facts), Verdict::Permit);
        assert_eq!(memo.decide(&one, &closed, &facts), Verdict::Permit, "remembered");
        assert_eq!(memo.decide(&two, &closed, &facts), forbidden);
        let mut later = facts.clone();
        later.hour = 4;
        assert_eq!(memo.decide(&two, &closed, &later), Verdict::Permit);
        assert_eq!(memo.decide(&two, &closed, &facts), forbidden);
    }

    #[test]
    fn every_fact_is_part_of_the_key() {
        let agreement = samples::load(&samples::trial());
        let facts = samples::facts(&agreement);
        for changed in samples::each_fact_changed(&facts) {
            assert_ne!(facts, changed);
        }
        assert_eq!(facts, facts.clone());
    }
}
