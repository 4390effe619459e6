//! What `[ledger]` of `tolbooth.toml` says of keeping: whom subject keys are wrapped to, how long sealed parts
//! are kept where no agreement says so, and who begins erasing.

use super::gateway::count;
use super::strict::Table;
use crate::model::RecoveryKey;
use crate::model::limits::{AUDIT_YEARS_DEFAULT, AUDIT_YEARS_MAX, RECOVERY_KEYS_MAX};

/// How the ledger is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keeping {
    /// Each key once; without one a lost subject key stays lost.
    pub recovery_keys: Vec<RecoveryKey>,
    /// Of records that no agreement speaks for.
    pub audit_years: u8,
    pub erase: Erase,
}

/// Who begins an erasure of what is past its term.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Erase {
    /// The gateway, once a day.
    Daily,
    /// A person, with `tolbooth ledger erase --due`.
    ByHand,
}

impl Erase {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Daily => "daily",
            Self::ByHand => "by_hand",
        }
    }
}

impl Keeping {
    pub(super) fn read(table: Option<&Table<'_>>) -> Option<Self> {
        let recovery_keys = recovery_keys(table);
        let years =
            count(table, "audit_years", u64::from(AUDIT_YEARS_DEFAULT), 1..=u64::from(AUDIT_YEARS_MAX));
        let erase = match table.and_then(|table| table.optional("erase")) {
            Some(item) => item.word(&[Erase::Daily, Erase::ByHand], Erase::as_str),
            None => Some(Erase::Daily),
        };
        let audit_years = u8::try_from(years).unwrap_or(AUDIT_YEARS_MAX);
        Some(Self { recovery_keys: recovery_keys?, audit_years, erase: erase? })
    }
}

fn recovery_keys(table: Option<&Table<'_>>) -> Option<Vec<RecoveryKey>> {
    let Some(item) = table.and_then(|table| table.optional("recovery_keys")) else { return Some(Vec::new()) };
    let given = item.list()?;
    if given.len() > RECOVERY_KEYS_MAX {
        item.fault(format!(
            "{} recovery keys: at most {RECOVERY_KEYS_MAX}, since each can read every subject key",
            given.len()
        ));
        return None;
    }
    let mut keys: Vec<RecoveryKey> = Vec::new();
    for one in given {
        let key = one.parsed(|text| {
            RecoveryKey::parse(text)
                .ok_or("not a recovery key: `tolbooth ledger recovery-key make` prints the line")
        })?;
        if keys.contains(&key) {
            one.fault(format!("the recovery key {} is here twice", key.id()));
            return None;
        }
        keys.push(key);
    }
    Some(keys)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::crypto::SealingKey;

    fn keeping(ledger: &str) -> Result<Keeping, String> {
        let text = format!(
            "format = 1\n[gateway]\nmember = \"glenmore\"\n[partners]\ncertificate = \"c\"\nkey = \"k\"\n[ledger]\n{ledger}"
        );
        let read = super::super::parse("tolbooth.toml", &text, Path::new("."));
        read.map(|gateway| gateway.keeping).map_err(|faults| faults.to_string())
    }

    #[test]
    fn what_is_said_of_keeping_is_read_or_told() {
        let line = |byte| RecoveryKey(SealingKey([byte; 32])).to_string();
        let nothing = keeping("").unwrap();
        assert_eq!((nothing.recovery_keys.len(), nothing.audit_years, nothing.erase), (0, 7, Erase::Daily));
        let all = format!(
            "recovery_keys = [\"{}\", \"{}\"]\naudit_years = 25\nerase = \"by_hand\"\n",
            line(1),
            line(2)
        );
        let all = keeping(&all).unwrap();
        assert_eq!((all.recovery_keys.len(), all.audit_years, all.erase), (2, 25, Erase::ByHand));
        let fault = |text: &str| keeping(text).unwrap_err();
        assert!(fault(&format!("recovery_keys = [\"{0}\", \"{0}\"]\n", line(1))).contains("is here twice"));
        assert!(fault("recovery_keys = [\"tolbooth-recovery+1\"]\n").contains("not a recovery key"));
        let five: Vec<String> = (1..=5).map(|byte| format!("{:?}", line(byte))).collect();
        assert!(fault(&format!("recovery_keys = [{}]\n", five.join(", "))).contains("at most 4"));
        assert!(fault("audit_years = 0\n").contains("audit_years"));
        assert!(fault("erase = \"never\"\n").contains("by_hand"));
    }
}
