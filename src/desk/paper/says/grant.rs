//! What a single-use grant says: who asked for the disclosure and why, what was decided, about whom, and what leaves.
//! How far each is held stands in `docs/grant-file.md`; the rest is as of an agreement of format 1.

use jiff::Timestamp;

use super::super::saying::{Sayings, Value};
use super::super::words::counted;
use super::{data, law, owed, parties};
use crate::clock::{ZONE, date_in_words};
use crate::policy::{Agreement, Commitment, Grant, Request, RequestDecision, Stage};

pub(super) fn say(agreement: &Agreement, grant: &Grant, out: &mut Sayings<'_>) {
    let Agreement {
        reference,
        title,
        stage,
        parties: all,
        purpose,
        dataset,
        operations,
        assurance,
        user_required,
        hours,
        release,
        limits,
        law: laws,
        audit_years,
        seal,
        grant: _,
        // A grant's file says none of these.
        reason: _,
        case_required: _,
        dates: _,
        particulars: _,
        // Of the file itself.
        digest: _,
        file: _,
    } = agreement;
    enforced("grant.id", "Name in the file", reference.id.as_str(), out);
    out.text("grant.title", "Title", title);
    out.listed_word("grant.stage", "Stage", stage.as_str(), &Stage::WORDS);
    out.is_enforced();
    disclosure(grant, out);
    all.iter().for_each(|party| parties::party(party, out));
    out.word("purpose.code", "Purpose", purpose.as_str(), purpose.words());
    laws.iter().for_each(|one| law::law(one, out));
    data::dataset(dataset, operations, out);
    data::released(release, None, out);
    let wants = owed::Wants {
        assurance: *assurance,
        user: *user_required,
        reason: crate::model::ReasonWanted::None,
        case: false,
        hours,
    };
    owed::access(&wants, None, out);
    // Of the others there is none: it is used once.
    owed::rows(limits.rows_per_answer, out);
    owed::record(*audit_years, out);
    if let Some(seal) = seal {
        out.add("seal.view", "Sealed over the view", Value::Text(seal.to_string()), seal.to_string());
    }
}

fn enforced(key: &str, label: &str, says: &str, out: &mut Sayings<'_>) {
    out.text(key, label, says);
    out.is_enforced();
}

fn disclosure(grant: &Grant, out: &mut Sayings<'_>) {
    let Grant { request, decision, decided, expires, subjects } = grant;
    asked(request, out);
    ruled(decision, out);
    enforced("grant.decided", "May be used from", &moment(*decided), out);
    enforced("grant.expires", "And not from", &moment(*expires), out);
    enforced("subject", "It is about", &about(subjects), out);
}

fn asked(request: &Request, out: &mut Sayings<'_>) {
    let Request { id, name, rank, verified, power, necessity, urgency, tip_off } = request;
    out.text("request.id", "The requester's reference", id);
    out.text("request.name", "Who asked", name);
    out.text("request.rank", "Their rank or role", rank);
    out.text("request.verified", "How it was made sure that it is they", verified);
    out.text("request.power", "The power they claim", power);
    out.text("request.necessity", "Why it is necessary", necessity);
    out.word("request.urgency", "Urgency", urgency.as_str(), urgency.words());
    let words = ("must not be told of it", "may be told of it");
    out.flag("request.tip_off", "The person it is about", *tip_off, words);
}

fn ruled(decision: &RequestDecision, out: &mut Sayings<'_>) {
    let RequestDecision { ruling, by, exemption, review } = decision;
    out.word("decision.ruling", "What was decided", ruling.as_str(), ruling.words());
    out.text("decision.by", "Who decided", by);
    out.text_if("decision.exemption", "What lifts the duties against it", exemption.as_ref());
    out.date("decision.review", "Looked at again by", *review);
}

/// In London, with the zone: an hour comes twice in autumn.
pub(in crate::desk::paper) fn moment(at: Timestamp) -> String {
    let words = |at: jiff::Zoned| format!("{} at {}", date_in_words(at.date()), at.strftime("%H:%M:%S %Z"));
    at.in_tz(ZONE).map_or_else(|_| at.to_string(), words)
}

/// How many, and by what kind of identifier: whom, the file does not say.
pub(in crate::desk::paper) fn about(subjects: &[Commitment]) -> String {
    let count = counted(u32::try_from(subjects.len()).unwrap_or(u32::MAX), "subject");
    let mut kinds: Vec<&str> = subjects.iter().map(|subject| subject.kind.as_str()).collect();
    kinds.dedup();
    format!("{count}, by {}, whom the file does not name", kinds.join(", "))
}
