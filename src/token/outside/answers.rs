//! What an issuer said of tokens a moment ago (RFC 7662 section 4): by their SHA-256, for all threads.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::clock::{Clock, Moment};
use crate::crypto::Sha256;
use crate::token::claims::Claims;
use crate::token::fault::TokenFault;

/// How long an answer counts, good or bad: a token that is revoked works no longer than this.
pub(super) const KEPT_MAX: Duration = Duration::from_secs(30);
/// Tokens of one issuer in use within that time; one takes about a KiB.
const ANSWERS_MAX: usize = 8192;

/// What it said of a token. Whether that fits whoever presents it is compared on every use.
pub(super) type Said = Result<Arc<Claims>, TokenFault>;

#[derive(Debug, Default)]
pub(super) struct Answers {
    by_token: HashMap<Sha256, (Moment, Said)>,
    /// The oldest first.
    order: VecDeque<(Moment, Sha256)>,
}

impl Answers {
    pub fn get(&self, token: &Sha256, clock: &Clock) -> Option<Said> {
        let (at, said) = self.by_token.get(token)?;
        (clock.since(*at) < KEPT_MAX).then(|| said.clone())
    }

    /// `at` is when it was asked, not when it answered: it may have thought for a while.
    pub fn put(&mut self, token: Sha256, said: Said, at: Moment, clock: &Clock) {
        while let Some((oldest, _)) = self.order.front()
            && (self.order.len() >= ANSWERS_MAX || clock.since(*oldest) >= KEPT_MAX)
        {
            let Some((oldest, token)) = self.order.pop_front() else { break };
            if self.by_token.get(&token).is_some_and(|(at, _)| *at == oldest) {
                self.by_token.remove(&token);
            }
        }
        self.order.push_back((at, token));
        self.by_token.insert(token, (at, said));
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn an_answer_counts_for_thirty_seconds_and_not_longer() {
        let clock = Clock::new().unwrap();
        let mut answers = Answers::default();
        let at = clock.moment();
        answers.put([1; 32], Err(TokenFault::Inactive), at, &clock);
        clock.shift(SignedDuration::from_secs(20));
        assert!(answers.get(&[1; 32], &clock).is_some());
        assert!(answers.get(&[2; 32], &clock).is_none());
        clock.shift(SignedDuration::from_secs(10));
        assert!(answers.get(&[1; 32], &clock).is_none());
        // And is gone once there is another.
        answers.put([2; 32], Err(TokenFault::Inactive), clock.moment(), &clock);
        assert_eq!((answers.by_token.len(), answers.order.len()), (1, 1));
    }

    #[test]
    fn answers_are_bounded() {
        let clock = Clock::new().unwrap();
        let mut answers = Answers::default();
        for n in 0..ANSWERS_MAX + 10 {
            let token = crate::crypto::sha256(&[&n.to_be_bytes()]);
            answers.put(token, Err(TokenFault::Inactive), clock.moment(), &clock);
        }
        assert_eq!((answers.by_token.len(), answers.order.len()), (ANSWERS_MAX, ANSWERS_MAX));
    }
}
