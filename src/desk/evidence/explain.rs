//! Why a past exchange ended as it did: the facts of its record, the clauses of the agreement and each thing
//! that was decided, from the evidence kept then. No file of today is looked at.

use crate::clock::moment_in_words;
use crate::ledger::verify::pack::Pack;
use crate::merkle::note::VerifierKey;
use crate::model::{ActDone, Action, Code, Life, LifeEvent};
use crate::policy::{Agreement, Reason};

use super::super::remedy::{Remedy, keys};
use super::clause::{Clause, clauses};
use super::finding::{Finding, Verdict};
use super::judge::Case;

/// What can be said of it.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// Names and values, in the order a person asks.
    pub facts: Vec<(&'static str, String)>,
    /// What decided, line by line: of a refusal, what did not hold is why.
    pub findings: Vec<Finding>,
    pub clauses: Vec<Clause>,
    /// What would have to change, and where it stands; `None` of what was answered.
    pub remedy: Option<Remedy>,
}

/// What parties did to an agreement comes from the ledger, where it stays when files go.
///
/// # Errors
/// The record does not read.
pub fn explain(pack: &Pack, key: &VerifierKey, life: &Life) -> Result<Explanation, String> {
    let case = Case::read(pack, Some(key))?;
    let (agreement, mut findings) = case.decided();
    let acts = acts(&case, life);
    findings.extend(acts.iter().map(|act| Finding {
        what: "acts",
        verdict: Verdict::Wrong,
        says: format!("the agreement was {}", Reason::of(act)),
    }));
    let clauses = agreement.as_ref().map(|agreement| of_agreement(&case, agreement)).unwrap_or_default();
    let remedy = remedy(&case, agreement.as_ref()).map(|remedy| against(remedy, &acts));
    let mut facts = facts(&case);
    facts.extend(agreement.map(|agreement| ("agreement_file", agreement.file)));
    Ok(Explanation { facts, findings, clauses, remedy })
}

/// What kept the agreement from being in force when the question came, by the times that acts state of themselves.
fn acts(case: &Case<'_>, life: &Life) -> Vec<ActDone> {
    let exchange = &case.exchange;
    if exchange.code.as_deref() != Some(Code::AgreementNotInForce.as_str()) {
        return Vec::new();
    }
    let Some((reference, _)) = exchange.agreement() else { return Vec::new() };
    let mut then = Life::default();
    let done = life.of(&reference).iter().filter(|act| act.at <= exchange.began());
    done.for_each(|act| then.note(LifeEvent::Act(act.clone())));
    then.against(&reference).into_iter().cloned().collect()
}

/// No seal and no signature brings back what a party ended.
fn against(remedy: Remedy, acts: &[ActDone]) -> Remedy {
    let withdrawn = acts.iter().any(|act| act.action == Action::Withdraw);
    match acts {
        [] => remedy,
        _ if withdrawn => Remedy {
            change: "officers agree on a new `version`, sealed and signed by every party: this one was withdrawn for \
                     good",
            ..remedy
        },
        _ => Remedy {
            change: "the party that suspended or declined it takes that back: `tolbooth agreement status` says how",
            ..remedy
        },
    }
}

fn text<'p>(case: &Case<'p>, agreement: &Agreement) -> &'p str {
    let bytes = case.pack.evidence.get(&agreement.digest);
    bytes.and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
}

/// A refusal's, or that of a record that was there and might not leave, which only the sealed part knows.
fn remedy(case: &Case<'_>, agreement: Option<&Agreement>) -> Option<Remedy> {
    let exchange = &case.exchange;
    let known = |code: &str| Code::ALL.iter().copied().find(|known| known.as_str() == code);
    let code = exchange.code.as_deref().and_then(known);
    let excluded = case.sealed.as_ref().is_some_and(|sealed| sealed.outcome == "row_excluded");
    match (code, agreement) {
        (Some(code), Some(agreement)) => {
            let (consumer, day) = (exchange.consumer()?, exchange.day()?);
            let note = case.sealed.as_ref().and_then(|sealed| sealed.note.as_deref());
            let limit = note.filter(|note| keys(code).contains(note));
            Some(Remedy::of((code, limit), agreement, text(case, agreement), &consumer, day))
        }
        (Some(code), None) => Some(Remedy::without_agreement(code)),
        (None, Some(agreement)) if excluded => Some(Remedy::of_rows(agreement, text(case, agreement))),
        (None, _) => None,
    }
}

fn of_agreement(case: &Case<'_>, agreement: &Agreement) -> Vec<Clause> {
    let text = text(case, agreement);
    let asked = case.exchange.consumer.split_once('/').unwrap_or_default();
    clauses(&agreement.file, text, asked)
}

fn facts(case: &Case<'_>) -> Vec<(&'static str, String)> {
    let exchange = &case.exchange;
    let sealed = case.sealed.clone().unwrap_or_default();
    let code =
        exchange.code.as_deref().and_then(|code| Code::ALL.iter().find(|known| known.as_str() == code));
    let stated = |value: &Option<String>, origin: &Option<String>| {
        let origin = origin.as_deref().map(|origin| format!(" ({origin})")).unwrap_or_default();
        value.as_ref().map(|value| format!("{value}{origin}"))
    };
    let facts = [
        ("exchange", Some(exchange.exchange.clone())),
        ("record", Some(exchange.index.to_string())),
        ("began", Some(moment_in_words(exchange.began()))),
        ("asked_by", Some(exchange.consumer.clone())),
        ("dataset", exchange.dataset.clone()),
        ("operation", exchange.operation.clone()),
        ("purpose", stated(&exchange.purpose, &exchange.purpose_origin)),
        ("role", stated(&exchange.role, &exchange.role_origin)),
        ("proven_by", exchange.assurance.clone()),
        ("told", Some(case.told())),
        ("truly", Some(sealed.outcome).filter(|truth| !truth.is_empty())),
        ("sentence", code.map(|code| code.sentence().to_owned())),
        ("because", sealed.note),
        ("user", sealed.user),
        ("reason", sealed.reason),
        ("case", sealed.case),
        ("agreement", exchange.agreement.clone()),
        ("agreement_digest", exchange.agreement_digest.clone()),
        ("ruleset", Some(exchange.ruleset.clone())),
    ];
    facts.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}
