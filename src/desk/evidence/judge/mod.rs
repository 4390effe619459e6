//! Judging a pack offline: that the record is in the log, and that what was released was authorised by what was
//! in force then. Every check is one line of what is found, whatever the others found.
//!
//! Not here: the log itself, which only the whole of it can vouch for (`ledger/verify`).

mod agreed;
mod chain;
mod decided;
mod logged;
mod ruled;

use crate::ledger::verify::pack::Pack;
use crate::merkle::note::VerifierKey;
use crate::policy::Agreement;

use super::finding::{Doubt, Finding, Found, Verdict, not_proven, wrong};
use super::record::{Exchange, Manifest, RulesetEntry, SealedPart};
use super::rules::{Offered, Rules};

/// A check of what was agreed and decided, by the word it is known by.
type Check<'p> = (&'static str, fn(&Case<'p>, &Law<'_>, &Agreement) -> Found);

/// What judging found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    pub exchange: String,
    pub findings: Vec<Finding>,
    /// The record as it stands in the log: JSON.
    pub envelope: String,
}

impl Judgement {
    /// Whether nothing was found wrong.
    pub fn holds(&self) -> bool {
        self.findings.iter().all(|finding| finding.verdict != Verdict::Wrong)
    }

    pub fn of(&self, verdict: Verdict) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(move |finding| finding.verdict == verdict)
    }
}

/// The record in question and what it says.
pub(super) struct Case<'p> {
    pub(super) pack: &'p Pack,
    key: VerifierKey,
    pub(super) exchange: Exchange,
    pub(super) sealed: Option<SealedPart>,
    entry: Option<RulesetEntry>,
}

/// The rules the record ran under, as far as they can be read.
struct Law<'p> {
    rules: Rules<'p>,
    /// Whether every file of the ruleset is here as it was.
    is_whole: bool,
    directory: Result<crate::directory::Directory, String>,
    agreement: Result<Agreement, String>,
    offered: Result<Offered, String>,
}

/// Judges a pack under the log's key, or else under the one that came with it, which then proves less.
///
/// # Errors
/// What keeps it from being judged at all: the record or the key does not read.
pub fn judge(pack: &Pack, key: Option<&VerifierKey>) -> Result<Judgement, String> {
    let case = Case::read(pack, key)?;
    let mut findings = vec![Finding::of("key", logged::key(pack, key))];
    findings.extend(case.logged());
    let manifest = case.manifest();
    let files = Finding::of("files", case.files(manifest.as_ref()));
    let is_whole = files.verdict == Verdict::Proven;
    findings.push(files);
    if case.is_of_sandbox() {
        findings.push(Finding::of("sandbox", case.sandbox()));
    } else {
        let manifest = manifest.unwrap_or_default();
        findings.extend(case.lawful(&Law::read(&case, &manifest, is_whole)));
    }
    let envelope = String::from_utf8_lossy(&pack.record.envelope).into_owned();
    Ok(Judgement { exchange: case.exchange.exchange.clone(), findings, envelope })
}

impl<'p> Law<'p> {
    fn read(case: &Case<'p>, manifest: &'p Manifest, is_whole: bool) -> Self {
        let rules = Rules::of(manifest, &case.pack.evidence);
        let directory = rules.directory();
        let named = case.exchange.agreement();
        let named = named.ok_or_else(|| "the record names no agreement".to_owned());
        let agreement = named.and_then(|(_, digest)| rules.agreement(&digest));
        let offered = match &agreement {
            Ok(agreement) => rules.offered(agreement),
            Err(_) => Err("the agreement could not be read".to_owned()),
        };
        Self { rules, is_whole, directory, agreement, offered }
    }
}

impl Law<'_> {
    fn agreed(&self, check: impl FnOnce(&Agreement) -> Found) -> Found {
        match &self.agreement {
            Ok(agreement) => check(agreement),
            Err(_) => not_proven("anything of this: the agreement could not be read"),
        }
    }
}

impl<'p> Case<'p> {
    const CHECKS: [Check<'p>; 10] = [
        ("signatures", Self::signatures),
        ("dates", Self::dates),
        ("seal", Self::seal),
        ("parties", Self::parties),
        ("purpose", Self::purpose),
        ("role", Self::role),
        ("assurance", Self::assurance),
        ("fields", Self::fields),
        ("guardrails", Self::guardrails),
        ("chain", Self::chain),
    ];

    /// Reads what is to be judged, under the log's key or else under the one that came with it.
    pub(super) fn read(pack: &'p Pack, key: Option<&VerifierKey>) -> Result<Self, String> {
        let key = match key {
            Some(key) => key.clone(),
            None => VerifierKey::parse(pack.key.trim())
                .map_err(|error| format!("the key in the pack: {error}"))?,
        };
        let exchange = Exchange::read(&pack.record.envelope)
            .ok_or("the record is not an exchange of a version this program knows")?;
        let sealed = pack.sealed.as_ref().and_then(|sealed| serde_json::from_slice(sealed.json()).ok());
        let entry = pack.ruleset.as_ref().and_then(|part| RulesetEntry::read(&part.envelope));
        Ok(Self { pack, key, exchange, sealed, entry })
    }
}

impl<'p> Case<'p> {
    /// Whether the log is a sandbox's, where all data is made up and drafts count.
    fn is_of_sandbox(&self) -> bool {
        self.key.name().split_once('/').is_some_and(|(log, _)| {
            log.split_once('.').is_some_and(|(_, rest)| rest.starts_with(&crate::tls::sandbox_of("")))
        })
    }

    fn sandbox(&self) -> Found {
        not_proven("that anything was released: the log is a sandbox's, whose answers are made up")
    }

    fn lawful(&self, law: &Law<'_>) -> Vec<Finding> {
        let mut findings = vec![Finding::of("members", self.members(law))];
        if self.exchange.agreement.is_none() && !self.exchange.was_answered() {
            findings.push(Finding::of("agreement", self.nothing_agreed()));
            return findings;
        }
        findings.push(Finding::of("agreement", self.agreement(law)));
        if self.exchange.was_answered() && law.agreement.as_ref().is_ok_and(|one| one.grant.is_some()) {
            findings.push(Finding::of("once", self.once()));
            findings.push(Finding::of("about", self.about()));
        }
        for (what, check) in Self::CHECKS {
            // What was refused needs no leave; that nothing left is looked at all the same.
            if self.exchange.was_answered() || matches!(what, "chain" | "fields") {
                findings.push(Finding::of(what, law.agreed(|agreement| check(self, law, agreement))));
            }
        }
        findings
    }

    /// A refusal names its purpose once it was judged; before that none of its facts is known.
    fn not_reached(&self) -> Found {
        if self.exchange.was_answered() {
            return wrong("the record says that it was answered, and has no purpose");
        }
        not_proven("it was refused before this was judged")
    }

    /// What decided, whatever came of it, and the agreement it was decided by.
    pub(super) fn decided(&self) -> (Option<Agreement>, Vec<Finding>) {
        let manifest = self.manifest();
        let is_whole = self.files(manifest.as_ref()).is_ok();
        let manifest = manifest.unwrap_or_default();
        let law = Law::read(self, &manifest, is_whole);
        let mut findings = vec![Finding::of("agreement", self.agreement(&law))];
        if self.exchange.agreement.is_some() {
            let deciding = Self::CHECKS.into_iter().filter(|(what, _)| *what != "chain");
            let found = deciding.map(|(what, check)| {
                let reached =
                    self.exchange.purpose.is_some() || !matches!(what, "purpose" | "role" | "guardrails");
                let judged = |agreement: &Agreement| check(self, &law, agreement);
                let found = if reached { law.agreed(judged) } else { self.not_reached() };
                (what, found)
            });
            findings.extend(found.map(|(what, found)| Finding::of(what, found)));
        }
        (law.agreement.ok(), findings)
    }
}
