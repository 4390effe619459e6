//! What has a day in the file: the end, the review, the impact assessment's next review, parties' assurance; and the
//! template, which has a version.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::super::saying::Names;
use super::super::words::counted;
use super::{Need, Urgency};
use crate::clock::date_in_words;
use crate::model::MemberId;
use crate::policy::{Agreement, Particulars, Party};

/// Two months: an officer of each party reads, a meeting decides, and all sign.
pub(super) const SOON_DAYS: i64 = 60;

/// From one day to another; below 0 it lies behind.
pub(super) fn days(today: Date, day: Date) -> i64 {
    // Two dates of the calendar always have a number of days between them.
    today.until(day).map_or(0, |span| i64::from(span.get_days()))
}

/// Days as the end of a sentence.
pub(super) fn in_words(days: i64) -> String {
    let count = counted(u32::try_from(days.unsigned_abs()).unwrap_or(u32::MAX), "day");
    match days {
        0 => "today".to_owned(),
        1.. => format!("in {count}"),
        _ => format!("{count} ago"),
    }
}

/// By when people look at it again: an agreement, or a disclosure that was decided.
pub(super) fn review(agreement: &Agreement) -> Option<Date> {
    let of_grant = agreement.grant.as_ref().map(|grant| grant.decision.review);
    of_grant.or_else(|| agreement.particulars.as_ref().map(|particulars| particulars.review_due))
}

/// Of the template it names, if there is a version that is newer than the one it names.
pub(super) fn newest_template(agreement: &Agreement, templates: &BTreeMap<String, u32>) -> Option<u32> {
    let (name, version) = agreement.particulars.as_ref()?.template.as_ref()?.split_once('@')?;
    let version: u32 = version.parse().ok()?;
    templates.get(name).copied().filter(|newest| *newest > version)
}

/// What has passed is due now, what comes near soon, and the rest not yet.
fn urgency(days: i64) -> Option<Urgency> {
    match days {
        ..0 => Some(Urgency::Now),
        0..=SOON_DAYS => Some(Urgency::Soon),
        _ => None,
    }
}

/// What is due of one that is, or will be, in force.
pub(super) struct Due<'d> {
    pub(super) agreement: &'d Agreement,
    pub(super) today: Date,
    pub(super) names: Names<'d>,
}

impl Due<'_> {
    pub(super) fn needs(&self) -> Vec<Need> {
        let mut needs: Vec<Need> = self.end().into_iter().chain(self.review()).collect();
        if let Some(particulars) = &self.agreement.particulars {
            needs.extend(self.assessment(particulars));
        }
        needs.extend(self.agreement.parties.iter().flat_map(|party| self.assurance(party)));
        needs
    }

    fn need(&self, day: Date, (what, passed): (&str, &str), act: &str, who: String) -> Option<Need> {
        let days = days(self.today, day);
        let urgency = urgency(days)?;
        let verb = if days < 0 { passed } else { what };
        let why = format!("{verb} {}, {}", date_in_words(day), in_words(days));
        Some(Need { urgency, days: Some(days), why, act: act.to_owned(), who })
    }

    /// A grant is meant to end.
    fn end(&self) -> Option<Need> {
        let until = self.agreement.dates.until.filter(|_| self.agreement.grant.is_none())?;
        let act = "agree on a new version with later dates, or let it end";
        self.need(until, ("it ends after", "it ended after"), act, self.officers())
    }

    /// Also of a grant that was used: what was decided is looked at again.
    pub(super) fn review(&self) -> Option<Need> {
        let act = match &self.agreement.grant {
            None => "review it together, and set the next `review_due` in a new version",
            Some(_) => "look at the disclosure again, and keep what you found with the request",
        };
        let who = self.provider().map_or_else(|| self.officers(), |party| self.protection_officer(party));
        self.need(review(self.agreement)?, ("its review is due on", "its review was due on"), act, who)
    }

    fn assessment(&self, particulars: &Particulars) -> Option<Need> {
        let next = particulars.impact.as_ref()?.dpia.next_review?;
        let act = "assess the risks again, and name the new assessment in a new version";
        let who = self.provider().map_or_else(|| self.officers(), |party| self.protection_officer(party));
        let said =
            ("the impact assessment is reviewed again by", "the impact assessment was to be reviewed by");
        self.need(next, said, act, who)
    }

    fn assurance(&self, party: &Party) -> Vec<Need> {
        let held = party.particulars.iter().flat_map(|said| &said.assurance);
        let name = (self.names)(&party.member);
        let one = |held: &crate::policy::Attestation| {
            let what = format!("{} of {name} ends on", held.scheme.words());
            let passed = format!("{} of {name} ended on", held.scheme.words());
            let act = "renew it, or agree without it, in a new version";
            self.need(held.until, (&what, &passed), act, self.protection_officer(party))
        };
        held.filter_map(one).collect()
    }

    pub(super) fn officers(&self) -> String {
        officers(self.agreement.controllers(), self.names)
    }

    fn provider(&self) -> Option<&Party> {
        let provider = self.agreement.provider()?;
        self.agreement.parties.iter().find(|party| party.member == *provider)
    }

    /// Whom the file names; a file of format 1 names nobody.
    fn protection_officer(&self, party: &Party) -> String {
        let name = (self.names)(&party.member);
        match &party.particulars {
            Some(said) => format!("{} of {name}, {}", said.dpo.office, said.dpo.email),
            None => format!("an officer of {name}"),
        }
    }
}

pub(super) fn officers<'m>(members: impl Iterator<Item = &'m MemberId>, names: Names<'_>) -> String {
    let each: Vec<String> = members.map(names).collect();
    format!("an officer of {}", super::super::words::listed(each, "and of"))
}
