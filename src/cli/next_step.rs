//! What to do about an agreement that is not in force: the next step, as a sentence or a command.

use std::path::Path;

use crate::model::{Action, MemberId};
use crate::policy::Reason;

/// The one thing to do next; `None` where there is nothing to do but wait, or nothing at all. Sealing
/// comes before signing, and signing anew before signing at all: what is done in another order is lost.
pub(super) fn next_step(reasons: &[Reason], file: &Path) -> Option<String> {
    let file = file.display();
    let sign = |how: &str| format!("tolbooth agreement sign {file} --key KEY{how}");
    let has = |wanted: fn(&Reason) -> bool| reasons.iter().any(wanted);
    if has(|reason| matches!(reason, Reason::FormNotAnswered(_))) {
        return Some("nothing to seal or sign yet: this waits for a version that gives such answers".into());
    }
    if let Some((action, member)) = reasons.iter().find_map(against) {
        return Some(match action {
            Action::Withdraw => "agree on a new `version`, then seal it, and every party signs".into(),
            Action::Decline => format!(
                "tolbooth agreement accept {file} --key KEY --reason TEXT    (an officer of: {member})"
            ),
            _ => format!(
                "tolbooth agreement resume {file} --key KEY --reason TEXT    (an officer of: {member})"
            ),
        });
    }
    if let Some(seen) = reasons.iter().find_map(older) {
        return Some(format!("raise its `version` above {seen}, then seal it, and every party signs"));
    }
    if reasons.iter().any(|reason| matches!(reason, Reason::Ended(_))) {
        return Some(
            "agree on new dates under the next `version`, then seal it, and every party signs".into(),
        );
    }
    if has(|reason| matches!(reason, Reason::Unsealed)) {
        return Some(format!("tolbooth agreement seal {file}"));
    }
    if has(|reason| matches!(reason, Reason::SealedOverAnotherView)) {
        return Some(format!(
            "tolbooth agreement seal {file}    (what is released changed: every party signs again)"
        ));
    }
    if has(|reason| matches!(reason, Reason::SignedOverOtherBytes | Reason::SignaturesUnreadable(_))) {
        return Some(format!("{}    (the first to sign; the others without --anew)", sign(" --anew")));
    }
    let missing: Vec<&str> = reasons.iter().filter_map(unsigned).map(MemberId::as_str).collect();
    if !missing.is_empty() {
        return Some(format!("{}    (an officer of: {})", sign(""), missing.join(", ")));
    }
    if let Some(member) = reasons.iter().find_map(without_guardian) {
        return Some(format!("{}    (the Caldicott Guardian of {member})", sign("")));
    }
    has(|reason| matches!(reason, Reason::TrialSourceNotSynthetic))
        .then(|| "write `synthetic = true` into the dataset's file, if its people are made up".into())
}

fn against(reason: &Reason) -> Option<(Action, &MemberId)> {
    match reason {
        Reason::Against { action, member, .. } => Some((*action, member)),
        _ => None,
    }
}

fn older(reason: &Reason) -> Option<u32> {
    match reason {
        Reason::OlderThanSeen { seen } | Reason::OtherThanSeen { seen } => Some(*seen),
        _ => None,
    }
}

/// The member for whom nobody has signed with a key that counts.
fn unsigned(reason: &Reason) -> Option<&MemberId> {
    match reason {
        Reason::SignatureMissing(member)
        | Reason::SignatureWrong { member, .. }
        | Reason::TrialKeyOnLive(member) => Some(member),
        _ => None,
    }
}

fn without_guardian(reason: &Reason) -> Option<&MemberId> {
    match reason {
        Reason::GuardianMissing { member, .. } => Some(member),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_undone_comes_first() {
        let glenmore = || Reason::SignatureMissing(MemberId::new("glenmore").unwrap());
        let step = |reasons: &[Reason]| next_step(reasons, Path::new("a.toml")).unwrap_or_default();
        assert_eq!(step(&[glenmore(), Reason::Unsealed]), "tolbooth agreement seal a.toml");
        assert!(step(&[Reason::SignedOverOtherBytes, Reason::SealedOverAnotherView]).contains("seal a.toml"));
        assert!(step(&[Reason::SignedOverOtherBytes]).contains("sign a.toml --key KEY --anew"));
        assert_eq!(
            step(&[glenmore()]),
            "tolbooth agreement sign a.toml --key KEY    (an officer of: glenmore)"
        );
        assert!(step(&[Reason::Unsealed, Reason::OlderThanSeen { seen: 4 }]).contains("above 4"));
        assert_eq!(step(&[]), "");
    }
}
