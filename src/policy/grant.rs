//! A grant: leave for one disclosure, once, about the people it names (domain list of one-off disclosures). It
//! is an agreement of its own form, so that it is sealed, signed, chosen, decided and recorded by the same code;
//! here is what it has beyond one.
//!
//! Whom it is about stands in the file as commitments: MACs of identifiers under a key of its own, which lies
//! beside the file (`x.toml` has `x.subject-key`), is no evidence and can be deleted. A plain or salted digest
//! would say for ever who was meant to whoever tries all CHI numbers.
//!
//! Not here: whether it was used ([`super::uses`]).

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use zeroize::Zeroizing;

use crate::clock::{ZONE, moment_in_words};
use crate::crypto::{MacKey, random, same};
use crate::model::{
    AgreementId, Digest, Effect, Fault, Faults, NORMALISER, Operation, Ruling, Secret, Shape, Subject,
    SubjectKind, Urgency,
};

use super::agreement::Agreement;

/// What is signed about a request and its decision, and what the gateway holds a question to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    pub request: Request,
    pub decision: RequestDecision,
    /// From this moment on it may be used.
    pub decided: Timestamp,
    /// From this moment on it may not.
    pub expires: Timestamp,
    /// At least one.
    pub subjects: Vec<Commitment>,
}

/// Who asked for the disclosure, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The requester's own reference.
    pub id: String,
    pub name: String,
    pub rank: String,
    /// How it was made sure that it is they.
    pub verified: String,
    /// The power they claim, or `voluntary`.
    pub power: String,
    pub necessity: String,
    pub urgency: Urgency,
    /// The person must not be told of it.
    pub tip_off: bool,
}

/// What the provider decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestDecision {
    pub ruling: Ruling,
    /// Name and office.
    pub by: String,
    /// What lifts the duties that would stand against it, such as DPA 2018 Sch 2 para 2.
    pub exemption: Option<String>,
    /// By when it is looked at again.
    pub review: Date,
}

/// One person or thing a grant is about, as its file names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commitment {
    pub kind: SubjectKind,
    pub mac: Digest,
}

impl Grant {
    /// Whether it may be used at this moment, as far as time goes. Asked at every exchange.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.decided <= now && now < self.expires
    }

    /// Whether these are people it is about: at least one, and nobody else.
    pub fn is_about(&self, id: &AgreementId, key: &SubjectMac, subjects: &[Subject]) -> bool {
        let is_named = |subject: &Subject| {
            let mac = key.commitment(id, subject).mac;
            self.subjects.iter().any(|known| known.kind == subject.kind && same(&known.mac.0, &mac.0))
        };
        !subjects.is_empty() && subjects.iter().all(is_named)
    }

    /// From when to when, as people read it.
    pub fn open_in_words(&self) -> String {
        format!("from {} until {}", moment_in_words(self.decided), moment_in_words(self.expires))
    }
}

/// The day in London of a moment; agreements are in force by days.
pub(super) fn london_day(at: Timestamp) -> Option<Date> {
    at.in_tz(ZONE).ok().map(|at| at.date())
}

/// The last day in London on which a grant that ends at this moment can be used.
pub(super) fn last_day(expires: Timestamp) -> Option<Date> {
    london_day(expires.checked_sub(1.nanosecond()).ok()?)
}

/// Makes and compares the commitments of one grant. Prints as stars.
pub struct SubjectMac(MacKey);

impl std::fmt::Debug for SubjectMac {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SubjectMac(***)")
    }
}

impl SubjectMac {
    /// From the text of a key's file: 64 hex digits on one line.
    pub fn read(text: &Secret) -> Option<Self> {
        let line = text.reveal().strip_suffix('\n').unwrap_or(text.reveal());
        Digest::from_hex(line).map(|key| Self(MacKey::new(&key.0)))
    }

    /// The text of a new key's file. `None` only if there is no randomness to be had.
    pub fn fresh() -> Option<Secret> {
        let key: Zeroizing<[u8; 32]> = Zeroizing::new(random()?);
        Some(Secret::new(format!("{}\n", Digest(*key).hex())))
    }

    /// Bound to the grant's id, so that one line copied into another grant names nobody there.
    pub fn commitment(&self, grant: &AgreementId, subject: &Subject) -> Commitment {
        let (kind, identifier) = (subject.kind.as_str(), subject.normalised());
        let head = format!("tolbooth/grant-subject/v1\n{grant}\n{kind}\n{NORMALISER}\n");
        Commitment {
            kind: subject.kind.clone(),
            mac: Digest(self.0.tag(&[head.as_bytes(), identifier.as_bytes()])),
        }
    }
}

/// The name of the file with the key of a grant's commitments, beside the grant's.
pub fn subject_key_file(file: &str) -> String {
    format!("{}.subject-key", file.strip_suffix(".toml").unwrap_or(file))
}

/// Faults of a grant against the operation it is for: it must be one that reads, and that asks about somebody.
/// An agreement that is no grant has none.
pub fn against_grant(agreement: &Agreement, operation: &Operation) -> Faults {
    let mut faults = Faults::default();
    let Some(grant) = &agreement.grant else { return faults };
    let fault = |message: String| Fault::new(&agreement.file, None, message);
    if operation.effect == Effect::Changes {
        faults.push(
            fault(format!("`{}` changes something: a grant is leave to be told", operation.id))
                .with_help("a change wants an agreement"),
        );
    }
    let asked = subject_kinds(&operation.question);
    for kind in grant.subjects.iter().map(|subject| &subject.kind).filter(|kind| !asked.contains(kind)) {
        let known: Vec<&str> = asked.iter().map(|kind| kind.as_str()).collect();
        let known = if known.is_empty() { "nobody".to_owned() } else { known.join(", ") };
        let message = format!("`{}` asks about nobody by `{}`: by {known}", operation.id, kind.as_str());
        faults.push(fault(message).with_help("a grant is about somebody its question names"));
    }
    faults
}

fn subject_kinds(question: &Shape) -> Vec<&SubjectKind> {
    match question {
        Shape::Object(object) => {
            let below = object.properties.iter().flat_map(|property| subject_kinds(&property.shape));
            object
                .properties
                .iter()
                .filter_map(|property| property.marks.subject.as_ref())
                .chain(below)
                .collect()
        }
        Shape::Array { items, .. } => subject_kinds(items),
        Shape::Scalar(_) => Vec::new(),
    }
}
