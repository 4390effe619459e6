//! What a caller is told whose refusal is counted, or could not be recorded, and so has no receipt.
//!
//! Made from little more than a code: nothing of a question and nothing of an answer can leave by this
//! way. Beyond a member's rate, and before a member is known, the words are fixed (design 5).

use bytes::Bytes;

use crate::model::{Code, ExchangeId, Outcome};

use super::refusal::problem;

/// Seconds a member beyond its rate is asked to wait: rates are by the minute.
const RATE_SECONDS: u64 = 60;
/// Exchanges last no longer, mostly.
const BUSY_SECONDS: u64 = 1;
/// Seconds after which a ledger that recovers by itself may have done so.
const LEDGER_SECONDS: u64 = 5;

/// A refusal without a receipt.
pub(super) struct Counted {
    code: Code,
    retry_after: Option<u64>,
}

impl Counted {
    /// To somebody who is no known system.
    pub(super) fn stranger(code: Code) -> Self {
        Self { code, retry_after: None }
    }

    /// To a member beyond its rate, whatever the refusal.
    pub(super) fn beyond_rate() -> Self {
        Self { code: Code::LimitReached, retry_after: Some(RATE_SECONDS) }
    }

    /// To a member that has taken what one member may.
    pub(super) fn beyond_allowance(seconds: u64) -> Self {
        Self { code: Code::LimitReached, retry_after: Some(seconds) }
    }

    /// To whoever comes while there is no place for another exchange.
    pub(super) fn busy() -> Self {
        Self { code: Code::LimitReached, retry_after: Some(BUSY_SECONDS) }
    }

    /// The ledger did not take the record. After an intent nobody knows whether a change was made, and
    /// asking again could make it twice.
    pub(super) fn unrecorded(after_intent: bool) -> Self {
        if after_intent {
            return Self { code: Code::OutcomeUnknown, retry_after: None };
        }
        Self { code: Code::CannotRecord, retry_after: Some(LEDGER_SECONDS) }
    }

    pub(super) fn code(&self) -> Code {
        self.code
    }

    pub(super) fn retry_after(&self) -> Option<u64> {
        self.retry_after
    }

    pub(super) fn outcome(&self) -> Outcome {
        Outcome::Unrecorded
    }

    pub(super) fn body(&self, exchange: ExchangeId) -> Bytes {
        Bytes::from(problem(self.code, None, &exchange.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_an_intent_nobody_is_asked_to_try_again() {
        let after = Counted::unrecorded(true);
        assert_eq!((after.code(), after.retry_after()), (Code::OutcomeUnknown, None));
        let before = Counted::unrecorded(false);
        assert_eq!((before.code(), before.retry_after()), (Code::CannotRecord, Some(5)));
    }
}
