//! How many of the connections are whose: no member and no address may hold more than its share, so that one
//! partner's runaway program, or one stranger's, leaves room for the others.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Open connections by whose they are; no more entries than connections.
#[derive(Debug)]
pub struct Shares<K>(Arc<Mutex<HashMap<K, usize>>>);

/// One connection of somebody's share; free again when dropped.
pub struct Share<K: Eq + Hash> {
    of: Shares<K>,
    whose: K,
}

impl<K> Default for Shares<K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K> Clone for Shares<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K: Eq + Hash + Clone> Shares<K> {
    /// `None` if whoever it is has `max` open already.
    pub fn take(&self, whose: K, max: usize) -> Option<Share<K>> {
        let mut open = self.open();
        let count = open.entry(whose.clone()).or_default();
        if *count >= max {
            return None;
        }
        *count += 1;
        drop(open);
        Some(Share { of: self.clone(), whose })
    }
}

impl<K> Shares<K> {
    fn open(&self) -> MutexGuard<'_, HashMap<K, usize>> {
        // Each change is one step, so a holder that panicked left nothing half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash> Drop for Share<K> {
    fn drop(&mut self) {
        let mut open = self.of.open();
        if let Some(count) = open.get_mut(&self.whose) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                open.remove(&self.whose);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::MemberId;

    #[test]
    fn a_share_is_one_members_and_is_given_back() {
        let shares = Shares::default();
        let member = |id: &str| Some(MemberId::new(id).unwrap());
        let first = shares.take(member("nhs-lomond"), 1);
        assert!(first.is_some());
        assert!(shares.take(member("nhs-lomond"), 1).is_none());
        assert!(shares.take(member("police-caledonia"), 1).is_some());
        assert!(shares.take(None, 1).is_some());
        drop(first);
        assert!(shares.take(member("nhs-lomond"), 1).is_some());
        assert!(shares.open().is_empty(), "nothing is kept of members without connections");
    }
}
