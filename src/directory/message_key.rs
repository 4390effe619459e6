//! `[[member.system_key]]` of `members.toml`: a key one of the member's systems signs its questions with.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::civil::Date;

use crate::config::strict::{Item, Table};
use crate::crypto::PublicKey;
use crate::model::{MessageKey, SystemName};

const HELP: &str = "`tolbooth certs message-key` makes one and prints this table";

pub(super) fn read(table: &Table<'_>) -> Option<MessageKey> {
    let system = table.required("system").and_then(|item| item.parsed(SystemName::new));
    let id = table.required("keyid").and_then(|item| item.parsed(MessageKey::keyid));
    let public = table.required("key").and_then(|item| key(&item));
    let (first, last) = (day(table, "not_before"), day(table, "not_after"));
    let (not_before, not_after) = (first?, last?);
    if let (Some(first), Some(last)) = (not_before, not_after)
        && last < first
    {
        table.fault("`not_after` is before `not_before`: this key never counts");
    }
    Some(MessageKey { system: system?, id: id?, public: public?, not_before, not_after })
}

/// A day that is there and cannot be read is no open end.
fn day(table: &Table<'_>, name: &'static str) -> Option<Option<Date>> {
    table.optional(name).map_or(Some(None), |item| item.date().map(Some))
}

/// The 32 bytes of an Ed25519 public key (RFC 8032) in base64.
fn key(item: &Item<'_>) -> Option<PublicKey> {
    let bytes = STANDARD.decode(item.text()?).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    let Some(key) = bytes.map(PublicKey) else {
        item.fault_with_help("wanted the 32 bytes of an Ed25519 public key in base64", Some(HELP.to_owned()));
        return None;
    };
    if key.is_of_small_order() {
        item.fault("this key has a small order: anybody could sign under it");
        return None;
    }
    Some(key)
}

/// What will hurt: the last day has passed, or will within `soon_days`.
pub(super) fn warning(key: &MessageKey, today: Date, soon_days: i64) -> Option<String> {
    let left = i64::from(today.until(key.not_after?).ok()?.get_days());
    let named = format!("the message key `{}` of the system `{}`", key.id, key.system);
    match left {
        _ if left < 0 => Some(format!("{named} no longer counts")),
        _ if left < soon_days => Some(format!("{named} counts for {left} more days")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use jiff::Timestamp;
    use jiff::civil::date;

    use super::super::{Directory, load};
    use crate::crypto::SigningKey;
    use crate::model::{Faults, MemberId, SystemId, SystemName};

    use base64::Engine as _;

    use super::STANDARD;

    fn key(seed: u8) -> String {
        STANDARD.encode(SigningKey::from_seed(&[seed; 32]).unwrap().public().0)
    }

    fn read(keys: &str) -> Result<Directory, Faults> {
        let text = format!(
            "format = 1\nfederation = \"caledonia.example\"\n[[member]]\nid = \"nhs-lomond\"\nname = \"NHS Lomond\"\n\
             class = \"health\"\nanchors = []\n{keys}"
        );
        load("members.toml", &text, &|_| Err(io::ErrorKind::NotFound.into()), None)
    }

    fn table(system: &str, keyid: &str, key: &str, more: &str) -> String {
        format!(
            "[[member.system_key]]\nsystem = \"{system}\"\nkeyid = \"{keyid}\"\nkey = \"{key}\"\n{more}\n"
        )
    }

    #[test]
    fn a_system_has_its_own_keys_and_no_others() {
        let keys = [
            table("ed-trak", "ed-trak-1", &key(1), "not_after = 2026-12-31"),
            table("gp-hub", "gp-hub-1", &key(2), ""),
            table("ed-trak", "ed-trak-2", &key(3), "not_before = 2026-12-01"),
        ];
        let directory = read(&keys.concat()).unwrap();
        let of = |name: &str| {
            let (member, system) = (MemberId::new("nhs-lomond").unwrap(), SystemName::new(name).unwrap());
            let keys = directory.message_keys(&SystemId { member, system });
            keys.iter().map(|key| key.id.clone()).collect::<Vec<_>>()
        };
        assert_eq!(
            (of("ed-trak"), of("gp-hub")),
            (vec!["ed-trak-1".into(), "ed-trak-2".into()], vec!["gp-hub-1".into()])
        );
        assert!(of("porter").is_empty());
        assert_eq!(directory.signing_members(), 1);
        assert_eq!(read("").unwrap().signing_members(), 0);
        let warned = |at: &str| directory.warnings(at.parse::<Timestamp>().unwrap()).len();
        assert_eq!(
            ["2026-11-23T12:00:00Z", "2026-12-20T12:00:00Z", "2027-01-01T12:00:00Z"].map(warned),
            [0, 1, 1]
        );
    }

    #[test]
    fn the_first_and_the_last_day_count() {
        let directory =
            read(&table("ed-trak", "k", &key(1), "not_before = 2026-12-01\nnot_after = 2026-12-31")).unwrap();
        let system = SystemId {
            member: MemberId::new("nhs-lomond").unwrap(),
            system: SystemName::new("ed-trak").unwrap(),
        };
        let [key] = directory.message_keys(&system) else { panic!("one key") };
        let days = [date(2026, 11, 30), date(2026, 12, 1), date(2026, 12, 31), date(2027, 1, 1)];
        assert_eq!(days.map(|day| key.counts_on(day)), [false, true, true, false]);
    }

    #[test]
    fn what_is_no_key_is_told_with_its_line_and_all_at_once() {
        let identity = STANDARD.encode([&[1_u8][..], &[0; 31]].concat());
        let keys = [
            table("ED", "with space", "c2hvcnQ=", "not_after = \"soon\""),
            table("ed-trak", "k-1", &identity, ""),
            table("ed-trak", "k-2", &key(1), "not_before = 2026-12-02\nnot_after = 2026-12-01"),
            table("gp-hub", "k-3", &key(2), "colour = \"red\""),
            table("gp-hub", "k-3", &key(3), ""),
            table("porter", "k-4", &key(3), ""),
        ];
        let faults = read(&keys.concat()).unwrap_err();
        let mut lines: Vec<_> = faults.0.iter().filter_map(|fault| fault.line).collect();
        lines.sort_unstable();
        assert_eq!(lines, [9, 10, 11, 12, 16, 18, 28, 29, 34], "{faults}");
        for wanted in
            ["small order", "never counts", "unknown key `colour`", "is there twice", "a key has one role"]
        {
            assert!(faults.to_string().contains(wanted), "{wanted}: {faults}");
        }
    }
}
