//! What one member may take of a gateway, whatever its agreements allow: a guard against a runaway program and a
//! system that was taken over. The defaults are far above what an honest partner asks.

use super::strict::{Item, Table};

const MIB: u64 = 1024 * 1024;

/// What one member may ask and be answered, over all its systems and agreements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemberAllowance {
    pub requests_per_second: u64,
    /// Bytes of questions.
    pub asked_per_minute: u64,
    pub asked_per_day: u64,
    /// Bytes of answers.
    pub answered_per_minute: u64,
    pub answered_per_day: u64,
    /// Bytes of the ledger that records of its exchanges take, refused ones among them.
    pub recorded_per_day: u64,
    /// Bytes beyond that, for questions that are permitted and for nothing else: whoever was refused without
    /// measure can still be answered, and on the record.
    pub recorded_reserve_per_day: u64,
}

/// Reads it from `[limits]`.
pub(super) fn read(table: Option<&Table<'_>>) -> MemberAllowance {
    let count = |key: &'static str, default, most| {
        let item: Option<Item<'_>> = table.and_then(|table| table.optional(key));
        item.and_then(|item| item.count(1..=most)).unwrap_or(default)
    };
    let mib = |key, default| count(key, default, 1 << 40).saturating_mul(MIB);
    MemberAllowance {
        requests_per_second: count("requests_per_member_per_second", 1000, 10_000_000),
        asked_per_minute: mib("asked_mib_per_member_per_minute", 256),
        asked_per_day: mib("asked_mib_per_member_per_day", 16 * 1024),
        answered_per_minute: mib("answered_mib_per_member_per_minute", 4096),
        answered_per_day: mib("answered_mib_per_member_per_day", 256 * 1024),
        // A record takes two KiB or so: 24 a second all day, and 6 more.
        recorded_per_day: mib("recorded_mib_per_member_per_day", 4096),
        recorded_reserve_per_day: mib("recorded_reserve_mib_per_member_per_day", 1024),
    }
}
