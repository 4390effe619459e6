//! Which versions of agreements were in force in this life of the gateway; what was before it is folded
//! from the journal. An older version put back is not in force, not even after a while without any.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::model::{AgreementId, AgreementRef, Digest};
use crate::store::Fold;

/// Shared by whoever loads rules.
#[derive(Debug, Default)]
pub(super) struct Seen(Mutex<Noted>);

#[derive(Debug, Default)]
struct Noted {
    highest: HashMap<AgreementId, u32>,
    /// As last recorded.
    last: Vec<(AgreementRef, Digest)>,
}

impl Seen {
    fn noted(&self) -> MutexGuard<'_, Noted> {
        // A holder that panicked left versions that were true: they only ever go up.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what was recorded as in force.
    pub(super) fn note(&self, in_force: Vec<(AgreementRef, Digest)>) {
        let mut noted = self.noted();
        for (agreement, _) in &in_force {
            let highest = noted.highest.entry(agreement.id.clone()).or_default();
            *highest = agreement.version.max(*highest);
        }
        noted.last = in_force;
    }

    /// Whether this is what was last recorded.
    pub(super) fn is_last(&self, in_force: &[(AgreementRef, Digest)]) -> bool {
        self.noted().last == in_force
    }

    /// The highest version ever in force, in this life or as folded from the journal.
    pub(super) fn highest(&self, fold: &Fold, id: &AgreementId) -> Option<u32> {
        let folded = fold.agreement_version(id).ok().flatten();
        folded.max(self.noted().highest.get(id).copied())
    }
}
