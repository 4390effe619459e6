//! Who gets in at all: so many connections, so many of one address, and so many handshakes of one address each
//! second. Asked on one thread, before TLS, so that it costs a stranger's flood nothing but an accept.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::config::Partners;

use super::pace::{Pace, origin};
use super::share::{Share, Shares};

/// The bounds of the partners' listener.
pub struct Door {
    open: Arc<AtomicUsize>,
    connections_max: usize,
    addresses: Shares<IpAddr>,
    per_address_max: usize,
    pace: Pace,
}

/// A connection that is let in; its room is free again when this is dropped.
pub struct Within {
    _slot: Slot,
    _share: Share<IpAddr>,
}

/// Why somebody is not let in; closed, for the summaries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turned {
    Full,
    TooManyOfOneAddress,
    TooFastOfOneAddress,
}

impl Turned {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "too_many_connections",
            Self::TooManyOfOneAddress => "too_many_of_one_address",
            Self::TooFastOfOneAddress => "too_fast_of_one_address",
        }
    }
}

impl Door {
    pub fn new(bounds: &Partners) -> Self {
        Self {
            open: Arc::default(),
            connections_max: bounds.connections_max,
            addresses: Shares::default(),
            per_address_max: bounds.connections_per_address_max,
            pace: Pace::new(bounds.handshakes_per_address_per_second),
        }
    }

    pub fn admit(&mut self, address: IpAddr, now: Duration) -> Result<Within, Turned> {
        let origin = origin(address);
        if !self.pace.admit(origin, now) {
            return Err(Turned::TooFastOfOneAddress);
        }
        let share = self.addresses.take(origin, self.per_address_max).ok_or(Turned::TooManyOfOneAddress)?;
        let slot = Slot::take(&self.open, self.connections_max).ok_or(Turned::Full)?;
        Ok(Within { _slot: slot, _share: share })
    }
}

/// One of the connections that may be open at once; free again when dropped, however that comes.
struct Slot(Arc<AtomicUsize>);

impl Slot {
    fn take(open: &Arc<AtomicUsize>, max: usize) -> Option<Self> {
        let slot = Self(Arc::clone(open));
        (open.fetch_add(1, Ordering::Relaxed) < max).then_some(slot)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_given_back_also_by_whoever_did_not_get_one() {
        let open = Arc::new(AtomicUsize::new(0));
        let first = Slot::take(&open, 1);
        assert!(first.is_some());
        assert!(Slot::take(&open, 1).is_none());
        assert_eq!(open.load(Ordering::Relaxed), 1);
        drop(first);
        assert!(Slot::take(&open, 1).is_some());
    }
}
