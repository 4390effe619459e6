//! The agreements seen in force: an older version may not come back, whatever files are put there,
//! neither by a restart nor by way of a ruleset without the agreement.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::model::{AgreementId, AgreementRef, Digest};

/// What was seen so far, by the journal and by this process.
pub(super) struct Seen(Mutex<Inner>);

struct Inner {
    /// With the digest of the first bytes that were in force under it.
    highest: HashMap<AgreementId, (u32, Digest)>,
    /// What the last ruleset entry says is in force.
    recorded: Vec<(AgreementRef, Digest)>,
    /// The ruleset of the last ruleset entry, as far as it is known.
    ruleset: Option<Digest>,
}

impl Seen {
    /// Begins with what is folded from the journal.
    pub(super) fn new(
        folded: impl IntoIterator<Item = (AgreementRef, Digest)>,
        ruleset: Option<Digest>,
    ) -> Self {
        let seen = |(agreement, bytes): (AgreementRef, Digest)| (agreement.id, (agreement.version, bytes));
        let highest = folded.into_iter().map(seen).collect();
        Self(Mutex::new(Inner { highest, recorded: Vec::new(), ruleset }))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // A holder that panicked left whole entries behind: versions only go up.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn highest(&self, agreement: &AgreementId) -> Option<(u32, Digest)> {
        self.inner().highest.get(agreement).copied()
    }

    /// These are in force.
    pub(super) fn note(&self, in_force: &[(AgreementRef, Digest)]) {
        let highest = &mut self.inner().highest;
        for (agreement, bytes) in in_force {
            let seen = highest.entry(agreement.id.clone()).or_insert((agreement.version, *bytes));
            if agreement.version > seen.0 {
                *seen = (agreement.version, *bytes);
            }
        }
    }

    /// An entry of this ruleset says that these are in force.
    pub(super) fn recorded(&self, ruleset: Digest, in_force: Vec<(AgreementRef, Digest)>) {
        self.note(&in_force);
        let mut inner = self.inner();
        inner.recorded = in_force;
        inner.ruleset = Some(ruleset);
    }

    /// The ruleset of the last entry: what the next one replaces.
    pub(super) fn ruleset(&self) -> Option<Digest> {
        self.inner().ruleset
    }

    /// Whether the last ruleset entry says just this.
    pub(super) fn is_recorded(&self, in_force: &[(AgreementRef, Digest)]) -> bool {
        self.inner().recorded == in_force
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(version: u32) -> (AgreementRef, Digest) {
        (AgreementRef { id: AgreementId::new("taxi").unwrap(), version }, Digest::of(&[]))
    }

    #[test]
    fn what_was_seen_is_never_forgotten() {
        let seen = Seen::new([version(2)], None);
        let taxi = AgreementId::new("taxi").unwrap();
        assert_eq!(seen.highest(&taxi), Some((2, version(2).1)));
        seen.recorded(Digest::of(b"3"), vec![version(3)]);
        assert!(seen.is_recorded(&[version(3)]));
        // Taken out, and an older one put there.
        seen.recorded(Digest::of(b"4"), Vec::new());
        seen.note(&[version(1)]);
        assert_eq!(seen.highest(&taxi), Some((3, version(3).1)));
        assert_eq!(seen.highest(&AgreementId::new("other").unwrap()), None);
    }
}
