//! Which grants were used. A grant is spent by the first answer that is about to leave under it, and never again
//! unspent: what is here begins with what the journal says, and goes on with what this process answers.
//!
//! Not here: the record of a use, which is what makes it durable (`ledger/`), and who writes it (`inbound/`).

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::model::AgreementId;

/// The grants that were used, and those that are being used now; shared by all threads.
#[derive(Debug, Default)]
pub struct Uses {
    inner: Mutex<Inner>,
    /// When a backup was restored: whether a grant from before was used nobody here can know.
    restored: Option<Timestamp>,
}

#[derive(Debug, Default)]
struct Inner {
    /// One short name for each use there ever was.
    spent: HashSet<AgreementId>,
    /// Questions under way: at most one for each grant.
    under_way: HashSet<AgreementId>,
}

/// Why a grant cannot be used now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unusable {
    Spent,
    /// Another question under it has not ended yet.
    UnderWay,
}

impl Uses {
    /// Begins with what is folded from the journal, and when that began if it was not the first.
    pub fn new(spent: impl IntoIterator<Item = AgreementId>, restored: Option<Timestamp>) -> Self {
        let inner = Inner { spent: spent.into_iter().collect(), under_way: HashSet::new() };
        Self { inner: Mutex::new(inner), restored }
    }

    /// When a backup was restored, if that was after this moment.
    pub fn restored_after(&self, moment: Timestamp) -> Option<Timestamp> {
        self.restored.filter(|restored| moment <= *restored)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Every change is one step, so that a holder that panicked left whole sets behind.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn is_spent(&self, grant: &AgreementId) -> bool {
        self.inner().spent.contains(grant)
    }

    /// Takes the grant for one question: of two at once, one.
    pub fn begin(self: &Arc<Self>, grant: &AgreementId) -> Result<Use, Unusable> {
        let mut inner = self.inner();
        if inner.spent.contains(grant) {
            return Err(Unusable::Spent);
        }
        if !inner.under_way.insert(grant.clone()) {
            return Err(Unusable::UnderWay);
        }
        Ok(Use { uses: Arc::clone(self), grant: grant.clone() })
    }
}

/// A grant taken for one question. Dropped, the grant is free again, unless it was spent.
#[derive(Debug)]
pub struct Use {
    uses: Arc<Uses>,
    grant: AgreementId,
}

impl Use {
    pub fn grant(&self) -> &AgreementId {
        &self.grant
    }

    /// Spends it. To be called before its record is asked for: whoever gives up waiting for the record, or is
    /// dropped while it waits, does not know that there will be none.
    pub fn spend(&self) {
        self.uses.inner().spent.insert(self.grant.clone());
    }

    /// Takes that back: there is no record of it, and never will be.
    pub fn unspend(&self) {
        self.uses.inner().spent.remove(&self.grant);
    }
}

impl Drop for Use {
    fn drop(&mut self) {
        self.uses.inner().under_way.remove(&self.grant);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant() -> AgreementId {
        AgreementId::new("one").unwrap()
    }

    #[test]
    fn of_two_questions_at_once_one_takes_the_grant() {
        let uses = Arc::new(Uses::default());
        let first = uses.begin(&grant()).unwrap();
        assert_eq!(uses.begin(&grant()).unwrap_err(), Unusable::UnderWay);
        assert!(uses.begin(&AgreementId::new("two").unwrap()).is_ok());
        drop(first);
        // Nothing left under it: the source may have failed.
        uses.begin(&grant()).unwrap().spend();
        assert_eq!(uses.begin(&grant()).unwrap_err(), Unusable::Spent);
    }

    #[test]
    fn what_the_journal_says_was_used_is_spent_from_the_start() {
        let uses = Arc::new(Uses::new([grant()], None));
        assert!(uses.is_spent(&grant()));
        assert_eq!(uses.begin(&grant()).unwrap_err(), Unusable::Spent);
    }

    #[test]
    fn only_whoever_knows_that_there_is_no_record_takes_a_use_back() {
        let uses = Arc::new(Uses::default());
        let taken = uses.begin(&grant()).unwrap();
        taken.spend();
        taken.unspend();
        drop(taken);
        assert!(!uses.is_spent(&grant()));
    }
}
