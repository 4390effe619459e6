//! `POST /search`: by exchange, by subject, or by what envelopes say. Nothing is shown before the
//! look itself is on the record.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use bytes::Bytes;
use http::{Response, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::desk::{Begin, Chosen, Page};
use crate::ledger::search::{FOUND_BYTES_MAX, Filter, Found, Progress, Query, bytes_of};
use crate::ledger::{MissingKeys, Read, Record, SubjectRef};
use crate::model::{AgreementId, DatasetId, ExchangeId, MemberId, Subject, SubjectKind};

use super::body::{Lines, Maker};
use super::earlier::not_looked_into;
use super::{Admin, Refused, parse, purpose};

/// More is a report, not a look.
const FOUND_MAX: usize = 10_000;
/// What is shown at once where nothing is said: as much as a person reads, and there in a moment.
const PAGE: usize = 1_000;

/// What is looked for: an exchange, or all of what else is given.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SearchQuestion {
    pub purpose: String,
    pub exchange: Option<String>,
    pub subject: Option<SubjectQuestion>,
    pub kind: Option<String>,
    pub consumer: Option<String>,
    pub dataset: Option<String>,
    pub agreement: Option<String>,
    /// As the caller was told.
    pub outcome: Option<String>,
    /// The refusal's code.
    pub code: Option<String>,
    /// `member/system`.
    pub system: Option<String>,
    /// The true outcome, which the caller may not have been told.
    pub truly: Option<String>,
    /// As stated or proven.
    pub user: Option<String>,
    /// Not before this time, RFC 3339.
    pub from: Option<String>,
    /// Before this time, RFC 3339.
    pub to: Option<String>,
    pub limit: Option<usize>,
    /// The next page: what the one before gave as `after`.
    pub after: Option<u64>,
    /// And as `after_log`, where it ended in an earlier log.
    pub after_log: Option<String>,
    /// Show sealed parts.
    pub sealed: bool,
    /// The name of a log, to look into that alone.
    pub log: Option<String>,
}

impl std::fmt::Debug for SearchQuestion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SearchQuestion(***)")
    }
}

/// A person or thing, by kind of identifier.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubjectQuestion {
    pub kind: String,
    pub identifier: String,
}

impl std::fmt::Debug for SubjectQuestion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SubjectQuestion({}, ***)", self.kind)
    }
}

impl SearchQuestion {
    /// What would be left out unseen if there were two is refused.
    fn is_one(&self) -> bool {
        let filters = [
            &self.kind,
            &self.consumer,
            &self.dataset,
            &self.agreement,
            &self.outcome,
            &self.code,
            &self.system,
            &self.truly,
            &self.user,
            &self.from,
            &self.to,
        ];
        let filtered = self.subject.is_some() || filters.into_iter().any(Option::is_some);
        !(self.exchange.is_some() && filtered)
    }
}

pub(super) async fn search(
    admin: &Admin,
    by: String,
    body: Result<Bytes, Refused>,
) -> Result<Response<Lines>, Refused> {
    let body = body?;
    let question: SearchQuestion = parse(&body)?;
    let purpose = purpose(question.purpose.clone())?;
    let (query, subjects) = query(admin, &question)?;
    let chosen = admin.chosen(question.log.as_deref())?;
    let begin = begin(&question, &chosen)?;
    let place = admin.place()?;
    let (maker, lines) = Lines::new();
    let admin = admin.clone();
    tokio::task::spawn_blocking(move || {
        let _place = place;
        let page = Page {
            below: u64::MAX,
            max: question.limit.unwrap_or(PAGE).min(FOUND_MAX),
            bytes_max: FOUND_BYTES_MAX,
        };
        let look = Look { admin, only: question.log, by, purpose, subjects, begin, page };
        look.run(chosen, &query, question.sealed, &maker);
    });
    Ok(Response::new(lines))
}

/// Where the page begins.
fn begin(question: &SearchQuestion, chosen: &Chosen) -> Result<Begin, Refused> {
    let begin = Begin { log: question.after_log.clone(), below: question.after };
    match &begin.log {
        Some(log) if !chosen.has_earlier(log) => {
            let why = "`after_log` is no earlier log that is looked into";
            Err(Refused(StatusCode::UNPROCESSABLE_ENTITY, why.to_owned()))
        }
        _ => Ok(begin),
    }
}

struct Look {
    admin: Admin,
    /// Looked into alone.
    only: Option<String>,
    by: String,
    purpose: String,
    subjects: Vec<Subject>,
    begin: Begin,
    page: Page,
}

impl Look {
    fn run(self, chosen: Chosen, query: &Query, sealed: bool, maker: &Maker) {
        let mut progress = |told: Progress| maker.progress(&told);
        // One more than is shown tells that there is more.
        let page = (&self.begin, Page { max: self.page.max + 1, ..self.page });
        let looked = chosen.open(&self.admin.ledger).and_then(|logs| {
            let found = logs.find(&self.admin.fold, query, page, &mut progress)?;
            Ok((logs, found))
        });
        let (logs, mut found) = match looked {
            Ok(looked) => looked,
            Err(fault) => {
                maker.line(&json!({ "refused": fault.to_string() }));
                return;
            }
        };
        // A page that is full by its bytes may have been the last: then the next is empty.
        let more = found.len() > self.page.max || bytes_of(&found) >= self.page.bytes_max;
        found.truncate(self.page.max);
        let read = Read {
            action: "search",
            shown: found.len() as u64,
            by: self.by,
            purpose: self.purpose,
            asked: Some(asked(query, sealed, self.only.as_deref())),
            subjects: self.subjects,
        };
        if let Err(fault) = self.admin.ledger.append_blocking(Record::Read(read)) {
            maker.line(&json!({ "refused": format!("the look could not be recorded: {fault}") }));
            return;
        }
        let of_person = matches!(query, Query::Filter(filter) if filter.subjects.is_some());
        let missing = if of_person { self.admin.ledger.missing_subject_keys() } else { MissingKeys::NONE };
        let present = self.admin.ledger.verifier().name();
        let all_shown = found.iter().all(|found| maker.line(&shown(found, sealed, present)));
        if all_shown {
            // Where the next page begins.
            let oldest = found.last().filter(|_| more);
            let after_log = oldest.and_then(Found::log).filter(|log| log != present);
            maker.line(&json!({ "done": {
                "found": found.len(),
                "more": more,
                "after": oldest.map(|oldest| oldest.index),
                "after_log": after_log,
                "not_searched": not_looked_into(&logs),
                "erased": self.admin.ledger.erased_in_all(),
                "destroyed_keys": if of_person { self.admin.ledger.destroyed_subject_keys() } else { BTreeSet::new() },
                "missing_keys": missing.keys,
                "missing_keys_all_known": missing.all_known,
            } }));
        }
    }
}

/// What was asked for, so that a look can be judged later: everything but whom, which stands as references, and
/// the name of a user.
fn asked(query: &Query, sealed: bool, only: Option<&str>) -> String {
    let mut said = match query {
        Query::Exchange(id) => format!("by exchange {id}"),
        Query::Subject(_) => "by subject".to_owned(),
        Query::Filter(filter) => asked_by(filter),
    };
    if sealed {
        said.push_str(", with sealed parts");
    }
    if let Some(only) = only {
        let _written = write!(said, ", in the log {only}");
    }
    said
}

fn asked_by(filter: &Filter) -> String {
    let text = |value: &dyn std::fmt::Display| value.to_string();
    // Each of them: a look is recorded by all that was asked.
    let Filter {
        kind,
        consumer,
        provider,
        dataset,
        agreement,
        outcome,
        code,
        system,
        truly,
        user,
        subjects,
        from,
        to,
    } = filter;
    let named = [
        ("kind", kind.clone()),
        ("consumer", consumer.as_ref().map(|id| text(id))),
        ("system", system.clone()),
        ("provider", provider.as_ref().map(|id| text(id))),
        ("dataset", dataset.as_ref().map(|id| text(id))),
        ("agreement", agreement.as_ref().map(|id| text(id))),
        ("outcome", outcome.clone()),
        ("code", code.clone()),
        ("truly", truly.clone()),
        ("from", from.as_ref().map(|at| text(at))),
        ("to", to.as_ref().map(|at| text(at))),
    ];
    let mut said = match (subjects, user) {
        (Some(_), Some(_)) => "by subject and user".to_owned(),
        (Some(_), None) => "by subject".to_owned(),
        (None, Some(_)) => "by user".to_owned(),
        (None, None) => "by filter".to_owned(),
    };
    for (name, value) in named {
        if let Some(value) = value {
            let _written = write!(said, ", {name} {value}");
        }
    }
    said
}

fn shown(found: &Found, sealed: bool, present: &str) -> serde_json::Value {
    let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap_or_default();
    let sealed = sealed.then(|| found.sealed.as_deref().map(json));
    let erased = found.sealed.is_none();
    let earlier_log = found.log().filter(|log| log != present);
    json!({ "found": {
        "index": found.index,
        "earlier_log": earlier_log,
        "envelope": json(&found.envelope),
        "sealed": sealed,
        "erased": erased,
    } })
}

fn query(admin: &Admin, question: &SearchQuestion) -> Result<(Query, Vec<Subject>), Refused> {
    let wrong = |why: &str| Refused(StatusCode::UNPROCESSABLE_ENTITY, why.to_owned());
    if !question.is_one() {
        return Err(wrong("an `exchange` is looked for by its id alone"));
    }
    if let Some(exchange) = &question.exchange {
        let id =
            ExchangeId::parse(exchange).ok_or_else(|| wrong("`exchange` is not the id of an exchange"))?;
        return Ok((Query::Exchange(id), Vec::new()));
    }
    let time = |text: &Option<String>| text.as_deref().map(str::parse::<jiff::Timestamp>).transpose();
    let id = |error: crate::model::IdError| Refused(StatusCode::UNPROCESSABLE_ENTITY, error.to_string());
    let (subjects, references) = subject(admin, question)?;
    let filter = Filter {
        kind: question.kind.clone(),
        consumer: question.consumer.as_deref().map(MemberId::new).transpose().map_err(id)?,
        provider: None,
        dataset: question.dataset.as_deref().map(DatasetId::new).transpose().map_err(id)?,
        agreement: question.agreement.as_deref().map(AgreementId::new).transpose().map_err(id)?,
        outcome: question.outcome.clone(),
        code: question.code.clone(),
        system: question.system.clone(),
        truly: question.truly.clone(),
        user: question.user.clone(),
        subjects: references,
        from: time(&question.from).map_err(|_| wrong("`from` is not a time such as 2026-12-04T09:00:00Z"))?,
        to: time(&question.to).map_err(|_| wrong("`to` is not a time such as 2026-12-04T09:00:00Z"))?,
    };
    Ok((Query::Filter(Box::new(filter)), subjects))
}

/// Whom it is about, for the record of the look, and the references looked for.
fn subject(
    admin: &Admin,
    question: &SearchQuestion,
) -> Result<(Vec<Subject>, Option<Vec<SubjectRef>>), Refused> {
    let Some(SubjectQuestion { kind, identifier }) = &question.subject else { return Ok((Vec::new(), None)) };
    let kind = SubjectKind::new(kind).ok_or_else(|| {
        Refused(StatusCode::UNPROCESSABLE_ENTITY, "`subject.kind` is not a known kind".to_owned())
    })?;
    let subject = Subject { kind, identifier: identifier.clone() };
    let references = admin.ledger.references(&subject);
    Ok((vec![subject], Some(references)))
}
