//! A grant's file: `[grant]`, `[request]`, `[decision]` and `[[subject]]` in place of `[agreement]` and `[dates]`, of
//! `[limits]` one key, and everything else read as format 1 of an agreement is.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::config::strict::{Item, Table};
use crate::model::limits::{
    GRANT_DAYS_MAX, GRANT_HOURS_DEFAULT, GRANT_QUESTIONS_PER_MINUTE, GRANT_SUBJECTS_MAX,
};
use crate::model::{
    AgreementId, AgreementRef, DatasetVersion, Digest, OperationId, ReasonWanted, Ruling, SubjectKind,
};
use crate::policy::agreement::{Agreement, Dates, Limits, Party, Side, Stage};
use crate::policy::grant::{Commitment, Grant, Request, RequestDecision, last_day, london_day};

use super::read::{code, given, name, statement, text, word};
use super::{TITLE_CHARS_MAX, access, code_of, data, dataset, law, line_of, parties, terms};

/// There is one of each: what is decided anew is another grant.
const VERSION: u32 = 1;

struct Head {
    reference: AgreementRef,
    title: String,
    stage: Stage,
    decided: Timestamp,
    expires: Timestamp,
    dates: Dates,
}

pub(super) fn read(root: &Table<'_>, file: &str, digest: Digest) -> Option<Agreement> {
    let head = root.table("grant").and_then(|table| head(&table));
    let request = root.table("request").and_then(|table| request(&table));
    let decision = root.table("decision").and_then(|table| decision(&table));
    let subjects = subjects(root);
    let purpose = root.table("purpose").and_then(|table| code_of(&table));
    let parties = parties::read(root, purpose, parties::Wanted::Format1).and_then(|all| pair(root, all));
    let dataset = root.table("dataset").and_then(|table| one_operation(&table));
    let access = root.table("access").and_then(|table| access(&table));
    let limits = limits(root);
    let release = root.table("data").and_then(|table| data::read(&table, data::Form::Format1));
    let stage = head.as_ref().map(|head| head.stage);
    let wanted = law::Wanted {
        parties: parties.as_deref(),
        of_every_party: law::is_wanted(stage, true),
        conditions: false,
    };
    let law = law::read(root, wanted);
    let audit_years = terms::audit_years(root, purpose);
    let seal = terms::seal(root);
    let head = head?;
    let (dataset, operations) = dataset?;
    let access = access?;
    let (request, decision, subjects) = (request?, decision?, subjects?);
    let grant = Grant { request, decision, decided: head.decided, expires: head.expires, subjects };
    Some(Agreement {
        reference: head.reference,
        title: head.title,
        stage: head.stage,
        parties: parties?,
        purpose: purpose?,
        dataset,
        operations,
        assurance: access.assurance,
        user_required: access.user_required,
        reason: ReasonWanted::None,
        case_required: false,
        hours: access.hours,
        release: Arc::new(release?.0),
        limits: limits?,
        dates: head.dates,
        law: law?,
        audit_years: audit_years?,
        particulars: None,
        grant: Some(Box::new(grant)),
        seal: seal?,
        digest,
        file: file.to_owned(),
    })
}

fn head(table: &Table<'_>) -> Option<Head> {
    let id = table.required("id").and_then(|item| item.parsed(AgreementId::new));
    let title = table.required("title").and_then(|item| line_of(&item, TITLE_CHARS_MAX));
    let stage = table.required("stage").and_then(|item| item.word(&Stage::ALL, Stage::as_str));
    let decided = table.required("decided").and_then(|item| moment(&item));
    let item = table.optional("expires");
    let stated = match &item {
        Some(item) => moment(item).map(Some),
        None => Some(None),
    };
    let (decided, stated) = (decided?, stated?);
    let usual = decided.checked_add(SignedDuration::from_hours(GRANT_HOURS_DEFAULT)).ok()?;
    let expires = stated.unwrap_or(usual);
    let open = expires.duration_since(decided);
    if let Some(item) = item.filter(|_| !(1..=GRANT_DAYS_MAX * 86_400).contains(&open.as_secs())) {
        item.fault_with_help(
            format!("a grant is open for at most {GRANT_DAYS_MAX} days after `decided`, and not before it"),
            Some(format!("leave it out, and it is {GRANT_HOURS_DEFAULT} hours")),
        );
        return None;
    }
    let dates = Dates { from: london_day(decided)?, until: Some(last_day(expires)?) };
    let reference = AgreementRef { id: id?, version: VERSION };
    Some(Head { reference, title: title?, stage: stage?, decided, expires, dates })
}

/// A moment in UTC, so that nobody has to guess at the hour that comes twice.
fn moment(item: &Item<'_>) -> Option<Timestamp> {
    let text = item.text()?;
    let moment = text.parse::<Timestamp>().ok().filter(|_| text.ends_with('Z'));
    if moment.is_none() {
        item.fault("not a moment in UTC such as \"2026-12-04T10:15:00Z\"");
    }
    moment
}

fn request(table: &Table<'_>) -> Option<Request> {
    let id = table.required("id").and_then(|item| name(&item));
    let who = table.required("name").and_then(|item| name(&item));
    let rank = table.required("rank").and_then(|item| name(&item));
    let verified = table.required("verified").and_then(|item| text(&item));
    let power = table.required("power").and_then(|item| text(&item));
    let necessity = table.required("necessity").and_then(|item| statement(&item));
    let urgency = word(table, "urgency");
    let tip_off = table.required("tip_off").and_then(|item| item.boolean());
    Some(Request {
        id: id?,
        name: who?,
        rank: rank?,
        verified: verified?,
        power: power?,
        necessity: necessity?,
        urgency: urgency?,
        tip_off: tip_off?,
    })
}

fn decision(table: &Table<'_>) -> Option<RequestDecision> {
    let ruling = table.required("ruling").and_then(|item| ruling(&item));
    let by = table.required("by").and_then(|item| name(&item));
    let exemption = given(table, "exemption", name);
    let review = table.required("review").and_then(|item| item.date());
    Some(RequestDecision { ruling: ruling?, by: by?, exemption: exemption?, review: review? })
}

fn ruling(item: &Item<'_>) -> Option<Ruling> {
    if item.text()? == "refuse" {
        item.fault_with_help(
            "a request that was refused makes no grant",
            Some("keep the refusal with the request, and take this file out".to_owned()),
        );
        return None;
    }
    code(item)
}

fn subjects(root: &Table<'_>) -> Option<Vec<Commitment>> {
    let tables = root.tables("subject");
    let read: Vec<Commitment> = tables.iter().filter_map(subject).collect();
    if read.len() < tables.len() {
        return None;
    }
    if !(1..=GRANT_SUBJECTS_MAX).contains(&read.len()) {
        root.fault_with_help(
            format!("{} [[subject]]: a grant is about 1 to {GRANT_SUBJECTS_MAX}", read.len()),
            "`tolbooth grant subject` writes one without naming anybody",
        );
        return None;
    }
    Some(read)
}

fn subject(table: &Table<'_>) -> Option<Commitment> {
    let kind = table.required("kind").and_then(|item| {
        let kind = SubjectKind::new(item.text()?);
        if kind.is_none() {
            item.fault(format!("not a kind of identifier: one of {}", SubjectKind::ALL.join(", ")));
        }
        kind
    });
    let mac = table.required("commitment").and_then(|item| {
        let mac = Digest::from_hex(item.text()?);
        if mac.is_none() {
            item.fault_with_help("not a commitment", Some("`tolbooth grant subject` writes it".to_owned()));
        }
        mac
    });
    Some(Commitment { kind: kind?, mac: mac? })
}

/// `[limits]`, which may be left out: an answer may be bounded. Questions are, by there being one.
fn limits(root: &Table<'_>) -> Option<Limits> {
    let rows_per_answer = match root.optional("limits") {
        Some(item) => terms::rows_per_answer(&item.table()?)?,
        None => None,
    };
    Some(Limits {
        per_minute: GRANT_QUESTIONS_PER_MINUTE,
        per_day: None,
        per_user_per_day: None,
        rows_per_answer,
    })
}

/// One provider and one system of one consumer: a grant goes to whoever asked for it.
fn pair(root: &Table<'_>, all: Vec<Party>) -> Option<Vec<Party>> {
    let consumers = all.iter().filter(|party| party.side == Side::Consumer);
    let systems: usize = consumers.map(|party| party.systems.len()).sum();
    let fits = all.len() == 2 && systems == 1;
    if !fits {
        root.fault("a grant is between a provider and one [[party.system]] of one consumer");
    }
    fits.then_some(all)
}

fn one_operation(table: &Table<'_>) -> Option<(DatasetVersion, Vec<OperationId>)> {
    let (dataset, operations) = dataset(table)?;
    if operations.len() != 1 {
        table.fault(format!("{} operations: a grant is for one", operations.len()));
        return None;
    }
    Some((dataset, operations))
}
