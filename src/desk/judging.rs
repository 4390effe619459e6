//! What is judged alike on the road and in a policy test, so that there is one decision and not two that are
//! meant to be the same: the facts policies see, what their verdict means, what of a document leaves, and whether
//! it fits the view. Pure; what is recorded, counted and alarmed of it is the road's.

use std::sync::Arc;

use bytes::Bytes;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use crate::json::{Document, Node};
use crate::minimise::{Context, Minimised};
use crate::model::limits::JSON_DEPTH_MAX;
use crate::model::{Assurance, Cardinality, Code, MemberClass, SystemId};
use crate::policy::{Chosen, Facts, Verdict};
use crate::source::OnUnlisted;

use super::terms::Terms;

/// Why a question is not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    pub code: Code,
    /// What the caller is told beside the code's own sentence.
    pub detail: Option<String>,
    /// The true outcome where it is more than the code.
    pub truth: Option<String>,
    /// Seconds until asking again makes sense.
    pub retry_after: Option<u64>,
}

impl Denied {
    fn new(code: Code, truth: impl Into<String>) -> Self {
        Self { code, detail: None, truth: Some(truth.into()), retry_after: None }
    }
}

/// Who asks and when, as far as policies look at it.
#[derive(Debug, Clone, Copy)]
pub struct Caller<'a> {
    pub system: &'a SystemId,
    pub class: MemberClass,
    /// As proven, not as the agreement wants it.
    pub assurance: Assurance,
    pub london: DateTime,
}

/// The facts of a question under its terms.
pub fn facts(terms: &Terms, caller: Caller<'_>, chosen: &Chosen<'_>) -> Facts {
    Facts {
        scope: Arc::clone(terms.scope()),
        member: caller.system.member.clone(),
        class: caller.class,
        system: caller.system.system.clone(),
        role: chosen.role.as_ref().map(|role| role.value.clone()),
        purpose: chosen.purpose.value,
        assurance: caller.assurance,
        emergency: false,
        weekday: caller.london.weekday(),
        hour: caller.london.hour().unsigned_abs(),
    }
}

/// What a verdict means to whoever asks.
///
/// # Errors
/// It is not a permit.
pub fn permitted(verdict: Verdict) -> Result<(), Denied> {
    match verdict {
        Verdict::Permit => Ok(()),
        Verdict::Forbid { guardrail } => {
            let detail = Some(format!("The rule is `{guardrail}`."));
            Err(Denied { detail, ..Denied::new(Code::Guardrail, guardrail.as_ref()) })
        }
        Verdict::Deny => Err(Denied { code: Code::NotAgreed, detail: None, truth: None, retry_after: None }),
        Verdict::Error(error) => Err(Denied::new(Code::CannotDecide, error.as_ref())),
    }
}

/// What an answer says.
pub enum Content {
    /// A released document.
    Document { body: Vec<u8>, rows: u64 },
    /// Nothing that may leave: absent and excluded are the same from here on.
    NoMatch,
}

impl Content {
    /// Absent, in the one form the operation has for it.
    pub fn nothing(cardinality: &Cardinality) -> Self {
        match cardinality {
            Cardinality::Single => Self::NoMatch,
            Cardinality::List => Self::Document { body: b"[]".to_vec(), rows: 0 },
        }
    }

    /// What was minimised; a field the contract does not know stops it where the dataset says so.
    ///
    /// # Errors
    /// It was stopped.
    pub fn of(
        minimised: Minimised,
        on_unlisted: OnUnlisted,
        cardinality: &Cardinality,
    ) -> Result<Self, Denied> {
        if !minimised.dropped.is_empty() && on_unlisted == OnUnlisted::Refuse {
            return Err(Denied::new(Code::SourceInvalid, "drift"));
        }
        if minimised.no_row {
            return Ok(Self::nothing(cardinality));
        }
        Ok(Self::Document { body: minimised.body, rows: minimised.rows_released })
    }
}

/// Minimises what a source found, on a day in London.
///
/// # Errors
/// What was found is not what the contract says, or is unclear.
pub fn minimised(terms: &Terms, found: Node<'_>, today: Date, zone: &TimeZone) -> Result<Minimised, Denied> {
    let compiled = terms.compiled().map_err(|fault| Denied::new(Code::CannotDecide, fault))?;
    let applied = compiled.projection.apply(found, &context(terms, today, zone));
    applied.map_err(|fault| Denied::new(Code::SourceInvalid, fault.to_string()))
}

/// What rows and transforms are judged by.
pub(super) fn context<'c>(terms: &'c Terms, today: Date, zone: &'c TimeZone) -> Context<'c> {
    let agreement = &terms.agreement().reference.id;
    Context { today, zone, agreement, pseudonyms: &terms.pseudonyms }
}

/// The names of the fields released, if what is about to leave fits the view officers signed. It is read again.
///
/// # Errors
/// It does not fit.
pub fn fit(terms: &Terms, body: Bytes) -> Result<Arc<[String]>, Denied> {
    let document = Document::parse(body, JSON_DEPTH_MAX).map_err(|fault| {
        Denied::new(Code::SourceInvalid, format!("the minimised answer is not JSON: {fault}"))
    })?;
    let compiled = terms.compiled().map_err(|fault| Denied::new(Code::CannotDecide, fault))?;
    let checker = &compiled.checker;
    if checker.is_valid(document.root()) {
        return Ok(Arc::clone(compiled.projection.released_fields()));
    }
    let told: Vec<String> = checker.violations(document.root()).iter().map(ToString::to_string).collect();
    let truth = format!("the answer does not fit the view: {}", told.join("; "));
    Err(Denied::new(Code::SourceInvalid, truth))
}
