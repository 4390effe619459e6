//! How many of the connections are whose: no member may hold more than its share, so that one partner's
//! runaway program leaves room for the others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::model::MemberId;

/// Open connections by member. Those of nobody known share one share. As many entries as members.
#[derive(Debug, Clone, Default)]
pub struct Shares(Arc<Mutex<HashMap<Option<MemberId>, usize>>>);

/// One connection of a member's share; free again when dropped.
pub struct Share {
    of: Shares,
    member: Option<MemberId>,
}

impl Shares {
    /// `None` if the member has `max` open already.
    pub fn take(&self, member: Option<MemberId>, max: usize) -> Option<Share> {
        let mut open = self.open();
        let count = open.entry(member.clone()).or_default();
        if *count >= max {
            return None;
        }
        *count += 1;
        Some(Share { of: self.clone(), member })
    }

    fn open(&self) -> MutexGuard<'_, HashMap<Option<MemberId>, usize>> {
        // Each change is one step, so a holder that panicked left nothing half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut open = self.of.open();
        let left = open.get(&self.member).map_or(0, |count| count.saturating_sub(1));
        if left == 0 {
            open.remove(&self.member);
        } else {
            open.insert(self.member.clone(), left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
