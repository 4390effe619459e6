//! The bytes of records: envelopes and sealed parts, as `schemas/entry/*.json` say.

use std::io::Write as _;

use jiff::Timestamp;

use super::entry::{Alarm, Exchange, Intent, Read, Record, Rules, Ruleset, SealedExchange, Summary};
use super::erase;
use super::grant;
use super::life;
use super::object::{Object, digest, plain, text};
use super::previous::Previous;
use super::subject::SubjectRef;
use super::unkeyed;
use crate::model::limits::{DRIFT_NAME_BYTES_MAX, DRIFT_NAMES_MAX};
use crate::model::{Assurance, Digest, Subject};

/// The version of all entry formats here.
pub(super) const ENTRY_VERSION: u64 = 1;

/// Released names beyond this many bytes go to the sealed part, with their digest in the envelope, so
/// that a receipt always fits its header.
const FIELD_NAMES_BYTES_MAX: usize = 480;

/// What the head of every envelope says.
pub(super) struct Head<'a> {
    pub log: &'a str,
    pub index: u64,
    pub time: Timestamp,
}

/// The first record of a log.
pub(super) struct Origin<'a> {
    /// The log's verifier key.
    pub key: &'a str,
    /// The log before this one, where a backup was restored.
    pub previous: Option<&'a Previous>,
}

impl Record {
    /// The word in `kind`.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Exchange(_) | Self::Lost { .. } => "exchange",
            Self::Intent(_) => "intent",
            Self::GrantUse(_) => "grant",
            Self::Ruleset(_) => "ruleset",
            Self::Rules(_) => "rules",
            Self::Read(_) => "read",
            Self::Alarm(_) => "alarm",
            Self::Act(_) => "act",
            Self::Stop(_) => "stop",
            Self::Erasure(_) => "erasure",
            Self::KeyDestroyed(_) => "key_destroyed",
            Self::Summary(_) => "summary",
            Self::Shutdown => "shutdown",
        }
    }

    /// Whom the record is about.
    pub(super) fn subjects(&self) -> &[Subject] {
        match self {
            Self::Exchange(exchange) => &exchange.sealed.subjects,
            Self::Intent(intent) => &intent.subjects,
            Self::Read(read) => &read.subjects,
            _ => &[],
        }
    }
}

/// A time as envelopes write it: UTC with milliseconds.
fn time(out: &mut Vec<u8>, at: Timestamp) {
    let _ = write!(out, "\"{at:.3}\"");
}

/// Writes the envelope; `sealed` is the digest of salt and sealed part.
pub(super) fn envelope(out: &mut Vec<u8>, head: &Head<'_>, record: &Record, sealed: &Digest) {
    let mut object = begin(out, head, record.kind());
    match record {
        Record::Exchange(exchange) | Record::Lost { exchange, .. } => {
            exchange_envelope(&mut object, exchange);
        }
        Record::Intent(intent) => intent_envelope(&mut object, intent),
        Record::GrantUse(used) => grant::envelope(&mut object, used),
        Record::Ruleset(ruleset) => ruleset_envelope(&mut object, ruleset),
        Record::Rules(rules) => rules_envelope(&mut object, rules),
        Record::Read(read) => {
            object.text("action", read.action);
            object.number("shown", read.shown);
        }
        Record::Alarm(alarm) => {
            object.text("cause", alarm.cause);
            object.plain_or_null("dataset", alarm.dataset.as_ref());
        }
        Record::Act(act) => life::act_envelope(&mut object, act),
        Record::Stop(stopped) => life::stop_envelope(&mut object, stopped),
        Record::Erasure(erasure) => erase::envelope(&mut object, erasure),
        Record::KeyDestroyed(destroyed) => unkeyed::envelope(&mut object, destroyed),
        Record::Summary(summary) => summary_envelope(&mut object, summary),
        Record::Shutdown => {}
    }
    object.digest("sealed", sealed);
    object.end();
}

/// Writes the envelope of a log's first record.
pub(super) fn origin_envelope(out: &mut Vec<u8>, head: &Head<'_>, origin: &Origin<'_>, sealed: &Digest) {
    let mut object = begin(out, head, "origin");
    object.text("key", origin.key);
    // A restored backup opens a new log that names the old one here; the order of its keys is that of the type.
    match origin.previous.and_then(|previous| serde_json::to_vec(previous).ok()) {
        Some(json) => object.key("previous").extend_from_slice(&json),
        None => object.null("previous"),
    }
    object.digest("sealed", sealed);
    object.end();
}

fn begin<'b>(out: &'b mut Vec<u8>, head: &Head<'_>, kind: &str) -> Object<'b> {
    let mut object = Object::begin(out);
    object.number("v", ENTRY_VERSION);
    object.text("kind", kind);
    object.text("log", head.log);
    object.number("index", head.index);
    time(object.key("time"), head.time);
    object
}

fn exchange_envelope(object: &mut Object<'_>, exchange: &Exchange) {
    object.plain("exchange", &exchange.id);
    object.plain("consumer", &exchange.consumer);
    object.plain("provider", &exchange.provider);
    object.plain_or_null("dataset", exchange.dataset.as_ref());
    object.plain_or_null("operation", exchange.operation.as_ref());
    match &exchange.agreement {
        Some((agreement, bytes)) => {
            object.plain("agreement", agreement);
            object.digest("agreement_digest", bytes);
        }
        None => {
            object.null("agreement");
            object.null("agreement_digest");
        }
    }
    object.digest("ruleset", &exchange.ruleset);
    let purpose = exchange.purpose.as_ref();
    object.text_or_null("purpose", purpose.map(|stated| stated.value.as_str()));
    object.text_or_null("purpose_origin", purpose.map(|stated| stated.origin.as_str()));
    let role = exchange.role.as_ref();
    object.text_or_null("role", role.map(|stated| stated.value.as_str()));
    object.text_or_null("role_origin", role.map(|stated| stated.origin.as_str()));
    object.text_or_null("assurance", exchange.assurance.map(Assurance::as_str));
    object.text("outcome", exchange.outcome.as_str());
    object.text_or_null("code", exchange.code.map(crate::model::Code::as_str));
    object.number("status", u64::from(exchange.status));
    if names_fit(&exchange.fields) {
        object.list("fields", exchange.fields.iter(), |out, name| text(out, name));
        object.null("fields_digest");
    } else {
        object.null("fields");
        object.digest("fields_digest", &names_digest(&exchange.fields));
    }
    object.number("rows", exchange.rows);
    object.hex("request", &exchange.request_mac);
    object.hex("answer", &exchange.answer_mac);
    object.text_or_null("correlation", exchange.correlation.as_deref().filter(|id| is_correlation(id)));
}

/// What may stand for a caller's own id: anything else could carry data into every partner's receipt.
fn is_correlation(id: &str) -> bool {
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':');
    !id.is_empty() && id.len() <= super::CORRELATION_BYTES_MAX && id.bytes().all(legal)
}

fn names_fit(names: &[String]) -> bool {
    // Two quotes and a comma each; a name that needs escaping does not occur (contracts forbid it).
    names.iter().map(|name| name.len() + 3).sum::<usize>() <= FIELD_NAMES_BYTES_MAX
}

/// The digest of the names as a JSON array, as the sealed part writes it.
fn names_digest(names: &[String]) -> Digest {
    let mut out = Vec::new();
    Object::begin(&mut out).list("fields", names, |out, name| text(out, name));
    Digest::of(out.strip_prefix(b"{\"fields\":".as_slice()).unwrap_or_default())
}

fn intent_envelope(object: &mut Object<'_>, intent: &Intent) {
    object.plain("exchange", &intent.id);
    object.plain("consumer", &intent.consumer);
    object.plain("provider", &intent.provider);
    object.plain("dataset", &intent.dataset);
    object.plain("operation", &intent.operation);
    object.plain("agreement", &intent.agreement.0);
    object.digest("agreement_digest", &intent.agreement.1);
    object.digest("ruleset", &intent.ruleset);
    object.hex("request", &intent.request_mac);
}

fn ruleset_envelope(object: &mut Object<'_>, ruleset: &Ruleset) {
    object.digest("ruleset", &ruleset.digest);
    object.digest_or_null("before", ruleset.before.as_ref());
    object.digest("manifest", &ruleset.manifest);
    object.number("files", ruleset.files);
    object.list("agreements", &ruleset.agreements, |out, (agreement, bytes)| {
        out.push(b'[');
        plain(out, agreement);
        out.push(b',');
        digest(out, bytes);
        out.push(b']');
    });
}

fn rules_envelope(object: &mut Object<'_>, rules: &Rules) {
    object.boolean("taken", rules.taken);
    object.list("items", &rules.items, |out, item| {
        out.push(b'[');
        text(out, item.what);
        for value in [&item.before, &item.after] {
            out.push(b',');
            match value {
                Some(value) => digest(out, value),
                None => out.extend_from_slice(b"null"),
            }
        }
        out.push(b']');
    });
}

fn summary_envelope(object: &mut Object<'_>, summary: &Summary) {
    let moment = |ms: u64| {
        i64::try_from(ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok()).unwrap_or_default()
    };
    object.plain_or_null("member", summary.member.as_ref());
    object.text("cause", &summary.cause);
    object.number("count", summary.count);
    time(object.key("from"), moment(summary.from_ms));
    time(object.key("to"), moment(summary.to_ms));
}

/// Writes the sealed part, without its salt.
pub(super) fn sealed(out: &mut Vec<u8>, record: &Record, subjects: &[SubjectRef]) {
    let mut object = Object::begin(out);
    match record {
        Record::Exchange(exchange) | Record::Lost { exchange, .. } => {
            object.hex("nonce", &exchange.nonce.0);
            sealed_exchange(&mut object, &exchange.sealed, subjects);
            if names_fit(&exchange.fields) {
                object.null("fields");
            } else {
                object.list("fields", exchange.fields.iter(), |out, name| text(out, name));
            }
        }
        Record::Intent(intent) => {
            object.hex("nonce", &intent.nonce.0);
            references(&mut object, subjects);
        }
        Record::Read(read) => sealed_read(&mut object, read, subjects),
        Record::Alarm(alarm) => sealed_alarm(&mut object, alarm),
        Record::Erasure(erasure) => {
            object.text("by", &erasure.by);
            object.text("purpose", &erasure.purpose);
        }
        Record::KeyDestroyed(destroyed) => {
            object.text("by", &destroyed.by);
            object.text("purpose", &destroyed.purpose);
        }
        Record::Act(act) => {
            object.text("officer", &act.officer);
            object.text("reason", &act.reason);
        }
        Record::Stop(stopped) => {
            object.text("by", &stopped.by);
            object.text("purpose", &stopped.purpose);
        }
        Record::Summary(summary) => object.text_or_null("source", summary.source.as_deref()),
        Record::Rules(rules) => object.text_or_null("detail", rules.detail.as_deref()),
        Record::Ruleset(_) | Record::GrantUse(_) | Record::Shutdown => {}
    }
    object.end();
}

fn sealed_exchange(object: &mut Object<'_>, sealed: &SealedExchange, subjects: &[SubjectRef]) {
    object.text("outcome", &sealed.outcome);
    object.text_or_null("reason", sealed.reason.as_deref());
    references(object, subjects);
    let user = sealed.user.as_ref();
    object.text_or_null("user", user.map(|stated| stated.value.as_str()));
    object.text_or_null("user_origin", user.map(|stated| stated.origin.as_str()));
    object.text_or_null("case", sealed.case.as_deref());
    object.text_or_null("note", sealed.note.as_deref());
    dropped(object, &sealed.dropped);
    object.number("rows_excluded", sealed.rows_excluded);
    object.digest_or_null("chain", sealed.chain.as_ref().map(|chain| &chain.digest));
    object.boolean("chain_kept", sealed.chain.is_some_and(|chain| chain.kept));
}

fn sealed_read(object: &mut Object<'_>, read: &Read, subjects: &[SubjectRef]) {
    object.text("by", &read.by);
    object.text("purpose", &read.purpose);
    object.text_or_null("asked", read.asked.as_deref());
    references(object, subjects);
}

fn sealed_alarm(object: &mut Object<'_>, alarm: &Alarm) {
    object.text_or_null("detail", alarm.detail.as_deref());
    dropped(object, &alarm.dropped);
}

/// Names of dropped unknown fields, bounded: whatever the system behind sends, this stays small.
fn dropped(object: &mut Object<'_>, names: &[String]) {
    let bounded = names.iter().take(DRIFT_NAMES_MAX).map(|name| {
        let end = name.floor_char_boundary(DRIFT_NAME_BYTES_MAX.min(name.len()));
        name.get(..end).unwrap_or_default()
    });
    object.list("dropped", bounded, text);
}

fn references(object: &mut Object<'_>, subjects: &[SubjectRef]) {
    object.list("subjects", subjects, |out, subject| {
        let mut one = Object::begin(out);
        one.text("kind", subject.kind.as_str());
        one.text("key", &subject.key);
        one.hex("ref", &subject.tag);
        one.end();
    });
}
