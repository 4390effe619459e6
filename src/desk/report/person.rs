//! R1: who looked at a person, when, why, what kinds of data left, and under which agreement. In two
//! cuts: the data protection officer's, and the one the person can be given (UK GDPR Art. 15).

use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::{Map, Value};

use super::distinct::{Distinct, Who};
use super::known::{Known, purpose_words};
use super::period::in_london;
use super::seen::{About, Ending, Seen};
use super::withheld::{HeldBack, held_back};
use super::{Cut, Gather, PERSON_ROWS_MAX, ReportFault, Row, totals};
use crate::ledger::SubjectRef;

/// One access. What only the full cut tells is absent from the other, never empty in it.
#[derive(Debug, Serialize)]
struct Access {
    time: String,
    time_utc: String,
    member: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    system: Option<String>,
    role: String,
    role_as: String,
    purpose: String,
    purpose_as: String,
    agreement: String,
    title: String,
    dataset: String,
    told: &'static str,
    fields: Vec<String>,
    log: String,
    exchange: String,
    #[serde(flatten)]
    full: Option<OfficersEyes>,
}

/// Other people, and what the caller itself was not told.
#[derive(Debug, Serialize)]
struct OfficersEyes {
    member_id: String,
    user: String,
    user_as: String,
    case: String,
    reason: String,
    purpose_code: String,
    code: String,
    truly: String,
    because: String,
    rows: u64,
    rows_excluded: u64,
    record: u64,
    releasable: bool,
    held_back: &'static str,
}

pub(super) struct Person {
    subjects: Vec<SubjectRef>,
    cut: Cut,
    zone: TimeZone,
    rows: Vec<Row>,
    counts: Counts,
    distinct: Distinct,
    askers: Who,
}

#[derive(Default)]
struct Counts {
    with_data: u64,
    nothing_found: u64,
    refused: u64,
    explained: u64,
    looks: u64,
    held_back: u64,
}

impl Person {
    pub(super) fn new(subjects: &[SubjectRef], cut: Cut, zone: &TimeZone) -> Self {
        let (subjects, zone) = (subjects.to_vec(), zone.clone());
        let (distinct, askers) = (Distinct::default(), Who::default());
        Self { subjects, cut, zone, rows: Vec::new(), counts: Counts::default(), distinct, askers }
    }

    fn count(&mut self, seen: &Seen, held_back: bool) {
        let counts = &mut self.counts;
        let one = if seen.is_exchange() {
            match seen.ending() {
                Ending::WithData => &mut counts.with_data,
                Ending::NothingFound => &mut counts.nothing_found,
                Ending::Refused => &mut counts.refused,
                Ending::Explained => &mut counts.explained,
            }
        } else {
            &mut counts.looks
        };
        *one += 1;
        counts.held_back += u64::from(held_back);
    }

    fn access(&self, seen: &Seen, known: &Known, held: Option<HeldBack>) -> Access {
        let (member, system) = seen.caller();
        let name = known.name(member);
        let full = self.cut == Cut::Full;
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        Access {
            time: in_london(seen.at, &self.zone),
            time_utc: seen.time.clone(),
            system: full.then(|| system.to_owned()),
            role: text(&seen.role),
            role_as: stated(seen.role_origin.as_deref(), &name),
            purpose: purpose_words(seen.purpose.as_deref()),
            purpose_as: stated(seen.purpose_origin.as_deref(), &name),
            agreement: text(&seen.agreement),
            title: known.title(seen),
            dataset: text(&seen.dataset),
            told: told(seen),
            fields: seen.fields().to_vec(),
            log: seen.log.clone(),
            exchange: text(&seen.exchange),
            full: full.then(|| officers_eyes(seen, member, &name, held)),
            member: name,
        }
    }
}

impl Gather for Person {
    fn take(&mut self, seen: &Seen, known: &Known) -> Result<(), ReportFault> {
        // A change is counted by its answer, not by its intent too.
        if !seen.is_exchange() && seen.kind != "read" {
            return Ok(());
        }
        let about = seen.about(&self.subjects);
        if about == About::SomebodyElse {
            return Ok(());
        }
        let held = held_back(seen, about, known);
        if self.cut == Cut::Releasable && held.is_some() {
            return Ok(());
        }
        if self.rows.len() >= PERSON_ROWS_MAX {
            return Err(ReportFault::TooMany { rows_max: PERSON_ROWS_MAX });
        }
        self.count(seen, held.is_some());
        self.distinct.take(seen, &mut self.askers);
        let row = if seen.is_exchange() {
            Row::of(self.access(seen, known, held))
        } else {
            Row::of(self.look(seen, held))
        };
        self.rows.push(row);
        Ok(())
    }

    /// Newest first.
    fn rows(mut self: Box<Self>, _known: &Known) -> (Vec<Row>, Map<String, Value>) {
        self.rows.reverse();
        let counts = &self.counts;
        let mut sums = vec![
            ("accesses", self.rows.len() as u64),
            ("with_data", counts.with_data),
            ("nothing_found", counts.nothing_found),
            ("refused", counts.refused),
            ("explained", counts.explained),
        ];
        // How much was held back would say that there is something.
        if self.cut == Cut::Full {
            sums.extend([("own_looks", counts.looks), ("held_back", counts.held_back)]);
        }
        let mut sums = totals(&sums);
        if self.cut == Cut::Full {
            sums.insert("users".to_owned(), self.distinct.users(&self.askers));
        }
        (self.rows, sums)
    }
}

/// A look into the record about the person, of this organisation's own: full cut only.
#[derive(Debug, Serialize)]
struct OwnLook<'a> {
    time: String,
    time_utc: &'a str,
    user: &'a str,
    told: &'static str,
    look: &'a str,
    reason: &'a str,
    log: &'a str,
    record: u64,
    releasable: bool,
    held_back: &'static str,
}

impl Person {
    fn look<'a>(&self, seen: &'a Seen, held: Option<HeldBack>) -> OwnLook<'a> {
        let sealed = seen.sealed.as_ref();
        OwnLook {
            time: in_london(seen.at, &self.zone),
            time_utc: &seen.time,
            user: sealed.and_then(|sealed| sealed.by.as_deref()).unwrap_or_default(),
            told: "looked into the record",
            look: seen.action.as_deref().unwrap_or_default(),
            reason: sealed.and_then(|sealed| sealed.purpose.as_deref()).unwrap_or_default(),
            log: &seen.log,
            record: seen.index,
            releasable: held.is_none(),
            held_back: held.map_or("", HeldBack::as_str),
        }
    }
}

fn told(seen: &Seen) -> &'static str {
    // A gateway that ended between intent and answer told its caller nothing.
    if seen.was_told() { seen.ending().as_str() } else { "the gateway stopped before an answer" }
}

fn officers_eyes(seen: &Seen, member: &str, name: &str, held: Option<HeldBack>) -> OfficersEyes {
    let sealed = seen.sealed.as_ref();
    let kept = |field: fn(&super::seen::Sealed) -> &Option<String>| {
        sealed.and_then(|sealed| field(sealed).clone()).unwrap_or_default()
    };
    let user = kept(|sealed| &sealed.user);
    OfficersEyes {
        member_id: member.to_owned(),
        user_as: stated(sealed.and_then(|sealed| sealed.user_origin.as_deref()), name),
        user,
        case: kept(|sealed| &sealed.case),
        reason: kept(|sealed| &sealed.reason),
        purpose_code: seen.purpose.clone().unwrap_or_default(),
        code: seen.code.clone().unwrap_or_default(),
        truly: kept(|sealed| &sealed.outcome),
        because: kept(|sealed| &sealed.note),
        rows: seen.rows,
        rows_excluded: sealed.map_or(0, |sealed| sealed.rows_excluded),
        record: seen.index,
        releasable: held.is_none(),
        held_back: held.map_or("", HeldBack::as_str),
    }
}

/// Where a fact comes from, in words.
fn stated(origin: Option<&str>, member: &str) -> String {
    match origin {
        Some("agreement") => "as the agreement fixes it".to_owned(),
        Some("proven") => "proven by certificate or token".to_owned(),
        Some(_) => format!("as stated by {member}"),
        None => String::new(),
    }
}
