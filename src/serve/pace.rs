//! How fast one address may come: a bucket of handshakes for each, refilled by the second. A handshake is the
//! dearest thing a stranger can ask for, and is asked for before anybody is known.
//!
//! Addresses are dealt to a fixed table by a keyed hash: the memory is the same whoever comes, nothing is ever
//! swept, and nobody can choose whom they share a bucket with. Two share one by chance; 16,384 buckets are far
//! more than partners have addresses.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

/// 128 KiB in all.
const BUCKETS: usize = 16_384;
const SECOND: u64 = 1_000_000_000;

/// Whose a connection is before anybody is known. Whoever has one IPv6 address has the /64 it is in (RFC 6177).
pub fn origin(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

/// The buckets of all addresses.
pub struct Pace {
    /// Nanoseconds from one handshake to the next.
    apart: u64,
    /// When each bucket will be full again, in nanoseconds since the clock began.
    full: Vec<u64>,
    dealt: RandomState,
}

impl Pace {
    /// At most `per_second` at once, and as many again each second.
    pub fn new(per_second: u32) -> Self {
        Self {
            apart: SECOND / u64::from(per_second.max(1)),
            full: vec![0; BUCKETS],
            dealt: RandomState::new(),
        }
    }

    /// Whether an address (see [`origin`]) may come now.
    pub fn admit(&mut self, origin: IpAddr, now: Duration) -> bool {
        let index = usize::try_from(self.dealt.hash_one(origin) % BUCKETS as u64).unwrap_or(0);
        let Some(full) = self.full.get_mut(index) else { return false };
        let now = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
        let next = (*full).max(now).saturating_add(self.apart);
        let may = next <= now.saturating_add(SECOND);
        if may {
            *full = next;
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_comes_at_its_pace_and_no_other_is_held_up() {
        let mut pace = Pace::new(10);
        let [first, second]: [IpAddr; 2] = ["10.0.0.1", "10.0.0.2"].map(|text| text.parse().unwrap());
        let now = Duration::from_secs(100);
        assert_eq!((0..50).filter(|_| pace.admit(first, now)).count(), 10);
        assert!(!pace.admit(first, now + Duration::from_millis(99)));
        assert!(pace.admit(first, now + Duration::from_millis(101)));
        assert_eq!((0..50).filter(|_| pace.admit(first, now + Duration::from_secs(60))).count(), 10);
        // Of 50 others one may share a bucket with it, not all.
        let others = (1..=50_u8).filter(|last| pace.admit([10, 0, 1, *last].into(), now)).count();
        assert!(others > 40, "{others}");
        assert!(pace.admit(second, now));
    }

    #[test]
    fn an_address_is_its_network_in_ipv6_and_itself_in_ipv4() {
        let of = |text: &str| origin(text.parse().unwrap()).to_string();
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(of("::ffff:10.0.0.1"), "10.0.0.1");
        assert_eq!(of("10.0.0.1"), "10.0.0.1");
    }
}
