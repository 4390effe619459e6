//! Tokens verified before, by their SHA-256: a signature is dear, and a token comes with every question.
//! One for each data-plane thread, never shared.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use crate::crypto::{Sha256, sha256};

use super::claims::{Claims, Presenter};
use super::fault::TokenFault;
use super::issuer::Issuers;
use super::verify::{Verified, verify};

/// A table of fixed size: a token has one slot by its hash, and the newer takes it from the older, so that
/// memory is bounded whatever comes. Only what verified is kept.
pub struct Cache {
    slots: Vec<Option<Slot>>,
    /// Seeded at random, so that nobody can make tokens for another's slot.
    hasher: RandomState,
}

struct Slot {
    token: Sha256,
    epoch: u64,
    verified: Verified,
}

impl Slot {
    /// Whether this is that token, and nothing it was verified with has been replaced since.
    fn holds(&self, token: &Sha256, issuers: &Issuers, epoch: u64) -> bool {
        let issuer = &self.verified.issuer;
        self.token == *token
            && self.epoch == epoch
            && issuers.get(&issuer.name).is_some_and(|known| Arc::ptr_eq(known, issuer))
            && Arc::ptr_eq(&issuer.keys.load(), &self.verified.keys)
    }
}

impl Cache {
    /// With room for `slots` tokens, at least one.
    pub fn new(slots: usize) -> Self {
        Self { slots: (0..slots.max(1)).map(|_| None).collect(), hasher: RandomState::new() }
    }

    /// What a token says of whoever presents it. From a cached one only the signature and the reading are
    /// spared: audience, times, binding and epoch are compared every time.
    pub fn present(
        &mut self,
        token: &str,
        issuers: &Issuers,
        epoch: u64,
        presenter: &Presenter<'_>,
    ) -> Result<Arc<Claims>, TokenFault> {
        let digest = sha256(&[token.as_bytes()]);
        let at = usize::try_from(self.hasher.hash_one(digest) % self.slots.len() as u64).unwrap_or(0);
        let known = self.slots.get(at).and_then(Option::as_ref);
        let verified = match known.filter(|slot| slot.holds(&digest, issuers, epoch)) {
            Some(slot) => slot.verified.clone(),
            None => {
                let verified = verify(token, issuers)?;
                if let Some(slot) = self.slots.get_mut(at) {
                    *slot = Some(Slot { token: digest, epoch, verified: verified.clone() });
                }
                verified
            }
        };
        verified.claims.fit(&verified.issuer.audience, presenter)?;
        Ok(verified.claims)
    }

    /// What is remembered in a slot.
    #[cfg(test)]
    pub(super) fn claims_at(&self, at: usize) -> Option<Arc<Claims>> {
        self.slots.get(at)?.as_ref().map(|slot| Arc::clone(&slot.verified.claims))
    }
}
