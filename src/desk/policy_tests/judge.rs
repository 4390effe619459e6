//! Judges the question of a policy test by the road's own parts, stage by stage: choose, assurance, Cedar and
//! guardrails, limit, question, rows, fields, view. There is no second decision here.
//!
//! Agreements count as though they were sealed and signed, on the days of their dates; `tolbooth agreement
//! status` says which are. No system behind is asked: the test says what it would say.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::contract::read_question;
use crate::desk::bounds::{beyond_day, beyond_minute, few_enough, within_hours};
use crate::desk::judging::{Caller, Content, Denied, facts, fit, minimised, permitted};
use crate::desk::ruleset::{Offer, OfferedOperation, Ruleset};
use crate::desk::terms::Terms;
use crate::json::Document;
use crate::model::limits::JSON_DEPTH_MAX;
use crate::model::{AgreementRef, Code, Faults, MemberId, PurposeCode, RoleId};
use crate::policy::{
    Agreement, Chosen, Claims, Daily, Facts, Limiter, Over, Register, Standing, choose, meant,
};

use super::read::{Asks, Supposing};

/// A ruleset, and how its agreements are taken to stand.
pub struct Bench<'r> {
    ruleset: &'r Ruleset,
    register: Arc<Register>,
    zone: TimeZone,
}

/// How a question ended, and what was seen on the way.
pub struct Judged {
    pub end: End,
    /// The agreement it ended under, or the one it can only have meant.
    pub agreement: Option<Arc<Agreement>>,
    /// What was permitted; `None` where nothing was.
    pub permit: Option<Permit>,
    /// Of each record, which tests of its rows held.
    pub rows: Vec<Vec<bool>>,
}

/// How a question ended.
#[derive(Debug, Clone, PartialEq)]
pub enum End {
    Answer(Value),
    NoMatch,
    Refused(Denied),
}

/// Why a question would not be permitted.
pub struct Unpermitted {
    pub denied: Denied,
    pub agreement: Option<Arc<Agreement>>,
    pub not_in_force: Vec<String>,
}

impl Unpermitted {
    fn new(denied: Denied) -> Self {
        Self { denied, agreement: None, not_in_force: Vec::new() }
    }
}

/// What a question was permitted with.
pub struct Permit {
    pub purpose: PurposeCode,
    pub role: Option<RoleId>,
    pub terms: Arc<Terms>,
}

impl<'r> Bench<'r> {
    /// With its agreements as they stand: only what is sealed and signed counts.
    pub fn as_it_stands(ruleset: &'r Ruleset, zone: TimeZone) -> Self {
        Self { ruleset, register: Arc::clone(&ruleset.register), zone }
    }

    /// With its agreements as though they were sealed and signed.
    ///
    /// # Errors
    /// Two agreements of one id and version.
    pub fn new(ruleset: &'r Ruleset, provider: &MemberId, zone: TimeZone) -> Result<Self, Faults> {
        let all = ruleset.register.all().iter();
        let supposed = all.map(|entry| {
            let agreement = Arc::clone(&entry.agreement);
            let standing = Standing::supposed(&agreement);
            (agreement, standing)
        });
        let register = Arc::new(Register::new(provider, supposed.collect(), None)?);
        Ok(Self { ruleset, register, zone })
    }

    pub fn judge(&self, asks: &Asks) -> Judged {
        let mut seen = Judged { end: End::NoMatch, agreement: None, permit: None, rows: Vec::new() };
        seen.end = self.road(asks, &mut seen).unwrap_or_else(End::Refused);
        seen
    }

    /// Whether a question would be permitted: the road to *decide* and no further, so that neither the question nor
    /// any record is looked at.
    ///
    /// # Errors
    /// Why it would not; with the agreement it can only have meant, and why that is not in force on the day.
    pub fn explain(&self, asks: &Asks) -> Result<Arc<Agreement>, Unpermitted> {
        let mut seen = Judged { end: End::NoMatch, agreement: None, permit: None, rows: Vec::new() };
        let target = self.target(asks).ok_or_else(|| denied(Code::NotAgreed));
        let decided = target.and_then(|(offer, operation)| self.decide(asks, offer, operation, &mut seen));
        match decided {
            Ok(_) => seen.agreement.ok_or_else(|| Unpermitted::new(denied(Code::CannotDecide))),
            Err(denied) => {
                // What another version lacks is no reason of any other refusal.
                let asked = denied.code == Code::AgreementNotInForce;
                let not_in_force = if asked { self.reasons(asks) } else { Vec::new() };
                Err(Unpermitted { not_in_force, agreement: seen.agreement, denied })
            }
        }
    }

    /// Why those that would fit are not in force on the day.
    fn reasons(&self, asks: &Asks) -> Vec<String> {
        let Some((offer, operation)) = self.target(asks) else { return Vec::new() };
        let (version, operation) = (&offer.contract.version, &operation.operation.id);
        let candidates = self.register.candidates(&asks.consumer, version, operation);
        let told = candidates.iter().flat_map(|entry| {
            let reference = &entry.agreement.reference;
            let reasons = entry.standing.reasons(asks.on).into_iter();
            reasons.map(move |reason| format!("{reference}: {reason}"))
        });
        told.collect()
    }

    /// The road, from *decide* to *check*.
    fn road(&self, asks: &Asks, seen: &mut Judged) -> Result<End, Denied> {
        let (offer, operation) = self.target(asks).ok_or_else(|| denied(Code::NotAgreed))?;
        let terms = self.decide(asks, offer, operation, seen)?;
        let checker = operation.question_checker().map_err(|_| denied(Code::CannotDecide))?;
        let question = Bytes::copy_from_slice(asks.question.as_bytes());
        read_question(&operation.operation, checker, question)
            .map_err(|fault| Denied { truth: Some(fault.kept()), ..denied(Code::QuestionInvalid) })?;
        let cardinality = &operation.operation.cardinality;
        let content = match &asks.record {
            None => Content::nothing(cardinality),
            Some(record) => {
                let record = times_over(record, asks.record_times);
                let found = Document::parse(Bytes::from(record), JSON_DEPTH_MAX).map_err(|fault| Denied {
                    truth: Some(fault.to_string()),
                    ..denied(Code::SourceInvalid)
                })?;
                let minimised = minimised(&terms, found.root(), asks.on, &self.zone)?;
                few_enough(terms.agreement(), &minimised)?;
                seen.rows = terms.row_tests(found.root(), asks.on, &self.zone);
                Content::of(minimised, offer.on_unlisted, cardinality)?
            }
        };
        let Content::Document { body, .. } = content else { return Ok(End::NoMatch) };
        fit(&terms, Bytes::from(body.clone()))?;
        let answer = serde_json::from_slice(&body);
        answer.map(End::Answer).map_err(|_| denied(Code::SourceInvalid))
    }

    fn target(&self, asks: &Asks) -> Option<(&'r Arc<Offer>, &'r Arc<OfferedOperation>)> {
        let offer = self.ruleset.offer(&asks.dataset.0, &asks.dataset.1)?;
        let operation = offer.operations().find(|offered| offered.operation.id.as_str() == asks.operation)?;
        Some((offer, operation))
    }

    fn decide(
        &self,
        asks: &Asks,
        offer: &Offer,
        operation: &OfferedOperation,
        seen: &mut Judged,
    ) -> Result<Arc<Terms>, Denied> {
        let operation = &operation.operation.id;
        let candidates = self.register.candidates(&asks.consumer, &offer.contract.version, operation);
        let claims = claims(asks);
        let chosen = choose(candidates, &asks.consumer, &claims, asks.on).map_err(|code| {
            seen.agreement = meant(candidates, &claims, code);
            denied(code)
        })?;
        let agreement = &chosen.entry.agreement;
        seen.agreement = Some(Arc::clone(agreement));
        if let Some(code) = asks.assurance.lacks(agreement.assurance) {
            return Err(denied(code));
        }
        let terms = self.ruleset.terms(&agreement.reference, operation);
        let terms = Arc::clone(terms.ok_or_else(|| denied(Code::CannotDecide))?);
        let facts = self.facts(asks, &terms, &chosen)?;
        permitted(self.ruleset.decider.decide(&facts))?;
        let london = asks.on.to_datetime(asks.at).to_zoned(self.zone.clone());
        let london = london.map_err(|_| denied(Code::CannotDecide))?;
        within_hours(agreement, &london)?;
        of_day(agreement, asks).map_err(|over| beyond_day(over, &london))?;
        let limiter = Limiter::new(agreement.limits.per_minute);
        for _ in 0..asks.asked {
            limiter.admit(Duration::ZERO).map_err(beyond_minute)?;
        }
        let (purpose, role) = (chosen.purpose.value, chosen.role.map(|role| role.value));
        seen.permit = Some(Permit { purpose, role, terms: Arc::clone(&terms) });
        Ok(terms)
    }

    fn facts(&self, asks: &Asks, terms: &Terms, chosen: &Chosen<'_>) -> Result<Facts, Denied> {
        let member = self.ruleset.directory.member(&asks.consumer.member);
        // Nobody is identified as a system of an organisation that is no member.
        let class = member.map(|member| member.class).ok_or_else(|| denied(Code::CertificateNotAccepted))?;
        let london = asks.on.to_datetime(asks.at);
        let caller = Caller { system: &asks.consumer, class, assurance: asks.assurance, london };
        Ok(supposed(facts(terms, caller, chosen), &asks.supposing))
    }
}

fn denied(code: Code) -> Denied {
    Denied { code, detail: None, truth: None, retry_after: None }
}

/// A list so many times over, as one list; anything else, and an empty list, as it is.
fn times_over(record: &str, times: u32) -> String {
    let items = record.trim().strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    match items.filter(|items| !items.trim().is_empty() && times > 1) {
        Some(items) => format!("[{}]", vec![items; times as usize].join(",")),
        None => record.to_owned(),
    }
}

/// Whether the day has a place for it, after what the test says was answered before, those within its minute too.
fn of_day(agreement: &Agreement, asks: &Asks) -> Result<(), Over> {
    let limits = &agreement.limits;
    let Some(daily) = Daily::new(limits, limits.per_user_per_day.is_some()) else { return Ok(()) };
    let of_user = (asks.consumer.member.as_str(), "of the test");
    let mut before = daily.recount();
    before.add_many(Some(of_user), asks.answered_user_today.saturating_add(asks.asked.saturating_sub(1)));
    before.add_many(Some(("", "")), asks.answered_today.saturating_sub(asks.answered_user_today));
    before.begin(asks.on);
    daily.admit(asks.on, asks.user.then_some(of_user)).map(drop)
}

fn claims(asks: &Asks) -> Claims<'_> {
    Claims {
        agreement: asks.agreement.as_deref(),
        purpose: asks.purpose.as_deref(),
        role: asks.role.as_deref(),
        user: asks.user,
        reason: asks.reason.as_deref(),
        case: asks.case,
    }
}

/// The facts, but for what the test supposes.
fn supposed(mut facts: Facts, supposing: &Supposing) -> Facts {
    facts.class = supposing.class.unwrap_or(facts.class);
    let mut scope = (*facts.scope).clone();
    scope.effect = supposing.effect.unwrap_or(scope.effect);
    if let Some(categories) = &supposing.categories {
        scope.categories = categories.iter().map(|category| Arc::from(category.as_str())).collect();
    }
    facts.scope = Arc::new(scope);
    facts
}

/// An agreement by its id and version, for people.
pub(super) fn named(agreement: Option<&Arc<Agreement>>) -> Option<&AgreementRef> {
    agreement.map(|agreement| &agreement.reference)
}
