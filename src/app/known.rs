//! What the journal knows before anything is decided, and the first ruleset under it.

use std::sync::Arc;

use jiff::civil::Date;

use crate::config::Gateway;
use crate::desk::{self, Circumstances, FoldedIndex, Lived, Ruleset};
use crate::ledger::previous::restored_at;
use crate::ledger::{Ledger, LedgerError, Opened};
use crate::model::{AgreementId, Faults};
use crate::policy::Uses;

use super::fault::StartFault;
use super::keys::Keys;
use super::seen::Seen;

/// What is known from the journal before anything is decided.
pub(super) struct Known {
    pub(super) fold: Arc<FoldedIndex>,
    /// What was in force.
    pub(super) seen: Seen,
    /// Which grants were used.
    pub(super) uses: Arc<Uses>,
    /// What officers and the host did.
    pub(super) lived: Arc<Lived>,
}

impl Known {
    pub(super) fn read(
        gateway: &Gateway,
        keys: &Keys,
        ledger: &Ledger,
        opened: &Opened,
    ) -> Result<Self, StartFault> {
        let store = gateway.data.join("store");
        let index = crate::store::IndexKey::new(&keys.index, ledger.verifier().name());
        let versions = desk::versions_at_start(&store, ledger, opened, &index)?;
        let fold = Arc::new(FoldedIndex::new(&store, &versions, index));
        let seen = Seen::new(versions.highest(), opened.ruleset);
        let restored = restored_at(&gateway.data.join("ledger")).map_err(LedgerError::from)?;
        let uses = Arc::new(Uses::new(versions.used().cloned(), restored));
        let lived = Arc::new(Lived::new(ledger.clone(), versions.life().clone()));
        Ok(Self { fold, seen, uses, lived })
    }

    /// The ruleset of the files as they are, under what the journal knows.
    pub(super) fn load(&self, gateway: &Gateway, keys: &Keys, today: Date) -> Result<Ruleset, Faults> {
        let highest = |id: &AgreementId| self.seen.highest(id);
        let (pseudonym_master, life) = (&*keys.pseudonym, self.lived.now());
        Ruleset::load(
            gateway,
            &Circumstances { seen: &highest, life: &life, before: None, pseudonym_master, today },
        )
    }
}
