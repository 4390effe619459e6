//! What records name by id: members by the directory in force, agreements by their exact bytes as they
//! were then, kept as evidence.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use super::seen::Seen;
use crate::desk::Ruleset;
use crate::ledger::Ledger;
use crate::model::{Contract, Digest, FieldPath, MemberClass, MemberId, PurposeCode, Shape};
use crate::policy::{self, Agreement};

/// Agreements read from evidence that are kept for one report; beyond it they are read again.
const KEPT_MAX: usize = 1024;

/// Whom and what the gateway knows.
pub struct Known {
    ruleset: Arc<Ruleset>,
    ledger: Ledger,
    read: RefCell<HashMap<Digest, Option<Arc<Agreement>>>>,
}

impl Known {
    pub fn new(ruleset: Arc<Ruleset>, ledger: Ledger) -> Self {
        Self { ruleset, ledger, read: RefCell::default() }
    }

    /// The member's name, or its id where the directory has none (any more).
    pub fn name(&self, member: &str) -> String {
        let listed =
            MemberId::new(member).ok().and_then(|id| Some(self.ruleset.directory.member(&id)?.name.clone()));
        listed.unwrap_or_else(|| member.to_owned())
    }

    pub(super) fn class(&self, member: &str) -> Option<MemberClass> {
        let id = MemberId::new(member).ok()?;
        Some(self.ruleset.directory.member(&id)?.class)
    }

    /// The agreement an exchange was under, as it was then.
    pub(super) fn agreement(&self, seen: &Seen) -> Option<Arc<Agreement>> {
        let digest = Digest::parse(seen.agreement_digest.as_deref()?)?;
        if let Some(read) = self.read.borrow().get(&digest) {
            return read.clone();
        }
        let listed = self.ruleset.register.all().iter().find(|entry| entry.agreement.digest == digest);
        let agreement = listed.map(|entry| Arc::clone(&entry.agreement)).or_else(|| {
            // Evidence that is gone or damaged is no agreement; so is one this version cannot read.
            let bytes = self.ledger.evidence(&digest).ok()?;
            policy::load("evidence", &bytes).ok().map(Arc::new)
        });
        let mut kept = self.read.borrow_mut();
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.insert(digest, agreement.clone());
        agreement
    }

    /// Its title, or nothing where it cannot be read.
    pub(super) fn title(&self, seen: &Seen) -> String {
        self.agreement(seen).map(|agreement| agreement.title.clone()).unwrap_or_default()
    }

    /// Whether a field it released may tell where somebody hides: marked so in the contract in force, or called
    /// so. Of a field which that contract does not know, or a dataset that is not offered any more, nobody here
    /// can say, so that it may.
    pub(super) fn releases_safe_address(&self, seen: &Seen) -> bool {
        let offer = seen.dataset.as_deref().and_then(|dataset| {
            let (dataset, major) = dataset.split_once("/v")?;
            self.ruleset.offer(dataset, major)
        });
        let harmless = |field: &str| {
            let path = FieldPath::parse(field);
            offer.zip(path.ok()).is_some_and(|(offer, path)| is_harmless(&offer.contract, &path))
        };
        seen.fields().iter().any(|field| is_called_so(field) || !harmless(field))
    }
}

fn is_called_so(field: &str) -> bool {
    let folded = field.to_lowercase();
    folded.contains("safe") && folded.contains("address")
}

/// Whether the contract has the field, and marks neither it nor anything above or below it in any answer.
fn is_harmless(contract: &Contract, field: &FieldPath) -> bool {
    let rows = || contract.operations.iter().map(|operation| operation.answer.row());
    let is_near = |path: &FieldPath| field.is_within(path) || path.is_within(field);
    let mut marked = rows().flat_map(Shape::fields).filter(|(_, property)| property.marks.safe_address);
    rows().any(|row| row.at(field).is_some()) && !marked.any(|(path, _)| is_near(&path))
}

/// A purpose in words.
pub(super) fn purpose_words(code: Option<&str>) -> String {
    let Some(code) = code else { return String::new() };
    PurposeCode::parse(code).map_or_else(|| code.to_owned(), |purpose| purpose.words().to_owned())
}
