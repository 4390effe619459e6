//! `POST /search`: by exchange, by subject, or by what envelopes say. Nothing is shown before the
//! look itself is on the record.

use bytes::Bytes;
use http::{Response, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::ledger::search::{Filter, Found, Progress, Query, search as search_archive};
use crate::ledger::{MissingKeys, Read, Record};
use crate::model::{AgreementId, DatasetId, ExchangeId, MemberId, Subject, SubjectKind};

use super::body::{Lines, Maker};
use super::{Admin, Refused, parse, purpose};

/// More is a report, not a look.
const FOUND_MAX: usize = 10_000;

/// What is looked for. Exactly one of `exchange`, `subject` and filters.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SearchQuestion {
    pub purpose: String,
    pub exchange: Option<String>,
    pub subject: Option<SubjectQuestion>,
    pub kind: Option<String>,
    pub consumer: Option<String>,
    pub dataset: Option<String>,
    pub agreement: Option<String>,
    pub outcome: Option<String>,
    /// Not before this time, RFC 3339.
    pub from: Option<String>,
    /// Before this time, RFC 3339.
    pub to: Option<String>,
    pub limit: Option<usize>,
    /// Show sealed parts.
    pub sealed: bool,
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
        let filters =
            [&self.kind, &self.consumer, &self.dataset, &self.agreement, &self.outcome, &self.from, &self.to];
        let filtered = filters.into_iter().any(Option::is_some);
        let all = [self.exchange.is_some(), self.subject.is_some(), filtered];
        all.into_iter().filter(|given| *given).count() <= 1
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
    let place = admin.place()?;
    let (maker, lines) = Lines::new();
    let admin = admin.clone();
    tokio::task::spawn_blocking(move || {
        let _place = place;
        let look =
            Look { admin, by, purpose, subjects, limit: question.limit.unwrap_or(FOUND_MAX).min(FOUND_MAX) };
        look.run(&query, question.sealed, &maker);
    });
    Ok(Response::new(lines))
}

struct Look {
    admin: Admin,
    by: String,
    purpose: String,
    subjects: Vec<Subject>,
    limit: usize,
}

impl Look {
    fn run(self, query: &Query, sealed: bool, maker: &Maker) {
        let archive = self.admin.ledger.archive();
        let mut progress = |told: Progress| maker.progress(&told);
        // One more than is shown tells that there is more.
        let (found, more) =
            match search_archive(&archive, Some(&*self.admin.fold), query, self.limit + 1, &mut progress) {
                Ok(found) => newest(found, self.limit),
                Err(fault) => {
                    maker.line(&json!({ "refused": fault.to_string() }));
                    return;
                }
            };
        let read = Read {
            action: "search",
            shown: found.len() as u64,
            by: self.by,
            purpose: self.purpose,
            asked: Some(asked(query).to_owned()),
            subjects: self.subjects,
        };
        if let Err(fault) = self.admin.ledger.append_blocking(Record::Read(read)) {
            maker.line(&json!({ "refused": format!("the look could not be recorded: {fault}") }));
            return;
        }
        let missing = match query {
            Query::Subject(_) => self.admin.ledger.missing_subject_keys(),
            _ => MissingKeys::NONE,
        };
        let all_shown = found.iter().all(|found| maker.line(&shown(found, sealed)));
        if all_shown {
            maker.line(&json!({ "done": {
                "found": found.len(),
                "more": more,
                "erased": self.admin.ledger.erased(),
                "missing_keys": missing.keys,
                "missing_keys_all_known": missing.all_known,
            } }));
        }
    }
}

/// At most `limit` of these, without the oldest, and whether any was left out.
fn newest(mut found: Vec<Found>, limit: usize) -> (Vec<Found>, bool) {
    let more = found.len() > limit;
    while found.len() > limit {
        let oldest = found.iter().enumerate().min_by_key(|(_, one)| one.index).map_or(0, |(place, _)| place);
        found.remove(oldest);
    }
    (found, more)
}

fn asked(query: &Query) -> &'static str {
    match query {
        Query::Exchange(_) => "by exchange",
        Query::Subject(_) => "by subject",
        Query::Filter(_) => "by filter",
    }
}

fn shown(found: &Found, sealed: bool) -> serde_json::Value {
    let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap_or_default();
    let sealed = sealed.then(|| found.sealed.as_deref().map(json));
    let erased = found.sealed.is_none();
    json!({ "found": {
        "index": found.index,
        "envelope": json(&found.envelope),
        "sealed": sealed,
        "erased": erased,
    } })
}

fn query(admin: &Admin, question: &SearchQuestion) -> Result<(Query, Vec<Subject>), Refused> {
    let wrong = |why: &str| Refused(StatusCode::UNPROCESSABLE_ENTITY, why.to_owned());
    if !question.is_one() {
        return Err(wrong("`exchange`, `subject` and filters are looked for one at a time"));
    }
    if let Some(exchange) = &question.exchange {
        let id =
            ExchangeId::parse(exchange).ok_or_else(|| wrong("`exchange` is not the id of an exchange"))?;
        return Ok((Query::Exchange(id), Vec::new()));
    }
    if let Some(subject) = &question.subject {
        let kind =
            SubjectKind::new(&subject.kind).ok_or_else(|| wrong("`subject.kind` is not a known kind"))?;
        let subject = Subject { kind, identifier: subject.identifier.clone() };
        return Ok((Query::Subject(admin.ledger.references(&subject)), vec![subject]));
    }
    let time = |text: &Option<String>| text.as_deref().map(str::parse::<jiff::Timestamp>).transpose();
    let id = |error: crate::model::IdError| Refused(StatusCode::UNPROCESSABLE_ENTITY, error.to_string());
    let filter = Filter {
        kind: question.kind.clone(),
        consumer: question.consumer.as_deref().map(MemberId::new).transpose().map_err(id)?,
        provider: None,
        dataset: question.dataset.as_deref().map(DatasetId::new).transpose().map_err(id)?,
        agreement: question.agreement.as_deref().map(AgreementId::new).transpose().map_err(id)?,
        outcome: question.outcome.clone(),
        from: time(&question.from).map_err(|_| wrong("`from` is not a time such as 2026-12-04T09:00:00Z"))?,
        to: time(&question.to).map_err(|_| wrong("`to` is not a time such as 2026-12-04T09:00:00Z"))?,
    };
    Ok((Query::Filter(filter), Vec::new()))
}
