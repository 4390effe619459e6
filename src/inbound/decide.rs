//! Decide: the one agreement is chosen, judged by Cedar under every guardrail and held to its
//! limits, from identity, route and headers alone. Only then is the question opened, and only a
//! [`Permitted`] hands one out.

use std::sync::Arc;

use jiff::Timestamp;

use crate::contract::{Question, ReadFault};
use crate::desk::{Caller, Terms, beyond_day, beyond_minute, facts, permitted, within_hours};
use crate::directory::Identity;
use crate::model::{Code, Halt, Origin, PurposeCode, Stated};
use crate::policy::{Claims, choose, meant};

use super::accept::Known;
use super::bearer;
use super::grant;
use super::read::{Asked, Unread};
use super::refusal::{Refusal, Why, sentence};
use super::road::Worker;
use super::route::Target;

/// When to ask again where the host gave no end, or it has passed: a stop ends when somebody starts again.
const STOPPED_SECONDS: u64 = 60;

/// A question an agreement permits, under its terms.
pub struct Permitted {
    pub(super) known: Box<Known>,
    pub(super) target: Target,
    pub(super) terms: Arc<Terms>,
    question: Question,
}

impl Permitted {
    /// The question: there is no other way to it.
    pub(super) fn question(&self) -> &Question {
        &self.question
    }
}

pub(super) fn decide(worker: &Worker, asked: Asked) -> Result<Permitted, Refusal> {
    let Asked { mut known, identity, target, question, .. } = asked;
    // Recorded also where it is refused, and for an unknown target as for a known one.
    let stated = known.claims.purpose.as_deref().and_then(PurposeCode::parse);
    known.purpose = stated.map(|value| Stated { value, origin: Origin::Claimed });
    let (Some(target), Some(question)) = (target, question) else {
        return Err(Refusal::new(known, Code::NotAgreed));
    };
    match judge(worker, &mut known, &identity, &target) {
        Ok(terms) => open(known, target, terms, question).and_then(grant::about),
        // To somebody without an agreement the record names no dataset in what they are given: see record.
        Err(why) => Err(Refusal::new(known, why)),
    }
}

/// The agreement's and the guardrails' word, before the question is looked at.
fn judge(
    worker: &Worker,
    known: &mut Known,
    identity: &Identity,
    target: &Target,
) -> Result<Arc<Terms>, Why> {
    let ruleset = Arc::clone(&known.ruleset);
    let (version, operation) = (&target.offer.contract.version, &target.operation.operation.id);
    let candidates = ruleset.register.candidates(identity.system(), version, operation);
    let london = worker.road.clock.london();
    let claims = Claims {
        agreement: known.claims.agreement.as_deref(),
        purpose: known.claims.purpose.as_deref(),
        role: known.stated_role().map(|role| role.value),
        user: known.user().is_some(),
        reason: known.claims.reason.as_deref(),
        case: known.claims.case.is_some(),
    };
    let chosen = match choose(candidates, identity.system(), &claims, london.date()) {
        Ok(chosen) => chosen,
        Err(code) => {
            known.agreement = meant(candidates, &claims, code);
            return Err(grant::not_chosen(worker, known.agreement.as_deref(), code));
        }
    };
    let agreement = &chosen.entry.agreement;
    known.agreement = Some(Arc::clone(agreement));
    grant::is_usable(worker, agreement)?;
    known.purpose = Some(chosen.purpose.clone());
    known.role = bearer::role(known, chosen.role.clone());
    bearer::enough(known, agreement.assurance, &agreement.reference.id, chosen.purpose.value)?;
    if known.claims.emergency.is_some() {
        return Err(Why::new(Code::NotAgreed).detail("The agreement has no emergency clause."));
    }
    let terms = ruleset.terms(&agreement.reference, operation).ok_or(Code::CannotDecide)?;
    let (class, assurance) = (identity.class(), known.assurance);
    let caller = Caller { system: identity.system(), class, assurance, london: london.datetime() };
    let facts = facts(terms, caller, &chosen);
    let verdict = worker.memo.borrow_mut().decide(&ruleset.digest, &ruleset.decider, &facts);
    permitted(verdict)?;
    within_hours(agreement, &london)?;
    // Told to nobody but who may ask: to anybody else nothing is different.
    if worker.road.lived.is_unrecorded() {
        return Err(Why::new(Code::CannotRecord).truth("what the files say now is not on the record"));
    }
    if let Some(halt) = worker.road.lived.now().halt(&facts.member, &version.dataset) {
        return Err(stopped(halt, worker.road.clock.now()));
    }
    // Only a permitted question counts against a limit.
    if let Some(daily) = &chosen.entry.daily {
        let user = known.user().map(|user| (identity.system().member.as_str(), user.value));
        let place = daily.admit(london.date(), user).map_err(|over| beyond_day(over, &london))?;
        known.of_day = Some(place);
    }
    chosen.entry.limiter.admit(worker.road.clock.monotonic()).map_err(beyond_minute)?;
    Ok(Arc::clone(terms))
}

/// What the host tells callers of a stop, and when to ask again.
fn stopped(halt: &Halt, now: Timestamp) -> Why {
    let left = halt.until.map_or(0, |until| until.duration_since(now).as_secs());
    let seconds = u64::try_from(left).ok().filter(|left| *left > 0).unwrap_or(STOPPED_SECONDS);
    Why::new(Code::Stopped)
        .detail(sentence(halt.message.trim_end_matches('.')))
        .truth(halt.scope.to_string())
        .retry_after(seconds)
}

/// Opens the question for a permitted caller; a fault in it is told only now.
fn open(
    mut known: Box<Known>,
    target: Target,
    terms: Arc<Terms>,
    question: Result<Question, Unread>,
) -> Result<Permitted, Refusal> {
    match question {
        Ok(question) => {
            known.subjects = question.subjects().to_vec();
            Ok(Permitted { known, target, terms, question })
        }
        Err(Unread::Question(fault)) => {
            let why = Why::new(Code::QuestionInvalid).detail(misfit(&fault)).truth(fault.kept());
            Err(Refusal::new(known, why))
        }
        Err(Unread::Contract(fault)) => Err(Refusal::new(known, Why::new(Code::CannotDecide).truth(fault))),
    }
}

/// What is wrong with the question, as a sentence beside the title, which says that it does not fit.
fn misfit(fault: &ReadFault) -> String {
    let violations: Vec<String> = fault.violations().iter().map(ToString::to_string).collect();
    let told = if violations.is_empty() { fault.summary().to_owned() } else { violations.join("; ") };
    sentence(&told)
}
