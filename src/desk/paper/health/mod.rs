//! R7, the health of agreements: of every agreement and grant its status, what is due, who has not signed, when it was
//! last used; and for each what to do and who does it, with what needs a decision first.
//!
//! Made of what the files say, and of what the record says where the gateway runs. Nothing is asked or read here.

mod due;
mod needs;
mod shown;
mod status;
mod used;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;

use super::saying::Names;
use crate::model::{AgreementRef, AgreementStatus, MemberId};
use crate::policy::{Agreement, Entry, Reason};

pub use used::Record;

/// What health is judged by, beside the agreements.
pub struct Look<'l> {
    pub now: Timestamp,
    /// The day in London.
    pub today: Date,
    /// Whose gateway it is.
    pub member: &'l MemberId,
    pub names: Names<'l>,
    /// What the record says of uses, if the gateway could be asked.
    pub record: Option<&'l Record>,
    /// Why an agreement is not in force by what only the ledger knows.
    pub recorded: &'l dyn Fn(&AgreementRef) -> Vec<Reason>,
    /// The newest version of each template that counts.
    pub templates: &'l BTreeMap<String, u32>,
    /// The command or sentence that brings an agreement into force.
    pub next: &'l dyn Fn(&[Reason], &Agreement) -> Option<String>,
}

/// How soon somebody has to decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    Now,
    Soon,
    Later,
    Nothing,
}

impl Urgency {
    pub const ALL: [Self; 4] = [Self::Now, Self::Soon, Self::Later, Self::Nothing];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Now => "now",
            Self::Soon => "soon",
            Self::Later => "later",
            Self::Nothing => "nothing",
        }
    }
}

/// One thing that somebody has to decide or do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    pub urgency: Urgency,
    /// Days until it is due; below 0 it is overdue. What has no day stands behind what has one.
    pub days: Option<i64>,
    pub why: String,
    pub act: String,
    pub who: String,
}

/// One agreement or grant.
#[derive(Debug, Clone)]
pub struct Row {
    pub agreement: Arc<Agreement>,
    pub status: AgreementStatus,
    /// Members, and guardians of members, whose signature counts not yet.
    pub unsigned: Vec<String>,
    /// Days until the last day in force is over.
    pub days_left: Option<i64>,
    pub review_due: Option<Date>,
    pub review_days: Option<i64>,
    pub newest_template: Option<u32>,
    /// `None`: the gateway could not be asked.
    pub used: Option<used::Used>,
    /// The most urgent first.
    pub needs: Vec<Need>,
}

impl Row {
    pub fn urgency(&self) -> Urgency {
        self.needs.first().map_or(Urgency::Nothing, |need| need.urgency)
    }

    fn order(&self) -> (Urgency, i64, String, u32) {
        let reference = &self.agreement.reference;
        let days = self.needs.first().and_then(|need| need.days).unwrap_or(i64::MAX);
        (self.urgency(), days, reference.id.to_string(), reference.version)
    }
}

/// The register, in the order in which decisions are needed.
#[derive(Debug, Clone)]
pub struct Health {
    pub today: Date,
    pub rows: Vec<Row>,
    names: BTreeMap<MemberId, String>,
}

/// Of all agreements and grants, in force or not.
pub fn health(entries: &[Arc<Entry>], look: &Look<'_>) -> Health {
    let mut rows: Vec<Row> = entries.iter().map(|entry| row(entry, entries, look)).collect();
    rows.sort_by_cached_key(Row::order);
    let members = entries.iter().flat_map(|entry| &entry.agreement.parties).map(|party| &party.member);
    let names = members.map(|member| (member.clone(), (look.names)(member))).collect();
    Health { today: look.today, rows, names }
}

fn row(entry: &Entry, entries: &[Arc<Entry>], look: &Look<'_>) -> Row {
    let agreement = &entry.agreement;
    let used = look.record.map(|record| record.of(&agreement.reference));
    let reasons = reasons(entry, look);
    let review_due = due::review(agreement);
    let review_days = review_due.map(|due| due::days(look.today, due));
    let overdue = agreement.grant.is_none() && review_days.is_some_and(|days| days < 0);
    let spent = used.as_ref().is_some_and(|used| used.spent);
    let status = status::status(&reasons, spent, overdue);
    let judged = needs::Judged { entry, status, reasons: &reasons, used: used.as_ref(), look };
    let mut needs = judged.needs();
    // What a newer version says in its place is not asked for twice.
    if status == AgreementStatus::Expired && has_newer(agreement, entries) {
        needs.clear();
    }
    needs.sort_by_key(|need| (need.urgency, need.days.unwrap_or(i64::MAX)));
    Row {
        agreement: Arc::clone(agreement),
        status,
        unsigned: needs::unsigned(agreement, &reasons, look.names),
        days_left: agreement.dates.until.map(|until| due::days(look.today, until)),
        review_due,
        review_days,
        newest_template: due::newest_template(agreement, look.templates),
        used,
        needs,
    }
}

fn has_newer(agreement: &Agreement, entries: &[Arc<Entry>]) -> bool {
    entries.iter().any(|other| {
        let other = &other.agreement.reference;
        other.id == agreement.reference.id && other.version > agreement.reference.version
    })
}

/// Everything that keeps it out of force, by the files and by the record.
fn reasons(entry: &Entry, look: &Look<'_>) -> Vec<Reason> {
    let agreement = &entry.agreement;
    let mut reasons = entry.standing.reasons(look.today);
    // Only its provider's gateway has the contract: here its seal is taken at its word.
    if agreement.provider() != Some(look.member) {
        reasons.retain(|reason| *reason != Reason::ViewUnknown);
    }
    for recorded in (look.recorded)(&agreement.reference) {
        if !reasons.contains(&recorded) {
            reasons.push(recorded);
        }
    }
    let answered = look.record.and_then(|record| record.newest_answered(&agreement.reference.id));
    let newer = answered.filter(|seen| *seen > agreement.reference.version);
    reasons.extend(newer.map(|seen| Reason::OlderThanSeen { seen }));
    // A grant is open to the second, and agreements are in force by days.
    if let Some(grant) = &agreement.grant
        && look.now >= grant.expires
        && !reasons.iter().any(|reason| matches!(reason, Reason::Ended(_)))
    {
        reasons.push(Reason::Ended(look.today));
    }
    reasons
}
