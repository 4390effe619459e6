//! Which status an agreement has (V2), from every reason why it is not in force.

use crate::model::{Action, AgreementStatus};
use crate::policy::Reason;

/// The first that fits: what is over is over, whatever else is wrong with it.
pub(super) fn status(reasons: &[Reason], spent: bool, overdue: bool) -> AgreementStatus {
    let has = |wanted: fn(&Reason) -> bool| reasons.iter().any(wanted);
    let by = |wanted: Action| {
        reasons.iter().any(|reason| matches!(reason, Reason::Against { action, .. } if *action == wanted))
    };
    if spent || by(Action::Withdraw) {
        AgreementStatus::Terminated
    } else if has(|reason| matches!(reason, Reason::OlderThanSeen { .. })) {
        AgreementStatus::Superseded
    } else if has(|reason| matches!(reason, Reason::Ended(_))) {
        AgreementStatus::Expired
    } else if by(Action::Suspend) {
        AgreementStatus::Suspended
    } else if has(|reason| matches!(reason, Reason::Unsealed | Reason::ViewUnknown)) {
        AgreementStatus::Draft
    } else if has(is_of_signatures) || by(Action::Decline) {
        AgreementStatus::AwaitingSignature
    } else if has(is_of_the_host) {
        AgreementStatus::Suspended
    } else if has(|reason| matches!(reason, Reason::NotYet(_))) {
        AgreementStatus::Scheduled
    } else if overdue {
        AgreementStatus::ReviewOverdue
    } else {
        AgreementStatus::Active
    }
}

pub(super) fn is_of_signatures(reason: &Reason) -> bool {
    matches!(
        reason,
        Reason::SignaturesUnreadable(_)
            | Reason::SignedOverOtherBytes
            | Reason::SignatureMissing(_)
            | Reason::SignatureWrong { .. }
            | Reason::TrialKeyOnLive(_)
            | Reason::GuardianMissing { .. }
    )
}

/// What was agreed and is not answered: the design calls that suspended where the view changed.
fn is_of_the_host(reason: &Reason) -> bool {
    matches!(
        reason,
        Reason::SealedOverAnotherView | Reason::TrialSourceNotSynthetic | Reason::FormNotAnswered(_)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::MemberId;
    use jiff::civil::date;

    #[test]
    fn each_status_has_its_reasons_and_what_is_over_comes_first() {
        let nhs = || MemberId::new("nhs-lomond").unwrap();
        let missing = || Reason::SignatureMissing(nhs());
        let against = |action| Reason::Against { action, member: nhs(), on: None };
        let (ended, later) = (Reason::Ended(date(2026, 1, 1)), Reason::NotYet(date(2027, 1, 1)));
        for (reasons, wanted) in [
            (vec![], "active"),
            (vec![later.clone()], "scheduled"),
            (vec![missing(), later.clone()], "awaiting_signature"),
            (vec![against(Action::Decline)], "awaiting_signature"),
            (vec![Reason::Unsealed, missing()], "draft"),
            (vec![Reason::SealedOverAnotherView], "suspended"),
            (vec![against(Action::Suspend), missing()], "suspended"),
            (vec![Reason::Unsealed, ended.clone()], "expired"),
            (vec![ended.clone(), Reason::OlderThanSeen { seen: 4 }], "superseded"),
            (vec![ended, against(Action::Withdraw)], "terminated"),
        ] {
            assert_eq!(status(&reasons, false, false).as_str(), wanted, "{reasons:?}");
        }
        assert_eq!(status(&[], true, false), AgreementStatus::Terminated);
        assert_eq!(status(&[], false, true), AgreementStatus::ReviewOverdue);
        assert_eq!(status(&[later], false, true), AgreementStatus::Scheduled);
    }
}
