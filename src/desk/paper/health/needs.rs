//! What has to be decided or done about one agreement, and who does it: what keeps it out of force, what is due, what
//! its template and its use say.

use jiff::SignedDuration;

use super::super::saying::Names;
use super::super::words::{counted, listed};
use super::due::{self, Due, SOON_DAYS};
use super::status::is_of_signatures;
use super::used::Used;
use super::{Look, Need, Urgency};
use crate::desk::report::RECENT_DAYS;
use crate::model::{AgreementStatus, MemberId};
use crate::policy::{Agreement, Entry, Reason};

/// An agreement whose status is known.
pub(super) struct Judged<'j> {
    pub(super) entry: &'j Entry,
    pub(super) status: AgreementStatus,
    pub(super) reasons: &'j [Reason],
    pub(super) used: Option<&'j Used>,
    pub(super) look: &'j Look<'j>,
}

impl Judged<'_> {
    pub(super) fn needs(&self) -> Vec<Need> {
        let agreement = self.agreement();
        let due = Due { agreement, today: self.look.today, names: self.look.names };
        let mut needs: Vec<Need> = self.out_of_force().into_iter().collect();
        let lives = self.status.is_in_force()
            || matches!(self.status, AgreementStatus::Scheduled | AgreementStatus::Suspended);
        if lives {
            needs.extend(due.needs());
        } else if self.used.is_some_and(|used| used.spent) {
            needs.extend(due.review());
        }
        if !self.status.is_over() {
            needs.extend(self.template());
        }
        if self.status.is_in_force() {
            needs.extend(self.unused());
            needs.extend(self.limits());
        }
        needs
    }

    fn agreement(&self) -> &Agreement {
        &self.entry.agreement
    }

    fn officers(&self) -> String {
        due::officers(self.agreement().controllers(), self.look.names)
    }

    /// What keeps it out of force, unless nothing can be done or nobody wants to: it was withdrawn, a newer version
    /// took its place, a grant is over, or its day has yet to come.
    fn out_of_force(&self) -> Option<Need> {
        let urgency = match self.status {
            AgreementStatus::Active | AgreementStatus::ReviewOverdue | AgreementStatus::Scheduled => {
                return None;
            }
            AgreementStatus::Terminated | AgreementStatus::Superseded => return None,
            AgreementStatus::Expired if self.agreement().grant.is_some() => return None,
            AgreementStatus::Expired => Urgency::Later,
            AgreementStatus::Suspended if self.is_of_later_versions() => Urgency::Later,
            AgreementStatus::Suspended => Urgency::Now,
            AgreementStatus::Draft | AgreementStatus::AwaitingSignature => self.before_it_begins(),
        };
        let from = self.agreement().dates.from;
        let days = matches!(self.status, AgreementStatus::Draft | AgreementStatus::AwaitingSignature)
            .then(|| due::days(self.look.today, from));
        let told: Vec<String> = self.reasons.iter().map(ToString::to_string).collect();
        let why = format!("not in force: {}", told.join("; "));
        let act = (self.look.next)(self.reasons, self.agreement());
        let act = act.unwrap_or_else(|| "see why, and put it right".to_owned());
        Some(Need { urgency, days, why, act, who: self.who() })
    }

    fn is_of_later_versions(&self) -> bool {
        self.reasons.iter().any(|reason| matches!(reason, Reason::FormNotAnswered(_)))
    }

    /// Its first day is what its signatures are wanted for.
    fn before_it_begins(&self) -> Urgency {
        match due::days(self.look.today, self.agreement().dates.from) {
            ..=0 => Urgency::Now,
            1..=SOON_DAYS => Urgency::Soon,
            _ => Urgency::Later,
        }
    }

    /// In the order in which it is done: what an officer stopped, then sealing, then signing.
    fn who(&self) -> String {
        let names = self.look.names;
        let stopped = self.reasons.iter().find_map(|reason| match reason {
            Reason::Against { member, .. } => Some(member),
            _ => None,
        });
        if let Some(member) = stopped {
            return format!("an officer of {}", names(member));
        }
        let anew = |reason: &Reason| matches!(reason, Reason::Ended(_) | Reason::OlderThanSeen { .. });
        if self.reasons.iter().any(anew) {
            return self.officers();
        }
        let sealing = |reason: &Reason| matches!(reason, Reason::Unsealed | Reason::SealedOverAnotherView);
        let signing = self.reasons.iter().any(is_of_signatures) && !self.reasons.iter().any(sealing);
        if signing {
            let unsigned = unsigned(self.agreement(), self.reasons, names);
            return format!("who has not signed: {}", listed(unsigned, "and"));
        }
        let provider = self.agreement().provider().map_or_else(String::new, names);
        format!("whoever runs the gateway of {provider}")
    }

    fn template(&self) -> Option<Need> {
        let newest = due::newest_template(self.agreement(), self.look.templates)?;
        let named = self.agreement().particulars.as_ref()?.template.as_deref()?;
        let why = format!("its template is {named}, and there is version {newest} of that");
        let act = "read what changed in the template, and agree on a version under it";
        let (urgency, who) = (Urgency::Later, self.officers());
        Some(Need { urgency, days: None, why, act: act.to_owned(), who })
    }

    /// Only where the record goes back so far, and it was in force all the time.
    fn unused(&self) -> Option<Need> {
        let used = self.used?;
        let record = self.look.record?;
        let hours = SignedDuration::from_hours(i64::from(RECENT_DAYS) * 24);
        let since = self.look.now.checked_sub(hours).ok()?;
        let long = due::days(self.agreement().dates.from, self.look.today) >= i64::from(RECENT_DAYS);
        let idle = used.last.is_none_or(|last| last < since);
        if !(long && idle && record.knows_since(since)) || self.agreement().grant.is_some() {
            return None;
        }
        let why = format!("nothing was answered under it in {RECENT_DAYS} days");
        let act = "ask whether it is still needed, and withdraw it if not";
        let (urgency, who) = (Urgency::Later, self.officers());
        Some(Need { urgency, days: None, why, act: act.to_owned(), who })
    }

    fn limits(&self) -> Option<Need> {
        let hits = self.used?.recent_limits;
        let times = counted(u32::try_from(hits).unwrap_or(u32::MAX), "question");
        let why = format!("its limits refused {times} in {RECENT_DAYS} days");
        let act = "ask the consumer why so many are asked; if they are needed, agree on a version with another limit";
        let (urgency, who) = (Urgency::Later, self.officers());
        // Of a grant they say that two questions came at once.
        (hits > 0 && self.agreement().grant.is_none()).then(|| Need {
            urgency,
            days: None,
            why,
            act: act.to_owned(),
            who,
        })
    }
}

/// Whose signature does not count yet: members, and the guardians of members.
pub(super) fn unsigned(agreement: &Agreement, reasons: &[Reason], names: Names<'_>) -> Vec<String> {
    let guardian = |member: &MemberId| format!("the Caldicott Guardian of {}", names(member));
    let by_nobody = |reason: &Reason| {
        matches!(reason, Reason::SignaturesUnreadable(_) | Reason::SignedOverOtherBytes | Reason::Unsealed)
    };
    if reasons.iter().any(by_nobody) {
        let members = agreement.controllers().map(names);
        return members.chain(agreement.guardians().map(|(member, _)| guardian(member))).collect();
    }
    let one = |reason: &Reason| match reason {
        Reason::SignatureMissing(member)
        | Reason::SignatureWrong { member, .. }
        | Reason::TrialKeyOnLive(member) => Some(names(member)),
        Reason::GuardianMissing { member, .. } => Some(guardian(member)),
        _ => None,
    };
    reasons.iter().filter_map(one).collect()
}
