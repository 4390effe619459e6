//! Record: answer and refusal meet here. The record is durable before a [`Recorded`] exists, and
//! nothing can be sent without one.
//!
//! Sending an answer without a receipt does not compile: [`Leaving`] is private to this file, holds a
//! reply only beside its [`Receipt`]. Of the other things it holds one cannot hold a body, one only what
//! `own_view.rs` makes of the ruleset, and one only what `log.rs` makes of the log.

use bytes::Bytes;
use http::Request;
use hyper::body::Incoming;

use crate::ledger::binding::answer_mac;
use crate::ledger::{Exchange, Nonce, Receipt, Record, SealedExchange};
use crate::model::{Code, Outcome, Stated};

use super::accept::{Connection, Known, accept};
use super::allowance::{Allowance, Taken};
use super::check::{Checked, Fit};
use super::counted::Counted;
use super::explain::explained;
use super::forward::request_digest;
use super::log::{LogRead, Page};
use super::own_view::{Document, Shown};
use super::refusal::{Refusal, Why, problem};
use super::road::{Ended, Worker};
use super::unable;

/// What a 404 for a single look-up says: the same bytes for absent and excluded.
const NO_MATCH: &[u8] = b"{\"outcome\":\"no_match\"}";
pub(super) const JSON: &str = "application/json";
pub(super) const PROBLEM: &str = "application/problem+json";

/// What leaves.
pub struct Recorded {
    known: Box<Known>,
    leaving: Leaving,
}

enum Leaving {
    OnRecord(Reply, Receipt),
    Counted(Counted),
    /// The caller's own view is counted, and not recorded one by one (design 5).
    Shown(Document),
    /// So is a part of the log.
    Read(Page),
}

impl Recorded {
    /// For the one sender.
    pub(super) fn into_parts(self) -> (Box<Known>, Reply, Option<Receipt>) {
        let Self { known, leaving } = self;
        match leaving {
            Leaving::OnRecord(reply, receipt) => (known, reply, Some(receipt)),
            Leaving::Counted(counted) => {
                let reply = Reply {
                    status: counted.code().status(),
                    outcome: counted.outcome(),
                    code: Some(counted.code()),
                    content_type: PROBLEM,
                    body: counted.body(known.exchange),
                    retry_after: counted.retry_after(),
                    challenge: None,
                };
                (known, reply, None)
            }
            Leaving::Read(Page { status, content_type, body }) => {
                (known, Reply { content_type, ..Reply::of(status, Outcome::LogRead, body) }, None)
            }
            Leaving::Shown(document) => (known, Reply::of(200, Outcome::OwnView, document.into_body()), None),
        }
    }

    /// What it took of its member's allowance: of the question as much as came, of the answer also its receipt,
    /// which can be the longer part.
    pub(super) fn taken(&self) -> Taken {
        let (answered, recorded) = match &self.leaving {
            Leaving::OnRecord(reply, receipt) => (reply.body.len() + receipt.header().len(), receipt.bytes()),
            Leaving::Shown(document) => (document.len(), 0),
            Leaving::Read(page) => (page.body.len(), 0),
            Leaving::Counted(_) => (0, 0),
        };
        Taken { asked: self.known.arrived, answered, recorded: recorded + self.known.recorded }
    }

    fn counted(known: Box<Known>, counted: Counted) -> Self {
        Self { known, leaving: Leaving::Counted(counted) }
    }
}

/// Status, outcome, type and body, as the caller will see them.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) outcome: Outcome,
    pub(super) code: Option<Code>,
    pub(super) content_type: &'static str,
    pub(super) body: Bytes,
    pub(super) retry_after: Option<u64>,
    pub(super) challenge: Option<String>,
}

impl Reply {
    /// One that is no refusal.
    fn of(status: u16, outcome: Outcome, body: Bytes) -> Self {
        Self { status, outcome, code: None, content_type: JSON, body, retry_after: None, challenge: None }
    }
}

/// What goes into the record beside the reply.
struct Facts {
    rows: u64,
    fields: std::sync::Arc<[String]>,
    truth: std::borrow::Cow<'static, str>,
    note: Option<String>,
}

pub(super) async fn record(
    worker: &Worker,
    allowance: &Allowance,
    ended: Result<Ended, Refusal>,
) -> Recorded {
    let (known, reply, facts) = match ended {
        Ok(Ended::Checked(spent)) => {
            let checked = spent.into_checked();
            let known = &checked.known;
            if known.explains
                && let Some(counted) = in_reserve(worker, allowance, known, Code::LimitReached)
            {
                return Recorded::counted(checked.known, counted);
            }
            answer(checked)
        }
        Ok(Ended::Shown(shown)) => return show(shown),
        Ok(Ended::Read(LogRead { known, page })) => {
            let leaving = page.map_or_else(Leaving::Counted, Leaving::Read);
            return Recorded { known, leaving };
        }
        Err(refusal) => {
            unable::tell(&worker.road, &refusal);
            if let Some(counted) = not_one_by_one(worker, allowance, &refusal) {
                return Recorded::counted(refusal.known, counted);
            }
            refuse(worker, refusal)
        }
    };
    keep(worker, known, reply, facts).await
}

/// There is no room for another exchange: it is counted before anything of it is read.
pub(super) fn turn_away(
    worker: &Worker,
    connection: &Connection,
    request: Request<Incoming>,
    counted: Counted,
) -> Recorded {
    let (parts, incoming) = request.into_parts();
    let known = match accept(worker, parts, incoming) {
        Ok(accepted) => accepted.known,
        Err(refusal) => refusal.known,
    };
    worker.turned_away(connection);
    Recorded::counted(known, counted)
}

fn show(shown: Shown) -> Recorded {
    let Shown { known, document } = shown;
    match document {
        Some(document) => Recorded { known, leaving: Leaving::Shown(document) },
        None => Recorded::counted(known, Counted::beyond_rate()),
    }
}

fn answer(checked: Checked) -> (Box<Known>, Reply, Facts) {
    let Checked { known, content } = checked;
    let none = || std::sync::Arc::from([]);
    match content {
        Fit::Document { body, rows, fields } => {
            let reply = Reply::of(200, Outcome::Answered, body);
            let fields = if rows > 0 { fields } else { none() };
            let truth = if rows == 0 && known.rows_excluded > 0 { "row_excluded" } else { "answered" };
            (known, reply, Facts { rows, fields, truth: truth.into(), note: None })
        }
        Fit::Explanation { body, code } => {
            let truth = code.map_or("would be answered", Code::as_str);
            let reply = Reply { code, ..Reply::of(200, Outcome::Explained, body) };
            (known, reply, Facts { rows: 0, fields: none(), truth: truth.into(), note: None })
        }
        Fit::NoMatch => {
            let reply = Reply::of(404, Outcome::NoMatch, Bytes::from_static(NO_MATCH));
            let truth = if known.rows_excluded > 0 { "row_excluded" } else { "no_match" };
            (known, reply, Facts { rows: 0, fields: none(), truth: truth.into(), note: None })
        }
    }
}

fn refuse(worker: &Worker, refusal: Refusal) -> (Box<Known>, Reply, Facts) {
    let Refusal { known, why, .. } = refusal;
    // To a party an explanation is what it asked for, and not a refusal.
    if known.explains && known.target.is_some() && is_party(&known, Some(why.code)) {
        let body = explained(worker, &known, &why);
        let explained = Checked { known, content: Fit::Explanation { body, code: Some(why.code) } };
        let (known, reply, mut facts) = answer(explained);
        facts.note = why.truth.or(why.detail);
        return (known, reply, facts);
    }
    let Why { code, detail, truth, retry_after, challenge } = why;
    let body = Bytes::from(problem(code, detail.as_deref(), &known.exchange.to_string()));
    let reply = Reply {
        status: code.status(),
        outcome: Outcome::Refused,
        code: Some(code),
        content_type: PROBLEM,
        body,
        retry_after,
        challenge,
    };
    let facts = Facts {
        rows: 0,
        fields: std::sync::Arc::from([]),
        truth: code.as_str().into(),
        note: truth.or(detail),
    };
    (known, reply, facts)
}

/// A refusal that is counted in a summary instead: of a stranger, or beyond a member's rate.
fn not_one_by_one(worker: &Worker, allowance: &Allowance, refusal: &Refusal) -> Option<Counted> {
    let road = &worker.road;
    let code = refusal.why.code;
    let Some(system) = &refusal.known.consumer else {
        road.tally.stranger_refused(code);
        return Some(Counted::stranger(code));
    };
    if code == Code::CannotRecord {
        return Some(Counted::unrecorded(refusal.known.intent));
    }
    let minute = road.clock.monotonic().as_secs() / 60;
    let within = road.tally.may_record(&system.member, minute, road.bounds.refusals_per_minute);
    // An open intent is always closed on the record.
    if refusal.known.intent {
        return None;
    }
    if !within {
        road.tally.refused_beyond_rate(&system.member, code);
        return Some(Counted::beyond_rate());
    }
    in_reserve(worker, allowance, &refusal.known, code)
}

/// What releases nothing is counted, and not recorded from what is kept for permitted questions (design 5).
fn in_reserve(worker: &Worker, allowance: &Allowance, known: &Known, code: Code) -> Option<Counted> {
    let seconds = allowance.admit_refusal(worker.road.clock.monotonic()).err()?;
    worker.road.tally.refused_beyond_rate(&known.consumer.as_ref()?.member, code);
    Some(Counted::beyond_allowance(seconds))
}

async fn keep(worker: &Worker, mut known: Box<Known>, reply: Reply, facts: Facts) -> Recorded {
    // Before the record is asked for: whether one that comes late is there, only the next start knows.
    if let Some(place) = known.of_day.take().filter(|_| reply.outcome.counts_for_the_day(reply.code)) {
        place.keep();
    }
    let Some(exchange) = entry(worker, &mut known, &reply, facts) else {
        // Only an identified caller reaches this point.
        let counted = Counted::unrecorded(known.intent);
        return Recorded::counted(known, counted);
    };
    match worker.append(Record::Exchange(Box::new(exchange))).await {
        Ok(receipt) => Recorded { known, leaving: Leaving::OnRecord(reply, receipt) },
        Err(fault) => {
            tracing::error!(exchange = %known.exchange, %fault, "an exchange could not be recorded, and nothing left");
            let counted = Counted::unrecorded(known.intent);
            Recorded::counted(known, counted)
        }
    }
}

/// Whether the caller is a party to an agreement on what it asked for. To anybody else a dataset that
/// is here and one that is not are the same, in the receipt too: the envelope goes to the caller, and
/// what was asked for stands in the sealed part. So is what nobody has thought of here.
fn is_party(known: &Known, code: Option<Code>) -> bool {
    // Said of agreements that list the caller, where none of them could be chosen; see `policy/choose.rs`.
    let of_candidates = matches!(
        code,
        Some(
            Code::AgreementAmbiguous
                | Code::AgreementNotInForce
                | Code::PurposeNotAllowed
                | Code::RoleNotAllowed
                | Code::UserMissing
        )
    );
    known.agreement.is_some() || of_candidates
}

fn entry(worker: &Worker, known: &mut Known, reply: &Reply, facts: Facts) -> Option<Exchange> {
    let nonce = Nonce(known.nonce);
    let target = known.target.clone();
    let (told, kept) = if is_party(known, reply.code) { (target, None) } else { (None, target) };
    let asked = kept.map(|(dataset, operation)| format!("asked for {dataset} {operation}"));
    let note = match (asked, facts.note) {
        (Some(asked), Some(note)) => Some(format!("{asked}: {note}")),
        (asked, note) => asked.or(note),
    };
    let (dataset, operation) = told.unzip();
    Some(Exchange {
        id: known.exchange,
        consumer: known.consumer.clone()?,
        provider: worker.road.member.clone(),
        dataset,
        operation,
        agreement: known.agreement.as_ref().map(|agreement| (agreement.reference.clone(), agreement.digest)),
        ruleset: known.ruleset.digest,
        purpose: known.purpose.clone(),
        role: known.role.clone(),
        assurance: Some(known.assurance),
        outcome: reply.outcome,
        code: reply.code,
        status: reply.status,
        fields: facts.fields,
        rows: facts.rows,
        nonce,
        request_mac: request_digest(known),
        answer_mac: answer_mac(&nonce, reply.status, reply.outcome.as_str(), reply.content_type, &reply.body),
        correlation: known.claims.correlation_id.clone().or_else(|| known.claims.request_id.clone()),
        sealed: SealedExchange {
            outcome: facts.truth,
            reason: known.claims.reason.clone(),
            subjects: std::mem::take(&mut known.subjects),
            user: known.user().map(|user| Stated { value: user.value.to_owned(), origin: user.origin }),
            case: known.claims.case.clone(),
            note,
            dropped: std::mem::take(&mut known.dropped),
            rows_excluded: known.rows_excluded,
            chain: known.chain,
        },
    })
}
